package reconcile

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"daozhang/parsers/txn"
	"daozhang/reconcile/register"
)

// CarryVersion is the format of carry files that this program writes. It reads all earlier ones.
const CarryVersion = 1

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
}

// CarriedCase is an open case that hangs on no row, payout or slot: a gap in the register or a calendar.
type CarriedCase struct {
	ID        string
	Class     Class
	FirstSeen txn.Date
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
}

// CarriedPayout is an open payout as sums.
type CarriedPayout struct {
	Payout
	FirstSeen txn.Date
	Class     Class
	CreditKey string // row key of the credit that pays it short or over
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

type carryLine struct {
	Kind string          `json:"kind"`
	Key  string          `json:"key"`
	Data json.RawMessage `json:"data,omitempty"`
	Row  json.RawMessage `json:"row,omitempty"`
}

// Encode writes the carry as JSON Lines: the first line is the format version, then lines sorted by (kind, key), keys
// within a line sorted. Equal carries give equal bytes.
func (c *Carry) Encode() ([]byte, error) {
	var lines []carryLine
	add := func(kind, key string, v any, row *txn.Row) error {
		data, err := sortedJSON(v)
		if err != nil {
			return err
		}
		l := carryLine{Kind: kind, Key: key, Data: data}
		if row != nil {
			l.Row = row.AppendJSON(nil)
		}
		lines = append(lines, l)
		return nil
	}
	var err error
	for i := range c.Items {
		it := c.Items[i]
		row := it.Row
		it.Row = nil
		err = cmp.Or(err, add("item", string(it.Leg)+it.Key, it, row))
	}
	for i := range c.Payouts {
		p := &c.Payouts[i]
		err = cmp.Or(err, add("payout", strings.Join([]string{p.Acquirer, p.Currency, p.MID, p.Date.String(), p.Channel, p.ID}, "|"), p, nil))
	}
	for i := range c.Slots {
		s := &c.Slots[i]
		err = cmp.Or(err, add("slot", strings.Join([]string{s.Source, s.Date.String(), s.Key}, "|"), s, nil))
	}
	for i := range c.Paid {
		p := &c.Paid[i]
		err = cmp.Or(err, add("paid", strings.Join([]string{p.Acquirer, p.MID, p.Date.String(), p.Channel, p.ID, p.CreditAt.String(),
			fmt.Sprint(p.CreditAt.Line)}, "|"), p, nil))
	}
	for i := range c.Balances {
		b := &c.Balances[i]
		err = cmp.Or(err, add("balance", b.Account+"|"+b.Currency, b, nil))
	}
	for i := range c.Debts {
		o := &c.Debts[i]
		err = cmp.Or(err, add("debt", strings.Join([]string{o.Acquirer, o.Currency.String(), o.MID, o.Date.String(), o.Channel}, "|"), o, nil))
	}
	for i := range c.Cases {
		err = cmp.Or(err, add("case", c.Cases[i].ID, &c.Cases[i], nil))
	}
	if err != nil {
		return nil, fmt.Errorf("carry: %w", err)
	}
	slices.SortStableFunc(lines, func(a, b carryLine) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Key, b.Key))
	})
	out := fmt.Appendf(nil, "{\"carry\":%d,\"date\":%q}\n", CarryVersion, c.Date.String())
	for _, l := range lines {
		b, err := json.Marshal(map[string]any{"kind": l.Kind, "key": l.Key, "data": l.Data, "row": l.Row})
		if err != nil {
			return nil, fmt.Errorf("carry: %w", err)
		}
		out = append(append(out, b...), '\n')
	}
	return out, nil
}

// sortedJSON marshals through a map, so that keys come sorted whatever the order of the struct's fields.
func sortedJSON(v any) (json.RawMessage, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var m map[string]any
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&m); err != nil {
		return nil, err
	}
	return json.Marshal(m)
}

// DecodeCarry reads what any version up to CarryVersion wrote.
func DecodeCarry(text []byte) (*Carry, error) {
	sc := bufio.NewScanner(bytes.NewReader(text))
	sc.Buffer(nil, 64<<20)
	if !sc.Scan() {
		return nil, fmt.Errorf("carry: empty file")
	}
	var head struct {
		Carry int
		Date  string
	}
	if err := json.Unmarshal(sc.Bytes(), &head); err != nil {
		return nil, fmt.Errorf("carry: first line: %w", err)
	}
	if head.Carry < 1 || head.Carry > CarryVersion {
		return nil, fmt.Errorf("carry: format version %d is newer than this program reads (%d); use the program that wrote it, or a newer one",
			head.Carry, CarryVersion)
	}
	c := &Carry{}
	var err error
	if c.Date, err = txn.ParseDate(head.Date); err != nil {
		return nil, fmt.Errorf("carry: %w", err)
	}
	for n := 2; sc.Scan(); n++ {
		if err := c.decodeLine(sc.Bytes()); err != nil {
			return nil, fmt.Errorf("carry: line %d: %w", n, err)
		}
	}
	return c, sc.Err()
}

