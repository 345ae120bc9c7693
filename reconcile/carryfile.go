package reconcile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"daozhang/parsers/txn"
)

type carryLine struct {
	Kind string
	Key  string
	Data []byte
	Row  []byte
}

// Encode writes the carry as JSON Lines: the first line is the format version, then lines sorted by (kind, key), keys
// within a line sorted. Equal carries give equal bytes.
//
// The places of the evidence, which are names of files and lines in them, come apart: in which of several files that say
// the same a row was read depends on the order in which they came, and what a day hands over must not.
func (c *Carry) Encode() (text, places []byte, err error) {
	var lines, where []carryLine
	var data, at arena
	add := func(kind, key string, v any, row *txn.Row) {
		x := reflect.ValueOf(v).Elem()
		d, p := data.begin(), at.begin()
		d, p, _ = carryShapes[x.Type()].split(d, p, x)
		l := carryLine{Kind: kind, Key: key, Data: data.end(d)}
		if row != nil {
			l.Row = data.end(row.AppendJSON(data.begin()))
		}
		lines = append(lines, l)
		switch kind { // one line each, since rows of two slots may have one key
		case "item", "payout", "slot", "paid", "closed":
			where = append(where, carryLine{Kind: kind, Key: key, Data: at.end(p)})
		}
	}
	for i := range c.Items {
		it := c.Items[i]
		row := it.Row
		it.Row = nil
		add("item", string(it.Leg)+it.Key, &it, row)
	}
	for i := range c.Payouts {
		p := &c.Payouts[i]
		add("payout", strings.Join([]string{p.Acquirer, p.Currency, p.MID, p.Date.String(), p.Channel, p.ID}, "|"), p, nil)
	}
	for i := range c.Slots {
		s := &c.Slots[i]
		add("slot", strings.Join([]string{s.Source, s.Date.String(), s.Key}, "|"), s, nil)
	}
	for i := range c.Paid {
		p := &c.Paid[i]
		add("paid", strings.Join([]string{p.Acquirer, p.MID, p.Date.String(), p.Channel, p.ID, p.CreditKey}, "|"), p, nil)
	}
	for i := range c.Balances {
		b := &c.Balances[i]
		add("balance", b.Account+"|"+b.Currency, b, nil)
	}
	for i := range c.Debts {
		o := &c.Debts[i]
		add("debt", strings.Join([]string{o.Acquirer, o.Currency.String(), o.MID, o.Date.String(), o.Channel}, "|"), o, nil)
	}
	for i := range c.Cases {
		add("case", c.Cases[i].ID, &c.Cases[i], nil)
	}
	for i := range c.Closed {
		x := c.Closed[i]
		var row *txn.Row
		if x.Item != nil {
			it := *x.Item
			row, it.Row, x.Item = it.Row, nil, &it
		}
		add("closed", x.key(), &x, row)
	}
	text = encodeLines(fmt.Sprintf("{\"carry\":%d,\"date\":%q}\n", CarryVersion, c.Date.String()), lines)
	places = encodeLines(fmt.Sprintf("{\"date\":%q,\"places\":%d}\n", c.Date.String(), CarryVersion), where)
	return text, places, nil
}

// arena holds many short texts in few pieces of memory, none of which is copied when there are more.
type arena struct{ free []byte }

// begin returns an empty text to append to, which end then keeps.
func (a *arena) begin() []byte {
	if cap(a.free) < 2<<10 {
		a.free = make([]byte, 0, 64<<10)
	}
	return a.free
}

func (a *arena) end(text []byte) []byte {
	if len(text) <= cap(a.free) { // else it has moved to memory of its own
		a.free = a.free[len(text):len(text)]
	}
	return text[:len(text):len(text)]
}

func encodeLines(head string, lines []carryLine) []byte {
	slices.SortStableFunc(lines, func(a, b carryLine) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Key, b.Key))
	})
	size := len(head)
	for _, l := range lines {
		size += len(l.Data) + len(l.Key) + len(l.Row) + 64
	}
	out := append(make([]byte, 0, size), head...)
	for _, l := range lines {
		out = append(append(out, `{"data":`...), l.Data...)
		out = appendText(append(out, `,"key":`...), l.Key)
		out = append(append(append(out, `,"kind":"`...), l.Kind...), `","row":`...)
		if l.Row == nil {
			out = append(out, "null"...)
		}
		out = append(append(out, l.Row...), "}\n"...)
	}
	return out
}

