package pipeline

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

func TestASaleClearedOnTheNextDayIsNeverAnException(t *testing.T) {
	b := newShop(t)
	late, plain := sale(day(0), "22:58:00", 12_345, 7), sale(day(0), "09:00:00", 1_000, 6)
	b.journal("S01", day(0), plain, late)
	b.bill(day(0), plain)
	b.daily(day(0), nil)
	b.night(day(0))
	b.wantBook(day(0), "before it is cleared", "B01 new in_window 9.94 ; T01 new in_window 123.45 ")
	b.journal("S01", day(1))
	b.bill(day(1), late)
	first := paid(day(1), "R0", plain)
	b.daily(day(1), nil, first)
	b.night(day(1))
	b.wantBook(day(1), "cleared", "B01 new in_window 122.71 ")
	b.journal("S01", day(2))
	b.bill(day(2))
	b.daily(day(2), []credit{first}, paid(day(2), "R1", late))
	rs := b.night(day(2))
	b.wantBook(day(2), "paid", "")
	if rs[0].Outcome.Verdict != reconcile.Balanced {
		t.Errorf("verdict %s, want balanced", rs[0].Outcome.Verdict)
	}
}

func TestASaleNeverSettledAgesUnderOneCase(t *testing.T) {
	b := newShop(t)
	for n := range 4 {
		daily := sale(day(n), "09:00:00", 1_000, 10+n)
		sales := []sold{daily}
		if n == 0 {
			sales = append(sales, sale(day(0), "10:00:00", 5_000, 1))
		}
		b.journal("S01", day(n), sales...)
		b.bill(day(n), daily)
		b.daily(day(n), nil)
		b.night(day(n))
	}
	first := b.one(day(0), "T01")
	if first["status"] != "in_window" || first["age_days"] != "0" {
		t.Errorf("before the bill of the next day the sale is %s with age %s", first["status"], first["age_days"])
	}
	for n := 1; n < 4; n++ {
		l := b.one(day(n), "T02")
		if l["case_id"] != first["case_id"] || l["first_seen"] != monday || l["status"] != "open" {
			t.Errorf("%s: case %s first seen %s is %s; it began as %s on %s", day(n), l["case_id"], l["first_seen"], l["status"], first["case_id"], monday)
		}
		due, err := txn.ParseDate(l["due_date"])
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprint(int(day(n) - due)); l["age_days"] != want {
			t.Errorf("%s: age %s, want %s days since %s", day(n), l["age_days"], want, l["due_date"])
		}
	}
}

func TestABillThatComesThreeDaysLate(t *testing.T) {
	b, whole := newShop(t), newShop(t)
	sales := []sold{sale(day(0), "10:00:00", 10_000, 1), sale(day(0), "11:00:00", 2_550, 2)}
	other := sale(day(1), "12:00:00", 7_700, 3)
	for _, x := range []*books{b, whole} {
		x.journal("S01", day(0), sales...)
		x.journal("S01", day(1), other)
		x.journal("S01", day(2))
		x.journal("S01", day(3))
		x.bill(day(1), other)
		x.bill(day(2))
		x.bill(day(3))
		first, second := paid(day(1), "R1", sales...), paid(day(2), "R2", other)
		x.daily(day(0), nil)
		x.daily(day(1), nil, first)
		x.daily(day(2), []credit{first}, second)
		x.daily(day(3), []credit{first, second})
	}
	whole.bill(day(0), sales...)
	for n := range 4 {
		b.night(day(n))
		whole.night(day(n))
		if n == 3 {
			continue
		}
		rows, amount := "2", "125.50" // Tuesday's credit waits for the bill too, but it is the same money
		if l := b.one(day(n), "F01"); l["rows"] != rows || l["amount"] != amount || l["source"] != "ums" {
			t.Errorf("%s: F01 of %s holds %s rows with %s, want %s with %s", day(n), l["source"], l["rows"], l["amount"], rows, amount)
		}
		for _, l := range b.lines(day(n)) {
			if l["status"] == "open" && l["class"] != "F01" {
				t.Errorf("%s: %s though its evidence is missing: %s", day(n), l["class"], short(l))
			}
		}
	}
	b.bill(day(0), sales...)
	b.at(day(4), "13:00")
	rs := b.upTo(day(3))
	if len(rs) == 0 || rs[0].Date != day(0) || rs[0].Run.Revision != 2 || !rs[0].Issued {
		t.Fatalf("on arrival %s was computed; want revision 2 of %s first", dates(rs), day(0))
	}
	sameState(t, b, whole, day(0), day(3))
	if plan := b.plan(day(3)); len(plan) > 0 {
		t.Errorf("after the recomputation there is still to do: %v", plan)
	}
}

