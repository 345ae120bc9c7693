package pipeline

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"daozhang/parsers/txn"
)

// TestScenarios plays the texts of testdata/scenarios; scenariolang_test.go says how they are written.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios (%v)", err)
	}
	for n := 1; n <= 20; n++ {
		if !slices.ContainsFunc(files, func(f string) bool { return strings.HasPrefix(filepath.Base(f), fmt.Sprintf("%02d-", n)) }) {
			t.Errorf("no text tells scenario %d", n)
		}
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s, err := parseScenario(filepath.Base(path), string(text))
			if err != nil {
				t.Fatal(err)
			}
			t.Parallel()
			p := newPlay(t, s)
			p.play(s.stmts)
			p.verify()
			p.judge(s)
		})
	}
}

// TestAScenarioIsReadStrictly writes what cannot be understood, or is not so, at the end of a small story.
func TestAScenarioIsReadStrictly(t *testing.T) {
	const story = "# 0. A story\nsale A Mon 10:00 100.00\nfiles Mon\nnight Mon\n"
	for _, c := range []struct{ text, broken, wrong string }{
		{text: "book Mon balanced\n  B01 Mon: 99.40, waiting, new"},
		{text: "book Mon balanced\n  B01 Mon: 99.41, waiting, new", wrong: `x.txt:6: B01 Mon: 99.41, waiting, new`},
		{text: "book Mon balanced\n  B01 Mon: 99.40, waiting, still", wrong: "the lifecycle is new"},
		{text: "book Mon balanced", wrong: "another line: B01"},
		{text: "book Mon differences\n  B01 Mon: 99.40, waiting, new", wrong: "Mon is balanced"},
		{text: "book Mon balanced\n  B01 Mon: 99.40, waiting", broken: "x.txt:6: B01 Mon: 99.40, waiting: status"},
		{text: "book Mon balanced\n  B01 Mon: 99.40, wating, new", broken: `"wating" is not understood`},
		{text: "book Mon balanced\n  B99 Mon: 99.40, waiting, new", broken: "there is no class B99"},
		{text: "book Mon balanced\n  B01 Z: 99.40, waiting, new", broken: `"Z" is no transaction`},
		{text: "book Mon balanced\n  B01 Mon: 99.40, waiting, new, colour is red", broken: "no column colour"},
		{text: "boook Mon balanced", broken: `x.txt:5: boook Mon balanced: there is no statement "boook"`},
		{text: "computed Mon:r1"},
		{text: "computed Mon", wrong: "computed Mon:r1"},
		{text: "never B01", wrong: "B01"},
		{text: "never B02"},
		{text: "never X99", broken: "there is no class X99"},
		{text: "run and run", broken: `"and run" is not understood`},
		{text: "night Mo", broken: `"Mo" is no day`},
		{text: "at Tue 11:00", broken: "the clock goes back"},
		{text: "sale A Tue 10:00 1.00", broken: "there is a A already"},
		{text: "bill Mon without B", broken: "no transaction is called B"},
		{text: "stores S01 S02", broken: "the shop stands already"},
		{text: "untouched Mon", broken: "nothing was remembered"},
		{text: "decide #1 accepted by Lin why", broken: "no line above says which case is #1"},
		{text: "refused \"no\": run", wrong: "it was done"},
		{text: "rerun Mon\n  B01", broken: "nothing may stand below it"},
		{text: "stale Mon", wrong: "stale are:"},
	} {
		s, err := parseScenario("x.txt", story+c.text)
		if err != nil {
			t.Fatal(err)
		}
		p := newPlay(t, s)
		p.play(s.stmts)
		if got := fmt.Sprint(p.broken); (p.broken != nil) != (c.broken != "") || !strings.Contains(got, c.broken) {
			t.Errorf("%s: error %q, want %q", c.text, got, c.broken)
		}
		if got := strings.Join(p.failures, "; "); (got != "") != (c.wrong != "") || !strings.Contains(got, c.wrong) {
			t.Errorf("%s: wrong is %q, want %q", c.text, got, c.wrong)
		}
	}
	for _, c := range []struct{ text, want string }{
		{"sale A Mon 10:00 1.00", "x.txt:1: the first line must be the title"}, {"# T\n  B01: open", "x.txt:2: an indented line"}, {"# T\nrun \"", "x.txt:2: a quotation mark"},
	} {
		if _, err := parseScenario("x.txt", c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %s", c.text, err, c.want)
		}
	}
}

