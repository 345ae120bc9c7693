package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

// rollTable is the roll-forward. The closing figure is the program's; its live formula is opening + new - cleared +
// reclassified, and the check column shows what the two differ by.
func rollTable(b *Book) *table {
	lang, roll := b.lang(), b.Outcome.Roll
	cols := []column{{key: "class", min: 22, max: 34}, {key: "leg", min: 10, max: 16}, {key: "side", min: 8, max: 12},
		{key: "currency", min: 6, max: 8}}
	for _, k := range []string{"opening", "new", "cleared", "reclassified", "closing"} {
		cols = append(cols, column{key: k + "_rows", min: 8, max: 10}, column{key: k + "_amount", min: 14, max: 20})
	}
	cols = append(cols, column{key: "check_rows", min: 8, max: 12}, column{key: "check_amount", min: 12, max: 18})
	t := &table{key: "roll", rows: len(roll), freeze: 1, cols: cols, note: text.Label("roll_note", lang)}
	t.row = func(i int) []cell {
		r, n := roll[i], firstData+i
		cells := []cell{str(string(r.Class) + " " + text.ClassName(r.Class, lang)).bold(), str(text.Leg(r.Leg, lang)),
			str(text.Side(r.Side.String(), lang)), str(r.Currency.String()).centered()}
		for _, f := range []reconcile.Figure{r.Opening, r.New, r.Cleared, r.Reclassified} {
			cells = append(cells, count(f.Rows), money(f.Amount, r.Currency))
		}
		return append(cells, rollEnd(r, n)...)
	}
	t.totals = rollTotals(t, roll, lang)
	return t
}

// rollEnd is closing and check of one line of the roll-forward that stands in row n.
func rollEnd(r reconcile.RollSum, n int) []cell {
	roll := func(col int) string {
		return fmt.Sprintf("%s+%s-%s+%s", at(col, n), at(col+2, n), at(col+4, n), at(col+6, n))
	}
	gapRows := r.Opening.Rows + r.New.Rows - r.Cleared.Rows + r.Reclassified.Rows - r.Closing.Rows
	gap := r.Opening.Amount + r.New.Amount - r.Cleared.Amount + r.Reclassified.Amount - r.Closing.Amount
	dec := r.Currency.Decimals()
	closingRows, closing := count(r.Closing.Rows).bold(), money(r.Closing.Amount, r.Currency).bold()
	if gapRows == 0 && gap == 0 { // a closing figure that does not follow stays as the program said it
		closingRows = closingRows.live(roll(4))
		closing = closing.live(fmt.Sprintf("ROUND(%s,%d)", roll(5), dec))
	}
	checkRows := count(gapRows).live(roll(4) + "-" + at(12, n))
	checkRows.look.format = formatCheck(0)
	return []cell{closingRows, closing, checkRows,
		money(gap, r.Currency).check(r.Currency).live(fmt.Sprintf("ROUND(%s-%s,%d)", roll(5), at(13, n), dec))}
}

func rollTotals(t *table, roll []reconcile.RollSum, lang text.Lang) [][]cell {
	sums := map[txn.Currency]*reconcile.RollSum{}
	var order []txn.Currency
	add := func(to *reconcile.Figure, f reconcile.Figure) { to.Rows += f.Rows; to.Amount += f.Amount }
	for _, r := range roll {
		s := sums[r.Currency]
		if s == nil {
			s = &reconcile.RollSum{Currency: r.Currency}
			sums[r.Currency] = s
			order = append(order, r.Currency)
		}
		add(&s.Opening, r.Opening)
		add(&s.New, r.New)
		add(&s.Cleared, r.Cleared)
		add(&s.Reclassified, r.Reclassified)
		add(&s.Closing, r.Closing)
	}
	first, last := firstData, tableHead+len(roll)
	var out [][]cell
	for i, cur := range order {
		row, s, dec := last+1+i, sums[cur], cur.Decimals()
		cells := totalCells(len(t.cols), text.Label("total", lang))
		cells[3] = onTotal(str(cur.String()).centered())
		for j, f := range []reconcile.Figure{s.Opening, s.New, s.Cleared, s.Reclassified, s.Closing} {
			col := 4 + 2*j
			cells[col] = onTotal(count(f.Rows).live(sumIf(col, 3, first, last, row, 0)))
			cells[col+1] = onTotal(money(f.Amount, cur).live(sumIf(col+1, 3, first, last, row, dec)))
		}
		out = append(out, cells)
	}
	return out
}

