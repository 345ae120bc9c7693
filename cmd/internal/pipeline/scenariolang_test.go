package pipeline

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"daozhang/parsers/txn"
)

// The language of testdata/scenarios. A scenario is a text that tells what happens to the small shop of shop_test.go, and
// what its books must say. One line is one statement; the indented lines below it belong to it. "#" begins a comment,
// the first line is the title. Whatever is not understood is an error that names the line.
//
// Days are Mon to Sun of the first week (Monday is 2026-01-05), Mon2 to Sun2 of the second and so on, or dates.
//
// The shop (first of all):
//
//	first day Fri                   go_live; else Monday
//	stores S01 S02                  each store must bring a journal; else S01 alone
//	statements Mon-Fri              weekdays for which the bank promises a statement; else daily
//	bills missing on quiet days     the acquirer sends no file on a day without business
//	terms 0.38% T+1 from Wed        contract; else 0.60% T+1 from ever. May come later too, and then changes the register
//	history 5 days                  how long ledgers are searched for the sale of a refund; else 90
//	format lacks 扫码消费            the bills are read by a format of our own that does not know this type of row
//
// What happened (the truth, from which the files are made):
//
//	sale A Mon 10:00 100.00         then any of: at S02, cleared Tue, never cleared, without numbers, typed 扫码消费,
//	                                not at the till; numbered as A takes over the trace number and reference of A
//	refund R of A Mon2 10:00 30.00  a transaction of its own, which names A as its original
//	void V of A Mon 10:05           of the whole amount
//	credit C Tue pays A, B          into the account: what the acquirer owes for these; more 1.00 or less 1.00 may follow
//	credit C Tue 7.77 from "Landlord"
//	daily sale Mon-Fri4 10:00 100.00  one numbered sale a day, each a fen more than the one before, credited when it is
//	                                due; they are named by their days
//
// Files that arrive (they are found by the next run):
//
//	files Mon except bill           the usual ones: journals, bill, statement; files Mon-Thu those of each day
//	journal S02 Mon                 a store's journal; S01 where none is named
//	bill Mon with B for 50.10       as it should be, but for these: with B [for 50.10] [at 11:00:01] [numbered 90], without B
//	statement Sat-Mon               the account's lines of these days; intraday: drawn during the day, without a closing
//	                                also for bill and statement: as 2 (another name), gzipped (bills, needs as)
//	archive Mon in one archive: A; B  two files for one slot
//
// Commands:
//
//	at Thu 13:00                    sets the clock
//	run                             the nightly command: fetch, then whatever is not current up to yesterday
//	night Mon                       = at Tue 12:00, run; nights Mon-Thu with files brings each day's files before it
//	fetch Mon-Thu                   fetches the files of these days, however long ago
//	rerun Mon                       = run --date Mon
//	decide #1 accepted by Lin "why" [until Fri]
//	close through Tue by Lin, reopen from Mon by Lin "why"
//	kill at each step: run          each step once: what a kill there leaves, then the same command again
//	refused "reopen": rerun Mon     the command fails with an error that says so
//	shop again                      a new installation for the same truth; what was expected before stays said
//
// Expected:
//
//	computed Mon:r2 Tue             by the last command, in this order; with :rN a revision was issued. Or: computed nothing
//	book Mon r2 differences         all lines of that book (without r2: of the newest) and its verdict; see scenariobook_test.go
//	books Mon-Fri balanced          each of them is empty
//	changes Mon                     lines of the sheet Changes; see scenariobook_test.go
//	stale Mon "inputs changed", Tue what is not current, up to yesterday. Or: stale nothing
//	changed Mon r1 -> r2 Tue r1 -> r2  what status tells of the last command: the dates that have another book
//	audit close Lin                 the audit log says who did that
//	never T03, never B08 of A       in no revision of any book. Or: never an exception [of A]
//	passes Mon P6 1                 matches of a pass
//	revisions of bank Tue 1, aliases of ums Mon 1, quarantined 2 F10 "add a capture"
//	#1 leads to #2                  the former id of the case finds it, in look-ups and traces
//	report of Mon at Tue 13:00 is r1
//	remember Mon, untouched Mon; remember everything, byte-identical
//	same as if known from the start
//
// known "what is wrong" says that the program is not right yet: the scenario must fail, and is skipped.
type stmt struct {
	line  int
	text  string
	words []string
	block []stmt
}

// script is one scenario.
type script struct {
	file  string
	title string
	known string
	stmts []stmt
}

func parseScenario(file, text string) (*script, error) {
	s := &script{file: file}
	for n, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(line, "# ") && s.title == "" {
			s.title = strings.TrimPrefix(line, "# ")
			continue
		}
		if trimmed == "" || trimmed == "#" || strings.HasPrefix(trimmed, "# ") {
			continue
		}
		words, err := split(trimmed)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n+1, err)
		}
		x := stmt{line: n + 1, text: trimmed, words: words}
		switch {
		case line[0] == ' ' && len(s.stmts) == 0:
			return nil, fmt.Errorf("%s:%d: an indented line belongs to a statement, and none is above it", file, n+1)
		case line[0] == ' ':
			last := &s.stmts[len(s.stmts)-1]
			last.block = append(last.block, x)
		case words[0] == "known":
			if s.known = strings.Join(words[1:], " "); s.known == "" {
				return nil, fmt.Errorf("%s:%d: known what?", file, n+1)
			}
		default:
			s.stmts = append(s.stmts, x)
		}
	}
	if s.title == "" {
		return nil, fmt.Errorf("%s:1: the first line must be the title: # <number>. <what happens>", file)
	}
	return s, nil
}

