package profile

import (
	"bytes"

	"daozhang/parsers/txn"
)

// quick is a second way to read a record, for the many that have nothing unusual about them. It decides only what it
// can decide exactly as the ordinary way does, and it does a whole record or nothing: where anything is unusual (a
// quote, a padded text, a wrong number of cells, a line that could belong to the trailer, a value that breaks a rule)
// it leaves the record to the ordinary way, which stays the one place that knows all rules and makes all errors.
type quick struct {
	cells int
	sep   uint64
	first [256]bool  // a line that begins with this byte may be no record
	odd   [256]uint8 // bytes that are trimmed from the ends of cells
	texts []quickText
	exact []*op // of the texts
	ops   []quickOp
	ids   bool       // among the texts are identifiers
	mine  txn.Fields // the texts that each record stores
	must  txn.Fields // those of them that must not be empty
	ends  cuts
	calm  int // records still to be read the ordinary way without trying
	fails int // records in a row that the quick way gave up
	taken int // records read
}

// quickText stores a cell as it stands.
type quickText struct {
	bit   txn.Fields
	cell  uint8
	field txn.Field
	id    bool
}

// quickOp sets one field by one of the ways below.
type quickOp struct {
	code  quickCode
	skip  bool // an empty cell means nothing
	cell  uint8
	field txn.Field
	sign  signMode
	exact *op
	memo  *memo // of cells; of quickStamp, of dates
}

type quickCode uint8

const (
	quickExact quickCode = iota // clean and exec
	quickKind                   // from here to quickDay: one look-up in the memo
	quickStatus
	quickChannel
	quickFlag
	quickMapped // texts with a map
	quickCurrency
	quickDate   // dates with a year
	quickDay    // the date of a time
	quickAmount // with two decimals
	quickFee
	quickClock // HH:mm:ss
	quickStamp // yyyy-MM-dd HH:mm:ss
	quickCard  // digits and asterisks
)

const (
	quickPatience = 8   // unusual records in a row, after which
	quickCalm     = 256 // so many records are not tried
)

// newQuick compiles the bound ops of a reader; nil where the layout has no quick way.
func (r *Reader) newQuick() *quick {
	p, n := r.p, len(r.f.names)
	if p.delimited == nil || len(r.entries) != 1 || len(r.entries[0].conds) > 0 || len(r.extras) > 0 ||
		len(p.sums) > 0 || n > maxCells-8 || r.f.cs == gbText && p.sep >= 0x40 {
		return nil
	}
	q := &quick{cells: n, sep: uint64(p.sep) * ones}
	for _, c := range []byte{' ', '\t', '`', '"', '\r', 0x1A, p.sep} {
		q.first[c] = true
	}
	for _, b := range append([][]byte{r.comment}, r.begins...) {
		if len(b) > 0 {
			q.first[b[0]] = true
		}
	}
	for _, c := range []byte{' ', '\t', '`'} {
		q.odd[c] = 1
	}
	q.odd[p.sep] = 0 // what stands beside an empty cell
	e := &r.entries[0]
	for i := range e.ops {
		q.add(r, e, &e.ops[i])
	}
	return q
}

