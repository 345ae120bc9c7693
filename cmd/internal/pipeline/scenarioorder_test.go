package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"daozhang/cmd/internal/store"
	"daozhang/fixtures"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// TestAnyOrderOfArrival delivers the files of a generated week at random times, running at random times; in the end the
// books are those of a run that had everything from the start.
func TestAnyOrderOfArrival(t *testing.T) {
	opt := fixtures.Options{Seed: 21, Scale: 0.03}
	whole := newBooks(t, opt)
	days := whole.world.Days()
	whole.at(days[6]+2, "12:00")
	whole.runAll()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 4))
			b := &books{t: t, root: t.TempDir(), world: whole.world}
			if err := b.world.WriteSetup(b.root, fixtures.Place{Inbox: "inbox"}); err != nil {
				t.Fatal(err)
			}
			for _, s := range fixtures.Sources() {
				if err := os.MkdirAll(filepath.Join(b.root, "inbox", s), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			b.load()
			arrives := map[txn.Date][]fixtures.File{}
			for _, d := range days {
				files, err := b.world.Day(d)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range files {
					on := d
					if rnd.IntN(4) == 0 {
						on = min(d+txn.Date(rnd.IntN(5)), days[6])
					}
					arrives[on] = append(arrives[on], f)
				}
			}
			for _, d := range days {
				fs := arrives[d]
				rnd.Shuffle(len(fs), func(i, j int) { fs[i], fs[j] = fs[j], fs[i] })
				for _, f := range fs {
					b.write("inbox/"+f.Source+"/"+f.Name, f.Bytes)
				}
				if d == days[6] || rnd.IntN(3) > 0 {
					b.at(d+1, []string{"07:00", "09:30", "12:00"}[rnd.IntN(3)])
					b.upTo(d)
				}
			}
			b.at(days[6]+2, "12:00")
			b.upTo(days[6])
			sameState(t, b, whole, days[0], days[6])
		})
	}
}

func TestPreliminaryThenFinal(t *testing.T) {
	b := newShop(t)
	s := sale(day(0), "10:00:00", 10_000, 1)
	b.journal("S01", day(0), s)
	b.daily(day(0), nil)
	b.at(day(1), "09:30") // the bill is due at ten
	rs := b.upTo(day(0))
	if !rs[0].Preliminary || rs[0].Run.Final || rs[0].Outcome.Verdict != reconcile.Preliminary {
		t.Errorf("before the bill is due the book is %s, preliminary %t", rs[0].Outcome.Verdict, rs[0].Preliminary)
	}
	if got := fmt.Sprint(rs[0].Outcome.Awaited); got != "[ums (2026-01-06 10:00)]" {
		t.Errorf("awaited %s", got)
	}
	b.wantBook(day(0), "preliminary", "") // the sale waits for evidence that is not due, and no slot is missing
	b.at(day(1), "09:45")
	wantDates(t, "a quarter of an hour later", b.upTo(day(0)), "")
	b.bill(day(0), s)
	b.at(day(1), "10:30")
	rs = b.upTo(day(0))
	wantDates(t, "with the bill", rs, "01-05:r2")
	if !rs[0].Run.Final || len(rs[0].Outcome.Awaited) > 0 {
		t.Errorf("final %t, awaited %v", rs[0].Run.Final, rs[0].Outcome.Awaited)
	}
	b.wantBook(day(0), "final", "B01 new in_window 99.40 ")
}

func TestADeadlineThatPassesMakesTheDayStale(t *testing.T) {
	b := newShop(t)
	s := sale(day(0), "10:00:00", 10_000, 1)
	b.journal("S01", day(0), s)
	b.daily(day(0), nil)
	b.at(day(1), "09:30")
	b.upTo(day(0))
	b.at(day(1), "10:00")
	wantDates(t, "when the bill is due", b.upTo(day(0)), "01-05:r2")
	b.wantBook(day(0), "when the bill is due", "F01 new open 100.00 ")
}

func TestAnEarlierAsOfIsRefused(t *testing.T) {
	b := newShop(t)
	s := sale(day(0), "10:00:00", 10_000, 1)
	b.journal("S01", day(0), s)
	b.daily(day(0), nil)
	b.night(day(0))
	if _, err := b.tryRerun(day(0), b.now.Add(-time.Hour)); !errors.Is(err, store.ErrAsOf) {
		t.Errorf("error %v, want %v", err, store.ErrAsOf)
	}
	t.Run("also where new evidence came", func(t *testing.T) {
		b.bill(day(0), s)
		b.plan(day(0)) // fetches
		if _, err := b.tryRerun(day(0), b.now.Add(-time.Hour)); !errors.Is(err, store.ErrAsOf) {
			t.Errorf("error %v, want %v", err, store.ErrAsOf)
		}
	})
}

// TestTheLaterFileWinsWhicheverIsListedFirst: original and correction lie there at the first fetch; the server's times
// say which is newer, names do not.
func TestTheLaterFileWinsWhicheverIsListedFirst(t *testing.T) {
	for _, c := range []struct{ name, older, newer string }{
		{"the correction sorts last", "_1", "_2"}, {"the correction sorts first", "_9", "_10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newShop(t)
			right, wrong := sale(day(0), "10:00:00", 10_000, 1), sale(day(0), "10:00:00", 10_001, 1)
			b.journal("S01", day(0), right)
			b.daily(day(0), nil)
			stamp := time.Date(2026, 1, 6, 1, 0, 0, 0, time.UTC)
			for i, x := range []struct {
				run string
				s   sold
			}{{c.older, wrong}, {c.newer, right}} {
				name := "inbox/ums/ums_" + day(0).Compact() + x.run + ".txt.gz"
				b.write(name, gzipped(t, billText(day(0), x.s)))
				at := stamp.Add(time.Duration(i) * time.Hour)
				if err := os.Chtimes(filepath.Join(b.root, filepath.FromSlash(name)), at, at); err != nil {
					t.Fatal(err)
				}
			}
			b.at(day(1), "12:00")
			e, err := Open(t.Context(), b.config, Engine{Program: "daozhang test", Now: func() time.Time {
				b.now = b.now.Add(time.Millisecond) // a clock that goes, so that each file arrives at its own instant
				return b.now
			}, Sleep: func(context.Context, time.Duration) error { return nil }}, false)
			if err != nil {
				t.Fatal(err)
			}
			_, err = e.Fetch(t.Context(), day(0), day(1))
			if err = errors.Join(err, e.Close()); err != nil {
				t.Fatal(err)
			}
			b.upTo(day(0))
			b.wantBook(day(0), "both came at once", "B01 new in_window 99.40 ")
		})
	}
}
