package pipeline

import (
	"strings"
	"testing"

	"daozhang/reconcile"
)

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