// causeGroup is the unsettled cases of one class, cause and currency.
type causeGroup struct {
	class              reconcile.Class
	cause              string
	cur                txn.Currency
	cases, lines, rows int64
	stake              txn.Fine
	age                int
	top                *caseRow
}

func causeGroups(d *derived) []*causeGroup {
	type key struct {
		class reconcile.Class
		cause string
		cur   txn.Currency
	}
	at := map[key]*causeGroup{}
	var groups []*causeGroup
	for _, c := range d.open {
		if !c.unsettled() {
			continue
		}
		k := key{c.main.Class, text.CauseCode(c.main.Class, c.main.CauseCode), c.main.Currency}
		g := at[k]
		if g == nil {
			g = &causeGroup{class: k.class, cause: k.cause, cur: k.cur, top: c}
			at[k] = g
			groups = append(groups, g)
		}
		g.cases++
		g.lines += int64(len(c.lines))
		g.rows += c.main.Rows
		g.stake += c.atStake()
		g.age = max(g.age, c.age)
		if c.stake > g.top.stake {
			g.top = c
		}
	}
	slices.SortStableFunc(groups, func(x, y *causeGroup) int {
		return cmp.Or(cmp.Compare(y.class.Info().Severity, x.class.Info().Severity), cmp.Compare(y.stake, x.stake))
	})
	return groups
}

// differencesTable counts the unsettled cases by class and cause.
func differencesTable(b *Book, d *derived) *table {
	lang, groups := b.lang(), causeGroups(d)
	t := &table{key: "differences", rows: len(groups), freeze: 2, print: 10, note: text.Label("differences_note", lang),
		cols: []column{{key: "severity", min: 10, max: 12}, {key: "class", min: 22, max: 32},
			{key: "cause_name", min: 22, max: 36}, {key: "cases", min: 7, max: 9}, {key: "stake", min: 14, max: 20},
			{key: "currency", min: 6, max: 8}, {key: "oldest", min: 8, max: 10}, {key: "owner", min: 9, max: 12},
			{key: "action", min: 32, max: 50}, {key: "largest", min: 14, max: 30}, {key: "cause_code", min: 14, max: 22}}}
	t.row = func(i int) []cell {
		g := groups[i]
		ink, fill := severityInk(g.class.Info().Severity)
		return []cell{{v: text.Severity(g.class.Info().Severity, lang), look: look{ink: ink, fill: fill, center: true}},
			str(string(g.class) + " " + text.ClassName(g.class, lang)).bold(), str(text.CauseName(g.class, g.cause, lang)),
			count(g.cases), fine(g.stake, g.cur), currencyCell(g.cur), ageCell(g.age),
			str(text.Owner(g.class.Info().Owner, lang)).centered(), str(text.Action(g.class, lang)),
			ident(g.top.reference()), ident(g.cause)}
	}
	sums, cases := map[txn.Currency]txn.Fine{}, map[txn.Currency]int64{}
	var order []txn.Currency
	for _, g := range groups {
		if cases[g.cur] == 0 {
			order = append(order, g.cur)
		}
		sums[g.cur] += g.stake
		cases[g.cur] += g.cases
	}
	first, last := firstData, tableHead+len(groups)
	for i, cur := range order {
		row := last + 1 + i
		cells := totalCells(len(t.cols), text.Label("total", lang))
		cells[3] = onTotal(count(cases[cur]).live(sumIf(3, 5, first, last, row, 0)))
		cells[4] = onTotal(fine(sums[cur], cur).live(sumIf(4, 5, first, last, row, txn.FineDecimals)))
		cells[5] = onTotal(currencyCell(cur))
		t.totals = append(t.totals, cells)
	}
	return t
}

// currencyCell names a currency; cases without money show a dash, since conditions of formulas need a value.
func currencyCell(c txn.Currency) cell {
	return str(cmp.Or(c.String(), "–")).centered()
}

