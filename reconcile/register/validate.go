package register

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"daozhang/parsers/txn"
)

// validate checks the tables as a whole. A table that is empty as a whole was not given: nothing is checked against it.
func (r *Register) validate() []error {
	t := &r.tables
	var errs []error

	errs = append(errs, each(t.Stores, func(s *Store) error {
		return firstError(need(s.Line, "store_id", s.ID), period(s.Validity))
	})...)
	errs = append(errs, overlaps(r.stores, t.Stores, func(s *Store) Validity { return s.Validity },
		func(s *Store) string { return "store " + s.ID })...)

	errs = append(errs, each(t.Merchants, func(m *Merchant) error {
		return firstError(need(m.Line, "mid", m.MID), need(m.Line, "acquirer", m.Acquirer), period(m.Validity))
	})...)
	errs = append(errs, overlaps(r.merchants, t.Merchants, merchantValidity,
		func(m *Merchant) string { return "external_mid " + m.ExternalMID + " of " + m.Acquirer })...)

	errs = append(errs, each(t.Terminals, r.terminal)...)
	errs = append(errs, overlaps(r.terminals, t.Terminals, terminalValidity,
		func(x *Terminal) string { return "tid " + x.TID + " of mid " + x.MID })...)
	errs = append(errs, r.externalTerminals()...)

	errs = append(errs, each(t.Contracts, r.contract)...)
	errs = append(errs, overlaps(r.contracts.at, t.Contracts, func(c *Contract) Validity { return c.Validity }, (*Contract).covers)...)
	errs = append(errs, r.ties()...)

	errs = append(errs, each(t.Accounts, func(a *Account) error {
		return firstError(need(a.Line, "account", a.ID), period(a.Validity))
	})...)
	errs = append(errs, overlaps(r.accounts, t.Accounts, func(a *Account) Validity { return a.Validity },
		func(a *Account) string { return "account " + a.ID })...)

	acquirers := map[string]bool{}
	for i := range t.Merchants {
		acquirers[t.Merchants[i].Acquirer] = true
	}
	errs = append(errs, each(t.Payers, func(p *Payer) error {
		if err := firstError(need(p.Line, "name", p.Name), need(p.Line, "acquirer", p.Acquirer), period(p.Validity)); err != nil {
			return err
		}
		if len(acquirers) > 0 && !acquirers[p.Acquirer] {
			return dangling(p.Line, "acquirer", p.Acquirer, "merchants")
		}
		return nil
	})...)
	return append(errs, overlaps(r.payers, t.Payers, func(p *Payer) Validity { return p.Validity },
		func(p *Payer) string { return "payer " + p.Name })...)
}

func (r *Register) terminal(x *Terminal) error {
	if err := firstError(need(x.Line, "tid", x.TID), need(x.Line, "mid", x.MID), period(x.Validity)); err != nil {
		return err
	}
	if !met(r.byMID[x.MID], r.tables.Merchants, merchantValidity, x.Validity) {
		return dangling(x.Line, "mid", x.MID, "merchants")
	}
	if x.Store != "" && !met(r.stores[x.Store], r.tables.Stores, func(s *Store) Validity { return s.Validity }, x.Validity) {
		return dangling(x.Line, "store_id", x.Store, "stores")
	}
	return nil
}

func (r *Register) contract(c *Contract) error {
	if err := firstError(need(c.Line, "contract_id", c.ID), period(c.Validity)); err != nil {
		return err
	}
	if c.MID != "" && !met(r.byMID[c.MID], r.tables.Merchants, merchantValidity, c.Validity) {
		return dangling(c.Line, "mid", c.MID, "merchants")
	}
	if c.Account != "" && !met(r.accounts[c.Account], r.tables.Accounts, func(a *Account) Validity { return a.Validity }, c.Validity) {
		return dangling(c.Line, "account", c.Account, "accounts")
	}
	if c.HasCap && c.HasMin && c.Min > c.Cap {
		return fmt.Errorf("%s: min is greater than cap; exchange or correct them", c.Line)
	}
	return nil
}

