package pipeline

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"daozhang/cmd/internal/publish"
	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports"
	"daozhang/reports/text"
)

// DayResult is what a run of one date came to.
type DayResult struct {
	Date        txn.Date
	Reason      string
	Detail      []string // what changed, for people
	Run         store.Run
	Issued      bool // a new revision was published
	Folder      string
	Outcome     *reconcile.Outcome
	Rejected    []RowError
	Preliminary bool
	Change      DayChange // against the revision before; Revision is 0 where none was issued
}

// Run computes the planned dates in order and tells each as it is done; told may be nil. The results that it returns
// have no full rows any more. It stops at the first error of the machine; what is wrong with files is in the books.
func (e *Engine) Run(ctx context.Context, plan []Planned, asOf time.Time, told func(DayResult)) ([]DayResult, error) {
	cascade, err := e.cascadeNumber(ctx)
	if err != nil {
		return nil, err
	}
	var out []DayResult
	var k *known
	for _, p := range plan {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		if p.Reason == ReasonEarlierIn && !p.Asked {
			if k == nil {
				if k, err = e.knowPlanned(ctx, plan); err != nil {
					return out, err
				}
			}
			why, detail, err := k.staleNow(ctx, e, p.Date, asOf)
			if err != nil {
				return out, err
			}
			if why == "" {
				continue
			}
			p.Reason, p.Detail = why, detail
		}
		e.say("%s: %s", p.Date, p.Why())
		r, err := e.runDay(ctx, p, asOf, cascade)
		if err != nil {
			return out, fmt.Errorf("business date %s: %w", p.Date, err)
		}
		if k != nil {
			k.computed(r.Run)
		}
		if told != nil {
			told(*r)
		}
		r.forgetRows()
		out = append(out, *r)
	}
	return out, e.DB.JobsDone(ctx, jobCascade)
}

// forgetRows lets go of the full rows of a book that is written: a cascade may be long.
func (r *DayResult) forgetRows() {
	for i := range r.Outcome.Lines {
		l := &r.Outcome.Lines[i]
		l.Row, l.Other2, l.Candidates = nil, nil, nil
	}
	r.Outcome.Moves = nil
}

func (e *Engine) runDay(ctx context.Context, p Planned, asOf time.Time, cascade int64) (*DayResult, error) {
	last, err := e.DB.LatestRun(ctx, p.Date)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if !p.Asked {
		asOf = later(asOf, last.AsOf) // a cascade never looks at a day from before its own last look
	} else if last.N > 0 {
		if err := e.DB.Audit(ctx, store.AuditEntry{Actor: cmp.Or(e.Actor, e.Program), Action: "rerun", Subject: p.Date.String(),
			Detail: auditDetail(map[string]string{"as_of": asOf.UTC().Format(time.RFC3339), "why": p.Reason})}); err != nil {
			return nil, err
		}
	}
	r, err := e.compute(ctx, p.Date, asOf)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return e.commit(ctx, p, cascade, r)
}

// computed is a day that was judged and not yet stored.
type computed struct {
	*judged
	asOf    time.Time
	states  []SlotStatus
	slots   []Slot
	inputs  []store.Input // without look-ups
	carryIn string
	history *history
	open    *deliveries
	acting  []reconcile.Decision
}

// Close lets go of the files that the day was read from.
func (c *computed) Close() error { return errors.Join(c.history.Close(), c.open.Close()) }

// compute judges a day with what is known now. It changes nothing.
func (e *Engine) compute(ctx context.Context, d txn.Date, asOf time.Time) (c *computed, err error) {
	c = &computed{asOf: asOf, open: e.deliveries(), history: e.history(ctx, d)}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	carry, digest, err := e.carryInto(ctx, d)
	if err != nil {
		return c, err
	}
	c.carryIn = digest
	if c.states, err = e.Slots(ctx, d, asOf); err != nil {
		return c, err
	}
	if c.acting, err = e.DB.Decisions(ctx, d); err != nil {
		return c, err
	}
	closed, err := e.DB.ClosedThrough(ctx)
	if err != nil {
		return c, err
	}
	reaches, err := e.reaches(ctx, d, closed)
	if err != nil {
		return c, err
	}
	told, err := e.tellReaches(ctx, reaches)
	if err != nil {
		return c, err
	}
	c.inputs = e.inputRows(d, c.states, c.acting, reaches)
	if c.slots, err = e.inputs(ctx, c.states, c.open); err != nil {
		return c, err
	}
	q := e.question(d, c.states)
	q.carry, q.slots, q.history, q.decisions, q.reaches, q.ledger = carry, c.slots, c.history, c.acting, told, true
	q.memory, q.workers = int64(e.Config.Limits.MemoryMB)<<20, e.Config.Limits.Workers
	c.judged, err = judge(ctx, q)
	return c, errors.Join(err, c.history.err)
}