// play is a scenario as it is told.
type play struct {
	t      *testing.T
	script *script
	at     stmt // being played

	config []string // pairs of texts to be replaced in the shop's configuration
	stores []string
	terms  []string // lines of contracts.csv, without the end of the last one
	extra  map[string][]byte

	deals      []*deal
	moves      []*movement
	nextNumber int

	workbooks bool // the text speaks of bytes

	b        *books
	waiting  []inboxFile // since the last fetch
	arrivals []arrival
	last     []DayResult // of the last command
	failed   error       // of the last command, where the text says that it is refused
	newest   txn.Date    // that was run
	decided  bool        // somebody decided or closed something
	cases    map[string]string
	memory   map[string]string

	failures []string
	broken   error  // the text cannot be understood
	unbuilt  string // what the text needs and the program says it does not have yet
}

// arrival is what one fetch found.
type arrival struct {
	at       time.Time
	from, to txn.Date // the window of the fetch
	files    []inboxFile
}

func newPlay(t *testing.T, s *script) *play {
	bytes := slices.ContainsFunc(s.stmts, func(x stmt) bool { return x.words[0] == "byte-identical" })
	return &play{t: t, script: s, workbooks: bytes, stores: []string{"S01"}, terms: []string{"0.60% T+1 2025-01-01"}, extra: map[string][]byte{}, cases: map[string]string{}, memory: map[string]string{}}
}

// wrong notes that something is not as the text says.
func (p *play) wrong(x stmt, format string, args ...any) {
	p.failures = append(p.failures, fmt.Sprintf("%s:%d: %s\n\t%s", p.script.file, x.line, x.text, fmt.Sprintf(format, args...)))
}

// misread notes that a line cannot be understood.
func (p *play) misread(x stmt, format string, args ...any) {
	if p.broken == nil {
		p.broken = fmt.Errorf("%s:%d: %s: %w", p.script.file, x.line, x.text, fmt.Errorf(format, args...))
	}
}

// play tells statement after statement. What is not understood, and a command that fails, end the story.
func (p *play) play(stmts []stmt) {
	p.t.Helper()
	for _, x := range stmts {
		p.at = x
		c := &cursor{words: x.words}
		p.failed = nil
		p.one(c, x)
		if c.err == nil && len(c.words) > 0 {
			c.fail("%q is not understood", strings.Join(c.words, " "))
		}
		if c.err != nil {
			p.misread(x, "%w", c.err)
		}
		if p.broken != nil {
			return
		}
		if isUnbuilt(p.failed) {
			p.unbuilt = fmt.Sprintf("%s:%d: %s: %v", p.script.file, x.line, x.text, p.failed)
			return
		}
		if p.failed != nil {
			p.wrong(x, "%v", p.failed)
			return
		}
	}
}

// isUnbuilt recognises a part of the program that is announced but not there.
func isUnbuilt(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if err.Error() == "not built" {
			return true
		}
	}
	return false
}

func (p *play) judge(s *script) {
	p.t.Helper()
	switch {
	case p.broken != nil:
		p.t.Fatal(p.broken)
	case s.known != "" && len(p.failures) > 0:
		p.t.Skipf("known: %s\n%s", s.known, strings.Join(p.failures, "\n"))
	case s.known != "" && p.unbuilt == "":
		p.t.Errorf("%s: everything is as the text says; take the line 'known %q' out", s.file, s.known)
	}
	for _, f := range p.failures {
		p.t.Error(f)
	}
	if p.unbuilt != "" && !p.t.Failed() {
		p.t.Skip(p.unbuilt)
	}
}

// one plays one statement: the shop, the truth, files, commands or expectations.
func (p *play) one(c *cursor, x stmt) {
	verb := c.next("a statement")
	if len(x.block) > 0 && verb != "book" && verb != "changes" {
		c.fail("nothing may stand below it")
	}
	if f := p.shopVerbs()[verb]; f != nil {
		if verb != "terms" && verb != "format" && p.b != nil {
			c.fail("the shop stands already; say it before the first file and command")
		}
		f(c)
		return
	}
	if f := p.truthVerbs()[verb]; f != nil {
		f(c)
		return
	}
	if f := p.commandVerbs()[verb]; f != nil {
		p.begin()
		f(c)
		return
	}
	p.begin()
	p.expectation(verb, c, x)
}
