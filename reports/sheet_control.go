package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

// controlWidths of the sheet of control totals; all blocks share them.
var controlWidths = []float64{24, 20, 15, 15, 15, 15, 15, 15, 15, 15, 15, 13}

// controlSheet sets the three kinds of evidence against each other in four blocks: terminal against acquirer by
// currency, composition against bank by acquirer, the tie-out of money in transit, and the identity of every file.
func controlSheet(b *Book) *sheet {
	g := &grid{}
	name := text.Sheet("control", b.lang())
	sheetTitle(g, b, name, "control_note")
	bridgeBlock(g, b)
	compositionBlock(g, b)
	tieOutBlock(g, b)
	identityBlock(g, b)
	s := g.sheet(name, controlWidths...)
	s.freezeRows = 2
	s.repeat = "1:2"
	return s
}

// sheetTitle is the first two lines of a sheet that is no table.
func sheetTitle(g *grid, b *Book, name, note string) {
	lang := b.lang()
	g.add(24, cell{v: "‹ " + text.Sheet("summary", lang), look: look{ink: inkCalm, link: true, middle: true}},
		cell{v: name + "    " + b.caption(), look: look{bold: true, size: 11, ink: inkAccent, middle: true}})
	g.links = append(g.links, link{from: "A1", to: quoteSheet(text.Sheet("summary", lang)) + "!A1"})
	g.add(18, cell{v: text.Label(note, lang), look: look{ink: inkMuted}})
}

// blockHead is a block's heading over the width of the sheet and its column headings.
func blockHead(g *grid, lang text.Lang, title string, cols int, keys ...string) {
	g.add(10)
	head := make([]cell, cols)
	for i := range head {
		head[i] = cell{look: look{fill: fillBlock, bold: true, ink: inkAccent, size: 10, middle: true}}
	}
	head[0].v = text.Label(title, lang)
	g.add(20, head...)
	row := make([]cell, len(keys))
	for i, k := range keys {
		row[i] = headCell(text.Heading(k, lang), i > 0 && k != "slot" && k != "leg")
		row[i].look.center = k == "currency"
	}
	g.add(0, row...)
}

func headCell(s string, right bool) cell {
	return cell{v: s, look: look{bold: true, ink: inkMuted, rule: 'b', wrap: true, right: right}}
}

func ruled(cells ...cell) []cell {
	for i := range cells {
		if cells[i].look.rule == 0 {
			cells[i].look.rule = 'b'
		}
	}
	return cells
}

func summed(cells ...cell) []cell {
	for i := range cells {
		cells[i] = onTotal(cells[i])
	}
	return cells
}

// stateOrder is the order in which the six states explain a side's total down to what is matched.
var stateOrder = []reconcile.State{reconcile.Excluded, reconcile.Rejected, reconcile.Explained, reconcile.InWindow,
	reconcile.Exception}

