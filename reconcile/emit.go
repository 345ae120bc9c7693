package reconcile

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"daozhang/parsers/txn"
	"daozhang/reconcile/fee"
)

// emit turns the verdicts into what a book says. Everything is ordered by data: severity, class, date, place.
func (d *Day) emit(ev Evidence) error {
	if err := d.fetch(ev); err != nil {
		return err
	}
	d.indexNear()
	for i := range d.items {
		d.rowLines(i)
	}
	for _, p := range d.payouts {
		d.payoutLines(p)
	}
	d.creditLines()
	d.clearedLines()
	d.slotLines()
	d.gapLines()
	d.lateLines()
	d.reachLines()
	d.closedLines()
	d.decide()
	if d.changed {
		if err := d.conserve(); err != nil {
			return err
		}
	}
	if err := d.missed(ev); err != nil {
		return err
	}
	d.sortLines()
	d.roll()
	d.tieOut()
	d.proofs()
	d.groupSums()
	d.passSums()
	d.classSums()
	d.out.Verdict = d.verdict()
	d.out.Awaited = d.set.Awaited
	for i := range d.slots {
		if s := &d.slots[i]; !s.past || s.suspect() {
			d.out.Slots = append(d.out.Slots, s.Sum)
		}
	}
	return nil
}

// rowLines writes the lines of one row of leg T-A; a pair is written from its terminal row.
func (d *Day) rowLines(i int) {
	it := &d.items[i]
	if it.side == txn.Bank || it.flags.has(closedRow) && it.partner < 0 {
		return
	}
	if it.side == txn.Acquirer && it.flags.has(feeWrong) && it.ab.State() != Excluded && !d.heldItem(it) {
		d.feeLine(i)
	}
	if !it.kind.Transaction() {
		return
	}
	if it.side == txn.Acquirer && it.partner >= 0 {
		return
	}
	switch v := it.ta; {
	case v.State() == Exception:
		d.out.Lines = append(d.out.Lines, d.rowLine(i, v.Class()))
	case v.Class() == T01 && it.side == txn.Terminal:
		l := d.rowLine(i, T01)
		l.Status = "in_window"
		d.out.Lines = append(d.out.Lines, l)
	case v.Class() == T10:
		d.out.Lines = append(d.out.Lines, d.rowLine(i, T10))
	}
	if r := it.ta.Reason(); r == EvidenceMissing || r == EvidenceNotDue || r == FeedHeld {
		return // what else there is to say about the row is said once its partner's file is in
	}
	if it.flags.has(refundLost) {
		d.out.Lines = append(d.out.Lines, d.rowLine(i, T13))
	}
	if it.flags.has(refundOver) {
		d.out.Lines = append(d.out.Lines, d.overLine(i))
	}
	if d.foreign(it) && it.ta.State() != Excluded && !d.heldItem(it) {
		d.out.Lines = append(d.out.Lines, d.rowLine(i, T30))
	}
	if it.partner >= 0 {
		a := &d.items[it.partner]
		if d.moved(it, a) {
			d.out.Lines = append(d.out.Lines, d.rowLine(i, T34))
		}
		if it.carried < 0 || a.carried < 0 {
			if it.ta.State() == Matched && a.biz == it.day+1 && it.biz == it.day+1 {
				d.cutoff++
			}
		}
	}
}

// foreign reports whether the row, or its partner, names a merchant or terminal that is not in the register.
func (d *Day) foreign(it *item) bool {
	const unknown = unknownMID | unknownTID
	if it.carried >= 0 {
		return false // said on the day on which the row came
	}
	return it.flags&unknown != 0 || it.partner >= 0 && d.items[it.partner].flags&unknown != 0
}

