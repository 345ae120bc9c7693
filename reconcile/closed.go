package reconcile

import (
	"cmp"
	"slices"
	"strings"

	"daozhang/parsers/txn"
)

// What a decision has closed is no open item any more, but it is remembered for HistoryDays: evidence that comes later
// must still meet it. Such a memory is a candidate after all open rows, and is counted nowhere: not in the states, the
// roll-forward or the groups.

// Closed is what a decision closed: one of Item, Payout, Slot, Case, as it stood before.
type Closed struct {
	Decision string   // id
	On       txn.Date // business date on which it closed
	Pair     bool     `json:",omitempty"` // both sides had come: nothing is to come that could meet it
	Item     *CarriedItem
	Payout   *CarriedPayout
	Slot     *CarriedSlot
	Case     *CarriedCase
}

func (c *Closed) key() string {
	switch {
	case c.Item != nil:
		return "item|" + string(c.Item.Leg) + c.Item.Key
	case c.Payout != nil:
		return "payout|" + c.Payout.CaseID
	case c.Slot != nil:
		return strings.Join([]string{"slot", c.Slot.Source, c.Slot.Date.String(), c.Slot.Key}, "|")
	case c.Case != nil:
		return "case|" + c.Case.ID
	}
	return ""
}

// closing notes what a decision of today closed, and how it stood before.
type closing struct {
	*ruling
	was  verdict
	pair bool
}

// remember sorts what was closed on earlier days: taken back it is open again, too old it is forgotten, else it stays a
// memory. It returns the carry with what is open again, and the memories of rows.
func (d *Day) remember(c *Carry) (*Carry, []*Closed) {
	if len(c.Closed) == 0 {
		return c, nil
	}
	own := *c
	own.Items = append([]CarriedItem(nil), c.Items...)
	own.Payouts = append([]CarriedPayout(nil), c.Payouts...)
	own.Slots = append([]CarriedSlot(nil), c.Slots...)
	own.Cases = append([]CarriedCase(nil), c.Cases...)
	own.Closed = nil
	var rows []*Closed
	for i := range c.Closed {
		x := &c.Closed[i]
		back := !d.rulings.stands(x.Decision)
		switch {
		case back && x.Item != nil:
			d.back[d.itemSphere(x.Item)+x.Item.Key] = true
			own.Items = append(own.Items, *x.Item)
		case back && x.Payout != nil:
			d.back["A|"+payoutPrefix+x.Payout.CaseID] = true
			own.Payouts = append(own.Payouts, *x.Payout)
		case back && x.Slot != nil:
			own.Slots = append(own.Slots, *x.Slot)
			d.back["F|"+slotPrefix+x.Slot.Source+"|"+x.Slot.Date.String()+"|"+x.Slot.Key] = true
		case back:
			own.Cases = append(own.Cases, *x.Case)
			d.back[sphere(x.Case.Class)+x.Case.ID] = true
		case int(d.set.Date-x.On) >= d.set.Rules.HistoryDays:
		case x.Item != nil:
			rows = append(rows, x)
		default:
			own.Closed = append(own.Closed, *x)
		}
	}
	return &own, rows
}

func (d *Day) itemSphere(c *CarriedItem) string {
	if c.Leg == LegAB {
		return "A|"
	}
	return "T|"
}

// carryClosed brings in the memories. Those of rows are items like any other, marked closed.
func (d *Day) carryClosed(rows []*Closed) {
	d.firstClosed, d.firstItem = len(d.carry.Items), len(d.items)
	d.quiet = true
	for n, x := range rows {
		it := x.Item
		slot := d.pastSlot(it.Source, it.SlotDate, it.Slot, it.Row.Side, it.Acquirer, it.Pays)
		d.carry.Items = append(d.carry.Items, *it)
		i := d.carriedItem(slot, it, int32(d.firstClosed+n))
		d.items[i].flags |= closedRow
		if x.Pair {
			d.items[i].flags |= closedPair
		}
		if it.Leg == LegAB {
			d.closedCredits = append(d.closedCredits, i)
		} else {
			d.closedRows++
		}
	}
	d.quiet = false
	d.closed = rows
	for i := range d.carry.Closed {
		if x := &d.carry.Closed[i]; x.Payout != nil {
			p := d.payoutOf(x.Payout)
			p.closed = x
			d.closedPayouts = append(d.closedPayouts, p)
		}
	}
}

// memory is the entry behind an item that is marked closed.
func (d *Day) memory(it *item) *Closed { return d.closed[int(it.carried)-d.firstClosed] }

