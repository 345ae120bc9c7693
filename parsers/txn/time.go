package txn

import (
	"fmt"
	"time"
)

// Date is a calendar day, counted from 1970-01-01. The zero value means "no date".
type Date int32

// DateOf is the calendar day of t in t's own zone.
func DateOf(t time.Time) Date { return MakeDate(t.Year(), t.Month(), t.Day()) }

// MakeDate builds a date; out-of-range days roll over as in time.Date.
func MakeDate(y int, m time.Month, d int) Date {
	return Date(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// ParseDate reads YYYY-MM-DD and refuses days that do not exist.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("date %q is not YYYY-MM-DD", s)
	}
	return DateOf(t), nil
}

// Time returns the day's midnight in UTC.
func (d Date) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// In returns the day's midnight in loc.
func (d Date) In(loc *time.Location) time.Time {
	t := d.Time()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, loc)
}

// Weekday of the date.
func (d Date) Weekday() time.Weekday { return d.Time().Weekday() }

// String writes YYYY-MM-DD, and nothing for no date.
func (d Date) String() string {
	if d == 0 {
		return ""
	}
	return d.Time().Format(time.DateOnly)
}

// Compact writes YYYYMMDD.
func (d Date) Compact() string { return d.Time().Format("20060102") }

// Time is an instant with the zone of its source. DateOnly marks a source that gives no time of day: Unix is then
// local midnight and only the date may be compared. The zero value means "no time".
type Time struct {
	Unix     int64 // seconds since 1970 UTC
	Offset   int32 // seconds east of UTC at that instant, as the source's zone says
	DateOnly bool
}

// TimeOf keeps t and its zone's offset, to the second.
func TimeOf(t time.Time) Time {
	_, off := t.Zone()
	return Time{Unix: t.Unix(), Offset: int32(off)}
}

// IsZero reports whether there is no time at all.
func (t Time) IsZero() bool { return t == Time{} }

// Date is the local calendar day.
func (t Time) Date() Date {
	if t.IsZero() {
		return 0
	}
	local := t.Unix + int64(t.Offset)
	d := local / 86400
	if local%86400 < 0 {
		d--
	}
	return Date(d)
}

// Clock is the local time of day in seconds since midnight.
func (t Time) Clock() int {
	s := (t.Unix + int64(t.Offset)) % 86400
	if s < 0 {
		s += 86400
	}
	return int(s)
}

// String writes local "YYYY-MM-DD HH:MM:SS", the date alone where no time of day is known, nothing for no time.
func (t Time) String() string {
	if t.IsZero() {
		return ""
	}
	if t.DateOnly {
		return t.Date().String()
	}
	return time.Unix(t.Unix+int64(t.Offset), 0).UTC().Format(time.DateTime)
}