// DecodeCarry reads what any version up to CarryVersion wrote. Without its places a carry is whole, but says of no row in
// which file it stands; those of another carry add nothing.
func DecodeCarry(text, places []byte) (*Carry, error) {
	where, err := decodePlaces(places)
	if err != nil {
		return nil, err
	}
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	if len(first) == 0 {
		return nil, fmt.Errorf("carry: empty file")
	}
	var head struct {
		Carry int
		Date  string
	}
	if err := json.Unmarshal(first, &head); err != nil {
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
	n := 1
	for line := range bytes.Lines(rest) {
		n++
		if err := c.decodeLine(line, where); err != nil {
			return nil, fmt.Errorf("carry: line %d: %w", n, err)
		}
	}
	return c, nil
}

// carryPlaces are places by kind and key of the lines that they belong to, in the order of these lines.
type carryPlaces map[[2]string][][]byte

func (w carryPlaces) next(kind, key string) []byte {
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
	_, rest, _ := bytes.Cut(text, []byte("\n"))
	n := 1
	for line := range bytes.Lines(rest) {
		n++
		l, err := splitLine(line)
		if err != nil {
			return nil, fmt.Errorf("places of a carry: line %d: %w", n, err)
		}
		k := [2]string{l.Kind, l.Key}
		out[k] = append(out[k], l.Data)
	}
	return out, nil
}

func (c *Carry) decodeLine(b []byte, where carryPlaces) error {
	l, err := splitLine(b)
	if err != nil {
		return err
	}
	at := where.next(l.Kind, l.Key)
	switch l.Kind {
	case "item":
		var it CarriedItem
		if err := decodeBoth(l.Data, at, &it, (*CarriedItem).place); err != nil {
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
		return decodeInto(l.Data, at, &c.Payouts, (*CarriedPayout).place)
	case "slot":
		return decodeInto(l.Data, at, &c.Slots, (*CarriedSlot).place)
	case "paid":
		return decodeInto(l.Data, at, &c.Paid, (*Paid).place)
	case "balance":
		return decodeInto(l.Data, nil, &c.Balances, nil)
	case "debt":
		return decodeInto(l.Data, nil, &c.Debts, nil)
	case "case":
		return decodeInto(l.Data, nil, &c.Cases, nil)
	case "closed":
		return c.decodeClosed(&l, at)
	}
	return fmt.Errorf("unknown kind %q", l.Kind)
}

func (c *Carry) decodeClosed(l *carryLine, at []byte) error {
	var x Closed
	if err := decodeBoth(l.Data, at, &x, (*Closed).place); err != nil {
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

func decodeInto[T any](data, at []byte, to *[]T, place func(v, p *T)) error {
	var v T
	if err := decodeBoth(data, at, &v, place); err != nil {
		return err
	}
	*to = append(*to, v)
	return nil
}

// decodeBoth reads what a line says, and where the evidence of that lies, which is in the same shape.
func decodeBoth[T any](data, at []byte, v *T, place func(v, p *T)) error {
	if err := readShape(data, v); err != nil {
		return err
	}
	if len(at) <= len("{}") {
		return nil
	}
	var p T
	if err := readShape(at, &p); err != nil {
		return fmt.Errorf("places: %w", err)
	}
	place(v, &p)
	return nil
}

func (it *CarriedItem) place(p *CarriedItem) { it.At, it.ProofAt = p.At, p.ProofAt }
func (s *CarriedSlot) place(p *CarriedSlot)  { s.File = p.File }
func (x *Paid) place(p *Paid)                { x.CreditAt = p.CreditAt }

func (x *CarriedPayout) place(p *CarriedPayout) {
	x.At = p.At
	for i := range min(len(x.Parts), len(p.Parts)) {
		x.Parts[i].Member = p.Parts[i].Member
	}
}

func (x *Closed) place(p *Closed) {
	if x.Item != nil && p.Item != nil {
		x.Item.place(p.Item)
	}
	if x.Payout != nil && p.Payout != nil {
		x.Payout.place(p.Payout)
	}
	if x.Slot != nil && p.Slot != nil {
		x.Slot.place(p.Slot)
	}
}
