package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"daozhang/cmd/internal/fetch"
	"daozhang/parsers/txn"
)

const good = `version: 1
entity: 示例商贸
zone: Asia/Shanghai
go_live: 2025-12-31
state: var/state
register: register
profiles: [profiles/*.yaml]
cards: last4
rules: {refund_days: 5, rejects_hold: {rows: 20, share: 0.25%}}
servers:
  ums:
    host: sftp.example.com
    port: 2222
    user: shop
    keys: ["file:keys/ums", "env:UMS_KEY"]
    known_hosts: [known_hosts]
    timeouts: {dial: 5s}
sources:
  - name: tills
    side: terminal
    folder: in/tills
    names: ["journal_{store}_{date:yyyyMMdd}.csv"]
    formats: [terminal_journal]
    due: "+1 06:00"
    slots: {store: [S02, S01]}
    covers: {stores: ["{store}"]}
  - name: ums
    side: acquirer
    acquirer: chinaums
    server: ums
    dir: /out
    names: ["UMS_{mid}_{date:yyyyMMdd}_{ts}.txt"]
    formats: [chinaums_17]
    due: "+1w 10:30"
    days: workdays cn
    slots: {mid: ["898310048990001"]}
    covers: {merchants: ["{mid}"], channels: [card]}
  - name: bank
    side: bank
    folder: in/bank
    names: ["stmt_{date:yyyy-MM-dd}.csv"]
    formats: [bank_csv]
    date: content
    due: "+1 09:00"
    days: [mon, fri, 2026-01-04]
    empty_day: either
    zone: Asia/Hong_Kong
    currency: HKD
    covers: {accounts: ["6222000011112222"]}
schedule: {cron: "30 10 * * *", deadline: 1h}
on_finish: [/usr/bin/notify, --day, --day]
`

func parseGood(t *testing.T, text string) *Config {
	t.Helper()
	c, ps := Parse("/etc/daozhang/daozhang.yaml", []byte(text))
	if c == nil || len(ps) > 0 {
		t.Fatalf("problems:\n%v", ps)
	}
	return c
}

