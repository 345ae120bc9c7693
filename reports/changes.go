package reports

import (
	"time"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// Changes is what a revision says about itself: what became known since the one before it, and which cases it changed.
// It depends on the order in which things came and is no part of what is compared between two books of a date.
type Changes struct {
	Former      int       // revision compared with; 0: this is the first
	FormerAsOf  time.Time // as-of of that revision
	FormerFinal bool
	Inputs      []InputChange // numbered from 1 by their place; CaseChange.Cause refers to it
	Cases       []CaseChange  // ordered as the book's lines, those that are gone last
	Decisions   []reconcile.Decision
	Files       []FileChange // corrected files, with what the correction changed
}

// InputChange is one thing that is known now and was not, or was otherwise, when the former revision was made.
type InputChange struct {
	Kind   string // late_file, new_file, corrected_file, withdrawn_file, slot_state, decision, register, carry, lookup, config, program
	Source string
	Slot   string
	File   string // delivery!member
	By     string // of a decision its author
	Detail string // figures and names, free of card numbers
	At     time.Time
}

// CaseState is how a book shows a case: its gravest line.
type CaseState struct {
	Class         reconcile.Class // empty: the book does not have it
	Status        string
	Lifecycle     string
	Amount, Other reconcile.Money
	Fine          bool
}

// CaseChange is one case that the two revisions show differently.
type CaseChange struct {
	CaseID     string
	MergedInto string // the id under which the case goes on
	Change     string // new, gone, class, amount, status, merged
	Was, Is    CaseState
	Currency   txn.Currency
	Cause      []int // numbers of Inputs, likeliest first
}

// FileChange compares a corrected file with the one before it.
type FileChange struct {
	Source, Slot           string
	File, Former           string // delivery!member
	Revision               int
	Added, Removed, Edited reconcile.Figure // Edited: their number, and new minus old amount
	Before, After          int64            // sums of the rows that differ
	Currency               txn.Currency
	Rows                   []RowChange // the first ones
}

// RowChange is one row of a corrected file.
type RowChange struct {
	Change   string // added, removed, changed
	Line     int    // in the new file; of a removed row in the former one
	Text     string // what identifies the row
	Was, Is  reconcile.Money
	Currency txn.Currency
}
