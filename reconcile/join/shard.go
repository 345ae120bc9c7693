package join

// world is what a shard needs to know beside its rows.
type world struct {
	Facets  []Facet
	Related filter // hashes of identifiers that concern others, see ShardKey
	Traces  filter // digests of terminal and STAN that concern others
	Multi   []byte // state of the rows with several identifiers, by number
}

// States of a row with several identifiers.
const (
	multiDone  = 1 << iota // half of a plain pair
	multiApart             // never to be one
)

// Sum adds up plain pairs. It merges in any order.
type Sum struct {
	Rows, Amount, Fee int64
	Next              int64 // of these, cleared on the day after the sale as expected (T24)
}

func (s *Sum) add(o Sum) {
	s.Rows += o.Rows
	s.Amount += o.Amount
	s.Fee += o.Fee
	s.Next += o.Next
}

// Pair is a plain pair: its RRN, packed, and where both rows stand.
type Pair struct {
	RRN                   uint64
	Left, Right           int64
	LeftNames, RightNames uint64 // of refunds: the RRN by which each row names its sale, packed; 0 none
}

// outcome collects what shards come to.
type outcome struct {
	Plain [Spaces][]Sum // by facet: a terminal's with its partners' fees, an acquirer's with its own
	Rest  [sides][]int64
	Pairs []Pair // only where they are wanted

	wanted  bool
	held    []heldPair
	touched []uint64 // hashes of RRNs, and digests, of rows among the rest, that somebody may name
}

func newOutcome(facets int) *outcome {
	o := &outcome{}
	for s := range o.Plain {
		o.Plain[s] = make([]Sum, facets)
	}
	return o
}

// merge adds what another worker has found.
func (o *outcome) merge(p *outcome) {
	for s := range o.Plain {
		for i, x := range p.Plain[s] {
			o.Plain[s][i].add(x)
		}
	}
	for s := range o.Rest {
		o.Rest[s] = append(o.Rest[s], p.Rest[s]...)
	}
	o.Pairs = append(o.Pairs, p.Pairs...)
	o.held = append(o.held, p.held...)
	o.touched = append(o.touched, p.touched...)
}

// scratch is memory that one worker reuses from shard to shard.
type scratch struct {
	table   []uint32 // 1 + left row, by hash
	partner []uint32 // by left row: 1 + right row
	shared  []bool   // by left row: somebody else of its side, or a second of the other, has its key
	head    []uint32 // by right row: 1 + left row of its key
}

// settled stands in scratch.head for a row that has found its partner.
const settled = ^uint32(0)

func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n+n/4)
	}
	s = s[:n]
	clear(s)
	return s
}

// matchShard judges the rows of one partition of a space. Rows of one key all lie in one partition.
func matchShard(w *world, space Space, left, right []uint64, out *outcome, s *scratch) {
	words := space.Words()
	stride := words + tail
	nl, nr := len(left)/stride, len(right)/stride
	size := 16
	for size < 2*nl {
		size *= 2
	}
	s.table, s.partner, s.shared, s.head = grown(s.table, size), grown(s.partner, nl), grown(s.shared, nl), grown(s.head, nr)
	mask := uint64(size - 1)
	table := s.table[:size]
	for i := range nl {
		r := left[i*stride : i*stride+stride]
		if w.gone(row(r[words:])) {
			continue
		}
		for at := ShardKey(r[:words]) & mask; ; at = (at + 1) & mask {
			c := table[at]
			if c == 0 {
				table[at] = uint32(i + 1)
				break
			}
			if o := left[int(c-1)*stride:][:stride]; w.same(r, o, words) {
				s.shared[c-1], s.shared[i] = true, true
				break
			}
		}
	}
	for j := range nr {
		r := right[j*stride : j*stride+stride]
		if w.gone(row(r[words:])) {
			continue
		}
		for at := ShardKey(r[:words]) & mask; ; at = (at + 1) & mask {
			c := table[at]
			if c == 0 {
				break
			}
			if o := left[int(c-1)*stride:][:stride]; w.same(r, o, words) {
				s.head[j] = c
				if s.partner[c-1] != 0 {
					s.shared[c-1] = true
				}
				s.partner[c-1] = uint32(j + 1)
				break
			}
		}
	}
	for i := range nl {
		l := left[i*stride:][:stride]
		t := row(l[words:])
		if w.gone(t) {
			continue
		}
		if p := s.partner[i]; p != 0 && !s.shared[i] {
			r := right[int(p-1)*stride:][:stride]
			switch a := row(r[words:]); w.plain(space, l[:words], t, a) {
			case isPlain:
				out.settle(w, space, l[:words], t, a)
				s.head[p-1] = settled
				continue
			case isConcerned:
				out.held = append(out.held, heldPair{l[0], [tail]uint64(t), [tail]uint64(a)})
				s.head[p-1] = settled
				continue
			}
		}
		w.leave(Terminal, l[:words], t, s.shared[i] || s.partner[i] != 0, out)
	}
	for j := range nr {
		r := right[j*stride:][:stride]
		if a := row(r[words:]); s.head[j] != settled && !w.gone(a) {
			w.leave(Acquirer, r[:words], a, s.head[j] != 0, out)
		}
	}
}

