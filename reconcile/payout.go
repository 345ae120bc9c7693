package reconcile

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"daozhang/parsers/txn"
	"daozhang/reconcile/calendar"
	"daozhang/reconcile/register"
)

var nextWorkday = calendar.Cycle{Working: true, N: 1}

// Part is what one slot contributes to a payout.
type Part struct {
	Source string
	Date   txn.Date
	Slot   string
	Member string // delivery!member
	Rows   int64
	Amount int64
	Fee    txn.Fine
}

func (p Part) compare(q Part) int {
	return cmp.Or(strings.Compare(p.Source, q.Source), cmp.Compare(p.Date, q.Date), strings.Compare(p.Slot, q.Slot))
}

// payout is the money that one acquirer owes for one merchant, channel, currency and business date. It is announced
// where a payout row states it, else derived: we sum it ourselves and only a bank credit proves it.
type payout struct {
	ID       string
	Acquirer string
	MID      string
	Channel  string // empty where an announcement covers all channels
	Currency txn.Currency
	Date     txn.Date // business date
	Basis    register.Basis
	Account  string
	Rows     int64
	Sales    txn.Fine
	Refunds  txn.Fine // negative
	Fees     txn.Fine
	Adjust   txn.Fine
	Reserve  txn.Fine
	Composed txn.Fine // sales + refunds + adjustments + reserve - fees
	Stated   Money
	Due      txn.Date
	DueNote  string
	Parts    []Part

	firstSeen txn.Date
	carried   bool
	opened    Class // class under which it was carried in
	caseID    string
	noDue     bool
	wait      int
	netted    int64  // kept back for what earlier days owe, zero or less
	creditKey string // carried: row key of the credit that paid it short or over
	row       int32  // the announcing item, -1 none
	at        Ref    // of the announcing row, when carried
	ab        verdict
	credit    int32 // bank item that paid it, -1 none
	pass      string
	group     int
	remainder int64

	brought  int64    // carried: its sum as it was carried in
	parts    []Part   // carried: what it was made of then
	closed   *Closed  // a memory: closed by a decision on an earlier day
	closing  *closing // closed by a decision today
	reopened bool     // was closed, and is open again today
	late     bool     // has rows of a file for a closed date
	decision string   // in effect, not closing
}

// expected is what the bank must show, in minor units: the announced amount, else the composition, rounded once.
func (p *payout) expected() int64 { return p.gross() + p.netted }

// gross is the payout before anything is kept back for earlier days.
func (p *payout) gross() int64 {
	if p.Stated.Valid {
		return p.Stated.Minor
	}
	return p.Composed.Round(p.Currency)
}

func (p *payout) open() bool { return p.ab.open() || p.ab.state == 0 }

func (p *payout) order(q *payout) int {
	return cmp.Or(cmp.Compare(p.Date, q.Date), strings.Compare(p.Acquirer, q.Acquirer), strings.Compare(p.MID, q.MID),
		strings.Compare(p.Channel, q.Channel), strings.Compare(p.Currency.String(), q.Currency.String()), strings.Compare(p.ID, q.ID))
}

type payoutKey struct {
	acq, mid symbol
	channel  txn.Channel
	cur      uint8
	biz      txn.Date
	id       symbol // where the rows themselves say which payout they are in
}

// compose builds today's payouts from the rows of paying sources, and lets payout rows announce them.
func (d *Day) compose() {
	byKey := map[payoutKey]*payout{}
	of := func(it *item) *payout {
		k := payoutKey{it.acq, it.mid, it.channel, it.curIdx, it.biz, it.payout}
		p := byKey[k]
		if p == nil {
			p = d.newPayout(it)
			p.ID = d.sym.str(it.payout)
			byKey[k] = p
		}
		return p
	}
	d.payOf = make([]*payout, len(d.items))
	for i := range d.items {
		it := &d.items[i]
		if it.side != txn.Acquirer || it.carried >= 0 {
			continue
		}
		if v, out := d.outsideAB(it); out {
			it.ab = v
			continue
		}
		if it.kind == txn.Payout {
			continue
		}
		p := of(it)
		p.add(it.kind, 1, it.amount, it.fee)
		p.late = p.late || d.slots[it.slot].Late != nil
		p.addPart(&d.slots[it.slot], 1, it.amount, it.fee)
		d.payOf[i] = p
	}
	for i := range d.bulks {
		b := &d.bulks[i]
		it := &b.item
		if it.side != txn.Acquirer {
			continue
		}
		p := of(it)
		p.add(it.kind, b.Rows, b.Amount, b.ownFee())
		p.addPart(&d.slots[b.slot], b.Rows, b.Amount, b.ownFee())
		b.pay = p
	}
	for _, p := range byKey {
		d.payouts = append(d.payouts, p)
	}
	defer func() {
		for _, p := range d.payouts {
			if p.carried {
				p.Parts = slices.Clone(p.Parts)
			}
			slices.SortFunc(p.Parts, Part.compare)
		}
	}()
	slices.SortFunc(d.payouts, (*payout).order)
	d.announce()
	d.joinLate()
	for _, p := range d.payouts {
		if !p.carried {
			d.dueOf(p)
		}
	}
}

