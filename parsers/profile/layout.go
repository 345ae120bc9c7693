package profile

import (
	"errors"
	"fmt"
	"time"

	"daozhang/parsers/txn"
)

var (
	errLayout   = errors.New("not a date or time of the layout")
	errCalendar = errors.New("no such day or time")
	errNoYear   = errors.New("the year cannot be told: the business date is unknown")
)

// layout is a date or time pattern: yyyy yy MM dd HH mm ss, anything else is literal.
type layout struct {
	steps              []step
	text               string
	hasDate, hasClock  bool
	hasYear, shortYear bool
	width              int
}

type step struct {
	part byte // y M d H m s, or 0 for a literal byte
	n    uint8
	lit  byte
}

func parseLayout(s string) (layout, error) {
	l := layout{text: s}
	folded := fold(s)
	for i := 0; i < len(folded); {
		c, n := folded[i], 1
		for i+n < len(folded) && folded[i+n] == c {
			n++
		}
		switch c {
		case 'y', 'M', 'd', 'H', 'm', 's':
			if n != 2 && !(c == 'y' && n == 4) {
				return l, fmt.Errorf("layout %q: %c must be written %c%c (or yyyy)", s, c, c, c)
			}
			l.steps = append(l.steps, step{part: c, n: uint8(n)})
			l.hasDate = l.hasDate || c == 'd'
			l.hasClock = l.hasClock || c == 'H'
			l.hasYear = l.hasYear || c == 'y'
			l.width += n
		default:
			for range n {
				l.steps = append(l.steps, step{lit: c})
			}
			l.width += n
		}
		i += n
	}
	if !l.hasDate && !l.hasClock {
		return l, fmt.Errorf("layout %q has neither a day (dd) nor an hour (HH)", s)
	}
	return l, nil
}

// stamp is a parsed date and time of day; year is 0 where the layout has none.
type stamp struct{ year, month, day, clock int }

// parse reads all of b.
func (l *layout) parse(b []byte) (stamp, error) {
	if len(b) != l.width {
		return stamp{}, errLayout
	}
	var p stamp
	var h, m, s int
	i := 0
	for _, st := range l.steps {
		if st.part == 0 {
			if b[i] != st.lit {
				return stamp{}, errLayout
			}
			i++
			continue
		}
		v := 0
		for range st.n {
			c := b[i] - '0'
			if c > 9 {
				return stamp{}, errLayout
			}
			v = v*10 + int(c)
			i++
		}
		switch st.part {
		case 'y':
			p.year = v
			if st.n == 2 {
				p.year += 2000
			}
		case 'M':
			p.month = v
		case 'd':
			p.day = v
		case 'H':
			h = v
		case 'm':
			m = v
		case 's':
			s = v
		}
	}
	if h > 23 || m > 59 || s > 59 {
		return stamp{}, errCalendar
	}
	p.clock = h*3600 + m*60 + s
	if l.hasDate && (p.month < 1 || p.month > 12 || p.day < 1 || (l.hasYear && (p.year < 1970 || p.day > monthDays(p.year, p.month)))) {
		return stamp{}, errCalendar
	}
	return p, nil
}

// date makes the calendar day, taking a missing year from ref: the nearest one, or the newest that is not after ref
// by more than a month.
func (p stamp) date(hasYear bool, ref txn.Date, before bool) (txn.Date, error) {
	if hasYear {
		return civil(p.year, p.month, p.day), nil
	}
	if ref == 0 {
		return 0, errNoYear
	}
	year := ref.Time().Year()
	best, found := txn.Date(0), false
	for y := year - 4; y <= year+1; y++ { // four years back reach the last 29 February
		if p.day > monthDays(y, p.month) {
			continue
		}
		d := civil(y, p.month, p.day)
		if before && d > ref+31 {
			continue
		}
		if !found || distance(d, ref) < distance(best, ref) {
			best, found = d, true
		}
	}
	if !found {
		return 0, errCalendar
	}
	return best, nil
}

func distance(a, b txn.Date) txn.Date {
	if a < b {
		return b - a
	}
	return a - b
}

func monthDays(y, m int) int {
	switch m {
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// civil counts days since 1970-01-01 in the Gregorian calendar.
func civil(y, m, d int) txn.Date {
	if m <= 2 {
		y--
		m += 12
	}
	return txn.Date(365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1 - 719468)
}

// clockZone turns local dates and clocks into instants and remembers the offsets of the last days.
type clockZone struct {
	loc  *time.Location
	days [8]zoneDay
}

type zoneDay struct {
	day    txn.Date
	offset int32
	steady bool // the offset holds all day
	known  bool
}

func (z *clockZone) instant(d txn.Date, clock int, dateOnly bool) txn.Time {
	k := &z.days[uint32(d)%uint32(len(z.days))]
	if !k.known || d != k.day {
		_, from := d.In(z.loc).Zone()
		_, to := (d + 1).In(z.loc).Zone()
		*k = zoneDay{d, int32(from), from == to, true}
	}
	if k.steady {
		return txn.Time{Unix: int64(d)*86400 + int64(clock) - int64(k.offset), Offset: k.offset, DateOnly: dateOnly}
	}
	t := d.Time()
	out := txn.TimeOf(time.Date(t.Year(), t.Month(), t.Day(), clock/3600, clock/60%60, clock%60, 0, z.loc))
	out.DateOnly = dateOnly
	return out
}
