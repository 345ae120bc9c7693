package reconcile

import (
	"slices"

	"daozhang/parsers/txn"
)

// classify gives every row of leg T-A its state. Pairs first, since whether a void or reversal is lost depends on what
// became of its original.
func (d *Day) classify() {
	d.findSuspects()
	for i := range d.items {
		it := &d.items[i]
		if it.side == txn.Terminal && it.partner >= 0 {
			d.classifyPair(it, &d.items[it.partner])
			d.meet(it)
		}
	}
	d.voided()
	for i := range d.items {
		it := &d.items[i]
		if it.ta.state != 0 || it.side == txn.Bank || !it.kind.Transaction() || it.flags.has(closedRow) {
			continue
		}
		if v, ok := d.outside(it); ok {
			it.ta = v
		} else if it.side == txn.Terminal {
			it.ta = d.terminalOnly(it)
		} else {
			it.ta = d.acquirerOnly(it)
		}
	}
	d.unlinked()
}

// outside handles rows that take no part in the leg.
func (d *Day) outside(it *item) (verdict, bool) {
	s := &d.slots[it.slot]
	switch {
	case d.heldItem(it):
		return d.heldRow(it), true
	case it.side == txn.Acquirer && !s.Pays:
		return judge(Excluded, SecondWitness, ""), true
	case it.kind == txn.Preauth:
		return judge(Excluded, NoMoney, ""), true
	case d.set.GoLive != 0 && it.day < d.set.GoLive, d.set.FilesAtHand && it.side == txn.Acquirer && it.day < d.firstDay():
		return judge(Excluded, BeforeGoLive, ""), true
	case it.side == txn.Terminal && statusRank(it.status) == 2:
		if it.biz > d.set.Date {
			return judge(InWindow, NotDue, ""), true // settled all the same, it would stand in a later file (T05)
		}
		return judge(Excluded, Declined, ""), true
	case it.side == txn.Acquirer && !it.status.Success() && d.suspectTerminalSlot(it) < 0:
		return judge(Excluded, NoMoney, ""), true
	}
	return verdict{}, false
}

// heldRow is the state of a row that must not be used.
func (d *Day) heldRow(it *item) verdict {
	switch s := &d.slots[it.slot]; {
	case s.wasHeld && it.carried >= 0:
		return judge(Excluded, DuplicateUpload, "") // the file that came instead has it
	case s.ruled != nil:
		return judge(Explained, s.ruled.Status.reason(), "")
	case s.closed != nil:
		return judge(Explained, DecidedAccepted, "")
	default:
		it.wait = it.slot
		return judge(InWindow, FeedHeld, s.Class)
	}
}

// meet opens a row again that a decision had closed, where its partner has come and the two do not agree.
func (d *Day) meet(t *item) {
	if d.closedRows == 0 || t.ta.State() == Matched {
		return
	}
	for _, i := range [...]int32{t.partner, d.items[t.partner].partner} {
		if d.items[i].flags.has(closedRow) {
			d.reopenRow(i)
		}
	}
}

// classifyPair compares what the passes did not key: amount and status. Terminal and store (T34) and the register (T30)
// are findings and change no state.
func (d *Day) classifyPair(t, a *item) {
	v := judge(Matched, "", "")
	switch {
	case !t.status.Success() && a.status.Success() && !d.reversed(t):
		v = judge(Exception, "", T05)
	case t.status.Success() && !a.status.Success():
		v = judge(Exception, "", T06)
	case t.amount != a.amount || t.curIdx != a.curIdx:
		v = judge(Exception, "", T04)
	}
	t.ta, a.ta = v, v
}

// reversed reports whether the terminal also has a reversal of the row: then an unknown outcome is no news, and what is
// wrong, if anything, is that the reversal was lost.
func (d *Day) reversed(t *item) bool { return d.undone[d.items[t.partner].partner] }

// voided explains a sale and its void or reversal where neither was cleared: nothing is to come of either.
func (d *Day) voided() {
	var undo []int32
	for i := range d.items {
		it := &d.items[i]
		if (it.kind == txn.Void || it.kind == txn.Reversal) && it.orig >= 0 && it.ta.state == 0 && it.partner < 0 {
			undo = append(undo, int32(i))
		}
	}
	slices.SortFunc(undo, d.before) // of two rows that undo one sale the first does
	for _, i := range undo {
		it := &d.items[i]
		o := &d.items[it.orig]
		if o.partner >= 0 || o.ta.state != 0 || o.twin >= 0 && o.side == txn.Acquirer || o.amount != -it.amount {
			continue
		}
		if _, out := d.outside(it); out {
			continue
		}
		if it.side == txn.Terminal && max(it.biz, o.biz) > d.set.Date {
			// The file that may clear them is of a later day: both wait, and nothing is to be said of a pair that is worth nothing.
			it.ta = judge(InWindow, NotDue, "")
			if _, out := d.outside(o); !out {
				o.ta = it.ta
			}
			continue
		}
		if it.side == txn.Terminal && (d.suspectAcquirerSlot(it) >= 0 || d.suspectAcquirerSlot(o) >= 0) {
			continue
		}
		if it.side == txn.Acquirer && (d.suspectTerminalSlot(it) >= 0 || d.suspectTerminalSlot(o) >= 0) {
			continue
		}
		v := judge(Explained, VoidedPair, "")
		it.ta = v
		if _, out := d.outside(o); !out {
			o.ta = v
		}
	}
}

