package reconcile

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"daozhang/parsers/txn"
)

// payoutLines writes what is to be said about one payout: waiting, overdue, short, over, not the sum of its parts,
// nothing to pay.
func (d *Day) payoutLines(p *payout) {
	if p.caseID == "" {
		p.caseID = p.id()
	}
	switch c := p.ab.Class(); {
	case c == B01:
		l := d.payoutLine(p, B01)
		l.Status = "in_window"
		d.out.Lines = append(d.out.Lines, l)
	case c == P08 && p.ab.State() == Explained:
		d.out.Lines = append(d.out.Lines, d.payoutLine(p, P08))
	case p.ab.State() == Exception && (p.credit < 0 || d.paidBy[int(p.credit)][0] == p):
		d.out.Lines = append(d.out.Lines, d.payoutLine(p, c))
	case p.carried && p.opened.Info().Severity >= 1 && !p.ab.open() && p.opened[0] == 'B':
		l := d.payoutLine(p, p.opened)
		l.Status, l.Lifecycle, l.AgeDays = "cleared", CaseCleared, 0
		if p.credit >= 0 {
			l.ClearedBy = p.pass + " " + d.place(int(p.credit))
		}
		d.out.Lines = append(d.out.Lines, l)
	}
	if p.row >= 0 && p.ab.Class().family() != 'F' && p.wait < 0 && p.Stated.Valid {
		if composed := p.Composed.Round(p.Currency); composed != p.Stated.Minor {
			l := d.payoutLine(p, P01)
			l.Status, l.AgeDays = "open", 0
			l.Members = []Member{p.member()}
			l.Amount, l.Other = p.Stated, Some(composed)
			d.out.Lines = append(d.out.Lines, l)
		}
	}
}

func (c Class) family() byte {
	if c == "" {
		return 0
	}
	return c[0]
}

func (d *Day) payoutLine(p *payout, c Class) Line {
	l := Line{CaseID: p.caseID, Class: c, Status: "open", Lifecycle: CaseNew, FirstSeen: min(p.firstSeen, d.set.Date), Leg: LegAB,
		MID: p.MID, Channel: p.Channel, Kind: txn.Payout.String(), Rows: max(p.Rows, 1), Amount: Some(p.expected()), Currency: p.Currency,
		SettleDate: p.Date, DueDate: p.Due, DueNote: p.DueNote, PayoutID: p.ID, Acquirer: p.Acquirer, Detail: string(p.Basis), At: p.at,
		Fee: p.Fees, HasFee: true, Members: []Member{p.member()}}
	if len(p.Parts) > 0 {
		l.Source = p.Parts[0].Source
		if l.At.Member == "" {
			l.At = refOf(p.Parts[0].Member)
		}
	}
	if p.row >= 0 {
		l.At, l.Row = d.refs[int(p.row)], d.rows[int(p.row)]
	}
	if p.firstSeen < d.set.Date {
		l.Lifecycle = CaseOpen
	}
	if p.ab.State() == Exception {
		l.AgeDays = max(int(d.set.Date-p.Due), 0)
	}
	if p.credit >= 0 {
		c := int(p.credit)
		ps := d.paidBy[c]
		l.Members = d.membersOf(c)
		for _, q := range ps {
			l.Members = append(l.Members, q.member())
		}
		l.Members = sortMembers(l.Members)
		if len(ps) > 1 {
			l.Amount, l.Rows = Some(sumOf(ps)), 0
			for _, q := range ps {
				l.Rows += max(q.Rows, 1)
			}
		}
		l.Other, l.OtherAt, l.Other2 = Some(d.items[c].amount), d.refs[c], d.rows[c]
		l.BankRef = d.sym.str(d.items[c].ref)
		l.NearPass = p.pass
	}
	return l
}

// refOf splits delivery!member.
func refOf(name string) Ref {
	delivery, member, ok := strings.Cut(name, "!")
	if !ok {
		return Ref{Delivery: name, Member: name}
	}
	return Ref{Delivery: delivery, Member: member}
}

