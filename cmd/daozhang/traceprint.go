package main

import (
	"fmt"
	"io"
	"strings"

	"daozhang/reconcile"
	"daozhang/reports/text"
)

// printTrace prints what was found for people; words of state and class are in the language of the books.
func printTrace(w io.Writer, d *traceDoc, lang text.Lang) {
	fmt.Fprintf(w, "%s: %d found", d.Key, len(d.Items))
	if d.Searched.Truncated {
		fmt.Fprint(w, " and more; name a longer key or --date")
	}
	fmt.Fprintln(w)
	for i := range d.Items {
		fmt.Fprintf(w, "\n[%d]\n", i+1)
		printTraceItem(w, &d.Items[i], lang)
	}
	for _, n := range d.Searched.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
}

func printTraceItem(w io.Writer, it *traceItem, lang text.Lang) {
	for _, r := range it.Rows {
		fmt.Fprintf(w, "  %s  %s  %s:%d  in %s\n", r.Side, r.Source, r.File, r.Line, r.BusinessDate)
		fmt.Fprintf(w, "     %s\n", strings.Join(nonEmpty(r.TxnTime, r.Kind, r.Channel, r.Status, r.Amount+" "+r.Currency, with("fee ", r.Fee)), "  "))
		fmt.Fprintf(w, "     %s\n", strings.Join(nonEmpty(with("merchant ", r.MerchantID), with("terminal ", r.TerminalID), with("batch ", r.BatchNo),
			with("trace ", r.TraceNo), with("rrn ", r.RRN), with("auth ", r.AuthCode), with("order ", r.OrderNo), with("channel id ", r.ChannelTxnID),
			with("refund ", r.RefundNo), with("payout ", r.PayoutID), with("bank ref ", r.BankRef)), "  "))
		if r.MatchedField != "" {
			fmt.Fprintf(w, "     found by %s\n", r.MatchedField)
		}
	}
	if it.Match != nil {
		fmt.Fprintf(w, "  matched  %s by pass %s in the book of %s\n", it.Match.Leg, it.Match.Pass, it.Match.Date)
	}
	for _, p := range it.Payouts {
		printTracePayout(w, &p, lang)
	}
	for _, c := range it.Cases {
		fmt.Fprintf(w, "  case     %s  %s %s, %s", c.CaseID, c.Class, text.ClassName(reconcile.Class(c.Class), lang), text.Status(c.Status, lang))
		if c.AgeDays > 0 {
			fmt.Fprintf(w, ", %d days overdue", c.AgeDays)
		}
		fmt.Fprintf(w, " on %s\n", c.Date)
		printDetail(w, "due", strings.Join(nonEmpty(c.DueDate, with("because ", c.DueNote)), " "))
		if c.Class[0] == 'F' {
			printDetail(w, "file", strings.Join(nonEmpty(c.Source, c.Detail, fmt.Sprintf("%d rows", c.Rows), with("sum ", c.Amount), c.Currency), "  "))
		}
		printDetail(w, "first seen", c.FirstSeen)
		printDetail(w, "came close", c.NearPass)
		printDetail(w, "differs", c.Differs)
		printDetail(w, "cleared by", c.ClearedBy)
		printDetail(w, "formerly", c.Alias)
	}
	for _, x := range it.Days {
		when := x.Date
		if x.Until != x.Date {
			when += " to " + x.Until
		}
		state := text.State(reconcile.State(x.State), lang)
		if x.Reason != "" {
			state += " (" + text.Reason(reconcile.Reason(x.Reason), lang) + ")"
		}
		at := ""
		if x.File != "" {
			at = fmt.Sprintf("%s:%d", x.File, x.Line)
		}
		fmt.Fprintf(w, "  %s  %s\n", when, strings.Join(nonEmpty(x.Leg, state, x.Class, with("pass ", x.Pass), at), "  "))
	}
}

func printTracePayout(w io.Writer, p *tracePayout, lang text.Lang) {
	label := "payout "
	if !p.Certain {
		label = "payout?"
	}
	fmt.Fprintf(w, "  %s  %s\n", label, strings.Join(nonEmpty(p.PayoutID, p.Acquirer, p.MerchantID, p.Channel, "of "+p.From,
		text.Basis(p.Basis, lang), fmt.Sprintf("%d rows", p.Rows), "expected "+p.Expected+" "+p.Currency), "  "))
	if !p.Certain {
		printDetail(w, "unsure", "more than one payout fits this row; none is guessed")
	}
	printDetail(w, "due", strings.Join(nonEmpty(p.Due, with("because ", p.DueNote)), " "))
	state := text.State(reconcile.State(p.State), lang)
	if p.Reason != "" {
		state += " (" + text.Reason(reconcile.Reason(p.Reason), lang) + ")"
	}
	printDetail(w, "stands", state+" on "+p.AsOf)
	if p.Credit != "" {
		printDetail(w, "bank", strings.Join(nonEmpty(p.CreditDate, p.Credit+" "+p.Currency, with("into ", p.Account), with("ref ", p.BankRef),
			fmt.Sprintf("%s:%d", p.CreditFile, p.CreditLine), with("pass ", p.Pass)), "  "))
	}
	printDetail(w, "also pays", strings.Join(p.SharedWith, ", "))
	if p.State == string(reconcile.Exception) {
		printDetail(w, "case", p.CaseID)
	}
}

func printDetail(w io.Writer, label, value string) {
	if value != "" {
		fmt.Fprintf(w, "           %-10s  %s\n", label, value)
	}
}

func nonEmpty(parts ...string) []string {
	out := parts[:0]
	for _, p := range parts {
		if strings.TrimSpace(p) != "" {
			out = append(out, p)
		}
	}
	return out
}

// with puts a word before a value that is there.
func with(word, value string) string {
	if value == "" {
		return ""
	}
	return word + value
}
