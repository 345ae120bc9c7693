package pipeline

import (
	"context"
	"slices"
	"strings"
	"testing"

	"daozhang/parsers/txn"
)

// closedShop has two days of books, the first of which is closed.
func closedShop(t *testing.T) *books {
	t.Helper()
	b := keptShop(t)
	b.with(func(ctx context.Context, e *Engine) {
		if err := e.CloseBooks(ctx, day(0), "Lin", "signed"); err != nil {
			t.Fatal(err)
		}
	})
	return b
}

func (b *books) x03(d txn.Date) (causes []string) {
	b.t.Helper()
	for _, l := range b.lines(d) {
		if l["class"] == "X03" {
			causes = append(causes, l["cause"])
		}
	}
	return causes
}

func TestAChangeOfTheRegisterThatMovesNothingInAClosedBookIsNotTold(t *testing.T) {
	b := closedShop(t)
	b.write("register/stores.csv", []byte(strings.Replace(shopRegister["stores"], "South,2025-01-01", "Far South,2026-01-05", 1)))
	b.load()
	rs := b.upTo(day(1))
	if len(rs) != 1 || rs[0].Date != day(1) || rs[0].Issued {
		t.Errorf("computed %+v, want Tuesday, with nothing issued", rs)
	}
	if told := b.x03(day(1)); len(told) > 0 {
		t.Errorf("told %q", told)
	}
	if rs := b.upTo(day(1)); len(rs) > 0 {
		t.Errorf("a second run computes %s again", rs[0].Date)
	}
}

func TestAChangeThatOnlyReachesAClosedDateIsTold(t *testing.T) {
	b := closedShop(t)
	terms := shopRegister["contracts"]
	terms = strings.Replace(terms, "2025-01-01,\n", "2025-01-01,2026-01-04\n", 1) + strings.NewReplacer("0.60%", "0.38%", "2025-01-01,\n", "2026-01-05,2026-01-05\n").Replace(strings.TrimPrefix(terms, contractsHead)) +
		strings.Replace(strings.TrimPrefix(terms, contractsHead), "2025-01-01", "2026-01-06", 1)
	b.write("register/contracts.csv", []byte(terms))
	b.load()
	rs := b.upTo(day(1))
	if len(rs) != 1 || rs[0].Date != day(1) || !rs[0].Issued || !strings.Contains(rs[0].Run.Reason, "register of closed dates") {
		t.Errorf("computed %+v, want Tuesday issued anew for the register of closed dates", rs)
	}
	if told := b.x03(day(1)); len(told) != 1 || !strings.Contains(told[0], "contract C1; 2026-01-05; P02 0 -> 1") {
		t.Errorf("told %q", told)
	}
}

func TestTheRegisterIsReadOnceForDatesThatAreAlike(t *testing.T) {
	b := closedShop(t)
	b.write("register/stores.csv", []byte("store_id,name,valid_from,valid_to\nS01,North,2025-01-01,\nS02,South,2025-01-01,2026-01-10\nS02,Deep South,2026-01-11,\n"))
	b.load()
	b.with(func(_ context.Context, e *Engine) {
		for n := -400; n < 400; n++ {
			if got, want := e.registerDigest(day(n)), digestText(string(e.Register.AppendValid(nil, day(n)))); got != want {
				t.Fatalf("%s: %.12s, want %.12s", day(n), got, want)
			}
		}
		if read := len(e.registered.known); read != 3 { // before anything is valid, and two spans
			t.Errorf("read %d times", read)
		}
	})
}

func TestOnlyTheNewestClosedDatesAreJudgedByAChangedRegister(t *testing.T) {
	b := closedShop(t)
	b.with(func(ctx context.Context, e *Engine) {
		digest := e.registerDigest(day(0))
		rs := slices.Repeat([]reach{{day(0), digest, digest}}, maxShadows+4)
		told, err := e.tellReaches(ctx, rs)
		if err != nil || len(told) != 1 || told[0].Detail != "2026-01-05 .. 2026-01-05, 4 dates; 4 not judged again" {
			t.Errorf("told %+v (%v)", told, err)
		}
	})
}
