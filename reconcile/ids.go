package reconcile

import (
	"daozhang/parsers/txn"
	"daozhang/reconcile/register"
)

// Identifiers of sources become ours here, through the dated register, before any key is made.

// idKey and idMap cache the register's answers: a day asks the same few terminals millions of times.
type idKey struct {
	acq, mid, tid symbol
	day           txn.Date
	side          txn.Side
}

type idMap struct {
	mid, tid, store        symbol // ours; store only where the register knows the terminal
	unknownMID, unknownTID bool
}

// mapIDs replaces the source's merchant and terminal ids by ours, valid on the transaction's local day.
func (d *Day) mapIDs(it *item, r *txn.Row, s *Slot) {
	k := idKey{it.acq, d.sym.intern(r.Get(txn.MID)), d.sym.intern(r.Get(txn.TID)), it.day, r.Side}
	m, ok := d.idCache[k]
	if !ok {
		m = d.lookUpIDs(string(r.Get(txn.MID)), string(r.Get(txn.TID)), s.Acquirer, r.Side, it.day)
		d.idCache[k] = m
	}
	it.mid, it.tid, it.store = m.mid, m.tid, m.store
	if own := r.Get(txn.Store); len(own) > 0 && (r.Side == txn.Terminal || it.store == 0) {
		// A store number of the acquirer's own making says nothing about our stores.
		if s := d.sym.intern(own); r.Side == txn.Terminal || d.ourStore(s, it.day) {
			it.store = s
		}
	}
	if m.unknownMID {
		it.flags |= unknownMID
	}
	if m.unknownTID && it.channel != txn.Online {
		it.flags |= unknownTID
	}
}

// ourStore reports whether the register has the store on that day.
func (d *Day) ourStore(s symbol, on txn.Date) bool {
	k := storeKey{s, on}
	known, ok := d.stores[k]
	if !ok {
		_, known = d.set.Register.Store(d.sym.str(s), on)
		d.stores[k] = known
	}
	return known
}

type storeKey struct {
	store symbol
	on    txn.Date
}

func (d *Day) lookUpIDs(mid, tid, acquirer string, side txn.Side, on txn.Date) (m idMap) {
	reg := d.set.Register
	ours, known := mid, false
	if side == txn.Acquirer {
		if r, ok := reg.Merchant(acquirer, mid, on); ok {
			ours, known = r.MID, true
		}
	}
	if _, ok := reg.MerchantByID(mid, on); ok && !known {
		known = true
	}
	if !known {
		if r, ok := d.externalMerchant(mid, on); ok {
			ours, known = r.MID, true
		}
	}
	m.unknownMID = !known && mid != "" && d.hasMerchants
	if !txn.Blank([]byte(ours)) {
		m.mid = d.sym.intern([]byte(ours))
	}
	if txn.Blank([]byte(tid)) {
		return m
	}
	t, ok := reg.Terminal(ours, tid, on)
	if !ok {
		t, ok = reg.TerminalByID(tid, on)
	}
	if ok {
		tid = t.TID
		m.store = d.sym.intern([]byte(t.Store))
	}
	// A merchant without any terminal on record (a wallet, a gateway) has ids of its own making in that column.
	m.unknownTID = !ok && d.withTerminals[ours]
	m.tid = d.sym.intern([]byte(tid))
	return m
}

// externalMerchant finds the merchant whose acquirer, any acquirer, calls it mid.
func (d *Day) externalMerchant(mid string, on txn.Date) (register.Merchant, bool) {
	for _, a := range d.acquirers {
		if m, ok := d.set.Register.Merchant(a, mid, on); ok {
			return m, true
		}
	}
	return register.Merchant{}, false
}

type contractKey struct {
	mid, class, mcc symbol
	channel         txn.Channel
	on              txn.Date
}

type contractHit struct {
	c   register.Contract
	err error
}

// contract finds the terms of a row. The error is register.ErrNoContract or a tie.
func (d *Day) contract(mid symbol, ch txn.Channel, class, mcc symbol, on txn.Date) (*register.Contract, error) {
	k := contractKey{mid, class, mcc, ch, on}
	h, ok := d.contracts[k]
	if !ok {
		h = &contractHit{}
		h.c, h.err = d.set.Register.Contract(d.sym.str(mid), ch, d.sym.str(class), d.sym.str(mcc), on)
		d.contracts[k] = h
	}
	return &h.c, h.err
}
