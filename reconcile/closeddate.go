package reconcile

import (
	"fmt"
	"strings"

	"daozhang/parsers/txn"
)

// What comes for closed dates: files, whose rows are judged on the first open date by their own dates like any row of that
// day, and changes of the register, which are only told.

// replaceSlot lets a file for a closed date take the place of its slot of the carry: nobody waits for it any more, and
// rows that were held in it are copies of those that come now.
func (d *Day) replaceSlot(i int, s Slot) {
	o := &d.slots[i]
	s.firstSeen, s.wasHeld, s.replaces, s.former = o.firstSeen, o.Held, o.closed, o.Class
	*o = s
	d.unname(i)
}

// sameCase ends the case of the slot that a file for a closed date replaces, unless the same is wrong with the new file.
func (d *Day) sameCase() {
	for i := range d.slots {
		s := &d.slots[i]
		switch {
		case s.former == "":
		case s.former == s.Class:
			s.former = ""
			s.stays = true
		default:
			d.ended = append(d.ended, endedSlot{i, s.firstSeen})
			s.firstSeen = 0
		}
	}
}

// endedSlot is a slot whose case goes with the file that came for it.
type endedSlot struct {
	slot  int
	since txn.Date
}

// endedLines keeps the case of a replaced slot in the book for the day on which it goes.
func (d *Day) endedLines() {
	for _, e := range d.ended {
		s := &d.slots[e.slot]
		l := Line{CaseID: CaseID(string(s.former), s.Source, s.Date.String(), s.Key), Class: s.former, FirstSeen: e.since, Source: s.Source,
			Acquirer: s.Acquirer, Rows: 1, SettleDate: s.Date, Detail: s.Key, At: refOf(s.Sum.File), Currency: d.mainCurrency(),
			Members: []Member{s.member()}}
		by := strings.TrimSuffix(s.Source+" "+s.Date.String()+" "+s.Key, " ")
		if s.replaces != nil {
			d.overtaken(l, s.replaces.Decision, by)
			continue
		}
		l.Status, l.Lifecycle, l.ClearedBy = "cleared", CaseCleared, by
		d.out.Lines = append(d.out.Lines, l)
	}
}

// lateRow reports whether the row came in a file for a closed date.
func (d *Day) lateRow(it *item) bool {
	if it.carried >= 0 {
		return d.carry.Items[it.carried].Late
	}
	return d.slots[it.slot].Late != nil
}

// lateLines writes X03: what a file for a closed date brings, on the day on which it is booked.
func (d *Day) lateLines() {
	for i := range d.slots {
		s := &d.slots[i]
		if s.Late == nil {
			continue
		}
		t := s.Late
		cur := t.Currency
		if cur == (txn.Currency{}) {
			cur = d.mainCurrency()
		}
		l := Line{CaseID: CaseID(string(X03), s.Source, s.Date.String(), s.Key), Class: X03, Status: "open", Lifecycle: CaseNew, FirstSeen: d.set.Date,
			Source: s.Source, Acquirer: s.Acquirer, Rows: s.added.Rows, Amount: Some(s.added.Amount), Currency: cur, SettleDate: s.Date,
			CauseCode: "late_file", At: refOf(s.Sum.File), OtherAt: t.FirstDifferent, Members: []Member{s.member()}, Late: true}
		if t.Had {
			l.CauseCode = "corrected_file"
		}
		parts := []string{s.added.told("added", cur)}
		if t.Changed.Rows != 0 || t.ChangedFee != 0 {
			parts = append(parts, t.Changed.told("changed", cur)+feeTold(t.ChangedFee, cur))
		}
		if t.Removed.Rows != 0 {
			parts = append(parts, t.Removed.told("removed", cur)+feeTold(t.RemovedFee, cur))
		}
		l.Detail = strings.Join(parts, "; ")
		d.out.Lines = append(d.out.Lines, l)
	}
}

// Reach is one change of the register that would change the books of closed dates, could they be computed again. Those
// stay as they are; X03 tells it on the first open date.
type Reach struct {
	From, To txn.Date // the first and the last closed date that it would change
	Cases    int      // how many cases those books would show otherwise
	Detail   string   // which records, which dates, and by how much
	Facts    string   // digest of what the register says now of these dates
}

// reachLines writes X03 for changes of the register.
func (d *Day) reachLines() {
	for _, r := range d.set.Reaches {
		key := strings.Join([]string{"register", r.From.String(), r.Facts}, "|")
		d.out.Lines = append(d.out.Lines, Line{CaseID: CaseID(string(X03), key), Class: X03, Status: "open", Lifecycle: CaseNew, FirstSeen: d.set.Date,
			Rows: int64(r.Cases), Currency: d.mainCurrency(), SettleDate: r.From, CauseCode: "register", Detail: r.Detail,
			Members: []Member{{Key: key, Facts: r.Facts}}})
	}
}

func (f Figure) told(what string, cur txn.Currency) string {
	return fmt.Sprintf("%s %d %s", what, f.Rows, txn.FormatAmount(f.Amount, cur))
}

func feeTold(f txn.Fine, cur txn.Currency) string {
	if f == 0 {
		return ""
	}
	return " fee " + f.Format(cur)
}
