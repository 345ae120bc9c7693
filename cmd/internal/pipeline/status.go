package pipeline

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// DayStatus answers "is this date done?" from what is stored. Nothing is computed or changed.
type DayStatus struct {
	Date        txn.Date
	Run         store.Run // N is 0 where the date was never run
	Folder      string    // of the newest report; empty where none was issued
	Revision    int       // of that report
	Slots       []SlotStatus
	Classes     []ClassStatus
	Held        []store.Item // file-level exceptions of the run, missing slots left out
	Stale       []Planned    // dates that the next run would compute, with the reason
	Quarantined []store.File
	LastFile    store.Revision // newest arrival among the slots around the date; File is empty where nothing came
}

// ClassStatus counts the open exceptions of one class and currency in the date's book.
type ClassStatus struct {
	Class    reconcile.Class
	Currency txn.Currency
	Cases    int
	Lines    int
	Amount   reconcile.Money // sum of what should have come, or of what was found; not valid for fee and count classes
}

// around is how many days before and after a date are looked at for the newest file: the look-back of a source.
const around = 7

// Status reads where a date stands as of an instant.
func (e *Engine) Status(ctx context.Context, date txn.Date, asOf time.Time) (*DayStatus, error) {
	s := &DayStatus{Date: date}
	var err error
	if s.Run, err = e.DB.LatestRun(ctx, date); err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if s.Slots, err = e.Slots(ctx, date, asOf); err != nil {
		return nil, err
	}
	if s.Folder, s.Revision, err = e.latest(date); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if s.Run.N > 0 {
		items, err := e.DB.Items(ctx, date, s.Run.N)
		if err != nil {
			return nil, err
		}
		s.count(items)
	}
	if s.Stale, err = e.Plan(ctx, Request{To: date, AsOf: asOf}); err != nil {
		return nil, err
	}
	if s.Quarantined, err = e.DB.FilesWith(ctx, store.Quarantined); err != nil {
		return nil, err
	}
	for d := date - around; d <= date+around; d++ {
		revs, err := e.DB.CurrentSlots(ctx, d)
		if err != nil {
			return nil, err
		}
		for _, r := range revs {
			if r.Arrived.After(s.LastFile.Arrived) {
				s.LastFile = r
			}
		}
	}
	return s, nil
}

// count folds the lines of the book by class, gravest first as the book has them.
func (s *DayStatus) count(items []store.Item) {
	type key struct {
		class    reconcile.Class
		currency txn.Currency
	}
	at := map[key]int{}
	cases := map[string]bool{}
	for i := range items {
		it := &items[i]
		class := reconcile.Class(it.Class)
		if it.Status != "open" || class.Info().Severity == 0 {
			continue
		}
		if it.Class[0] == 'F' && class != reconcile.F01 {
			s.Held = append(s.Held, *it)
		}
		cur, _ := txn.ParseCurrency(it.Currency) // the zero currency where the line has none
		k := key{class, cur}
		n, ok := at[k]
		if !ok {
			n = len(s.Classes)
			at[k] = n
			s.Classes = append(s.Classes, ClassStatus{Class: class, Currency: cur})
		}
		c := &s.Classes[n]
		c.Lines++
		if id := strings.Join([]string{it.CaseID, it.Class}, "\x00"); !cases[id] {
			cases[id] = true
			c.Cases++
		}
		if it.Unit != store.MinorUnit || cur == (txn.Currency{}) {
			continue
		}
		amount := it.Amount
		if !amount.Valid {
			amount = it.Other
		}
		if amount.Valid {
			c.Amount = reconcile.Some(c.Amount.Minor + amount.Int64)
		}
	}
	slices.SortStableFunc(s.Classes, func(a, b ClassStatus) int {
		return cmp.Or(cmp.Compare(b.Class.Info().Severity, a.Class.Info().Severity), strings.Compare(string(a.Class), string(b.Class)),
			strings.Compare(a.Currency.String(), b.Currency.String()))
	})
}

// In lists the slots in a state.
func (s *DayStatus) In(state reconcile.SlotState) []SlotStatus {
	var out []SlotStatus
	for _, x := range s.Slots {
		if x.State == state {
			out = append(out, x)
		}
	}
	return out
}

// Current reports whether the date's newest run knows all that is known now.
func (s *DayStatus) Current() bool {
	return s.Run.N > 0 && !slices.ContainsFunc(s.Stale, func(p Planned) bool { return p.Date == s.Date })
}

// Done reports whether the date's book is final: everything due, issued, and nothing has changed since.
func (s *DayStatus) Done() bool { return s.Current() && s.Run.Final && s.Folder != "" }

// FileName is the name under which the delivery of a slot's file came.
func (e *Engine) FileName(ctx context.Context, r store.Revision) (string, error) {
	src, ok := e.Config.Source(r.Slot.Source)
	if !ok {
		return r.Delivery, nil
	}
	return e.deliveryName(ctx, r.Delivery, src, r.Slot)
}
