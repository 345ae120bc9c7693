// Package register holds the user's dated master data: stores, merchants with the acquirers' ids, terminals,
// contracts, accounts and payers.
//
// Every record is valid from one day to another, both inclusive; a zero ValidTo is open. Look-ups take the day: fees
// use the acquirer row's business date, terminals the local transaction date. [New] checks the tables as a whole and
// reports every problem with the lines of all records that take part in it.
//
// A [Register] is immutable after New and safe for concurrent use. Its look-ups are made for millions of calls: they
// use maps built once and allocate nothing.
package register

import (
	"strings"

	"daozhang/parsers/txn"
	"daozhang/reconcile/calendar"
)

// Validity is the span of days on which a record holds, both ends inclusive, and where the record stands.
type Validity struct {
	From, To txn.Date // To zero: open
	Line     string   // file:line, for messages
}

// Covers reports whether the record holds on the day.
func (v Validity) Covers(on txn.Date) bool { return on >= v.From && (v.To == 0 || on <= v.To) }

// overlap is the first day on which both hold.
func (v Validity) overlap(w Validity) (txn.Date, bool) {
	first := max(v.From, w.From)
	return first, v.Covers(first) && w.Covers(first)
}

// Store is a place of sale.
type Store struct {
	Validity
	ID   string
	Name string
}

// Merchant is a merchant number of ours with the id under which one acquirer knows it. One MID may have a record for
// each of several acquirers.
type Merchant struct {
	Validity
	MID         string
	Acquirer    string
	ExternalMID string // the acquirer's id; New fills in MID where it is empty
	LegalName   string
	MCC         string
}

// Terminal is a terminal of one merchant.
type Terminal struct {
	Validity
	TID           string
	MID           string
	Store         string // empty for a web shop
	ExternalTID   string // the acquirer's id; New fills in TID where it is empty
	OfflineLimitH int    // hours within which an offline sale must be sent; 0: the default
}

// Account is a bank account that receives payouts.
type Account struct {
	Validity
	ID       string // account number as it stands in bank statements
	Bank     string
	Currency txn.Currency
	Owner    string
}

// Payer is a name under which an acquirer pays.
type Payer struct {
	Validity
	Name     string
	Acquirer string
	Licensed bool // a licensed institution (against 二清)
}

// Basis says what a payout rests on.
type Basis string

// An announced payout stands in a file of the acquirer; a derived one we sum ourselves.
const (
	Announced Basis = "announced"
	Derived   Basis = "derived"
)

// Rounding says at which level a fee is rounded to the minor unit, half up.
type Rounding string

// Where fees are rounded.
const (
	RowHalfUp   Rounding = "row-half-up"
	BatchHalfUp Rounding = "batch-half-up"
)

// Rate is an exact share, counted in 1e-7: 0.38 % is 38000.
type Rate int64

// RateUnit is the rate of 100 %.
const RateUnit Rate = 10_000_000

// String writes the rate as the register spells it: 0.38%.
func (r Rate) String() string {
	s := string(txn.AppendDecimal(nil, int64(r), 5))
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + "%"
}

// Contract is what an acquirer promised: fee, cut-off, cycle and account. Empty MID, Channel, CardClass and MCC mean
// any. Fixed, Cap and Min are in minor units of the transaction's currency.
type Contract struct {
	Validity
	ID        string
	MID       string
	Channel   txn.Channel // NoChannel: any
	CardClass string
	MCC       string

	Rate     Rate
	Fixed    int64 // added to the rate's share
	Cap, Min int64
	HasCap   bool
	HasMin   bool

	Rounding        Rounding
	FeeBackOnRefund bool

	Cycle          calendar.Cycle
	CutoffSeconds  int // local seconds after midnight from which a sale belongs to the next clearing day; 0: natural day
	CutoffDriftMin int // minutes by which the acquirer's cut may stray
	Calendar       string
	Basis          Basis
	Account        string // empty: any account of the acquirer's payers
}

// ClearingDate is the clearing day on which the acquirer should book a transaction of local time t: the day of t, or
// the next one from the cut-off on. It is 0 where there is no time; a time without a time of day stays on its day.
func (c Contract) ClearingDate(t txn.Time) txn.Date {
	d := t.Date()
	if d != 0 && !t.DateOnly && c.CutoffSeconds > 0 && t.Clock() >= c.CutoffSeconds {
		d++
	}
	return d
}

// NearCutoff reports whether t is within the drift of the cut-off (of midnight, for a natural day), so that the
// acquirer may have booked it on the neighbouring clearing day. A time without a time of day may be on either side of
// any cut-off but midnight.
func (c Contract) NearCutoff(t txn.Time) bool {
	if t.IsZero() {
		return false
	}
	if t.DateOnly {
		return c.CutoffSeconds > 0
	}
	away := t.Clock() - c.CutoffSeconds
	if away < 0 {
		away = -away
	}
	away = min(away, secondsPerDay-away)
	return c.CutoffDriftMin > 0 && away <= c.CutoffDriftMin*60
}

const secondsPerDay = 24 * 60 * 60
