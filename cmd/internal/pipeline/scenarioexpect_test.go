package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// expectation plays what the text expects.
func (p *play) expectation(verb string, c *cursor, x stmt) {
	switch verb {
	case "computed":
		p.computed(c, x)
	case "book":
		p.book(c, x)
	case "books":
		from, to := c.period()
		verdict := c.next("a verdict")
		for d := from; d <= to && c.err == nil; d++ {
			p.sameLines(x, d, 0, nil)
			p.verdict(x, d, 0, verdict)
		}
	case "changes":
		p.changes(c, x)
	case "stale":
		p.stale(c, x)
	case "never":
		p.never(c, x)
	case "passes":
		d, pass, n := c.day(), c.next("a pass"), c.number()
		got := int64(0)
		if s := p.summary(d, 0); s != nil {
			for _, v := range s.Passes {
				if v.Pass == pass {
					got += v.Matches
				}
			}
		}
		if got != int64(n) {
			p.wrong(x, "%d matches", got)
		}
	case "revisions", "aliases":
		p.slotHistory(verb, c, x)
	case "quarantined":
		p.quarantined(c, x)
	case "report":
		p.reportAt(c, x)
	case "changed":
		p.changed(c, x)
	case "audit":
		p.audit(c, x)
	case "remember":
		p.memory[strings.Join(c.words, " ")] = p.print(c)
	case "untouched":
		key := strings.Join(c.words, " ")
		p.sameBytes(x, key, p.print(c))
	case "byte-identical":
		p.sameBytes(x, "everything", p.print(&cursor{words: []string{"everything"}}))
	case "same":
		c.need("as", "if", "known", "from", "the", "start")
		p.knownFromTheStart(x)
	default:
		if strings.HasPrefix(verb, "#") {
			c.need("leads", "to")
			p.leads(c, x, p.caseOf(c, verb), p.caseOf(c, c.next("a case")))
			return
		}
		c.fail("there is no statement %q", verb)
	}
}

func (p *play) computed(c *cursor, x stmt) {
	var want []string
	for !c.done() {
		w := c.next("a date")
		if w == "nothing" && want == nil {
			break
		}
		name, _, _ := strings.Cut(w, ":")
		if _, err := parseDay(name); err != nil {
			c.err = err
		}
		want = append(want, w)
	}
	var got, why []string
	for _, r := range p.last {
		s := dayName(r.Date)
		if r.Issued {
			s += fmt.Sprintf(":r%d", r.Run.Revision)
		}
		got, why = append(got, s), append(why, s+" "+r.Reason)
	}
	if !slices.Equal(got, want) {
		p.wrong(x, "computed %s\n\t(%s)", strings.Join(got, " "), strings.Join(why, "; "))
	}
}

func (p *play) folder(d txn.Date, rev int) string {
	name := "latest"
	if rev > 0 {
		name = fmt.Sprint("r", rev)
	}
	return filepath.Join(p.b.config.Reports, d.String(), name)
}

// summaryPart is what the texts ask of summary.json.
type summaryPart struct {
	Verdict string
	Passes  []struct {
		Pass    string
		Matches int64
	}
	History map[string]json.RawMessage
}

func (p *play) summary(d txn.Date, rev int) *summaryPart {
	data, err := os.ReadFile(filepath.Join(p.folder(d, rev), "summary.json"))
	s := &summaryPart{}
	if err == nil {
		err = json.Unmarshal(data, s)
	}
	if err != nil {
		p.wrong(p.at, "%v", err)
		return nil
	}
	return s
}

func (p *play) verdict(x stmt, d txn.Date, rev int, want string) {
	if s := p.summary(d, rev); s != nil && s.Verdict != want {
		p.wrong(x, "%s is %s", dayName(d), s.Verdict)
	}
}

func (c *cursor) revision() int {
	if w := c.peek(); len(w) > 1 && w[0] == 'r' {
		if n, err := strconv.Atoi(w[1:]); err == nil {
			c.next("a revision")
			return n
		}
	}
	return 0
}

func (p *play) book(c *cursor, x stmt) {
	d, rev := c.day(), c.revision()
	want := c.next("a verdict")
	if c.err != nil {
		return
	}
	p.verdict(x, d, rev, want)
	p.sameLines(x, d, rev, x.block)
}