// outsideAB handles acquirer rows that are in no payout.
func (d *Day) outsideAB(it *item) (verdict, bool) {
	s := &d.slots[it.slot]
	switch {
	case d.heldItem(it):
		return d.heldRow(it), true
	case !s.Pays && !s.Notices:
		return judge(Excluded, SecondWitness, ""), true
	case d.set.GoLive != 0 && it.biz < d.set.GoLive:
		return judge(Excluded, BeforeGoLive, ""), true
	case it.kind.Transaction() && !it.status.Success(), it.kind == txn.Preauth:
		return judge(Excluded, NoMoney, ""), true
	}
	return verdict{}, false
}

func (d *Day) newPayout(it *item) *payout {
	return &payout{Acquirer: d.sym.str(it.acq), MID: d.sym.str(it.mid), Channel: it.channel.String(), Currency: d.currencyOf(it),
		Date: it.biz, Basis: register.Derived, firstSeen: d.set.Date, row: -1, credit: -1, wait: -1}
}

func (p *payout) add(kind txn.Kind, rows, amount int64, charged txn.Fine) {
	v := txn.FineOf(amount, p.Currency)
	p.Rows += rows
	p.Fees += charged
	p.Composed += v - charged
	switch {
	case kind == txn.Reserve:
		p.Reserve += v
	case kind == txn.Adjustment || kind == txn.Chargeback || kind == txn.Fee:
		p.Adjust += v
	case amount < 0:
		p.Refunds += v
	default:
		p.Sales += v
	}
}

func (p *payout) addPart(s *Slot, rows, amount int64, charged txn.Fine) {
	for i := range p.Parts {
		q := &p.Parts[i]
		if q.Source == s.Source && q.Slot == s.Key && q.Date == s.Date {
			q.Rows, q.Amount, q.Fee = q.Rows+rows, q.Amount+amount, q.Fee+charged
			return
		}
	}
	p.Parts = append(p.Parts, Part{s.Source, s.Date, s.Key, s.Sum.File, rows, amount, charged})
}

// joinLate adds rows of a file for a closed date to the open payout that they belong to. One that was paid or closed
// already stays as it is: the rows are a payout of their own.
func (d *Day) joinLate() {
	for n, p := range d.payouts {
		if p.carried || !p.late || p.row >= 0 {
			continue
		}
		at := slices.IndexFunc(d.payouts, func(q *payout) bool {
			return q != nil && q.carried && q.Acquirer == p.Acquirer && q.MID == p.MID && q.Date == p.Date && q.Currency == p.Currency &&
				(q.Channel == p.Channel || q.Channel == "") && (p.ID == "" || p.ID == q.ID)
		})
		if at < 0 {
			continue
		}
		d.payouts[at].absorb(p)
		d.movePayout(p, d.payouts[at])
		d.payouts[n] = nil
	}
	d.payouts = slices.DeleteFunc(d.payouts, func(p *payout) bool { return p == nil })
}

// movePayout makes the rows of a payout those of another.
func (d *Day) movePayout(from, to *payout) {
	for i := range d.payOf {
		if d.payOf[i] == from {
			d.payOf[i] = to
		}
	}
	for i := range d.bulks {
		if d.bulks[i].pay == from {
			d.bulks[i].pay = to
		}
	}
}

// announce merges composed payouts into the payout rows that state them. A row without a channel covers all channels of
// its merchant and date.
func (d *Day) announce() {
	for i := range d.items {
		it := &d.items[i]
		if it.kind != txn.Payout || it.side != txn.Acquirer || it.carried >= 0 || it.ab.state != 0 {
			continue
		}
		if p := d.announcedLate(it); p != nil {
			p.ID, p.Basis, p.Stated, p.row = d.sym.str(it.payout), register.Announced, Some(it.amount), int32(i)
			p.Account = cmp.Or(d.sym.str(it.account), p.Account)
			d.payOf[i] = p
			continue
		}
		a := d.newPayout(it)
		a.ID, a.Basis, a.Stated, a.row = d.sym.str(it.payout), register.Announced, Some(it.amount), int32(i)
		a.Account = d.sym.str(it.account)
		if it.channel == txn.NoChannel {
			a.Channel = ""
		}
		for n, p := range d.payouts {
			if p != nil && !p.carried && p.row < 0 && p.Acquirer == a.Acquirer && p.MID == a.MID && p.Date == a.Date && p.Currency == a.Currency &&
				(a.Channel == "" || a.Channel == p.Channel) && (p.ID == "" || p.ID == a.ID) {
				a.absorb(p)
				d.movePayout(p, a)
				d.payouts[n] = nil
			}
		}
		d.payOf[i] = a
		d.payouts = append(slices.DeleteFunc(d.payouts, func(p *payout) bool { return p == nil }), a)
	}
	slices.SortStableFunc(d.payouts, (*payout).order)
}