// rowLine makes the line of a row, or of a pair seen from its terminal row.
func (d *Day) rowLine(i int, c Class) Line {
	it := &d.items[i]
	id, alias, first := d.caseOf(i)
	l := d.baseLine(i, c)
	l.CaseID, l.FirstSeen, l.Alias = id, first, alias
	l.Leg = LegTA
	l.Members = d.membersOf(i, int(it.partner))
	l.DueDate, l.DueNote = d.shownDue(it)
	if it.ta.State() == Exception && l.DueDate != 0 {
		l.AgeDays = max(int(d.set.Date-l.DueDate), 0)
	}
	if first < d.set.Date {
		l.Lifecycle = CaseOpen
	}
	if it.side == txn.Terminal {
		l.Amount = Some(it.amount)
	} else {
		l.Other = Some(it.amount)
	}
	switch {
	case it.partner >= 0:
		d.addPartner(&l, it, int(it.partner))
	case c == T07 || c == T08 || c == T09 || c == T11:
		d.addProof(&l, i)
	case c == T02 || c == T03 || c == T14 || c == T15 || c == T28:
		var found []int
		l.NearPass, l.Differs, found = d.nearest(i)
		for _, j := range found {
			if d.items[j].mid == it.mid { // no pass joins rows of two merchants
				l.Candidates = append(l.Candidates, d.candidate(j))
			}
		}
	}
	l.CauseCode = d.cause(&l, it)
	return l
}

func (d *Day) addPartner(l *Line, t *item, p int) {
	a := &d.items[p]
	l.Other, l.OtherAt, l.Other2 = Some(a.amount), d.refs[p], d.rows[p]
	l.OtherTime = timeOf(d.rows[p])
	l.NearPass, l.Differs = passes[t.pass].name, d.differs(t, a)
	l.SettleDate, l.Acquirer = a.biz, d.sym.str(a.acq)
	l.Fee, l.HasFee = a.fee, true
	l.Late = l.Late || d.lateRow(a)
	if a.curIdx != t.curIdx {
		l.Other = Money{} // sums of two currencies have no difference; differs names both
	}
}

// addProof shows the row that makes an unmatched row an exception; of an earlier day, only its place is known.
func (d *Day) addProof(l *Line, i int) {
	it := &d.items[i]
	if p := d.proofOf(i); p >= 0 {
		n := int(p)
		l.OtherAt, l.Other2, l.OtherTime, l.NearPass = d.refs[n], d.rows[n], timeOf(d.rows[n]), "P0"
		return
	}
	if it.carried >= 0 || d.copyOf[i].Member != "" {
		l.OtherAt = d.copyOf[i]
		if it.carried >= 0 {
			l.OtherAt = d.carry.Items[it.carried].ProofAt
		}
		if l.OtherAt.Member != "" {
			l.NearPass = "P0"
		}
	}
}

func (d *Day) candidate(j int) Candidate {
	o := &d.items[j]
	return Candidate{At: d.refs[j], Amount: o.amount, Time: timeOf(d.rows[j]), RRN: d.sym.str(o.rrn), STAN: d.sym.str(o.stan)}
}

func timeOf(r *txn.Row) txn.Time {
	if r == nil {
		return txn.Time{}
	}
	return r.Time
}

// shownDue is the day on which the row's money must be there, for sales and completions; for other rows the day from
// which the row counts as missing.
func (d *Day) shownDue(it *item) (txn.Date, string) {
	if it.side == txn.Acquirer || it.kind != txn.Sale && it.kind != txn.Completion {
		if it.side == txn.Terminal && it.kind != txn.Sale {
			return d.dueTA(it), ""
		}
		return it.day, ""
	}
	return d.moneyDue(it)
}

