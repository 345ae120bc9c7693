package store

import (
	"cmp"
	"fmt"
	"strings"

	"daozhang/parsers/txn"
)

// place decides what next does among the old revisions and sets its N, Current and EffectiveOn. closed is the last
// closed date.
func place(old []Revision, next *Revision, closed txn.Date) (SlotChange, error) {
	late := next.Slot.Date <= closed
	var current *Revision
	for i, o := range old {
		if o.Kind != next.Kind {
			return "", invalid("slot %s is of kind %s and cannot take a file of kind %s", o.Slot, o.Kind, next.Kind)
		}
		if o.Current {
			current = &old[i]
		}
		// Rows that are in a book stay where they are: what is booked late, or closed, is not had again for a better rank.
		if o.Content == next.Content && (o.quality() >= next.quality() || o.EffectiveOn != 0 || late) {
			change := SlotAlias
			if o.File == next.File && o.Delivery == next.Delivery {
				change = SlotUnchanged
			}
			*next = o
			return change, nil
		}
	}
	for _, o := range old {
		if o.Kind == FileSlot && o.Delivery == next.Delivery && o.File != next.File {
			return "", fmt.Errorf("slot %s: %w: files %.12s and %.12s of delivery %.12s: add a capture to the source's "+
				"name pattern that tells them apart", o.Slot, ErrSlotClash, o.File, next.File, o.Delivery)
		}
	}
	next.N = len(old) + 1
	switch {
	case late && outrankedByBooks(old, *next):
		return SlotOutranked, nil
	case late:
		next.EffectiveOn = closed + 1
		return SlotLate, nil
	case current == nil:
		next.Current = true
		return SlotNew, nil
	case next.replaces(*current):
		next.Current = true
		return SlotRevised, nil
	}
	return SlotOutranked, nil
}

// outrankedByBooks reports whether what the books have of the slot, current or booked late, goes before next.
func outrankedByBooks(old []Revision, next Revision) bool {
	for _, o := range old {
		if (o.Current || o.EffectiveOn != 0) && !next.replaces(o) {
			return true
		}
	}
	return false
}

// replaces reports whether r, which was recorded later, takes the place of o: it ranks higher, or is another cut of the
// same file.
func (r Revision) replaces(o Revision) bool { return r.File == o.File || r.rank(o) > 0 }

// quality is the part of the rank that the slice itself says.
func (r Revision) quality() int {
	q := 0
	if r.Slice == nil || r.Slice.Final {
		q++
	}
	if r.Slice == nil || r.Slice.Complete {
		q += 2
	}
	return q
}

// rank is positive where r goes before o.
func (r Revision) rank(o Revision) int {
	c := cmp.Compare(r.quality(), o.quality())
	if c == 0 && r.Slice != nil && o.Slice != nil {
		c = strings.Compare(r.Slice.Statement, o.Slice.Statement)
	}
	if c == 0 {
		c = r.Arrived.Compare(o.Arrived)
	}
	return cmp.Or(c, strings.Compare(r.Content, o.Content), strings.Compare(r.File, o.File))
}
