package config

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"daozhang/parsers/txn"
	"daozhang/reconcile/register"
)

// minimal is a sound configuration; test cases replace parts of it.
const minimal = `version: 1
entity: E
go_live: 2026-01-01
sources:
  - name: a
    side: bank
    folder: in
    names: [x.csv]
    formats: [f]
    due: "+1 09:00"
    date: content
`

// unmark takes the marks » out of a text and returns their places as line:column.
func unmark(text string) (plain string, at []string) {
	var b strings.Builder
	line, col := 1, 1
	for _, c := range text {
		switch c {
		case '»':
			at = append(at, fmt.Sprintf("%d:%d", line, col))
			continue
		case '\n':
			line, col = line+1, 0
		}
		b.WriteRune(c)
		col++
	}
	return b.String(), at
}

// Each » in a text marks where the next of the wanted problems must stand.
func TestProblemsStandWhereTheyAre(t *testing.T) {
	swap := func(old, new string) string {
		if !strings.Contains(minimal, old) {
			panic("no " + old)
		}
		return strings.Replace(minimal, old, new, 1)
	}
	source := func(lines string) string { return minimal + "    " + strings.ReplaceAll(lines, "\n", "\n    ") + "\n" }
	server := func(lines string) string {
		return swap("folder: in", "server: s\n    dir: /out") + "servers:\n  s:\n    " + strings.ReplaceAll(lines, "\n", "\n    ") + "\n"
	}
	const sound = "host: h\nuser: u\nkeys: [\"env:K\"]\nknown_hosts: [kh]"
	for _, x := range []struct {
		name, text string
		want       []string
	}{
		{"unknown key near a known one", minimal + "»languag: en\n", []string{"unknown key languag in the configuration; did you mean lang?"}},
		{"unknown key in a source", source("»emptyday: either"), []string{"unknown key emptyday in sources[0]; did you mean empty_day?"}},
		{"unknown key far from all", minimal + "rules: {»colour: 1}\n", []string{"unknown key colour in rules; known are double_pay_minutes, history_days"}},
		{"repeated key", minimal + "»entity: F\n", []string{"key entity stands twice, first on line 2"}},
		{"key without a value", minimal + "»lang:\n", []string{"key lang has no value"}},
		{"missing keys", "»»version: 1\nsources: []\n", []string{"key entity is missing in the configuration", "key go_live is missing"}},
		{"number where a text belongs", swap("entity: E", "entity: »0123"), []string{`entity is a text but 0123 has no quotes, and YAML reads it as a number; write "0123"`}},
		{"number in a list of texts", source("covers: {merchants: [»898310048990001]}"), []string{`covers.merchants[0] is a text but 898310048990001 has no quotes`}},
		{"truth value where a text belongs", swap("entity: E", "entity: »true"), []string{"entity is a text but true has no quotes"}},
		{"newer version", swap("version: 1", "version: »2"), []string{"version is 2 but this program reads version 1"}},
		{"version as a text", swap("version: 1", `version: »"1"`), []string{"version must be a whole number"}},
		{"octal number", minimal + "rules: {refund_days: »03}\n", []string{"rules.refund_days must be a whole number from 0 to 60, without quotes or leading zeros"}},
		{"number out of range", minimal + "rules: {refund_days: »99}\n", []string{"whole number from 0 to 60"}},
		{"share without percent", minimal + "rules: {rejects_hold: {share: »\"0.1\"}}\n", []string{`must be a percentage`}},
		{"no such day", swap("2026-01-01", "»2026-02-29"), []string{`go_live: date "2026-02-29" is not YYYY-MM-DD`}},
		{"no such zone", minimal + "zone: »Asia/Beijing\n", []string{`"Asia/Beijing" is not the name of a time zone`}},
		{"the machine's zone", minimal + "zone: »Local\n", []string{`"Local" is not the name of a time zone`}},
		{"currency word", minimal + "currency: »人民币\n", []string{"must be an ISO 4217 code"}},
		{"wrong word", minimal + "cards: »last5\n", []string{`cards is "last5" but must be last4 or first6last4`}},
		{"entity not fit for a file name", swap("entity: E", "entity: »a/b"), []string{"entity becomes part of file names"}},
		{"list where a mapping belongs", minimal + "rules: »[1]\n", []string{"rules must be a mapping of keys to values, not a list"}},
		{"text where a list belongs", swap("[x.csv]", "»x.csv"), []string{"sources[0].names must be a list, not a text"}},
		{"alias", swap("entity: E", "entity: »*e"), []string{"entity must be a text, not an anchor or alias"}},
		{"two documents", minimal + "---\n»version: 1\n", []string{"a second YAML document"}},
		{"braces without quotes", swap("[x.csv]", "[{store}»_x.csv]"), []string{"name patterns, stand in quotes"}},

		{"literal password", server(sound + "\npassword: »hunter2"), []string{"servers.s.password: secrets are given by reference only"}},
		{"numeric password", server(sound + "\npassword: »123456"), []string{"servers.s.password must be a reference to a secret"}},
		{"literal key", server("host: h\nuser: u\nkeys: [»\"-----BEGIN OPENSSH PRIVATE KEY-----\"]\nknown_hosts: [kh]"), []string{"by reference only"}},
		{"no way to log in", server("»host: h\nuser: u\nknown_hosts: [kh]"), []string{"servers.s has neither keys nor password"}},
		{"no host key", server("»host: h\nuser: u\nkeys: [\"env:K\"]"), []string{"servers.s has neither known_hosts nor fingerprints"}},
		{"fingerprint of another kind", server(sound + "\nfingerprints: [»\"MD5:aa:bb\"]"), []string{"a fingerprint looks like SHA256:"}},
		{"unknown legacy algorithm", server(sound + "\nlegacy: »[rot13]"), []string{`legacy algorithm "rot13" is not known`}},
		{"time span without unit", server(sound + "\ntimeouts: {dial: »\"20\"}"), []string{"must be a time span from 1s to 10m, such as"}},
		{"unknown server", swap("folder: in", "server: »umz\n    dir: /o") + "servers:\n  »ums: {host: h, user: u, keys: [\"env:K\"], known_hosts: [kh]}\n",
			[]string{"server umz is not known; did you mean ums?", "warning: no source uses server ums"}},
		{"unused server", minimal + "servers:\n  »s: {host: h, user: u, keys: [\"env:K\"], known_hosts: [kh]}\n", []string{"warning: no source uses server s"}},

		{"no place", strings.Replace(strings.Replace(minimal, "    folder: in\n", "", 1), "- name", "- »name", 1), []string{"source a has no place"}},
		{"two places", strings.Replace(server(sound), "dir: /out", "dir: /out\n    folder: »in", 1), []string{"a source lies on a server or in a folder, not both"}},
		{"due without a sign", swap(`"+1 09:00"`, `»"1 09:00"`), []string{"must be days after the business date and a local time"}},
		{"due at no time of day", swap(`"+1 09:00"`, `»"+1 24:00"`), []string{"must be days after"}},
		{"unknown days", source("days: »weekdays"), []string{"must be daily, workdays and a calendar"}},
		{"unknown weekday", source("days: [mon, »Tuesday]"), []string{`must be a weekday (mon tue`}},
		{"side by letter", swap("side: bank", "side: »B"), []string{"must be terminal, acquirer or bank"}},
		{"acquirer source without acquirer", swap("side: bank", "side: »acquirer"), []string{"needs the key acquirer"}},
		{"acquirer of a bank", source("acquirer: »ums"), []string{"acquirer has no meaning for a bank source"}},
		{"paying bank", source("pays: »yes"), []string{"only acquirer sources pay"}},
		{"full card numbers", source("contains_pan: »full"), []string{"refused as long as the archive cannot be encrypted"}},
		{"date from a name without date", strings.Replace(swap("    date: content", "    date: name-1"), "[x.csv]", "[»x.csv]", 1), []string{"the business date is to come from the name, but pattern"}},
		{"no such date rule", swap("date: content", "date: »arrival"), []string{"must be content, name, or name with days added"}},
		{"no patterns", swap("[x.csv]", "»[]"), []string{"sources[0].names is empty; give at least one"}},
		{"server without dir", strings.Replace(server(sound), "server: s\n    dir: /out", "server: »s", 1), []string{"has a server but no dir"}},
		{"folder with dir", source("dir: »/out"), []string{"dir is the folder on a server"}},
		{"pattern with a slip", swap("[x.csv]", `[»"x_{Store}.csv"]`), []string{`capture name "Store"`}},
		{"slot key without values", swap("[x.csv]", `»["x_{store}.csv"]`), []string{"capture store is part of the slot key, but slots does not say"}},
		{"values of no capture", source("slots: {»store: [S1]}"), []string{"slots names store, which is no capture of the slot key; captures are none"}},
		{"patterns with different captures", swap("[x.csv]", `[x.csv, »"y_{store}.csv"]`), []string{"has the captures store but the first has none"}},
		{"reference to no capture", source(`covers: {stores: [»"{store}"]}`), []string{"{store} is no capture of the slot key"}},
		{"unknown channel", source("covers: {channels: [»wechta]}"), []string{`channel "wechta" is not known; did you mean wechat?`}},
		{"source named twice", minimal + strings.Replace(strings.Replace(minimal[strings.Index(minimal, "  - name"):], "folder: in", "folder: in2", 1), "name: a", "name: »a", 1),
			[]string{"source a stands twice, first on line 5"}},
		{"name not fit for a source", swap("name: a", "name: »Bank A"), []string{`source name "Bank A" must consist of`}},

		{"schedule with a zone", minimal + "schedule: {cron: »\"TZ=UTC\"}\n", []string{"a zone does not belong here"}},
		{"schedule with a zone and fields", minimal + "schedule: {cron: »\"CRON_TZ=UTC 0 0 * * *\"}\n", []string{"a zone does not belong here"}},
		{"schedule with seconds", minimal + "schedule: {cron: »\"* * * * * *\"}\n", []string{"fires more than once a minute is refused; remove the seconds"}},
		{"schedule by interval", minimal + "schedule: {cron: »\"@every 1s\"}\n", []string{"@every are not known, since a business date has a time of day; write minute, hour"}},
		{"schedule by a negative interval", minimal + "schedule:\n  cron: »\"@every -5m\"\n", []string{"schedule.cron: schedule"}},
		{"schedule on 31 February", minimal + "schedule: {cron: »\"0 0 31 2 *\"}\n", []string{"never fires within five years"}},
		{"schedule with a field too few", minimal + "schedule: {cron: »\"30 10 * *\"}\n", []string{"has 4 fields but must have five"}},
		{"way to catch up that is none", minimal + "schedule: {cron: \"30 10 * * *\", catch_up: »some}\n", []string{`schedule.catch_up is "some" but must be none or last or all`}},
		{"no date to catch up", minimal + "schedule: {cron: \"30 10 * * *\", catch_up_max: »0}\n", []string{"schedule.catch_up_max must be a whole number from 1 to 3660"}},
		{"tab as indentation", "version: 1\nrules:\n»\trefund_days: 3\n", []string{"not YAML"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			text, at := unmark(x.text)
			_, ps := Parse("c.yaml", []byte(text))
			if len(ps) != len(x.want) || len(at) != len(x.want) {
				t.Fatalf("%d problems, want %d:\n%v", len(ps), len(x.want), ps)
			}
			for i, p := range ps {
				got := strings.TrimPrefix(p.String(), "c.yaml:")
				if !strings.HasPrefix(got, at[i]+": ") || !strings.Contains(got, x.want[i]) {
					t.Errorf("got  %s\nwant %s: %s", got, at[i], x.want[i])
				}
			}
		})
	}
}

