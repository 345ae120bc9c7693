package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports"
)

// explain completes a book with what it changes: the sheet of changes, and the lines that depend on the order in which
// things came (F02, F05, X01). Nothing of it is part of what is compared between two books of a date.
func (e *Engine) explain(ctx context.Context, b *reports.Book, c *computed) (DayChange, error) {
	x := &explainer{e: e, b: b, c: c, changes: &reports.Changes{}}
	b.Changes = x.changes
	if err := x.former(ctx); err != nil {
		return DayChange{}, err
	}
	for _, d := range c.acting {
		if d.EffectiveOn == b.Date {
			x.changes.Decisions = append(x.changes.Decisions, d)
		}
	}
	if err := x.files(ctx); err != nil {
		return DayChange{}, err
	}
	x.inputs()
	x.cases()
	var lines []reconcile.Line
	lines = append(lines, x.lateLines()...)
	lines = append(lines, x.correctedLines()...)
	lines = append(lines, x.restatedLines()...)
	if len(lines) > 0 {
		c.outcome.Lines = append(slices.Clone(c.outcome.Lines), lines...)
		reconcile.SortLines(c.outcome.Lines)
	}
	return x.change(), nil
}

type explainer struct {
	e       *Engine
	b       *reports.Book
	c       *computed
	changes *reports.Changes

	last  *store.Run // newest run of an earlier revision
	were  []store.Item
	diffs []inputDiff
	late  map[int]bool // of c.states: it was missing in an earlier run
}

// former finds the revision before this one and what it knew.
func (x *explainer) former(ctx context.Context) error {
	runs, err := x.e.DB.RunHistory(ctx, x.b.Date)
	if err != nil {
		return err
	}
	x.late = map[int]bool{}
	for i := range runs {
		r := &runs[i]
		if r.Revision < x.b.Revision {
			x.last = r
		}
		ins, err := x.e.DB.RunInputs(ctx, r.Date, r.N)
		if err != nil {
			return err
		}
		x.markLate(ins)
		if x.last == r {
			x.diffs = diffInputs(ins, slices.Concat(x.c.inputs, x.c.history.inputs()))
		}
	}
	if x.last == nil {
		return nil
	}
	x.changes.Former, x.changes.FormerAsOf, x.changes.FormerFinal = x.last.Revision, x.last.AsOf, x.last.Final
	x.were, err = x.e.DB.Items(ctx, x.last.Date, x.last.N)
	return err
}

// markLate finds the slots that an earlier run of the day found missing and that are there now.
func (x *explainer) markLate(ins []store.Input) {
	for _, in := range ins {
		if in.Kind != store.SlotInput || in.State != string(reconcile.SlotMissing) {
			continue
		}
		for i, s := range x.c.states {
			if s.Source.Name == in.Source && s.Date == x.b.Date && s.State == reconcile.SlotReceived && fills(s.Source, s.Key, in.Key) {
				x.late[i] = true
			}
		}
	}
}

// files compares each corrected file of the day with the one before it.
func (x *explainer) files(ctx context.Context) error {
	for i := range x.c.states {
		s := &x.c.states[i]
		if len(s.Files) == 0 || s.Files[0].N < 2 || s.Late != nil {
			continue
		}
		former, err := x.e.formerRevision(ctx, s.Files[0])
		if err != nil {
			return err
		}
		if former == nil {
			continue
		}
		fc, err := x.compareFiles(ctx, i, *former)
		if err != nil {
			return err
		}
		x.changes.Files = append(x.changes.Files, fc)
	}
	return nil
}

// formerRevision is the file that a corrected one has replaced; nil where it replaced none that was worth anything: a
// statement drawn during the day is not corrected by the final one.
func (e *Engine) formerRevision(ctx context.Context, now store.Revision) (*store.Revision, error) {
	all, err := e.DB.SlotHistory(ctx, now.Slot)
	if err != nil {
		return nil, err
	}
	var former *store.Revision
	for i := range all {
		r := &all[i]
		if r.N >= now.N || r.EffectiveOn != 0 || r.Content == now.Content {
			continue
		}
		if r.Slice != nil && (!r.Slice.Final || !r.Slice.Complete) {
			continue
		}
		former = r
	}
	return former, nil
}

