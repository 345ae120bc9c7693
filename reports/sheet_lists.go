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

// caseColumns begin with what a clerk reads and prints, followed by the evidence of both sides.
var caseColumns = []column{
	{key: "no", min: 5, max: 8}, {key: "severity", min: 9, max: 12}, {key: "class", min: 20, max: 28},
	{key: "place", min: 12, max: 22}, {key: "reference", min: 14, max: 24},
	{key: "amount", min: 12, max: 20}, {key: "other_amount", min: 12, max: 20}, {key: "difference", min: 12, max: 20},
	{key: "currency", min: 6, max: 8}, {key: "age_days", min: 6, max: 8}, {key: "due_date", min: 11, max: 12},
	{key: "cause", min: 26, max: 34}, {key: "owner", min: 8, max: 12}, {key: "action", min: 26, max: 34},
	{key: "status", min: 9, max: 14}, {key: "decision", min: 8, max: 20}, // the printed page ends here
	{key: "case_id", min: 24, max: 26},
	{key: "first_seen", min: 11, max: 12}, {key: "lines", min: 6, max: 8}, {key: "near_pass", min: 12, max: 24},
	{key: "differs", min: 16, max: 34}, {key: "candidates", min: 14, max: 110}, {key: "due_note", min: 14, max: 30},
	{key: "leg", min: 8, max: 14}, {key: "settle_date", min: 11, max: 12}, {key: "fee", min: 9, max: 16},
	{key: "payout_id", min: 12, max: 26}, {key: "bank_ref", min: 12, max: 26}, {key: "cluster_id", min: 10, max: 24},
	{key: "evidence", min: 8, max: 12},
}

// sideColumns are shown for each of the two sides, in pairs, so that a difference strikes the eye.
var sideColumns = [sideCount]string{"side", "kind", "rowstatus", "channel", "merchant_id", "store_id", "terminal_id", "batch_no",
	"trace_no", "rrn", "auth_code", "card_no", "order_no", "txn_amount", "txn_time", "file", "line"}

// printedColumns is how many of caseColumns go on paper: beyond them the type would be too small to read.
const printedColumns = 16

// exceptionsTable lists the open cases, one line each, gravest first.
func exceptionsTable(b *Book, d *derived) *table {
	cols := slices.Clone(caseColumns)
	for _, k := range sideColumns {
		for side := 1; side <= 2; side++ {
			c := column{key: fmt.Sprintf("%s_%d", k, side), min: 8, max: 34, group: side}
			if k == "file" {
				c.min, c.max = 20, 44
			}
			cols = append(cols, c)
		}
	}
	n := min(len(d.open), b.Limits.exceptions())
	for i, c := range d.open[:n] {
		c.row = firstData + i%b.Limits.sheetRows()
		if i >= b.Limits.sheetRows() { // links lead to the first sheet only
			c.row = 0
		}
	}
	var scratch []cell // a row is written before the next one is asked for
	t := &table{key: "exceptions", cols: cols, rows: n, freeze: 3, print: printedColumns, row: func(i int) []cell {
		scratch = caseCells(scratch[:0], b, d.open[i], i)
		return scratch
	}}
	lines := make([]*reconcile.Line, n)
	for i, c := range d.open[:n] {
		lines[i] = c.main
	}
	t.peaks = peaks(lines)
	t.note = fmt.Sprintf(text.Label("cases", b.lang()), len(d.open))
	if n < len(d.open) {
		t.note = fmt.Sprintf(text.Label("capped", b.lang()), n, len(d.open))
	}
	if cur, ok := oneCurrency(d.open[:n]); ok && n > 0 {
		var total txn.Fine
		fineUnit := false
		for _, c := range d.open[:n] {
			if diff := c.main.Difference(); diff.Valid {
				total += lineFine(c.main, diff)
				fineUnit = fineUnit || c.main.Fine
			}
		}
		t.title = map[int]cell{7: fine(total, cur).bold().live(
			fmt.Sprintf("ROUND(SUBTOTAL(9,%s),5)", span(7, tableHead+1, tableHead+n))),
			6: {v: text.Label("filtered_sum", b.lang()), look: look{right: true, ink: inkMuted}}}
	}
	return t
}

