package reconcile

import (
	"cmp"
	"fmt"
	"slices"

	"daozhang/parsers/txn"
)

// T16: what was refunded of one sale, on all days within the horizon, against what was paid. A refund is one event, seen
// by the terminal, by the acquirer, or by both; the acquirer's row tells its amount.

// overRefund is what T16 says.
type overRefund struct {
	paid, sum int64 // both positive
	rows      int
	cause     string
}

// refundEvent is one refund of today or of the carry.
type refundEvent struct {
	i, tells int32 // the row that its line is written from, and the one that tells its amount
	was      int64 // what earlier days knew of it
}

// refundsOf is what is known of one sale.
type refundsOf struct {
	paid   int64
	cur    uint8
	known  []int64 // amounts that earlier days have settled
	ids    map[symbol]bool
	refund map[symbol]bool // refund ids that earlier days have settled
	events []refundEvent
}

// refunds finds the sales of which today's refunds took more than was paid.
func (d *Day) refunds() {
	events, fresh := d.refundEvents()
	if !fresh {
		return
	}
	sales := map[int32]*refundsOf{}
	var order []*refundsOf
	var loose []refundEvent
	for _, e := range events {
		o := d.saleOf(e.i)
		if o < 0 {
			loose = append(loose, e)
			continue
		}
		if sales[o] == nil {
			sales[o] = d.openSale(o)
			order = append(order, sales[o])
		}
		sales[o].events = append(sales[o].events, e)
	}
	for _, e := range loose {
		if !d.fresh(e) || slices.ContainsFunc(order, func(s *refundsOf) bool { return s.holds(e.i) }) {
			continue
		}
		if s := d.pastSale(e.tells); s != nil {
			for _, o := range loose {
				if d.items[o.tells].mid == d.items[e.tells].mid && d.namesSale(o, s) {
					s.events = append(s.events, o)
				}
			}
			order = append(order, s)
		}
	}
	for _, s := range order {
		d.judgeRefunds(s)
	}
}

func (s *refundsOf) holds(i int32) bool {
	return slices.ContainsFunc(s.events, func(e refundEvent) bool { return e.i == i })
}

// refundEvents lists the successful refunds among the rows, each event once, and whether any is of today.
func (d *Day) refundEvents() (out []refundEvent, fresh bool) {
	for i := range d.items {
		it := &d.items[i]
		if it.kind != txn.Refund || it.flags.has(closedRow) || it.twin >= 0 || it.flags.has(wasTwin) || it.side == txn.Acquirer && it.partner >= 0 {
			continue
		}
		if s := it.ta.State(); s != Matched && s != InWindow && s != Exception || d.heldItem(it) {
			continue
		}
		e := refundEvent{i: int32(i), tells: int32(i)}
		if it.partner >= 0 {
			e.tells = it.partner
		}
		if t := &d.items[e.tells]; !t.status.Success() || t.flags.has(closedRow) {
			continue
		}
		for _, n := range [...]int32{e.i, e.tells} {
			if d.items[n].carried >= 0 {
				e.was = -d.items[n].amount
			}
		}
		fresh = fresh || d.fresh(e)
		out = append(out, e)
	}
	return out, fresh
}

func (d *Day) fresh(e refundEvent) bool {
	return d.items[e.i].carried < 0 || d.items[e.tells].carried < 0
}

// saleOf is the sale, among the rows, that a refund gives back: the terminal's row of it where there are two. -1 none.
func (d *Day) saleOf(i int32) int32 {
	o := d.items[i].orig
	if p := d.items[i].partner; o < 0 && p >= 0 {
		o = d.items[p].orig
	}
	if o < 0 || d.items[o].kind == txn.Preauth || !d.surelyOf(i, o) {
		return -1
	}
	if s := &d.items[o]; s.side == txn.Acquirer && s.partner >= 0 {
		return s.partner
	}
	return o
}

