package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/fetch"
	"daozhang/cmd/internal/pipeline"
	"daozhang/parsers/profile"
	"daozhang/parsers/txn"
)

func (a *app) checkCmd() *cobra.Command {
	var path string
	var online, asJSON bool
	c := &cobra.Command{
		Use:   "check --config FILE",
		Short: "Find everything that is wrong with configuration, register, profiles and calendars",
		Long: `Reads the configuration and all that it names, and prints every problem at once, each with file, line and column.
Shows weak algorithms that were opted in, the next runs of the schedule and when each source's files are due. With
--online it also logs in to every source and lists its folder; nothing is fetched.

Exit codes: 0 fine, warnings included · 2 errors · with --online also 12 login or host key refused, 5 a place that
cannot be reached now.`,
		Example: `  daozhang check --config daozhang.yaml
  daozhang check --config daozhang.yaml --online
  daozhang check --config daozhang.yaml --json`,
		RunE: func(c *cobra.Command, _ []string) error {
			if path == "" {
				return usage(errors.New("--config FILE is required"))
			}
			d := a.check(c.Context(), path, online)
			if asJSON {
				if err := printJSON(a.out, d); err != nil {
					return err
				}
			} else {
				printCheck(a.out, d)
			}
			return d.verdict()
		},
	}
	c.Flags().StringVar(&path, "config", "", "configuration file (required)")
	c.Flags().BoolVar(&online, "online", false, "also log in to every source and list its folder")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

// check collects everything; it never stops at the first problem.
func (a *app) check(ctx context.Context, path string, online bool) *checkDoc {
	d := &checkDoc{SchemaVersion: 1, Config: path, Problems: []checkProblem{}, Sources: []checkSource{}, Legacy: []checkLegacy{},
		NextRuns: []string{}, Online: []checkListing{}}
	cfg, err := config.Load(path)
	if err != nil {
		d.addError(path, err)
		d.count()
		return d
	}
	d.Entity, d.Zone, d.places = cfg.Entity, cfg.Zone, placesIn(path)
	names := d.profiles(cfg)
	reg, problems := cfg.LoadRegister()
	d.problems = append(d.problems, problems...)
	d.problems = append(d.problems, cfg.Check(config.Checks{Formats: names, Register: reg, Now: a.now()})...)
	d.folders(cfg)
	d.secrets(ctx, cfg)
	d.hook(cfg)
	d.describe(cfg, a.now())
	if online {
		d.lookAround(ctx, cfg)
	}
	d.count()
	return d
}

func (d *checkDoc) addError(path string, err error) {
	var ps config.Problems
	if errors.As(err, &ps) {
		d.problems = append(d.problems, ps...)
		return
	}
	d.problems = append(d.problems, config.Problem{File: path, Text: strings.TrimPrefix(err.Error(), "configuration "+path+": ")})
}

// add records a problem with a value of the configuration, e.g. $.on_finish.
func (d *checkDoc) add(at string, warning bool, format string, args ...any) {
	p := config.Problem{File: d.Config, Warning: warning, Text: fmt.Sprintf(format, args...)}
	p.Line, p.Column = d.places.of(at)
	d.problems = append(d.problems, p)
}

// count orders the problems and turns them into the document.
func (d *checkDoc) count() {
	ps := d.problems.Sorted()
	for _, p := range slices.Compact(ps) {
		severity := "error"
		if p.Warning {
			severity = "warning"
			d.Warnings++
		} else {
			d.Errors++
		}
		d.Problems = append(d.Problems, checkProblem{p.File, p.Line, p.Column, severity, p.Text})
	}
	d.OK = d.Errors == 0
}

// atLine takes a profile's problem apart; the lines behind the first one only repeat the place.
var atLine = regexp.MustCompile(`^(?:profile )?(.+?):(?: \[)?([0-9]+):([0-9]+)[\]:] ([^\n]*)`)

// profiles loads every profile by itself, so that each tells its own problem, and returns the names of all formats;
// nil where they cannot be known.
func (d *checkDoc) profiles(cfg *config.Config) []string {
	broken := false
	for i, pattern := range cfg.Profiles {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			d.add(fmt.Sprintf("$.profiles[%d]", i), true, "no profile matches %s; check the path or remove it", pattern)
		}
		for _, f := range found {
			data, err := os.ReadFile(f)
			if err == nil {
				_, err = profile.Load(f, data)
			}
			if err == nil {
				continue
			}
			broken = true
			p := config.Problem{File: f, Text: err.Error()}
			if m := atLine.FindStringSubmatch(err.Error()); m != nil {
				p.File, p.Text = m[1], m[4]
				p.Line, _ = strconv.Atoi(m[2]) // digits by the pattern
				p.Column, _ = strconv.Atoi(m[3])
			}
			d.problems = append(d.problems, p)
		}
	}
	if broken {
		return nil
	}
	reg, err := pipeline.Formats(cfg.Profiles)
	if err != nil {
		d.add("$.profiles", false, "%v; rename one of them", err)
		return nil
	}
	var names []string
	for _, f := range reg.Formats() {
		names = append(names, f.Info().Name)
	}
	return names
}