// terminalOnly judges a terminal row that no acquirer row was found for.
func (d *Day) terminalOnly(it *item) verdict {
	if s := d.suspectAcquirerSlot(it); s >= 0 {
		return d.waitFor(it, s)
	}
	if s := d.rejectedPartner(it); s >= 0 {
		return d.waitFor(it, s)
	}
	due := d.dueTA(it)
	settled := d.settledBefore(it)
	switch {
	case it.flags.has(ambiguous):
		return judge(Exception, "", T28)
	case it.kind == txn.Reversal && settled:
		return judge(Exception, "", T07)
	case it.flags.has(noDue) || d.set.Date < due:
		return judge(InWindow, NotDue, T01)
	case it.kind == txn.Void && settled:
		return judge(Exception, "", T09)
	case it.kind == txn.Void, it.kind == txn.Reversal, it.status == txn.Unknown:
		return judge(Explained, NeverCleared, "")
	case it.kind == txn.Refund:
		return judge(Exception, "", T14)
	}
	return judge(Exception, "", T02)
}

// settledBefore reports whether the original of a void or reversal has its partner, today or on an earlier day.
func (d *Day) settledBefore(it *item) bool {
	if it.flags.has(origSettled) || it.orig >= 0 {
		return it.flags.has(origSettled) || d.items[it.orig].partner >= 0 || d.items[it.orig].flags.has(closedPair)
	}
	if it.side == txn.Terminal && it.carried < 0 && (it.kind == txn.Void || it.kind == txn.Reversal) && d.inHistory(it, it.day-1) {
		it.flags |= origSettled // matched before midnight, on an earlier day
		return true
	}
	return false
}

// dueTA is the first business date whose run may call the row missing at the acquirer.
//
// A sale: once the file after its clearing day is in, and not before its money is due by contract. A void: one file
// later, since the cut-off may lie between it and its sale. A refund: after refund_days working days.
func (d *Day) dueTA(it *item) txn.Date {
	next := it.biz + 1
	switch it.kind {
	case txn.Void, txn.Reversal:
		return next
	case txn.Refund:
		cal := "weekend"
		if c, err := d.contract(it.mid, it.channel, it.class, 0, it.day); err == nil && c.Calendar != "" {
			cal = c.Calendar
		} else if d.set.Calendars.Known("cn") {
			cal = "cn"
		}
		due, loaded := d.set.Calendars.AddWorkdays(cal, it.day, d.set.Rules.RefundDays)
		if !loaded {
			d.calendarGap(it, cal, due)
		}
		return due
	}
	due, _ := d.moneyDue(it)
	return max(due, next)
}

// moneyDue is the day on which the row's money must be there by contract, with the reason. Where contract or calendar
// are missing, the row is marked and the weekend rule answers.
func (d *Day) moneyDue(it *item) (txn.Date, string) {
	c, err := d.contract(it.mid, it.channel, it.class, 0, it.biz)
	if err != nil {
		if d.hasContracts && !it.flags.has(unknownMID) {
			d.gap("contract", it, it.biz, err)
			it.flags |= noDue
			due, _, _ := d.set.Calendars.Due("weekend", it.biz, nextWorkday)
			return due, "unknown, not before " + due.String()
		}
		return it.biz + 1, ""
	}
	due, loaded, note := d.set.Calendars.Due(c.Calendar, it.biz, c.Cycle)
	if !loaded {
		d.calendarGap(it, c.Calendar, due)
		return due, "unknown, not before " + due.String()
	}
	return due, note
}

// calendarGap marks a due date that reaches into a year whose calendar is not loaded.
func (d *Day) calendarGap(it *item, cal string, due txn.Date) {
	it.flags |= noDue
	d.noteGap(gapKey{what: "calendar", name: cal, currency: d.currencyOf(it).String()}, it, due,
		"calendar "+cal+" has no days for "+due.String()[:4])
}

