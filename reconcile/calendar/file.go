package calendar

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"daozhang/parsers/txn"
)

type file struct {
	cal     string
	year    int
	entries []entry
}

type entry struct {
	day  txn.Date
	work bool
}

var fileName = regexp.MustCompile(`^([a-z][a-z0-9_]*)-([0-9]{4})\.txt$`)

// parseFile reads one calendar file. All its problems are joined, each as "name:line: what".
func parseFile(name string, data []byte) (*file, error) {
	m := fileName.FindStringSubmatch(name)
	if m == nil {
		return nil, fmt.Errorf("%s: name is not <calendar>-<year>.txt such as cn-2027.txt; rename the file: %w", name, ErrFile)
	}
	if m[1] == Weekend {
		return nil, fmt.Errorf("%s: the calendar %q has no holidays by definition; choose another name: %w", name, Weekend, ErrFile)
	}
	f := &file{cal: m[1]}
	f.year, _ = strconv.Atoi(m[2]) // four digits, as matched
	seen := map[txn.Date]int{}
	var errs []error
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	line := 0
	for raw := range bytes.Lines(data) {
		line++
		e, ok, err := parseLine(string(raw), f.year)
		if err == nil && ok && seen[e.day] > 0 {
			err = fmt.Errorf("%s stands on line %d already; keep one of the two lines", e.day, seen[e.day])
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %w: %w", name, line, err, ErrFile))
			continue
		}
		if ok {
			seen[e.day] = line
			f.entries = append(f.entries, e)
		}
	}
	return f, errors.Join(errs...)
}

// parseLine reads "date off|work name". ok is false for blank and comment lines.
func parseLine(s string, year int) (e entry, ok bool, err error) {
	if !utf8.ValidString(s) {
		return e, false, errors.New("not UTF-8 text; save the file as UTF-8")
	}
	s, _, _ = strings.Cut(s, "#")
	parts := strings.Fields(s)
	if len(parts) == 0 {
		return e, false, nil
	}
	if e.day, err = txn.ParseDate(parts[0]); err != nil {
		return e, false, err
	}
	if y := yearOf(e.day); y != year && !(y == year-1 && e.day.Time().Month() == time.December) {
		return e, false, fmt.Errorf("%s is not in %d or the December before; put it into the file of its year", e.day, year)
	}
	if len(parts) < 2 || parts[1] != "off" && parts[1] != "work" {
		return e, false, fmt.Errorf("after %s must stand off or work", e.day)
	}
	e.work = parts[1] == "work"
	return e, true, nil
}
