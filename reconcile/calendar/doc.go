// Package calendar answers which days are working days and when money is due.
//
// A calendar is a set of dated exceptions to the weekend rule (Saturday and Sunday off). Mainland China ("cn") and
// Hong Kong ("hk") come from one embedded text file a year; "target2" (Eurosystem) and "fed" (Fedwire) follow fixed
// rules; "weekend" knows no holidays. A file looks like this:
//
//	# Source: State Council notice ...
//	2026-01-03 off 元旦
//	2026-01-04 work 元旦
//
// An "off" day is no working day; a "work" day is a make-up workday (调休), a weekend day on which banks work. A year
// for which a calendar holds no day is not loaded: the weekend rule answers, and the answer is marked as such, because
// a due date computed without the holidays would call money late that is not.
//
// Holidays of the coming year are published in the autumn. Users add or replace a year with a file of their own
// ([Calendars.WithFiles]). A notice for one year sometimes names days of the December before it, so that a file may
// hold those too; where two files state the same day, the file of the later year wins.
//
// Values are immutable after they are built and safe for concurrent use.
package calendar
