package register

import (
	"cmp"
	"math/bits"
	"slices"

	"daozhang/parsers/txn"
)

// Columns of a contract that may be empty, as bits of a mask.
const (
	byMIDBit = 1 << iota
	byChannelBit
	byCardClassBit
	byMCCBit
	masks = 1 << iota
)

// selector is a contract's four columns; the empty value means any.
type selector struct {
	mid       string
	channel   txn.Channel
	cardClass string
	mcc       string
}

func (c *Contract) selector() selector { return selector{c.MID, c.Channel, c.CardClass, c.MCC} }

func (s selector) mask() int {
	m := 0
	if s.mid != "" {
		m |= byMIDBit
	}
	if s.channel != txn.NoChannel {
		m |= byChannelBit
	}
	if s.cardClass != "" {
		m |= byCardClassBit
	}
	if s.mcc != "" {
		m |= byMCCBit
	}
	return m
}

// only keeps the columns of the mask.
func (s selector) only(mask int) selector {
	if mask&byMIDBit == 0 {
		s.mid = ""
	}
	if mask&byChannelBit == 0 {
		s.channel = txn.NoChannel
	}
	if mask&byCardClassBit == 0 {
		s.cardClass = ""
	}
	if mask&byMCCBit == 0 {
		s.mcc = ""
	}
	return s
}

// contractIndex finds contracts by their filled columns. levels holds the masks that occur, by falling number of
// columns, so that a look-up asks one map question for each combination of columns in use.
type contractIndex struct {
	at     index[selector]
	levels [5][]int
}

func newContractIndex(cs []Contract) contractIndex {
	ix := contractIndex{at: indexOf(cs, (*Contract).selector, func(c *Contract) Validity { return c.Validity })}
	var used [masks]bool
	for s := range ix.at {
		used[s.mask()] = true
	}
	for m, u := range used {
		if u {
			n := bits.OnesCount(uint(m))
			ix.levels[n] = append(ix.levels[n], m)
		}
	}
	slices.Reverse(ix.levels[:])
	return ix
}

// Contract finds the contract for a transaction of a merchant. Among those that fit, the one with most filled columns
// wins. The error is ErrNoContract as it is, or a *TieError (which New has reported before).
func (r *Register) Contract(mid string, ch txn.Channel, cardClass, mcc string, on txn.Date) (Contract, error) {
	want := selector{mid, ch, cardClass, mcc}
	has := want.mask()
	for _, level := range r.contracts.levels {
		var found *Contract
		for _, m := range level {
			if m&^has != 0 {
				continue
			}
			for _, i := range r.contracts.at[want.only(m)] {
				c := &r.tables.Contracts[i]
				if !c.Covers(on) {
					continue
				}
				if found != nil {
					return Contract{}, tie(found, c, on)
				}
				found = c
			}
		}
		if found != nil {
			return *found, nil
		}
	}
	return Contract{}, ErrNoContract
}

func tie(a, b *Contract, on txn.Date) *TieError {
	return &TieError{First: a.Line + " (" + a.ID + ")", Second: b.Line + " (" + b.ID + ")", On: on}
}

// ties reports pairs of contracts of which neither is more special, where some transaction falls under both and
// under no contract that beats them. Contracts of two different merchants never meet, so that only those of the same
// merchant and those for any merchant are compared.
func (r *Register) ties() []error {
	cs := r.tables.Contracts
	byMID := map[string][]int{}
	for i := range cs {
		byMID[cs[i].MID] = append(byMID[cs[i].MID], i)
	}
	var errs []error
	compare := func(i, j int) {
		if on, ok := r.tieOn(&cs[i], &cs[j]); ok {
			errs = append(errs, tie(&cs[min(i, j)], &cs[max(i, j)], on))
		}
	}
	for i := range cs {
		for _, j := range byMID[cs[i].MID] {
			if j < i {
				compare(i, j)
			}
		}
		if cs[i].MID != "" {
			for _, j := range byMID[""] {
				compare(i, j)
			}
		}
	}
	return errs
}

// tieOn finds the first day on which a transaction may fall under both contracts with none to decide. Two contracts
// with the same selector are an overlap, which is reported as such.
func (r *Register) tieOn(a, b *Contract) (txn.Date, bool) {
	sa, sb := a.selector(), b.selector()
	n := bits.OnesCount(uint(sa.mask()))
	both, fits := sa.merge(sb)
	first, meet := a.overlap(b.Validity)
	if sa == sb || n != bits.OnesCount(uint(sb.mask())) || !fits || !meet {
		return 0, false
	}
	// What both select is decided wherever a contract with more columns, each as in both, holds.
	var better []Validity
	for m := range masks {
		if m&^both.mask() == 0 && bits.OnesCount(uint(m)) > n {
			for _, i := range r.contracts.at[both.only(m)] {
				better = append(better, r.tables.Contracts[i].Validity)
			}
		}
	}
	days := []txn.Date{first}
	for _, v := range better {
		if v.To != 0 {
			days = append(days, v.To+1)
		}
	}
	slices.Sort(days)
	for _, d := range days {
		decided := slices.ContainsFunc(better, func(v Validity) bool { return v.Covers(d) })
		if d >= first && a.Covers(d) && b.Covers(d) && !decided {
			return d, true
		}
	}
	return 0, false
}

// merge is the selector of what both select; ok is false if nothing can fall under both.
func (s selector) merge(o selector) (both selector, ok bool) {
	ok = (s.mid == "" || o.mid == "" || s.mid == o.mid) &&
		(s.channel == txn.NoChannel || o.channel == txn.NoChannel || s.channel == o.channel) &&
		(s.cardClass == "" || o.cardClass == "" || s.cardClass == o.cardClass) &&
		(s.mcc == "" || o.mcc == "" || s.mcc == o.mcc)
	both = selector{cmp.Or(s.mid, o.mid), cmp.Or(s.channel, o.channel), cmp.Or(s.cardClass, o.cardClass), cmp.Or(s.mcc, o.mcc)}
	return both, ok
}
