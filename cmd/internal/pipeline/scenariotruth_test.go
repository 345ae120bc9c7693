package pipeline

import (
	"slices"
	"strings"

	"daozhang/parsers/txn"
)

// deal is one transaction as it happened.
type deal struct {
	name    string
	kind    string // sale, refund, void
	on      txn.Date
	clock   string
	fen     int64 // without sign
	store   string
	n       int      // trace number, and what the reference is made of
	bare    bool     // the terminal printed neither
	cleared txn.Date // 0: never
	till    bool     // the terminal knows of it
	typed   string   // the acquirer's word
	of      *deal
}

func (d *deal) sold() sold {
	s := sold{at: d.on.String() + " " + d.clock, fen: d.fen, n: d.n, store2: d.store == "S02"}
	if d.bare {
		s.n = 0
	}
	if d.kind != "sale" {
		s.fen = -d.fen
	}
	return s
}

// movement is a line of the bank account, whatever a statement says of it.
type movement struct {
	name, who string
	on        txn.Date
	fen       int64
}

// net is what the acquirer pays for it, with the fee rounded half up, away from zero.
func (d *deal) net() int64 {
	s := d.sold()
	if s.fen < 0 {
		return -sold{fen: -s.fen}.net()
	}
	return s.net()
}

var registerIDs = map[string][2]string{"S01": {"T1", "31010001"}, "S02": {"T2", "31020001"}}

func (p *play) sale(kind string, c *cursor) {
	d := &deal{name: c.next("a name"), kind: kind, till: true, store: "S01", typed: map[string]string{"sale": "消费", "refund": "退货", "void": "消费撤销"}[kind]}
	if kind != "sale" {
		c.need("of")
		if d.of = p.deal(c, c.next("the original")); d.of == nil {
			return
		}
		d.store = d.of.store
	}
	d.on, d.clock = c.day(), c.clock()
	if kind == "void" {
		d.fen = d.of.fen
	} else {
		d.fen = c.money()
	}
	p.nextNumber++
	d.n, d.cleared = p.nextNumber, d.on
	for !c.done() {
		switch {
		case c.take("at"):
			if d.store = c.next("a store"); registerIDs[d.store][0] == "" {
				c.fail("there is no store %s", d.store)
			}
		case c.take("cleared"):
			d.cleared = c.day()
		case c.take("never", "cleared"):
			d.cleared = 0
		case c.take("without", "numbers"):
			d.bare = true
		case c.take("not", "at", "the", "till"):
			d.till = false
		case c.take("typed"):
			d.typed = c.next("the acquirer's type")
		default:
			c.fail("%q is not understood", strings.Join(c.words, " "))
		}
	}
	p.addDeal(c, d)
}

func (p *play) addDeal(c *cursor, d *deal) {
	if p.lookUp(d.name) != nil || p.movement(d.name) != nil {
		c.fail("there is a %s already", d.name)
	}
	p.deals = append(p.deals, d)
}

func (p *play) lookUp(name string) *deal {
	if i := slices.IndexFunc(p.deals, func(d *deal) bool { return d.name == name }); i >= 0 {
		return p.deals[i]
	}
	return nil
}

func (p *play) deal(c *cursor, name string) *deal {
	d := p.lookUp(name)
	if d == nil {
		c.fail("no transaction is called %s", name)
	}
	return d
}

func (p *play) movement(name string) *movement {
	if i := slices.IndexFunc(p.moves, func(m *movement) bool { return m.name == name }); i >= 0 {
		return p.moves[i]
	}
	return nil
}

func (p *play) credit(c *cursor) {
	m := &movement{name: c.next("a name"), on: c.day(), who: payer}
	if c.take("pays") {
		for _, name := range c.list("a transaction") {
			if d := p.deal(c, name); d != nil {
				m.fen += d.net()
			}
		}
	} else {
		m.fen = c.money()
	}
	for !c.done() {
		switch {
		case c.take("more"):
			m.fen += c.money()
		case c.take("less"):
			m.fen -= c.money()
		case c.take("from"):
			m.who = c.next("who paid")
		default:
			c.fail("%q is not understood", strings.Join(c.words, " "))
		}
	}
	if p.movement(m.name) != nil || p.lookUp(m.name) != nil {
		c.fail("there is a %s already", m.name)
	}
	p.moves = append(p.moves, m)
}

// daily sells something every day, and lets each sale be credited on the next working day.
func (p *play) daily(c *cursor) {
	c.need("sale")
	from, to := c.period()
	clock, fen := c.clock(), c.money()
	for d := from; d <= to && c.err == nil; d++ {
		p.nextNumber++
		x := &deal{name: dayName(d), kind: "sale", on: d, clock: clock, fen: fen + int64(d-from), store: "S01", n: p.nextNumber, cleared: d, till: true, typed: "消费"}
		p.addDeal(c, x)
		due := d + 1
		for due.Weekday() == 0 || due.Weekday() == 6 {
			due++
		}
		p.moves = append(p.moves, &movement{name: "credit-" + x.name, who: payer, on: due, fen: x.net()})
	}
}
