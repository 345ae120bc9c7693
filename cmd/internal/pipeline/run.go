package pipeline

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
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

// Why a date is run.
const (
	ReasonNew       = "never run"
	ReasonAsked     = "asked for"
	ReasonInputs    = "its inputs changed"
	ReasonCarry     = "an earlier day changed"
	ReasonUnissued  = "its report was not issued"
	ReasonPrelim    = "only a preliminary report exists"
	ReasonEarlierIn = "a day before it is run"
)

// Planned is a date that a run will compute, with the reason.
type Planned struct {
	Date   txn.Date
	Reason string
	Asked  bool // computed even if it turns out to be current
}

// DayResult is what a run of one date came to.
type DayResult struct {
	Date        txn.Date
	Reason      string
	Run         store.Run
	Issued      bool // a new revision was published
	Folder      string
	Outcome     *reconcile.Outcome
	Rejected    []RowError
	Preliminary bool
}

// Plan lists the dates that must be computed so that every date up to target is current, oldest first: from the first
// that is new, stale or asked for, and every later day that was already run. The dates from asked to target
// are computed even if they are current; zero asks for none.
func (e *Engine) Plan(ctx context.Context, target txn.Date, asOf time.Time, asked txn.Date) ([]Planned, error) {
	runs, err := e.DB.Runs(ctx)
	if err != nil {
		return nil, err
	}
	byDate := map[txn.Date]store.Run{}
	last := target
	for _, r := range runs {
		byDate[r.Date] = r
		last = max(last, r.Date)
	}
	first, err := e.firstDate(ctx, target)
	if err != nil {
		return nil, err
	}
	first = min(first, target)
	if asked != 0 {
		first = min(first, asked)
	}
	var out []Planned
	carry, since := "", false
	for d := first; d <= last; d++ {
		r, ran := byDate[d]
		if d > target && !ran {
			continue
		}
		reason := ""
		if since {
			reason = ReasonEarlierIn
		} else if reason, err = e.stale(ctx, d, r, ran, carry, asOf); err != nil {
			return nil, err
		}
		force := asked != 0 && d >= asked && d <= target
		if reason == "" && force {
			reason = ReasonAsked
		}
		if reason != "" {
			out = append(out, Planned{d, reason, force})
			since = true
		}
		carry = r.CarryOut
	}
	return out, nil
}

// firstDate is where the chain begins: go_live, or the first date for which anything was received.
func (e *Engine) firstDate(ctx context.Context, target txn.Date) (txn.Date, error) {
	if e.Config.GoLive != 0 {
		return e.Config.GoLive, nil
	}
	d, ok, err := e.DB.FirstDate(ctx)
	if err != nil || !ok {
		return target, err
	}
	return min(d, target), nil
}

// stale says why a day that was run is not current; empty if it is.
func (e *Engine) stale(ctx context.Context, d txn.Date, r store.Run, ran bool, carry string, asOf time.Time) (string, error) {
	if !ran {
		return ReasonNew, nil
	}
	if r.CarryIn != carry {
		return ReasonCarry, nil
	}
	states, err := e.Slots(ctx, d, later(asOf, r.AsOf))
	if err != nil {
		return "", err
	}
	if e.inputsDigest(d, states) != r.Inputs {
		return ReasonInputs, nil
	}
	if _, rev, err := publish.Latest(e.Config.Reports, d); err != nil || rev < r.Revision {
		return ReasonUnissued, nil
	}
	return "", nil
}