// externalTerminals finds ids that would stand for two terminals of one merchant: an external_tid given twice, or
// equal to another terminal's own tid. Two records of one tid are that tid's overlap and reported as such.
func (r *Register) externalTerminals() []error {
	xs := r.tables.Terminals
	var errs []error
	for i := range xs {
		k := pair{xs[i].MID, xs[i].ExternalTID}
		for _, j := range slices.Concat(r.external[k], r.terminals[k]) {
			first, meet := xs[i].overlap(xs[j].Validity)
			sameExternal := xs[j].ExternalTID == xs[i].ExternalTID
			if xs[j].TID == xs[i].TID || !meet || sameExternal && int(j) > i {
				continue
			}
			errs = append(errs, overlapError(xs[j].Line, xs[i].Line, "external_tid "+k.b+" of mid "+k.a, first))
			break
		}
	}
	return errs
}

func (c *Contract) covers() string {
	s := "contract for mid " + orAny(c.MID)
	if c.Channel != txn.NoChannel {
		s += ", channel " + c.Channel.String()
	}
	if c.CardClass != "" {
		s += ", card class " + c.CardClass
	}
	if c.MCC != "" {
		s += ", mcc " + c.MCC
	}
	return s
}

func orAny(s string) string { return cmp.Or(s, "any") }

// overlaps reports records of one key that hold on the same day, by the line of the later one.
func overlaps[K comparable, R any](ix index[K], rs []R, valid func(*R) Validity, what func(*R) string) []error {
	type clash struct {
		at  int32
		err error
	}
	var found []clash
	for _, at := range ix {
		for n, i := range at {
			for _, j := range at[:n] {
				if first, ok := valid(&rs[i]).overlap(valid(&rs[j])); ok {
					a, b := min(i, j), max(i, j)
					found = append(found, clash{b, overlapError(valid(&rs[a]).Line, valid(&rs[b]).Line, what(&rs[b]), first)})
					break
				}
			}
		}
	}
	slices.SortStableFunc(found, func(a, b clash) int { return cmp.Compare(a.at, b.at) })
	errs := make([]error, len(found))
	for i, c := range found {
		errs[i] = c.err
	}
	return errs
}

func overlapError(a, b, what string, on txn.Date) error {
	return fmt.Errorf("%s and %s: %w of %s, both hold on %s; end the first with valid_to before the second begins", a, b, ErrOverlap, what, on)
}

// met reports whether one of the records holds on a day of the span, or whether the table was not given at all.
func met[R any](at []int32, rs []R, valid func(*R) Validity, span Validity) bool {
	for _, i := range at {
		if _, ok := valid(&rs[i]).overlap(span); ok {
			return true
		}
	}
	return len(rs) == 0
}

func dangling(line, column, id, table string) error {
	return fmt.Errorf("%s: %w: %s %q is not in %s.csv in that time; add it there or correct the id", line, ErrDangling, column, id, table)
}

func need(line, column, value string) error {
	if value == "" {
		return fmt.Errorf("%s: %w: %s must not be empty", line, ErrMissing, column)
	}
	return nil
}

func period(v Validity) error {
	if v.To != 0 && v.To < v.From {
		return fmt.Errorf("%s: %w: %s to %s; exchange or correct them", v.Line, ErrPeriod, v.From, v.To)
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func each[R any](rs []R, check func(*R) error) []error {
	var errs []error
	for i := range rs {
		if err := check(&rs[i]); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// Acquirers lists the acquirers of the merchants by name.
func (r *Register) Acquirers() []string {
	set := map[string]bool{}
	for i := range r.tables.Merchants {
		set[r.tables.Merchants[i].Acquirer] = true
	}
	return slices.Sorted(maps.Keys(set))
}