// creditLines writes bank credits that no payout explains, that came twice, or that several payouts make (B06).
func (d *Day) creditLines() {
	for i := range d.items {
		if d.items[i].ab.Class() == B14 {
			d.out.Lines = append(d.out.Lines, d.creditLine(i, B14))
		}
	}
	for _, c := range d.credits {
		it := &d.items[c]
		if it.ab.State() == Exception && (it.ab.Class() == B08 || it.ab.Class() == B13) {
			l := d.creditLine(c, it.ab.Class())
			l.Alias = d.formerPair(it)
			if p, ok := d.doubled[c]; ok {
				l.Amount, l.PayoutID, l.MID, l.Channel, l.SettleDate = Some(p.Amount), p.ID, p.MID, p.Channel, p.Date
				l.OtherAt = p.CreditAt
				if l.OtherAt.Member == "" {
					l.OtherAt = d.firstCredit(p)
				}
			}
			d.out.Lines = append(d.out.Lines, l)
		}
		if ps := d.paidBy[c]; len(ps) > 1 && ps[0].Date != ps[len(ps)-1].Date && it.ab.State() == Matched {
			l := d.creditLine(c, B06)
			l.Amount, l.Rows, l.NearPass = Some(sumOf(ps)), int64(len(ps)), ps[0].pass
			l.MID, l.SettleDate, l.PayoutID = ps[0].MID, ps[0].Date, ps[0].ID
			l.Detail = ps[0].Date.String() + ".." + ps[len(ps)-1].Date.String()
			l.Status, l.AgeDays = "explained", 0
			d.out.Lines = append(d.out.Lines, l)
		}
	}
}

// formerPair is the case under which a credit stood that another one has replaced: it paid a payout short or over.
func (d *Day) formerPair(it *item) string {
	if it.carried < 0 || d.carry.Items[it.carried].Class != B03 && d.carry.Items[it.carried].Class != B04 {
		return ""
	}
	for i := range d.carry.Payouts {
		if p := &d.carry.Payouts[i]; p.CreditKey == d.carry.Items[it.carried].Key {
			return p.CaseID
		}
	}
	return ""
}

// firstCredit finds the credit of today that paid the payout first.
func (d *Day) firstCredit(p Paid) Ref {
	for _, c := range d.credits {
		for _, q := range d.paidBy[c] {
			if q.ID == p.ID && q.Acquirer == p.Acquirer && q.MID == p.MID && q.Date == p.Date && q.Channel == p.Channel {
				return d.refs[c]
			}
		}
	}
	return Ref{}
}

func (d *Day) creditLine(c int, class Class) Line {
	it := &d.items[c]
	l := d.baseLine(c, class)
	l.CaseID, l.Leg = CaseID(string(LegAB), d.keys[c]), LegAB
	l.Members = d.membersOf(c)
	l.Other, l.DueDate = Some(it.amount), it.day
	l.SettleDate = 0
	if it.carried >= 0 {
		l.FirstSeen, l.Lifecycle = d.carry.Items[it.carried].FirstSeen, CaseOpen
	}
	l.AgeDays = max(int(d.set.Date-it.day), 0)
	return l
}

// slotLines writes one line per slot that is missing, held or doubtful, with what waits for it.
func (d *Day) slotLines() {
	d.heldSums()
	for i := range d.slots {
		s := &d.slots[i]
		s.Sum.State, s.Sum.Held, s.Sum.Class, s.Sum.Why, s.Sum.Rejected = s.State, s.Held, s.Class, s.Why, s.rejected
		if s.Class == "" || s.State == SlotNotDue || s.closed != nil || s.past && s.ruled == nil && !s.suspect() && s.Sum.HeldRows == 0 {
			continue
		}
		l := Line{CaseID: CaseID(string(s.Class), s.Source, s.Date.String(), s.Key), Class: s.Class, Status: "open", Lifecycle: CaseNew,
			FirstSeen: cmp.Or(s.firstSeen, d.set.Date), Source: s.Source, Acquirer: s.Acquirer, Rows: max(s.Sum.HeldRows, 1), SettleDate: s.Date,
			Detail: s.Key, CauseCode: s.CauseCode, Held: s.suspect(), At: refOf(s.Sum.File), Currency: d.mainCurrency(),
			Members: []Member{s.member()}}
		if s.past || s.stays {
			l.Lifecycle = CaseOpen
			l.AgeDays = int(d.set.Date - s.Date)
		}
		switch {
		case s.Class == F08:
			l.Rows = s.rejected
		case s.Class == F01 || s.Class == F06:
			l.Amount = Some(s.Sum.HeldSum)
		}
		if st, co, ok := s.disputed(l.Currency); ok {
			l.Amount, l.Other = st, co
		}
		d.out.Lines = append(d.out.Lines, l)
	}
}

