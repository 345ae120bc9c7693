package profile

import (
	"daozhang/parsers/txn"
)

// values runs the ops that are no plain texts.
func (q *quick) values(r *Reader, row *txn.Row, w *view) bool {
	for i := range q.ops {
		k := &q.ops[i]
		from, to := int(q.ends[k.cell])+1, int(q.ends[int(k.cell)+1])
		if from >= to && k.code != quickExact {
			if !k.skip && r.exec(row, k.exact, nil) != nil {
				return false
			}
			continue
		}
		ok := false
		switch k.code {
		case quickAmount:
			var n int64
			if n, ok = centsAt(w, from, to); ok {
				ok = k.amount(r, row, n)
			}
		case quickFee:
			var n int64
			if n, ok = centsAt(w, from, to); ok {
				ok = k.fee(r, row, n)
			}
		case quickClock:
			if to-from == 8 {
				if r.clock, ok = clockAt(w, from); ok {
					r.hasTime = true
				}
			}
		case quickStamp:
			if to-from == 19 && w[from+10] == ' ' {
				if s, known := k.memo.long(word(w, from), word(w, from+2), 10); known {
					if r.clock, ok = clockAt(w, from+11); ok {
						r.date, r.hasDate, r.hasTime = txn.Date(s.value), true, true
					}
				}
			}
		case quickCard:
			if ok = cardAt(w, from, to); ok {
				row.Set(txn.CardTail, w[to-4:to:to])
			}
		case quickExact:
		default:
			var s *memoSlot
			if n := to - from; n <= 8 {
				s, ok = k.memo.short(word(w, from), n)
			} else if n <= memoBytes {
				s, ok = k.memo.long(word(w, from), word(w, to-8), n)
			}
			if ok {
				k.known(r, row, s)
			}
		}
		if !ok && !k.first(r, row, w, from, to) {
			return false
		}
	}
	return true
}

// known sets a value that is remembered.
func (k *quickOp) known(r *Reader, row *txn.Row, s *memoSlot) {
	switch k.code {
	case quickKind:
		row.Kind = txn.Kind(s.value)
	case quickStatus:
		row.Status = txn.Status(s.value)
	case quickChannel:
		row.Channel = txn.Channel(s.value)
	case quickFlag:
		r.number(row, k.exact, int(s.value))
	case quickMapped:
		row.Set(k.field, s.text)
		return
	case quickCurrency:
		row.Currency = txn.Currency{byte(s.value), byte(s.value >> 8), byte(s.value >> 16)}
		return
	case quickDate:
		storeDate(row, k.field, txn.Date(s.value))
		return
	case quickDay:
		r.date, r.hasDate = txn.Date(s.value), true
		return
	}
	row.Has |= 1 << (k.field & 63)
}

// first reads a cell the ordinary way and remembers what it means; false where the ordinary way finds an error.
func (k *quickOp) first(r *Reader, row *txn.Row, w *view, from, to int) bool {
	o, n := k.exact, to-from
	if o.col < 0 {
		v, ok := r.cell(o.col)
		return ok && r.exec(row, o, v) == nil
	}
	if !r.exactly(row, o, w[from:max(from, to)]) {
		return false
	}
	switch {
	case k.code == quickStamp:
		// The cell was all stamp: had it been padded, it would be of another layout.
		if n == 19 && len(trim(w[from:to])) == 19 && r.hasDate && r.hasTime {
			s := k.memo.take(w, from, from+10)
			s.value, s.n = int32(r.date), 10
		}
	case k.code >= quickKind && k.code <= quickDay && n > 0 && n <= memoBytes:
		s := k.memo.take(w, from, to)
		k.remember(r, row, s, n)
	}
	return true
}

// remember keeps what the ordinary way has just made of a cell, if it made anything of it.
func (k *quickOp) remember(r *Reader, row *txn.Row, s *memoSlot, n int) {
	o := k.exact
	switch k.code {
	case quickCurrency:
		c := row.Currency // a placeholder leaves the file's own, which is the same in each row
		s.value = int32(c[0]) | int32(c[1])<<8 | int32(c[2])<<16
	case quickDay:
		if !r.hasDate {
			return
		}
		s.value = int32(r.date)
	default:
		if !row.Has.Has(o.field) {
			return
		}
		switch o.code {
		case opText:
			s.text = append(s.text[:0:0], row.Text[o.field]...)
		case opKind:
			s.value = int32(row.Kind)
		case opStatus:
			s.value = int32(row.Status)
		case opChannel:
			s.value = int32(row.Channel)
		case opLineStatus:
			s.value = int32(row.LineStatus)
		case opOffline:
			s.value = flag(row.Offline)
		case opReversed:
			s.value = flag(row.Reversed)
		case opDate:
			s.value = int32(dateOf(row, o.field))
		}
	}
	s.n = int32(n)
}

func flag(b bool) int32 {
	if b {
		return 1
	}
	return 0
}

func dateOf(row *txn.Row, f txn.Field) txn.Date {
	switch f {
	case txn.BusinessDateField:
		return row.Business
	case txn.PayoutDateField:
		return row.PayoutDate
	case txn.BookingDateField:
		return row.Booking
	case txn.ValueDateField:
		return row.Value
	}
	return row.OrigDate
}

// amount stores cents of a currency that has them.
func (k *quickOp) amount(r *Reader, row *txn.Row, cents int64) bool {
	if row.Currency.Decimals() != 2 {
		return false
	}
	n, ok := k.signed(r, row, cents)
	if !ok {
		return false
	}
	if k.field == txn.AmountField {
		row.Amount = n
		row.Has |= 1 << txn.AmountField
	} else {
		storeAmount(row, k.field, n)
	}
	return true
}

// fee stores cents as a fee.
func (k *quickOp) fee(r *Reader, row *txn.Row, cents int64) bool {
	n, ok := k.signed(r, row, cents*1000) // 1e-5 of the major unit
	if ok {
		storeFee(row, k.exact, txn.Fine(n))
	}
	return ok
}

// signed applies the sign rule: at once to numbers without a sign, of rows that bring money in.
func (k *quickOp) signed(r *Reader, row *txn.Row, n int64) (int64, bool) {
	if n >= 0 && k.sign != signNegate && row.Kind.Sign() >= 0 {
		return n, true
	}
	n, err := r.signOf(row, k.exact, n, 0)
	return n, err == nil
}
