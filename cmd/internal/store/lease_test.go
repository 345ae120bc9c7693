package store

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestALeaseOfAnotherHostIsTakenOverOnlyAfterTwoMissedHeartbeats(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		c := &clock{at: t0}
		db := opened(t, dsn, Options{Now: c.now})
		// The file lock of the other host is not seen from here.
		must(t, db.q().exec(ctx, `INSERT INTO leases (name, holder, token, taken_at, heartbeat_at, expires_at)
			VALUES ('run', 'other pid 1', 4, ?, ?, ?)`, instant(t0), instant(t0), instant(t0.Add(time.Minute))))
		for _, step := range []struct {
			after time.Duration
			want  error
		}{{0, ErrLocked}, {59 * time.Second, ErrLocked}, {time.Minute, nil}} {
			c.at = t0.Add(step.after)
			l, err := db.Acquire(ctx, "run", "here", "pid 2", 30*time.Second)
			if !errors.Is(err, step.want) {
				t.Fatalf("after %v: %v; want %v", step.after, err, step.want)
			}
			if err == nil {
				must(t, l.Release(ctx))
			}
		}
	})
}

func TestAnOvertakenHolderCanNeitherBeatNorCommit(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		c := &clock{at: t0}
		db := opened(t, dsn, Options{Now: c.now})
		old, err := db.Acquire(ctx, "run", "here", "pid 1", time.Second)
		must(t, err)
		d := dayOf(jan(5), 1, "a", 3)
		d.Lease = old
		if _, err := db.CommitDay(ctx, d); err != nil {
			t.Fatalf("while it holds: %v", err)
		}
		must(t, old.file.release()) // as if the other host did not see the file lock
		c.at = t0.Add(time.Minute)
		fresh, err := db.Acquire(ctx, "run", "there", "pid 2", time.Second)
		must(t, err)
		if err := old.Beat(ctx); !errors.Is(err, ErrLeaseLost) {
			t.Errorf("beat of the overtaken: %v; want ErrLeaseLost", err)
		}
		next := dayOf(jan(6), 1, "b", 3)
		next.Lease = old
		if _, err := db.CommitDay(ctx, next); !errors.Is(err, ErrLeaseLost) {
			t.Errorf("commit of the overtaken: %v; want ErrLeaseLost", err)
		}
		if _, err := db.LatestRun(ctx, jan(6)); !errors.Is(err, ErrNotFound) {
			t.Errorf("the overtaken has stored the day: %v", err)
		}
		must(t, fresh.Beat(ctx))
		next.Lease = fresh
		commit(t, db, next)
		must(t, fresh.Release(ctx))
	})
}

func TestKeepEndsWhenTheLeaseIsLost(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		l, err := db.Acquire(ctx, "run", "here", "pid 1", time.Second)
		must(t, err)
		ticks := make(chan time.Time, 1)
		done := make(chan error, 1)
		go func() { done <- l.Keep(ctx, ticks) }()
		must(t, db.q().exec(ctx, `UPDATE leases SET token = token + 1`))
		ticks <- t0
		if err := <-done; !errors.Is(err, ErrLeaseLost) {
			t.Errorf("Keep = %v; want ErrLeaseLost", err)
		}
		short, cancel := context.WithCancel(ctx)
		cancel()
		if err := l.Keep(short, nil); err != nil {
			t.Errorf("Keep that is told to end = %v", err)
		}
	})
}

func TestTheSameProcessCannotTakeTheLeaseTwice(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		l, err := db.Acquire(ctx, "run", "here", "pid 1", time.Minute)
		must(t, err)
		if _, err := db.Acquire(ctx, "run", "here", "pid 1", time.Minute); !errors.Is(err, ErrLocked) {
			t.Errorf("second time: %v; want ErrLocked", err)
		}
		must(t, l.Release(ctx))
		l, err = db.Acquire(ctx, "run", "here", "pid 1", time.Minute)
		must(t, err)
		must(t, l.Release(ctx))
	})
}
