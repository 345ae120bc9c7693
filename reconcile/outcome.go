package reconcile

import "daozhang/parsers/txn"

// Leg is one of the two joins.
type Leg string

// T-A is transaction by transaction, A-B payout by payout.
const (
	LegTA Leg = "T-A"
	LegAB Leg = "A-B"
)

// State is where a row stands on one leg. Every row is in exactly one.
type State string

// The six states.
const (
	Matched   State = "matched"
	InWindow  State = "in_window"
	Exception State = "exception"
	Explained State = "explained"
	Excluded  State = "excluded"
	Rejected  State = "rejected"
)

// Reason says why a row is in_window, or names the rule behind explained and excluded.
type Reason string

// Reasons of in_window, then the rules that explain or exclude.
const (
	NotDue          Reason = "not_due"
	EvidenceNotDue  Reason = "evidence_not_due"
	EvidenceMissing Reason = "evidence_missing"
	FeedHeld        Reason = "feed_held"

	VoidedPair      Reason = "voided"           // a sale and its void or reversal, neither of them cleared
	NeverCleared    Reason = "never_cleared"    // unknown outcome at the terminal, never cleared, due passed
	CarriedNegative Reason = "carried_negative" // a payout of zero or less: no credit is to come (P08)
	DecidedAccepted Reason = "decided_accepted" // closed by a person
	DecidedWritten  Reason = "decided_written_off"
	DecidedWrong    Reason = "decided_wrong"

	Declined        Reason = "declined"
	DuplicateUpload Reason = "duplicate_upload"
	SecondWitness   Reason = "second_witness"
	BeforeGoLive    Reason = "before_go_live"
	Unrelated       Reason = "unrelated" // a bank line that is no acquirer's
	NoMoney         Reason = "no_money"  // a preauthorisation, an information line
)

// Lifecycle of a case on the day of a book.
type Lifecycle string

// A cleared case stays in the book for the day on which it clears.
const (
	CaseNew      Lifecycle = "new"
	CaseOpen     Lifecycle = "open"
	CaseReopened Lifecycle = "reopened"
	CaseCleared  Lifecycle = "cleared"
)

// Verdict of a day.
type Verdict string

// Verdicts; never balanced with a held row.
const (
	Balanced    Verdict = "balanced"
	Differences Verdict = "differences"
	Incomplete  Verdict = "incomplete"
	Preliminary Verdict = "preliminary"
)

// Money is an optional sum: an absent side is empty, not zero.
type Money struct {
	Minor int64
	Valid bool
}

// Some makes a present sum.
func Some(minor int64) Money { return Money{Minor: minor, Valid: true} }

// Ref points at a row's evidence: delivery, member and line.
type Ref struct {
	Delivery string
	Member   string
	Line     int
	SHA256   string // of the member
	Offset   int64  `json:",omitempty"` // of the record in the member, as in txn.Position
	Entry    uint16 `json:",omitempty"`
}

// String is delivery!member.
func (r Ref) String() string {
	if r.Delivery == "" || r.Delivery == r.Member {
		return r.Member
	}
	return r.Delivery + "!" + r.Member
}

// Line is one line of exceptions.csv: one (row or pair, class), one waiting payout, or one missing or held slot.
// Amounts are minor units of Currency, signed as in the row; fees are Fine.
type Line struct {
	CaseID    string
	Alias     string // the id that the case has where only its other member is known
	Class     Class
	Status    string // open, in_window, explained, decided, cleared
	Lifecycle Lifecycle
	AgeDays   int // days past due at the close of the business date; 0 while nothing is past due
	FirstSeen txn.Date
	ClearedBy string // what made a cleared case go: pass and partner (source, date, id), a rule, or the slot whose file came
	ClusterID string
	Leg       Leg

	Source, MID, Store, TID, Batch, STAN, RRN, AuthCode, OrderNo, Channel, Kind string
	Acquirer                                                                    string

	Rows        int64
	Amount      Money // what should have come
	Other       Money // what was found
	Fee         txn.Fine
	HasFee      bool
	Fine        bool // Amount and Other are in 1e-5 of the major unit (fee classes), not in minor units
	Currency    txn.Currency
	TxnTime     txn.Time
	OtherTime   txn.Time
	SettleDate  txn.Date
	DueDate     txn.Date
	DueNote     string // why the due date is what it is, or "unknown, not before ..."
	PayoutID    string
	BankRef     string
	NearPass    string // which passes came close
	Differs     string // field=ours|theirs; ...
	CauseCode   string
	Held        bool     // evidence is held (F-class and payout lines only)
	Detail      string   // figures for the cause text, free of vendor text
	Row, Other2 *txn.Row // full rows of both sides where there are any, re-read late; Row is the first in T, A, B order
	At, OtherAt Ref
	Candidates  []Candidate // T28: who else could it be
	Members     []Member    // what the case is about, sorted by key; of a line without rows its payout, slot or gap
	Decision    *Decision   // the decision in effect; of X02 the one that the evidence contradicts
	Late        bool        // the row came in a file for a closed date
}

// Difference is other - amount where both are there.
func (l *Line) Difference() Money {
	if !l.Amount.Valid || !l.Other.Valid {
		return Money{}
	}
	return Some(l.Other.Minor - l.Amount.Minor)
}

// Candidate is a possible partner that was not chosen.
type Candidate struct {
	At     Ref
	Amount int64
	Time   txn.Time
	RRN    string
	STAN   string
}

