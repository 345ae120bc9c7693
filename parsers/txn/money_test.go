package txn

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

func currency(t testing.TB, s string) Currency {
	t.Helper()
	c, ok := ParseCurrency(s)
	if !ok {
		t.Fatal(s)
	}
	return c
}

func TestParseDecimalReadsExactlyOrRefuses(t *testing.T) {
	const most = math.MaxInt64 / 16 // 576460752303423487
	for _, x := range []struct {
		text     string
		decimals int
		want     int64
		err      error
	}{
		{"0.01", 2, 1, nil}, {"-0.01", 2, -1, nil}, {"+0.01", 2, 1, nil}, {"0", 2, 0, nil}, {"-0", 2, 0, nil}, {"-0.00", 2, 0, nil},
		{"12", 2, 1200, nil}, {"12.", 2, 1200, nil}, {".5", 2, 50, nil}, {"-.5", 2, -50, nil}, {"12.3", 2, 1230, nil}, {"0012.34", 2, 1234, nil},
		{"12.3400", 2, 1234, nil}, {"12.34000000000000000000000000000000", 2, 1234, nil}, {"12.0", 0, 12, nil},
		{"12.345", 2, 0, ErrSurplus}, {"12.3401", 2, 0, ErrSurplus}, {"12.5", 0, 0, ErrSurplus}, {"0.000001", 5, 0, ErrSurplus},
		{"0.00001", 5, 1, nil}, {"1.234", 3, 1234, nil}, {"100", 0, 100, nil},
		{"", 2, 0, ErrNumber}, {"-", 2, 0, ErrNumber}, {"+", 2, 0, ErrNumber}, {".", 2, 0, ErrNumber}, {"-.", 2, 0, ErrNumber},
		{"1.2.3", 2, 0, ErrNumber}, {"1,234.00", 2, 0, ErrNumber}, {" 1", 2, 0, ErrNumber}, {"1 ", 2, 0, ErrNumber}, {"--1", 2, 0, ErrNumber},
		{"1-", 2, 0, ErrNumber}, {"1e3", 2, 0, ErrNumber}, {"0x10", 2, 0, ErrNumber}, {"NaN", 2, 0, ErrNumber}, {"¥1", 2, 0, ErrNumber}, {"１", 2, 0, ErrNumber},
		{"5764607523034234.87", 2, most, nil}, {"-5764607523034234.87", 2, -most, nil}, {"5764607523034234.88", 2, 0, ErrOverflow},
		{"5764607523034235", 2, 0, ErrOverflow}, {"92233720368547758.07", 2, 0, ErrOverflow}, {"184467440737095516.16", 2, 0, ErrOverflow},
		{"18446744073709551616", 0, 0, ErrOverflow}, {"99999999999999999999999999999999", 2, 0, ErrOverflow}, {"576460752303423487", 5, 0, ErrOverflow},
		{"36893488147419103232", 0, 0, ErrOverflow}, // 2^65: a wrapped product is small
		{"00000000000000000000000000000001", 0, 1, nil},
	} {
		got, err := ParseDecimal([]byte(x.text), x.decimals)
		if got != x.want || !errors.Is(err, x.err) {
			t.Errorf("%q in 10^-%d: got %d, %v; want %d, %v", x.text, x.decimals, got, err, x.want, x.err)
		}
	}
}

func TestFormatAmountUsesTheCurrencysDecimals(t *testing.T) {
	for _, x := range []struct {
		minor int64
		cur   string
		want  string
	}{
		{1, "CNY", "0.01"}, {-1, "CNY", "-0.01"}, {0, "CNY", "0.00"}, {100, "CNY", "1.00"}, {-123456, "CNY", "-1234.56"},
		{1, "JPY", "1"}, {-1, "JPY", "-1"}, {0, "JPY", "0"}, {1, "KWD", "0.001"}, {-1234, "KWD", "-1.234"}, {5, "CLF", "0.0005"},
		{math.MaxInt64, "CNY", "92233720368547758.07"}, {math.MinInt64, "CNY", "-92233720368547758.08"}, {math.MinInt64, "JPY", "-9223372036854775808"},
	} {
		if got := FormatAmount(x.minor, currency(t, x.cur)); got != x.want {
			t.Errorf("%d %s: got %s, want %s", x.minor, x.cur, got, x.want)
		}
	}
}

