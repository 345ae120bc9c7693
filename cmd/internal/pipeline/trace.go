package pipeline

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"

	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// A trace answers "where is the money of this transaction?" in two steps. First it finds the rows that carry the key:
// the match ledgers and the stored exceptions name the days to look at, else every day's files are read, with only the
// identifying fields. Then it follows each row through the days, computing them again without changing anything, until
// nothing of it is open: partner, payout, bank credit, cases.

// TraceRow is one row of evidence of a traced item.
type TraceRow struct {
	Source   string
	Acquirer string
	Day      txn.Date // business date on which the row entered
	At       reconcile.Ref
	Field    string // the field that holds the key; empty for a row found by its partner or case
	Row      *txn.Row
	Pays     bool

	pos    txn.Position // by number in the day's list of files; only where known
	hasPos bool
}

func (r *TraceRow) id() rowID { return idOf(r.At, r.Row) }

// rowID names a row across days. A line may hold two rows of different kinds.
type rowID struct {
	sha  string
	line int
	kind txn.Kind
}

func idOf(at reconcile.Ref, row *txn.Row) rowID {
	id := rowID{sha: at.SHA256, line: at.Line}
	if row != nil {
		id.kind = row.Kind
	}
	return id
}

// traceFields are where a key is looked for, in the order in which a row says which one it was.
var traceFields = [...]txn.Field{txn.RRN, txn.OrderNo, txn.ChannelTxnID, txn.RefundID, txn.STAN, txn.AuthCode, txn.PayoutID, txn.BankRef,
	txn.EndToEnd, txn.ARN, txn.AcquirerRef, txn.OrigOrder, txn.OrigRRN, txn.OrigChannelTxnID}

// TraceFields names the fields in which a key is looked for.
func TraceFields() []string {
	out := make([]string, len(traceFields))
	for i, f := range traceFields {
		out[i] = f.String()
	}
	return out
}

// maxHits is how many rows of one key are followed; a key with more is no identifier.
const maxHits = 100

// Trace is all that was found about a key.
type Trace struct {
	Key       string
	Items     []*TracedItem
	Days      []txn.Date // that have files and whose files were read for the key
	First     txn.Date   // of the days that are known at all
	Last      txn.Date
	Truncated bool     // more rows hold the key than are followed
	Notes     []string // files that could not be read to their end
}

// tracer keeps what one trace opens and computes.
type tracer struct {
	e     *Engine
	key   string
	runs  map[txn.Date]store.Run
	last  txn.Date // newest date that was run
	open  *deliveries
	cache map[txn.Date]*recalled
	carry map[txn.Date]sifted
	words [][]byte // that carries are read for
	whole bool     // they are read whole
	slot  map[txn.Date][]Slot
	lines map[txn.Date][]store.Item // of the newest book
	books map[txn.Date]*LedgerReader
	anew  bool            // days are always computed again, whatever is stored of them
	cases map[string]bool // case ids asked for, aliases included
	out   *Trace
}

// newTracer starts a trace of a key.
func newTracer(e *Engine, key string) *tracer {
	t := &tracer{e: e, key: key, runs: map[txn.Date]store.Run{}, open: e.deliveries(), cache: map[txn.Date]*recalled{},
		carry: map[txn.Date]sifted{}, slot: map[txn.Date][]Slot{}, lines: map[txn.Date][]store.Item{}, books: map[txn.Date]*LedgerReader{},
		cases: map[string]bool{}, out: &Trace{Key: key}}
	t.lookForKey()
	return t
}

// Trace looks for a key on one date, or on all where date is 0. A key that only zeros, blanks or signs make is refused.
func (e *Engine) Trace(ctx context.Context, key string, date txn.Date) (*Trace, error) {
	key = strings.TrimSpace(key)
	if txn.Blank([]byte(key)) {
		return nil, ErrBlankKey
	}
	t := newTracer(e, key)
	err := t.trace(ctx, date)
	if err = errors.Join(err, t.close()); err != nil {
		return nil, err
	}
	return t.out, nil
}

// close lets go of the files that were opened.
func (t *tracer) close() error {
	errs := []error{t.open.Close()}
	for _, r := range t.books {
		if r != nil {
			errs = append(errs, r.Close())
		}
	}
	return errors.Join(errs...)
}

// ErrBlankKey is a key that stands for "nothing" in too many files.
var ErrBlankKey = errors.New("a key of zeros and signs alone identifies nothing")

func (t *tracer) trace(ctx context.Context, date txn.Date) error {
	if err := t.span(ctx); err != nil {
		return err
	}
	if err := t.byCase(ctx, date); err != nil {
		return err
	}
	if len(t.out.Items) == 0 {
		days := []txn.Date{date}
		if date == 0 {
			var err error
			if days, err = t.known(ctx); err != nil {
				return err
			}
		}
		if err := t.scan(ctx, days); err != nil {
			return err
		}
		if date != 0 || len(days) < int(t.out.Last-t.out.First)+1 { // where all was searched, no payout has the key
			if err := t.byPayout(ctx, days); err != nil {
				return err
			}
		}
		if err := t.credited(ctx, date); err != nil {
			return err
		}
	}
	done := 0
	for step := 0; step < 2; step++ { // what was found, then what undoes it
		t.out.Items = t.merge(t.out.Items)
		for _, it := range t.out.Items[done:] {
			if err := t.follow(ctx, it); err != nil {
				return err
			}
		}
		t.out.Items = t.merge(t.out.Items)
		if done = len(t.out.Items); step > 0 {
			break
		}
		if err := t.related(ctx); err != nil {
			return err
		}
	}
	slices.SortStableFunc(t.out.Items, func(a, b *TracedItem) int { return int(a.first() - b.first()) })
	return nil
}

