package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"daozhang/cmd/internal/pipeline"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

// changedBooks lists the dates whose issued book the last command changed, oldest first; a first book changes nothing.
func changedBooks(ctx context.Context, e *pipeline.Engine) ([]pipeline.DayChange, error) {
	all, err := e.LastCascade(ctx)
	if err != nil {
		return nil, err
	}
	var out []pipeline.DayChange
	for _, d := range all {
		if d.Former > 0 {
			out = append(out, d)
		}
	}
	return out, nil
}

// showCascade prints which issued books a run has changed, class by class. Of a run that computed one date alone, that date's
// own lines have said so.
func (a *app) showCascade(ctx context.Context, e *pipeline.Engine, computed int) error {
	if computed == 0 {
		return nil
	}
	days, err := changedBooks(ctx, e)
	if err != nil || len(days) == 0 || computed == 1 && len(days) == 1 {
		return err
	}
	fmt.Fprintln(a.out, "\nbooks changed by this run:")
	var docs []cascadeDoc
	for _, d := range days {
		docs = append(docs, cascadeDocOf(d))
	}
	printCascade(a.out, docs, text.Lang(e.Config.Lang), "")
	return nil
}

// cascadeDoc is one date whose book the last command changed.
type cascadeDoc struct {
	Date           string         `json:"date"`
	Reason         string         `json:"reason"`
	FormerRevision int            `json:"former_revision"` // 0: there was none
	Revision       int            `json:"revision"`
	FormerVerdict  string         `json:"former_verdict"`
	Verdict        string         `json:"verdict"`
	Classes        []cascadeClass `json:"classes"` // only those that differ
}

type cascadeClass struct {
	Class        string `json:"class"`
	Currency     string `json:"currency"`
	FormerCases  int    `json:"former_cases"`
	Cases        int    `json:"cases"`
	FormerAmount string `json:"former_amount"` // empty for classes without currency
	Amount       string `json:"amount"`
}

func cascadeDocOf(d pipeline.DayChange) cascadeDoc {
	out := cascadeDoc{Date: d.Date.String(), Reason: d.Reason, FormerRevision: d.Former, Revision: d.Revision, FormerVerdict: d.FormerVerdict,
		Verdict: d.Verdict, Classes: []cascadeClass{}}
	for _, c := range d.Classes {
		x := cascadeClass{Class: string(c.Class), Currency: c.Currency.String(), FormerCases: c.WasCases, Cases: c.Cases}
		if c.Currency != (txn.Currency{}) {
			x.FormerAmount, x.Amount = txn.FormatAmount(c.WasAmount, c.Currency), txn.FormatAmount(c.Amount, c.Currency)
		}
		out.Classes = append(out.Classes, x)
	}
	return out
}

// printCascade prints a line for each date and one for each class under it.
func printCascade(w io.Writer, days []cascadeDoc, lang text.Lang, indent string) {
	for _, d := range days {
		former := "none"
		if d.FormerRevision > 0 {
			former = "r" + strconv.Itoa(d.FormerRevision)
		}
		verdict := d.Verdict
		if d.FormerVerdict != "" && d.FormerVerdict != d.Verdict {
			verdict = d.FormerVerdict + " -> " + d.Verdict
		}
		fmt.Fprintf(w, "%s%s  %s -> r%d  %s  (%s)\n", indent, d.Date, former, d.Revision, verdict, d.Reason)
		for _, c := range d.Classes {
			amounts := ""
			if c.Currency != "" {
				amounts = fmt.Sprintf("  %s -> %s %s", c.FormerAmount, c.Amount, c.Currency)
			}
			fmt.Fprintf(w, "%s            %s  %d -> %d cases%s  %s\n", indent, c.Class, c.FormerCases, c.Cases, amounts, text.ClassName(reconcile.Class(c.Class), lang))
		}
	}
}
