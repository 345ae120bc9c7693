package pipeline

import (
	"context"
	"slices"
	"sync"

	"daozhang/parsers/txn"
	"daozhang/reconcile/register"
)

// registerTexts remembers what the register says of the dates that were asked for: from one date on which a record begins or
// ends to the next, they are all alike, and one command asks for many of them, each several times. Only digests are kept: the
// text of a register of a hundred thousand records is large.
type registerTexts struct {
	mu    sync.Mutex
	of    *register.Register
	turns []txn.Date
	known map[int]*registerText
}

type registerText struct {
	digest string
	kept   bool // the text lies in the carry store
}

// at is the entry of a date. The lock must be held.
func (t *registerTexts) at(r *register.Register, d txn.Date) *registerText {
	if t.of != r {
		t.of, t.turns, t.known = r, registerTurns(r), map[int]*registerText{}
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
	e.registerTexts.mu.Lock()
	defer e.registerTexts.mu.Unlock()
	return e.registerTexts.at(e.Register, d).digest
}

// keepRegister keeps the text of the register as it is valid on a date, under the digest that stands among the inputs of its
// run: so that a later change can name its records. One that this engine has kept already is there.
func (e *Engine) keepRegister(ctx context.Context, d txn.Date) error {
	e.registerTexts.mu.Lock()
	defer e.registerTexts.mu.Unlock()
	x := e.registerTexts.at(e.Register, d)
	if x.kept {
		return nil
	}
	_, err := e.Carry.Put(ctx, e.Register.AppendValid(nil, d))
	x.kept = err == nil
	return err
}