// baseLine fills what any row says about itself.
func (d *Day) baseLine(i int, c Class) Line {
	it, s := &d.items[i], &d.slots[d.items[i].slot]
	l := Line{Class: c, Status: "open", Lifecycle: CaseNew, FirstSeen: d.set.Date, Source: s.Source, MID: d.sym.str(it.mid), Store: d.sym.str(it.store),
		TID: d.sym.str(it.tid), Kind: it.kind.String(), Channel: it.channel.String(), Rows: 1, Currency: d.currencyOf(it),
		SettleDate: it.biz, At: d.refs[i], Row: d.rows[i], Acquirer: d.sym.str(it.acq), Late: d.lateRow(it)}
	if it.side == txn.Terminal {
		l.SettleDate = 0
		if ms := d.set.Register.MerchantsOf(l.MID); len(ms) > 0 {
			l.Acquirer = ms[0].Acquirer
		}
	}
	if it.side == txn.Acquirer {
		l.Fee, l.HasFee = it.fee, true
	}
	if r := d.rows[i]; r != nil {
		l.Batch, l.STAN, l.RRN, l.AuthCode = string(r.Get(txn.Batch)), string(r.Get(txn.STAN)), string(r.Get(txn.RRN)), string(r.Get(txn.AuthCode))
		l.OrderNo = cmp.Or(string(r.Get(txn.OrderNo)), string(r.Get(txn.ChannelTxnID)))
		l.PayoutID, l.BankRef = string(r.Get(txn.PayoutID)), string(r.Get(txn.BankRef))
		l.TxnTime = r.Time
		if it.side == txn.Bank {
			l.Channel, l.MID = "", ""
		}
	}
	return l
}

// feeLine is P02: the fee by contract and the fee charged.
func (d *Day) feeLine(i int) {
	it := &d.items[i]
	if it.carried >= 0 {
		return
	}
	r := d.rows[i]
	ct, err := d.contract(it.mid, it.channel, it.class, d.sym.intern(r.Get(txn.MCC)), it.biz)
	if err != nil {
		return
	}
	want, _ := fee.Check(*ct, it.kind, it.amount, d.currencyOf(it), it.fee)
	l := d.baseLine(i, P02)
	l.Leg = LegAB
	l.CaseID = CaseID(string(LegAB), d.keys[i])
	l.Members = d.membersOf(i)
	l.Amount, l.Other, l.Fine = Some(int64(want)), Some(int64(it.fee)), true
	l.DueDate = it.biz
	l.Detail = ct.ID
	d.out.Lines = append(d.out.Lines, l)
}

// cause names the likeliest reason that the figures themselves suggest; empty leaves the class's usual one.
func (d *Day) cause(l *Line, it *item) string {
	switch l.Class {
	case T04:
		return amountCause(l.Amount.Minor, l.Other.Minor)
	case T02:
		if c, err := d.contract(it.mid, it.channel, it.class, 0, it.day); err == nil && l.Row != nil && c.NearCutoff(l.Row.Time) {
			return "near_cutoff"
		}
		if it.flags.has(offline) {
			return "offline_not_sent"
		}
	case T28:
		return "equal_amounts"
	}
	return ""
}

func amountCause(want, got int64) string {
	a, b := abs(want), abs(got)
	switch {
	case a-b == 1 || b-a == 1:
		return "one_fen"
	case a*100 == b || b*100 == a:
		return "factor_100"
	case a*10 == b || b*10 == a:
		return "factor_10"
	case transposed(a, b):
		return "transposed_digits"
	}
	return ""
}

func transposed(a, b int64) bool {
	x, y := []byte(strconv.FormatInt(a, 10)), []byte(strconv.FormatInt(b, 10))
	if len(x) != len(y) {
		return false
	}
	var at []int
	for i := range x {
		if x[i] != y[i] {
			at = append(at, i)
		}
	}
	return len(at) == 2 && at[1] == at[0]+1 && x[at[0]] == y[at[1]] && x[at[1]] == y[at[0]]
}

func abs(v int64) int64 { return max(v, -v) }

