package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"daozhang/parsers/txn"
)

// Run is one computation of one business date.
type Run struct {
	Date     txn.Date
	N        int       // run number of the date, from 1; given by CommitDay
	AsOf     time.Time // the instant at which the run looked at the world
	Final    bool      // else preliminary
	Verdict  string
	Revision int // of the report; from NextRevision

	// Digests, lower-case hex SHA-256.
	Comparable string // of the comparable part
	Inputs     string
	CarryIn    string // of the carry file's text; empty on the first day
	CarryOut   string
	Places     string // of the text that says where the evidence of CarryOut lies; empty: none
	Config     string // as the caller writes it
	Program    string // version

	Cascade int64  // number of the command that made it; all days that one command computed share it, also with those before a crash
	Reason  string // why it was computed

	// Checked is the cascade up to which the match ledgers of earlier days are known to answer what the run asked as they
	// did then; see SetChecked.
	Checked int64

	// Given by CommitDay.
	Superseded   bool
	Cases, Items int
	Committed    time.Time
}

// InputKind is what sort of thing a run knew.
type InputKind string

// Kinds of inputs.
const (
	SlotInput     InputKind = "slot"
	RegisterInput InputKind = "register"
	DecisionInput InputKind = "decision"
	LookupInput   InputKind = "lookup"
)

// Input is one thing that a run knew: for a slot its source and key, its state as of the run, and the content and
// revision of its current file.
type Input struct {
	Kind     InputKind
	Source   string
	Key      string
	State    string // of a slot: not_due, missing, received, received_empty
	Digest   string
	Revision int
}

// Day is all that one run of one business date leaves in the database.
type Day struct {
	Run      Run
	Inputs   []Input
	Controls []Control // replace what is known of the files that they name
	Cases    []Case
	Items    []Item // in the order of exceptions.csv
	Events   []Event
	Outbox   []string // jobs that must follow the commit, in this order: "publish", "notify"
	Lease    *Lease   // if set, the commit is refused with ErrLeaseLost unless this lease still holds
}

// Steps names the points of CommitDay, in their order, at which Options.Step is called.
func Steps() []string {
	return []string{"commit:begun", "commit:superseded", "commit:run", "commit:inputs", "commit:controls", "commit:items",
		"commit:cases", "commit:events", "commit:before", "commit:after", "commit:durable"}
}

// NextRevision says which revision the report of date has if its comparable part is comparable, and whether it has
// to be issued: a day without a run starts with revision 1; an unchanged comparable part keeps its revision.
func (s *DB) NextRevision(ctx context.Context, date txn.Date, comparable string) (revision int, issue bool, err error) {
	revision, issue, err = nextRevision(ctx, s.q(), date, comparable)
	return revision, issue, s.dialect.classify(err)
}

func nextRevision(ctx context.Context, q querier, date txn.Date, comparable string) (int, bool, error) {
	last, err := latest(ctx, q, date)
	switch {
	case errors.Is(err, ErrNotFound):
		return 1, true, nil
	case err != nil:
		return 0, false, err
	case last.Comparable == comparable:
		return last.Revision, false, nil
	}
	return last.Revision + 1, true, nil
}

// CommitDay stores a run with everything that belongs to it in one transaction, and lets it take the place of the
// committed run of its date, which stays as superseded. After an error or a crash either all of it is stored or
// nothing. It returns the run with its number.
//
// Errors: ErrAsOf, ErrRevision, ErrLeaseLost, ErrInvalid; nothing is stored then.
func (s *DB) CommitDay(ctx context.Context, day Day) (Run, error) {
	run := day.Run
	run.AsOf = run.AsOf.UTC().Truncate(time.Microsecond)
	run.Superseded, run.Cases, run.Items = false, len(day.Cases), len(day.Items)
	if err := checkRun(run); err != nil {
		return Run{}, err
	}
	err := s.inTx(ctx, func(q querier) error {
		s.step("commit:begun")
		run.Committed = s.now().UTC().Truncate(time.Microsecond)
		if day.Lease != nil {
			if err := day.Lease.confirm(ctx, q); err != nil {
				return err
			}
		}
		former, err := s.supersede(ctx, q, &run)
		if err != nil {
			return err
		}
		return s.storeDay(ctx, q, run, former, day)
	})
	if err != nil {
		return Run{}, fmt.Errorf("committing %s: %w", run.Date, err)
	}
	s.step("commit:after")
	if err := s.dialect.committed(ctx, s.db); err != nil {
		return run, fmt.Errorf("%s is committed, but: %w", run.Date, s.dialect.classify(err))
	}
	s.step("commit:durable")
	return run, nil
}

