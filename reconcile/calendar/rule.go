package calendar

import (
	"time"

	"daozhang/parsers/txn"
)

// rule computes the holidays of calendars that need no yearly notice. from and to bound the years for which the
// rule is known to hold.
type rule struct {
	from, to int
	holiday  func(d txn.Date) bool // asked for weekdays only
}

func (r *rule) covers(year int) bool { return year >= r.from && year <= r.to }

// target2Rule: closing days of T2 (TARGET2) as fixed by the ECB since 2002: New Year's Day, Good Friday, Easter
// Monday, 1 May, 25 and 26 December. They are never moved.
var target2Rule = rule{from: 2002, to: 2099, holiday: func(d txn.Date) bool {
	t := d.Time()
	switch m, day := t.Month(), t.Day(); {
	case m == time.January && day == 1, m == time.May && day == 1, m == time.December && (day == 25 || day == 26):
		return true
	}
	easter := Easter(t.Year())
	return d == easter-2 || d == easter+1
}}

// fedRule: holidays of the Federal Reserve Banks, since Juneteenth joined them. A holiday on a Sunday is observed on
// the Monday after; one on a Saturday is not moved: Fedwire is open on the Friday before.
var fedRule = rule{from: 2022, to: 2099, holiday: func(d txn.Date) bool {
	if fixedFed(d.Time()) || d.Weekday() == time.Monday && fixedFed((d-1).Time()) {
		return true
	}
	t := d.Time()
	nth := (t.Day()-1)/7 + 1
	switch t.Weekday() {
	case time.Monday:
		switch t.Month() {
		case time.January, time.February: // Martin Luther King Jr., Washington
			return nth == 3
		case time.May: // Memorial Day: the last one
			return t.Day() > 24
		case time.September: // Labor Day
			return nth == 1
		case time.October: // Columbus
			return nth == 2
		}
	case time.Thursday:
		return t.Month() == time.November && nth == 4
	}
	return false
}}

func fixedFed(t time.Time) bool {
	switch day := t.Day(); t.Month() {
	case time.January:
		return day == 1
	case time.June:
		return day == 19
	case time.July:
		return day == 4
	case time.November:
		return day == 11
	case time.December:
		return day == 25
	}
	return false
}

// Easter is Easter Sunday of a year in the Gregorian calendar (Meeus, Jones, Butcher).
func Easter(year int) txn.Date {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return txn.MakeDate(year, time.Month(n/31), n%31+1)
}
