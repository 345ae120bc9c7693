package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/fetch"
	"daozhang/cmd/internal/pipeline"
	"daozhang/cmd/internal/store"
	"daozhang/parsers"
	"daozhang/reconcile"
)

// Exit codes. Scripts rely on them; docs/contracts.md says the same. Unknown codes count as failure.
const (
	exitDone           = 0
	exitUnexpected     = 1
	exitUsage          = 2
	exitPartial        = 3
	exitConservation   = 4
	exitControl        = 4 // of parse
	exitTemporary      = 5
	exitNotify         = 6
	exitNotInitialised = 10
	exitLocked         = 11
	exitAuth           = 12
	exitExceptions     = 20
	exitInterrupted    = 130
)

// codeError carries its exit code. An empty text prints nothing: what there is to say was said.
type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *codeError) Unwrap() error { return e.err }

func usage(err error) error              { return &codeError{exitUsage, err} }
func withCode(code int, err error) error { return &codeError{code, err} }

var errInterrupted = withCode(exitInterrupted, errors.New("interrupted; the same command goes on where this one stopped"))

// exitCode is the one place where errors become exit codes. Where several apply, 4 comes before 3, 20 and 6.
func exitCode(err error) int {
	var ce *codeError
	var problems config.Problems
	var hostKey *fetch.HostKeyError
	var conservation *reconcile.ConservationError
	var claim *parsers.ClaimError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &conservation):
		return exitConservation
	case errors.As(err, &ce):
		return ce.code
	case errors.As(err, &problems), errors.As(err, &claim), errors.Is(err, store.ErrAsOf), errors.Is(err, store.ErrForeign),
		errors.Is(err, store.ErrNewerSchema), errors.Is(err, pipeline.ErrClosed):
		return exitUsage
	case errors.Is(err, store.ErrNotInitialised):
		return exitNotInitialised
	case errors.Is(err, store.ErrLocked), errors.Is(err, store.ErrLeaseLost):
		return exitLocked
	case errors.As(err, &hostKey):
		return exitAuth
	case errors.Is(err, store.ErrBusy):
		return exitTemporary
	}
	switch fetch.ClassOf(err) {
	case fetch.ClassHostKey, fetch.ClassAuth:
		return exitAuth
	case fetch.ClassRetry:
		return exitTemporary
	}
	if strings.HasPrefix(err.Error(), "unknown command") {
		return exitUsage
	}
	return exitUnexpected
}

// message is what people read of an error: one problem a line for configurations, a hint for the next step elsewhere.
func message(err error) string {
	if err == nil || err.Error() == "" {
		return ""
	}
	text := err.Error()
	switch {
	case errors.Is(err, store.ErrNotInitialised) && !strings.Contains(text, "daozhang run"):
		return text + "; `daozhang run --config FILE` makes it"
	case strings.HasPrefix(text, "unknown command"):
		return strings.ReplaceAll(text, "\n", " ") + "; see `daozhang --help`"
	case errors.Is(err, fs.ErrNotExist) && !strings.Contains(text, ";"):
		return text + "; check the path"
	}
	return text
}

// suggestFlag adds the nearest flag to an unknown one.
func suggestFlag(c *cobra.Command, err error) error {
	name, ok := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !ok {
		return err
	}
	best, dist := "", 4
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if d := distance(f.Name, name); d < dist {
			best, dist = f.Name, d
		}
	})
	if best == "" {
		return err
	}
	return fmt.Errorf("%w; did you mean --%s?", err, best)
}

// distance is the number of single-letter edits between two words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diag := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diag, row[j] = row[j], min(row[j]+1, row[j-1]+1, diag+cost)
		}
	}
	return row[len(b)]
}
