package reconcile

import (
	"slices"
	"strings"

	"daozhang/parsers/txn"
)

// How decisions act. Those on files come first, since they say what is waited for; all others once the cases are known.

// decideSlots applies closing decisions on files that are missing, held or doubtful: from today on nobody waits for them.
func (d *Day) decideSlots() {
	if d.rulings == nil {
		return
	}
	for i := range d.slots {
		s := &d.slots[i]
		if s.Class == "" || s.closed != nil || s.State == SlotNotDue {
			continue
		}
		m := s.member()
		u := d.rulings.on("F|", m.Key)
		if u == nil || !u.Status.Closes() {
			continue
		}
		if cause, _ := u.gone([]Class{s.Class}, []Member{m}); cause == "" {
			s.ruled = u
			d.unname(i)
		}
	}
}

// unname lets rows go that wait for the slot because a rejected record of it names them.
func (d *Day) unname(slot int) {
	for i := range d.items {
		if it := &d.items[i]; it.flags.has(wasNamed) && int(it.wait) == slot {
			it.flags &^= wasNamed
			it.wait = -1
		}
	}
}

// caseLines are the lines of one case, those of findings apart.
type caseLines struct {
	main, findings []int
	members        []Member // of the main lines
	classes        []Class
}

// cases groups the lines of the book that are not cleared, in their order.
func (d *Day) cases() []*caseLines {
	var out []*caseLines
	at := map[string]*caseLines{}
	for i := range d.out.Lines {
		l := &d.out.Lines[i]
		if l.Lifecycle == CaseCleared || l.Class.OrderClass() {
			continue
		}
		c := at[l.CaseID]
		if c == nil {
			c = &caseLines{}
			at[l.CaseID] = c
			out = append(out, c)
		}
		if l.Class.Info().Finding {
			c.findings = append(c.findings, i)
			continue
		}
		c.main = append(c.main, i)
		c.members = append(c.members, l.Members...)
		c.classes = append(c.classes, l.Class)
	}
	for _, c := range out {
		c.members = sortMembers(slices.Clone(c.members))
	}
	return out
}

// decide applies the decisions in effect to the cases of the book.
func (d *Day) decide() {
	if d.rulings == nil && len(d.back) == 0 {
		return
	}
	d.sortLines() // which line speaks for a case must not follow the order of Add
	for _, c := range d.cases() {
		var said *ruling
		if len(c.main) > 0 {
			said = d.ruleOn(c.main, c.classes, c.members)
		}
		for _, n := range c.findings {
			if l := &d.out.Lines[n]; l.Class == X03 {
				continue
			}
			if said != nil {
				d.mark(n, said)
			} else {
				d.ruleOn([]int{n}, []Class{d.out.Lines[n].Class}, d.out.Lines[n].Members)
			}
		}
	}
	d.close()
}

// ruleOn applies the latest decision about the members to the lines, if it still stands on the same evidence; if not it
// is named by X02. It returns the decision that now stands.
func (d *Day) ruleOn(lines []int, classes []Class, members []Member) *ruling {
	sph := sphere(classes[0])
	var said *ruling
	for _, u := range d.rulings.about(sph, members) {
		u.met = true
		if !u.inEffect(d) {
			continue
		}
		cause, detail := u.gone(classes, members)
		if detail == "" {
			said = u
			continue
		}
		life := CaseOpen
		if d.set.Date == u.EffectiveOn || d.wasBack(sph, members) {
			life = CaseNew
			d.reopened(lines)
		}
		if cause == "class_changed" {
			cause = "" // no row was corrected, none came
		}
		d.contradict(d.out.Lines[d.mainLine(lines, u)], u, cause, detail, life)
	}
	if said == nil {
		if d.wasBack(sph, members) {
			d.reopened(lines)
		}
		return nil
	}
	for _, n := range lines {
		d.mark(n, said)
	}
	for _, m := range members {
		d.ruled = append(d.ruled, ruledMember{sph, m.Key, said})
	}
	return said
}

// mainLine is the line of the class that was decided, else the first.
func (d *Day) mainLine(lines []int, u *ruling) int {
	for _, n := range lines {
		if d.out.Lines[n].Class == u.Class {
			return n
		}
	}
	return lines[0]
}

func (d *Day) wasBack(sphere string, ms []Member) bool {
	return slices.ContainsFunc(ms, func(m Member) bool { return d.back[sphere+m.Key] })
}

func (d *Day) reopened(lines []int) {
	for _, n := range lines {
		d.out.Lines[n].Lifecycle = CaseReopened
	}
}

