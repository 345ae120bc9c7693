package reconcile

import (
	"slices"

	"daozhang/parsers/txn"
)

// P6: interchangeable sets.

// alike is what rows must share to stand for each other in a set.
type alike struct {
	rrn, chanID, order, refund, stan, auth, batch, tail, class symbol
	channel                                                    txn.Channel
	day, biz                                                   txn.Date
	closed                                                     bool
}

func alikeOf(it *item) alike {
	a := alike{it.rrn, it.chanID, it.order, it.refund, it.stan, it.auth, it.batch, it.tail, it.class, it.channel, it.day, it.biz, it.flags.has(closedRow)}
	if it.side == txn.Terminal {
		a.class, a.biz = 0, 0 // what the terminal does not say, or only expects
	}
	return a
}

// bunch is the rows of one side that are alike, in the order of the group.
type bunch struct {
	rows []int32
	with []int // bunches of the other side that nothing tells apart from this one
}

// sets matches rows that nothing tells apart, k of n. Rows of one amount at one terminal may still differ in an
// identifier that only some of them carry; such a set is not interchangeable and stays as it is. Work is done on
// bunches of rows that are alike, so a thousand sales of one price are one comparison.
func (d *Day) sets(n uint8, left, right []keyed) {
	ts, tOf := d.bunches(left, func(it *item) bool { return it.status.Success() && !it.flags.has(ambiguous) })
	as, _ := d.bunches(right, func(it *item) bool { return !it.flags.has(ambiguous) })
	if d.apartByID(ts, as) {
		return
	}
	for i := range ts {
		for j := range as {
			t, a := ts[i].rows[0], as[j].rows[0]
			if d.fits(&passes[n], t, a) && interchangeable(&d.items[t], &d.items[a]) {
				ts[i].with = append(ts[i].with, j)
				as[j].with = append(as[j].with, i)
			}
		}
	}
	next := make([]int, len(as)) // first row of each bunch that may be free
	for _, k := range d.inOrder(left) {
		i, ok := tOf[k]
		if !ok || len(ts[i].with) == 0 {
			continue
		}
		if !d.oneSet(ts, as, i) {
			if d.recall {
				continue
			}
			d.items[k].flags |= ambiguous
			for _, j := range ts[i].with {
				for _, a := range as[j].rows {
					if d.items[a].partner < 0 {
						d.items[a].flags |= ambiguous
					}
				}
			}
			continue
		}
		if a := d.firstFree(as, ts[i].with, next); a >= 0 {
			d.pair(n, k, a)
		}
	}
}

// bunches groups the rows that take part, each bunch and the bunches among themselves in the order of the group.
func (d *Day) bunches(ks []keyed, take func(*item) bool) ([]bunch, map[int32]int) {
	var out []bunch
	at, of := map[alike]int{}, map[int32]int{}
	for _, i := range d.inOrder(ks) {
		it := &d.items[i]
		if !take(it) {
			continue
		}
		n, ok := at[alikeOf(it)]
		if !ok {
			n = len(out)
			at[alikeOf(it)] = n
			out = append(out, bunch{})
		}
		out[n].rows = append(out[n].rows, i)
		of[i] = n
	}
	return out, of
}

// apartByID reports whether every row of both sides carries the same kind of id: earlier passes have compared those, so
// nothing can be interchangeable. It saves comparing each with each where a whole day found no partner.
func (d *Day) apartByID(ts, as []bunch) bool {
	for _, id := range [...]func(*item) symbol{func(i *item) symbol { return i.rrn }, func(i *item) symbol { return i.chanID },
		func(i *item) symbol { return i.order }} {
		all := true
		for _, side := range [...][]bunch{ts, as} {
			for _, b := range side {
				all = all && id(&d.items[b.rows[0]]) != 0
			}
		}
		if all {
			return true
		}
	}
	return false
}

// oneSet reports whether the acquirer rows that bunch i may pair with are of one fee class, channel and day, and whether
// every other bunch that shares one of them is of the same day and channel and may pair with the very same rows.
func (d *Day) oneSet(ts, as []bunch, i int) bool {
	first := &d.items[as[ts[i].with[0]].rows[0]]
	t := &d.items[ts[i].rows[0]]
	for _, j := range ts[i].with {
		x := &d.items[as[j].rows[0]]
		if x.class != first.class || x.channel != first.channel || x.biz != first.biz {
			return false
		}
		for _, k := range as[j].with {
			o := &d.items[ts[k].rows[0]]
			if !slices.Equal(ts[k].with, ts[i].with) || o.day != t.day || o.channel != t.channel {
				return false
			}
		}
	}
	return true
}

// firstFree takes the first row, in the order of the bunches, that has no partner yet.
func (d *Day) firstFree(as []bunch, with []int, next []int) int32 {
	for _, j := range with {
		for ; next[j] < len(as[j].rows); next[j]++ {
			if a := as[j].rows[next[j]]; d.items[a].partner < 0 {
				return a
			}
		}
	}
	return -1
}