func (p *play) stale(c *cursor, x stmt) {
	type want struct {
		day txn.Date
		why string
	}
	var wants []want
	for !c.done() && !c.take("nothing") {
		w := want{day: c.day()}
		if !c.done() && c.peek() != "," {
			w.why = c.next("a reason")
		}
		wants = append(wants, w)
		if !c.done() {
			c.need(",")
		}
	}
	if c.err != nil {
		return
	}
	var plan []Planned
	p.with(p.b, func(ctx context.Context, e *Engine) {
		target := p.yesterday()
		if p.fetch(ctx, e, target, target); p.failed == nil {
			plan, p.failed = p.plan(ctx, e, target, 0)
		}
	})
	// A plan names the later days too; whether they change is known when the days before them are computed.
	plan = slices.DeleteFunc(plan, func(d Planned) bool { return d.Reason == ReasonEarlierIn })
	var got []string
	same := len(plan) == len(wants)
	for i, d := range plan {
		got = append(got, fmt.Sprintf("%s %q", dayName(d.Date), d.Reason))
		same = same && d.Date == wants[i].day && strings.Contains(d.Reason, wants[i].why)
	}
	if p.failed == nil && !same {
		p.wrong(x, "stale are: %s", strings.Join(got, ", "))
	}
}

// everyBook visits all issued revisions.
func (p *play) everyBook(visit func(where string, l line)) {
	paths, err := filepath.Glob(filepath.Join(p.b.config.Reports, "*", "r*", "exceptions.csv"))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, path := range paths {
		rel, _ := filepath.Rel(p.b.config.Reports, filepath.Dir(path))
		for _, l := range readLines(p.t, path) {
			visit(rel, l)
		}
	}
}

func (p *play) never(c *cursor, x stmt) {
	classes := []string{}
	exception := c.take("an", "exception")
	if !exception {
		classes = c.list("a class")
		for _, k := range classes {
			if reconcile.Class(k).Info().Owner == "" && reconcile.Class(k).Info().Severity == 4 {
				c.fail("there is no class %s", k)
			}
		}
	}
	subject := ""
	if c.take("of") {
		subject = c.next("a name")
	}
	p.everyBook(func(where string, l line) {
		if subject != "" && !p.isAbout(subject, l) {
			return
		}
		if exception && l["status"] != "in_window" && l["severity"] != "0" && l["status"] != "explained" || slices.Contains(classes, l["class"]) {
			p.wrong(x, "%s: %s", where, p.tell(l))
		}
	})
}

func (p *play) slotHistory(verb string, c *cursor, x stmt) {
	c.need("of")
	ref := store.SlotRef{Source: c.next("a source")}
	ref.Date = c.day()
	if ref.Source == "bank" {
		ref.Key = account
	}
	n := c.number()
	p.command(c, func(ctx context.Context, e *Engine) error {
		if verb == "aliases" {
			as, err := e.DB.SlotAliases(ctx, ref)
			if len(as) != n {
				p.wrong(x, "%d aliases", len(as))
			}
			return err
		}
		revs, err := e.DB.SlotHistory(ctx, ref)
		if len(revs) != n {
			p.wrong(x, "%d revisions", len(revs))
		}
		return err
	})
}

func (p *play) quarantined(c *cursor, x stmt) {
	n, class, why := c.number(), c.next("a class"), c.next("a reason")
	p.command(c, func(ctx context.Context, e *Engine) error {
		fs, err := e.DB.FilesWith(ctx, store.Quarantined)
		if len(fs) != n {
			p.wrong(x, "%d files", len(fs))
		}
		for _, f := range fs {
			if f.Class != class || !strings.Contains(f.Why, why) {
				p.wrong(x, "%s: %s %s", f.Member, f.Class, f.Why)
			}
		}
		return err
	})
}

func (p *play) reportAt(c *cursor, x stmt) {
	c.need("of")
	d := c.day()
	c.need("at")
	on, clock := c.day(), c.clock()
	c.need("is")
	rev := c.revision()
	moment := &books{t: p.t, config: p.b.config}
	moment.at(on, clock[:5])
	p.command(c, func(ctx context.Context, e *Engine) error {
		got, err := e.IssuedAt(ctx, d, moment.now)
		if err == nil && got.Revision != rev {
			p.wrong(x, "it is r%d", got.Revision)
		}
		return err
	})
}

// changed compares what `status` tells of the last command: the dates whose book is another, with their revisions.
func (p *play) changed(c *cursor, x stmt) {
	var want []string
	for !c.done() {
		d := c.day()
		was := c.revision()
		c.need("->")
		want = append(want, fmt.Sprintf("%s r%d -> r%d", dayName(d), was, c.revision()))
	}
	p.command(c, func(ctx context.Context, e *Engine) error {
		var got []string
		ds, err := e.LastCascade(ctx)
		for _, d := range ds {
			got = append(got, fmt.Sprintf("%s r%d -> r%d", dayName(d.Date), d.Former, d.Revision))
		}
		if err == nil && !slices.Equal(got, want) {
			p.wrong(x, "changed are %s", strings.Join(got, " "))
		}
		return err
	})
}

