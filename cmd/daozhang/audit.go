package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/store"
)

func (a *app) auditCmd() *cobra.Command {
	var path string
	var after int64
	var asJSON bool
	c := &cobra.Command{
		Use:   "audit --config FILE [--after N]",
		Short: "Print the audit log: who did what, when, to what",
		Long: `Prints the audit log, oldest entry first: decisions, closed and opened books, dates that were run again on demand,
issued reports, files for closed dates, accepted host keys. The log is only appended to, and each entry is chained to the
one before it, so that ` + "`daozhang verify`" + ` finds one that was changed or lost. Reads only.

Exit codes: 0 done · 10 no run has made a database yet.`,
		Example: `  daozhang audit --config daozhang.yaml
  daozhang audit --config daozhang.yaml --after 120
  daozhang audit --config daozhang.yaml --json`,
		RunE: func(c *cobra.Command, _ []string) error {
			if after < 0 {
				return usage(fmt.Errorf("--after %d is no number of an entry; the first is 1", after))
			}
			cfg, err := a.load(path)
			if err != nil {
				return err
			}
			return a.audit(c.Context(), cfg, after, asJSON)
		},
	}
	c.Flags().StringVar(&path, "config", "", "configuration file (required)")
	c.Flags().Int64Var(&after, "after", 0, "leave out the entries up to this number")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

type auditDoc struct {
	SchemaVersion int          `json:"schema_version"`
	Entity        string       `json:"entity"`
	Entries       []auditEntry `json:"entries"`
}

type auditEntry struct {
	Seq     int64           `json:"seq"`
	At      string          `json:"at"`
	Actor   string          `json:"actor"`
	Action  string          `json:"action"`
	Subject string          `json:"subject"`
	Detail  json.RawMessage `json:"detail"`
	Chain   string          `json:"chain"`
}

func (a *app) audit(ctx context.Context, cfg *config.Config, after int64, asJSON bool) error {
	e, err := a.reader(ctx, cfg)
	if err != nil {
		return err
	}
	defer e.Close()
	log, err := e.DB.AuditLog(ctx, after)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(a.out, auditDocOf(cfg, log))
	}
	for _, x := range log {
		fmt.Fprintf(a.out, "%6d  %s  %-10s  %s  %s  %s\n", x.Seq, x.At.In(cfg.Location()).Format(time.RFC3339), x.Action, plain(x.Subject), plain(x.Actor), plain(x.Detail))
	}
	if len(log) == 0 && after == 0 {
		fmt.Fprintln(a.out, "the audit log is empty")
	}
	return nil
}

func auditDocOf(cfg *config.Config, log []store.AuditEntry) auditDoc {
	d := auditDoc{SchemaVersion: 1, Entity: cfg.Entity, Entries: []auditEntry{}}
	for _, x := range log {
		detail := json.RawMessage(x.Detail)
		if !json.Valid(detail) { // never so by us; the log is shown as it is
			detail, _ = json.Marshal(x.Detail) // a string always can be
		}
		d.Entries = append(d.Entries, auditEntry{x.Seq, x.At.In(cfg.Location()).Format(time.RFC3339), x.Actor, x.Action, x.Subject, detail, x.Chain})
	}
	return d
}
