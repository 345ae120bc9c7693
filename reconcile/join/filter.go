package join

// filter is a set of hashes that may say yes where it should say no: then a pair is looked at that need not be. It holds
// the identifiers of rows that do not take part but may concern those that do: originals of refunds and voids, rows of
// earlier days, rows of decisions.
type filter struct {
	bits []uint64
	mask uint64
}

// newFilter makes a filter of the hashes, about sixteen bits for each: it is wrong once in some four hundred questions.
func newFilter(hashes []uint64) filter {
	if len(hashes) == 0 {
		return filter{}
	}
	n := uint64(64)
	for n < uint64(len(hashes))*16 {
		n *= 2
	}
	f := filter{bits: make([]uint64, n/64), mask: n - 1}
	for _, h := range hashes {
		at, step := spread(h)
		for range probes {
			f.bits[at&f.mask/64] |= 1 << (at % 64)
			at += step
		}
	}
	return f
}

// probes is how many bits stand for a hash.
const probes = 4

// spread makes two independent numbers of a hash, of which only the low bits may differ.
func spread(h uint64) (at, step uint64) {
	h = Mix(h, 0)
	return h, h>>32 | 1
}

// has reports whether the hash may be in the set.
func (f *filter) has(h uint64) bool {
	if f.bits == nil {
		return false
	}
	at, step := spread(h)
	for range probes {
		if f.bits[at&f.mask/64]>>(at%64)&1 == 0 {
			return false
		}
		at += step
	}
	return true
}