// disputed is the stated and the computed figure of the first control that failed and counts money.
func (s *Slot) disputed(cur txn.Currency) (stated, computed Money, ok bool) {
	for _, c := range s.Sum.Controls {
		if c.OK {
			continue
		}
		a, errA := txn.ParseAmount(c.Stated, cur)
		b, errB := txn.ParseAmount(c.Computed, cur)
		if errA == nil && errB == nil && strings.Contains(c.Stated+c.Computed, ".") {
			return Some(a), Some(b), true
		}
	}
	return Money{}, Money{}, false
}

func (d *Day) mainCurrency() txn.Currency {
	if len(d.cur) > 0 {
		return d.cur[0]
	}
	return txn.CNY
}

// heldSums counts what waits for each suspect slot.
func (d *Day) heldSums() {
	for i := range d.items {
		it := &d.items[i]
		v := it.ta
		if it.side == txn.Bank || !it.kind.Transaction() {
			v = it.ab
		}
		if r := v.Reason(); it.wait >= 0 && (r == EvidenceMissing || r == FeedHeld) {
			slot := &d.slots[it.wait]
			if it.side == txn.Bank && slot.Side != txn.Bank && !slot.Notices {
				continue // the credit is held too, but its money is that of the rows already counted
			}
			s := &slot.Sum
			s.HeldRows++
			if d.currencyOf(it) == d.mainCurrency() { // a line has one currency; the others are in the sums by slot
				s.HeldSum += it.amount
			}
		}
	}
	for _, p := range d.payouts { // payouts that nobody can look for wait for the bank's slice
		if p.wait >= 0 && d.slots[p.wait].Side == txn.Bank && p.ab.Reason() == EvidenceMissing && p.Currency == d.mainCurrency() {
			s := &d.slots[p.wait].Sum
			s.HeldRows += max(p.Rows, 1)
			s.HeldSum += p.expected()
		}
	}
}

// gapLines writes X05: what the register or a calendar lacks, once per gap.
func (d *Day) gapLines() {
	keys := slices.SortedFunc(maps.Keys(d.missing), func(a, b gapKey) int {
		return cmp.Or(strings.Compare(a.what, b.what), strings.Compare(a.mid, b.mid), strings.Compare(a.channel, b.channel),
			strings.Compare(a.name, b.name), strings.Compare(a.currency, b.currency))
	})
	for _, k := range keys {
		if d.closedGap(CaseID(string(X05), k.what, k.mid, k.channel, k.name)) {
			continue
		}
		g := d.missing[k]
		cur, _ := txn.ParseCurrency(k.currency)
		l := Line{CaseID: CaseID(string(X05), k.what, k.mid, k.channel, k.name), Class: X05, Status: "open", Lifecycle: CaseNew, FirstSeen: d.set.Date,
			MID: k.mid, Channel: k.channel, Rows: g.rows, Amount: Some(g.amount), Currency: cur, SettleDate: g.date, CauseCode: "no_" + k.what,
			Detail: g.why}
		l.Members = []Member{gapMember(l.CaseID)}
		if g.slot >= 0 {
			l.Source = d.slots[g.slot].Source
		}
		for _, c := range d.carry.Cases {
			if c.ID == l.CaseID {
				l.FirstSeen, l.Lifecycle = c.FirstSeen, CaseOpen
			}
		}
		d.gapCases = append(d.gapCases, CarriedCase{ID: l.CaseID, Class: X05, FirstSeen: l.FirstSeen})
		d.out.Lines = append(d.out.Lines, l)
	}
}

