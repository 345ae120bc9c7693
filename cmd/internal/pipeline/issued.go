package pipeline

import (
	"context"
	"errors"
	"time"

	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// Issued is one issued revision of a date's report.
type Issued struct {
	Date     txn.Date
	Revision int
	Run      store.Run // the run that brought it
	Folder   string
	Files    []string // names in the folder
	Newest   bool
}

// IssuedAt is the revision of a date's report that was current at an instant; with a zero instant the newest one.
// store.ErrNotFound where none was issued by then.
func (e *Engine) IssuedAt(ctx context.Context, d txn.Date, at time.Time) (Issued, error) {
	return Issued{}, errors.New("not built")
}

// DayChange says how one date of a cascade changed, for people who will not compare thirty books by eye.
type DayChange struct {
	Date             txn.Date
	Reason           string
	Former, Revision int // revision before, 0 for none, and now
	FormerVerdict    string
	Verdict          string
	Classes          []ClassChange // only those that differ
}

// ClassChange is the open exceptions of one class and currency before and after.
type ClassChange struct {
	Class             reconcile.Class
	Currency          txn.Currency
	WasCases, Cases   int
	WasAmount, Amount int64 // minor units, of the lines that have one
}

// LastCascade lists the dates that the last command computed and whose comparable part it changed, oldest first.
func (e *Engine) LastCascade(ctx context.Context) ([]DayChange, error) {
	return nil, errors.New("not built")
}
