package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

// Columns of the sheet Changes, which all its blocks share. The block of movements uses them all.
const (
	chNo      = 0
	chCase    = 1
	chWhat    = 2
	chWhy     = 3
	chBefore  = 4  // class and status before; E
	chFigures = 5  // the first of six figures
	chNow     = 7  // class and status now
	chChange  = 10 // the last figure
	chCcy     = 11
	chCols    = 12
)

// maxCaseLinks is how many cases of the sheet lead to their lines: a workbook holds a limited number of links. Those of
// the movements stop earlier, since the decisions come after them.
const (
	maxCaseLinks = 1000
	maxMoveLinks = 800
)

// How much the sheet spells out of what has no bound of its own.
const (
	shownCauses  = 3
	shownRows    = 40
	shownCleanly = 500 // characters of a detail or reason
)

// changesPage builds the sheet that says what this revision changes, because of what, and what moved since yesterday.
type changesPage struct {
	b      *Book
	ch     *Changes
	lang   text.Lang
	g      *grid
	places map[string]string // where each case stands in the book
	links  int
}

// changesSheet is nil for a book that says nothing about changes. The tables of cases must have been built before it,
// since its links need their rows.
func changesSheet(b *Book, d *derived) *sheet {
	if b.Changes == nil {
		return nil
	}
	p := &changesPage{b: b, ch: b.Changes, lang: b.lang(), g: &grid{}, places: casePlaces(b, d)}
	name := text.Sheet("changes", p.lang)
	p.title(name)
	p.heading()
	p.inputs()
	p.cases()
	p.corrected()
	p.moves()
	p.decisions()
	s := p.g.sheet(name, p.g.fit(changesWidths(), 24)...)
	s.freezeRows, s.repeat = 2, "1:2"
	s.ids = fmt.Sprintf("A%d:%s", tableHead, at(chCols-1, s.rows))
	return s
}

// title is that of the other sheets, with room for the way back over the narrow first column.
func (p *changesPage) title(name string) {
	sheetTitle(p.g, p.b, name, "changes_note")
	cells := p.g.lines[0].cells
	p.g.lines[0].cells = []cell{cells[0], {}, cells[1]}
}

// casePlaces finds the line of each case in the sheets of cases. Links lead to first sheets only.
func casePlaces(b *Book, d *derived) map[string]string {
	out := map[string]string{}
	lang, limit := b.lang(), b.Limits.sheetRows()
	put := func(key string, row int, lines ...*reconcile.Line) {
		for _, l := range lines {
			for _, id := range []string{l.CaseID, l.Alias} {
				if _, known := out[id]; !known && id != "" && row >= firstData {
					out[id] = goTo(key, row, lang)
				}
			}
		}
	}
	for _, c := range d.open {
		put("exceptions", c.row, c.lines...)
	}
	for _, c := range d.cleared[:min(limit, len(d.cleared))] {
		put("cleared", c.row, c.lines...)
	}
	for i, l := range d.waiting[:min(limit, len(d.waiting))] {
		put("open_items", firstData+i, l)
	}
	return out
}

// caseCell is a case's id, leading to its line where the book has one. It must be asked for while its row is the next.
func (p *changesPage) caseCell(id string) cell {
	c := ident(id)
	to, ok := p.places[id]
	if !ok || p.links >= maxCaseLinks {
		return c
	}
	p.links++
	p.g.links = append(p.g.links, link{from: at(chCase, p.g.next()), to: to})
	return linked(c)
}

// block begins a block. Headings that start with ">" stand above figures.
func (p *changesPage) block(title string, keys ...string) {
	g := p.g
	g.add(10)
	head := make([]cell, chCols)
	for i := range head {
		head[i] = cell{look: look{fill: fillBlock, bold: true, ink: inkAccent, size: 10, middle: true}}
	}
	head[0].v = title
	g.add(20, head...)
	if len(keys) > 0 {
		g.add(0, p.heads(keys...)...)
	}
}

func (p *changesPage) heads(keys ...string) []cell {
	row := make([]cell, len(keys))
	for i, k := range keys {
		key, right := strings.CutPrefix(k, ">")
		if key != "" {
			row[i] = headCell(text.Heading(key, p.lang), right)
		}
		row[i].look.rule = 'b'
		row[i].look.center = key == "currency" || key == "no" || key == "when" || key == "entered_at" || key == "decided_class" ||
			key == "until" || key == "effective_on"
		row[i].look.indent = i >= chBefore && !right && key != ""
	}
	return row
}

