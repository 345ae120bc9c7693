package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"daozhang/parsers/txn"
)

// span reads the dates of a run. Without any it is the days up to yesterday in the entity's zone.
func (a *app) span(f runFlags, loc *time.Location) (from, to txn.Date, asked bool, err error) {
	yesterday := a.yesterday(loc)
	switch {
	case f.reprocess != "" && !slices.Contains(reprocesses(), f.reprocess):
		return 0, 0, false, usage(fmt.Errorf("--reprocess %q is none of %s", f.reprocess, strings.Join(reprocesses(), ", ")))
	case f.reprocess != "" && f.date == "" && f.from == "" && f.to == "":
		return 0, 0, false, usage(errors.New("--reprocess needs dates: give --from and --to, or --date"))
	case f.date != "" && (f.from != "" || f.to != ""):
		return 0, 0, false, usage(errors.New("give --date, or --from and --to, not both"))
	case f.date != "":
		from, err = parseDate("--date", f.date, yesterday)
		return from, from, true, err
	case f.from != "" || f.to != "":
		if f.from == "" || f.to == "" {
			return 0, 0, false, usage(errors.New("--from and --to go together"))
		}
		if from, err = parseDate("--from", f.from, yesterday); err != nil {
			return 0, 0, false, err
		}
		if to, err = parseDate("--to", f.to, yesterday); err != nil {
			return 0, 0, false, err
		}
		if to < from {
			return 0, 0, false, usage(fmt.Errorf("--to %s lies before --from %s", to, from))
		}
		return from, to, true, nil
	}
	return yesterday, yesterday, false, nil
}

// yesterday is the newest business date that is over.
func (a *app) yesterday(loc *time.Location) txn.Date { return txn.DateOf(a.now().In(loc)) - 1 }

// parseDate reads the date of a flag.
func parseDate(flag, s string, yesterday txn.Date) (txn.Date, error) {
	if s == "yesterday" {
		return yesterday, nil
	}
	d, err := txn.ParseDate(s)
	if err != nil {
		return 0, usage(fmt.Errorf("%w; write %s 2026-01-05 or %s yesterday", err, flag, flag))
	}
	return d, nil
}

// asOf reads the instant of a run; default the clock, cut to the minute.
func (a *app) asOf(s string, loc *time.Location) (time.Time, error) {
	if s == "" {
		return a.now().Truncate(time.Minute), nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, s, loc); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usage(fmt.Errorf("--as-of %q is no instant; write 2026-01-06T09:00 or 2026-01-06T09:00:00+08:00", s))
}
