package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/spf13/cobra"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/fetch"
	"daozhang/cmd/internal/pipeline"
	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// Times of the service.
const (
	wakeEvery = time.Minute      // no timer is longer: the wall clock may jump, and machines sleep
	lookEvery = 15 * time.Minute // between two looks for awaited files, and before a failed run is tried again
	stopGrace = 30 * time.Second // for the run under way to reach a safe point
)

func (a *app) serveCmd() *cobra.Command {
	var cfgPath string
	var verbose bool
	c := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Run every day at the configured time, and again when an awaited file arrives",
		Long: `Stays in the foreground and does what ` + "`run`" + ` does at the times of schedule.cron, in the configured zone. What was
missed while it was down is caught up at the start, oldest date first, as schedule.catch_up says. While files of a date
are awaited it looks for them every 15 minutes and issues a new revision when one has come; when the last of them is due
it issues the final book. A file that came late is named with the date that it changes.

One line per event goes to standard error. A signal (SIGTERM, Ctrl-C) ends it within 30 seconds with exit code 130; the
next start goes on where this one stopped. ` + "`daozhang status`" + ` shows the next five times.`,
		Example: `  daozhang serve --config daozhang.yaml
  daozhang serve --config daozhang.yaml --verbose 2>> daozhang.log`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := a.load(cfgPath)
			if err != nil {
				return err
			}
			s, err := newService(a, cfg, verbose)
			if err != nil {
				return err
			}
			return s.serve(c.Context())
		},
	}
	c.Flags().StringVar(&cfgPath, "config", "", "configuration file with a schedule (required)")
	c.Flags().BoolVar(&verbose, "verbose", false, "also log each source and slot that is looked at")
	return c
}

// service runs one installation by the clock. What it remembers only saves look-ups: the books say what is to be done.
type service struct {
	timetable
	a    *app
	cfg  *config.Config
	log  *slog.Logger
	do   func(ctx context.Context, now, fire time.Time, due bool) (more bool, err error) // work, but for tests
	jobs sync.WaitGroup                                                                  // the wakes under way

	// Only wake touches these, and it never runs twice at a time.
	served   time.Time // the newest fire that was worked off
	nextLook time.Time // when awaited files are looked for; zero: none is awaited
	retry    time.Time // nothing is tried before this instant
	complain string    // what was logged last about not getting the lease
}

func newService(a *app, cfg *config.Config, verbose bool) (*service, error) {
	if cfg.Schedule.Cron == "" {
		return nil, usage(fmt.Errorf(`%s has no schedule; add a line such as schedule: {cron: "30 10 * * *"}`, cfg.File))
	}
	times, err := newTimetable(cfg)
	if err != nil {
		return nil, usage(err)
	}
	s := &service{timetable: times, a: a, cfg: cfg, log: newLog(a.err, a.now, verbose)}
	s.do = s.work
	if cfg.Schedule.CatchUp == config.CatchUpNone {
		s.served = s.lastFire(a.now())
	}
	return s, nil
}

// serve wakes once a minute until ctx ends, and then waits for the run under way.
func (s *service) serve(ctx context.Context) error {
	s.log.Info("serving", "config", s.cfg.File, "entity", s.cfg.Entity, "cron", s.cfg.Schedule.Cron, "zone", s.cfg.Zone,
		"catch_up", string(s.cfg.Schedule.CatchUp), "next", s.nextFire(s.a.now()).Format(time.RFC3339))
	wake := chain(s.log, cron.FuncJob(func() { s.wake(ctx) }))
	for ctx.Err() == nil {
		s.jobs.Go(wake.Run)
		_ = s.a.sleep(ctx, untilNext(s.a.now(), wakeEvery)) // the loop asks ctx itself
	}
	s.log.Info("stopping", "grace", stopGrace.String())
	done, finished := context.WithCancel(context.WithoutCancel(ctx))
	go func() { s.jobs.Wait(); finished() }()
	if s.a.sleep(done, stopGrace) == nil {
		s.log.Warn("the run under way did not reach a safe point in time; the next start mends it")
	}
	s.log.Info("stopped")
	return errInterrupted
}

// chain wraps a job: one at a time, and a panic inside it neither ends the program nor keeps it from running again.
// Recover must be the innermost: outside, a panic would leave the job marked as running for ever.
func chain(log *slog.Logger, job cron.Job) cron.Job {
	l := cronLog{log}
	return cron.NewChain(cron.SkipIfStillRunning(l), cron.Recover(l)).Then(job)
}

