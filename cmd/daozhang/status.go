package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/pipeline"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

func (a *app) statusCmd() *cobra.Command {
	var path, date, asOf string
	var asJSON bool
	c := &cobra.Command{
		Use:   "status --config FILE [--date D]",
		Short: "Say whether a business date is done, and what it waits for",
		Long: `Shows the verdict, revision and folder of a date's report, what is awaited and when it is due, what is missing or
held, the open exceptions by class, the dates that the next run would compute again and why, quarantined files, what
is closed, which issued books the last run changed and by how much, and when ` + "`serve`" + ` runs next. Reads only. Exit code 10 where no run has made a database yet.`,
		Example: `  daozhang status --config daozhang.yaml
  daozhang status --config daozhang.yaml --date 2026-01-05
  daozhang status --config daozhang.yaml --date yesterday --json`,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := a.load(path)
			if err != nil {
				return err
			}
			at, err := a.asOf(asOf, cfg.Location())
			if err != nil {
				return err
			}
			d := a.yesterday(cfg.Location())
			if date != "" {
				if d, err = parseDate("--date", date, d); err != nil {
					return err
				}
			}
			return a.status(c.Context(), cfg, d, at, asJSON)
		},
	}
	c.Flags().StringVar(&path, "config", "", "configuration file (required)")
	c.Flags().StringVar(&date, "date", "", "business date, YYYY-MM-DD or yesterday (default yesterday)")
	c.Flags().StringVar(&asOf, "as-of", "", "instant at which slots count as missing or not due (default now)")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

func (a *app) status(ctx context.Context, cfg *config.Config, date txn.Date, asOf time.Time, asJSON bool) error {
	e, err := a.reader(ctx, cfg)
	if err != nil {
		return err
	}
	defer e.Close()
	s, err := e.Status(ctx, date, asOf)
	if err != nil {
		return err
	}
	d, err := statusDocOf(ctx, e, s, asOf)
	if err != nil {
		return err
	}
	if err := a.addTimes(ctx, e, d); err != nil {
		return err
	}
	if asJSON {
		return printJSON(a.out, d)
	}
	printStatus(a.out, d, cfg.File, text.Lang(cfg.Lang))
	return nil
}

type statusDoc struct {
	SchemaVersion int                 `json:"schema_version"`
	Entity        string              `json:"entity"`
	Zone          string              `json:"zone"`
	AsOf          string              `json:"as_of"`
	BusinessDate  string              `json:"business_date"`
	Done          bool                `json:"done"`    // final, issued, and nothing changed since
	Current       bool                `json:"current"` // nothing changed since, final or not
	Verdict       string              `json:"verdict"` // empty where the date was never run
	Final         bool                `json:"final"`
	Run           int                 `json:"run"`
	RunAsOf       string              `json:"run_as_of"`
	Revision      int                 `json:"revision"`
	Folder        string              `json:"folder"`
	Awaited       []statusSlot        `json:"awaited"`
	Missing       []statusSlot        `json:"missing"`
	Received      []statusSlot        `json:"received"`
	Held          []statusHeld        `json:"held"`
	Exceptions    []statusClass       `json:"exceptions"`
	Stale         []statusStale       `json:"stale"`
	Quarantined   []statusQuarantined `json:"quarantined"`
	LastFile      *statusFile         `json:"last_file"`      // newest file received for a date near this one
	ClosedThrough string              `json:"closed_through"` // last closed date; empty where none is
	Completed     string              `json:"completed"`      // all files were looked for and all dates run up to this one
	Cron          string              `json:"cron"`
	NextFires     []statusFire        `json:"next_fires"`   // of serve; none without a schedule
	LastCascade   []cascadeDoc        `json:"last_cascade"` // dates whose book the last command changed
}

type statusFire struct {
	Local string `json:"local"`
	UTC   string `json:"utc"`
}

type statusSlot struct {
	Source string `json:"source"`
	Side   string `json:"side"`
	Slot   string `json:"slot"`
	Due    string `json:"due"`
	File   string `json:"file"`
}

type statusHeld struct {
	Source string `json:"source"`
	Class  string `json:"class"`
	File   string `json:"file"`
	CaseID string `json:"case_id"`
}

