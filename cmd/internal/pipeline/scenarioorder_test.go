package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
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

func TestAFileSentAgainUnderAnotherNameChangesNothing(t *testing.T) {
	b := newShop(t)
	s := sale(day(0), "10:00:00", 10_000, 1)
	b.journal("S01", day(0), s)
	b.bill(day(0), s)
	b.daily(day(0), nil)
	b.night(day(0))
	before := fingerprint(t, b)
	b.write("inbox/ums/ums_"+day(0).Compact()+"_2.txt.gz", gzipped(t, billText(day(0), s)))
	b.at(day(1), "15:00")
	if plan := b.plan(day(0)); len(plan) > 0 {
		t.Errorf("an alias makes %v stale", plan)
	}
	wantDates(t, "after the alias", b.upTo(day(0)), "")
	if after := reportsOnly(fingerprint(t, b)); after != reportsOnly(before) {
		t.Errorf("something changed:\n%s", firstDifference(reportsOnly(before), after))
	}
	b.with(func(ctx context.Context, e *Engine) {
		revs, err := e.DB.SlotHistory(ctx, store.SlotRef{Source: "ums", Date: day(0)})
		if err != nil || len(revs) != 1 {
			t.Errorf("%d revisions of the slot, want 1 (%v)", len(revs), err)
		}
		as, err := e.DB.SlotAliases(ctx, store.SlotRef{Source: "ums", Date: day(0)})
		if err != nil || len(as) != 1 {
			t.Errorf("%d aliases, want 1 (%v)", len(as), err)
		}
	})
}

// week runs six quiet days with one sale a day, each paid on the next working day.
func week(b *books) {
	b.t.Helper()
	var past []credit
	for n := range 6 {
		s := sale(day(n), "10:00:00", int64(10_000+n), 1+n)
		b.journal("S01", day(n), s)
		b.bill(day(n), s)
		var today []credit
		if n > 0 && n < 5 {
			today = append(today, paid(day(n), fmt.Sprint("R", n), sale(day(n-1), "10:00:00", int64(10_000+n-1), n)))
		}
		b.daily(day(n), past, today...)
		past = append(past, today...)
		b.night(day(n))
	}
}

// TestARerunWithNothingNewIssuesNothing is also the measure of how much a rerun computes.
func TestARerunWithNothingNewIssuesNothing(t *testing.T) {
	b := newShop(t)
	week(b)
	before := reportsOnly(fingerprint(t, b))
	b.at(day(7), "12:00")
	rs := b.rerun(day(0))
	for _, r := range rs {
		if r.Issued {
			t.Errorf("%s was issued again as r%d", r.Date, r.Run.Revision)
		}
	}
	if after := reportsOnly(fingerprint(t, b)); after != before {
		t.Errorf("something changed:\n%s", firstDifference(before, after))
	}
	t.Run("computes one day", func(t *testing.T) {
		wantDates(t, "rerun of Monday", rs, "01-05")
	})
}

func TestANewContractLeavesEarlierDaysAlone(t *testing.T) {
	b := newShop(t)
	week(b)
	b.write("register/contracts.csv", []byte(contractsHead+
		"C1,M01,,,,0.60%,,,,row-half-up,true,T+1,23:00,3,cn,derived,31000001,2025-01-01,2026-01-06\n"+
		"C2,M01,,,,0.38%,,,,row-half-up,true,T+1,23:00,3,cn,derived,31000001,2026-01-07,\n"))
	b.at(day(7), "12:00")
	b.upTo(day(5))
	for _, r := range b.rerun(day(0)) {
		if r.Date < day(2) && r.Run.Revision != 1 {
			t.Errorf("%s has revision %d though its terms are the old ones", r.Date, r.Run.Revision)
		}
	}
	for n := range 6 {
		p02 := slices.ContainsFunc(b.lines(day(n)), func(l line) bool { return l["class"] == "P02" && l["lifecycle"] == "new" })
		if want := n >= 2; p02 != want {
			t.Errorf("%s: fee difference reported %t, want %t: %s", day(n), p02, want, b.book(day(n)))
		}
	}
}