func TestASecondStoresJournalThatComesLate(t *testing.T) {
	b := newShop(t, "slots: {store: [S01]}", "slots: {store: [S01, S02]}")
	north, south := sale(day(0), "10:00:00", 10_000, 1), sale(day(0), "11:00:00", 4_200, 2)
	south.store2 = true
	b.journal("S01", day(0), north)
	b.bill(day(0), north, south)
	b.daily(day(0), nil)
	b.night(day(0))
	l := b.one(day(0), "F01")
	if l["source"] != "pos" || l["rows"] != "1" || l["amount"] != "42.00" {
		t.Errorf("F01 of %s holds %s rows with %s, want pos with 1 row of 42.00", l["source"], l["rows"], l["amount"])
	}
	b.wantBook(day(0), "one store's journal is missing", "B01 new in_window 141.15 ; F01 new open 42.00 ")
	b.journal("S02", day(0), south)
	b.at(day(1), "16:00")
	wantDates(t, "on arrival", b.upTo(day(0)), "01-05:r2")
	b.wantBook(day(0), "on arrival", "B01 new in_window 141.15 ")
	if l, err := filepath.Glob(filepath.Join(b.config.Reports, monday, "r*", "exceptions.csv")); err != nil || len(l) != 2 {
		t.Errorf("issued %v, want two revisions (%v)", l, err)
	} else {
		for _, path := range l {
			for _, x := range readLines(t, path) {
				if x["class"] == "T03" {
					t.Errorf("%s: T03 was reported: %s", path, short(x))
				}
			}
		}
	}
}

func TestTwoIdenticalSalesAndOneRowOfTheAcquirer(t *testing.T) {
	b := newShop(t)
	first, second := sale(day(0), "22:57:10", 990, 0), sale(day(0), "22:58:00", 990, 0)
	b.journal("S01", day(0), first, second)
	b.bill(day(0), first)
	b.daily(day(0), nil)
	rs := b.night(day(0))
	if !slices.ContainsFunc(rs[0].Outcome.Passes, func(p reconcile.PassSum) bool { return p.Pass == "P6" && p.Matches == 1 }) {
		t.Errorf("passes %+v, want one match of an interchangeable set", rs[0].Outcome.Passes)
	}
	b.wantBook(day(0), "one of two", "B01 new in_window 9.84 ; T01 new in_window 9.90 ")
	b.journal("S01", day(1))
	b.bill(day(1), second)
	b.daily(day(1), nil, paid(day(1), "R1", first))
	b.night(day(1))
	b.wantBook(day(1), "the other row", "B01 new in_window 9.84 ")
}

func TestNoFileOnADayWithoutBusiness(t *testing.T) {
	b := newShop(t, "due: \"+1 10:00\"\n    empty_day: empty_file", "due: \"+1 10:00\"\n    empty_day: no_file")
	b.journal("S01", day(0))
	b.daily(day(0), nil)
	rs := b.night(day(0))
	b.wantBook(day(0), "nothing was sold", "")
	if v := rs[0].Outcome.Verdict; v != reconcile.Balanced {
		t.Errorf("verdict %s, want balanced", v)
	}
	b.journal("S01", day(1), sale(day(1), "10:00:00", 10_000, 1))
	b.daily(day(1), nil)
	b.night(day(1))
	b.wantBook(day(1), "something was sold", "F01 new open 100.00 ")
}

func TestEmptyFilesOfTwoDaysAreTwoFiles(t *testing.T) {
	b := newShop(t)
	for n := range 2 {
		b.write("inbox/pos/journal_S01_"+day(n).Compact()+".csv", []byte("merchant_id,terminal_id,kind,amount,txn_time\n"))
		b.bill(day(n))
		b.daily(day(n), nil)
		b.night(day(n))
		b.wantBook(day(n), "a closed store", "")
	}
}

func TestTwoFilesForOneSlotAreQuarantined(t *testing.T) {
	b := newShop(t)
	one, two := sale(day(0), "10:00:00", 10_000, 1), sale(day(0), "11:00:00", 5_000, 2)
	b.journal("S01", day(0), one, two)
	b.write("inbox/ums/ums_"+day(0).Compact()+".zip", zipOfBills(t, billText(day(0), one), billText(day(0), two)))
	b.daily(day(0), nil)
	b.night(day(0))
	b.with(func(ctx context.Context, e *Engine) {
		fs, err := e.DB.FilesWith(ctx, store.Quarantined)
		if err != nil || len(fs) != 2 {
			t.Fatalf("%d files in quarantine, want both (%v)", len(fs), err)
		}
		for _, f := range fs {
			if f.Class != string(reconcile.F10) || !strings.Contains(f.Why, "add a capture") {
				t.Errorf("%s: %s %s", f.Member, f.Class, f.Why)
			}
		}
	})
	if l := b.one(day(0), "F01"); l["source"] != "ums" || l["rows"] != "2" || l["amount"] != "150.00" {
		t.Errorf("F01: %s", short(l))
	}
}

// TestAnEmptyBillIsOverWhenItsRowsAreFound: the bill of Monday is rightly empty; its only sale was made a minute before
// the cut and cleared on Tuesday.
func TestAnEmptyBillIsOverWhenItsRowsAreFound(t *testing.T) {
	b := newShop(t)
	late := sale(day(0), "22:58:30", 12_345, 7)
	b.journal("S01", day(0), late)
	b.bill(day(0))
	b.daily(day(0), nil)
	b.night(day(0))
	b.wantBook(day(0), "empty, though something was sold", "F06 new open 123.45 ")
	for n := 1; n < 4; n++ {
		b.journal("S01", day(n))
		if n == 1 {
			b.bill(day(1), late)
			b.daily(day(1), nil)
		} else {
			s := sale(day(n), "10:00:00", 1_000, 20+n)
			b.journal("S01", day(n), s)
			b.bill(day(n), s)
			b.daily(day(n), nil)
		}
		b.night(day(n))
	}
	if book := b.book(day(3)); strings.Contains(book, "F06") {
		t.Errorf("two days after its only row was found elsewhere: %s", book)
	}
}
