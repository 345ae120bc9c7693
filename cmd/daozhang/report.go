package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/pipeline"
	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

func (a *app) reportCmd() *cobra.Command {
	var path, date, asOf string
	var asJSON bool
	c := &cobra.Command{
		Use:   "report --date D --config FILE [--as-of T]",
		Short: "Say where the report of a date is, also one that was current earlier",
		Long: `Prints folder, revision, verdict, as-of and files of the report of a business date: of the newest revision, or with
--as-of of the one that was current at that instant. Issued revisions are kept and never overwritten. Reads only.

Exit codes: 0 found · 1 none was issued by then · 10 no run has made a database yet.`,
		Example: `  daozhang report --date 2026-01-05 --config daozhang.yaml
  daozhang report --date 2026-01-05 --as-of 2026-01-07T09:00 --config daozhang.yaml
  daozhang report --date yesterday --config daozhang.yaml --json`,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := a.load(path)
			if err != nil {
				return err
			}
			if date == "" {
				return usage(errors.New("--date is required: write --date 2026-01-05 or --date yesterday"))
			}
			d, err := parseDate("--date", date, a.yesterday(cfg.Location()))
			if err != nil {
				return err
			}
			var at time.Time // the newest
			if asOf != "" {
				if at, err = a.asOf(asOf, cfg.Location()); err != nil {
					return err
				}
			}
			return a.report(c.Context(), cfg, d, at, asJSON)
		},
	}
	c.Flags().StringVar(&path, "config", "", "configuration file (required)")
	c.Flags().StringVar(&date, "date", "", "business date, YYYY-MM-DD or yesterday (required)")
	c.Flags().StringVar(&asOf, "as-of", "", "show the revision that was current at this instant: 2026-01-06T09:00 local or RFC 3339 (default now)")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

type reportDoc struct {
	SchemaVersion int      `json:"schema_version"`
	Entity        string   `json:"entity"`
	BusinessDate  string   `json:"business_date"`
	Revision      int      `json:"revision"`
	Newest        bool     `json:"newest"`
	Verdict       string   `json:"verdict"`
	Final         bool     `json:"final"`
	AsOf          string   `json:"as_of"`
	Computed      string   `json:"computed"` // when the run that brought it was committed
	Folder        string   `json:"folder"`
	Files         []string `json:"files"`
}

func (a *app) report(ctx context.Context, cfg *config.Config, date txn.Date, at time.Time, asJSON bool) error {
	e, err := a.reader(ctx, cfg)
	if err != nil {
		return err
	}
	defer e.Close()
	i, err := e.IssuedAt(ctx, date, at)
	if errors.Is(err, store.ErrNotFound) {
		return withCode(exitUnexpected, notIssued(err, cfg, date, at))
	}
	if err != nil {
		return err
	}
	d := reportDocOf(cfg, i)
	if asJSON {
		return printJSON(a.out, d)
	}
	preliminary := ""
	if !d.Final && d.Verdict != string(reconcile.Preliminary) {
		preliminary = ", preliminary"
	}
	fmt.Fprintf(a.out, "%s  r%d  %s %s%s\n", d.BusinessDate, d.Revision, d.Verdict, text.Verdict(reconcile.Verdict(d.Verdict), text.Lang(cfg.Lang)), preliminary)
	fmt.Fprintf(a.out, "  as of     %s (%s)\n  computed  %s\n  folder    %s\n", d.AsOf, cfg.Zone, d.Computed, d.Folder)
	for _, f := range d.Files {
		fmt.Fprintf(a.out, "  file      %s\n", f)
	}
	if !d.Newest {
		fmt.Fprintf(a.out, "a later revision was issued since: daozhang report --date %s --config %s\n", d.BusinessDate, cfg.File)
	}
	return nil
}

// notIssued adds to what the books say what may be tried next.
func notIssued(err error, cfg *config.Config, date txn.Date, at time.Time) error {
	if at.IsZero() {
		return fmt.Errorf("%w; to make it: daozhang run --date %s --config %s", err, date, cfg.File)
	}
	return fmt.Errorf("%w; leave --as-of out to see the newest", err)
}

func reportDocOf(cfg *config.Config, i pipeline.Issued) reportDoc {
	instant := func(t time.Time) string { return t.In(cfg.Location()).Format(time.RFC3339) }
	d := reportDoc{SchemaVersion: 1, Entity: cfg.Entity, BusinessDate: i.Date.String(), Revision: i.Revision, Newest: i.Newest, Verdict: i.Run.Verdict,
		Final: i.Run.Final, AsOf: instant(i.Run.AsOf), Computed: instant(i.Run.Committed), Folder: i.Folder, Files: i.Files}
	if d.Files == nil {
		d.Files = []string{}
	}
	return d
}
