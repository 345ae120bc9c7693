package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/store"
	"daozhang/parsers"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// SlotStatus is one slot of a day as of an instant: what `status` shows and what a run takes as input.
type SlotStatus struct {
	Source   *config.Source
	Date     txn.Date
	Key      string
	Expected bool
	State    reconcile.SlotState
	Due      time.Time
	Files    []store.Revision    // the file that holds rows first, then control-only ones
	Late     *store.LateRevision // set where the slot's date is closed and its file is booked on a later one
}

// intraday reports whether all that the slot has is a statement drawn during the day.
func (s *SlotStatus) intraday() bool {
	return len(s.Files) > 0 && s.Files[0].Slice != nil && !s.Files[0].Slice.Final
}

// Slots lists the expected and the received slots of a date, ordered by source and key, with their state as of the
// instant. Evidence is everything archived; as_of decides only whether what is not there is missing or not due.
func (e *Engine) Slots(ctx context.Context, date txn.Date, asOf time.Time) ([]SlotStatus, error) {
	current, err := e.DB.CurrentSlots(ctx, date)
	if err != nil {
		return nil, err
	}
	late, err := e.DB.LateRevisions(ctx, date)
	return e.slotsOf(current, late, date, asOf), err
}

func (e *Engine) slotsOf(current []store.Revision, late []store.LateRevision, date txn.Date, asOf time.Time) (out []SlotStatus) {
	for i := range e.Config.Sources {
		src := &e.Config.Sources[i]
		got := map[string][]store.Revision{}
		for _, r := range current {
			if r.Slot.Source == src.Name {
				key, _, _ := strings.Cut(r.Slot.Key, partMark)
				got[key] = append(got[key], r)
			}
		}
		used := map[string]bool{}
		for _, want := range expectedKeys(src, date) {
			found := false
			for key := range got {
				if fills(src, key, want) {
					found, used[key] = true, true
				}
			}
			if !found {
				out = append(out, e.absent(src, date, want, asOf))
			}
		}
		if src.Side == txn.Bank && !src.Expected(date) {
			out = append(out, e.unpromised(src, date, got)...)
		}
		for key, revs := range got {
			slices.SortFunc(revs, func(a, b store.Revision) int { return strings.Compare(a.Slot.Key, b.Slot.Key) })
			st := SlotStatus{Source: src, Date: date, Key: key, Expected: used[key], State: reconcile.SlotReceived, Due: src.DueAt(date), Files: revs}
			if st.intraday() && st.Expected { // its lines count, but the day is not whole
				st.State = e.absent(src, date, key, asOf).State
			}
			out = append(out, st)
		}
	}
	for i := range late {
		if s, ok := e.lateSlot(&late[i]); ok {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b SlotStatus) int {
		return cmp.Or(strings.Compare(a.Source.Name, b.Source.Name), cmp.Compare(a.Date, b.Date), strings.Compare(a.Key, b.Key))
	})
	return out
}

// lateSlot is a slot of a closed date whose file is booked on an open one. What only speaks about another file of a
// closed date changes nothing any more.
func (e *Engine) lateSlot(l *store.LateRevision) (SlotStatus, bool) {
	src, ok := e.Config.Source(l.Slot.Source)
	if !ok || strings.Contains(l.Slot.Key, partMark) {
		return SlotStatus{}, false
	}
	return SlotStatus{Source: src, Date: l.Slot.Date, Key: l.Slot.Key, State: reconcile.SlotReceived, Due: src.DueAt(l.Slot.Date),
		Files: []store.Revision{l.Revision}, Late: l}, true
}

// unpromised are the accounts of a bank on a day for which its calendar promises no statement: what arrives that day
// shows in a later one, so nothing is overdue and nothing is awaited.
func (e *Engine) unpromised(src *config.Source, date txn.Date, got map[string][]store.Revision) (out []SlotStatus) {
	for _, want := range src.ExpectedSlots() {
		for _, a := range accountsOf(src, string(want)) {
			if len(got[a]) == 0 {
				out = append(out, SlotStatus{Source: src, Date: date, Key: a, State: reconcile.SlotNotDue, Due: src.DueAt(date)})
			}
		}
	}
	return out
}

