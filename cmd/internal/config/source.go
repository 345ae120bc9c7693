package config

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"daozhang/cmd/internal/fetch"
	"daozhang/parsers"
	"daozhang/parsers/txn"
	"daozhang/reconcile/calendar"
)

// EmptyDay says what a source sends on a day without business.
type EmptyDay string

// What comes on a day without business.
const (
	NoFile    EmptyDay = "no_file"
	EmptyFile EmptyDay = "empty_file"
	Either    EmptyDay = "either"
)

// PAN says what card numbers a source's files hold.
type PAN string

// Card numbers in files. Files with full ones are refused.
const (
	NoPAN        PAN = "none"
	TruncatedPAN PAN = "truncated"
	FullPAN      PAN = "full"
)

// Source is one configured origin of files.
type Source struct {
	Name     string
	Side     txn.Side
	Acquirer string // of an acquirer source, as in the register

	Server string // SFTP server by name, with Dir the folder there;
	Dir    string
	Folder string // or a local folder

	Names    []string // patterns, see fetch.CompilePattern
	Formats  []string
	Intraday []string // those of Names whose statements are drawn during the day, before its last line; bank only
	FromName bool     // the business date is the date in the name plus NameDays, else it is in the content
	NameDays int

	Due      Due
	Days     Days
	EmptyDay EmptyDay
	Pays     bool
	PAN      PAN
	Complete Complete
	LookBack int // days

	SlotNames []string            // captures of the slot key, sorted
	Slots     map[string][]string // values that each day must bring, by capture, sorted
	AnyOf     []string            // captures of which any value will do, sorted
	Covers    Covers

	Zone     string
	Currency txn.Currency

	loc      *time.Location
	cals     *calendar.Calendars
	path     string // sources[0]
	patterns []*fetch.Pattern
}

// Patterns are Names, compiled, in their order.
func (s *Source) Patterns() []*fetch.Pattern { return s.patterns }

// Due says when a day's files must be there: a local time some days after the business date.
type Due struct {
	Days    int
	Working bool // Days counts working days of the source's calendar
	Seconds int  // local, since midnight
}

// Days says on which business dates a source sends files.
type Days struct {
	Calendar string                // working days of a calendar; empty: every day, unless one of the lists is given
	Weekdays map[time.Weekday]bool // of the weeks' days only these
	Dates    map[txn.Date]bool     // and on these days
}

// Complete says by which signs a file is whole, beside those in its content.
type Complete struct {
	Marker    []string      // suffixes of an empty file that says "done"
	Checksum  []string      // suffixes of a file with the checksum
	Ignore    []string      // suffixes of files that are still being written, beside the usual ones
	MinAge    time.Duration // since the last change
	Polls     int           // looks at which size and time must be the same
	PollEvery time.Duration
}

// Covers says for what a source's files stand. Empty lists mean that it is not said. A value may refer to captures of
// the slot key, {store}, so that each slot stands for its own.
type Covers struct {
	Merchants []string
	Stores    []string
	Accounts  []string
	Channels  []string
}

// SlotKey names a slot of a source's day: name=value pairs sorted by name, joined by commas; "" where a day has one
// slot. Commas, equals and percent signs in a value are written as in a URL.
type SlotKey string

// Location is the zone of the source's times.
func (s *Source) Location() *time.Location { return s.loc }

// Options are what formats are told about the source's files of a business date (0 if it is not known yet).
func (s *Source) Options(cards Cards, date txn.Date) parsers.Options {
	return parsers.Options{Zone: s.loc, Currency: s.Currency, CardLead: cards == First6Last, BusinessDate: date}
}

// DueAt is the instant at which the files of a business date must be there.
func (s *Source) DueAt(date txn.Date) time.Time {
	d := date + txn.Date(s.Due.Days)
	if s.Due.Working {
		d, _ = s.cals.AddWorkdays(s.calendar(), date, s.Due.Days)
	}
	t := d.Time()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, s.Due.Seconds, 0, s.loc)
}

// calendar counts working days where the source names none of its own.
func (s *Source) calendar() string {
	if s.Days.Calendar == "" {
		return calendar.Weekend
	}
	return s.Days.Calendar
}

// Expected reports whether the source promises files for a business date. In a year for which its calendar is not
// loaded the weekend rule answers.
func (s *Source) Expected(date txn.Date) bool {
	switch {
	case s.Days.Calendar != "":
		work, _ := s.cals.Workday(s.Days.Calendar, date)
		return work
	case s.Days.Weekdays != nil || s.Days.Dates != nil:
		return s.Days.Weekdays[date.Weekday()] || s.Days.Dates[date]
	}
	return true
}

// SlotKeyOf is the slot key of a file's captures.
func (s *Source) SlotKeyOf(c fetch.Captures) SlotKey {
	if len(s.SlotNames) == 0 {
		return ""
	}
	return SlotKey(c.SlotKey(s.SlotNames...))
}

// ExpectedSlots are the slots that each expected day must bring, sorted. A capture of which any value will do is left
// out of the keys: see SlotKey.Fills. It is [""] where a day has one slot.
func (s *Source) ExpectedSlots() []SlotKey {
	combos := []map[string]string{{}}
	for _, name := range slices.Sorted(maps.Keys(s.Slots)) {
		var next []map[string]string
		for _, c := range combos {
			for _, v := range s.Slots[name] {
				m := maps.Clone(c)
				m[name] = v
				next = append(next, m)
			}
		}
		combos = next
	}
	keys := make([]SlotKey, len(combos))
	for i, m := range combos {
		if len(m) > 0 {
			keys[i] = SlotKey(fetch.Captures{Values: m}.SlotKey(slices.Sorted(maps.Keys(m))...))
		}
	}
	slices.Sort(keys)
	return keys
}

// Fills reports whether a received slot is the expected one: all pairs of the expected key are in it.
func (k SlotKey) Fills(expected SlotKey) bool {
	if expected == "" || k == expected {
		return true
	}
	have := strings.Split(string(k), ",")
	for _, pair := range strings.Split(string(expected), ",") {
		if !slices.Contains(have, pair) {
			return false
		}
	}
	return true
}

// Values takes a slot key apart.
func (k SlotKey) Values() map[string]string {
	m := map[string]string{}
	if k == "" {
		return m
	}
	unescape := strings.NewReplacer("%25", "%", "%2C", ",", "%3D", "=")
	for _, pair := range strings.Split(string(k), ",") {
		name, value, _ := strings.Cut(pair, "=")
		m[name] = unescape.Replace(value)
	}
	return m
}

// CoversOf is what one slot stands for: references to captures are replaced by the slot's values. A value that refers
// to a capture that the key does not have is left out.
func (s *Source) CoversOf(k SlotKey) Covers {
	values := k.Values()
	fill := func(list []string) []string {
		var out []string
		for _, v := range list {
			if v, ok := expand(v, values); ok {
				out = append(out, v)
			}
		}
		return out
	}
	return Covers{Merchants: fill(s.Covers.Merchants), Stores: fill(s.Covers.Stores), Accounts: fill(s.Covers.Accounts),
		Channels: slices.Clone(s.Covers.Channels)}
}

var reference = regexp.MustCompile(`\{([a-z][a-z0-9_]*)\}`)

func expand(text string, values map[string]string) (string, bool) {
	ok := true
	out := reference.ReplaceAllStringFunc(text, func(ref string) string {
		v, has := values[ref[1:len(ref)-1]]
		ok = ok && has
		return v
	})
	return out, ok
}

func itoa(i int) string { return strconv.Itoa(i) }
