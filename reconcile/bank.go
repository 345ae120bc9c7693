package reconcile

import (
	"cmp"
	"slices"
	"strings"

	"daozhang/parsers/txn"
	"daozhang/reconcile/register"
)

// Leg A-B: which bank credit paid which payouts. Surest evidence first:
//
//	id      the remittance text names the payout
//	sum     one payout of exactly this amount, same acquirer and account, within the window
//	days    contiguous business dates of one merchant (then of one account) that add up to the credit: B06
//	gap     the only payout and the only credit left: B03 or B04, the difference named
//
// Nothing is chosen where two would fit equally well.

// paidWindow is for how many days a paid payout is remembered, so that a second credit for it is known (B13).
const paidWindow = 30

// Debt is what refunds above sales left the merchant owing (P08), until it is kept back from a payout.
type Debt struct {
	Acquirer, MID, Channel string
	Basis                  string
	Currency               txn.Currency
	Date                   txn.Date
	Amount                 int64 // negative

	settled, fresh bool
}

// Paid is a payout that a credit has cleared, remembered for B13.
type Paid struct {
	ID, Acquirer, MID, Channel, Account string
	Currency                            txn.Currency
	Date                                txn.Date // business date
	Amount                              int64
	Booked                              txn.Date
	CreditAt                            Ref
	CreditKey                           string `json:",omitempty"` // row key of the credit
}

// settle matches credits and payouts and gives both their state on leg A-B.
func (d *Day) settle() {
	d.bankLines()
	var open []*payout
	for _, p := range d.payouts {
		if p.expected() <= 0 {
			p.ab = judge(Explained, CarriedNegative, P08)
			if p.expected() < 0 {
				d.debts = append(d.debts, Debt{Acquirer: p.Acquirer, MID: p.MID, Channel: p.Channel, Currency: p.Currency, Basis: string(p.Basis),
					Date: p.Date, Amount: p.expected(), fresh: !p.carried})
			}
			continue
		}
		if s := d.suspectPayoutSlot(p); s >= 0 {
			p.wait = s
			p.ab = judge(InWindow, EvidenceMissing, d.slots[s].Class)
			if d.slots[s].State == SlotNotDue {
				p.ab = judge(InWindow, EvidenceNotDue, "")
			}
			continue
		}
		open = append(open, p)
	}
	d.byID(open)
	d.bySum(open)
	d.byDays(open, false, func(p *payout) string { return p.MID + "|" + p.Channel })
	d.byDays(open, true, func(p *payout) string { return p.MID })
	d.byDays(open, true, func(*payout) string { return "" })
	d.byNetting(open)
	d.samePair(open)
	d.fromMemory(open)
	d.twice()
	d.byGap(open)
	for _, p := range open {
		if p.credit < 0 {
			p.ab = d.unpaid(p)
		}
	}
	for _, c := range d.credits {
		if it := &d.items[c]; it.ab.state == 0 {
			it.ab = d.unknownCredit(it)
		}
	}
	for i, p := range d.payOf {
		if p != nil {
			d.items[i].ab = p.ab
		}
	}
	d.settleBulks()
}

// settleBulks gives plain pairs the state of their payout.
func (d *Day) settleBulks() {
	for i := range d.bulks {
		if b := &d.bulks[i]; b.pay != nil {
			b.ab = b.pay.ab
		}
	}
}

// bankLines sets aside lines that cannot be a payout's credit, and lists those that can.
func (d *Day) bankLines() {
	anyPayer := len(d.set.Register.Tables().Payers) == 0
	for i := range d.items {
		it := &d.items[i]
		if it.side != txn.Bank || it.flags.has(closedRow) {
			continue
		}
		switch {
		case d.heldItem(it):
			it.ab = d.heldRow(it)
		case it.status == txn.Closed || it.flags.has(reversedLine):
			it.ab = judge(Excluded, NoMoney, "")
		case it.kind == txn.Debit && it.flags.has(acquirerLine):
			it.ab = judge(Exception, "", B14)
			if d.beforeGoLive(it) {
				it.ab = judge(Excluded, BeforeGoLive, "")
			}
		case it.kind != txn.Credit || !it.flags.has(acquirerLine) && !anyPayer && !d.namesPayout(it):
			it.ab = judge(Excluded, Unrelated, "")
		default:
			d.credits = append(d.credits, i)
		}
	}
	slices.SortFunc(d.credits, func(a, b int) int {
		return cmp.Or(cmp.Compare(d.items[a].day, d.items[b].day), d.before(int32(a), int32(b)))
	})
}

func (d *Day) namesPayout(it *item) bool {
	text := d.sym.str(it.text)
	for _, p := range d.payouts {
		if names(text, p.ID) {
			return true
		}
	}
	return false
}