// reopenRow makes a memory an open row again: the evidence that met it did not settle it. It counts as carried in.
func (d *Day) reopenRow(i int32) {
	it := &d.items[i]
	c := d.memory(it).Item
	it.flags &^= closedRow
	it.flags |= reopenedRow
	d.back[d.itemSphere(c)+c.Key] = true
	d.count(c.Leg, int(it.slot), it.curIdx).carry(1, it.amount, it.fee)
}

// reopenPayout makes a remembered payout an open one again.
func (d *Day) reopenPayout(p *payout) {
	d.back["A|"+p.key()] = true
	p.closed, p.reopened = nil, true
	d.payouts = append(d.payouts, p)
	d.countParts(p)
}

// carryMemories collects what is closed: of today, and what is still remembered of earlier days.
func (d *Day) carryMemories(c *Carry) {
	for i, x := range d.closedNow {
		it := &d.items[i]
		leg := LegTA
		if it.side == txn.Bank {
			leg = LegAB
		}
		item := d.carryItem(i, leg, x.was)
		c.Closed = append(c.Closed, Closed{Decision: x.ID, On: d.set.Date, Pair: x.pair, Item: &item})
	}
	for i := range d.items {
		if it := &d.items[i]; it.flags.has(closedRow) && !d.met(it) {
			c.Closed = append(c.Closed, *d.memory(it))
		}
	}
	for _, p := range d.payouts {
		if p.closing != nil {
			was := p.ab
			p.ab = p.closing.was
			q := d.carriedPayout(p)
			p.ab = was
			c.Closed = append(c.Closed, Closed{Decision: p.closing.ID, On: d.set.Date, Pair: p.credit >= 0, Payout: &q})
		}
	}
	for _, p := range d.closedPayouts {
		if p.closed != nil && p.credit < 0 {
			c.Closed = append(c.Closed, *p.closed)
		}
	}
	for i := range d.slots {
		if s := &d.slots[i]; s.ruled != nil && !s.Unpromised {
			q := d.carriedSlot(s)
			q.Decision = ""
			c.Closed = append(c.Closed, Closed{Decision: s.ruled.ID, On: d.set.Date, Slot: &q})
		} else if s.closed != nil {
			c.Closed = append(c.Closed, *s.closed)
		}
	}
	c.Closed = append(c.Closed, d.closedGaps...)
	for i := range d.carry.Closed {
		if x := &d.carry.Closed[i]; x.Case != nil {
			c.Closed = append(c.Closed, *x)
		}
	}
	sortClosed(c.Closed)
}

// met reports whether a memory was met by a row or payout of today.
func (d *Day) met(it *item) bool { return it.partner >= 0 || it.side == txn.Bank && it.ab.state != 0 }

// overtaken writes what is to be said of memories that evidence of today has settled: the case clears, and the decision
// is shown as contradicted.
func (d *Day) overtaken(l Line, decision, by string) {
	l.Status, l.Lifecycle, l.AgeDays = "cleared", CaseCleared, 0
	l.ClearedBy = strings.TrimPrefix(by+"; decision overtaken", "; ")
	d.out.Lines = append(d.out.Lines, l)
	if d.rulings == nil || d.rulings.byID[decision] == nil {
		return
	}
	u := d.rulings.byID[decision]
	u.met = true
	l.ClearedBy = ""
	d.contradict(l, u, "overtaken", "overtaken", CaseNew)
}

// contradict writes X02 beside the line of a case.
func (d *Day) contradict(l Line, u *ruling, cause, detail string, life Lifecycle) {
	l.Class, l.Status, l.Lifecycle, l.AgeDays = X02, "open", life, 0
	l.Decision, l.CauseCode, l.Detail, l.Held, l.ClearedBy = u.Decision, cause, detail, false, ""
	l.NearPass, l.Differs, l.Candidates, l.Alias = "", "", nil, ""
	d.out.Lines = append(d.out.Lines, l)
}

func sortClosed(list []Closed) {
	slices.SortFunc(list, func(a, b Closed) int {
		return cmp.Or(strings.Compare(a.key(), b.key()), cmp.Compare(a.On, b.On), strings.Compare(a.Decision, b.Decision),
			cmp.Compare(a.seen(), b.seen()), strings.Compare(a.slot(), b.slot()))
	})
}

// seen and slot order rows of one key, which stand in different slots.
func (c *Closed) seen() txn.Date {
	if c.Item == nil {
		return 0
	}
	return c.Item.Seen
}

func (c *Closed) slot() string {
	if c.Item == nil {
		return ""
	}
	return c.Item.Source + " " + c.Item.SlotDate.String() + " " + c.Item.Slot
}
