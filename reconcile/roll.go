package reconcile

import (
	"cmp"
	"slices"
	"strings"

	"daozhang/parsers/txn"
)

// The roll-forward and its moves: what was open, what came, what went, what changed its class. The sums are those of the
// moves, so that they tie by construction.

type rollKey struct {
	leg   Leg
	side  txn.Side
	class Class
	cur   string
}

// step is where one row or payout stood when the day began and where it stands at its close.
type step struct {
	id            string
	leg           Leg
	side          txn.Side
	cur           txn.Currency
	was, is       Class
	before, after Figure
	cause         string
}

// roller collects moves and the figures that did not move.
type roller struct {
	sums  map[rollKey]*RollSum
	moves []Move
}

func (r *roller) at(s *step, c Class) *RollSum {
	k := rollKey{s.leg, s.side, c, s.cur.String()}
	if r.sums[k] == nil {
		r.sums[k] = &RollSum{Leg: s.leg, Side: s.side, Class: c, Currency: s.cur}
	}
	return r.sums[k]
}

func (r *roller) move(s *step, from, to Class, f Figure, cause string) {
	r.moves = append(r.moves, Move{CaseID: s.id, Leg: s.leg, Side: s.side, Currency: s.cur, From: from, To: to, Figure: f, Cause: cause})
}

func (r *roller) add(s *step) {
	if s.was != "" {
		o := &r.at(s, s.was).Opening
		o.add(s.before.Rows, s.before.Amount)
	}
	if s.is != "" {
		c := &r.at(s, s.is).Closing
		c.add(s.after.Rows, s.after.Amount)
	}
	more := Figure{s.after.Rows - s.before.Rows, s.after.Amount - s.before.Amount}
	switch {
	case s.was == "" && s.is == "":
	case s.was == "":
		r.move(s, "", s.is, s.after, s.cause)
	case s.is == "":
		r.move(s, s.was, "", s.before, s.cause)
	default:
		if s.was != s.is {
			r.move(s, s.was, s.is, s.before, s.cause)
		}
		if more != (Figure{}) { // an announcement, or late rows, changed the payout
			r.move(s, "", s.is, more, "")
		}
	}
}

// sum adds the moves to the roll-forward.
func (r *roller) sum() {
	for i := range r.moves {
		m := &r.moves[i]
		s := step{leg: m.Leg, side: m.Side, cur: m.Currency}
		switch {
		case m.From == "":
			f := &r.at(&s, m.To).New
			f.add(m.Rows, m.Amount)
		case m.To == "":
			f := &r.at(&s, m.From).Cleared
			f.add(m.Rows, m.Amount)
		default:
			from, to := &r.at(&s, m.From).Reclassified, &r.at(&s, m.To).Reclassified
			from.add(-m.Rows, -m.Amount)
			to.add(m.Rows, m.Amount)
		}
	}
}

// roll builds the moves and the roll-forward.
func (d *Day) roll() {
	r := &roller{sums: map[rollKey]*RollSum{}}
	for i := range d.items {
		if s, ok := d.rowStep(i); ok {
			r.add(&s)
		}
	}
	for _, p := range d.payouts {
		s := d.payoutStep(p)
		r.add(&s)
	}
	for _, p := range d.joined {
		r.add(&step{id: p.caseID, leg: LegAB, side: txn.Acquirer, cur: p.Currency, was: p.opened, before: Figure{1, p.brought}, cause: "announced"})
	}
	r.sum()
	slices.SortFunc(r.moves, Move.compare)
	d.out.Moves = r.moves
	for _, s := range r.sums {
		d.out.Roll = append(d.out.Roll, *s)
	}
	slices.SortFunc(d.out.Roll, func(a, b RollSum) int {
		return cmp.Or(-strings.Compare(string(a.Leg), string(b.Leg)), cmp.Compare(a.Side, b.Side), strings.Compare(string(a.Class), string(b.Class)),
			strings.Compare(a.Currency.String(), b.Currency.String()))
	})
}

