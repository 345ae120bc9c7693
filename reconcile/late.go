package reconcile

import (
	"cmp"
	"slices"
	"strings"

	"daozhang/parsers/txn"
)

// Full rows are read again only for the few that are reported or carried.

// fetch reads the rows of today that the book or the carry needs, and gives each its row key.
func (d *Day) fetch(ev Evidence) error {
	need := map[int]bool{}
	for i := range d.items {
		if d.reported(i) {
			need[i] = true
			for _, j := range [...]int32{d.items[i].partner, d.proofOf(i)} {
				if j >= 0 {
					need[int(j)] = true
				}
			}
		}
	}
	for c := range d.paidBy {
		need[c] = true
	}
	company := d.company(need)
	for i := range company {
		need[i] = true
	}
	return d.readRows(ev, need)
}

// readRows reads rows in full and gives each its key; those of the carry are at hand.
func (d *Day) readRows(ev Evidence, need map[int]bool) error {
	var list []int
	for i := range need {
		if it := &d.items[i]; it.carried >= 0 {
			d.rows[i], d.refs[i] = d.carry.Items[it.carried].Row, d.carry.Items[it.carried].At
		} else {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b int) int { return d.items[a].pos.Compare(d.items[b].pos) })
	at := make([]txn.Position, len(list))
	for n, i := range list {
		at[n] = d.items[i].pos
	}
	rows, refs, err := ev.Rows(at)
	if err != nil {
		return err
	}
	for n, i := range list {
		d.rows[i], d.refs[i] = rows[n], refs[n]
	}
	d.keyRows(need)
	return nil
}

// reported reports whether the row has a line of its own, is carried, or carries a finding.
func (d *Day) reported(i int) bool {
	it := &d.items[i]
	if it.ta.open() || it.side == txn.Bank && it.ab.open() || it.ta.Class() == T10 || it.carried >= 0 {
		return true
	}
	if it.flags&(feeWrong|refundLost|refundOver) != 0 || it.flags&(unknownMID|unknownTID) != 0 && it.ta.State() != Excluded {
		return true
	}
	if it.kind == txn.Payout && it.side == txn.Acquirer {
		return true
	}
	return it.side == txn.Terminal && it.partner >= 0 && d.moved(it, &d.items[it.partner])
}

// moved reports whether a pair that a strong key made names two terminals or two stores (T34).
func (d *Day) moved(t, a *item) bool {
	if passes[t.pass].window < 3 {
		return false // TID is part of the looser keys
	}
	if t.channel == txn.Online {
		return false
	}
	if t.tid != 0 && a.tid != 0 && t.tid != a.tid {
		return true
	}
	return t.store != 0 && a.store != 0 && t.store != a.store && d.ourStore(t.store, t.day)
}

// proofOf is the row, if it is of today, that shows why an unmatched row is what it is: what became of the original that
// a void or reversal was meant to undo, or the row of which an acquirer row is a copy.
func (d *Day) proofOf(i int) int32 {
	it := &d.items[i]
	switch c := it.ta.Class(); {
	case c == T11:
		return it.twin
	case (c == T07 || c == T08 || c == T09 || c == T01 && it.kind != txn.Refund) && it.orig >= 0:
		if p := d.items[it.orig].partner; p >= 0 {
			return p
		}
		return it.orig
	case c == T08:
		return d.lonelySale(it)
	}
	return -1
}

// company finds, for the rows needed, the rows of the same slot that look the same: their order gives the ordinal.
func (d *Day) company(need map[int]bool) map[int]bool {
	type slotHash struct {
		slot int32
		hash uint64
	}
	wanted := map[slotHash]int{}
	for i := range need {
		if it := &d.items[i]; it.carried < 0 {
			wanted[slotHash{it.slot, it.idHash}] = 0
		}
	}
	for i := range d.items {
		it := &d.items[i]
		if it.carried >= 0 {
			continue
		}
		if n, ok := wanted[slotHash{it.slot, it.idHash}]; ok {
			wanted[slotHash{it.slot, it.idHash}] = n + 1
		}
	}
	out := map[int]bool{}
	for i := range d.items {
		if it := &d.items[i]; it.carried < 0 && wanted[slotHash{it.slot, it.idHash}] > 1 {
			out[i] = true
		}
	}
	return out
}

// keyRows gives each needed row its key: the ordinal counts equal rows of the slot by (facts digest, position).
func (d *Day) keyRows(need map[int]bool) {
	type group struct {
		slot int32
		key  string
	}
	groups := map[group][]int{}
	for i := range need {
		it := &d.items[i]
		if it.carried >= 0 {
			d.keys[i] = d.carry.Items[it.carried].Key
			continue
		}
		g := group{it.slot, RowKey(d.slots[it.slot].Source, d.rows[i], 0)}
		groups[g] = append(groups[g], i)
	}
	for g, is := range groups {
		if len(is) == 1 {
			d.keys[is[0]] = g.key
			continue
		}
		slices.SortFunc(is, func(a, b int) int {
			return cmp.Or(strings.Compare(FactsDigest(d.rows[a]), FactsDigest(d.rows[b])), d.items[a].pos.Compare(d.items[b].pos))
		})
		for n, i := range is {
			d.keys[i] = RowKey(d.slots[g.slot].Source, d.rows[i], n)
		}
	}
}

// caseOf is the case of a row or pair on leg T-A: anchored on the member that is first in the day sequence, ties T, A.
// The id that the other member alone would have had is its alias.
func (d *Day) caseOf(i int) (id, alias string, first txn.Date) {
	anchor, other := i, -1
	if p := d.items[i].partner; p >= 0 {
		other = int(p)
		x, y := &d.items[i], &d.items[p]
		if y.seen < x.seen || y.seen == x.seen && y.side < x.side {
			anchor, other = int(p), i
		}
	}
	leg := LegTA
	if d.items[anchor].side == txn.Bank {
		leg = LegAB
	}
	id = CaseID(string(leg), d.keys[anchor])
	first = d.set.Date
	for _, m := range [...]int{anchor, other} {
		if m >= 0 && d.items[m].carried >= 0 {
			first = min(first, d.carry.Items[d.items[m].carried].FirstSeen)
		}
	}
	if other >= 0 && d.keys[other] != "" {
		alias = CaseID(string(leg), d.keys[other])
	}
	return id, alias, first
}