func checkRun(r Run) error {
	if r.Date == 0 || r.AsOf.IsZero() || r.Revision < 1 || r.Verdict == "" {
		return invalid("run of %q needs a date, as_of, revision and verdict", r.Date)
	}
	err := errors.Join(checkDigest("comparable", r.Comparable), checkDigest("inputs", r.Inputs), checkDigest("carry_out", r.CarryOut))
	if r.CarryIn != "" {
		err = errors.Join(err, checkDigest("carry_in", r.CarryIn))
	}
	return err
}

// supersede retires the committed run of the date, gives run its number and returns the number retired, or 0.
func (s *DB) supersede(ctx context.Context, q querier, run *Run) (former int, err error) {
	last, err := latest(ctx, q, run.Date)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, err
	}
	if last.AsOf.After(run.AsOf) {
		return 0, fmt.Errorf("%w: %s, and this run has %s: leave --as-of out or name a later one", ErrAsOf,
			last.AsOf.Format(time.RFC3339), run.AsOf.Format(time.RFC3339))
	}
	revision, _, err := nextRevision(ctx, q, run.Date, run.Comparable)
	if err != nil {
		return 0, err
	}
	if revision != run.Revision {
		return 0, fmt.Errorf("%w: %d is due, not %d: another run of the day came between", ErrRevision, revision, run.Revision)
	}
	run.N = last.N + 1
	err = q.exec(ctx, `UPDATE day_runs SET state = 'superseded', superseded_at = ? WHERE business_date = ? AND state = 'committed'`,
		instant(run.Committed), run.Date.String())
	s.step("commit:superseded")
	return last.N, err
}

func (s *DB) storeDay(ctx context.Context, q querier, run Run, former int, day Day) error {
	date := run.Date.String()
	parts := []struct {
		step string
		work func() error
	}{
		{"commit:run", func() error { return insertRun(ctx, q, run) }},
		{"commit:inputs", func() error { return insertInputs(ctx, q, date, run.N, day) }},
		{"commit:controls", func() error { return replaceControls(ctx, q, day.Controls) }},
		{"commit:items", func() error { return insertItems(ctx, q, date, run.N, day.Items) }},
		{"commit:cases", func() error { return replaceCases(ctx, q, run, former, day.Cases) }},
		{"commit:events", func() error { return insertEvents(ctx, q, date, run.N, day.Events) }},
	}
	for _, p := range parts {
		if err := p.work(); err != nil {
			return err
		}
		s.step(p.step)
	}
	s.step("commit:before")
	return nil
}

func insertRun(ctx context.Context, q querier, r Run) error {
	return q.exec(ctx, `INSERT INTO day_runs (business_date, run_no, state, as_of, final, verdict, report_revision,
		comparable, inputs, carry_in, carry_out, config, program, case_count, item_count, committed_at, superseded_at,
		cascade, reason, places) VALUES (?, ?, 'committed', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?)`,
		r.Date.String(), r.N, instant(r.AsOf), r.Final, r.Verdict, r.Revision, r.Comparable, r.Inputs, r.CarryIn,
		r.CarryOut, r.Config, r.Program, r.Cases, r.Items, instant(r.Committed), r.Cascade, clean(r.Reason), r.Places)
}

func insertInputs(ctx context.Context, q querier, date string, n int, day Day) error {
	rows := make([][]any, 0, len(day.Inputs))
	for _, i := range day.Inputs {
		rows = append(rows, []any{date, n, string(i.Kind), i.Source, clean(i.Key), i.State, i.Digest, i.Revision})
	}
	err := q.insertRows(ctx, `INSERT INTO run_inputs
		(business_date, run_no, kind, source, input_key, state, digest, revision) VALUES`, 8, rows)
	if err != nil {
		return err
	}
	// What the former run left undone is overtaken by what the new run brings; the rest, such as the report or the
	// notice of a revision that a crash kept from being issued, is now the new run's to do.
	for _, job := range day.Outbox {
		err = q.exec(ctx, `DELETE FROM outbox WHERE business_date = ? AND run_no < ? AND done_at = '' AND job = ?`, date, n, job)
		if err != nil {
			return err
		}
	}
	err = q.exec(ctx, `UPDATE outbox SET run_no = ? WHERE business_date = ? AND run_no < ? AND done_at = ''`, n, date, n)
	if err != nil {
		return err
	}
	rows = rows[:0]
	for i, job := range day.Outbox {
		rows = append(rows, []any{date, n, job, i, 0, "", ""})
	}
	return q.insertRows(ctx, `INSERT INTO outbox
		(business_date, run_no, job, ordinal, attempts, last_error, done_at) VALUES`, 7, rows)
}

