package store

import (
	"context"
	"errors"
	"strings"

	"github.com/jmoiron/sqlx"
)

// querier runs SQL that is written with ? for either dialect: the one place where it is rebound.
type querier struct {
	ext interface {
		sqlx.ExtContext
		sqlx.PreparerContext
	}
	bind int
}

func (s *DB) q() querier { return querier{ext: s.db, bind: s.dialect.bind()} }

func (q querier) exec(ctx context.Context, query string, args ...any) error {
	_, err := q.change(ctx, query, args...)
	return err
}

// change returns how many rows were changed.
func (q querier) change(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := q.ext.ExecContext(ctx, sqlx.Rebind(q.bind, query), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// get scans one row; sql.ErrNoRows where there is none.
func (q querier) get(ctx context.Context, dest any, query string, args ...any) error {
	return sqlx.GetContext(ctx, q.ext, dest, sqlx.Rebind(q.bind, query), args...)
}

// all scans every row into the slice that dest points to.
func (q querier) all(ctx context.Context, dest any, query string, args ...any) error {
	return sqlx.SelectContext(ctx, q.ext, dest, sqlx.Rebind(q.bind, query), args...)
}

// maxParameters bounds the parameters of one statement; SQLite takes 32,766 and PostgreSQL 65,535.
const maxParameters = 4000

// insertRows inserts many rows with few statements. The statement must end in VALUES; width is the columns of a row.
func (q querier) insertRows(ctx context.Context, insert string, width int, rows [][]any) error {
	tuple := "(" + strings.TrimSuffix(strings.Repeat("?, ", width), ", ") + ")"
	for step := max(1, maxParameters/width); len(rows) > 0; rows = rows[min(step, len(rows)):] {
		part := rows[:min(step, len(rows))]
		args := make([]any, 0, len(part)*width)
		for _, r := range part {
			args = append(args, r...)
		}
		query := insert + " " + strings.TrimSuffix(strings.Repeat(tuple+", ", len(part)), ", ")
		if err := q.exec(ctx, query, args...); err != nil {
			return err
		}
	}
	return nil
}

// inTx runs work in one transaction that is rolled back on any error.
func (s *DB) inTx(ctx context.Context, work func(querier) error) error {
	tx, err := s.db.BeginTxx(ctx, nil)
	if err != nil {
		return s.dialect.classify(err)
	}
	if err := work(querier{ext: tx, bind: s.dialect.bind()}); err != nil {
		// After a failed statement the rollback adds nothing that the caller could use.
		_ = tx.Rollback()
		return s.dialect.classify(err)
	}
	if err := tx.Commit(); err != nil {
		return s.dialect.classify(errors.Join(errCommit, err))
	}
	return nil
}

var errCommit = errors.New("committing: the outcome is unknown; the next run finds out")

func (s *DB) get(ctx context.Context, dest any, query string, args ...any) error {
	return s.dialect.classify(s.q().get(ctx, dest, query, args...))
}

func (s *DB) all(ctx context.Context, dest any, query string, args ...any) error {
	return s.dialect.classify(s.q().all(ctx, dest, query, args...))
}