type statusClass struct {
	Class    string `json:"class"`
	Severity int    `json:"severity"`
	Cases    int    `json:"cases"`
	Lines    int    `json:"lines"`
	Amount   string `json:"amount"` // empty for classes of fees and counts
	Currency string `json:"currency"`
}

type statusStale struct {
	Date   string   `json:"date"`
	Reason string   `json:"reason"`
	Detail []string `json:"detail"` // what changed
}

type statusQuarantined struct {
	Source string `json:"source"`
	Member string `json:"member"`
	Class  string `json:"class"`
	Why    string `json:"why"`
}

type statusFile struct {
	Source  string `json:"source"`
	Name    string `json:"name"`
	Arrived string `json:"arrived"`
}

func statusDocOf(ctx context.Context, e *pipeline.Engine, s *pipeline.DayStatus, asOf time.Time) (*statusDoc, error) {
	cfg := e.Config
	instant := func(t time.Time) string { return t.In(cfg.Location()).Format(time.RFC3339) }
	d := &statusDoc{SchemaVersion: 1, Entity: cfg.Entity, Zone: cfg.Zone, AsOf: instant(asOf), BusinessDate: s.Date.String(), Done: s.Done(),
		Current: s.Current(), Verdict: s.Run.Verdict, Final: s.Run.Final, Run: s.Run.N, Revision: s.Revision, Folder: s.Folder,
		Held: []statusHeld{}, Exceptions: []statusClass{}, Stale: []statusStale{}, Quarantined: []statusQuarantined{}}
	if s.Run.N > 0 {
		d.RunAsOf = instant(s.Run.AsOf)
	}
	for _, l := range []struct {
		to    *[]statusSlot
		state reconcile.SlotState
	}{{&d.Awaited, reconcile.SlotNotDue}, {&d.Missing, reconcile.SlotMissing}, {&d.Received, reconcile.SlotReceived}} {
		*l.to = []statusSlot{}
		for _, x := range s.In(l.state) {
			slot := statusSlot{Source: x.Source.Name, Side: x.Source.Side.String(), Slot: x.Key, Due: instant(x.Due)}
			if len(x.Files) > 0 {
				var err error
				if slot.File, err = e.FileName(ctx, x.Files[0]); err != nil {
					return nil, err
				}
			}
			*l.to = append(*l.to, slot)
		}
	}
	for _, h := range s.Held {
		d.Held = append(d.Held, statusHeld{h.Source, h.Class, h.File, h.CaseID})
	}
	for _, c := range s.Classes {
		x := statusClass{Class: string(c.Class), Severity: c.Class.Info().Severity, Cases: c.Cases, Lines: c.Lines, Currency: c.Currency.String()}
		if c.Amount.Valid {
			x.Amount = txn.FormatAmount(c.Amount.Minor, c.Currency)
		}
		d.Exceptions = append(d.Exceptions, x)
	}
	for _, p := range s.Stale {
		d.Stale = append(d.Stale, statusStale{p.Date.String(), p.Reason, append([]string{}, p.Detail...)})
	}
	for _, q := range s.Quarantined {
		d.Quarantined = append(d.Quarantined, statusQuarantined{q.Source, q.Member, q.Class, q.Why})
	}
	if s.LastFile.File != "" {
		name, err := e.FileName(ctx, s.LastFile)
		if err != nil {
			return nil, err
		}
		d.LastFile = &statusFile{s.LastFile.Slot.Source, name, instant(s.LastFile.Arrived)}
	}
	return d, nil
}

// fires is how many of the schedule's next times are shown.
const fires = 5

// addTimes adds what is not about one date: what is closed, what the last command changed, and when serve runs next.
func (a *app) addTimes(ctx context.Context, e *pipeline.Engine, d *statusDoc) error {
	cfg := e.Config
	closed, err := e.DB.ClosedThrough(ctx)
	if err != nil {
		return err
	}
	if closed >= cfg.GoLive { // before it there is nothing to close
		d.ClosedThrough = closed.String()
	}
	done, _, err := e.DB.LastCompleted(ctx, jobRun)
	if err != nil {
		return err
	}
	d.Completed = done.String()
	d.LastCascade = []cascadeDoc{}
	changed, err := changedBooks(ctx, e)
	if err != nil {
		return err
	}
	for _, x := range changed {
		d.LastCascade = append(d.LastCascade, cascadeDocOf(x))
	}
	d.Cron, d.NextFires = cfg.Schedule.Cron, []statusFire{}
	if d.Cron == "" {
		return nil
	}
	times, err := newTimetable(cfg)
	if err != nil {
		return err
	}
	for _, f := range times.nextFires(a.now(), fires) {
		d.NextFires = append(d.NextFires, statusFire{f.In(cfg.Location()).Format(time.RFC3339), f.UTC().Format(time.RFC3339)})
	}
	return nil
}

