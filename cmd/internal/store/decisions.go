package store

import (
	"context"
	"errors"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// RecordDecisions stores decisions, all or none, each with its entry in the audit log. A decision is never changed: a
// later one on the same case overtakes it.
func (s *DB) RecordDecisions(ctx context.Context, ds []reconcile.Decision) error {
	return errors.New("not built")
}

// Decisions lists what is in effect on a date: effective_on <= on, ordered by (effective_on, at, id).
func (s *DB) Decisions(ctx context.Context, on txn.Date) ([]reconcile.Decision, error) {
	return nil, nil
}

// DecisionsOf lists all decisions on a case under any of its ids, in order.
func (s *DB) DecisionsOf(ctx context.Context, id string) ([]reconcile.Decision, error) {
	return nil, nil
}
