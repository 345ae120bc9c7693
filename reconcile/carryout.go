package reconcile

import (
	"cmp"
	"slices"
	"strings"

	"daozhang/parsers/txn"
)

// carryOut collects what the next day must know: every row that is in_window or an exception on its leg, open payouts,
// slots that are still missing or held, what was paid of late, and the last balances.
func (d *Day) carryOut() *Carry {
	c := &Carry{Date: d.set.Date, Balances: d.balances, Cases: d.gapCases}
	for i := range d.items {
		it := &d.items[i]
		leg, v := LegTA, it.ta
		if it.side == txn.Bank {
			leg, v = LegAB, it.ab
		} else if !it.kind.Transaction() {
			continue
		}
		if v.open() {
			c.Items = append(c.Items, d.carryItem(i, leg, v))
		}
	}
	slices.SortFunc(c.Items, func(a, b CarriedItem) int {
		return cmp.Or(strings.Compare(string(a.Leg), string(b.Leg)), strings.Compare(a.Key, b.Key), cmp.Compare(a.SlotDate, b.SlotDate),
			strings.Compare(a.Slot, b.Slot), cmp.Compare(a.At.Line, b.At.Line)) // equal rows of two days or slots share a key
	})
	for _, p := range d.payouts {
		if p.ab.open() {
			c.Payouts = append(c.Payouts, d.carriedPayout(p))
		}
	}
	for i := range d.slots {
		s := &d.slots[i]
		if s.past && s.Class == F06 && s.Sum.HeldRows == 0 {
			continue // rightly empty after all: a later file had what seemed to be missing
		}
		if s.suspect() && !s.Unpromised || s.Class == F08 && d.waitedFor(i) {
			c.Slots = append(c.Slots, d.carriedSlot(s))
		}
	}
	slices.SortFunc(c.Slots, func(a, b CarriedSlot) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), cmp.Compare(a.Date, b.Date), strings.Compare(a.Key, b.Key))
	})
	for _, o := range d.debts {
		if !o.settled {
			c.Debts = append(c.Debts, o)
		}
	}
	for _, p := range d.paid {
		if d.set.Date-p.Booked < paidWindow || d.doubles(p) {
			c.Paid = append(c.Paid, p)
		}
	}
	for _, n := range d.credits {
		for _, p := range d.paidBy[n] {
			if p.ab.State() == Matched {
				c.Paid = append(c.Paid, d.paidOf(p, n))
			}
		}
	}
	for _, n := range d.closedCredits {
		for _, p := range d.paidBy[n] {
			c.Paid = append(c.Paid, d.paidOf(p, n))
		}
	}
	d.carryMemories(c)
	return c
}

func (d *Day) carriedSlot(s *Slot) CarriedSlot {
	return CarriedSlot{Source: s.Source, Acquirer: s.Acquirer, Key: s.Key, Side: s.Side, Date: s.Date, State: s.State,
		Held: s.Held, Doubtful: s.Doubtful, Pays: s.Pays, Notices: s.Notices, Class: s.Class, Why: s.Why, File: s.Sum.File,
		Stores: s.Stores, Merchants: s.Merchants, Accounts: s.Accounts, FirstSeen: cmp.Or(s.firstSeen, d.set.Date), SHA256: s.content(),
		Decision: s.decision}
}

// waitedFor reports whether a row is held by a rejected record of the slot.
func (d *Day) waitedFor(slot int) bool {
	for i := range d.items {
		if it := &d.items[i]; int(it.wait) == slot && it.ta.Reason() == EvidenceMissing {
			return true
		}
	}
	return false
}

// doubles reports whether an open credit paid p a second time.
func (d *Day) doubles(p Paid) bool {
	for _, q := range d.doubled {
		if q == p {
			return true
		}
	}
	return false
}