// proofs decomposes every payout that was open today.
func (d *Day) proofs() {
	paid := slices.Clone(d.payouts)
	for _, p := range d.closedPayouts {
		if p.closed != nil && p.credit >= 0 {
			paid = append(paid, p)
		}
	}
	slices.SortStableFunc(paid, (*payout).order)
	for _, p := range paid {
		q := Proof{PayoutID: p.ID, Acquirer: p.Acquirer, MID: p.MID, Channel: p.Channel, Basis: string(p.Basis), Currency: p.Currency,
			From: p.Date, To: p.Date, Rows: p.Rows, Sales: p.Sales, Refunds: p.Refunds, Fees: p.Fees, Adjust: p.Adjust, Reserve: p.Reserve,
			Expected: p.expected(), Due: p.Due, DueNote: p.DueNote, State: p.ab.State(), Reason: p.ab.Reason(), Pass: p.pass,
			Account: p.Account, CaseID: p.caseID, Group: p.group}
		q.Rounding = txn.FineOf(p.Composed.Round(p.Currency), p.Currency) - p.Composed
		if p.Stated.Valid { // what the announcement adds to the sum of the parts is an adjustment without a name (P01)
			q.Adjust += txn.FineOf(p.Stated.Minor-p.Composed.Round(p.Currency), p.Currency)
		}
		q.Carried = txn.FineOf(p.netted, p.Currency)
		for _, part := range p.Parts {
			if part.Member != "" && !slices.Contains(q.Members, part.Member) {
				q.Members = append(q.Members, part.Member)
			}
		}
		if p.credit >= 0 {
			c := int(p.credit)
			q.Credit, q.CreditDate, q.CreditAt, q.BankRef = Some(d.items[c].amount), d.items[c].day, d.refs[c], d.sym.str(d.items[c].ref)
			q.Remainder = p.remainder
		}
		d.out.Proofs = append(d.out.Proofs, q)
	}
}

func (d *Day) groupSums() {
	type k struct {
		store, tid, mid symbol
		channel         txn.Channel
		cur             uint8
	}
	sums := map[k]*GroupSum{}
	at := func(key k) *GroupSum {
		g := sums[key]
		if g == nil {
			g = &GroupSum{Store: d.sym.str(key.store), TID: d.sym.str(key.tid), Channel: key.channel.String(), Currency: d.cur[key.cur], MID: d.sym.str(key.mid)}
			if ms := d.set.Register.MerchantsOf(g.MID); len(ms) > 0 {
				g.Acquirer = ms[0].Acquirer
			}
			sums[key] = g
		}
		return g
	}
	for i := range d.items {
		it := &d.items[i]
		if it.side == txn.Bank || !it.kind.Transaction() || it.carried >= 0 || it.ta.State() == Excluded {
			continue
		}
		key := k{it.store, it.tid, it.mid, it.channel, it.curIdx}
		if it.side == txn.Acquirer && it.partner >= 0 { // under the terminal's own place
			t := &d.items[it.partner]
			key = k{t.store, t.tid, t.mid, t.channel, t.curIdx}
		}
		g := at(key)
		if it.side == txn.Terminal {
			g.TerminalRows, g.TerminalAmount = g.TerminalRows+1, g.TerminalAmount+it.amount
		} else {
			g.AcquirerRows, g.AcquirerAmount, g.Fee = g.AcquirerRows+1, g.AcquirerAmount+it.amount, g.Fee+it.fee
			if it.partner >= 0 {
				continue // its state is counted with its terminal row
			}
		}
		switch it.ta.State() {
		case Matched:
			g.MatchedRows, g.MatchedAmount = g.MatchedRows+1, g.MatchedAmount+it.amount
		case InWindow:
			g.WaitingRows, g.WaitingAmount = g.WaitingRows+1, g.WaitingAmount+it.amount
		case Exception:
			g.ExceptionRows, g.ExceptionAmount = g.ExceptionRows+1, g.ExceptionAmount+it.amount
		}
	}
	for i := range d.bulks {
		b := &d.bulks[i]
		if b.item.side != txn.Terminal {
			continue
		}
		it := &b.item
		g := at(k{it.store, it.tid, it.mid, it.channel, it.curIdx})
		g.TerminalRows, g.TerminalAmount = g.TerminalRows+b.Rows, g.TerminalAmount+b.Amount
		g.MatchedRows, g.MatchedAmount = g.MatchedRows+b.Rows, g.MatchedAmount+b.Amount
		g.AcquirerRows, g.AcquirerAmount, g.Fee = g.AcquirerRows+b.Rows, g.AcquirerAmount+b.Amount, g.Fee+txn.Fine(b.Fee)
	}
	for _, g := range sums {
		d.out.Groups = append(d.out.Groups, *g)
	}
	slices.SortFunc(d.out.Groups, func(a, b GroupSum) int {
		return cmp.Or(strings.Compare(a.Store, b.Store), strings.Compare(a.TID, b.TID), strings.Compare(a.Acquirer, b.Acquirer),
			strings.Compare(a.MID, b.MID), strings.Compare(a.Channel, b.Channel), strings.Compare(a.Currency.String(), b.Currency.String()))
	})
}

