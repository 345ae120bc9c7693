package profile

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"daozhang/parsers"
)

// frame is what surrounds the records of one file: its encoding, header and captures.
type frame struct {
	cs       charset
	bom      int64
	data     int64    // offset of the first record
	lines    int      // lines before it
	names    []string // the file's own columns as written; for fixed layouts the profile's
	bound    []int    // profile column -> cell; -1 absent; -2-i the i-th capture
	captures map[string]string
	frames   []statedLine
	unknown  []string // columns that the profile does not know
}

// statedLine is a line that states a bank statement's frame.
type statedLine struct {
	what                      byte // 'p'eriod, 'o'pening, 'c'losing
	account, currency, amount string
	from, to                  string
	line                      int
}

// readFrame reads up to the first record.
func (p *Profile) readFrame(src parsers.Source) (*frame, error) {
	if src.Size == 0 {
		return nil, &parsers.FileError{File: src.Name, Err: parsers.ErrTruncated, What: "the file is empty"}
	}
	f := &frame{captures: map[string]string{}}
	start := make([]byte, min(src.Size, 1024))
	n, err := src.Data.ReadAt(start, 0)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("%s: %w", src.Name, err)
	}
	start = start[:n]
	if err := notAFile(src.Name, start); err != nil {
		return nil, err
	}
	if bytes.HasPrefix(start, utf8BOM) {
		f.bom = int64(len(utf8BOM))
	}
	if err := p.charsetOf(f, src); err != nil {
		return nil, err
	}
	base := src.Name[strings.LastIndexAny(src.Name, `/\`)+1:]
	fits := slices.ContainsFunc(p.names, func(t *template) bool {
		return t.match(fold(base), func(k, v string) { f.captures[k] = v })
	})
	if p.nameRequired && !fits {
		return nil, p.drift(src, 0, "the file's name fits none of the layout's patterns")
	}
	if p.fixed != nil {
		return f, p.fixedFrame(f, src)
	}
	return f, p.findHeader(f, src)
}

// notAFile recognises an API's error answer, a web page or a spreadsheet saved under a bill's name.
func notAFile(name string, start []byte) error {
	b := bytes.TrimLeft(bytes.TrimPrefix(start, utf8BOM), " \t\r\n")
	lower := bytes.ToLower(b[:min(len(b), 16)])
	fail := func(cause error, what string) error {
		return &parsers.FileError{File: name, Line: 1, Err: cause, What: what}
	}
	for _, w := range []string{"<xml", "<?xml", "<html", "<table", "<!doctype", "<return_code"} {
		if bytes.HasPrefix(lower, []byte(w)) {
			return fail(parsers.ErrVendor, "the file holds markup"+vendorWords(b)+"; fetch the bill again")
		}
	}
	switch {
	case bytes.HasPrefix(b, []byte("{")) || bytes.HasPrefix(b, []byte("[{")):
		return fail(parsers.ErrVendor, "the file holds JSON; fetch the bill again")
	case bytes.HasPrefix(start, []byte{0xFF, 0xFE}) || bytes.HasPrefix(start, []byte{0xFE, 0xFF}):
		return fail(parsers.ErrDrift, "the file is UTF-16, which is not implemented; save it as UTF-8")
	case bytes.HasPrefix(start, []byte("PK\x03\x04")) || bytes.HasPrefix(start, []byte{0x1F, 0x8B}):
		return fail(parsers.ErrDrift, "the file is still packed")
	case bytes.HasPrefix(start, []byte{0xD0, 0xCF, 0x11, 0xE0}):
		return fail(parsers.ErrDrift, "the file is an old Excel workbook under another name")
	}
	return nil
}

// vendorWords picks the error words out of WeChat's XML answer, as far as they are short ASCII.
func vendorWords(b []byte) string {
	var out string
	for _, tag := range []string{"error_code", "return_msg"} {
		_, rest, ok := bytes.Cut(b, []byte("<"+tag+">"))
		if !ok {
			continue
		}
		rest = bytes.TrimPrefix(rest, []byte("<![CDATA["))
		end := bytes.IndexAny(rest, "]<")
		if end > 0 && end < 64 && !hasHigh(rest[:end]) && bytes.IndexFunc(rest[:end], func(r rune) bool { return r < ' ' }) < 0 {
			out += fmt.Sprintf(", %s %q", tag, maskPAN(nil, rest[:end]))
		}
	}
	return out
}

func (p *Profile) charsetOf(f *frame, src parsers.Source) error {
	switch {
	case f.bom > 0 && (p.encoding == "auto" || p.encoding == "utf-8"):
		f.cs = utf8Text
	case p.encoding == "utf-8":
		f.cs = utf8Text
	case p.encoding == "gbk" || p.encoding == "gb18030":
		f.cs = gbText
	default:
		cs, err := detect(src.Data, src.Size)
		if err != nil {
			return fmt.Errorf("%s: %w", src.Name, err)
		}
		f.cs = cs
	}
	return nil
}

func (p *Profile) scanner(src parsers.Source, from int64) scanner {
	return scanner{file: src.Name, src: src.Data, size: src.Size, stop: src.Size, limit: p.limits.Line, base: from,
		quotes: p.delimited != nil && p.delimited.LineBreaks}
}

func (p *Profile) fixedFrame(f *frame, src parsers.Source) error {
	f.data = f.bom
	f.bound = make([]int, len(p.cols))
	captures := 0
	for i, c := range p.cols {
		if c.capture {
			f.bound[i] = -2 - captures
			captures++
			continue
		}
		f.bound[i] = len(f.names)
		f.names = append(f.names, c.name)
	}
	s := p.scanner(src, f.data)
	s.size, s.stop = min(s.size, f.data+int64(p.fixed.Record)+2), s.size
	r, err := s.next()
	if err != nil {
		return err
	}
	if len(r.data) != p.fixed.Record {
		if !r.ended && len(r.data) < p.fixed.Record {
			return &parsers.FileError{File: src.Name, Line: 1, Err: parsers.ErrTruncated,
				What: fmt.Sprintf("the first record has %d of %d bytes", len(r.data), p.fixed.Record)}
		}
		return p.drift(src, 1, fmt.Sprintf("the first record has %d bytes, want %d", len(r.data), p.fixed.Record))
	}
	if at := p.badGap(r.data); at >= 0 {
		return p.drift(src, 1, fmt.Sprintf("byte %d should be the separator %q", at+1, p.fixed.Separator))
	}
	return nil
}

// badGap is the first position outside the columns that does not hold the separator, or -1.
func (p *Profile) badGap(b []byte) int {
	for _, i := range p.gaps {
		if b[i] != p.fixed.Separator[0] {
			return i
		}
	}
	return -1
}

// findHeader reads preamble lines until one holds all columns that make the header.
func (p *Profile) findHeader(f *frame, src parsers.Source) error {
	s := p.scanner(src, f.bom)
	s.block = nearby
	dec := newGBDecoder()
	var best struct {
		line, hits int
		names      []string
	}
	for tries := 0; tries < p.limits.Preamble; {
		r, err := s.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if p.blank(r.data) {
			continue
		}
		tries++
		text, ok := string(r.data), true
		if f.cs == gbText {
			var b []byte
			b, ok = dec.appendTo(nil, r.data)
			text = string(b)
		}
		if !ok || p.preambleLine(f, text, r.line) {
			continue
		}
		names, err := p.headerCells([]byte(text))
		if err != nil {
			continue
		}
		keys := make([]string, len(names))
		for i, n := range names {
			keys[i] = normalise(n)
		}
		hits := 0
		for _, h := range p.header {
			if find(keys, p.cols[h].keys) >= 0 {
				hits++
			}
		}
		if hits == len(p.header) {
			f.data, f.lines, f.names = s.offset(), s.line, names
			return p.bind(f, src, keys, r.line)
		}
		if hits > best.hits {
			best.line, best.hits, best.names = r.line, hits, names
		}
	}
	if best.hits*2 >= len(p.header) {
		return p.drift(src, best.line, p.missing(best.names))
	}
	return p.drift(src, 0, fmt.Sprintf("no header with the columns %s in the first lines", strings.Join(p.wanted(), ", ")))
}

func (p *Profile) preambleLine(f *frame, text string, line int) bool {
	folded := fold(text)
	if st, ok := p.stated(folded, line); ok {
		f.frames = append(f.frames, st)
		return true
	}
	for _, t := range p.preamble {
		if t.match(folded, func(k, v string) { f.captures[k] = v }) {
			return true
		}
	}
	return p.delimited.Comment != "" && strings.HasPrefix(text, p.delimited.Comment)
}

// headerCells cuts a header line and cleans its names.
func (p *Profile) headerCells(line []byte) ([]string, error) {
	var cells []span
	if p.quoted {
		var err error
		if line, cells, _, err = splitQuoted(line, p.sep, nil, nil); err != nil {
			return nil, err
		}
	} else {
		cells = splitPlain(line, p.sep, nil)
	}
	if len(cells) > p.limits.Fields {
		return nil, errManyCells
	}
	names := make([]string, len(cells))
	for i, c := range cells {
		names[i] = strings.Trim(string(line[c.from:c.to]), " \t`\"'\r\uFEFF\u00A0")
	}
	return names, nil
}

