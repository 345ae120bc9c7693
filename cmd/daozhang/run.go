package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

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
	reprocess       string
	failOn          int
}

func (a *app) runCmd() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run --config FILE [--date D | --from D --to D [--reprocess WHICH]]",
		Short: "Fetch, match and report business dates",
		Long: `Fetches what the sources have, matches the business date and every date before it that was not run yet or whose
inputs changed, oldest first, and writes one folder per date. Without --date it runs up to yesterday in the
configured zone. A date that was run before is computed again; a new revision is issued only if something changed.

A file that came late or was corrected triggers its own date, and later dates only as far as they change; the file is
named, and a table shows which books changed and by how much. Closed dates are refused: see ` + "`daozhang reopen --help`" + `.

Of the dates that --date or --from and --to name, --reprocess chooses which are computed although nothing changed:
missing (none: only what was never run or is stale), failed (also those whose evidence was incomplete), or all (default).`,
		Example: `  daozhang run --config daozhang.yaml
  daozhang run --config daozhang.yaml --date 2026-01-05
  daozhang run --config daozhang.yaml --from 2026-01-01 --to 2026-01-05 --offline
  daozhang run --config daozhang.yaml --from 2026-01-01 --to 2026-01-31 --reprocess failed --dry-run
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
	c.Flags().StringVar(&f.reprocess, "reprocess", "", "which of the dates named are computed although nothing changed: missing, failed or all (default all)")
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
	e, err := pipeline.Open(ctx, cfg, a.engine(a.say), f.dryRun)
	if err != nil {
		return err
	}
	defer e.Close()
	j := job{from: from, to: to, asOf: asOf, asked: asked, reprocess: pipeline.Reprocess(f.reprocess), offline: f.offline,
		fetched: func(_ []pipeline.SourceReport, err error) {
			if err != nil {
				fmt.Fprintf(a.err, "daozhang: %v\n", err)
			}
		},
		arrived: func(x arrival) { fmt.Fprintln(a.out, x) }, day: a.printDay}
	if f.dryRun {
		return a.showPlan(ctx, e, j)
	}
	release, err := a.lease(ctx, e)
	if err != nil {
		return err
	}
	defer release()
	if asked { // a closed date is refused before anything is fetched
		if _, err := j.plan(ctx, e); err != nil {
			return err
		}
	} else {
		left, err := leftBehind(ctx, e, to)
		if err != nil {
			return err
		}
		j.from = left.from // all of it at once: the command may be stopped anywhere
	}
	results, fetchErr, err := work(ctx, e, j)
	if err != nil {
		return err
	}
	if len(results) == 0 {
		fmt.Fprintf(a.out, "nothing to do: every date up to %s is current\n", to)
	}
	if err := a.showCascade(ctx, e, len(results)); err != nil {
		return err
	}
	return a.finish(ctx, e, f, results, fetchErr)
}

// job is one span of business dates to be fetched and run, and who is told of what comes of it.
type job struct {
	from, to  txn.Date
	asOf      time.Time
	asked     bool               // compute the dates even if they are current,
	reprocess pipeline.Reprocess // or only some of them
	offline   bool
	fetched   func([]pipeline.SourceReport, error)
	arrived   func(arrival) // may be nil
	day       func(pipeline.DayResult)
}

// plan is the one place where a span of dates becomes a request to the engine.
func (j job) plan(ctx context.Context, e *pipeline.Engine) ([]pipeline.Planned, error) {
	return e.Plan(ctx, pipeline.Request{From: j.from, To: j.to, AsOf: j.asOf, Asked: j.asked, Reprocess: j.reprocess})
}

func reprocesses() []string {
	return []string{string(pipeline.ReprocessMissing), string(pipeline.ReprocessFailed), string(pipeline.ReprocessAll)}
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
	plan, err := j.plan(ctx, e)
	if err != nil {
		return nil, fetchErr, err
	}
	if j.arrived != nil {
		came, err := arrivals(ctx, e, plan)
		if err != nil {
			return nil, fetchErr, err
		}
		for _, x := range came {
			j.arrived(x)
		}
	}
	if results, err = e.Run(ctx, plan, j.asOf, j.day); err != nil {
		return results, fetchErr, err
	}
	if fetchErr == nil && !j.asked && !j.offline { // else the files of these dates are looked for again
		err = e.DB.SetCompleted(ctx, jobRun, j.to)
	}
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

// showPlan is the dry run: dates and reasons, and nothing is changed.
func (a *app) showPlan(ctx context.Context, e *pipeline.Engine, j job) error {
	plan, err := j.plan(ctx, e)
	if err != nil {
		return err
	}
	for _, p := range plan {
		fmt.Fprintf(a.out, "%s  %s\n", p.Date, p.Why())
	}
	if len(plan) == 0 {
		fmt.Fprintf(a.out, "nothing to do: every date up to %s is current\n", j.to)
	}
	return nil
}
