package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"daozhang/cmd/internal/pipeline"
	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// arrival is a file that came for a date after the date had been run: the cause why it is run again.
type arrival struct {
	Date   txn.Date // whose book it changes
	For    txn.Date // the closed date that it speaks of; 0: Date itself
	Source string
	Side   txn.Side
	File   string // as its sender named it
	What   string // came late, came, was corrected
}

// String is the line that people read, such as "2026-01-05: bill ums_20260105.txt came late".
func (x arrival) String() string {
	closed := ""
	if x.For != 0 {
		closed = " for the closed " + x.For.String()
	}
	return fmt.Sprintf("%s: %s %s%s %s", x.Date, x.kind(), plain(x.File), closed, x.What)
}

func (x arrival) kind() string {
	switch x.Side {
	case txn.Terminal:
		return "journal"
	case txn.Acquirer:
		return "bill"
	case txn.Bank:
		return "statement"
	}
	return "file"
}

// arrivals lists what came for the planned dates since each was last run, by date, source and slot.
func arrivals(ctx context.Context, e *pipeline.Engine, plan []pipeline.Planned) ([]arrival, error) {
	var out []arrival
	for _, p := range plan {
		known, ran, err := lastInputs(ctx, e, p.Date)
		if err != nil {
			return nil, err
		}
		if ran { // else nothing is late for it
			current, err := e.DB.CurrentSlots(ctx, p.Date)
			if err != nil {
				return nil, err
			}
			for _, r := range current {
				if what := since(known, r.Slot.Key, r); what != "" {
					if out, err = addArrival(ctx, e, out, arrival{Date: p.Date, What: what}, r); err != nil {
						return nil, err
					}
				}
			}
		}
		late, err := e.DB.LateRevisions(ctx, p.Date)
		if err != nil {
			return nil, err
		}
		for _, r := range late {
			// As an input of the open date, the slot has its own date before its key.
			if since(known, r.Slot.Date.String()+" "+r.Slot.Key, r.Revision) == "" {
				continue
			}
			if out, err = addArrival(ctx, e, out, arrival{Date: p.Date, For: r.Slot.Date, What: "came late"}, r.Revision); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// lastInputs are what the last run of a date knew.
func lastInputs(ctx context.Context, e *pipeline.Engine, d txn.Date) (known []store.Input, ran bool, err error) {
	run, err := e.DB.LatestRun(ctx, d)
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	known, err = e.DB.RunInputs(ctx, d, run.N)
	return known, true, err
}

func addArrival(ctx context.Context, e *pipeline.Engine, list []arrival, x arrival, r store.Revision) ([]arrival, error) {
	src, ok := e.Config.Source(r.Slot.Source)
	if !ok {
		return list, nil // a source that is configured no more is no input
	}
	name, err := e.FileName(ctx, r)
	if err != nil {
		return nil, err
	}
	x.Source, x.Side, x.File = src.Name, src.Side, name
	if slices.Contains(list, x) { // one statement, several accounts
		return list, nil
	}
	return append(list, x), nil
}

// since says what the file of a slot is to a run that knew the inputs, in which the slot has that key; empty where the run
// had it.
func since(known []store.Input, key string, r store.Revision) string {
	what := "came late"
	for _, in := range known {
		if in.Kind != store.SlotInput || in.Source != r.Slot.Source {
			continue
		}
		same := in.Key == key
		switch {
		case same && in.Digest == r.Content:
			return ""
		case same && in.Digest != "":
			return "was corrected"
		case in.State == string(reconcile.SlotNotDue) && (same || in.Digest == ""):
			what = "came" // it was awaited
		}
	}
	return what
}

// plain makes a text from outside safe to print on one line.
func plain(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	}) {
		return fmt.Sprintf("%q", s)
	}
	return s
}
