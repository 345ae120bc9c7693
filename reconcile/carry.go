package reconcile

import (
	"cmp"
	"slices"
	"strings"

	"daozhang/parsers/txn"
	"daozhang/reconcile/register"
)

// CarryVersion is the format of carry files that this program writes. It reads all earlier ones.
//
//	1  rows, payouts, slots, payments, balances, cases, debts, each with the places of its evidence
//	2  also what decisions closed; the places stand in a text of their own
const CarryVersion = 2

// Carry is all that a later day may know about the days before it.
type Carry struct {
	Date     txn.Date
	Items    []CarriedItem   // rows not settled on their leg
	Payouts  []CarriedPayout // never their member rows
	Slots    []CarriedSlot   // missing or held
	Paid     []Paid
	Balances []Balance
	Cases    []CarriedCase
	Debts    []Debt
	Closed   []Closed // what decisions closed; since version 2
}

// CarriedCase is an open case that hangs on no row, payout or slot: a gap in the register or a calendar.
type CarriedCase struct {
	ID        string
	Class     Class
	FirstSeen txn.Date
	Decision  string `json:",omitempty"` // in effect, not closing; since version 2
}

// CarriedItem is an open row with everything that a later day needs to judge and show it.
type CarriedItem struct {
	Key       string // row key
	Leg       Leg
	Seen      txn.Date // business date on which the row entered
	Source    string
	Acquirer  string
	Slot      string
	SlotDate  txn.Date
	Pays      bool
	Class     Class
	State     State
	CaseID    string
	FirstSeen txn.Date // first day on which the case was more than waiting or waiting, whichever came first
	Hints     string   // "settled": its original was matched; "twin": a copy of a matched row
	NamedIn   SlotID   // the slot with the rejected record that names the row; zero where there is none
	At        Ref
	ProofAt   Ref // the row that makes it an exception, where that was matched on an earlier day
	Row       *txn.Row
	Decision  string `json:",omitempty"` // in effect, not closing; since version 2
	Late      bool   `json:",omitempty"` // came in a file for a closed date; since version 2
}

// SlotID names a slot.
type SlotID struct {
	Source string
	Date   txn.Date
	Key    string
}

// CarriedSlot is a slot that is still missing or held.
type CarriedSlot struct {
	Source, Acquirer, Key       string
	Side                        txn.Side
	Date                        txn.Date
	State                       SlotState
	Held, Doubtful, Pays        bool
	Notices                     bool
	Class                       Class
	Why, File                   string
	Stores, Merchants, Accounts []string
	FirstSeen                   txn.Date
	SHA256                      string `json:",omitempty"` // of the file; since version 2
	Decision                    string `json:",omitempty"` // in effect, not closing; since version 2
}

// CarriedPayout is an open payout as sums.
type CarriedPayout struct {
	Payout
	FirstSeen txn.Date
	Class     Class
	CreditKey string // row key of the credit that pays it short or over
	Decision  string `json:",omitempty"` // in effect, not closing; since version 2
}

// Payout is the part of a payout that survives its day.
type Payout struct {
	ID, Acquirer, MID, Channel, Account string
	Currency                            string
	Date, Due                           txn.Date
	DueNote                             string
	NoDue                               bool
	Basis                               register.Basis
	Rows                                int64
	Sales, Refunds, Fees                txn.Fine
	Adjust, Reserve, Composed           txn.Fine
	Stated                              Money
	Parts                               []Part
	At                                  Ref
	CaseID                              string
}

// Balance is the last closing balance of an account.
type Balance struct {
	Account  string
	Currency string
	Date     txn.Date
	Closing  int64
}

// Carry brings in what the day before left open. Call it before the first Add.
func (d *Day) Carry(c *Carry) error {
	if c == nil {
		return nil
	}
	open, closedRows := d.remember(c)
	d.carry = open
	d.paid = c.Paid
	d.debts = slices.Clone(c.Debts)
	for i := range open.Slots {
		d.carrySlot(&open.Slots[i])
	}
	for i := range open.Closed {
		if x := &open.Closed[i]; x.Slot != nil {
			d.slots[d.carrySlot(x.Slot)].closed = x
		}
	}
	for i := range open.Items {
		it := &open.Items[i]
		slot := d.pastSlot(it.Source, it.SlotDate, it.Slot, it.Row.Side, it.Acquirer, it.Pays)
		x := &d.items[d.carriedItem(slot, it, int32(i))]
		d.count(it.Leg, slot, x.curIdx).carry(1, it.Row.Amount, it.Row.Fee)
		if i >= len(c.Items) { // taken back today
			x.flags |= reopenedRow
		}
		if it.Decision != "" {
			d.back[d.itemSphere(it)+it.Key] = true
		}
	}
	for i := range open.Payouts {
		p := d.payoutOf(&open.Payouts[i])
		p.reopened = i >= len(c.Payouts)
		d.payouts = append(d.payouts, p)
		d.countParts(p)
		if open.Payouts[i].Decision != "" {
			d.back["A|"+p.key()] = true
		}
	}
	for _, x := range open.Cases {
		if x.Decision != "" {
			d.back[sphere(x.Class)+x.ID] = true
		}
	}
	d.carryClosed(closedRows)
	return nil
}