func TestParseReportsAllProblemsAtOnce(t *testing.T) {
	c, ps := Parse("c.yaml", []byte(`version: 1
entity: 7
go_live: soon
rules: {refund_day: 3}
servers:
  s: {host: h, user: u, password: s3cret-Word, known_hosts: [kh]}
sources:
  - name: a
    side: bank
    server: t
    dir: /
    names: ["x_{date}.csv"]
    formats: [f]
    due: later
`))
	if c != nil || len(ps.Errors()) != 7 || len(ps.Warnings()) != 1 {
		t.Errorf("got %d errors, %d warnings:\n%v", len(ps.Errors()), len(ps.Warnings()), ps)
	}
	if strings.Contains(ps.Error(), "s3cret") {
		t.Errorf("a problem shows the secret:\n%v", ps)
	}
	last := 0
	for _, p := range ps {
		if p.Line < last {
			t.Errorf("not in order:\n%v", ps)
		}
		last = p.Line
	}
}

func TestSourcesThatMeet(t *testing.T) {
	source := func(name, pattern, more string) string {
		return fmt.Sprintf("  - name: %s\n    side: acquirer\n    folder: in\n    names: [%q]\n    formats: [f]\n    due: \"+1 09:00\"\n    date: content\n%s", name, pattern, more)
	}
	head := minimal[:strings.Index(minimal, "  - name")]
	for _, x := range []struct{ name, text, want string }{
		{"same pattern", source("a", "x.csv", "    acquirer: u\n    pays: no\n") + source("b", "x.csv", "    acquirer: v\n"), `pattern "x.csv" takes files that "x.csv" of source a (line 8) takes too`},
		{"a capture takes the other's name", source("a", "UMS_{date:yyyyMMdd}.csv", "    acquirer: u\n    pays: no\n") +
			source("b", "UMS_{mid}.csv", "    acquirer: v\n    slots: {mid: [\"1\"]}\n"), "takes too"},
		{"other names", source("a", "UMS_{date:yyyyMMdd}.csv", "    acquirer: u\n") + source("b", "ALI_{date:yyyyMMdd}.csv", "    acquirer: v\n"), ""},
		{"one acquirer pays one merchant twice", source("a", "a.csv", "    acquirer: u\n    covers: {merchants: [M1, M2]}\n") +
			source("b", "b.csv", "    acquirer: u\n    covers: {merchants: [M2]}\n"), "sources a and b may both pay for merchant M2"},
		{"one acquirer, other merchants", source("a", "a.csv", "    acquirer: u\n    covers: {merchants: [M1]}\n") +
			source("b", "b.csv", "    acquirer: u\n    covers: {merchants: [M2]}\n"), ""},
		{"one acquirer, other channels", source("a", "a.csv", "    acquirer: u\n    covers: {channels: [card]}\n") +
			source("b", "b.csv", "    acquirer: u\n    covers: {channels: [unionpay_qr]}\n"), ""},
		{"one acquirer that says nothing", source("a", "a.csv", "    acquirer: u\n") + source("b", "b.csv", "    acquirer: u\n"), "warning: sources a and b may both pay for the same merchants"},
		{"the second only witnesses", source("a", "a.csv", "    acquirer: u\n") + source("b", "b.csv", "    acquirer: u\n    pays: no\n"), ""},
		{"two acquirers, one merchant and channel", source("a", "a.csv", "    acquirer: u\n    covers: {merchants: [M1], channels: [card]}\n") +
			source("b", "b.csv", "    acquirer: v\n    covers: {merchants: [M1], channels: [card, wechat]}\n"), "may both pay for merchant M1"},
		{"two acquirers that say little", source("a", "a.csv", "    acquirer: u\n    covers: {merchants: [M1]}\n") +
			source("b", "b.csv", "    acquirer: v\n    covers: {merchants: [M1]}\n"), ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			_, ps := Parse("c.yaml", []byte(head+x.text))
			if x.want == "" && len(ps) > 0 || x.want != "" && (len(ps) != 1 || !strings.Contains(ps.Error(), x.want)) {
				t.Errorf("got %v\nwant %s", ps, x.want)
			}
		})
	}
}

