package calendar

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"daozhang/parsers/txn"
)

//go:embed data/*.txt
var builtin embed.FS

// Names of the calendars that the product knows without any user file.
const (
	CN      = "cn"      // mainland China: State Council notices, with make-up workdays
	HK      = "hk"      // Hong Kong general holidays
	Target2 = "target2" // Eurosystem (T2)
	Fed     = "fed"     // Fedwire
	Weekend = "weekend" // Saturday and Sunday off, nothing else; every year is loaded
)

// ErrFile is the cause of every complaint about a calendar file.
var ErrFile = errors.New("calendar file not usable")

// Calendars is a set of named calendars.
type Calendars struct {
	cals map[string]*days
}

// days is one calendar: exceptions to the weekend rule, the years they are known for, and a rule for other years.
type days struct {
	work  map[txn.Date]bool // exceptions: true = works, false = off
	years map[int]bool      // years with at least one day
	rule  *rule
}

// Builtin returns the calendars that ship with the product.
func Builtin() (*Calendars, error) {
	names, err := fs.Glob(builtin, "data/*.txt")
	if err != nil {
		return nil, fmt.Errorf("embedded calendars: %w", err)
	}
	files := make(map[string][]byte, len(names))
	for _, n := range names {
		b, err := builtin.ReadFile(n)
		if err != nil {
			return nil, fmt.Errorf("embedded calendars: %w", err)
		}
		files[strings.TrimPrefix(n, "data/")] = b
	}
	base := &Calendars{cals: map[string]*days{
		Target2: {rule: &target2Rule},
		Fed:     {rule: &fedRule},
		Weekend: {},
	}}
	return base.WithFiles(files)
}

// WithFiles returns the calendars with the given files added. A key is a file name such as cn-2027.txt; a file
// replaces whatever the calendar knew about that year, and an unknown calendar name makes a new calendar. All
// problems of all files are returned at once, joined, each as "file:line: what".
func (c *Calendars) WithFiles(files map[string][]byte) (*Calendars, error) {
	next := &Calendars{cals: maps.Clone(c.cals)}
	if next.cals == nil {
		next.cals = map[string]*days{}
	}
	parsed := make([]*file, 0, len(files))
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := parseFile(name, files[name])
		if err != nil {
			errs = append(errs, err)
			continue
		}
		parsed = append(parsed, f)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	slices.SortStableFunc(parsed, func(a, b *file) int { return a.year - b.year })
	owned := map[string]bool{}
	for _, f := range parsed {
		if !owned[f.cal] {
			next.cals[f.cal] = next.cals[f.cal].clone()
			owned[f.cal] = true
		}
		next.cals[f.cal].add(f)
	}
	return next, nil
}

func (d *days) clone() *days {
	n := &days{work: map[txn.Date]bool{}, years: map[int]bool{}}
	if d != nil {
		maps.Copy(n.work, d.work)
		maps.Copy(n.years, d.years)
		n.rule = d.rule
	}
	return n
}

func (d *days) add(f *file) {
	maps.DeleteFunc(d.work, func(day txn.Date, _ bool) bool { return yearOf(day) == f.year })
	delete(d.years, f.year)
	for _, e := range f.entries {
		d.work[e.day] = e.work
		if yearOf(e.day) == f.year {
			d.years[f.year] = true
		}
	}
}

// Workday reports whether d is a working day of the calendar, and whether the calendar knows d's year. Where it does
// not, or where there is no such calendar, the weekend rule answers and loaded is false.
func (c *Calendars) Workday(cal string, d txn.Date) (work, loaded bool) {
	k := c.cals[cal]
	if k == nil {
		return weekday(d), false
	}
	if w, ok := k.work[d]; ok {
		return w, k.loaded(cal, yearOf(d))
	}
	y := yearOf(d)
	if k.years[y] || k.rule == nil {
		return weekday(d), k.loaded(cal, y)
	}
	if !k.rule.covers(y) {
		return weekday(d), false
	}
	return weekday(d) && !k.rule.holiday(d), true
}

func (d *days) loaded(cal string, year int) bool {
	return cal == Weekend || d.years[year] || d.rule != nil && d.rule.covers(year)
}

// Known reports whether there is a calendar of this name.
func (c *Calendars) Known(cal string) bool { return c.cals[cal] != nil }

// Names lists the calendars in alphabetical order.
func (c *Calendars) Names() []string { return slices.Sorted(maps.Keys(c.cals)) }

// Loaded reports whether the calendar knows the holidays of a year.
func (c *Calendars) Loaded(cal string, year int) bool {
	k := c.cals[cal]
	return k != nil && k.loaded(cal, year)
}

// Years lists the loaded years in rising order. For "weekend", which is loaded for every year, it is empty; for
// the calendars that follow a rule it is the span for which the rule is known to hold.
func (c *Calendars) Years(cal string) []int {
	k := c.cals[cal]
	if k == nil {
		return nil
	}
	ys := slices.Collect(maps.Keys(k.years))
	if k.rule != nil {
		for y := k.rule.from; y <= k.rule.to; y++ {
			if !k.years[y] {
				ys = append(ys, y)
			}
		}
	}
	slices.Sort(ys)
	return ys
}

func yearOf(d txn.Date) int { return d.Time().Year() }

func weekday(d txn.Date) bool {
	w := d.Weekday()
	return w != time.Saturday && w != time.Sunday
}

// FileName is the name of the file that loads a year of a calendar, for messages.
func FileName(cal string, year int) string { return cal + "-" + strconv.Itoa(year) + ".txt" }
