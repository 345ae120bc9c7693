package main

import (
	"context"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/pipeline"
	"daozhang/parsers/txn"
)

// jobRun is the name under which the store remembers up to which business date everything was looked for and run.
const jobRun = "run"

// backlog is the span of business dates that a run without dates works off.
type backlog struct {
	from txn.Date // files are looked for from this date on
	to   txn.Date // the books are brought up to this date
	left int      // dates after it that the next run will work off
}

// leftBehind says what is left to do up to target: files of every date since the last one that was completed are looked
// for, or, with catch_up last or none, of target alone. The sources' look_back_days come on top. Dates are never left
// out, since what one day leaves open goes through each day after it.
func leftBehind(ctx context.Context, e *pipeline.Engine, target txn.Date) (backlog, error) {
	b := backlog{from: target, to: target}
	never, err := firstMissed(ctx, e, target)
	if err != nil {
		return b, err
	}
	if s := e.Config.Schedule; s.CatchUp == config.CatchUpNone || s.CatchUp == config.CatchUpLast {
		return b, nil
	}
	done, ok, err := e.DB.LastCompleted(ctx, jobRun)
	if err != nil {
		return b, err
	}
	b.from = never
	if ok {
		b.from = min(b.from, done+1)
	}
	return b, nil
}

// bounded cuts the backlog to so many dates that were never run, oldest first.
func (b backlog) bounded(ctx context.Context, e *pipeline.Engine, n int) (backlog, error) {
	if n <= 0 {
		return b, nil
	}
	never, err := firstMissed(ctx, e, b.to)
	if err != nil {
		return b, err
	}
	if last := never + txn.Date(n) - 1; last < b.to {
		b.left, b.to = int(b.to-last), last
	}
	b.from = min(b.from, b.to)
	return b, nil
}

// firstMissed is the oldest date up to target that was never run; target if there is none.
func firstMissed(ctx context.Context, e *pipeline.Engine, target txn.Date) (txn.Date, error) {
	runs, err := e.DB.Runs(ctx)
	if err != nil {
		return 0, err
	}
	ran := map[txn.Date]bool{}
	for _, r := range runs {
		ran[r.Date] = true
	}
	first := target
	if e.Config.GoLive != 0 {
		first = e.Config.GoLive
	}
	for d := first; d < target; d++ {
		if !ran[d] {
			return d, nil
		}
	}
	return target, nil
}
