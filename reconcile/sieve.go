package reconcile

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/cespare/xxhash/v2"

	"daozhang/parsers/txn"
	"daozhang/reconcile/fee"
	"daozhang/reconcile/join"
)

// Sieve takes the rows of big slots in short form, from several goroutines, and settles the pairs about which there is
// nothing to say; see package join. What stays in it goes to the day row by row, through Rest, and is judged like all
// other rows. The day comes to the same with and without it.
//
// Use: Day.Sieve after Carry and AddSlot; Writer.Add side by side; Register for each of its slots, in the order of slots,
// among the Adds of the others; then Shake once, and Rest for each row that it names.
type Sieve struct {
	d       *Day
	engine  *join.Engine
	writers []*SieveWriter

	pairs    bool
	gathered bool // all writers are done

	mu     sync.Mutex
	full   bool // there are more facets than a row can name
	facets []*facet
	bySlot map[int][]*facet
	byKey  map[string]*facet
	scopes map[scopeKey]uint32
}

type scopeKey struct {
	mid  symbol
	kind txn.Kind
}

// SieveOptions are the size of a sieve and what is wanted of it.
type SieveOptions struct {
	Writers int                       // goroutines that add rows
	Expect  int64                     // about how many rows the larger side has
	Pairs   bool                      // the plain pairs are wanted one by one: for a ledger
	Memory  int64                     // bytes that rows may take before they go to files; 0: no limit
	File    func() (join.File, error) // opens such a file
}

// Sieve makes a sieve.
func (d *Day) Sieve(o SieveOptions) *Sieve {
	writers := o.Writers
	s := &Sieve{d: d, pairs: o.Pairs, engine: join.New(writers, o.Expect), scopes: map[scopeKey]uint32{}, bySlot: map[int][]*facet{}, byKey: map[string]*facet{}}
	for n := range writers {
		s.writers = append(s.writers, &SieveWriter{s: s, w: s.engine.Writer(n)})
	}
	if o.Memory > 0 {
		s.engine.Limit(o.Memory, o.File)
	}
	d.sieve = s
	return s
}

// CanSift reports whether the rows of a slot may go through a sieve: those of a terminal log or of an acquirer that pays.
// A file for a closed date is compared with the one before, row by row.
func (s *Slot) CanSift() bool {
	return s.Late == nil && !s.Held && (s.Side == txn.Terminal || s.Side == txn.Acquirer && s.Pays && !s.Notices)
}

// Writer is the way in for one goroutine.
func (s *Sieve) Writer(n int) *SieveWriter { return s.writers[n] }

// SieveWriter takes rows from one goroutine.
type SieveWriter struct {
	s       *Sieve
	w       *join.Writer
	seats   seats
	names   []join.Name // what rows that undo others name
	related []uint64    // identifiers of, and named by, rows that are looked at in any case
	traces  []uint64
	several []SiftedRow // second and further rows of a record
	brief   join.Brief
}

// SiftedRow is a row that the day must judge: its slot and where it stands.
type SiftedRow struct {
	Slot int
	Pos  txn.Position
}

// Add takes one row. At is its offset in all files of its side laid end to end. The row's bytes may change after the call.
func (w *SieveWriter) Add(slot int, at int64, r *txn.Row) {
	f := w.seat(slot, r)
	t := &f.seen
	if t.rows == 0 || r.Pos.Compare(t.first) < 0 {
		t.first = r.Pos
	}
	t.add(1, r.Amount, r.Fee)
	b := &w.brief
	*b = join.Brief{Facet: f.number, Offset: at, Amount: r.Amount, Fee: int64(r.Fee)}
	side := join.Acquirer
	if r.Side == txn.Terminal {
		side = join.Terminal
		b.Fee = 0
		if f.clears != nil && f.clears.ClearingDate(r.Time) == f.day+1 {
			b.Next = true
			t.next++
		}
	}
	if r.Kind.Transaction() {
		w.identify(f, r, side, at)
	}
	switch {
	case (r.Amount < 0) != f.undoes && r.Amount != 0, !txn.Blank(r.Get(txn.RefundID)), f.charges != nil && !fee.Right(f.charges, r.Kind, r.Amount, r.Currency, r.Fee):
		b.Apart = true
	}
	if r.Pos.Entry > 0 { // the record's first row has the place
		w.several = append(w.several, SiftedRow{slot, r.Pos})
		w.name(b)
		return
	}
	w.w.Add(side, b)
}

