package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

// Reader reads one file by a profile.
type Reader struct {
	p    *Profile
	f    *frame
	src  parsers.Source
	want txn.Fields
	scan scanner

	entries  []entry // bound to this file's cells and cut to the wanted fields
	extras   []extraCell
	virtual  [][]byte // captures that columns read
	begins   [][]byte // trailer beginnings in the file's encoding
	comment  []byte
	currency txn.Currency
	zone     clockZone
	dec      gbDecoder
	partial  bool // does not read the whole file: no checks of it
	part     bool // reads a range, for Join
	from     int64
	first    int // line of the first record

	rec     record
	text    []byte // what cells point into
	cells   []span
	high    bool // the record holds bytes >= 0x80
	entry   int  // next rule to try on the record, -1: read another record
	emitted uint16
	fitted  bool   // a rule fitted the record
	counted bool   // the record's kind has been counted
	buf     []byte // decoded texts of the current row
	num     []byte
	unquote []byte
	signed  bool // the record's amount carries its own minus
	date    txn.Date
	clock   int
	hasDate bool
	hasTime bool

	quick   *quick // nil where every record is read the ordinary way
	done    error
	trail   trailState
	counts  counters
	sumNow  []txn.Fine
	books   books
	locator *locator
}

type extraCell struct {
	name  string
	cell  int
	empty [][]byte
}

