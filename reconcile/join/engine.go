package join

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
)

// Engine holds the rows of a day and joins them. Rows go in through one [Writer] for each goroutine that parses, side by
// side; then [Engine.Run] judges them. Which writer took which row, and in which order, changes nothing.
type Engine struct {
	shift   uint // 64 less the bits of a partition's number
	parts   int
	limit   int64 // bytes of pages that one writer may hold; 0: no limit
	open    func() (File, error)
	writers []*Writer
}

// Limit bounds the pages of rows to about so many bytes in all. What does not fit goes to files, one for each writer that
// needs one. It must be called before the first row.
func (e *Engine) Limit(bytes int64, open func() (File, error)) {
	e.limit, e.open = max(bytes/int64(len(e.writers)), 1), open
}

// Close gives up the files of an engine. It may be called at any time, also after Run.
func (e *Engine) Close() error {
	var errs []error
	for _, w := range e.writers {
		errs = append(errs, w.spill.close())
	}
	return errors.Join(errs...)
}

// rowsPerPart is how many rows of one side a partition should hold: with its table it then stays in a core's own cache.
const rowsPerPart = 20_000

// maxParts bounds the partitions: beyond, writing to so many open pages costs more than it saves.
const maxParts = 512

// New makes an engine with so many writers for about so many rows on the larger side.
func New(writers int, expect int64) *Engine {
	e := &Engine{parts: 1, shift: 64, writers: make([]*Writer, writers)}
	for e.parts < maxParts && int64(e.parts)*rowsPerPart < expect {
		e.parts *= 2
		e.shift--
	}
	for i := range e.writers {
		e.writers[i] = &Writer{e: e, id: uint64(i), spill: spill{from: e.parts}}
	}
	return e
}

// Writer is the writer of one goroutine.
func (e *Engine) Writer(n int) *Writer { return e.writers[n] }

// Writer takes rows from one goroutine.
type Writer struct {
	e       *Engine
	id      uint64
	lanes   [Spaces][sides]lane
	pages   pages
	spill   spill
	rest    [sides][]int64 // rows without any identifier
	places  []place        // of rows with several identifiers
	digests []uint64       // of these
	loose   []uint64       // digests of rows without any identifier
}

// place is where a row with several identifiers stands.
type place struct {
	offset int64
	side   Side
}

// Add takes a row.
func (w *Writer) Add(side Side, b *Brief) {
	keys := 0
	for _, has := range [...]bool{b.Channel[0] != 0, b.Order[0] != 0, b.RRN != 0} {
		if has {
			keys++
		}
	}
	if keys == 0 {
		w.rest[side] = append(w.rest[side], b.Offset)
		if b.Digest != 0 {
			w.loose = append(w.loose, b.Digest&(maxNumber-1))
		}
		return
	}
	var flags uint64
	if b.Apart {
		flags |= flagApart
	}
	if b.Next {
		flags |= flagNext
	}
	if !b.fits() {
		flags |= flagApart
		b.Amount, b.Fee = 0, 0 // the row is read again in full
	}
	number := b.Digest & (maxNumber - 1)
	if keys > 1 {
		flags |= flagMulti
		number = uint64(len(w.places))*uint64(len(w.e.writers)) + w.id
		w.places = append(w.places, place{b.Offset, side})
		w.digests = append(w.digests, b.Digest&(maxNumber-1))
	}
	var t [tail]uint64
	b.pack(t[:], flags, number)
	if b.RRN != 0 {
		to := w.room(ByRRN, side, ShardKey([]uint64{b.RRN}), 1+tail)
		to[0], to[1], to[2], to[3] = b.RRN, t[0], t[1], t[2]
	}
	if b.Channel[0] != 0 {
		w.long(ByChannelID, side, &b.Channel, &t)
	}
	if b.Order[0] != 0 {
		w.long(ByOrder, side, &b.Order, &t)
	}
}

func (w *Writer) long(s Space, side Side, k *Long, t *[tail]uint64) {
	to := w.room(s, side, ShardKey(k[:]), LongWords+tail)
	copy(to, k[:])
	copy(to[LongWords:], t[:])
}

// Question is what a run needs beside the rows.
type Question struct {
	Facets  []Facet
	Names   []Name
	Related []uint64 // ShardKey of identifiers, in any space, that rows outside the engine carry or name
	Traces  []uint64 // digests of terminal and STAN of such rows
	Pairs   bool     // the pairs themselves are wanted; only of rows that have no identifier but an RRN
	Workers int
}

// Answer is what came of it.
type Answer struct {
	Plain [Spaces][]Sum  // by facet
	Rest  [sides][]int64 // offsets of the rows to be judged one by one, ascending
	Pairs []Pair         // in no order
}

