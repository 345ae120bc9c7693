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

// Split cuts the data part of a file into at most n ranges on record borders. Records that may hold line breaks
// make one range.
func (p *Profile) Split(src parsers.Source, n int) ([]parsers.Range, error) {
	r, err := p.open(src, 0)
	if err != nil {
		return nil, err
	}
	end, err := r.dataEnd()
	if err != nil {
		return nil, err
	}
	if r.scan.quotes || n < 1 {
		n = 1
	}
	var out []parsers.Range
	from := r.f.data
	for i := 1; i <= n && from < end; i++ {
		to := end
		if i < n {
			s := p.scanner(src, r.f.data+(end-r.f.data)/int64(n)*int64(i))
			if _, err := s.next(); err != nil && err != io.EOF {
				return nil, err
			}
			to = min(s.offset(), end)
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
	r, err := p.open(src, want)
	if err != nil {
		return nil, err
	}
	r.partial = true
	r.scan.reset(max(rg.Start, r.f.data))
	r.scan.stop = min(rg.End, src.Size)
	return r, nil
}
