package profile

import (
	"bytes"
	"fmt"

	"daozhang/parsers"
)

// cut splits the record into cells and compares their number with the header.
func (r *Reader) cut(rec record) error {
	r.text, r.cells = rec.data, r.cells[:0]
	r.high = hasHigh(rec.data)
	if r.p.fixed != nil {
		return r.cutFixed(rec)
	}
	var err error
	switch {
	case r.p.delimited.Backtick && rec.data[0] == '`':
		r.cells = splitBacktick(rec.data, r.p.sep, r.cells)
	case r.p.quoted && bytes.IndexByte(rec.data, '"') >= 0:
		r.text, r.cells, r.unquote, err = splitQuoted(rec.data, r.p.sep, r.cells, r.unquote)
	case r.high && r.f.cs == gbText && r.p.sep >= 0x40:
		r.cells = splitGB(rec.data, r.p.sep, r.cells)
	default:
		r.cells = splitPlain(rec.data, r.p.sep, r.cells)
	}
	if err == nil && len(r.cells) > len(r.f.names) && r.p.overflow >= 0 {
		r.joinOverflow()
	}
	if err == nil && len(r.cells) != len(r.f.names) {
		err = fmt.Errorf("%d cells, the header has %d", len(r.cells), len(r.f.names))
		if len(r.cells) > r.p.limits.Fields {
			err = errManyCells
		}
	}
	if err != nil && !rec.ended {
		return &parsers.FileError{File: r.src.Name, Line: rec.line, Err: parsers.ErrTruncated,
			What: "the last line is incomplete: " + err.Error()}
	}
	if err != nil {
		return r.rowError(nil, nil, err)
	}
	return nil
}

func (r *Reader) cutFixed(rec record) error {
	if len(rec.data) != r.p.fixed.Record {
		err := fmt.Errorf("%d bytes, want %d", len(rec.data), r.p.fixed.Record)
		if !rec.ended && len(rec.data) < r.p.fixed.Record {
			return &parsers.FileError{File: r.src.Name, Line: rec.line, Err: parsers.ErrTruncated,
				What: "the last record is incomplete: " + err.Error()}
		}
		return r.rowError(nil, nil, err)
	}
	if at := r.p.badGap(rec.data); at >= 0 {
		return r.rowError(nil, nil, fmt.Errorf("byte %d should be the separator", at+1))
	}
	for _, c := range r.p.cols {
		if !c.capture {
			r.cells = append(r.cells, span{int32(c.start), int32(c.start + c.width)})
		}
	}
	return nil
}

// joinOverflow gives surplus cells back to the column that may hold separators: it ends before the first cell that
// looks like a timestamp.
func (r *Reader) joinOverflow() {
	at := r.f.bound[r.p.overflow]
	if at < 0 {
		return
	}
	surplus := len(r.cells) - len(r.f.names)
	for i := at + 1; i < len(r.cells); i++ {
		b := bytes.Trim(r.text[r.cells[i].from:r.cells[i].to], " \t")
		if len(b) < 10 || b[4] != '-' || b[7] != '-' || b[0] < '0' || b[0] > '9' {
			continue
		}
		if i-at-1 == surplus {
			r.cells[at].to = r.cells[i-1].to
			r.cells = append(r.cells[:at+1], r.cells[i:]...)
		}
		return
	}
}