func (m Move) compare(o Move) int {
	return cmp.Or(-strings.Compare(string(m.Leg), string(o.Leg)), cmp.Compare(m.Side, o.Side), strings.Compare(string(m.From), string(o.From)),
		strings.Compare(string(m.To), string(o.To)), strings.Compare(m.CaseID, o.CaseID), strings.Compare(m.Currency.String(), o.Currency.String()),
		cmp.Compare(m.Amount, o.Amount), cmp.Compare(m.Rows, o.Rows), strings.Compare(m.Cause, o.Cause))
}

// rowStep is the step of a row on the leg on which it is carried by itself; ok is false where it was not open and is not.
func (d *Day) rowStep(i int) (s step, ok bool) {
	it := &d.items[i]
	leg, v := LegTA, it.ta
	if it.side == txn.Bank {
		leg, v = LegAB, it.ab
	} else if !it.kind.Transaction() {
		return s, false
	}
	if it.flags.has(closedRow) || it.carried < 0 && !v.open() {
		return s, false
	}
	s = step{leg: leg, side: it.side, cur: d.currencyOf(it), is: openClass(leg, v), before: Figure{1, it.amount}, after: Figure{1, it.amount}}
	if it.carried >= 0 && !it.flags.has(reopenedRow) {
		s.was = d.carry.Items[it.carried].Class
	}
	switch {
	case s.was == s.is:
		return s, s.is != "" // still open as it was
	case s.is == "":
		s.id, s.cause = d.carry.Items[it.carried].CaseID, d.clearedBy(i, v)
		if x, now := d.closedNow[i]; now {
			s.cause = "decision " + x.ID
		}
	default:
		s.cause = d.openedBy(i, v, s.was)
		if it.side == txn.Bank {
			s.id = CaseID(string(LegAB), d.keys[i])
		} else {
			s.id, _, _ = d.caseOf(i)
		}
	}
	return s, true
}

// clearedBy says what made a row go: pass and place of its partner, else the rule.
func (d *Day) clearedBy(i int, v verdict) string {
	it := &d.items[i]
	switch {
	case it.partner >= 0:
		return passes[it.pass].name + " " + d.place(int(it.partner))
	case v.Reason() != "":
		return string(v.Reason())
	}
	return string(v.State())
}

// openedBy says why a row opened or changed its class.
func (d *Day) openedBy(i int, v verdict, was Class) string {
	it := &d.items[i]
	switch {
	case it.flags.has(reopenedRow):
		return "reopened"
	case it.partner >= 0:
		return passes[it.pass].name + " " + d.place(int(it.partner))
	case v.Reason() != "":
		return string(v.Reason())
	case was == T01:
		return "due"
	case was.family() == 'F':
		return "evidence"
	}
	return ""
}

// place names a row by its slot and by what people know it by. Never by file and line: under which name a file came
// first must not show in what two books of a date are compared by.
func (d *Day) place(i int) string {
	s := &d.slots[d.items[i].slot]
	name := s.Source + " " + s.Date.String()
	if r := d.rows[i]; r != nil {
		for _, f := range [...]txn.Field{txn.RRN, txn.OrderNo, txn.ChannelTxnID, txn.BankRef, txn.STAN} {
			if v := r.Get(f); !txn.Blank(v) {
				return name + " " + string(v)
			}
		}
	}
	return name
}

func (d *Day) payoutStep(p *payout) step {
	s := step{id: p.caseID, leg: LegAB, side: txn.Acquirer, cur: p.Currency, is: openClass(LegAB, p.ab), after: Figure{1, p.gross()}}
	if p.carried && !p.reopened {
		s.was, s.before = p.opened, Figure{1, p.brought}
	}
	switch {
	case p.closing != nil:
		s.cause = "decision " + p.closing.ID
	case p.reopened:
		s.cause = "reopened"
	case p.credit >= 0:
		s.cause = p.pass + " " + d.place(int(p.credit))
	case p.ab.Reason() != "":
		s.cause = string(p.ab.Reason())
	case s.was == B01:
		s.cause = "due"
	case s.was.family() == 'F':
		s.cause = "evidence"
	}
	return s
}
