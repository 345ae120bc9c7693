package pipeline

import (
	"context"
	"errors"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// Verdict is what a person says about one case.
type Verdict struct {
	Case   string // its id, or one under which it was printed before
	Status reconcile.DecisionStatus
	Reason string
	By     string
	Until  txn.Date // waiting only
}

// Decide records what people said, all or none. It is the only way in for decisions, whoever brings them. A case that is
// not known or not open, a status that is none, a missing name or reason are errors that name the case.
func (e *Engine) Decide(ctx context.Context, verdicts ...Verdict) ([]reconcile.Decision, error) {
	return nil, errors.New("not built")
}

// Close closes the books through a date. It is refused, with the dates, while a date up to it was never run, is not
// current or is preliminary.
func (e *Engine) CloseBooks(ctx context.Context, through txn.Date, by, reason string) error {
	return errors.New("not built")
}

// ReopenBooks opens the dates from from on again.
func (e *Engine) ReopenBooks(ctx context.Context, from txn.Date, by, reason string) error {
	return errors.New("not built")
}