// untilNext is the time from now to the next full step of the clock.
func untilNext(now time.Time, step time.Duration) time.Duration {
	return now.Truncate(step).Add(step).Sub(now)
}

// wake does what is due now, if anything.
func (s *service) wake(ctx context.Context) {
	now := s.a.now()
	s.forgetFuture(now)
	fire := s.lastFire(now)
	due := fire.After(s.served)
	look := !s.nextLook.IsZero() && !now.Before(s.nextLook)
	if ctx.Err() != nil || now.Before(s.retry) || !due && !look {
		return
	}
	s.retry = now.Add(lookEvery) // also after a panic
	jctx, cancel := context.WithTimeout(ctx, s.cfg.Schedule.Deadline)
	defer cancel()
	more, err := s.do(jctx, now, fire, due)
	switch {
	case err == nil && more: // the next wake goes on
		s.retry, s.complain = time.Time{}, ""
	case err == nil:
		s.served, s.retry, s.complain = fire, time.Time{}, ""
	case ctx.Err() != nil:
		s.log.Info("interrupted; the next start goes on from here")
	case errors.Is(err, store.ErrLocked): // tried again at the next wake
		s.retry = time.Time{}
		if s.complain != err.Error() {
			s.complain = err.Error()
			s.log.Warn("waiting", "why", err.Error())
		}
	default:
		s.log.Error("run failed", "code", exitCode(err), "error", err.Error(), "retry", s.retry.In(s.cfg.Location()).Format(time.RFC3339))
	}
}

// forgetFuture drops what was remembered of a time that has not come yet: the clock ran ahead and was set back. Else the
// fires in between would be left out. A fire that is worked off twice finds nothing to do.
func (s *service) forgetFuture(now time.Time) {
	far := now.Add(lookEvery)
	if s.served.After(far) {
		s.log.Warn("the clock was set back", "fire", s.served.In(s.loc).Format(time.RFC3339), "now", now.In(s.loc).Format(time.RFC3339))
		s.served = s.lastFire(now)
	}
	if s.nextLook.After(far) {
		s.nextLook = now
	}
	if s.retry.After(far) {
		s.retry = time.Time{}
	}
}

// work fetches and brings the books up to the business date before the fire, or as far as catch_up_max goes; more says
// that dates are left. The books, opened anew each time, say what was missed.
func (s *service) work(ctx context.Context, now, fire time.Time, due bool) (more bool, err error) {
	e, err := pipeline.Open(ctx, s.cfg, s.a.engine(func(f string, args ...any) { s.log.Debug("progress", "what", fmt.Sprintf(f, args...)) }), false)
	if err != nil {
		return false, err
	}
	defer e.Close()
	release, err := s.a.lease(ctx, e)
	if err != nil {
		return false, err
	}
	defer release()
	asOf, why := fire, "schedule"
	if !due {
		if asOf, err = s.lookAsOf(ctx, e, now); err != nil {
			return false, err
		}
		why = "look"
	}
	b, err := leftBehind(ctx, e, txn.DateOf(fire.In(s.loc))-1)
	if err != nil {
		return false, err
	}
	if b, err = b.bounded(ctx, e, s.cfg.Schedule.CatchUpMax); err != nil {
		return false, err
	}
	s.log.Info("run", "why", why, "from", b.from.String(), "to", b.to.String(), "as_of", asOf.In(s.loc).Format(time.RFC3339))
	results, fetchErr, err := work(ctx, e, job{from: b.from, to: b.to, asOf: asOf, fetched: s.fetched, arrived: s.arrived, day: s.day})
	if err != nil {
		return false, err
	}
	if len(results) == 0 {
		s.log.Info("nothing new", "to", b.to.String())
	}
	if err := s.changed(ctx, e, len(results)); err != nil {
		return false, err
	}
	if err := s.a.hook(ctx, e); err != nil {
		s.log.Error("hook failed", "error", err.Error())
	}
	if b.left > 0 {
		s.log.Info("catching up", "done", b.to.String(), "dates_left", b.left)
		return true, nil
	}
	return false, s.planLook(ctx, e, now, asOf, exitCode(fetchErr) == exitTemporary)
}