// identify packs the row's identifiers, and notes what it names of other rows.
func (w *SieveWriter) identify(f *seat, r *txn.Row, side join.Side, at int64) {
	b := &w.brief
	if v := r.Get(txn.RRN); !txn.Blank(v) {
		var ok bool
		if b.RRN, ok = join.PackShort(txn.TrimZeros(v)); !ok {
			b.Apart = true
		}
	}
	b.Order = w.long(r.Get(txn.OrderNo))
	b.Channel = w.long(r.Get(txn.ChannelTxnID))
	if b.RRN == 0 && b.Order[0] == 0 || w.s.pairs && (b.Order[0] != 0 || b.Channel[0] != 0) {
		b.Apart = true // an id of the channel alone does not tell the row's key from those of its neighbours
	}
	if v := r.Get(txn.STAN); !txn.Blank(v) {
		b.Digest = trace(f.side, f.mid, f.tid, txn.TrimZeros(v))
	}
	const originals = txn.Fields(1)<<txn.OrigOrder | 1<<txn.OrigRRN | 1<<txn.OrigSTAN | 1<<txn.OrigBatch | 1<<txn.OrigChannelTxnID
	undoes := r.Kind == txn.Void || r.Kind == txn.Refund || r.Kind == txn.Reversal
	if r.Has&originals == 0 && !undoes {
		return
	}
	const plainly = txn.Fields(1)<<txn.OrigRRN | 1<<txn.OrigSTAN
	if f.undoes && r.Has&originals&^plainly == 0 && !b.Apart && b.RRN != 0 && b.Order[0]|b.Channel[0] == 0 && r.Pos.Entry == 0 && w.nameSale(f, r, side, at) {
		return
	}
	b.Apart = true
	w.name(b)
	for _, id := range [...]txn.Field{txn.OrigOrder, txn.OrigChannelTxnID, txn.OrigRRN} {
		if v := r.Get(id); !txn.Blank(v) {
			w.related = appendID(w.related, v)
		}
	}
	if v := r.Get(txn.OrigSTAN); !txn.Blank(v) {
		w.traces = append(w.traces, trace(f.side, f.mid, f.tid, txn.TrimZeros(v)))
	}
	if b.Digest != 0 {
		w.traces = append(w.traces, b.Digest)
	}
}

// nameSale notes by what a refund or void names its sale; false where that is nothing that packs.
func (w *SieveWriter) nameSale(f *seat, r *txn.Row, side join.Side, at int64) bool {
	b := &w.brief
	n := join.Name{Side: side, At: at, Merchant: uint32(f.mid)}
	if v := r.Get(txn.OrigRRN); !txn.Blank(v) {
		var ok bool
		if n.RRN, ok = join.PackShort(txn.TrimZeros(v)); !ok {
			return false
		}
		w.names = append(w.names, n)
	}
	n.RRN = 0
	if v := r.Get(txn.OrigSTAN); !txn.Blank(v) {
		n.Trace = trace(f.side, f.mid, f.tid, txn.TrimZeros(v))
		w.names = append(w.names, n)
	}
	if r.Kind == txn.Void { // it may have the numbers of its sale
		n.Own, n.Trace, n.RRN = true, 0, b.RRN
		w.names = append(w.names, n)
		if b.Digest != 0 {
			n.RRN, n.Trace = 0, b.Digest
			w.names = append(w.names, n)
		}
	}
	return true
}

func (w *SieveWriter) long(v []byte) join.Long {
	if txn.Blank(v) {
		return join.Long{}
	}
	k, ok := join.PackLong(v)
	if !ok {
		w.brief.Apart = true
	}
	return k
}

// name notes the row's own identifiers as concerning others.
func (w *SieveWriter) name(b *join.Brief) {
	if b.RRN != 0 {
		w.related = append(w.related, join.ShardKey([]uint64{b.RRN}))
	}
	for _, k := range [...]*join.Long{&b.Order, &b.Channel} {
		if k[0] != 0 {
			w.related = append(w.related, join.ShardKey(k[:]))
		}
	}
}

// appendID adds the hashes of an identifier in every form in which a row may carry it.
func appendID(to []uint64, id []byte) []uint64 {
	if k, ok := join.PackLong(id); ok {
		to = append(to, join.ShardKey(k[:]))
	}
	if n, ok := join.PackShort(txn.TrimZeros(id)); ok {
		to = append(to, join.ShardKey([]uint64{n}))
	}
	return to
}

// trace is the digest of side, merchant, terminal and STAN, never zero.
func trace(side txn.Side, mid, tid symbol, stan []byte) uint64 {
	n, ok := join.PackShort(stan)
	if !ok {
		n = xxhash.Sum64(stan)
	}
	h := join.Mix(uint64(side)<<56|uint64(mid), uint64(tid))
	return join.Mix(h, n) | 1<<43
}

// scope numbers a merchant and kind: what every key holds beside the identifier.
func (s *Sieve) scope(it *item) uint32 {
	k := scopeKey{it.mid, it.kind}
	n, ok := s.scopes[k]
	if !ok {
		n = uint32(len(s.scopes))
		s.scopes[k] = n
	}
	return n
}

