package profile

import (
	"fmt"
	"strings"
)

// template recognises a line or a file name: literal text with {captures}. {} matches without keeping. What follows
// the last literal is free. Full-width forms in template and text are the same as half-width ones.
//
//	#交易合计：{rows}笔，商家实收共{amount}元
type template struct {
	lits  []string // lits[0], capture 0, lits[1], capture 1 ...
	names []string // "" for {}
	begin string   // literal text that each matching line begins with in its raw form
}

func parseTemplate(s string) (*template, error) {
	t := &template{}
	rest := s
	for {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			t.lits = append(t.lits, fold(rest))
			break
		}
		end := strings.IndexByte(rest[open:], '}')
		if end < 0 {
			return nil, fmt.Errorf("%q: { without }", s)
		}
		t.lits = append(t.lits, fold(rest[:open]))
		t.names = append(t.names, rest[open+1:open+end])
		rest = rest[open+end+1:]
	}
	for i := 1; i < len(t.lits)-1; i++ {
		if t.lits[i] == "" {
			return nil, fmt.Errorf("%q: two captures without text between them", s)
		}
	}
	t.begin = t.lits[0]
	if i := strings.IndexAny(t.begin, "()[]:,.;!? "); i >= 0 {
		t.begin = t.begin[:i]
	}
	return t, nil
}

// match reports whether the folded text fits and hands each named capture to keep.
func (t *template) match(text string, keep func(name, value string)) bool {
	if !strings.HasPrefix(text, t.lits[0]) {
		return false
	}
	type hit struct{ name, value string }
	var hits [16]hit
	n := 0
	rest := text[len(t.lits[0]):]
	for i, name := range t.names {
		value := rest
		lit := t.lits[i+1]
		if lit != "" {
			at := strings.Index(rest, lit)
			if at < 0 {
				return false
			}
			value, rest = rest[:at], rest[at+len(lit):]
		} else {
			rest = ""
		}
		if name != "" && n < len(hits) {
			hits[n] = hit{name, strings.Trim(value, " \t\r`")}
			n++
		}
	}
	if keep != nil {
		for _, h := range hits[:n] {
			keep(h.name, h.value)
		}
	}
	return true
}
