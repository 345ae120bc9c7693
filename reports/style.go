package reports

import (
	"strings"

	"github.com/xuri/excelize/v2"

	"daozhang/reports/text"
)

// The palette: one accent, greys, and four signal colours that stay apart for colour-blind readers and are always
// accompanied by a symbol or a word.
const (
	inkAccent = "1F4E6B"
	inkText   = "22303C"
	inkMuted  = "6B7783"
	inkLine   = "D5DCE2"
	fillHead  = "1F4E6B"
	fillBand  = "F5F8FA"
	fillBlock = "E6EEF3"
	inkBad    = "A52A1A"
	fillBad   = "FBE9E6"
	inkWarn   = "9A5B00"
	fillWarn  = "FFF2DC"
	inkGood   = "1B6B52"
	fillGood  = "E3F3ED"
	inkCalm   = "2B5C8A"
	fillCalm  = "E7F0F8"
)

// look names everything that makes one cell style. Equal looks share one style of the file.
type look struct {
	format string // number format code; "" General, "@" text
	ink    string
	fill   string
	bold   bool
	size   float64 // 0 = 9
	right  bool
	center bool
	wrap   bool
	middle bool // vertical centre; else top
	rule   byte // 'b' thin line below, 't' line above, 'x' box in light grey, 0 none
	link   bool
	shrink bool
	indent bool // left, a little away from what stands before it
}

// styles hands out style numbers, in the order of first use.
type styles struct {
	file *excelize.File
	font string
	ids  map[look]int
}

func newStyles(f *excelize.File, lang text.Lang) *styles {
	font := "Microsoft YaHei"
	if lang == text.En {
		font = "Arial"
	}
	return &styles{file: f, font: font, ids: map[look]int{}}
}

func (s *styles) id(k look) (int, error) {
	if id, ok := s.ids[k]; ok {
		return id, nil
	}
	return s.make(k)
}

// make adds a style to the file.
func (s *styles) make(k look) (int, error) {
	st := &excelize.Style{Font: &excelize.Font{Family: s.font, Size: 9, Color: inkText, Bold: k.bold},
		Alignment: &excelize.Alignment{Vertical: "top", WrapText: k.wrap, ShrinkToFit: k.shrink}}
	if k.size > 0 {
		st.Font.Size = k.size
	}
	if k.ink != "" {
		st.Font.Color = k.ink
	}
	if k.link {
		st.Font.Underline = "single"
	}
	if k.middle {
		st.Alignment.Vertical = "center"
	}
	if k.right {
		st.Alignment.Horizontal = "right"
	}
	if k.indent {
		st.Alignment.Horizontal, st.Alignment.Indent = "left", 1
	}
	if k.center { // stronger than right
		st.Alignment.Horizontal = "center"
	}
	if k.fill != "" {
		st.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{k.fill}}
	}
	line := func(sides ...string) {
		for _, side := range sides {
			st.Border = append(st.Border, excelize.Border{Type: side, Color: inkLine, Style: 1})
		}
	}
	switch k.rule {
	case 'b':
		line("bottom")
	case 't':
		st.Border = append(st.Border, excelize.Border{Type: "top", Color: inkAccent, Style: 1})
	case 'x':
		line("left", "right", "top", "bottom")
	}
	switch k.format {
	case "":
	case "@":
		st.NumFmt = 49
	default:
		st.CustomNumFmt = &k.format
	}
	id, err := s.file.NewStyle(st)
	if err != nil {
		return 0, err
	}
	s.ids[k] = id
	return id, nil
}

// Number formats. Dates and counts are the same in both languages.
const (
	formatText  = "@"
	formatDate  = "yyyy-mm-dd"
	formatTime  = "yyyy-mm-dd hh:mm:ss"
	formatCount = "#,##0"
)

// formatMoney shows n decimals, negative figures in red with their sign.
func formatMoney(n int) string {
	p := "#,##0"
	if n > 0 {
		p += "." + strings.Repeat("0", n)
	}
	return p + ";[Red]-" + p
}

// formatFine shows at least n and at most five decimals: fees have the decimals they need.
func formatFine(n int) string {
	p := "#,##0"
	if n > 0 {
		p += "." + strings.Repeat("0", n)
	}
	p += strings.Repeat("#", max(5-n, 0))
	return p + ";[Red]-" + p
}

// formatCheck shows a figure that ought to be zero: a tick where it is, a cross before the figure where it is not.
func formatCheck(n int) string {
	p := "#,##0"
	if n > 0 {
		p += "." + strings.Repeat("0", n)
	}
	zero := "0"
	if n > 0 {
		zero += "." + strings.Repeat("0", n)
	}
	return `[Red]"✗ "` + p + `;[Red]"✗ -"` + p + `;"✓ "` + zero
}

func severityInk(n int) (ink, fill string) {
	switch {
	case n >= 4:
		return inkBad, fillBad
	case n == 3:
		return inkWarn, fillWarn
	case n == 2:
		return inkCalm, fillCalm
	}
	return inkMuted, ""
}