func (c *Carry) decodeLine(b []byte) error {
	var l carryLine
	if err := json.Unmarshal(b, &l); err != nil {
		return err
	}
	switch l.Kind {
	case "item":
		var it CarriedItem
		if err := strict(l.Data, &it); err != nil {
			return err
		}
		row, err := txn.ParseRow(l.Row)
		if err != nil {
			return err
		}
		it.Row = row
		c.Items = append(c.Items, it)
		return nil
	case "payout":
		return decodeInto(l.Data, &c.Payouts)
	case "slot":
		return decodeInto(l.Data, &c.Slots)
	case "paid":
		return decodeInto(l.Data, &c.Paid)
	case "balance":
		return decodeInto(l.Data, &c.Balances)
	case "debt":
		return decodeInto(l.Data, &c.Debts)
	case "case":
		return decodeInto(l.Data, &c.Cases)
	}
	return fmt.Errorf("unknown kind %q", l.Kind)
}

func decodeInto[T any](data []byte, to *[]T) error {
	var v T
	if err := strict(data, &v); err != nil {
		return err
	}
	*to = append(*to, v)
	return nil
}

func strict(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}

// Carry brings in what the day before left open. Call it before the first Add.
func (d *Day) Carry(c *Carry) error {
	if c == nil {
		return nil
	}
	d.carry = c
	d.paid = c.Paid
	d.debts = slices.Clone(c.Debts)
	for i := range c.Slots {
		s := &c.Slots[i]
		d.AddSlot(Slot{Source: s.Source, Side: s.Side, Acquirer: s.Acquirer, Date: s.Date, Key: s.Key, State: s.State, Pays: s.Pays,
			Notices: s.Notices, Held: s.Held, Doubtful: s.Doubtful, Class: s.Class, Why: s.Why, Stores: s.Stores, Merchants: s.Merchants,
			Accounts: s.Accounts, past: true, firstSeen: s.FirstSeen,
			Sum: SlotSum{Source: s.Source, Side: s.Side, Slot: s.Key, Date: s.Date, State: s.State, Held: s.Held, Class: s.Class, Why: s.Why, File: s.File}})
	}
	for i := range c.Items {
		it := &c.Items[i]
		slot := d.pastSlot(it.Source, it.SlotDate, it.Slot, it.Row.Side, it.Acquirer, it.Pays)
		n := d.add(slot, it.Row, int32(i))
		x := &d.items[n]
		x.seen = it.Seen
		if x.side == txn.Acquirer {
			x.biz = cmp.Or(it.Row.Business, it.SlotDate)
		}
		if strings.Contains(it.Hints, "settled") {
			x.flags |= origSettled
		}
		if n := it.NamedIn; n != (SlotID{}) {
			x.wait = int32(d.pastSlot(n.Source, n.Date, n.Key, txn.NoSide, "", true))
			x.flags |= wasNamed
		}
		if strings.Contains(it.Hints, "twin") {
			x.flags |= wasTwin
		}
		d.count(it.Leg, slot, x.curIdx).carry(1, it.Row.Amount, it.Row.Fee)
	}
	for i := range c.Payouts {
		d.carryPayout(&c.Payouts[i])
	}
	return nil
}

func (d *Day) carryPayout(c *CarriedPayout) {
	cur, _ := txn.ParseCurrency(c.Currency)
	p := &payout{ID: c.ID, Acquirer: c.Acquirer, MID: c.MID, Channel: c.Channel, Account: c.Account, Currency: cur, Date: c.Date, Due: c.Due,
		DueNote: c.DueNote, noDue: c.NoDue, Basis: c.Basis, Rows: c.Rows, Sales: c.Sales, Refunds: c.Refunds, Fees: c.Fees, Adjust: c.Adjust,
		Reserve: c.Reserve, Composed: c.Composed, Stated: c.Stated, Parts: c.Parts, at: c.At, caseID: c.CaseID,
		creditKey: c.CreditKey, firstSeen: c.FirstSeen, carried: true, opened: c.Class, row: -1, credit: -1, wait: -1}
	if p.noDue { // the contract or calendar may have come since
		p.noDue = false
		d.dueOf(p)
	}
	d.payouts = append(d.payouts, p)
	for _, part := range p.Parts {
		slot := d.pastSlot(part.Source, part.Date, part.Slot, txn.Acquirer, c.Acquirer, true)
		d.count(LegAB, slot, d.currency(cur)).carry(part.Rows, part.Amount, part.Fee)
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