// surelyOf reports whether a refund names the sale by more than a trace number, which comes again with every batch: sums
// are added up only for what is surely one sale.
func (d *Day) surelyOf(i, o int32) bool {
	for _, n := range [...]int32{i, d.items[i].partner} {
		if n < 0 {
			continue
		}
		it := &d.items[n]
		for _, m := range [...]int32{o, d.items[o].partner} {
			if m < 0 {
				continue
			}
			s := &d.items[m]
			if s.rrn != 0 && it.origRRN == s.rrn || s.order != 0 && (it.origOrder == s.order || it.order == s.order) ||
				s.chanID != 0 && (it.origChan == s.chanID || it.chanID == s.chanID) {
				return true
			}
			if it.origSTAN != 0 && it.origBatch != 0 && it.origDay != 0 && it.tid == s.tid && it.origSTAN == s.stan && it.origBatch == s.batch && it.origDay == s.day {
				return true
			}
		}
	}
	return false
}

// openSale is a sale of today or of the carry, with what earlier days have refunded of it.
func (d *Day) openSale(o int32) *refundsOf {
	it := &d.items[o]
	s := &refundsOf{paid: it.amount, cur: it.curIdx}
	rows := []int32{o}
	if it.partner >= 0 {
		s.paid, s.cur = d.items[it.partner].amount, d.items[it.partner].curIdx
		rows = append(rows, it.partner)
	}
	var ids []symbol
	old := false
	for _, n := range rows {
		x := &d.items[n]
		ids = append(ids, x.chanID, x.order, x.rrn)
		old = old || x.carried >= 0 || d.lateRow(x)
	}
	if old {
		d.addKnown(s, it.mid, ids)
	}
	return s
}

// pastSale finds the sale that a refund gives back among the rows of earlier days; nil where none is known.
func (d *Day) pastSale(i int32) *refundsOf {
	it := &d.items[i]
	rows := []*item{it}
	if it.partner >= 0 {
		rows = append(rows, &d.items[it.partner])
	}
	var ids []symbol
	for _, x := range rows {
		ids = append(ids, x.origChan, x.chanID, x.origOrder, x.order, x.origRRN)
	}
	s := &refundsOf{cur: it.curIdx}
	var paid [2]int64 // as the terminal and as the acquirer say
	for at := 0; at < len(ids); at++ {
		if ids[at] == 0 {
			continue
		}
		for _, r := range d.pastRows(d.sym.str(ids[at])) {
			p := d.pastIDs(r.Row)
			if r.Row.Kind != txn.Sale && r.Row.Kind != txn.Completion || !r.Row.Status.Success() || p.mid != it.mid || d.currency(r.Row.Currency) != it.curIdx ||
				p.order != ids[at] && p.chanID != ids[at] && p.rrn != ids[at] {
				continue
			}
			side := 0
			if r.Row.Side == txn.Acquirer {
				side = 1
			}
			paid[side] = max(paid[side], r.Row.Amount)
			for _, id := range [...]symbol{p.chanID, p.order, p.rrn} {
				if id != 0 && !slices.Contains(ids, id) {
					ids = append(ids, id)
				}
			}
		}
	}
	if s.paid = cmp.Or(paid[1], paid[0]); s.paid == 0 {
		return nil
	}
	d.addKnown(s, it.mid, ids)
	return s
}

// addKnown adds the refunds that earlier days have settled: the acquirer's rows, and terminal rows that none of these is.
func (d *Day) addKnown(s *refundsOf, mid symbol, ids []symbol) {
	s.ids, s.refund = map[symbol]bool{}, map[symbol]bool{}
	for _, id := range ids {
		if id != 0 {
			s.ids[id] = true
		}
	}
	type settled struct {
		pastIDs
		amount int64
	}
	var sides [2][]settled
	seen := map[rowPlace]bool{}
	open := d.openPlaces() // what is open still is counted as an event of its own
	for _, id := range ids {
		if id == 0 {
			continue
		}
		for _, r := range d.pastRows(d.sym.str(id)) {
			if r.Row.Kind != txn.Refund || !r.Row.Status.Success() || seen[placeOf(r.At)] || open[placeOf(r.At)] || d.currency(r.Row.Currency) != s.cur {
				continue
			}
			p := d.pastIDs(r.Row)
			if p.mid != mid || !s.ids[p.origChan] && !s.ids[p.origOrder] && !s.ids[p.origRRN] && !s.ids[p.chanID] && !s.ids[p.order] {
				continue
			}
			seen[placeOf(r.At)] = true
			if p.refund != 0 {
				s.refund[p.refund] = true
			}
			side := 0
			if r.Row.Side == txn.Acquirer {
				side = 1
			}
			sides[side] = append(sides[side], settled{p, -r.Row.Amount})
		}
	}
	ids1 := map[symbol]bool{}
	for _, a := range sides[1] { // the same refund id twice is one refund
		if a.refund != 0 && ids1[a.refund] {
			continue
		}
		ids1[a.refund] = true
		s.known = append(s.known, a.amount)
	}
	free := slices.Clone(sides[1])
	for _, t := range sides[0] {
		at := slices.IndexFunc(free, func(a settled) bool {
			if t.refund != 0 && a.refund != 0 {
				return t.refund == a.refund
			}
			return t.rrn != 0 && t.rrn == a.rrn || t.amount == a.amount
		})
		if at >= 0 {
			free = slices.Delete(free, at, at+1)
			continue
		}
		s.known = append(s.known, t.amount)
	}
}

