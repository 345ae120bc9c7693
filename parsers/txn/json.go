package txn

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// AppendJSON appends the row as one JSON object: keys sorted, only what the source gave, money as decimal strings in
// major units, texts as UTF-8. It is the form of `parse --rows --json` and of carry files; [ParseRow] reads it back.
// Position is not part of it.
func (r *Row) AppendJSON(b []byte) []byte {
	fields := make([]jsonField, 0, 32)
	put := func(f Field, v string) {
		if v != "" {
			fields = append(fields, jsonField{name: f.String(), text: v})
		}
	}
	other := func(name string, v any) { fields = append(fields, jsonField{name: name, other: v}) }
	for i, t := range r.Text {
		put(Field(i), string(t))
	}
	put(SideField, r.Side.String())
	put(KindField, r.Kind.String())
	put(StatusField, r.Status.String())
	put(ChannelField, r.Channel.String())
	if r.Side == Bank {
		put(LineStatusField, r.LineStatus.String())
	}
	if r.Offline {
		other(OfflineField.String(), true)
	}
	if r.Reversed {
		other(ReversedField.String(), true)
	}
	if r.Currency != (Currency{}) {
		fields = append(fields, jsonField{name: "currency", text: r.Currency.String()})
	}
	for _, a := range r.amounts() {
		if r.Has.Has(a.field) {
			put(a.field, FormatAmount(*a.v, r.Currency))
		}
	}
	if r.Has.Has(FeeField) {
		put(FeeField, r.Fee.Format(r.Currency))
	}
	if len(r.FeeParts) > 0 {
		parts := make([][2]string, len(r.FeeParts))
		for i, p := range r.FeeParts {
			parts[i] = [2]string{p.Class, p.Amount.Format(r.Currency)}
		}
		other("fee_parts", parts)
	}
	if c := r.Settlement; r.Has.Has(SettlementField) {
		other(SettlementField.String(), c.texts())
	}
	if c := r.PayoutAmount; r.Has.Has(PayoutAmountField) {
		other(PayoutAmountField.String(), c.texts())
	}
	if !r.Time.IsZero() {
		put(TimeField, r.Time.iso())
	}
	for _, d := range r.dates() {
		put(d.field, d.v.String())
	}
	if len(r.Extra) > 0 {
		extra := make(map[string]string, len(r.Extra))
		for _, e := range r.Extra {
			if len(e.Value) > 0 {
				extra[e.Name] = string(e.Value)
			}
		}
		if len(extra) > 0 {
			other(ExtraField.String(), extra)
		}
	}
	slices.SortFunc(fields, func(a, b jsonField) int { return strings.Compare(a.name, b.name) })
	b = append(b, '{')
	for i := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = fields[i].append(b)
	}
	return append(b, '}')
}

// jsonField is one field of a row as JSON; other counts where it is set.
type jsonField struct {
	name  string
	text  string
	other any
}

func (f *jsonField) append(b []byte) []byte {
	b = append(append(append(b, '"'), f.name...), `":`...)
	if f.other == nil {
		if plainJSON(f.text) {
			return append(append(append(b, '"'), f.text...), '"')
		}
		f.other = f.text
	}
	out, err := json.Marshal(f.other)
	if err != nil {
		return append(b, "null"...) // not for texts and lists of them
	}
	return append(b, out...)
}

// plainJSON reports whether a text stands in JSON as it is.
func plainJSON(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

func (c *Conversion) texts() [3]string {
	return [3]string{FormatAmount(c.Amount, c.Currency), c.Currency.String(), string(c.Rate)}
}

type amountField struct {
	field Field
	v     *int64
}

func (r *Row) amounts() [7]amountField {
	return [7]amountField{{AmountField, &r.Amount}, {OrderAmountField, &r.OrderAmount}, {PaidAmountField, &r.PaidAmount},
		{SettleAmountField, &r.SettleAmount}, {SubsidyField, &r.Subsidy}, {NetField, &r.Net}, {BalanceField, &r.Balance}}
}

type dateField struct {
	field Field
	v     *Date
}

func (r *Row) dates() [5]dateField {
	return [5]dateField{{BusinessDateField, &r.Business}, {PayoutDateField, &r.PayoutDate}, {BookingDateField, &r.Booking},
		{ValueDateField, &r.Value}, {OrigDateField, &r.OrigDate}}
}

func (t Time) iso() string {
	zone := time.FixedZone("", int(t.Offset))
	if t.DateOnly {
		return time.Unix(t.Unix, 0).In(zone).Format("2006-01-02Z07:00")
	}
	return time.Unix(t.Unix, 0).In(zone).Format(time.RFC3339)
}

// ParseRow reads what AppendJSON wrote. An unknown key is an error: a carry file of a newer program must not lose data.
func ParseRow(data []byte) (*Row, error) {
	if r := parsePlain(data); r != nil {
		return r, nil
	}
	return parseAny(data)
}

func parseAny(data []byte) (*Row, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, fmt.Errorf("row: %w", err)
	}
	r := &Row{}
	if c, ok := fields["currency"]; ok {
		s, _ := strconv.Unquote(string(c))
		if r.Currency, ok = ParseCurrency(s); !ok {
			return nil, fmt.Errorf("row: currency %q", s)
		}
		delete(fields, "currency")
	}
	for key, raw := range fields {
		if err := r.setJSON(key, raw); err != nil {
			return nil, fmt.Errorf("row: %s: %w", key, err)
		}
	}
	return r, nil
}

