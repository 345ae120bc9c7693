package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// ErrDecision: what was said about a case cannot be recorded; the text says why.
var ErrDecision = errors.New("the decision cannot be recorded")

// maxReason bounds the text of a reason, in characters.
const maxReason = 2000

// Verdict is what a person says about one case.
type Verdict struct {
	Case   string // its id, or one under which it was printed before
	Status reconcile.DecisionStatus
	Reason string
	By     string
	Until  txn.Date // waiting only
}

// Decide records what people said, all or none. It is the only way in for decisions, whoever brings them. A case that is
// not known or not open, a status that is none, a missing name or reason are an ErrDecision that names the case.
//
// A decision acts from the newest date that was run; the next run shows it.
func (e *Engine) Decide(ctx context.Context, verdicts ...Verdict) ([]reconcile.Decision, error) {
	newest, closed, err := e.newestRun(ctx)
	if err != nil {
		return nil, err
	}
	var out []reconcile.Decision
	var errs []error
	for _, v := range verdicts {
		d, err := e.decision(ctx, v, max(newest, closed+1))
		if err != nil {
			errs = append(errs, fmt.Errorf("case %s: %w", v.Case, err))
			continue
		}
		out = append(out, d)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	e.step(StepChecked)
	if err := e.DB.RecordDecisions(ctx, out); err != nil {
		return out, err
	}
	e.step(StepRecorded)
	return out, nil
}

func (e *Engine) newestRun(ctx context.Context) (newest, closed txn.Date, err error) {
	runs, err := e.DB.Runs(ctx)
	if err != nil {
		return 0, 0, err
	}
	if len(runs) == 0 {
		return 0, 0, fmt.Errorf("%w: no date was run yet; start with: daozhang run", ErrDecision)
	}
	closed, err = e.DB.ClosedThrough(ctx)
	return runs[len(runs)-1].Date, closed, err
}

func (e *Engine) decision(ctx context.Context, v Verdict, on txn.Date) (reconcile.Decision, error) {
	if err := v.check(on); err != nil {
		return reconcile.Decision{}, err
	}
	c, err := e.DB.FindCase(ctx, v.Case)
	if errors.Is(err, store.ErrNotFound) {
		return reconcile.Decision{}, fmt.Errorf("%w: no book has it; copy the id from the column case_id", ErrDecision)
	}
	if err != nil {
		return reconcile.Decision{}, err
	}
	if err := e.decidable(ctx, c, v); err != nil {
		return reconcile.Decision{}, err
	}
	d := reconcile.Decision{CaseID: c.ID, Class: reconcile.Class(c.Class), Status: v.Status, Until: v.Until, Author: strings.TrimSpace(v.By),
		Reason: strings.TrimSpace(v.Reason), At: e.Now().UTC().Truncate(time.Microsecond), EffectiveOn: on, SeenOn: c.LastSeen, Members: c.Members, IDs: c.IDs}
	d.ID = "D" + reconcile.CaseID(d.CaseID, string(d.Status), d.Author, d.Reason, d.Until.String(), d.At.Format(time.RFC3339Nano))[1:]
	return d, nil
}

func (v Verdict) check(on txn.Date) error {
	known := false
	for _, s := range reconcile.DecisionStatuses() {
		known = known || s == v.Status
	}
	switch {
	case !known:
		return fmt.Errorf("%w: status %q is none of %v", ErrDecision, v.Status, reconcile.DecisionStatuses())
	case strings.TrimSpace(v.By) == "":
		return fmt.Errorf("%w: it needs the name of who decides", ErrDecision)
	case strings.TrimSpace(v.Reason) == "":
		return fmt.Errorf("%w: it needs a reason", ErrDecision)
	case utf8.RuneCountInString(v.Reason) > maxReason:
		return fmt.Errorf("%w: the reason is longer than %d characters", ErrDecision, maxReason)
	case v.Until != 0 && v.Status != reconcile.Waiting:
		return fmt.Errorf("%w: only waiting has a date until which", ErrDecision)
	case v.Until != 0 && v.Until <= on:
		return fmt.Errorf("%w: it waits until %s, but acts from %s on; name a later date", ErrDecision, v.Until, on)
	}
	return nil
}

// decidable reports whether there is anything to decide about the case.
func (e *Engine) decidable(ctx context.Context, c store.Case, v Verdict) error {
	if reconcile.Class(c.Class).OrderClass() {
		return fmt.Errorf("%w: %s is a note on how the book came about, no difference", ErrDecision, c.Class)
	}
	if len(c.Members) == 0 {
		return fmt.Errorf("%w: the book of %s was made by an older program; run that date again first", ErrDecision, c.LastSeen)
	}
	former, err := e.DB.DecisionsOf(ctx, c.ID)
	if err != nil {
		return err
	}
	decided := len(former) > 0 && former[len(former)-1].Status != reconcile.Reopened
	switch {
	case v.Status == reconcile.Reopened && !decided:
		return fmt.Errorf("%w: nobody has decided on it, so there is nothing to take back", ErrDecision)
	case v.Status == reconcile.Reopened:
		return nil
	case c.Lifecycle == string(reconcile.CaseCleared) && !decided:
		return fmt.Errorf("%w: it was cleared on %s", ErrDecision, c.LastSeen)
	case c.Lifecycle == string(reconcile.CaseCleared) && !former[len(former)-1].Status.Closes():
		return fmt.Errorf("%w: it was cleared on %s", ErrDecision, c.LastSeen)
	}
	return nil
}

// CloseBooks closes the books through a date. It is refused, with the dates, while a date up to it was never run, is not
// current or is preliminary.
func (e *Engine) CloseBooks(ctx context.Context, through txn.Date, by, reason string) error {
	if strings.TrimSpace(by) == "" {
		return errors.New("closing the books needs the name of who closes them")
	}
	if err := e.Ingest(ctx); err != nil {
		return err
	}
	plan, err := e.Plan(ctx, Request{To: through, AsOf: e.Now()})
	if err != nil {
		return err
	}
	var open []string
	planned := map[txn.Date]bool{}
	for _, p := range plan {
		planned[p.Date] = true
		if p.Date <= through && p.Reason != ReasonEarlierIn {
			open = append(open, p.Date.String()+" ("+p.Why()+")")
		}
	}
	runs, err := e.DB.Runs(ctx)
	if err != nil {
		return err
	}
	for _, r := range runs {
		if r.Date <= through && !r.Final && !planned[r.Date] {
			open = append(open, r.Date.String()+" (preliminary)")
		}
	}
	if len(runs) == 0 || runs[0].Date > through {
		return fmt.Errorf("no date up to %s was run, so there is nothing to close", through)
	}
	if len(open) > 0 {
		return fmt.Errorf("the books cannot be closed through %s yet: %s; run them first: daozhang run", through, strings.Join(open, ", "))
	}
	return e.DB.CloseBooks(ctx, through, strings.TrimSpace(by), strings.TrimSpace(reason))
}

// ReopenBooks opens the dates from from on again. What came for them while they were closed stays where it was booked.
func (e *Engine) ReopenBooks(ctx context.Context, from txn.Date, by, reason string) error {
	if strings.TrimSpace(by) == "" || strings.TrimSpace(reason) == "" {
		return errors.New("reopening the books needs the name of who does it, and a reason")
	}
	return e.DB.ReopenBooks(ctx, from, strings.TrimSpace(by), strings.TrimSpace(reason))
}

// auditDetail is a JSON object with sorted keys.
func auditDetail(m map[string]string) string {
	b, err := json.Marshal(m)
	if err != nil {
		return "{}"
	}
	return string(b)
}
