package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

// payoutColumns: the terms of the proof stand from proofSales to proofRounding, in the order of the sum.
var payoutColumns = []column{
	{key: "payout_id", min: 16, max: 26}, {key: "acquirer", min: 10, max: 16}, {key: "proofstate", min: 12, max: 18},
	{key: "days", min: 11, max: 14}, {key: "rows", min: 7, max: 10}, {key: "sales", min: 12, max: 18},
	{key: "refunds", min: 11, max: 16}, {key: "fees", min: 10, max: 16}, {key: "adjust", min: 9, max: 14},
	{key: "reserve", min: 9, max: 14}, {key: "carried", min: 9, max: 14}, {key: "rounding", min: 8, max: 12},
	{key: "expected", min: 13, max: 18}, {key: "credit", min: 13, max: 18}, {key: "remainder", min: 11, max: 16},
	{key: "currency", min: 6, max: 8}, {key: "due_date", min: 11, max: 12}, {key: "credit_date", min: 11, max: 12},
	{key: "bank_ref", min: 14, max: 26}, // the printed page ends here
	{key: "merchant_id", min: 14, max: 20}, {key: "channel", min: 9, max: 14}, {key: "basis", min: 9, max: 12},
	{key: "pass", min: 8, max: 16}, {key: "account", min: 14, max: 26}, {key: "due_note", min: 14, max: 36},
	{key: "credit_file", min: 20, max: 40}, {key: "credit_line", min: 7, max: 9}, {key: "members", min: 20, max: 44},
	{key: "case_id", min: 24, max: 26},
}

// Columns of the proof that formulas name.
const (
	proofSales     = 5
	proofRounding  = 11
	proofExpected  = 12
	proofCredit    = 13
	proofRemainder = 14
	proofCurrency  = 15
	proofPrinted   = 19
)

// payoutsTable proves each payout and each bank credit. Payouts that share a credit stand together, followed by one
// line that sums them against it.
func payoutsTable(b *Book) *table {
	rows := proofRows(b)
	t := &table{key: "payouts", rows: len(rows), freeze: 1, print: proofPrinted, cols: payoutColumns, plain: true,
		note: text.Label("payouts_note", b.lang()), row: func(i int) []cell { return slices.Clone(rows[i]) }}
	t.totals = proofTotals(b, len(rows))
	return t
}

func proofRows(b *Book) [][]cell {
	var rows [][]cell
	proofs := b.Outcome.Proofs
	done := map[int]bool{}
	for i, p := range proofs {
		if p.Group == 0 {
			rows = append(rows, proofCells(b, p, firstData+len(rows), true))
			continue
		}
		if done[p.Group] {
			continue
		}
		done[p.Group] = true
		first := len(rows)
		var group []reconcile.Proof
		for _, q := range proofs[i:] {
			if q.Group == p.Group {
				group = append(group, q)
				rows = append(rows, proofCells(b, q, firstData+len(rows), false))
			}
		}
		rows = append(rows, groupCells(b, group, firstData+first, firstData+len(rows)))
	}
	return rows
}

// proofCells is one payout in row n. Alone, it is set against its credit; in a group the group's line does that.
func proofCells(b *Book, p reconcile.Proof, n int, alone bool) []cell {
	lang, cur := b.lang(), p.Currency
	days := p.From.String()
	if p.To != p.From && p.To != 0 {
		days += "\n" + p.To.String()
	}
	id := cmp.Or(p.PayoutID, text.Basis("derived", lang))
	if !alone {
		id = "└ " + id
	}
	cells := []cell{ident(id).bold(), ident(p.Acquirer), proofState(p, lang), str(days).centered(), count(p.Rows),
		fine(p.Sales, cur), fine(p.Refunds, cur), fine(-p.Fees, cur), fine(p.Adjust, cur), fine(p.Reserve, cur),
		fine(p.Carried, cur), fine(p.Rounding, cur)}
	expected := money(p.Expected, cur).bold()
	if p.Sales+p.Refunds-p.Fees+p.Adjust+p.Reserve+p.Carried+p.Rounding == txn.FineOf(p.Expected, cur) {
		expected = expected.live(fmt.Sprintf("ROUND(SUM(%s:%s),%d)", at(proofSales, n), at(proofRounding, n), cur.Decimals()))
	}
	credit, rest := cell{}, cell{}
	if p.Credit.Valid && alone {
		credit = money(p.Credit.Minor, cur).bold()
		rest = money(p.Credit.Minor-p.Expected, cur).check(cur).live(restFormula(n, cur))
	}
	cells = append(cells, expected, credit, rest, str(cur.String()).centered(), date(p.Due), date(p.CreditDate),
		ident(p.BankRef), ident(p.MID), str(text.Channel(p.Channel, lang)), str(text.Basis(p.Basis, lang)), str(p.Pass),
		ident(p.Account), str(p.DueNote), ident(p.CreditAt.String()))
	ln := cell{}
	if p.CreditAt.Line > 0 {
		ln = count(int64(p.CreditAt.Line))
	}
	return append(cells, ln, ident(strings.Join(p.Members, "\n")), ident(p.CaseID))
}

