package reports

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

// payloads are texts that spreadsheets, XML or CSV could misread.
func payloads() []string {
	var out []string
	for _, p := range []string{"=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"} {
		out = append(out, p, p+"1+1", p+"cmd|' /C calc'!A0", p+`HYPERLINK("http://x","y")`)
	}
	return append(out, "_x000D_", "_x005F_x000D_", "_x0041_", "a_x000A_b", "<f>1+1</f>", "]]>", "&amp;", "&#13;", "a\x00b", "a\x1bb",
		"a\x7fb", "\xff\xfe", "a\u202egnp", "\ufffe", "00123456789012345678", "1E5", "0x1F", "TRUE", "#REF!", "'quoted", " lead",
		"trail ", "line\nbreak", "\"", "a,b;c", "中文=1", "😀", "${jndi:ldap://x}", "{{1+1}}", "=１＋１")
}

func TestVendorTextStaysTextInTheWorkbook(t *testing.T) {
	texts := payloads()
	if len(texts) < 60 {
		t.Fatalf("only %d payloads", len(texts))
	}
	b := sampleBook(text.En)
	b.Outcome = &reconcile.Outcome{Verdict: reconcile.Differences}
	for i, p := range texts {
		r := &txn.Row{Side: txn.Terminal, Kind: txn.Sale, Currency: txn.CNY, Amount: 100}
		r.Set(txn.OrderNo, []byte(p))
		b.Outcome.Lines = append(b.Outcome.Lines, reconcile.Line{CaseID: fmt.Sprintf("C-%03d", i), Class: reconcile.T02, Status: "open",
			Leg: reconcile.LegTA, Amount: reconcile.Some(100), Currency: txn.CNY, Row: r, RRN: p, Detail: p, Store: p, Acquirer: p})
	}
	b.Outcome.Groups = []reconcile.GroupSum{{Store: "=1+1", TID: "@x", Acquirer: ">5", Currency: txn.CNY}}
	data := workbookBytes(t, b)
	f := open(t, data)
	name, want := text.Sheet("exceptions", text.En), map[string]string{}
	for i, p := range texts {
		want[fmt.Sprintf("C-%03d", i)] = visible(p, false)
	}
	rows, err := f.GetRows(name, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	col := map[string]int{}
	for j, k := range rows[1] {
		col[k] = j
	}
	for _, row := range rows[tableHead:] {
		id := row[col["case_id"]]
		if got := row[col["order_no_1"]]; got != want[id] {
			t.Errorf("%s: %q came back as %q", id, want[id], got)
		}
		delete(want, id)
	}
	if len(want) > 0 {
		t.Errorf("%d payloads are missing: %v", len(want), want)
	}
	formulasAreOurs(t, data)
}

// formulasAreOurs fails unless every formula consists of cells, numbers and seven functions, never a text.
func formulasAreOurs(t *testing.T, data []byte) {
	t.Helper()
	own := regexp.MustCompile(`^(ROUND|SUM|SUMIF|SUMPRODUCT|EXACT|SUBTOTAL|[A-Z]{1,3}[0-9]+|[0-9]+|[-+*:,()])+$`)
	n := 0
	eachPart(t, data, func(part, xml string) {
		for _, m := range regexp.MustCompile(`<f>(.*?)</f>`).FindAllStringSubmatch(xml, -1) {
			if n++; !own.MatchString(m[1]) {
				t.Errorf("%s holds the formula %q", part, m[1])
			}
		}
	})
	if n == 0 {
		t.Error("the workbook has no formula at all")
	}
}

func eachPart(t *testing.T, data []byte, do func(name, content string)) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		b, err := fs.ReadFile(r, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		do(f.Name, string(b))
	}
}

func TestVendorTextIsNeutralInCSV(t *testing.T) {
	b := sampleBook(text.En)
	b.Outcome = &reconcile.Outcome{}
	for _, p := range payloads() {
		b.Outcome.Lines = append(b.Outcome.Lines, reconcile.Line{Class: reconcile.T03, RRN: p, OrderNo: p, Differs: p,
			Amount: reconcile.Some(-12345), Other: reconcile.Some(-12300), Currency: txn.CNY})
	}
	var buf bytes.Buffer
	if err := WriteExceptions(&buf, b); err != nil {
		t.Fatal(err)
	}
	if bytes.HasPrefix(buf.Bytes(), []byte("\xEF\xBB\xBF")) {
		t.Error("the file begins with a byte order mark")
	}
	rows, err := csv.NewReader(&buf).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows[1:] {
		for _, j := range []int{17, 19, 35} {
			if v := row[j]; v != "" && strings.ContainsAny(string([]rune(v)[0]), "=+-@\t\r＝＋－＠") {
				t.Errorf("payload %d: column %s begins with %q", i, rows[0][j], v)
			}
		}
		if row[23] != "-123.45" || row[25] != "0.45" {
			t.Errorf("numbers are %s and %s, want -123.45 and 0.45", row[23], row[25])
		}
	}
}

func TestLongTextIsCutWithAMarkThatCounts(t *testing.T) {
	long := strings.Repeat("长", 40000)
	got := cellText(long)
	if n := len([]rune(got)); n > maxCell || !strings.HasSuffix(got, "]") {
		t.Errorf("%d characters are left, ending in %q", n, got[len(got)-20:])
	}
	kept, rest, _ := strings.Cut(got, "…[+")
	n, _ := strconv.Atoi(strings.TrimSuffix(rest, "]"))
	if len([]rune(kept))+n != 40000 {
		t.Errorf("%d kept and %d counted as left out do not make 40000", len([]rune(kept)), n)
	}
	if s := strings.Repeat("a", maxCell); cellText(s) != s {
		t.Error("a text that just fits is cut")
	}
}
