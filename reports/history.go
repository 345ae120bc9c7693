package reports

import (
	"time"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// maxHistory is how many entries each list of the history has at most; ChangesLeftOut counts the others.
const maxHistory = 10_000

// SummaryHistory is what depends on the order of events and is left out when two books of a date are compared. The lists
// are empty, and Previous is null, in a book that says nothing about changes.
type SummaryHistory struct {
	Awaited        []string          `json:"awaited"` // what a preliminary book waits for
	GoLive         string            `json:"go_live"`
	Program        string            `json:"program"`
	Config         string            `json:"config_digest"`
	Previous       *SummaryPrevious  `json:"previous"` // null: the first issue
	Inputs         []SummaryInput    `json:"inputs"`
	Changes        []SummaryChange   `json:"changes"`
	Files          []SummaryFile     `json:"files"`
	Decisions      []SummaryDecision `json:"decisions"`
	Moves          []SummaryMove     `json:"moves"`
	ChangesLeftOut int               `json:"changes_left_out"` // entries of these lists beyond the first 10,000 of each
}

// SummaryPrevious is the revision that this one is compared with.
type SummaryPrevious struct {
	Revision int    `json:"revision"`
	AsOf     string `json:"as_of"`
}

// SummaryInput is one thing that became known since.
type SummaryInput struct {
	N      int    `json:"n"` // from 1; SummaryChange.Cause refers to it
	Kind   string `json:"kind"`
	Source string `json:"source"`
	Slot   string `json:"slot"`
	File   string `json:"file"`
	By     string `json:"by"`
	Detail string `json:"detail"`
	At     string `json:"at"` // RFC 3339; empty where not known
}

// SummaryChange is one case that the two revisions show differently.
type SummaryChange struct {
	CaseID     string           `json:"case_id"`
	MergedInto string           `json:"merged_into"`
	Change     string           `json:"change"` // new, gone, class, amount, status, merged
	Was        SummaryCaseState `json:"was"`
	Is         SummaryCaseState `json:"is"`
	Currency   string           `json:"currency"`
	Cause      []int            `json:"cause"`
}

// SummaryCaseState is a case in one revision; all keys are empty where that book does not have it.
type SummaryCaseState struct {
	Class       string `json:"class"`
	Status      string `json:"status"`
	Amount      string `json:"amount"`
	OtherAmount string `json:"other_amount"`
}

// SummaryFile compares a corrected file with the one before it. The amount of changed is new minus former.
type SummaryFile struct {
	Source   string        `json:"source"`
	Slot     string        `json:"slot"`
	File     string        `json:"file"`
	Former   string        `json:"former"`
	Added    SummaryFigure `json:"added"`
	Removed  SummaryFigure `json:"removed"`
	Changed  SummaryFigure `json:"changed"`
	Currency string        `json:"currency"`
}

// SummaryDecision is a decision in effect on the date.
type SummaryDecision struct {
	CaseID      string `json:"case_id"`
	Status      string `json:"status"`
	By          string `json:"by"`
	Reason      string `json:"reason"`
	Until       string `json:"until"`
	EffectiveOn string `json:"effective_on"`
}

// SummaryMove sums the movements between two classes since the day before. An empty from opened, an empty to was cleared.
type SummaryMove struct {
	Leg      string `json:"leg"`
	Side     string `json:"side"`
	Currency string `json:"currency"`
	From     string `json:"from"`
	To       string `json:"to"`
	Rows     int64  `json:"rows"`
	Amount   string `json:"amount"`
}

func (b *Book) history() SummaryHistory {
	h := SummaryHistory{Awaited: append([]string{}, b.Outcome.Awaited...), GoLive: b.GoLive.String(), Program: b.Program,
		Config: b.ConfigDigest, Inputs: []SummaryInput{}, Changes: []SummaryChange{}, Files: []SummaryFile{},
		Decisions: []SummaryDecision{}, Moves: summaryMoves(b.Outcome.Moves)}
	ch := b.Changes
	if ch == nil {
		return h
	}
	if ch.Former > 0 {
		h.Previous = &SummaryPrevious{Revision: ch.Former, AsOf: b.stamp(ch.FormerAsOf)}
	}
	capped := func(n int) int {
		h.ChangesLeftOut += max(n-maxHistory, 0)
		return min(n, maxHistory)
	}
	for i, v := range ch.Inputs[:capped(len(ch.Inputs))] {
		h.Inputs = append(h.Inputs, SummaryInput{N: i + 1, Kind: v.Kind, Source: v.Source, Slot: v.Slot, File: v.File, By: v.By,
			Detail: v.Detail, At: b.stamp(v.At)})
	}
	for _, v := range ch.Cases[:capped(len(ch.Cases))] {
		h.Changes = append(h.Changes, SummaryChange{CaseID: v.CaseID, MergedInto: v.MergedInto, Change: v.Change,
			Was: summaryState(v.Was, v.Currency), Is: summaryState(v.Is, v.Currency), Currency: v.Currency.String(),
			Cause: append([]int{}, v.Cause...)})
	}
	for _, v := range ch.Files[:capped(len(ch.Files))] {
		fig := func(f reconcile.Figure) SummaryFigure {
			return SummaryFigure{Rows: f.Rows, Amount: txn.FormatAmount(f.Amount, v.Currency)}
		}
		h.Files = append(h.Files, SummaryFile{Source: v.Source, Slot: v.Slot, File: v.File, Former: v.Former, Added: fig(v.Added),
			Removed: fig(v.Removed), Changed: fig(v.Edited), Currency: v.Currency.String()})
	}
	for _, v := range ch.Decisions[:capped(len(ch.Decisions))] {
		h.Decisions = append(h.Decisions, SummaryDecision{CaseID: v.CaseID, Status: string(v.Status), By: v.Author, Reason: v.Reason,
			Until: v.Until.String(), EffectiveOn: v.EffectiveOn.String()})
	}
	return h
}

// stamp writes an instant in the book's zone.
func (b *Book) stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(b.asOf().Location()).Format(time.RFC3339)
}

func summaryState(s CaseState, cur txn.Currency) SummaryCaseState {
	l := s.line(cur)
	return SummaryCaseState{Class: string(s.Class), Status: s.Status, Amount: lineMoney(l, s.Amount), OtherAmount: lineMoney(l, s.Other)}
}

// summaryMoves adds up the moves of all cases, in the order of their first one.
func summaryMoves(moves []reconcile.Move) []SummaryMove {
	type key struct {
		leg      reconcile.Leg
		side     txn.Side
		cur      txn.Currency
		from, to reconcile.Class
	}
	sums := map[key]reconcile.Figure{}
	var order []key
	for i := range moves {
		m := &moves[i]
		k := key{m.Leg, m.Side, m.Currency, m.From, m.To}
		if _, ok := sums[k]; !ok {
			order = append(order, k)
		}
		sums[k] = plus(sums[k], m.Figure)
	}
	out := make([]SummaryMove, 0, len(order))
	for _, k := range order {
		f := sums[k]
		out = append(out, SummaryMove{Leg: string(k.leg), Side: k.side.String(), Currency: k.cur.String(), From: string(k.from),
			To: string(k.to), Rows: f.Rows, Amount: txn.FormatAmount(f.Amount, k.cur)})
	}
	return out
}
