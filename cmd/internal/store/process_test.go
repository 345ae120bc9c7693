//go:build unix

package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain runs the test binary as another process of the product where STORE_ROLE says so.
func TestMain(m *testing.M) {
	role, dsn := os.Getenv("STORE_ROLE"), os.Getenv("STORE_DSN")
	switch role {
	case "":
		os.Exit(m.Run())
	case "commit":
		os.Exit(committer(dsn, os.Getenv("STORE_KILL_AT")))
	case "hold":
		os.Exit(holder(dsn))
	}
	os.Exit(9)
}

// other starts the test binary in a role. It is killed at the end of the test.
func other(t *testing.T, role, dsn string, env ...string) (cmd *exec.Cmd, stdin io.WriteCloser, stdout *bufio.Reader) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), "STORE_ROLE="+role, "STORE_DSN="+dsn), env...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has ended already, as a rule
		_ = cmd.Wait()
	})
	return cmd, stdin, bufio.NewReader(out)
}

// committer commits the same date again and again with content b, a, b, ... It kills itself at a step, if one is named.
func committer(dsn, at string) int {
	o := Options{Now: time.Now, Step: func(name string) {
		if name == at {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until the signal arrives
		}
	}}
	db, err := Open(context.Background(), dsn, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("ready")
	for i := 0; ; i++ {
		d := dayOf(jan(5), 2+i, string("ba"[i%2]), 60)
		if _, err := db.CommitDay(context.Background(), d); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
	}
}

func TestKilledAtAnyStepOfACommitTheDayIsOldOrNew(t *testing.T) {
	want := map[string]string{"commit:after": "b", "commit:durable": "b"}
	eachDialect(t, func(t *testing.T, base string) {
		for i, step := range Steps() {
			dsn := base
			if !strings.HasPrefix(base, "postgres") {
				dsn = fmt.Sprint(base, i)
			}
			db := opened(t, dsn, Options{})
			if _, err := db.LatestRun(ctx, jan(5)); errors.Is(err, ErrNotFound) {
				commit(t, db, dayOf(jan(5), 1, "a", 30))
			}
			before, err := db.LatestRun(ctx, jan(5))
			must(t, err)
			if before.Inputs == hash("inputs b") { // the shared PostgreSQL schema has moved on
				break
			}
			cmd, _, _ := other(t, "commit", dsn, "STORE_KILL_AT="+step)
			if err := cmd.Wait(); cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("%s: the committer was not killed: %v", step, err)
			}
			expect := "a"
			if want[step] != "" {
				expect = want[step]
			}
			waitGone(t, db)
			if tag := wholeDay(t, db, jan(5), "a", "b"); tag != expect {
				t.Errorf("%s: the day is %s; want %s", step, tag, expect)
			}
		}
	})
}

// waitGone waits until PostgreSQL has noticed that the killed client is gone; SQLite notices at once.
func waitGone(t *testing.T, db *DB) {
	t.Helper()
	must(t, db.inTx(ctx, func(q querier) error { return q.exec(ctx, `UPDATE day_runs SET config = config`) }))
}

func TestKilledAtARandomInstantTheDayIsWhole(t *testing.T) {
	kills := 12
	if testing.Short() {
		kills = 3
	}
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		for i := range kills {
			if i == 0 {
				commit(t, db, dayOf(jan(5), 1, "a", 30))
			}
			last, err := db.LatestRun(ctx, jan(5))
			must(t, err)
			// The committer starts with revision 2: put the day back to revision 1 under the same history.
			must(t, db.q().exec(ctx, `UPDATE day_runs SET report_revision = 1, comparable = ? WHERE state = 'committed'`,
				hash("comparable start")))
			cmd, _, out := other(t, "commit", dsn)
			if _, err := out.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(3+17*i) * time.Millisecond)
			must(t, cmd.Process.Kill())
			_ = cmd.Wait()
			waitGone(t, db)
			wholeDay(t, db, jan(5), "a", "b")
			now, err := db.LatestRun(ctx, jan(5))
			must(t, err)
			t.Logf("killed after %d commits", now.N-last.N)
		}
		must(t, db.Check(ctx))
	})
}

