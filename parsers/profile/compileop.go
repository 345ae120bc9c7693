package profile

import (
	"fmt"
	"slices"

	"daozhang/parsers/txn"
)

// op compiles one line of a column table; nil where the line fills no field.
func (c *compiler) op(s *columnSpec, path ...any) (*op, error) {
	if s.Field == "" {
		if s.Map != nil || s.Layouts != nil || s.Sign != "" || s.Filled || s.Class != "" {
			return nil, c.doc.fail("a column without field takes no rules", path...)
		}
		return nil, nil
	}
	f, ok := txn.ParseField(s.Field)
	currency := s.Field == "currency" // not a Field of txn: it rides with the amounts
	if !ok && !currency {
		return nil, c.doc.fail(fmt.Sprintf("no field is named %q", s.Field), append(path, "field")...)
	}
	col, err := c.column(s, path...)
	if err != nil {
		return nil, err
	}
	o := &op{field: f, col: col, filled: s.Filled, thousands: s.Thousands, otherwise: -1, blank: -1, absent: -1,
		minor: minorUnit(s.Unit, c.spec.Unit), class: s.Class}
	if len(s.Slice) > 0 {
		if len(s.Slice) != 2 || s.Slice[0] < 0 || s.Slice[1] < 1 {
			return nil, c.doc.fail("slice: want [first byte from 0, count]", append(path, "slice")...)
		}
		o.from, o.n = s.Slice[0], s.Slice[1]
	}
	if currency {
		o.field, o.code = txn.SideField, opCurrency
	} else if err := c.code(o, s, path); err != nil {
		return nil, err
	}
	if err := c.sign(o, s, path); err != nil {
		return nil, err
	}
	if err := c.dates(o, s, path); err != nil {
		return nil, err
	}
	return o, c.words(o, s, path)
}

func (c *compiler) code(o *op, s *columnSpec, path []any) error {
	switch f := o.field; f {
	case txn.CardTail:
		o.code = opCard
	case txn.KindField:
		o.code = opKind
	case txn.StatusField:
		o.code = opStatus
	case txn.ChannelField:
		o.code = opChannel
	case txn.LineStatusField:
		o.code = opLineStatus
	case txn.OfflineField:
		o.code = opOffline
	case txn.ReversedField:
		o.code = opReversed
	case txn.AmountField, txn.OrderAmountField, txn.PaidAmountField, txn.SettleAmountField, txn.SubsidyField,
		txn.NetField, txn.BalanceField:
		o.code = opAmount
	case txn.FeeField:
		o.code = opFee
	case txn.BusinessDateField, txn.PayoutDateField, txn.BookingDateField, txn.ValueDateField, txn.OrigDateField:
		o.code = opDate
	case txn.TimeField:
		o.code = opTime
	case txn.CardLead, txn.SettlementField, txn.PayoutAmountField, txn.ExtraField, txn.SideField:
		return c.doc.fail(fmt.Sprintf("field %s cannot be filled by a column in version 1 of profiles", f), append(path, "field")...)
	default:
		o.id = identifier(f)
	}
	if s.Class != "" && o.code != opFee {
		return c.doc.fail("class is for fees", append(path, "class")...)
	}
	return nil
}

// identifier reports the fields whose long numbers a spreadsheet turns into 4.2E+27.
func identifier(f txn.Field) bool {
	switch f {
	case txn.MID, txn.TID, txn.RRN, txn.OrderNo, txn.ChannelTxnID, txn.RefundID, txn.OrigOrder, txn.OrigRRN,
		txn.OrigChannelTxnID, txn.ARN, txn.PayoutID, txn.AcquirerRef, txn.Account, txn.CounterpartyAccount, txn.BankRef:
		return true
	}
	return false
}

func (c *compiler) sign(o *op, s *columnSpec, path []any) error {
	i := slices.Index([]string{"as_is", "kind", "signed_or_kind", "negate", "letter"}, s.Sign)
	if s.Sign != "" && i < 0 {
		return c.doc.fail("sign: want as_is, kind, signed_or_kind, negate or letter", append(path, "sign")...)
	}
	if o.code != opAmount && o.code != opFee {
		if s.Sign != "" || s.Thousands {
			return c.doc.fail("sign and thousands are for amounts and fees", path...)
		}
		return nil
	}
	o.sign = signMode(max(i, 0))
	if o.sign == signLetter {
		if len(s.Plus) != 1 {
			return c.doc.fail("sign letter needs plus: the letter that means plus", path...)
		}
		o.plus = s.Plus[0]
	}
	if o.code == opFee && c.spec.FeeSign == "negative_is_cost" {
		if o.sign != signAsIs {
			return c.doc.fail("fee_sign and a sign rule of the fee column exclude each other", path...)
		}
		o.sign = signNegate
	}
	return nil
}