func (d *Day) carryItem(i int, leg Leg, v verdict) CarriedItem {
	it, s := &d.items[i], &d.slots[d.items[i].slot]
	out := CarriedItem{Key: d.keys[i], Leg: leg, Seen: it.seen, Source: s.Source, Acquirer: s.Acquirer, Slot: s.Key, SlotDate: s.Date, Pays: s.Pays,
		Class: openClass(leg, v), State: v.State(), FirstSeen: d.set.Date, At: d.refs[i], Row: d.rows[i], Decision: d.ruledRows[i], Late: d.lateRow(it)}
	if it.side == txn.Bank {
		out.CaseID = CaseID(string(leg), d.keys[i])
		if it.carried >= 0 {
			out.FirstSeen = d.carry.Items[it.carried].FirstSeen
		}
		return out
	}
	out.CaseID, _, out.FirstSeen = d.caseOf(i)
	var hints []string
	if d.settledBefore(it) {
		hints = append(hints, "settled")
	}
	if it.flags.has(wasTwin) || it.twin >= 0 {
		hints = append(hints, "twin")
	}
	if it.wait >= 0 && !d.slots[it.wait].suspect() { // named by a rejected record: until that file is mended
		w := &d.slots[it.wait]
		out.NamedIn = SlotID{w.Source, w.Date, w.Key}
	}
	out.Hints = strings.Join(hints, ",")
	if p := d.proofOf(i); p >= 0 {
		out.ProofAt = d.refs[int(p)]
	} else if at := d.copyOf[i]; at.Member != "" {
		out.ProofAt = at
	} else if it.carried >= 0 {
		out.ProofAt = d.carry.Items[it.carried].ProofAt
	}
	return out
}

func (d *Day) carriedPayout(p *payout) CarriedPayout {
	at := p.at
	if p.row >= 0 {
		at = d.refs[int(p.row)]
	}
	parts := p.Parts
	if p.row >= 0 { // the row that states it travels with it
		q := payout{Parts: slices.Clone(parts)}
		it := &d.items[p.row]
		q.addPart(&d.slots[it.slot], 1, it.amount, it.fee)
		parts = q.Parts
	}
	c := CarriedPayout{Payout: Payout{ID: p.ID, Acquirer: p.Acquirer, MID: p.MID, Channel: p.Channel, Account: p.Account,
		Currency: p.Currency.String(), Date: p.Date, Due: p.Due, DueNote: p.DueNote, NoDue: p.noDue, Basis: p.Basis, Rows: p.Rows, Sales: p.Sales,
		Refunds: p.Refunds, Fees: p.Fees, Adjust: p.Adjust, Reserve: p.Reserve, Composed: p.Composed, Stated: p.Stated, Parts: parts,
		At: at, CaseID: cmp.Or(p.caseID, p.id())}, FirstSeen: min(p.firstSeen, d.set.Date), Class: openClass(LegAB, p.ab), Decision: p.decision}
	if p.credit >= 0 {
		c.CreditKey = d.keys[int(p.credit)]
	}
	return c
}

// ledger tells the sink every pair of today, in the order of the terminal rows.
func (d *Day) ledger(sink Sink) {
	for i := range d.items {
		it := &d.items[i]
		if it.side == txn.Bank || it.partner < 0 || !it.kind.Transaction() {
			continue
		}
		o := &d.items[it.partner]
		// Two entries a row must do: the terminal row under its order, its partner under the channel's id.
		order := cmp.Or(it.order, it.chanID)
		if it.side == txn.Acquirer {
			order = cmp.Or(it.chanID, it.order)
		}
		m := Match{Row: it.pos, Partner: o.pos, Carried: it.carried >= 0, PartnerCarry: o.carried >= 0, Pass: passes[it.pass].name,
			Order: d.sym.str(order), RRN: d.sym.str(it.rrn), Source: d.slots[it.slot].Source, PartnerSource: d.slots[o.slot].Source}
		if it.kind == txn.Refund {
			m.Original = d.sym.str(cmp.Or(it.origChan, it.origOrder, it.origRRN))
		}
		if m.Carried {
			m.RowAt = d.carry.Items[it.carried].At
		}
		if m.PartnerCarry {
			m.PartnerAt = d.carry.Items[o.carried].At
		}
		sink.Match(m)
	}
}