func (x *explainer) compareFiles(ctx context.Context, n int, former store.Revision) (reports.FileChange, error) {
	s := &x.c.states[n]
	was, err := x.e.slotFile(ctx, s, former, x.c.open)
	if err != nil {
		return reports.FileChange{}, err
	}
	is := x.c.slots[n].Files[0]
	fc := reports.FileChange{Source: s.Source.Name, Slot: s.Key, File: is.Name(), Former: was.Name(), Revision: s.Files[0].N}
	d, err := diffFiles(was, is, onDay(s))
	if err != nil && unreadable(err) {
		return fc, nil // there is nothing to compare row by row
	}
	if err != nil {
		return fc, err
	}
	fc.Added, fc.Removed, fc.Edited, fc.Currency, fc.Rows = d.added, d.removed, d.changed, d.currency, d.rows
	fc.Before, fc.After = d.before, d.after
	return fc, nil
}

// onDay keeps the rows that a slot stands for: of a bank statement one account's lines of one day.
func onDay(s *SlotStatus) func(*txn.Row) bool {
	if s.Source.Side != txn.Bank {
		return func(*txn.Row) bool { return true }
	}
	return func(r *txn.Row) bool {
		return r.Booking == s.Date && (s.Key == "" || string(r.Get(txn.Account)) == s.Key)
	}
}

// inputs lists what became known since the former revision.
func (x *explainer) inputs() {
	if x.last == nil {
		return
	}
	register := false
	for _, d := range x.diffs {
		if d.kind() == store.RegisterInput {
			if register {
				continue // one change may reach into hundreds of closed dates; X03 says which
			}
			register = true
		}
		if in, ok := x.inputChange(d); ok {
			x.changes.Inputs = append(x.changes.Inputs, in)
		}
	}
	add := func(kind, was, is string) {
		if was != is {
			x.changes.Inputs = append(x.changes.Inputs, reports.InputChange{Kind: kind, Detail: short12(was) + " -> " + short12(is)})
		}
	}
	add("carry", x.last.CarryIn, x.c.carryIn)
	add("config", x.last.Config, x.b.ConfigDigest)
	add("program", x.last.Program, x.b.Program)
}

// short12 shortens a digest for people.
func short12(s string) string {
	if len(s) == 64 {
		return s[:12]
	}
	return s
}

func (x *explainer) inputChange(d inputDiff) (reports.InputChange, bool) {
	i := cmp.Or(d.is, d.was)
	in := reports.InputChange{Source: i.Source, Slot: i.Key}
	switch {
	case i.Kind == store.LookupInput:
		in.Kind, in.Source, in.Slot, in.Detail = "lookup", "", "", i.Key
		return in, d.was.Kind != "" && d.is.Kind != "" // a question that one of them did not ask is no news
	case i.Kind == store.RegisterInput:
		in.Kind, in.Source, in.Slot = "register", "", ""
	case i.Kind == store.DecisionInput:
		in.Kind, in.Source, in.Slot = "decision", "", ""
		for _, x := range x.c.acting {
			if x.ID == i.Key {
				in.By, in.At, in.Detail = x.Author, x.At, strings.TrimSpace(fmt.Sprintf("%s %s: %s", x.CaseID, x.Status, x.Reason))
			}
		}
	case d.is.Digest == "" && d.was.Digest != "":
		in.Kind = "withdrawn_file"
	case d.is.Digest == "":
		in.Kind, in.Detail = "slot_state", string(reconcile.SlotState(d.is.State))
		if d.is.Kind == "" { // what was awaited came under a fuller key, or the calendar has changed
			return in, false
		}
	default:
		x.fileInput(&in, d)
	}
	return in, true
}

func (x *explainer) fileInput(in *reports.InputChange, d inputDiff) {
	in.Kind = "new_file"
	for i := range x.c.states {
		s := &x.c.states[i]
		for n, r := range s.Files {
			if s.Source.Name != d.is.Source || r.Slot.Key != d.is.Key && s.Date.String()+" "+r.Slot.Key != d.is.Key {
				continue
			}
			in.At = r.Arrived
			if n < len(x.c.slots[i].Files) {
				in.File = x.c.slots[i].Files[n].Name()
			}
			if x.late[i] || s.Late != nil {
				in.Kind = "late_file"
			}
		}
	}
	if d.was.Digest != "" {
		in.Kind = "corrected_file"
		for _, f := range x.changes.Files {
			if f.Source == in.Source && f.Slot == in.Slot {
				in.Detail = fmt.Sprintf("+%d -%d ~%d", f.Added.Rows, f.Removed.Rows, f.Edited.Rows)
			}
		}
	}
}

