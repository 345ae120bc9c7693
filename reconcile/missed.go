package reconcile

import (
	"maps"
	"slices"

	"daozhang/parsers/txn"
)

// missed says what became of cases that were decided from this day's book and are not in it any more.
func (d *Day) missed(ev Evidence) error {
	if d.rulings == nil {
		return nil
	}
	var lost []*ruling
	for _, u := range d.rulings.list {
		if !u.met && !u.over && u.Status != Reopened && !u.Class.Info().Finding && u.EffectiveOn == d.set.Date && u.SeenOn == d.set.Date {
			lost = append(lost, u)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	if err := d.readForKeys(ev, lost); err != nil {
		return err
	}
	today := d.standing()
	for _, u := range lost {
		open, settled := false, false
		for _, m := range u.Members {
			if v, ok := today[sphere(u.Class)+m.Key]; ok {
				open, settled = open || v, settled || !v
			}
		}
		l := d.settledLine(u)
		switch at, ok := d.settledOn(u); {
		case open: // it waits for evidence: nothing is said of the case, nor of the decision
		case settled:
			d.contradict(l, u, "overtaken", "overtaken: settled on "+d.set.Date.String(), CaseNew)
		case ok:
			d.contradict(l, u, "overtaken", "overtaken: settled on "+at.String(), CaseNew)
		default:
			d.contradict(l, u, "evidence_withdrawn", "evidence withdrawn", CaseNew)
		}
	}
	return nil
}

// settledLine shows what of the case is in today's book, settled; the members alone where nothing is.
func (d *Day) settledLine(u *ruling) Line {
	l := Line{Rows: max(int64(len(u.Members)), 1), Currency: d.mainCurrency()}
	row := -1
	for i, k := range d.keys {
		it := &d.items[i]
		if (it.side == txn.Bank) == (sphere(u.Class) == "A|") && sphere(u.Class) != "F|" && u.about(k) && (row < 0 || d.before(int32(i), int32(row)) < 0) {
			row = i
		}
	}
	switch {
	case row >= 0 && d.items[row].side == txn.Bank:
		l = d.creditLine(row, X02)
	case row >= 0:
		l = d.rowLine(row, X02)
	default:
		for _, p := range d.payouts {
			if u.about(p.key()) {
				l = d.payoutLine(p, X02)
				break
			}
		}
	}
	l.CaseID, l.Leg, l.FirstSeen, l.Members = u.CaseID, legOf(u.Class), d.set.Date, u.Members
	return l
}

// about reports whether the key is that of a member.
func (u *ruling) about(key string) bool {
	return slices.ContainsFunc(u.Members, func(m Member) bool { return m.Key == key })
}

func legOf(c Class) Leg {
	switch sphere(c) {
	case "T|":
		return LegTA
	case "A|":
		return LegAB
	}
	return ""
}

// standing says of everything in today's book whether it is open, under the keys of members.
func (d *Day) standing() map[string]bool {
	out := map[string]bool{}
	for i, k := range d.keys {
		it := &d.items[i]
		if it.flags.has(closedRow) { // closed before
			out[d.itemSphere(d.memory(it).Item)+k] = true
		} else if it.side == txn.Bank {
			out["A|"+k] = out["A|"+k] || it.ab.open()
		} else {
			out["T|"+k] = out["T|"+k] || it.ta.open()
		}
	}
	for _, p := range d.payouts {
		out["A|"+p.key()] = p.ab.open()
	}
	for _, p := range d.closedPayouts {
		out["A|"+p.key()] = true
	}
	for i := range d.slots {
		s := &d.slots[i]
		out["F|"+s.member().Key] = s.suspect() || s.closed != nil
	}
	return out
}

// readForKeys reads the rows of today that the lost decisions may be about: those that carry one of their ids, and those
// that carry none, which only their keys can tell.
func (d *Day) readForKeys(ev Evidence, lost []*ruling) error {
	ids := map[symbol]bool{}
	rows := false
	for _, u := range lost {
		rows = rows || sphere(u.Class) != "F|"
		for _, id := range u.IDs {
			ids[d.sym.intern([]byte(id))] = true
			ids[d.sym.intern(txn.TrimZeros([]byte(id)))] = true
		}
	}
	if !rows {
		return nil
	}
	need := map[int]bool{}
	for i := range d.items {
		it := &d.items[i]
		if it.carried >= 0 {
			continue
		}
		if ids[it.order] && it.order != 0 || ids[it.chanID] && it.chanID != 0 || ids[it.rrn] && it.rrn != 0 || it.order|it.chanID|it.rrn == 0 {
			need[i] = true
		}
	}
	maps.Copy(need, d.company(need))
	maps.DeleteFunc(need, func(i int, _ bool) bool { return d.keys[i] != "" })
	if len(need) == 0 {
		return nil
	}
	return d.readRows(ev, need)
}

// settledOn looks in the ledgers of earlier days for a row of the case.
func (d *Day) settledOn(u *ruling) (txn.Date, bool) {
	for _, m := range u.Members {
		for _, p := range d.paid {
			q := payout{ID: p.ID, Acquirer: p.Acquirer, MID: p.MID, Channel: p.Channel, Currency: p.Currency, Date: p.Date}
			if q.key() == m.Key {
				return p.Booked, true
			}
		}
	}
	if sphere(u.Class) == "F|" {
		return d.set.Date, true // no file is missing or held any more: it has come
	}
	first, found := txn.Date(0), false
	for _, id := range u.IDs {
		for _, r := range d.pastRows(id) {
			if !carries(r.Row, id) || !kindFits(u.Class, r.Row.Kind) || found && r.Date <= first {
				continue
			}
			first, found = r.Date, true
		}
	}
	return first, found
}

// kindFits reports whether a case of the class is about rows of the kind, so that a refund's case does not find its sale.
func kindFits(c Class, k txn.Kind) bool {
	switch c {
	case T02, T03:
		return k == txn.Sale || k == txn.Completion
	case T07, T08:
		return k == txn.Void || k == txn.Reversal
	case T09:
		return k == txn.Void
	case T14:
		return k == txn.Refund
	case T15:
		return k == txn.Refund || k == txn.Void
	}
	return true
}

// carries reports whether the row has the id as its own, not as its original's.
func carries(r *txn.Row, id string) bool {
	for _, f := range [...]txn.Field{txn.OrderNo, txn.ChannelTxnID, txn.RRN} {
		if v := r.Get(f); !txn.Blank(v) && string(txn.TrimZeros(v)) == string(txn.TrimZeros([]byte(id))) {
			return true
		}
	}
	return false
}
