package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"daozhang/cmd/internal/store"
	"daozhang/reconcile"
)

func TestOneCreditForTheWeekendsPayouts(t *testing.T) {
	b := newShop(t, "GO_LIVE", day(4).String())
	var sales []sold
	for n := 4; n <= 6; n++ { // Friday to Sunday, all due on Monday
		s := sale(day(n), "10:00:00", int64(11_100*n), n)
		sales = append(sales, s)
		b.journal("S01", day(n), s)
		b.bill(day(n), s)
		b.daily(day(n), nil)
		b.night(day(n))
	}
	b.journal("S01", day(7))
	b.bill(day(7))
	b.daily(day(7), nil, paid(day(7), "R1", sales...))
	rs := b.night(day(7))
	b.wantBook(day(7), "one credit for three days", "B06 new explained 1655.01 1655.01") // named, and no difference
	if v := rs[len(rs)-1].Outcome.Verdict; v != reconcile.Balanced {
		t.Errorf("verdict %s, want balanced", v)
	}
}

func TestOneStatementForTheWeekend(t *testing.T) {
	b := newShop(t, "GO_LIVE", day(4).String(), "days: daily", "days: [mon, tue, wed, thu, fri]")
	b.write("register/contracts.csv", []byte(contractsHead+"C1,M01,,,,0.60%,,,,row-half-up,true,D+1,23:00,3,cn,derived,31000001,2025-01-01,\n"))
	var credits []credit
	for n := 4; n <= 7; n++ { // Friday to Monday, each paid on the next calendar day
		s := sale(day(n), "10:00:00", int64(11_100*n), n)
		b.journal("S01", day(n), s)
		b.bill(day(n), s)
		if n < 7 {
			credits = append(credits, paid(day(n+1), fmt.Sprint("R", n), s))
		}
	}
	b.daily(day(4), nil)
	var early []string
	for n := 4; n <= 6; n++ {
		b.night(day(n))
		for _, l := range b.lines(day(n)) {
			if l["class"] == "F01" {
				t.Errorf("%s: F01 for a statement that is not promised: %s", day(n), short(l))
			} else if l["class"] != "B01" || l["status"] != "in_window" {
				early = append(early, day(n).String()+" "+l["class"]+" "+short(l))
			}
		}
	}
	t.Run("nothing is overdue before it", func(t *testing.T) {
		if len(early) > 0 {
			t.Errorf("before the statement is promised:\n%s", strings.Join(early, "\n"))
		}
	})
	b.statement("bank_"+account+"_"+day(7).Compact()+".csv", day(5), day(7), true, nil, credits...)
	b.night(day(7))
	for n := 5; n <= 7; n++ {
		b.wantBook(day(n), "with the statement of three days", "B01 new in_window "+yuan(sale(day(n), "10:00:00", int64(11_100*n), n).net())+" ")
	}
	b.with(func(ctx context.Context, e *Engine) {
		for n := 5; n <= 7; n++ {
			revs, err := e.DB.SlotHistory(ctx, store.SlotRef{Source: "bank", Date: day(n), Key: account})
			if err != nil || len(revs) != 1 || revs[0].Slice.Lines != 1 {
				t.Errorf("%s: slices %+v, want one with one line (%v)", day(n), revs, err)
			}
		}
	})
}

func TestStatementsThatOverlapCountEachLineOnce(t *testing.T) {
	b := newShop(t)
	var all []credit
	for n := range 6 {
		s := sale(day(n), "10:00:00", int64(20_000+n), 1+n)
		b.journal("S01", day(n), s)
		b.bill(day(n), s)
		if n > 0 && n < 5 {
			all = append(all, paid(day(n), fmt.Sprint("R", n), sale(day(n-1), "10:00:00", int64(20_000+n-1), n)))
		}
		from := max(day(n-2), day(0)) // the last three days, every morning
		in := func(c credit) bool { return c.day < from }
		past := slices.DeleteFunc(slices.Clone(all), func(c credit) bool { return !in(c) })
		b.statement("bank_"+account+"_"+day(n).Compact()+".csv", from, day(n), true, past, slices.DeleteFunc(slices.Clone(all), in)...)
		b.night(day(n))
		for _, l := range b.lines(day(n)) {
			if l["class"] != "B01" || l["status"] != "in_window" {
				t.Errorf("%s: %s %s", day(n), l["class"], short(l))
			}
		}
	}
	b.with(func(ctx context.Context, e *Engine) {
		for n := range 6 {
			revs, err := e.DB.SlotHistory(ctx, store.SlotRef{Source: "bank", Date: day(n), Key: account})
			if err != nil || len(revs) != 1 {
				t.Errorf("%s: %d revisions of the slice, want 1 (%v)", day(n), len(revs), err)
			}
		}
	})
	// The month's statement: equal first, then with one line that is another.
	whole := func(run string, cs []credit) {
		b.statement("bank_"+account+"_"+day(5).Compact()+"_"+run+".csv", day(0), day(5), true, nil, cs...)
	}
	whole("m1", all)
	b.at(day(6), "18:00")
	wantDates(t, "an equal statement of the month", b.upTo(day(5)), "")
	changed := slices.Clone(all)
	changed[2].fen -= 77 // of Thursday
	whole("m2", changed)
	b.at(day(6), "19:00")
	rs := b.upTo(day(5))
	if len(rs) == 0 || rs[0].Date != day(3) {
		t.Fatalf("a changed line of %s: computed %q", day(3), dates(rs))
	}
	if l := b.one(day(3), "B03"); l["other_amount"] != yuan(changed[2].fen) || l["difference"] != "-0.77" {
		t.Errorf("B03: %s found, difference %s", l["other_amount"], l["difference"])
	}
}

func TestAStatementOfNoonGivesWayToThatOfTheNight(t *testing.T) {
	b := newShop(t)
	yesterday, s := sale(day(0), "10:00:00", 30_000, 1), sale(day(1), "10:00:00", 5_000, 2)
	b.journal("S01", day(0), yesterday)
	b.bill(day(0), yesterday)
	b.daily(day(0), nil)
	b.night(day(0))
	b.journal("S01", day(1), s)
	b.bill(day(1), s)
	morning := paid(day(1), "R1", yesterday)
	noon := "bank_" + account + "_" + day(1).Compact()
	b.statement(noon+"_noon.csv", day(1), day(1), false, nil, morning)
	b.night(day(1))
	b.wantBook(day(1), "at noon", "B01 new in_window 49.70 ")
	b.statement(noon+"_night.csv", day(1), day(1), true, nil, morning, credit{day(1), 777, "R2", "Landlord"})
	b.at(day(2), "14:00")
	b.upTo(day(1))
	b.wantBook(day(1), "at night", "B01 new in_window 49.70 ")
	b.statement(noon+"_late.csv", day(1), day(1), false, nil, morning) // an intraday statement that comes after the final one
	b.at(day(2), "15:00")
	wantDates(t, "a lower rank", b.upTo(day(1)), "")
	b.with(func(ctx context.Context, e *Engine) {
		revs, err := e.DB.SlotHistory(ctx, store.SlotRef{Source: "bank", Date: day(1), Key: account})
		if err != nil || len(revs) != 2 || revs[0].Current || !revs[1].Current || revs[1].Slice.Lines != 2 {
			t.Errorf("slices %+v, want the final one with two lines to stand (%v)", revs, err)
		}
	})
}
