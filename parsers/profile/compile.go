package profile

import (
	"fmt"
	"slices"

	"daozhang/parsers/txn"
)

// columns collects the distinct columns of the common and the per-rule tables.
func (c *compiler) columns() error {
	for i := range c.spec.Columns {
		if _, err := c.column(&c.spec.Columns[i], "columns", i); err != nil {
			return err
		}
	}
	for e := range c.spec.Emit {
		for i := range c.spec.Emit[e].Columns {
			if _, err := c.column(&c.spec.Emit[e].Columns[i], "emit", e, "columns", i); err != nil {
				return err
			}
		}
	}
	seen := map[string]string{}
	for _, col := range c.p.cols {
		for _, k := range col.keys {
			if other := seen[k]; other != "" {
				return c.doc.fail(fmt.Sprintf("columns %s and %s have the same name or alias", other, col.name), "columns")
			}
			seen[k] = col.name
		}
	}
	return nil
}

// column returns the index of the column that a line of the table names, making it on its first mention.
func (c *compiler) column(s *columnSpec, path ...any) (int, error) {
	p := c.p
	if (s.Name == "") == (s.Capture == "") {
		return 0, c.doc.fail("want exactly one of name and capture", path...)
	}
	name, capture := s.Name, s.Capture != ""
	if capture {
		name = s.Capture
	}
	i := slices.IndexFunc(p.cols, func(k column) bool { return k.name == name && k.capture == capture })
	if i < 0 {
		k := column{name: name, capture: capture, optional: s.Optional || capture, start: s.Start - 1, width: s.Width}
		if !capture {
			k.keys = []string{normalise(name)}
		}
		if p.fixed != nil && !capture && (s.Start < 1 || s.Width < 1 || s.Start-1+s.Width > p.fixed.Record) {
			return 0, c.doc.fail("start and width must lie inside the record", path...)
		}
		if p.fixed == nil && (s.Start != 0 || s.Width != 0) {
			return 0, c.doc.fail("start and width are for fixed layouts", path...)
		}
		i = len(p.cols)
		p.cols = append(p.cols, k)
	} else if s.Start != 0 && (s.Start-1 != p.cols[i].start || s.Width != p.cols[i].width) {
		return 0, c.doc.fail("the column was given another place above", path...)
	}
	k := &p.cols[i]
	for _, a := range s.Aliases {
		if a = normalise(a); !slices.Contains(k.keys, a) {
			k.keys = append(k.keys, a)
		}
	}
	for _, e := range s.Empty {
		k.empty = append(k.empty, []byte(e))
	}
	k.ignore = k.ignore || s.Ignore
	k.keep = k.keep || s.Keep
	k.mapped = k.mapped || s.Field != ""
	return i, nil
}

func (c *compiler) entries() error {
	p := c.p
	var common []op
	for i := range c.spec.Columns {
		if o, err := c.op(&c.spec.Columns[i], "columns", i); err != nil {
			return err
		} else if o != nil {
			common = append(common, *o)
		}
	}
	emits := c.spec.Emit
	if len(emits) == 0 {
		emits = []emitSpec{{}}
	}
	if c.spec.ControlOnly {
		if len(c.spec.Emit) > 0 || len(common) > 0 {
			return c.doc.fail("a control-only profile has neither fields nor emit rules")
		}
		return nil
	}
	for n := range emits {
		e, err := c.entry(&emits[n], n)
		if err != nil {
			return err
		}
		e.ops = append(e.ops, common...)
		slices.SortStableFunc(e.ops, func(a, b op) int { return a.phase() - b.phase() })
		if e.kind == txn.NoKind && !slices.ContainsFunc(e.ops, func(o op) bool { return o.code == opKind }) {
			return c.doc.fail("no column and no constant gives the kind", "emit", n)
		}
		p.entries = append(p.entries, e)
	}
	return nil
}

func (c *compiler) entry(s *emitSpec, n int) (entry, error) {
	var e entry
	if err := c.set(&e, &c.spec.Set, "set"); err != nil {
		return e, err
	}
	if err := c.set(&e, &s.Set, "emit", n, "set"); err != nil {
		return e, err
	}
	for i := range s.When {
		k, err := c.cond(&s.When[i], "emit", n, "when", i)
		if err != nil {
			return e, err
		}
		e.conds = append(e.conds, k)
	}
	for i := range s.Columns {
		o, err := c.op(&s.Columns[i], "emit", n, "columns", i)
		if err != nil {
			return e, err
		}
		if o != nil {
			e.ops = append(e.ops, *o)
		}
	}
	return e, nil
}

func (c *compiler) set(e *entry, s *setSpec, path ...any) error {
	var ok bool
	if s.Kind != "" {
		if e.kind, ok = txn.ParseKind(s.Kind); !ok {
			return c.doc.fail("kind: no such kind", append(path, "kind")...)
		}
	}
	if s.Status != "" {
		if e.status, ok = txn.ParseStatus(s.Status); !ok {
			return c.doc.fail("status: no such status", append(path, "status")...)
		}
	}
	if s.Channel != "" {
		if e.channel, ok = txn.ParseChannel(s.Channel); !ok {
			return c.doc.fail("channel: no such channel", append(path, "channel")...)
		}
	}
	names := make([]string, 0, len(s.Text))
	for name := range s.Text {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		f, ok := txn.ParseField(name)
		if !ok || !f.IsText() || f == txn.CardTail || f == txn.CardLead {
			return c.doc.fail(name+" is not a text field that can be constant", append(path, "text")...)
		}
		e.texts = append(e.texts, constText{f, []byte(s.Text[name])})
	}
	return nil
}