func (d *Day) carrySlot(s *CarriedSlot) int {
	n := d.AddSlot(Slot{Source: s.Source, Side: s.Side, Acquirer: s.Acquirer, Date: s.Date, Key: s.Key, State: s.State, Pays: s.Pays,
		Notices: s.Notices, Held: s.Held, Doubtful: s.Doubtful, Class: s.Class, Why: s.Why, Stores: s.Stores, Merchants: s.Merchants,
		Accounts: s.Accounts, past: true, firstSeen: s.FirstSeen,
		Sum: SlotSum{Source: s.Source, Side: s.Side, Slot: s.Key, Date: s.Date, State: s.State, Held: s.Held, Class: s.Class, Why: s.Why,
			File: s.File, SHA256: s.SHA256}})
	if s.Decision != "" {
		d.back["F|"+d.slots[n].member().Key] = true
	}
	return n
}

func (d *Day) carriedItem(slot int, it *CarriedItem, at int32) int {
	n := d.add(slot, it.Row, at)
	x := &d.items[n]
	x.seen = it.Seen
	if x.side == txn.Acquirer {
		x.biz = cmp.Or(it.Row.Business, it.SlotDate)
	}
	if strings.Contains(it.Hints, "settled") {
		x.flags |= origSettled
	}
	if id := it.NamedIn; id != (SlotID{}) {
		x.wait = int32(d.pastSlot(id.Source, id.Date, id.Key, txn.NoSide, "", true))
		x.flags |= wasNamed
	}
	if strings.Contains(it.Hints, "twin") {
		x.flags |= wasTwin
	}
	return n
}

func (d *Day) payoutOf(c *CarriedPayout) *payout {
	cur, _ := txn.ParseCurrency(c.Currency)
	p := &payout{ID: c.ID, Acquirer: c.Acquirer, MID: c.MID, Channel: c.Channel, Account: c.Account, Currency: cur, Date: c.Date, Due: c.Due,
		DueNote: c.DueNote, noDue: c.NoDue, Basis: c.Basis, Rows: c.Rows, Sales: c.Sales, Refunds: c.Refunds, Fees: c.Fees, Adjust: c.Adjust,
		Reserve: c.Reserve, Composed: c.Composed, Stated: c.Stated, Parts: c.Parts, at: c.At, caseID: c.CaseID,
		creditKey: c.CreditKey, firstSeen: c.FirstSeen, carried: true, opened: c.Class, row: -1, credit: -1, wait: -1}
	p.brought, p.parts = p.gross(), p.Parts
	if p.noDue { // the contract or calendar may have come since
		p.noDue = false
		d.dueOf(p)
	}
	return p
}

// countParts counts the rows of a carried payout as carried in, each part under its own slot.
func (d *Day) countParts(p *payout) {
	for _, part := range p.parts {
		slot := d.pastSlot(part.Source, part.Date, part.Slot, txn.Acquirer, p.Acquirer, true)
		d.count(LegAB, slot, d.currency(p.Currency)).carry(part.Rows, part.Amount, part.Fee)
	}
}

// pastSlot finds or makes the slot of an earlier day under which a carried row counts.
func (d *Day) pastSlot(source string, date txn.Date, key string, side txn.Side, acquirer string, pays bool) int {
	for i := range d.slots {
		if s := &d.slots[i]; s.Source == source && s.Date == date && s.Key == key {
			return i
		}
	}
	return d.AddSlot(Slot{Source: source, Side: side, Acquirer: acquirer, Date: date, Key: key, State: SlotReceived, Pays: pays, past: true,
		Sum: SlotSum{Source: source, Side: side, Slot: key, Date: date, State: SlotReceived}})
}