func date(t *testing.T, s string) txn.Date {
	t.Helper()
	d, err := txn.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParseFillsValuesAndDefaults(t *testing.T) {
	c := parseGood(t, good)
	s := c.Sources[1]
	for _, x := range []struct {
		what      string
		got, want any
	}{
		{"entity", c.Entity, "示例商贸"}, {"go_live", c.GoLive.String(), "2025-12-31"},
		{"state is relative to the file", c.State, "/etc/daozhang/var/state"}, {"reports default", c.Reports, "/etc/daozhang/reports"},
		{"calendars default", c.Calendars, ""}, {"profiles", c.Profiles[0], "/etc/daozhang/profiles/*.yaml"},
		{"lang default", c.Lang, Chinese}, {"currency default", c.Currency, txn.CNY}, {"location", c.Location().String(), "Asia/Shanghai"},
		{"refund_days", c.Rules.RefundDays, 5}, {"history_days default", c.Rules.HistoryDays, 90},
		{"rejects rows", c.Rules.RejectsHoldRows, 20}, {"rejects share", c.Rules.RejectsHoldShare, RejectedShare(250)},
		{"port", c.Servers[0].Port, 2222}, {"key file is relative to the file", c.Servers[0].Keys[0], "file:/etc/daozhang/keys/ums"},
		{"key in the environment", c.Servers[0].Keys[1], "env:UMS_KEY"}, {"dial", c.Servers[0].Timeouts.Dial, 5 * time.Second},
		{"idle default", c.Servers[0].Timeouts.Idle, time.Minute},
		{"pays default of an acquirer", s.Pays, true}, {"pays default of a till", c.Sources[0].Pays, false},
		{"look back", s.LookBack, 7}, {"pan", s.PAN, TruncatedPAN}, {"empty day", s.EmptyDay, EmptyFile},
		{"date from name by default", s.FromName, true}, {"date from content", c.Sources[2].FromName, false},
		{"zone of a source", c.Sources[2].Location().String(), "Asia/Hong_Kong"}, {"inherited zone", s.Zone, "Asia/Shanghai"},
		{"currency of a source", c.Sources[2].Currency.String(), "HKD"}, {"inherited currency", s.Currency, txn.CNY},
		{"slot names", strings.Join(s.SlotNames, " "), "mid"},
		{"deadline", c.Schedule.Deadline, time.Hour}, {"catch up default", c.Schedule.CatchUp, CatchUpAll},
		{"dates caught up by default", c.Schedule.CatchUpMax, 31}, {"arguments may repeat", strings.Join(c.OnFinish, " "), "/usr/bin/notify --day --day"},
	} {
		if x.got != x.want {
			t.Errorf("%s: got %v, want %v", x.what, x.got, x.want)
		}
	}
}

func TestSourceDays(t *testing.T) {
	c := parseGood(t, good)
	for _, x := range []struct {
		source, date string
		expected     bool
		due          string
	}{
		{"tills", "2026-01-01", true, "2026-01-02T06:00:00+08:00"},
		{"ums", "2025-12-31", true, "2026-01-04T10:30:00+08:00"},
		{"ums", "2026-01-01", false, "2026-01-04T10:30:00+08:00"},
		{"ums", "2026-01-04", true, "2026-01-05T10:30:00+08:00"},
		{"bank", "2026-01-05", true, "2026-01-06T09:00:00+08:00"},
		{"bank", "2026-01-06", false, "2026-01-07T09:00:00+08:00"},
		{"bank", "2026-01-04", true, "2026-01-05T09:00:00+08:00"},
	} {
		s, ok := c.Source(x.source)
		if !ok {
			t.Fatalf("no source %s", x.source)
		}
		d := date(t, x.date)
		if got := s.Expected(d); got != x.expected {
			t.Errorf("%s %s: expected %v", x.source, x.date, got)
		}
		if got := s.DueAt(d).Format(time.RFC3339); got != x.due {
			t.Errorf("%s %s: due %s, want %s", x.source, x.date, got, x.due)
		}
	}
}

func TestSlots(t *testing.T) {
	text := strings.Replace(good, `names: ["journal_{store}_{date:yyyyMMdd}.csv"]`, `names: ["journal_{store}_{part}_{date:yyyyMMdd}_{run}.csv"]`, 1)
	text = strings.Replace(text, "slots: {store: [S02, S01]}", `slots: {store: ["S,2", S01], part: any}`, 1)
	c := parseGood(t, text)
	s, _ := c.Source("tills")
	if got := s.ExpectedSlots(); !slices.Equal(got, []SlotKey{"store=S%2C2", "store=S01"}) {
		t.Errorf("expected slots %q", got)
	}
	p, err := fetch.CompilePattern(s.Names[0])
	if err != nil {
		t.Fatal(err)
	}
	caps, ok := p.Match("journal_S,2_3_20260101_99.csv")
	key := s.SlotKeyOf(caps)
	if !ok || key != "part=3,store=S%2C2" {
		t.Errorf("key %q", key)
	}
	if !key.Fills("store=S%2C2") || key.Fills("store=S01") || !key.Fills("") || SlotKey("store=S01x").Fills("store=S01") {
		t.Error("Fills is wrong")
	}
	if cv := s.CoversOf(key); !slices.Equal(cv.Stores, []string{"S,2"}) {
		t.Errorf("covers %v", cv)
	}
	b, _ := c.Source("bank")
	if got := b.ExpectedSlots(); !slices.Equal(got, []SlotKey{""}) || b.SlotKeyOf(fetch.Captures{Values: map[string]string{"date": "x"}}) != "" {
		t.Errorf("bank slots %q", got)
	}

	two := strings.Replace(good, `"UMS_{mid}_{date:yyyyMMdd}_{ts}.txt"`, `"UMS_{mid}_{part}_{date:yyyyMMdd}.txt"`, 1)
	two = strings.Replace(two, `slots: {mid: ["898310048990001"]}`, `slots: {part: ["2", "1"], mid: [B, A]}`, 1)
	s, _ = parseGood(t, two).Source("ums")
	want := []SlotKey{"mid=A,part=1", "mid=A,part=2", "mid=B,part=1", "mid=B,part=2"}
	if got := s.ExpectedSlots(); !slices.Equal(got, want) {
		t.Errorf("cross product %q", got)
	}
}

func TestHeldByRejectedRows(t *testing.T) {
	ru := Rules{RejectsHoldRows: 10, RejectsHoldShare: 100}
	for _, x := range []struct {
		rejected, seen int64
		held           bool
	}{{0, 0, false}, {10, 20, false}, {10, 19, true}, {1, 1, true}, {11, 11000, false}, {11, 10999, true}, {12, 11000, true}, {5000, 1 << 40, false}} {
		if got := ru.Held(x.rejected, x.seen); got != x.held {
			t.Errorf("%d of %d: %v", x.rejected, x.seen, got)
		}
	}
}

func TestDigest(t *testing.T) {
	of := func(name, text string) string {
		t.Helper()
		c, ps := Parse(name, []byte(text))
		if c == nil {
			t.Fatal(ps)
		}
		d, err := c.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	base := of("/etc/daozhang/a.yaml", good)
	for name, text := range map[string]string{
		"comment": "# x\n" + good, "default written out": good + "lang: zh-CN\n", "order of keys": strings.Replace("lang: zh-CN\n"+good, "version: 1\n", "", 1) + "version: 1\n",
		"order of slots": strings.Replace(good, "[S02, S01]", "[S01, S02]", 1), "another spelling": strings.Replace(good, "deadline: 1h", "deadline: 60m", 1),
	} {
		if got := of("/etc/daozhang/a.yaml", text); got != base {
			t.Errorf("%s changes the digest", name)
		}
	}
	if of("/srv/x/b.yaml", good) != base {
		t.Error("another folder changes the digest")
	}
	for name, text := range map[string]string{
		"rule": strings.Replace(good, "refund_days: 5", "refund_days: 4", 1), "slot": strings.Replace(good, "S02, S01", "S02, S03", 1),
		"due": strings.Replace(good, "+1 06:00", "+1 06:01", 1), "weekdays": strings.Replace(good, "[mon, fri, ", "[mon, thu, ", 1),
	} {
		if of("/etc/daozhang/a.yaml", text) == base {
			t.Errorf("%s does not change the digest", name)
		}
	}
}

func TestLoadReadsCalendarsOfTheUser(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("d.yaml", good+"calendars: cal\n")
	write("cal/cn-2027.txt", "2027-01-01 off 元旦\n")
	c, err := Load(filepath.Join(dir, "d.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s, _ := c.Source("ums")
	if got := s.DueAt(date(t, "2026-12-31")).Format(time.DateOnly); got != "2027-01-04" || !c.Holidays().Loaded("cn", 2027) {
		t.Errorf("due %s", got)
	}
	write("cal/cn-2027.txt", "2027-01-01 closed\n")
	_, err = Load(filepath.Join(dir, "d.yaml"))
	want := filepath.Join(dir, "cal", "cn-2027.txt") + ":1: after 2027-01-01 must stand off or work"
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v\nwant %s", err, want)
	}
	if _, err = Load(filepath.Join(dir, "none.yaml")); err == nil || !strings.Contains(err.Error(), "name it with --config") {
		t.Errorf("missing file: %v", err)
	}
}

func TestExampleIsSoundWithItsCommentsTakenAsSettings(t *testing.T) {
	if _, ps := Parse("example.yaml", []byte(Example())); len(ps) > 0 {
		t.Errorf("as it is:\n%v", ps)
	}
	var all strings.Builder
	for line := range strings.Lines(Example()) {
		before, after, ok := strings.Cut(line, "# ")
		key, _, _ := strings.Cut(after, ":")
		if ok && strings.TrimSpace(before) == "" && key != "daozhang" && !strings.Contains(key, " ") {
			line = before + strings.Replace(after, "SHA256:...", "SHA256:"+strings.Repeat("a", 43), 1)
		}
		all.WriteString(line)
	}
	c, ps := Parse("example.yaml", []byte(all.String()))
	if len(ps) > 0 {
		t.Fatalf("with its comments:\n%v\n%s", ps, all.String())
	}
	if c.Limits.Workers != 2 || len(c.Servers[0].Legacy) != 1 || len(c.OnFinish) != 1 || c.Calendars != "calendars" || c.Servers[0].Password == "" {
		t.Errorf("a commented key was not taken: %+v", c)
	}
}
