package store

import (
	"context"
	"strings"

	"daozhang/parsers/txn"
)

// ClosedThrough is the last closed date; 0 where no date is closed.
func (s *DB) ClosedThrough(ctx context.Context) (txn.Date, error) {
	date, _, err := closedThrough(ctx, s.q())
	return date, s.dialect.classify(err)
}

// closedThrough also returns the number of the newest closing or reopening.
func closedThrough(ctx context.Context, q querier) (txn.Date, int64, error) {
	var last []struct {
		Seq     int64  `db:"seq"`
		Through string `db:"closed_through"`
	}
	err := q.all(ctx, &last, `SELECT seq, closed_through FROM closings ORDER BY seq DESC LIMIT 1`)
	if err != nil || len(last) == 0 {
		return 0, 0, err
	}
	date, err := parseDay(last[0].Through)
	return date, last[0].Seq, err
}

// CloseBooks closes all dates up to and with through, and appends to the audit log. Closing what is closed changes nothing.
func (s *DB) CloseBooks(ctx context.Context, through txn.Date, by, reason string) error {
	if through == 0 {
		return invalid("closing the books needs the last date to be closed")
	}
	return s.closing(ctx, by, reason, func(was txn.Date) (next, opened txn.Date, e AuditEntry, err error) {
		if through <= was {
			return was, 0, e, nil
		}
		return through, 0, AuditEntry{Action: AuditClose, Subject: through.String(), Detail: detail(map[string]any{
			"closed_through": through.String(), "was": was.String(), "reason": reason})}, nil
	})
}

// ReopenBooks opens the dates from from on again. Files that came while they were closed stay where they were booked.
// ErrInvalid where from is not closed.
func (s *DB) ReopenBooks(ctx context.Context, from txn.Date, by, reason string) error {
	if from == 0 {
		return invalid("reopening the books needs the first date to be open")
	}
	return s.closing(ctx, by, reason, func(was txn.Date) (next, opened txn.Date, e AuditEntry, err error) {
		switch {
		case was == 0:
			return 0, 0, e, invalid("no date is closed: there is nothing to reopen")
		case from > was:
			return 0, 0, e, invalid("%s is open: the books are closed through %s, reopen from that date or an earlier one", from, was)
		}
		return from - 1, from, AuditEntry{Action: AuditReopen, Subject: from.String(), Detail: detail(map[string]any{
			"closed_through": (from - 1).String(), "was": was.String(), "reason": reason})}, nil
	})
}

// closing appends an event and its audit entry if decide moves the closed date.
func (s *DB) closing(ctx context.Context, by, reason string,
	decide func(was txn.Date) (next, opened txn.Date, e AuditEntry, err error)) error {
	by = strings.TrimSpace(by)
	return s.inTx(ctx, func(q querier) error {
		if err := lockBooks(ctx, q); err != nil {
			return err
		}
		was, seq, err := closedThrough(ctx, q)
		if err != nil {
			return err
		}
		next, opened, entry, err := decide(was)
		if err != nil || next == was {
			return err
		}
		now := s.now()
		entry.At, entry.Actor = now, by
		if err := s.appendAudit(ctx, q, entry); err != nil {
			return err
		}
		return q.exec(ctx, `INSERT INTO closings (seq, closed_through, opened_from, author, reason, recorded_at)
			VALUES (?, ?, ?, ?, ?, ?)`, seq+1, next.String(), opened.String(), clean(by), clean(reason), instant(now))
	})
}

// lockBooks keeps the closed date as it is until the end of the transaction: what closes, reopens or attaches takes turns.
func lockBooks(ctx context.Context, q querier) error { return lockChain(ctx, q, auditChain) }

// Issue is one issued revision of a report with the digest of its list of files.
type Issue struct {
	Date     txn.Date
	Revision int
	Run      int
	Manifest string // SHA-256 of the text of SHA256SUMS
}

// RecordIssue notes that a revision was published and takes the job off the list, in one transaction, with an entry in
// the audit log. Recording it again changes nothing; another manifest for the same revision is an ErrInvalid.
func (s *DB) RecordIssue(ctx context.Context, i Issue, job Job) error {
	if err := checkDigest("manifest", i.Manifest); err != nil {
		return err
	}
	return s.inTx(ctx, func(q querier) error {
		if err := s.jobDone(ctx, q, job); err != nil {
			return err
		}
		var known []string
		err := q.all(ctx, &known, `SELECT manifest FROM issues WHERE business_date = ? AND revision = ?`, i.Date.String(), i.Revision)
		switch {
		case err != nil:
			return err
		case len(known) > 0 && known[0] != i.Manifest:
			return invalid("revision %d of %s was issued with the list of files %.12s and cannot be issued again with %.12s: "+
				"issued reports never change", i.Revision, i.Date, known[0], i.Manifest)
		case len(known) > 0:
			return nil
		}
		if err := checkIssue(ctx, q, i); err != nil {
			return err
		}
		now := s.now()
		err = q.exec(ctx, `INSERT INTO issues (business_date, revision, run_no, manifest, issued_at) VALUES (?, ?, ?, ?, ?)`,
			i.Date.String(), i.Revision, i.Run, i.Manifest, instant(now))
		if err != nil {
			return err
		}
		return s.appendAudit(ctx, q, AuditEntry{At: now, Actor: programActor, Action: AuditIssue, Subject: i.Date.String(),
			Detail: detail(map[string]any{"revision": i.Revision, "run": i.Run, "manifest": i.Manifest})})
	})
}

// checkIssue makes sure that the run which the issue names has brought that revision.
func checkIssue(ctx context.Context, q querier, i Issue) error {
	var revisions []int
	err := q.all(ctx, &revisions, `SELECT report_revision FROM day_runs WHERE business_date = ? AND run_no = ?`, i.Date.String(), i.Run)
	if err != nil {
		return err
	}
	if len(revisions) == 0 || revisions[0] != i.Revision {
		return invalid("run %d of %s has no revision %d to issue", i.Run, i.Date, i.Revision)
	}
	return nil
}

// Issues lists all issued revisions by date and revision.
func (s *DB) Issues(ctx context.Context) ([]Issue, error) {
	var rows []struct {
		Date     string `db:"business_date"`
		Revision int    `db:"revision"`
		Run      int    `db:"run_no"`
		Manifest string `db:"manifest"`
	}
	err := s.all(ctx, &rows, `SELECT business_date, revision, run_no, manifest FROM issues ORDER BY business_date, revision`)
	if err != nil {
		return nil, err
	}
	var d decoder
	list := make([]Issue, 0, len(rows))
	for _, r := range rows {
		list = append(list, Issue{d.date(r.Date), r.Revision, r.Run, r.Manifest})
	}
	return list, d.err
}