// SideSum is the sum of the rows of one slot in one state on one leg.
type SideSum struct {
	Leg       Leg
	Side      txn.Side
	Source    string
	Slot      string
	Currency  txn.Currency
	State     State
	Reason    Reason
	Rows      int64
	CarriedIn int64 // of Rows, those that came with the carry
	Amount    int64
	Fee       txn.Fine
	Net       txn.Fine
}

// PassSum counts what one pass matched.
type PassSum struct {
	Leg      Leg
	Pass     string
	Currency txn.Currency
	Matches  int64
	Rows     int64
	Amount   int64
}

// ClassSum counts the cases of a class.
type ClassSum struct {
	Class    Class
	Currency txn.Currency
	Cases    int64
	Rows     int64
	Amount   int64
}

// PayoutSum is the tie-out of one acquirer and currency, to the fen:
// opening (in transit + overdue + held) + net cleared = found + short - over + written off + closing (in transit +
// overdue + held) + remainder, and the remainder is a named line, never hidden. All in minor units.
type PayoutSum struct {
	Acquirer string
	Currency txn.Currency
	Basis    string

	OpeningTransit, OpeningOverdue, OpeningHeld int64
	Cleared                                     int64
	Found, Short, Over, WrittenOff              int64
	ClosingTransit, Overdue, Held               int64
	Remainder                                   int64
}

// Figure is a count with its amount.
type Figure struct {
	Rows   int64
	Amount int64
}

// RollSum is one line of the roll-forward: opening + new - cleared + reclassified = closing.
type RollSum struct {
	Leg                                          Leg
	Side                                         txn.Side
	Class                                        Class
	Currency                                     txn.Currency
	Opening, New, Cleared, Reclassified, Closing Figure
}

// SlotSum is what the book says about one expected or received slot.
type SlotSum struct {
	Source   string
	Side     txn.Side
	Slot     string
	Date     txn.Date
	State    SlotState
	Held     bool
	Class    Class  // F-class of a missing, held or doubtful slot
	Why      string // error text, free of card numbers
	File     string // delivery!member
	SHA256   string
	Received string // instant in the entity's zone
	Revision int
	Aliases  []string // other names under which the same bytes came (F04)
	Rows     int64
	Rejected int64
	Due      string // when the slot is due
	HeldRows int64  // rows of other slots, and of this one, that wait for it
	HeldSum  int64
	Controls []ControlSum
}

// SlotState is the state of a slot as of the run's instant.
type SlotState string

// States of an expected slot.
const (
	SlotNotDue        SlotState = "not_due"
	SlotMissing       SlotState = "missing"
	SlotReceived      SlotState = "received"
	SlotReceivedEmpty SlotState = "received_empty"
)

// ControlSum is one stated figure beside the computed one.
type ControlSum struct {
	Scope, Name, Stated, Computed string
	OK                            bool
}

// GroupSum is one line of the sheet by store, terminal and acquirer.
type GroupSum struct {
	Store, TID, Acquirer, Channel  string
	MID                            string
	Currency                       txn.Currency
	TerminalRows, TerminalAmount   int64
	AcquirerRows, AcquirerAmount   int64
	MatchedRows, MatchedAmount     int64
	WaitingRows, WaitingAmount     int64
	ExceptionRows, ExceptionAmount int64 // as seen from the terminal side, else from the acquirer's
	Fee                            txn.Fine
}

// Proof decomposes one payout, or one bank credit that several payouts make, in Fine:
// sales - refunds - fees +/- adjustments +/- reserve +/- carried + rounding = expected; remainder = credit - expected.
type Proof struct {
	PayoutID   string
	Acquirer   string
	MID        string
	Channel    string
	Basis      string
	Currency   txn.Currency
	From, To   txn.Date // business dates
	Rows       int64
	Sales      txn.Fine
	Refunds    txn.Fine // negative
	Fees       txn.Fine // positive = cost
	Adjust     txn.Fine
	Reserve    txn.Fine
	Carried    txn.Fine
	Rounding   txn.Fine
	Expected   int64 // minor units
	Due        txn.Date
	DueNote    string
	State      State
	Reason     Reason
	Pass       string
	Account    string
	Credit     Money
	CreditDate txn.Date
	CreditAt   Ref
	BankRef    string
	Remainder  int64
	CaseID     string
	Members    []string // delivery!member of the files that composed it
	Group      int      // payouts of one credit share a number; 0 alone
}

// Outcome is everything that a book says about one business date, in an order fixed by data.
type Outcome struct {
	Lines   []Line
	Sides   []SideSum
	Passes  []PassSum
	Classes []ClassSum
	Payouts []PayoutSum
	Roll    []RollSum
	Slots   []SlotSum
	Groups  []GroupSum
	Proofs  []Proof
	Awaited []string // what a preliminary book waits for
	Moves   []Move
	Verdict Verdict
}

// Move is one step of the roll-forward: a row or payout that opened (From empty), was cleared (To empty), or changed its
// class. Per leg, side, class and currency the moves add up to the roll-forward's new, cleared and reclassified.
type Move struct {
	CaseID   string
	Leg      Leg
	Side     txn.Side
	Currency txn.Currency
	From, To Class
	Figure
	Cause string // what did it: pass and place of the partner, a rule's reason, or "decision <id>"
}
