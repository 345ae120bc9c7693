package profile

import (
	"bytes"
	"io"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

// Claim tells whether the head of a file shows this layout.
func (p *Profile) Claim(h parsers.Head) error {
	src := parsers.Source{Name: h.Name, Data: bytes.NewReader(h.Bytes), Size: int64(len(h.Bytes))}
	_, err := p.readFrame(src)
	return err
}

// Split cuts the data part of a file into at most n ranges on record borders. One range is made where records may
// hold line breaks, and where the trailer is not at the end of the file: then it is missing, or somewhere among the
// records, and one reader tells best.
func (p *Profile) Split(src parsers.Source, n int) ([]parsers.Range, error) {
	r, err := p.open(src, 0)
	if err != nil {
		return nil, err
	}
	end := src.Size
	if !r.scan.quotes {
		if end, err = r.dataEnd(); err != nil {
			return nil, err
		}
	}
	if r.scan.quotes || n < 1 || p.required > 0 && end == src.Size {
		n = 1
	}
	var out []parsers.Range
	from := r.f.data
	for i := 1; i <= n && from < end; i++ {
		to := end
		if i < n {
			s := p.scanner(src, r.f.data+(end-r.f.data)/int64(n)*int64(i))
			s.block = nearby
			if _, err := s.next(); err == nil || err == io.EOF { // else the range's reader will say what is wrong
				to = min(s.offset(), end)
			}
		}
		if to > from {
			out = append(out, parsers.Range{Start: from, End: to})
			from = to
		}
	}
	return out, nil
}

// OpenRange reads the records that begin in the range.
func (p *Profile) OpenRange(src parsers.Source, want txn.Fields, rg parsers.Range) (parsers.Reader, error) {
	rs, err := p.OpenRanges(src, want, []parsers.Range{rg})
	if err != nil {
		return nil, err
	}
	return rs[0], nil
}

// OpenRanges opens several ranges of one file. A reader takes memory for its block when it is first asked and gives
// it back at its end.
func (p *Profile) OpenRanges(src parsers.Source, want txn.Fields, ranges []parsers.Range) ([]parsers.Reader, error) {
	f, err := p.readFrame(src)
	if err != nil {
		return nil, err
	}
	out := make([]parsers.Reader, len(ranges))
	for i, rg := range ranges {
		r, err := p.reader(src, want, f)
		if err != nil {
			return nil, err
		}
		r.partial, r.part = true, true
		r.books = books{r: r, on: r.books.on} // what the file's head states is for Join
		r.from = max(rg.Start, f.data)
		r.scan.reset(r.from)
		r.scan.stop = min(rg.End, src.Size)
		out[i] = r
	}
	return out, nil
}