func TestCheckAgainstTheRest(t *testing.T) {
	text := strings.Replace(good, "known_hosts: [known_hosts]", "known_hosts: [known_hosts]\n    legacy: [ssh-rsa]", 1)
	c := parseGood(t, text)
	reg, errs := register.New(register.Tables{
		Merchants: []register.Merchant{{MID: "M1", Acquirer: "chinaum", ExternalMID: "898310048990002"}},
		Contracts: []register.Contract{{Validity: register.Validity{Line: "contracts.csv:2"}, ID: "C", Calendar: "mars"}},
	})
	if errs != nil {
		t.Fatal(errs)
	}
	ps := c.Check(Checks{Formats: []string{"terminal_journal", "chinaums_17b", "bank_csv"}, Register: reg,
		Now: time.Date(2026, 11, 15, 8, 0, 0, 0, time.UTC)})
	for _, want := range []string{
		"daozhang.yaml:34:15: format chinaums_17 is not known; did you mean chinaums_17b?",
		"daozhang.yaml:17:13: warning: server ums may use the weak algorithms ssh-rsa",
		"daozhang.yaml:30:15: warning: acquirer chinaums is not in merchants.csv; did you mean chinaum?",
		"warning: 898310048990001 is not in merchants.csv",
		"warning: calendar cn does not hold 2027, so that due dates in it stay unknown; put cn-2027.txt into a folder and name it",
		"register/contracts.csv:2: calendar mars is not known",
	} {
		if !strings.Contains(ps.Error(), want) {
			t.Errorf("no %q in\n%v", want, ps)
		}
	}
	if len(ps) != 6 || len(ps.Errors()) != 2 {
		t.Errorf("%d problems:\n%v", len(ps), ps)
	}
	ps = parseGood(t, good).Check(Checks{Formats: []string{"terminal_journal", "chinaums_17", "bank_csv"}, Now: time.Date(2026, 11, 14, 15, 59, 59, 0, time.UTC)})
	if len(ps) != 0 {
		t.Errorf("the day before 15 November in Shanghai:\n%v", ps)
	}
}