func (c *compiler) cond(s *condSpec, path ...any) (cond, error) {
	k := cond{col: c.p.columnNamed(s.Column)}
	if k.col < 0 {
		return k, c.doc.fail(fmt.Sprintf("no column is named %q", s.Column), append(path, "column")...)
	}
	n := 0
	words := s.In
	if len(s.In) > 0 {
		n++
	}
	if len(s.NotIn) > 0 {
		k.mode, words = condNotIn, s.NotIn
		n++
	}
	if s.Zero {
		k.mode = condZero
		n++
	}
	if s.NonZero {
		k.mode = condNonZero
		n++
	}
	if n != 1 {
		return k, c.doc.fail("want exactly one of in, not_in, zero and nonzero", path...)
	}
	k.words = make(map[string]bool, len(words))
	for _, w := range words {
		k.words[w] = true
	}
	return k, nil
}

func (c *compiler) trailers() error {
	for i, s := range c.spec.Trailer {
		t := trailerLine{optional: s.Optional}
		n := 0
		for form, word := range []string{s.Text, s.Table, s.Pairs, s.Row} {
			if word == "" {
				continue
			}
			n++
			t.form, t.word, t.key, t.begin = trailerForm(form), word, normalise(word), word
		}
		if n != 1 {
			return c.doc.fail("want exactly one of text, table, pairs and row", "trailer", i)
		}
		if t.form == trailText {
			var err error
			if t.tmpl, err = parseTemplate(s.Text); err != nil {
				return c.doc.fail(err.Error(), "trailer", i)
			}
			if t.begin = t.tmpl.begin; t.begin == "" {
				return c.doc.fail("a trailer line must begin with literal text", "trailer", i)
			}
		}
		if !s.Optional {
			c.p.required++
		}
		c.p.trailer = append(c.p.trailer, t)
	}
	return nil
}

func (c *compiler) checks() error {
	for i, s := range c.spec.Controls {
		k := control{name: s.Name, stated: s.Stated, abs: s.Abs, negate: s.Negate, slot: s.Slot, optional: s.Optional,
			minor: minorUnit(s.Unit, c.spec.Unit)}
		m := slices.Index(measureNames, s.Measure)
		if m < 0 || s.Name == "" || len(s.Stated) == 0 {
			return c.doc.fail("want name, stated and measure: rows, amount, fee, net or column", "controls", i)
		}
		k.measure = measure(m)
		if k.measure == measureColumn {
			col := c.p.columnNamed(s.Column)
			if col < 0 || k.slot || len(s.Kinds) > 0 {
				return c.doc.fail("measure column wants a known column, without slot and kinds", "controls", i)
			}
			k.sum = len(c.p.sums)
			c.p.sums = append(c.p.sums, sum{col: col, minor: k.minor})
		}
		for _, w := range s.Kinds {
			kind, ok := txn.ParseKind(w)
			if !ok {
				return c.doc.fail(w+" is not a kind", "controls", i, "kinds")
			}
			k.kinds = append(k.kinds, kind)
		}
		if c.spec.ControlOnly && !k.slot && k.measure != measureColumn && k.measure != measureRows {
			return c.doc.fail("a control-only profile can check columns and rows only", "controls", i)
		}
		c.p.controls = append(c.p.controls, k)
	}
	return nil
}

func (c *compiler) statement() error {
	s := c.spec.Statement
	if s == nil {
		return nil
	}
	if c.p.info.Side != txn.Bank {
		return c.doc.fail("statement is for side B", "statement")
	}
	p := &statementPlan{}
	for _, t := range []struct {
		text string
		to   **template
		key  string
	}{{s.Period, &p.period, "period"}, {s.Opening, &p.opening, "opening"}, {s.Closing, &p.closing, "closing"}} {
		if t.text == "" {
			continue
		}
		tm, err := parseTemplate(t.text)
		if err != nil {
			return c.doc.fail(err.Error(), "statement", t.key)
		}
		*t.to = tm
	}
	var err error
	if p.layouts, err = c.layouts(s.Layouts, "statement", "layouts"); err != nil {
		return err
	}
	if p.period != nil && len(p.layouts) == 0 {
		return c.doc.fail("a period needs layouts", "statement")
	}
	c.p.statement = p
	return nil
}

func (c *compiler) layouts(texts []string, path ...any) ([]layout, error) {
	var ls []layout
	for i, t := range texts {
		l, err := parseLayout(t)
		if err != nil {
			return nil, c.doc.fail(err.Error(), append(path, i)...)
		}
		ls = append(ls, l)
	}
	return ls, nil
}

func minorUnit(own, whole string) bool {
	if own == "" {
		own = whole
	}
	return own == "minor"
}
