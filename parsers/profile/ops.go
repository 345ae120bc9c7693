package profile

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

var (
	errCharset  = errors.New("bytes that are no text in the file's encoding")
	errEmpty    = errors.New("must not be empty")
	errWord     = errors.New("a word that the profile does not know")
	errCurrency = errors.New("not a currency code")
	errDamaged  = errors.New("an identifier in scientific notation")
	errDecimals = errors.New("the currency has other decimals than the file's unit")
)

// holds evaluates the conditions of a rule on the current record.
func (r *Reader) holds(e *entry) (bool, error) {
	for i := range e.conds {
		c := &e.conds[i]
		v, ok := r.cell(c.col)
		if !ok {
			return false, r.rowError(&op{col: c.col}, nil, errCharset)
		}
		var hit bool
		switch c.mode {
		case condIn:
			hit = c.words[string(v)]
		case condNotIn:
			hit = !c.words[string(v)]
		case condZero:
			hit = zero(v)
		case condNonZero:
			hit = !zero(v)
		}
		if !hit {
			return false, nil
		}
	}
	return true, nil
}

// zero reports whether a cell is empty, a dash, or a number equal to 0.
func zero(b []byte) bool {
	for _, c := range b {
		switch c {
		case '0', '.', '-', '+', ',', '/':
		default:
			return false
		}
	}
	return true
}

// emit fills the row by one rule.
func (r *Reader) emit(row *txn.Row, e *entry) error {
	row.Reset()
	row.Side, row.Kind, row.Status, row.Channel, row.Currency = r.p.info.Side, e.kind, e.status, e.channel, r.currency
	for _, t := range e.texts {
		row.Set(t.field, t.value)
	}
	row.Pos = txn.Position{File: r.src.File, Entry: r.emitted, Offset: r.rec.off}
	r.hasDate, r.hasTime, r.signed, r.num = false, false, false, r.num[:0]
	for i := range e.ops {
		o := &e.ops[i]
		v, ok := r.cell(o.col)
		err := errCharset
		if ok {
			err = r.exec(row, o, v)
		}
		if err != nil {
			r.countKind(row.Kind, o.code != opKind)
			if err == errDamaged {
				return &parsers.FileError{File: r.src.Name, Line: r.rec.line, Err: parsers.ErrDamaged,
					What: "column " + r.columnName(o.col)}
			}
			return r.rowError(o, v, err)
		}
	}
	r.countKind(row.Kind, true)
	if r.hasDate {
		row.Time = r.zone.instant(r.date, r.clock, !r.hasTime)
		row.Has = row.Has.With(txn.TimeField)
	}
	r.constants(row)
	r.fillExtra(row)
	r.emitted++
	r.commit(row)
	return nil
}

// constants marks the fields that came from the rule, not from a cell.
func (r *Reader) constants(row *txn.Row) {
	row.Has = row.Has.With(txn.SideField).With(txn.KindField)
	if row.Status != txn.NoStatus {
		row.Has = row.Has.With(txn.StatusField)
	}
	if row.Channel != txn.NoChannel {
		row.Has = row.Has.With(txn.ChannelField)
	}
	if d := r.src.Options.BusinessDate; d != 0 && !row.Has.Has(txn.BusinessDateField) && r.p.info.Side == txn.Acquirer {
		row.Business = d
		row.Has = row.Has.With(txn.BusinessDateField)
	}
}

// cell returns a cell trimmed and in UTF-8, or false where its bytes are no text. Its negative numbers are captures.
func (r *Reader) cell(col int) ([]byte, bool) {
	if col < 0 {
		if col == -1 {
			return nil, true
		}
		return r.virtual[-2-col], true
	}
	c := r.cells[col]
	return r.clean(r.text[c.from:c.to])
}

// clean trims a cell and turns it into UTF-8; false where its bytes are no text.
func (r *Reader) clean(b []byte) ([]byte, bool) {
	b = trim(b)
	if !r.high || !hasHigh(b) {
		return b, true
	}
	if r.f.cs == utf8Text {
		return trimWide(b), utf8.Valid(b)
	}
	from := len(r.buf)
	var ok bool
	r.buf, ok = r.dec.appendTo(r.buf, b)
	return trimWide(r.buf[from:len(r.buf):len(r.buf)]), ok
}

// trim drops the blanks, TABs and backticks that vendors pad with.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '`') {
		b = b[1:]
	}
	for n := len(b); n > 0 && (b[n-1] == ' ' || b[n-1] == '\t' || b[n-1] == '`'); n-- {
		b = b[:n-1]
	}
	return b
}

// trimWide also drops NBSP and the ideographic blank.
func trimWide(b []byte) []byte {
	return bytes.Trim(b, " \t\u00A0\u3000")
}

// exec runs one op. It is the one switch of the engine.
func (r *Reader) exec(row *txn.Row, o *op, v []byte) error {
	if o.n > 0 {
		v = v[min(o.from, len(v)):min(o.from+o.n, len(v))]
	}
	if isOneOf(v, o.empty) {
		v = nil
	}
	if len(v) == 0 {
		if o.filled && !row.Has.Has(o.field) {
			return errEmpty
		}
		if o.blank < 0 && !(o.code == opKind && row.Kind == txn.NoKind) {
			return nil
		}
		return r.number(row, o, o.blank)
	}
	if row.Has.Has(o.field) && o.code != opFee {
		return nil // an earlier column of the list has filled the field
	}
	switch o.code {
	case opText:
		return r.setText(row, o, v)
	case opCard:
		return r.setCard(row, v)
	case opKind, opStatus, opChannel, opLineStatus, opOffline, opReversed:
		n, ok := o.words[string(v)]
		if !ok {
			return r.number(row, o, o.otherwise)
		}
		return r.number(row, o, int(n))
	case opCurrency:
		return r.setCurrency(row, v)
	case opAmount:
		return r.setAmount(row, o, v)
	case opFee:
		return r.setFee(row, o, v)
	case opDate:
		return r.setDate(row, o, v)
	case opTime, opTimeDate, opTimeClock:
		return r.setTime(row, o, v)
	}
	return fmt.Errorf("op %d is not implemented", o.code)
}

