package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

// single is one connection that does everything by turns and keeps its statements compiled: the fastest way through a
// database that costs no disk. A caller that waits longer for its turn than the busy timeout, as one does that asks from
// inside its own transaction, gets ErrBusy.
type single struct {
	conn  *sqlx.Conn
	turn  chan struct{} // holds one token while somebody is at work
	wait  time.Duration
	stmts map[string]*sqlx.Stmt
}

// maxStatements bounds the compiled statements; the package has about a hundred.
const maxStatements = 400

func newSingle(conn *sqlx.Conn, wait time.Duration) *single {
	return &single{conn: conn, turn: make(chan struct{}, 1), wait: wait, stmts: map[string]*sqlx.Stmt{}}
}

// take waits for the turn. A nil single has nothing to wait for.
func (o *single) take(ctx context.Context) error {
	if o == nil {
		return nil
	}
	select {
	case o.turn <- struct{}{}:
		return nil
	default:
	}
	late := time.NewTimer(o.wait)
	defer late.Stop()
	select {
	case o.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-late.C:
		return fmt.Errorf("%w: another transaction of this process is at work: try again", ErrBusy)
	}
}

func (o *single) give() {
	if o != nil {
		<-o.turn
	}
}

// inTx runs work between begin and COMMIT, or ROLLBACK where it fails.
func (o *single) inTx(ctx context.Context, begin string, work func(querier) error) error {
	if err := o.take(ctx); err != nil {
		return err
	}
	defer o.give()
	if _, err := o.ExecContext(ctx, begin); err != nil {
		return err
	}
	over := false
	defer func() {
		if !over {
			// Also where ctx has ended or work panics. After a failed statement the rollback adds nothing for the caller.
			_, _ = o.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		}
	}()
	if err := work(querier{ext: o, bind: sqlx.QUESTION}); err != nil {
		return err
	}
	if _, err := o.ExecContext(ctx, "COMMIT"); err != nil {
		return errors.Join(errCommit, err)
	}
	over = true
	return nil
}

// close waits for the work that goes on, and ends the connection. The turn is never given back.
func (o *single) close() error {
	err := o.take(context.Background())
	for _, s := range o.stmts {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, o.conn.Close())
}

// statement compiles a query once. nil without an error where there are too many already.
func (o *single) statement(ctx context.Context, query string) (*sqlx.Stmt, error) {
	if s := o.stmts[query]; s != nil || len(o.stmts) >= maxStatements {
		return s, nil
	}
	s, err := o.conn.PreparexContext(ctx, query)
	if err == nil {
		o.stmts[query] = s
	}
	return s, err
}

// ExecContext is of sqlx.ExecerContext.
func (o *single) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := o.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return o.conn.ExecContext(ctx, query, args...)
	}
	return s.ExecContext(ctx, args...)
}

// QueryContext is of sqlx.QueryerContext.
func (o *single) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return o.conn.QueryContext(ctx, query, args...)
}

// QueryxContext is of sqlx.QueryerContext.
func (o *single) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	s, err := o.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return o.conn.QueryxContext(ctx, query, args...)
	}
	return s.QueryxContext(ctx, args...)
}

// QueryRowxContext is of sqlx.QueryerContext.
func (o *single) QueryRowxContext(ctx context.Context, query string, args ...any) *sqlx.Row {
	s, err := o.statement(ctx, query)
	if err != nil || s == nil {
		return o.conn.QueryRowxContext(ctx, query, args...) // tells the error, too
	}
	return s.QueryRowxContext(ctx, args...)
}
