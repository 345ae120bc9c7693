package reconcile

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"daozhang/parsers/txn"
)

// Conservation: per slot, leg and currency, rows read + rows carried in = rows in the six states, in count, amount and
// fee. The left side is counted while rows arrive, the right side from the items and payouts at the end.

type tallyKey struct {
	leg  Leg
	slot int
	cur  uint8
}

type tally struct {
	rows, carried, amount int64
	fee                   txn.Fine
}

func (t *tally) add(rows, amount int64, fee txn.Fine) {
	t.rows += rows
	t.amount += amount
	t.fee += fee
}

func (t *tally) carry(rows, amount int64, fee txn.Fine) {
	t.carried += rows
	t.add(rows, amount, fee)
}

func (d *Day) count(leg Leg, slot int, cur uint8) *tally {
	k := tallyKey{leg, slot, cur}
	t := d.read[k]
	if t == nil {
		t = &tally{}
		d.read[k] = t
	}
	return t
}

type sumKey struct {
	tallyKey
	state, reason uint8
}

// conserve adds up the six states, checks them against what was read, and keeps the sums for the book.
func (d *Day) conserve() error {
	d.out.Sides = nil
	told := map[sumKey]*tally{}
	at := func(leg Leg, slot int, cur uint8, v verdict) *tally {
		k := sumKey{tallyKey{leg, slot, cur}, v.state, v.reason}
		t := told[k]
		if t == nil {
			t = &tally{}
			told[k] = t
		}
		return t
	}
	put := func(it *item, leg Leg, v verdict) {
		t := at(leg, int(it.slot), it.curIdx, v)
		if it.carried >= 0 {
			t.carry(1, it.amount, it.fee)
		} else {
			t.add(1, it.amount, it.fee)
		}
	}
	for i := range d.items {
		it := &d.items[i]
		if it.flags.has(closedRow) {
			continue
		}
		if it.side != txn.Bank && it.kind.Transaction() {
			put(it, LegTA, it.ta)
		}
		if it.side == txn.Bank || it.side == txn.Acquirer && it.carried < 0 {
			put(it, LegAB, it.ab)
		}
	}
	for i := range d.bulks {
		b := &d.bulks[i]
		at(LegTA, b.slot, b.item.curIdx, judge(Matched, "", "")).add(b.Rows, b.Amount, b.ownFee())
		if b.item.side == txn.Acquirer {
			at(LegAB, b.slot, b.item.curIdx, b.ab).add(b.Rows, b.Amount, b.ownFee())
		}
	}
	for _, p := range append(slices.Clone(d.joined), d.payouts...) {
		if !p.carried {
			continue
		}
		for _, part := range p.parts {
			slot := d.pastSlot(part.Source, part.Date, part.Slot, txn.Acquirer, p.Acquirer, true)
			at(LegAB, slot, d.currency(p.Currency), p.ab).carry(part.Rows, part.Amount, part.Fee)
		}
	}
	for i := range d.slots {
		if n := d.slots[i].rejected; n > 0 {
			if d.slots[i].Side != txn.Bank {
				at(LegTA, i, 0, judge(Rejected, "", "")).add(n, 0, 0)
			}
			if d.slots[i].Side != txn.Terminal {
				at(LegAB, i, 0, judge(Rejected, "", "")).add(n, 0, 0)
			}
		}
	}
	if err := d.compare(told); err != nil {
		return err
	}
	d.keepSides(told)
	return nil
}

func (d *Day) compare(told map[sumKey]*tally) error {
	sum := map[tallyKey]*tally{}
	for k, t := range told {
		s := sum[k.tallyKey]
		if s == nil {
			s = &tally{}
			sum[k.tallyKey] = s
		}
		if k.state == 0 {
			continue // a row without a state is a lost row
		}
		s.add(t.rows, t.amount, t.fee)
	}
	keys := slices.SortedFunc(maps.Keys(d.read), tallyKey.compare)
	for _, k := range keys {
		r, s := d.read[k], sum[k]
		if s == nil {
			s = &tally{}
		}
		slot := &d.slots[k.slot]
		for _, c := range [...]struct {
			what string
			a, b int64
		}{{"rows", r.rows, s.rows}, {"amount in minor units", r.amount, s.amount}, {"fee in 1e-5", int64(r.fee), int64(s.fee)}} {
			if c.a != c.b {
				cur := ""
				if int(k.cur) < len(d.cur) {
					cur = d.cur[k.cur].String()
				}
				return &ConservationError{Leg: k.leg, Slot: slot.Source + " " + slot.Date.String() + " " + slot.Key, Currency: cur, What: c.what,
					Read: c.a, Told: c.b}
			}
		}
	}
	return nil
}

func (k tallyKey) compare(o tallyKey) int {
	return cmp.Or(strings.Compare(string(k.leg), string(o.leg)), cmp.Compare(k.slot, o.slot), cmp.Compare(k.cur, o.cur))
}

