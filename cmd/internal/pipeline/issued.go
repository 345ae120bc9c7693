package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// Issued is one issued revision of a date's report.
type Issued struct {
	Date     txn.Date
	Revision int
	Run      store.Run // the run that brought it
	Folder   string
	Files    []string // names in the folder
	Newest   bool
}

// IssuedAt is the revision of a date's report that was current at an instant, by the as-of of the runs; with a zero
// instant the newest one. store.ErrNotFound where none was issued by then.
func (e *Engine) IssuedAt(ctx context.Context, d txn.Date, at time.Time) (Issued, error) {
	runs, err := e.DB.RunHistory(ctx, d)
	if err != nil {
		return Issued{}, err
	}
	var found *store.Run
	newest := 0
	for i := range runs {
		r := &runs[i]
		newest = max(newest, r.Revision)
		if !at.IsZero() && r.AsOf.After(at) {
			continue
		}
		if found == nil || r.Revision > found.Revision {
			found = r // the first run with a revision is the one that brought it
		}
	}
	if found == nil {
		if len(runs) > 0 {
			return Issued{}, fmt.Errorf("report of %s as of %s: %w: the first was made as of %s", d, at.Format(time.RFC3339), store.ErrNotFound,
				runs[0].AsOf.In(e.Config.Location()).Format(time.RFC3339))
		}
		return Issued{}, fmt.Errorf("report of %s: %w: the date was never run", d, store.ErrNotFound)
	}
	out := Issued{Date: d, Revision: found.Revision, Run: *found, Newest: found.Revision == newest,
		Folder: filepath.Join(e.Config.Reports, d.String(), "r"+strconv.Itoa(found.Revision))}
	entries, err := e.readDir(out.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return out, fmt.Errorf("report of %s r%d: %w: its folder is not there: run the date, or restore %s", d, out.Revision, store.ErrNotFound, out.Folder)
	}
	for _, f := range entries {
		out.Files = append(out.Files, f.Name())
	}
	return out, err
}

// DayChange says how one date of a cascade changed, for people who will not compare thirty books by eye.
type DayChange struct {
	Date             txn.Date
	Reason           string
	Former, Revision int // revision before, 0 for none, and now
	FormerVerdict    string
	Verdict          string
	Classes          []ClassChange // only those that differ
}

// ClassChange is the open exceptions of one class and currency before and after.
type ClassChange struct {
	Class             reconcile.Class
	Currency          txn.Currency
	WasCases, Cases   int
	WasAmount, Amount int64 // minor units, of the lines that have one
}

// change is the summary of what the book being made changes.
func (x *explainer) change() DayChange {
	ch := DayChange{Date: x.b.Date, Revision: x.b.Revision, Verdict: string(x.c.outcome.Verdict)}
	if x.last != nil {
		ch.Former, ch.FormerVerdict = x.last.Revision, x.last.Verdict
	}
	ch.Classes = classChanges(foldItems(x.were), foldLines(x.c.outcome.Lines))
	return ch
}

// classChanges sums open cases by class and currency and keeps the sums that differ, gravest first.
func classChanges(was, is []*caseFold) []ClassChange {
	type key struct {
		class    reconcile.Class
		currency txn.Currency
	}
	sums := map[key]*ClassChange{}
	at := func(c *caseFold) *ClassChange {
		if !c.open() {
			return &ClassChange{}
		}
		k := key{c.state.Class, c.currency}
		if sums[k] == nil {
			sums[k] = &ClassChange{Class: k.class, Currency: k.currency}
		}
		return sums[k]
	}
	for _, c := range was {
		s := at(c)
		s.WasCases++
		s.WasAmount += minor(c)
	}
	for _, c := range is {
		s := at(c)
		s.Cases++
		s.Amount += minor(c)
	}
	var out []ClassChange
	for _, s := range sums {
		if s.WasCases != s.Cases || s.WasAmount != s.Amount {
			out = append(out, *s)
		}
	}
	slices.SortFunc(out, func(a, b ClassChange) int {
		return cmp.Or(-cmp.Compare(a.Class.Info().Severity, b.Class.Info().Severity), strings.Compare(string(a.Class), string(b.Class)),
			strings.Compare(a.Currency.String(), b.Currency.String()))
	})
	return out
}

// minor is the sum of a case in minor units; fees, which are finer, are left out.
func minor(c *caseFold) int64 {
	if c.state.Fine {
		return 0
	}
	return weight(c.state).Minor
}
