package reconcile

import (
	"encoding/binary"
	"slices"

	"github.com/cespare/xxhash/v2"

	"daozhang/parsers/txn"
	"daozhang/reconcile/join"
	"daozhang/reconcile/register"
)

// facet is what many rows of one slot have in common, with the first of them as an item.
type facet struct {
	number   uint32
	slot     int
	item     item // of the first row; its amounts, ids and time mean nothing
	currency txn.Currency
	mid      string // as received
	business txn.Date
	date     txn.Date // local day of the transaction time, 0 none
	plain    bool
	undoes   bool               // refunds and voids
	clears   *register.Contract // terminal: says when a row clears
	charges  *register.Contract // acquirer: says what it costs
	seen     seenRows           // by all writers, once they are done
}

// seenRows adds up rows of a facet.
type seenRows struct {
	tally
	next  int64 // of these, clearing on the next day
	first txn.Position
}

func (t *seenRows) merge(o *seenRows) {
	if t.rows == 0 || o.first.Compare(t.first) < 0 {
		t.first = o.first
	}
	t.add(o.rows, o.amount, o.fee)
	t.next += o.next
}

// seat is a facet as one writer needs it for each row. A day has more facets than fit into a core's cache, but few of them
// have most of its rows: seats lie in the order in which they were taken, and so do their keys.
type seat struct {
	key     []byte // what the rows have in common, packed
	f       *facet
	clears  *register.Contract
	charges *register.Contract
	number  uint32
	day     txn.Date
	mid     symbol
	tid     symbol
	side    txn.Side
	undoes  bool
	seen    seenRows
}

// seats finds facets by what their rows have in common.
type seats struct {
	list  []seat
	table []uint64 // the high half of a key's hash, and 1 + its seat
	key   []byte
	keys  []byte // room for the keys of seats to come
}

// facetTexts are the texts that rows of a facet have in common.
var facetTexts = [...]txn.Field{txn.TID, txn.MID, txn.Store, txn.CardClass, txn.MCC, txn.PayoutID, txn.Account}

// pack writes what the row has in common with others: slot and local day, clearing day, currency, kind, status, channel,
// whether it has a time of day and a fee, and the texts with their lengths.
func (s *seats) pack(slot int, r *txn.Row) []byte {
	var only byte
	if r.Time.DateOnly {
		only = 1
	}
	if r.Has.Has(txn.FeeField) {
		only |= 2
	}
	b := binary.LittleEndian.AppendUint64(s.key[:0], uint64(slot)<<32|uint64(uint32(r.Time.Date())))
	b = binary.LittleEndian.AppendUint32(b, uint32(r.Business))
	b = append(b, r.Currency[0], r.Currency[1], r.Currency[2], byte(r.Kind), byte(r.Status), byte(r.Channel), only)
	for _, x := range facetTexts {
		v := r.Text[x]
		b = append(append(b, byte(len(v)), byte(len(v)>>8)), v...)
	}
	s.key = b
	return b
}

// find returns the seat of the key, or nil.
func (s *seats) find(h uint64, key []byte) *seat {
	if len(s.table) == 0 {
		return nil
	}
	mask := uint64(len(s.table) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		e := s.table[i]
		if e == 0 {
			return nil
		}
		if e>>32 == h>>32 {
			if x := &s.list[uint32(e)-1]; string(x.key) == string(key) {
				return x
			}
		}
	}
}

// keyRoom is how many bytes of keys are made at once.
const keyRoom = 64 << 10

// add seats a facet. Seats found before may move.
func (s *seats) add(h uint64, key []byte, f *facet) *seat {
	if 2*len(s.list) >= len(s.table) {
		old := s.table
		s.table = make([]uint64, max(64, 4*len(old)))
		for _, e := range old {
			if e != 0 {
				s.enter(xxhash.Sum64(s.list[uint32(e)-1].key), e)
			}
		}
	}
	if len(key) > len(s.keys) {
		s.keys = make([]byte, max(keyRoom, len(key)))
	}
	n := copy(s.keys, key)
	s.list = append(s.list, seat{key: s.keys[:n:n], f: f, clears: f.clears, charges: f.charges, number: f.number, day: f.item.day,
		mid: f.item.mid, tid: f.item.tid, side: f.item.side, undoes: f.undoes})
	s.keys = s.keys[n:]
	s.enter(h, h>>32<<32|uint64(len(s.list)))
	return &s.list[len(s.list)-1]
}

func (s *seats) enter(h, e uint64) {
	mask := uint64(len(s.table) - 1)
	i := h & mask
	for s.table[i] != 0 {
		i = (i + 1) & mask
	}
	s.table[i] = e
}

// seat finds the facet of a row, or makes it.
func (w *SieveWriter) seat(slot int, r *txn.Row) *seat {
	key := w.seats.pack(slot, r)
	h := xxhash.Sum64(key)
	if x := w.seats.find(h, key); x != nil {
		return x
	}
	return w.seats.add(h, key, w.s.facet(string(key), slot, r))
}

// facet finds the facet that another writer has made, or makes it.
func (s *Sieve) facet(key string, slot int, r *txn.Row) *facet {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.byKey[key]; f != nil {
		return f
	}
	if len(s.facets) == join.MaxFacets {
		s.full = true
		return s.facets[0] // the day ends with an error
	}
	f := s.d.facetOf(slot, r)
	f.number = uint32(len(s.facets))
	s.facets = append(s.facets, f)
	s.bySlot[slot] = append(s.bySlot[slot], f)
	s.byKey[key] = f
	return f
}

// facetOf reads what the rows of a facet have in common from the first of them.
func (d *Day) facetOf(slot int, r *txn.Row) *facet {
	known := len(d.cur)
	defer func() { d.cur = d.cur[:known] }() // whose row comes first is chance here: Register numbers the currencies
	f := &facet{slot: slot, currency: r.Currency, mid: string(r.Get(txn.MID)), business: r.Business, date: r.Time.Date(), item: d.itemOf(slot, r)}
	it := &f.item
	f.undoes = it.kind == txn.Refund || it.kind == txn.Void
	f.plain = (it.kind == txn.Sale || it.kind == txn.Completion || f.undoes) && it.status.Success() && it.mid != 0 && it.flags&(unknownMID|unknownTID) == 0
	if it.side == txn.Terminal {
		if c, err := d.contract(it.mid, it.channel, it.class, 0, it.day); err == nil && !r.Time.IsZero() && !r.Time.DateOnly {
			f.clears = c
		}
		return f
	}
	c, err := d.contract(it.mid, it.channel, it.class, d.sym.intern(r.Get(txn.MCC)), it.biz)
	switch asks := d.chargesFor(it, r); {
	case asks && err == nil:
		f.charges = c
	case asks && d.hasContracts:
		f.plain = false
	}
	if d.set.GoLive != 0 && it.biz < d.set.GoLive || !d.slots[slot].Pays {
		f.plain = false
	}
	return f
}

// gather adds up what the writers have seen. It is called once they are done.
func (s *Sieve) gather() {
	for _, w := range s.writers {
		for i := range w.seats.list {
			x := &w.seats.list[i]
			x.f.seen.merge(&x.seen)
		}
		w.seats = seats{}
	}
	for _, list := range s.bySlot {
		slices.SortFunc(list, func(a, b *facet) int { return a.seen.first.Compare(b.seen.first) })
	}
	s.byKey, s.gathered = nil, true
}
