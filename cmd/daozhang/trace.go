package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/pipeline"
	"daozhang/parsers/txn"
	"daozhang/reports/text"
)

func (a *app) traceCmd() *cobra.Command {
	var path, date string
	var asJSON bool
	c := &cobra.Command{
		Use:   "trace KEY --config FILE [--date D]",
		Short: "Show the life of one transaction, payout, bank line or case",
		Long: `Finds every row that carries KEY, matched ones too: retrieval reference number (leading zeros do not count), order
number, channel transaction id, refund id, trace number, auth code, payout id, bank reference, ARN, or a case id, also
one that the case had before. Shows the rows of each side with file and line, the match and its pass, the payout, its
bank credit and due date, the cases, and where it stood on each leg from the first day to the last. Several hits are
all listed. An amount is no key.

Without --date the match ledgers and the stored exceptions say which days to read for an order number, channel id or
reference number; for any other key, and where they know nothing, all days are read. Reads only: a day is computed
again where its books and ledgers do not tell, and nothing is stored.

Exit codes: 0 found · 1 nothing found · 10 no run has made a database yet.`,
		Example: `  daozhang trace 108812345678 --config daozhang.yaml
  daozhang trace 000123 --date 2026-01-05 --config daozhang.yaml
  daozhang trace C-7K2M-1QZ9-XR4T-0B8D --config daozhang.yaml --json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(errors.New("name one KEY; see `daozhang trace --help`"))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := a.load(path)
			if err != nil {
				return err
			}
			var d txn.Date
			if date != "" {
				if d, err = parseDate("--date", date, a.yesterday(cfg.Location())); err != nil {
					return err
				}
			}
			return a.trace(c.Context(), cfg, args[0], d, asJSON)
		},
	}
	c.Flags().StringVar(&path, "config", "", "configuration file (required)")
	c.Flags().StringVar(&date, "date", "", "look only for rows of this business date, YYYY-MM-DD or yesterday")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

func (a *app) trace(ctx context.Context, cfg *config.Config, key string, date txn.Date, asJSON bool) error {
	e, err := a.reader(ctx, cfg)
	if err != nil {
		return err
	}
	defer e.Close()
	t, err := e.Trace(ctx, key, date)
	if errors.Is(err, pipeline.ErrBlankKey) {
		return usage(fmt.Errorf("%q: %w; give a reference, order or trace number, or a case id", key, err))
	}
	if err != nil {
		return err
	}
	d := traceDocOf(e.Config.Entity, t)
	if asJSON {
		if err := printJSON(a.out, d); err != nil {
			return err
		}
	} else if len(d.Items) > 0 {
		printTrace(a.out, d, text.Lang(cfg.Lang))
	}
	if len(d.Items) > 0 {
		return nil
	}
	return withCode(exitUnexpected, notFound(t, cfg.File, date))
}

// notFound says what was searched, and what to try next.
func notFound(t *pipeline.Trace, config string, date txn.Date) error {
	what := fmt.Sprintf("the files of %d days from %s to %s", len(t.Days), t.First, t.Last)
	next := "check the number; an amount is no key"
	switch {
	case date != 0:
		what, next = "the files of "+date.String(), "leave --date out to search all days"
	case len(t.Days) == 0:
		what, next = "nothing, since no file was received yet", "run first: daozhang run --config "+config
	}
	return fmt.Errorf("no row or case with %q: searched %s in %s; %s", t.Key, what, strings.Join(pipeline.TraceFields(), ", "), next)
}
