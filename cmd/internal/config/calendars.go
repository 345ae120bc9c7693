package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"daozhang/reconcile/calendar"
)

// What is read into memory at most, in bytes.
const (
	maxConfigFile   = 4 << 20
	maxCalendarFile = 1 << 20
	maxRegisterFile = 256 << 20
)

// LoadCalendars returns the calendars that ship with the product together with the files <calendar>-<year>.txt of a
// folder; an empty name stands for no folder.
func LoadCalendars(dir string) (*calendar.Calendars, Problems) {
	cals, err := calendar.Builtin()
	if err != nil {
		return nil, Problems{{Text: err.Error()}}
	}
	if dir == "" {
		return cals, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, Problems{{File: dir, Text: fmt.Sprintf("folder of calendars: %v; create it or remove the key calendars", err)}}
	}
	files := map[string][]byte{}
	var ps Problems
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".txt") {
			continue
		}
		path := filepath.Join(dir, e.Name())
		data, err := readBounded(path, maxCalendarFile)
		if err != nil {
			ps = append(ps, Problem{File: path, Text: err.Error()})
			continue
		}
		files[e.Name()] = data
	}
	with, err := cals.WithFiles(files)
	if err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			ps = append(ps, located(dir, line))
		}
	}
	if ps.Err() != nil {
		return nil, ps
	}
	return with, ps
}

func readBounded(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, unwrapPath(err)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("file has %d bytes, more than the %d that such a file may have", info.Size(), limit)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, unwrapPath(err)
	}
	return data, nil
}

// unwrapPath drops the path from a file error: the problem names it already.
func unwrapPath(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

var fileLine = regexp.MustCompile(`^([^:\s]+):([0-9]+)(: )?`)

// located makes a problem of "file:line: text" about a file in dir. Where two lines are named, the text keeps both.
func located(dir, text string) Problem {
	m := fileLine.FindStringSubmatch(text)
	if m == nil {
		return Problem{File: dir, Text: text}
	}
	p := Problem{File: filepath.Join(dir, m[1]), Text: text}
	p.Line, _ = strconv.Atoi(m[2])
	if m[3] != "" {
		p.Text = text[len(m[0]):]
	}
	return p
}
