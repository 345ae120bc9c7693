package fetch

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"daozhang/parsers/txn"
)

// Pattern matches names of files in one folder and takes their parts:
//
//	UMS_{mid}_{date:yyyyMMdd}.txt        journal_{store}_{date:yyyy-MM-dd}.csv        bill_{date:MMdd}_{ts}.zip
//
// Text outside of braces is literal; {{ and }} stand for braces. {date:LAYOUT} takes a calendar day; its layout is
// made of yyyy, yy, MM and dd with separators between. Any other name takes as little text as makes the whole name
// match, at least one character. Captures named ts (time stamp) and run are no part of a slot's key.
type Pattern struct {
	text   string
	re     *regexp.Regexp
	names  []string // of the groups
	layout []dateToken
}

type dateToken struct {
	token string // yyyy, yy, MM, dd; "" for a literal
	text  string
}

// PatternError says where a pattern is wrong. Column counts characters from 1.
type PatternError struct {
	Pattern string
	Column  int
	What    string
}

// Error names the column.
func (e *PatternError) Error() string {
	return fmt.Sprintf("pattern %q, character %d: %s", e.Pattern, e.Column, e.What)
}

// CompilePattern reads a pattern. Errors are *PatternError.
func CompilePattern(text string) (*Pattern, error) {
	c := &compiler{p: &Pattern{text: text}, rest: text}
	c.re.WriteString("^")
	for c.rest != "" {
		if err := c.next(); err != nil {
			return nil, err
		}
	}
	if text == "" {
		return nil, c.errorf("is empty")
	}
	c.re.WriteString("$")
	re, err := regexp.Compile("(?s)" + c.re.String())
	if err != nil {
		return nil, c.errorf("%v", err)
	}
	c.p.re = re
	return c.p, nil
}

type compiler struct {
	p     *Pattern
	rest  string
	re    strings.Builder
	after bool // a free capture came last
}

func (c *compiler) errorf(format string, args ...any) error {
	done := c.p.text[:len(c.p.text)-len(c.rest)]
	return &PatternError{Pattern: c.p.text, Column: len([]rune(done)) + 1, What: fmt.Sprintf(format, args...)}
}

