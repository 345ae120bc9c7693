package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// Case is the life of one or more exceptions as one day's book shows it.
type Case struct {
	ID        string
	Aliases   []string // ids under which it was printed before
	Class     string
	Severity  int
	Status    string
	Lifecycle string
	FirstSeen txn.Date
	LastSeen  txn.Date // the newest committed day that has it; given by the store
	Leg       string
	Acquirer  string
	Amount    sql.NullInt64 // minor units of Currency; not valid = absent
	Currency  string
	Owner     string
	Due       txn.Date

	Members []reconcile.Member // what it is about in that book
	IDs     []string           // order, channel id and RRN of its rows
}

// replaceCases stores the cases of a run and lets the table of cases follow, which has each case as the newest committed
// run shows it that has it. Only what the run and the one that it replaces have can differ: a case of the run is taken
// from it unless a later day has shown it since; one that only the former run had falls back to the newest day that
// still has it, and is gone where there is none.
func replaceCases(ctx context.Context, q querier, run Run, former int, cases []Case) error {
	date := run.Date.String()
	rows := make([][]any, 0, len(cases))
	for _, c := range cases {
		if c.ID == "" {
			return invalid("a case of class %s has no id", c.Class)
		}
		rows = append(rows, []any{date, run.N, c.ID, c.Class, c.Severity, c.Status, c.Lifecycle, c.FirstSeen.String(),
			c.Leg, clean(c.Acquirer), c.Amount, c.Currency, c.Owner, c.Due.String(), membersText(c.Members), listText(c.IDs)})
	}
	err := q.insertRows(ctx, `INSERT INTO run_cases (business_date, run_no, case_id, class, severity, status, lifecycle,
		first_seen, leg, acquirer, amount, currency, owner, due_date, members, ids) VALUES`, 16, rows)
	if err != nil {
		return err
	}
	for _, c := range cases {
		for _, alias := range c.Aliases {
			err := q.exec(ctx, `INSERT INTO case_aliases (alias, case_id, since) VALUES (?, ?, ?)
				ON CONFLICT (alias) DO UPDATE SET case_id = excluded.case_id, since = excluded.since`, alias, c.ID, date)
			if err != nil {
				return err
			}
		}
	}
	err = q.exec(ctx, `INSERT INTO cases (`+caseColumns+`)
		SELECT case_id, class, severity, status, lifecycle, first_seen, business_date, leg, acquirer, amount, currency, owner, due_date
		FROM run_cases WHERE business_date = ? AND run_no = ?
		ON CONFLICT (case_id) DO UPDATE SET class = excluded.class, severity = excluded.severity, status = excluded.status,
			lifecycle = excluded.lifecycle, first_seen = excluded.first_seen, last_seen = excluded.last_seen, leg = excluded.leg,
			acquirer = excluded.acquirer, amount = excluded.amount, currency = excluded.currency, owner = excluded.owner,
			due_date = excluded.due_date
		WHERE excluded.last_seen >= cases.last_seen`, date, run.N)
	if err != nil || former == 0 {
		return err
	}
	return dropCases(ctx, q, date, former, run.N)
}

// selectGone lists the cases of one run of a date that another has not.
const selectGone = `SELECT f.case_id FROM run_cases f WHERE f.business_date = ? AND f.run_no = ?
	AND NOT EXISTS (SELECT 1 FROM run_cases i WHERE i.business_date = f.business_date AND i.run_no = ? AND i.case_id = f.case_id)`

// dropCases takes the cases that only the former run of a date has from the newest committed run before it.
func dropCases(ctx context.Context, q querier, date string, former, n int) error {
	err := q.exec(ctx, `DELETE FROM cases WHERE last_seen = ? AND case_id IN (`+selectGone+`)`, date, date, former, n)
	if err != nil {
		return err
	}
	return q.exec(ctx, `INSERT INTO cases (`+caseColumns+`)
		SELECT c.case_id, c.class, c.severity, c.status, c.lifecycle, c.first_seen, c.business_date, c.leg, c.acquirer,
			c.amount, c.currency, c.owner, c.due_date
		FROM (SELECT o.case_id, max(o.business_date) AS last_seen FROM run_cases o
			JOIN day_runs r ON r.business_date = o.business_date AND r.run_no = o.run_no AND r.state = 'committed'
			WHERE o.case_id IN (`+selectGone+`) AND o.business_date < ? GROUP BY o.case_id) g
		JOIN day_runs r ON r.business_date = g.last_seen AND r.state = 'committed'
		JOIN run_cases c ON c.business_date = r.business_date AND c.run_no = r.run_no AND c.case_id = g.case_id
		WHERE true ON CONFLICT (case_id) DO NOTHING`, date, former, n, date)
}