// split cuts a line into words; "..." is one, and so are a comma, a colon and a semicolon at the end of a word.
func split(line string) (out []string, err error) {
	parts := strings.Split(line, `"`)
	if len(parts)%2 == 0 {
		return nil, errors.New("a quotation mark is not closed")
	}
	for n, part := range parts {
		if n%2 == 1 {
			out = append(out, part)
			continue
		}
		for _, w := range strings.Fields(part) {
			var ends []string
			for len(w) > 0 && strings.ContainsAny(w[len(w)-1:], ",:;") {
				ends = append(ends, w[len(w)-1:])
				w = w[:len(w)-1]
			}
			if w != "" {
				out = append(out, w)
			}
			slices.Reverse(ends)
			out = append(out, ends...)
		}
	}
	return out, nil
}

// cursor walks over the words of a statement. After the first error its methods do nothing.
type cursor struct {
	words []string
	err   error
}

func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

func (c *cursor) done() bool { return c.err != nil || len(c.words) == 0 }

func (c *cursor) next(what string) string {
	if c.err != nil {
		return ""
	}
	if len(c.words) == 0 {
		c.fail("ends where %s is expected", what)
		return ""
	}
	w := c.words[0]
	c.words = c.words[1:]
	return w
}

// take eats the words if they come next.
func (c *cursor) take(words ...string) bool {
	if c.err != nil || len(c.words) < len(words) || !slices.Equal(c.words[:len(words)], words) {
		return false
	}
	c.words = c.words[len(words):]
	return true
}

func (c *cursor) need(words ...string) {
	if c.err == nil && !c.take(words...) {
		c.fail("%q is expected before %q", strings.Join(words, " "), strings.Join(c.words, " "))
	}
}

func (c *cursor) peek() string {
	if c.done() {
		return ""
	}
	return c.words[0]
}

var weekdays = []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}

func parseDay(w string) (txn.Date, error) {
	if d, err := txn.ParseDate(w); err == nil {
		return d, nil
	}
	if len(w) >= 3 {
		if n := slices.Index(weekdays, w[:3]); n >= 0 {
			week := 1
			var err error
			if len(w) > 3 {
				week, err = strconv.Atoi(w[3:])
			}
			if err == nil && week >= 1 && week < 100 {
				return day(n + 7*(week-1)), nil
			}
		}
	}
	return 0, fmt.Errorf("%q is no day: Mon to Sun, Mon2 to Sun2 ..., or a date", w)
}

func dayName(d txn.Date) string {
	n := int(d - day(0))
	if n < 0 {
		return d.String()
	}
	if n < 7 {
		return weekdays[n]
	}
	return fmt.Sprint(weekdays[n%7], n/7+1)
}

func (c *cursor) day() txn.Date {
	w := c.next("a day")
	if c.err != nil {
		return 0
	}
	d, err := parseDay(w)
	if err != nil {
		c.err = err
	}
	return d
}

// period is a day or two with a hyphen between them.
func (c *cursor) period() (from, to txn.Date) {
	w := c.next("a day or two")
	a, b, two := strings.Cut(w, "-")
	if _, err := txn.ParseDate(w); err == nil {
		two = false
		a = w
	}
	c.words = append([]string{a}, c.words...)
	from = c.day()
	if !two {
		return from, from
	}
	c.words = append([]string{b}, c.words...)
	if to = c.day(); to < from {
		c.fail("%q ends before it begins", w)
	}
	return from, to
}

func (c *cursor) clock() string {
	w := c.next("a time")
	if len(w) == 5 {
		w += ":00"
	}
	if _, err := fmt.Sscanf(w, "%02d:%02d:%02d", new(int), new(int), new(int)); err != nil || len(w) != 8 {
		c.fail("%q is no time: 15:04 or 15:04:05", w)
	}
	return w
}

func (c *cursor) money() int64 {
	w := c.next("an amount")
	if c.err != nil {
		return 0
	}
	fen, err := txn.ParseAmount(w, txn.CNY)
	if err != nil {
		c.fail("%q is no amount", w)
	}
	return fen
}

func isMoney(w string) bool {
	_, err := txn.ParseAmount(w, txn.CNY)
	return err == nil && strings.Contains(w, ".")
}

func (c *cursor) number() int {
	w := c.next("a number")
	n, err := strconv.Atoi(w)
	if err != nil && c.err == nil {
		c.fail("%q is no number", w)
	}
	return n
}

// list eats words separated by commas.
func (c *cursor) list(what string) (out []string) {
	for {
		out = append(out, c.next(what))
		if !c.take(",") {
			return out
		}
	}
}