// acquirerOnly judges an acquirer row that no terminal row was found for.
func (d *Day) acquirerOnly(it *item) verdict {
	if it.twin >= 0 || it.flags.has(wasTwin) {
		return judge(Exception, "", T11)
	}
	if s := d.suspectTerminalSlot(it); s >= 0 {
		return d.waitFor(it, s)
	}
	if s := d.rejectedPartner(it); s >= 0 {
		return d.waitFor(it, s)
	}
	_, last := d.terminalDays(it)
	settled := d.settledBefore(it)
	switch {
	case it.flags.has(ambiguous):
		return judge(Exception, "", T28)
	case last > d.set.Date:
		return judge(InWindow, NotDue, "")
	case (it.kind == txn.Void || it.kind == txn.Reversal) && (settled || d.lonelySale(it) >= 0):
		return judge(Exception, "", T08)
	case it.kind == txn.Sale || it.kind == txn.Completion:
		return judge(Exception, "", T03)
	case it.kind == txn.Reversal:
		return judge(Exception, "", T08)
	}
	return judge(Exception, "", T15)
}

// lonelySale finds the terminal sale that an acquirer's reversal undoes where the acquirer shows no sale at all.
func (d *Day) lonelySale(it *item) int32 {
	if d.freeSales == nil {
		d.freeSales = map[refKey]int32{}
		for i := range d.items {
			s := &d.items[i]
			if s.side != txn.Terminal || s.kind != txn.Sale || s.partner >= 0 || !s.status.Success() {
				continue
			}
			for _, k := range [...]refKey{{by: byRRN, id: s.rrn, mid: s.mid}, {by: byOrder, id: s.order, mid: s.mid}} {
				if k.id != 0 {
					d.freeSales[k] = int32(i)
				}
			}
		}
	}
	for _, k := range [...]refKey{{by: byRRN, id: it.rrn, mid: it.mid}, {by: byRRN, id: it.origRRN, mid: it.mid},
		{by: byOrder, id: it.order, mid: it.mid}, {by: byOrder, id: it.origOrder, mid: it.mid}} {
		if s, ok := d.freeSales[k]; ok && k.id != 0 {
			return s
		}
	}
	return -1
}

// unlinked finds refunds that have no original within the horizon (T13): neither among today's rows nor in the ledgers
// of earlier days. An original that is said to be older than the horizon is outside history, which is no finding.
func (d *Day) unlinked() {
	from := max(d.set.Date-txn.Date(d.set.Rules.HistoryDays), d.set.GoLive, d.firstDay())
	for i := range d.items {
		it := &d.items[i]
		if it.kind != txn.Refund || it.orig >= 0 || it.carried >= 0 || !it.status.Success() || d.heldItem(it) || it.twin >= 0 ||
			it.ta.State() == Excluded || it.side == txn.Acquirer && (it.partner >= 0 || !d.slots[it.slot].Pays) {
			continue
		}
		if p := it.partner; p >= 0 && d.items[p].orig >= 0 || it.origDay != 0 && it.origDay < from || d.inHistory(it, from) {
			continue
		}
		if s := d.originalMayBeUnseen(it, from); s {
			continue
		}
		it.flags |= refundLost
	}
}

// originalMayBeUnseen reports whether a slot that is missing or held may hold the original.
func (d *Day) originalMayBeUnseen(it *item, from txn.Date) bool {
	for _, n := range d.suspects {
		s := &d.slots[n]
		if s.Side == it.side && s.Date >= from && s.Date <= d.set.Date && (it.side == txn.Acquirer && d.mayCover(s, it) ||
			it.side == txn.Terminal && (len(s.Stores) == 0 || slices.Contains(s.Stores, d.sym.str(it.store)))) {
			return true
		}
	}
	return false
}

func (d *Day) inHistory(it *item, from txn.Date) bool {
	if d.set.History == nil {
		return false
	}
	for _, id := range [...]symbol{it.origChan, it.chanID, it.origOrder, it.order, it.origRRN, it.undoneRRN()} {
		if id == 0 {
			continue
		}
		if found, _ := d.set.History.Known(d.sym.str(id), from); found {
			return true
		}
	}
	return false
}

// undoneRRN is the RRN of a void or reversal, which it may share with its original; that of a refund is its own.
func (it *item) undoneRRN() symbol {
	if it.kind == txn.Refund {
		return 0
	}
	return it.rrn
}

// firstDay is the earliest local day among the rows where there are no ledgers to look further back.
func (d *Day) firstDay() txn.Date {
	if d.set.History != nil {
		return 0
	}
	if d.earliest != 0 {
		return d.earliest
	}
	first := d.set.Date
	for i := range d.items {
		if day := d.items[i].day; day != 0 && d.items[i].side == txn.Terminal && !d.items[i].flags.has(closedRow) {
			first = min(first, day)
		}
	}
	if d.sieve != nil {
		for _, f := range d.sieve.facets {
			if f.item.side == txn.Terminal && f.item.day != 0 {
				first = min(first, f.item.day)
			}
		}
	}
	d.earliest = first
	return first
}
