package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daozhang/fixtures"
)

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
