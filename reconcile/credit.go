package reconcile

import (
	"cmp"
	"slices"

	"daozhang/parsers/txn"
)

// The rules that say which payouts a credit pays, surest first. See bank.go for their order.

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
		if p := d.oneOf(it, d.ofNamedMerchant(it, fit), d.rivals(c, it)); p != nil {
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

// ofNamedMerchant keeps the payouts that the text does not speak against: where it names merchants of the acquirer, by
// our number or theirs, only payouts of these, even if that leaves none.
func (d *Day) ofNamedMerchant(it *item, ps []*payout) []*payout {
	named := d.namedMerchants(it)
	if len(named) == 0 {
		return ps
	}
	return slices.DeleteFunc(slices.Clone(ps), func(p *payout) bool { return !named[p.MID] })
}

func (d *Day) namedMerchants(it *item) map[string]bool {
	text, acq := d.sym.str(it.text), d.sym.str(it.acq)
	named := map[string]bool{}
	for _, m := range d.set.Register.Tables().Merchants {
		if (acq == "" || m.Acquirer == acq) && (names(text, m.ExternalMID) || names(text, m.MID)) {
			named[m.MID] = true
		}
	}
	return named
}

// byDays looks for a run of neighbouring open payouts, of one place (merchant and channel, merchant, or account), that is
// exactly the credit. Only a single such run counts. Whole asks for all payouts of a day or none: a run over several
// merchants may not pick among them.
func (d *Day) byDays(open []*payout, whole bool, place func(*payout) string) {
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
			runs = append(runs, runsOf(byPlace[k], it.amount, whole)...)
		}
		runs = slices.DeleteFunc(runs, func(r []*payout) bool { return len(d.ofNamedMerchant(it, r)) < len(r) })
		if len(runs) > 1 {
			text := d.sym.str(it.text)
			runs = slices.DeleteFunc(runs, func(r []*payout) bool {
				return !slices.ContainsFunc(r, func(p *payout) bool { return names(text, p.ID) })
			})
		}
		if len(runs) == 1 {
			d.pay(c, runs[0], "days")
		}
	}
}

// runsOf lists the runs of at least two neighbouring payouts whose sum is the amount; whole runs begin and end with a day.
func runsOf(ps []*payout, amount int64, whole bool) (runs [][]*payout) {
	for i := range ps {
		if whole && i > 0 && ps[i-1].Date == ps[i].Date {
			continue
		}
		sum := int64(0)
		for j := i; j < len(ps) && sum < amount; j++ {
			sum += ps[j].expected()
			if sum == amount && j > i && !(whole && j+1 < len(ps) && ps[j+1].Date == ps[j].Date) {
				runs = append(runs, ps[i:j+1])
			}
		}
	}
	return runs
}

// byNetting pays a payout less what its merchant owed the acquirer from earlier days (P08): refunds above sales are kept
// back from the next payout.
func (d *Day) byNetting(open []*payout) {
	for _, c := range d.credits {
		it := &d.items[c]
		if it.ab.state != 0 {
			continue
		}
		var fit []*payout
		next := map[[3]string]bool{} // payouts come by date: a debt is kept back from the first that is open
		for _, p := range d.ofNamedMerchant(it, open) {
			k := [3]string{p.Acquirer, p.MID, p.Channel}
			owed := d.owed(p)
			if owed >= 0 || !d.mayPay(it, p) || next[k] {
				continue
			}
			next[k] = true
			if p.expected()+owed == it.amount {
				fit = append(fit, p)
			}
		}
		if len(fit) == 1 {
			fit[0].netted = d.owed(fit[0])
			d.settleOwed(fit[0])
			d.pay(c, fit, "net")
		}
	}
}

// owed is what is still to be kept back from the payout, in minor units, zero or less.
func (d *Day) owed(p *payout) int64 {
	sum := int64(0)
	for _, o := range d.debts {
		if o.owes(p) {
			sum += o.Amount
		}
	}
	return sum
}

func (o *Debt) owes(p *payout) bool {
	return !o.settled && o.Acquirer == p.Acquirer && o.MID == p.MID && o.Channel == p.Channel && o.Currency == p.Currency && o.Date < p.Date
}

func (d *Day) settleOwed(p *payout) {
	for i := range d.debts {
		if d.debts[i].owes(p) {
			d.debts[i].settled = true
		}
	}
}

// twice finds credits for payouts that are paid already (B13).
func (d *Day) twice() {
	for _, c := range d.credits {
		it := &d.items[c]
		if it.ab.state != 0 || it.acq == 0 {
			continue
		}
		if p, ok := d.paidBefore(c, it); ok { // its payout is remembered for as long as the credit is open
			it.ab = judge(Exception, "", B13)
			d.doubled[c] = p
		}
	}
}

func (d *Day) paidBefore(c int, it *item) (Paid, bool) {
	text, acq, account := d.sym.str(it.text), d.sym.str(it.acq), d.sym.str(it.account)
	// By its amount alone a credit is no second payment while the file that may announce it is missing.
	named, unsure := d.namedMerchants(it), d.suspectSourceOfCredit(it) >= 0
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
		if names(text, p.ID) || p.Amount == it.amount && !unsure && (len(named) == 0 || named[p.MID]) {
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
		if d.suspectSourceOfCredit(it) >= 0 {
			continue // it may be for a payout that nobody has seen yet
		}
		var fit []*payout
		for _, p := range open {
			e := p.expected()
			if d.mayPay(it, p) && p.Due <= it.day && it.amount >= e/2 && it.amount <= 2*e {
				fit = append(fit, p)
			}
		}
		fit = d.ofNamedMerchant(it, fit)
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

// fromMemory lets what is left on either side meet what decisions have closed on the other: by id, by sum, by days. What
// agrees is settled; a credit that names a closed payout and differs opens it again.
func (d *Day) fromMemory(open []*payout) {
	var ps []*payout
	for _, p := range d.closedPayouts {
		if !p.closed.Pair && p.expected() > 0 {
			ps = append(ps, p)
		}
	}
	if len(ps) > 0 {
		d.creditsFor(ps, append(slices.Clone(ps), open...), open)
	}
	var credits []int
	for _, c := range d.closedCredits {
		if !d.items[c].flags.has(closedPair) && d.items[c].kind == txn.Credit {
			credits = append(credits, c)
		}
	}
	if len(credits) > 0 {
		slices.SortFunc(credits, func(a, b int) int { return d.before(int32(a), int32(b)) })
		today := d.credits
		d.credits = credits
		d.creditsFor(open, open, nil)
		d.credits = today
	}
}

// creditsFor looks for the free credits that pay ps, or a run among all; those that name one of others are left for it.
func (d *Day) creditsFor(ps, all, others []*payout) {
	free := d.credits
	d.credits = slices.DeleteFunc(slices.Clone(free), func(c int) bool { return len(d.named(&d.items[c], others)) > 0 })
	slices.SortStableFunc(all, (*payout).order)
	d.byID(ps)
	d.bySum(ps)
	d.byDays(all, false, func(p *payout) string { return p.MID + "|" + p.Channel })
	d.byDays(all, true, func(p *payout) string { return p.MID })
	d.byDays(all, true, func(*payout) string { return "" })
	for _, c := range d.credits {
		if it := &d.items[c]; it.ab.state == 0 && !it.flags.has(closedRow) {
			if named := d.named(it, ps); len(named) > 0 {
				for _, p := range named {
					d.reopenPayout(p)
				}
				d.pay(c, named, "id")
			}
		}
	}
	d.credits = free
}