// bind finds each column's cell.
func (p *Profile) bind(f *frame, src parsers.Source, keys []string, line int) error {
	for i, k := range keys {
		if k != "" && slices.Index(keys, k) != i {
			return p.drift(src, line, fmt.Sprintf("two columns are named %s", f.names[i]))
		}
		if slices.Contains(p.without, k) {
			return p.drift(src, line, fmt.Sprintf("column %s belongs to another layout", f.names[i]))
		}
	}
	f.bound = make([]int, len(p.cols))
	known := make([]bool, len(keys))
	captures, complete := 0, true
	for i, c := range p.cols {
		if c.capture {
			f.bound[i] = -2 - captures
			captures++
			continue
		}
		at := find(keys, c.keys)
		f.bound[i] = at
		if at >= 0 {
			known[at] = true
		} else if !c.optional {
			complete = false
		}
	}
	if !complete {
		return p.drift(src, line, p.missing(f.names))
	}
	for i, k := range known {
		if !k && keys[i] != "" {
			f.unknown = append(f.unknown, f.names[i])
		}
	}
	return nil
}

// find is the index of the first of the wanted keys that is there.
func find(keys, wanted []string) int {
	for _, w := range wanted {
		if i := slices.Index(keys, w); i >= 0 {
			return i
		}
	}
	return -1
}

func (p *Profile) wanted() []string {
	var names []string
	for _, h := range p.header {
		names = append(names, p.cols[h].name)
	}
	return names
}

// missing says which required columns a header lacks and which it has.
func (p *Profile) missing(names []string) string {
	keys := make([]string, len(names))
	for i, n := range names {
		keys[i] = normalise(n)
	}
	var lacks []string
	for _, c := range p.cols {
		if !c.capture && !c.optional && find(keys, c.keys) < 0 {
			lacks = append(lacks, c.name)
		}
	}
	return fmt.Sprintf("missing column %s; the file has %s", strings.Join(lacks, ", "), clip(string(maskPAN(nil, []byte(strings.Join(names, ", ")))), 600))
}

func (p *Profile) drift(src parsers.Source, line int, what string) error {
	return &parsers.FileError{File: src.Name, Line: line, Err: parsers.ErrDrift, What: what + " (format " + p.info.Name + ")"}
}

// blank reports lines without content: only blanks, TABs, separators, or the end-of-file mark of old systems.
func (p *Profile) blank(line []byte) bool {
	for _, c := range line {
		if c != ' ' && c != '\t' && c != '\r' && c != 0x1A && (c != p.sep || p.fixed != nil) {
			return false
		}
	}
	return true
}
