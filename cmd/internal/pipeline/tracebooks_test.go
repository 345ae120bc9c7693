package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// What stored books tell about a row is what its days tell when they are computed again.
func TestATraceFromStoredBooksSaysWhatComputingTheDaysAgainSays(t *testing.T) {
	b := newShop(t)
	var past []credit
	owed := int64(0)
	for n := range 5 {
		d := day(n)
		plain, wrong, never := sale(d, "10:00:00", 10_000+int64(n), 10*n+1), sale(d, "11:00:00", 20_000, 10*n+2), sale(d, "12:00:00", 5_000, 10*n+3)
		late, unseen, short := sale(d, "22:58:00", 7_000, 10*n+4), sale(d, "13:00:00", 3_000, 10*n+5), sale(d, "11:00:00", 19_000, 10*n+2)
		noID := sale(d, "14:00:00", 4_321, 0)
		b.journal("S01", d, plain, wrong, never, late, noID)
		b.journal("S02", d)
		cleared := []sold{plain, short, unseen, noID}
		if n > 0 {
			cleared = append(cleared, sale(day(n-1), "22:58:00", 7_000, 10*(n-1)+4))
		}
		b.bill(d, cleared...)
		var lines []credit
		if n > 0 && n != 3 { // on the fourth day nothing is paid
			lines = append(lines, credit{d, owed, fmt.Sprintf("BK%d", n), payer})
		}
		b.daily(d, past, lines...)
		past = append(past, lines...)
		owed = 0
		for _, s := range cleared {
			owed += s.net()
		}
		b.night(d)
	}
	keys := []string{"BK1", "BK4", "NOSUCH", "19990101"}
	for n := range 5 {
		for i := 1; i <= 5; i++ {
			_, rrn := sold{n: 10*n + i}.numbers()
			keys = append(keys, rrn)
		}
	}
	_, paidNextDay := sold{n: 1}.numbers()
	b.with(func(ctx context.Context, e *Engine) {
		for _, key := range keys {
			for _, date := range []txn.Date{0, day(1)} {
				stored, anew := newTracer(e, key), newTracer(e, key)
				anew.anew = true
				for _, tr := range []*tracer{stored, anew} {
					if err := tr.trace(ctx, date); err != nil {
						t.Fatal(err)
					}
					if err := tr.close(); err != nil {
						t.Fatal(err)
					}
				}
				if got, want := traceText(t, stored.out), traceText(t, anew.out); got != want {
					t.Errorf("%s on %s:\nfrom the books %s\ncomputed       %s", key, date, got, want)
				}
				if key == paidNextDay && date == 0 && (len(anew.cache) != 2 || len(stored.cache) != 1 || stored.cache[day(1)] == nil) {
					t.Errorf("a sale matched on its day and paid on the next: %d days computed, %d with nothing stored; want only the day of its payment, and both",
						len(stored.cache), len(anew.cache))
				}
			}
		}
	})
}

// traceText is all that a trace shows.
func traceText(t *testing.T, tr *Trace) string {
	t.Helper()
	type shown struct {
		Rows    []TraceRow
		Matched *TraceMatch
		Payouts []TracePayout
		Lines   []TraceLine
		Days    []TraceDay
	}
	var items []shown
	for _, it := range tr.Items {
		s := shown{Matched: it.Matched, Days: it.Days}
		for _, r := range it.Rows {
			x := *r
			x.Row = nil
			s.Rows = append(s.Rows, x)
		}
		for _, p := range it.Payouts {
			x := *p
			x.Members, x.Rounding, x.Adjust, x.Carried = nil, 0, 0, 0 // not shown
			s.Payouts = append(s.Payouts, x)
		}
		for _, l := range it.Lines {
			o := l.Line
			s.Lines = append(s.Lines, TraceLine{l.Date, &reconcile.Line{CaseID: o.CaseID, Alias: o.Alias, Class: o.Class, Leg: o.Leg, Status: o.Status,
				Lifecycle: o.Lifecycle, FirstSeen: o.FirstSeen, AgeDays: o.AgeDays, DueDate: o.DueDate, DueNote: o.DueNote, Amount: o.Amount,
				Other: o.Other, Fine: o.Fine, Currency: o.Currency, NearPass: o.NearPass, Differs: o.Differs, ClearedBy: o.ClearedBy,
				Source: o.Source, Rows: o.Rows, Detail: o.Detail}})
		}
		items = append(items, s)
	}
	text, err := json.Marshal(map[string]any{"items": items, "days": tr.Days, "notes": tr.Notes, "truncated": tr.Truncated})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