// lateLines is F02: a file that an earlier run of the day missed.
func (x *explainer) lateLines() (out []reconcile.Line) {
	for i := range x.c.states {
		if !x.late[i] && x.c.states[i].Late == nil {
			continue
		}
		l := x.slotLine(i, reconcile.F02)
		l.Status = "explained"
		l.Detail = x.c.states[i].Files[0].Arrived.In(x.e.Config.Location()).Format(time.DateTime)
		out = append(out, l)
	}
	return out
}

// correctedLines is F05: another file for the same slot.
func (x *explainer) correctedLines() (out []reconcile.Line) {
	for _, f := range x.changes.Files {
		for i := range x.c.states {
			if s := &x.c.states[i]; s.Source.Name == f.Source && s.Key == f.Slot && s.Date == x.b.Date && s.Late == nil {
				l := x.slotLine(i, reconcile.F05)
				l.Rows = f.Added.Rows + f.Removed.Rows + f.Edited.Rows
				l.Currency = f.Currency
				l.Amount = reconcile.Some(f.Before)
				l.Other = reconcile.Some(f.After)
				l.OtherAt.Delivery, l.OtherAt.Member = f.Former, f.Former
				l.Detail = fmt.Sprintf("r%d: +%d -%d ~%d", f.Revision, f.Added.Rows, f.Removed.Rows, f.Edited.Rows)
				out = append(out, l)
			}
		}
	}
	return out
}

func (x *explainer) slotLine(i int, class reconcile.Class) reconcile.Line {
	s := &x.c.states[i]
	l := reconcile.Line{Class: class, Status: "open", Lifecycle: reconcile.CaseNew, FirstSeen: x.b.Date, Source: s.Source.Name, Acquirer: s.Source.Acquirer,
		CaseID: reconcile.CaseID(string(class), s.Source.Name, s.Date.String(), s.Key), SettleDate: s.Date}
	for _, sum := range x.c.outcome.Slots {
		if sum.Source == s.Source.Name && sum.Date == s.Date && sum.Slot == s.Key {
			l.Rows = sum.Rows
		}
	}
	if len(x.c.slots[i].Files) > 0 {
		f := x.c.slots[i].Files[0]
		l.At = f.ref(0)
	}
	l.Members = []reconcile.Member{{Key: strings.Join([]string{"slot", s.Source.Name, s.Date.String(), s.Key, string(class)}, "|"), Facts: s.Files[0].Content}}
	return l
}

// restatedLines is X01: what an issued final book said of a row or payout, and this one says otherwise. What a person
// decided, what a file did, and what a preliminary book said are no restatements.
func (x *explainer) restatedLines() (out []reconcile.Line) {
	if x.last == nil || !x.last.Final {
		return nil
	}
	for i := range x.changes.Cases {
		c := &x.changes.Cases[i]
		if c.Was.Class == "" || c.Was.Class[0] == 'F' || c.Was.Class[0] == 'X' || c.Was.Class.Info().Severity == 0 || c.Change == "status" {
			continue
		}
		l := reconcile.Line{Class: reconcile.X01, Status: "explained", Lifecycle: reconcile.CaseNew, FirstSeen: x.b.Date, CaseID: cmp.Or(c.MergedInto, c.CaseID),
			Currency: c.Currency, Rows: 1, Fine: c.Was.Fine || c.Is.Fine, Detail: fmt.Sprintf("%s -> %s", c.Was.Class, cmp.Or(string(c.Is.Class), "-"))}
		l.Amount, l.Other = weight(c.Was), weight(c.Is)
		l.Members = []reconcile.Member{{Key: "restated|" + c.CaseID, Facts: digestText(fmt.Sprint(c.Was, c.Is))}}
		x.place(&l)
		out = append(out, l)
	}
	return out
}

// place takes from the case's line of now where it belongs.
func (x *explainer) place(l *reconcile.Line) {
	for i := range x.c.outcome.Lines {
		if o := &x.c.outcome.Lines[i]; o.CaseID == l.CaseID {
			l.Leg, l.Source, l.Acquirer, l.MID, l.Store, l.TID = o.Leg, o.Source, o.Acquirer, o.MID, o.Store, o.TID
			l.RRN, l.OrderNo, l.At, l.DueDate = o.RRN, o.OrderNo, o.At, o.DueDate
			return
		}
	}
}

// weight is what a state of a case is about: what should have come, else what was found.
func weight(s reports.CaseState) reconcile.Money {
	if s.Amount.Valid {
		return s.Amount
	}
	return s.Other
}
