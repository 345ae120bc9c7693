package pipeline

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// To compute a day again takes a second or more. What a day left behind tells most of it: the ledger who was matched with
// whom, the carries what was open before and after, the stored lines of its book whether there is anything else to say.
// Only where these do not tell is the day computed again; so the answers are the same, whichever way they are found.

// storedPair is a partner that the ledger of a day gives a row.
type storedPair struct {
	pass    string
	partner *TraceRow
}

// fromBooks puts together what a day says about an item from what is stored of the day; nil where that does not do.
func (t *tracer) fromBooks(ctx context.Context, it *TracedItem, d txn.Date) (*recalled, error) {
	if t.anew || t.cache[d] != nil {
		return nil, nil
	}
	rec := &recalled{date: d, outcome: &reconcile.Outcome{}, stored: map[rowID]storedPair{}}
	rows, err := t.storedPairs(ctx, it, rec)
	if err != nil || rows == nil {
		return nil, err
	}
	if rec.in, err = t.carried(ctx, d-1); err != nil {
		return nil, err
	}
	if rec.out, err = t.carried(ctx, d); err != nil || rec.out == nil || len(rec.out.Closed) > 0 {
		return nil, err
	}
	items, err := t.items(ctx, d)
	if err != nil {
		return nil, err
	}
	if ok := t.storedPayouts(it, rows, rec, items); !ok {
		return nil, nil
	}
	promised, err := t.said(ctx, it, rows, d, items)
	if err != nil || promised == nil {
		return nil, err
	}
	it.Lines = append(it.Lines, promised...)
	return rec, nil
}

// storedPairs finds the partners of the item's rows in the day's ledger and returns all rows of the item then; nil where
// the ledger does not tell.
func (t *tracer) storedPairs(ctx context.Context, it *TracedItem, rec *recalled) ([]*TraceRow, error) {
	ledger, err := t.ledger(rec.date)
	if ledger == nil || err != nil {
		return nil, err
	}
	if slices.ContainsFunc(ledger.Files(), func(f LedgerFile) bool { return f.Source == "" }) {
		return nil, nil // written by an older program
	}
	rows := slices.Clone(it.Rows)
	for i := 0; i < len(rows); i++ {
		r := rows[i]
		if r.Day > rec.date {
			continue
		}
		if r.Row.Side == txn.Bank || !r.Row.Kind.Transaction() {
			return nil, nil
		}
		t.lookFor(r.Row)
		if rec.in, err = t.carried(ctx, rec.date-1); err != nil {
			return nil, err
		}
		if r.Day < rec.date && carriedAs(rec.in, r) == nil {
			continue
		}
		e, ok, err := t.entryOf(ledger, r, rec.date)
		if err != nil || !ok {
			return nil, err
		}
		if e == nil {
			continue
		}
		p, err := t.storedPartner(ctx, ledger, e, rec)
		if err != nil || p == nil {
			return nil, err
		}
		rec.stored[r.id()] = storedPair{e.Pass, p}
		if !slices.ContainsFunc(rows, func(o *TraceRow) bool { return o.id() == p.id() }) {
			rows = append(rows, p)
		}
	}
	return rows, nil
}

// entryOf finds the row's own entry in a ledger; nil where the day did not match it. ok is false where the ledger cannot
// know: it has rows by these identifiers only.
func (t *tracer) entryOf(ledger *LedgerReader, r *TraceRow, d txn.Date) (e *LedgerEntry, ok bool, err error) {
	files := ledger.Files()
	if r.Day == d && !slices.ContainsFunc(files, func(f LedgerFile) bool { return f.SHA256 == r.At.SHA256 }) {
		return nil, false, nil // the day was run with another file
	}
	at := r.At
	if r.hasPos {
		at.Offset, at.Entry = r.pos.Offset, r.pos.Entry
	} else if at.Offset == 0 && at.Line != 1 {
		return nil, false, nil
	}
	for _, f := range [...]txn.Field{txn.RRN, txn.OrderNo, txn.ChannelTxnID} {
		id := r.Row.Get(f)
		if txn.Blank(id) {
			continue
		}
		ok = true
		found, err := ledger.Find(string(id))
		if err != nil {
			return nil, false, err
		}
		for i := range found {
			if e := &found[i]; files[e.Row.File].SHA256 == at.SHA256 && standsAt(at, e.Row) {
				return e, true, nil
			}
		}
	}
	return nil, ok, nil
}

