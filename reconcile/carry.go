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

type carryLine struct {
	Kind string          `json:"kind"`
	Key  string          `json:"key"`
	Data json.RawMessage `json:"data,omitempty"`
	Row  json.RawMessage `json:"row,omitempty"`
}

// Encode writes the carry as JSON Lines: the first line is the format version, then lines sorted by (kind, key), keys
// within a line sorted. Equal carries give equal bytes.
//
// The places of the evidence, which are names of files and lines in them, come apart: in which of several files that say
// the same a row was read depends on the order in which they came, and what a day hands over must not.
func (c *Carry) Encode() (text, places []byte, err error) {
	var lines, where []carryLine
	add := func(kind, key string, v any, row *txn.Row) error {
		m, err := mapOf(v)
		if err != nil {
			return err
		}
		at := takePlaces(m)
		l := carryLine{Kind: kind, Key: key}
		if l.Data, err = json.Marshal(m); err != nil {
			return err
		}
		if row != nil {
			l.Row = row.AppendJSON(nil)
		}
		lines = append(lines, l)
		switch kind { // one line each, since rows of two slots may have one key
		case "item", "payout", "slot", "paid", "closed":
			l = carryLine{Kind: kind, Key: key}
			l.Data, err = json.Marshal(at)
			where = append(where, l)
		}
		return err
	}
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
		err = cmp.Or(err, add("paid", strings.Join([]string{p.Acquirer, p.MID, p.Date.String(), p.Channel, p.ID, p.CreditKey}, "|"), p, nil))
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
	for i := range c.Closed {
		x := c.Closed[i]
		var row *txn.Row
		if x.Item != nil {
			it := *x.Item
			row, it.Row, x.Item = it.Row, nil, &it
		}
		err = cmp.Or(err, add("closed", x.key(), &x, row))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("carry: %w", err)
	}
	if text, err = encodeLines(fmt.Sprintf("{\"carry\":%d,\"date\":%q}\n", CarryVersion, c.Date.String()), lines); err != nil {
		return nil, nil, err
	}
	places, err = encodeLines(fmt.Sprintf("{\"date\":%q,\"places\":%d}\n", c.Date.String(), CarryVersion), where)
	return text, places, err
}

func encodeLines(head string, lines []carryLine) ([]byte, error) {
	slices.SortStableFunc(lines, func(a, b carryLine) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Key, b.Key))
	})
	size := len(head)
	for _, l := range lines {
		size += len(l.Data) + len(l.Key) + len(l.Row) + 64
	}
	out := append(make([]byte, 0, size), head...)
	for _, l := range lines {
		key, err := json.Marshal(l.Key)
		if err != nil {
			return nil, fmt.Errorf("carry: %w", err)
		}
		out = append(append(out, `{"data":`...), l.Data...)
		out = append(append(out, `,"key":`...), key...)
		out = append(append(append(out, `,"kind":"`...), l.Kind...), `","row":`...)
		if l.Row == nil {
			out = append(out, "null"...)
		}
		out = append(append(out, l.Row...), "}\n"...)
	}
	return out, nil
}

// mapOf goes by way of a map, so that keys come sorted whatever the order of the struct's fields.
func mapOf(v any) (m map[string]any, err error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	return m, dec.Decode(&m)
}

// placeKeys are the fields that say where evidence lies.
var placeKeys = []string{"At", "ProofAt", "CreditAt", "File", "Member"}

// takePlaces moves the fields that say where evidence lies out of a map, into one of the same shape.
func takePlaces(m map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		if slices.Contains(placeKeys, k) {
			delete(m, k)
			if !blankJSON(v) {
				out[k] = v
			}
			continue
		}
		switch v := v.(type) {
		case map[string]any:
			if sub := takePlaces(v); len(sub) > 0 {
				out[k] = sub
			}
		case []any:
			if sub := takeAll(v); sub != nil {
				out[k] = sub
			}
		}
	}
	return out
}