func (d *Day) keepSides(told map[sumKey]*tally) {
	for k, t := range told {
		s := &d.slots[k.slot]
		cur := txn.Currency{}
		if int(k.cur) < len(d.cur) {
			cur = d.cur[k.cur]
		}
		d.out.Sides = append(d.out.Sides, SideSum{Leg: k.leg, Side: s.Side, Source: s.Source, Slot: s.label(d.set.Date), Currency: cur,
			State: states[k.state], Reason: reasons[k.reason], Rows: t.rows, CarriedIn: t.carried, Amount: t.amount, Fee: t.fee,
			Net: txn.FineOf(t.amount, cur) - t.fee})
	}
	slices.SortFunc(d.out.Sides, func(a, b SideSum) int {
		return cmp.Or(-strings.Compare(string(a.Leg), string(b.Leg)), cmp.Compare(a.Side, b.Side), strings.Compare(a.Source, b.Source),
			strings.Compare(a.Slot, b.Slot), strings.Compare(a.Currency.String(), b.Currency.String()),
			cmp.Compare(stateIdx(a.State), stateIdx(b.State)), strings.Compare(string(a.Reason), string(b.Reason)))
	})
}

// label names the slot in sums: its key, with the date where it is not of the run's own day.
func (s *Slot) label(today txn.Date) string {
	if s.Date == today {
		return s.Key
	}
	return strings.TrimSuffix(s.Date.String()+" "+s.Key, " ")
}

// tieOut is the sum of payouts per acquirer, currency and basis.
func (d *Day) tieOut() {
	type k struct{ acq, cur, basis string }
	sums := map[k]*PayoutSum{}
	at := func(acq string, cur txn.Currency, basis string) *PayoutSum {
		key := k{acq, cur.String(), basis}
		if sums[key] == nil {
			sums[key] = &PayoutSum{Acquirer: acq, Currency: cur, Basis: basis}
		}
		return sums[key]
	}
	for i := range d.debts { // what the merchant owes is in transit too, with its sign
		o := &d.debts[i]
		s := at(o.Acquirer, o.Currency, o.Basis)
		if o.fresh {
			s.Cleared += o.Amount
		} else {
			s.OpeningTransit += o.Amount
		}
		if !o.settled {
			s.ClosingTransit += o.Amount
		}
	}
	for _, p := range d.joined { // stands under the payout that it became part of
		s := at(p.Acquirer, p.Currency, string(p.Basis))
		*s.opening(p.opened) += p.brought
		s.Cleared -= p.brought
	}
	for _, p := range d.payouts {
		if p.ab.Reason() != CarriedNegative {
			at(p.Acquirer, p.Currency, string(p.Basis)).addPayout(p)
		}
	}
	for _, p := range d.closedPayouts { // given up, and paid after all
		if p.closed != nil && p.credit >= 0 {
			s := at(p.Acquirer, p.Currency, string(p.Basis))
			s.Found += p.expected()
			s.WrittenOff -= p.expected()
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(sums), func(a, b k) int {
		return cmp.Or(strings.Compare(a.acq, b.acq), strings.Compare(a.cur, b.cur), strings.Compare(a.basis, b.basis))
	}) {
		s := sums[key]
		s.Remainder = s.OpeningTransit + s.OpeningOverdue + s.OpeningHeld + s.Cleared - s.Found - s.Short + s.Over - s.WrittenOff -
			s.ClosingTransit - s.Overdue - s.Held
		d.out.Payouts = append(d.out.Payouts, *s)
	}
}

// opening is the figure under which a payout of the class was open when the day began.
func (s *PayoutSum) opening(c Class) *int64 {
	switch c {
	case B01:
		return &s.OpeningTransit
	case B02:
		return &s.OpeningOverdue
	}
	return &s.OpeningHeld
}

// addPayout adds one payout of today. What a decision closes, or gives back, goes through WrittenOff.
func (s *PayoutSum) addPayout(p *payout) {
	e, v := p.gross(), p.ab
	if p.closing != nil {
		v = p.closing.was
	}
	gap := v.Class() == B03 || v.Class() == B04
	if p.carried && (p.opened == B03 || p.opened == B04) { // the difference was named on the day it showed
		late := e - p.brought // rows of a file for a closed date change the difference
		s.Cleared += late
		s.Over -= late
		switch {
		case p.closing != nil:
			s.giveUp(p.remainder)
		case p.reopened:
			s.giveUp(-p.remainder)
		}
		return
	}
	switch {
	case !p.carried:
		s.Cleared += e
	case p.reopened:
		s.WrittenOff -= p.brought
		s.Cleared += e - p.brought
	default:
		*s.opening(p.opened) += p.brought
		s.Cleared += e - p.brought
	}
	switch {
	case v.State() == Matched:
		s.Found += e + p.netted
	case gap:
		s.Found += e + p.remainder
		s.Short += max(-p.remainder, 0)
		s.Over += max(p.remainder, 0)
		if p.closing != nil {
			s.giveUp(p.remainder)
		}
	case p.closing != nil:
		s.WrittenOff += e
	case v.Class() == B01:
		s.ClosingTransit += e
	case v.Class() == B02:
		s.Overdue += e
	default:
		s.Held += e
	}
}

// giveUp moves a named difference to what is written off.
func (s *PayoutSum) giveUp(remainder int64) {
	if remainder < 0 {
		s.Short += remainder
	} else {
		s.Over -= remainder
	}
	s.WrittenOff -= remainder
}

func (f *Figure) add(rows, amount int64) {
	f.Rows += rows
	f.Amount += amount
}

// openClass is the class under which an open row or payout rolls forward; empty where it is not open. A row that only
// waits rolls under T01 or B01.
func openClass(leg Leg, v verdict) Class {
	switch {
	case !v.open():
		return ""
	case v.Class() != "":
		return v.Class()
	case leg == LegTA:
		return T01
	}
	return B01
}
