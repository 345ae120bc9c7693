package profile

import "math/bits"

// memo remembers what the exact routines made of the last raw cells of one op. A cell is known by all of its bytes,
// so that an answer is never another cell's.
type memo struct {
	slots [memoSlots]memoSlot
}

const (
	memoBits  = 5
	memoSlots = 1 << memoBits
	memoBytes = 16 // longer cells are not remembered
)

// memoSlot is one cell, empty where n is 0. Cells of up to eight bytes lie in lo; of longer ones lo holds the first
// eight and hi the last.
type memoSlot struct {
	lo, hi uint64
	n      int32
	value  int32
	text   []byte
}

// short looks up a cell of n bytes, 1 to 8, which are the first of x. It returns the cell's slot and whether the slot
// holds that cell.
func (m *memo) short(x uint64, n int) (*memoSlot, bool) {
	x <<= uint(8-n) * 8 & 63
	s := &m.slots[x*memoHash>>(64-memoBits)]
	return s, s.lo == x && int(s.n) == n
}

// long does the same for 9 to 16 bytes: lo are the first eight, hi the last.
func (m *memo) long(lo, hi uint64, n int) (*memoSlot, bool) {
	s := &m.slots[(lo^bits.RotateLeft64(hi, 17))*memoHash>>(64-memoBits)]
	return s, s.lo == lo && s.hi == hi && int(s.n) == n
}

const memoHash = 0x9E3779B97F4A7C15

// take returns the slot for the cell w[from:to] of 1 to 16 bytes, emptied: the caller sets n when it knows the value.
func (m *memo) take(w *view, from, to int) (s *memoSlot) {
	n := to - from
	lo, hi := word(w, from), uint64(0)
	if n <= 8 {
		s, _ = m.short(lo, n)
		lo <<= uint(8-n) * 8 & 63
	} else {
		hi = word(w, to-8)
		s, _ = m.long(lo, hi, n)
	}
	s.lo, s.hi, s.n = lo, hi, 0
	return s
}
