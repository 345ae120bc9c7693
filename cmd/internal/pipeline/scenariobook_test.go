package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// Below "book" stands every line of the book, in any order:
//
//	T04 B #1: 50.00 against 50.10, open, new, due Tue, 3 days late, since Mon, differs amount
//
// Behind the class the subject: a transaction or line of the account by its name, a source (of its files), or the day
// whose payout it is. #1 names the case: the same number is the same case wherever it stands, another number another
// case. Behind the colon the amounts (what should have come, what was found; a side that is not named is empty), then the
// status (open, waiting, explained, decided) and the lifecycle (new, still, again, or by "what cleared it"), or cleared for
// both. Further phrases are checked where they stand: "2 rows", "3 days late" (age), "due Tue", "since Mon" (first seen),
// "differs amount" (some field), "held", and any column: "severity is 3", "cause has late".
//
// Classes that depend on the order of events (F02 F05 X01 X02 X03) need not state amounts, status and lifecycle. F02 and
// X01 may be left out: they accompany most late files.
//
// Below "changes" stand lines of summary.json's history: "because late_file ums" (kind, and a word of the source, slot,
// file, author or detail), and "#1 T01 -> gone", "B T02 -> T04", "none -> T03": what became of a case.

// sameLines compares the lines of a book with those of a block.
func (p *play) sameLines(x stmt, d txn.Date, rev int, block []stmt) {
	path := filepath.Join(p.folder(d, rev), "exceptions.csv")
	if _, err := os.Stat(path); err != nil {
		p.wrong(x, "there is no such book: %v", err)
		return
	}
	have := readLines(p.t, path)
	used := make([]bool, len(have))
	for _, w := range block {
		f := &fact{p: p, cursor: cursor{words: w.words}}
		f.parse()
		if f.err != nil {
			p.misread(w, "%w", f.err)
			return
		}
		near := ""
		found := -1
		for i, l := range have {
			if used[i] || l["class"] != f.class {
				continue
			}
			no := f.differs(l)
			if p.broken != nil {
				return
			}
			if no == "" {
				found = i
				break
			}
			near += "\n\tnot " + p.tell(l) + "\n\t    " + no
		}
		if found < 0 {
			p.wrong(w, "the book of %s has no such line%s", dayName(d), near)
			continue
		}
		used[found] = true
		f.bind(have[found])
	}
	for i, l := range have {
		if !used[i] && l["class"] != "F02" && l["class"] != "X01" {
			p.wrong(x, "the book of %s has another line: %s", dayName(d), p.tell(l))
		}
	}
}

// tell writes a line as a text would have it.
func (p *play) tell(l line) string {
	subject := l["source"]
	for _, d := range p.deals {
		if p.isAbout(d.name, l) {
			subject = d.name
		}
	}
	if m := p.movement(l["bank_ref"]); m != nil {
		subject = m.name
	}
	s := fmt.Sprintf("%s %s %s: %s against %s, %s, %s", l["class"], subject, l["case_id"], l["amount"], l["other_amount"], l["status"], l["lifecycle"])
	for _, k := range []string{"settle_date", "due_date", "age_days", "rows", "first_seen", "cleared_by", "differs", "cause", "file", "line"} {
		if l[k] != "" {
			s += ", " + k + "=" + l[k]
		}
	}
	return s
}

// isAbout reports whether a line speaks of the named thing.
func (p *play) isAbout(name string, l line) bool {
	if d := p.lookUp(name); d != nil && (d.on.String() != name || l["rrn"] != "") {
		_, rrn := d.sold().numbers()
		if rrn != "" && rrn == l["rrn"] {
			return true
		}
		at := d.on.String() + " " + d.clock
		if rrn == "" && (l["txn_time"] == at || l["other_txn_time"] == at) {
			return true
		}
	}
	if m := p.movement(name); m != nil {
		return l["bank_ref"] == name
	}
	if name == "pos" || name == "ums" || name == "bank" {
		return l["source"] == name
	}
	if d, err := parseDay(name); err == nil {
		return l["settle_date"] == d.String() && l["rrn"] == ""
	}
	return false
}

// fact is one line that a text expects.
type fact struct {
	cursor
	p       *play
	class   string
	subject string
	label   string
	amounts bool
	amount  string
	other   string
	status  string
	life    string
	columns [][3]string // name, is or has, value
}

