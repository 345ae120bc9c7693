package reconcile

import "daozhang/parsers/txn"

// Look-ups of rows that earlier days have settled.

// pastRows lists the settled rows that carry the id or name it as their original's. An id is asked for once.
func (d *Day) pastRows(id string) []PastRow {
	if d.set.History == nil || id == "" {
		return nil
	}
	rows, asked := d.past[id]
	if !asked {
		rows = d.set.History.Past(id, max(d.set.Date-txn.Date(d.set.Rules.HistoryDays), 0))
		d.past[id] = rows
	}
	return rows
}

// pastIDs are the identifiers of a settled row, as matching sees them.
type pastIDs struct {
	mid, tid, batch, stan, rrn   symbol
	order, chanID, refund        symbol
	origOrder, origChan, origRRN symbol
}

func (d *Day) pastIDs(r *txn.Row) pastIDs {
	on := r.Time.Date()
	if on == 0 {
		on = r.Business
	}
	m := d.lookUpIDs(string(r.Get(txn.MID)), string(r.Get(txn.TID)), "", r.Side, on)
	id := func(f txn.Field, trim bool) symbol {
		v := r.Get(f)
		if txn.Blank(v) {
			return 0
		}
		if trim {
			v = txn.TrimZeros(v)
		}
		return d.sym.intern(v)
	}
	return pastIDs{m.mid, m.tid, id(txn.Batch, true), id(txn.STAN, true), id(txn.RRN, true), id(txn.OrderNo, false), id(txn.ChannelTxnID, false),
		id(txn.RefundID, false), id(txn.OrigOrder, false), id(txn.OrigChannelTxnID, false), id(txn.OrigRRN, true)}
}

// again finds rows of today that an earlier day has settled: a terminal log that was uploaded once more (T10), a
// settlement that was cleared once more (T11). Only rows without a partner are looked up.
func (d *Day) again() {
	if d.set.History == nil {
		return
	}
	for i := range d.items {
		it := &d.items[i]
		if it.carried >= 0 || it.partner >= 0 || it.ta.state != 0 || it.twin >= 0 {
			continue
		}
		k, ok := d.copyKeyOf(it)
		if !ok {
			continue
		}
		if _, out := d.outside(it); out {
			continue
		}
		id := k.rrn
		if id == 0 {
			id = k.chanID
		}
		for _, r := range d.pastRows(d.sym.str(id)) {
			if !d.samePast(it, &k, &r) {
				continue
			}
			d.copyOf[i] = d.set.History.Place(r)
			if it.side == txn.Terminal {
				it.ta = judge(Excluded, DuplicateUpload, T10)
			} else {
				it.flags |= wasTwin
			}
			break
		}
	}
}

// samePast reports whether the row is the settled one, by the rules of copies.
func (d *Day) samePast(it *item, k *copyKey, r *PastRow) bool {
	if r.Row.Side != it.side || r.Row.Kind != it.kind || r.Row.Amount != it.amount || r.Row.Currency != d.currencyOf(it) {
		return false
	}
	p := d.pastIDs(r.Row)
	if it.side == txn.Terminal {
		return p.mid == it.mid && p.tid == it.tid && p.batch == it.batch && p.stan == it.stan && p.rrn == it.rrn && r.Row.Time.Unix == it.unix
	}
	return p.mid == it.mid && (k.rrn != 0 && p.rrn == k.rrn || k.chanID != 0 && p.chanID == k.chanID) && agree(it.refund, p.refund) && agree(it.chanID, p.chanID)
}