// say adds a line of plain text, which runs over the empty cells beside it.
func (p *changesPage) say(s string, k look) {
	p.g.add(0, cell{v: cellText(s), look: k})
}

func (p *changesPage) label(key string, args ...any) string {
	return fmt.Sprintf(text.Label(key, p.lang), args...)
}

// when is an instant in the book's zone.
func (p *changesPage) when(t time.Time) cell {
	if t.IsZero() {
		return cell{}
	}
	return instant(txn.TimeOf(t.In(p.b.asOf().Location())))
}

// quoted is text of people and vendors, on one line and of bounded length.
func quoted(s string) string { return clip(oneLine(s), shownCleanly) }

// heading says which revision this is, which one it replaces and, in one sentence, what changed.
func (p *changesPage) heading() {
	p.g.add(6)
	p.say(p.label("changes_this", p.b.Revision, p.b.asOf().Format("2006-01-02 15:04"), p.b.zoneName()), look{size: 10})
	if p.ch.Former == 0 {
		p.say(p.label("changes_first"), look{size: 11, bold: true, ink: inkAccent})
		return
	}
	s := p.label("changes_replaces", p.ch.Former, p.ch.FormerAsOf.In(p.b.asOf().Location()).Format("2006-01-02 15:04"))
	if !p.ch.FormerFinal {
		s += p.label("changes_was_prelim")
	}
	p.say(s, look{size: 10})
	p.say(changesSentence(p.b), look{size: 11, bold: true, ink: inkAccent})
}

// changesSentence is the sentence that the sheets Changes and Summary both say.
func changesSentence(b *Book) string {
	lang, ch := b.lang(), b.Changes
	switch {
	case ch.Former == 0:
		return text.Label("changes_first", lang)
	case len(ch.Cases) == 0:
		return fmt.Sprintf(text.Label("changes_none", lang), ch.Former)
	}
	var all caseTally
	var parts []string
	for _, t := range tallies(ch.Cases) {
		all.add(t.caseTally)
		if t.cur == (txn.Currency{}) || t.net == 0 {
			continue
		}
		key, net := "net_up", t.net
		if net < 0 {
			key, net = "net_down", -net
		}
		parts = append(parts, fmt.Sprintf(text.Label(key, lang), t.cur, thousands(net.Format(t.cur))))
	}
	net := strings.Join(parts, text.Label("comma", lang))
	if net == "" {
		net = text.Label("net_same", lang)
	}
	return fmt.Sprintf(text.Label("changes_sentence", lang), ch.Former, all.added, all.gone, all.changed, net)
}

// thousands groups the digits of a positive decimal.
func thousands(s string) string {
	whole, rest, dot := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if dot {
		return whole + "." + rest
	}
	return whole
}

// caseTally counts changed cases and what they do to the open amount.
type caseTally struct {
	added, gone, changed int64
	net                  txn.Fine
}

func (t *caseTally) add(v caseTally) {
	t.added, t.gone, t.changed, t.net = t.added+v.added, t.gone+v.gone, t.changed+v.changed, t.net+v.net
}

type currencyTally struct {
	cur txn.Currency
	caseTally
}

// tallies counts changed cases by currency, in the order of its code; cases without money come last.
func tallies(cases []CaseChange) []*currencyTally {
	by := map[txn.Currency]*currencyTally{}
	var out []*currencyTally
	for i := range cases {
		c := &cases[i]
		t := by[c.Currency]
		if t == nil {
			t = &currencyTally{cur: c.Currency}
			by[c.Currency] = t
			out = append(out, t)
		}
		v := caseTally{net: c.openChange()}
		switch c.Change {
		case "new":
			v.added = 1
		case "gone":
			v.gone = 1
		default:
			v.changed = 1
		}
		t.add(v)
	}
	slices.SortFunc(out, func(x, y *currencyTally) int {
		if none := (txn.Currency{}); x.cur == none || y.cur == none {
			return -cmp.Compare(x.cur.String(), y.cur.String())
		}
		return cmp.Compare(x.cur.String(), y.cur.String())
	})
	return out
}

