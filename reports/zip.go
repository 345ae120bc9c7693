package reports

import (
	"archive/zip"
	"compress/flate"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// zipLevel is the fastest: a workbook is made every night and seldom kept for its size.
const zipLevel = flate.BestSpeed

// sortedZip is the archive writer that makes workbooks reproducible: the library hands over its parts in map order,
// so each part is compressed as it comes, kept, and written on Close in the order of names, with one fixed time.
type sortedZip struct {
	to    io.Writer
	at    time.Time
	parts []*zipPart
	open  *zipPart
}

type zipPart struct {
	name string
	data pieces // compressed
	crc  hash.Hash32
	size uint64
	z    *flate.Writer
}

// pieces holds bytes in blocks of one size, since a single growing buffer is copied, and its memory doubled, each time
// it is full.
type pieces [][]byte

const pieceSize = 256 << 10

// Write appends a copy of b.
func (p *pieces) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		last := len(*p) - 1
		if last < 0 || len((*p)[last]) == pieceSize {
			*p = append(*p, make([]byte, 0, pieceSize))
			last++
		}
		room := min(pieceSize-len((*p)[last]), len(b))
		(*p)[last] = append((*p)[last], b[:room]...)
		b = b[room:]
	}
	return n, nil
}

func (p pieces) size() (n uint64) {
	for _, b := range p {
		n += uint64(len(b))
	}
	return n
}

// Write compresses one more piece of the part.
func (p *zipPart) Write(b []byte) (int, error) {
	p.crc.Write(b) // never fails
	p.size += uint64(len(b))
	return p.z.Write(b)
}

// Create begins a part; the one before it is complete.
func (s *sortedZip) Create(name string) (io.Writer, error) {
	if err := s.finish(); err != nil {
		return nil, err
	}
	p := &zipPart{name: name, crc: crc32.NewIEEE()}
	var err error
	if p.z, err = flate.NewWriter(&p.data, zipLevel); err != nil {
		return nil, err
	}
	s.parts, s.open = append(s.parts, p), p
	return p, nil
}

func (s *sortedZip) finish() error {
	if s.open == nil {
		return nil
	}
	err := s.open.z.Close()
	s.open.z, s.open = nil, nil
	return err
}

// AddFS is not part of writing a workbook.
func (s *sortedZip) AddFS(fs.FS) error { return errors.ErrUnsupported }

// Close writes the archive.
func (s *sortedZip) Close() error {
	if err := s.finish(); err != nil {
		return err
	}
	slices.SortFunc(s.parts, func(a, b *zipPart) int { return strings.Compare(a.name, b.name) })
	out := zip.NewWriter(s.to)
	for i, p := range s.parts {
		if i > 0 && s.parts[i-1].name == p.name {
			return fmt.Errorf("workbook part %s is written twice", p.name)
		}
		w, err := out.CreateRaw(&zip.FileHeader{Name: p.name, Method: zip.Deflate, Modified: s.at,
			CRC32: p.crc.Sum32(), CompressedSize64: p.data.size(), UncompressedSize64: p.size})
		if err != nil {
			return err
		}
		for _, piece := range p.data {
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
	}
	return out.Close()
}