// add compiles one op.
func (q *quick) add(r *Reader, e *entry, o *op) {
	k := quickOp{cell: uint8(max(o.col, 0)), field: o.field, sign: o.sign, exact: o,
		skip: !o.filled && o.blank < 0 && o.code != opKind}
	alone := true // nothing else fills the field
	for i := range e.ops {
		other := &e.ops[i]
		alone = alone && (other == o || other.field != o.field || other.code != o.code && o.code != opTime && other.code != opTime)
	}
	for _, t := range e.texts {
		alone = alone && t.field != o.field
	}
	if o.col < 0 || o.n > 0 || !alone && o.code != opFee {
		q.ops = append(q.ops, k)
		return
	}
	switch o.code {
	case opText:
		if o.texts == nil && len(o.empty) == 0 {
			q.texts, q.exact = append(q.texts, quickText{bit: 1 << o.field, field: o.field, id: o.id, cell: k.cell}), append(q.exact, o)
			q.mine = q.mine.With(o.field)
			if o.filled {
				q.must = q.must.With(o.field)
			}
			q.ids = q.ids || o.id
			return
		}
		k.code = quickMapped
	case opKind:
		k.code = quickKind
	case opStatus:
		k.code = quickStatus
	case opChannel:
		k.code = quickChannel
	case opLineStatus, opOffline, opReversed:
		k.code = quickFlag
	case opCurrency:
		k.code = quickCurrency
	case opAmount, opFee:
		if !o.minor && o.sign != signLetter && len(o.empty) == 0 {
			if k.code = quickAmount; o.code == opFee {
				k.code = quickFee
			}
		}
	case opDate:
		if o.years() {
			k.code = quickDate
		}
	case opTimeDate:
		if o.years() {
			k.code = quickDay
		}
	case opTimeClock:
		if o.layoutOf(8) == "HH:mm:ss" && len(o.empty) == 0 {
			k.code = quickClock
		}
	case opTime:
		if o.layoutOf(19) == "yyyy-MM-dd HH:mm:ss" && len(o.empty) == 0 {
			k.code = quickStamp
		}
	case opCard:
		if !r.src.Options.CardLead && len(o.empty) == 0 {
			k.code = quickCard
		}
	}
	k.memo = new(memo)
	q.ops = append(q.ops, k)
}

// years reports whether all layouts have a year: then a cell alone says which day it means.
func (o *op) years() bool {
	for i := range o.layouts {
		if !o.layouts[i].hasYear || !o.layouts[i].hasDate {
			return false
		}
	}
	return true
}

// layoutOf is the first layout that texts of n bytes can have.
func (o *op) layoutOf(n int) string {
	for i := range o.layouts {
		if o.layouts[i].width == n {
			return o.layouts[i].text
		}
	}
	return ""
}

// next reads one record the quick way. False: nothing has happened, and the ordinary way must read it.
func (q *quick) next(r *Reader, row *txn.Row) bool {
	if q.calm > 0 {
		q.calm--
		return false
	}
	w, stop, ok := q.line(r)
	if !ok {
		return false // at a border of the buffer, as a rule
	}
	if !q.record(r, row, w, stop) {
		if q.fails++; q.fails >= quickPatience {
			q.fails, q.calm = 0, quickCalm
		}
		return false
	}
	q.fails = 0
	q.taken++
	return true
}

// line returns the next line as w[lead:stop], with room at both ends.
func (q *quick) line(r *Reader) (w *view, stop int, ok bool) {
	s := &r.scan
	if s.pos < lead || s.offset() >= s.stop || r.trail.begun || r.trail.table >= 0 {
		return nil, 0, false
	}
	n := bytes.IndexByte(s.buf[s.pos:s.end], '\n')
	if n <= 0 || n > s.limit || n > window-lead-64 || s.pos-lead+window > len(s.buf) || q.first[s.buf[s.pos]] {
		return nil, 0, false
	}
	if r.p.quoted && s.quotesSeen.in(s, '"', n) {
		return nil, 0, false
	}
	w, stop = (*view)(s.buf[s.pos-lead:]), lead+n
	if w[stop-1] == '\r' {
		stop--
	}
	return w, stop, true
}

