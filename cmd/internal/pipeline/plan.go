package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// Why a date is run.
const (
	ReasonNew       = "never run"
	ReasonAsked     = "asked for"
	ReasonInputs    = "its inputs changed"
	ReasonCarry     = "an earlier day changed"
	ReasonLookup    = "an earlier day settled or lost what it had looked up"
	ReasonUnissued  = "its report was not issued"
	ReasonFailed    = "its evidence was incomplete"
	ReasonEarlierIn = "a day before it is run"
)

// ErrClosed: the date lies in closed books.
var ErrClosed = errors.New("the date is closed")

// Reprocess says which of the dates that were asked for are computed although they may be current.
type Reprocess string

// Choices. A date that is not current is computed in any case.
const (
	ReprocessAll     Reprocess = "all"
	ReprocessMissing Reprocess = "missing" // never run
	ReprocessFailed  Reprocess = "failed"  // evidence was incomplete, or the report was not issued
)

// Request says which dates a run is to bring up to date.
type Request struct {
	From, To  txn.Date // From counts only where Asked
	AsOf      time.Time
	Asked     bool // the dates from From to To are named by a person
	Reprocess Reprocess
}

func (q Request) asks(d txn.Date) bool { return q.Asked && d >= q.From && d <= q.To }

// Planned is a date that a run will compute, with the reason.
type Planned struct {
	Date   txn.Date
	Reason string
	Detail []string // what changed, for people
	Asked  bool     // computed even if it turns out to be current
}

// Why is the reason with what changed.
func (p Planned) Why() string {
	if len(p.Detail) == 0 {
		return p.Reason
	}
	return p.Reason + ": " + strings.Join(p.Detail, ", ")
}

// Plan lists the dates that must be computed so that every open date up to To is current, oldest first: from the first
// that is new, stale or asked for, and every later day that was already run. Closed dates are never computed; to ask for
// one is an ErrClosed.
//
// Publications that a crash left undone are ended first, where the books may be written.
func (e *Engine) Plan(ctx context.Context, q Request) ([]Planned, error) {
	if !e.readOnly {
		if err := e.finishJobs(ctx); err != nil {
			return nil, err
		}
	}
	k, err := e.know(ctx, q.To)
	if err != nil {
		return nil, err
	}
	if q.Asked && k.closed != 0 && q.From <= k.closed {
		return nil, fmt.Errorf("%w: %s lies in the books that are closed through %s: a file that comes for it is booked on the first open date by itself; "+
			"to compute it again all the same, first: daozhang reopen --from %s", ErrClosed, q.From, k.closed, q.From)
	}
	first := min(k.first, q.To)
	if q.Asked {
		first = min(first, q.From)
	}
	last := max(q.To, k.last)
	if err := k.load(ctx, e, max(first, k.closed+1), last); err != nil {
		return nil, err
	}
	var out []Planned
	carry, since := "", false
	for d := first; d <= last; d++ {
		r, ran := k.runs[d]
		if d > q.To && !ran {
			continue
		}
		if d <= k.closed {
			carry = r.CarryOut
			continue
		}
		p := Planned{Date: d, Asked: q.asks(d) && q.Reprocess != ReprocessMissing}
		if since {
			p.Reason = ReasonEarlierIn
		} else if p.Reason, p.Detail, err = k.stale(ctx, e, d, carry, q.AsOf); err != nil {
			return nil, err
		}
		failed := p.Asked && q.Reprocess == ReprocessFailed
		switch {
		case failed && ran && r.Verdict == string(reconcile.Incomplete):
			p.Reason = ReasonFailed
		case failed:
			p.Asked = false
		case p.Asked && p.Reason == "":
			p.Reason = ReasonAsked
		}
		if p.Reason != "" {
			out = append(out, p)
			since = true
		}
		carry = r.CarryOut
	}
	return out, nil
}

// known is what the store says about the chain of days, read once for a plan.
type known struct {
	runs        map[txn.Date]store.Run
	first, last txn.Date // of the chain; last is 0 where nothing was run
	closed      txn.Date
	decisions   []reconcile.Decision
	slots       map[txn.Date][]store.Revision
	late        map[txn.Date][]store.LateRevision
}

