package store

import (
	"errors"
	"fmt"
	"time"
)

// Sentinels for callers; the text of the error around them says what to do.
var (
	// ErrLocked: another run holds the lease. See [LockedError].
	ErrLocked = errors.New("another run is at work")
	// ErrLeaseLost: this run was taken for dead and overtaken; it must stop without writing.
	ErrLeaseLost = errors.New("the lease was taken over by another run")
	// ErrNewerSchema: a newer version of the program has written this database.
	ErrNewerSchema = errors.New("the database was written by a newer version of daozhang")
	// ErrOlderSchema: the database needs a migration that this opening was not allowed to make.
	ErrOlderSchema = errors.New("the database needs a migration")
	// ErrNotInitialised: there is no database yet, and a command that only reads does not make one.
	ErrNotInitialised = errors.New("not initialised: no run has been made yet")
	// ErrForeign: the file or database is not daozhang's, or belongs to another entity.
	ErrForeign = errors.New("not a database of these books")
	// ErrDamaged: the database file is damaged.
	ErrDamaged = errors.New("the database is damaged")
	// ErrBusy: the database stayed locked by another process for longer than the busy timeout. Temporary.
	ErrBusy = errors.New("the database is busy")
	// ErrSettings: a durability or safety setting could not be made sure of.
	ErrSettings = errors.New("the database does not keep the required settings")
	// ErrSlotClash: two files of one delivery claim the same slot; neither may replace the other.
	ErrSlotClash = errors.New("two files of one delivery cannot be told apart")
	// ErrAsOf: the day was already run with a later as_of.
	ErrAsOf = errors.New("the day was already run with a later as_of")
	// ErrRevision: the report revision of a commit does not follow from the day's history.
	ErrRevision = errors.New("wrong report revision")
	// ErrNotFound: what was asked for is not stored.
	ErrNotFound = errors.New("not found")
	// ErrInvalid: the caller passed a value that may not be stored.
	ErrInvalid = errors.New("invalid value")
)

// LockedError says who holds a lease. It is an [ErrLocked].
type LockedError struct {
	Name      string
	Holder    string    // empty where the holder has not yet written its name
	Since     time.Time // when the holder took it
	Heartbeat time.Time // its last sign of life
}

// Error names the holder and what to do.
func (e *LockedError) Error() string {
	if e.Holder == "" {
		return fmt.Sprintf("%v (lease %s): wait until it has ended and try again", ErrLocked, e.Name)
	}
	return fmt.Sprintf("%v: %s holds the lease %s since %s, last heartbeat %s: wait until it has ended and try again",
		ErrLocked, e.Holder, e.Name, e.Since.UTC().Format(time.RFC3339), e.Heartbeat.UTC().Format(time.RFC3339))
}

// Unwrap makes it an ErrLocked.
func (e *LockedError) Unwrap() error { return ErrLocked }

func invalid(format string, args ...any) error {
	return fmt.Errorf("store: %w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
