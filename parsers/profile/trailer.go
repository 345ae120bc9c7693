package profile

import (
	"strings"
)

// trailState follows the trailer's lines.
type trailState struct {
	begun    bool
	seen     []bool
	table    int // trailer line whose values come next, -1 none
	names    []string
	captures map[string]string
}

func (t *trailState) keep(name, value string) {
	if t.captures == nil {
		t.captures = map[string]string{}
	}
	t.captures[name] = value
}

// missingTrailer names the trailer lines and stated figures that the file should have and has not.
func (r *Reader) missingTrailer() string {
	var out []string
	for i, l := range r.p.trailer {
		if !l.optional && !r.trail.seen[i] {
			out = append(out, l.word)
		}
	}
	if len(out) > 0 || r.p.required == 0 {
		return strings.Join(out, "; ")
	}
	for _, k := range r.p.controls {
		for _, name := range k.stated {
			if text, ok := r.capture(name); !k.optional && (!ok || text == "") {
				out = append(out, name)
			}
		}
	}
	return strings.Join(out, "; ")
}

// decodeLine is for the few lines that are not records.
func (r *Reader) decodeLine(b []byte) string {
	if r.f.cs == utf8Text {
		return string(b)
	}
	out, _ := r.dec.appendTo(nil, b)
	return string(out)
}

// trailerLine tries the i-th trailer line on a record that begins like it.
func (r *Reader) trailerLine(i int, rec record) (bool, error) {
	line := &r.p.trailer[i]
	text := r.decodeLine(rec.data)
	if line.form == trailText {
		if !line.tmpl.match(fold(strings.TrimLeft(text, " \t")), r.trail.keep) {
			return false, nil
		}
		r.trail.begun, r.trail.seen[i] = true, true
		return true, nil
	}
	cells := r.lineCells(text)
	if strings.TrimRight(normalise(cells[0]), ":") != strings.TrimRight(line.key, ":") {
		return false, nil
	}
	switch line.form {
	case trailTable:
		r.trail.begun, r.trail.table, r.trail.names = true, i, cells
	case trailPairs:
		r.pairs(cells)
		r.trail.begun, r.trail.seen[i] = true, true
	case trailRow:
		if len(cells) != len(r.f.names) {
			return false, nil // the record path names the wrong number of cells
		}
		for k, name := range r.f.names {
			r.trail.keep(normalise(name), cells[k])
		}
		r.trail.begun, r.trail.seen[i] = true, true
	}
	return true, nil
}

// lineCells cuts a decoded line; never empty.
func (r *Reader) lineCells(text string) []string {
	b := []byte(text)
	var cells []span
	var err error
	switch {
	case r.p.delimited.Backtick && strings.HasPrefix(text, "`"):
		cells = splitBacktick(b, r.p.sep, nil)
	case r.p.quoted:
		if b, cells, _, err = splitQuoted(b, r.p.sep, nil, nil); err != nil {
			return []string{text}
		}
	default:
		cells = splitPlain(b, r.p.sep, nil)
	}
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = string(trimWide(trim(b[c.from:c.to])))
	}
	return out
}

// pairs reads label, value, label, value with empty cells anywhere between.
func (r *Reader) pairs(cells []string) {
	label := ""
	for _, c := range cells {
		switch {
		case c == "":
		case label == "":
			label = strings.TrimRight(normalise(c), ":")
		default:
			r.trail.keep(label, c)
			label = ""
		}
	}
}

// tableValues reads the line of values behind a line of names.
func (r *Reader) tableValues(rec record) error {
	i := r.trail.table
	r.trail.table = -1
	cells := r.lineCells(r.decodeLine(rec.data))
	if len(cells) != len(r.trail.names) {
		return nil // stays unseen: the file is cut
	}
	for k, name := range r.trail.names {
		r.trail.keep(normalise(name), cells[k])
	}
	r.trail.seen[i] = true
	return nil
}

// dataEnd is the offset of the first trailer line, or of the end of the file.
func (r *Reader) dataEnd() (int64, error) {
	const window = 64 << 10
	end := r.src.Size
	if len(r.begins) == 0 {
		return end, nil
	}
	s := r.p.scanner(r.src, r.f.data)
	if s.size-window > r.f.data {
		s.reset(s.size - window)
		if _, err := s.next(); err != nil { // a line of which the beginning is not seen
			return end, nil
		}
	}
	probe := *r
	probe.books.on = false
	probe.trail = trailState{seen: make([]bool, len(r.p.trailer)), table: -1}
	for {
		rec, err := s.next()
		if err != nil {
			return end, nil
		}
		if _, err := probe.aside(rec); err == nil && probe.trail.begun {
			return rec.off, nil
		}
	}
}
