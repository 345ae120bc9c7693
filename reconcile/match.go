package reconcile

import (
	"cmp"
	"slices"

	"daozhang/parsers/txn"
)

// How leg T-A is joined: a list of passes, strict before loose. Each pass keys the rows that are still free, and
// judges each group of equal keys alone, so its outcome depends on the set of rows that share a key and on nothing
// else: not on the order of rows or files.
//
//	T  RRN 000123  12.00  approved          A  RRN 123  12.00       -> P2 pairs them: amounts agree
//	T  RRN 000124  15.00  approved          A  RRN 124  51.00       -> P2 pairs them all the same: T04, one pair
//	T  RRN 000125   9.00  declined          A  RRN 125   9.00       -> P2 again: T05
//
// Amount, time and status are compared within a group, never keyed, in P1 to P3b.

// pass is one matching rule.
type pass struct {
	name   string
	window int // local days around the terminal row
	unique bool
	key    func(*item) (key, bool)
	fit    func(t, a *item) bool // further agreement that the key cannot express
}

// key is what rows of one group share. Unused parts are zero.
type key struct {
	a, b, c, d symbol
	n          int64
	kind       txn.Kind
	cur        uint8
}

func (k key) compare(o key) int {
	return cmp.Or(cmp.Compare(k.a, o.a), cmp.Compare(k.b, o.b), cmp.Compare(k.c, o.c), cmp.Compare(k.d, o.d),
		cmp.Compare(k.n, o.n), cmp.Compare(k.kind, o.kind), cmp.Compare(k.cur, o.cur))
}

var passes = []pass{
	{name: "P1a", window: 90, fit: sameRefund, key: func(i *item) (key, bool) {
		return key{a: i.chanID, b: i.mid, kind: i.kind}, i.chanID != 0
	}},
	{name: "P1b", window: 90, fit: sameRefund, key: func(i *item) (key, bool) {
		return key{a: i.order, b: i.mid, kind: i.kind}, i.order != 0
	}},
	{name: "P2", window: 3, fit: sameRefund, key: func(i *item) (key, bool) {
		return key{a: i.rrn, b: i.mid, kind: i.kind}, i.rrn != 0
	}},
	{name: "P3", window: 1, fit: idsAgree, key: func(i *item) (key, bool) {
		return key{a: i.tid, b: i.batch, c: i.stan, kind: i.kind}, i.tid != 0 && i.batch != 0 && i.stan != 0
	}},
	{name: "P3b", window: 1, unique: true, fit: noBatch, key: func(i *item) (key, bool) {
		return key{a: i.tid, b: i.stan, kind: i.kind}, i.tid != 0 && i.stan != 0
	}},
	{name: "P4", window: 1, unique: true, fit: idsAgree, key: func(i *item) (key, bool) {
		return key{a: i.auth, b: i.tail, n: i.amount, kind: i.kind, cur: i.curIdx}, i.auth != 0 && i.tail != 0
	}},
	{name: "P5", window: 1, unique: true, fit: fiveMinutes, key: func(i *item) (key, bool) {
		return key{a: i.tid, n: i.amount, kind: i.kind, cur: i.curIdx}, i.tid != 0 && i.unix != 0 && !i.flags.has(dateOnly)
	}},
	{name: "P6", window: 0, fit: nil, key: func(i *item) (key, bool) { // the same local day before its neighbours
		return key{a: i.mid, b: i.tid, n: i.amount, kind: i.kind, cur: i.curIdx}, i.mid != 0
	}},
	{name: "P6", window: 1, fit: nil, key: func(i *item) (key, bool) {
		return key{a: i.mid, b: i.tid, n: i.amount, kind: i.kind, cur: i.curIdx}, i.mid != 0
	}},
}

// passNone marks an item that no pass has taken.
const passNone = 0xff

func sameRefund(t, a *item) bool {
	return t.refund == 0 || a.refund == 0 || t.refund == a.refund
}

// idsAgree demands that no surer identifier which both sides carry tells the rows apart.
func idsAgree(t, a *item) bool {
	return agree(t.rrn, a.rrn) && agree(t.chanID, a.chanID) && agree(t.order, a.order) && agree(t.mid, a.mid) && sameRefund(t, a)
}

// fiveMinutes demands that nothing tells the pair apart and their times lie close together.
func fiveMinutes(t, a *item) bool {
	gap := t.unix - a.unix
	return gap <= 300 && -gap <= 300 && interchangeable(t, a)
}

