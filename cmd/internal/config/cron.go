package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/robfig/cron/v3"
)

// CompileCron reads a schedule of five fields (minute, hour, day of month, month, weekday) in a zone. It refuses what
// the cron library would accept or stumble over: zones inside the spec, @every, and schedules that never fire.
func CompileCron(spec string, loc *time.Location) (cron.Schedule, error) {
	if strings.Contains(spec, "TZ=") { // the library panics on a zone without a schedule behind it
		return nil, fmt.Errorf("schedule %q: a zone does not belong here, the configuration's own zone is used; remove it", spec)
	}
	s, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(spec)
	if err != nil {
		return nil, fmt.Errorf(`schedule %q: %v; write minute, hour, day of month, month and weekday, such as "30 10 * * *"`, spec, err)
	}
	if ss, ok := s.(*cron.SpecSchedule); ok {
		ss.Location = loc
	}
	// The library looks five years ahead and then gives up.
	if s.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, fmt.Errorf("schedule %q never fires; there is no such day, correct day and month", spec)
	}
	return s, nil
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
