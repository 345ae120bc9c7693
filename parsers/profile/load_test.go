package profile

import (
	"strings"
	"testing"
)

const plain = `version: 1
name: t
side: A
delimited: {delimiter: ","}
columns:
  - {name: kind, field: kind, map: {"01": sale}}
  - {name: amount, field: amount}
`

func TestAProfileThatMeansLessThanItSaysIsRefused(t *testing.T) {
	if _, err := Load("t", []byte(plain)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, from, to, says string }{
		{"an unknown key", "side: A", "side: A\ncolour: red", "colour"},
		{"an unknown key of a column", "field: amount", "field: amount, colour: red", "colour"},
		{"an unquoted number in a map", `"01": sale`, "0123: sale", "t:6:"},
		{"an unquoted number as a text", "name: t", "name: 0123", "t:2:7: 0123 must be quoted"},
		{"an unquoted word of truth as a text", "name: t", "name: true", "must be quoted"},
		{"another version", "version: 1", "version: 2", "version 2 is not known"},
		{"no version", "version: 1\n", "", "version 0"},
		{"a planned word", "side: A", "side: A\nworksheet: {sheet: 1}", "worksheet is not implemented"},
		{"an unknown field", "field: amount", "field: amuont", `t:7:27: no field is named "amuont"`},
		{"an unknown kind", "sale}", "sell}", `"sell" is not a value of kind`},
		{"an unknown encoding", "side: A", "side: A\nencoding: big5", "big5"},
		{"a delimiter of several bytes", `","`, `"│"`, "several bytes"},
		{"a date without layouts", "field: amount", "field: txn_time", "needs layouts"},
		{"a layout without a year", "field: amount", `field: txn_time, layouts: ["MMddHHmmss"]`, "say year_of"},
		{"no kind", "field: kind, map: {\"01\": sale}", "optional: true", "gives the kind"},
		{"two columns of one name", "{name: amount,", "{name: amount, aliases: [KIND],", "same name or alias"},
		{"a line without a literal beginning", "side: A", "side: A\ntrailer: [{text: \"{a}x\"}]", "literal text"},
		{"a control of an unknown column", "side: A", "side: A\ncontrols: [{name: n, stated: [x], measure: column, column: zz}]", "known column"},
		{"both layouts", "side: A", "side: A\nfixed: {record: 10}", "exactly one of delimited and fixed"},
		{"an anchor", "side: A", "side: &x A", "anchors"},
		{"two documents", "side: A", "side: A\n---\na: b", ""},
		{"no mapping", plain, "- a", ""},
		{"an unknown zone", "side: A", "side: A\nzone: Mars/Base", "Mars/Base"},
		{"an id that is not lower case", "name: t", "name: T", "lower-case"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(plain, c.from, c.to, 1)
			if text == plain {
				t.Fatal("the case changes nothing")
			}
			_, err := Load("t", []byte(text))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(plain)
	f.Add("version: 1\nname: [")
	f.Fuzz(func(t *testing.T, in string) { _, _ = Load("f", []byte(in)) })
}

func TestTemplates(t *testing.T) {
	for _, c := range []struct{ tmpl, in, want string }{
		{"#账号：[{a}]", "#账号:[123 ]", "123"},
		{"#-{}结束", "#-----业务明细列表结束-----", "yes"},
		{"#合计：{n}笔，共{m}元", "#合计：6笔，共0.0", ""},
		{"#合计：{n}笔，共{m}元", "#合计：6笔，共0.06元，其它", "60.06"},
		{"INN{d}88ZM_{m}", "INN25123188ZM_898", "251231898"},
		{"INN{d}88ZM_{m}", "INN25123188ZME_898", ""},
	} {
		tm, err := parseTemplate(c.tmpl)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if tm.match(fold(c.in), func(_, v string) { got += v }) && got == "" {
			got = "yes"
		}
		if got != c.want {
			t.Errorf("%s on %s: %q, want %q", c.tmpl, c.in, got, c.want)
		}
	}
}
