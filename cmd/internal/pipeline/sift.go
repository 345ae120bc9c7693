package pipeline

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"daozhang/parsers"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reconcile/join"
)

// The files of terminal logs and of acquirers are read by all cores into a sieve, which settles the pairs about which there
// is nothing to say. What stays in it, the few rows that somebody may have to look at, is read again one by one.

// sift is one file on its way through the sieve.
type sift struct {
	number int // of the slot in the core
	file   *File
	base   int64            // where it begins in the files of its side laid end to end
	parts  []parsers.Reader // which together are the file
	got    []parsed         // of each part
}

// partBytes is about how much of a file one goroutine reads at a stretch. It depends on nothing but the file, for a file that
// ends in the middle is told by how far it was read.
const partBytes = 16 << 20

// parsed is what reading a file, or a part of it, showed beside its rows.
type parsed struct {
	rows, rejected int64
	errors         []*parsers.ParseError
	raw            [][]byte
	fatal          error
	marks          []mark
}

// mark says on which line the record at an offset begins. There is one for every few rows, so that the line of any can be
// told without reading the file from its start.
type mark struct {
	offset int64
	line   int
}

const rowsBetweenMarks = 64

// maxRawKept is how many rejected records of one file are kept for the core to search.
const maxRawKept = 1000

// sifter is the sieve of a day with the files that go through it.
type sifter struct {
	*reconcile.Sieve
	todo  []*sift
	parts []partOf
	big   bool
	slots map[int][]*sift // by index of the slot
}

// holds reports whether the slot's files went through the sieve.
func (z *sifter) holds(slot int) bool { return z != nil && z.slots[slot] != nil }

// sieve reads the files of the slots that may go through a sieve, side by side; nil where there are none.
func (l *loader) sieve(ctx context.Context, slots []Slot, numbers []int) (*sifter, error) {
	if l.workers == 0 {
		return nil, nil
	}
	z := &sifter{slots: map[int][]*sift{}}
	var bytes [4]int64
	for i := range slots {
		s := &slots[i]
		list, size := plan(s, bytes[s.Side], l.part)
		if list == nil || size > join.MaxOffset { // what is too much for the sieve goes row by row
			continue
		}
		for _, x := range list {
			x.number = numbers[i]
		}
		z.todo, z.slots[i], bytes[s.Side] = append(z.todo, list...), list, size
	}
	if len(z.todo) == 0 {
		return nil, nil
	}
	for _, x := range z.todo {
		z.big = z.big || len(x.parts) > 1
		for n := range x.parts {
			z.parts = append(z.parts, partOf{x, n})
		}
	}
	z.Sieve = l.day.Sieve(reconcile.SieveOptions{Writers: l.workers, Expect: max(bytes[txn.Terminal], bytes[txn.Acquirer]) / typicalRow,
		Pairs: l.ledger != nil, Memory: l.memory, File: nameless})
	return z, z.pour(ctx, l.workers)
}

