package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"daozhang/fixtures"
	"daozhang/parsers/txn"
)

// generated is a generated chain on disk with an app whose clock stands after its last day.
type generated struct {
	t     *testing.T
	dir   string
	truth fixtures.Truth
}

func newGenerated(t *testing.T, days txn.Date, scale float64, faults []string) *generated {
	t.Helper()
	first := txn.MakeDate(2025, time.December, 31)
	w, err := fixtures.Generate(fixtures.Options{Seed: 5, Scale: scale, From: first, To: first + days - 1, Faults: faults})
	if err != nil {
		t.Fatal(err)
	}
	g := &generated{t: t, dir: t.TempDir(), truth: w.Truth()}
	if err := w.WriteAll(g.dir); err != nil {
		t.Fatal(err)
	}
	return g
}

// run executes a command line; --config is added.
func (g *generated) run(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	a := &app{out: &o, err: &e, now: func() time.Time { return time.Date(2026, 1, 8, 4, 0, 0, 0, time.UTC) },
		sleep: func(context.Context, time.Duration) error { return nil }, env: func(string) string { return "" }}
	if args[0] != "parse" {
		args = append(args, "--config", filepath.Join(g.dir, "config.yaml"))
	}
	code = a.run(context.Background(), args)
	return code, o.String(), e.String()
}

// Every fault of the truth that carries an identifier is found by it, with a case of its class.
func TestTraceFindsEveryPlantedFaultByItsIdentifiers(t *testing.T) {
	g := newGenerated(t, 6, 0.05, nil)
	if code, _, errs := g.run("run", "--date", "2026-01-05", "--as-of", "2026-01-07T12:00"); code != exitPartial && code != exitDone {
		t.Fatalf("run: exit code %d: %s", code, errs)
	}
	seen := map[string]int{}
	for _, f := range g.truth.Faults {
		if f.Shows > "2026-01-05" || f.Class[0] == 'F' || seen[f.Class] == 1 {
			continue
		}
		for _, key := range [...]string{f.RRN, f.OrderNo, f.RefundNo, f.PayoutID, f.BankRef} {
			if key == "" {
				continue
			}
			code, out, errs := g.run("trace", key, "--json")
			var d traceDoc
			if err := json.Unmarshal([]byte(out), &d); err != nil || code != exitDone {
				t.Errorf("%s %s: exit code %d, %v: %s", f.ID, key, code, err, errs)
				continue
			}
			seen[f.Class]++
			if !slices.ContainsFunc(d.Items, func(it traceItem) bool {
				return slices.ContainsFunc(it.Cases, func(c traceCase) bool { return c.Class == f.Class || c.Class == f.Becomes })
			}) {
				t.Errorf("%s: trace %s shows no case of class %s", f.ID, key, f.Class)
			}
			break
		}
	}
	if len(seen) < 15 {
		t.Errorf("only classes %v were looked at", seen)
	}
}

// What the generator wrote is read back without a complaint, archives and control-only files included.
func TestParseReadsEveryGeneratedFile(t *testing.T) {
	g := newGenerated(t, 1, 0.1, []string{})
	profiles, err := filepath.Glob(filepath.Join(g.dir, "profiles", "*.yaml"))
	if err != nil || len(profiles) == 0 {
		t.Fatalf("no profile was generated: %v", err)
	}
	controls := 0
	err = filepath.WalkDir(filepath.Join(g.dir, "inbox"), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		code, out, errs := g.run("parse", path, "--json", "--date", "2025-12-31", "--profile", profiles[0])
		if code != exitDone {
			t.Errorf("%s: exit code %d: %s %s", filepath.Base(path), code, out, errs)
		}
		docs := []parseDoc{{}}
		if strings.HasPrefix(out, "[") {
			err = json.Unmarshal([]byte(out), &docs)
		} else {
			err = json.Unmarshal([]byte(out), &docs[0])
		}
		for _, d := range docs {
			for _, c := range d.Control {
				controls++
				if c.Computed == "" || !c.OK {
					t.Errorf("%s!%s: %s stated %s, computed %q", d.File, d.Member, c.Name, c.Stated, c.Computed)
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if controls < 12 {
		t.Errorf("only %d control totals were compared", controls)
	}
}