func restFormula(n int, cur txn.Currency) string {
	return fmt.Sprintf("ROUND(%s-%s,%d)", at(proofCredit, n), at(proofExpected, n), cur.Decimals())
}

func proofState(p reconcile.Proof, lang text.Lang) cell {
	s := text.State(p.State, lang)
	if p.Reason != "" {
		s += "\n" + text.Reason(p.Reason, lang)
	}
	c := str(s).centered()
	switch p.State {
	case reconcile.Matched:
		c.v = "✓ " + s
		return c.ink(inkGood)
	case reconcile.Exception:
		c.v = "✗ " + s
		return c.bold().ink(inkBad)
	}
	return c.ink(inkCalm)
}

// groupCells sums the payouts in rows first to n-1 against their credit. Every payout of the group may name the same
// credit; it counts once.
func groupCells(b *Book, group []reconcile.Proof, first, n int) []cell {
	lang, cur := b.lang(), group[0].Currency
	type place struct {
		at  reconcile.Ref
		ref string
	}
	seen := map[place]bool{}
	var rows, expected, credit int64
	var terms [7]txn.Fine
	var found bool
	var creditDate txn.Date
	var ref string
	for _, p := range group {
		rows += p.Rows
		expected += p.Expected
		for i, f := range []txn.Fine{p.Sales, p.Refunds, -p.Fees, p.Adjust, p.Reserve, p.Carried, p.Rounding} {
			terms[i] += f
		}
		k := place{p.CreditAt, p.BankRef}
		if p.Credit.Valid && !seen[k] {
			seen[k], found = true, true
			credit += p.Credit.Minor
			creditDate, ref = p.CreditDate, p.BankRef
		}
	}
	cells := make([]cell, len(payoutColumns))
	cells[0] = cell{v: fmt.Sprintf(text.Label("group_line", lang), len(group))}
	cells[4] = count(rows).live("SUM(" + span(4, first, n-1) + ")")
	for i, f := range terms {
		col := proofSales + i
		cells[col] = fine(f, cur).live("ROUND(SUM(" + span(col, first, n-1) + "),5)")
	}
	cells[proofExpected] = money(expected, cur).live(
		fmt.Sprintf("ROUND(SUM(%s),%d)", span(proofExpected, first, n-1), cur.Decimals()))
	if found {
		cells[proofCredit] = money(credit, cur)
		cells[proofRemainder] = money(credit-expected, cur).check(cur).live(restFormula(n, cur))
		cells[17], cells[18] = date(creditDate), ident(ref)
	}
	cells[proofCurrency] = str(cur.String()).centered()
	for i := range cells {
		cells[i] = cells[i].filled(fillBlock)
		cells[i].look.bold = true
	}
	return cells
}

// proofTotals sums what was found and what remained. A group's members stand without a credit and a group's line
// repeats their expected sums, so only credits and remainders are added.
func proofTotals(b *Book, n int) [][]cell {
	type key struct {
		at  reconcile.Ref
		ref string
		id  string
	}
	type tot struct{ credit, rest int64 }
	sums := map[txn.Currency]*tot{}
	var order []txn.Currency
	seen := map[key]bool{}
	for _, p := range b.Outcome.Proofs {
		s := sums[p.Currency]
		if s == nil {
			s = &tot{}
			sums[p.Currency] = s
			order = append(order, p.Currency)
		}
		if !p.Credit.Valid {
			continue
		}
		k := key{p.CreditAt, p.BankRef, p.PayoutID}
		if p.Group != 0 {
			k.id = "group " + strconv.Itoa(p.Group)
		}
		if !seen[k] {
			seen[k] = true
			s.credit += p.Credit.Minor
			s.rest += p.Credit.Minor
		}
	}
	// A remainder is a credit less everything expected of it: the members of a group that found its credit count too.
	credited := map[int]bool{}
	for _, p := range b.Outcome.Proofs {
		credited[p.Group] = credited[p.Group] || p.Credit.Valid
	}
	for _, p := range b.Outcome.Proofs {
		if p.Credit.Valid || p.Group != 0 && credited[p.Group] {
			sums[p.Currency].rest -= p.Expected
		}
	}
	first, last := firstData, tableHead+n
	var out [][]cell
	for i, cur := range order {
		row := last + 1 + i
		cells := totalCells(len(payoutColumns), text.Label("total", b.lang()))
		cells[proofCurrency] = onTotal(str(cur.String()).centered())
		s := sums[cur]
		cells[proofCredit] = onTotal(money(s.credit, cur).live(sumIf(proofCredit, proofCurrency, first, last, row, cur.Decimals())))
		cells[proofRemainder] = onTotal(money(s.rest, cur).check(cur).live(
			sumIf(proofRemainder, proofCurrency, first, last, row, cur.Decimals())))
		out = append(out, cells)
	}
	return out
}