// printStatus is the one screen. Class names and the verdict are in the language of the books.
func printStatus(w io.Writer, d *statusDoc, config string, lang text.Lang) {
	answer := "DONE"
	switch {
	case d.Run == 0:
		answer = "NOT RUN"
	case !d.Current:
		answer = "NOT CURRENT: the next run computes it again"
	case !d.Final:
		answer = "PRELIMINARY"
	case d.Folder == "":
		answer = "NOT ISSUED"
	}
	fmt.Fprintf(w, "%s  %s  %s\n", d.Entity, d.BusinessDate, answer)
	fmt.Fprintf(w, "  as of       %s (%s)\n", d.AsOf, d.Zone)
	if d.Run > 0 {
		fmt.Fprintf(w, "  verdict     %s %s\n", d.Verdict, text.Verdict(reconcile.Verdict(d.Verdict), lang))
		fmt.Fprintf(w, "  report      r%d  %s  (as of %s)\n", d.Revision, d.Folder, d.RunAsOf)
	}
	printSlots(w, "awaited", "due", d.Awaited)
	printSlots(w, "missing", "was due", d.Missing)
	fmt.Fprintf(w, "  received    %d slots\n", len(d.Received))
	for _, h := range d.Held {
		fmt.Fprintf(w, "  held        %s %s: %s %s\n", h.Class, text.ClassName(reconcile.Class(h.Class), lang), h.Source, h.File)
	}
	for _, c := range d.Exceptions {
		fmt.Fprintf(w, "  open        %s  %3d cases  %s  %s\n", c.Class, c.Cases, text.ClassName(reconcile.Class(c.Class), lang),
			strings.TrimSpace(c.Amount+" "+c.Currency))
	}
	if d.Run > 0 && len(d.Exceptions) == 0 {
		fmt.Fprintln(w, "  open        no exceptions")
	}
	for i, s := range d.Stale {
		if i == 5 {
			fmt.Fprintf(w, "  stale       ... and %d more dates\n", len(d.Stale)-i)
			break
		}
		fmt.Fprintf(w, "  stale       %s: %s\n", s.Date, strings.Join(nonEmpty(s.Reason, strings.Join(s.Detail, ", ")), ": "))
	}
	for i, q := range d.Quarantined {
		if i == 5 {
			fmt.Fprintf(w, "  quarantine  ... and %d more files\n", len(d.Quarantined)-i)
			break
		}
		fmt.Fprintf(w, "  quarantine  %s %s: %s %s\n", q.Source, q.Member, q.Class, q.Why)
	}
	if d.ClosedThrough != "" {
		fmt.Fprintf(w, "  closed      through %s\n", d.ClosedThrough)
	}
	if len(d.LastCascade) > 0 {
		fmt.Fprintln(w, "  changed     by the last run:")
		printCascade(w, d.LastCascade, lang, "    ")
	}
	for i, f := range d.NextFires {
		label := "next runs"
		if i > 0 {
			label = ""
		}
		fmt.Fprintf(w, "  %-10s  %s = %s\n", label, f.Local, f.UTC)
	}
	if d.LastFile != nil {
		fmt.Fprintf(w, "  last file   %s  %s  received %s\n", d.LastFile.Source, d.LastFile.Name, d.LastFile.Arrived)
	}
	if !d.Done {
		fmt.Fprintf(w, "next: daozhang run --config %s --date %s\n", config, d.BusinessDate)
	}
}

func printSlots(w io.Writer, label, due string, slots []statusSlot) {
	for i, s := range slots {
		if i == 8 {
			fmt.Fprintf(w, "  %-10s  ... and %d more\n", label, len(slots)-i)
			return
		}
		fmt.Fprintf(w, "  %-10s  %s, %s %s\n", label, strings.TrimSpace(s.Source+" "+s.Slot), due, s.Due)
	}
}
