package reconcile

import (
	"slices"

	"daozhang/parsers/txn"
	"daozhang/reconcile/fee"
)

// item is a row as matching sees it: identifiers as symbols, normalised and mapped by the register.
type item struct {
	pos    txn.Position
	amount int64
	fee    txn.Fine
	unix   int64 // transaction time, or booking date at midnight
	idHash uint64
	slot   int32
	day    txn.Date // local day of the transaction; booking day of a bank line
	biz    txn.Date // clearing day: stated on A, expected on T
	seen   txn.Date // business date on which the row entered

	mid, tid, store, acq              symbol
	batch, stan, rrn, auth, tail      symbol
	order, chanID, refund             symbol
	origOrder, origRRN, origSTAN      symbol
	origBatch, origChan               symbol
	account, payer, text, ref, payout symbol
	class                             symbol // card class
	origDay                           txn.Date

	orig    int32 // item of the original within the side, -1 none
	partner int32 // item on the other side, -1 none
	carried int32 // index into carry.Items, -1 for a row of today
	wait    int32 // slot it waits for, -1 none
	twin    int32 // earlier item of which it is a copy, -1 none

	side    txn.Side
	kind    txn.Kind
	status  txn.Status
	channel txn.Channel
	curIdx  uint8
	pass    uint8
	flags   flags
	ta, ab  verdict // state on each leg
}

// verdict is where an item stands on one leg.
type verdict struct {
	state  uint8 // index into states; 0 = leg does not apply
	reason uint8 // index into reasons
	class  uint8 // index into classes + 1; 0 = none
}

type flags uint32

const (
	dateOnly flags = 1 << iota
	offline
	unknownMID
	unknownTID
	feeWrong
	origSettled  // carried: its original was matched on an earlier day
	wasTwin      // carried: it was a copy of a matched row
	hasOrigRef   // the row names an original
	ambiguous    // entered a pass that demands uniqueness and met several
	acquirerLine // a bank line whose payer is an acquirer on record
	reversedLine
	noDue      // contract or calendar missing
	refundLost // T13
	wasNamed   // carried: a rejected record of an earlier day names it
	gapContract
	gapCalendar
	nearCutoff  // so near that the acquirer may have cleared it a day earlier or later
	closedRow   // a memory: closed by a decision on an earlier day
	closedPair  // of these, one whose partner had come: nothing can meet it
	reopenedRow // was closed, and is open again today
	refundOver  // T16
)

func (f flags) has(g flags) bool { return f&g != 0 }

var states = []State{"", Matched, InWindow, Exception, Explained, Excluded, Rejected}

var reasons = []Reason{"", NotDue, EvidenceNotDue, EvidenceMissing, FeedHeld, VoidedPair, NeverCleared, CarriedNegative,
	Declined, DuplicateUpload, SecondWitness, BeforeGoLive, Unrelated, NoMoney, DecidedAccepted, DecidedWritten, DecidedWrong}

func stateIdx(s State) uint8 {
	for i, v := range states {
		if v == s {
			return uint8(i)
		}
	}
	return 0
}

func reasonIdx(r Reason) uint8 {
	for i, v := range reasons {
		if v == r {
			return uint8(i)
		}
	}
	return 0
}

func classIdx(c Class) uint8 {
	for i, v := range classes {
		if v.Class == c {
			return uint8(i + 1)
		}
	}
	return 0
}

func (v verdict) State() State   { return states[v.state] }
func (v verdict) Reason() Reason { return reasons[v.reason] }
func (v verdict) Class() Class {
	if v.class == 0 {
		return ""
	}
	return classes[v.class-1].Class
}

func (v verdict) open() bool { return v.State() == InWindow || v.State() == Exception }

func judge(s State, r Reason, c Class) verdict {
	return verdict{stateIdx(s), reasonIdx(r), classIdx(c)}
}

// Expect makes room for about so many rows more.
func (d *Day) Expect(rows int64) { d.items = slices.Grow(d.items, int(rows)) }

// Add takes one row of a slot. The row's bytes may change after the call.
func (d *Day) Add(slot int, r *txn.Row) {
	i := d.add(slot, r, -1)
	cur := d.items[i].curIdx
	if s := &d.slots[slot]; s.Late != nil {
		s.added.add(1, r.Amount)
	}
	if r.Side != txn.Bank && r.Kind.Transaction() {
		d.count(LegTA, slot, cur).add(1, r.Amount, r.Fee)
	}
	if r.Side != txn.Terminal {
		d.count(LegAB, slot, cur).add(1, r.Amount, r.Fee)
	}
}

func (d *Day) add(slot int, r *txn.Row, carried int32) int {
	it := d.itemOf(slot, r)
	it.carried = carried
	if it.side == txn.Acquirer {
		d.checkFee(&it, r)
	}
	d.items = append(d.items, it)
	return len(d.items) - 1
}

// itemOf reads a row as matching sees it.
func (d *Day) itemOf(slot int, r *txn.Row) item {
	s := &d.slots[slot]
	it := item{pos: r.Pos, amount: r.Amount, fee: r.Fee, slot: int32(slot), side: r.Side, kind: r.Kind, status: r.Status,
		channel: r.Channel, orig: -1, partner: -1, carried: -1, wait: -1, twin: -1, seen: d.set.Date}
	it.curIdx = d.currency(r.Currency)
	it.idHash = d.ids.hash(s.Source, r)
	if r.Time.DateOnly {
		it.flags |= dateOnly
	}
	if r.Offline {
		it.flags |= offline
	}
	it.unix, it.day = r.Time.Unix, r.Time.Date()
	if s.Acquirer != "" {
		it.acq = d.sym.intern([]byte(s.Acquirer))
	}
	if r.Side == txn.Bank {
		d.addBank(&it, r)
	} else {
		d.addTransaction(&it, r, s)
	}
	return it
}

