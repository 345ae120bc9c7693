package join

// Rows lie in pages, by space, side and partition. A page belongs to one writer. Pages are cut from large pieces of memory
// without pointers, so that a hundred million rows are a few hundred objects to the garbage collector.

// pageWords is the size of a page: 8 KiB.
const pageWords = 1024

const pageBytes = pageWords * 8

// lane is what a writer has of one space and side, by partition.
type lane struct {
	pages   [][][]uint64 // in memory; the last one of a partition is open
	spilled [][]int64    // where pages lie in the writer's file
}

// room is where the next row of a partition goes.
func (w *Writer) room(s Space, side Side, hash uint64, stride int) []uint64 {
	l := &w.lanes[s][side]
	if l.pages == nil {
		l.pages, l.spilled = make([][][]uint64, w.e.parts), make([][]int64, w.e.parts)
	}
	p := 0
	if w.e.parts > 1 {
		p = int(hash >> w.e.shift)
	}
	pages := l.pages[p]
	n := len(pages) - 1
	if n < 0 || len(pages[n])+stride > cap(pages[n]) {
		return w.turn(l, p, stride)
	}
	at := len(pages[n])
	pages[n] = pages[n][:at+stride]
	return pages[n][at:]
}

// turn begins a new page of the partition. Beyond the limit the full ones of some partitions leave memory first.
func (w *Writer) turn(l *lane, part, stride int) []uint64 {
	if part >= w.spill.from {
		w.evict(l, part)
	} else if w.e.limit > 0 && w.pages.bytes >= w.e.limit {
		w.evictMore()
	}
	page := w.pages.get()[:stride]
	l.pages[part] = append(l.pages[part], page)
	return page
}

// evict writes the pages of a partition to the file.
func (w *Writer) evict(l *lane, part int) {
	for _, p := range l.pages[part] {
		l.spilled[part] = append(l.spilled[part], w.spill.write(p, w.e.open))
		w.pages.put(p)
	}
	l.pages[part] = l.pages[part][:0]
}

// evictMore sends the highest partitions that are still in memory to the file: an eighth of all, so that it happens
// seldom. The lowest stays, for a writer must have one page of each at least.
func (w *Writer) evictMore() {
	from := max(w.spill.from-max(w.e.parts/8, 1), 0)
	for space := range w.lanes {
		for side := range w.lanes[space] {
			l := &w.lanes[space][side]
			if l.pages == nil {
				continue
			}
			for part := from; part < w.spill.from; part++ {
				w.evict(l, part)
			}
		}
	}
	w.spill.from = from
}

// pages hands out pages and takes them back.
type pages struct {
	free  [][]uint64
	slab  []uint64
	size  int   // of the last slab, in words
	bytes int64 // handed out and not taken back
}

// Slabs grow from the first to the largest size, in words: 128 KiB to 16 MiB.
const (
	firstSlab = 16 * pageWords
	maxSlab   = 2048 * pageWords
)

func (p *pages) get() []uint64 {
	p.bytes += pageBytes
	if n := len(p.free); n > 0 {
		page := p.free[n-1]
		p.free = p.free[:n-1]
		return page
	}
	if len(p.slab) < pageWords {
		p.size = min(max(p.size*2, firstSlab), maxSlab)
		p.slab = make([]uint64, p.size)
	}
	page := p.slab[:0:pageWords]
	p.slab = p.slab[pageWords:]
	return page
}

func (p *pages) put(page []uint64) {
	p.bytes -= pageBytes
	p.free = append(p.free, page[:0])
}
