package pipeline

import (
	"daozhang/cmd/internal/store"
	"daozhang/reconcile"
)

// What SQL keeps of a book: the columns that people query.

func itemRows(o *reconcile.Outcome) []store.Item {
	out := make([]store.Item, len(o.Lines))
	for i := range o.Lines {
		out[i] = store.ItemOf(&o.Lines[i])
	}
	return out
}

// caseRows folds the lines of each case: its gravest class speaks for it.
func caseRows(o *reconcile.Outcome) []store.Case {
	var out []store.Case
	at := map[string]int{}
	for i := range o.Lines {
		l := &o.Lines[i]
		if n, ok := at[l.CaseID]; ok { // lines come gravest first
			if reconcile.Class(out[n].Class).OrderClass() && !l.Class.OrderClass() {
				out[n] = caseRow(l) // what the case is comes before what became of it
			}
			continue
		}
		at[l.CaseID] = len(out)
		out = append(out, caseRow(l))
	}
	return out
}

func caseRow(l *reconcile.Line) store.Case {
	info := l.Class.Info()
	amount := l.Amount
	if !amount.Valid {
		amount = l.Other
	}
	if l.Fine {
		amount = l.Difference()
		amount.Minor /= 1000
	}
	c := store.Case{ID: l.CaseID, Class: string(l.Class), Severity: info.Severity, Status: l.Status, Lifecycle: string(l.Lifecycle),
		FirstSeen: l.FirstSeen, Leg: string(l.Leg), Acquirer: l.Acquirer, Amount: nullMoney(amount), Currency: l.Currency.String(),
		Owner: string(info.Owner), Due: l.DueDate, Members: l.Members, IDs: l.IDs()}
	if l.Alias != "" && l.Alias != l.CaseID {
		c.Aliases = []string{l.Alias}
	}
	return c
}

func controlRows(o *reconcile.Outcome) []store.Control {
	var out []store.Control
	for _, s := range o.Slots {
		if s.SHA256 == "" {
			continue
		}
		for _, c := range s.Controls {
			out = append(out, store.Control{Source: s.Source, File: s.SHA256, Scope: c.Scope, Name: c.Name, Stated: c.Stated, Computed: c.Computed, OK: c.OK})
		}
	}
	return out
}

// eventRows tell for people what happened to each case on the day.
func eventRows(o *reconcile.Outcome) []store.Event {
	var out []store.Event
	for i := range o.Lines {
		l := &o.Lines[i]
		kind := string(l.Lifecycle)
		switch {
		case l.Class.OrderClass():
			kind = "note"
		case l.Decision != nil:
			kind = "decided"
		case l.Lifecycle == reconcile.CaseOpen:
			continue
		}
		detail := l.ClearedBy
		if detail == "" {
			detail = l.Detail
		}
		out = append(out, store.Event{Case: l.CaseID, Kind: kind, Class: string(l.Class), Detail: detail})
	}
	return out
}
