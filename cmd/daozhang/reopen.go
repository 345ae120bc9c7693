package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"daozhang/cmd/internal/config"
	"daozhang/parsers/txn"
)

func (a *app) reopenCmd() *cobra.Command {
	var path, from, by, reason string
	c := &cobra.Command{
		Use:   "reopen --from D --by NAME --reason TEXT --config FILE",
		Short: "Open closed books again",
		Long: `Opens all closed business dates from --from on. They can be run again, and the next ` + "`run`" + ` computes those whose
inputs have changed. Files that came while they were closed stay where they were booked. Who opened them, when and why
is kept in the audit log.

Exit codes: 0 opened, or they were open · 2 wrong usage · 10 no run has made a database yet · 11 a run is at work.`,
		Example: `  daozhang reopen --from 2026-01-30 --by wang --reason "acquirer replaced the bill of the 30th" --config daozhang.yaml`,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := a.load(path)
			if err != nil {
				return err
			}
			if from == "" {
				return usage(errors.New("--from is required: the first business date to open again, such as --from 2026-01-30"))
			}
			d, err := parseDate("--from", from, a.yesterday(cfg.Location()))
			if err != nil {
				return err
			}
			if by, err = wordsOf("--by", by, "the name of who opens the books"); err != nil {
				return err
			}
			if reason, err = wordsOf("--reason", reason, "why the books are opened, in a sentence"); err != nil {
				return err
			}
			return a.reopenBooks(c.Context(), cfg, d, by, reason)
		},
	}
	c.Flags().StringVar(&path, "config", "", "configuration file (required)")
	c.Flags().StringVar(&from, "from", "", "first business date to open, YYYY-MM-DD (required)")
	c.Flags().StringVar(&by, "by", "", "who opens the books (required)")
	c.Flags().StringVar(&reason, "reason", "", "why, for the audit log (required)")
	return c
}

func (a *app) reopenBooks(ctx context.Context, cfg *config.Config, from txn.Date, by, reason string) error {
	e, done, err := a.books(ctx, cfg)
	if err != nil {
		return err
	}
	defer done()
	was, err := e.DB.ClosedThrough(ctx)
	if err != nil {
		return err
	}
	if was < from {
		fmt.Fprintf(a.out, "the books are open from %s on already; nothing changed\n", from)
		return nil
	}
	if err := e.ReopenBooks(ctx, from, by, reason); err != nil {
		return refused(err, "nothing was opened")
	}
	now, err := e.DB.ClosedThrough(ctx)
	if err != nil {
		return err
	}
	still := "no date is closed now"
	if now >= cfg.GoLive && now != 0 {
		still = "closed through " + now.String() + " now"
	}
	fmt.Fprintf(a.out, "open again from %s to %s by %s; %s\n", from, was, by, still)
	fmt.Fprintf(a.out, "the next run computes what has changed: daozhang run --config %s\n", cfg.File)
	return nil
}
