package reconcile

import (
	"slices"

	"daozhang/parsers/txn"
	"daozhang/reconcile/fee"
	"daozhang/reconcile/register"
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
	keptRefund   // has a status that keeps it out of composition (failed, closed)
	acquirerLine // a bank line whose payer is an acquirer on record
	reversedLine
	noDue // contract or calendar missing
	labelled
	refundLost // T13
	nearCutoff // so near that the acquirer may have cleared it a day earlier or later
)

func (f flags) has(g flags) bool { return f&g != 0 }

var states = []State{"", Matched, InWindow, Exception, Explained, Excluded, Rejected}

var reasons = []Reason{"", NotDue, EvidenceNotDue, EvidenceMissing, FeedHeld, VoidedPair, NeverCleared, CarriedNegative,
	Declined, DuplicateUpload, SecondWitness, BeforeGoLive, Unrelated, NoMoney}

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
	if r.Side != txn.Bank && r.Kind.Transaction() {
		d.count(LegTA, slot, cur).add(1, r.Amount, r.Fee)
	}
	if r.Side != txn.Terminal {
		d.count(LegAB, slot, cur).add(1, r.Amount, r.Fee)
	}
}

func (d *Day) add(slot int, r *txn.Row, carried int32) int {
	s := &d.slots[slot]
	it := item{pos: r.Pos, amount: r.Amount, fee: r.Fee, slot: int32(slot), side: r.Side, kind: r.Kind, status: r.Status,
		channel: r.Channel, orig: -1, partner: -1, carried: carried, wait: -1, twin: -1, seen: d.set.Date}
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
	d.items = append(d.items, it)
	return len(d.items) - 1
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
		d.checkFee(it, r)
		return
	}
	it.biz = d.clearingDay(it, r)
}

// idKey and idMap cache the register's answers: a day asks the same few terminals millions of times.
type idKey struct {
	acq, mid, tid symbol
	day           txn.Date
	side          txn.Side
}

type idMap struct {
	mid, tid, store        symbol // ours; store only where the register knows the terminal
	unknownMID, unknownTID bool
}

// mapIDs replaces the source's merchant and terminal ids by ours, valid on the transaction's local day.
func (d *Day) mapIDs(it *item, r *txn.Row, s *Slot) {
	k := idKey{it.acq, d.sym.intern(r.Get(txn.MID)), d.sym.intern(r.Get(txn.TID)), it.day, r.Side}
	m, ok := d.idCache[k]
	if !ok {
		m = d.lookUpIDs(string(r.Get(txn.MID)), string(r.Get(txn.TID)), s.Acquirer, r.Side, it.day)
		d.idCache[k] = m
	}
	it.mid, it.tid, it.store = m.mid, m.tid, m.store
	if own := r.Get(txn.Store); len(own) > 0 && (r.Side == txn.Terminal || it.store == 0) {
		// A store number of the acquirer's own making says nothing about our stores.
		if s := d.sym.intern(own); r.Side == txn.Terminal || d.ourStore(s, it.day) {
			it.store = s
		}
	}
	if m.unknownMID {
		it.flags |= unknownMID
	}
	if m.unknownTID && it.channel != txn.Online {
		it.flags |= unknownTID
	}
}

// ourStore reports whether the register has the store on that day.
func (d *Day) ourStore(s symbol, on txn.Date) bool {
	k := storeKey{s, on}
	known, ok := d.stores[k]
	if !ok {
		_, known = d.set.Register.Store(d.sym.str(s), on)
		d.stores[k] = known
	}
	return known
}

type storeKey struct {
	store symbol
	on    txn.Date
}

func (d *Day) lookUpIDs(mid, tid, acquirer string, side txn.Side, on txn.Date) (m idMap) {
	reg := d.set.Register
	ours, known := mid, false
	if side == txn.Acquirer {
		if r, ok := reg.Merchant(acquirer, mid, on); ok {
			ours, known = r.MID, true
		}
	}
	if _, ok := reg.MerchantByID(mid, on); ok && !known {
		known = true
	}
	if !known {
		if r, ok := d.externalMerchant(mid, on); ok {
			ours, known = r.MID, true
		}
	}
	m.unknownMID = !known && mid != "" && d.hasMerchants
	if !txn.Blank([]byte(ours)) {
		m.mid = d.sym.intern([]byte(ours))
	}
	if txn.Blank([]byte(tid)) {
		return m
	}
	t, ok := reg.Terminal(ours, tid, on)
	if !ok {
		t, ok = reg.TerminalByID(tid, on)
	}
	if ok {
		tid = t.TID
		m.store = d.sym.intern([]byte(t.Store))
	}
	// A merchant without any terminal on record (a wallet, a gateway) has ids of its own making in that column.
	m.unknownTID = !ok && d.withTerminals[ours]
	m.tid = d.sym.intern([]byte(tid))
	return m
}

// externalMerchant finds the merchant whose acquirer, any acquirer, calls it mid.
func (d *Day) externalMerchant(mid string, on txn.Date) (register.Merchant, bool) {
	for _, a := range d.acquirers {
		if m, ok := d.set.Register.Merchant(a, mid, on); ok {
			return m, true
		}
	}
	return register.Merchant{}, false
}

type contractKey struct {
	mid, class, mcc symbol
	channel         txn.Channel
	on              txn.Date
}

type contractHit struct {
	c   register.Contract
	err error
}

// contract finds the terms of a row. The error is register.ErrNoContract or a tie.
func (d *Day) contract(mid symbol, ch txn.Channel, class, mcc symbol, on txn.Date) (*register.Contract, error) {
	k := contractKey{mid, class, mcc, ch, on}
	h, ok := d.contracts[k]
	if !ok {
		h = &contractHit{}
		h.c, h.err = d.set.Register.Contract(d.sym.str(mid), ch, d.sym.str(class), d.sym.str(mcc), on)
		d.contracts[k] = h
	}
	return &h.c, h.err
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
	if !r.Kind.Transaction() || !r.Status.Success() || !r.Has.Has(txn.FeeField) || r.Kind == txn.Preauth || it.flags.has(unknownMID) {
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
	last   uint64
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
	if g.last != it.idHash { // a row asks several times
		g.rows++
		g.amount += it.amount
		g.last = it.idHash
	}
}