func noBatch(t, a *item) bool { return (t.batch == 0 || a.batch == 0) && idsAgree(t, a) }

func agree(x, y symbol) bool { return x == 0 || y == 0 || x == y }

// interchangeable demands that nothing at all tells the pair apart, so that choosing among such rows changes no total.
func interchangeable(t, a *item) bool {
	return idsAgree(t, a) && agree(t.stan, a.stan) && agree(t.auth, a.auth) && agree(t.batch, a.batch) && agree(t.tail, a.tail) &&
		(t.channel == a.channel || t.channel == txn.NoChannel || a.channel == txn.NoChannel)
}

type keyed struct {
	key key
	i   int32
}

// match runs the passes over the rows of leg T-A that nothing else has settled. Both sides are sorted by the hash of
// their key and merged; the few rows of one hash are then told apart by their keys.
func (d *Day) match() {
	for i := range d.items {
		d.items[i].pass = passNone
	}
	var left, right []hashed
	for n := range passes {
		left, right = d.run(n, left[:0], right[:0])
		if d.closedRows > 0 { // what is still open may meet what a decision has closed
			d.recall = true
			left, right = d.run(n, left[:0], right[:0])
			d.recall = false
		}
	}
}

// run judges one pass among the free rows. The buffers are handed back for the next.
func (d *Day) run(n int, left, right []hashed) (l, r []hashed) {
	p := &passes[n]
	for i := range d.items {
		it := &d.items[i]
		if !d.joins(it) {
			continue
		}
		if k, ok := p.key(it); ok {
			if it.side == txn.Terminal {
				left = append(left, hashed{k.hash(), int32(i)})
			} else {
				right = append(right, hashed{k.hash(), int32(i)})
			}
		}
	}
	d.sortHashed(left)
	d.sortHashed(right)
	d.groups(uint8(n), left, right)
	return left, right
}

func (k *key) hash() uint64 {
	h := mix(uint64(k.kind)<<8|uint64(k.cur), uint64(k.a)<<32|uint64(k.b))
	h = mix(h, uint64(k.c)<<32|uint64(k.d))
	return mix(h, uint64(k.n))
}

// joins reports whether the row takes part in leg T-A and is still free.
func (d *Day) joins(it *item) bool {
	return it.side != txn.Bank && it.kind.Transaction() && it.kind != txn.Preauth && it.partner < 0 && it.ta.state == 0 &&
		(!it.flags.has(closedRow) || d.recall && !it.flags.has(closedPair)) && !d.heldItem(it) && (it.side == txn.Terminal || d.slots[it.slot].Pays)
}

// groups walks both sides in order of hash and judges each key that both have.
func (d *Day) groups(n uint8, left, right []hashed) {
	var ls, rs []keyed
	for l, r := 0, 0; l < len(left) && r < len(right); {
		switch h := left[l].hash; {
		case h < right[r].hash:
			l++
		case h > right[r].hash:
			r++
		default:
			ls, l = d.sameHash(n, ls[:0], left, l)
			rs, r = d.sameHash(n, rs[:0], right, r)
			d.keysOf(n, ls, rs)
		}
	}
}

// sameHash collects the rows of one hash from position at, ordered by key, and returns where the next hash begins.
func (d *Day) sameHash(n uint8, to []keyed, from []hashed, at int) ([]keyed, int) {
	h := from[at].hash
	for ; at < len(from) && from[at].hash == h; at++ {
		k, _ := passes[n].key(&d.items[from[at].i])
		to = append(to, keyed{k, from[at].i})
	}
	if len(to) > 1 {
		slices.SortStableFunc(to, func(a, b keyed) int { return a.key.compare(b.key) })
	}
	return to, at
}

// keysOf judges the keys that two lists, ordered by key, have in common.
func (d *Day) keysOf(n uint8, left, right []keyed) {
	for l, r := 0, 0; l < len(left) && r < len(right); {
		switch c := left[l].key.compare(right[r].key); {
		case c < 0:
			l++
		case c > 0:
			r++
		default:
			le, re := l+1, r+1
			for le < len(left) && left[le].key == left[l].key {
				le++
			}
			for re < len(right) && right[re].key == right[r].key {
				re++
			}
			d.group(n, left[l:le], right[r:re])
			l, r = le, re
		}
	}
}