var lifeWords = map[string]string{"new": "new", "still": "open", "again": "reopened"}
var statusWords = map[string]string{"open": "open", "waiting": "in_window", "explained": "explained", "decided": "decided"}

func (f *fact) parse() {
	f.class = f.next("a class")
	if f.err == nil && reconcile.Class(f.class).Info().Owner == "" && reconcile.Class(f.class).Info().Severity == 4 {
		f.fail("there is no class %s", f.class)
	}
	if w := f.peek(); w != ":" && !strings.HasPrefix(w, "#") {
		f.subject = f.next("a subject")
		_, err := parseDay(f.subject)
		if err != nil && f.p.lookUp(f.subject) == nil && f.p.movement(f.subject) == nil && !slices.Contains([]string{"pos", "ums", "bank"}, f.subject) {
			f.fail("%q is no transaction, line of the account, source or day", f.subject)
		}
	}
	if strings.HasPrefix(f.peek(), "#") {
		f.label = f.next("a case")
	}
	f.need(":")
	for !f.done() {
		f.phrase()
		if !f.done() {
			f.need(",")
		}
	}
	if f.err == nil && !reconcile.Class(f.class).OrderClass() && (f.status == "" || f.life == "") {
		f.fail("status (open, waiting, explained, decided) and lifecycle (new, still, again), or cleared, must be said")
	}
}

func (f *fact) phrase() {
	w := f.next("a phrase")
	column := func(name, value string) { f.columns = append(f.columns, [3]string{name, "is", value}) }
	switch {
	case isMoney(w) || w == "against":
		f.amounts = true
		if w != "against" {
			f.amount = w
		}
		if w == "against" || f.take("against") {
			f.other = yuan(f.money())
		}
	case statusWords[w] != "":
		f.status = statusWords[w]
	case lifeWords[w] != "":
		f.life = lifeWords[w]
	case w == "cleared":
		f.status, f.life = "cleared", "cleared"
	case w == "due":
		column("due_date", f.day().String())
	case w == "since":
		column("first_seen", f.day().String())
	case w == "held":
		column("evidence", "held")
	case w == "differs":
		f.columns = append(f.columns, [3]string{"differs", "has", f.next("a field") + "="})
	case w == "by":
		f.life = "cleared"
		f.columns = append(f.columns, [3]string{"cleared_by", "has", f.next("what cleared it")})
	case f.take("rows") || f.take("row"):
		column("rows", w)
	case f.take("days", "late") || f.take("day", "late"):
		column("age_days", w)
	case f.take("is"):
		column(w, f.next("a value"))
	case f.take("has"):
		f.columns = append(f.columns, [3]string{w, "has", f.next("a value")})
	default:
		f.fail("%q is not understood", w)
	}
}

// differs says what about a line is not as expected; empty if nothing.
func (f *fact) differs(l line) string {
	var out []string
	if f.subject != "" && !f.p.isAbout(f.subject, l) {
		return "it is about something else"
	}
	order := reconcile.Class(f.class).OrderClass()
	if (f.amounts || !order) && (l["amount"] != f.amount || l["other_amount"] != f.other) {
		out = append(out, fmt.Sprintf("the amounts are %q against %q", l["amount"], l["other_amount"]))
	}
	if f.status != "" && l["status"] != f.status {
		out = append(out, "the status is "+l["status"])
	}
	if f.life != "" && l["lifecycle"] != f.life {
		out = append(out, "the lifecycle is "+l["lifecycle"])
	}
	for _, c := range f.columns {
		v, ok := l[c[0]]
		if !ok {
			f.p.misread(f.p.at, "exceptions.csv has no column %s", c[0])
		}
		if c[1] == "is" && v != c[2] || c[1] == "has" && !strings.Contains(v, c[2]) {
			out = append(out, fmt.Sprintf("%s is %q", c[0], v))
		}
	}
	if f.label != "" {
		for label, id := range f.p.cases {
			if label == f.label && id != l["case_id"] {
				out = append(out, "the case is "+l["case_id"]+", not "+id)
			} else if label != f.label && id == l["case_id"] {
				out = append(out, "the case is that of "+label)
			}
		}
	}
	return strings.Join(out, "; ")
}

func (f *fact) bind(l line) {
	if f.label != "" {
		f.p.cases[f.label] = l["case_id"]
	}
}