type caseRow struct {
	ID        string        `db:"case_id"`
	Class     string        `db:"class"`
	Severity  int           `db:"severity"`
	Status    string        `db:"status"`
	Lifecycle string        `db:"lifecycle"`
	FirstSeen string        `db:"first_seen"`
	LastSeen  string        `db:"last_seen"`
	Leg       string        `db:"leg"`
	Acquirer  string        `db:"acquirer"`
	Amount    sql.NullInt64 `db:"amount"`
	Currency  string        `db:"currency"`
	Owner     string        `db:"owner"`
	Due       string        `db:"due_date"`

	// Not in the table of cases.
	Members sql.NullString `db:"members"`
	IDs     sql.NullString `db:"ids"`
}

const caseColumns = `case_id, class, severity, status, lifecycle, first_seen, last_seen, leg, acquirer, amount, currency, owner, due_date`

const selectCases = `SELECT ` + caseColumns + ` FROM cases `

func (r caseRow) value() (Case, error) {
	var d decoder
	c := Case{ID: r.ID, Class: r.Class, Severity: r.Severity, Status: r.Status, Lifecycle: r.Lifecycle,
		FirstSeen: d.date(r.FirstSeen), LastSeen: d.date(r.LastSeen), Leg: r.Leg, Acquirer: r.Acquirer, Amount: r.Amount,
		Currency: r.Currency, Owner: r.Owner, Due: d.date(r.Due), Members: d.members(r.Members.String), IDs: d.list(r.IDs.String)}
	if d.err != nil {
		return Case{}, fmt.Errorf("case %s: %w", r.ID, d.err)
	}
	return c, nil
}

// CaseFilter narrows a list of cases. Empty fields do not narrow.
type CaseFilter struct {
	Class    string
	Status   string
	Acquirer string
	SeenFrom txn.Date // last seen on or after
}

// Cases lists where each case stands now, ordered by id, without aliases, members and ids of rows.
func (s *DB) Cases(ctx context.Context, f CaseFilter) ([]Case, error) {
	var rows []caseRow
	err := s.all(ctx, &rows, selectCases+`WHERE (? = '' OR class = ?) AND (? = '' OR status = ?)
		AND (? = '' OR acquirer = ?) AND last_seen >= ? ORDER BY case_id`,
		f.Class, f.Class, f.Status, f.Status, f.Acquirer, f.Acquirer, f.SeenFrom.String())
	if err != nil {
		return nil, err
	}
	list := make([]Case, 0, len(rows))
	for _, r := range rows {
		c, err := r.value()
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// Event is what happened to a case on a day: an index for people, never read by the core.
type Event struct {
	Date   txn.Date // given by the store
	Case   string
	Kind   string // new, cleared, reopened, reclassified, merged ...
	Class  string
	Detail string
}

func insertEvents(ctx context.Context, q querier, date string, n int, events []Event) error {
	rows := make([][]any, 0, len(events))
	for i, e := range events {
		rows = append(rows, []any{date, n, i + 1, e.Case, e.Kind, e.Class, clean(e.Detail)})
	}
	return q.insertRows(ctx, `INSERT INTO events
		(business_date, run_no, ordinal, case_id, kind, class, detail) VALUES`, 7, rows)
}

type eventRow struct {
	Date   string `db:"business_date"`
	N      int    `db:"ordinal"`
	Case   string `db:"case_id"`
	Kind   string `db:"kind"`
	Class  string `db:"class"`
	Detail string `db:"detail"`
}

// Events lists what happened to a case under any of its ids, or, where id is empty, to all cases, in committed runs,
// by date.
func (s *DB) Events(ctx context.Context, id string) ([]Event, error) {
	ids := []string{id}
	if id != "" {
		if c, err := s.FindCase(ctx, id); err == nil {
			ids = append(ids, c.ID)
			ids = append(ids, c.Aliases...)
		} else if !errors.Is(err, ErrNotFound) {
			return nil, err
		}
	}
	var rows []eventRow
	slices.Sort(ids)
	for _, one := range slices.Compact(ids) {
		var part []eventRow
		err := s.all(ctx, &part, `SELECT e.business_date, e.ordinal, e.case_id, e.kind, e.class, e.detail
			FROM events e JOIN day_runs r ON r.business_date = e.business_date AND r.run_no = e.run_no
			WHERE r.state = 'committed' AND (? = '' OR e.case_id = ?) ORDER BY e.business_date, e.ordinal`, one, one)
		if err != nil {
			return nil, err
		}
		rows = append(rows, part...)
	}
	var d decoder
	list := make([]Event, 0, len(rows))
	for _, r := range rows {
		list = append(list, Event{d.date(r.Date), r.Case, r.Kind, r.Class, r.Detail})
	}
	slices.SortStableFunc(list, func(a, b Event) int { return strings.Compare(a.Date.String(), b.Date.String()) })
	return list, d.err
}