// TestACorrectedBillWinsAndOnlyItsRowChanges: a wrong amount on Monday, corrected later under another name; Tuesday
// would not have known of it.
func TestACorrectedBillWinsAndOnlyItsRowChanges(t *testing.T) {
	b := newShop(t)
	right := []sold{sale(day(0), "10:00:00", 10_000, 1), sale(day(0), "11:00:00", 5_000, 2)}
	wrong := []sold{right[0], sale(day(0), "11:00:00", 5_010, 2)}
	var past []credit
	for n := range 5 {
		var today []credit
		s := right
		if n == 0 {
			b.bill(day(0), wrong...)
		} else {
			s = []sold{sale(day(n), "10:00:00", 10_000, 10+n)}
			b.bill(day(n), s...)
		}
		if n == 1 { // what is paid is right
			today = append(today, paid(day(1), "R1", right...))
		} else if n > 1 {
			today = append(today, paid(day(n), fmt.Sprint("R", n), sale(day(n-1), "10:00:00", 10_000, 10+n-1)))
		}
		b.journal("S01", day(n), s...)
		b.daily(day(n), past, today...)
		past = append(past, today...)
		b.night(day(n))
	}
	before := b.one(day(0), "T04")
	if before["amount"] != "50.00" || before["other_amount"] != "50.10" {
		t.Errorf("T04: %s", short(before))
	}
	b.one(day(1), "B03")
	b.write("inbox/ums/ums_"+day(0).Compact()+"_2.txt.gz", gzipped(t, billText(day(0), right...)))
	b.at(day(5), "14:00")
	rs := b.upTo(day(4))
	b.wantBook(day(0), "corrected", "B01 new in_window 149.10 ")
	b.wantBook(day(1), "corrected", "B01 new in_window 99.40 ")
	if len(rs) < 2 || rs[0].Run.Revision != 2 || rs[1].Run.Revision != 2 {
		t.Errorf("computed %q", dates(rs))
	}
	b.with(func(ctx context.Context, e *Engine) {
		revs, err := e.DB.CurrentSlots(ctx, day(0))
		if err != nil || !slices.ContainsFunc(revs, func(r store.Revision) bool { return r.Slot.Source == "ums" && r.N == 2 }) {
			t.Errorf("current slots of Monday %+v: want revision 2 of the bill (%v)", revs, err)
		}
	})
	// The server renames the old file: the correction stands.
	b.write("inbox/ums/ums_"+day(0).Compact()+"_9.txt.gz", gzipped(t, billText(day(0), wrong...)))
	b.at(day(5), "16:00")
	wantDates(t, "the former bill under a new name", b.upTo(day(4)), "")
}

// TestACorrectionThatClearsOnTheNextDay touches a sale that waits over one night: no other day knows of it.
func TestACorrectionThatClearsOnTheNextDay(t *testing.T) {
	b := newShop(t)
	var past []credit
	for n := range 6 {
		s := []sold{sale(day(n), "10:00:00", int64(10_000+n), 10+n)}
		late := sale(day(1), "22:58:00", 4_000, 1)
		cleared := slices.Clone(s)
		if n == 1 {
			s = append(s, late)
		} else if n == 2 {
			cleared = append(cleared, late)
		}
		b.journal("S01", day(n), s...)
		b.bill(day(n), cleared...)
		var today []credit
		if n > 0 && n < 5 {
			yesterday := []sold{sale(day(n-1), "10:00:00", int64(10_000+n-1), 10+n-1)}
			if n == 3 {
				yesterday = append(yesterday, late)
			}
			today = append(today, paid(day(n), fmt.Sprint("R", n), yesterday...))
		}
		b.daily(day(n), past, today...)
		past = append(past, today...)
		b.night(day(n))
		if n != 5 && b.book(day(n)) == "" {
			t.Errorf("%s: nothing waits", day(n))
		}
	}
	before := map[txn.Date]string{}
	for n := range 6 {
		before[day(n)] = comparableLines(b.lines(day(n)))
	}
	b.journal("S01", day(1), sale(day(1), "10:00:00", 10_001, 11), sale(day(1), "22:58:01", 4_000, 1))
	b.at(day(6), "14:00")
	rs := b.upTo(day(5))
	for n := range 6 {
		if n != 1 && comparableLines(b.lines(day(n))) != before[day(n)] {
			t.Errorf("%s changed:\n%s", day(n), firstDifference(before[day(n)], comparableLines(b.lines(day(n)))))
		}
	}
	for _, r := range rs {
		if want := r.Date == day(1); r.Issued != want {
			t.Errorf("%s: issued %t, want %t", r.Date, r.Issued, want)
		}
	}
	t.Run("computes two days", func(t *testing.T) {
		wantDates(t, "one corrected row", rs, "01-06:r2 01-07")
	})
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
