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
)

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
type carryPlaces map[[2]string][]json.RawMessage

func (w carryPlaces) next(kind, key string) json.RawMessage {
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
		k := [2]string{l.Kind, l.Key}
		out[k] = append(out[k], l.Data)
	}
	return out, sc.Err()
}

func (c *Carry) decodeLine(b []byte, where carryPlaces) error {
	var l carryLine
	if err := json.Unmarshal(b, &l); err != nil {
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

func (c *Carry) decodeClosed(l *carryLine, at json.RawMessage) error {
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

func decodeInto[T any](data, at json.RawMessage, to *[]T, place func(v, p *T)) error {
	var v T
	if err := decodeBoth(data, at, &v, place); err != nil {
		return err
	}
	*to = append(*to, v)
	return nil
}

// decodeBoth reads what a line says, and where the evidence of that lies, which is in the same shape.
func decodeBoth[T any](data, at json.RawMessage, v *T, place func(v, p *T)) error {
	if err := strict(data, v); err != nil {
		return err
	}
	if len(at) <= len("{}") {
		return nil
	}
	var p T
	if err := strict(at, &p); err != nil {
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

func strict(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}