func (c *compiler) next() error {
	switch {
	case strings.HasPrefix(c.rest, "{{"), strings.HasPrefix(c.rest, "}}"):
		c.literal(c.rest[:1], 2)
	case c.rest[0] == '}':
		return c.errorf("} without {; write }} for a brace in the name")
	case c.rest[0] == '{':
		return c.capture()
	case c.rest[0] == '/', c.rest[0] == '\\':
		return c.errorf("a pattern is for names in one folder; the folder belongs into dir")
	default:
		end := strings.IndexAny(c.rest, `{}/\`)
		if end < 0 {
			end = len(c.rest)
		}
		c.literal(c.rest[:end], end)
	}
	return nil
}

func (c *compiler) literal(text string, used int) {
	c.re.WriteString(regexp.QuoteMeta(text))
	c.rest, c.after = c.rest[used:], false
}

func (c *compiler) capture() error {
	end := strings.IndexByte(c.rest, '}')
	if end < 0 {
		return c.errorf("{ without }; write {{ for a brace in the name")
	}
	name, layout, hasLayout := strings.Cut(c.rest[1:end], ":")
	switch {
	case !captureName(name):
		return c.errorf("capture name %q: use a to z, 0 to 9 and _, a letter first", name)
	case slices.Contains(c.p.names, name):
		return c.errorf("capture %s stands twice", name)
	case name == "date" && !hasLayout:
		return c.errorf("date needs a layout, e.g. {date:yyyyMMdd}")
	case name != "date" && hasLayout:
		return c.errorf("only date takes a layout")
	case name != "date" && c.after:
		return c.errorf("two captures side by side: where the first ends cannot be told")
	}
	c.p.names = append(c.p.names, name)
	if name == "date" {
		if err := c.date(layout); err != nil {
			return err
		}
	} else {
		c.re.WriteString(`([^/]+?)`)
	}
	c.rest, c.after = c.rest[end+1:], name != "date"
	return nil
}

func captureName(s string) bool {
	for i, r := range s {
		if (r < 'a' || r > 'z') && (i == 0 || r != '_' && (r < '0' || r > '9')) {
			return false
		}
	}
	return s != ""
}

// date adds the group for a date layout.
func (c *compiler) date(layout string) error {
	seen := map[byte]bool{}
	c.re.WriteString("(")
	for rest := layout; rest != ""; {
		var t dateToken
		for _, tok := range []string{"yyyy", "yy", "MM", "dd"} {
			if strings.HasPrefix(rest, tok) {
				t.token = tok
				break
			}
		}
		switch first := rest[0]; {
		case t.token == "" && strings.IndexByte("yMdHhmsS", first) >= 0:
			return c.errorf("date layout %q: %q is not known; use yyyy, yy, MM and dd", layout, rest)
		case t.token == "":
			t.text = rest[:1]
			if first >= 0x80 { // a whole character, e.g. 年
				t.text = string([]rune(rest)[0])
			}
			c.re.WriteString(regexp.QuoteMeta(t.text))
			rest = rest[len(t.text):]
		case seen[t.token[0]]:
			return c.errorf("date layout %q: %s stands twice", layout, t.token)
		default:
			seen[t.token[0]] = true
			fmt.Fprintf(&c.re, `\d{%d}`, len(t.token))
			rest = rest[len(t.token):]
		}
		c.p.layout = append(c.p.layout, t)
	}
	c.re.WriteString(")")
	if !seen['M'] || !seen['d'] {
		return c.errorf("date layout %q: must hold at least MM and dd", layout)
	}
	return nil
}

// String returns the pattern's text.
func (p *Pattern) String() string { return p.text }

// HasDate tells whether the pattern takes a date.
func (p *Pattern) HasDate() bool { return p.layout != nil }

// Captures are the parts of a name.
type Captures struct {
	Values map[string]string
	// Date is the day that the name states; 0 if it states none, or none with a year.
	Date txn.Date
	// Month and Day are set where the name states a day without its year: see Near.
	Month time.Month
	Day   int
}

// Match takes a name apart. A name with the pattern's shape but with a day that no calendar has does not match.
func (p *Pattern) Match(name string) (Captures, bool) {
	c, why := p.match(name)
	return c, why == ""
}

// match also says why a name does not match: "name" for another shape, else the impossible date.
func (p *Pattern) match(name string) (Captures, string) {
	groups := p.re.FindStringSubmatch(name)
	if groups == nil {
		return Captures{}, "name"
	}
	c := Captures{Values: make(map[string]string, len(p.names))}
	for i, n := range p.names {
		c.Values[n] = groups[i+1]
	}
	if p.layout != nil && !c.readDate(p.layout, c.Values["date"]) {
		return Captures{}, fmt.Sprintf("%s is not a day of the calendar", c.Values["date"])
	}
	return c, ""
}

// readDate reads the text by the layout, whose widths are fixed.
func (c *Captures) readDate(layout []dateToken, text string) bool {
	year, month, day := -1, 0, 0
	for _, t := range layout {
		width := max(len(t.token), len(t.text))
		n := 0
		for _, d := range text[:width] {
			n = n*10 + int(d-'0')
		}
		switch t.token {
		case "yyyy":
			year = n
		case "yy":
			year = 2000 + n
		case "MM":
			month = n
		case "dd":
			day = n
		}
		text = text[width:]
	}
	if year == 0 {
		return false
	}
	probe := year
	if year < 0 {
		probe = 2024 // a leap year: which year is meant is not known yet
	}
	d := txn.MakeDate(probe, time.Month(month), day)
	if t := d.Time(); month < 1 || month > 12 || int(t.Month()) != month || t.Day() != day {
		return false
	}
	if year < 0 {
		c.Month, c.Day = time.Month(month), day
		return true
	}
	c.Date = d
	return true
}

// Near gives a day without a year the year that brings it closest to ref.
func (c Captures) Near(ref txn.Date) Captures {
	if c.Month == 0 || c.Date != 0 || ref == 0 {
		return c
	}
	year := ref.Time().Year()
	best := txn.Date(0)
	for y := year - 4; y <= year+4; y++ { // a 29 February may be years away
		d := txn.MakeDate(y, c.Month, c.Day)
		if d.Time().Day() == c.Day && (best == 0 || abs(d-ref) < abs(best-ref)) {
			best = d
		}
	}
	c.Date = best
	return c
}

func abs(d txn.Date) txn.Date { return max(d, -d) }

// SlotKey joins captures as name=value, sorted by name. Without names it takes all but date, ts and run; "" if there
// are none. Commas, equals and percent signs of a value are written as in a URL, so that no two sets share a key.
func (c Captures) SlotKey(names ...string) string {
	if len(names) == 0 {
		for n := range c.Values {
			if n != "date" && n != "ts" && n != "run" {
				names = append(names, n)
			}
		}
	}
	names = slices.Clone(names)
	slices.Sort(names)
	escape := strings.NewReplacer("%", "%25", ",", "%2C", "=", "%3D")
	parts := make([]string, 0, len(names))
	for _, n := range names {
		parts = append(parts, n+"="+escape.Replace(c.Values[n]))
	}
	return strings.Join(parts, ",")
}
