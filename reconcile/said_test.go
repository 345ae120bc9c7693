package reconcile_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// ledgers answer from the ids that a scenario lists and the rows that it says earlier days have settled.
type ledgers struct {
	t     testing.TB
	on    txn.Date
	known map[string]bool
	past  []*scriptSlot
	asked map[string]bool
}

func (l *ledgers) Known(id string, from txn.Date) (bool, bool) {
	return l.known[id] || len(l.rows(id, from)) > 0, true
}

func (l *ledgers) Place(r reconcile.PastRow) reconcile.Ref { return r.At }

func (l *ledgers) Past(id string, from txn.Date) []reconcile.PastRow {
	if l.asked[id] {
		l.t.Errorf("%s: the rows of %s are looked up twice", l.on, id)
	}
	l.asked[id] = true
	return l.rows(id, from)
}

var namingFields = []txn.Field{txn.OrderNo, txn.ChannelTxnID, txn.RRN, txn.OrigOrder, txn.OrigChannelTxnID, txn.OrigRRN}

func (l *ledgers) rows(id string, from txn.Date) (out []reconcile.PastRow) {
	for _, s := range l.past {
		if s.Date < from || s.Date >= l.on {
			continue
		}
		for i, r := range s.rows {
			if slices.ContainsFunc(namingFields, func(f txn.Field) bool {
				return strings.TrimLeft(string(r.Get(f)), "0") == strings.TrimLeft(id, "0")
			}) {
				out = append(out, reconcile.PastRow{Date: s.Date, Row: r.Clone(), At: s.ref(i)})
			}
		}
	}
	return out
}

// saidOn makes the decisions of a day from what its book, or that of an earlier day, shows without them.
func (s *scenario) saidOn(t testing.TB, d *scriptDay, p *printer, books map[txn.Date]*reconcile.Outcome) {
	t.Helper()
	for _, w := range d.decides {
		x := reconcile.Decision{ID: fmt.Sprintf("D%d", len(s.said)+1), Status: reconcile.DecisionStatus(w[1]), Author: "Li", Reason: "said so",
			EffectiveOn: d.date, SeenOn: d.date}
		opts := map[string]string{}
		for _, o := range w[2:] {
			k, v, _ := strings.Cut(o, "=")
			opts[k] = v
		}
		if v := opts["by"]; v != "" {
			x.Author = v
		}
		if v := opts["until"]; v != "" {
			x.Until = mustDate(v)
		}
		if v := opts["seen"]; v != "" {
			x.SeenOn = mustDate(v)
		}
		class, row, both := strings.Cut(w[0], ":")
		at := slices.IndexFunc(books[x.SeenOn].Lines, func(l reconcile.Line) bool {
			named := p.row(l.At) == cmp.Or(row, class) || p.row(l.OtherAt) == cmp.Or(row, class)
			if both {
				return named && string(l.Class) == class
			}
			return named && !l.Class.OrderClass() || string(l.Class) == class
		})
		if at < 0 {
			t.Fatalf("%s: nothing to decide on %s in\n%+v", d.date, w[0], books[x.SeenOn].Lines)
		}
		l := books[x.SeenOn].Lines[at]
		x.CaseID, x.Class, x.IDs = l.CaseID, l.Class, l.IDs()
		x.Members = slices.Clone(l.Members)
		if opts["facts"] != "" {
			x.Members[0].Facts = "other"
		}
		if opts["members"] != "" {
			x.Members = append(x.Members, reconcile.Member{Key: "~other", Facts: "other"})
		}
		if opts["keys"] != "" {
			x.Members = []reconcile.Member{{Key: "~gone", Facts: "gone"}}
		}
		s.said = append(s.said, x)
	}
}
