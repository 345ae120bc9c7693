package reconcile

// Class is what is wrong with a row, a payout, a bank line or a file: a fact. Codes are stable; docs/exceptions.md
// explains each.
type Class string

// Classes by family: F file and feed, T terminal and acquirer, P payout and fee, B bank, X process.
const (
	F01 Class = "F01" // slot missing after its deadline
	F02 Class = "F02" // file came after its deadline
	F03 Class = "F03" // file cut short
	F04 Class = "F04" // same bytes again
	F05 Class = "F05" // corrected file: the same slot with other content
	F06 Class = "F06" // empty though there was traffic
	F07 Class = "F07" // control total disagrees
	F08 Class = "F08" // rows rejected
	F09 Class = "F09" // layout drifted, or nothing configured claims the file
	F10 Class = "F10" // rows of another date or merchant, or slots that cannot be told apart
	F11 Class = "F11" // bank balances do not chain

	T01 Class = "T01" // waiting, not due
	T02 Class = "T02" // terminal only
	T03 Class = "T03" // acquirer only
	T04 Class = "T04" // amounts differ
	T05 Class = "T05" // terminal failed, acquirer settled
	T06 Class = "T06" // terminal approved, acquirer failed
	T07 Class = "T07" // reversal lost
	T08 Class = "T08" // reversal at the acquirer only
	T09 Class = "T09" // void lost, sale settled
	T10 Class = "T10" // terminal log uploaded twice
	T11 Class = "T11" // acquirer cleared twice
	T13 Class = "T13" // refund without original
	T14 Class = "T14" // refund missing at the acquirer
	T15 Class = "T15" // refund missing at the terminal
	T16 Class = "T16" // refunds above what was paid
	T24 Class = "T24" // cleared a day later because of the cut-off
	T28 Class = "T28" // several candidates
	T30 Class = "T30" // merchant or terminal not in the register
	T34 Class = "T34" // terminal or store differs

	P01 Class = "P01" // payout is not the sum of its parts
	P02 Class = "P02" // fee differs from the contract
	P08 Class = "P08" // payout of zero or less

	B01 Class = "B01" // payout not due
	B02 Class = "B02" // payout overdue
	B03 Class = "B03" // credit short
	B04 Class = "B04" // credit over
	B06 Class = "B06" // several payouts in one credit
	B08 Class = "B08" // credit of an acquirer without a payout
	B13 Class = "B13" // paid twice
	B14 Class = "B14" // debit by an acquirer

	X01 Class = "X01" // verdict of an issued report changed
	X02 Class = "X02" // new evidence contradicts a decision
	X03 Class = "X03" // change to a closed date
	X05 Class = "X05" // contract, calendar or account missing for a date
)

// Owner is who must act.
type Owner string

// Owners.
const (
	NoOwner     Owner = ""
	OwnStore    Owner = "store"
	OwnAcquirer Owner = "acquirer"
	OwnBank     Owner = "bank"
	OwnFinance  Owner = "finance"
	OwnSystem   Owner = "system"
)

// ClassInfo is what the product always says about a class, whatever the row.
type ClassInfo struct {
	Class    Class
	Severity int // 0 info ... 4 critical
	Owner    Owner
	Finding  bool // attaches to a row without changing its state
}

var classes = []ClassInfo{
	{F01, 3, OwnSystem, false}, {F02, 1, OwnSystem, true}, {F03, 3, OwnSystem, false}, {F04, 0, OwnSystem, true}, {F05, 2, OwnFinance, true}, {F06, 2, OwnAcquirer, false},
	{F07, 3, OwnSystem, false}, {F08, 2, OwnSystem, false}, {F09, 3, OwnSystem, false}, {F10, 3, OwnAcquirer, false},
	{F11, 3, OwnFinance, false},
	{T01, 0, NoOwner, false}, {T02, 3, OwnAcquirer, false}, {T03, 3, OwnStore, false}, {T04, 3, OwnFinance, false},
	{T05, 4, OwnStore, false}, {T06, 3, OwnAcquirer, false}, {T07, 4, OwnAcquirer, false}, {T08, 4, OwnStore, false},
	{T09, 2, OwnAcquirer, false}, {T10, 1, OwnSystem, true}, {T11, 4, OwnAcquirer, false}, {T13, 3, OwnStore, true},
	{T14, 3, OwnAcquirer, false}, {T15, 2, OwnFinance, false}, {T16, 4, OwnFinance, true}, {T24, 0, NoOwner, true}, {T28, 2, OwnFinance, false},
	{T30, 3, OwnSystem, true}, {T34, 2, OwnSystem, true},
	{P01, 3, OwnAcquirer, true}, {P02, 3, OwnAcquirer, true}, {P08, 2, OwnFinance, true},
	{B01, 0, NoOwner, false}, {B02, 4, OwnAcquirer, false}, {B03, 3, OwnAcquirer, false}, {B04, 2, OwnFinance, false},
	{B06, 1, OwnFinance, true}, {B08, 2, OwnFinance, false}, {B13, 2, OwnFinance, false},
	{B14, 2, OwnFinance, false},
	{X01, 1, OwnFinance, true}, {X02, 2, OwnFinance, true}, {X03, 3, OwnFinance, true}, {X05, 2, OwnSystem, true},
}

// OrderClass reports whether a class depends on the order in which files and decisions came. Such lines are no part of
// the comparable part of a day, of its verdict, or of the sums by class.
func (c Class) OrderClass() bool {
	switch c {
	case F02, F04, F05, X01, X02, X03:
		return true
	}
	return false
}

// Classes lists every class in the order of reports.
func Classes() []ClassInfo { return append([]ClassInfo(nil), classes...) }

// Info returns what is always said about the class.
func (c Class) Info() ClassInfo {
	for _, i := range classes {
		if i.Class == c {
			return i
		}
	}
	return ClassInfo{Class: c, Severity: 4}
}