// Run joins the rows. It may be called once. Errors are the context's and those of the files beyond the limit.
func (e *Engine) Run(ctx context.Context, q Question) (*Answer, error) {
	for _, w := range e.writers {
		if err := w.spill.flush(); err != nil {
			return nil, err
		}
	}
	w, foreign := q.world()
	workers := max(q.Workers, 1)
	outs := make([]*outcome, workers)
	for i := range outs {
		outs[i] = newOutcome(len(q.Facets))
		outs[i].wanted = q.Pairs
	}
	outs[0].touched = foreign
	e.numberMulti(w, outs[0])
	hands := make([]hand, workers)
	if w.Multi != nil {
		for space := range Spaces {
			for side := range sides {
				err := e.each(ctx, workers, func(n, part int) (err error) {
					h := &hands[n]
					if h.left, err = e.gather(h.left[:0], space, side, part); err == nil {
						sweepShard(w, space, h.left, outs[n], &h.scratch)
					}
					return err
				})
				if err != nil {
					return nil, err
				}
			}
		}
	}
	for space := range Spaces {
		err := e.each(ctx, workers, func(n, part int) (err error) {
			h := &hands[n]
			if h.left, err = e.gather(h.left[:0], space, Terminal, part); err != nil {
				return err
			}
			if h.right, err = e.gather(h.right[:0], space, Acquirer, part); err != nil {
				return err
			}
			matchShard(w, space, h.left, h.right, outs[n], &h.scratch)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for _, o := range outs[1:] {
		outs[0].merge(o)
	}
	settleFamilies(w, q.Names, outs[0])
	return e.answer(w, outs[0]), nil
}

// hand is one worker's memory.
type hand struct {
	left, right []uint64
	scratch     scratch
}

// each runs f for all partitions on all workers.
func (e *Engine) each(ctx context.Context, workers int, f func(worker, part int) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, workers)
	for n := range min(workers, e.parts) {
		wg.Go(func() {
			for errs[n] == nil && ctx.Err() == nil {
				part := int(next.Add(1)) - 1
				if part >= e.parts {
					return
				}
				errs[n] = f(n, part)
			}
		})
	}
	wg.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// gather lays the rows of a partition end to end.
func (e *Engine) gather(to []uint64, space Space, side Side, part int) ([]uint64, error) {
	for _, w := range e.writers {
		l := &w.lanes[space][side]
		if l.pages == nil {
			continue
		}
		for _, p := range l.pages[part] {
			to = append(to, p...)
		}
		for _, at := range l.spilled[part] {
			var err error
			if to, err = w.spill.read(to, at); err != nil {
				return to, err
			}
		}
	}
	return to, nil
}

// world is what the shards must know, and the identifiers that rows outside the engine bear or name.
func (q *Question) world() (w *world, foreign []uint64) {
	var traces []uint64
	for _, d := range q.Traces {
		traces = append(traces, d&(maxNumber-1))
	}
	foreign = append(slices.Clone(q.Related), traces...)
	related := slices.Clone(q.Related)
	for i := range q.Names {
		if n := &q.Names[i]; n.RRN != 0 {
			related = append(related, n.hash())
		} else {
			traces = append(traces, n.hash())
		}
	}
	return &world{Facets: q.Facets, Related: newFilter(related), Traces: newFilter(traces)}, foreign
}

// numberMulti makes the states of the rows with several identifiers, and notes what rows without any may be named by.
func (e *Engine) numberMulti(w *world, out *outcome) {
	most := 0
	for _, x := range e.writers {
		most = max(most, len(x.places))
		for _, d := range x.loose {
			out.touch(w, nil, d)
		}
	}
	if most == 0 {
		return
	}
	w.Multi = make([]byte, most*len(e.writers))
	if w.Traces.bits == nil {
		return
	}
	for _, x := range e.writers {
		for i, d := range x.digests {
			if d != 0 && w.Traces.has(d) {
				w.Multi[i*len(e.writers)+int(x.id)] = multiApart
				out.touched = append(out.touched, d)
			}
		}
	}
}

// answer adds the rows that no space has settled or handed back.
func (e *Engine) answer(w *world, o *outcome) *Answer {
	a := &Answer{Plain: o.Plain, Rest: o.Rest, Pairs: o.Pairs}
	for _, x := range e.writers {
		for side := range sides {
			a.Rest[side] = append(a.Rest[side], x.rest[side]...)
		}
		for i, p := range x.places {
			if w.Multi[i*len(e.writers)+int(x.id)]&multiDone == 0 {
				a.Rest[p.side] = append(a.Rest[p.side], p.offset)
			}
		}
	}
	for side := range a.Rest {
		slices.Sort(a.Rest[side])
		a.Rest[side] = slices.Compact(a.Rest[side]) // several rows of one record stand at one offset
	}
	return a
}
