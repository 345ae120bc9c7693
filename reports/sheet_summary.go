package reports

import (
	"fmt"
	"strings"
	"time"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

// The summary is one page of two panels: columns A to F answer "how much", H to M answer "who and which".
var summaryWidths = []float64{31, 9, 15, 9, 16, 6, 2, 31, 8, 16, 6, 28, 30}

// First columns of the panels.
const (
	leftPanel  = 0
	rightPanel = 7
	panelCols  = 6
)

// How many lines a block of the summary shows before the rest is added up in one line.
const (
	maxShort   = 9
	maxDue     = 6
	maxMissing = 5
	maxParties = 5
	maxTop     = 10
	maxClasses = 14
)

// panel collects the lines of one half of the page.
type panel struct {
	col   int
	lines [][]cell
	links []link // from is filled in when the panel is placed
	rows  []int  // line index of each link
	cols  []int  // column within the panel of each link
	first int    // sheet row of the panel's first line
}

// row is the sheet row that the next line will stand in.
func (p *panel) row() int { return p.first + len(p.lines) }

func (p *panel) add(cells ...cell) { p.lines = append(p.lines, cells) }

// link makes a cell of the next line a link.
func (p *panel) link(col int, to, tip string) {
	p.links = append(p.links, link{to: to, tip: tip})
	p.rows = append(p.rows, len(p.lines))
	p.cols = append(p.cols, col)
}

// head begins a block. A heading that starts with ">" stands above figures, to the right.
func (p *panel) head(title string, keys ...string) {
	if len(p.lines) > 0 {
		p.add()
	}
	head := make([]cell, panelCols)
	for i := range head {
		head[i] = cell{look: look{fill: fillBlock, bold: true, ink: inkAccent, size: 10, middle: true}}
	}
	head[0].v = title
	p.add(head...)
	if len(keys) == 0 {
		return
	}
	cells := make([]cell, panelCols)
	for i, k := range keys {
		if k != "" {
			name, right := strings.CutPrefix(k, ">")
			cells[i] = headCell(name, right)
			cells[i].look.wrap = false
			cells[i].look.center = i == panelCols-1 && p.col == leftPanel || i == panelCols-3 && p.col == rightPanel
		}
		cells[i].look.rule = 'b'
	}
	p.add(cells...)
}

// summarySheet is the first page.
func summarySheet(b *Book, d *derived) *sheet {
	lang := b.lang()
	g := &grid{}
	name := text.Sheet("summary", lang)
	masthead(g, b)
	start := g.next()
	left := &panel{col: leftPanel, first: start}
	right := &panel{col: rightPanel, first: start}
	shortBlock(left, b, d)
	dueBlock(left, b, d)
	missingBlock(left, b)
	ageBlock(left, b, d)
	tieBlock(left, b)
	callBlock(right, b, d)
	topBlock(right, b, d)
	classBlock(right, b, d)
	clearedBlock(right, b, d)
	place(g, left, right)
	imprint(g, b)
	s := g.sheet(name, summaryWidths...)
	s.onePage = true
	return s
}

// masthead is title, dates and the big verdict.
func masthead(g *grid, b *Book) {
	lang := b.lang()
	v := b.verdict()
	ink, fill, symbol := inkBad, fillBad, "≠"
	switch v {
	case reconcile.Balanced:
		ink, fill, symbol = inkGood, fillGood, "✓"
	case reconcile.Incomplete:
		ink, fill, symbol = inkWarn, fillWarn, "▲"
	case reconcile.Preliminary:
		ink, fill, symbol = inkCalm, fillCalm, "…"
	}
	g.add(30, cell{v: cellText(b.Entity), look: look{bold: true, size: 16, ink: inkAccent, middle: true}})
	g.add(18, cell{v: fmt.Sprintf(text.Label("masthead", lang), b.Date, weekday(b.Date, lang), b.Revision,
		b.asOf().Format("2006-01-02 15:04"), b.zoneName()), look: look{ink: inkMuted, size: 10, middle: true}})
	g.add(6)
	band := func(s string, size, height float64, bold bool) {
		row := g.next()
		cells := make([]cell, len(summaryWidths))
		for i := range cells {
			cells[i] = cell{look: look{fill: fill, ink: ink, bold: bold, size: size, middle: true, wrap: true}}
		}
		cells[0].v = s
		g.add(height, cells...)
		g.merge = append(g.merge, [2]string{at(0, row), at(len(cells)-1, row)})
	}
	band("  "+symbol+"  "+text.Verdict(v, lang), 20, 36, true)
	band("   "+text.VerdictLine(v, lang), 10, 20, false)
	if v == reconcile.Preliminary && len(b.Outcome.Awaited) > 0 {
		s := "   " + text.Label("awaited", lang) + cellText(strings.Join(b.Outcome.Awaited, text.Label("comma", lang)))
		total := 0.0
		for _, w := range summaryWidths {
			total += w
		}
		band(s, 10, 6+14*float64(wrappedLines(s, total*0.88)), false)
	}
	changeLines(g, b)
	g.add(8)
}

func weekday(d txn.Date, lang text.Lang) string {
	if lang == text.En {
		return d.Weekday().String()
	}
	return "星期" + [...]string{"日", "一", "二", "三", "四", "五", "六"}[d.Weekday()%7]
}

// place puts the panels side by side.
func place(g *grid, panels ...*panel) {
	n := 0
	for _, p := range panels {
		n = max(n, len(p.lines))
	}
	for i := range n {
		cells := make([]cell, len(summaryWidths))
		for _, p := range panels {
			if i < len(p.lines) {
				copy(cells[p.col:], p.lines[i])
			}
		}
		g.add(minLine+0.5, cells...)
	}
	for _, p := range panels {
		for i, l := range p.links {
			l.from = at(p.col+p.cols[i], p.first+p.rows[i])
			g.links = append(g.links, l)
		}
	}
}

func linked(c cell) cell {
	c.look.link, c.look.ink = true, inkCalm
	return c
}

// flat is text of the summary: never wrapped, shortened to its column so that nothing is cut in the middle of a glyph.
func flat(s string, width float64) cell {
	return cell{v: clip(cellText(s), int(width)), look: look{rule: 'b'}}
}

func figures(cells ...cell) []cell {
	for i := range cells {
		cells[i].look.rule = 'b'
		cells[i].look.wrap = false
	}
	return cells
}

// goTo is a place in a table sheet; row 0 leads to the first data row.
func goTo(key string, row int, lang text.Lang) string {
	return quoteSheet(text.Sheet(key, lang)) + "!" + at(0, max(row, firstData))
}

// imprint says which program made the book and when it looked.
func imprint(g *grid, b *Book) {
	lang := b.lang()
	g.add(8)
	cells := make([]cell, len(summaryWidths))
	cells[0] = cell{v: fmt.Sprintf(text.Label("produced", lang), b.Program, b.asOf().Format(time.RFC3339)), look: look{ink: inkMuted, size: 8}}
	g.add(minLine, cells...)
}