// mark shows the decision on a line.
func (d *Day) mark(n int, u *ruling) {
	l := &d.out.Lines[n]
	l.Decision, l.Status = u.Decision, "decided"
	if u.Status.Closes() {
		l.Lifecycle, l.ClearedBy, l.AgeDays = CaseCleared, string(u.Status)+" by "+u.Author, 0
	}
}

// ruledMember is one member of a case on which a decision stands.
type ruledMember struct {
	sphere, key string
	by          *ruling
}

// close gives the rows, payouts and gaps of decided cases their state, or notes that a decision is in effect.
func (d *Day) close() {
	if len(d.ruled) == 0 {
		return
	}
	rows, payouts := d.openByKey()
	for _, r := range d.ruled {
		closes := r.by.Status.Closes()
		for _, i := range rows[r.sphere+r.key] {
			if closes {
				d.closeRow(i, r.by)
			} else {
				d.ruledRows[i] = r.by.ID
			}
		}
		if p := payouts[r.sphere+r.key]; p != nil && closes {
			p.closing = &closing{ruling: r.by, was: p.ab}
			p.ab = judge(Explained, r.by.Status.reason(), "")
			d.changed = true
		} else if p != nil {
			p.decision = r.by.ID
		}
		switch {
		case r.sphere == "F|" && !closes:
			for i := range d.slots {
				if s := &d.slots[i]; s.member().Key == r.key {
					s.decision = r.by.ID
				}
			}
		case r.sphere == sphere(X05):
			d.closeGap(r.key, r.by)
		}
	}
	if d.changed {
		for i, p := range d.payOf {
			if p != nil && p.closing != nil {
				d.items[i].ab = p.ab
			}
		}
		d.settleBulks()
	}
}

// shown reports whether a row or payout of the state has a line of its own: one that waits for evidence has none.
func shown(v verdict) bool {
	return v.State() == Exception || v.Class() == T01 || v.Class() == B01
}

// openByKey lists the open rows and payouts that stand in a case, under the keys of their members.
func (d *Day) openByKey() (rows map[string][]int, payouts map[string]*payout) {
	rows, payouts = map[string][]int{}, map[string]*payout{}
	for i := range d.items {
		switch it := &d.items[i]; {
		case it.side == txn.Bank && shown(it.ab):
			rows["A|"+d.keys[i]] = append(rows["A|"+d.keys[i]], i)
		case it.side != txn.Bank && shown(it.ta):
			rows["T|"+d.keys[i]] = append(rows["T|"+d.keys[i]], i)
		}
	}
	for _, p := range d.payouts {
		if shown(p.ab) {
			payouts["A|"+p.key()] = p
		}
	}
	return rows, payouts
}

func (d *Day) closeRow(i int, u *ruling) {
	it := &d.items[i]
	v := &it.ta
	if it.side == txn.Bank {
		v = &it.ab
	}
	d.closedNow[i] = closing{ruling: u, was: *v, pair: it.partner >= 0 || len(d.paidBy[i]) > 0}
	*v = judge(Explained, u.Status.reason(), "")
	d.changed = true
}

func (d *Day) closeGap(id string, u *ruling) {
	for n := range d.gapCases {
		if c := &d.gapCases[n]; c.ID == id && !u.Status.Closes() {
			c.Decision = u.ID
		} else if c.ID == id {
			d.closedGaps = append(d.closedGaps, Closed{Decision: u.ID, On: d.set.Date, Case: &CarriedCase{ID: id, Class: c.Class, FirstSeen: c.FirstSeen}})
		}
	}
	if u.Status.Closes() {
		d.gapCases = slices.DeleteFunc(d.gapCases, func(c CarriedCase) bool { return c.ID == id })
	}
}

// closedGap reports whether a decision of an earlier day closed the gap.
func (d *Day) closedGap(id string) bool {
	return slices.ContainsFunc(d.carry.Closed, func(x Closed) bool { return x.Case != nil && x.Case.ID == id })
}

// closedLines says what evidence of today has met what decisions had closed.
func (d *Day) closedLines() {
	for n := range d.closed {
		i := d.firstItem + n
		it := &d.items[i]
		if !it.flags.has(closedRow) || !d.met(it) {
			continue
		}
		l := d.clearedLine(i, d.memory(it).Item)
		by := d.clearedBy(i, it.ta)
		if it.side == txn.Bank {
			p := d.paidBy[i][0]
			by = p.pass + " " + strings.TrimSpace(p.Acquirer+" "+p.Date.String()+" "+p.ID)
		}
		d.overtaken(l, d.memory(it).Decision, by)
	}
	for _, p := range d.closedPayouts {
		if p.closed != nil && p.credit >= 0 {
			d.overtaken(d.payoutLine(p, p.opened), p.closed.Decision, p.pass+" "+d.place(int(p.credit)))
		}
	}
	d.endedLines()
}
