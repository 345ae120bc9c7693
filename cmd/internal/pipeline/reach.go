package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"daozhang/cmd/internal/publish"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// The register may be changed for dates that are closed. Their books stay. The first open date is stale then, has the change
// among its inputs, and says in X03 what those books would say otherwise, unless it is nothing.

// reach is one closed date for which the register says something else now than it did when its book was made.
type reach struct {
	date     txn.Date
	was, now string // digests of the register as it is valid on the date
}

// reaches lists, oldest first, the closed dates of which d has to tell: d is the first open date, and no date closed since has
// told the same.
func (e *Engine) reaches(ctx context.Context, d, closed txn.Date) ([]reach, error) {
	if closed == 0 || d != closed+1 {
		return nil, nil
	}
	known, err := e.DB.RegisterInputs(ctx, closed)
	if err != nil {
		return nil, err
	}
	var out []reach
	for d, was := range known.Own {
		if is := e.registerDigest(d); is != was && is != known.Told[d] {
			out = append(out, reach{d, was, is})
		}
	}
	slices.SortFunc(out, func(a, b reach) int { return cmp.Compare(a.date, b.date) })
	return out, nil
}

// maxShadows is how many closed dates, the newest, are judged again to see what a change of the register would make of them.
const maxShadows = 31

// tellReaches judges the closed dates as the register is now, changing nothing, and says what would be otherwise: one entry for
// the dates on which the same records changed.
func (e *Engine) tellReaches(ctx context.Context, rs []reach) ([]reconcile.Reach, error) {
	var out []*telling
	at := map[string]*telling{}
	for i, r := range rs {
		records, err := e.changedRecords(ctx, r)
		if err != nil {
			return nil, err
		}
		t := at[records]
		if t == nil {
			t = &telling{records: records, sums: map[classCurrency]*classSum{}}
			at[records] = t
			out = append(out, t)
		}
		if i < len(rs)-maxShadows {
			t.add(r)
			t.unjudged++
			continue
		}
		if err := e.shadow(ctx, r, t); err != nil {
			return nil, err
		}
	}
	var told []reconcile.Reach
	for _, t := range out {
		if t.dates > 0 {
			told = append(told, t.reach())
		}
	}
	return told, nil
}

// shadow judges one closed date again. One that cannot be judged is told of as such: the first open date must be run all the
// same.
func (e *Engine) shadow(ctx context.Context, r reach, t *telling) error {
	run, err := e.DB.LatestRun(ctx, r.date)
	if err != nil {
		return err
	}
	items, err := e.DB.Items(ctx, r.date, run.N)
	if err != nil {
		return err
	}
	c, err := e.compute(ctx, r.date, run.AsOf)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		e.say("%s is closed, and cannot be judged by the changed register: %v", r.date, err)
		t.add(r)
		t.unjudged++
		return nil
	}
	defer c.Close()
	config, err := e.configDigest()
	if err != nil {
		return err
	}
	was, is := foldItems(items), foldLines(c.outcome.Lines)
	cases := otherCases(was, is)
	// Cases aside, an upgrade alone may make the carry another one.
	carry := run.Program == e.Program && run.Config == config && digestText(string(c.text)) != run.CarryOut
	if cases == 0 && !carry {
		return nil
	}
	t.add(r)
	t.cases += cases
	t.sum(was, func(s *classSum) *figure { return &s.was })
	t.sum(is, func(s *classSum) *figure { return &s.is })
	return nil
}

// otherCases counts the cases that two books show differently.
func otherCases(was, is []*caseFold) (n int) {
	old := map[string]*caseFold{}
	for _, c := range was {
		old[c.id] = c
	}
	for _, c := range is {
		if w := old[c.id]; w == nil || difference(w.state, c.state) != "" {
			n++
		}
		delete(old, c.id)
	}
	return n + len(old)
}