// staleNow judges a planned day again, after the days before it were computed: often their carry has not changed.
func (e *Engine) staleNow(ctx context.Context, d txn.Date, asOf time.Time) (string, error) {
	r, err := e.DB.LatestRun(ctx, d)
	ran := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	before, err := e.DB.LatestRun(ctx, d-1)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	return e.stale(ctx, d, r, ran, before.CarryOut, asOf)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// Run computes the planned dates in order and tells each as it is done; told may be nil. It stops at the first error of
// the machine; what is wrong with files is in the books.
func (e *Engine) Run(ctx context.Context, plan []Planned, asOf time.Time, told func(DayResult)) ([]DayResult, error) {
	if err := e.finishJobs(ctx); err != nil {
		return nil, err
	}
	var out []DayResult
	for _, p := range plan {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		if p.Reason == ReasonEarlierIn && !p.Asked {
			why, err := e.staleNow(ctx, p.Date, asOf)
			if err != nil {
				return out, err
			}
			if why == "" {
				continue
			}
			p.Reason = why
		}
		e.say("%s: %s", p.Date, p.Reason)
		r, err := e.runDay(ctx, p, asOf)
		if err != nil {
			return out, fmt.Errorf("business date %s: %w", p.Date, err)
		}
		out = append(out, *r)
		if told != nil {
			told(*r)
		}
	}
	return out, nil
}

func (e *Engine) runDay(ctx context.Context, p Planned, asOf time.Time) (*DayResult, error) {
	last, err := e.DB.LatestRun(ctx, p.Date)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if !p.Asked {
		asOf = later(asOf, last.AsOf) // a cascade never looks at a day from before its own last look
	}
	carryIn, digest, err := e.carryInto(ctx, p.Date)
	if err != nil {
		return nil, err
	}
	states, err := e.Slots(ctx, p.Date, asOf)
	if err != nil {
		return nil, err
	}
	open := e.deliveries()
	defer open.Close()
	slots, err := e.inputs(ctx, p.Date, states, open)
	if err != nil {
		return nil, err
	}
	hist := &history{reports: e.Config.Reports, date: p.Date, answers: map[string]bool{}}
	j, err := judge(ctx, question{date: p.Date, goLive: e.Config.GoLive, zone: e.Config.Location(), register: e.Register,
		calendars: e.Config.Holidays(), rules: e.rules(), rejects: e.Config.Rules.Held, carry: carryIn, slots: slots,
		awaited: awaited(states, e.Config.Location()), history: hist, fault: e.Fault, ledger: true})
	if err = errors.Join(err, hist.err); err != nil {
		return nil, err
	}
	return e.commit(ctx, p, asOf, states, j, hist, digest)
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
	c, err := reconcile.DecodeCarry(text)
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
func (e *Engine) commit(ctx context.Context, p Planned, asOf time.Time, states []SlotStatus, j *judged, hist *history, carryIn string) (*DayResult, error) {
	b := &reports.Book{Entity: e.Config.Entity, Date: p.Date, Revision: 1, AsOf: asOf, Zone: e.Config.Location(), GoLive: e.Config.GoLive,
		Lang: text.Lang(e.Config.Lang), Outcome: j.outcome, Preliminary: len(j.outcome.Awaited) > 0, Program: e.Program}
	var err error
	if b.ConfigDigest, err = e.Config.Digest(); err != nil {
		return nil, err
	}
	same, err := comparable(b, j.text)
	if err != nil {
		return nil, err
	}
	rev, issue, err := e.DB.NextRevision(ctx, p.Date, same)
	if err != nil {
		return nil, err
	}
	b.Revision = rev
	carryOut, err := e.Carry.Put(ctx, j.text)
	if err != nil {
		return nil, err
	}
	day := store.Day{Run: store.Run{Date: p.Date, AsOf: asOf, Final: !b.Preliminary, Verdict: string(j.outcome.Verdict), Revision: rev,
		Comparable: same, Inputs: e.inputsDigest(p.Date, states), CarryIn: carryIn, CarryOut: carryOut, Config: b.ConfigDigest, Program: e.Program},
		Inputs: e.inputRows(p.Date, states, hist), Controls: controlRows(j.outcome), Cases: caseRows(j.outcome), Items: itemRows(j.outcome), Lease: e.Lease}
	if issue {
		day.Outbox = []string{jobPublish}
		if len(e.Config.OnFinish) > 0 {
			day.Outbox = append(day.Outbox, jobNotify)
		}
	}
	run, err := e.DB.CommitDay(ctx, day)
	if err != nil {
		return nil, err
	}
	res := &DayResult{Date: p.Date, Reason: p.Reason, Run: run, Issued: issue, Outcome: j.outcome, Rejected: j.errors, Preliminary: b.Preliminary}
	if _, have, err := publish.Latest(e.Config.Reports, p.Date); issue || err != nil || have < rev {
		files := outputs(b, j.ledger, true, true, e.Config.Report.ASCIINames)
		if err := publish.Publish(ctx, e.Config.Reports, p.Date, rev, files, e.Step); err != nil {
			return nil, err
		}
	}
	if err := e.jobDone(ctx, run, jobPublish); err != nil {
		return nil, err
	}
	res.Folder, _, err = publish.Latest(e.Config.Reports, p.Date)
	return res, err
}

// Jobs of the outbox.
const (
	jobPublish = "publish"
	jobNotify  = "notify"
)

func (e *Engine) jobDone(ctx context.Context, r store.Run, name string) error {
	err := e.DB.JobDone(ctx, store.Job{Date: r.Date, Run: r.N, Name: name})
	e.step(StepJobDone)
	return err
}

// finishJobs drops publications of a crashed run: the plan finds such a day unissued and computes it again.
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
		if _, rev, err := publish.Latest(e.Config.Reports, j.Date); err == nil && rev >= r.Revision {
			if err := e.DB.JobDone(ctx, j); err != nil {
				return err
			}
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
		folder, _, err := publish.Latest(e.Config.Reports, j.Date)
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

// inputsDigest is a fingerprint of what the day is computed from beside its carry: current files, states of the slots
// and the register as it stands for the day.
func (e *Engine) inputsDigest(d txn.Date, states []SlotStatus) string {
	h := sha256.New()
	for _, in := range e.inputRows(d, states, nil) {
		fmt.Fprintf(h, "%s\x1f%s\x1f%s\x1f%s\x1f%s\n", in.Kind, in.Source, in.Key, in.State, in.Digest)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (e *Engine) inputRows(d txn.Date, states []SlotStatus, hist *history) []store.Input {
	var out []store.Input
	for _, s := range states {
		if len(s.Files) == 0 {
			out = append(out, store.Input{Kind: store.SlotInput, Source: s.Source.Name, Key: s.Key, State: string(s.State)})
		}
		for _, f := range s.Files {
			out = append(out, store.Input{Kind: store.SlotInput, Source: s.Source.Name, Key: f.Slot.Key, State: string(s.State), Digest: f.Content, Revision: f.N})
		}
	}
	out = append(out, store.Input{Kind: store.RegisterInput, Key: "register", Digest: e.registerDigest(d)})
	if hist != nil {
		h := sha256.New()
		for _, k := range sortedKeys(hist.answers) {
			fmt.Fprintf(h, "%s=%t\n", k, hist.answers[k])
		}
		if len(hist.answers) > 0 {
			out = append(out, store.Input{Kind: store.LookupInput, Key: "originals", Digest: hex.EncodeToString(h.Sum(nil))})
		}
	}
	slices.SortFunc(out, func(a, b store.Input) int {
		return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Source, b.Source), strings.Compare(a.Key, b.Key))
	})
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// registerDigest covers the register rows valid on the day.
func (e *Engine) registerDigest(d txn.Date) string {
	sum := sha256.Sum256(e.Register.AppendValid(nil, d))
	return hex.EncodeToString(sum[:])
}

func nullMoney(m reconcile.Money) sql.NullInt64 { return sql.NullInt64{Int64: m.Minor, Valid: m.Valid} }