// nameless opens a file for rows beyond the memory limit. It loses its name at once, so that nothing is left of it however
// the process ends.
func nameless() (join.File, error) {
	f, err := os.CreateTemp("", "daozhang-rows-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// plan opens the files of a slot that may go through a sieve. A slot with a file that cannot be opened, or not be read
// again from the middle, goes row by row: then it is nil.
func plan(s *Slot, from, part int64) (list []*sift, end int64) {
	if !s.CanSift() || s.Former != nil {
		return nil, from
	}
	end = from
	for _, f := range s.Files {
		parts, err := f.parts(reconcile.WantedToSift(s.Side), part)
		if err != nil {
			return nil, from
		}
		if _, ok := parts[0].(parsers.Seeker); !ok {
			return nil, from
		}
		list = append(list, &sift{file: f, base: end, parts: parts, got: make([]parsed, len(parts))})
		end += f.Size
	}
	return list, end
}

// parts opens a file for several readers, or for one where it is small or of a format that cannot be split.
func (f *File) parts(want txn.Fields, part int64) ([]parsers.Reader, error) {
	s, ok := f.Format.(parsers.Splitter)
	if !ok || f.Size < 2*part {
		r, err := f.open(want)
		return []parsers.Reader{r}, err
	}
	src := f.src()
	ranges, err := s.Split(src, int(f.Size/part))
	if err != nil || len(ranges) < 2 {
		r, err := f.open(want)
		return []parsers.Reader{r}, err
	}
	return s.OpenRanges(src, want, ranges)
}

// partOf is one part of a file.
type partOf struct {
	*sift
	n int
}

// pour reads the files into the sieve, side by side.
func (z *sifter) pour(ctx context.Context, workers int) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	for n := range workers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(z.parts) {
					return
				}
				z.parts[i].read(ctx, z.Writer(n))
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// rowsBetweenLooks is how many rows are read before somebody is asked whether to go on.
const rowsBetweenLooks = 1 << 16

func (x partOf) read(ctx context.Context, w *reconcile.SieveWriter) {
	var row txn.Row
	p, reader := &x.got[x.n], x.parts[x.n]
	liner, _ := reader.(parsers.Liner)
	for n := 1; ; n++ {
		if n%rowsBetweenLooks == 0 && ctx.Err() != nil {
			return
		}
		err := reader.Next(&row)
		if err == nil {
			if p.rows%rowsBetweenMarks == 0 && liner != nil {
				p.marks = append(p.marks, mark{row.Pos.Offset, liner.Line()})
			}
			p.rows++
			w.Add(x.number, x.base+row.Pos.Offset, &row)
			continue
		}
		var bad *parsers.ParseError
		switch {
		case errors.As(err, &bad):
			p.rows++
			p.rejected++
			if len(p.raw) < maxRawKept {
				p.raw = append(p.raw, x.file.raw(bad.Offset))
			}
			if len(p.errors) < maxErrors {
				p.errors = append(p.errors, bad)
			}
			continue
		case err == io.EOF:
		default:
			p.fatal = err
		}
		return
	}
}

// register takes over what the files of a slot showed.
func (z *sifter) register(l *loader, s *Slot, slot, number int, got *seen) error {
	for _, x := range z.slots[slot] {
		tail, err := x.tail()
		if errors.Is(err, parsers.ErrWhole) {
			return errWhole
		}
		shown := 0
		for n := range x.got {
			p := &x.got[n]
			got.rows += p.rows
			got.rejected += p.rejected
			for i := range p.rejected {
				var raw []byte
				if i < int64(len(p.raw)) {
					raw = p.raw[i]
				}
				l.day.Reject(number, raw)
			}
			for _, m := range p.marks {
				if n < len(tail.Starts) {
					m.line += tail.Starts[n].Lines
				}
				x.file.marks = append(x.file.marks, m)
			}
			p.marks = nil
			for _, e := range p.errors {
				if shown++; shown <= maxErrors {
					tail.Place(n, e)
					l.errors = append(l.errors, RowError{s.Source, e})
				}
			}
		}
		got.totals = append(got.totals, tail.Totals...)
		got.controls = append(got.controls, tail.Controls...)
		got.statements = append(got.statements, tail.Statements...)
		got.fatal = errors.Join(got.fatal, err)
	}
	z.Register(number)
	z.Kinds(number, func(mid string, business, local txn.Date, kind txn.Kind, rows int64) {
		day := business
		if s.Side == txn.Terminal || day == 0 {
			day = local
		}
		if l.outside(s, day, kind) {
			got.outside += rows
		}
		if !l.known(mid, s.Acquirer, s.Date) {
			got.stranger += rows
		}
	})
	return nil
}

// errWhole says that a file must be read by one reader after all.
var errWhole = errors.New("a file cannot be read in parts")

// tail is what the file tells at its end, or the error that ended it.
func (x *sift) tail() (parsers.Tail, error) {
	if len(x.parts) == 1 {
		r := x.parts[0]
		if err := x.got[0].fatal; err != nil {
			return parsers.Tail{}, err
		}
		return parsers.Tail{Totals: r.Totals(), Controls: r.Controls(), Statements: r.Statements()}, nil
	}
	return x.file.Format.(parsers.Splitter).Join(x.file.src(), x.parts)
}

// shake joins what is in the sieve, and gives the day the rows that nothing has settled, in the order of slots, files and
// places.
func (z *sifter) shake(ctx context.Context, l *loader) error {
	if z == nil {
		return nil
	}
	shaken, err := z.Shake(ctx, l.workers)
	if err != nil {
		return err
	}
	if l.ledger != nil {
		z.tell(l.ledger, shaken.Pairs)
	}
	if z.big {
		runtime.GC() // the joined rows make room for those that are judged
	}
	l.day.Expect(int64(len(shaken.Terminal) + len(shaken.Acquirer)))
	several := shaken.Several
	for _, x := range z.todo {
		list := &shaken.Terminal
		if x.file.side == txn.Acquirer {
			list = &shaken.Acquirer
		}
		n, _ := slices.BinarySearch(*list, x.base+x.file.Size)
		at := make([]txn.Position, 0, n)
		for _, o := range (*list)[:n] {
			at = append(at, txn.Position{File: x.file.ID, Offset: o - x.base})
		}
		*list = (*list)[n:]
		for len(several) > 0 && several[0].Pos.File == x.file.ID {
			at = append(at, several[0].Pos)
			several = several[1:]
		}
		slices.SortFunc(at, txn.Position.Compare)
		c := recall{file: x.file, at: at, want: reconcile.Wanted(x.file.side), ahead: l.workers}
		err := c.each(ctx, func(_ int, r *txn.Row, _ int) error {
			z.Rest(x.number, r)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tell enters the plain pairs into the ledger.
func (z *sifter) tell(to *Ledger, pairs []join.Pair) {
	var sides [4][]*sift
	for _, x := range z.todo {
		if x.file.Size > 0 {
			sides[x.file.side] = append(sides[x.file.side], x)
		}
	}
	place := func(side txn.Side, at int64) txn.Position {
		files := sides[side]
		n, found := slices.BinarySearchFunc(files, at, func(x *sift, at int64) int { return cmp.Compare(x.base, at) })
		if !found {
			n--
		}
		return txn.Position{File: files[n].file.ID, Offset: at - files[n].base}
	}
	for i := range pairs {
		p := &pairs[i]
		to.pair(p, place(txn.Terminal, p.Left), place(txn.Acquirer, p.Right))
	}
}
