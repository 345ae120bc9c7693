package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"

	"github.com/spf13/cobra"

	"daozhang/cmd/internal/config"
	"daozhang/parsers/txn"
)

func (a *app) closeCmd() *cobra.Command {
	var path, through, by, reason string
	c := &cobra.Command{
		Use:   "close --through D --config FILE",
		Short: "Close the books up to a date: their reports never change again",
		Long: `Closes all business dates up to and with --through. It is refused as long as one of them was never run, is not current
or is preliminary. From then on:

  - a file that comes for a closed date is booked on the first open date, marked as late there;
  - a run stops at the last closed date; what would reach into it is shown as class X03 in the first open one;
  - ` + "`run --date`" + ` on a closed date is refused; ` + "`reopen`" + ` opens it again.

Closing what is closed changes nothing. Who closed, when and why is kept in the audit log.

Exit codes: 0 closed · 2 refused or wrong usage · 10 no run has made a database yet · 11 a run is at work.`,
		Example: `  daozhang close --through 2026-01-31 --config daozhang.yaml
  daozhang close --through 2026-01-31 --by wang --reason "month reported to the ledger" --config daozhang.yaml`,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := a.load(path)
			if err != nil {
				return err
			}
			if through == "" {
				return usage(errors.New("--through is required: the last business date to close, such as --through 2026-01-31"))
			}
			d, err := parseDate("--through", through, a.yesterday(cfg.Location()))
			if err != nil {
				return err
			}
			if by == "" {
				by = a.userName()
			}
			if by, err = wordsOf("--by", by, "the name of who closes the books"); err != nil {
				return err
			}
			if reason != "" {
				if reason, err = wordsOf("--reason", reason, "why, in a sentence"); err != nil {
					return err
				}
			}
			return a.closeBooks(c.Context(), cfg, d, by, reason)
		},
	}
	c.Flags().StringVar(&path, "config", "", "configuration file (required)")
	c.Flags().StringVar(&through, "through", "", "last business date to close, YYYY-MM-DD or yesterday (required)")
	c.Flags().StringVar(&by, "by", "", "who closes the books (default the name of the system's user)")
	c.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	return c
}

// userName is the name of the user that the program runs as; empty where the system does not tell.
func (a *app) userName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return a.env("USER")
}

func (a *app) closeBooks(ctx context.Context, cfg *config.Config, through txn.Date, by, reason string) error {
	e, done, err := a.books(ctx, cfg)
	if err != nil {
		return err
	}
	defer done()
	was, err := e.DB.ClosedThrough(ctx)
	if err != nil {
		return err
	}
	if was >= through {
		fmt.Fprintf(a.out, "the books are closed through %s already; nothing changed\n", was)
		return nil
	}
	if err := e.CloseBooks(ctx, through, by, reason); err != nil {
		return refused(err, "nothing was closed")
	}
	fmt.Fprintf(a.out, "closed through %s by %s; a file that comes for these dates is booked on the first open one, %s\n", through, by, through+1)
	return nil
}
