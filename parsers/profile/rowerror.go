package profile

import (
	"fmt"
	"unicode/utf8"

	"daozhang/parsers"
)

func (r *Reader) columnName(col int) string {
	switch {
	case col >= 0 && r.p.fixed != nil:
		for i, at := range r.f.bound {
			if c := r.p.cols[i]; at == col {
				return fmt.Sprintf("%s (bytes %d-%d)", c.name, c.start+1, c.start+c.width)
			}
		}
	case col >= 0 && col < len(r.f.names):
		return r.f.names[col]
	case col < -1:
		for i, at := range r.f.bound {
			if at == col {
				return r.p.cols[i].name
			}
		}
	}
	return ""
}

// rowError makes a ParseError for the current record. The value is shown masked and cut, never for card numbers.
func (r *Reader) rowError(o *op, v []byte, err error) error {
	e := &parsers.ParseError{File: r.src.Name, Line: r.rec.line, Record: int(r.counts.rows), Offset: r.rec.off, Err: err}
	if r.partial && !r.part {
		e.Line, e.Record, _ = r.Locate(r.rec.off)
	}
	if o != nil {
		e.Field = r.columnName(o.col)
		if o.code != opCard && err != errCharset {
			e.Value = clip(string(maskPAN(nil, v)), 60)
		}
	}
	return e
}

// clip cuts a text at n bytes, on a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "..."
}
