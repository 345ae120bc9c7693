package reports

import (
	"fmt"
	"strings"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

// account is one line of the roll-forward with the movements that make it up, as a ledger account shows them: a change
// of class leaves one account and enters another.
type account struct {
	leg   reconcile.Leg
	side  txn.Side
	class reconcile.Class
	cur   txn.Currency

	roll  [3]reconcile.Figure // new, cleared, reclassified, as the roll-forward has them
	moved [3]reconcile.Figure // the same, from the movements
	lines []posting
}

// Figures of an account, in the order of columns.
const (
	moveNew = iota
	moveCleared
	moveReclassified
)

// posting is one folded movement within an account: steps of one case between the same two classes.
type posting struct {
	caseID string
	what   int
	other  reconcile.Class // of a change of class, where it came from or went to
	out    bool            // of a change of class: it left this account
	reconcile.Figure
	cause  string
	causes int // different causes
}

// accounts posts the outcome's moves. The order is that of the roll-forward, then of the moves.
func accounts(o *reconcile.Outcome) []*account {
	type key struct {
		leg   reconcile.Leg
		side  txn.Side
		class reconcile.Class
		cur   txn.Currency
	}
	by := map[key]*account{}
	var out []*account
	find := func(k key) *account {
		a := by[k]
		if a == nil {
			a = &account{leg: k.leg, side: k.side, class: k.class, cur: k.cur}
			by[k] = a
			out = append(out, a)
		}
		return a
	}
	for _, r := range o.Roll {
		a := find(key{r.Leg, r.Side, r.Class, r.Currency})
		for i, f := range [...]reconcile.Figure{r.New, r.Cleared, r.Reclassified} {
			a.roll[i] = plus(a.roll[i], f)
		}
	}
	type step struct {
		account key
		caseID  string
		what    int
		other   reconcile.Class
		out     bool
	}
	at := map[step]int{}
	post := func(m *reconcile.Move, class, other reconcile.Class, what int, leaving bool, f reconcile.Figure) {
		k := key{m.Leg, m.Side, class, m.Currency}
		a := find(k)
		a.moved[what] = plus(a.moved[what], f)
		s := step{k, m.CaseID, what, other, leaving}
		i, ok := at[s]
		if !ok {
			at[s] = len(a.lines)
			a.lines = append(a.lines, posting{caseID: m.CaseID, what: what, other: other, out: leaving, Figure: f, cause: m.Cause, causes: 1})
			return
		}
		v := &a.lines[i]
		v.Figure = plus(v.Figure, f)
		if v.cause != m.Cause {
			v.causes++
		}
	}
	for i := range o.Moves {
		m := &o.Moves[i]
		switch {
		case m.From == m.To:
		case m.From == "":
			post(m, m.To, "", moveNew, false, m.Figure)
		case m.To == "":
			post(m, m.From, "", moveCleared, false, m.Figure)
		default:
			post(m, m.From, m.To, moveReclassified, true, reconcile.Figure{Rows: -m.Rows, Amount: -m.Amount})
			post(m, m.To, m.From, moveReclassified, false, m.Figure)
		}
	}
	return out
}

func plus(x, y reconcile.Figure) reconcile.Figure {
	return reconcile.Figure{Rows: x.Rows + y.Rows, Amount: x.Amount + y.Amount}
}

// still tells an account in which nothing moved.
func (a *account) still() bool {
	return len(a.lines) == 0 && a.roll == [3]reconcile.Figure{}
}

// moves lists what opened, cleared or changed its class since the day before, account by account. Below each account
// stand the sum of its movements, what the roll-forward says, and what the two differ by.
func (p *changesPage) moves() {
	p.block(p.label("block_moves"))
	var moving []*account
	lines, broken := 0, 0
	for _, a := range accounts(p.b.Outcome) {
		if a.still() {
			continue
		}
		moving = append(moving, a)
		lines += len(a.lines)
		if a.moved != a.roll {
			broken++
		}
	}
	if len(moving) == 0 {
		p.say(p.label("none_moves"), look{ink: inkMuted})
		return
	}
	if broken > 0 {
		p.say(p.label("moves_broken", broken), look{bold: true, ink: inkBad})
	} else {
		p.say(p.label("moves_tie"), look{ink: inkGood})
	}
	room := p.b.Limits.exceptions()
	if lines > room {
		p.say(p.label("moves_capped", room, lines-room), look{bold: true, ink: inkWarn})
	}
	p.g.add(0, p.heads("no", "move_case", "movement", "because", "other_class", ">new_rows", ">new_amount", ">cleared_rows",
		">cleared_amount", ">reclassified_rows", ">reclassified_amount", "currency")...)
	for _, a := range moving {
		shown := min(len(a.lines), room)
		room -= shown
		p.account(a, shown)
	}
}

// account adds one account with its first postings; the others are summed up in one line.
func (p *changesPage) account(a *account, shown int) {
	head := make([]cell, chCols)
	for i := range head {
		head[i] = cell{look: look{fill: fillBand, bold: true, rule: 'b'}}
	}
	head[chNo].v = fmt.Sprintf("%s %s · %s · %s · %s", a.class, text.ClassName(a.class, p.lang), text.Leg(a.leg, p.lang),
		text.Side(a.side.String(), p.lang), a.cur)
	p.g.add(minLine+2, head...)
	first := p.g.next()
	for i := range a.lines[:shown] {
		v := &a.lines[i]
		id := cell{v: text.Label("move_case_none", p.lang), look: look{ink: inkMuted}}
		switch {
		case v.caseID == "":
		case p.links < maxMoveLinks:
			id = p.caseCell(v.caseID)
		default:
			id = ident(v.caseID)
		}
		p.g.later(func() []cell { return p.postingLine(a, v, i, id) })
	}
	if rest := a.lines[shown:]; len(rest) > 0 {
		var sums [3]reconcile.Figure
		for _, v := range rest {
			sums[v.what] = plus(sums[v.what], v.Figure)
		}
		cells := p.figureLine(a, sums, nil)
		cells[chCase] = cell{v: p.label("more_moves", len(rest)), look: look{ink: inkWarn}}
		p.g.add(0, ruled(cells...)...)
	}
	p.accountEnd(a, first)
}

// accountEnd is sum, roll-forward and difference of an account whose postings begin in row first.
func (p *changesPage) accountEnd(a *account, first int) {
	n, dec := p.g.next(), a.cur.Decimals()
	total := p.figureLine(a, a.moved, func(col int) string {
		if n == first {
			return ""
		}
		return "SUM(" + span(col, first, n-1) + ")"
	})
	total[chCase] = cell{v: text.Label("moves_sum", p.lang)}
	p.g.add(minLine, summed(total...)...)
	roll := p.figureLine(a, a.roll, nil)
	roll[chCase] = cell{v: text.Label("moves_roll", p.lang)}
	p.g.add(minLine, roll...)
	var gaps [3]reconcile.Figure
	for i := range gaps {
		gaps[i] = reconcile.Figure{Rows: a.moved[i].Rows - a.roll[i].Rows, Amount: a.moved[i].Amount - a.roll[i].Amount}
	}
	gap := p.figureLine(a, gaps, func(col int) string { return at(col, n) + "-" + at(col, n+1) })
	gap[chCase] = cell{v: text.Label("moves_gap", p.lang)}
	for col := chFigures; col <= chChange; col++ {
		gap[col].look.format = formatCheck([]int{0, dec}[(col-chFigures)%2])
	}
	p.g.add(minLine, ruled(gap...)...)
	p.g.add(5)
}

// figureLine is six figures with the formulas that formula gives for their columns.
func (p *changesPage) figureLine(a *account, figs [3]reconcile.Figure, formula func(col int) string) []cell {
	cells := make([]cell, chCols)
	put := func(col int, c cell, decimals int) {
		if formula != nil {
			if f := formula(col); f != "" {
				c = c.live(fmt.Sprintf("ROUND(%s,%d)", f, decimals))
			}
		}
		cells[col] = c
	}
	for i, f := range figs {
		put(chFigures+2*i, count(f.Rows), 0)
		put(chFigures+2*i+1, money(f.Amount, a.cur), a.cur.Decimals())
	}
	cells[chCcy] = str(a.cur.String()).centered()
	return cells
}

func (p *changesPage) postingLine(a *account, v *posting, i int, id cell) []cell {
	cells := make([]cell, chCols)
	cells[chNo], cells[chCase] = count(int64(i+1)).muted().centered(), id
	label, sign := "move_new", ""
	switch {
	case v.what == moveCleared:
		label = "move_cleared"
	case v.what == moveReclassified && v.out:
		label, sign = "move_out", "→ "
	case v.what == moveReclassified:
		label, sign = "move_into", "← "
	}
	cells[chWhat] = str(text.Label(label, p.lang))
	cells[chWhy] = str(p.moveCause(v))
	if v.other != "" {
		cells[chBefore] = str(sign + string(v.other) + " " + text.ClassName(v.other, p.lang)).indented()
	}
	cells[chFigures+2*v.what] = count(v.Rows)
	cells[chFigures+2*v.what+1] = money(v.Amount, a.cur)
	cells[chCcy] = str(a.cur.String()).centered()
	return ruled(cells...)
}

// moveCause words what did a movement: a rule by its name, a decision as such, a pass and place as they are.
func (p *changesPage) moveCause(v *posting) string {
	s := v.cause
	if id, ok := strings.CutPrefix(s, "decision "); ok {
		s = p.label("move_decision", id)
	} else {
		s = text.MoveCause(s, p.lang)
	}
	s = quoted(s)
	if v.causes > 1 {
		s += "\n" + p.label("and_more", v.causes-1)
	}
	return s
}
