package profile

import (
	"errors"
	"strings"
	"testing"
	"time"

	"daozhang/parsers/txn"
)

func errorsAs[T error](err error, to *T) bool { return errors.As(err, to) }

func TestDates(t *testing.T) {
	ref := civil(2026, 1, 2)
	for _, c := range []struct {
		name, layout, in string
		before           bool
		want             string // empty: refused
	}{
		{"full", "yyyy-MM-dd HH:mm:ss", "2024-02-29 23:59:59", false, "2024-02-29"},
		{"a day that does not exist", "yyyy-MM-dd", "2025-02-29", false, ""},
		{"30 February", "yyyyMMdd", "20260230", false, ""},
		{"hour 24", "yyyy-MM-dd HH:mm:ss", "2026-01-01 24:00:00", false, ""},
		{"another layout", "yyyy-MM-dd", "2026/01/01", false, ""},
		{"Chinese words", "yyyy年MM月dd日", "2026年01月03日", false, "2026-01-03"},
		{"two-digit year", "yyMMdd", "251231", false, "2025-12-31"},
		{"no year, December before a January clearing day", "MMddHHmmss", "1231235959", false, "2025-12-31"},
		{"no year, the day after the clearing day", "MMddHHmmss", "0103000000", false, "2026-01-03"},
		{"no year, an original of last March", "MMdd", "0301", true, "2025-03-01"},
		{"no year, 29 February", "MMdd", "0229", true, "2024-02-29"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := parseLayout(c.layout)
			if err != nil {
				t.Fatal(err)
			}
			var d txn.Date
			p, err := l.parse([]byte(c.in))
			if err == nil {
				d, err = p.date(l.hasYear, ref, c.before)
			}
			if (err != nil) != (c.want == "") || err == nil && d.String() != c.want {
				t.Errorf("%s: %s, %v; want %q", c.in, d, err, c.want)
			}
		})
	}
}

func TestCivilAgreesWithTheStandardLibrary(t *testing.T) {
	for d := txn.Date(-1000); d < 40000; d++ {
		at := d.Time()
		if got := civil(at.Year(), int(at.Month()), at.Day()); got != d {
			t.Fatalf("%s: %d, want %d", at.Format(time.DateOnly), got, d)
		}
	}
}

func TestInstantsOnDaysWithAClockChange(t *testing.T) {
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	z := clockZone{loc: loc}
	for _, s := range []string{"2025-03-29 12:00:00", "2025-03-30 01:59:59", "2025-03-30 03:00:00", "2025-10-26 12:00:00", "2025-10-27 00:00:00"} {
		want, _ := time.ParseInLocation(time.DateTime, s, loc)
		if got := z.instant(txn.DateOf(want), want.Hour()*3600+want.Minute()*60+want.Second(), false); got != txn.TimeOf(want) {
			t.Errorf("%s: %v, want %v", s, got, txn.TimeOf(want))
		}
	}
}

func TestThousands(t *testing.T) {
	r := &Reader{high: true}
	for in, want := range map[string]string{"1,234.56": "1234.56", "12,345,678": "12345678", "-1,000.00": "-1000.00", "￥8.00": "8.00",
		"１２.３４": "12.34", "1,23.00": "", "1.234,56": "", ",123": "", "1,234,": "", "1,,234": ""} {
		got, err := r.plainNumber([]byte(in), true)
		if (err != nil) != (want == "") || err == nil && string(got) != want {
			t.Errorf("%s: %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestAmountsThatAreRefused(t *testing.T) {
	r := &Reader{high: true}
	for _, in := range []string{"(12.00)", "12.00-", "1e3", "12345678901234567890", "--", "1.2.3", "0x10", "NaN", "1 000"} {
		row := &txn.Row{Currency: txn.CNY}
		if err := r.setAmount(row, &op{field: txn.AmountField, thousands: true}, []byte(in)); err == nil {
			t.Errorf("%s was read as %d", in, row.Amount)
		}
	}
}

func TestCardNumbersAreMasked(t *testing.T) {
	for in, want := range map[string]string{
		"4111111111111111":             "************1111",
		"card 6222021234567890128 ok":  "card " + strings.Repeat("*", 15) + "0128 ok",
		"4111111111111112":             "4111111111111112", // fails the Luhn check
		"4200000145201808200000000001": "4200000145201808200000000001",
	} {
		if got := string(maskPAN(nil, []byte(in))); got != want && luhn([]byte("6222021234567890128")) {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestDamagedIdentifiers(t *testing.T) {
	for in, want := range map[string]bool{"4.20E+27": true, "1E+11": true, "2.02601E+13": true, "ABE+11": false, "1234567890": false, "1E11": false, "E+11": false, "1+1=E+2": false} {
		if damaged([]byte(in)) != want {
			t.Errorf("%s: %v", in, !want)
		}
	}
}
