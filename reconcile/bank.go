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

// Paid is a payout that a credit has cleared, remembered for B13.
type Paid struct {
	ID, Acquirer, MID, Channel, Account string
	Currency                            txn.Currency
	Date                                txn.Date // business date
	Amount                              int64
	Booked                              txn.Date
	CreditAt                            Ref
}

// settle matches credits and payouts and gives both their state on leg A-B.
func (d *Day) settle() {
	d.bankLines()
	var open []*payout
	for _, p := range d.payouts {
		if p.expected() <= 0 {
			p.ab = judge(Explained, CarriedNegative, P08)
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
	d.byDays(open, func(p *payout) string { return p.MID })
	d.byDays(open, func(*payout) string { return "" })
	d.samePair(open)
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
}

// bankLines sets aside lines that cannot be a payout's credit, and lists those that can.
func (d *Day) bankLines() {
	anyPayer := len(d.set.Register.Tables().Payers) == 0
	for i := range d.items {
		it := &d.items[i]
		if it.side != txn.Bank {
			continue
		}
		s := &d.slots[it.slot]
		switch {
		case s.Held:
			it.wait = it.slot
			it.ab = judge(InWindow, FeedHeld, s.Class)
		case it.status == txn.Closed || it.flags.has(reversedLine):
			it.ab = judge(Excluded, NoMoney, "")
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

// byID follows payout ids in the remittance text. Where the named payouts do not add up, the credit may still be theirs
// and those of neighbouring days; only byGap calls it short or over.
func (d *Day) byID(open []*payout) {
	for _, c := range d.credits {
		it := &d.items[c]
		if it.ab.state != 0 {
			continue
		}
		if ps := d.named(it, open); len(ps) > 0 && sumOf(ps) == it.amount {
			d.pay(c, ps, "id")
		}
	}
}

func (d *Day) named(it *item, open []*payout) []*payout {
	text := d.sym.str(it.text)
	var ps []*payout
	for _, p := range open {
		if d.mayPay(it, p) && names(text, p.ID) {
			ps = append(ps, p)
		}
	}
	return ps
}

func sumOf(ps []*payout) int64 {
	sum := int64(0)
	for _, p := range ps {
		sum += p.expected()
	}
	return sum
}

// bySum pairs a credit with a payout of exactly its amount. Several payouts of one amount are taken oldest due first,
// unless there are fewer credits than payouts and they belong to different merchants: then the text must name one.
func (d *Day) bySum(open []*payout) {
	for _, c := range d.credits {
		it := &d.items[c]
		if it.ab.state != 0 || d.namesOther(it, open) {
			continue
		}
		var fit []*payout
		for _, p := range open {
			if p.expected() == it.amount && d.mayPay(it, p) {
				fit = append(fit, p)
			}
		}
		if p := d.oneOf(it, fit, d.rivals(c, it)); p != nil {
			d.pay(c, []*payout{p}, "sum")
		}
	}
}

// namesOther reports whether the text names payouts of another amount: then equal sums are chance.
func (d *Day) namesOther(it *item, open []*payout) bool {
	ps := d.named(it, open)
	return len(ps) == 1 && ps[0].expected() != it.amount
}

// rivals counts the free credits that are alike: same acquirer, account and amount.
func (d *Day) rivals(c int, it *item) int {
	n := 0
	for _, o := range d.credits {
		x := &d.items[o]
		if x.ab.state == 0 && x.amount == it.amount && x.acq == it.acq && x.account == it.account && x.curIdx == it.curIdx {
			n++
		}
	}
	return n
}

func (d *Day) oneOf(it *item, fit []*payout, credits int) *payout {
	if len(fit) == 0 {
		return nil
	}
	slices.SortStableFunc(fit, func(a, b *payout) int { return cmp.Or(cmp.Compare(a.Due, b.Due), a.order(b)) })
	if len(fit) == 1 || credits >= len(fit) || sameMerchant(fit) {
		return fit[0]
	}
	if named := d.ofNamedMerchant(it, fit); len(named) > 0 && sameMerchant(named) {
		return named[0]
	}
	due := slices.DeleteFunc(slices.Clone(fit), func(p *payout) bool { return p.Due > it.day })
	if len(due) > 0 && credits >= len(due) {
		return due[0]
	}
	return nil
}

func sameMerchant(ps []*payout) bool {
	for _, p := range ps {
		if p.MID != ps[0].MID {
			return false
		}
	}
	return true
}

// ofNamedMerchant keeps the payouts whose merchant number, ours or the acquirer's, stands in the text.
func (d *Day) ofNamedMerchant(it *item, ps []*payout) []*payout {
	text := d.sym.str(it.text)
	var out []*payout
	for _, p := range ps {
		ids := []string{p.MID}
		for _, m := range d.set.Register.MerchantsOf(p.MID) {
			ids = append(ids, m.ExternalMID)
		}
		if slices.ContainsFunc(ids, func(id string) bool { return names(text, id) }) {
			out = append(out, p)
		}
	}
	return out
}

// byDays looks for a run of neighbouring open payouts, of one place (merchant or account), that is exactly the credit.
// Only a single such run counts.
func (d *Day) byDays(open []*payout, place func(*payout) string) {
	for _, c := range d.credits {
		it := &d.items[c]
		if it.ab.state != 0 {
			continue
		}
		byPlace := map[string][]*payout{}
		var places []string
		for _, p := range open {
			if d.mayPay(it, p) {
				k := place(p)
				if byPlace[k] == nil {
					places = append(places, k)
				}
				byPlace[k] = append(byPlace[k], p)
			}
		}
		var runs [][]*payout
		for _, k := range places {
			runs = append(runs, runsOf(byPlace[k], it.amount)...)
		}
		if len(runs) > 1 {
			text := d.sym.str(it.text)
			runs = slices.DeleteFunc(runs, func(r []*payout) bool {
				return !slices.ContainsFunc(r, func(p *payout) bool { return names(text, p.ID) }) && len(d.ofNamedMerchant(it, r)) == 0
			})
		}
		if len(runs) == 1 {
			d.pay(c, runs[0], "days")
		}
	}
}

// runsOf lists the runs of at least two neighbouring payouts whose sum is the amount.
func runsOf(ps []*payout, amount int64) (runs [][]*payout) {
	for i := range ps {
		sum := int64(0)
		for j := i; j < len(ps) && sum < amount; j++ {
			sum += ps[j].expected()
			if sum == amount && j > i {
				runs = append(runs, ps[i:j+1])
			}
		}
	}
	return runs
}

// twice finds credits for payouts that are paid already (B13).
func (d *Day) twice() {
	for _, c := range d.credits {
		it := &d.items[c]
		if it.ab.state != 0 || it.acq == 0 {
			continue
		}
		if p, ok := d.paidBefore(c, it); ok {
			it.ab = judge(Exception, "", B13)
			d.doubled[c] = p
		}
	}
}

func (d *Day) paidBefore(c int, it *item) (Paid, bool) {
	text, acq, account := d.sym.str(it.text), d.sym.str(it.acq), d.sym.str(it.account)
	past := slices.Clone(d.paid)
	for _, o := range d.credits {
		for _, p := range d.paidBy[o] {
			past = append(past, d.paidOf(p, o))
		}
	}
	for _, p := range past {
		if p.Acquirer != acq || p.Account != "" && p.Account != account || it.day < p.Booked || it.day-p.Booked > paidWindow {
			continue
		}
		if names(text, p.ID) || p.Amount == it.amount {
			return p, true
		}
	}
	return Paid{}, false
}

// byGap pairs what is left where only one pair is possible: the difference is B03 or B04.
func (d *Day) byGap(open []*payout) {
	type offer struct {
		c  int
		ps []*payout
	}
	var offers []offer
	claims := map[*payout]int{}
	for _, c := range d.credits {
		it := &d.items[c]
		if it.ab.state != 0 || it.acq == 0 {
			continue
		}
		if ps := d.named(it, open); len(ps) > 0 {
			d.pay(c, ps, "id")
			continue
		}
		var fit []*payout
		for _, p := range open {
			e := p.expected()
			if d.mayPay(it, p) && p.Due <= it.day && it.amount >= e/2 && it.amount <= 2*e {
				fit = append(fit, p)
			}
		}
		if named := d.ofNamedMerchant(it, fit); len(named) > 0 {
			fit = named
		}
		offers = append(offers, offer{c, fit})
		for _, p := range fit {
			claims[p]++
		}
	}
	for _, o := range offers {
		if len(o.ps) == 1 && claims[o.ps[0]] == 1 && o.ps[0].credit < 0 {
			d.pay(o.c, o.ps, "gap")
		}
	}
}

// samePair keeps a short or over pair of an earlier day together where nothing better has come.
func (d *Day) samePair(open []*payout) {
	byKey := map[string][]*payout{}
	for _, p := range open {
		if p.credit < 0 && p.creditKey != "" {
			byKey[p.creditKey] = append(byKey[p.creditKey], p)
		}
	}
	for _, c := range d.credits {
		if it := &d.items[c]; it.ab.state == 0 && it.carried >= 0 {
			if ps := byKey[d.carry.Items[it.carried].Key]; len(ps) > 0 {
				d.pay(c, ps, "gap")
			}
		}
	}
}

// unpaid judges a payout without a credit at the close of the business date.
func (d *Day) unpaid(p *payout) verdict {
	if p.noDue || p.Due > d.set.Date {
		return judge(InWindow, NotDue, B01)
	}
	if s := d.suspectBankSlot(p.Account, p.Date); s >= 0 {
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
		Date: p.Date, Amount: p.expected(), Booked: it.day, CreditAt: d.refs[c]}
}
