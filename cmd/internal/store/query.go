package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/jmoiron/sqlx"
)

// querier runs SQL that is written with ? for either dialect: the one place where it is rebound.
type querier struct {
	ext interface {
		sqlx.QueryerContext
		sqlx.ExecerContext
	}
	bind int
	turn *single // whose turn a statement outside of a transaction has to wait for; nil as a rule
}

func (s *DB) q() querier {
	if s.one != nil {
		return querier{ext: s.one, bind: s.dialect.bind(), turn: s.one}
	}
	return querier{ext: s.db, bind: s.dialect.bind()}
}

func (s *DB) inside(tx *sqlx.Tx) querier { return querier{ext: tx, bind: s.dialect.bind()} }

func (q querier) exec(ctx context.Context, query string, args ...any) error {
	_, err := q.change(ctx, query, args...)
	return err
}

// change returns how many rows were changed.
func (q querier) change(ctx context.Context, query string, args ...any) (int64, error) {
	if err := q.turn.take(ctx); err != nil {
		return 0, err
	}
	defer q.turn.give()
	res, err := q.ext.ExecContext(ctx, sqlx.Rebind(q.bind, query), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// get scans one row; sql.ErrNoRows where there is none.
func (q querier) get(ctx context.Context, dest any, query string, args ...any) error {
	if err := q.turn.take(ctx); err != nil {
		return err
	}
	defer q.turn.give()
	return sqlx.GetContext(ctx, q.ext, dest, sqlx.Rebind(q.bind, query), args...)
}

// all scans every row into the slice that dest points to.
func (q querier) all(ctx context.Context, dest any, query string, args ...any) error {
	if err := q.turn.take(ctx); err != nil {
		return err
	}
	defer q.turn.give()
	return sqlx.SelectContext(ctx, q.ext, dest, sqlx.Rebind(q.bind, query), args...)
}

// maxParameters bounds the parameters of one statement; SQLite takes 32,766 and PostgreSQL 65,535.
const maxParameters = 4000

// insertRows inserts many rows with few statements. The statement must end in VALUES; width is the columns of a row.
// The numbers of rows in a statement are powers of two, so that there are few different statements to compile.
func (q querier) insertRows(ctx context.Context, insert string, width int, rows [][]any) error {
	tuple := ", (" + strings.TrimSuffix(strings.Repeat("?, ", width), ", ") + ")"
	step := 256
	for len(rows) > 0 {
		for step > 1 && (step > len(rows) || step*width > maxParameters) {
			step /= 2
		}
		args := make([]any, 0, step*width)
		for _, r := range rows[:step] {
			args = append(args, r...)
		}
		query := insert + strings.TrimPrefix(strings.Repeat(tuple, step), ",")
		if err := q.exec(ctx, query, args...); err != nil {
			return err
		}
		rows = rows[step:]
	}
	return nil
}

// inTx runs work in one transaction that is rolled back on any error.
func (s *DB) inTx(ctx context.Context, work func(querier) error) error {
	if s.one != nil {
		return s.dialect.classify(s.one.inTx(ctx, "BEGIN IMMEDIATE", work))
	}
	tx, err := s.db.BeginTxx(ctx, nil)
	if err != nil {
		return s.dialect.classify(err)
	}
	done := false
	defer func() {
		if !done { // a panic on its way through must not leave the database locked
			_ = tx.Rollback()
		}
	}()
	err = work(s.inside(tx))
	done = true
	if err != nil {
		// After a failed statement the rollback adds nothing that the caller could use.
		_ = tx.Rollback()
		return s.dialect.classify(err)
	}
	if err := tx.Commit(); err != nil {
		return s.dialect.classify(errors.Join(errCommit, err))
	}
	return nil
}

// snapshot runs several queries on one state of the database, without keeping writers out.
func (s *DB) snapshot(ctx context.Context, work func(querier) error) error {
	if s.one != nil {
		return s.dialect.classify(s.one.inTx(ctx, "BEGIN", work))
	}
	tx, err := s.db.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return s.dialect.classify(err)
	}
	err = work(s.inside(tx))
	// Nothing was written: how the transaction ends adds nothing.
	_ = tx.Rollback()
	return s.dialect.classify(err)
}

var errCommit = errors.New("committing: the outcome is unknown; the next run finds out")

func (s *DB) get(ctx context.Context, dest any, query string, args ...any) error {
	return s.dialect.classify(s.q().get(ctx, dest, query, args...))
}

func (s *DB) all(ctx context.Context, dest any, query string, args ...any) error {
	return s.dialect.classify(s.q().all(ctx, dest, query, args...))
}