// peaks finds the lines with the largest and smallest of each sum: no figure of the others is wider.
func peaks(lines []*reconcile.Line) []int {
	type peak struct {
		at int
		v  txn.Fine
	}
	var top [6]peak
	for i, l := range lines {
		for j, m := range [...]reconcile.Money{l.Amount, l.Other, l.Difference()} {
			v := lineFine(l, m)
			if v > top[j].v {
				top[j] = peak{i, v}
			}
			if v < top[j+3].v {
				top[j+3] = peak{i, v}
			}
		}
	}
	if len(lines) == 0 {
		return nil
	}
	var out []int
	for _, p := range top {
		out = append(out, p.at)
	}
	return out
}

// oneCurrency tells whether all cases with money are in one currency.
func oneCurrency(cases []*caseRow) (cur txn.Currency, ok bool) {
	for _, c := range cases {
		switch l := c.main; {
		case l.Currency == (txn.Currency{}):
		case cur == (txn.Currency{}):
			cur = l.Currency
		case cur != l.Currency:
			return cur, false
		}
	}
	return cur, cur != (txn.Currency{})
}

// caseCells appends the i-th line of the sheet to out.
func caseCells(out []cell, b *Book, c *caseRow, i int) []cell {
	l, lang, info := c.main, b.lang(), c.main.Class.Info()
	ink, fill := severityInk(c.severity)
	owner := text.Owner(info.Owner, lang)
	evidence := text.Label("evidence_complete", lang)
	if l.Held {
		evidence = text.Label("evidence_held", lang)
	}
	out = append(out,
		count(int64(i+1)).muted(),
		cell{v: text.Severity(c.severity, lang), look: look{bold: c.severity >= 3, ink: ink, fill: fill, center: true}},
		str(c.classNames(lang)), ident(c.place()), ident(c.reference()),
		sum(l, l.Amount), sum(l, l.Other), sum(l, l.Difference()).bold(), str(l.Currency.String()).centered(),
		ageCell(c.age), date(l.DueDate), str(text.CauseText(l.Class, l.CauseCode, l.Detail, lang)),
		str(owner).bold().centered(), str(text.Action(l.Class, lang)),
		c.statusCell(lang), decisionCell(c.decision(), lang),
		ident(c.id),
		date(l.FirstSeen), count(int64(len(c.lines))), str(l.NearPass), str(differing(l.Differs, lang)),
		str(candidates(l)), str(l.DueNote), str(text.Leg(l.Leg, lang)), date(l.SettleDate), feeCell(l),
		ident(l.PayoutID), ident(l.BankRef), ident(l.ClusterID), str(evidence))
	return pairCells(out, l, lang)
}

// statusCell is status and step of life, and whether the row came after its date was closed.
func (c *caseRow) statusCell(lang text.Lang) cell {
	s := text.Status(c.main.Status, lang) + "\n" + text.Lifecycle(c.main.Lifecycle, lang)
	if slices.ContainsFunc(c.lines, func(l *reconcile.Line) bool { return l.Late }) {
		s += "\n" + text.Label("late_mark", lang)
	}
	x := str(s).centered()
	if c.decided() {
		return x.bold().ink(inkGood)
	}
	return x
}

// shownReason is how much of a reason the list of cases shows; sheet Changes has it whole.
const shownReason = 120

// decisionCell is what a person said: status and author, the reason, until when.
func decisionCell(d *reconcile.Decision, lang text.Lang) cell {
	if d == nil {
		return cell{}
	}
	s := text.DecisionStatus(d.Status, lang) + " · " + clip(oneLine(d.Author), 30)
	if d.Reason != "" {
		s += "\n" + clip(oneLine(d.Reason), shownReason)
	}
	if d.Until != 0 {
		s += "\n" + fmt.Sprintf(text.Label("until_mark", lang), d.Until)
	}
	return str(s)
}

// classNames joins the case's classes, the gravest first.
func (c *caseRow) classNames(lang text.Lang) string {
	names := make([]string, len(c.classes))
	for i, k := range c.classes {
		names[i] = string(k) + " " + text.ClassName(k, lang)
	}
	return strings.Join(names, "\n")
}

func ageCell(days int) cell {
	c := count(int64(days))
	switch {
	case days > 7:
		c = c.bold().ink(inkBad)
	case days > 3:
		c = c.bold().ink(inkWarn)
	case days == 0:
		c = c.muted()
	}
	return c
}

