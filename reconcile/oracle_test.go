package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// The oracle pairs rows by the table of passes read literally, each row against each, with no index and no hash. It is
// slow, and it shares no line with the code it judges.

type oracleRow struct {
	*txn.Row
	name string
	used bool
}

func (r *oracleRow) id(f txn.Field) string {
	v := string(r.Get(f))
	switch f {
	case txn.Batch, txn.STAN, txn.RRN:
		v = strings.TrimLeft(v, "0")
	}
	return v
}

func (r *oracleRow) rank() int {
	switch r.Status {
	case txn.NoStatus, txn.Approved, txn.Processing:
		return 0
	case txn.Unknown:
		return 1
	}
	return 2
}

type oraclePass struct {
	name   string
	days   int
	unique bool
	filled []txn.Field                // must be there and equal
	amount bool                       // the amount too
	also   func(t, a *oracleRow) bool // what else must not contradict
}

// same reports whether no field that both rows carry differs.
func same(t, a *oracleRow, fs ...txn.Field) bool {
	for _, f := range fs {
		if x, y := t.id(f), a.id(f); x != "" && y != "" && x != y {
			return false
		}
	}
	return true
}

var oraclePasses = []oraclePass{
	{name: "P1a", days: 90, filled: []txn.Field{txn.ChannelTxnID, txn.MID}, also: func(t, a *oracleRow) bool { return same(t, a, txn.RefundID) }},
	{name: "P1b", days: 90, filled: []txn.Field{txn.OrderNo, txn.MID}, also: func(t, a *oracleRow) bool { return same(t, a, txn.RefundID) }},
	{name: "P2", days: 3, filled: []txn.Field{txn.RRN, txn.MID}, also: func(t, a *oracleRow) bool { return same(t, a, txn.RefundID) }},
	{name: "P3", days: 1, filled: []txn.Field{txn.TID, txn.Batch, txn.STAN}, also: surerAgree},
	{name: "P3b", days: 1, unique: true, filled: []txn.Field{txn.TID, txn.STAN}, also: func(t, a *oracleRow) bool {
		return (t.id(txn.Batch) == "" || a.id(txn.Batch) == "") && surerAgree(t, a)
	}},
	{name: "P4", days: 1, unique: true, filled: []txn.Field{txn.AuthCode, txn.CardTail}, amount: true, also: surerAgree},
}

// surerAgree: a looser pass does not join what a surer identifier tells apart.
func surerAgree(t, a *oracleRow) bool {
	return same(t, a, txn.ChannelTxnID, txn.OrderNo, txn.RRN, txn.MID, txn.RefundID)
}

func (p *oraclePass) joins(t, a *oracleRow) bool {
	if t.Kind != a.Kind || p.amount && t.Amount != a.Amount {
		return false
	}
	for _, f := range p.filled {
		if t.id(f) == "" || t.id(f) != a.id(f) {
			return false
		}
	}
	gap := int(t.Time.Date() - a.Time.Date())
	return gap <= p.days && -gap <= p.days && p.also(t, a)
}

func oracle(ts, as []*oracleRow) map[string]string {
	out := map[string]string{}
	take := func(p *oraclePass, t, a *oracleRow) {
		t.used, a.used = true, true
		out[t.name] = a.name + " " + p.name
	}
	free := func(rows []*oracleRow) (out []*oracleRow) {
		for _, r := range rows {
			if !r.used {
				out = append(out, r)
			}
		}
		return out
	}
	for i := range oraclePasses {
		p := &oraclePasses[i]
		ts, as := free(ts), free(as)
		if p.unique {
			count := map[*oracleRow]int{}
			for _, t := range ts {
				for _, a := range as {
					if p.joins(t, a) {
						count[t]++
						count[a]++
					}
				}
			}
			for _, t := range ts {
				for _, a := range as {
					if p.joins(t, a) && count[t] == 1 && count[a] == 1 {
						take(p, t, a)
					}
				}
			}
			continue
		}
		for rank := range 3 {
			for _, equal := range []bool{true, false} {
				for _, t := range ts {
					if t.used || t.rank() != rank {
						continue
					}
					if a := p.best(t, as, equal); a != nil {
						take(p, t, a)
					}
				}
			}
		}
	}
	return out
}

// best is the partner of equal (or unequal) amount with the same refund id, else the same terminal, else the first.
func (p *oraclePass) best(t *oracleRow, as []*oracleRow, equal bool) *oracleRow {
	var best *oracleRow
	score := -1
	for _, a := range as {
		if a.used || (t.Amount == a.Amount) != equal || !p.joins(t, a) {
			continue
		}
		n := 0
		if r := t.id(txn.RefundID); r != "" && r == a.id(txn.RefundID) {
			n += 2
		}
		if x := t.id(txn.TID); x != "" && x == a.id(txn.TID) {
			n++
		}
		if n > score {
			best, score = a, n
		}
	}
	return best
}

// ranked sorts by status, amount, terminal, time, place.
func ranked(rows []*oracleRow) {
	slices.SortStableFunc(rows, func(a, b *oracleRow) int {
		switch {
		case a.rank() != b.rank():
			return a.rank() - b.rank()
		case a.Amount != b.Amount:
			return int(a.Amount - b.Amount)
		case a.id(txn.TID) != b.id(txn.TID):
			return strings.Compare(a.id(txn.TID), b.id(txn.TID))
		case a.Time.Unix != b.Time.Unix:
			return int(a.Time.Unix - b.Time.Unix)
		}
		return a.Pos.Compare(b.Pos)
	})
}

func TestPassesPairAsTheTableSays(t *testing.T) {
	pairs := map[string]int{}
	seeds(t, 200, func(t *testing.T, seed uint64) {
		s := randomDay(seed, mustDate("2026-01-06"))
		b := s.run(t, s.days[0], nil, nil)
		got := map[string]string{}
		p := &printer{}
		p.rows = map[reconcile.Ref]string{}
		p.name(s.days[0])
		for _, m := range b.pairs {
			r, o := b.refs(m)
			if name := p.row(r); name[0] == 't' && m.Pass != "P5" && m.Pass != "P6" {
				got[name] = p.row(o) + " " + m.Pass
				pairs[m.Pass]++
			}
		}
		var ts, as []*oracleRow
		for _, slot := range s.days[0].slots {
			for i, r := range slot.rows {
				if !r.Kind.Transaction() || r.Kind == txn.Preauth {
					continue
				}
				x := &oracleRow{Row: r, name: slot.names[i]}
				switch slot.Side {
				case txn.Terminal:
					ts = append(ts, x)
				case txn.Acquirer:
					as = append(as, x)
				}
			}
		}
		ranked(ts)
		ranked(as)
		want := oracle(ts, as)
		for name := range want {
			if got[name] != want[name] {
				t.Errorf("%s: got %q, the table says %q", name, got[name], want[name])
			}
		}
		for name := range got {
			if want[name] == "" {
				t.Errorf("%s: got %q, the table pairs it with nothing", name, got[name])
			}
		}
	})
	for _, p := range oraclePasses {
		if pairs[p.name] < 20 {
			t.Errorf("only %d pairs of pass %s in all days: the generator is too tame", pairs[p.name], p.name)
		}
	}
	t.Log(fmt.Sprint(pairs))
}
