package pipeline

import (
	"cmp"
	"slices"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// line keeps the newest wording of each (case, class).
func (it *TracedItem) line(d txn.Date, l *reconcile.Line) {
	i := slices.IndexFunc(it.Lines, func(o TraceLine) bool { return o.CaseID == l.CaseID && o.Class == l.Class })
	if i < 0 {
		it.Lines = append(it.Lines, TraceLine{d, l})
	} else if it.Lines[i].Date <= d {
		it.Lines[i] = TraceLine{d, l}
	}
}

// stand records a state; one that goes on is not repeated.
func (it *TracedItem) stand(d TraceDay) {
	d.Until = d.Date
	for i := range it.Days {
		o := &it.Days[i]
		if o.Until >= d.Date-1 && o.Leg == d.Leg && o.State == d.State && o.Reason == d.Reason && o.Class == d.Class && o.Pass == d.Pass && o.At == d.At {
			o.Until = max(o.Until, d.Date)
			return
		}
	}
	it.Days = append(it.Days, d)
}

// legTA says where the transaction stands after the day, and whether it is open.
func (t *tracer) legTA(it *TracedItem, rec *recalled) (open bool) {
	for _, r := range it.Rows {
		if r.Day > rec.date || r.Row.Side == txn.Bank || !r.Row.Kind.Transaction() {
			continue
		}
		at := r.At
		if it.Matched != nil {
			at = reconcile.Ref{} // one statement for the pair
		}
		if c := carriedAs(rec.out, r); c != nil {
			open = true
			it.stand(TraceDay{Date: rec.date, Leg: reconcile.LegTA, State: c.State, Reason: waiting(c), Class: c.Class, At: at})
			continue
		}
		if it.Matched != nil && it.Matched.Date == rec.date {
			it.stand(TraceDay{Date: rec.date, Leg: reconcile.LegTA, State: reconcile.Matched, Pass: it.Matched.Pass})
		} else if it.Matched == nil && (r.Day == rec.date || carriedAs(rec.in, r) != nil) {
			state, reason := t.settledBecause(r, rec)
			it.stand(TraceDay{Date: rec.date, Leg: reconcile.LegTA, State: state, Reason: reason, At: at})
		}
	}
	return open
}

func carriedAs(c *reconcile.Carry, r *TraceRow) *reconcile.CarriedItem {
	if c == nil {
		return nil
	}
	i := slices.IndexFunc(c.Items, func(x reconcile.CarriedItem) bool { return idOf(x.At, x.Row) == r.id() })
	if i < 0 {
		return nil
	}
	return &c.Items[i]
}

// waiting is the reason of an open row as far as its class tells it.
func waiting(c *reconcile.CarriedItem) reconcile.Reason {
	switch {
	case c.State != reconcile.InWindow:
		return ""
	case c.Class == reconcile.T01 || c.Class == reconcile.B01:
		return reconcile.NotDue
	case c.Class != "" && c.Class[0] == 'F':
		return reconcile.EvidenceMissing
	}
	return reconcile.EvidenceNotDue
}

// settledBecause names the rule that takes an unmatched row out of the leg, from what the row itself and the day's book
// say. The book keeps no list of such rows.
func (t *tracer) settledBecause(r *TraceRow, rec *recalled) (reconcile.State, reconcile.Reason) {
	day := r.Row.Time.Date()
	for i := range rec.outcome.Lines {
		if l := &rec.outcome.Lines[i]; l.Class == reconcile.T10 && idOf(l.At, l.Row) == r.id() {
			return reconcile.Excluded, reconcile.DuplicateUpload
		}
	}
	switch {
	case r.Row.Side == txn.Acquirer && !r.Pays:
		return reconcile.Excluded, reconcile.SecondWitness
	case r.Row.Kind == txn.Preauth:
		return reconcile.Excluded, reconcile.NoMoney
	case t.e.Config.GoLive != 0 && day != 0 && day < t.e.Config.GoLive:
		return reconcile.Excluded, reconcile.BeforeGoLive
	case r.Row.Side == txn.Acquirer && !r.Row.Status.Success():
		return reconcile.Excluded, reconcile.NoMoney
	case r.Row.Status == txn.Declined || r.Row.Status == txn.Failed || r.Row.Status == txn.Closed:
		return reconcile.Excluded, reconcile.Declined
	case r.Row.Status == txn.Unknown:
		return reconcile.Explained, reconcile.NeverCleared
	}
	return reconcile.Explained, reconcile.VoidedPair
}

// legAB says where the money of the item's acquirer and bank rows stands after the day, and whether it is open.
func (t *tracer) legAB(it *TracedItem, rec *recalled) (open bool) {
	for _, r := range it.Rows {
		if r.Day > rec.date {
			continue
		}
		switch {
		case r.Row.Side == txn.Acquirer && r.Day == rec.date && r.Pays || r.Row.Kind == txn.Payout:
			it.payoutsOf(t.proofsOf(r, rec), rec.date)
		case r.Row.Side == txn.Bank:
			paid := slices.Clone(rec.outcome.Proofs)
			paid = slices.DeleteFunc(paid, func(p reconcile.Proof) bool {
				return !p.Credit.Valid || p.CreditAt.SHA256 != r.At.SHA256 || p.CreditAt.Line != r.At.Line
			})
			it.credits(paid, rec.date)
			open = t.bankState(it, r, rec, len(paid) > 0) || open
		}
	}
	for _, p := range it.Payouts {
		i := slices.IndexFunc(rec.outcome.Proofs, func(q reconcile.Proof) bool { return samePayout(&p.Proof, &q) })
		if i < 0 {
			continue
		}
		p.Proof, p.Date, p.Shared = rec.outcome.Proofs[i], rec.date, sharing(rec.outcome.Proofs, i)
		day := TraceDay{Date: rec.date, Leg: reconcile.LegAB, State: p.State, Reason: p.Reason, Pass: p.Pass}
		for _, l := range rec.outcome.Lines {
			if l.CaseID == p.CaseID && l.Leg == reconcile.LegAB && !l.Class.Info().Finding {
				day.Class = l.Class
				it.line(rec.date, &l)
			}
		}
		it.stand(day)
		open = open || p.State == reconcile.InWindow || p.State == reconcile.Exception
	}
	return open
}

// bankState says where a bank line stands by itself.
func (t *tracer) bankState(it *TracedItem, r *TraceRow, rec *recalled, paid bool) (open bool) {
	if c := carriedAs(rec.out, r); c != nil {
		it.stand(TraceDay{Date: rec.date, Leg: reconcile.LegAB, State: c.State, Reason: waiting(c), Class: c.Class, At: r.At})
		return true
	}
	if !paid && r.Day == rec.date {
		it.stand(TraceDay{Date: rec.date, Leg: reconcile.LegAB, State: reconcile.Excluded, Reason: reconcile.Unrelated, At: r.At})
	}
	return false
}

// proofsOf are the payouts that an acquirer row can be part of: the one it names, else those of its acquirer, merchant,
// channel and business date that its file takes part in.
func (t *tracer) proofsOf(r *TraceRow, rec *recalled) []reconcile.Proof {
	mid := string(r.Row.Get(txn.MID))
	if m, ok := t.e.Register.Merchant(r.Acquirer, mid, r.Row.Time.Date()); ok {
		mid = m.MID
	} else if m, ok := t.e.Register.Merchant(r.Acquirer, mid, rec.date); ok {
		mid = m.MID
	}
	id := string(r.Row.Get(txn.PayoutID))
	var named, fit []reconcile.Proof
	for _, p := range rec.outcome.Proofs {
		switch {
		case id != "" && p.PayoutID == id:
			named = append(named, p)
		case p.MID == mid && (p.Channel == "" || p.Channel == r.Row.Channel.String()) && p.Currency == r.Row.Currency &&
			(r.Row.Business == 0 || p.From == r.Row.Business) && slices.Contains(p.Members, r.At.String()):
			fit = append(fit, p)
		}
	}
	if len(named) > 0 {
		return named
	}
	return fit
}

// payoutsOf adds the payouts that a row can be part of; more than one means that it cannot be told which.
func (it *TracedItem) payoutsOf(ps []reconcile.Proof, d txn.Date) {
	for _, p := range ps {
		it.addPayout(p, d, len(ps) == 1)
	}
}

// credits adds the payouts that a bank line pays: each of them for certain.
func (it *TracedItem) credits(ps []reconcile.Proof, d txn.Date) {
	for _, p := range ps {
		it.addPayout(p, d, true)
	}
}

func (it *TracedItem) addPayout(p reconcile.Proof, d txn.Date, certain bool) {
	for _, q := range it.Payouts {
		if samePayout(&q.Proof, &p) {
			return
		}
	}
	it.Payouts = append(it.Payouts, &TracePayout{Date: d, Proof: p, Certain: certain})
}

func samePayout(a, b *reconcile.Proof) bool {
	return a.Acquirer == b.Acquirer && a.PayoutID == b.PayoutID && a.MID == b.MID && a.Channel == b.Channel && a.From == b.From &&
		a.Currency == b.Currency
}

// sharing names the payouts that the credit of the n-th pays beside it.
func sharing(ps []reconcile.Proof, n int) (out []string) {
	for i, p := range ps {
		if i != n && p.Group != 0 && p.Group == ps[n].Group {
			out = append(out, cmp.Or(p.PayoutID, p.MID+" "+p.Channel+" "+p.From.String()))
		}
	}
	return out
}
