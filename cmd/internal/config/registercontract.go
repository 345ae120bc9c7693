package config

import (
	"strings"

	"daozhang/parsers/txn"
	"daozhang/reconcile/calendar"
	"daozhang/reconcile/register"
)

// contract reads one row of contracts.csv.
func (r *row) contract(x contractRow) register.Contract {
	c := register.Contract{
		Validity: r.validity(x.From, x.To), ID: r.id("contract_id", x.ID), MID: r.id("mid", x.MID),
		CardClass: clean(x.CardClass), MCC: r.id("mcc", x.MCC), Rate: r.rate(x.Rate),
		FeeBackOnRefund: r.truth("fee_back_on_refund", x.FeeBack), CutoffSeconds: r.cutoff(x.Cutoff),
		CutoffDriftMin: r.count("cutoff_drift_min", x.Drift, 12*60), Calendar: clean(x.Calendar), Account: r.id("account", x.Account),
	}
	if s := clean(x.Channel); s != "" {
		ch, ok := txn.ParseChannel(s)
		if !ok {
			r.bad("channel", "%q is not known; %s, or leave it empty for any", s, didYouMean(s, channelNames))
		}
		c.Channel = ch
	}
	cur := r.l.currency
	if a, ok := r.l.accounts[c.Account]; ok {
		cur = a
	}
	c.Fixed, _ = r.amount("fixed", x.Fixed, cur)
	c.Cap, c.HasCap = r.amount("cap", x.Cap, cur)
	c.Min, c.HasMin = r.amount("min", x.Min, cur)

	switch c.Rounding = register.Rounding(clean(x.Rounding)); c.Rounding {
	case register.RowHalfUp, register.BatchHalfUp:
	case "":
		c.Rounding = register.RowHalfUp
	default:
		r.bad("rounding", "%q must be row-half-up or batch-half-up", x.Rounding)
	}
	switch c.Basis = register.Basis(clean(x.Basis)); c.Basis {
	case register.Announced, register.Derived:
	default:
		r.bad("payout_basis", "%q must be announced (a file states the payout) or derived (we sum it ourselves)", x.Basis)
	}
	var err error
	if c.Cycle, err = calendar.ParseCycle(clean(x.Cycle)); err != nil {
		r.bad("cycle", "%v", err)
	} else if c.Cycle.Working && c.Calendar == "" {
		r.bad("calendar", "is empty, but %s counts working days; write cn, hk, target2, fed or weekend", c.Cycle)
	}
	return c
}

// rate reads a percentage with its sign, up to five decimals.
func (r *row) rate(s string) register.Rate {
	s = clean(s)
	digits, percent := strings.CutSuffix(s, "%")
	if !percent {
		r.bad("rate", "%q has no percent sign; write 0.38%% for 38 in ten thousand", s)
		return 0
	}
	v, err := txn.ParseDecimal([]byte(strings.TrimSpace(digits)), 5)
	if err != nil || v < 0 || register.Rate(v) > register.RateUnit {
		r.bad("rate", "%q must be a percentage from 0%% to 100%% with at most five decimals", s)
		return 0
	}
	return register.Rate(v)
}

// amount reads an optional amount in major units, zero or more.
func (r *row) amount(column, s string, cur txn.Currency) (int64, bool) {
	if s = clean(s); s == "" {
		return 0, false
	}
	v, err := txn.ParseAmount(s, cur)
	if err != nil || v < 0 {
		r.bad(column, "%q must be an amount in %s such as 20 or 0.24, not negative and without thousands commas", s, cur)
		return 0, false
	}
	return v, true
}

// cutoff reads HH:MM; empty and 00:00 are the natural day.
func (r *row) cutoff(s string) int {
	s = clean(s)
	if s == "" {
		return 0
	}
	h, m := 0, 0
	ok := len(s) == 5 && s[2] == ':'
	for i, c := range []byte(s) {
		switch {
		case i == 2:
		case c < '0' || c > '9':
			ok = false
		case i < 2:
			h = h*10 + int(c-'0')
		default:
			m = m*10 + int(c-'0')
		}
	}
	if !ok || h > 23 || m > 59 {
		r.bad("cutoff", "%q is not a time of day; write HH:MM such as 23:00, or leave it empty for the natural day", s)
		return 0
	}
	return h*3600 + m*60
}