func TestCompileCron(t *testing.T) {
	loc, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	for spec, want := range map[string]string{
		"30 10 * * *": "2026-01-01T10:30:00+08:00", "0 9,12 * * 1-5": "2026-01-01T09:00:00+08:00", "0 0 29 2 *": "2028-02-29T00:00:00+08:00",
		"0 6 * * 7": "2026-01-04T06:00:00+08:00", "0 6 * * 3,7": "2026-01-04T06:00:00+08:00",
		"0 6 * * 6-7": "2026-01-03T06:00:00+08:00", "  5  4 1 jan sun ": "2026-01-01T04:05:00+08:00",
	} {
		s, err := CompileCron(spec, loc)
		if err != nil {
			t.Errorf("%s: %v", spec, err)
			continue
		}
		if got := s.Next(txn.MakeDate(2026, 1, 1).In(loc)).Format(time.RFC3339); got != want {
			t.Errorf("%s: next %s, want %s", spec, got, want)
		}
	}
	for _, spec := range []string{"", " ", "TZ=UTC", "TZ=", "CRON_TZ=", "CRON_TZ=Asia/Shanghai", "TZ=UTC * * * * *", " TZ=UTC", "tz=UTC * * * * *",
		"@daily", " @daily", "@every 1m", "@every -5m", "@", "* * * *", "* * * * * *", "0 0 0 1 1 * 2026", "60 * * * *",
		"*/0 * * * *", "0 0 30 2 *", "0 0 31 4,6,9,11 *", "9-1 * * * *", "0 0 * * 9", "0 0 * * 7-7", "0 0 * * 0-8", "a b c d e", "0,,1 * * * *", "- * * * *",
		strings.Repeat("1,", 400) + "1 * * * *"} {
		if _, err := CompileCron(spec, loc); err == nil {
			t.Errorf("%q accepted", spec)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add(minimal)
	f.Add("a: [1\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, ps := Parse("c.yaml", []byte(text))
		if (c == nil) != (ps.Err() != nil) {
			t.Errorf("configuration %v with problems %v", c != nil, ps)
		}
	})
}

func FuzzCompileCron(f *testing.F) {
	f.Add("30 10 * * *")
	for _, seed := range []string{"TZ=UTC", "CRON_TZ=", "@every -5m", "0 0 30 2 *", "*/7 1-5/2 ? jan-mar sun,7", "59 23 31 12 7"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		if s, err := CompileCron(spec, time.UTC); err == nil {
			at := s.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
			for range 5 {
				next := s.Next(at)
				if at.IsZero() || next.IsZero() || next.Sub(at) < time.Minute {
					t.Errorf("%q accepted: after %s comes %s", spec, at, next)
					return
				}
				at = next
			}
		}
	})
}