// openChange is how much more, or less, of the case is open than before.
func (c *CaseChange) openChange() txn.Fine { return c.Is.open(c.Currency) - c.Was.open(c.Currency) }

// open is the money of a case that somebody must still act on, as the summary counts it: nothing of what waits, is
// decided or explained, or is merely held back until a file comes.
func (s CaseState) open(cur txn.Currency) txn.Fine {
	if s.Class == "" || s.Status != "open" || s.Class.OrderClass() || strings.HasPrefix(string(s.Class), "F") {
		return 0
	}
	return lineStake(s.line(cur))
}

func (s CaseState) line(cur txn.Currency) *reconcile.Line {
	return &reconcile.Line{Class: s.Class, Status: s.Status, Lifecycle: reconcile.Lifecycle(s.Lifecycle), Amount: s.Amount, Other: s.Other, Fine: s.Fine,
		Currency: cur}
}

// inputs lists what is known now and was not when the former revision was made.
func (p *changesPage) inputs() {
	if len(p.ch.Inputs) == 0 {
		p.block(p.label("block_inputs"))
		p.say(p.label("none_inputs"), look{ink: inkMuted})
		return
	}
	p.block(p.label("block_inputs"), "no", "input_kind", "source", "file", "slot", "when", "by", "detail")
	shown := min(len(p.ch.Inputs), p.b.Limits.exceptions())
	for i, in := range p.ch.Inputs[:shown] {
		p.g.later(func() []cell {
			return ruled(count(int64(i+1)).bold().centered(), str(text.InputKind(in.Kind, p.lang)).bold(), ident(quoted(in.Source)),
				ident(quoted(in.File)), ident(quoted(in.Slot)).indented(), p.when(in.At), ident(quoted(in.By)).indented(),
				str(p.detail(in)).indented())
		})
	}
	if rest := len(p.ch.Inputs) - shown; rest > 0 {
		p.say(p.label("more_inputs", rest), look{ink: inkWarn})
	}
}

// detail is what is known of an input beyond its name.
func (p *changesPage) detail(in InputChange) string {
	switch in.Kind {
	case "slot_state":
		return text.SlotState(reconcile.SlotState(in.Detail), p.lang)
	case "corrected_file":
		var added, removed, changed int64
		if n, _ := fmt.Sscanf(in.Detail, "+%d -%d ~%d", &added, &removed, &changed); n == 3 {
			return p.label("rows_diff", added, removed, changed)
		}
	case "decision": // "<case> <status>: <reason>"
		id, rest, _ := strings.Cut(in.Detail, " ")
		if status, reason, ok := strings.Cut(rest, ": "); ok && slices.Contains(reconcile.DecisionStatuses(), reconcile.DecisionStatus(status)) {
			return quoted(id + " " + text.DecisionStatus(reconcile.DecisionStatus(status), p.lang) + text.Label("colon", p.lang) + reason)
		}
	}
	return quoted(in.Detail)
}

// because spells out what changed a case: the numbers of the inputs with file or author.
func (p *changesPage) because(causes []int) string {
	var out []string
	for i, n := range causes {
		if i == shownCauses {
			out = append(out, p.label("and_more", len(causes)-i))
			break
		}
		s := fmt.Sprintf("%d", n)
		if n >= 1 && n <= len(p.ch.Inputs) {
			in := p.ch.Inputs[n-1]
			s += " " + text.InputKind(in.Kind, p.lang)
			what := cmp.Or(in.File, strings.TrimSpace(in.Source+" "+in.Slot))
			switch in.Kind {
			case "decision":
				what = strings.TrimSpace(in.By + " " + p.detail(in))
			case "register", "lookup", "program":
				what = cmp.Or(what, in.Detail)
			}
			if what != "" {
				s += text.Label("colon", p.lang) + clip(oneLine(what), 70)
			}
		}
		out = append(out, s)
	}
	return strings.Join(out, "\n")
}