type runRow struct {
	Date       string `db:"business_date"`
	N          int    `db:"run_no"`
	State      string `db:"state"`
	AsOf       string `db:"as_of"`
	Final      bool   `db:"final"`
	Verdict    string `db:"verdict"`
	Revision   int    `db:"report_revision"`
	Comparable string `db:"comparable"`
	Inputs     string `db:"inputs"`
	CarryIn    string `db:"carry_in"`
	CarryOut   string `db:"carry_out"`
	Config     string `db:"config"`
	Program    string `db:"program"`
	Cases      int    `db:"case_count"`
	Items      int    `db:"item_count"`
	Committed  string `db:"committed_at"`
	Cascade    int64  `db:"cascade"`
	Reason     string `db:"reason"`
	Places     string `db:"places"`
	Checked    int64  `db:"checked"`
}

const selectRuns = `SELECT business_date, run_no, state, as_of, final, verdict, report_revision, comparable, inputs,
	carry_in, carry_out, config, program, case_count, item_count, committed_at, cascade, reason, places, checked FROM day_runs `

func (r runRow) run() (Run, error) {
	var d decoder
	run := Run{Date: d.date(r.Date), N: r.N, AsOf: d.time(r.AsOf), Final: r.Final, Verdict: r.Verdict, Revision: r.Revision,
		Comparable: r.Comparable, Inputs: r.Inputs, CarryIn: r.CarryIn, CarryOut: r.CarryOut, Config: r.Config,
		Program: r.Program, Superseded: r.State == "superseded", Cases: r.Cases, Items: r.Items, Committed: d.time(r.Committed),
		Cascade: r.Cascade, Reason: r.Reason, Places: r.Places, Checked: r.Checked}
	if d.err != nil {
		return Run{}, fmt.Errorf("run %d of %s: %w", r.N, r.Date, d.err)
	}
	return run, nil
}

func decodeRuns(rows []runRow) ([]Run, error) {
	list := make([]Run, 0, len(rows))
	for _, r := range rows {
		run, err := r.run()
		if err != nil {
			return nil, err
		}
		list = append(list, run)
	}
	return list, nil
}

func latest(ctx context.Context, q querier, date txn.Date) (Run, error) {
	var r runRow
	err := q.get(ctx, &r, selectRuns+`WHERE business_date = ? AND state = 'committed'`, date.String())
	if errors.Is(err, sql.ErrNoRows) {
		return Run{}, fmt.Errorf("run of %s: %w", date, ErrNotFound)
	}
	if err != nil {
		return Run{}, err
	}
	return r.run()
}

// LatestRun returns the committed run of a date; ErrNotFound where the date was never run.
func (s *DB) LatestRun(ctx context.Context, date txn.Date) (Run, error) {
	r, err := latest(ctx, s.q(), date)
	return r, s.dialect.classify(err)
}

// NextCascade is a number that no committed or superseded run has yet: one more than the largest.
func (s *DB) NextCascade(ctx context.Context) (int64, error) {
	var last sql.NullInt64
	err := s.get(ctx, &last, `SELECT max(cascade) FROM day_runs`)
	return last.Int64 + 1, err
}

// SetChecked notes that the ledgers still answer a run's questions as they did, with all that was computed up to a cascade.
func (s *DB) SetChecked(ctx context.Context, date txn.Date, n int, cascade int64) error {
	return s.inTx(ctx, func(q querier) error {
		return q.exec(ctx, `UPDATE day_runs SET checked = ? WHERE business_date = ? AND run_no = ? AND checked < ?`, cascade, date.String(), n, cascade)
	})
}

// Runs lists the committed run of every date, in order of dates: the chain of days.
func (s *DB) Runs(ctx context.Context) ([]Run, error) {
	var rows []runRow
	if err := s.all(ctx, &rows, selectRuns+`WHERE state = 'committed' ORDER BY business_date`); err != nil {
		return nil, err
	}
	return decodeRuns(rows)
}

// RunHistory lists all runs of a date in order, the superseded ones included.
func (s *DB) RunHistory(ctx context.Context, date txn.Date) ([]Run, error) {
	var rows []runRow
	if err := s.all(ctx, &rows, selectRuns+`WHERE business_date = ? ORDER BY run_no`, date.String()); err != nil {
		return nil, err
	}
	return decodeRuns(rows)
}

// RunInputs lists what a run knew, ordered by kind, source and key.
func (s *DB) RunInputs(ctx context.Context, date txn.Date, n int) ([]Input, error) {
	var rows []struct {
		Kind     string `db:"kind"`
		Source   string `db:"source"`
		Key      string `db:"input_key"`
		State    string `db:"state"`
		Digest   string `db:"digest"`
		Revision int    `db:"revision"`
	}
	err := s.all(ctx, &rows, `SELECT kind, source, input_key, state, digest, revision FROM run_inputs
		WHERE business_date = ? AND run_no = ? ORDER BY kind, source, input_key`, date.String(), n)
	if err != nil {
		return nil, err
	}
	list := make([]Input, 0, len(rows))
	for _, r := range rows {
		list = append(list, Input{InputKind(r.Kind), r.Source, r.Key, r.State, r.Digest, r.Revision})
	}
	return list, nil
}