func (e *Engine) know(ctx context.Context, target txn.Date) (*known, error) {
	k := &known{runs: map[txn.Date]store.Run{}, first: e.Config.GoLive}
	rs, err := e.DB.Runs(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range rs {
		k.runs[r.Date] = r
		k.last = max(k.last, r.Date)
	}
	if k.closed, err = e.DB.ClosedThrough(ctx); err != nil {
		return nil, err
	}
	if k.first == 0 {
		d, ok, err := e.DB.FirstDate(ctx)
		if err != nil {
			return nil, err
		}
		k.first = target
		if ok {
			k.first = min(d, target)
		}
	}
	k.decisions, err = e.DB.Decisions(ctx, max(k.last, k.closed+1, target))
	return k, err
}

// load reads the slots of a span of days.
func (k *known) load(ctx context.Context, e *Engine, from, to txn.Date) error {
	current, err := e.DB.SlotContents(ctx, from, to)
	if err != nil {
		return err
	}
	k.slots, k.late = map[txn.Date][]store.Revision{}, map[txn.Date][]store.LateRevision{}
	for _, r := range current {
		k.slots[r.Slot.Date] = append(k.slots[r.Slot.Date], r)
	}
	dates, err := e.DB.LateDates(ctx)
	if err != nil {
		return err
	}
	for _, d := range dates {
		if d < from || d > to {
			continue
		}
		if k.late[d], err = e.DB.LateRevisions(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// stale says why a day is not current, and what changed; empty if it is.
func (k *known) stale(ctx context.Context, e *Engine, d txn.Date, carry string, asOf time.Time) (string, []string, error) {
	r, ran := k.runs[d]
	if !ran {
		return ReasonNew, nil, nil
	}
	if r.CarryIn != carry {
		return ReasonCarry, nil, nil
	}
	reaches, err := e.reaches(ctx, d, k.closed)
	if err != nil {
		return "", nil, err
	}
	rows := e.inputRows(d, e.slotsOf(k.slots[d], k.late[d], d, later(asOf, r.AsOf)), k.decisionsOn(d), reaches)
	if inputsDigest(rows) != r.Inputs {
		was, err := e.DB.RunInputs(ctx, d, r.N)
		return ReasonInputs, describe(diffInputs(was, rows)), err
	}
	if _, rev, err := e.latest(d); err != nil || rev < r.Revision {
		return ReasonUnissued, nil, nil
	}
	same, err := k.sameAnswers(ctx, e, r)
	if err == nil && !same {
		return ReasonLookup, nil, nil
	}
	return "", nil, err
}

// decisionsOn are the decisions that act on a date.
func (k *known) decisionsOn(d txn.Date) []reconcile.Decision {
	n := slices.IndexFunc(k.decisions, func(x reconcile.Decision) bool { return x.EffectiveOn > d })
	if n < 0 {
		return k.decisions
	}
	return k.decisions[:n]
}

// sameAnswers reports whether the ledgers still answer what the run asked them. They are asked again only if a day that
// they stand for was computed since.
func (k *known) sameAnswers(ctx context.Context, e *Engine, r store.Run) (bool, error) {
	from := r.Date - txn.Date(e.Config.Rules.HistoryDays)
	newest, after := int64(0), false
	for d, x := range k.runs {
		if d >= from && d < r.Date {
			newest = max(newest, x.Cascade)
			// A command that was cut off goes on under its number, and may begin with an earlier day than it had come to.
			after = after || x.Cascade == r.Cascade && x.Committed.After(r.Committed)
		}
	}
	if newest <= max(r.Cascade, r.Checked) && !after {
		return true, nil
	}
	ins, err := e.DB.RunInputs(ctx, r.Date, r.N)
	if err != nil {
		return false, err
	}
	h := e.history(ctx, r.Date)
	defer h.Close()
	for _, in := range ins {
		if in.Kind == store.LookupInput && h.again(in) != in.Digest {
			return false, h.err
		}
	}
	if h.err != nil || e.readOnly {
		return true, h.err
	}
	return true, e.DB.SetChecked(ctx, r.Date, r.N, newest)
}

// knowPlanned reads what the store says about planned days, once for a run: computed keeps it up to date. What others bring
// while the run goes on is not in it: the next command finds it, as it does what comes after a day was judged.
func (e *Engine) knowPlanned(ctx context.Context, plan []Planned) (*known, error) {
	last := plan[len(plan)-1].Date
	k, err := e.know(ctx, last)
	if err != nil {
		return nil, err
	}
	return k, k.load(ctx, e, plan[0].Date, last)
}

// computed notes the run of a day.
func (k *known) computed(r store.Run) {
	k.runs[r.Date] = r
	k.last = max(k.last, r.Date)
}

// staleNow judges a planned day again, after the days before it were computed: often their carry has not changed.
func (k *known) staleNow(ctx context.Context, e *Engine, d txn.Date, asOf time.Time) (string, []string, error) {
	return k.stale(ctx, e, d, k.runs[d-1].CarryOut, asOf)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