// Register counts the rows of a slot as read, once all files are.
func (s *Sieve) Register(slot int) {
	if !s.gathered {
		s.gather()
	}
	d := s.d
	for _, f := range s.bySlot[slot] { // in the order of their first rows, which is that of currencies
		t := &f.seen
		cur := d.currency(f.currency)
		f.item.curIdx = cur
		if f.item.kind.Transaction() {
			d.count(LegTA, slot, cur).add(t.rows, t.amount, t.fee)
		}
		if f.item.side == txn.Acquirer {
			d.count(LegAB, slot, cur).add(t.rows, t.amount, t.fee)
		}
	}
}

// Kinds tells what sorts of rows a registered slot has: the merchant as received, the clearing day and the local day as the
// rows state them, the kind, and their number.
func (s *Sieve) Kinds(slot int, tell func(mid string, business, local txn.Date, kind txn.Kind, rows int64)) {
	for _, f := range s.bySlot[slot] {
		tell(f.mid, f.business, f.date, f.item.kind, f.seen.rows)
	}
}

// Shaken is what came of it.
type Shaken struct {
	Terminal, Acquirer []int64     // offsets of the rows that the day must judge, as given to Add, ascending
	Several            []SiftedRow // and second rows of records, ordered by slot and place
	Pairs              []join.Pair // the others, where they were wanted
}

// Shake joins the rows. The slots that must not be used are known by now.
func (s *Sieve) Shake(ctx context.Context, workers int) (*Shaken, error) {
	d := s.d
	if s.full {
		return nil, join.ErrTooMany
	}
	q := join.Question{Workers: workers, Pairs: s.pairs, Facets: make([]join.Facet, len(s.facets))}
	out := &Shaken{}
	for i, f := range s.facets {
		it := &f.item
		q.Facets[i] = join.Facet{Plain: f.plain && !d.slots[f.slot].Held, Online: it.channel == txn.Online, Currency: it.curIdx, Scope: s.scope(it),
			Undoes: f.undoes, Refunds: it.kind == txn.Refund, Merchant: uint32(it.mid),
			TID: uint32(it.tid), Store: uint32(it.store), Day: int32(it.day), Cleared: int32(it.biz)}
		if it.side == txn.Acquirer {
			q.Facets[i].Side = join.Acquirer
		} else {
			q.Facets[i].OurStore = it.store != 0 && d.ourStore(it.store, it.day)
		}
	}
	for _, w := range s.writers {
		q.Names = append(q.Names, w.names...)
		q.Related, q.Traces = append(q.Related, w.related...), append(q.Traces, w.traces...)
		out.Several = append(out.Several, w.several...)
	}
	s.others(&q)
	a, err := s.engine.Run(ctx, q)
	if err := errors.Join(err, s.Close()); err != nil {
		return nil, err
	}
	for space, sums := range a.Plain {
		for i, x := range sums {
			if x.Rows > 0 {
				d.bulks = append(d.bulks, bulk{Sum: x, facet: s.facets[i], pass: uint8(space)})
			}
		}
	}
	slices.SortFunc(out.Several, func(a, b SiftedRow) int { return cmp.Or(cmp.Compare(a.Slot, b.Slot), a.Pos.Compare(b.Pos)) })
	out.Terminal, out.Acquirer, out.Pairs = a.Rest[join.Terminal], a.Rest[join.Acquirer], a.Pairs
	return out, nil
}

// others adds the identifiers of rows that came to the day in other ways, and of decisions.
func (s *Sieve) others(q *join.Question) {
	d := s.d
	for i := range d.items {
		it := &d.items[i]
		if it.side == txn.Bank {
			continue
		}
		for _, id := range [...]symbol{it.chanID, it.order, it.rrn, it.origChan, it.origOrder, it.origRRN} {
			if id != 0 {
				q.Related = appendID(q.Related, d.sym.text(id))
			}
		}
		for _, id := range [...]symbol{it.stan, it.origSTAN} {
			if id != 0 {
				q.Traces = append(q.Traces, trace(it.side, it.mid, it.tid, d.sym.text(id)))
			}
		}
	}
	for i := range d.set.Decisions {
		for _, id := range d.set.Decisions[i].IDs {
			q.Related = appendID(q.Related, []byte(id))
		}
	}
}

// Close gives up the rows, and the files that some of them lie in. It may be called more than once.
func (s *Sieve) Close() error {
	if s.engine == nil {
		return nil
	}
	e := s.engine
	s.engine = nil
	for _, w := range s.writers {
		w.w = nil
	}
	return e.Close()
}

// Rest takes a row back that Shake has named.
func (s *Sieve) Rest(slot int, r *txn.Row) { s.d.add(slot, r, -1) }

// bulk is the plain pairs of one facet and pass: rows that matter as a sum alone.
type bulk struct {
	join.Sum
	*facet
	pass uint8
	pay  *payout
	ab   verdict
}

// ownFee is the fee of the bulk's own rows: terminal rows have none.
func (b *bulk) ownFee() txn.Fine {
	if b.item.side == txn.Terminal {
		return 0
	}
	return txn.Fine(b.Fee)
}