// awaitedDues are the instants at which the slots that preliminary books await are due.
func awaitedDues(ctx context.Context, e *pipeline.Engine) ([]time.Time, error) {
	runs, err := e.DB.Runs(ctx)
	if err != nil {
		return nil, err
	}
	var dues []time.Time
	for _, r := range runs {
		if r.Final {
			continue
		}
		slots, err := e.Slots(ctx, r.Date, r.AsOf)
		if err != nil {
			return nil, err
		}
		for _, s := range slots {
			if s.State == reconcile.SlotNotDue {
				dues = append(dues, s.Due)
			}
		}
	}
	return dues, nil
}

// lookAsOf is the instant of a look for awaited files: the newest deadline that has passed since the last look, so that
// a final book has the same instant however late the service wakes; else the clock, cut to the minute.
func (s *service) lookAsOf(ctx context.Context, e *pipeline.Engine, now time.Time) (time.Time, error) {
	dues, err := awaitedDues(ctx, e)
	if err != nil {
		return time.Time{}, err
	}
	asOf := time.Time{}
	for _, d := range dues {
		if !d.After(now) && d.After(asOf) {
			asOf = d
		}
	}
	if asOf.IsZero() {
		asOf = now.Truncate(time.Minute)
	}
	return asOf, nil
}

// planLook decides when to look again: in a quarter of an hour while files are awaited or a server could not be
// reached, or when the next awaited file is due, if that is sooner.
func (s *service) planLook(ctx context.Context, e *pipeline.Engine, now, asOf time.Time, unreached bool) error {
	dues, err := awaitedDues(ctx, e)
	if err != nil {
		return err
	}
	dues = slices.DeleteFunc(dues, func(d time.Time) bool { return !d.After(asOf) })
	s.nextLook = time.Time{}
	if len(dues) == 0 && !unreached {
		return nil
	}
	s.nextLook = now.Add(lookEvery)
	until := s.nextLook
	if len(dues) > 0 {
		s.nextLook = earlier(s.nextLook, slices.MinFunc(dues, time.Time.Compare))
		until = slices.MaxFunc(dues, time.Time.Compare)
	}
	loc := s.cfg.Location()
	s.log.Info("awaiting files", "slots", len(dues), "next_look", s.nextLook.In(loc).Format(time.RFC3339), "until", until.In(loc).Format(time.RFC3339))
	return nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// fetched logs what a fetch did: one line for each file that landed and for each that gives trouble.
func (s *service) fetched(reports []pipeline.SourceReport, _ error) {
	for _, r := range reports {
		if r.Err != nil {
			s.log.Error("fetch failed", "source", r.Source, "class", fmt.Sprint(fetch.ClassOf(r.Err)), "error", r.Err.Error())
		}
		for _, l := range r.Landed {
			s.log.Info("landed", "source", r.Source, "name", l.RemoteName, "bytes", l.Size)
		}
		for _, d := range r.Decisions {
			if d.Verdict == fetch.Waiting || d.Verdict == fetch.Refused || d.Verdict == fetch.Failed {
				s.log.Warn("not taken", "source", r.Source, "name", d.Name, "verdict", string(d.Verdict), "why", d.Why)
			}
		}
		for _, w := range r.Warnings {
			s.log.Warn("fetch", "source", r.Source, "warning", w)
		}
	}
}

// day logs the outcome of one business date.
func (s *service) day(r pipeline.DayResult) {
	s.log.Info("day", "date", r.Date.String(), "why", r.Reason, "verdict", string(r.Outcome.Verdict), "open", openExceptions(r),
		"revision", r.Run.Revision, "issued", r.Issued, "final", !r.Preliminary, "rejected", len(r.Rejected), "folder", r.Folder)
}

// arrived logs a file that triggered a date which had been run.
func (s *service) arrived(x arrival) {
	s.log.Info("late file", "date", x.Date.String(), "source", x.Source, "name", x.File, "what", x.String())
}

// changed logs which issued books a run of several dates has changed.
func (s *service) changed(ctx context.Context, e *pipeline.Engine, dates int) error {
	if dates < 2 {
		return nil
	}
	days, err := changedBooks(ctx, e)
	for _, d := range days {
		s.log.Info("changed", "date", d.Date.String(), "why", d.Reason, "former_revision", d.Former, "revision", d.Revision,
			"former_verdict", d.FormerVerdict, "verdict", d.Verdict, "classes", len(d.Classes))
	}
	return err
}
