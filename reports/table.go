package reports

import (
	"fmt"

	"daozhang/reports/text"
)

// column is one column of a table sheet.
type column struct {
	key      string // machine key, in the hidden row; also finds the heading
	min, max float64
	group    int // 1 and 2 tint the headings of the two sides
}

// table is a sheet with one header row at a fixed place: row 1 title and way back, row 2 machine keys (hidden), row 3
// headings, then data, then totals.
type table struct {
	key    string // of the sheet
	note   string // beside the title
	cols   []column
	rows   int
	row    func(i int) []cell
	totals [][]cell
	title  map[int]cell // further cells of the title row, by column
	peaks  []int        // rows with the widest figures, for tables too long to be measured whole
	freeze int          // columns that stay
	print  int          // columns on paper
	plain  bool         // no filter
}

// tableHead is how many rows stand above the data of a table sheet.
const tableHead = 3

// firstData is the row, from 1, of a table's first data row.
const firstData = tableHead + 1

// sheets builds the table's sheets: one, or more where the rows do not fit on one. Totals stand on the last.
func (t *table) sheets(b *Book) []*sheet {
	limit := b.Limits.sheetRows()
	var out []*sheet
	for from, n := 0, 1; from == 0 || from < t.rows; from, n = from+limit, n+1 {
		to := min(from+limit, t.rows)
		name := text.Sheet(t.key, b.lang())
		if n > 1 {
			name = fmt.Sprintf("%s (%d)", name, n)
		}
		totals := t.totals
		if to < t.rows {
			totals = nil
		}
		out = append(out, t.part(b, name, from, to, totals))
	}
	return out
}

func (t *table) part(b *Book, name string, from, to int, totals [][]cell) *sheet {
	n := to - from
	head := [tableHead]line{t.titleLine(b, name), t.keyLine(), t.headLine(b)}
	s := &sheet{name: name, rows: tableHead + n + len(totals), widths: t.fit(head[tableHead-1], from, to, totals),
		freezeRows: tableHead, freezeCols: t.freeze, repeat: fmt.Sprintf("1:%d", tableHead), printCols: t.print,
		links: []link{{from: "A1", to: quoteSheet(text.Sheet("summary", b.lang())) + "!A1"}}}
	last := at(len(t.cols)-1, max(tableHead+n, firstData))
	s.ids = fmt.Sprintf("A%d:%s", firstData, last)
	if !t.plain {
		s.filter = fmt.Sprintf("A%d:%s", tableHead, last)
	}
	head[tableHead-1].height = rowHeight(head[tableHead-1].cells, s.widths) + 4
	s.row = func(i int) line {
		switch {
		case i < tableHead:
			return head[i]
		case i < tableHead+n:
			return line{cells: banded(t.row(from+i-tableHead), i, len(t.cols))}
		}
		return line{cells: totals[i-tableHead-n], height: minLine + 3}
	}
	return s
}

// banded draws the line below each row and tints every second one.
func banded(cells []cell, i, cols int) []cell {
	for len(cells) < cols {
		cells = append(cells, cell{})
	}
	for j := range cells {
		if cells[j].look.rule == 0 {
			cells[j].look.rule = 'b'
		}
		if i%2 == 0 {
			cells[j] = cells[j].filled(fillBand)
		}
	}
	return cells
}

func (t *table) titleLine(b *Book, name string) line {
	cells := make([]cell, len(t.cols))
	cells[0] = cell{v: "‹ " + text.Sheet("summary", b.lang()), look: look{ink: inkCalm, link: true, middle: true}}
	next := 1
	if t.cols[0].max < 10 { // the way back needs more room than a narrow first column has
		next = 2
	}
	cells[next] = cell{v: name + "    " + b.caption() + orNote(t.note),
		look: look{bold: true, size: 11, ink: inkAccent, middle: true}}
	for i, c := range t.title {
		c.look.middle = true
		cells[i] = c
	}
	return line{cells: cells, height: 24}
}

func orNote(s string) string {
	if s == "" {
		return ""
	}
	return "    " + s
}

// caption names the book: entity, date, revision.
func (b *Book) caption() string {
	return cellText(fmt.Sprintf("%s · %s · r%d", b.Entity, b.Date, b.Revision))
}

func (t *table) keyLine() line {
	cells := make([]cell, len(t.cols))
	for i, c := range t.cols {
		cells[i] = cell{v: c.key, look: look{format: formatText, ink: inkMuted}}
	}
	return line{cells: cells, hidden: true, height: minLine}
}

func (t *table) headLine(b *Book) line {
	cells := make([]cell, len(t.cols))
	for i, c := range t.cols {
		fill := fillHead
		switch c.group {
		case 1:
			fill = "3E6A50"
		case 2:
			fill = "6A5433"
		}
		cells[i] = cell{v: text.Heading(c.key, b.lang()),
			look: look{bold: true, ink: "FFFFFF", fill: fill, wrap: true, middle: true, center: true}}
	}
	return line{cells: cells}
}

// Tables of up to measureAll rows are measured whole; of longer ones the first widthSample rows and the peaks are.
const (
	measureAll  = 5000
	widthSample = 1000
)

// fit finds each column's width between its bounds from its heading, its rows and the totals.
func (t *table) fit(head line, from, to int, totals [][]cell) []float64 {
	widths := make([]float64, len(t.cols))
	see := func(i int, c cell, extra float64) {
		widths[i] = max(widths[i], min(cellWidth(c)+extra, t.cols[i].max))
	}
	for i, c := range t.cols {
		widths[i] = c.min
		if h, ok := head.cells[i].v.(string); ok { // headings may wrap once; the filter button takes room
			see(i, cell{v: h}, -float64(textWidth(h))/2+4)
		}
	}
	measure := func(r int) {
		for i, c := range t.row(r) {
			see(i, c, 1.5)
		}
	}
	n := to - from
	if n > measureAll {
		n = widthSample
	}
	for r := from; r < from+n; r++ {
		measure(r)
	}
	for _, r := range t.peaks {
		measure(r)
	}
	for _, row := range totals {
		for i, c := range row {
			if i > 0 {
				see(i, c, 1.5)
			}
		}
	}
	return widths
}

// cellWidth estimates how wide a value prints.
func cellWidth(c cell) float64 {
	switch v := c.v.(type) {
	case string:
		widest := 0
		start := 0
		for i := 0; i <= len(v); i++ {
			if i == len(v) || v[i] == '\n' {
				widest = max(widest, textWidth(v[start:i]))
				start = i + 1
			}
		}
		return float64(widest)
	case int64:
		if c.look.format == formatDate {
			return 10
		}
		return float64(len(fmt.Sprint(v)))*1.34 + 1
	case float64:
		if c.look.format == formatTime {
			return 18.5
		}
		n := len(fmt.Sprintf("%.2f", v))
		return float64(n)*1.3 + 1
	}
	return 0
}
