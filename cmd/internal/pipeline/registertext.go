package pipeline

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"daozhang/parsers/txn"
	"daozhang/reconcile/register"
)

// registerTexts remembers what the register says of the dates that were asked for: from one date on which a record begins or
// ends to the next, they are all alike, and one command asks for many of them, each several times. Only digests are kept: the
// text of a register of a hundred thousand records is large.
type registerTexts struct {
	mu    sync.Mutex
	about *register.Register
	turns []txn.Date
	known map[int]*registerText
}

type registerText struct {
	digest string
	kept   atomic.Bool // the text lies in the carry store
}

// of is what is known of a date.
func (t *registerTexts) of(r *register.Register, d txn.Date) *registerText {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.about != r {
		t.about, t.turns, t.known = r, registerTurns(r), map[int]*registerText{}
	}
	span := spanOf(t.turns, d)
	x := t.known[span]
	if x == nil {
		x = &registerText{digest: digestText(string(r.AppendValid(nil, d)))}
		t.known[span] = x
	}
	return x
}

// spanOf is how many turns there were by a date.
func spanOf(turns []txn.Date, d txn.Date) int {
	n, _ := slices.BinarySearch(turns, d+1)
	return n
}

// registerTurns are the dates on which a record begins, or has ended the day before, in order.
func registerTurns(r *register.Register) (turns []txn.Date) {
	add := func(v register.Validity) {
		turns = append(turns, v.From)
		if v.To != 0 {
			turns = append(turns, v.To+1)
		}
	}
	t := r.Tables()
	for _, x := range t.Stores {
		add(x.Validity)
	}
	for _, x := range t.Merchants {
		add(x.Validity)
	}
	for _, x := range t.Terminals {
		add(x.Validity)
	}
	for _, x := range t.Contracts {
		add(x.Validity)
	}
	for _, x := range t.Accounts {
		add(x.Validity)
	}
	for _, x := range t.Payers {
		add(x.Validity)
	}
	slices.Sort(turns)
	return slices.Compact(turns)
}

// registerDigest covers the register rows valid on the day.
func (e *Engine) registerDigest(d txn.Date) string {
	return e.registered.of(e.Register, d).digest
}

// keepRegister keeps the text of the register as it is valid on a date, under the digest that stands among the inputs of its
// run: so that a later change can name its records. One that this engine has kept already is there.
func (e *Engine) keepRegister(ctx context.Context, d txn.Date) error {
	x := e.registered.of(e.Register, d)
	if x.kept.Load() {
		return nil
	}
	_, err := e.Carry.Put(ctx, e.Register.AppendValid(nil, d))
	if err == nil {
		x.kept.Store(true)
	}
	return err
}
