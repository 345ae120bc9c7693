package calendar

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"daozhang/parsers/txn"
)

// Cycle is a settlement cycle: T+n counts working days, D+n natural days.
type Cycle struct {
	Working bool
	N       int
}

// MaxCycle is the largest n that a cycle may have.
const MaxCycle = 366

// ErrCycle is the cause when a text is not a cycle.
var ErrCycle = errors.New("cycle is not T+n (working days) or D+n (natural days)")

// ParseCycle reads T+n or D+n.
func ParseCycle(s string) (Cycle, error) {
	var c Cycle
	digits, ok := strings.CutPrefix(s, "T+")
	if ok {
		c.Working = true
	} else if digits, ok = strings.CutPrefix(s, "D+"); !ok {
		return Cycle{}, fmt.Errorf("%q: %w", s, ErrCycle)
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n > MaxCycle {
		return Cycle{}, fmt.Errorf("%q: %w, n from 0 to %d", s, ErrCycle, MaxCycle)
	}
	c.N = int(n)
	return c, nil
}

// String writes what ParseCycle reads.
func (c Cycle) String() string {
	if c.Working {
		return "T+" + strconv.Itoa(c.N)
	}
	return "D+" + strconv.Itoa(c.N)
}

// DueDate is Due without the note, for the many rows that nobody asks about. It allocates nothing.
func (c *Calendars) DueDate(cal string, from txn.Date, cy Cycle) (due txn.Date, loaded bool) {
	if !cy.Working {
		return from + txn.Date(cy.N), true
	}
	return c.walk(cal, from, cy.N, nil)
}

// AddWorkdays returns the n-th working day after from; with n = 0 from itself or, where it is off, the next working
// day. loaded is false if a day was judged by the weekend rule because its year is not known.
func (c *Calendars) AddWorkdays(cal string, from txn.Date, n int) (day txn.Date, loaded bool) {
	return c.walk(cal, from, n, nil)
}

// Due is the day on which money of the clearing day from must be there. T+n is the n-th working day after from, T+0
// on a day off the next working day; D+n counts natural days and asks no calendar.
//
// loaded is false if the way there leads through a year that the calendar does not know: due is then what the weekend
// rule says, so "not before". The note says in figures how the date came about, the same in every language:
//
//	T+1 cn: 2026-01-01..03 off, 2026-01-04 work
//	T+1 cn: 2027-01-01 work (cn 2027 not loaded)
func (c *Calendars) Due(cal string, from txn.Date, cy Cycle) (due txn.Date, loaded bool, note string) {
	if !cy.Working {
		due = from + txn.Date(cy.N)
		return due, true, cy.String() + ": " + due.String()
	}
	var steps []step
	due, loaded = c.walk(cal, from, cy.N, func(d txn.Date, work bool) {
		if n := len(steps); n > 0 && steps[n-1].work == work {
			steps[n-1].to = d
			return
		}
		steps = append(steps, step{d, d, work})
	})
	var b strings.Builder
	b.WriteString(cy.String() + " " + cal + ": ")
	for i, s := range steps {
		if i > 0 {
			b.WriteString(", ")
		}
		s.write(&b)
	}
	if !loaded {
		c.writeMissing(&b, cal, steps)
	}
	return due, loaded, b.String()
}

// walk steps day by day until n working days have passed and tells visit each day that it judged.
func (c *Calendars) walk(cal string, from txn.Date, n int, visit func(d txn.Date, work bool)) (txn.Date, bool) {
	d, all := from, true
	if n > 0 {
		d++
	} else {
		n = 1
	}
	for limit := 0; ; limit++ {
		work, loaded := c.Workday(cal, d)
		// A user's file may call whole years off; the walk must end all the same.
		if limit > 8*MaxCycle {
			return d, false
		}
		all = all && loaded
		if visit != nil {
			visit(d, work)
		}
		if work {
			if n--; n == 0 {
				return d, all
			}
		}
		d++
	}
}

type step struct {
	from, to txn.Date
	work     bool
}

// write shortens the end of a span to what differs from its beginning: 2026-01-01..03, 2026-01-31..02-02.
func (s step) write(b *strings.Builder) {
	from, to := s.from.String(), s.to.String()
	b.WriteString(from)
	switch {
	case s.from == s.to:
	case from[:7] == to[:7]:
		b.WriteString(".." + to[8:])
	case from[:4] == to[:4]:
		b.WriteString(".." + to[5:])
	default:
		b.WriteString(".." + to)
	}
	if s.work {
		b.WriteString(" work")
	} else {
		b.WriteString(" off")
	}
}

func (c *Calendars) writeMissing(b *strings.Builder, cal string, steps []step) {
	sep := " ("
	for y, last := yearOf(steps[0].from), yearOf(steps[len(steps)-1].to); y <= last; y++ {
		if !c.Loaded(cal, y) {
			fmt.Fprintf(b, "%s%s %d not loaded", sep, cal, y)
			sep = ", "
		}
	}
	if sep != " (" {
		b.WriteString(")")
	}
}