// filesTable lists every file awaited or received.
func filesTable(b *Book) *table {
	lang, slots := b.lang(), b.Outcome.Slots
	return &table{key: "files", rows: len(slots), freeze: 2, print: 12, note: text.Label("files_note", lang),
		cols: []column{{key: "source", min: 12, max: 22}, {key: "slotstate", min: 12, max: 16}, {key: "side", min: 8, max: 12},
			{key: "slot", min: 12, max: 24}, {key: "business_date", min: 11, max: 12}, {key: "file", min: 26, max: 42},
			{key: "rows", min: 8, max: 11}, {key: "rejected", min: 8, max: 9}, {key: "controls", min: 30, max: 56},
			{key: "held_rows", min: 8, max: 11}, {key: "held_amount", min: 13, max: 20}, {key: "why", min: 22, max: 40},
			{key: "received", min: 17, max: 20}, {key: "due", min: 17, max: 20}, {key: "revision", min: 7, max: 9},
			{key: "aliases", min: 12, max: 30}, {key: "sha256", min: 14, max: 34}},
		row: func(i int) []cell {
			s := slots[i]
			held := cell{}
			heldRows := cell{}
			if s.HeldRows > 0 || s.HeldSum != 0 {
				heldRows, held = count(s.HeldRows).bold().ink(inkWarn), money(s.HeldSum, b.home()).bold()
			}
			return []cell{ident(s.Source).bold(), slotCell(s, lang), str(text.Side(s.Side.String(), lang)), ident(s.Slot),
				date(s.Date), ident(s.File), count(s.Rows), count(s.Rejected), str(controlText(s, lang)), heldRows, held,
				str(whyText(s, lang)), str(s.Received), str(s.Due), count(int64(s.Revision)),
				ident(strings.Join(s.Aliases, "\n")), ident(s.SHA256)}
		}}
}

// home is the currency of figures that carry none of their own: the one most lines are in.
func (b *Book) home() txn.Currency {
	n := map[txn.Currency]int64{}
	best := txn.CNY
	for _, s := range b.Outcome.Sides {
		n[s.Currency] += s.Rows
		if n[s.Currency] > n[best] && s.Currency != (txn.Currency{}) {
			best = s.Currency
		}
	}
	return best
}

func slotCell(s reconcile.SlotSum, lang text.Lang) cell {
	marks := slotMarks(s, lang)
	c := str(text.SlotState(s.State, lang) + marks).bold().centered()
	if s.Held {
		c = str("■ " + text.Label("slot_held", lang) + marks).bold().centered()
		c.look.fill = fillWarn
		return c.ink(inkWarn)
	}
	switch s.State {
	case reconcile.SlotMissing:
		c.look.fill = fillBad
		return c.ink(inkBad)
	case reconcile.SlotReceived:
		return c.ink(inkGood)
	}
	return c.ink(inkMuted)
}

// slotMarks says whether the file came late and whether it replaced another one.
func slotMarks(s reconcile.SlotSum, lang text.Lang) string {
	marks := ""
	if due, came := slotInstant(s.Due), slotInstant(s.Received); !due.IsZero() && came.After(due) {
		marks += "\n" + text.Label("slot_late", lang)
	}
	if s.Revision > 1 {
		marks += "\n" + fmt.Sprintf(text.Label("slot_revised", lang), s.Revision)
	}
	return marks
}

// slotInstant reads the instants of a slot's sum, with or without seconds; all of a book are in one zone.
func slotInstant(s string) time.Time {
	for _, layout := range []string{time.DateTime, "2006-01-02 15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

func controlText(s reconcile.SlotSum, lang text.Lang) string {
	var out []string
	for _, c := range s.Controls {
		name := c.Name
		if c.Scope != "" && c.Scope != "file" {
			name = c.Scope + " " + c.Name
		}
		if c.OK {
			out = append(out, "✓ "+name+" "+c.Stated)
		} else {
			out = append(out, fmt.Sprintf("✗ "+text.Label("control_bad", lang), name, c.Stated, c.Computed))
		}
	}
	return strings.Join(out, "\n")
}

func whyText(s reconcile.SlotSum, lang text.Lang) string {
	if s.Class == "" {
		return s.Why
	}
	return strings.TrimRight(string(s.Class)+" "+text.ClassName(s.Class, lang)+"\n"+s.Why, "\n")
}
