package join

// Refunds and voids with their sales. A row that undoes another names it, and what is to be said of either depends on both.
// Yet most of them are as plain as a sale: the refund is on both sides with one amount, so is the sale that it names, nobody
// else names that sale, and no more is given back than was paid.
//
//	T  RRN 11  sale     50.00      A  RRN 11  sale     50.00     a pair: held back, since somebody names RRN 11
//	T  RRN 12  refund  -20.00      A  RRN 12  refund  -20.00     a pair: held back, since it names RRN 11
//	   names RRN 11                                              together nothing is to be said of the four
//
// matchShard holds such pairs back, and when all shards are done family decides on them. Whatever is doubtful is left: two
// refunds of one sale, names that lead to two sales or to none, a name that a row among the rest bears as well.

// Name is what a row that undoes another says of it, or bears itself and may share with it.
type Name struct {
	Side     Side
	At       int64  // offset of the row that names
	Merchant uint32 // see Facet
	RRN      uint64 // packed; or else
	Trace    uint64 // digest of terminal and STAN
	Own      bool   // its own identifier: a void may have that of its sale
}

// heldPair is a pair that would be plain if nobody named either row.
type heldPair struct {
	rrn  uint64
	t, a [tail]uint64
}

func (p *heldPair) row(s Side) row {
	if s == Terminal {
		return p.t[:]
	}
	return p.a[:]
}

// bearer is an identifier as it stands on a row.
type bearer struct {
	side     Side
	merchant uint32
	rrn      uint64
}

// rowAt is a row by its place.
type rowAt struct {
	side Side
	at   int64
}

// families judges the pairs that were held back.
type families struct {
	w       *world
	pairs   []heldPair
	at      map[rowAt]int32     // pairs by their rows
	bears   map[bearer][]int32  // pairs of sales by merchant and RRN
	touched map[uint64]struct{} // hashes of RRNs, and digests, that rows among the rest bear or name
	names   map[int32][]*Name   // of pairs that undo
	sale    []int32             // of a pair that undoes: the pair it names, or -1 none, or doubtful
	undone  []int32             // of a pair of sales: how many pairs name it
	bad     []bool
}

const (
	namesNone = -1
	doubtful  = -2
)

// settleFamilies adds up the families that are plain, and leaves the rows of the others.
func settleFamilies(w *world, names []Name, out *outcome) {
	if len(out.held) == 0 {
		return
	}
	f := &families{w: w, pairs: out.held, at: make(map[rowAt]int32, 2*len(out.held)), bears: make(map[bearer][]int32, len(out.held)),
		touched: make(map[uint64]struct{}, len(out.touched)), sale: make([]int32, len(out.held)), undone: make([]int32, len(out.held)),
		bad: make([]bool, len(out.held)), names: map[int32][]*Name{}}
	for _, h := range out.touched {
		f.touched[h] = struct{}{}
	}
	f.index()
	f.follow(names)
	f.judge()
	for i := range f.pairs {
		p := &f.pairs[i]
		if !f.bad[i] {
			out.settle(w, ByRRN, []uint64{p.rrn}, p.t[:], p.a[:])
			f.original(int32(i), out)
			continue
		}
		out.Rest[Terminal] = append(out.Rest[Terminal], row(p.t[:]).offset())
		out.Rest[Acquirer] = append(out.Rest[Acquirer], row(p.a[:]).offset())
	}
}

func (f *families) index() {
	for i := range f.pairs {
		p := &f.pairs[i]
		f.sale[i] = namesNone
		for s := range sides {
			r := p.row(s)
			f.at[rowAt{s, r.offset()}] = int32(i)
			if x := &f.w.Facets[r.facet()]; !x.Undoes {
				b := bearer{s, x.Merchant, p.rrn}
				f.bears[b] = append(f.bears[b], int32(i))
			}
		}
	}
}

// original tells by which identifier the rows of a settled refund name its sale, where the pairs are wanted.
func (f *families) original(i int32, out *outcome) {
	t := row(f.pairs[i].t[:])
	if !out.wanted || !f.w.Facets[t.facet()].Refunds {
		return
	}
	p := &out.Pairs[len(out.Pairs)-1]
	for _, n := range f.names[i] {
		if n.Own || n.RRN == 0 {
			continue
		}
		if n.Side == Terminal {
			p.LeftNames = n.RRN
		} else {
			p.RightNames = n.RRN
		}
	}
}

// follow finds what each name leads to. Names of rows that are in no pair here touch what bears them.
func (f *families) follow(names []Name) {
	for i := range names {
		n := &names[i]
		if _, held := f.at[rowAt{n.Side, n.At}]; !held {
			f.touch(n)
		}
	}
	for i := range names {
		n := &names[i]
		p, held := f.at[rowAt{n.Side, n.At}]
		if !held {
			continue
		}
		f.names[p] = append(f.names[p], n)
		if n.RRN == 0 {
			continue // a trace number comes again: it confirms nothing, and whom else it may mean is in touched
		}
		for _, s := range f.bears[bearer{n.Side, n.Merchant, n.RRN}] {
			switch f.sale[p] {
			case namesNone:
				f.sale[p] = s
			case s:
			default:
				f.sale[p] = doubtful
			}
		}
	}
}

func (f *families) touch(n *Name) { f.touched[n.hash()] = struct{}{} }

func (n *Name) hash() uint64 {
	if n.RRN != 0 {
		return ShardKey([]uint64{n.RRN})
	}
	return n.Trace & (maxNumber - 1)
}

// judge marks the pairs that are not plain, until nothing changes: what is left of one family touches others.
func (f *families) judge() {
	for i := range f.pairs {
		if s := f.sale[i]; s >= 0 {
			f.undone[s]++
		}
	}
	for again := true; again; {
		again = false
		for i := range f.pairs {
			if f.bad[i] || !f.met(&f.pairs[i]) && !f.spoilt(i) {
				continue
			}
			f.bad[i], again = true, true
			for _, n := range f.names[int32(i)] {
				f.touch(n)
			}
		}
	}
}

// met reports whether a row among the rest bears or names an identifier of the pair.
func (f *families) met(p *heldPair) bool {
	for _, h := range [...]uint64{ShardKey([]uint64{p.rrn}), row(p.t[:]).number(), row(p.a[:]).number()} {
		if _, ok := f.touched[h]; ok && h != 0 {
			return true
		}
	}
	return false
}

// spoilt reports whether something is to be said of a pair, or may be.
func (f *families) spoilt(i int) bool {
	p := &f.pairs[i]
	t := row(p.t[:])
	x := &f.w.Facets[t.facet()]
	if !x.Undoes {
		return f.undone[i] > 1
	}
	s := f.sale[i]
	for _, n := range f.names[int32(i)] {
		if _, ok := f.touched[n.hash()]; ok {
			return true
		}
	}
	if s == doubtful || s == namesNone && x.Refunds {
		return true
	}
	if s < 0 {
		return false // a void alone, on both sides
	}
	o := row(f.pairs[s].t[:])
	y := &f.w.Facets[o.facet()]
	return f.bad[s] || y.Currency != x.Currency || x.Day < y.Day || x.Day > y.Day+1 || x.Refunds && -t.amount() > o.amount()
}
