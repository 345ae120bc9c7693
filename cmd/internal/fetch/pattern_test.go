package fetch

import (
	"errors"
	"strings"
	"testing"

	"daozhang/parsers/txn"
)

func TestPatternMatches(t *testing.T) {
	for _, c := range []struct{ pattern, name, date, key string }{
		{"UMS_{mid}_{date:yyyyMMdd}.txt", "UMS_898310_20260102.txt", "2026-01-02", "mid=898310"},
		{"journal_{store}_{date:yyyy-MM-dd}.csv", "journal_S01_2026-01-02.csv", "2026-01-02", "store=S01"},
		{"{store}_{date:yyMMdd}_{ts}.csv", "a_b_260102_235959.csv", "2026-01-02", "store=a_b"},
		{"{date:yyMMdd}{part}.dat", "260102A.dat", "2026-01-02", "part=A"},
		{"{b}-{a}-{run}-{date:dd.MM.yyyy}", "x-y-7-02.01.2026", "2026-01-02", "a=y,b=x"},
		{"对账单_{date:yyyy年MM月dd日}.csv", "对账单_2026年01月02日.csv", "2026-01-02", ""},
		{"a+b(1).{ext}", "a+b(1).txt", "", "ext=txt"},
		{"{{x}}_{n}", "{x}_1", "", "n=1"},
		{"fixed.txt", "fixed.txt", "", ""},
		{"{a}.csv", "x,b=y%.csv", "", "a=x%2Cb%3Dy%25"},
		{"x_{date:yyyyMMdd}.txt", "x_20240229.txt", "2024-02-29", ""},
	} {
		got, ok := mustPattern(t, c.pattern).Match(c.name)
		if !ok || got.Date.String() != c.date || got.SlotKey() != c.key {
			t.Errorf("%s on %s: %v, date %s, key %q", c.pattern, c.name, ok, got.Date, got.SlotKey())
		}
	}
}

func TestPatternDoesNotMatch(t *testing.T) {
	for _, c := range []struct{ pattern, name string }{
		{"UMS_{mid}_{date:yyyyMMdd}.txt", "UMS__20260102.txt"},
		{"UMS_{mid}_{date:yyyyMMdd}.txt", "UMS_1_20260102.txt.gz"},
		{"UMS_{mid}_{date:yyyyMMdd}.txt", "xUMS_1_20260102.txt"},
		{"UMS_{mid}_{date:yyyyMMdd}.txt", "UMS_1_20260230.txt"},
		{"UMS_{mid}_{date:yyyyMMdd}.txt", "UMS_1_20261301.txt"},
		{"UMS_{mid}_{date:yyyyMMdd}.txt", "UMS_1_00000101.txt"},
		{"x_{date:yyyyMMdd}.txt", "x_20250229.txt"},
		{"x_{date:MMdd}.txt", "x_0230.txt"},
		{"a.b", "aXb"},
		{"a*b", "aab"},
		{"{a}.txt", "b/c.txt"},
	} {
		if got, ok := mustPattern(t, c.pattern).Match(c.name); ok {
			t.Errorf("%s matched %s: %v", c.pattern, c.name, got)
		}
	}
}

func TestDayWithoutYearIsTheNearest(t *testing.T) {
	p := mustPattern(t, "x_{date:MMdd}.txt")
	for _, c := range []struct{ name, ref, want string }{
		{"x_1231.txt", "2026-01-02", "2025-12-31"},
		{"x_0101.txt", "2025-12-31", "2026-01-01"},
		{"x_0615.txt", "2026-06-20", "2026-06-15"},
		{"x_0229.txt", "2025-03-01", "2024-02-29"},
	} {
		ref, err := txn.ParseDate(c.ref)
		must(t, err)
		got, ok := p.Match(c.name)
		if !ok || got.Date != 0 || got.Near(ref).Date.String() != c.want {
			t.Errorf("%s near %s: %v %s, want %s", c.name, c.ref, ok, got.Near(ref).Date, c.want)
		}
	}
}

func TestPatternErrorsNameTheColumn(t *testing.T) {
	for text, want := range map[string]struct {
		column int
		what   string
	}{
		"":                          {1, "empty"},
		"账单_{date}":                 {4, "layout"},
		"a{b":                       {2, "without }"},
		"a}b":                       {2, "without {"},
		"a/{b}":                     {2, "folder"},
		`a\b`:                       {2, "folder"},
		"{a}{b}":                    {4, "side by side"},
		"{a}_{a}":                   {5, "twice"},
		"{A}":                       {1, "name"},
		"{}":                        {1, "name"},
		"x{mid:yyyy}":               {2, "only date"},
		"{date:yyyy-MM}":            {1, "MM and dd"},
		"{date:yyyyDDMM}_":          {1, "MM and dd"},
		"{date:yyyyMMddHH}":         {1, "not known"},
		"{date:MMddMM}":             {1, "twice"},
		"{date:MMdd}_{date:yyMMdd}": {13, "twice"},
	} {
		_, err := CompilePattern(text)
		var pe *PatternError
		if !errors.As(err, &pe) || pe.Column != want.column || !strings.Contains(pe.What, want.what) {
			t.Errorf("%q: %v, want column %d and %q", text, err, want.column, want.what)
		}
	}
}

func TestSlotKeyOfDeclaredCaptures(t *testing.T) {
	got, _ := mustPattern(t, "{a}_{b}_{ts}").Match("1_2_3")
	if k := got.SlotKey("ts", "a"); k != "a=1,ts=3" {
		t.Errorf("got %q", k)
	}
}
