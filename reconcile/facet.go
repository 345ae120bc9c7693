package reconcile

import (
	"encoding/binary"

	"daozhang/parsers/txn"
	"daozhang/reconcile/join"
)

// facetTexts and facetKey are what rows must have in common to be of one facet.
var facetTexts = [...]txn.Field{txn.TID, txn.MID, txn.Store, txn.CardClass, txn.MCC, txn.PayoutID, txn.Account}

// facetKey packs what is no text: slot and local day; clearing day, currency, kind; status, channel, and whether the row has
// a time of day and a fee.
type facetKey [3]uint64

func facetKeyOf(slot int, r *txn.Row) facetKey {
	var only uint64
	if r.Time.DateOnly {
		only = 1
	}
	if r.Has.Has(txn.FeeField) {
		only |= 2
	}
	c := r.Currency
	return facetKey{uint64(slot)<<32 | uint64(uint32(r.Time.Date())),
		uint64(uint32(r.Business))<<32 | uint64(c[0])<<24 | uint64(c[1])<<16 | uint64(c[2])<<8 | uint64(r.Kind),
		uint64(r.Status)<<16 | uint64(r.Channel)<<8 | only}
}

// hash spreads a row's facet over 64 bits.
func (k *facetKey) hash(r *txn.Row) uint64 {
	h := join.HashKey(k[:])
	for _, x := range facetTexts {
		b := r.Text[x]
		n := len(b)
		switch {
		case n == 0:
			h ^= 0x9e3779b97f4a7c15
		case n < 8:
			var w [8]byte
			copy(w[:], b)
			h = join.Mix(h, binary.LittleEndian.Uint64(w[:]))
		default: // the middle of a long one is left to the comparison
			h = join.Mix(h, binary.LittleEndian.Uint64(b)^binary.LittleEndian.Uint64(b[n-8:])<<1+uint64(n))
		}
	}
	return h
}

// facetTable finds facets by what their rows have in common.
type facetTable struct {
	slots []facetSlot
	n     int
}

type facetSlot struct {
	hash uint64
	f    *facet
}

func (t *facetTable) find(h uint64, k *facetKey, r *txn.Row) *facet {
	mask := uint64(len(t.slots) - 1)
	for i := h & mask; t.n > 0; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.f == nil {
			return nil
		}
		if s.hash == h && s.f.key == *k && s.f.has(r) {
			return s.f
		}
	}
	return nil
}

// has reports whether the row has the facet's texts.
func (f *facet) has(r *txn.Row) bool {
	for i, x := range facetTexts {
		if string(r.Text[x]) != f.texts[i] {
			return false
		}
	}
	return true
}

func (t *facetTable) add(h uint64, f *facet) {
	if 2*t.n >= len(t.slots) {
		old := t.slots
		t.slots = make([]facetSlot, max(64, 2*len(old)))
		for _, s := range old {
			if s.f != nil {
				t.put(s)
			}
		}
	}
	t.put(facetSlot{h, f})
	t.n++
}

func (t *facetTable) put(s facetSlot) {
	mask := uint64(len(t.slots) - 1)
	i := s.hash & mask
	for t.slots[i].f != nil {
		i = (i + 1) & mask
	}
	t.slots[i] = s
}

// facet finds or makes the facet of a row.
func (w *SieveWriter) facet(slot int, r *txn.Row) *facet {
	k := facetKeyOf(slot, r)
	h := k.hash(r)
	if f := w.known.find(h, &k, r); f != nil {
		return f
	}
	f := w.s.facet(h, &k, slot, r)
	w.known.add(h, f)
	return f
}