func feeCell(l *reconcile.Line) cell {
	if !l.HasFee {
		return cell{}
	}
	return fine(l.Fee, l.Currency)
}

// candidates lists who else could be the partner: amount, time, numbers, file and line.
func candidates(l *reconcile.Line) string {
	var b strings.Builder
	for i, c := range l.Candidates {
		if i > 0 {
			b.WriteByte('\n')
		}
		if i == 5 {
			fmt.Fprintf(&b, "… +%d", len(l.Candidates)-i)
			break
		}
		fmt.Fprintf(&b, "%s  %s  %s  %s:%d", txn.FormatAmount(c.Amount, l.Currency), c.Time,
			cmp.Or(c.RRN, c.STAN, "-"), c.At, c.At.Line)
	}
	return b.String()
}

// pairCells appends both sides' keys beside each other; where they disagree, both are bold and red.
func pairCells(out []cell, l *reconcile.Line, lang text.Lang) []cell {
	left, right, leftAt, rightAt := sides(l)
	a, b := sideCells(left, leftAt, lang), sideCells(right, rightAt, lang)
	for i := range a {
		if i > 0 && i < sideCount-2 && a[i].v != nil && b[i].v != nil && a[i].v != b[i].v {
			a[i], b[i] = a[i].bold().ink(inkBad), b[i].bold().ink(inkBad)
		}
		out = append(out, a[i], b[i])
	}
	return out
}

// differing shows "field=left|right; ..." one field a line, with the field's name in the reader's language.
func differing(s string, lang text.Lang) string {
	if s == "" {
		return ""
	}
	parts := strings.Split(s, "; ")
	for i, p := range parts {
		if name, values, ok := strings.Cut(p, "="); ok {
			parts[i] = text.Field(name, lang) + ": " + strings.Replace(values, "|", " | ", 1)
		}
	}
	return strings.Join(parts, "\n")
}

// sideCount is how many columns a side has: those of sideColumns.
const sideCount = 17

func sideCells(r *txn.Row, at reconcile.Ref, lang text.Lang) (out [sideCount]cell) {
	if r != nil {
		get := func(f txn.Field) cell { return ident(string(r.Text[f])) }
		out = [sideCount]cell{str(text.Side(r.Side.String(), lang)), str(text.Kind(r.Kind.String(), lang)),
			str(text.RowStatus(r.Status.String(), lang)), str(text.Channel(r.Channel.String(), lang)),
			get(txn.MID), get(txn.Store), get(txn.TID), get(txn.Batch), get(txn.STAN), get(txn.RRN),
			get(txn.AuthCode), get(txn.CardTail), get(txn.OrderNo), money(r.Amount, r.Currency), instant(r.Time)}
	}
	out[sideCount-2] = ident(at.String())
	if at.Line > 0 {
		out[sideCount-1] = count(int64(at.Line))
	}
	return out
}

// clearedTable lists the cases that were open before and are gone, with what made them go.
func clearedTable(b *Book, d *derived) *table {
	lang := b.lang()
	for i, c := range d.cleared {
		c.row = firstData + i
	}
	return &table{key: "cleared", rows: len(d.cleared), freeze: 3, print: 12,
		note: fmt.Sprintf(text.Label("cleared_note", lang), len(d.cleared)),
		cols: []column{{key: "no", min: 5, max: 8}, {key: "class", min: 20, max: 30}, {key: "place", min: 14, max: 24},
			{key: "reference", min: 14, max: 30}, {key: "amount", min: 12, max: 20},
			{key: "other_amount", min: 12, max: 20}, {key: "currency", min: 6, max: 8},
			{key: "first_seen", min: 11, max: 12}, {key: "open_days", min: 8, max: 10},
			{key: "cleared_by", min: 30, max: 60}, {key: "txn_time", min: 19, max: 20}, {key: "due_date", min: 11, max: 12},
			{key: "case_id", min: 24, max: 26}, {key: "file", min: 24, max: 44}, {key: "line", min: 7, max: 9}},
		row: func(i int) []cell {
			c := d.cleared[i]
			l := c.main
			days := cell{}
			if l.FirstSeen != 0 {
				days = count(int64(b.Date - l.FirstSeen))
			}
			ln := cell{}
			if l.At.Line > 0 {
				ln = count(int64(l.At.Line))
			}
			return []cell{count(int64(i + 1)).muted(), str(c.classNames(lang)), ident(c.place()), ident(c.reference()),
				sum(l, l.Amount), sum(l, l.Other), str(l.Currency.String()).centered(), date(l.FirstSeen), days,
				str("✓ " + cmp.Or(l.ClearedBy, text.Label("cleared_unknown", lang))).ink(inkGood), instant(l.TxnTime),
				date(l.DueDate), ident(c.id), ident(l.At.String()), ln}
		}}
}