// cases lists the cases that the two revisions show differently, before and now beside each other.
func (p *changesPage) cases() {
	if p.ch.Former == 0 {
		return
	}
	title := p.label("block_cases", p.ch.Former)
	if len(p.ch.Cases) == 0 {
		p.block(title)
		p.say(p.label("none_cases"), look{ink: inkMuted})
		return
	}
	p.block(title, "no", "case_id", "change", "because", "was", ">was_expected", ">was_found", "is", ">is_expected",
		">is_found", ">open_change", "currency")
	first := p.g.next()
	shown := min(len(p.ch.Cases), p.b.Limits.exceptions())
	for i := range p.ch.Cases[:shown] {
		c := &p.ch.Cases[i]
		id := p.caseCell(c.CaseID)
		if c.MergedInto != "" && !id.look.link {
			if to := p.caseCell(c.MergedInto); to.look.link {
				id = linked(id)
			}
		}
		p.g.later(func() []cell { return p.caseLine(c, i, id) })
	}
	for _, t := range tallies(p.ch.Cases[shown:]) {
		cells := make([]cell, chCols)
		cells[chCase] = cell{v: p.label("more_cases", t.added+t.gone+t.changed), look: look{ink: inkWarn}}
		cells[chChange], cells[chCcy] = fine(t.net, t.cur), currencyCell(t.cur)
		p.g.add(0, ruled(cells...)...)
	}
	last := p.g.next() - 1
	for _, t := range tallies(p.ch.Cases) {
		row := p.g.next()
		cells := make([]cell, chCols)
		cells[chNo] = cell{v: text.Label("total", p.lang)}
		cells[chCase] = cell{v: p.label("cases_total", t.added, t.gone, t.changed)}
		cells[chChange] = fine(t.net, t.cur).live(sumIf(chChange, chCcy, first, last, row, txn.FineDecimals))
		cells[chCcy] = currencyCell(t.cur)
		p.g.add(minLine+3, summed(cells...)...)
	}
}

func (p *changesPage) caseLine(c *CaseChange, i int, id cell) []cell {
	what := text.CaseChange(c.Change, p.lang)
	if c.MergedInto != "" {
		what += "\n" + c.MergedInto
	}
	was, is := c.Was.line(c.Currency), c.Is.line(c.Currency)
	amounts := [...]cell{sum(was, c.Was.Amount), sum(was, c.Was.Other), sum(is, c.Is.Amount), sum(is, c.Is.Other)}
	if c.Was.Class != "" && c.Is.Class != "" {
		for i := range 2 { // what differs strikes the eye
			if amounts[i].v != amounts[i+2].v {
				amounts[i+2] = amounts[i+2].bold()
			}
		}
	}
	before, now := p.stateCell(c.Was), p.stateCell(c.Is)
	if before.v != now.v {
		now = now.bold()
	}
	return ruled(count(int64(i+1)).muted().centered(), id, str(what).bold(), str(p.because(c.Cause)), before.indented(), amounts[0], amounts[1],
		now.indented(), amounts[2], amounts[3], fine(c.openChange(), c.Currency).bold(), currencyCell(c.Currency))
}

// stateCell is class, status and step of life of a case in one revision; a dash where the book did not have it.
func (p *changesPage) stateCell(s CaseState) cell {
	if s.Class == "" {
		return str("–").muted()
	}
	v := string(s.Class) + " " + text.ClassName(s.Class, p.lang) + "\n" + text.Status(s.Status, p.lang)
	if s.Lifecycle != "" {
		v += " · " + text.Lifecycle(reconcile.Lifecycle(s.Lifecycle), p.lang)
	}
	return str(v)
}

// changeLines are the lines of the summary that lead to the sheet Changes.
func changeLines(g *grid, b *Book) {
	lang := b.lang()
	n := map[reconcile.Class]int{}
	for i := range b.Outcome.Lines {
		n[b.Outcome.Lines[i].Class]++
	}
	order := n[reconcile.X01] + n[reconcile.X02] + n[reconcile.X03] + n[reconcile.F05]
	target := quoteSheet(text.Sheet("changes", lang)) + "!A1"
	if b.Changes == nil {
		target = goTo("exceptions", 0, lang)
	}
	add := func(s string) {
		g.links = append(g.links, link{from: at(0, g.next()), to: target})
		g.add(minLine+2, linked(cell{v: cellText(s), look: look{size: 10, middle: true}}))
	}
	if b.Changes != nil {
		add(text.Sheet("changes", lang) + text.Label("colon", lang) + changesSentence(b))
	}
	if order > 0 {
		add(fmt.Sprintf(text.Label("order_line", lang), n[reconcile.X01], n[reconcile.X02], n[reconcile.X03], n[reconcile.F05]))
	}
}