// group judges the rows of one key.
func (d *Day) group(n uint8, left, right []keyed) {
	p := &passes[n]
	switch {
	case p.name == "P6":
		d.sets(n, left, right)
	case len(left) == 1 && len(right) == 1:
		if d.fits(p, left[0].i, right[0].i) {
			d.pair(n, left[0].i, right[0].i)
		}
	case p.unique:
		d.uniqueOnly(n, left, right)
	default:
		d.ranked(n, left, right)
	}
}

// fits reports whether the pair lies in the pass's window and agrees in what the key does not say.
func (d *Day) fits(p *pass, t, a int32) bool {
	x, y := &d.items[t], &d.items[a]
	if d.recall && x.flags.has(closedRow) == y.flags.has(closedRow) {
		return false
	}
	gap := int(x.day - y.day)
	return gap <= p.window && -gap <= p.window && (p.fit == nil || p.fit(x, y))
}

// uniqueOnly pairs rows that are each other's only candidate among all rows of the group; the others are ambiguous.
func (d *Day) uniqueOnly(n uint8, left, right []keyed) {
	p := &passes[n]
	hits := make([]int, len(left)+len(right))
	last := make([]int32, len(left))
	for i, l := range left {
		for j, r := range right {
			if d.fits(p, l.i, r.i) {
				hits[i]++
				hits[len(left)+j]++
				last[i] = int32(j)
			}
		}
	}
	for i, l := range left {
		if hits[i] == 1 && hits[len(left)+int(last[i])] == 1 {
			d.pair(n, l.i, right[last[i]].i)
		} else if hits[i] > 0 && p.name != "P5" && !d.recall { // rows close in time may still be a set
			d.items[l.i].flags |= ambiguous
		}
	}
	if d.recall {
		return
	}
	for j, r := range right {
		if hits[len(left)+j] > 0 && d.items[r.i].partner < 0 && p.name != "P5" {
			d.items[r.i].flags |= ambiguous
		}
	}
}

// ranked pairs within a group of several: approved rows first and equal amounts before unequal ones, so that a declined
// attempt never takes the place of the approved one, nor one partial refund that of another.
func (d *Day) ranked(n uint8, left, right []keyed) {
	l, r := d.inOrder(left), d.inOrder(right)
	for _, rank := range [...]uint8{0, 1, 2} {
		for _, equal := range [...]bool{true, false} {
			for _, t := range l {
				if d.items[t].partner < 0 && statusRank(d.items[t].status) == rank {
					d.pairBest(n, t, r, equal)
				}
			}
		}
	}
}

// inOrder sorts a group by status, amount, terminal, time, place.
func (d *Day) inOrder(ks []keyed) []int32 {
	is := make([]int32, len(ks))
	for i, k := range ks {
		is[i] = k.i
	}
	slices.SortFunc(is, func(a, b int32) int {
		x, y := &d.items[a], &d.items[b]
		return cmp.Or(cmp.Compare(statusRank(x.status), statusRank(y.status)), cmp.Compare(x.amount, y.amount),
			slices.Compare(d.sym.text(x.tid), d.sym.text(y.tid)), cmp.Compare(x.unix, y.unix), d.before(a, b))
	})
	return is
}

// pairBest takes the first free partner: one whose refund id is the same before one that has none.
func (d *Day) pairBest(n uint8, t int32, right []int32, equal bool) {
	best := int32(-1)
	x := &d.items[t]
	for _, a := range right {
		y := &d.items[a]
		if y.partner >= 0 || equal != (x.amount == y.amount) || !d.fits(&passes[n], t, a) {
			continue
		}
		if best < 0 || d.closer(x, y, &d.items[best]) {
			best = a
		}
	}
	if best >= 0 {
		d.pair(n, t, best)
	}
}

// closer reports whether a fits t strictly better than b: the same refund id, then the same terminal.
func (d *Day) closer(t, a, b *item) bool {
	ra, rb := t.refund != 0 && t.refund == a.refund, t.refund != 0 && t.refund == b.refund
	if ra != rb {
		return ra
	}
	ta, tb := t.tid != 0 && t.tid == a.tid, t.tid != 0 && t.tid == b.tid
	return ta && !tb
}

// pair consumes both rows on leg T-A.
func (d *Day) pair(n uint8, t, a int32) {
	d.items[t].partner, d.items[a].partner = a, t
	d.items[t].pass, d.items[a].pass = n, n
	d.items[t].flags &^= ambiguous
	d.items[a].flags &^= ambiguous
}

func statusRank(s txn.Status) uint8 {
	switch {
	case s.Success():
		return 0
	case s == txn.Unknown:
		return 1
	}
	return 2
}
