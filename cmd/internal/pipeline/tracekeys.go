package pipeline

import (
	"context"
	"errors"

	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// byCase finds the rows of a case by its id or one that it had before.
func (t *tracer) byCase(ctx context.Context, date txn.Date) error {
	c, err := t.e.DB.FindCase(ctx, t.key)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	t.cases[t.key], t.cases[c.ID] = true, true
	for _, a := range c.Aliases {
		t.cases[a] = true
	}
	item := &TracedItem{}
	for d := max(c.FirstSeen, t.out.First); d <= c.LastSeen; d++ {
		if date != 0 && d != date {
			continue
		}
		if err := t.caseOn(ctx, item, d); err != nil {
			return err
		}
		if len(item.Rows)+len(item.Payouts) > 0 {
			break // the rest follows from there
		}
	}
	if len(item.Rows)+len(item.Payouts)+len(item.Lines) > 0 {
		t.out.Items = append(t.out.Items, item)
	}
	return nil
}

// caseOn adds the rows, payouts and lines that a day's book shows under the case.
func (t *tracer) caseOn(ctx context.Context, item *TracedItem, d txn.Date) error {
	rec, err := t.recall(ctx, d)
	if rec == nil || err != nil {
		return err
	}
	t.out.Days = append(t.out.Days, d)
	for i := range rec.outcome.Lines {
		l := &rec.outcome.Lines[i]
		if !t.cases[l.CaseID] && !t.cases[l.Alias] {
			continue
		}
		item.line(d, l)
		for _, x := range []struct {
			at  reconcile.Ref
			row *txn.Row
		}{{l.At, l.Row}, {l.OtherAt, l.Other2}} {
			if x.row == nil || item.has(idOf(x.at, x.row)) {
				continue
			}
			r, err := t.place(rec, x.at, x.row)
			if err != nil {
				return err
			}
			item.Rows = append(item.Rows, r)
		}
	}
	for i := range rec.outcome.Proofs {
		if p := rec.outcome.Proofs[i]; t.cases[p.CaseID] {
			item.Payouts = append(item.Payouts, &TracePayout{Date: d, Proof: p, Certain: true})
		}
	}
	return nil
}

// byPayout finds payouts that no row of the searched days names, by id or by the reference of their credit.
func (t *tracer) byPayout(ctx context.Context, days []txn.Date) error {
	if len(t.out.Items) > 0 {
		return nil
	}
	for _, d := range days {
		if ok, err := t.inCarry(ctx, d-1); !ok || err != nil { // a payout of the day's own rows was found by them
			if err != nil {
				return err
			}
			continue
		}
		rec, err := t.recall(ctx, d)
		if err != nil {
			return err
		}
		if rec == nil {
			continue
		}
		for i := range rec.outcome.Proofs {
			if p := rec.outcome.Proofs[i]; p.PayoutID == t.key || p.BankRef == t.key {
				t.out.Items = append(t.out.Items, &TracedItem{Payouts: []*TracePayout{{Date: d, Proof: p, Certain: true}}})
			}
		}
		if len(t.out.Items) > 0 {
			return nil
		}
	}
	return nil
}
