package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/robfig/cron/v3"
)

// maxSpec bounds the length of a schedule; the longest that says something has a list in each field.
const maxSpec = 400

// CompileCron reads a schedule of five fields (minute, hour, day of month, month, weekday) in a zone. It refuses what
// the cron library would accept or stumble over: zones inside the spec, @every and the other names, seconds, and
// schedules that do not fire within five years. So no schedule fires more often than once a minute.
//
// A month has the name jan or the number 1, a weekday sun or 0 (7 is sunday too). Where both day of month and weekday
// are given, either is enough, as everywhere with cron.
func CompileCron(spec string, loc *time.Location) (cron.Schedule, error) {
	fields := strings.Fields(spec)
	switch {
	case len(spec) > maxSpec:
		return nil, fmt.Errorf("schedule of %d characters; write at most %d", len(spec), maxSpec)
	case strings.Contains(strings.ToUpper(spec), "TZ="): // the library panics on a zone without a schedule behind it
		return nil, fmt.Errorf("schedule %q: a zone does not belong here, the configuration's own zone is used; remove it", spec)
	case strings.HasPrefix(strings.TrimSpace(spec), "@"):
		return nil, fmt.Errorf(`schedule %q: names and @every are not known, since a business date has a time of day; write minute, hour, day of month, month and weekday, such as "30 10 * * *"`, spec)
	case len(fields) == 6 || len(fields) == 7:
		return nil, fmt.Errorf("schedule %q has %d fields, as schedules with seconds do, but one that fires more than once a minute is refused; remove the seconds, and the year if there is one", spec, len(fields))
	case len(fields) != 5:
		return nil, fmt.Errorf(`schedule %q has %d fields but must have five: minute, hour, day of month, month and weekday, such as "30 10 * * *"`, spec, len(fields))
	case slices.ContainsFunc(fields, func(f string) bool { return slices.Contains(strings.Split(f, ","), "") }):
		return nil, fmt.Errorf("schedule %q: a list has an empty place; a comma too many?", spec) // the library skips it
	}
	s, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(strings.Join(sundays(fields), " "))
	if err != nil {
		return nil, fmt.Errorf(`schedule %q: %v; write minute, hour, day of month, month and weekday, such as "30 10 * * *"`, spec, err)
	}
	if ss, ok := s.(*cron.SpecSchedule); ok {
		ss.Location = loc
	}
	// The library looks five years ahead and then gives up.
	if s.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, fmt.Errorf("schedule %q never fires within five years; there is no such day, correct day and month", spec)
	}
	return s, nil
}

// sundays writes a weekday 7, which the library does not know, as 0: alone, in a list, or at the end of a range.
func sundays(fields []string) []string {
	fields = slices.Clone(fields)
	days := strings.Split(fields[4], ",")
	for i, d := range days {
		if d == "7" {
			days[i] = "0"
		} else if from, ok := strings.CutSuffix(d, "-7"); ok {
			days[i] = from + "-6,0"
		}
	}
	fields[4] = strings.Join(days, ",")
	return fields
}

func (r *reader) cron(dst *string) read {
	return func(n ast.Node, path string) {
		s, ok := r.str(n, path)
		if !ok {
			return
		}
		if _, err := CompileCron(s, time.UTC); err != nil {
			r.errorf(n, "%s: %v", path, err)
			return
		}
		*dst = s
	}
}
