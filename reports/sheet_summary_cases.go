package reports

import (
	"cmp"
	"fmt"
	"slices"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

// callBlock answers: whom to call, about how much, with which reference.
func callBlock(p *panel, b *Book, d *derived) {
	lang := b.lang()
	p.head(text.Label("block_call", lang), text.Heading("party", lang), ">"+text.Heading("cases", lang),
		">"+text.Heading("stake", lang), text.Heading("currency", lang), text.Heading("top_reference", lang),
		text.Heading("top_class", lang))
	if len(d.parties) == 0 {
		p.add(flat(text.Label("none_call", lang), 60))
		return
	}
	for i, v := range d.parties {
		if i == maxParties {
			p.link(0, goTo("exceptions", 0, lang), "")
			p.add(figures(linked(cell{v: fmt.Sprintf(text.Label("others", lang), len(d.parties)-i)}), cell{}, cell{}, cell{},
				cell{}, cell{})...)
			break
		}
		l := v.top.main
		p.link(4, goTo("exceptions", v.top.row, lang), text.Action(l.Class, lang))
		p.add(figures(flat(text.Owner(v.owner, lang)+" "+v.name, summaryWidths[7]).bold(), count(v.cases), fine(v.stake, v.currency).bold(),
			str(v.currency.String()).centered(), linked(refCell(v.top, summaryWidths[11])),
			flat(string(l.Class)+" "+text.ClassName(l.Class, lang), summaryWidths[12]))...)
	}
}

func refCell(c *caseRow, width float64) cell {
	x := flat(c.reference(), width-1)
	x.look.format = formatText
	return x
}

// topBlock lists the ten cases with most money.
func topBlock(p *panel, b *Book, d *derived) {
	lang := b.lang()
	p.head(text.Label("block_top", lang), text.Heading("class", lang), ">"+text.Heading("age_days_short", lang),
		">"+text.Heading("stake", lang), text.Heading("currency", lang), text.Heading("reference", lang),
		text.Heading("place", lang))
	top := slices.Clone(d.open)
	slices.SortStableFunc(top, func(x, y *caseRow) int { return cmp.Compare(y.stake, x.stake) })
	top = slices.DeleteFunc(top, func(c *caseRow) bool {
		return c.stake == 0 || c.main.Held || c.severity == 0 || c.main.Status != "open" || c.main.Class.OrderClass()
	})
	if len(top) == 0 {
		p.add(flat(text.Label("none", lang), 40))
	}
	for _, c := range top[:min(len(top), maxTop)] {
		l := c.main
		p.link(0, goTo("exceptions", c.row, lang), "")
		p.add(figures(linked(flat(string(l.Class)+" "+text.ClassName(l.Class, lang), summaryWidths[7])), ageCell(c.age),
			fine(c.stake, l.Currency), str(l.Currency.String()).centered(), refCell(c, summaryWidths[11]),
			flat(c.place(), summaryWidths[12]))...)
	}
}

// classBlock counts cases, rows and money by class.
func classBlock(p *panel, b *Book, d *derived) {
	lang := b.lang()
	p.head(text.Label("block_class", lang), text.Heading("class", lang), ">"+text.Heading("cases", lang),
		">"+text.Heading("amount_class", lang), text.Heading("currency", lang), text.Heading("severity", lang),
		text.Heading("owner", lang))
	classes := slices.DeleteFunc(slices.Clone(b.Outcome.Classes), func(v reconcile.ClassSum) bool { return v.Class.OrderClass() })
	slices.SortStableFunc(classes, func(x, y reconcile.ClassSum) int {
		return cmp.Compare(y.Class.Info().Severity, x.Class.Info().Severity)
	})
	var restCases int64
	for i, v := range classes {
		if i >= maxClasses && len(classes) > maxClasses+1 {
			restCases += v.Cases
			continue
		}
		target := quoteSheet(text.Sheet("differences", lang)) + "!A1"
		for _, c := range d.open {
			if slices.Contains(c.classes, v.Class) {
				target = goTo("exceptions", c.row, lang)
				break
			}
		}
		if v.Class == reconcile.T01 || v.Class == reconcile.B01 {
			target = goTo("open_items", 0, lang)
		}
		info := v.Class.Info()
		ink, _ := severityInk(info.Severity)
		amount := money(v.Amount, v.Currency)
		if v.Currency == (txn.Currency{}) && v.Amount == 0 {
			amount = cell{}
		}
		p.link(0, target, "")
		p.add(figures(linked(flat(string(v.Class)+" "+text.ClassName(v.Class, lang), summaryWidths[7])), count(v.Cases), amount,
			str(v.Currency.String()).centered(), cell{v: text.Severity(info.Severity, lang), look: look{ink: ink}},
			flat(text.Owner(info.Owner, lang), summaryWidths[12]))...)
	}
	if restCases > 0 {
		p.link(0, quoteSheet(text.Sheet("differences", lang))+"!A1", "")
		p.add(figures(linked(cell{v: fmt.Sprintf(text.Label("others", lang), len(classes)-maxClasses)}), count(restCases),
			cell{}, cell{}, cell{}, cell{})...)
	}
	if len(classes) == 0 {
		p.add(flat(text.Label("none", lang), 40))
	}
}

// clearedBlock answers: what was open and is gone, and why.
func clearedBlock(p *panel, b *Book, d *derived) {
	lang := b.lang()
	p.head(text.Label("block_cleared", lang))
	if len(d.cleared) == 0 {
		p.add(flat(text.Label("none_cleared", lang), 60))
		return
	}
	p.link(0, goTo("cleared", 0, lang), "")
	p.add(linked(cell{v: fmt.Sprintf(text.Label("cleared_count", lang), len(d.cleared))}))
	for _, c := range d.cleared[:min(len(d.cleared), 3)] {
		l := c.main
		p.link(0, goTo("cleared", c.row, lang), "")
		p.add(figures(linked(flat(string(l.Class)+" "+text.ClassName(l.Class, lang), summaryWidths[7])), cell{},
			fine(c.stake, l.Currency), str(l.Currency.String()).centered(), refCell(c, summaryWidths[11]),
			flat("✓ "+l.ClearedBy, summaryWidths[12]).ink(inkGood))...)
	}
}
