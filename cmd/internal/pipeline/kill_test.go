package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"daozhang/cmd/internal/config"
	"daozhang/fixtures"
)

// Environment of the child that is killed.
const (
	killRoot = "DAOZHANG_KILL_ROOT"
	killStep = "DAOZHANG_KILL_STEP" // name:count; empty: the parent kills
)

// TestKilledChild is no test of its own: it is the process that the kill tests start and kill.
func TestKilledChild(t *testing.T) {
	root := os.Getenv(killRoot)
	if root == "" {
		t.Skip("started by the kill tests only")
	}
	cfg, err := config.Load(filepath.Join(root, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	b := &books{t: t, root: root, config: cfg, now: newBooksNow}
	if at := strings.LastIndexByte(os.Getenv(killStep), ':'); at >= 0 {
		name := os.Getenv(killStep)[:at]
		left, _ := strconv.Atoi(os.Getenv(killStep)[at+1:])
		b.step = func(s string) {
			if s != name {
				return
			}
			if left--; left == 0 {
				syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}
	}
	runRoot(b)
}

// runRoot fetches and runs all days of the chain.
func runRoot(b *books) {
	b.run(b.config.GoLive, b.config.GoLive+2)
}

// TestKilledAnywhere kills the program at each named step, at its first and at a later occurrence, and at random
// instants; the same command again must end in the same files and the same state as a run that was never disturbed.
// DAOZHANG_KILL=20 kills a 200,000-row day at 20 random instants instead.
func TestKilledAnywhere(t *testing.T) {
	opt := fixtures.Options{Seed: 5, Scale: 0.02}
	w, err := fixtures.Generate(fixtures.Options{Seed: 5, Scale: 0.02})
	if err != nil {
		t.Fatal(err)
	}
	opt.To = w.Days()[2]
	random := 3
	big, err := strconv.Atoi(os.Getenv("DAOZHANG_KILL"))
	if err == nil {
		opt.Scale, random, opt.To = 33, big, w.Days()[0]+1
	}
	whole := newBooks(t, opt)
	start := time.Now()
	runRoot(whole)
	took := time.Since(start)
	want := fingerprint(t, whole)
	check := func(t *testing.T, b *books) {
		runRoot(b)
		if got := fingerprint(t, b); got != want {
			t.Errorf("after the kill and the same command again:\n%s", firstDifference(want, got))
		}
	}
	if err != nil { // not the big day
		steps := slices.Compact(slices.Sorted(slices.Values(Steps())))
		for _, step := range steps {
			for _, n := range []int{1, 7} {
				t.Run(fmt.Sprintf("%s, occurrence %d", step, n), func(t *testing.T) {
					b := newBooks(t, opt)
					if killed := child(t, b, fmt.Sprintf("%s:%d", step, n), 0); !killed && n == 1 {
						t.Errorf("step %s was never reached", step)
					}
					check(t, b)
				})
			}
		}
	}
	rnd := rand.New(rand.NewPCG(11, 13))
	for i := range random {
		at := time.Duration(rnd.Float64() * float64(took) * 1.1)
		t.Run(fmt.Sprintf("random instant %d, after %s", i, at.Round(time.Millisecond)), func(t *testing.T) {
			b := newBooks(t, opt)
			child(t, b, "", at)
			check(t, b)
		})
	}
}

// child runs the chain in a process of its own and kills it at a step, or after a while. It reports whether it was killed.
func child(t *testing.T, b *books, step string, after time.Duration) bool {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
	c.Env = append(os.Environ(), killRoot+"="+b.root, killStep+"="+step)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if after > 0 {
		time.AfterFunc(after, func() { c.Process.Kill() })
	}
	err := c.Wait()
	if err == nil {
		return false
	}
	ws, ok := c.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !ws.Signaled() {
		t.Fatalf("the child failed by itself: %v\n%s", err, out.String())
	}
	return true
}

// fingerprint lists the reports and carry files with their digests, and what the database says of runs, slots and cases.
func fingerprint(t *testing.T, b *books) string {
	t.Helper()
	var out strings.Builder
	for _, dir := range []string{b.config.Reports, filepath.Join(b.config.State, "carry"), filepath.Join(b.config.State, "archive")} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, _ := filepath.Rel(b.root, path)
			if d.Type()&fs.ModeSymlink != 0 {
				to, err := os.Readlink(path)
				fmt.Fprintf(&out, "%s -> %s\n", rel, to)
				return err
			}
			data, err := os.ReadFile(path)
			sum := sha256.Sum256(data)
			fmt.Fprintf(&out, "%s %s\n", rel, hex.EncodeToString(sum[:8]))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	b.with(func(ctx context.Context, e *Engine) {
		runs, err := e.DB.Runs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runs {
			fmt.Fprintf(&out, "run %s r%d %s in %s out %s inputs %s %t\n", r.Date, r.Revision, r.Verdict, r.CarryIn, r.CarryOut, r.Inputs, r.Final)
		}
		jobs, err := e.DB.PendingJobs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs {
			fmt.Fprintf(&out, "pending %s %s\n", j.Date, j.Name)
		}
	})
	return out.String()
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := "", ""
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return "want " + a + "\ngot  " + b
		}
	}
	return "no difference"
}

// TestRunTwice runs the same chain in two places and the same place twice: identical bytes, no new revision.
func TestRunTwice(t *testing.T) {
	opt := fixtures.Options{Seed: 9, Scale: 0.05}
	a, b := newBooks(t, opt), newBooks(t, opt)
	a.runAll()
	b.runAll()
	first := fingerprint(t, a)
	if second := fingerprint(t, b); first != second {
		t.Errorf("the same inputs gave other bytes:\n%s", firstDifference(first, second))
	}
	a.now = a.now.Add(24 * time.Hour)
	a.with(func(ctx context.Context, e *Engine) {
		days := a.world.Days()
		plan, err := e.Plan(ctx, Request{From: days[2], To: days[2], AsOf: a.now, Asked: true})
		if err != nil {
			t.Fatal(err)
		}
		rs, err := e.Run(ctx, plan, a.now, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rs {
			if r.Issued {
				t.Errorf("%s was issued again though nothing changed", r.Date)
			}
		}
	})
	if again := fingerprint(t, a); first != again {
		t.Errorf("a rerun with nothing new changed something:\n%s", firstDifference(first, again))
	}
}
