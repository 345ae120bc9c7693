package pipeline

import (
	"bytes"
	"context"
	"errors"

	"daozhang/cmd/internal/publish"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// A carry holds every open row of the installation, and a trace asks for a handful of them on many days. So its text is
// sifted before it is decoded: of the rows, only lines that mention a word of the rows looked for are read.

// sifted is a carry that was read for the first n words of the tracer.
type sifted struct {
	carry *reconcile.Carry
	n     int
}

// lookFor has carries read for lines that mention the row too. A row without a plain identifier has them read whole.
func (t *tracer) lookFor(row *txn.Row) {
	for _, f := range [...]txn.Field{txn.RRN, txn.OrderNo, txn.ChannelTxnID, txn.RefundID, txn.BankRef, txn.AuthCode, txn.STAN} {
		if v := row.Get(f); len(v) > 0 && plainWord(v) {
			t.addWord([]byte(`"` + string(v) + `"`))
			return
		}
	}
	t.whole = true
}

// lookForKey has carries read for lines that mention the key.
func (t *tracer) lookForKey() {
	if w := txn.TrimZeros([]byte(t.key)); plainWord(w) {
		t.addWord(w)
	} else {
		t.whole = true
	}
}

func (t *tracer) addWord(w []byte) {
	for _, o := range t.words {
		if bytes.Equal(o, w) {
			return
		}
	}
	t.words = append(t.words, w)
}

// plainWord reports whether a text stands in JSON, and in a file of any encoding that keeps ASCII, as it is.
func plainWord(w []byte) bool {
	for _, c := range w {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return len(w) > 0
}

// carried is what a day handed to the next one, as stored, as far as it concerns the rows looked for: their lines, all
// payouts, payments and what decisions closed. nil where the day was never run.
func (t *tracer) carried(ctx context.Context, d txn.Date) (*reconcile.Carry, error) {
	n := len(t.words)
	if t.whole {
		n = -1
	}
	if c, ok := t.carry[d]; ok && (c.n == n || c.n < 0) {
		return c.carry, nil
	}
	run, ok := t.runs[d]
	if !ok {
		return nil, nil
	}
	if t.whole {
		c, _, err := t.e.carryInto(ctx, d+1)
		if err == nil {
			t.carry[d] = sifted{c, n}
		}
		return c, err
	}
	text, err := t.e.Carry.Get(ctx, run.CarryOut)
	if err != nil {
		return nil, err
	}
	text, keys := siftCarry(text, t.words)
	var places []byte
	if run.Places != "" && len(keys) > 0 {
		if places, err = t.e.Carry.Get(ctx, run.Places); errors.Is(err, publish.ErrNoCarry) {
			places, err = nil, nil
		}
		if err != nil {
			return nil, err
		}
		places = siftPlaces(places, keys)
	}
	c, err := reconcile.DecodeCarry(text, places)
	if err == nil {
		t.carry[d] = sifted{c, n}
	}
	return c, err
}

// inCarry reports whether the carry of a day mentions the key anywhere.
func (t *tracer) inCarry(ctx context.Context, d txn.Date) (bool, error) {
	run, ok := t.runs[d]
	if !ok {
		return false, nil
	}
	word := []byte(t.key)
	if !plainWord(word) {
		return true, nil
	}
	text, err := t.e.Carry.Get(ctx, run.CarryOut)
	return bytes.Contains(text, word), err
}

// alwaysKept are the kinds of lines that are few.
var alwaysKept = [...][]byte{[]byte(`,"kind":"payout",`), []byte(`,"kind":"paid",`), []byte(`,"kind":"closed",`)}

// siftCarry keeps the first line of a carry's text, lines of the few kinds, and lines with one of the words. It also
// returns the keys of the lines kept.
func siftCarry(text []byte, words [][]byte) (kept []byte, keys map[string]bool) {
	keys = map[string]bool{}
	for first := true; len(text) > 0; first = false {
		var line []byte
		line, text = cutLine(text)
		key := lineKey(line)
		if !first && !containsAny(key, alwaysKept[:]) && !containsAny(line, words) {
			continue
		}
		kept = append(kept, line...)
		if key != nil {
			keys[string(key)] = true
		}
	}
	return kept, keys
}

// siftPlaces keeps of the places of a carry those of the lines kept: all lines of one key are, or none.
func siftPlaces(text []byte, keys map[string]bool) (kept []byte) {
	for first := true; len(text) > 0; first = false {
		var line []byte
		line, text = cutLine(text)
		if first || keys[string(lineKey(line))] {
			kept = append(kept, line...)
		}
	}
	return kept
}

func cutLine(text []byte) (line, rest []byte) {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		return text[:i+1], text[i+1:]
	}
	return text, nil
}

// lineKey is the part of a carry's line with its key and kind; nil where there is none. No name or text before it can
// hold these very bytes, since quotes within texts are escaped.
func lineKey(line []byte) []byte {
	i := bytes.Index(line, []byte(`,"key":"`))
	if i < 0 {
		return nil
	}
	rest := line[i:]
	if n := bytes.Index(rest, []byte(`"row":`)); n >= 0 {
		return rest[:n]
	}
	return nil
}

func containsAny(b []byte, words [][]byte) bool {
	for _, w := range words {
		if bytes.Contains(b, w) {
			return true
		}
	}
	return false
}
