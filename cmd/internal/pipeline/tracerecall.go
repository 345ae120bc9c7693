package pipeline

import (
	"context"

	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// recalled is a day computed again, with every pair that it made.
type recalled struct {
	date    txn.Date
	outcome *reconcile.Outcome
	in      *reconcile.Carry
	out     *reconcile.Carry
	slots   []Slot
	files   []*File
	today   map[txn.Position]reconcile.Match // by the position of a row of the day
	carried map[carriedRow]reconcile.Match   // by the place of a row that was carried in
	stored  map[rowID]storedPair             // instead of both where the day was not computed; see fromBooks
}

type carriedRow struct {
	sha  string
	line int
}

// Match implements reconcile.Sink.
func (r *recalled) Match(m reconcile.Match) {
	if m.Carried {
		r.carried[carriedRow{m.RowAt.SHA256, m.RowAt.Line}] = m
	} else {
		r.today[m.Row] = m
	}
}

// recall computes a day again as its newest run saw the slots; nil where it was never run.
func (t *tracer) recall(ctx context.Context, d txn.Date) (*recalled, error) {
	if r, ok := t.cache[d]; ok {
		return r, nil
	}
	run, ok := t.runs[d]
	if !ok {
		return nil, nil
	}
	t.e.say("computing %s again", d)
	r := &recalled{date: d, today: map[txn.Position]reconcile.Match{}, carried: map[carriedRow]reconcile.Match{}}
	var err error
	if r.in, _, err = t.e.carryInto(ctx, d); err != nil {
		return nil, err
	}
	if r.slots, err = t.openSlots(ctx, d); err != nil {
		return nil, err
	}
	states, err := t.e.Slots(ctx, d, run.AsOf)
	if err != nil {
		return nil, err
	}
	acting, err := t.e.DB.Decisions(ctx, d)
	if err != nil {
		return nil, err
	}
	hist, err := t.told(ctx, run)
	if err != nil {
		return nil, err
	}
	defer hist.Close()
	q := t.e.question(d, states)
	q.carry, q.slots, q.history, q.decisions, q.sink = r.in, r.slots, hist, acting, r
	j, err := judge(ctx, q)
	if err != nil {
		return nil, err
	}
	r.files, r.outcome, r.out = j.files, j.outcome, j.carry
	t.cache[d] = r
	return r, hist.err
}

// told answers the look-ups of a day that was run as they were answered then: what is on record need not be asked again.
type told struct {
	*history
	known map[string]bool // answers, by question
	none  map[string]bool // questions to which there was nothing to say
}

func (t *tracer) told(ctx context.Context, run store.Run) (told, error) {
	inputs, err := t.e.DB.RunInputs(ctx, run.Date, run.N)
	h := told{t.e.history(ctx, run.Date), map[string]bool{}, map[string]bool{}}
	yes, no, nothing := digestText("true"), digestText("false"), digestText("")
	for _, in := range inputs {
		switch {
		case in.Kind != store.LookupInput:
		case in.Source == askKnown && (in.Digest == yes || in.Digest == no):
			h.known[in.Key] = in.Digest == yes
		case in.Source == askPast && in.Digest == nothing:
			h.none[in.Key] = true
		}
	}
	return h, err
}

// Known implements reconcile.History.
func (h told) Known(id string, from txn.Date) (found, ok bool) {
	if found, ok = h.known[inquiry{id, from}.String()]; ok {
		return found, true
	}
	return h.history.Known(id, from)
}

// Past implements reconcile.History.
func (h told) Past(id string, from txn.Date) []reconcile.PastRow {
	if h.none[inquiry{id, from}.String()] {
		return nil
	}
	return h.history.Past(id, from)
}
