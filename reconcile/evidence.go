package reconcile

import (
	"bytes"
	"slices"

	"daozhang/parsers/txn"
)

// A row without a partner means something only if the partner's file has been seen. This file answers: in which slots
// could the partner of a row stand, and is one of them missing, held or not due?

// waitFor notes that the row waits for slot s and returns its state on the leg.
func (d *Day) waitFor(it *item, s int) verdict {
	it.wait = int32(s)
	slot := &d.slots[s]
	if slot.State == SlotNotDue {
		return judge(InWindow, EvidenceNotDue, "")
	}
	return judge(InWindow, EvidenceMissing, slot.Class)
}

// suspectAcquirerSlot finds a slot in which the acquirer's row of a terminal row may stand unseen: the clearing day it
// belongs to, the next one, and near the cut-off the one before.
func (d *Day) suspectAcquirerSlot(it *item) int {
	first, last := it.biz, it.biz+1
	if it.flags.has(nearCutoff) && first > it.day {
		first--
	}
	if it.flags.has(ambiguous) || it.kind == txn.Reversal && d.settledBefore(it) {
		last = it.biz // said at once: the next file is not waited for
	}
	for _, i := range d.suspects {
		s := &d.slots[i]
		if s.Side == txn.Acquirer && !s.Notices && s.Pays && s.Date >= first && s.Date <= last && d.mayCover(s, it) {
			return i
		}
	}
	return -1
}

// rejectedPartner finds a slot of the other side in which a rejected record names the row.
func (d *Day) rejectedPartner(it *item) int {
	if it.flags.has(wasNamed) {
		return int(it.wait)
	}
	for n := range d.slots {
		s := &d.slots[n]
		if len(s.raw) == 0 || s.ruled != nil || s.Side == it.side || s.Side == txn.Bank {
			continue
		}
		for _, raw := range s.raw {
			for _, id := range [...]symbol{it.chanID, it.order, it.rrn} {
				if t := d.sym.text(id); len(t) >= minNamed && bytes.Contains(raw, t) {
					return n
				}
			}
		}
	}
	return -1
}

// minNamed is the length from which an id found in a rejected record is taken for the row's.
const minNamed = 8

// mayCover reports whether an acquirer's slot may hold rows of the merchant.
func (d *Day) mayCover(s *Slot, it *item) bool {
	mid := d.sym.str(it.mid)
	if len(s.Merchants) > 0 {
		return slices.Contains(s.Merchants, mid)
	}
	ms := d.set.Register.MerchantsOf(mid)
	if len(ms) == 0 || s.Acquirer == "" {
		return true
	}
	for _, m := range ms {
		if m.Acquirer == s.Acquirer {
			return true
		}
	}
	return false
}

// suspectTerminalSlot finds a terminal log in which the partner of an acquirer row may stand unseen.
func (d *Day) suspectTerminalSlot(it *item) int {
	store := d.sym.str(it.store)
	first, last := d.terminalDays(it)
	for _, i := range d.suspects {
		s := &d.slots[i]
		if s.Side != txn.Terminal || s.Date < first || s.Date > last {
			continue
		}
		if len(s.Merchants) > 0 && !slices.Contains(s.Merchants, d.sym.str(it.mid)) {
			continue
		}
		if len(s.Stores) == 0 || store == "" || slices.Contains(s.Stores, store) {
			return i
		}
	}
	return -1
}

// terminalDays are the local days whose logs may hold the terminal row: clocks differ by up to the time limit.
func (d *Day) terminalDays(it *item) (first, last txn.Date) {
	if it.unix == 0 { // only the clearing day is known: the sale may be of the evening before
		return it.day - 1, it.day
	}
	if it.flags.has(dateOnly) {
		return it.day, it.day
	}
	limit := int64(d.set.Rules.TimeLimitMinutes) * 60
	off := int64(0)
	if d.set.Zone != nil {
		_, o := it.day.In(d.set.Zone).Zone()
		off = int64(o)
	}
	day := func(unix int64) txn.Date { return txn.Date((unix + off) / 86400) }
	return day(it.unix - limit), day(it.unix + limit)
}

