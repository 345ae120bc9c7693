package reconcile

import (
	"time"

	"daozhang/parsers/txn"
)

// DecisionStatus is what a person said about a case.
type DecisionStatus string

// Statuses. Accepted, written-off and wrong close the case; disputed and waiting leave it open, and say so; reopened
// takes the decision before it back.
const (
	Accepted   DecisionStatus = "accepted"    // the difference stands as it is; nobody has to act
	WrittenOff DecisionStatus = "written-off" // the money is given up
	Disputed   DecisionStatus = "disputed"    // claimed from the other party
	Waiting    DecisionStatus = "waiting"     // nothing to do before Until, or before something comes
	Wrong      DecisionStatus = "wrong"       // the report is mistaken
	Reopened   DecisionStatus = "open"
)

// DecisionStatuses lists all in the order of help texts.
func DecisionStatuses() []DecisionStatus {
	return []DecisionStatus{Accepted, WrittenOff, Disputed, Waiting, Wrong, Reopened}
}

// Closes reports whether the case is over for good, unless new evidence comes.
func (s DecisionStatus) Closes() bool { return s == Accepted || s == WrittenOff || s == Wrong }

// Member is one thing that a case is about: a row (key and facts digest), a payout, a slot, a gap of the register.
type Member struct {
	Key   string `json:"key"`
	Facts string `json:"facts"`
}

// Decision is what a person said about a case, bound to the members that the case had then. It acts on business dates
// from EffectiveOn on and is found by the keys of its members, so that it survives a change of the case's id. It stands
// only as long as the case has the same members with the same facts: new evidence wins.
type Decision struct {
	ID          string
	CaseID      string
	Class       Class // of the case when it was decided
	Status      DecisionStatus
	Until       txn.Date // of waiting: from this date on the case is open again; 0 = no limit
	Author      string
	Reason      string
	At          time.Time
	EffectiveOn txn.Date // the newest run business date when it was entered
	SeenOn      txn.Date // business date of the book from which the case was decided
	Members     []Member // sorted by key
	IDs         []string // order, channel id and RRN of its rows, to look up what became of them
}
