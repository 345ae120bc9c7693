package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"daozhang/cmd/internal/pipeline"
	"daozhang/parsers"
	"daozhang/parsers/unpack"
)

func (a *app) formatsCmd() *cobra.Command {
	var profiles []string
	var why string
	var asJSON bool
	c := &cobra.Command{
		Use:   "formats [NAME]",
		Short: "List the file formats that are known",
		Long: `Lists every format with its side (T terminal, A acquirer, B bank), what proves that a file of it is complete, and
where its layout comes from. With NAME it describes one; with --why FILE it says for each format, or for NAME alone,
whether it claims the file and if not, why.`,
		Example: `  daozhang formats
  daozhang formats wechat_trade_all
  daozhang formats wechat_trade_all --why bill.csv
  daozhang formats --why unknown.csv --profile myvendor.yaml
  daozhang formats --json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage(errors.New("name one format, or none; see `daozhang formats --help`"))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			reg, err := a.formatsWith(profiles, args...)
			if err != nil {
				return err
			}
			list := reg.Formats()
			if len(args) == 1 {
				f, _ := reg.Lookup(args[0])
				list = []parsers.Format{f}
			}
			docs, err := formatDocs(list, why)
			if err != nil {
				return openError(err)
			}
			switch {
			case asJSON:
				return printJSON(a.out, formatsDoc{SchemaVersion: 1, Formats: docs})
			case why != "":
				printWhy(a.out, docs)
			case len(args) == 1:
				printFormat(a.out, docs[0])
			default:
				printFormats(a.out, docs)
			}
			return nil
		},
	}
	c.Flags().StringArrayVar(&profiles, "profile", nil, "user profile, a file or pattern (repeat)")
	c.Flags().StringVar(&why, "why", "", "FILE: say whether the formats claim it, and why not")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

type formatsDoc struct {
	SchemaVersion int         `json:"schema_version"`
	Formats       []formatDoc `json:"formats"`
}

type formatDoc struct {
	Name        string     `json:"name"`
	Side        string     `json:"side"`
	Acquirer    string     `json:"acquirer"`
	Title       string     `json:"title"`
	Proof       string     `json:"proof"`
	ControlOnly bool       `json:"control_only"`
	Notices     bool       `json:"notices"`
	Source      string     `json:"source"`
	Claims      []claimDoc `json:"claims,omitempty"` // one for each file in FILE
}

type claimDoc struct {
	Member string `json:"member"`
	Claims bool   `json:"claims"`
	Why    string `json:"why"` // why it does not
}

func formatDocs(list []parsers.Format, why string) ([]formatDoc, error) {
	out := make([]formatDoc, len(list))
	for i, f := range list {
		n := f.Info()
		out[i] = formatDoc{Name: n.Name, Side: n.Side.String(), Acquirer: n.Acquirer, Title: n.Title, Proof: n.Proof,
			ControlOnly: n.ControlOnly, Notices: n.Notices, Source: n.Source}
	}
	if why == "" {
		return out, nil
	}
	file, err := os.Open(why)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	d, closer, err := unpack.Open(filepath.Base(why), file, info.Size(), unpack.Limits{})
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	for _, m := range d.Files {
		head, err := parsers.ReadHead(parsers.Source{Name: m.Name, Data: m.Data, Size: m.Size})
		if err != nil {
			return nil, err
		}
		for i, f := range list {
			c := claimDoc{Member: m.Name}
			if err := f.Claim(head); err != nil {
				c.Why = err.Error()
			} else {
				c.Claims = true
			}
			out[i].Claims = append(out[i].Claims, c)
		}
	}
	return out, nil
}

// printFormats prints a block for each format: a title may hold Chinese, which is wide, so it ends its line.
func printFormats(w io.Writer, docs []formatDoc) {
	name := 0
	for _, d := range docs {
		name = max(name, len(d.Name))
	}
	fmt.Fprintf(w, "%-*s  SIDE  TITLE, PROOF OF COMPLETENESS, WHERE THE LAYOUT COMES FROM\n", name, "NAME")
	for _, d := range docs {
		fmt.Fprintf(w, "%-*s  %-4s  %s\n", name, d.Name, d.Side, d.Title)
		fmt.Fprintf(w, "%-*s        %s\n%-*s        %s\n", name, "", d.Proof, name, "", d.Source)
	}
}

func printFormat(w io.Writer, d formatDoc) {
	fmt.Fprintf(w, "%s: %s\n", d.Name, d.Title)
	side := map[string]string{"T": "terminal", "A": "acquirer", "B": "bank"}[d.Side]
	if d.Acquirer != "" {
		side += " (" + d.Acquirer + ")"
	}
	fmt.Fprintf(w, "  side                   %s\n  proof of completeness  %s\n  layout from            %s\n", side, d.Proof, d.Source)
	switch {
	case d.ControlOnly:
		fmt.Fprintln(w, "  rows                   none: it states totals of another file of its slot")
	case d.Notices:
		fmt.Fprintln(w, "  rows                   payouts only: announcements, not transactions")
	}
}

func printWhy(w io.Writer, docs []formatDoc) {
	for n := range docs[0].Claims {
		fmt.Fprintln(w, docs[0].Claims[n].Member)
		for _, d := range docs {
			if c := d.Claims[n]; c.Claims {
				fmt.Fprintf(w, "  %s claims it\n", d.Name)
			} else {
				fmt.Fprintf(w, "  %s refuses it: %s\n", d.Name, c.Why)
			}
		}
	}
}

// formatsWith is the registry with the user's profiles. The names asked for must be in it.
func (a *app) formatsWith(profiles []string, names ...string) (*parsers.Registry, error) {
	for _, p := range profiles {
		if found, err := filepath.Glob(p); err != nil || len(found) == 0 {
			return nil, usage(fmt.Errorf("--profile %s: no such file; check the path", p))
		}
	}
	reg, err := pipeline.Formats(profiles)
	if err != nil {
		return nil, usage(err)
	}
	for _, n := range names {
		if _, ok := reg.Lookup(n); ok {
			continue
		}
		best, dist := "", len(n)/3+2
		for _, f := range reg.Formats() {
			if d := distance(f.Info().Name, n); d < dist {
				best, dist = f.Info().Name, d
			}
		}
		hint := "`daozhang formats` lists what is known"
		if best != "" {
			hint = "did you mean " + best + "? " + hint
		}
		return nil, usage(fmt.Errorf("no format is named %q; %s", strings.TrimSpace(n), hint))
	}
	return reg, nil
}
