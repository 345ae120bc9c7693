package fetch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"daozhang/parsers/txn"
)

// Source is one configured origin of files. It is read-only on the other side, always.
type Source struct {
	Name     string
	Place    Dialer
	Dir      string // folder at the place; "" for where the login lands
	Patterns []*Pattern
	SlotKey  []string // captures that make the slot key; all but date, ts and run if empty

	Complete  Completeness
	LookBack  int   // days before the window that are looked at too, so that a missed night heals; 7 if 0, none if negative
	Retention int   // days after which the vendor deletes files; 0 if not known
	MaxSize   int64 // bytes of one file; 4 GiB if 0
	MaxNames  int   // names in the folder; 200,000 if 0
	ReadOnce  bool  // the server gives each file once: it is not looked at again after reading, and stable is not asked
	Retry     Retry
}

// Retry bounds how often something is tried that may work later.
type Retry struct {
	Attempts int           // 3 if 0
	Base     time.Duration // before the second attempt, doubled each time; 2 s if 0
	Max      time.Duration // 30 s if 0
}

// Window is the span of business dates asked for, both ends included. A zero end is open.
type Window struct{ From, To txn.Date }

// Check says everything that is wrong with a source before any connection is made.
func (s Source) Check() error {
	var errs []error
	if s.Name == "" {
		errs = append(errs, errors.New("source without a name"))
	}
	if s.Place == nil {
		errs = append(errs, fmt.Errorf("source %s: no place to fetch from", s.Name))
	}
	if len(s.Patterns) == 0 {
		errs = append(errs, fmt.Errorf("source %s: no pattern of file names", s.Name))
	}
	for _, p := range s.Patterns {
		for _, k := range s.SlotKey {
			if p != nil && !contains(p.names, k) {
				errs = append(errs, fmt.Errorf("source %s: slot key %s is no capture of pattern %q", s.Name, k, p))
			}
		}
	}
	if c := s.Complete; c.Polls < 0 || c.Pause < 0 {
		errs = append(errs, fmt.Errorf("source %s: completeness: polls and pause cannot be negative", s.Name))
	}
	if s.ReadOnce && s.Complete.Stable {
		errs = append(errs, fmt.Errorf("source %s: stable looks cannot be had from a server that gives each file once", s.Name))
	}
	return errors.Join(errs...)
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

func (s Source) withDefaults() Source {
	switch {
	case s.LookBack == 0:
		s.LookBack = 7
	case s.LookBack < 0:
		s.LookBack = 0
	}
	if s.MaxSize == 0 {
		s.MaxSize = 4 << 30
	}
	if s.MaxNames == 0 {
		s.MaxNames = 200_000
	}
	if s.Retry.Attempts <= 0 {
		s.Retry.Attempts = 3
	}
	if s.Retry.Base == 0 {
		s.Retry.Base = 2 * time.Second
	}
	if s.Retry.Max == 0 {
		s.Retry.Max = 30 * time.Second
	}
	s.Complete = s.Complete.withDefaults(s.ReadOnce)
	return s
}

// Landed is a file that is durable in the archive.
type Landed struct {
	Source     string
	RemoteName string
	RemotePath string
	Size       int64
	MTime      time.Time // as the place gave it
	SHA256     string
	Path       string // in the archive
	Alias      bool   // the same bytes were in the archive before
	ReceivedAt time.Time
	Captures   Captures
	SlotKey    string
	Date       txn.Date // from the name; 0 if it has none
	HostKey    string   // fingerprint of the server; "" for a local folder
	Identity   string   // what let us in
	Proof      string   // what proves that the file is whole, e.g. "stable", "sha256 sidecar"
}

// Verdict is what was done with one name.
type Verdict string

// The verdicts.
const (
	Taken   Verdict = "taken"   // landed by this fetch
	Have    Verdict = "have"    // landed earlier
	Waiting Verdict = "waiting" // wanted, not complete yet
	Skipped Verdict = "skipped" // not of this source, or not of this window
	Refused Verdict = "refused" // a name or a kind of entry that is never fetched
	Failed  Verdict = "failed"  // wanted, and it went wrong
)

// Decision explains one name of a listing.
type Decision struct {
	Name    string // as listed: quote it before printing
	Verdict Verdict
	Reason  string // stable word for programs and translations, e.g. outside-window
	Why     string // the same for people, in English, with the figures
	Size    int64
	MTime   time.Time
	Date    txn.Date
	SlotKey string
	SHA256  string
	Err     error // for Failed, classified
}

// String prints the decision on one line.
func (d Decision) String() string {
	s := fmt.Sprintf("%-8s %s", d.Verdict, quoteName(d.Name))
	if d.Why != "" {
		s += ": " + d.Why
	}
	return s
}

// Report is all that one fetch of one source did.
type Report struct {
	Source    string
	Peer      Peer
	Listed    int // names in the folder
	Landed    []Landed
	Decisions []Decision // one for each name, sorted by name
	Warnings  []string
}

// Sighting is how long a file has looked the same.
type Sighting struct {
	Size  int64
	MTime time.Time
	First time.Time // first look with this size and time
	Looks int
}

// Seen remembers sightings from one run to the next, so that a file which has not changed since yesterday need not be
// waited for today.
type Seen interface {
	Recall(source, name string) (Sighting, bool)
	Remember(source, name string, s Sighting)
}

// Fetcher fetches sources into one archive. It knows of no database: what it must remember it asks and tells through
// its fields. All but Archive may be nil. It may be used by several goroutines if its fields may.
type Fetcher struct {
	Archive *Archive
	// Known tells whether this very file was recorded before, and as what.
	Known func(source, name string, size int64, mtime time.Time) (sha string, ok bool)
	// Record is called after the bytes are durable. Its error is of ClassDisk and ends the source's fetch.
	Record func(ctx context.Context, l Landed) error
	Seen   Seen
	Now    func() time.Time                                 // time.Now
	Sleep  func(ctx context.Context, d time.Duration) error // waits for d or the end of ctx
}