// openItemsTable lists what waits and is not due, by due date.
func openItemsTable(b *Book, d *derived) *table {
	lang := b.lang()
	n := len(d.waiting)
	t := &table{key: "open_items", rows: n, freeze: 2, print: 13,
		cols: []column{{key: "due_date", min: 12, max: 14}, {key: "class", min: 18, max: 26},
			{key: "amount", min: 13, max: 20}, {key: "currency", min: 6, max: 8}, {key: "acquirer", min: 10, max: 20},
			{key: "place", min: 14, max: 24}, {key: "reference", min: 14, max: 34}, {key: "kind", min: 8, max: 12},
			{key: "channel", min: 9, max: 12}, {key: "rows", min: 7, max: 9}, {key: "txn_time", min: 19, max: 20},
			{key: "settle_date", min: 11, max: 12}, {key: "due_note", min: 22, max: 40},
			{key: "file", min: 24, max: 44}, {key: "line", min: 7, max: 9}, {key: "case_id", min: 24, max: 26}},
		row: func(i int) []cell {
			l := d.waiting[i]
			c := caseRow{id: l.CaseID, main: l}
			due := date(l.DueDate).bold()
			if l.DueDate == 0 {
				due = str(text.Label("due_unknown", lang)).centered()
			}
			ln := cell{}
			if l.At.Line > 0 {
				ln = count(int64(l.At.Line))
			}
			return []cell{due, str(string(l.Class) + " " + text.ClassName(l.Class, lang)), sum(l, l.Amount),
				str(l.Currency.String()).centered(), ident(cmp.Or(l.Acquirer, l.Source)), ident(c.place()),
				ident(c.reference()), str(text.Kind(l.Kind, lang)), str(text.Channel(l.Channel, lang)),
				count(max(l.Rows, 1)), instant(l.TxnTime), date(l.SettleDate), str(l.DueNote), ident(l.At.String()),
				ln, ident(l.CaseID)}
		}}
	t.peaks = peaks(d.waiting)
	t.note = fmt.Sprintf(text.Label("open_note", lang), n)
	if n > 0 && n <= b.Limits.sheetRows() {
		t.totals = currencyTotals(t, d.waiting, lang)
	}
	return t
}

// currencyTotals adds one total a currency below the open items.
func currencyTotals(t *table, lines []*reconcile.Line, lang text.Lang) [][]cell {
	sums := map[txn.Currency]txn.Fine{}
	var order []txn.Currency
	for _, l := range lines {
		if _, ok := sums[l.Currency]; !ok {
			order = append(order, l.Currency)
		}
		sums[l.Currency] += lineFine(l, l.Amount)
	}
	var out [][]cell
	first, last := firstData, tableHead+len(lines)
	for i, cur := range order {
		row := last + 1 + i
		cells := totalCells(len(t.cols), text.Label("total", lang))
		cells[2] = onTotal(money(sums[cur].Round(cur), cur).live(sumIf(2, 3, first, last, row, cur.Decimals())))
		cells[3] = onTotal(str(cur.String()).centered())
		out = append(out, cells)
	}
	return out
}

// totalCells is an empty total line with its label.
func totalCells(n int, label string) []cell {
	cells := make([]cell, n)
	for i := range cells {
		cells[i] = onTotal(cell{})
	}
	cells[0] = onTotal(cell{v: label})
	return cells
}

func onTotal(c cell) cell {
	c.look.bold, c.look.rule = true, 't'
	return c.filled(fillBlock)
}

// sumIf sums a column over the rows of one currency: the one that stands in the total's own line.
func sumIf(col, curCol, first, last, row, decimals int) string {
	return "ROUND(SUMIF(" + span(curCol, first, last) + "," + at(curCol, row) + "," + span(col, first, last) + ")," +
		strconv.Itoa(decimals) + ")"
}