func (c *compiler) dates(o *op, s *columnSpec, path []any) error {
	if o.code != opDate && o.code != opTime {
		if s.Layouts != nil || s.Part != "" || s.YearOf != "" {
			return c.doc.fail("layouts, part and year_of are for dates and times", path...)
		}
		return nil
	}
	var err error
	if o.layouts, err = c.layouts(s.Layouts, append(path, "layouts")...); err != nil {
		return err
	}
	if len(o.layouts) == 0 {
		return c.doc.fail(`a date needs layouts, such as ["yyyy-MM-dd"]`, path...)
	}
	switch s.Part {
	case "":
	case "date", "clock":
		if o.code != opTime {
			return c.doc.fail("part is for txn_time", append(path, "part")...)
		}
		o.code = opTimeDate
		if s.Part == "clock" {
			o.code = opTimeClock
		}
	default:
		return c.doc.fail("part: want date or clock", append(path, "part")...)
	}
	switch s.YearOf {
	case "", "business_date":
	case "before_business_date":
		o.before = true
	default:
		return c.doc.fail("year_of: want business_date or before_business_date", append(path, "year_of")...)
	}
	for _, l := range o.layouts {
		if o.code == opTimeClock && !l.hasClock || o.code != opTimeClock && !l.hasDate {
			return c.doc.fail(fmt.Sprintf("layout %q lacks what this field needs", l.text), append(path, "layouts")...)
		}
		if l.hasDate && !l.hasYear && s.YearOf == "" {
			return c.doc.fail(fmt.Sprintf("layout %q has no year: say year_of", l.text), append(path, "layouts")...)
		}
	}
	return nil
}

// words compiles map, otherwise, blank and absent into the numbers or texts of the field.
func (c *compiler) words(o *op, s *columnSpec, path []any) error {
	if o.code == opText {
		if s.Blank != "" || s.Absent != "" {
			return c.doc.fail("blank and absent are for kind, status and channel", path...)
		}
		if s.Map == nil {
			return nil
		}
		o.texts = make(map[string][]byte, len(s.Map))
		for k, v := range s.Map {
			o.texts[k] = []byte(v)
		}
		o.restText = []byte(s.Otherwise)
		return nil
	}
	parse := valueParser(o.code)
	if parse == nil {
		if s.Map != nil || s.Otherwise != "" || s.Blank != "" || s.Absent != "" {
			return c.doc.fail("map, otherwise, blank and absent are for texts, kind, status, channel and flags", path...)
		}
		return nil
	}
	if o.words = make(map[string]uint8, len(s.Map)); s.Map == nil {
		return c.doc.fail("this field needs a map from the file's words to ours", path...)
	}
	for k, v := range s.Map {
		n, ok := parse(v)
		if !ok {
			return c.doc.fail(fmt.Sprintf("map: %q is not a value of %s", v, o.field), append(path, "map", k)...)
		}
		o.words[k] = n
	}
	for _, d := range []struct {
		word, key string
		to        *int
	}{{s.Otherwise, "otherwise", &o.otherwise}, {s.Blank, "blank", &o.blank}, {s.Absent, "absent", &o.absent}} {
		if d.word == "" {
			continue
		}
		n, ok := parse(d.word)
		if !ok {
			return c.doc.fail(fmt.Sprintf("%s: %q is not a value of %s", d.key, d.word, o.field), append(path, d.key)...)
		}
		*d.to = int(n)
	}
	return nil
}

// valueParser returns how the words of a field are spelled in profiles; nil for fields without words.
func valueParser(code opCode) func(string) (uint8, bool) {
	switch code {
	case opKind:
		return func(s string) (uint8, bool) { k, ok := txn.ParseKind(s); return uint8(k), ok }
	case opStatus:
		return func(s string) (uint8, bool) { k, ok := txn.ParseStatus(s); return uint8(k), ok }
	case opChannel:
		return func(s string) (uint8, bool) { k, ok := txn.ParseChannel(s); return uint8(k), ok }
	case opLineStatus:
		return func(s string) (uint8, bool) { k, ok := txn.ParseLineStatus(s); return uint8(k), ok }
	case opOffline, opReversed:
		return func(s string) (uint8, bool) {
			switch s {
			case "yes":
				return 1, true
			case "no":
				return 0, true
			}
			return 0, false
		}
	}
	return nil
}
