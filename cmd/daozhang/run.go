package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/pipeline"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

type faultFunc = func(stage string, day *reconcile.Day)

// runFlags are the flags of `run`, and what `serve` sets for its own runs.
type runFlags struct {
	config          string
	date, from, to  string
	asOf            string
	offline, dryRun bool
	failOn          int
}

func (a *app) runCmd() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run --config FILE [--date D | --from D --to D]",
		Short: "Fetch, match and report business dates",
		Long: `Fetches what the sources have, matches the business date and every date before it that was not run yet or whose
inputs changed, oldest first, and writes one folder per date. Without --date it runs up to yesterday in the
configured zone. A date that was run before is computed again; a new revision is issued only if something changed.`,
		Example: `  daozhang run --config daozhang.yaml
  daozhang run --config daozhang.yaml --date 2026-01-05
  daozhang run --config daozhang.yaml --from 2026-01-01 --to 2026-01-05 --offline
  daozhang run --config daozhang.yaml --dry-run`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.runDates(c.Context(), f) },
	}
	c.Flags().StringVar(&f.config, "config", "", "configuration file (required)")
	c.Flags().StringVar(&f.date, "date", "", "business date, YYYY-MM-DD or yesterday")
	c.Flags().StringVar(&f.from, "from", "", "first business date of several")
	c.Flags().StringVar(&f.to, "to", "", "last business date of several")
	c.Flags().StringVar(&f.asOf, "as-of", "", "instant at which slots count as missing or not due: 2026-01-06T09:00 local or RFC 3339 (default now, to the minute)")
	c.Flags().BoolVar(&f.offline, "offline", false, "fetch nothing, use what is archived")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "list the dates that would be computed, and why; change nothing")
	c.Flags().IntVar(&f.failOn, "fail-on", -1, "exit 20 if a date has more open exceptions than this")
	return c
}

// runDates is one run: a lease, a fetch, the chain of days, the hook.
func (a *app) runDates(ctx context.Context, f runFlags) error {
	cfg, err := a.load(f.config)
	if err != nil {
		return err
	}
	asOf, err := a.asOf(f.asOf, cfg.Location())
	if err != nil {
		return err
	}
	from, to, asked, err := a.span(f, cfg.Location())
	if err != nil {
		return err
	}
	e, err := pipeline.Open(ctx, cfg, pipeline.Engine{Now: a.now, Sleep: a.sleep, Program: "daozhang " + version, Step: a.step,
		Fault: a.fault, Say: a.say}, f.dryRun)
	if err != nil {
		return err
	}
	defer e.Close()
	if f.dryRun {
		return a.showPlan(ctx, e, from, to, asOf, asked)
	}
	release, err := a.lease(ctx, e)
	if err != nil {
		return err
	}
	defer release()
	if !asked {
		if from, err = firstMissed(ctx, e, to); err != nil {
			return err
		}
	}
	results, fetchErr, err := work(ctx, e, job{from: from, to: to, asOf: asOf, asked: asked, offline: f.offline,
		fetched: func(_ []pipeline.SourceReport, err error) {
			if err != nil {
				fmt.Fprintf(a.err, "daozhang: %v\n", err)
			}
		}, day: a.printDay})
	if err != nil {
		return err
	}
	if len(results) == 0 {
		fmt.Fprintf(a.out, "nothing to do: every date up to %s is current\n", to)
	}
	return a.finish(ctx, e, f, results, fetchErr)
}

// job is one span of business dates to be fetched and run, and who is told of what comes of it.
type job struct {
	from, to txn.Date
	asOf     time.Time
	asked    bool // compute the dates even if they are current
	offline  bool
	fetched  func([]pipeline.SourceReport, error)
	day      func(pipeline.DayResult)
}

// work fetches and runs the span, oldest first; the lease is held. `run` and `serve` are this and what they say.
func work(ctx context.Context, e *pipeline.Engine, j job) (results []pipeline.DayResult, fetchErr, err error) {
	if j.offline {
		if err := e.Ingest(ctx); err != nil {
			return nil, nil, err
		}
	} else {
		var reports []pipeline.SourceReport
		reports, fetchErr = e.Fetch(ctx, j.from, j.to+1)
		j.fetched(reports, fetchErr)
	}
	if err := ctx.Err(); err != nil {
		return nil, fetchErr, err
	}
	asked := txn.Date(0)
	if j.asked {
		asked = j.from
	}
	plan, err := e.Plan(ctx, j.to, j.asOf, asked)
	if err != nil {
		return nil, fetchErr, err
	}
	results, err = e.Run(ctx, plan, j.asOf, j.day)
	return results, fetchErr, err
}

// finish runs the hook and chooses the exit code: missing or held evidence, then too many exceptions, then the hook.
func (a *app) finish(ctx context.Context, e *pipeline.Engine, f runFlags, results []pipeline.DayResult, fetchErr error) error {
	hookErr := a.hook(ctx, e)
	if fetchErr != nil {
		if code := exitCode(fetchErr); code == exitAuth || code == exitTemporary && !slices.ContainsFunc(results, incomplete) {
			return withCode(code, nil)
		}
		return withCode(exitPartial, nil)
	}
	for _, r := range results {
		if incomplete(r) {
			return withCode(exitPartial, nil)
		}
	}
	for _, r := range results {
		if f.failOn >= 0 && openExceptions(r) > f.failOn {
			return withCode(exitExceptions, fmt.Errorf("%s has %d open exceptions, more than --fail-on %d", r.Date, openExceptions(r), f.failOn))
		}
	}
	if hookErr != nil {
		return withCode(exitNotify, hookErr)
	}
	return nil
}

