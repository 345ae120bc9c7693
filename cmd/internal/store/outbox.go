package store

import (
	"context"
	"fmt"

	"daozhang/parsers/txn"
)

// Job is something that must still happen outside the database because of a committed run.
type Job struct {
	Date     txn.Date
	Run      int
	Name     string
	Attempts int
	Error    string // of the last attempt
}

// PendingJobs lists what is not done yet, in the order of dates and, within a run, in the order in which the run
// gave them. After a crash this is where the work goes on.
func (s *DB) PendingJobs(ctx context.Context) ([]Job, error) {
	var rows []struct {
		Date     string `db:"business_date"`
		Run      int    `db:"run_no"`
		Name     string `db:"job"`
		Attempts int    `db:"attempts"`
		Error    string `db:"last_error"`
	}
	err := s.all(ctx, &rows, `SELECT business_date, run_no, job, attempts, last_error FROM outbox
		WHERE done_at = '' ORDER BY business_date, run_no, ordinal`)
	if err != nil {
		return nil, err
	}
	var d decoder
	list := make([]Job, 0, len(rows))
	for _, r := range rows {
		list = append(list, Job{d.date(r.Date), r.Run, r.Name, r.Attempts, r.Error})
	}
	return list, d.err
}

// JobDone takes a job off the list. A job that is done or overtaken already is left as it is.
func (s *DB) JobDone(ctx context.Context, j Job) error {
	return s.inTx(ctx, func(q querier) error { return s.jobDone(ctx, q, j) })
}

func (s *DB) jobDone(ctx context.Context, q querier, j Job) error {
	return q.exec(ctx, `UPDATE outbox SET done_at = ?, attempts = attempts + 1
		WHERE business_date = ? AND run_no = ? AND job = ? AND done_at = ''`,
		instant(s.now()), j.Date.String(), j.Run, j.Name)
}

// JobFailed counts an attempt and keeps its error; the job stays on the list.
func (s *DB) JobFailed(ctx context.Context, j Job, why string) error {
	return s.inTx(ctx, func(q querier) error {
		n, err := q.change(ctx, `UPDATE outbox SET attempts = attempts + 1, last_error = ?
			WHERE business_date = ? AND run_no = ? AND job = ? AND done_at = ''`,
			clean(why), j.Date.String(), j.Run, j.Name)
		if err == nil && n == 0 {
			return fmt.Errorf("job %s of run %d of %s: %w", j.Name, j.Run, j.Date, ErrNotFound)
		}
		return err
	})
}

// JobsDone takes all jobs of a name off the list.
func (s *DB) JobsDone(ctx context.Context, name string) error {
	return s.inTx(ctx, func(q querier) error {
		return q.exec(ctx, `UPDATE outbox SET done_at = ?, attempts = attempts + 1 WHERE job = ? AND done_at = ''`, instant(s.now()), name)
	})
}