// names reports whether the text holds the id as a word of its own.
func names(text, id string) bool {
	if len(id) < 6 {
		return false
	}
	for from := 0; ; {
		i := strings.Index(text[from:], id)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(id)
		if (i == 0 || !alnum(text[i-1])) && (end == len(text) || !alnum(text[end])) {
			return true
		}
		from = i + 1
	}
}

func alnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// mayPay reports whether the credit can be for the payout: acquirer, account, currency and order of days.
func (d *Day) mayPay(it *item, p *payout) bool {
	acq := d.sym.str(it.acq)
	return p.credit < 0 && d.currencyOf(it) == p.Currency && (acq == "" || acq == p.Acquirer) &&
		(p.Account == "" || p.Account == d.sym.str(it.account)) && p.Date <= it.day && it.day-p.Date <= payoutWindow+paidWindow
}

// pay settles the payouts with the credit. The difference is on the last of them.
func (d *Day) pay(c int, ps []*payout, pass string) {
	it := &d.items[c]
	sum := int64(0)
	for _, p := range ps {
		sum += p.expected()
	}
	v := judge(Matched, "", "")
	switch {
	case it.amount < sum:
		v = judge(Exception, "", B03)
	case it.amount > sum:
		v = judge(Exception, "", B04)
	}
	if v.Class() != "" && d.slots[it.slot].Doubtful {
		v = judge(InWindow, EvidenceMissing, d.slots[it.slot].Class)
		it.wait = it.slot
	}
	d.groupNo++
	for _, p := range ps {
		p.credit, p.pass, p.ab = int32(c), pass, v
		if len(ps) > 1 {
			p.group = d.groupNo
		}
	}
	ps[len(ps)-1].remainder = it.amount - sum
	it.ab = v
	d.paidBy[c] = ps
	k := passKey{LegAB, pass, it.curIdx}
	if d.passes[k] == nil {
		d.passes[k] = &PassSum{Leg: LegAB, Pass: pass, Currency: d.currencyOf(it)}
	}
	d.passes[k].Matches++
	d.passes[k].Rows += int64(len(ps)) + 1
	d.passes[k].Amount += it.amount
}

// unpaid judges a payout without a credit at the close of the business date.
func (d *Day) unpaid(p *payout) verdict {
	if p.noDue || p.Due > d.set.Date {
		return judge(InWindow, NotDue, B01)
	}
	if !slices.ContainsFunc(d.slots, func(s Slot) bool { return s.Side == txn.Bank }) {
		return judge(InWindow, EvidenceNotDue, B01) // nobody gave a statement to look in
	}
	overdue := p.carried && p.opened == B02 // it stays so over days on which no statement is promised
	if s := d.suspectBankSlot(p.Account, p.Date, overdue); s >= 0 {
		p.wait = s
		if d.slots[s].State == SlotNotDue {
			return judge(InWindow, EvidenceNotDue, B01)
		}
		return judge(InWindow, EvidenceMissing, d.slots[s].Class)
	}
	return judge(Exception, "", B02)
}

// unknownCredit judges a credit that paid no payout.
func (d *Day) unknownCredit(it *item) verdict {
	if !it.flags.has(acquirerLine) {
		return judge(Excluded, Unrelated, "")
	}
	if d.beforeGoLive(it) {
		return judge(Excluded, BeforeGoLive, "")
	}
	if s := d.suspectSourceOfCredit(it); s >= 0 {
		return d.waitFor(it, s)
	}
	return judge(Exception, "", B08)
}

// beforeGoLive reports whether the credit can only be for business dates before go_live: it was booked before the first
// payout of a business date on or after it was due.
func (d *Day) beforeGoLive(it *item) bool {
	if d.set.GoLive == 0 {
		return false
	}
	if it.day < d.set.GoLive {
		return true
	}
	first := txn.Date(0)
	for _, c := range d.set.Register.Tables().Contracts {
		if !c.Validity.Covers(d.set.GoLive) || !d.contractServes(&c, d.sym.str(it.acq)) {
			continue
		}
		if due, _, _ := d.set.Calendars.Due(c.Calendar, d.set.GoLive, c.Cycle); first == 0 || due < first {
			first = due
		}
	}
	return first != 0 && it.day < first
}

func (d *Day) contractServes(c *register.Contract, acquirer string) bool {
	if c.MID == "" {
		return true
	}
	return slices.ContainsFunc(d.set.Register.MerchantsOf(c.MID), func(m register.Merchant) bool { return m.Acquirer == acquirer })
}

func (d *Day) paidOf(p *payout, c int) Paid {
	it := &d.items[c]
	return Paid{ID: p.ID, Acquirer: p.Acquirer, MID: p.MID, Channel: p.Channel, Account: d.sym.str(it.account), Currency: p.Currency,
		Date: p.Date, Amount: p.expected(), Booked: it.day, CreditAt: d.refs[c], CreditKey: d.keys[c]}
}