// openPlaces are the places of the rows in the carry.
func (d *Day) openPlaces() map[rowPlace]bool {
	if d.opened == nil {
		d.opened = make(map[rowPlace]bool, len(d.carry.Items))
		for i := range d.carry.Items {
			d.opened[placeOf(d.carry.Items[i].At)] = true
		}
	}
	return d.opened
}

// namesSale reports whether one of the event's rows names the sale.
func (d *Day) namesSale(e refundEvent, s *refundsOf) bool {
	for _, n := range [...]int32{e.i, e.tells} {
		it := &d.items[n]
		if s.ids[it.origChan] || s.ids[it.chanID] || s.ids[it.origOrder] || s.ids[it.order] || s.ids[it.origRRN] {
			return true
		}
	}
	return false
}

// judgeRefunds marks the last refund of today, by time and place, where all together are more than what was paid.
func (d *Day) judgeRefunds(s *refundsOf) {
	slices.SortFunc(s.events, func(a, b refundEvent) int {
		return cmp.Or(cmp.Compare(d.items[a.tells].unix, d.items[b.tells].unix), d.before(a.tells, b.tells))
	})
	amounts := slices.Clone(s.known)
	sum, before := int64(0), int64(0)
	for _, a := range s.known {
		sum, before = sum+a, before+a
	}
	// What only the terminal and what only the acquirer has may be one refund seen twice: it counts once.
	var lone, loneBefore [2]int64
	last := int32(-1)
	seen := map[symbol]bool{}
	for _, e := range s.events {
		t := &d.items[e.tells]
		if t.curIdx != s.cur {
			continue
		}
		if t.refund != 0 && (s.refund[t.refund] || seen[t.refund]) {
			continue
		}
		seen[t.refund] = true
		switch it := &d.items[e.i]; {
		case it.partner >= 0:
			sum, before = sum-t.amount, before+e.was
		case it.side == txn.Terminal:
			lone[0], loneBefore[0] = lone[0]-t.amount, loneBefore[0]+e.was
		default:
			lone[1], loneBefore[1] = lone[1]-t.amount, loneBefore[1]+e.was
		}
		amounts = append(amounts, -t.amount)
		if d.fresh(e) {
			last = e.i
		}
	}
	sum, before = sum+max(lone[0], lone[1]), before+max(loneBefore[0], loneBefore[1])
	if last < 0 || sum <= s.paid || sum <= before {
		return
	}
	o := overRefund{paid: s.paid, sum: sum, rows: len(amounts)}
	if n := len(amounts); amounts[n-1] > s.paid {
		o.cause = "keyed"
	} else if slices.Contains(amounts[:n-1], amounts[n-1]) {
		o.cause = "refunded_twice"
	}
	d.over[int(last)] = o
	d.items[last].flags |= refundOver
}

// overLine is T16.
func (d *Day) overLine(i int) Line {
	o := d.over[i]
	l := d.rowLine(i, T16)
	l.Amount, l.Other, l.AgeDays = Some(o.paid), Some(o.sum), 0
	l.NearPass, l.Differs = "", ""
	l.CauseCode, l.Detail = o.cause, fmt.Sprintf("%d refunds", o.rows)
	return l
}

// rowPlace is where a row stands, whatever its file was called: by its offset, or where that is not known by its line.
type rowPlace struct {
	file   string
	offset int64
	line   int
	entry  uint16
}

func placeOf(r Ref) rowPlace {
	p := rowPlace{file: cmp.Or(r.SHA256, r.Member), offset: r.Offset, entry: r.Entry}
	if r.Offset == 0 {
		p.line = r.Line
	}
	return p
}