func (d *Day) addBank(it *item, r *txn.Row) {
	it.day, it.biz = r.Booking, r.Booking
	if r.Reversed {
		it.flags |= reversedLine
	}
	if r.LineStatus != txn.Booked {
		it.status = txn.Closed
	}
	it.account = d.sym.intern(r.Get(txn.Account))
	it.payer = d.sym.intern(r.Get(txn.CounterpartyName))
	it.text = d.sym.intern(r.Get(txn.Remittance))
	it.ref = d.sym.intern(r.Get(txn.BankRef))
	it.acq = 0
	if p, ok := d.set.Register.Payer(string(r.Get(txn.CounterpartyName)), r.Booking); ok {
		it.acq = d.sym.intern([]byte(p.Acquirer))
		it.flags |= acquirerLine
	}
}

func (d *Day) addTransaction(it *item, r *txn.Row, s *Slot) {
	if it.day == 0 {
		it.day = r.Business
	}
	if it.day == 0 {
		it.day = s.Date
	}
	id := func(f txn.Field) symbol {
		v := r.Get(f)
		if txn.Blank(v) {
			return 0
		}
		return d.sym.intern(v)
	}
	num := func(f txn.Field) symbol {
		v := r.Get(f)
		if txn.Blank(v) {
			return 0
		}
		return d.sym.intern(txn.TrimZeros(v))
	}
	it.batch, it.stan, it.rrn = num(txn.Batch), num(txn.STAN), num(txn.RRN)
	it.auth, it.tail = id(txn.AuthCode), d.sym.intern(r.Get(txn.CardTail))
	it.order, it.chanID, it.refund = id(txn.OrderNo), id(txn.ChannelTxnID), id(txn.RefundID)
	it.origOrder, it.origChan = id(txn.OrigOrder), id(txn.OrigChannelTxnID)
	it.origRRN, it.origSTAN, it.origBatch = num(txn.OrigRRN), num(txn.OrigSTAN), num(txn.OrigBatch)
	it.origDay = r.OrigDate
	it.payout, it.class = id(txn.PayoutID), d.sym.intern(r.Get(txn.CardClass))
	it.account = id(txn.Account)
	if it.origOrder|it.origRRN|it.origSTAN|it.origChan != 0 || (r.Kind == txn.Refund && it.order|it.chanID != 0) {
		it.flags |= hasOrigRef
	}
	d.mapIDs(it, r, s)
	if r.Side == txn.Acquirer {
		it.biz = r.Business
		if it.biz == 0 {
			it.biz = s.Date
		}
		return
	}
	it.biz = d.clearingDay(it, r)
}

// clearingDay is the business date on which the acquirer should clear a terminal row.
func (d *Day) clearingDay(it *item, r *txn.Row) txn.Date {
	c, err := d.contract(it.mid, it.channel, it.class, 0, it.day)
	if err != nil || r.Time.IsZero() || r.Time.DateOnly {
		return it.day
	}
	if c.NearCutoff(r.Time) {
		it.flags |= nearCutoff
	}
	return c.ClearingDate(r.Time)
}

// checkFee compares the charged fee with the contract (P02) while the full row is at hand.
func (d *Day) checkFee(it *item, r *txn.Row) {
	if !d.chargesFor(it, r) {
		return
	}
	c, err := d.contract(it.mid, it.channel, it.class, d.sym.intern(r.Get(txn.MCC)), it.biz)
	if err != nil {
		d.gap("contract", it, it.biz, err)
		return
	}
	if _, ok := fee.Check(*c, r.Kind, r.Amount, r.Currency, r.Fee); !ok {
		it.flags |= feeWrong
	}
}

// chargesFor reports whether the contract says what the row costs.
func (d *Day) chargesFor(it *item, r *txn.Row) bool {
	return !d.quiet && r.Kind.Transaction() && r.Kind != txn.Preauth && r.Status.Success() && r.Has.Has(txn.FeeField) && !it.flags.has(unknownMID)
}

func (d *Day) currency(c txn.Currency) uint8 {
	for i, v := range d.cur {
		if v == c {
			return uint8(i)
		}
	}
	d.cur = append(d.cur, c)
	return uint8(len(d.cur) - 1)
}

func (d *Day) currencyOf(it *item) txn.Currency { return d.cur[it.curIdx] }

// gapKey names what is missing from the register or calendar.
type gapKey struct {
	what     string // contract | calendar | account
	mid      string
	channel  string
	name     string
	currency string
}

type gap struct {
	rows   int64
	amount int64
	date   txn.Date
	why    string
	slot   int32
}

// gap notes that a row needed a contract which is not there (X05). Without any contracts at all nothing is missing: the
// user chose to match without a register.
func (d *Day) gap(what string, it *item, on txn.Date, err error) {
	if !d.hasContracts {
		return
	}
	d.noteGap(gapKey{what: what, mid: d.sym.str(it.mid), channel: it.channel.String(), currency: d.currencyOf(it).String()}, it, on, err.Error())
}

func (d *Day) noteGap(k gapKey, it *item, on txn.Date, why string) {
	g := d.missing[k]
	if g == nil {
		g = &gap{date: on, why: why, slot: it.slot}
		d.missing[k] = g
	}
	counted := gapContract
	if k.what == "calendar" {
		counted = gapCalendar
	}
	if !it.flags.has(counted) { // a row asks several times
		it.flags |= counted
		g.rows++
		g.amount += it.amount
	}
}
