package pipeline

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"
	"time"

	"daozhang/cmd/internal/config"
	"daozhang/fixtures"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// books is a generated installation in a temporary folder, as an operator would have it.
type books struct {
	t      testing.TB
	root   string
	world  *fixtures.World
	config *config.Config
	now    time.Time
	step   func(string)
	fault  func(string, *reconcile.Day)
}

var newBooksNow = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)

// newBooks writes the world's files, register and configuration, with one folder a source.
func newBooks(t testing.TB, opt fixtures.Options) *books {
	t.Helper()
	w, err := fixtures.Generate(opt)
	if err != nil {
		t.Fatal(err)
	}
	b := &books{t: t, root: t.TempDir(), world: w, now: newBooksNow}
	if err := w.WriteAll(b.root); err != nil {
		t.Fatal(err)
	}
	b.load()
	return b
}

func (b *books) load() {
	b.t.Helper()
	cfg, err := config.Load(filepath.Join(b.root, "config.yaml"))
	if err != nil {
		b.t.Fatal(err)
	}
	b.config = cfg
}

// with opens the engine for as long as f runs.
func (b *books) with(f func(ctx context.Context, e *Engine)) {
	b.t.Helper()
	ctx := context.Background()
	e, err := Open(ctx, b.config, Engine{Now: func() time.Time { return b.now }, Program: "daozhang test", Step: b.step, Fault: b.fault,
		Sleep: func(context.Context, time.Duration) error { return nil }}, false)
	if err != nil {
		b.t.Fatal(err)
	}
	defer e.Close()
	f(ctx, e)
}

// run fetches and runs every date from the first to the last.
func (b *books) run(from, to txn.Date) (out []DayResult) {
	b.t.Helper()
	b.with(func(ctx context.Context, e *Engine) {
		if _, err := e.Fetch(ctx, from, to+1); err != nil {
			b.t.Fatal(err)
		}
		out = b.runDates(ctx, e, from, to, b.now)
	})
	return out
}

func (b *books) runDates(ctx context.Context, e *Engine, from, to txn.Date, asOf time.Time) (out []DayResult) {
	b.t.Helper()
	for d := from; d <= to; d++ {
		plan, err := e.Plan(ctx, Request{To: d, AsOf: asOf})
		if err != nil {
			b.t.Fatal(err)
		}
		rs, err := e.Run(ctx, plan, asOf, nil)
		if err != nil {
			b.t.Fatal(err)
		}
		out = append(out, rs...)
	}
	return out
}

func (b *books) runAll() []DayResult {
	days := b.world.Days()
	return b.run(days[0], days[len(days)-1])
}

// line is one line of exceptions.csv, by column.
type line map[string]string

// lines reads the newest exceptions.csv of a date.
func (b *books) lines(d txn.Date) []line {
	b.t.Helper()
	return readLines(b.t, filepath.Join(b.config.Reports, d.String(), "latest", "exceptions.csv"))
}

func readLines(t testing.TB, path string) (out []line) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range all[1:] {
		l := line{}
		for i, name := range all[0] {
			l[name] = row[i]
		}
		out = append(out, l)
	}
	return out
}
