package pipeline

import (
	"context"
	"slices"

	"daozhang/cmd/internal/store"
)

// cascadeNumber is the number of what a command computes: a new one, or, where a crash or an error has cut a command off
// before it came to its end, the number of that one.
func (e *Engine) cascadeNumber(ctx context.Context) (int64, error) {
	jobs, err := e.DB.PendingJobs(ctx)
	if err != nil {
		return 0, err
	}
	number := int64(0)
	for _, j := range jobs {
		if j.Name != jobCascade {
			continue
		}
		r, err := e.DB.LatestRun(ctx, j.Date)
		if err != nil {
			return 0, err
		}
		number = max(number, r.Cascade)
	}
	if number > 0 {
		return number, nil
	}
	return e.DB.NextCascade(ctx)
}

// LastCascade lists the dates that the last command computed and whose comparable part it changed, oldest first. Where it
// went on with what a crash or an error had cut off, the dates that were computed before that are listed too.
func (e *Engine) LastCascade(ctx context.Context) ([]DayChange, error) {
	runs, err := e.DB.Runs(ctx)
	if err != nil {
		return nil, err
	}
	last := int64(0)
	for _, r := range runs {
		last = max(last, r.Cascade)
	}
	var out []DayChange
	for _, r := range runs {
		if r.Cascade != last || last == 0 {
			continue
		}
		all, err := e.DB.RunHistory(ctx, r.Date)
		if err != nil {
			return nil, err
		}
		var former *store.Run
		if n := slices.IndexFunc(all, func(x store.Run) bool { return x.Cascade == last }); n > 0 {
			former = &all[n-1]
		}
		if former != nil && former.Comparable == r.Comparable {
			continue
		}
		ch := DayChange{Date: r.Date, Reason: r.Reason, Revision: r.Revision, Verdict: r.Verdict}
		items, err := e.DB.Items(ctx, r.Date, r.N)
		if err != nil {
			return nil, err
		}
		var were []store.Item
		if former != nil {
			ch.Former, ch.FormerVerdict = former.Revision, former.Verdict
			if were, err = e.DB.Items(ctx, r.Date, former.N); err != nil {
				return nil, err
			}
		}
		ch.Classes = classChanges(foldItems(were), foldItems(items))
		out = append(out, ch)
	}
	return out, nil
}