// incomplete reports whether something due as of the run is missing or held, or rows were rejected.
func incomplete(r pipeline.DayResult) bool {
	for _, s := range r.Outcome.Slots {
		if s.State == reconcile.SlotMissing || s.Held || s.Rejected > 0 || s.Class != "" && s.State != reconcile.SlotNotDue {
			return true
		}
	}
	return false
}

func openExceptions(r pipeline.DayResult) int {
	n := 0
	for _, l := range r.Outcome.Lines {
		if l.Status == "open" && l.Class.Info().Severity > 0 {
			n++
		}
	}
	return n
}

func (a *app) printDay(r pipeline.DayResult) {
	issued := fmt.Sprintf("r%d", r.Run.Revision)
	if !r.Issued {
		issued += " unchanged"
	}
	fmt.Fprintf(a.out, "%s  %-12s %4d open  %s  %s\n", r.Date, r.Outcome.Verdict, openExceptions(r), issued, r.Folder)
	for i, e := range r.Rejected {
		if i == 5 {
			fmt.Fprintf(a.err, "  ... and %d more rejected rows; `daozhang check` lists them\n", len(r.Rejected)-i)
			break
		}
		fmt.Fprintf(a.err, "  %s: %v\n", e.Source, e.Err)
	}
}

// hookTimeout bounds on_finish.
const hookTimeout = 2 * time.Minute

// hook hands the newest summary of each date that was issued to the user's program.
func (a *app) hook(ctx context.Context, e *pipeline.Engine) error {
	prog := e.Config.OnFinish
	return e.Notify(ctx, func(d txn.Date, folder string) error {
		hctx, cancel := context.WithTimeout(ctx, hookTimeout)
		defer cancel()
		c := exec.CommandContext(hctx, prog[0], append(slices.Clone(prog[1:]), filepath.Join(folder, "summary.json"))...)
		c.WaitDelay = time.Second
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("on_finish %s for %s: %w: %s", prog[0], d, err, firstWords(out))
		}
		return nil
	})
}

func firstWords(b []byte) string {
	s := strings.Join(strings.Fields(string(b)), " ")
	return s[:min(len(s), 200)]
}

func (a *app) showPlan(ctx context.Context, e *pipeline.Engine, from, to txn.Date, asOf time.Time, asked bool) error {
	first := txn.Date(0)
	if asked {
		first = from
	}
	plan, err := e.Plan(ctx, to, asOf, first)
	if err != nil {
		return err
	}
	for _, p := range plan {
		fmt.Fprintf(a.out, "%s  %s\n", p.Date, p.Reason)
	}
	if len(plan) == 0 {
		fmt.Fprintf(a.out, "nothing to do: every date up to %s is current\n", to)
	}
	return nil
}

// heartbeat is the sign of life of a run; a run that shows none for twice as long is taken for dead.
const heartbeat = 10 * time.Second

// lease takes the right to work on the books. The function returned gives it back.
func (a *app) lease(ctx context.Context, e *pipeline.Engine) (func(), error) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	l, err := e.DB.Acquire(ctx, "run", host, fmt.Sprint(os.Getpid()), heartbeat)
	if err != nil {
		return nil, err
	}
	e.Lease = l
	kctx, cancel := context.WithCancel(ctx)
	tick := time.NewTicker(heartbeat)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := l.Keep(kctx, tick.C); err != nil { // the next commit refuses to write
			a.say("%v", err)
		}
	}()
	return func() {
		cancel()
		tick.Stop()
		<-done
		if err := l.Release(context.WithoutCancel(ctx)); err != nil {
			a.say("%v", err)
		}
	}, nil
}

// load reads a configuration; problems come back as they are.
func (a *app) load(path string) (*config.Config, error) {
	if path == "" {
		return nil, usage(errors.New("--config FILE is required"))
	}
	cfg, err := config.Load(path)
	if err != nil {
		return nil, withCode(exitUsage, err)
	}
	return cfg, nil
}

// span reads the dates of a run. Without any it is the days up to yesterday in the entity's zone.
func (a *app) span(f runFlags, loc *time.Location) (from, to txn.Date, asked bool, err error) {
	yesterday := txn.DateOf(a.now().In(loc)) - 1
	switch {
	case f.date != "" && (f.from != "" || f.to != ""):
		return 0, 0, false, usage(errors.New("give --date, or --from and --to, not both"))
	case f.date != "":
		from, err = parseDate(f.date, yesterday)
		return from, from, true, err
	case f.from != "" || f.to != "":
		if f.from == "" || f.to == "" {
			return 0, 0, false, usage(errors.New("--from and --to go together"))
		}
		if from, err = parseDate(f.from, yesterday); err != nil {
			return 0, 0, false, err
		}
		if to, err = parseDate(f.to, yesterday); err != nil {
			return 0, 0, false, err
		}
		if to < from {
			return 0, 0, false, usage(fmt.Errorf("--to %s lies before --from %s", to, from))
		}
		return from, to, true, nil
	}
	return yesterday, yesterday, false, nil
}

func parseDate(s string, yesterday txn.Date) (txn.Date, error) {
	if s == "yesterday" {
		return yesterday, nil
	}
	d, err := txn.ParseDate(s)
	if err != nil {
		return 0, usage(fmt.Errorf("%w; write --date 2026-01-05 or --date yesterday", err))
	}
	return d, nil
}

// asOf reads the instant of a run; default the clock, cut to the minute.
func (a *app) asOf(s string, loc *time.Location) (time.Time, error) {
	if s == "" {
		return a.now().Truncate(time.Minute), nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, s, loc); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usage(fmt.Errorf("--as-of %q is no instant; write 2026-01-06T09:00 or 2026-01-06T09:00:00+08:00", s))
}
