package reconcile

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"daozhang/parsers/txn"
)

// What a case is about, so that a decision can be found again: by keys that do not change when the case's id does, each
// with a digest of the facts that the person saw.

// payoutPrefix and slotPrefix begin the keys of members that are no rows.
const (
	payoutPrefix = "payout|"
	slotPrefix   = "slot|"
)

// IDs lists the order, channel ids and RRNs of the line's rows, sorted, each once, as received. A caller keeps them with
// the case, so that a decision on it can be looked up in the ledgers when the rows are not open any more.
func (l *Line) IDs() []string {
	var out []string
	for _, r := range [...]*txn.Row{l.Row, l.Other2} {
		if r == nil || r.Side == txn.Bank {
			continue
		}
		for _, f := range [...]txn.Field{txn.OrderNo, txn.ChannelTxnID, txn.RRN} {
			if v := r.Get(f); !txn.Blank(v) {
				out = append(out, string(v))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// rowMember is one row of a case. Its full row must have been read.
func (d *Day) rowMember(i int) Member { return Member{Key: d.keys[i], Facts: FactsDigest(d.rows[i])} }

// membersOf lists rows, those below zero left out, by key.
func (d *Day) membersOf(rows ...int) []Member {
	out := make([]Member, 0, len(rows))
	for _, i := range rows {
		if i >= 0 && d.rows[i] != nil {
			out = append(out, d.rowMember(i))
		}
	}
	return sortMembers(out)
}

func sortMembers(ms []Member) []Member {
	slices.SortFunc(ms, func(a, b Member) int { return strings.Compare(a.Key, b.Key) })
	return slices.Compact(ms)
}

// member is the payout as part of a case: its key is that of its case, which it keeps when it is announced late.
func (p *payout) member() Member {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d|%d|%t|%d|%s", p.Rows, p.Composed, p.Stated.Valid, p.Stated.Minor, p.Basis))
	return Member{Key: p.key(), Facts: hex.EncodeToString(sum[:16])}
}

func (p *payout) key() string {
	if p.caseID == "" {
		p.caseID = p.id()
	}
	return payoutPrefix + p.caseID
}

// member is the slot as part of a case: what is wrong with it, and with which bytes.
func (s *Slot) member() Member {
	return Member{Key: slotPrefix + s.Source + "|" + s.Date.String() + "|" + s.Key, Facts: string(s.Class) + "|" + s.content()}
}

// gapMember is a gap in the register or a calendar: it is there or not, and has no facts beside its name.
func gapMember(id string) Member { return Member{Key: id, Facts: string(X05)} }

// content is the digest of what the slot has.
func (s *Slot) content() string { return cmp.Or(s.Content, s.Sum.SHA256) }
