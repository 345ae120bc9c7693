package profile

import (
	"fmt"
	"io"
)

// locator counts lines and records from the start of the file and remembers how far it came.
type locator struct {
	scan    scanner
	probe   Reader
	records int
	lines   int // lines before the scanner's next record
}

// Locate turns the offset of a record into its 1-based line and record number. Asking in rising order reads the
// file once.
func (r *Reader) Locate(offset int64) (line, record int, err error) {
	l := r.locator
	if l == nil || l.scan.offset() > offset {
		l = &locator{scan: r.p.scanner(r.src, r.f.data), probe: *r}
		l.scan.line = r.f.lines
		l.probe.trail = trailState{seen: make([]bool, len(r.p.trailer)), table: -1}
		l.probe.books.on = false
		l.probe.partial, l.probe.part = true, false
		r.locator = l
	}
	for {
		rec, err := l.scan.next()
		if err == io.EOF || err == nil && rec.off > offset {
			r.locator = nil
			return 0, 0, fmt.Errorf("%s: no record begins at offset %d", r.src.Name, offset)
		}
		if err != nil {
			r.locator = nil
			return 0, 0, err
		}
		aside, err := l.probe.aside(rec)
		if err != nil {
			return 0, 0, err
		}
		if !aside {
			l.records++
		}
		if rec.off == offset {
			return rec.line, l.records, nil
		}
	}
}