func (d *Day) passSums() {
	for i := range d.items {
		it := &d.items[i]
		if it.side != txn.Terminal || it.partner < 0 || it.carried >= 0 && d.items[it.partner].carried >= 0 {
			continue
		}
		d.countPass(it.pass, it.curIdx, 1, it.amount)
	}
	for i := range d.bulks {
		if b := &d.bulks[i]; b.item.side == txn.Terminal {
			d.countPass(b.pass, b.item.curIdx, b.Rows, b.Amount)
			d.cutoff += b.Next
		}
	}
	for _, s := range d.passes {
		d.out.Passes = append(d.out.Passes, *s)
	}
	slices.SortFunc(d.out.Passes, func(a, b PassSum) int {
		return cmp.Or(-strings.Compare(string(a.Leg), string(b.Leg)), strings.Compare(a.Pass, b.Pass), strings.Compare(a.Currency.String(), b.Currency.String()))
	})
}

func (d *Day) countPass(pass, cur uint8, matches, amount int64) {
	k := passKey{LegTA, passes[pass].name, cur}
	s := d.passes[k]
	if s == nil {
		s = &PassSum{Leg: LegTA, Pass: k.pass, Currency: d.cur[cur]}
		d.passes[k] = s
	}
	s.Matches += matches
	s.Rows += 2 * matches
	s.Amount += amount
}

func (d *Day) classSums() {
	type k struct {
		c   Class
		cur string
	}
	sums := map[k]*ClassSum{}
	cases := map[string]bool{}
	at := func(c Class, cur txn.Currency) *ClassSum {
		key := k{c, cur.String()}
		if sums[key] == nil {
			sums[key] = &ClassSum{Class: c, Currency: cur}
		}
		return sums[key]
	}
	for i := range d.out.Lines {
		l := &d.out.Lines[i]
		if l.Lifecycle == CaseCleared || l.Class.OrderClass() {
			continue
		}
		s := at(l.Class, l.Currency)
		s.Rows += l.Rows
		if id := string(l.Class) + l.CaseID; !cases[id] {
			cases[id] = true
			s.Cases++
		}
		switch {
		case l.Fine:
			s.Amount += txn.Fine(l.Difference().Minor).Round(l.Currency)
		case l.Amount.Valid:
			s.Amount += l.Amount.Minor
		default:
			s.Amount += l.Other.Minor
		}
	}
	if d.cutoff > 0 {
		s := at(T24, d.mainCurrency())
		s.Cases, s.Rows = d.cutoff, d.cutoff
	}
	for _, s := range sums {
		d.out.Classes = append(d.out.Classes, *s)
	}
	slices.SortFunc(d.out.Classes, func(a, b ClassSum) int {
		return cmp.Or(strings.Compare(string(a.Class), string(b.Class)), strings.Compare(a.Currency.String(), b.Currency.String()))
	})
}