// same reports whether two rows have one key: the identifier first, for what the facets add lies elsewhere in memory.
func (w *world) same(a, b []uint64, words int) bool {
	if a[0] != b[0] || words > 1 && (a[1] != b[1] || a[2] != b[2]) {
		return false
	}
	return w.Facets[row(a[words:]).facet()].Scope == w.Facets[row(b[words:]).facet()].Scope
}

// gone reports whether the row was settled under another identifier.
func (w *world) gone(r row) bool {
	return r.flags()&flagMulti != 0 && w.Multi[r.number()]&multiDone != 0
}

// What matchShard finds a pair to be.
type found uint8

const (
	notPlain found = iota
	isPlain
	isConcerned // plain, were it not for a row that may name one of the two, or that one of them names
)

// plain says whether anything is to be said of a pair whose key nobody shares.
func (w *world) plain(space Space, key []uint64, t, a row) found {
	if (t.flags()|a.flags())&flagApart != 0 || t.amount() != a.amount() {
		return notPlain
	}
	tf, af := &w.Facets[t.facet()], &w.Facets[a.facet()]
	if !tf.Plain || !af.Plain || tf.Currency != af.Currency {
		return notPlain
	}
	if gap := tf.Day - af.Day; gap > space.Window() || -gap > space.Window() {
		return notPlain
	}
	if !tf.Online && (tf.TID != 0 && af.TID != 0 && tf.TID != af.TID ||
		tf.Store != 0 && af.Store != 0 && tf.Store != af.Store && tf.OurStore) {
		return notPlain
	}
	if !tf.Undoes && !w.concerned(t) && !w.concerned(a) && !(w.Related.bits != nil && w.Related.has(ShardKey(key))) {
		return isPlain
	}
	if space != ByRRN || (t.flags()|a.flags())&flagMulti != 0 {
		return notPlain
	}
	return isConcerned
}

// concerned reports whether the row was set apart, or another row may name it by terminal and STAN.
func (w *world) concerned(r row) bool {
	n := r.number()
	if r.flags()&flagMulti != 0 {
		return w.Multi[n]&multiApart != 0
	}
	return n != 0 && w.Traces.has(n)
}

// settle adds up a plain pair.
func (o *outcome) settle(w *world, space Space, key []uint64, t, a row) {
	var next int64
	if t.flags()&flagNext != 0 && w.Facets[a.facet()].Cleared == w.Facets[t.facet()].Day+1 {
		next = 1
	}
	amount, fee := t.amount(), a.fee()
	x := &o.Plain[space][t.facet()]
	x.Rows, x.Amount, x.Fee, x.Next = x.Rows+1, x.Amount+amount, x.Fee+fee, x.Next+next
	y := &o.Plain[space][a.facet()]
	y.Rows, y.Amount, y.Fee = y.Rows+1, y.Amount+amount, y.Fee+fee
	for _, r := range [...]row{t, a} {
		if r.flags()&flagMulti != 0 {
			w.Multi[r.number()] |= multiDone
		}
	}
	if o.wanted {
		o.Pairs = append(o.Pairs, Pair{RRN: key[0], Left: t.offset(), Right: a.offset()})
	}
}

// touch notes that a row with this key and digest is among the rest, if somebody may name it.
func (o *outcome) touch(w *world, key []uint64, digest uint64) {
	if h := ShardKey(key); len(key) == 1 && w.Related.has(h) {
		o.touched = append(o.touched, h)
	}
	if digest != 0 && w.Traces.has(digest) {
		o.touched = append(o.touched, digest)
	}
}

// leave hands a row back, or where it has other identifiers leaves it to the next space. met says that a row of the other
// side, or another of its own, has its key: then no looser key may make it plain.
func (w *world) leave(side Side, key []uint64, r row, met bool, out *outcome) {
	if r.flags()&flagMulti == 0 {
		out.Rest[side] = append(out.Rest[side], r.offset())
		out.touch(w, key, r.number())
		return
	}
	if met {
		w.Multi[r.number()] |= multiApart
	}
}

// sweepShard sets apart, before any pass, rows with several identifiers that share one of them with another row of their
// side, or that others may name by it.
func sweepShard(w *world, space Space, rows []uint64, out *outcome, s *scratch) {
	words := space.Words()
	stride := words + tail
	n := len(rows) / stride
	size := 16
	for size < 2*n {
		size *= 2
	}
	s.table = grown(s.table, size)
	table, mask := s.table[:size], uint64(size-1)
	for i := range n {
		r := rows[i*stride:][:stride]
		h := ShardKey(r[:words])
		x := row(r[words:])
		if x.flags()&flagMulti != 0 && w.Related.has(h) {
			w.apart(x)
			out.touched = append(out.touched, h)
		}
		for at := h & mask; ; at = (at + 1) & mask {
			c := table[at]
			if c == 0 {
				table[at] = uint32(i + 1)
				break
			}
			if o := rows[int(c-1)*stride:][:stride]; w.same(r, o, words) {
				w.apart(x)
				w.apart(row(o[words:]))
				break
			}
		}
	}
}

func (w *world) apart(r row) {
	if r.flags()&flagMulti != 0 {
		w.Multi[r.number()] |= multiApart
	}
}
