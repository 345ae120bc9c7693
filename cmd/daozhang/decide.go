package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/pipeline"
	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

type decideFlags struct {
	config, status, reason, by, until string
	json                              bool
}

func (a *app) decideCmd() *cobra.Command {
	var f decideFlags
	c := &cobra.Command{
		Use:   "decide CASE... --status STATUS --reason TEXT --by NAME --config FILE",
		Short: "Record what a person has decided about cases",
		Long: `Records a decision on each of the cases, all or none. The case id stands in the first column of exceptions.csv and of
the sheet Exceptions; one that the case had before is understood too. The statuses:

  accepted     the difference stands as it is; nobody has to act             closes the case
  written-off  the money is given up                                        closes the case
  wrong        the report is mistaken about this case                       closes the case
  disputed     claimed from the other party                                 stays open, and says so
  waiting      nothing to do before something comes, or before --until      stays open, and says so
  open         takes the decision before it back

A decision acts from the newest date that was run: no issued book before it changes. The next ` + "`run`" + ` shows it. It
stands as long as the case has the same rows with the same amounts: new evidence wins, and a decision whose rows were
corrected or withdrawn is shown as class X02. Every decision is kept in the audit log and none is ever changed.

Exit codes: 0 recorded · 2 unknown case or wrong usage, nothing was recorded · 10 no run has made a database yet · 11 a
run is at work.`,
		Example: `  daozhang decide C-7K2M-1QZ9-XR4T-0B8D --status accepted --reason "rounding of the acquirer" --by wang --config daozhang.yaml
  daozhang decide C-7K2M-1QZ9-XR4T-0B8D --status waiting --until 2026-01-20 --reason "refund announced" --by wang --config daozhang.yaml
  daozhang decide C-7K2M-1QZ9-XR4T-0B8D C-HQ1M-6R0Z-SWVS-AHJE --status disputed --reason "letter of 8 January" --by wang --config daozhang.yaml --json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(errors.New("name one CASE or several, as in column case_id of exceptions.csv; see `daozhang decide --help`"))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := a.load(f.config)
			if err != nil {
				return err
			}
			verdicts, err := a.verdicts(args, f, cfg.Location())
			if err != nil {
				return err
			}
			return a.decide(c.Context(), cfg, verdicts, f.json)
		},
	}
	c.Flags().StringVar(&f.config, "config", "", "configuration file (required)")
	c.Flags().StringVar(&f.status, "status", "", "what was decided: "+strings.Join(decisionWords(), ", ")+" (required)")
	c.Flags().StringVar(&f.reason, "reason", "", "why, in a sentence that an auditor understands (required)")
	c.Flags().StringVar(&f.by, "by", "", "who decided (required)")
	c.Flags().StringVar(&f.until, "until", "", "of waiting: from this date on the case counts as open again, YYYY-MM-DD")
	c.Flags().BoolVar(&f.json, "json", false, "print one JSON document")
	return c
}

func decisionWords() []string {
	var out []string
	for _, s := range reconcile.DecisionStatuses() {
		out = append(out, string(s))
	}
	return out
}

// verdicts checks the flags; what only the books can tell is checked by the engine.
func (a *app) verdicts(cases []string, f decideFlags, loc *time.Location) ([]pipeline.Verdict, error) {
	words := strings.Join(decisionWords(), ", ")
	switch {
	case f.status == "":
		return nil, usage(fmt.Errorf("--status is required: one of %s", words))
	case !slices.Contains(decisionWords(), f.status):
		return nil, usage(fmt.Errorf("--status %q is none of %s", f.status, words))
	case f.until != "" && reconcile.DecisionStatus(f.status) != reconcile.Waiting:
		return nil, usage(fmt.Errorf("--until goes with --status waiting, not with %s; leave it out", f.status))
	}
	by, err := wordsOf("--by", f.by, "the name of who decided")
	if err != nil {
		return nil, err
	}
	reason, err := wordsOf("--reason", f.reason, "why, in a sentence")
	if err != nil {
		return nil, err
	}
	var until txn.Date
	if f.until != "" {
		if until, err = txn.ParseDate(f.until); err != nil {
			return nil, usage(fmt.Errorf("--until: %w; write --until 2026-01-20", err))
		}
		if today := txn.DateOf(a.now().In(loc)); until <= today {
			return nil, usage(fmt.Errorf("--until %s is not after today, %s; name a later date, or leave it out", until, today))
		}
	}
	var out []pipeline.Verdict
	for _, id := range cases {
		id = strings.ToUpper(strings.TrimSpace(id))
		if slices.ContainsFunc(out, func(v pipeline.Verdict) bool { return v.Case == id }) {
			return nil, usage(fmt.Errorf("case %s is named twice; name it once", plain(id)))
		}
		out = append(out, pipeline.Verdict{Case: id, Status: reconcile.DecisionStatus(f.status), Reason: reason, By: by, Until: until})
	}
	return out, nil
}

// maxWords bounds what is written into the audit log at once.
const maxWords = 2000

// wordsOf reads a text that is kept for good: not empty, one line, and not longer than people read.
func wordsOf(flag, s, what string) (string, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return "", usage(fmt.Errorf("%s is required: %s", flag, what))
	case plain(s) != s:
		return "", usage(fmt.Errorf("%s has a line break or another control character; write one line of text", flag))
	case len([]rune(s)) > maxWords:
		return "", usage(fmt.Errorf("%s has %d characters; write at most %d", flag, len([]rune(s)), maxWords))
	}
	return s, nil
}

func (a *app) decide(ctx context.Context, cfg *config.Config, verdicts []pipeline.Verdict, asJSON bool) error {
	e, done, err := a.books(ctx, cfg)
	if err != nil {
		return err
	}
	defer done()
	ds, err := e.Decide(ctx, verdicts...)
	if err != nil {
		return refused(err, "nothing was recorded")
	}
	if asJSON {
		return printJSON(a.out, decideDocOf(cfg.Entity, verdicts, ds))
	}
	for i, d := range ds {
		id := d.CaseID
		if i < len(verdicts) && verdicts[i].Case != id {
			id += " (formerly " + verdicts[i].Case + ")"
		}
		until := ""
		if d.Until != 0 {
			until = " until " + d.Until.String()
		}
		fmt.Fprintf(a.out, "%s  %s %s: %s%s, from %s on, by %s: %s\n", id, d.Class, text.ClassName(d.Class, text.Lang(cfg.Lang)), d.Status, until,
			d.EffectiveOn, d.Author, d.Reason)
	}
	fmt.Fprintf(a.out, "the next run shows it: daozhang run --config %s\n", cfg.File)
	return nil
}

// refused says what did not happen, and gives the code of wrong usage where it is the books that do not permit it.
func refused(err error, outcome string) error {
	switch {
	case errors.Is(err, pipeline.ErrDecision), errors.Is(err, pipeline.ErrClosed), errors.Is(err, store.ErrInvalid),
		exitCode(err) == exitUnexpected && errors.Unwrap(err) == nil: // the books' own words: faults of the machine have a cause
		return usage(fmt.Errorf("%s: %w", outcome, err))
	}
	return err
}

type decideDoc struct {
	SchemaVersion int           `json:"schema_version"`
	Entity        string        `json:"entity"`
	Decisions     []decisionDoc `json:"decisions"` // in the order of the cases named
}

type decisionDoc struct {
	ID          string `json:"id"`
	Asked       string `json:"asked"` // the id as given
	CaseID      string `json:"case_id"`
	Class       string `json:"class"`
	Status      string `json:"status"`
	Until       string `json:"until"`
	By          string `json:"by"`
	Reason      string `json:"reason"`
	At          string `json:"at"`
	EffectiveOn string `json:"effective_on"`
	SeenOn      string `json:"seen_on"`
	Members     int    `json:"members"`
}

func decideDocOf(entity string, verdicts []pipeline.Verdict, ds []reconcile.Decision) decideDoc {
	out := decideDoc{SchemaVersion: 1, Entity: entity, Decisions: []decisionDoc{}}
	for i, d := range ds {
		x := decisionDoc{ID: d.ID, CaseID: d.CaseID, Class: string(d.Class), Status: string(d.Status), Until: d.Until.String(), By: d.Author, Reason: d.Reason,
			At: d.At.UTC().Format(time.RFC3339), EffectiveOn: d.EffectiveOn.String(), SeenOn: d.SeenOn.String(), Members: len(d.Members)}
		if i < len(verdicts) {
			x.Asked = verdicts[i].Case
		}
		out.Decisions = append(out.Decisions, x)
	}
	return out
}
