package reports

import (
	"cmp"
	"slices"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// caseRow is one case as the workbook shows it: its lines of exceptions.csv folded into one.
type caseRow struct {
	id       string
	lines    []*reconcile.Line
	main     *reconcile.Line // the gravest line, then the one with most money; of an order class only where the case has no other
	classes  []reconcile.Class
	severity int
	age      int
	stake    txn.Fine // what is at stake: |difference|, or the only side's |amount|
	row      int      // where it stands in its sheet, from 1; 0 where it was left out by a cap
}

// dueBucket is what comes due on one day.
type dueBucket struct {
	date              txn.Date // 0: not known
	currency          txn.Currency
	sales, payouts    int64
	saleSum, payoutAt int64
	row               int
}

// party is one addressee of the call list.
type party struct {
	name     string
	owner    reconcile.Owner
	currency txn.Currency
	cases    int64
	stake    txn.Fine
	top      *caseRow
}

// derived is the book arranged for reading: nothing in it is judged anew.
type derived struct {
	open    []*caseRow        // exceptions and findings, gravest first
	cleared []*caseRow        // gone today
	waiting []*reconcile.Line // not due, by due date
	due     []*dueBucket
	parties []*party
}

// derive arranges the outcome. Every order is fixed by data; ties keep the outcome's order.
func derive(b *Book) *derived {
	d := &derived{}
	for _, c := range d.fold(b) {
		c.settle()
		if c.gone() {
			d.cleared = append(d.cleared, c)
		} else {
			d.open = append(d.open, c)
		}
	}
	last := func(c *caseRow) int { // what a person has closed stands below what somebody must act on
		if c.decided() {
			return 1
		}
		return 0
	}
	order := func(x, y *caseRow) int {
		return cmp.Or(cmp.Compare(last(x), last(y)), cmp.Compare(y.severity, x.severity), cmp.Compare(y.stake, x.stake))
	}
	slices.SortStableFunc(d.open, order)
	slices.SortStableFunc(d.cleared, order)
	slices.SortStableFunc(d.waiting, func(x, y *reconcile.Line) int {
		return cmp.Compare(dueKey(x.DueDate), dueKey(y.DueDate))
	})
	d.bucketDue()
	d.callList()
	return d
}

// fold joins the lines of each case. Lines of order classes come last: they join a case that is there, and stand alone
// where it is gone, so that what they say is not filed away with it.
func (d *derived) fold(b *Book) (all []*caseRow) {
	byID := map[string]*caseRow{}
	add := func(l *reconcile.Line) {
		c := byID[l.CaseID]
		if c == nil || l.CaseID == "" || l.Class.OrderClass() && !c.lines[0].Class.OrderClass() && c.gone() {
			c = &caseRow{id: l.CaseID}
			byID[l.CaseID] = c
			all = append(all, c)
		}
		c.lines = append(c.lines, l)
	}
	for i := range b.Outcome.Lines {
		l := &b.Outcome.Lines[i]
		switch {
		case l.Class.OrderClass():
		case l.Status == string(reconcile.InWindow) && l.Lifecycle != reconcile.CaseCleared:
			d.waiting = append(d.waiting, l)
		default:
			add(l)
		}
	}
	for i := range b.Outcome.Lines {
		if l := &b.Outcome.Lines[i]; l.Class.OrderClass() {
			add(l)
		}
	}
	return all
}

// dueKey puts unknown dates last.
func dueKey(t txn.Date) int64 {
	if t == 0 {
		return 1 << 40
	}
	return int64(t)
}

func (c *caseRow) settle() {
	for _, l := range c.lines {
		sev := l.Class.Info().Severity
		if joined := l.Class.OrderClass() && !c.lines[0].Class.OrderClass(); !joined && (c.main == nil || sev > c.severity ||
			sev == c.severity && lineStake(l) > lineStake(c.main)) {
			c.main, c.severity = l, sev
		}
		c.age = max(c.age, l.AgeDays)
		if !slices.Contains(c.classes, l.Class) {
			c.classes = append(c.classes, l.Class)
		}
	}
	c.stake = lineStake(c.main)
	slices.SortStableFunc(c.classes, func(x, y reconcile.Class) int {
		return cmp.Compare(y.Info().Severity, x.Info().Severity)
	})
}

func (c *caseRow) gone() bool {
	for _, l := range c.lines {
		if l.Lifecycle != reconcile.CaseCleared && l.Status != "cleared" {
			return false
		}
	}
	return true
}

// unsettled tells a case that someone must still act on from one that a rule has explained or a person decided, and
// from what is only said about the order of events.
func (c *caseRow) unsettled() bool {
	return slices.ContainsFunc(c.lines, func(l *reconcile.Line) bool { return l.Status == "open" && !l.Class.OrderClass() })
}

// decided tells a case that a person has closed.
func (c *caseRow) decided() bool {
	return !c.unsettled() && slices.ContainsFunc(c.lines, func(l *reconcile.Line) bool {
		return l.Status == "decided" && !l.Class.OrderClass()
	})
}

// decision is what a person said about the case, nil where nobody did.
func (c *caseRow) decision() *reconcile.Decision {
	for _, l := range c.lines {
		if l.Decision != nil {
			return l.Decision
		}
	}
	return nil
}

// atStake is the case's money, without sums that are only held back until a file comes.
func (c *caseRow) atStake() txn.Fine {
	if c.main.Held {
		return 0
	}
	return c.stake
}

// lineFine converts a line's sum to 1e-5 of the major unit.
func lineFine(l *reconcile.Line, m reconcile.Money) txn.Fine {
	if l.Fine {
		return txn.Fine(m.Minor)
	}
	return txn.FineOf(m.Minor, l.Currency)
}

// lineStake is the money that a line is about: the difference where there is one, else the amount.
func lineStake(l *reconcile.Line) txn.Fine {
	var f txn.Fine
	switch d := l.Difference(); {
	case d.Valid && d.Minor != 0 && l.Lifecycle != reconcile.CaseCleared:
		f = lineFine(l, d)
	case l.Amount.Valid:
		f = lineFine(l, l.Amount)
	case l.Other.Valid:
		f = lineFine(l, l.Other)
	}
	if f < 0 {
		return -f
	}
	return f
}

// shortfall is the money of a line that should have arrived and did not; 0 for classes that say something else. The
// classes counted do not overlap: an overdue payout consists of cleared rows, a terminal-only sale is in no payout.
func shortfall(l *reconcile.Line) txn.Fine {
	if l.Held || l.Status != "open" || l.Lifecycle == reconcile.CaseCleared {
		return 0
	}
	var f txn.Fine
	switch l.Class {
	case reconcile.T02, reconcile.T04, reconcile.T06, reconcile.B02, reconcile.B03, reconcile.P01:
		f = lineFine(l, l.Amount) - lineFine(l, l.Other)
		if l.Class == reconcile.P01 { // stated / composed: what was not paid although the rows add up to it
			f = -f
		}
	case reconcile.P02: // by contract / charged
		f = lineFine(l, l.Other) - lineFine(l, l.Amount)
	}
	return max(f, 0)
}

func (d *derived) bucketDue() {
	type key struct {
		date txn.Date
		cur  txn.Currency
	}
	at := map[key]*dueBucket{}
	for i, l := range d.waiting {
		k := key{l.DueDate, l.Currency}
		u := at[k]
		if u == nil {
			u = &dueBucket{date: k.date, currency: k.cur, row: i + 1}
			at[k] = u
			d.due = append(d.due, u)
		}
		if l.Leg == reconcile.LegAB {
			u.payouts++
			u.payoutAt += l.Amount.Minor
		} else {
			u.sales += max(l.Rows, 1)
			u.saleSum += l.Amount.Minor
		}
	}
}

// callList groups open cases by the party outside finance and our own systems that must be asked.
func (d *derived) callList() {
	type key struct {
		name  string
		owner reconcile.Owner
		cur   txn.Currency
	}
	at := map[key]*party{}
	for _, c := range d.open {
		owner := c.main.Class.Info().Owner
		if c.main.Status != "open" || c.severity == 0 || c.main.Held || c.main.Class.OrderClass() {
			continue
		}
		var name string
		switch owner {
		case reconcile.OwnAcquirer:
			name = c.acquirer()
		case reconcile.OwnBank:
			name = cmp.Or(rowText(c.main, txn.Account), c.main.Source)
		case reconcile.OwnStore:
			name = cmp.Or(c.main.Store, c.main.MID)
		default:
			continue
		}
		k := key{name, owner, c.main.Currency}
		p := at[k]
		if p == nil {
			p = &party{name: name, owner: owner, currency: k.cur}
			at[k] = p
			d.parties = append(d.parties, p)
		}
		p.cases++
		p.stake += c.stake
		if p.top == nil || c.stake > p.top.stake {
			p.top = c
		}
	}
	slices.SortStableFunc(d.parties, func(x, y *party) int { return cmp.Compare(y.stake, x.stake) })
}

func (c *caseRow) acquirer() string {
	return cmp.Or(c.main.Acquirer, c.main.Source)
}

// place says where a case is at home: the store with its terminal, else the acquirer, else the source.
func (c *caseRow) place() string {
	l := c.main
	switch {
	case l.Store != "" && l.TID != "":
		return l.Store + " / " + l.TID
	case l.Store != "" || l.TID != "":
		return cmp.Or(l.Store, l.TID)
	case l.Acquirer != "" && l.MID != "":
		return l.Acquirer + " / " + l.MID
	}
	return cmp.Or(l.Acquirer, l.MID, l.Source)
}

// reference is the number to quote on the telephone. A payout that has none is named by merchant and business date.
func (c *caseRow) reference() string {
	l := c.main
	if l.Leg == reconcile.LegAB {
		derived := ""
		if l.MID != "" && l.SettleDate != 0 {
			derived = l.MID + " " + l.SettleDate.String()
		}
		return cmp.Or(l.PayoutID, l.BankRef, derived, l.RRN, l.OrderNo, l.Source)
	}
	return cmp.Or(l.RRN, l.OrderNo, l.STAN, l.PayoutID, l.BankRef, l.Source)
}

func rowText(l *reconcile.Line, f txn.Field) string {
	for _, r := range []*txn.Row{l.Row, l.Other2} {
		if r != nil && len(r.Text[f]) > 0 {
			return string(r.Text[f])
		}
	}
	return ""
}

// sides tells which full row stands left (terminal in leg T-A, acquirer in leg A-B) and which right, with their
// places. A line with one row only shows it on the side it came from.
func sides(l *reconcile.Line) (left, right *txn.Row, leftAt, rightAt reconcile.Ref) {
	alone := false
	switch {
	case l.Row != nil && l.Other2 == nil:
		alone = l.Leg == reconcile.LegTA && l.Row.Side != txn.Terminal || l.Leg == reconcile.LegAB && l.Row.Side == txn.Bank
	case l.Row == nil:
		alone = !l.Amount.Valid && l.Other.Valid && l.OtherAt == (reconcile.Ref{})
	}
	if alone {
		return nil, l.Row, reconcile.Ref{}, l.At
	}
	return l.Row, l.Other2, l.At, l.OtherAt
}
