package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"daozhang/parsers/txn"
)

// Lease is the right to work on the books, held by one process at a time. Beat it at least every Interval; a holder
// that has not done so for two intervals is taken for dead. Release it when done.
//
// On SQLite a lock of the operating system goes with it, which the kernel frees with the process: after kill -9 the
// next run on the same host takes over at once. A holder on another host is waited for.
type Lease struct {
	Name     string
	Holder   string
	Interval time.Duration

	db    *DB
	token int64
	file  *fileLock
}

type leaseRow struct {
	Holder    string `db:"holder"`
	Token     int64  `db:"token"`
	Taken     string `db:"taken_at"`
	Heartbeat string `db:"heartbeat_at"`
	Expires   string `db:"expires_at"`
}

const selectLease = `SELECT holder, token, taken_at, heartbeat_at, expires_at FROM leases WHERE name = ?`

// Acquire takes the lease, or returns a [LockedError] at once. Host is this machine's name and process a text that
// tells this process from others (its id); together they are what others are told. Interval is the heartbeat.
func (s *DB) Acquire(ctx context.Context, name, host, process string, interval time.Duration) (*Lease, error) {
	if name == "" || host == "" || interval <= 0 {
		return nil, invalid("a lease needs a name, a host and an interval")
	}
	file, err := s.dialect.lock(name)
	if errors.Is(err, errHeld) {
		return nil, s.lockedBy(ctx, name)
	}
	if err != nil {
		return nil, fmt.Errorf("lease %s: %w", name, err)
	}
	l := &Lease{Name: name, Holder: host + " " + process, Interval: interval, db: s, file: file}
	// A look before the write: the holder may be inside a long transaction, and the answer must not wait for that.
	var r leaseRow
	err = s.get(ctx, &r, selectLease, name)
	if err == nil && !l.free(r, host) {
		return nil, errors.Join(r.locked(name), file.release())
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, errors.Join(err, file.release())
	}
	if err := s.inTx(ctx, func(q querier) error { return l.take(ctx, q, host) }); err != nil {
		return nil, errors.Join(err, file.release())
	}
	return l, nil
}

// take writes the holder into the row of the lease, if the row is free, expired, or left by a dead process of this host.
func (l *Lease) take(ctx context.Context, q querier, host string) error {
	// Touching the row first makes two takers take turns in both dialects.
	err := q.exec(ctx, `INSERT INTO leases (name, holder, token, taken_at, heartbeat_at, expires_at)
		VALUES (?, '', 0, '', '', '') ON CONFLICT (name) DO UPDATE SET token = leases.token`, l.Name)
	if err != nil {
		return err
	}
	var r leaseRow
	if err := q.get(ctx, &r, selectLease, l.Name); err != nil {
		return err
	}
	if !l.free(r, host) {
		return r.locked(l.Name)
	}
	now := l.db.now()
	l.token = r.Token + 1
	return q.exec(ctx, `UPDATE leases SET holder = ?, token = ?, taken_at = ?, heartbeat_at = ?, expires_at = ? WHERE name = ?`,
		clean(l.Holder), l.token, instant(now), instant(now), instant(now.Add(2*l.Interval)), l.Name)
}

// free reports whether the lease may be taken. With the file lock in hand, a holder of this host cannot be alive.
func (l *Lease) free(r leaseRow, host string) bool {
	dead := l.file != nil && strings.HasPrefix(r.Holder, host+" ")
	return r.Holder == "" || dead || r.Expires <= instant(l.db.now())
}

func (r leaseRow) locked(name string) error {
	var d decoder
	e := &LockedError{Name: name, Holder: r.Holder, Since: d.time(r.Taken), Heartbeat: d.time(r.Heartbeat)}
	return errors.Join(d.err, e)
}

// lockedBy is the error for a file lock that another process holds. What the database says about it is a courtesy.
func (s *DB) lockedBy(ctx context.Context, name string) error {
	var r leaseRow
	err := s.q().get(ctx, &r, selectLease, name)
	if err != nil {
		return &LockedError{Name: name}
	}
	return r.locked(name)
}

// Beat is a sign of life; ErrLeaseLost where another process has taken over.
func (l *Lease) Beat(ctx context.Context) error {
	return l.db.inTx(ctx, func(q querier) error {
		now := l.db.now()
		n, err := q.change(ctx, `UPDATE leases SET heartbeat_at = ?, expires_at = ? WHERE name = ? AND token = ? AND holder <> ''`,
			instant(now), instant(now.Add(2*l.Interval)), l.Name, l.token)
		if err == nil && n == 0 {
			return fmt.Errorf("lease %s: %w", l.Name, ErrLeaseLost)
		}
		return err
	})
}

// Keep beats on every tick until ctx ends (nil) or the lease is lost (ErrLeaseLost). A beat that fails otherwise is
// tried again on the next tick, as long as the lease has not run out.
func (l *Lease) Keep(ctx context.Context, ticks <-chan time.Time) error {
	last := l.db.now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticks:
		}
		err := l.Beat(ctx)
		switch now := l.db.now(); {
		case err == nil:
			last = now
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrLeaseLost):
			return err
		case now.Sub(last) >= 2*l.Interval:
			return fmt.Errorf("lease %s: %w: no heartbeat since %s: %w", l.Name, ErrLeaseLost, last.UTC().Format(time.RFC3339), err)
		}
	}
}

// confirm makes sure, inside a transaction, that nobody has taken over; the row stays locked until its end.
func (l *Lease) confirm(ctx context.Context, q querier) error {
	n, err := q.change(ctx, `UPDATE leases SET token = token WHERE name = ? AND token = ? AND holder <> ''`, l.Name, l.token)
	if err == nil && n == 0 {
		return fmt.Errorf("lease %s: %w", l.Name, ErrLeaseLost)
	}
	return err
}

// Release gives the lease back. After it the Lease must not be used.
func (l *Lease) Release(ctx context.Context) error {
	err := l.db.inTx(ctx, func(q querier) error {
		return q.exec(ctx, `UPDATE leases SET holder = '', expires_at = '' WHERE name = ? AND token = ?`, l.Name, l.token)
	})
	return errors.Join(err, l.file.release())
}

// LastCompleted is the last business date that a job has completed; ok is false where it never ran.
func (s *DB) LastCompleted(ctx context.Context, job string) (date txn.Date, ok bool, err error) {
	var text string
	err = s.get(ctx, &text, `SELECT last_completed FROM schedule WHERE job = ?`, job)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	date, err = parseDay(text)
	return date, err == nil, err
}

// SetCompleted records that a job has completed a business date. It never goes back to an earlier one.
func (s *DB) SetCompleted(ctx context.Context, job string, date txn.Date) error {
	if job == "" || date == 0 {
		return invalid("the schedule needs a job and a date")
	}
	return s.inTx(ctx, func(q querier) error {
		return q.exec(ctx, `INSERT INTO schedule (job, last_completed, updated_at) VALUES (?, ?, ?)
			ON CONFLICT (job) DO UPDATE SET last_completed = excluded.last_completed, updated_at = excluded.updated_at
			WHERE schedule.last_completed < excluded.last_completed`, job, date.String(), instant(s.now()))
	})
}