func (e *Engine) rules() reconcile.Rules {
	r := e.Config.Rules
	return reconcile.Rules{RefundDays: r.RefundDays, TimeLimitMinutes: r.TimeLimitMinutes, HistoryDays: r.HistoryDays}
}

// carryInto is the carry of the calendar day before; none on the first day of the chain.
func (e *Engine) carryInto(ctx context.Context, d txn.Date) (*reconcile.Carry, string, error) {
	before, err := e.DB.LatestRun(ctx, d-1)
	if errors.Is(err, store.ErrNotFound) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	text, err := e.Carry.Get(ctx, before.CarryOut)
	if err != nil {
		return nil, "", err
	}
	places, err := e.Carry.Get(ctx, before.Places)
	if before.Places == "" || errors.Is(err, publish.ErrNoCarry) {
		places, err = nil, nil // an older program, or lost: names of files are missed, nothing else
	}
	if err != nil {
		return nil, "", err
	}
	c, err := reconcile.DecodeCarry(text, places)
	return c, before.CarryOut, err
}

// awaited names the slots that are not due yet: with any, the book is preliminary.
func awaited(states []SlotStatus, zone *time.Location) []string {
	var out []string
	for _, s := range states {
		if s.State == reconcile.SlotNotDue && s.Expected {
			out = append(out, strings.TrimSuffix(s.Source.Name+" "+s.Key, " ")+" ("+s.Due.In(zone).Format("2006-01-02 15:04")+")")
		}
	}
	return out
}

// commit stores what was judged and publishes it. Carry first, then the transaction, then the folder: a crash leaves a
// run that the next command finds unissued, never a report that nobody knows of.
func (e *Engine) commit(ctx context.Context, p Planned, cascade int64, c *computed) (*DayResult, error) {
	b := &reports.Book{Entity: e.Config.Entity, Date: p.Date, Revision: 1, AsOf: c.asOf, Zone: e.Config.Location(), GoLive: e.Config.GoLive,
		Lang: text.Lang(e.Config.Lang), Outcome: c.outcome, Preliminary: len(c.outcome.Awaited) > 0, Program: e.Program}
	var err error
	if b.ConfigDigest, err = e.configDigest(); err != nil {
		return nil, err
	}
	same, err := comparable(b, c.text, c.ledger)
	if err != nil {
		return nil, err
	}
	rev, issue, err := e.DB.NextRevision(ctx, p.Date, same)
	if err != nil {
		return nil, err
	}
	b.Revision = rev
	change, err := e.explain(ctx, b, c)
	if err != nil {
		return nil, err
	}
	carryOut, err := e.Carry.Put(ctx, c.text)
	if err != nil {
		return nil, err
	}
	places, err := e.Carry.Put(ctx, c.places)
	if err != nil {
		return nil, err
	}
	if err := e.keepRegister(ctx, p.Date); err != nil {
		return nil, err
	}
	day := store.Day{Run: store.Run{Date: p.Date, AsOf: c.asOf, Final: !b.Preliminary, Verdict: string(c.outcome.Verdict), Revision: rev,
		Comparable: same, Inputs: inputsDigest(c.inputs), CarryIn: c.carryIn, CarryOut: carryOut, Places: places, Config: b.ConfigDigest, Program: e.Program,
		Cascade: cascade, Reason: p.Why()},
		Inputs: slices.Concat(c.inputs, c.history.inputs()), Controls: controlRows(c.outcome), Cases: caseRows(c.outcome), Items: itemRows(c.outcome),
		Events: eventRows(c.outcome), Lease: e.Lease, Outbox: []string{jobCascade}}
	if issue {
		day.Outbox = append(day.Outbox, jobPublish)
		if len(e.Config.OnFinish) > 0 {
			day.Outbox = append(day.Outbox, jobNotify)
		}
	}
	run, err := e.DB.CommitDay(ctx, day)
	if err != nil {
		return nil, err
	}
	res := &DayResult{Date: p.Date, Reason: p.Reason, Detail: p.Detail, Run: run, Issued: issue, Outcome: c.outcome, Rejected: c.errors, Preliminary: b.Preliminary}
	if issue {
		res.Change = change
	}
	if _, have, err := e.latest(p.Date); issue || err != nil || have < rev {
		files := outputs(b, c.ledger, !e.NoWorkbook, true, e.Config.Report.ASCIINames)
		manifest, err := e.publish(ctx, p.Date, rev, files)
		if err != nil {
			return nil, err
		}
		if err := e.issued(ctx, run, manifest); err != nil {
			return nil, err
		}
	}
	res.Folder, _, err = e.latest(p.Date)
	return res, err
}

