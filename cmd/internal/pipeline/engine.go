// Package pipeline takes one business date from end to end and keeps the chain of days current. It is the only package
// that knows the order:
//
//	fetch -> archive -> open -> slots ─┐
//	carry of the day before ───────────┴-> parse -> match -> classify -> commit -> publish -> the next day
//
// A day is a function of its slots as of an instant, the register, and the carry of the calendar day before. It is
// computed anew whenever one of these changed, and every later day that was already run after it. What comes out is
// committed in one transaction and then published; a crash in between is mended by the next command.
package pipeline

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/disk"
	"daozhang/cmd/internal/fetch"
	"daozhang/cmd/internal/publish"
	"daozhang/cmd/internal/store"
	"daozhang/parsers"
	"daozhang/parsers/all"
	"daozhang/parsers/profile"
	"daozhang/parsers/unpack"
	"daozhang/reconcile"
	"daozhang/reconcile/register"
)

// Engine holds the installation that commands work on. Clock, steps and faults are passed in.
type Engine struct {
	Config   *config.Config
	DB       *store.DB
	Archive  *fetch.Archive
	Carry    publish.CarryStore
	Formats  *parsers.Registry // nil: the built-in ones and those of the configuration
	Register *register.Register

	Disk    disk.FS // where archive, carry and reports lie; nil is disk.OS
	TempDir string  // for large unpacked files; empty is the system's own
	Now     func() time.Time
	Sleep   func(context.Context, time.Duration) error
	Program string
	Actor   string // who gave the command, for the audit log; empty: the program
	DSN     string // of the database; empty: daozhang.db in the state folder
	// NoWorkbook leaves the workbook out of issued reports: for simulations.
	NoWorkbook bool
	Lease      *store.Lease
	Step       func(string)                           // told of every named step, for crash tests
	Fault      func(stage string, day *reconcile.Day) // test seam of the core
	Say        func(format string, args ...any)       // progress for people; may be nil

	readOnly   bool
	registered *registerTexts
	opened     *atomic.Int64 // number of the last sighting up to which Ingest has opened all deliveries
}

// Steps lists the points at which Step is called, in order: during a run, of which landing, carry, commit and publication
// each have their own, and when people decide.
func Steps() []string { return slices.Concat(RunSteps(), DecideSteps()) }

// RunSteps are those of a run.
func RunSteps() []string {
	return slices.Concat(fetch.Steps(), []string{StepKnown, StepAttached, StepIngested}, publish.CarrySteps(), store.Steps(), publish.Steps(), []string{StepJobDone})
}

// DecideSteps are those of a decision.
func DecideSteps() []string { return []string{StepChecked, store.StepDecision, StepRecorded} }

// Steps of the pipeline itself.
const (
	StepKnown    = "members-known"    // of a delivery, which is attached to no slot yet
	StepAttached = "members-attached" // and recorded as opened only after this
	StepIngested = "ingested"
	StepJobDone  = "job-done"
	StepChecked  = "decisions-checked" // none is recorded yet
	StepRecorded = "decisions-recorded"
)

// Open opens the installation of a configuration. With readOnly nothing is created.
func Open(ctx context.Context, cfg *config.Config, o Engine, readOnly bool) (*Engine, error) {
	e := o
	e.Config, e.Disk, e.readOnly = cfg, disk.Or(o.Disk), readOnly
	var err error
	if e.Formats == nil {
		if e.Formats, err = Formats(cfg.Profiles); err != nil {
			return nil, err
		}
	}
	reg, problems := cfg.LoadRegister()
	if err := problems.Err(); err != nil {
		return nil, err
	}
	e.Register, e.registered, e.opened = reg, &registerTexts{}, &atomic.Int64{}
	if !readOnly {
		if err := disk.MkdirAll(e.Disk, cfg.State, 0o700); err != nil {
			return nil, err
		}
	}
	e.DB, err = store.Open(ctx, cmp.Or(e.DSN, filepath.Join(cfg.State, "daozhang.db")), store.Options{Now: e.Now, Entity: cfg.Entity, ReadOnly: readOnly,
		Warn: func(s string) { e.say("%s", s) }, Step: e.Step})
	if err != nil {
		return nil, err
	}
	if e.Archive, err = fetch.NewArchive(e.Disk, filepath.Join(cfg.State, "archive")); err != nil {
		return nil, errors.Join(err, e.DB.Close())
	}
	e.Archive.Step = e.Step
	e.Carry = publish.NewCarryStore(e.Disk, filepath.Join(cfg.State, "carry"), e.Step)
	return &e, nil
}

// configDigest is the digest of all that the owner of the installation sets beside the register: the configuration and
// the formats of one's own.
func (e *Engine) configDigest() (string, error) {
	d, err := e.Config.Digest()
	if err != nil || len(e.Config.Profiles) == 0 {
		return d, err
	}
	files, err := profileFiles(e.Config.Profiles)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	io.WriteString(h, d)
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "\n%d\n", len(data))
		h.Write(data)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// profileFiles lists the files that the patterns of profiles find, sorted.
func profileFiles(patterns []string) ([]string, error) {
	var files []string
	for _, p := range patterns {
		found, err := filepath.Glob(p)
		if err != nil {
			return nil, fmt.Errorf("profiles %s: %w", p, err)
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// Formats is the registry of the built-in formats and the user's profiles.
func Formats(patterns []string) (*parsers.Registry, error) {
	files, err := profileFiles(patterns)
	if err != nil {
		return nil, err
	}
	var own []parsers.Format
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		p, err := profile.Load(f, data)
		if err != nil {
			return nil, err
		}
		own = append(own, p)
	}
	return all.With(own...)
}

// Close releases the database.
func (e *Engine) Close() error { return e.DB.Close() }

func (e *Engine) say(format string, args ...any) {
	if e.Say != nil {
		e.Say(format, args...)
	}
}

func (e *Engine) step(name string) {
	if e.Step != nil {
		e.Step(name)
	}
}

// deliveries keeps opened deliveries for the length of a run.
type deliveries struct {
	e    *Engine
	open map[string]*parsers.Delivery
	undo []io.Closer
}

func (e *Engine) deliveries() *deliveries {
	return &deliveries{e: e, open: map[string]*parsers.Delivery{}}
}

// get opens a delivery of the archive and takes off its wrappers.
func (d *deliveries) get(sha, name string) (*parsers.Delivery, error) {
	if got := d.open[sha]; got != nil {
		return got, nil
	}
	f, err := d.e.Archive.Open(sha)
	if err != nil {
		return nil, err
	}
	d.undo = append(d.undo, f)
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	got, closer, err := unpack.Open(name, f, info.Size(), d.e.limits())
	if err != nil {
		return nil, err
	}
	d.undo = append(d.undo, closer)
	d.open[sha] = got
	return got, nil
}

func (e *Engine) limits() unpack.Limits {
	l := e.Config.Limits
	return unpack.Limits{Compressed: int64(l.FileMB) << 20, Unpacked: int64(l.UnpackedMB) << 20, Entries: l.Members, TempDir: e.TempDir}
}

func (d *deliveries) Close() error {
	var errs []error
	for _, c := range slices.Backward(d.undo) {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
