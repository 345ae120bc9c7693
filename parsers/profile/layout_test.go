package profile

import (
	"testing"
	"time"

	"daozhang/parsers/txn"
)

func TestInstantsAreThoseOfTheZoneOnDaysThatChangeTheirOffset(t *testing.T) {
	for _, name := range []string{"Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"} {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		z := clockZone{loc: loc}
		for _, d := range []txn.Date{civil(1988, 4, 17), civil(2025, 3, 30), civil(2025, 3, 29), civil(2025, 10, 26), civil(2025, 11, 2),
			civil(2025, 3, 9), civil(2025, 4, 6), civil(2025, 10, 5), civil(2025, 12, 31), civil(2025, 3, 30), civil(1969, 12, 31)} {
			for clock := 0; clock < 86400; clock += 1799 {
				day := d.Time()
				want := txn.TimeOf(time.Date(day.Year(), day.Month(), day.Day(), clock/3600, clock/60%60, clock%60, 0, loc))
				if got := z.instant(d, clock, false); got != want {
					t.Fatalf("%s %s %d: %v, want %v", name, d, clock, got, want)
				}
			}
		}
	}
}

func TestQuickNumbersAreThoseOfTheExactRoutines(t *testing.T) {
	hour, err := parseLayout("HH:mm:ss")
	if err != nil {
		t.Fatal(err)
	}
	pool := []byte("0123456789.-+: ,*x\x00\x80\xB0\xFF")
	seed := uint64(88172645463325252)
	next := func(n int) int {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		return int(seed>>20) % n
	}
	var w view
	amounts, clocks, cards := 0, 0, 0
	for range 600_000 {
		n := 3 + next(10)
		for i := range 64 {
			w[i] = pool[next(len(pool))]
			if next(4) > 0 {
				w[i] = pool[next(10)]
			}
		}
		to := 16 + n
		if next(2) > 0 {
			w[to-3] = '.'
		}
		if got, ok := centsAt(&w, 16, to); ok {
			amounts++
			if want, err := txn.ParseDecimal(w[16:to], 2); err != nil || want != got {
				t.Fatalf("%q: %d, want %d %v", w[16:to], got, want, err)
			}
		}
		if next(2) > 0 {
			w[18], w[21] = ':', ':'
			w[16], w[19], w[22] = '0'+byte(next(4)), '0'+byte(next(7)), '0'+byte(next(7))
		}
		got, ok := clockAt(&w, 16)
		want, err := hour.parse(w[16:24])
		if ok != (err == nil) || ok && got != want.clock {
			t.Fatalf("%q: %d %v, want %d %v", w[16:24], got, ok, want.clock, err)
		}
		if ok {
			clocks++
		}
		to = 16 + 10 + next(16)
		for i := 16; i < to; i++ {
			if next(20) > 0 {
				w[i] = "0123456789*"[next(11)]
			}
		}
		if cardAt(&w, 16, to) {
			cards++
			row := &txn.Row{}
			if err := (&Reader{}).setCard(row, w[16:to]); err != nil || string(row.Get(txn.CardTail)) != string(w[to-4:to]) {
				t.Fatalf("%q: %v", w[16:to], err)
			}
		}
	}
	if amounts < 1000 || clocks < 1000 || cards < 1000 {
		t.Errorf("only %d amounts, %d clocks, %d cards were compared", amounts, clocks, cards)
	}
}
