package reports

import (
	"fmt"
	"math"
	"strings"

	"github.com/xuri/excelize/v2"
)

// line is one row of a sheet.
type line struct {
	cells  []cell
	height float64 // points; 0 = computed from wrapped texts
	hidden bool
	build  func() []cell // makes the cells of a line of a long list when it is written
}

// built is the line with its cells.
func (l line) built() line {
	if l.build != nil {
		l.cells = l.build()
	}
	return l
}

// link makes a cell jump to another place of the book.
type link struct{ from, to, tip string }

// sheet is one sheet before it is written. Rows are asked for one by one, twice for the first few: once to find the
// widths, once to write.
type sheet struct {
	name       string
	rows       int
	row        func(i int) line // i counts from 0
	widths     []float64
	freezeRows int
	freezeCols int
	filter     string // range of the filter; its first row holds the headings
	repeat     string // rows repeated on every printed page, e.g. "1:3"
	printCols  int    // columns on paper; 0 = all
	onePage    bool
	grid       bool // show grid lines
	links      []link
	merges     [][2]string
	ids        string // range of text cells that look like numbers
}

// minLine is the height of a row of one line of text, in points.
const minLine = 15.0

// workbook writes sheets into one file.
type workbook struct {
	file   *excelize.File
	styles *styles
	footer string
	digest string
}

func (w *workbook) write(s *sheet) error {
	if err := w.prepare(s); err != nil {
		return fmt.Errorf("sheet %s: %w", s.name, err)
	}
	sw, err := w.file.NewStreamWriter(s.name)
	if err != nil {
		return fmt.Errorf("sheet %s: %w", s.name, err)
	}
	for i, width := range s.widths {
		if err := sw.SetColWidth(i+1, i+1, width); err != nil {
			return fmt.Errorf("sheet %s, column %d: %w", s.name, i+1, err)
		}
	}
	if err := w.stream(s, sw); err != nil {
		return fmt.Errorf("sheet %s: %w", s.name, err)
	}
	for _, m := range s.merges {
		if err := sw.MergeCell(m[0], m[1]); err != nil {
			return fmt.Errorf("sheet %s: %w", s.name, err)
		}
	}
	if err := sw.Flush(); err != nil {
		return fmt.Errorf("sheet %s: %w", s.name, err)
	}
	return nil
}

// stream writes the rows. Its buffers serve all rows, since a day may have a hundred thousand.
func (w *workbook) stream(s *sheet, sw *excelize.StreamWriter) error {
	type known struct {
		look look
		id   int
	}
	// Without a style on the row the library looks up the column's style for every single cell.
	plain, err := w.styles.id(look{})
	if err != nil {
		return err
	}
	var cells []excelize.Cell
	var values []any
	var styles [2][]known // of the cells two rows above, which mostly look the same: every second row is tinted
	for i := range s.rows {
		ln := s.row(i)
		for len(cells) < len(ln.cells) {
			cells = append(cells, excelize.Cell{})
			styles[0], styles[1] = append(styles[0], known{}), append(styles[1], known{})
		}
		values = values[:0]
		for j := range ln.cells {
			c := &ln.cells[j]
			if c.v == nil && c.formula == "" && c.look == (look{}) {
				values = append(values, nil)
				continue
			}
			st := &styles[i%2][j]
			if st.id == 0 || st.look != c.look {
				id, err := w.styles.id(c.look)
				if err != nil {
					return err
				}
				st.look, st.id = c.look, id
			}
			cells[j] = excelize.Cell{StyleID: st.id, Value: c.v, Formula: c.formula}
			values = append(values, &cells[j])
		}
		height := ln.height
		if height == 0 {
			height = rowHeight(ln.cells, s.widths)
		}
		if err := sw.SetRow(at(0, i+1), values, excelize.RowOpts{Height: height, Hidden: ln.hidden, StyleID: plain}); err != nil {
			return fmt.Errorf("row %d: %w", i+1, err)
		}
	}
	return nil
}

// prepare sets everything that the streaming writer emits around the rows: the library drops it silently when it is
// set after the stream has been flushed.
func (w *workbook) prepare(s *sheet) error {
	f := w.file
	last := max(len(s.widths)-1, 0)
	yes, zoom := true, 100.0
	if err := f.SetSheetView(s.name, 0, &excelize.ViewOptions{ShowGridLines: &s.grid, ZoomScale: &zoom}); err != nil {
		return err
	}
	if err := w.page(s, last); err != nil {
		return err
	}
	if s.freezeRows > 0 || s.freezeCols > 0 {
		corner := at(s.freezeCols, s.freezeRows+1)
		pane := "bottomLeft"
		if s.freezeCols > 0 {
			pane = "bottomRight"
		}
		if err := f.SetPanes(s.name, &excelize.Panes{Freeze: true, XSplit: s.freezeCols, YSplit: s.freezeRows,
			TopLeftCell: corner, ActivePane: pane,
			Selection: []excelize.Selection{{SQRef: corner, ActiveCell: corner, Pane: pane}}}); err != nil {
			return err
		}
	}
	if s.filter != "" {
		if err := f.AutoFilter(s.name, s.filter, nil); err != nil {
			return err
		}
	}
	// After AutoFilter, which overwrites the sheet's properties.
	if err := f.SetSheetProps(s.name, &excelize.SheetPropsOptions{FitToPage: &yes}); err != nil {
		return err
	}
	if s.ids != "" {
		if err := f.AddIgnoredErrors(s.name, s.ids, excelize.IgnoredErrorsNumberStoredAsText); err != nil {
			return err
		}
	}
	for _, l := range s.links {
		opt := excelize.HyperlinkOpts{Tooltip: &l.tip}
		if l.tip == "" {
			opt.Tooltip = nil
		}
		if err := f.SetCellHyperLink(s.name, l.from, l.to, "Location", opt); err != nil {
			return err
		}
	}
	return nil
}

