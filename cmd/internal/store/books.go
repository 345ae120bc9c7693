package store

import (
	"context"
	"errors"

	"daozhang/parsers/txn"
)

// ClosedThrough is the last closed date; 0 where no date is closed.
func (s *DB) ClosedThrough(ctx context.Context) (txn.Date, error) { return 0, nil }

// CloseBooks closes all dates up to and with through, and appends to the audit log. Closing what is closed changes nothing.
func (s *DB) CloseBooks(ctx context.Context, through txn.Date, by, reason string) error {
	return errors.New("not built")
}

// ReopenBooks opens the dates from from on again. Files that came while they were closed stay where they were booked.
func (s *DB) ReopenBooks(ctx context.Context, from txn.Date, by, reason string) error {
	return errors.New("not built")
}

// LateRevisions lists the revisions that came for a closed date and are booked on the date on, ordered by source, date,
// key and number; of several for one slot only the one that ranks highest.
func (s *DB) LateRevisions(ctx context.Context, on txn.Date) ([]LateRevision, error) { return nil, nil }

// LateRevision is a file for a closed date with the file that the closed book, or an earlier late booking, had.
type LateRevision struct {
	Revision
	Former *Revision // nil: there was none
}

// Issue is one issued revision of a report with the digest of its list of files.
type Issue struct {
	Date     txn.Date
	Revision int
	Run      int
	Manifest string // SHA-256 of the text of SHA256SUMS
}

// RecordIssue notes that a revision was published and takes the job off the list, in one transaction, with an entry in
// the audit log. Recording it again changes nothing; another manifest for the same revision is an ErrInvalid.
func (s *DB) RecordIssue(ctx context.Context, i Issue, job Job) error { return errors.New("not built") }

// Issues lists all issued revisions by date and revision.
func (s *DB) Issues(ctx context.Context) ([]Issue, error) { return nil, nil }