// standsAt reports whether a position in a ledger is that of a row whose file is the same.
func standsAt(at reconcile.Ref, p txn.Position) bool {
	if p.Offset < 0 {
		return int64(at.Line) == -p.Offset
	}
	return (at.Offset != 0 || at.Line == 1) && at.Offset == p.Offset && at.Entry == p.Entry
}

// storedPartner reads the partner that a ledger's entry names: a row of the day, or one that was carried in.
func (t *tracer) storedPartner(ctx context.Context, ledger *LedgerReader, e *LedgerEntry, rec *recalled) (*TraceRow, error) {
	sha := ledger.Files()[e.Partner.File].SHA256
	if rec.in != nil {
		for i := range rec.in.Items {
			if c := &rec.in.Items[i]; c.At.SHA256 == sha && standsAt(c.At, e.Partner) && c.Leg == reconcile.LegTA {
				return carriedTrace(c), nil
			}
		}
	}
	if e.Partner.Offset < 0 {
		return nil, nil
	}
	slots, err := t.slots(ctx, rec.date)
	if err != nil {
		return nil, err
	}
	for i := range slots {
		s := &slots[i]
		for _, f := range s.Files {
			if f.SHA256 != sha {
				continue
			}
			rows, err := t.full(s, f, rec.date, []txn.Position{{File: f.ID, Offset: e.Partner.Offset, Entry: e.Partner.Entry}}, nil)
			if err != nil {
				return nil, err
			}
			return rows[0], nil
		}
	}
	return nil, nil
}

// storedPayouts puts the open payouts of the day into the outcome and reports whether all that concern the item are plainly
// waiting. What became of a payout that is not, only the day's own computation shows.
func (t *tracer) storedPayouts(it *TracedItem, rows []*TraceRow, rec *recalled, items []store.Item) bool {
	waiting := map[string]bool{} // by case
	for i := range rec.out.Payouts {
		p := &rec.out.Payouts[i]
		proof, line, ok := waitingPayout(p, rec.date, items)
		rec.outcome.Proofs = append(rec.outcome.Proofs, proof)
		if ok {
			waiting[p.CaseID] = true
			rec.outcome.Lines = append(rec.outcome.Lines, line)
		}
	}
	for _, r := range rows {
		if r.Row.Side != txn.Acquirer || r.Day != rec.date || !r.Pays {
			continue
		}
		fit := t.proofsOf(r, rec)
		if len(fit) != 1 || !waiting[fit[0].CaseID] || settledToday(&fit[0], rec, items) {
			return false
		}
	}
	for _, p := range it.Payouts {
		is := func(q *reconcile.Proof) bool { return samePayout(&p.Proof, q) }
		if i := slices.IndexFunc(rec.outcome.Proofs, func(q reconcile.Proof) bool { return is(&q) }); i >= 0 {
			if !waiting[rec.outcome.Proofs[i].CaseID] {
				return false
			}
			continue
		}
		if rec.in == nil {
			return false
		}
		for i := range rec.in.Payouts {
			if proof := proofOfCarried(&rec.in.Payouts[i]); is(&proof) {
				return false
			}
		}
	}
	return true
}

// settledToday reports whether another payout of the same merchant and business date may have been settled on the day
// itself, so that no carry has it: the row could be part of that one.
func settledToday(p *reconcile.Proof, rec *recalled, items []store.Item) bool {
	if p.PayoutID != "" {
		return false // the row names it
	}
	if p.Basis != "derived" {
		return true
	}
	for i := range rec.out.Paid {
		if x := &rec.out.Paid[i]; x.MID == p.MID && x.Date == p.From {
			return true
		}
	}
	return slices.ContainsFunc(items, func(x store.Item) bool {
		return x.Class == string(reconcile.P08) && x.MID == p.MID && x.SettleDate == p.From
	})
}

func proofOfCarried(p *reconcile.CarriedPayout) reconcile.Proof {
	cur, _ := txn.ParseCurrency(p.Currency)
	q := reconcile.Proof{PayoutID: p.ID, Acquirer: p.Acquirer, MID: p.MID, Channel: p.Channel, Basis: string(p.Basis), Currency: cur,
		From: p.Date, To: p.Date, Rows: p.Rows, Sales: p.Sales, Refunds: p.Refunds, Fees: p.Fees, Adjust: p.Adjust, Reserve: p.Reserve,
		Due: p.Due, DueNote: p.DueNote, Account: p.Account, CaseID: p.CaseID}
	for _, part := range p.Parts {
		if part.Member != "" && !slices.Contains(q.Members, part.Member) {
			q.Members = append(q.Members, part.Member)
		}
	}
	return q
}