func (e *Engine) absent(src *config.Source, date txn.Date, key string, asOf time.Time) SlotStatus {
	s := SlotStatus{Source: src, Date: date, Key: key, Expected: true, State: reconcile.SlotMissing, Due: src.DueAt(date)}
	if asOf.Before(s.Due) {
		s.State = reconcile.SlotNotDue
	}
	return s
}

// expectedKeys are the slots that the source promises for a date; those of a bank are its accounts.
func expectedKeys(src *config.Source, date txn.Date) []string {
	if !src.Expected(date) {
		return nil
	}
	var out []string
	for _, k := range src.ExpectedSlots() {
		if src.Side == txn.Bank {
			out = append(out, accountsOf(src, string(k))...)
		} else {
			out = append(out, string(k))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func fills(src *config.Source, got, want string) bool {
	if src.Side == txn.Bank {
		return want == "" || got == want
	}
	return config.SlotKey(got).Fills(config.SlotKey(want))
}

// inputs turns slot states into what the core takes, opening the files.
func (e *Engine) inputs(ctx context.Context, states []SlotStatus, open *deliveries) ([]Slot, error) {
	var out []Slot
	for i := range states {
		s := &states[i]
		slot := Slot{Slot: reconcile.Slot{Source: s.Source.Name, Side: s.Source.Side, Acquirer: s.Source.Acquirer, Date: s.Date, Key: s.Key,
			State: s.State, Unpromised: !s.Expected && s.State == reconcile.SlotNotDue, Pays: s.Source.Pays, Notices: e.notices(s.Source)}}
		c := s.Source.CoversOf(config.SlotKey(s.Key))
		slot.Stores, slot.Merchants, slot.Accounts = c.Stores, c.Merchants, c.Accounts
		if s.Source.Side == txn.Bank && s.Key != "" {
			slot.Accounts = []string{s.Key}
		}
		if s.Late != nil {
			slot.Late = &reconcile.LateSlot{Had: s.Late.Former != nil}
			if f := s.Late.Former; f != nil {
				var err error
				if slot.Former, err = e.slotFile(ctx, s, *f, open); err != nil {
					return nil, err
				}
			}
		}
		slot.Sum = reconcile.SlotSum{Source: s.Source.Name, Side: s.Source.Side, Slot: s.Key, Date: s.Date, State: s.State,
			Due: s.Due.In(e.Config.Location()).Format("2006-01-02 15:04")}
		if s.State == reconcile.SlotMissing {
			if s.Source.EmptyDay != config.EmptyFile && s.Source.Side != txn.Bank {
				slot.Empty = true
			}
			slot.Class, slot.Why = reconcile.F01, "nothing that matches "+strings.Join(s.Source.Names, " or ")+" came by "+slot.Sum.Due
			if s.intraday() {
				slot.Why = "only an intraday statement came by " + slot.Sum.Due
			}
		}
		slot.Doubtful = s.intraday()
		for n, r := range s.Files {
			f, err := e.slotFile(ctx, s, r, open)
			if err != nil {
				return nil, err
			}
			slot.Files = append(slot.Files, f)
			if n == 0 {
				slot.Content, slot.Sum.Revision = r.Content, r.N
				slot.Sum.Received = r.Arrived.In(e.Config.Location()).Format(time.DateTime)
				if slot.Sum.Aliases, err = e.aliases(ctx, s.Source, r); err != nil {
					return nil, err
				}
			}
		}
		out = append(out, slot)
	}
	return out, nil
}

// slotFile opens the file of a revision of the slot.
func (e *Engine) slotFile(ctx context.Context, s *SlotStatus, r store.Revision, open *deliveries) (*File, error) {
	f, err := e.file(ctx, s.Source, r, s.Date, open)
	if err == nil && s.Source.Side == txn.Bank {
		f.Account = r.Slot.Key
	}
	return f, err
}

// notices reports whether the source announces payouts rather than transactions.
func (e *Engine) notices(src *config.Source) bool {
	for _, n := range src.Formats {
		if f, ok := e.Formats.Lookup(n); !ok || !f.Info().Notices {
			return false
		}
	}
	return len(src.Formats) > 0
}

// file opens the file of a slot's revision. A delivery that cannot be unpacked yields a file that no format claims.
func (e *Engine) file(ctx context.Context, src *config.Source, r store.Revision, date txn.Date, open *deliveries) (*File, error) {
	rec, err := e.DB.FileOf(ctx, src.Name, r.File)
	if err != nil {
		return nil, err
	}
	name, err := e.deliveryName(ctx, r.Delivery, src, r.Slot)
	if err != nil {
		return nil, err
	}
	f := &File{Source: src.Name, Delivery: name, Member: rec.Member, SHA256: r.File, Options: src.Options(e.Config.Cards, date)}
	d, err := open.get(r.Delivery, path.Base(name))
	if err != nil {
		if !unreadable(err) {
			return nil, err
		}
		f.Claim = err
		return f, nil
	}
	at := rec.Position
	if rec.Delivery != r.Delivery { // an alias: find the member again in the delivery that stands for the slot
		names, err := e.DB.FileNames(ctx, src.Name, r.File)
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			if n.Delivery == r.Delivery {
				at, f.Member = n.Position, n.Member
			}
		}
	}
	if at >= len(d.Files) {
		return nil, fmt.Errorf("%s: file %d is not in the delivery any more; the archive is damaged", name, at)
	}
	f.Data, f.Size = d.Files[at].Data, d.Files[at].Size
	f.Format, f.Claim = e.Formats.Detect(parsers.Source{Name: f.Member, Data: f.Data, Size: f.Size, Options: f.Options}, src.Formats...)
	return f, nil
}

// deliveryName is the name under which a delivery came for a slot: the same bytes may have come for several.
func (e *Engine) deliveryName(ctx context.Context, sha string, src *config.Source, ref store.SlotRef) (string, error) {
	names, err := e.namesFor(ctx, sha, src, ref)
	if err != nil {
		return "", err
	}
	if len(names) > 0 {
		return names[0], nil
	}
	seen, err := e.DB.Sightings(ctx, sha)
	for _, s := range seen {
		if s.Source == src.Name {
			return s.Name, err
		}
	}
	return sha, err
}

// namesFor lists the names of a delivery that speak of the slot, in the order in which they were seen.
func (e *Engine) namesFor(ctx context.Context, sha string, src *config.Source, ref store.SlotRef) ([]string, error) {
	seen, err := e.DB.Sightings(ctx, sha)
	if err != nil {
		return nil, err
	}
	key, _, _ := strings.Cut(ref.Key, partMark)
	var out []string
	for _, s := range seen {
		if s.Source != src.Name {
			continue
		}
		c, _ := captures(src, s.Name)
		c = c.Near(txn.DateOf(s.Received.In(src.Location())))
		if src.FromName && c.Date != 0 && src.Side != txn.Bank &&
			(c.Date+txn.Date(src.NameDays) != ref.Date || string(src.SlotKeyOf(c)) != key) {
			continue
		}
		if !slices.Contains(out, s.Name) {
			out = append(out, s.Name)
		}
	}
	return out, nil
}

// aliases are the other names under which the slot's content came (F04).
func (e *Engine) aliases(ctx context.Context, src *config.Source, r store.Revision) ([]string, error) {
	if r.Kind == store.BankSlot {
		return nil, nil // statements overlap by nature
	}
	as, err := e.DB.SlotAliases(ctx, r.Slot)
	if err != nil {
		return nil, err
	}
	deliveries := []string{r.Delivery}
	for _, a := range as {
		if a.Revision == r.N && !slices.Contains(deliveries, a.Delivery) {
			deliveries = append(deliveries, a.Delivery)
		}
	}
	var out []string
	for i, d := range deliveries {
		names, err := e.namesFor(ctx, d, src, r.Slot)
		if err != nil {
			return nil, err
		}
		if i == 0 && len(names) > 0 {
			names = names[1:] // its own
		}
		out = append(out, names...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