// Open starts reading. The controls and totals of a full read need amounts and kinds, which are decoded whether
// wanted or not.
func (p *Profile) Open(src parsers.Source, want txn.Fields) (parsers.Reader, error) {
	r, err := p.open(src, want)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (p *Profile) open(src parsers.Source, want txn.Fields) (*Reader, error) {
	f, err := p.readFrame(src)
	if err != nil {
		return nil, err
	}
	return p.reader(src, want, f)
}

func (p *Profile) reader(src parsers.Source, want txn.Fields, f *frame) (*Reader, error) {
	r := &Reader{p: p, f: f, src: src, want: want, scan: p.scanner(src, f.data), entry: -1, dec: newGBDecoder(),
		buf: make([]byte, 0, 1024), cells: make([]span, 0, 64),
		currency: p.currency, zone: clockZone{loc: p.zone}}
	r.scan.line = f.lines
	if src.Options.Currency != (txn.Currency{}) {
		r.currency = src.Options.Currency
	}
	if src.Options.Zone != nil {
		r.zone.loc = src.Options.Zone
	}
	if p.delimited != nil {
		r.comment = []byte(p.delimited.Comment)
	}
	for _, t := range p.trailer {
		b := []byte(t.begin)
		if f.cs == gbText {
			b = encodeGB(t.begin)
		}
		r.begins = append(r.begins, b)
	}
	r.trail = trailState{seen: make([]bool, len(p.trailer)), table: -1}
	r.sumNow = make([]txn.Fine, len(p.sums))
	r.counts.sums = make([]txn.Fine, len(p.sums))
	for _, c := range p.cols {
		if c.capture {
			r.virtual = append(r.virtual, []byte(f.captures[c.name]))
		}
	}
	if err := r.books.init(r); err != nil {
		return nil, err
	}
	if err := r.bindOps(); err != nil {
		return nil, err
	}
	r.quick = r.newQuick()
	return r, nil
}

// bindOps copies the entries with cells in place of columns, without what this file lacks or nobody wants.
func (r *Reader) bindOps() error {
	for _, e := range r.p.entries {
		ops := e.ops
		e.ops = make([]op, 0, len(ops))
		conds := e.conds
		e.conds = make([]cond, len(conds))
		for i, c := range conds {
			c.col = r.f.bound[c.col]
			e.conds[i] = c
		}
		for _, o := range ops {
			capture := r.p.cols[o.col].capture
			if o.field == txn.BusinessDateField && capture && r.src.Options.BusinessDate != 0 {
				continue
			}
			name := r.p.cols[o.col].name
			o.empty = r.p.cols[o.col].empty
			o.col = r.f.bound[o.col]
			if capture && o.filled && len(bytes.TrimSpace(r.virtual[-2-o.col])) == 0 {
				return r.p.drift(r.src, 0, fmt.Sprintf("%s is unknown: the name or head of the file should state %s, or set it for the source", o.field, name))
			}
			if o.col == -1 {
				e.absent(&o)
				continue
			}
			if r.needs(&o) {
				e.ops = append(e.ops, o)
			}
		}
		r.entries = append(r.entries, e)
	}
	if !r.want.Has(txn.ExtraField) {
		return nil
	}
	taken := make([]bool, len(r.f.names))
	empty := make([][][]byte, len(r.f.names))
	for i, c := range r.p.cols {
		if at := r.f.bound[i]; at >= 0 {
			taken[at] = c.mapped && !c.keep || c.ignore
			empty[at] = c.empty
		}
	}
	for i, name := range r.f.names {
		if taken[i] {
			continue
		}
		if name == "" {
			name = fmt.Sprintf("column %d", i+1)
		}
		r.extras = append(r.extras, extraCell{name, i, empty[i]})
	}
	return nil
}

// absent applies an op's value for a column that the file does not have.
func (e *entry) absent(o *op) {
	if o.absent < 0 {
		return
	}
	switch o.code {
	case opKind:
		e.kind = txn.Kind(o.absent)
	case opStatus:
		e.status = txn.Status(o.absent)
	case opChannel:
		e.channel = txn.Channel(o.absent)
	}
}

func (r *Reader) needs(o *op) bool {
	if r.want.Has(o.field) || o.code == opCard && r.want.Has(txn.CardLead) {
		return true
	}
	switch o.field {
	case txn.KindField, txn.StatusField, txn.AmountField, txn.FeeField, txn.BusinessDateField:
		return true
	case txn.Account, txn.BookingDateField, txn.BalanceField:
		return r.p.info.Side == txn.Bank
	}
	return o.code == opCurrency
}

// Next reads the next row.
func (r *Reader) Next(row *txn.Row) error {
	if r.done != nil {
		return r.done
	}
	if r.quick != nil && (r.entry < 0 || r.fitted && r.entry >= len(r.entries)) {
		r.entry = -1
		if r.quick.next(r, row) {
			return nil
		}
	}
	for {
		if r.entry < 0 {
			err := r.nextRecord()
			if err != nil {
				return r.finish(err)
			}
			if r.p.info.ControlOnly {
				r.commitSums()
				r.entry = -1
				continue
			}
		}
		for r.entry < len(r.entries) {
			e := &r.entries[r.entry]
			r.entry++
			fits, err := r.holds(e)
			if err != nil {
				return r.finish(err)
			}
			if fits {
				r.fitted = true
				return r.finish(r.emit(row, e))
			}
		}
		r.entry = -1
		if !r.fitted {
			return r.finish(r.rowError(nil, nil, r.noRule()))
		}
	}
}

var errNoRule = errors.New("no rule of the profile fits this record")

// noRule names the columns that the rules look at.
func (r *Reader) noRule() error {
	var cols []string
	for _, e := range r.entries {
		for _, c := range e.conds {
			if n := r.columnName(c.col); !slices.Contains(cols, n) {
				cols = append(cols, n)
			}
		}
	}
	return fmt.Errorf("%w; look at %s", errNoRule, strings.Join(cols, ", "))
}

// finish keeps an error that ends the file.
func (r *Reader) finish(err error) error {
	if err == nil {
		return nil
	}
	var pe *parsers.ParseError
	switch {
	case errors.As(err, &pe):
		if r.emitted == 0 && !r.counted {
			r.counts.unknown++
			r.counted = true
		}
		r.counts.rejected++
	case err == io.EOF:
		if !r.partial {
			if bad := r.whole(); bad != nil {
				err = bad
			}
		}
		r.done = err
	default:
		r.done = err
	}
	if r.part && r.done != nil {
		r.scan.release()
	}
	return err
}

// whole checks at the end of the file that nothing is missing.
func (r *Reader) whole() error {
	if lacks := r.missingTrailer(); lacks != "" {
		return &parsers.FileError{File: r.src.Name, Line: r.scan.line, Err: parsers.ErrTruncated,
			What: "the trailer is missing or incomplete; it should hold " + lacks}
	}
	return r.books.whole()
}

// nextRecord finds the next record and cuts it into cells.
func (r *Reader) nextRecord() error {
	for {
		rec, err := r.scan.next()
		if err != nil {
			return err
		}
		r.rec = rec
		skip, err := r.aside(rec)
		if err != nil {
			return err
		}
		if skip {
			continue
		}
		if r.counts.rows++; r.counts.rows == 1 {
			r.first = rec.line
		}
		r.entry, r.emitted, r.fitted, r.counted = 0, 0, false, false
		r.buf = r.buf[:0]
		if err := r.cut(rec); err != nil {
			r.entry = -1
			return err
		}
		if err := r.addSums(); err != nil {
			r.entry = -1
			return err
		}
		return nil
	}
}

// aside handles lines that are no records: blank ones, comments, the trailer.
func (r *Reader) aside(rec record) (bool, error) {
	if r.p.blank(rec.data) {
		return true, nil
	}
	for i, b := range r.begins {
		at := 0
		for at < len(rec.data) && (rec.data[at] == ' ' || rec.data[at] == '\t' || rec.data[at] == '`' || rec.data[at] == '"') {
			at++
		}
		if bytes.HasPrefix(rec.data[at:], b) {
			hit, err := r.trailerLine(i, rec)
			if hit || err != nil {
				return hit, err
			}
		}
	}
	if r.trail.table >= 0 {
		return true, r.tableValues(rec)
	}
	if len(r.comment) > 0 && bytes.HasPrefix(rec.data, r.comment) {
		return true, r.books.comment(rec)
	}
	if r.trail.begun && (r.part || !r.partial) {
		return false, r.behindTrailer(rec.line)
	}
	return false, nil
}

func (r *Reader) behindTrailer(line int) error {
	return &parsers.FileError{File: r.src.Name, Line: line, Err: parsers.ErrDrift,
		What: "a record behind the trailer: two files in one?"}
}

// Line is the line on which the record of the last row begins, counted from where the reader began: from the head of the
// file, or for a part from its own first line ([parsers.Tail] knows how many are before it).
func (r *Reader) Line() int { return r.rec.line }

// SeekRecord makes the record at the offset of a row's Position the next one. Totals and controls are void then.
func (r *Reader) SeekRecord(offset int64) error {
	if offset < r.f.data || offset >= r.src.Size {
		return fmt.Errorf("%s: no record at offset %d", r.src.Name, offset)
	}
	r.scan.seek(offset)
	r.scan.stop = r.src.Size
	r.partial, r.part, r.done, r.entry = true, false, nil, -1
	r.trail = trailState{seen: make([]bool, len(r.p.trailer)), table: -1}
	return nil
}

// Notes lists what a person should know about the file though it is no error: columns that the profile does not
// know.
func (r *Reader) Notes() []string {
	var out []string
	for _, n := range r.f.unknown {
		out = append(out, fmt.Sprintf("column %s is not in the profile; it is kept in extra", n))
	}
	return out
}
