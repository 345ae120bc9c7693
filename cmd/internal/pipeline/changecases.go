package pipeline

import (
	"slices"
	"strings"

	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports"
)

// caseFold is a case as one book shows it, with what its lines name.
type caseFold struct {
	id       string
	state    reports.CaseState
	currency txn.Currency
	alias    string
	sources  []string // of its lines, to find what may have changed it
	files    []string
}

// open reports whether the case stands for a difference that somebody has to look at.
func (c *caseFold) open() bool {
	return c.state.Class.Info().Severity > 0 && (c.state.Status == "open" || c.state.Status == "decided") && c.state.Lifecycle != string(reconcile.CaseCleared)
}

// foldLines folds a book's lines to cases: the gravest line speaks for each. Lines that depend on the order of arrival
// say nothing of what a case is.
func foldLines(lines []reconcile.Line) []*caseFold {
	var out []*caseFold
	at := map[string]*caseFold{}
	for i := range lines {
		l := &lines[i]
		if l.Class.OrderClass() {
			continue
		}
		c := at[l.CaseID]
		if c == nil {
			c = &caseFold{id: l.CaseID, currency: l.Currency, alias: l.Alias, state: reports.CaseState{Class: l.Class, Status: l.Status,
				Lifecycle: string(l.Lifecycle), Amount: l.Amount, Other: l.Other, Fine: l.Fine}}
			at[l.CaseID] = c
			out = append(out, c)
		}
		c.sources = append(c.sources, l.Source)
		c.files = append(c.files, l.At.String(), l.OtherAt.String())
	}
	return out
}

// foldItems folds the stored lines of an earlier book the same way.
func foldItems(items []store.Item) []*caseFold {
	var out []*caseFold
	at := map[string]*caseFold{}
	for i := range items {
		it := &items[i]
		class := reconcile.Class(it.Class)
		if class.OrderClass() {
			continue
		}
		c := at[it.CaseID]
		if c == nil {
			cur, _ := txn.ParseCurrency(it.Currency)
			c = &caseFold{id: it.CaseID, currency: cur, state: reports.CaseState{Class: class, Status: it.Status, Lifecycle: it.Lifecycle,
				Amount: reconcile.Money{Minor: it.Amount.Int64, Valid: it.Amount.Valid}, Other: reconcile.Money{Minor: it.Other.Int64, Valid: it.Other.Valid},
				Fine: it.Unit == store.FineUnit}}
			at[it.CaseID] = c
			out = append(out, c)
		}
		c.sources = append(c.sources, it.Source)
		c.files = append(c.files, it.File, it.OtherFile)
	}
	return out
}

// cases compares the two books case by case.
func (x *explainer) cases() {
	if x.last == nil {
		return
	}
	was := map[string]*caseFold{}
	old := foldItems(x.were)
	for _, c := range old {
		was[c.id] = c
	}
	into := map[string]string{}
	now := foldLines(x.c.outcome.Lines)
	seen := map[string]bool{}
	for _, c := range now {
		seen[c.id] = true
		if c.alias != "" && c.alias != c.id {
			into[c.alias] = c.id
		}
	}
	for _, c := range now {
		w := was[c.id]
		if w == nil && c.alias != "" && was[c.alias] != nil && !seen[c.alias] {
			continue // told where it was: merged
		}
		ch := reports.CaseChange{CaseID: c.id, Is: c.state, Currency: c.currency}
		if w == nil {
			ch.Change = "new"
		} else {
			ch.Was = w.state
			ch.Change = difference(w.state, c.state)
		}
		if ch.Change != "" {
			ch.Cause = x.causesOf(c, w)
			x.changes.Cases = append(x.changes.Cases, ch)
		}
	}
	for _, w := range old {
		if seen[w.id] {
			continue
		}
		ch := reports.CaseChange{CaseID: w.id, Change: "gone", Was: w.state, Currency: w.currency}
		var is *caseFold
		if to := into[w.id]; to != "" {
			ch.Change, ch.MergedInto = "merged", to
			for _, c := range now {
				if c.id == to {
					is = c
					ch.Is = c.state
				}
			}
		}
		ch.Cause = x.causesOf(is, w)
		x.changes.Cases = append(x.changes.Cases, ch)
	}
}

func difference(was, is reports.CaseState) string {
	switch {
	case was.Class != is.Class:
		return "class"
	case was.Amount != is.Amount || was.Other != is.Other:
		return "amount"
	case was.Status != is.Status || was.Lifecycle != is.Lifecycle:
		return "status"
	}
	return ""
}

// causesOf numbers the inputs that may have changed a case, likeliest first: a decision on it, then a file that one of its
// lines names, then a file of one of its sources, then what concerns all.
func (x *explainer) causesOf(is, was *caseFold) []int {
	var ids, files, sources []string
	for _, c := range [...]*caseFold{is, was} {
		if c != nil {
			ids, files, sources = append(ids, c.id, c.alias), append(files, c.files...), append(sources, c.sources...)
		}
	}
	var rank [4][]int
	for i := range x.changes.Inputs {
		in := &x.changes.Inputs[i]
		switch {
		case in.Kind == "decision":
			if id, _, _ := strings.Cut(in.Detail, " "); slices.Contains(ids, id) {
				rank[0] = append(rank[0], i+1)
			}
		case in.File != "" && slices.Contains(files, in.File):
			rank[1] = append(rank[1], i+1)
		case in.Source != "" && slices.Contains(sources, in.Source):
			rank[2] = append(rank[2], i+1)
		default:
			rank[3] = append(rank[3], i+1)
		}
	}
	return slices.Concat(rank[:]...)
}
