package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/pipeline"
)

func (a *app) verifyCmd() *cobra.Command {
	var path string
	var full, asJSON bool
	c := &cobra.Command{
		Use:   "verify --config FILE [--full]",
		Short: "Check that everything kept is as it was written",
		Long: `Checks the archive of received files, the chain of their provenance, the audit log, the carry files and the chain of
days, and every issued report. The quick check looks at the presence and size of every file, at all chains, and at the
content of the newest week. --full reads every byte, and the database as well; its time grows with what is kept.

Reads only, and works while a run or ` + "`serve`" + ` is at work. Each fault is printed with what to do about it.

Exit codes: 0 all is as it was written · 1 damage was found · 10 no run has made a database yet.`,
		Example: `  daozhang verify --config daozhang.yaml
  daozhang verify --config daozhang.yaml --full
  daozhang verify --config daozhang.yaml --full --json`,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := a.load(path)
			if err != nil {
				return err
			}
			return a.verify(c.Context(), cfg, full, asJSON)
		},
	}
	c.Flags().StringVar(&path, "config", "", "configuration file (required)")
	c.Flags().BoolVar(&full, "full", false, "read and hash everything, not only the newest week")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

func (a *app) verify(ctx context.Context, cfg *config.Config, full, asJSON bool) error {
	e, err := a.reader(ctx, cfg)
	if err != nil {
		return err
	}
	defer e.Close()
	var told func(string, int64, int64)
	if full {
		told = a.progress()
	}
	v, err := e.Verify(ctx, full, told)
	if err != nil {
		return err
	}
	if asJSON {
		if err := printJSON(a.out, verifyDocOf(cfg.Entity, v)); err != nil {
			return err
		}
	} else {
		printVerify(a.out, v)
	}
	if n := len(v.Faults); n > 0 {
		return withCode(exitUnexpected, fmt.Errorf("%s found; keep everything as it is until each is understood", count(int64(n), "fault")))
	}
	return nil
}

// Times between two lines of progress.
const (
	progressTerminal = time.Second
	progressLog      = 30 * time.Second
)

// progress tells on the error stream how far a long check has come.
func (a *app) progress() func(what string, done, total int64) {
	every := progressLog
	if a.terminal {
		every = progressTerminal
	}
	var last string
	next := a.now()
	return func(what string, done, total int64) {
		now := a.now()
		if what == last && now.Before(next) && done < total {
			return
		}
		last, next = what, now.Add(every)
		fmt.Fprintf(a.err, "verify: %s %d of %d\n", what, done, total)
	}
}

func printVerify(w io.Writer, v *pipeline.Verification) {
	kind := "quick"
	if v.Full {
		kind = "full"
	}
	fmt.Fprintf(w, "verified (%s)\n", kind)
	for _, l := range []struct {
		label, text string
	}{
		{"archive", count(v.Deliveries, "delivery")},
		{"audit log", count(v.Audit, "line")},
		{"carry", count(v.Carries, "file")},
		{"reports", count(v.Issues, "revision") + ", " + count(v.Files, "file")},
		{"read", count(v.Bytes, "byte")},
	} {
		fmt.Fprintf(w, "  %-10s  %s\n", l.label, l.text)
	}
	for _, f := range v.Faults {
		fmt.Fprintf(w, "FAULT  %s  %s\n       %s\n       do: %s\n", f.What, plain(f.Path), plain(f.Problem), f.Do)
	}
	if len(v.Faults) == 0 {
		fmt.Fprintln(w, "all is as it was written")
		if !v.Full {
			fmt.Fprintln(w, "older files were looked at, not read: --full reads them")
		}
	}
}

// count is a number with its noun.
func count(n int64, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case noun == "delivery":
		noun = "deliverie"
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

type verifyDoc struct {
	SchemaVersion int         `json:"schema_version"`
	Entity        string      `json:"entity"`
	OK            bool        `json:"ok"`
	Full          bool        `json:"full"`
	Deliveries    int64       `json:"deliveries"`
	Audit         int64       `json:"audit"` // lines of the audit log
	Carries       int64       `json:"carries"`
	Revisions     int64       `json:"revisions"`
	Files         int64       `json:"files"` // of issued reports
	Bytes         int64       `json:"bytes"` // read and hashed
	Faults        []verifyBad `json:"faults"`
}

type verifyBad struct {
	What    string `json:"what"` // archive, provenance, audit, carry, chain, report, database
	Path    string `json:"path"`
	Problem string `json:"problem"`
	Do      string `json:"do"`
}

func verifyDocOf(entity string, v *pipeline.Verification) verifyDoc {
	d := verifyDoc{SchemaVersion: 1, Entity: entity, OK: len(v.Faults) == 0, Full: v.Full, Deliveries: v.Deliveries, Audit: v.Audit,
		Carries: v.Carries, Revisions: v.Issues, Files: v.Files, Bytes: v.Bytes, Faults: []verifyBad{}}
	for _, f := range v.Faults {
		d.Faults = append(d.Faults, verifyBad{f.What, f.Path, f.Problem, f.Do})
	}
	return d
}
