package reconcile

import "daozhang/parsers/txn"

// Decisions by what they are about. A row may stand in a case of leg T-A, in one of leg A-B, and in findings, each decided
// apart: the sphere of a class keeps them apart.

// ruling is a decision that is in effect on the day.
type ruling struct {
	*Decision
	over bool // a later decision is about one of its members
	met  bool // one of its members is in today's book
}

// rulings indexes the decisions in effect; nil where there are none.
type rulings struct {
	byMember map[string]*ruling // sphere and member key: the latest
	byID     map[string]*ruling
	list     []*ruling
}

func newRulings(ds []Decision, on txn.Date) *rulings {
	var r *rulings
	for i := range ds {
		x := &ds[i]
		if x.EffectiveOn > on {
			continue
		}
		if r == nil {
			r = &rulings{byMember: map[string]*ruling{}, byID: map[string]*ruling{}}
		}
		u := &ruling{Decision: x}
		for _, m := range x.Members {
			k := sphere(x.Class) + m.Key
			if before := r.byMember[k]; before != nil {
				before.over = true
			}
			r.byMember[k] = u
		}
		r.byID[x.ID] = u
		r.list = append(r.list, u)
	}
	return r
}

// sphere is what decisions on a class may speak about: the state of a row on its leg, of a file, or one finding.
func sphere(c Class) string {
	switch f := c.family(); {
	case c.Info().Finding:
		return string(c) + "|"
	case f == 'T':
		return "T|"
	case f == 'P' || f == 'B':
		return "A|"
	}
	return "F|"
}

// on returns the latest decision about the member, nil where there is none or where another of its members was decided
// anew.
func (r *rulings) on(sphere, key string) *ruling {
	if r == nil {
		return nil
	}
	if u := r.byMember[sphere+key]; u != nil && !u.over {
		return u
	}
	return nil
}

// about lists the decisions about any of the members, in their order.
func (r *rulings) about(sphere string, ms []Member) (out []*ruling) {
	for _, m := range ms {
		u := r.on(sphere, m.Key)
		if u == nil {
			continue
		}
		seen := false
		for _, o := range out {
			seen = seen || o == u
		}
		if !seen {
			out = append(out, u)
		}
	}
	return out
}

// stands reports whether a closing decision was not taken back.
func (r *rulings) stands(id string) bool {
	if r == nil || r.byID[id] == nil {
		return true
	}
	u := r.byID[id]
	for _, m := range u.Members {
		if last := r.byMember[sphere(u.Class)+m.Key]; !last.Status.Closes() {
			return false
		}
	}
	return true
}

// gone says in what the evidence is not any more what the person saw: cause code and words, both empty where it is.
func (u *ruling) gone(classes []Class, ms []Member) (cause, detail string) {
	same := len(ms) == len(u.Members)
	for i := 0; same && i < len(ms); i++ {
		same = ms[i].Key == u.Members[i].Key
	}
	if !same {
		return "members_changed", "other members"
	}
	for i := range ms {
		if ms[i].Facts != u.Members[i].Facts {
			return "facts_changed", "other facts"
		}
	}
	for _, c := range classes {
		if c == u.Class || natural(c, u.Class) || natural(u.Class, c) {
			return "", ""
		}
	}
	return "class_changed", "other class: decided as " + string(u.Class)
}

// natural reports whether b is what a of the same evidence becomes once it is due. A book made before the last file is in
// may show it as waiting again.
func natural(a, b Class) bool {
	switch a {
	case T01:
		return b == T02 || b == T14 || b == T09
	case B01:
		return b == B02
	}
	return false
}

// reason is the state's reason of what the decision closes.
func (s DecisionStatus) reason() Reason {
	switch s {
	case WrittenOff:
		return DecidedWritten
	case Wrong:
		return DecidedWrong
	}
	return DecidedAccepted
}

// inEffect reports whether the decision says anything on the date.
func (u *ruling) inEffect(d *Day) bool {
	return u.Status != Reopened && !(u.Status == Waiting && u.Until != 0 && d.set.Date >= u.Until)
}
