package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

// Rows that were read before and must be read again, few among many, by where they stand.

// rowsAtOnce is how many rows one goroutine reads again at a stretch.
const rowsAtOnce = 512

// recall is what to read again of one file.
type recall struct {
	file  *File
	at    []txn.Position // ascending, all of the file
	want  txn.Fields
	lines bool // the lines on which the rows stand are wanted
	ahead int  // goroutines; 1: none beside the caller
}

// stretch is a run of rows that have been read again.
type stretch struct {
	rows  []txn.Row
	lines []int
	texts []byte
	err   error
}

// each hands the rows over in order, each with its number in the list and its line. The row is valid until take returns.
func (c *recall) each(ctx context.Context, take func(n int, r *txn.Row, line int) error) error {
	runs := (len(c.at) + rowsAtOnce - 1) / rowsAtOnce
	if runs == 0 {
		return nil
	}
	r, err := c.file.open(c.want)
	if err != nil {
		return fmt.Errorf("reading %s again: %w", c.file.Name(), err)
	}
	_, seeks := r.(parsers.Seeker)
	if c.ahead < 2 || runs < 2 || !seeks || c.lines && len(c.file.marks) == 0 {
		var row txn.Row
		a := &again{recall: c, r: r}
		for n := range c.at {
			line, err := a.next(n, &row)
			if err == nil {
				err = take(n, &row, line)
			}
			if err != nil {
				return err
			}
		}
		return ctx.Err()
	}
	return c.sideBySide(ctx, runs, take)
}

// sideBySide reads runs of rows by several goroutines, a few runs ahead of what has been taken.
func (c *recall) sideBySide(ctx context.Context, runs int, take func(n int, r *txn.Row, line int) error) error {
	ctx, stop := context.WithCancel(ctx)
	ready := make([]chan *stretch, runs)
	for i := range ready {
		ready[i] = make(chan *stretch, 1)
	}
	free := make(chan *stretch, 2*c.ahead)
	for range cap(free) {
		free <- &stretch{rows: make([]txn.Row, rowsAtOnce), lines: make([]int, rowsAtOnce)}
	}
	var next sync.Mutex
	at := 0
	claim := func() (run int, s *stretch) { // together, so that the run that is waited for always has its memory
		next.Lock()
		defer next.Unlock()
		if at >= runs {
			return 0, nil
		}
		select {
		case s := <-free:
			at++
			return at - 1, s
		case <-ctx.Done():
			return 0, nil
		}
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	for range min(c.ahead, runs) {
		wg.Go(func() {
			r, err := c.file.open(c.want)
			a := &again{recall: c, r: r}
			for {
				run, s := claim()
				if s == nil {
					return
				}
				if s.err = err; err == nil {
					a.read(run, s)
				}
				ready[run] <- s
			}
		})
	}
	for run := range ready {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case s := <-ready[run]:
			if s.err != nil {
				return s.err
			}
			from := run * rowsAtOnce
			for i := range min(rowsAtOnce, len(c.at)-from) {
				if err := take(from+i, &s.rows[i], s.lines[i]); err != nil {
					return err
				}
			}
			free <- s
		}
	}
	return nil
}

// again is one goroutine's hold on the file.
type again struct {
	*recall
	r     parsers.Reader
	bytes []byte // between a mark and a row
}

func (c *again) read(run int, s *stretch) {
	from := run * rowsAtOnce
	var row txn.Row
	s.texts = s.texts[:0]
	for i := range min(rowsAtOnce, len(c.at)-from) {
		if i > 0 {
			s.lines[i], s.err = c.next(from+i, &row)
		} else { // the run before is another goroutine's
			s.lines[i], s.err = c.seek(from, &row)
		}
		if s.err != nil {
			return
		}
		s.texts = row.CopyTo(&s.rows[i], s.texts)
	}
}

// next reads the n-th row behind the one before it.
func (c *again) next(n int, row *txn.Row) (line int, err error) {
	p := c.at[n]
	if n > 0 && p.Offset == c.at[n-1].Offset && p.Entry >= row.Pos.Entry {
		return c.take(p, row)
	}
	return c.seek(n, row)
}

func (c *again) seek(n int, row *txn.Row) (line int, err error) {
	if s, ok := c.r.(parsers.Seeker); ok {
		if err := s.SeekRecord(c.at[n].Offset); err != nil {
			return 0, fmt.Errorf("reading %s again: %w", c.file.Name(), err)
		}
	}
	return c.take(c.at[n], row)
}

func (c *again) take(p txn.Position, row *txn.Row) (line int, err error) {
	if err := nextAt(c.r, row, p); err != nil {
		return 0, fmt.Errorf("reading %s again at byte %d: %w", c.file.Name(), p.Offset, err)
	}
	if c.lines {
		line, err = c.line(p.Offset)
	}
	return line, err
}

// markReach is the longest stretch that is read to count the lines behind a mark.
const markReach = 64 << 10

// line is the line on which the record at an offset begins.
func (c *again) line(offset int64) (int, error) {
	f := c.file
	n, found := slices.BinarySearchFunc(f.marks, offset, func(m mark, at int64) int { return cmp.Compare(m.offset, at) })
	if found {
		return f.marks[n].line, nil
	}
	if n == 0 || offset-f.marks[n-1].offset > markReach {
		line, _, err := c.r.Locate(offset)
		if err != nil {
			err = fmt.Errorf("%s: %w", f.Name(), err)
		}
		return line, err
	}
	m := f.marks[n-1]
	c.bytes = slices.Grow(c.bytes[:0], int(offset-m.offset))[:offset-m.offset]
	if got, err := f.Data.ReadAt(c.bytes, m.offset); got < len(c.bytes) {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return 0, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return m.line + bytes.Count(c.bytes, []byte{'\n'}), nil
}
