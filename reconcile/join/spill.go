package join

import (
	"encoding/binary"
	"fmt"
	"io"
)

// File is where rows lie that do not fit into memory. Whoever opens it sees to it that nothing is left of it when the
// process ends, however it does.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

// spill is one writer's file of pages that did not fit into memory. A page lies as its number of words, then the words, little endian.
type spill struct {
	from int // partitions from here on are not kept in memory
	file File
	buf  []byte
	at   int64 // where buf begins in the file
	err  error // the first one; what is written after it is lost, and Run says so
}

// spillBuffer is how much is written at once.
const spillBuffer = 256 << 10

// write appends a page and returns where it lies.
func (s *spill) write(page []uint64, open func() (File, error)) int64 {
	if s.file == nil && s.err == nil {
		if s.file, s.err = open(); s.err != nil {
			s.file, s.err = nil, fmt.Errorf("a file for rows beyond the memory limit: %w", s.err)
		}
		s.buf = make([]byte, 0, spillBuffer)
	}
	if s.err != nil {
		return 0
	}
	if len(s.buf)+8+8*len(page) > spillBuffer {
		s.err = firstError(s.err, s.flush())
	}
	at := s.at + int64(len(s.buf))
	s.buf = binary.LittleEndian.AppendUint64(s.buf, uint64(len(page)))
	for _, w := range page {
		s.buf = binary.LittleEndian.AppendUint64(s.buf, w)
	}
	return at
}

// flush writes what is buffered. It returns the first error of all writes.
func (s *spill) flush() error {
	if s.err != nil || len(s.buf) == 0 {
		return s.err
	}
	n, err := s.file.WriteAt(s.buf, s.at)
	if err != nil {
		s.err = fmt.Errorf("rows beyond the memory limit, %d MB written: %w; give room to temporary files, or a higher limit",
			(s.at+int64(n))>>20, err)
	}
	s.at += int64(len(s.buf))
	s.buf = s.buf[:0]
	return s.err
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// read appends the page at an offset. Several goroutines may read once all is flushed.
func (s *spill) read(to []uint64, at int64) ([]uint64, error) {
	var block [8 + pageBytes]byte
	n, err := s.file.ReadAt(block[:], at)
	if n < 8 {
		return to, fmt.Errorf("reading rows beyond the memory limit: %w", err)
	}
	words := int(binary.LittleEndian.Uint64(block[:]))
	if words > pageWords || n < 8+8*words {
		return to, fmt.Errorf("rows beyond the memory limit are damaged at byte %d: %d words, %d bytes read", at, words, n)
	}
	for i := range words {
		to = append(to, binary.LittleEndian.Uint64(block[8+8*i:]))
	}
	return to, nil
}

func (s *spill) close() error {
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	return f.Close()
}
