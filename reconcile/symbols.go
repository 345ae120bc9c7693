package reconcile

import (
	"bytes"

	"github.com/cespare/xxhash/v2"
)

// symbol stands for an identifier's text: equal symbols are equal texts. Zero is "no identifier". Numbers depend on
// the order of loading: they are compared for equality only, and never leave the process.
type symbol uint32

// symbols interns texts. The bytes lie end to end in one arena, the table is open addressing over it, so a million
// distinct RRNs cost about 24 bytes each and no garbage.
type symbols struct {
	arena []byte
	ends  []uint32 // ends[s] is where symbol s stops; it begins at ends[s-1]
	table []symbol
	mask  uint64
}

func newSymbols() *symbols {
	return &symbols{ends: []uint32{0}, table: make([]symbol, 1<<10), mask: 1<<10 - 1}
}

func (t *symbols) intern(b []byte) symbol {
	if len(b) == 0 {
		return 0
	}
	for i := xxhash.Sum64(b) & t.mask; ; i = (i + 1) & t.mask {
		s := t.table[i]
		if s == 0 {
			return t.insert(i, b)
		}
		if bytes.Equal(t.text(s), b) {
			return s
		}
	}
}

func (t *symbols) insert(slot uint64, b []byte) symbol {
	s := symbol(len(t.ends))
	t.arena = append(t.arena, b...)
	t.ends = append(t.ends, uint32(len(t.arena)))
	t.table[slot] = s
	if len(t.ends)*2 > len(t.table) {
		t.grow()
	}
	return s
}

func (t *symbols) grow() {
	t.table = make([]symbol, len(t.table)*4)
	t.mask = uint64(len(t.table) - 1)
	for s := symbol(1); int(s) < len(t.ends); s++ {
		i := xxhash.Sum64(t.text(s)) & t.mask
		for t.table[i] != 0 {
			i = (i + 1) & t.mask
		}
		t.table[i] = s
	}
}

func (t *symbols) text(s symbol) []byte {
	if s == 0 {
		return nil
	}
	return t.arena[t.ends[s-1]:t.ends[s]]
}

func (t *symbols) str(s symbol) string { return string(t.text(s)) }
