package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/pipeline"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

func (a *app) matchCmd() *cobra.Command {
	var m pipeline.Matching
	var registerDir, cfgPath, asOf, date, lang, memory string
	var profiles, named []string
	failOn := -1
	c := &cobra.Command{
		Use:   "match --terminal FILE... --acquirer FILE... [--bank FILE...] --date D --out DIR",
		Short: "Match files at hand, without database or network",
		Long: `Runs the same core as ` + "`run`" + ` on the files given: every slot counts as received, nothing is carried in. Writes
exceptions.csv and summary.json into --out; --workbook and --ledger add the others. The format of each file is
detected; --format FILE=NAME says it where several formats claim a file.`,
		Example: `  daozhang match --terminal journal.csv --acquirer ums.txt --date 2026-01-05 --out result
  daozhang match --terminal s1.csv --terminal s2.csv --acquirer bill.csv --bank statement.csv \
      --register register --date 2026-01-05 --out result --workbook
  daozhang match --terminal j.csv --acquirer ums.txt --date 2026-01-05 --out result --memory 512MiB
  daozhang match --terminal t.txt --profile myvendor.yaml --format t.txt=myvendor --acquirer a.txt --date 2026-01-05 --out r`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if len(m.Terminal) == 0 || len(m.Acquirer) == 0 {
				return usage(errors.New("give at least one --terminal and one --acquirer file"))
			}
			if m.Out == "" || date == "" {
				return usage(errors.New("--date D and --out DIR are required"))
			}
			d, err := parseDate("--date", date, 0)
			if err != nil || d == 0 {
				return usage(fmt.Errorf("--date %q: write YYYY-MM-DD", date))
			}
			m.Date = d
			if memory != "" {
				if m.Memory, err = parseSize("--memory", memory, leastMemory); err != nil {
					return usage(err)
				}
			}
			boundMemory(m.Memory)
			if err := a.prepareMatch(&m, cfgPath, registerDir, asOf, lang, profiles, named); err != nil {
				return err
			}
			res, err := pipeline.Match(c.Context(), m)
			if err != nil {
				return err
			}
			return a.matched(res, failOn)
		},
	}
	fs := c.Flags()
	fs.StringArrayVar(&m.Terminal, "terminal", nil, "terminal journal (repeat)")
	fs.StringArrayVar(&m.Acquirer, "acquirer", nil, "acquirer or wallet file (repeat)")
	fs.StringArrayVar(&m.Bank, "bank", nil, "bank statement (repeat)")
	fs.StringVar(&registerDir, "register", "", "folder of the register's CSV files")
	fs.StringArrayVar(&profiles, "profile", nil, "user profile (repeat)")
	fs.StringArrayVar(&named, "format", nil, "FILE=NAME: the format of a file (repeat)")
	fs.StringVar(&cfgPath, "config", "", "configuration: names, acquirers, rules and zone of the sources whose patterns the files have")
	fs.StringVar(&asOf, "as-of", "", "instant printed in the book (default now, to the minute)")
	fs.StringVar(&date, "date", "", "business date, YYYY-MM-DD (required)")
	fs.StringVar(&m.Out, "out", "", "folder for the results (required)")
	fs.StringVar(&lang, "lang", "", "language of the results, zh-CN or en (default zh-CN)")
	fs.StringVar(&memory, "memory", "", "bound on memory, such as 512MiB: rows that pair off beyond it go to temporary files; those that are judged one by one stay (default: no bound)")
	fs.BoolVar(&m.Workbook, "workbook", false, "also write the workbook")
	fs.BoolVar(&m.Ledger, "ledger", false, "also write the match ledger")
	fs.IntVar(&failOn, "fail-on", -1, "exit 20 if there are more open exceptions than this")
	return c
}

// prepareMatch reads what the flags name: configuration, register, profiles, formats.
func (a *app) prepareMatch(m *pipeline.Matching, cfgPath, registerDir, asOf, lang string, profiles, named []string) error {
	m.Program, m.Fault, m.Say = "daozhang "+version, a.fault, a.say
	cals, problems := config.LoadCalendars("")
	if cfgPath != "" {
		cfg, err := a.load(cfgPath)
		if err != nil {
			return err
		}
		m.Config, m.Zone, cals = cfg, cfg.Location(), cfg.Holidays()
		profiles = append(profiles, cfg.Profiles...)
		if registerDir == "" {
			registerDir = cfg.Register
		}
		if lang == "" {
			lang = string(cfg.Lang)
		}
	}
	m.Calendars = cals
	m.Lang = text.Lang(lang)
	if lang != "" && m.Lang != text.ZhCN && m.Lang != text.En {
		return usage(fmt.Errorf("--lang %q: write zh-CN or en", lang))
	}
	if m.Zone == nil {
		zone, err := time.LoadLocation("Asia/Shanghai")
		if err != nil {
			return err
		}
		m.Zone = zone
	}
	reg, ps := config.LoadRegister(registerDir)
	if err := append(problems, ps...).Err(); err != nil {
		return withCode(exitUsage, err)
	}
	m.Register = reg
	var err error
	if m.Formats, err = pipeline.Formats(profiles); err != nil {
		return usage(err)
	}
	if m.AsOf, err = a.asOf(asOf, m.Zone); err != nil {
		return err
	}
	m.Named = map[string]string{}
	for _, n := range named {
		i := strings.LastIndexByte(n, '=')
		if i < 0 {
			return usage(fmt.Errorf("--format %q: write FILE=NAME", n))
		}
		m.Named[n[:i]] = n[i+1:]
	}
	return nil
}

// matched prints what came out and chooses the exit code.
func (a *app) matched(res *pipeline.MatchResult, failOn int) error {
	r := pipeline.DayResult{Outcome: res.Outcome}
	fmt.Fprintf(a.out, "%s  %d open exceptions\n", res.Outcome.Verdict, openExceptions(r))
	for _, p := range res.Outcome.Passes {
		fmt.Fprintf(a.out, "  %s %-4s %d matches\n", p.Leg, p.Pass, p.Matches)
	}
	for _, f := range res.Files {
		fmt.Fprintln(a.out, "  "+f)
	}
	if !slices.ContainsFunc(res.Outcome.Passes, func(p reconcile.PassSum) bool { return p.Leg == reconcile.LegTA }) {
		fmt.Fprintln(a.err, "daozhang: not one terminal row met an acquirer row; if the two sides call a merchant by different numbers, "+
			"say which is which with --register DIR (merchants.csv)")
	}
	for i, e := range res.Rejected {
		if i == 20 {
			fmt.Fprintf(a.err, "  ... and %d more rejected rows\n", len(res.Rejected)-i)
			break
		}
		fmt.Fprintf(a.err, "  %s: %v\n", e.Source, e.Err)
	}
	for _, s := range res.Outcome.Slots {
		if s.Held || s.Class == reconcile.F11 {
			fmt.Fprintf(a.err, "  %s held: %s %s\n", s.File, s.Class, s.Why)
		}
	}
	switch {
	case incomplete(r):
		return withCode(exitPartial, nil)
	case failOn >= 0 && openExceptions(r) > failOn:
		return withCode(exitExceptions, fmt.Errorf("%d open exceptions, more than --fail-on %d", openExceptions(r), failOn))
	}
	return nil
}
