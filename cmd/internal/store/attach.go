package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"daozhang/parsers/txn"
)

// AttachToSlot lets a recorded file stand for a slot and returns what that changed, with the revision that holds its
// content. The order of the calls does not matter as long as arrivals and ranks tell the files apart:
//
//   - the same content again is an alias, also where a later revision has replaced it since (a server that renames
//     old files must not undo a correction), and changes nothing; a slice with the same lines that ranks higher
//     (complete after provisional) is a revision;
//   - else the highest rank is current: complete before provisional, final before intraday, later statement, later
//     arrival; for kind file only the arrival counts. Ties are broken by digest. A slice cut anew from the current
//     file (by a mended format) always replaces the former cut;
//   - for a closed date nothing is current that was not before. Content that the slot never had is booked late on the
//     first open date, unless what the books have ranks higher; content that it had is an alias, whatever its rank. A
//     late revision plays no part in the ranking of later files and stays where it is booked, also when the date is
//     opened again.
//
// Two different files of one delivery on one slot of kind file are an ErrSlotClash: quarantine both.
func (s *DB) AttachToSlot(ctx context.Context, ref SlotRef, a Attachment) (SlotChange, Revision, error) {
	next, err := newRevision(ref, a)
	if err != nil {
		return "", Revision{}, err
	}
	var change SlotChange
	err = s.attaching(ctx, func(q querier, closed txn.Date) error {
		old, err := revisions(ctx, q, ref)
		if err == nil {
			change, err = s.attach(ctx, q, &next, a, old, closed)
		}
		return err
	})
	return change, next, err
}

// AttachToSlots is AttachToSlot for one file that stands for many slots of a source, such as a statement for the days that it
// covers: all of them in one transaction.
func (s *DB) AttachToSlots(ctx context.Context, source string, as map[SlotRef]Attachment) error {
	refs := make([]SlotRef, 0, len(as))
	for ref := range as {
		if ref.Source != source {
			return invalid("slot %s is none of source %s", ref, source)
		}
		refs = append(refs, ref)
	}
	if len(refs) == 0 {
		return nil
	}
	slices.SortFunc(refs, func(a, b SlotRef) int { return cmp.Or(cmp.Compare(a.Date, b.Date), strings.Compare(a.Key, b.Key)) })
	return s.attaching(ctx, func(q querier, closed txn.Date) error {
		had, err := revisionsBetween(ctx, q, source, refs[0].Date, refs[len(refs)-1].Date)
		if err != nil {
			return err
		}
		for _, ref := range refs {
			next, err := newRevision(ref, as[ref])
			if err == nil {
				_, err = s.attach(ctx, q, &next, as[ref], had[ref], closed)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// attaching runs work in a transaction in which nobody else attaches, closes or reopens: the lock of the books makes writers
// take turns in both dialects.
func (s *DB) attaching(ctx context.Context, work func(q querier, closed txn.Date) error) error {
	return s.inTx(ctx, func(q querier) error {
		if err := lockBooks(ctx, q); err != nil {
			return err
		}
		closed, _, err := closedThrough(ctx, q)
		if err != nil {
			return err
		}
		return work(q, closed)
	})
}

// attach lets a file stand for a slot, which has the old revisions.
func (s *DB) attach(ctx context.Context, q querier, next *Revision, a Attachment, old []Revision, closed txn.Date) (SlotChange, error) {
	ref := next.Slot
	if len(old) == 0 {
		err := q.exec(ctx, `INSERT INTO slots (source, business_date, slot_key, kind, revision, revisions, changed_at)
			VALUES (?, ?, ?, ?, 0, 0, '') ON CONFLICT (source, business_date, slot_key) DO NOTHING`,
			ref.Source, ref.Date.String(), ref.Key, string(next.Kind))
		if err != nil {
			return "", err
		}
	}
	change, err := place(old, next, closed)
	if err != nil {
		return "", err
	}
	switch change {
	case SlotUnchanged:
		return change, nil
	case SlotAlias:
		err := s.addAlias(ctx, q, ref, a, next.N, &change)
		return change, err
	case SlotLate:
		if err := s.auditLate(ctx, q, *next); err != nil {
			return "", err
		}
	}
	return change, s.addRevision(ctx, q, *next, len(old)+1)
}

func newRevision(ref SlotRef, a Attachment) (Revision, error) {
	if ref.Source == "" || ref.Date == 0 || a.Arrived.IsZero() {
		return Revision{}, invalid("slot %s needs a source, a date and the instant of arrival", ref)
	}
	r := Revision{Slot: ref, Kind: FileSlot, File: a.File, Delivery: a.Delivery, Content: a.File, Cause: a.Cause,
		Arrived: a.Arrived.UTC().Truncate(time.Microsecond), Covers: a.Covers, Slice: a.Slice}
	if a.Slice != nil {
		r.Kind, r.Content = BankSlot, a.Slice.Digest
	}
	return r, errors.Join(checkDigest("file", r.File), checkDigest("delivery", r.Delivery), checkDigest("content", r.Content))
}

func (s *DB) addAlias(ctx context.Context, q querier, ref SlotRef, a Attachment, n int, change *SlotChange) error {
	added, err := q.change(ctx, `INSERT INTO slot_aliases (source, business_date, slot_key, revision, delivery_sha256,
		file_sha256, arrived_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (source, business_date, slot_key, revision, delivery_sha256, file_sha256) DO NOTHING`,
		ref.Source, ref.Date.String(), ref.Key, n, a.Delivery, a.File, instant(a.Arrived))
	if added == 0 {
		*change = SlotUnchanged
	}
	return err
}

func (s *DB) addRevision(ctx context.Context, q querier, r Revision, count int) error {
	covers, err := json.Marshal(r.Covers)
	if err != nil {
		return err
	}
	sl := Slice{Complete: true, Final: true}
	if r.Slice != nil {
		sl = *r.Slice
	}
	err = q.exec(ctx, `INSERT INTO slot_revisions (source, business_date, slot_key, revision, file_sha256,
		delivery_sha256, content_sha256, arrived_at, cause, covers, complete, final, statement_order, statement_from,
		statement_to, line_count, effective_on) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.Slot.Source, r.Slot.Date.String(), r.Slot.Key, r.N, r.File, r.Delivery, r.Content, instant(r.Arrived),
		clean(r.Cause), clean(string(covers)), sl.Complete, sl.Final, clean(sl.Statement), sl.From.String(), sl.To.String(),
		sl.Lines, r.EffectiveOn.String())
	if err != nil {
		return err
	}
	if !r.Current {
		return q.exec(ctx, `UPDATE slots SET revisions = ? WHERE source = ? AND business_date = ? AND slot_key = ?`,
			count, r.Slot.Source, r.Slot.Date.String(), r.Slot.Key)
	}
	return q.exec(ctx, `UPDATE slots SET revision = ?, revisions = ?, changed_at = ?
		WHERE source = ? AND business_date = ? AND slot_key = ?`,
		r.N, count, instant(s.now()), r.Slot.Source, r.Slot.Date.String(), r.Slot.Key)
}
