package reports

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxCell is how many UTF-16 units a workbook cell can hold.
const maxCell = 32767

// visible makes text safe to print: invalid UTF-8 becomes U+FFFD, control characters become their pictures (␀ ␛),
// so that nothing is hidden and nothing breaks the file. Tab and line feed stay; keepCR tells whether carriage
// returns do, which CSV can hold and XML cannot.
func visible(s string, keepCR bool) string {
	clean := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c >= 0x7F {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r' && keepCR:
			return r
		case r < 0x20:
			return 0x2400 + r
		case r == 0x7F:
			return 0x2421
		case r >= 0x80 && r < 0xA0, r == 0xFFFE, r == 0xFFFF:
			return utf8.RuneError
		case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069: // would turn the reading direction of the line
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

// cellText is text for a workbook cell: visible, and cut with a mark that counts what is missing where it is longer
// than a cell may be.
func cellText(s string) string {
	s = visible(s, false)
	if len(s) <= maxCell {
		return s
	}
	units, all := 0, len(utf16.Encode([]rune(s)))
	if all <= maxCell {
		return s
	}
	const room = 24 // for the mark
	for i, r := range s {
		n := utf16.RuneLen(r)
		if units+n > maxCell-room {
			return fmt.Sprintf("%s…[+%d]", s[:i], all-units)
		}
		units += n
	}
	return s
}

// oneLine makes text visible on a single line.
func oneLine(s string) string {
	return strings.Join(strings.Fields(visible(s, false)), " ")
}

// neutral guards a text cell of a CSV file against spreadsheets that would run it: one that begins with a character
// that starts a formula, in its half or full-width form, or with a tab or line break, gets a leading apostrophe.
func neutral(s string) string {
	s = visible(s, true)
	r, _ := utf8.DecodeRuneInString(s)
	switch r {
	case '=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠':
		return "'" + s
	}
	return s
}

// textWidth is how many columns s takes on screen; East Asian wide characters and symbols count double.
func textWidth(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	switch {
	case r < 0x1100:
		return 1
	case r >= 0x2010 && r <= 0x2027 || r >= 0x20A0 && r <= 0x20CF: // dashes, quotes, currency signs
		return 1
	}
	return 2
}

// clip shortens s to a width, with an ellipsis where something is left out.
func clip(s string, width int) string {
	if textWidth(s) <= width {
		return s
	}
	n := 0
	for i, r := range s {
		if n += runeWidth(r); n > width-1 {
			return s[:i] + "…"
		}
	}
	return s
}