// announcedLate finds the payout of an earlier day that a payout row of today states, and joins its channels if the row
// covers all of them. The payout keeps its case.
func (d *Day) announcedLate(it *item) *payout {
	var first *payout
	channel := it.channel.String()
	for n, p := range d.payouts {
		if p == nil || !p.carried || p.row >= 0 || p.Stated.Valid || p.Acquirer != d.sym.str(it.acq) || p.MID != d.sym.str(it.mid) ||
			p.Date != it.biz || p.Currency != d.currencyOf(it) || channel != "" && p.Channel != channel || p.ID != "" && p.ID != d.sym.str(it.payout) {
			continue
		}
		if first == nil {
			first = p
			continue
		}
		first.absorb(p)
		first.Channel = ""
		d.joined = append(d.joined, p)
		d.payouts[n] = nil
	}
	d.payouts = slices.DeleteFunc(d.payouts, func(p *payout) bool { return p == nil })
	return first
}

func (p *payout) absorb(q *payout) {
	p.Rows += q.Rows
	p.Sales += q.Sales
	p.Refunds += q.Refunds
	p.Fees += q.Fees
	p.Adjust += q.Adjust
	p.Reserve += q.Reserve
	p.Composed += q.Composed
	p.Parts = slices.Clone(p.Parts) // what was carried in stays as it was
	for _, part := range q.Parts {
		i := slices.IndexFunc(p.Parts, func(x Part) bool { return x.Source == part.Source && x.Slot == part.Slot && x.Date == part.Date })
		if i < 0 {
			p.Parts = append(p.Parts, part)
			continue
		}
		p.Parts[i].Rows += part.Rows
		p.Parts[i].Amount += part.Amount
		p.Parts[i].Fee += part.Fee
	}
}

// dueOf finds by contract when and where the payout must arrive.
func (d *Day) dueOf(p *payout) {
	ch, _ := txn.ParseChannel(p.Channel)
	c, err := d.contractOf(p, ch)
	if err != nil {
		p.Due, p.DueNote = p.Date+1, ""
		if d.hasContracts {
			due, _, _ := d.set.Calendars.Due("weekend", p.Date, nextWorkday)
			p.Due, p.DueNote, p.noDue = due, "unknown, not before "+due.String(), true
			k := gapKey{what: "contract", mid: p.MID, channel: p.Channel, currency: p.Currency.String()}
			if d.missing[k] == nil {
				d.missing[k] = &gap{date: p.Date, why: err.Error(), slot: -1, rows: p.Rows, amount: p.expected()}
			}
		}
		return
	}
	if p.Account == "" {
		p.Account = c.Account
	}
	due, loaded, note := d.set.Calendars.Due(c.Calendar, p.Date, c.Cycle)
	p.Due, p.DueNote = due, note
	if !loaded {
		p.noDue, p.DueNote = true, "unknown, not before "+due.String()
		k := gapKey{what: "calendar", name: c.Calendar, currency: p.Currency.String()}
		if d.missing[k] == nil {
			d.missing[k] = &gap{date: due, why: "calendar " + c.Calendar + " has no days for " + due.String()[:4], slot: -1}
		}
		d.missing[k].rows += p.Rows
		d.missing[k].amount += p.expected()
	}
}

// contractOf finds terms for a payout: fees may differ by card class, cycle and account must not, so any class answers.
func (d *Day) contractOf(p *payout, ch txn.Channel) (register.Contract, error) {
	c, err := d.set.Register.Contract(p.MID, ch, "", "", p.Date)
	if err == nil || !errors.Is(err, register.ErrNoContract) {
		return c, err
	}
	for _, t := range d.set.Register.Tables().Contracts {
		if (t.MID == "" || t.MID == p.MID) && (t.Channel == txn.NoChannel || ch == txn.NoChannel || t.Channel == ch) && t.Validity.Covers(p.Date) {
			return t, nil
		}
	}
	return c, err
}
