package pipeline

import (
	"bytes"
	"context"
	"slices"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// maxRelated bounds for how many found rows the rows that undo them are looked for.
const maxRelated = 10

// related adds, as items of their own, the voids, reversals and refunds of the same source and day that name a row found
// as their original: the life of a sale is not told without them.
func (t *tracer) related(ctx context.Context) error {
	found := 0
	for _, it := range slices.Clone(t.out.Items) {
		for _, r := range it.Rows {
			if !r.hasPos || r.Row.Side == txn.Bank || r.Row.Kind != txn.Sale && r.Row.Kind != txn.Completion {
				continue
			}
			if found++; found > maxRelated {
				return nil
			}
			if err := t.undoing(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// undoing looks for the rows that undo one row, in the files of its slot.
func (t *tracer) undoing(ctx context.Context, of *TraceRow) error {
	slots, err := t.slots(ctx, of.Day)
	if err != nil {
		return err
	}
	want := txn.FieldsOf(txn.KindField, txn.TID, txn.Batch, txn.STAN, txn.OrigSTAN, txn.OrigRRN, txn.OrigOrder, txn.OrigChannelTxnID)
	for i := range slots {
		s := &slots[i]
		if s.Source != of.Source {
			continue
		}
		for n, f := range s.Files {
			if f.SHA256 != of.At.SHA256 {
				continue
			}
			f.ID = uint32(n)
			var at []txn.Position
			var fields []string
			err := t.visit(s, f, want, func(row *txn.Row) bool {
				if by := undoes(row, of.Row); by != "" && len(at) < maxHits {
					at, fields = append(at, row.Pos), append(fields, by)
				}
				return true
			})
			if err != nil {
				continue // the search for the key has noted it
			}
			rows, err := t.full(s, f, of.Day, at, fields)
			if err != nil {
				return err
			}
			for _, r := range rows {
				t.out.Items = append(t.out.Items, &TracedItem{Rows: []*TraceRow{r}})
			}
		}
	}
	return nil
}

// undoes names the field by which a row says that it undoes another one; empty where it does not.
func undoes(row, of *txn.Row) string {
	switch row.Kind {
	case txn.Void, txn.Reversal, txn.Refund:
	default:
		return ""
	}
	same := func(f, orig txn.Field) bool {
		v := row.Get(orig)
		return !txn.Blank(v) && bytes.Equal(txn.TrimZeros(v), txn.TrimZeros(of.Get(f)))
	}
	terminal := bytes.Equal(row.Get(txn.TID), of.Get(txn.TID)) && bytes.Equal(row.Get(txn.Batch), of.Get(txn.Batch))
	switch {
	case same(txn.RRN, txn.OrigRRN):
		return txn.OrigRRN.String()
	case same(txn.OrderNo, txn.OrigOrder):
		return txn.OrigOrder.String()
	case same(txn.ChannelTxnID, txn.OrigChannelTxnID):
		return txn.OrigChannelTxnID.String()
	case terminal && same(txn.STAN, txn.OrigSTAN):
		return txn.OrigSTAN.String()
	case terminal && row.Kind == txn.Reversal && same(txn.STAN, txn.STAN): // a reversal repeats its original's number
		return txn.STAN.String()
	}
	return ""
}

// credited adds the bank lines that books show under the payout id asked for: a second credit, for one.
func (t *tracer) credited(ctx context.Context, date txn.Date) error {
	for d := t.out.First; d <= t.last; d++ {
		if _, ran := t.runs[d]; !ran || date != 0 && d != date {
			continue
		}
		items, err := t.items(ctx, d)
		if err != nil {
			return err
		}
		for i := range items {
			if it := &items[i]; it.PayoutID != t.key || it.BankRef == "" || it.FirstSeen != d {
				continue
			}
			rec, err := t.recall(ctx, d)
			if err != nil || rec == nil {
				return err
			}
			if err := t.creditRows(rec); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

func (t *tracer) creditRows(rec *recalled) error {
	for i := range rec.outcome.Lines {
		l := &rec.outcome.Lines[i]
		if l.PayoutID != t.key || l.Row == nil || l.Row.Side != txn.Bank || l.Leg != reconcile.LegAB {
			continue
		}
		r, err := t.place(rec, l.At, l.Row)
		if err != nil {
			return err
		}
		r.Field = txn.PayoutID.String()
		t.out.Items = append(t.out.Items, &TracedItem{Rows: []*TraceRow{r}})
	}
	return nil
}