// suspectPayoutSlot finds a slot whose absence makes a payout's own figures unsure.
func (d *Day) suspectPayoutSlot(p *payout) int {
	for _, i := range d.suspects {
		s := &d.slots[i]
		if s.Side != txn.Acquirer || s.Date != p.Date || s.Acquirer != p.Acquirer || !s.Pays && !s.Notices {
			continue
		}
		if len(s.Merchants) == 0 || slices.Contains(s.Merchants, p.MID) {
			return i
		}
	}
	return -1
}

// suspectBankSlot finds a bank slice in which the credit of a payout may stand unseen; promised leaves out those of days for
// which none is promised.
func (d *Day) suspectBankSlot(account string, from txn.Date, promised bool) int {
	for _, i := range d.suspects {
		s := &d.slots[i]
		if promised && s.Unpromised {
			continue
		}
		if s.Side == txn.Bank && s.Date >= from && (len(s.Accounts) == 0 || account == "" || slices.Contains(s.Accounts, account)) {
			return i
		}
	}
	return -1
}

// BankUnsure reports whether a statement of the account from that day on, of an earlier day than today, is missing or
// doubtful: then two balances need not meet.
func (d *Day) BankUnsure(account string, from txn.Date) bool {
	for i := range d.slots {
		s := &d.slots[i]
		if s.past && s.suspect() && s.Side == txn.Bank && s.Date >= from && (len(s.Accounts) == 0 || slices.Contains(s.Accounts, account)) {
			return true
		}
	}
	return false
}

// payoutWindow is how many days back a credit may still pay a business date.
const payoutWindow = 15

// suspectSourceOfCredit finds a slot of the acquirer whose payouts a credit may be.
func (d *Day) suspectSourceOfCredit(it *item) int {
	acq := d.sym.str(it.acq)
	for _, i := range d.suspects {
		s := &d.slots[i]
		if s.Side == txn.Acquirer && s.Acquirer == acq && s.Date <= it.day && s.Date >= it.day-payoutWindow && (s.Pays || s.Notices) {
			return i
		}
	}
	return -1
}

// findSuspects lists the slots that matter to the questions above, in slot order.
func (d *Day) findSuspects() {
	d.suspects = d.suspects[:0]
	for i := range d.slots {
		if d.slots[i].suspect() {
			d.suspects = append(d.suspects, i)
		}
	}
}

// Traffic counts the rows of the other side that should have a partner in the slot: of a terminal log the acquirers'
// rows of its stores and day, of an acquirer's file the terminals' rows that clear on its day.
func (d *Day) Traffic(n int) int64 {
	s := &d.slots[n]
	count := int64(0)
	for i := range d.items {
		it := &d.items[i]
		if it.side == txn.Bank || it.side == s.Side || !it.kind.Transaction() || !it.status.Success() || it.flags.has(closedRow) {
			continue
		}
		if s.Side == txn.Acquirer && it.biz == s.Date && d.mayCover(s, it) ||
			s.Side == txn.Terminal && it.day == s.Date && it.store != 0 && (len(s.Stores) == 0 || slices.Contains(s.Stores, d.sym.str(it.store))) {
			count++
		}
	}
	return count + d.siftedTraffic(s)
}

// siftedTraffic counts the same among the rows in the sieve.
func (d *Day) siftedTraffic(s *Slot) (count int64) {
	if d.sieve == nil {
		return 0
	}
	for _, f := range d.sieve.facets {
		it := &f.item
		if it.side == s.Side || !it.kind.Transaction() || !it.status.Success() {
			continue
		}
		t := &f.seen
		switch {
		case s.Side == txn.Terminal:
			if it.day == s.Date && it.store != 0 && (len(s.Stores) == 0 || slices.Contains(s.Stores, d.sym.str(it.store))) {
				count += t.rows
			}
		case d.mayCover(s, it):
			if it.day == s.Date {
				count += t.rows - t.next
			} else if it.day+1 == s.Date {
				count += t.next
			}
		}
	}
	return count
}