// record decodes the line and counts it.
func (q *quick) record(r *Reader, row *txn.Row, w *view, stop int) bool {
	n, high := q.ends.split(w, lead, stop, q.sep)
	if n != q.cells-1 {
		return false
	}
	q.ends[0] = lead - 1
	q.ends[n+1] = uint32(stop)
	e := &r.entries[0]
	row.ResetFor(q.mine)
	row.Side, row.Kind, row.Status, row.Channel, row.Currency = r.p.info.Side, e.kind, e.status, e.channel, r.currency
	for i := range e.texts {
		row.Set(e.texts[i].field, e.texts[i].value)
	}
	r.hasDate, r.hasTime, r.signed, r.high, r.num, r.buf = false, false, false, high, r.num[:0], r.buf[:0]
	if !q.values(r, row, w) || !q.fill(r, row, w, stop, high) {
		row.Has |= q.mine // what has been stored so far must be reset
		return false
	}
	s := &r.scan
	row.Pos = txn.Position{File: r.src.File, Offset: s.offset()}
	for s.buf[s.pos+stop-lead] != '\n' { // the carriage return
		stop++
	}
	s.pos += stop - lead + 1
	s.line++
	r.rec.line = s.line
	if r.counts.rows++; r.counts.rows == 1 {
		r.first = s.line
	}
	if r.hasDate {
		row.Time = r.zone.instant(r.date, r.clock, !r.hasTime)
		row.Has |= 1 << txn.TimeField
	}
	r.constants(row)
	r.countKind(row.Kind, true)
	r.emitted = 1
	r.commit(row)
	return true
}

// fill stores the texts. Where a line holds high bytes or a plus sign, or a cell is padded or lacks what it must have,
// they are looked at one by one.
func (q *quick) fill(r *Reader, row *txn.Row, w *view, stop int, high bool) bool {
	plus := q.ids && r.scan.plusSeen.in(&r.scan, '+', stop-lead) // 4.2E+27: an identifier that a spreadsheet damaged
	has, odd := q.look(w)
	if plus || odd != 0 || has&q.must != q.must {
		return q.fillCarefully(r, row, w)
	}
	if high && q.high(w) {
		return q.fillCarefully(r, row, w)
	}
	q.store(row, w)
	row.Has |= has
	return true
}

// high reports whether a text holds a byte >= 0x80.
func (q *quick) high(w *view) bool {
	var any uint64
	for i := range q.texts {
		t := &q.texts[i]
		from, to := int(q.ends[t.cell])+1, int(q.ends[int(t.cell)+1])
		switch n := to - from; {
		case n < 8: // of no byte, all are shifted out
			any |= word(w, to-8) >> 1 >> (uint(63-8*n) & 63)
		case n <= 16:
			any |= word(w, from) | word(w, to-8)
		default:
			if hasHigh(w[from:to]) {
				return true
			}
		}
	}
	return any&highBit != 0
}

// look tells which of the texts are there, and whether one may be padded.
func (q *quick) look(w *view) (has txn.Fields, odd uint8) {
	for i := range q.texts {
		t := &q.texts[i]
		from, to := int(q.ends[t.cell])+1, int(q.ends[int(t.cell)+1])
		has |= txn.Fields((from-to)>>63) & t.bit // all ones where the cell is not empty
		odd |= q.odd[w[from&(window-1)]] | q.odd[w[(to-1)&(window-1)]]
	}
	return has, odd
}

func (q *quick) store(row *txn.Row, w *view) {
	for i := range q.texts {
		t := &q.texts[i]
		row.Text[t.field] = w[q.ends[t.cell]+1 : q.ends[int(t.cell)+1]]
	}
}

func (q *quick) fillCarefully(r *Reader, row *txn.Row, w *view) bool {
	q.store(row, w)
	for i, t := range q.texts {
		from, to := int(q.ends[t.cell])+1, int(q.ends[int(t.cell)+1])
		if from >= to {
			if q.must.Has(t.field) {
				return false
			}
			continue
		}
		if q.odd[w[from]]|q.odd[w[to-1]] == 0 && !highAt(w, from, to) && (!t.id || !damaged(w[from:to])) {
			row.Has |= t.bit
			continue
		}
		row.Text[t.field] = nil
		if !r.exactly(row, q.exact[i], w[from:to]) {
			return false
		}
	}
	return true
}

// exactly runs an op the ordinary way; false where that finds an error.
func (r *Reader) exactly(row *txn.Row, o *op, raw []byte) bool {
	v, ok := r.clean(raw)
	return ok && r.exec(row, o, v) == nil
}