// audit looks for an entry of the audit log by action and actor.
func (p *play) audit(c *cursor, x stmt) {
	action, actor := c.next("an action"), c.next("who did it")
	p.command(c, func(ctx context.Context, e *Engine) error {
		all, err := e.DB.AuditLog(ctx, 0)
		if err == nil && !slices.ContainsFunc(all, func(a store.AuditEntry) bool { return a.Action == action && a.Actor == actor }) {
			p.wrong(x, "the audit log has no such entry")
		}
		return err
	})
}

// print is the fingerprint of the reports of a day, or of everything but the archive.
func (p *play) print(c *cursor) string {
	all := reportsOnly(fingerprint(p.t, p.b))
	if c.take("everything") {
		return all
	}
	from, to := c.period()
	return strings.Join(slices.DeleteFunc(strings.Split(all, "\n"), func(l string) bool {
		for d := from; d <= to; d++ {
			if strings.HasPrefix(l, "reports/"+d.String()+"/") {
				return false
			}
		}
		return true
	}), "\n")
}

func (p *play) sameBytes(x stmt, key, now string) {
	was, ok := p.memory[key]
	if !ok {
		p.misread(x, "nothing was remembered of %s", key)
		return
	}
	if was != now {
		p.wrong(x, "something changed:\n%s", firstDifference(was, now))
	}
}

// knownFromTheStart brings the same files in the same order into another installation before its first run, runs
// all days once, and compares what may not depend on the order of arrival.
func (p *play) knownFromTheStart(x stmt) {
	if p.decided {
		p.misread(x, "a decision is made about a book; without the book it cannot be known from the start")
		return
	}
	whole := p.open()
	whole.now = p.b.now
	ends := p.newest
	p.with(whole, func(ctx context.Context, e *Engine) {
		for _, a := range p.arrivals {
			for _, f := range a.files {
				whole.write("inbox/"+f.name, f.data)
			}
			whole.now = a.at
			if _, err := e.Fetch(ctx, a.from, a.to+1); err != nil {
				p.failed = err
				return
			}
		}
		whole.now = p.b.now
		plan, err := p.plan(ctx, e, ends, 0)
		if err == nil {
			_, err = e.Run(ctx, plan, whole.now, nil)
		}
		p.failed = err
	})
	if p.failed != nil {
		return
	}
	g, w := p.runs(p.b), p.runs(whole)
	for _, d := range sortedDays(w) {
		if a, b := comparableLines(p.b.lines(d)), comparableLines(whole.lines(d)); a != b {
			p.wrong(x, "%s: exceptions.csv differs:\n%s", dayName(d), firstDifference(b, a))
		}
		if g[d].CarryOut != w[d].CarryOut || g[d].Comparable != w[d].Comparable {
			p.wrong(x, "%s: carry %.12s and comparable part %.12s, want %.12s and %.12s", dayName(d), g[d].CarryOut, g[d].Comparable, w[d].CarryOut, w[d].Comparable)
		}
	}
}

func sortedDays(m map[txn.Date]store.Run) []txn.Date {
	var out []txn.Date
	for d := range m {
		out = append(out, d)
	}
	slices.Sort(out)
	return out
}

func (p *play) runs(b *books) map[txn.Date]store.Run {
	out := map[txn.Date]store.Run{}
	p.with(b, func(ctx context.Context, e *Engine) {
		rs, err := e.DB.Runs(ctx)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, r := range rs {
			out[r.Date] = r
		}
	})
	return out
}

// leads checks that a former id of a case finds it wherever ids are accepted.
func (p *play) leads(c *cursor, x stmt, old, now string) {
	p.command(c, func(ctx context.Context, e *Engine) error {
		found, err := e.DB.FindCase(ctx, old)
		if errors.Is(err, store.ErrNotFound) || err == nil && found.ID != now {
			p.wrong(x, "the case %s is found as %q (%v), not as %s", old, found.ID, err, now)
			return nil
		}
		if err != nil {
			return err
		}
		tr, err := e.Trace(ctx, old, 0)
		if err == nil && len(tr.Items) == 0 {
			p.wrong(x, "a trace of %s finds nothing", old)
		}
		return err
	})
}

// verify is at the end of every story: what is kept is what was written.
func (p *play) verify() {
	if p.b == nil || p.broken != nil || p.unbuilt != "" {
		return
	}
	p.with(p.b, func(ctx context.Context, e *Engine) {
		v, err := e.Verify(ctx, true, nil)
		if err != nil {
			p.t.Error(err)
			return
		}
		for _, f := range v.Faults {
			p.wrong(p.at, "verify: %+v", f)
		}
	})
}