func isOneOf(v []byte, words [][]byte) bool {
	for _, w := range words {
		if bytes.Equal(v, w) {
			return true
		}
	}
	return false
}

// number sets a field of the small value types; a negative one is a word without value.
func (r *Reader) number(row *txn.Row, o *op, n int) error {
	if n < 0 {
		return errWord
	}
	switch o.code {
	case opKind:
		row.Kind = txn.Kind(n)
	case opStatus:
		row.Status = txn.Status(n)
	case opChannel:
		row.Channel = txn.Channel(n)
	case opLineStatus:
		row.LineStatus = txn.LineStatus(n)
	case opOffline:
		row.Offline = n == 1
	case opReversed:
		row.Reversed = n == 1
	}
	row.Has = row.Has.With(o.field)
	return nil
}

func (r *Reader) setText(row *txn.Row, o *op, v []byte) error {
	if o.id && damaged(v) {
		return errDamaged
	}
	if o.texts != nil {
		if t, ok := o.texts[string(v)]; ok {
			v = t
		} else if len(o.restText) > 0 {
			v = o.restText
		}
	}
	row.Set(o.field, v)
	return nil
}

// damaged recognises what a spreadsheet makes of a long number, such as 4.20E+27.
func damaged(v []byte) bool {
	n := len(v)
	if n < 5 || v[0] < '0' || v[0] > '9' {
		return false
	}
	e := bytes.LastIndexByte(v[n-5:], '+')
	if e < 1 {
		return false
	}
	e += n - 5
	if v[e-1] != 'E' && v[e-1] != 'e' || e == n-1 {
		return false
	}
	for i, c := range v {
		if i != e && i != e-1 && c != '.' && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func (r *Reader) setCurrency(row *txn.Row, v []byte) error {
	if string(v) == "CNY" {
		row.Currency = txn.CNY
		return nil
	}
	c, ok := txn.ParseCurrency(string(v))
	if !ok {
		return errCurrency
	}
	row.Currency = c
	return nil
}

func (r *Reader) setDate(row *txn.Row, o *op, v []byte) error {
	d, _, _, err := r.stamp(row, o, v)
	if err != nil {
		return err
	}
	storeDate(row, o.field, d)
	return nil
}

func storeDate(row *txn.Row, f txn.Field, d txn.Date) {
	switch f {
	case txn.BusinessDateField:
		row.Business = d
	case txn.PayoutDateField:
		row.PayoutDate = d
	case txn.BookingDateField:
		row.Booking = d
	case txn.ValueDateField:
		row.Value = d
	case txn.OrigDateField:
		row.OrigDate = d
	}
	row.Has = row.Has.With(f)
}

func (r *Reader) setTime(row *txn.Row, o *op, v []byte) error {
	d, clock, l, err := r.stamp(row, o, v)
	if err != nil {
		return err
	}
	if l.hasDate {
		r.date, r.hasDate = d, true
	}
	if l.hasClock && o.code != opTimeDate {
		r.clock, r.hasTime = clock, true
	}
	if o.code == opTime {
		row.Time = r.zone.instant(r.date, r.clock, !r.hasTime)
		row.Has = row.Has.With(txn.TimeField)
	}
	return nil
}

// stamp reads a date and clock by the first layout that fits.
func (r *Reader) stamp(row *txn.Row, o *op, v []byte) (txn.Date, int, *layout, error) {
	if r.high && hasHigh(v) {
		v = r.folded(v)
	}
	var err error = errLayout
	for i := range o.layouts {
		l := &o.layouts[i]
		p, e := l.parse(v)
		if e != nil {
			if e != errLayout {
				err = e
			}
			continue
		}
		if !l.hasDate {
			return 0, p.clock, l, nil
		}
		ref := row.Business
		if ref == 0 {
			ref = r.src.Options.BusinessDate
		}
		d, e := p.date(l.hasYear, ref, o.before)
		return d, p.clock, l, e
	}
	return 0, 0, nil, err
}

// folded replaces full-width digits and colons, into the scratch buffer of the row.
func (r *Reader) folded(v []byte) []byte {
	from := len(r.num)
	for len(v) > 0 {
		c, n := utf8.DecodeRune(v)
		r.num = utf8.AppendRune(r.num, foldRune(c))
		v = v[n:]
	}
	return r.num[from:len(r.num):len(r.num)]
}

func (r *Reader) fillExtra(row *txn.Row) {
	for _, x := range r.extras {
		v, ok := r.cell(x.cell)
		if !ok || len(v) == 0 || isOneOf(v, x.empty) {
			continue
		}
		row.Extra = append(row.Extra, txn.Extra{Name: x.name, Value: r.masked(v)})
	}
	if len(row.Extra) > 0 {
		row.Has = row.Has.With(txn.ExtraField)
	}
}
