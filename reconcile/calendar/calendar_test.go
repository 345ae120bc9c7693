package calendar

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daozhang/parsers/txn"
)

func day(t *testing.T, s string) txn.Date {
	t.Helper()
	d, err := txn.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func builtins(t *testing.T) *Calendars {
	t.Helper()
	c, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Qingming 2018: a card sale of Wednesday 4 April was credited on Sunday the 8th, a make-up workday.
const qingming2018 = `# Qingming
2018-04-05 off 清明节
2018-04-06 off 清明节
2018-04-07 off 清明节
2018-04-08 work 清明节
`

func TestDue(t *testing.T) {
	c, err := builtins(t).WithFiles(map[string][]byte{"cn-2018.txt": []byte(qingming2018)})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ name, cal, from, cycle, due, note string }{
		{"make-up Sunday after Qingming 2018", CN, "2018-04-04", "T+1", "2018-04-08",
			"T+1 cn: 2018-04-05..07 off, 2018-04-08 work"},
		{"weekends alone would say the fifth", Weekend, "2018-04-04", "T+1", "2018-04-05", "T+1 weekend: 2018-04-05 work"},
		{"across the end of the year", CN, "2025-12-31", "T+1", "2026-01-04", "T+1 cn: 2026-01-01..03 off, 2026-01-04 work"},
		{"two working days across the end of the year", CN, "2025-12-30", "T+2", "2026-01-04",
			"T+2 cn: 2025-12-31 work, 2026-01-01..03 off, 2026-01-04 work"},
		{"sales inside a holiday pile up", CN, "2026-01-02", "T+1", "2026-01-04", "T+1 cn: 2026-01-03 off, 2026-01-04 work"},
		{"Spring Festival 2026", CN, "2026-02-14", "T+1", "2026-02-24", "T+1 cn: 2026-02-15..23 off, 2026-02-24 work"},
		{"make-up Saturday before Spring Festival", CN, "2026-02-13", "T+1", "2026-02-14", "T+1 cn: 2026-02-14 work"},
		{"make-up Saturday after Spring Festival", CN, "2026-02-27", "T+1", "2026-02-28", "T+1 cn: 2026-02-28 work"},
		{"Spring Festival 2025 with its make-up Sunday", CN, "2025-01-25", "T+1", "2025-01-26", "T+1 cn: 2025-01-26 work"},
		{"make-up Sunday in September", CN, "2026-09-19", "T+1", "2026-09-20", "T+1 cn: 2026-09-20 work"},
		{"plain weekend", CN, "2026-01-09", "T+1", "2026-01-12", "T+1 cn: 2026-01-10..11 off, 2026-01-12 work"},
		{"same working day", CN, "2026-01-04", "T+0", "2026-01-04", "T+0 cn: 2026-01-04 work"},
		{"T+0 on a day off", CN, "2026-01-01", "T+0", "2026-01-04", "T+0 cn: 2026-01-01..03 off, 2026-01-04 work"},
		{"natural days need no calendar", CN, "2026-12-31", "D+1", "2027-01-01", "D+1: 2027-01-01"},
		{"natural same day", CN, "2026-01-01", "D+0", "2026-01-01", "D+0: 2026-01-01"},
		{"days off from one month into the next", HK, "2026-01-30", "T+1", "2026-02-02",
			"T+1 hk: 2026-01-31..02-01 off, 2026-02-02 work"},
		{"Easter in T2", Target2, "2026-04-02", "T+1", "2026-04-07", "T+1 target2: 2026-04-03..06 off, 2026-04-07 work"},
		{"Fedwire on the Friday before a Saturday holiday", Fed, "2026-07-02", "T+1", "2026-07-03", "T+1 fed: 2026-07-03 work"},
		{"Fedwire after a Sunday holiday", Fed, "2027-07-02", "T+1", "2027-07-06", "T+1 fed: 2027-07-03..05 off, 2027-07-06 work"},
	} {
		t.Run(x.name, func(t *testing.T) {
			cy, err := ParseCycle(x.cycle)
			if err != nil {
				t.Fatal(err)
			}
			due, loaded, note := c.Due(x.cal, day(t, x.from), cy)
			if due.String() != x.due || !loaded || note != x.note {
				t.Errorf("got %s %v %q\nwant %s true %q", due, loaded, note, x.due, x.note)
			}
			if d, l := c.DueDate(x.cal, day(t, x.from), cy); d != due || l != loaded {
				t.Errorf("DueDate says %s %v, Due %s %v", d, l, due, loaded)
			}
		})
	}
}

func TestDueInAYearWithoutDaysIsNotLoaded(t *testing.T) {
	c := builtins(t)
	cy := Cycle{Working: true, N: 1}
	due, loaded, note := c.Due(CN, day(t, "2026-12-31"), cy)
	if due.String() != "2027-01-01" || loaded || note != "T+1 cn: 2027-01-01 work (cn 2027 not loaded)" {
		t.Errorf("got %s %v %q", due, loaded, note)
	}
	if due, loaded, _ := c.Due(CN, day(t, "2026-12-30"), cy); due.String() != "2026-12-31" || !loaded {
		t.Errorf("a due date that stays in 2026 must not ask for 2027: got %s %v", due, loaded)
	}
	if due, loaded, note := c.Due("mars", day(t, "2026-01-02"), cy); due.String() != "2026-01-05" || loaded {
		t.Errorf("unknown calendar: got %s %v %q", due, loaded, note)
	}
	empty, err := c.WithFiles(map[string][]byte{"cn-2027.txt": []byte("# to come\n")})
	if err != nil {
		t.Fatal(err)
	}
	if empty.Loaded(CN, 2027) {
		t.Error("a file without days loads its year")
	}
}

func TestWithFilesReplacesAYearAndLeavesTheOriginal(t *testing.T) {
	base := builtins(t)
	c, err := base.WithFiles(map[string][]byte{"mybank-26.txt": nil})
	if c != nil || err == nil || !strings.Contains(err.Error(), "mybank-26.txt: name is not <calendar>-<year>.txt") {
		t.Fatalf("file name accepted: %v", err)
	}
	c, err = base.WithFiles(map[string][]byte{
		"cn-2027.txt":     []byte("2026-12-26 work 元旦\n2027-01-01 off 元旦 # Friday\n"),
		"cn-2026.txt":     []byte("\ufeff2026-01-01 off\r\n"),
		"mybank-2026.txt": []byte("2026-03-02 off audit\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		cal, day string
		work     bool
	}{
		{CN, "2026-01-01", false}, {CN, "2026-01-04", false}, {CN, "2026-12-26", true}, {CN, "2027-01-01", false},
		{CN, "2025-10-01", false}, {"mybank", "2026-03-02", false}, {"mybank", "2026-03-03", true},
	} {
		if work, loaded := c.Workday(x.cal, day(t, x.day)); work != x.work || !loaded {
			t.Errorf("%s %s: work %v loaded %v", x.cal, x.day, work, loaded)
		}
	}
	if work, loaded := base.Workday(CN, day(t, "2026-01-04")); !work || !loaded || base.Known("mybank") || base.Loaded(CN, 2027) {
		t.Error("the original calendars changed")
	}
	if got := c.Years("mybank"); !slices.Equal(got, []int{2026}) {
		t.Errorf("years of mybank: %v", got)
	}
}

func TestFileErrorsNameFileAndLine(t *testing.T) {
	_, err := builtins(t).WithFiles(map[string][]byte{
		"cn-2027.txt":      []byte("# x\n2027-01-01 closed\n2027-02-30 off\n2026-11-30 off\n2027-05-01 off\n2027-05-01 work\n\xff\xfe\n"),
		"weekend-2027.txt": []byte("2027-01-01 off\n"),
	})
	if !errors.Is(err, ErrFile) {
		t.Fatalf("error is not ErrFile: %v", err)
	}
	for _, want := range []string{
		"cn-2027.txt:2: after 2027-01-01 must stand off or work",
		`cn-2027.txt:3: date "2027-02-30" is not YYYY-MM-DD`,
		"cn-2027.txt:4: 2026-11-30 is not in 2027 or the December before",
		"cn-2027.txt:6: 2027-05-01 stands on line 5 already",
		"cn-2027.txt:7: not UTF-8 text",
		`weekend-2027.txt: the calendar "weekend" has no holidays`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}

// The published notices, where the samples are at hand.
func TestMainlandDaysEqualTheNotices(t *testing.T) {
	c := builtins(t)
	dir := filepath.Join("..", "..", "..", "shared", "samples", "cn", "holidays")
	for _, year := range []string{"2024", "2025", "2026"} {
		raw, err := os.ReadFile(filepath.Join(dir, year+".json"))
		if err != nil {
			t.Skip("the notices are not beside the repository")
		}
		var notice struct {
			Days []struct {
				Date     string
				IsOffDay bool
			}
		}
		if err := json.Unmarshal(raw, &notice); err != nil {
			t.Fatal(err)
		}
		stated := map[txn.Date]bool{}
		for _, d := range notice.Days {
			stated[day(t, d.Date)] = !d.IsOffDay
		}
		for d := day(t, year+"-01-01"); d <= day(t, year+"-12-31"); d++ {
			want, ok := stated[d]
			if !ok {
				want = weekday(d)
			}
			if got, loaded := c.Workday(CN, d); got != want || !loaded {
				t.Errorf("%s: work %v loaded %v, notice says %v", d, got, loaded, want)
			}
		}
	}
}

func TestRuleCalendars(t *testing.T) {
	c := builtins(t)
	for _, x := range []struct {
		cal  string
		year string
		off  string
	}{
		{Target2, "2024", "2024-01-01 2024-03-29 2024-04-01 2024-05-01 2024-12-25 2024-12-26"},
		{Target2, "2025", "2025-01-01 2025-04-18 2025-04-21 2025-05-01 2025-12-25 2025-12-26"},
		{Fed, "2026", "2026-01-01 2026-01-19 2026-02-16 2026-05-25 2026-06-19 2026-09-07 2026-10-12 2026-11-11 2026-11-26 2026-12-25"},
		{Fed, "2023", "2023-01-02 2023-01-16 2023-02-20 2023-05-29 2023-06-19 2023-07-04 2023-09-04 2023-10-09 2023-11-23 2023-12-25"},
		{HK, "2026", "2026-01-01 2026-02-17 2026-02-18 2026-02-19 2026-04-03 2026-04-06 2026-04-07 2026-05-01 2026-05-25 2026-06-19 2026-07-01 2026-10-01 2026-10-19 2026-12-25"},
	} {
		var off []string
		for d := day(t, x.year+"-01-01"); d <= day(t, x.year+"-12-31"); d++ {
			work, loaded := c.Workday(x.cal, d)
			if !loaded {
				t.Fatalf("%s %s not loaded", x.cal, d)
			}
			if !work && weekday(d) {
				off = append(off, d.String())
			}
			if work && !weekday(d) {
				t.Errorf("%s works on the weekend day %s", x.cal, d)
			}
		}
		if got := strings.Join(off, " "); got != x.off {
			t.Errorf("%s %s\n got %s\nwant %s", x.cal, x.year, got, x.off)
		}
	}
	if c.Loaded(HK, 2027) || c.Loaded(CN, 2027) || c.Loaded(Fed, 2021) || !c.Loaded(Weekend, 1999) || c.Loaded("mars", 2026) {
		t.Error("a year is loaded that must not be, or the reverse")
	}
	if got := c.Years(CN); !slices.Equal(got, []int{2024, 2025, 2026}) {
		t.Errorf("cn years: %v", got)
	}
	if !c.Known(CN) || !c.Known(Fed) || c.Known("mars") {
		t.Error("Known is wrong")
	}
}

func TestEaster(t *testing.T) {
	for year, want := range map[int]string{2000: "2000-04-23", 2008: "2008-03-23", 2011: "2011-04-24", 2024: "2024-03-31",
		2025: "2025-04-20", 2026: "2026-04-05", 2027: "2027-03-28", 2038: "2038-04-25"} {
		if got := Easter(year).String(); got != want {
			t.Errorf("%d: got %s, want %s", year, got, want)
		}
	}
}

func TestParseCycle(t *testing.T) {
	for _, s := range []string{"T+0", "T+1", "D+0", "D+30", "T+366"} {
		c, err := ParseCycle(s)
		if err != nil || c.String() != s {
			t.Errorf("%s: got %v, %v", s, c, err)
		}
	}
	for _, s := range []string{"", "T1", "t+1", "T+", "T+-1", "T++1", "T+1.5", "T+367", "D+99999", "X+1", " T+1"} {
		if _, err := ParseCycle(s); !errors.Is(err, ErrCycle) {
			t.Errorf("%q accepted: %v", s, err)
		}
	}
}

func TestAYearOffAsAWholeEnds(t *testing.T) {
	files := map[string][]byte{}
	for y := 2030; y < 2045; y++ {
		var f strings.Builder
		for d := txn.MakeDate(y, 1, 1); d.Time().Year() == y; d++ {
			f.WriteString(d.String() + " off\n")
		}
		files[FileName("never", y)] = []byte(f.String())
	}
	c, err := builtins(t).WithFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	if _, loaded := c.AddWorkdays("never", day(t, "2030-01-01"), 1); loaded {
		t.Error("a due date was found where no day works")
	}
}

func TestDueDateAllocatesNothing(t *testing.T) {
	c := builtins(t)
	from := day(t, "2026-02-14")
	if n := testing.AllocsPerRun(100, func() { c.DueDate(CN, from, Cycle{Working: true, N: 3}) }); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}