// page sets the paper: A4 landscape, one page wide, header rows repeated, and the footer that ties a sheet of paper to
// its file.
func (w *workbook) page(s *sheet, last int) error {
	f := w.file
	paper, landscape, wide, tall := 9, "landscape", 1, 0
	if s.onePage {
		tall = 1
	}
	if err := f.SetPageLayout(s.name, &excelize.PageLayoutOptions{Size: &paper, Orientation: &landscape,
		FitToWidth: &wide, FitToHeight: &tall}); err != nil {
		return err
	}
	side, top, bottom, foot := 0.4, 0.45, 0.6, 0.3
	yes := true
	if err := f.SetPageMargins(s.name, &excelize.PageLayoutMarginsOptions{Left: &side, Right: &side, Top: &top,
		Bottom: &bottom, Footer: &foot, Header: &foot, Horizontally: &yes}); err != nil {
		return err
	}
	if err := f.SetHeaderFooter(s.name, &excelize.HeaderFooterOptions{OddFooter: w.footer}); err != nil {
		return err
	}
	quoted := quoteSheet(s.name)
	if s.repeat != "" {
		from, to, _ := strings.Cut(s.repeat, ":")
		if err := f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", Scope: s.name,
			RefersTo: fmt.Sprintf("%s!$%s:$%s", quoted, from, to)}); err != nil {
			return err
		}
	}
	if s.printCols > 0 {
		last = s.printCols - 1
	}
	return f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Area", Scope: s.name,
		RefersTo: fmt.Sprintf("%s!$A$1:$%s$%d", quoted, colName(last), max(s.rows, 1))})
}

func quoteSheet(name string) string { return "'" + strings.ReplaceAll(name, "'", "''") + "'" }

// rowHeight fits the tallest wrapped text of a row. It errs on the side of room: a cut line is worse than a gap.
func rowHeight(cells []cell, widths []float64) float64 {
	lines := 1
	for i, c := range cells {
		s, ok := c.v.(string)
		if !ok || !c.look.wrap || i >= len(widths) || len(s) <= 4 {
			continue
		}
		lines = max(lines, wrappedLines(s, widths[i]))
	}
	return math.Min(minLine+float64(lines-1)*12.5, 400)
}

// wrapRatio is how many characters of 9 points fit into a unit of width, which is a digit of 11 points; less a margin.
const wrapRatio = 1.12

func wrappedLines(s string, width float64) int {
	room := max(int(width*wrapRatio-0.6), 4)
	n := 0
	for part := range strings.SplitSeq(s, "\n") {
		n += wrapWords(part, room)
	}
	return n
}

// wrapWords counts the lines of one paragraph: Chinese breaks between any two characters, English between words.
func wrapWords(s string, room int) int {
	lines, used, word := 1, 0, 0
	flush := func() {
		if used+word > room && used > 0 {
			lines++
			used = 0
		}
		for word > room {
			lines++
			word -= room
		}
		used += word
		word = 0
	}
	for _, r := range s {
		w := runeWidth(r)
		switch {
		case r == ' ':
			flush()
			if used < room {
				used++
			}
		case w == 2:
			flush()
			word = 2
			flush()
		default:
			word++
		}
	}
	flush()
	return lines
}

// grid collects the rows of a small sheet.
type grid struct {
	lines []line
	links []link
	merge [][2]string
}

// next is the number, from 1, of the row that add will append.
func (g *grid) next() int { return len(g.lines) + 1 }

func (g *grid) add(height float64, cells ...cell) int {
	g.lines = append(g.lines, line{cells: cells, height: height})
	return len(g.lines)
}

func (g *grid) sheet(name string, widths ...float64) *sheet {
	return &sheet{name: name, rows: len(g.lines), row: func(i int) line { return g.lines[i].built() },
		widths: widths, links: g.links, merges: g.merge}
}

// later adds a line whose cells are made when it is written.
func (g *grid) later(build func() []cell) { g.lines = append(g.lines, line{build: build}) }

// fit widens columns to the widest number in them, up to a bound. Lists are measured by their first lines, sums whole.
func (g *grid) fit(widths []float64, bound float64) []float64 {
	measured := 0
	for _, l := range g.lines {
		if l.build != nil {
			if measured++; measured > widthSample {
				continue
			}
		}
		for i, c := range l.built().cells {
			if _, isText := c.v.(string); !isText && c.v != nil {
				widths[i] = max(widths[i], min(cellWidth(c)+1.5, bound))
			}
		}
	}
	return widths
}

// changesWidths of the sheet Changes; all its blocks share them.
func changesWidths() []float64 {
	return []float64{5, 24, 14, 36, 21, 12, 14, 21, 12, 14, 15, 6}
}