// parsePlain reads a row that has only texts, and these without escapes, as most rows do. It is nil for any other, and
// where there is something to complain about.
func parsePlain(data []byte) *Row {
	if len(data) < 2 || data[0] != '{' || data[len(data)-1] != '}' || !utf8.Valid(data) {
		return nil
	}
	var fields [64][2][]byte
	n := 0
	for rest := data[1 : len(data)-1]; len(rest) > 0 || n == 0; n++ {
		var key, value []byte
		var ok bool
		if n == len(fields) {
			return nil
		}
		if key, rest, ok = plainString(rest); !ok || len(rest) == 0 || rest[0] != ':' {
			return nil
		}
		if value, rest, ok = plainString(rest[1:]); !ok {
			return nil
		}
		if len(rest) > 0 {
			if rest[0] != ',' || len(rest) == 1 {
				return nil
			}
			rest = rest[1:]
		}
		fields[n] = [2][]byte{key, value}
	}
	r := &Row{}
	for _, f := range fields[:n] { // amounts are read in it
		if string(f[0]) == "currency" {
			var ok bool
			if r.Currency, ok = ParseCurrency(string(f[1])); !ok {
				return nil
			}
		}
	}
	for _, f := range fields[:n] {
		if string(f[0]) == "currency" {
			continue
		}
		field, ok := ParseField(string(f[0]))
		if !ok {
			return nil
		}
		switch field {
		case ExtraField, SettlementField, PayoutAmountField, OfflineField, ReversedField:
			return nil // no texts
		}
		if r.setText(field, string(f[1])) != nil {
			return nil
		}
	}
	return r
}

// plainString takes a JSON string without escapes off the front of b.
func plainString(b []byte) (s, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, nil, false
	}
	for i := 1; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return b[1:i], b[i+1:], true
		case c == '\\', c < ' ':
			return nil, nil, false
		}
	}
	return nil, nil, false
}

func (r *Row) setJSON(key string, raw json.RawMessage) error {
	switch key {
	case "fee_parts":
		var parts [][2]string
		if err := json.Unmarshal(raw, &parts); err != nil {
			return err
		}
		for _, p := range parts {
			v, err := ParseDecimal([]byte(p[1]), FineDecimals)
			if err != nil {
				return err
			}
			r.FeeParts = append(r.FeeParts, FeePart{p[0], Fine(v)})
		}
		return nil
	case ExtraField.String():
		var extra map[string]string
		if err := json.Unmarshal(raw, &extra); err != nil {
			return err
		}
		for _, n := range slices.Sorted(maps.Keys(extra)) {
			r.Extra = append(r.Extra, Extra{n, []byte(extra[n])})
		}
		r.Has = r.Has.With(ExtraField)
		return nil
	case SettlementField.String(), PayoutAmountField.String():
		return r.setConversion(key, raw)
	case OfflineField.String(), ReversedField.String():
		if key == OfflineField.String() {
			r.Offline = true
		} else {
			r.Reversed = true
		}
		return nil
	}
	f, ok := ParseField(key)
	if !ok {
		return fmt.Errorf("unknown field; was this written by a newer program?")
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	return r.setText(f, s)
}

func (r *Row) setConversion(key string, raw json.RawMessage) error {
	var v [3]string
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	f, _ := ParseField(key)
	c := &r.Settlement
	if f == PayoutAmountField {
		c = &r.PayoutAmount
	}
	var ok bool
	if c.Currency, ok = ParseCurrency(v[1]); !ok {
		return fmt.Errorf("currency %q", v[1])
	}
	var err error
	c.Amount, err = ParseAmount(v[0], c.Currency)
	if v[2] != "" {
		c.Rate = []byte(v[2])
	}
	r.Has = r.Has.With(f)
	return err
}

func (r *Row) setText(f Field, s string) (err error) {
	if f.IsText() {
		r.Set(f, []byte(s))
		return nil
	}
	r.Has = r.Has.With(f)
	ok := true
	switch f {
	case SideField:
		r.Side, ok = ParseSide(s)
	case KindField:
		r.Kind, ok = ParseKind(s)
	case StatusField:
		r.Status, ok = ParseStatus(s)
	case ChannelField:
		r.Channel, ok = ParseChannel(s)
	case LineStatusField:
		r.LineStatus, ok = ParseLineStatus(s)
	case TimeField:
		r.Time, err = parseISO(s)
	case FeeField:
		var v int64
		v, err = ParseDecimal([]byte(s), FineDecimals)
		r.Fee = Fine(v)
	default:
		for _, a := range r.amounts() {
			if a.field == f {
				*a.v, err = ParseAmount(s, r.Currency)
				return err
			}
		}
		for _, d := range r.dates() {
			if d.field == f {
				*d.v, err = ParseDate(s)
				return err
			}
		}
		ok = false
	}
	if !ok {
		return fmt.Errorf("value %q is not known", s)
	}
	return err
}

func parseISO(s string) (Time, error) {
	if strings.Contains(s, "T") {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return Time{}, err
		}
		return TimeOf(t), nil
	}
	t, err := time.Parse("2006-01-02Z07:00", s)
	if err != nil {
		return Time{}, err
	}
	v := TimeOf(t)
	v.DateOnly = true
	return v, nil
}