// folders checks that what is written can be written and what is read is there.
func (d *checkDoc) folders(cfg *config.Config) {
	for _, f := range []struct{ key, path string }{{"state", cfg.State}, {"reports", cfg.Reports}} {
		if err := writable(f.path); err != nil {
			d.add("$."+f.key, false, "%s %s cannot be written: %v; make it, or give it to the user who runs daozhang", f.key, f.path, err)
		}
	}
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		if s.Folder == "" {
			continue
		}
		at := fmt.Sprintf("$.sources[%d].folder", i)
		if info, err := os.Stat(s.Folder); err != nil {
			d.add(at, true, "folder %s of source %s cannot be read: %v; make it or correct the path", s.Folder, s.Name, pathCause(err))
		} else if !info.IsDir() {
			d.add(at, false, "%s of source %s is a file, not a folder", s.Folder, s.Name)
		}
	}
	for _, s := range cfg.Servers {
		for i, f := range s.KnownHosts {
			if _, err := os.Stat(f); err != nil {
				d.add(fmt.Sprintf("$.servers.%s.known_hosts[%d]", s.Name, i), false,
					"known_hosts %s of server %s: %v; ask its operator for the fingerprint and add it", f, s.Name, pathCause(err))
			}
		}
	}
}

// writable tries to make a file in the folder, or in the nearest one above it that exists.
func writable(dir string) error {
	for {
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			return fmt.Errorf("%s is a file", dir)
		}
		if err == nil {
			break
		}
		up := filepath.Dir(dir)
		if !errors.Is(err, os.ErrNotExist) || up == dir {
			return pathCause(err)
		}
		dir = up
	}
	f, err := os.CreateTemp(dir, ".daozhang-check-*")
	if err != nil {
		return pathCause(err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// pathCause drops the path from a file error: the problem names it already.
func pathCause(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// secrets resolves the references that need no program to run. No problem holds a secret.
func (d *checkDoc) secrets(ctx context.Context, cfg *config.Config) {
	for _, s := range cfg.Servers {
		refs := map[string]string{"passphrase": s.Passphrase, "password": s.Password}
		for i, k := range s.Keys {
			refs[fmt.Sprintf("keys[%d]", i)] = k
		}
		for key, ref := range refs {
			if ref == "" || strings.HasPrefix(ref, "cmd:") {
				continue
			}
			if _, err := fetch.Secret(ctx, ref); err != nil {
				d.add("$.servers."+s.Name+"."+key, false, "server %s: %v", s.Name, err)
			}
		}
	}
}

// hook checks that the program of on_finish exists and may be run.
func (d *checkDoc) hook(cfg *config.Config) {
	if len(cfg.OnFinish) == 0 {
		return
	}
	path, err := exec.LookPath(cfg.OnFinish[0])
	if err != nil {
		d.add("$.on_finish[0]", false, "on_finish: %v; name a program that exists and may be run", err)
		return
	}
	d.Hook = path
}

// describe says what the configuration means.
func (d *checkDoc) describe(cfg *config.Config, now time.Time) {
	now = now.In(cfg.Location())
	yesterday := txn.DateOf(now) - 1
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		c := checkSource{Name: s.Name, Side: s.Side.String(), Formats: s.Formats, Date: yesterday.String()}
		if s.Expected(yesterday) {
			c.Due = s.DueAt(yesterday).In(cfg.Location()).Format(time.RFC3339)
		}
		d.Sources = append(d.Sources, c)
	}
	for _, s := range cfg.Servers {
		if len(s.Legacy) > 0 {
			d.Legacy = append(d.Legacy, checkLegacy{s.Name, s.Legacy})
		}
	}
	if cfg.Schedule.Cron == "" {
		return
	}
	sched, err := config.CompileCron(cfg.Schedule.Cron, cfg.Location())
	if err != nil { // Load has read it already
		d.add("$.schedule.cron", false, "%v", err)
		return
	}
	for at := sched.Next(now); len(d.NextRuns) < 3 && !at.IsZero(); at = sched.Next(at) {
		d.NextRuns = append(d.NextRuns, at.Format(time.RFC3339))
	}
}

func (d *checkDoc) lookAround(ctx context.Context, cfg *config.Config) {
	for _, l := range pipeline.List(ctx, cfg) {
		c := checkListing{Source: l.Source, Place: l.Place, OK: l.Err == nil, Names: l.Names, Matching: l.Matching, Newest: l.Newest,
			HostKey: l.Peer.HostKey, Identity: l.Peer.Identity, Algorithms: l.Peer.Algorithms}
		if l.Err != nil {
			c.Error = l.Err.Error()
			d.failures = append(d.failures, l.Err)
		}
		d.Online = append(d.Online, c)
	}
}

// verdict chooses the exit code; the problems were printed.
func (d *checkDoc) verdict() error {
	if !d.OK {
		return withCode(exitUsage, nil)
	}
	code := exitDone
	for _, err := range d.failures {
		switch c := exitCode(err); {
		case c == exitAuth:
			return withCode(c, nil)
		case code == exitDone || code == exitTemporary:
			code = c
		}
	}
	if code == exitDone {
		return nil
	}
	return withCode(code, nil)
}
