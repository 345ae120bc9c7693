package reports

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

// The table of totals: identity in the first columns, then pairs of rows and amount.
const (
	totStore    = 1
	totTerminal = 2
	totAcquirer = 3
	totChannel  = 4
	totCurrency = 5
	totFirst    = 6 // first figure
	totFigures  = 5 // pairs: terminal, acquirer, matched, waiting, exceptions
	totFee      = totFirst + 2*totFigures
	totGap      = totFee + 1
)

// groupFigures are a group's pairs in the order of columns.
func groupFigures(g *reconcile.GroupSum) [2 * totFigures]*int64 {
	return [...]*int64{&g.TerminalRows, &g.TerminalAmount, &g.AcquirerRows, &g.AcquirerAmount, &g.MatchedRows,
		&g.MatchedAmount, &g.WaitingRows, &g.WaitingAmount, &g.ExceptionRows, &g.ExceptionAmount}
}

// totalsTable shows the same figures by acquirer, by store and by terminal, in one table whose first column names the
// level. Stores are sums over neighbouring terminal lines; acquirers are sums over all lines that name them.
func totalsTable(b *Book) *table {
	lang := b.lang()
	detail := slices.Clone(b.Outcome.Groups)
	slices.SortStableFunc(detail, func(x, y reconcile.GroupSum) int {
		return cmp.Or(strings.Compare(x.Currency.String(), y.Currency.String()), strings.Compare(x.Store, y.Store),
			strings.Compare(x.TID, y.TID), strings.Compare(x.Acquirer, y.Acquirer), strings.Compare(x.Channel, y.Channel))
	})
	acquirers := fold(detail, func(g reconcile.GroupSum) reconcile.GroupSum {
		return reconcile.GroupSum{Acquirer: g.Acquirer, Currency: g.Currency}
	})
	slices.SortStableFunc(acquirers, func(x, y folded) int { return strings.Compare(x.sum.Acquirer, y.sum.Acquirer) })
	stores := fold(detail, func(g reconcile.GroupSum) reconcile.GroupSum {
		return reconcile.GroupSum{Store: g.Store, Currency: g.Currency}
	})
	first := firstData + len(acquirers) + len(stores) // of the terminal lines
	last := first + len(detail) - 1

	t := &table{key: "totals", freeze: 3, note: text.Label("totals_note", lang), rows: last - tableHead,
		cols: totalsColumns()}
	t.row = func(i int) []cell {
		switch n := firstData + i; {
		case i < len(acquirers):
			return groupRow(lang, "level_acquirer", acquirers[i].sum, n, func(col int) string {
				return sumProduct(col, n, first, last)
			})
		case i < len(acquirers)+len(stores):
			s := stores[i-len(acquirers)]
			return groupRow(lang, "level_store", s.sum, n, func(col int) string {
				return "SUM(" + span(col, first+s.from, first+s.to) + ")"
			})
		default:
			return groupRow(lang, "level_terminal", detail[i-len(acquirers)-len(stores)], n, nil)
		}
	}
	sums := fold(detail, func(g reconcile.GroupSum) reconcile.GroupSum { return reconcile.GroupSum{Currency: g.Currency} })
	for i, s := range sums {
		row := last + 1 + i
		cells := groupRow(lang, "total", s.sum, row, func(col int) string {
			return "SUM(" + span(col, first+s.from, first+s.to) + ")"
		})
		for j := range cells {
			cells[j] = onTotal(cells[j])
		}
		t.totals = append(t.totals, cells)
	}
	return t
}

func totalsColumns() []column {
	cols := []column{{key: "level", min: 9, max: 12}, {key: "store_id", min: 9, max: 16}, {key: "terminal_id", min: 10, max: 14},
		{key: "acquirer", min: 10, max: 16}, {key: "channel", min: 9, max: 14}, {key: "currency", min: 6, max: 8}}
	for _, k := range []string{"terminal", "acquirer_side", "matched", "waiting", "exceptions"} {
		cols = append(cols, column{key: k + "_rows", min: 8, max: 11}, column{key: k + "_amount", min: 13, max: 19})
	}
	return append(cols, column{key: "fee", min: 10, max: 16}, column{key: "gap", min: 12, max: 18})
}

// folded is a sum with the range of detail lines, counted from 0, between its first and its last member.
type folded struct {
	sum      reconcile.GroupSum
	from, to int
}

func fold(detail []reconcile.GroupSum, id func(reconcile.GroupSum) reconcile.GroupSum) []folded {
	at := map[reconcile.GroupSum]int{}
	var out []folded
	for i, g := range detail {
		k := id(g)
		j, ok := at[k]
		if !ok {
			j = len(out)
			at[k] = j
			out = append(out, folded{sum: k, from: i})
		}
		f := &out[j]
		f.to = i
		to, from := groupFigures(&f.sum), groupFigures(&g)
		for n := range to {
			*to[n] += *from[n]
		}
		f.sum.Fee += g.Fee
	}
	return out
}

// groupRow is one line of the table. formula gives the live formula of a figure's column, nil where the line is itself
// a source.
func groupRow(lang text.Lang, level string, g reconcile.GroupSum, n int, formula func(col int) string) []cell {
	cells := []cell{str(text.Label(level, lang)), ident(g.Store), ident(g.TID), ident(g.Acquirer),
		str(text.Channel(g.Channel, lang)), str(g.Currency.String()).centered()}
	add := func(c cell, decimals int) {
		if formula != nil {
			c = c.live("ROUND(" + formula(len(cells)) + "," + strconv.Itoa(decimals) + ")")
		}
		cells = append(cells, c)
	}
	for i, v := range groupFigures(&g) {
		if i%2 == 0 {
			add(count(*v), 0)
		} else {
			add(money(*v, g.Currency), g.Currency.Decimals())
		}
	}
	add(fine(g.Fee, g.Currency), txn.FineDecimals)
	gap := money(g.TerminalAmount-g.AcquirerAmount, g.Currency)
	cells = append(cells, gap.live("ROUND("+at(totFirst+1, n)+"-"+at(totFirst+3, n)+","+
		strconv.Itoa(g.Currency.Decimals())+")"))
	if formula != nil {
		for i := range cells {
			cells[i] = cells[i].bold()
			cells[i].look.fill = fillBlock
		}
	}
	return cells
}

// sumProduct adds a column over the terminal lines of the acquirer and currency that stand in row n. EXACT is used
// because conditions given as text would read wildcards and comparison signs in a name.
func sumProduct(col, n, first, last int) string {
	exact := func(c int) string { return "EXACT(" + span(c, first, last) + "," + at(c, n) + ")" }
	return "SUMPRODUCT(" + exact(totAcquirer) + "*" + exact(totCurrency) + "*" + span(col, first, last) + ")"
}