// holder tries to get the lease, says what came of it and how long that took, and holds it until stdin closes.
func holder(dsn string) int {
	c := context.Background()
	db, err := Open(c, dsn, Options{Now: time.Now})
	if err != nil {
		fmt.Println("open:", err)
		return 1
	}
	start := time.Now()
	l, err := db.Acquire(c, "run", "host", fmt.Sprint("pid ", os.Getpid()), 300*time.Millisecond)
	switch took := time.Since(start); {
	case errors.Is(err, ErrLocked) && took < time.Second:
		fmt.Println("locked")
	case err != nil:
		fmt.Println("error:", took, err)
	default:
		fmt.Println("got")
		tick := time.NewTicker(50 * time.Millisecond)
		beating, stop := context.WithCancel(c)
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
		if err := l.Keep(beating, tick.C); err != nil {
			fmt.Println("lost:", err)
			return 1
		}
		if err := l.Release(c); err != nil {
			fmt.Println("release:", err)
			return 1
		}
	}
	return 0
}

func TestOfEightProcessesExactlyOneGetsTheLease(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		// Nobody has made the database before: the eight also race for its schema.
		const n = 8
		answers := make(chan string, n)
		for range n {
			_, stdin, out := other(t, "hold", dsn)
			t.Cleanup(func() { _ = stdin.Close() })
			go func() {
				line, _ := out.ReadString('\n')
				answers <- strings.TrimSpace(line)
			}()
		}
		count := map[string]int{}
		for range n {
			count[<-answers]++
		}
		if count["got"] != 1 || count["locked"] != n-1 {
			t.Errorf("answers %v; want one got and %d locked", count, n-1)
		}
	})
}

func TestAfterKillTheLeaseIsTakenOverWithinTwoHeartbeats(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{Now: time.Now})
		cmd, _, out := other(t, "hold", dsn)
		if line, _ := out.ReadString('\n'); line != "got\n" {
			t.Fatal(line)
		}
		_, err := db.Acquire(ctx, "run", "host", "me", time.Second)
		var locked *LockedError
		if !errors.As(err, &locked) || !strings.HasPrefix(locked.Holder, "host pid ") {
			t.Fatalf("while it is held: %v; want a LockedError that names the holder", err)
		}
		must(t, cmd.Process.Kill())
		_ = cmd.Wait()
		start := time.Now()
		for {
			l, err := db.Acquire(ctx, "run", "host", "me", time.Second)
			if err == nil {
				must(t, l.Release(ctx))
				break
			}
			if !errors.Is(err, ErrLocked) || time.Since(start) > 5*time.Second {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		took, limit := time.Since(start), 2*300*time.Millisecond+200*time.Millisecond
		if !strings.HasPrefix(dsn, "postgres") {
			limit = 200 * time.Millisecond // the kernel frees the file lock
		}
		if took > limit {
			t.Errorf("taken over after %v; want at most %v", took, limit)
		}
	})
}

func TestALostWriteAheadLogLosesNoCommittedDay(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "daozhang.db")
	setup := opened(t, path, Options{})
	commit(t, setup, dayOf(jan(5), 1, "a", 30))
	cmd, _, _ := other(t, "commit", path, "STORE_KILL_AT=commit:durable")
	_ = cmd.Wait() // killed: the side files stay
	for _, name := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + name); err != nil {
			t.Fatal(err)
		}
	}
	copied := filepath.Join(dir, "copy.db")
	data, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(copied, data, 0o600))
	db := opened(t, copied, Options{})
	must(t, db.Check(ctx))
	wholeDay(t, db, jan(5), "b")
}
