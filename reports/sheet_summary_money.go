package reports

import (
	"cmp"
	"fmt"
	"slices"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

// shortBlock answers: how much did not arrive that should have.
func shortBlock(p *panel, b *Book, d *derived) {
	lang := b.lang()
	type key struct {
		class reconcile.Class
		cur   txn.Currency
	}
	type sums struct {
		key
		cases int64
		money txn.Fine
		row   int
	}
	by := map[key]*sums{}
	var order []*sums
	for _, c := range d.open {
		for _, l := range c.lines {
			f := shortfall(l)
			if f == 0 {
				continue
			}
			k := key{l.Class, l.Currency}
			v := by[k]
			if v == nil {
				v = &sums{key: k}
				by[k] = v
				order = append(order, v)
			}
			v.cases++
			v.money += f
			if v.row == 0 {
				v.row = c.row
			}
		}
	}
	slices.SortStableFunc(order, func(x, y *sums) int { return cmp.Compare(y.money, x.money) })
	p.head(text.Label("block_short", lang), text.Heading("class", lang), ">"+text.Heading("cases", lang), "", "",
		">"+text.Heading("amount_short", lang), text.Heading("currency", lang))
	if len(order) == 0 {
		p.add(flat(text.Label("none", lang), 40))
		return
	}
	first := p.row()
	var currencies []txn.Currency
	totals := map[txn.Currency]*sums{}
	for i, v := range order {
		if totals[v.cur] == nil {
			totals[v.cur] = &sums{key: key{cur: v.cur}}
			currencies = append(currencies, v.cur)
		}
		totals[v.cur].cases += v.cases
		totals[v.cur].money += v.money
		if i >= maxShort {
			continue
		}
		p.link(0, goTo("exceptions", v.row, lang), "")
		p.add(figures(linked(flat(string(v.class)+" "+text.ClassName(v.class, lang), summaryWidths[0])), count(v.cases), cell{},
			cell{}, fine(v.money, v.cur), str(v.cur.String()).centered())...)
	}
	last := p.row() - 1
	for _, cur := range currencies {
		v, row := totals[cur], p.row()
		n, f := count(v.cases), fine(v.money, cur)
		if len(order) <= maxShort {
			n = n.live(sumIf(leftPanel+1, leftPanel+5, first, last, row, 0))
			f = f.live(sumIf(leftPanel+4, leftPanel+5, first, last, row, txn.FineDecimals))
		}
		f.look.size, f.look.ink = 11, inkBad
		p.add(summed(cell{v: text.Label("total", lang)}, n, cell{}, cell{}, f, str(cur.String()).centered())...)
	}
}

// dueBlock answers: how much is merely not due, and when it is.
func dueBlock(p *panel, b *Book, d *derived) {
	lang := b.lang()
	p.head(text.Label("block_due", lang), text.Heading("due_date", lang), ">"+text.Heading("sales_n", lang),
		">"+text.Heading("sales_sum", lang), ">"+text.Heading("payouts_n", lang), ">"+text.Heading("payouts_sum", lang),
		text.Heading("currency", lang))
	if len(d.due) == 0 {
		p.add(flat(text.Label("none", lang), 40))
		return
	}
	first := p.row()
	totals := map[txn.Currency]*dueBucket{}
	rests := map[txn.Currency]*dueBucket{}
	var currencies, more []txn.Currency
	add := func(m map[txn.Currency]*dueBucket, order *[]txn.Currency, u *dueBucket) {
		v := m[u.currency]
		if v == nil {
			v = &dueBucket{currency: u.currency, row: u.row}
			m[u.currency] = v
			*order = append(*order, u.currency)
		}
		v.sales, v.saleSum = v.sales+u.sales, v.saleSum+u.saleSum
		v.payouts, v.payoutAt = v.payouts+u.payouts, v.payoutAt+u.payoutAt
	}
	show := func(label cell, u *dueBucket) {
		target := goTo("open_items", tableHead+u.row, lang)
		if u.row > b.Limits.sheetRows() {
			target = goTo("open_items", 0, lang)
		}
		p.link(0, target, "")
		p.add(figures(linked(label), count(u.sales), money(u.saleSum, u.currency), count(u.payouts),
			money(u.payoutAt, u.currency), str(u.currency.String()).centered())...)
	}
	for i, u := range d.due {
		add(totals, &currencies, u)
		if i >= maxDue && len(d.due) > maxDue+1 {
			add(rests, &more, u)
			continue
		}
		show(dueLabel(u.date, lang), u)
	}
	for _, cur := range more {
		show(cell{v: text.Label("later", lang)}, rests[cur])
	}
	last := p.row() - 1
	for _, cur := range currencies {
		u, row, dec := totals[cur], p.row(), cur.Decimals()
		f := func(c cell, col, decimals int) cell {
			return c.live(sumIf(leftPanel+col, leftPanel+5, first, last, row, decimals))
		}
		p.add(summed(cell{v: text.Label("total", lang)}, f(count(u.sales), 1, 0), f(money(u.saleSum, cur), 2, dec),
			f(count(u.payouts), 3, 0), f(money(u.payoutAt, cur), 4, dec), str(cur.String()).centered())...)
	}
}

func dueLabel(d txn.Date, lang text.Lang) cell {
	if d == 0 {
		return cell{v: text.Label("due_unknown", lang)}
	}
	return cell{v: d.String() + " " + weekday(d, lang)}
}

// missingBlock names the files that are missing or held and what waits for them.
func missingBlock(p *panel, b *Book) {
	lang := b.lang()
	p.head(text.Label("block_missing", lang), text.Heading("source", lang), text.Heading("slotstate_short", lang),
		">"+text.Heading("held_amount", lang), ">"+text.Heading("held_rows_short", lang), "  "+text.Heading("due", lang))
	n := 0
	cur := b.home()
	first := p.row()
	var rows, sum int64
	rest := [3]int64{}
	for i, s := range b.Outcome.Slots {
		if s.State != reconcile.SlotMissing && !s.Held {
			continue
		}
		rows, sum = rows+s.HeldRows, sum+s.HeldSum
		if n++; n > maxMissing {
			rest[0], rest[1], rest[2] = rest[0]+1, rest[1]+s.HeldRows, rest[2]+s.HeldSum
			continue
		}
		state := cell{v: text.Label("missing_short", lang), look: look{bold: true, ink: inkBad}}
		if s.Held {
			state = cell{v: text.Label("held_short", lang), look: look{bold: true, ink: inkWarn}}
		}
		p.link(0, goTo("files", firstData+i, lang), "")
		p.add(figures(linked(flat(s.Source+" "+s.Slot, summaryWidths[0])), state, money(s.HeldSum, cur), count(s.HeldRows),
			flat("  "+s.Due, summaryWidths[4]+summaryWidths[5]), cell{})...)
	}
	if n == 0 {
		p.add(flat(text.Label("none_missing", lang), 60))
		return
	}
	if rest[0] > 0 {
		p.link(0, goTo("files", 0, lang), "")
		p.add(figures(linked(cell{v: fmt.Sprintf(text.Label("others", lang), rest[0])}), cell{}, money(rest[2], cur),
			count(rest[1]), cell{}, cell{})...)
	}
	last := p.row() - 1
	p.add(summed(cell{v: text.Label("held_total", lang)}, cell{},
		money(sum, cur).live(fmt.Sprintf("ROUND(SUM(%s),%d)", span(leftPanel+2, first, last), cur.Decimals())),
		count(rows).live("SUM("+span(leftPanel+3, first, last)+")"), cell{}, cell{})...)
}

// ageBands are upper limits of the age buckets, in days past due.
var ageBands = []int{0, 3, 7, 30}

// ageBlock sorts the unsettled cases by age. Where cases are in several currencies, the money shown is that of the home
// currency alone, and its heading says so.
func ageBlock(p *panel, b *Book, d *derived) {
	lang := b.lang()
	cur, one := oneCurrency(d.open)
	if !one {
		cur = b.home()
	}
	p.head(text.Label("block_age", lang), text.Heading("age_days", lang), ">"+text.Heading("cases", lang), "", "",
		fmt.Sprintf(">"+text.Label("stake_in", lang), cur), text.Heading("currency", lang))
	counts, sums := make([]int64, len(ageBands)+1), make([]txn.Fine, len(ageBands)+1)
	var total, closed txn.Fine
	var cases, decided int64
	var firstDecided *caseRow
	for _, c := range d.open {
		if c.decided() {
			decided++
			if firstDecided == nil {
				firstDecided = c
			}
			if c.main.Currency == cur {
				closed += c.atStake()
			}
		}
		if !c.unsettled() {
			continue
		}
		i, _ := slices.BinarySearch(ageBands, c.age)
		counts[i]++
		cases++
		if c.main.Currency == cur {
			sums[i] += c.atStake()
			total += c.atStake()
		}
	}
	first := p.row()
	ccy := str(cur.String()).centered()
	for i := range counts {
		p.add(figures(cell{v: text.Label(fmt.Sprintf("age_%d", i), lang)}, count(counts[i]), cell{}, cell{}, fine(sums[i], cur), ccy)...)
	}
	last := p.row() - 1
	p.add(summed(cell{v: text.Label("total", lang)}, count(cases).live("SUM("+span(leftPanel+1, first, last)+")"),
		cell{}, cell{}, fine(total, cur).live(fmt.Sprintf("ROUND(SUM(%s),5)", span(leftPanel+4, first, last))), ccy)...)
	if decided > 0 {
		p.link(0, goTo("exceptions", firstDecided.row, lang), "")
		p.add(figures(linked(flat(text.Label("decided_line", lang), summaryWidths[0])), count(decided), cell{}, cell{},
			fine(closed, cur), ccy)...)
	}
}

// tieBlock shows whether the money in transit ties out for each acquirer.
func tieBlock(p *panel, b *Book) {
	lang := b.lang()
	if len(b.Outcome.Payouts) == 0 {
		return
	}
	p.head(text.Label("block_tie", lang), text.Heading("acquirer", lang), "", ">"+text.Heading("found", lang), "",
		">"+text.Heading("tie_rest", lang), text.Heading("currency", lang))
	for _, v := range b.Outcome.Payouts {
		p.link(0, quoteSheet(text.Sheet("control", lang))+"!A1", "")
		p.add(figures(linked(flat(v.Acquirer+basisMark(v, lang), summaryWidths[0])), cell{}, money(v.Found, v.Currency), cell{},
			tieOutRest(v), str(v.Currency.String()).centered())...)
	}
}
