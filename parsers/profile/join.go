package profile

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

// Join tells what one reader of the whole file would have told.
func (p *Profile) Join(src parsers.Source, parts []parsers.Reader) (parsers.Tail, error) {
	var tail parsers.Tail
	r, err := p.open(src, 0)
	if err != nil {
		return tail, err
	}
	at, line := r.f.data, r.f.lines
	for i, x := range parts {
		part, ok := x.(*Reader)
		switch {
		case !ok || part.p != p || !part.part:
			return tail, fmt.Errorf("%s: part %d is not a range of this format", src.Name, i+1)
		case part.from != at:
			return tail, fmt.Errorf("%s: part %d begins at offset %d, the part before it ends at %d", src.Name, i+1, part.from, at)
		case part.done == nil:
			return tail, fmt.Errorf("%s: part %d has not been read to its end", src.Name, i+1)
		}
		tail.Starts = append(tail.Starts, parsers.Start{Lines: line, Records: int(r.counts.rows)})
		if err := r.follow(part, line); err != nil {
			return tail, err
		}
		at, line = part.scan.stop, line+part.scan.line
	}
	r.scan.reset(at)
	r.scan.line = line
	var row txn.Row
	err = r.Next(&row)
	var pe *parsers.ParseError
	switch {
	case err == io.EOF:
		tail.Totals, tail.Controls, tail.Statements = r.Totals(), r.Controls(), r.Statements()
		return tail, nil
	case err == nil || errors.As(err, &pe):
		return tail, fmt.Errorf("%s: records behind the last part, which ends at offset %d: give all ranges of one Split", src.Name, at)
	}
	return tail, err
}

// follow takes over what the next part has seen. The part counts its lines from the given one.
func (r *Reader) follow(part *Reader, line int) error {
	if r.trail.table >= 0 && part.scan.line > 0 {
		return &parsers.FileError{File: r.src.Name, Line: line, Err: parsers.ErrWhole,
			What: "a border lies in the middle of the trailer; open it as one"}
	}
	if r.trail.begun && part.first > 0 {
		return r.behindTrailer(line + part.first)
	}
	if part.done != io.EOF {
		var fe *parsers.FileError
		if errors.As(part.done, &fe) && fe.Line > 0 {
			placed := *fe
			placed.Line += line
			return &placed
		}
		return part.done
	}
	t := &part.trail
	for k, v := range t.captures {
		r.trail.keep(k, v)
	}
	for i, seen := range t.seen {
		r.trail.seen[i] = r.trail.seen[i] || seen
	}
	r.trail.begun, r.trail.table, r.trail.names = r.trail.begun || t.begun, t.table, t.names
	r.counts.follow(&part.counts)
	r.books.follow(&part.books)
	return nil
}

func (c *counters) follow(d *counters) {
	c.rows += d.rows
	c.rejected += d.rejected
	c.unknown += d.unknown
	for i, n := range d.kinds {
		c.kinds[i] += n
	}
	for i, n := range d.sums {
		c.sums[i] += n
	}
	for _, t := range d.totals {
		i := slices.IndexFunc(c.totals, func(u parsers.Total) bool { return u.Kind == t.Kind && u.Currency == t.Currency })
		if i < 0 {
			c.totals = append(c.totals, t)
			continue
		}
		u := &c.totals[i]
		u.Rows += t.Rows
		u.Amount += t.Amount
		u.Fee += t.Fee
		u.Net += t.Net
	}
}

// follow takes over what the lines of the next part say.
func (b *books) follow(d *books) {
	if d.stated {
		b.from, b.to, b.stated = d.from, d.to, true
	}
	for _, a := range d.accounts {
		b.account([]byte(a.name), a.currency).follow(a)
	}
}

func (a *account) follow(d *account) {
	if d.statedOpening {
		a.opening, a.statedOpening = d.opening, true
	}
	if d.statedClose {
		a.closing, a.statedClose = d.closing, true
	}
	a.lines += d.lines
	a.credits += d.credits
	a.debits += d.debits
	if d.first != 0 && (a.first == 0 || d.first < a.first) {
		a.first = d.first
	}
	a.last = max(a.last, d.last)
	switch {
	case d.balances == 0:
		return
	case a.balances == 0:
		a.firstAmount, a.firstBalance, a.firstOffset = d.firstAmount, d.firstBalance, d.firstOffset
	default:
		a.up.check(a.prevBalance+d.firstAmount, d.firstBalance, d.firstOffset)
		a.down.check(a.prevBalance-a.prevAmount, d.firstBalance, d.firstOffset)
	}
	a.up.follow(d.up)
	a.down.follow(d.down)
	a.balances += d.balances
	a.prevAmount, a.prevBalance = d.prevAmount, d.prevBalance
}

func (c *chain) follow(d chain) {
	if c.breaks == 0 {
		c.offset, c.want, c.is = d.offset, d.want, d.is
	}
	c.breaks += d.breaks
}
