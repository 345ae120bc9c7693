package reconcile

import (
	"slices"
	"strings"

	"daozhang/parsers/txn"
)

// nearest explains why an open row has no partner: the pass that came closest among the rows of the other side that are
// open too, and the fields in which the closest one differed.

type nearKey struct {
	by     uint8
	a, b   symbol
	amount int64
	side   txn.Side
}

const (
	nearRRN uint8 = iota
	nearOrder
	nearChannel
	nearSTAN
	nearAuth
	nearAmount
)

var nearPasses = [...]string{nearRRN: "P2", nearOrder: "P1b", nearChannel: "P1a", nearSTAN: "P3", nearAuth: "P4", nearAmount: "P6"}

func nearKeys(it *item) []nearKey {
	var ks []nearKey
	add := func(k nearKey, ok bool) {
		if ok {
			k.side = it.side
			ks = append(ks, k)
		}
	}
	add(nearKey{by: nearChannel, a: it.chanID}, it.chanID != 0)
	add(nearKey{by: nearOrder, a: it.order}, it.order != 0)
	add(nearKey{by: nearRRN, a: it.rrn}, it.rrn != 0)
	add(nearKey{by: nearSTAN, a: it.stan, b: it.tid}, it.stan != 0 && it.tid != 0)
	add(nearKey{by: nearAuth, a: it.auth, b: it.tail}, it.auth != 0 && it.tail != 0)
	add(nearKey{by: nearAmount, a: it.mid, b: it.tid, amount: it.amount}, it.mid != 0)
	return ks
}

// indexNear lists the open rows of leg T-A under everything that could have joined them.
func (d *Day) indexNear() {
	d.near = map[nearKey][]int{}
	var open []int32
	for i := range d.items {
		if it := &d.items[i]; it.side != txn.Bank && it.ta.open() && it.partner < 0 {
			open = append(open, int32(i))
		}
	}
	slices.SortFunc(open, d.before)
	for _, i := range open {
		it := &d.items[i]
		for _, k := range nearKeys(it) {
			if len(d.near[k]) < 8 {
				d.near[k] = append(d.near[k], int(i))
			}
		}
	}
}

// nearest returns the pass and the differing fields, and the candidates behind them.
func (d *Day) nearest(i int) (pass, differs string, found []int) {
	it := &d.items[i]
	other := txn.Acquirer
	if it.side == txn.Acquirer {
		other = txn.Terminal
	}
	for _, k := range nearKeys(it) {
		k.side = other
		for _, j := range d.near[k] {
			o := &d.items[j]
			if k.by == nearAmount && (o.day-it.day > 1 || it.day-o.day > 1) || slices.Contains(found, j) {
				continue
			}
			if pass == "" {
				pass = nearPasses[k.by]
				t, a := it, o
				if it.side == txn.Acquirer {
					t, a = o, it
				}
				differs = d.differs(t, a)
			}
			found = append(found, j)
		}
	}
	return pass, differs, found
}

// differs names the fields in which the terminal and the acquirer row disagree: field=terminal|acquirer, joined by "; ".
func (d *Day) differs(t, a *item) string {
	var out []string
	add := func(name, x, y string) {
		if x != y && x != "" && y != "" {
			out = append(out, name+"="+x+"|"+y)
		}
	}
	add("currency", d.currencyOf(t).String(), d.currencyOf(a).String())
	add("amount", txn.FormatAmount(t.amount, d.currencyOf(t)), txn.FormatAmount(a.amount, d.currencyOf(a)))
	add("kind", t.kind.String(), a.kind.String())
	if t.status.Success() != a.status.Success() {
		add("status", t.status.String(), stateOr(a.status))
	}
	for _, f := range [...]struct {
		name string
		x, y symbol
	}{{"merchant_id", t.mid, a.mid}, {"terminal_id", t.tid, a.tid}, {"store_id", t.store, a.store}, {"batch_no", t.batch, a.batch},
		{"trace_no", t.stan, a.stan}, {"rrn", t.rrn, a.rrn}, {"auth_code", t.auth, a.auth}, {"order_no", t.order, a.order},
		{"channel_txn_id", t.chanID, a.chanID}, {"refund_no", t.refund, a.refund}} {
		add(f.name, d.sym.str(f.x), d.sym.str(f.y))
	}
	if t.day != a.day {
		add("date", t.day.String(), a.day.String())
	}
	return strings.Join(out, "; ")
}

func stateOr(s txn.Status) string {
	if s == txn.NoStatus {
		return txn.Approved.String()
	}
	return s.String()
}