// bridgeBlock explains, for each currency, how both sides' totals come down to the same matched sum.
func bridgeBlock(g *grid, b *Book) {
	lang := b.lang()
	type sums struct{ rows, amount [2]map[reconcile.State]int64 }
	by := map[txn.Currency]*sums{}
	var order []txn.Currency
	for _, s := range b.Outcome.Sides {
		if s.Leg != reconcile.LegTA || s.Side != txn.Terminal && s.Side != txn.Acquirer {
			continue
		}
		v := by[s.Currency]
		if v == nil {
			v = &sums{}
			for i := range v.rows {
				v.rows[i], v.amount[i] = map[reconcile.State]int64{}, map[reconcile.State]int64{}
			}
			by[s.Currency] = v
			order = append(order, s.Currency)
		}
		v.rows[s.Side-txn.Terminal][s.State] += s.Rows
		v.amount[s.Side-txn.Terminal][s.State] += s.Amount
	}
	blockHead(g, lang, "block_bridge", len(controlWidths), "bridge", "currency", "terminal_rows", "terminal_amount",
		"acquirer_side_rows", "acquirer_side_amount", "gap")
	for _, cur := range order {
		v, dec := by[cur], cur.Decimals()
		total := func(m map[reconcile.State]int64) (n int64) {
			for _, x := range m {
				n += x
			}
			return n
		}
		first := g.next()
		gap := func(x cell) cell {
			return x.live(fmt.Sprintf("ROUND(%s-%s,%d)", at(3, g.next()), at(5, g.next()), dec))
		}
		tAll, aAll := total(v.amount[0]), total(v.amount[1])
		g.add(0, ruled(str(text.Label("bridge_total", lang)).bold(), str(cur.String()).centered(),
			count(total(v.rows[0])).bold(), money(tAll, cur).bold(), count(total(v.rows[1])).bold(), money(aAll, cur).bold(),
			gap(money(tAll-aAll, cur)).bold())...)
		for _, st := range stateOrder {
			t, a := v.amount[0][st], v.amount[1][st]
			g.add(0, ruled(str(text.Label("less", lang)+text.State(st, lang)), str(cur.String()).centered(),
				count(-v.rows[0][st]), money(-t, cur), count(-v.rows[1][st]), money(-a, cur), gap(money(a-t, cur)))...)
		}
		last := g.next() - 1
		cells := []cell{str(text.Label("bridge_matched", lang)), str(cur.String()).centered()}
		for i := range 2 {
			col := 2 + 2*i
			cells = append(cells, count(v.rows[i][reconcile.Matched]).live("SUM("+span(col, first, last)+")"),
				money(v.amount[i][reconcile.Matched], cur).live(fmt.Sprintf("ROUND(SUM(%s),%d)", span(col+1, first, last), dec)))
		}
		rest := v.amount[0][reconcile.Matched] - v.amount[1][reconcile.Matched]
		cells = append(cells, gap(money(rest, cur).check(cur)), cell{v: text.Label("bridge_rest", lang), look: look{ink: inkMuted}})
		g.add(minLine+3, summed(cells...)...)
	}
}

// compositionBlock sums the proofs by acquirer: what the payouts consist of, and what the bank shows for them.
func compositionBlock(g *grid, b *Book) {
	lang := b.lang()
	type key struct {
		acquirer string
		cur      txn.Currency
	}
	type sums struct {
		terms                      [7]txn.Fine
		expected, notYet, credited int64
	}
	by := map[key]*sums{}
	var order []key
	seen := map[string]bool{}
	for _, p := range b.Outcome.Proofs {
		k := key{p.Acquirer, p.Currency}
		v := by[k]
		if v == nil {
			v = &sums{}
			by[k] = v
			order = append(order, k)
		}
		for i, f := range []txn.Fine{p.Sales, p.Refunds, -p.Fees, p.Adjust, p.Reserve, p.Carried, p.Rounding} {
			v.terms[i] += f
		}
		v.expected += p.Expected
		credit := fmt.Sprint(p.CreditAt, p.BankRef)
		switch {
		case !p.Credit.Valid:
			if p.Group == 0 {
				v.notYet += p.Expected
			}
		case p.Group == 0 || !seen[credit]:
			seen[credit] = true
			v.credited += p.Credit.Minor
		}
	}
	blockHead(g, lang, "block_composition", len(controlWidths), "acquirer", "currency", "sales", "refunds", "fees",
		"adjust", "reserve", "carried", "rounding", "expected", "no_credit_yet", "credit_and_gap")
	for _, k := range order {
		v, n, dec := by[k], g.next(), k.cur.Decimals()
		cells := []cell{ident(k.acquirer).bold(), str(k.cur.String()).centered()}
		for _, f := range v.terms {
			cells = append(cells, fine(f, k.cur))
		}
		expected := money(v.expected, k.cur).bold()
		var all txn.Fine
		for _, f := range v.terms {
			all += f
		}
		if all == txn.FineOf(v.expected, k.cur) {
			expected = expected.live(fmt.Sprintf("ROUND(SUM(%s:%s),%d)", at(2, n), at(8, n), dec))
		}
		cells = append(cells, expected, money(v.notYet, k.cur), money(v.credited, k.cur).bold())
		g.add(0, ruled(cells...)...)
		gap := v.credited + v.notYet - v.expected
		rest := make([]cell, 12)
		rest[9] = cell{v: text.Label("composition_rest", lang), look: look{ink: inkMuted, right: true}}
		rest[11] = money(gap, k.cur).check(k.cur).live(fmt.Sprintf("ROUND(%s+%s-%s,%d)", at(11, n), at(10, n), at(9, n), dec))
		g.add(0, rest...)
	}
}