// waitingPayout is what a book says of a payout that is not due yet, and whether that is all that this one said of it.
func waitingPayout(p *reconcile.CarriedPayout, d txn.Date, items []store.Item) (reconcile.Proof, reconcile.Line, bool) {
	q := proofOfCarried(p)
	if p.Class != reconcile.B01 || p.Due <= d && !p.NoDue {
		return q, reconcile.Line{}, false
	}
	var said *store.Item
	for i := range items {
		if x := &items[i]; x.CaseID == p.CaseID {
			if said != nil || x.Class != string(reconcile.B01) || !x.Amount.Valid {
				return q, reconcile.Line{}, false
			}
			said = x
		}
	}
	if said == nil {
		return q, reconcile.Line{}, false
	}
	q.State, q.Reason, q.Expected = reconcile.InWindow, reconcile.NotDue, said.Amount.Int64
	return q, reconcile.Line{CaseID: p.CaseID, Class: reconcile.B01, Status: said.Status, Lifecycle: reconcile.Lifecycle(said.Lifecycle),
		AgeDays: said.AgeDays, FirstSeen: said.FirstSeen, Leg: reconcile.LegAB, Source: said.Source, Acquirer: p.Acquirer, MID: p.MID,
		Channel: p.Channel, Kind: said.Kind, Rows: said.Rows, Amount: reconcile.Some(said.Amount.Int64), Fee: p.Fees, HasFee: true,
		Currency: q.Currency, SettleDate: p.Date, DueDate: p.Due, DueNote: p.DueNote, PayoutID: p.ID, Detail: string(p.Basis)}, true
}

// said looks through the stored lines of a day's book for those about the rows or cases. A line that the newest book has
// again, in newer words, is promised: its place among the item's lines is kept for it. nil where any other line is: its
// words are not stored in full.
func (t *tracer) said(ctx context.Context, it *TracedItem, rows []*TraceRow, d txn.Date, items []store.Item) ([]TraceLine, error) {
	last, err := t.items(ctx, t.last)
	if err != nil {
		return nil, err
	}
	promised := []TraceLine{}
	for i := range items {
		x := &items[i]
		if !t.cases[x.CaseID] && !speaksOf(x, rows) {
			continue
		}
		again := slices.ContainsFunc(last, func(o store.Item) bool {
			return o.CaseID == x.CaseID && o.Class == x.Class && isOf(&o, rows)
		})
		if it.exact || d >= t.last || !again || x.Class == string(reconcile.T10) {
			return nil, nil
		}
		if !slices.ContainsFunc(it.Lines, func(o TraceLine) bool { return o.CaseID == x.CaseID && string(o.Class) == x.Class }) {
			promised = append(promised, TraceLine{d, &reconcile.Line{CaseID: x.CaseID, Class: reconcile.Class(x.Class), Status: linePromised}})
		}
	}
	return promised, nil
}

// linePromised is the status of a line that a later day is to fill.
const linePromised = "promised"

// speaksOf reports whether a stored line shows one of the rows.
func speaksOf(x *store.Item, rows []*TraceRow) bool {
	return isOf(x, rows) || slices.ContainsFunc(rows, func(r *TraceRow) bool { return x.OtherLine == r.At.Line && x.OtherFile == r.At.String() })
}

// isOf reports whether a stored line is that of one of the rows: then the row is open, and followed as long as the line is
// written.
func isOf(x *store.Item, rows []*TraceRow) bool {
	return slices.ContainsFunc(rows, func(r *TraceRow) bool { return x.Line == r.At.Line && x.File == r.At.String() })
}

// promised reports whether lines were kept a place that no day has filled.
func (it *TracedItem) promised() bool {
	return slices.ContainsFunc(it.Lines, func(l TraceLine) bool { return l.Status == linePromised })
}

// items are the stored lines of a day's newest book.
func (t *tracer) items(ctx context.Context, d txn.Date) ([]store.Item, error) {
	if x, ok := t.lines[d]; ok {
		return x, nil
	}
	x, err := t.e.DB.Items(ctx, d, t.runs[d].N)
	if err == nil {
		t.lines[d] = x
	}
	return x, err
}

// ledger opens the ledger of a day's newest book; nil where there is none.
func (t *tracer) ledger(d txn.Date) (*LedgerReader, error) {
	if r, ok := t.books[d]; ok {
		return r, nil
	}
	t.books[d] = nil
	folder, rev, err := t.e.latest(d)
	if err != nil || rev != t.runs[d].Revision {
		return nil, nil // not issued yet; what it would say is found in the day's files
	}
	r, err := OpenLedger(t.e.Disk, folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		t.books[d] = r
	}
	return r, err
}