// telling gathers what is told of one change.
type telling struct {
	records  string
	from, to txn.Date
	dates    int
	unjudged int
	cases    int
	sums     map[classCurrency]*classSum
	facts    strings.Builder
}

type classCurrency struct {
	class    reconcile.Class
	currency txn.Currency
}

type classSum struct{ was, is figure }

type figure struct {
	cases int
	sum   txn.Fine
}

func (t *telling) add(r reach) {
	if t.dates == 0 {
		t.from = r.date
	}
	t.to = r.date
	t.dates++
	fmt.Fprintf(&t.facts, "%s %s\n", r.date, r.now)
}

// sum adds up the open cases: of fees by how much they are wrong.
func (t *telling) sum(folds []*caseFold, side func(*classSum) *figure) {
	for _, c := range folds {
		if !c.open() {
			continue
		}
		k := classCurrency{c.state.Class, c.currency}
		if t.sums[k] == nil {
			t.sums[k] = &classSum{}
		}
		f := side(t.sums[k])
		f.cases++
		if c.state.Fine {
			f.sum += txn.Fine(c.state.Other.Minor - c.state.Amount.Minor)
		} else {
			f.sum += txn.FineOf(weight(c.state).Minor, c.currency)
		}
	}
}

func (t *telling) reach() reconcile.Reach {
	dates := t.from.String()
	if t.dates > 1 {
		dates += " .. " + t.to.String() + ", " + strconv.Itoa(t.dates) + " dates"
	}
	parts := []string{dates}
	if t.records != "" {
		parts = []string{t.records, dates}
	}
	var keys []classCurrency
	for k, s := range t.sums {
		if s.was != s.is {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b classCurrency) int {
		return cmp.Or(strings.Compare(string(a.class), string(b.class)), strings.Compare(a.currency.String(), b.currency.String()))
	})
	for _, k := range keys {
		s := t.sums[k]
		text := fmt.Sprintf("%s %d -> %d", k.class, s.was.cases, s.is.cases)
		if k.currency != (txn.Currency{}) {
			text += fmt.Sprintf(", %s -> %s %s", s.was.sum.Format(k.currency), s.is.sum.Format(k.currency), k.currency)
		}
		parts = append(parts, text)
	}
	if t.unjudged > 0 {
		parts = append(parts, fmt.Sprintf("%d not judged again", t.unjudged))
	}
	return reconcile.Reach{From: t.from, To: t.to, Cases: t.cases, Detail: strings.Join(parts, "; "), Facts: digestText(t.facts.String())}
}

// maxRecords is how many changed records are named.
const maxRecords = 5

// changedRecords names the records of the register that differ; empty where what it was is not kept.
func (e *Engine) changedRecords(ctx context.Context, r reach) (string, error) {
	was, err := e.Carry.Get(ctx, r.was)
	if errors.Is(err, publish.ErrNoCarry) || errors.Is(err, publish.ErrCarryDamaged) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	lines := map[string]int{}
	for l := range strings.Lines(string(was)) {
		lines[l]++
	}
	for l := range strings.Lines(string(e.Register.AppendValid(nil, r.date))) {
		lines[l]--
	}
	var names []string
	for l, n := range lines {
		if n != 0 {
			names = append(names, recordName(strings.TrimSuffix(l, "\n")))
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if n := len(names) - maxRecords; n > 0 {
		names = append(names[:maxRecords], "+"+strconv.Itoa(n))
	}
	return strings.Join(names, ", "), nil
}

// recordName is the table and the first field of a line of the register's canonical text.
func recordName(line string) string {
	table, quoted, _ := strings.Cut(line, " ")
	record, err := strconv.Unquote(quoted)
	if err != nil {
		return table
	}
	if m := firstField.FindStringSubmatch(record); m != nil {
		return table + " " + m[1]
	}
	return table
}

// firstField finds it behind the span, which is empty.
var firstField = regexp.MustCompile(`^\{Validity:\{[^}]*\} \w+:(.*?) \w+:`)
