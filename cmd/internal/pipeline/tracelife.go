package pipeline

import (
	"context"
	"errors"
	"slices"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// TracedItem is one transaction, payout, bank line or file-level case with all that the days say about it.
type TracedItem struct {
	Rows    []*TraceRow
	Matched *TraceMatch
	Payouts []*TracePayout
	Lines   []TraceLine // newest wording of each (case, class)
	Days    []TraceDay

	reach txn.Date // newest day that was looked at
	exact bool     // every line is to be read where it stands, none from a later book
}

// TraceMatch says by which pass, and in which day's book, the item's two rows were joined on leg T-A.
type TraceMatch struct {
	Date txn.Date
	Pass string
}

// TracePayout is a payout of the item as the newest day shows it.
type TracePayout struct {
	Date txn.Date
	reconcile.Proof
	Certain bool     // false where several payouts fit the row and none can be told apart
	Shared  []string // the other payouts that the same credit pays
}

// TraceLine is a line of a day's book.
type TraceLine struct {
	Date txn.Date
	*reconcile.Line
}

// TraceDay says where the item stood on one leg at the close of a date. A state that did not change is not repeated:
// Until is the last date for which it held.
type TraceDay struct {
	Date, Until txn.Date
	Leg         reconcile.Leg
	State       reconcile.State
	Reason      reconcile.Reason
	Class       reconcile.Class
	Pass        string
	At          reconcile.Ref // of the row meant, where the leg has more than one open
}

func (it *TracedItem) first() txn.Date {
	first := txn.Date(0)
	for _, r := range it.Rows {
		if first == 0 || r.Day < first {
			first = r.Day
		}
	}
	for _, p := range it.Payouts {
		if first == 0 {
			first = p.From
		}
	}
	for _, l := range it.Lines {
		if first == 0 {
			first = l.FirstSeen
		}
	}
	return first
}

func (it *TracedItem) newestRow() txn.Date {
	d := txn.Date(0)
	for _, r := range it.Rows {
		d = max(d, r.Day)
	}
	return d
}

func (it *TracedItem) has(id rowID) bool {
	return slices.ContainsFunc(it.Rows, func(r *TraceRow) bool { return r.id() == id })
}

// merge joins items that share a row: both rows of a pair may hold the key.
func (t *tracer) merge(items []*TracedItem) []*TracedItem {
	var out []*TracedItem
	for _, it := range items {
		i := slices.IndexFunc(out, func(o *TracedItem) bool {
			return slices.ContainsFunc(it.Rows, func(r *TraceRow) bool { return o.has(r.id()) })
		})
		if i < 0 {
			out = append(out, it)
			continue
		}
		for _, r := range it.Rows {
			if n := slices.IndexFunc(out[i].Rows, func(o *TraceRow) bool { return o.id() == r.id() }); n < 0 {
				out[i].Rows = append(out[i].Rows, r)
			} else if out[i].Rows[n].Field == "" {
				out[i].Rows[n].Field = r.Field
			}
		}
	}
	return out
}

// place makes a trace row of a row that a book shows: of the day's own files, or carried in.
func (t *tracer) place(rec *recalled, at reconcile.Ref, row *txn.Row) (*TraceRow, error) {
	for i := range rec.slots {
		s := &rec.slots[i]
		for _, f := range s.Files {
			if f.SHA256 != at.SHA256 {
				continue
			}
			r := &TraceRow{Source: s.Source, Acquirer: s.Acquirer, Day: rec.date, At: at, Row: row, Pays: s.Pays}
			if at.Offset > 0 || at.Line == 1 {
				r.pos, r.hasPos = txn.Position{File: f.ID, Offset: at.Offset, Entry: at.Entry}, true
				return r, nil
			}
			pos, ok, err := t.position(s, f, at.Line, row.Kind)
			r.pos, r.hasPos = pos, ok
			return r, err
		}
	}
	if rec.in != nil {
		for i := range rec.in.Items {
			if c := &rec.in.Items[i]; idOf(c.At, c.Row) == idOf(at, row) {
				return carriedTrace(c), nil
			}
		}
	}
	return &TraceRow{Day: rec.date, At: at, Row: row}, nil
}

func carriedTrace(c *reconcile.CarriedItem) *TraceRow {
	return &TraceRow{Source: c.Source, Acquirer: c.Acquirer, Day: c.Seen, At: c.At, Row: c.Row, Pays: c.Pays}
}

// position finds the row that begins on a line.
func (t *tracer) position(s *Slot, f *File, line int, kind txn.Kind) (pos txn.Position, ok bool, err error) {
	loc, err := f.open(txn.FieldsOf(txn.KindField))
	if err != nil {
		return pos, false, err
	}
	var failed error
	err = t.visit(s, f, txn.FieldsOf(txn.KindField, txn.Account, txn.BookingDateField), func(row *txn.Row) bool {
		n, _, err := loc.Locate(row.Pos.Offset)
		if err != nil {
			failed = err
			return false
		}
		if n == line && row.Kind == kind {
			pos, ok = row.Pos, true
		}
		return n <= line && !ok
	})
	return pos, ok, errors.Join(failed, err)
}

// follow walks the item through the days from its first row until nothing of it is open. A partner that came on an
// earlier day starts the walk again from there.
func (t *tracer) follow(ctx context.Context, it *TracedItem) error {
	rows, lines, payouts := slices.Clone(it.Rows), slices.Clone(it.Lines), slices.Clone(it.Payouts)
	if err := t.walk(ctx, it); err != nil || !it.promised() {
		return err
	}
	it.Rows, it.Lines, it.Payouts, it.exact = rows, lines, payouts, true // a promised line never came
	return t.walk(ctx, it)
}

func (t *tracer) walk(ctx context.Context, it *TracedItem) error {
	for {
		from := it.first()
		it.Days, it.Matched, it.reach = nil, nil, 0
		for d := from; d <= max(t.last, it.newestRow()) && d != 0; d++ {
			open, err := t.day(ctx, it, d)
			if err != nil {
				return err
			}
			it.reach = d
			if it.first() < from || !open && d >= it.newestRow() {
				break
			}
		}
		if it.first() >= from {
			return nil
		}
	}
}

// day adds what one date says about the item and reports whether anything of it is open after it.
func (t *tracer) day(ctx context.Context, it *TracedItem, d txn.Date) (open bool, err error) {
	if _, ran := t.runs[d]; !ran {
		return true, nil
	}
	same, err := t.unchanged(ctx, it, d)
	if err != nil {
		return true, err
	}
	if same {
		for i := range it.Days {
			if it.Days[i].Until == d-1 && (it.Days[i].State == reconcile.InWindow || it.Days[i].State == reconcile.Exception) {
				it.Days[i].Until = d
			}
		}
		if d < t.last {
			return true, nil
		}
	}
	rec, err := t.fromBooks(ctx, it, d)
	if err == nil && rec == nil {
		rec, err = t.recall(ctx, d)
	}
	if err != nil {
		return true, err
	}
	if err := t.pairs(it, rec); err != nil {
		return true, err
	}
	for i := range rec.outcome.Lines {
		l := &rec.outcome.Lines[i]
		if it.has(idOf(l.At, l.Row)) && l.Row != nil || it.has(idOf(l.OtherAt, l.Other2)) && l.Other2 != nil || t.cases[l.CaseID] {
			it.line(d, l)
		}
	}
	openTA := t.legTA(it, rec)
	openAB := t.legAB(it, rec)
	return openTA || openAB, nil
}

// unchanged reports whether the stored carries of the day and of the day before say the same about the item, and no row
// of it is of the day: then the day need not be computed to know where the item stands.
func (t *tracer) unchanged(ctx context.Context, it *TracedItem, d txn.Date) (bool, error) {
	if d <= it.newestRow() || it.reach != d-1 {
		return false, nil
	}
	for _, r := range it.Rows {
		t.lookFor(r.Row)
	}
	before, err := t.carried(ctx, d-1)
	if err != nil || before == nil {
		return false, err
	}
	after, err := t.carried(ctx, d)
	if err != nil || after == nil {
		return false, err
	}
	a, b := it.standing(before), it.standing(after)
	return len(a) > 0 && slices.Equal(a, b), nil
}

// standing is what a carry says about the item, in a form to compare.
func (it *TracedItem) standing(c *reconcile.Carry) []string {
	var out []string
	for i := range c.Items {
		if x := &c.Items[i]; it.has(idOf(x.At, x.Row)) {
			out = append(out, x.Key+" "+string(x.Leg)+" "+string(x.State)+" "+string(x.Class))
		}
	}
	for i := range c.Payouts {
		x := &c.Payouts[i]
		for _, p := range it.Payouts {
			if p.Acquirer == x.Acquirer && p.PayoutID == x.ID && p.MID == x.MID && p.Channel == x.Channel && p.From == x.Date {
				out = append(out, x.CaseID+" "+string(x.Class)+" "+x.CreditKey)
			}
		}
	}
	return out
}

// pairs adds the partners that the day found for the item's rows.
func (t *tracer) pairs(it *TracedItem, rec *recalled) error {
	for _, r := range slices.Clone(it.Rows) {
		if rec.stored != nil {
			if p, ok := rec.stored[r.id()]; ok {
				it.pair(rec.date, p.pass, p.partner)
			}
			continue
		}
		m, ok := rec.carried[carriedRow{r.At.SHA256, r.At.Line}]
		if r.Day == rec.date && r.hasPos {
			m, ok = rec.today[t.today(rec, r)]
		}
		if !ok || r.Row.Side == txn.Bank {
			continue
		}
		p, err := t.partner(rec, m)
		if err != nil {
			return err
		}
		it.pair(rec.date, m.Pass, p)
	}
	return nil
}

// pair notes that a day joined one of the item's rows to another. A pair whose difference stays open is found again
// every day.
func (it *TracedItem) pair(d txn.Date, pass string, partner *TraceRow) {
	if it.Matched == nil {
		it.Matched = &TraceMatch{d, pass}
	}
	if partner != nil && !it.has(partner.id()) {
		it.Rows = append(it.Rows, partner)
	}
}

// today is the position of a row in the list of files of the recalled day.
func (t *tracer) today(rec *recalled, r *TraceRow) txn.Position {
	for n, f := range rec.files {
		if f.SHA256 == r.At.SHA256 {
			return txn.Position{File: uint32(n), Entry: r.pos.Entry, Offset: r.pos.Offset}
		}
	}
	return txn.Position{File: ^uint32(0)}
}

func (t *tracer) partner(rec *recalled, m reconcile.Match) (*TraceRow, error) {
	if m.PartnerCarry {
		for i := range rec.in.Items {
			if c := &rec.in.Items[i]; c.At.SHA256 == m.PartnerAt.SHA256 && c.At.Line == m.PartnerAt.Line {
				return carriedTrace(c), nil
			}
		}
		return nil, nil
	}
	for i := range rec.slots {
		s := &rec.slots[i]
		for _, f := range s.Files {
			if f.ID == m.Partner.File {
				rows, err := t.full(s, f, rec.date, []txn.Position{m.Partner}, nil)
				if err != nil {
					return nil, err
				}
				return rows[0], nil
			}
		}
	}
	return nil, nil
}
