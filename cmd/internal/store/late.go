package store

import (
	"context"
	"fmt"

	"daozhang/parsers/txn"
)

func (s *DB) auditLate(ctx context.Context, q querier, r Revision) error {
	return s.appendAudit(ctx, q, AuditEntry{Actor: programActor, Action: AuditLateFile, Subject: r.Slot.String(),
		Detail: detail(map[string]any{"delivery": r.Delivery, "file": r.File, "revision": r.N, "cause": r.Cause,
			"arrived": instant(r.Arrived), "effective_on": r.EffectiveOn.String()})})
}

// LateRevision is a file for a closed date with the file that the books had before it: the current one, or an earlier
// late booking that acts before this one, whichever was booked last.
type LateRevision struct {
	Revision
	Former *Revision // nil: there was none
}

// LateRevisions lists the revisions that came for a closed date and are booked on the date on, ordered by source, date,
// key and number; of several for one slot only the one that ranks highest.
func (s *DB) LateRevisions(ctx context.Context, on txn.Date) ([]LateRevision, error) {
	var refs []struct {
		Source string `db:"source"`
		Date   string `db:"business_date"`
		Key    string `db:"slot_key"`
	}
	// The second condition is the one of the index.
	err := s.all(ctx, &refs, `SELECT DISTINCT source, business_date, slot_key FROM slot_revisions
		WHERE effective_on = ? AND effective_on <> '' ORDER BY source, business_date, slot_key`, on.String())
	if err != nil {
		return nil, err
	}
	var list []LateRevision
	for _, r := range refs {
		date, err := parseDay(r.Date)
		if err != nil {
			return nil, fmt.Errorf("slot of source %s: %w", r.Source, err)
		}
		all, err := s.SlotHistory(ctx, SlotRef{r.Source, date, r.Key})
		if err != nil {
			return nil, err
		}
		list = append(list, lateOn(all, on))
	}
	return list, nil
}

// lateOn picks from all revisions of a slot, of which one at least is booked on the date on, the one that counts there
// and what it replaces. Revisions are in the order in which they were booked.
func lateOn(all []Revision, on txn.Date) LateRevision {
	var v LateRevision
	for i, r := range all {
		switch {
		case r.EffectiveOn == on:
			if v.N == 0 || r.replaces(v.Revision) {
				v.Revision = r
			}
		case r.Current || r.EffectiveOn != 0 && r.EffectiveOn < on:
			v.Former = &all[i]
		}
	}
	return v
}