func TestFineFormatKeepsTheCurrencysDecimalsAndNoMoreThanNeeded(t *testing.T) {
	for _, x := range []struct {
		fine Fine
		cur  string
		want string
	}{
		{0, "CNY", "0.00"}, {1, "CNY", "0.00001"}, {-1, "CNY", "-0.00001"}, {1000, "CNY", "0.01"}, {10, "CNY", "0.0001"}, {38000, "CNY", "0.38"},
		{100000, "CNY", "1.00"}, {123450, "CNY", "1.2345"}, {-123450, "CNY", "-1.2345"}, {0, "JPY", "0"}, {100000, "JPY", "1"}, {1000000, "JPY", "10"}, {150000, "JPY", "1.5"},
		{100000, "KWD", "1.000"}, {100, "KWD", "0.001"}, {110, "KWD", "0.0011"}, {10, "CLF", "0.0001"}, {11, "CLF", "0.00011"},
	} {
		if got := x.fine.Format(currency(t, x.cur)); got != x.want {
			t.Errorf("%d %s: got %s, want %s", x.fine, x.cur, got, x.want)
		}
	}
}

func TestFineRoundsHalfAwayFromZero(t *testing.T) {
	for _, x := range []struct {
		fine Fine
		cur  string
		want int64
	}{
		{0, "CNY", 0}, {499, "CNY", 0}, {500, "CNY", 1}, {501, "CNY", 1}, {1499, "CNY", 1}, {1500, "CNY", 2},
		{-499, "CNY", 0}, {-500, "CNY", -1}, {-501, "CNY", -1}, {-1499, "CNY", -1}, {-1500, "CNY", -2},
		{49999, "JPY", 0}, {50000, "JPY", 1}, {-50000, "JPY", -1}, {-49999, "JPY", 0}, {49, "KWD", 0}, {50, "KWD", 1}, {-50, "KWD", -1},
		{4, "CLF", 0}, {5, "CLF", 1}, {-5, "CLF", -1},
	} {
		if got := x.fine.Round(currency(t, x.cur)); got != x.want {
			t.Errorf("%d %s: got %d, want %d", x.fine, x.cur, got, x.want)
		}
	}
}

func TestParseCurrencyKnowsWhatChineseFilesWrite(t *testing.T) {
	for s, want := range map[string]string{"CNY": "CNY", "cny": "CNY", "156": "CNY", "RMB": "CNY", "人民币": "CNY", "CNH": "CNY", "jpy": "JPY", "Kwd": "KWD"} {
		if c, ok := ParseCurrency(s); !ok || c.String() != want {
			t.Errorf("%q: got %s %v, want %s", s, c, ok, want)
		}
	}
	for _, s := range []string{"", "CN", "CNYX", "C1Y", "840", "元", "U D", "\x1aAB"} {
		if c, ok := ParseCurrency(s); ok {
			t.Errorf("%q is read as %s", s, c)
		}
	}
	if (Currency{}).String() != "" {
		t.Error("no currency has a name")
	}
}

func TestRandomMoneySurvivesItsText(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		v := r.Int64N(math.MaxInt64/16) >> r.IntN(60)
		if r.IntN(2) == 0 {
			v = -v
		}
		for _, code := range []string{"CNY", "JPY", "KWD", "CLF"} {
			c := currency(t, code)
			if back, err := ParseAmount(FormatAmount(v, c), c); err != nil || back != v {
				t.Fatalf("%d %s: back %d, %v", v, code, back, err)
			}
			text := Fine(v).Format(c)
			if back, err := ParseDecimal([]byte(text), FineDecimals); err != nil || back != v {
				t.Fatalf("fine %d %s is written %s, read %d, %v", v, code, text, back, err)
			}
			if small := v >> 20; FineOf(small, c).Round(c) != small {
				t.Fatalf("%d %s changes as a Fine", small, code)
			}
		}
	}
}

func TestHotFunctionsAllocateNothing(t *testing.T) {
	var r Row
	r.Currency, r.Amount, r.Fee = CNY, 12345, 678
	text, id, buf := []byte("-12345.67"), []byte("000000123"), make([]byte, 0, 64)
	when := Time{Unix: 1767600000, Offset: 28800}
	var sink int64
	for name, f := range map[string]func(){
		"ParseDecimal":     func() { v, _ := ParseDecimal(text, 2); sink += v },
		"AppendDecimal":    func() { buf = AppendDecimal(buf[:0], sink, 2) },
		"Blank, TrimZeros": func() { _ = Blank(id) || len(TrimZeros(id)) > 99 },
		"Set and Get":      func() { r.Set(RRN, id); sink += int64(len(r.Get(RRN))) },
		"NetFine, Round":   func() { sink += r.NetFine().Round(CNY) },
		"Date and Clock":   func() { sink += int64(when.Date()) + int64(when.Clock()) },
		"Reset":            func() { r.Reset(); r.Currency = CNY },
		"Compare":          func() { sink += int64(Position{1, 2, 3}.Compare(Position{1, 2, 4})) },
	} {
		if n := testing.AllocsPerRun(100, f); n > 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