// clearedLines keeps a case in the book for the day on which it goes.
func (d *Day) clearedLines() {
	for i := range d.items {
		it := &d.items[i]
		if it.carried < 0 || it.flags.has(closedRow) {
			continue
		}
		c := &d.carry.Items[it.carried]
		v := it.ta
		if it.side == txn.Bank {
			v = it.ab
		}
		if c.CaseID == "" || c.Class.Info().Severity < 1 || v.open() || c.State != Exception {
			continue
		}
		if it.side == txn.Acquirer && it.partner >= 0 && d.items[it.partner].carried >= 0 &&
			d.carry.Items[d.items[it.partner].carried].CaseID == c.CaseID {
			continue // the pair's terminal row says it
		}
		l := d.clearedLine(i, c)
		l.ClearedBy = d.clearedBy(i, v)
		d.out.Lines = append(d.out.Lines, l)
	}
}

// clearedLine is the line of a carried row that is not open any more.
func (d *Day) clearedLine(i int, c *CarriedItem) Line {
	it := &d.items[i]
	l := d.baseLine(i, c.Class)
	l.CaseID, l.FirstSeen, l.Leg, l.Members = c.CaseID, c.FirstSeen, c.Leg, d.membersOf(i)
	l.Status, l.Lifecycle = "cleared", CaseCleared
	l.DueDate, l.DueNote = d.shownDue(it)
	if it.side == txn.Terminal {
		l.Amount = Some(it.amount)
	} else {
		l.Other = Some(it.amount)
	}
	if p := it.partner; p >= 0 {
		o := &d.items[p]
		if it.side == txn.Terminal {
			l.Other = Some(o.amount)
		} else {
			l.Amount = Some(o.amount)
		}
		l.OtherAt, l.Other2, l.OtherTime = d.refs[int(p)], d.rows[int(p)], timeOf(d.rows[int(p)])
	}
	return l
}

func (d *Day) sortLines() { SortLines(d.out.Lines) }

// SortLines orders a book: gravest class first, then class, oldest due date, amount, place and case.
func SortLines(lines []Line) {
	order := make([]int32, len(lines)) // a line is large: numbers are moved, and each line once
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(i, j int32) int { return cmp.Or(compareLines(&lines[i], &lines[j]), cmp.Compare(i, j)) })
	sorted := make([]Line, len(lines))
	for i, at := range order {
		sorted[i] = lines[at]
	}
	copy(lines, sorted)
}

func compareLines(a, b *Line) int {
	if c := cmp.Or(-cmp.Compare(a.Class.Info().Severity, b.Class.Info().Severity), strings.Compare(string(a.Class), string(b.Class)),
		cmp.Compare(a.DueDate, b.DueDate), -cmp.Compare(a.weight(), b.weight())); c != 0 {
		return c
	}
	return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.Store, b.Store), strings.Compare(a.TID, b.TID),
		cmp.Compare(a.TxnTime.Unix, b.TxnTime.Unix), strings.Compare(a.CaseID, b.CaseID), strings.Compare(a.Lifecycle.String(), b.Lifecycle.String()))
}

// String returns the lifecycle's name.
func (l Lifecycle) String() string { return string(l) }

func (l *Line) weight() int64 {
	if l.Fine {
		return abs(l.Difference().Minor)
	}
	return max(abs(l.Amount.Minor), abs(l.Other.Minor))
}

func (d *Day) verdict() Verdict {
	if len(d.set.Awaited) > 0 {
		return Preliminary
	}
	for i := range d.slots {
		if s := &d.slots[i]; s.suspect() || s.rejected > 0 && s.ruled == nil {
			return Incomplete
		}
	}
	for i := range d.out.Sides {
		if r := d.out.Sides[i].Reason; r == EvidenceMissing || r == FeedHeld {
			return Incomplete
		}
	}
	for i := range d.out.Lines {
		l := &d.out.Lines[i]
		if (l.Status == "open" || l.Status == "decided") && l.Lifecycle != CaseCleared && l.Class.Info().Severity >= 1 && !l.Class.OrderClass() {
			return Differences
		}
	}
	return Balanced
}