// tieOutBlock follows the money in transit of each acquirer from opening to closing.
func tieOutBlock(g *grid, b *Book) {
	lang := b.lang()
	blockHead(g, lang, "block_tieout", len(controlWidths), "acquirer", "currency", "opening_all", "cleared_net", "found",
		"short", "over", "written_off", "in_transit", "overdue", "held", "remainder")
	for _, p := range b.Outcome.Payouts {
		n, cur := g.next(), p.Currency
		g.add(0, ruled(ident(p.Acquirer+basisMark(p, lang)).bold(), str(cur.String()).centered(),
			money(openingSum(p), cur), money(p.Cleared, cur), money(p.Found, cur),
			money(p.Short, cur), money(p.Over, cur), money(p.WrittenOff, cur), money(p.ClosingTransit, cur),
			money(p.Overdue, cur), money(p.Held, cur), tieOutRest(p).live(tieOutFormula(n, cur)))...)
	}
}

// tieOutRest is what the tie-out of one acquirer does not explain: the program's named remainder. The live formula
// beside it computes it anew.
func tieOutRest(p reconcile.PayoutSum) cell {
	return money(p.Remainder, p.Currency).check(p.Currency)
}

func openingSum(p reconcile.PayoutSum) int64 {
	return p.OpeningTransit + p.OpeningOverdue + p.OpeningHeld
}

func tieOutFormula(n int, cur txn.Currency) string {
	return fmt.Sprintf("ROUND(C%[1]d+D%[1]d-E%[1]d-F%[1]d+G%[1]d-H%[1]d-I%[1]d-J%[1]d-K%[1]d,%[2]d)", n, cur.Decimals())
}

func basisMark(p reconcile.PayoutSum, lang text.Lang) string {
	if p.Basis == "derived" {
		return " (" + text.Basis("derived", lang) + ")"
	}
	return ""
}

// identityBlock states for each file, leg and currency that the rows read and carried in are the sum of the six states.
func identityBlock(g *grid, b *Book) {
	lang := b.lang()
	type key struct {
		leg          reconcile.Leg
		side         txn.Side
		source, slot string
		cur          txn.Currency
	}
	type sums struct {
		rows    map[reconcile.State]int64
		carried int64
		amount  int64
	}
	by := map[key]*sums{}
	var order []key
	for _, s := range b.Outcome.Sides {
		k := key{s.Leg, s.Side, s.Source, s.Slot, s.Currency}
		v := by[k]
		if v == nil {
			v = &sums{rows: map[reconcile.State]int64{}}
			by[k] = v
			order = append(order, k)
		}
		v.rows[s.State] += s.Rows
		v.carried += s.CarriedIn
		v.amount += s.Amount
	}
	slices.SortStableFunc(order, func(x, y key) int {
		return cmp.Or(-strings.Compare(string(x.leg), string(y.leg)), cmp.Compare(x.side, y.side))
	})
	blockHead(g, lang, "block_identity", len(controlWidths), "source", "slot", "leg", "currency", "matched", "in_window",
		"exception", "explained", "excluded", "rejected", "rows_all", "carried_in")
	states := []reconcile.State{reconcile.Matched, reconcile.InWindow, reconcile.Exception, reconcile.Explained,
		reconcile.Excluded, reconcile.Rejected}
	first := g.next()
	var totals [8]int64
	for _, k := range order {
		v, n := by[k], g.next()
		cells := []cell{ident(text.Side(k.side.String(), lang) + " " + k.source), ident(k.slot), str(text.Leg(k.leg, lang)),
			str(k.cur.String()).centered()}
		var all int64
		for i, st := range states {
			cells = append(cells, count(v.rows[st]))
			all += v.rows[st]
			totals[i] += v.rows[st]
		}
		totals[6] += all
		totals[7] += v.carried
		cells = append(cells, count(all).bold().live("SUM("+at(4, n)+":"+at(9, n)+")"), count(v.carried))
		g.add(0, ruled(cells...)...)
	}
	if len(order) == 0 {
		return
	}
	last := g.next() - 1
	cells := []cell{str(text.Label("total", lang)), {}, {}, {}}
	for i, n := range totals {
		cells = append(cells, count(n).live("SUM("+span(4+i, first, last)+")"))
	}
	g.add(minLine+3, summed(cells...)...)
}