// Jobs of the outbox.
const (
	jobPublish = "publish"
	jobNotify  = "notify"
	jobCascade = "cascade" // the command that computed the day has not come to its end
)

// issued notes that a revision stands in its folder and takes the job off the list.
func (e *Engine) issued(ctx context.Context, r store.Run, manifest string) error {
	err := e.DB.RecordIssue(ctx, store.Issue{Date: r.Date, Revision: r.Revision, Run: r.N, Manifest: manifest},
		store.Job{Date: r.Date, Run: r.N, Name: jobPublish})
	e.step(StepJobDone)
	return err
}

// finishJobs ends publications of a crashed run. Where the folder stands whole, it is only made the newest, as it is: it was
// made as of its own instant. Where it is not there, or is damaged and so set aside, the plan finds the day unissued and
// computes it again.
func (e *Engine) finishJobs(ctx context.Context) error {
	jobs, err := e.DB.PendingJobs(ctx)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if j.Name != jobPublish {
			continue
		}
		r, err := e.DB.LatestRun(ctx, j.Date)
		if err != nil {
			return err
		}
		manifest, err := e.adopt(j.Date, r.Revision)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if errors.Is(err, publish.ErrDamaged) {
			aside, err := e.setAside(j.Date, r.Revision)
			if err != nil {
				return fmt.Errorf("report of %s r%d is damaged and cannot be set aside: %w", j.Date, r.Revision, err)
			}
			e.say("%s: revision %d was being published when the program was stopped, and its folder is damaged; it is kept as %s, and the report is "+
				"published again", j.Date, r.Revision, aside)
			continue
		}
		if err != nil {
			return err
		}
		if err := e.issued(ctx, r, manifest); err != nil {
			return err
		}
	}
	return nil
}

// Notify tells of each date whose newest issue has not been told of yet, also one that a crash or a failure left over. What
// cannot be told stays on the list for the next run. A date that was issued several times is told of once.
func (e *Engine) Notify(ctx context.Context, tell func(d txn.Date, folder string) error) error {
	jobs, err := e.DB.PendingJobs(ctx)
	if err != nil {
		return err
	}
	jobs = slices.DeleteFunc(jobs, func(j store.Job) bool { return j.Name != jobNotify })
	var errs []error
	for i, j := range jobs {
		folder, _, err := e.latest(j.Date)
		if err != nil {
			continue // not published yet: the plan will do it
		}
		if overtaken := i+1 < len(jobs) && jobs[i+1].Date == j.Date; !overtaken && len(e.Config.OnFinish) > 0 {
			if err := tell(j.Date, folder); err != nil {
				errs = append(errs, err, e.DB.JobFailed(ctx, j, firstLine(err)))
				continue
			}
		}
		errs = append(errs, e.DB.JobDone(ctx, j))
	}
	return errors.Join(errs...)
}

func nullMoney(m reconcile.Money) sql.NullInt64 { return sql.NullInt64{Int64: m.Minor, Valid: m.Valid} }
