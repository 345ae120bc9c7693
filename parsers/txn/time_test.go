package txn

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestLocalDayFollowsTheSourcesZone(t *testing.T) {
	zone := func(h float64) *time.Location { return time.FixedZone("", int(h*3600)) }
	for _, x := range []struct {
		name  string
		at    time.Time
		date  string
		clock int
		text  string
	}{
		{"a second before midnight at year end", time.Date(2025, 12, 31, 23, 59, 59, 0, zone(8)), "2025-12-31", 86399, "2025-12-31 23:59:59"},
		{"midnight at year end", time.Date(2026, 1, 1, 0, 0, 0, 0, zone(8)), "2026-01-01", 0, "2026-01-01 00:00:00"},
		{"the same instant in UTC is the day before", time.Date(2025, 12, 31, 16, 0, 0, 0, time.UTC), "2025-12-31", 57600, "2025-12-31 16:00:00"},
		{"west of Greenwich", time.Date(2026, 1, 1, 0, 30, 0, 0, zone(-5)), "2026-01-01", 1800, "2026-01-01 00:30:00"},
		{"half an hour's zone", time.Date(2026, 3, 1, 0, 0, 1, 0, zone(5.5)), "2026-03-01", 1, "2026-03-01 00:00:01"},
		{"leap day", time.Date(2024, 2, 29, 12, 0, 0, 0, zone(8)), "2024-02-29", 43200, "2024-02-29 12:00:00"},
		{"before 1970", time.Date(1969, 12, 31, 23, 0, 0, 0, time.UTC), "1969-12-31", 82800, "1969-12-31 23:00:00"},
		{"nanoseconds are cut", time.Date(2026, 1, 1, 23, 59, 59, 999999999, zone(8)), "2026-01-01", 86399, "2026-01-01 23:59:59"},
	} {
		got := TimeOf(x.at)
		if got.Date().String() != x.date || got.Clock() != x.clock || got.String() != x.text || got.IsZero() {
			t.Errorf("%s: got %s, %d, %q", x.name, got.Date(), got.Clock(), got)
		}
		got.DateOnly = true
		if got.String() != x.date {
			t.Errorf("%s: date only is %q", x.name, got)
		}
	}
	var none Time
	if !none.IsZero() || none.Date() != 0 || none.String() != "" {
		t.Error("no time says something")
	}
}

func TestDatesRefuseDaysThatDoNotExist(t *testing.T) {
	for _, s := range []string{"", "2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-1-1", "20260101", "2026-01-01 ", "2026/01/01", "2026-01-01T00:00:00Z"} {
		if d, err := ParseDate(s); err == nil {
			t.Errorf("%q is read as %s", s, d)
		}
	}
	for _, s := range []string{"2024-02-29", "2025-12-31", "2026-01-01", "1969-12-31", "0001-01-01", "9999-12-31"} {
		if d, err := ParseDate(s); err != nil || d.String() != s {
			t.Errorf("%s: got %s, %v", s, d, err)
		}
	}
}

func TestDatesCountDays(t *testing.T) {
	eve, err := ParseDate("2025-12-31")
	if err != nil {
		t.Fatal(err)
	}
	if d := eve + 1; d.String() != "2026-01-01" || d.Weekday() != time.Thursday || d.Compact() != "20260101" {
		t.Errorf("the day after is %s, %s, %s", d, d.Weekday(), d.Compact())
	}
	if MakeDate(2026, 1, 0) != eve || MakeDate(2025, 13, 1) != eve+1 {
		t.Error("days do not roll over")
	}
	if Date(0).String() != "" {
		t.Error("no date has a text")
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		d := Date(1 + r.IntN(60000))
		back, err := ParseDate(d.String())
		if err != nil || back != d || DateOf(d.Time()) != d || DateOf(d.In(time.FixedZone("", -11*3600))) != d {
			t.Fatalf("%d %s: back %d, %v", d, d, back, err)
		}
	}
}