func takeAll(list []any) []any {
	out, any1 := make([]any, len(list)), false
	for i, v := range list {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		out[i] = takePlaces(m)
		any1 = any1 || len(out[i].(map[string]any)) > 0
	}
	if !any1 {
		return nil
	}
	return out
}

// blankJSON reports whether a value says nothing: an empty text, a zero, or a map of such.
func blankJSON(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case json.Number:
		return v == "0"
	case map[string]any:
		for _, x := range v {
			if !blankJSON(x) {
				return false
			}
		}
		return true
	}
	return false
}

// putPlaces is the reverse of takePlaces.
func putPlaces(m, places map[string]any) {
	for k, v := range places {
		switch v := v.(type) {
		case map[string]any:
			if into, ok := m[k].(map[string]any); ok {
				putPlaces(into, v)
				continue
			}
		case []any:
			if into, ok := m[k].([]any); ok && len(into) == len(v) {
				for i := range v {
					a, ok1 := into[i].(map[string]any)
					b, ok2 := v[i].(map[string]any)
					if ok1 && ok2 {
						putPlaces(a, b)
					}
				}
				continue
			}
		}
		m[k] = v
	}
}

// DecodeCarry reads what any version up to CarryVersion wrote. Without its places a carry is whole, but says of no row in
// which file it stands; those of another carry add nothing.
func DecodeCarry(text, places []byte) (*Carry, error) {
	where, err := decodePlaces(places)
	if err != nil {
		return nil, err
	}
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
	if c.Date, err = txn.ParseDate(head.Date); err != nil {
		return nil, fmt.Errorf("carry: %w", err)
	}
	for n := 2; sc.Scan(); n++ {
		if err := c.decodeLine(sc.Bytes(), where); err != nil {
			return nil, fmt.Errorf("carry: line %d: %w", n, err)
		}
	}
	return c, sc.Err()
}

// carryPlaces are places by kind and key of the lines that they belong to, in the order of these lines.
type carryPlaces map[[2]string][]map[string]any

func (w carryPlaces) next(kind, key string) map[string]any {
	k := [2]string{kind, key}
	if len(w[k]) == 0 {
		return nil
	}
	m := w[k][0]
	w[k] = w[k][1:]
	return m
}

func decodePlaces(text []byte) (carryPlaces, error) {
	out := carryPlaces{}
	sc := bufio.NewScanner(bytes.NewReader(text))
	sc.Buffer(nil, 64<<20)
	for n := 1; sc.Scan(); n++ {
		var l carryLine
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("places of a carry: line %d: %w", n, err)
		}
		if n == 1 {
			continue
		}
		m, err := mapOf(l.Data)
		if err != nil {
			return nil, fmt.Errorf("places of a carry: line %d: %w", n, err)
		}
		k := [2]string{l.Kind, l.Key}
		out[k] = append(out[k], m)
	}
	return out, sc.Err()
}

func (c *Carry) decodeLine(b []byte, where carryPlaces) error {
	var l carryLine
	if err := json.Unmarshal(b, &l); err != nil {
		return err
	}
	if at := where.next(l.Kind, l.Key); len(at) > 0 {
		m, err := mapOf(l.Data)
		if err != nil {
			return err
		}
		putPlaces(m, at)
		if l.Data, err = json.Marshal(m); err != nil {
			return err
		}
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
	case "closed":
		return c.decodeClosed(&l)
	}
	return fmt.Errorf("unknown kind %q", l.Kind)
}

func (c *Carry) decodeClosed(l *carryLine) error {
	var x Closed
	if err := strict(l.Data, &x); err != nil {
		return err
	}
	switch {
	case x.key() == "":
		return fmt.Errorf("kind closed names nothing that was closed")
	case x.Item != nil:
		row, err := txn.ParseRow(l.Row)
		if err != nil {
			return err
		}
		x.Item.Row = row
	}
	c.Closed = append(c.Closed, x)
	return nil
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