// span finds the days that are known.
func (t *tracer) span(ctx context.Context) error {
	runs, err := t.e.DB.Runs(ctx)
	if err != nil {
		return err
	}
	for _, r := range runs {
		t.runs[r.Date], t.last = r, max(t.last, r.Date)
	}
	first, ok, err := t.e.DB.FirstDate(ctx)
	if err != nil {
		return err
	}
	if !ok {
		first = t.last
	}
	if len(runs) > 0 {
		first = min(first, runs[0].Date)
	}
	t.out.First, t.out.Last = first, max(t.last, txn.DateOf(t.e.Now().In(t.e.Config.Location())))
	return nil
}

// known names the days on which the ledgers and the stored exceptions know the key; all days where they know nothing.
func (t *tracer) known(ctx context.Context) ([]txn.Date, error) {
	found := map[txn.Date]bool{}
	for d := range t.runs {
		days, err := t.inLedger(ctx, d)
		if err != nil {
			return nil, err
		}
		for _, x := range days {
			found[x] = true
		}
		items, err := t.items(ctx, d)
		if err != nil {
			return nil, err
		}
		for i := range items {
			if it := &items[i]; t.is(txn.RRN, it.RRN) || t.is(txn.OrderNo, it.OrderNo) {
				found[d], found[it.FirstSeen] = true, true
			}
		}
	}
	delete(found, 0)
	var out []txn.Date
	for d := t.out.First; d <= t.out.Last; d++ {
		if len(found) == 0 || found[d] {
			out = append(out, d)
		}
	}
	return out, nil
}

// inLedger returns the day if its ledger has the key, with the day on which a carried row of that entry came.
func (t *tracer) inLedger(ctx context.Context, d txn.Date) ([]txn.Date, error) {
	r, err := t.ledger(d)
	if r == nil || err != nil {
		return nil, err
	}
	entries, err := r.Find(t.key)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	files := r.Files()
	out := []txn.Date{d}
	carry, err := t.carried(ctx, d-1)
	if err != nil || carry == nil {
		return out, err
	}
	for _, e := range entries {
		for i := range carry.Items {
			if c := &carry.Items[i]; c.At.SHA256 == files[e.Row.File].SHA256 && standsAt(c.At, e.Row) {
				out = append(out, c.Seen)
			}
		}
	}
	return out, nil
}

// is compares a value with the key: RRN and STAN without leading zeros, the auth code in either case.
func (t *tracer) is(f txn.Field, v string) bool {
	switch {
	case v == "":
		return false
	case v == t.key:
		return true
	case f == txn.RRN || f == txn.STAN || f == txn.OrigRRN:
		return bytes.Equal(txn.TrimZeros([]byte(v)), txn.TrimZeros([]byte(t.key)))
	case f == txn.AuthCode:
		return strings.EqualFold(v, t.key)
	}
	return false
}

// scan reads the files of the days for rows that hold the key.
func (t *tracer) scan(ctx context.Context, days []txn.Date) error {
	want := txn.FieldsOf(traceFields[:]...) | txn.FieldsOf(txn.Account, txn.BookingDateField)
	for _, d := range days {
		slots, err := t.slots(ctx, d)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(slots, func(s Slot) bool { return len(s.Files) > 0 }) {
			t.out.Days = append(t.out.Days, d)
		}
		n := uint32(0)
		for i := range slots {
			s := &slots[i]
			for _, f := range s.Files {
				if err := ctx.Err(); err != nil {
					return err
				}
				f.ID = n
				n++
				if !t.mayHold(f) {
					continue
				}
				hits, err := t.search(s, f, want, d)
				if err != nil {
					return err
				}
				for _, h := range hits {
					t.out.Items = append(t.out.Items, &TracedItem{Rows: []*TraceRow{h}})
				}
				if t.out.Truncated {
					return nil
				}
			}
		}
	}
	return nil
}

// openSlots opens the files of a day as its newest run saw them, or as they are now.
func (t *tracer) openSlots(ctx context.Context, d txn.Date) ([]Slot, error) {
	asOf := t.e.Now()
	if r, ok := t.runs[d]; ok {
		asOf = r.AsOf
	}
	states, err := t.e.Slots(ctx, d, asOf)
	if err != nil {
		return nil, err
	}
	return t.e.inputs(ctx, states, t.open)
}

// slots are those of openSlots, opened once: for whatever does not change them.
func (t *tracer) slots(ctx context.Context, d txn.Date) ([]Slot, error) {
	if s, ok := t.slot[d]; ok {
		return s, nil
	}
	s, err := t.openSlots(ctx, d)
	if err == nil {
		t.slot[d] = s
	}
	return s, err
}
