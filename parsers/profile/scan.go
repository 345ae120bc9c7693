package profile

import (
	"bytes"
	"fmt"
	"io"
	"math"

	"daozhang/parsers"
)

const blockSize = 256 << 10

// nearby is enough ahead where only a few lines are looked at.
const nearby = 8 << 10

// Around what the scanner has read there is room, so that words of eight bytes can be loaded at both ends of any cell.
const (
	lead  = 16
	slack = window
)

// scanner cuts a source into records: lines, or with quotes that may hold line breaks, groups of lines.
type scanner struct {
	file   string
	src    io.ReaderAt
	size   int64
	stop   int64 // no record begins at or after this offset
	limit  int   // longest record
	block  int   // bytes to read ahead of a record; 0: blockSize
	quotes bool  // an odd number of quotes continues on the next line

	buf  []byte
	pos  int   // unread is buf[pos:end]
	end  int   //
	base int64 // offset of buf[0]
	line int   // lines consumed

	sparse               bool // the records wanted lie far apart
	quotesSeen, plusSeen seen
}

// seen remembers where a rare byte comes next, so that the buffer is looked through once and not once a record.
type seen struct {
	at    int64 // offset of the first one behind where the search began
	until int64 // offset at which the search ended
}

// in reports whether byte c is among the next n unread bytes.
func (f *seen) in(s *scanner, c byte, n int) bool {
	from := s.offset()
	if from+int64(n) > f.until || from > f.at {
		f.until, f.at = s.base+int64(s.end), math.MaxInt64
		if i := bytes.IndexByte(s.buf[s.pos:s.end], c); i >= 0 {
			f.at = from + int64(i)
		}
	}
	return f.at < from+int64(n)
}

// record is one raw record without its line end. The bytes are valid until the next call.
type record struct {
	data  []byte
	off   int64
	line  int  // 1-based line on which it begins, counted from where the scanner began
	ended bool // by a line break, not by the end of the file
}

func (s *scanner) reset(off int64) {
	s.pos, s.end, s.base, s.line = 0, 0, off, 0
	s.quotesSeen, s.plusSeen = seen{}, seen{}
}

// seek makes the record at an offset the next one. What has been read stays of use, and where records lie far apart little is
// read for each: rows that are looked at again are few and ascend.
func (s *scanner) seek(off int64) {
	at := off - s.base
	if s.buf != nil && at >= lead && at < int64(s.end) {
		if int(at) < s.pos {
			s.quotesSeen, s.plusSeen = seen{}, seen{} // they know what comes, not what was
		}
		s.pos, s.line = int(at), 0
		return
	}
	s.sparse = s.buf == nil || at < lead || at > int64(s.end)+blockSize
	s.reset(off)
}

// sparseRead is how much is read for a record that lies alone.
const sparseRead = 8 << 10

// release gives the block back; the scanner can go on.
func (s *scanner) release() { s.buf, s.base, s.pos, s.end = nil, s.offset(), 0, 0 }

// offset is where the next record begins.
func (s *scanner) offset() int64 { return s.base + int64(s.pos) }

// next returns io.EOF behind the last record.
func (s *scanner) next() (record, error) {
	off := s.offset()
	if off >= s.stop || off >= s.size {
		return record{}, io.EOF
	}
	r := record{off: off, line: s.line + 1}
	odd := false
	for from := 0; ; {
		n := bytes.IndexByte(s.buf[s.pos+from:s.end], '\n')
		if n < 0 {
			grew, err := s.fill(r.line)
			if err != nil {
				return record{}, err
			}
			if grew {
				continue
			}
			if s.end-s.pos > s.limit {
				return record{}, s.tooLong(r.line)
			}
			r.data = s.buf[s.pos:s.end]
			s.pos = s.end
			s.line++
			return r, nil
		}
		s.line++
		stop := s.pos + from + n
		if s.quotes && bytes.Count(s.buf[s.pos+from:stop], quoteByte)%2 == 1 {
			odd = !odd
		}
		if odd {
			from += n + 1
			if from > s.limit {
				return record{}, s.tooLong(r.line)
			}
			continue
		}
		r.data, r.ended = s.buf[s.pos:stop], true
		if k := len(r.data); k > 0 && r.data[k-1] == '\r' {
			r.data = r.data[:k-1]
		}
		s.pos = stop + 1
		if len(r.data) > s.limit {
			return record{}, s.tooLong(r.line)
		}
		return r, nil
	}
}

var quoteByte = []byte{'"'}

// fill reads more behind the unread bytes; false at the end of the file.
func (s *scanner) fill(line int) (bool, error) {
	if s.base+int64(s.end) >= s.size {
		return false, nil
	}
	if s.end-s.pos > s.limit+1 {
		return false, s.tooLong(line)
	}
	if s.buf == nil {
		block := s.block
		if block == 0 {
			block = blockSize
		}
		s.buf = make([]byte, lead+min(int64(block+s.limit+2), s.size)+slack)
	}
	copy(s.buf[lead:], s.buf[s.pos:s.end])
	s.base += int64(s.pos - lead) // of a buffer that begins before its source, below 0
	s.end += lead - s.pos
	s.pos = lead
	want := min(int64(len(s.buf)-slack-s.end), s.size-s.base-int64(s.end))
	if s.sparse {
		want = min(want, sparseRead)
	}
	n, err := s.src.ReadAt(s.buf[s.end:s.end+int(want)], s.base+int64(s.end))
	s.end += n
	if int64(n) == want {
		return true, nil
	}
	if err == io.EOF || err == nil {
		return false, &parsers.FileError{File: s.file, Err: parsers.ErrTruncated,
			What: fmt.Sprintf("ends at byte %d of %d", s.base+int64(s.end), s.size)}
	}
	return false, fmt.Errorf("%s: %w", s.file, err)
}

func (s *scanner) tooLong(line int) error {
	return &parsers.FileError{File: s.file, Line: line, Err: parsers.ErrLimit,
		What: fmt.Sprintf("a record is longer than %d bytes", s.limit)}
}
