package reconcile_test

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reconcile/join"
)

// alike demands that a day whose rows come through a sieve, by two writers and in any order, is the same day. Every book of
// the tests in this package is compared in this way.
func (s *scenario) alike(t testing.TB, d *scriptDay, carry *reconcile.Carry, want book) {
	t.Helper()
	for _, pairs := range []bool{false, true} {
		got, plain := s.sift(t, s.setup(t, d), d, carry, pairs)
		if a, b := carryText(t, want.carry), carryText(t, got.carry); a != b {
			t.Errorf("%s: the carry differs with a sieve:\n%s", d.date, firstDifferences(a, b))
		}
		if a, b := outcomeText(want.out), outcomeText(got.out); a != b {
			t.Errorf("%s: the book differs with a sieve:\n%s", d.date, firstDifferences(a, b))
		}
		if !pairs {
			continue
		}
		for _, p := range plain {
			rrn := string(join.UnpackShort(nil, p.RRN))
			l, r := d.place(txn.Terminal, p.Left), d.place(txn.Acquirer, p.Right)
			got.pairs = append(got.pairs,
				reconcile.Match{Row: l, Partner: r, Pass: "P2", RRN: rrn, Original: string(join.UnpackShort(nil, p.LeftNames))},
				reconcile.Match{Row: r, Partner: l, Pass: "P2", RRN: rrn, Original: string(join.UnpackShort(nil, p.RightNames))})
		}
		if a, b := pairsText(want.pairs), pairsText(got.pairs); a != b {
			t.Errorf("%s: the ledger differs with a sieve:\n%s", d.date, firstDifferences(a, b))
		}
	}
}

// sift judges the day with a sieve.
func (s *scenario) sift(t testing.TB, set reconcile.Setup, d *scriptDay, carry *reconcile.Carry, pairs bool) (book, []join.Pair) {
	t.Helper()
	day := reconcile.New(set)
	if err := day.Carry(carry); err != nil {
		t.Fatal(err)
	}
	b := book{date: d.date, ev: &evidence{slots: d.slots}}
	numbers := make([]int, len(d.slots))
	for n, x := range d.slots {
		numbers[n] = day.AddSlot(x.Slot)
	}
	const writers = 2
	sieve := day.Sieve(reconcile.SieveOptions{Writers: writers, Expect: 100, Pairs: pairs})
	bases := d.bases()
	for n, x := range d.slots {
		if !x.Slot.CanSift() {
			continue
		}
		for i := range x.rows {
			r := x.rows[len(x.rows)-1-i]
			sieve.Writer(i%writers).Add(numbers[n], bases[n]+r.Pos.Offset, r)
		}
	}
	for n, x := range d.slots {
		for _, raw := range x.raw {
			day.Reject(numbers[n], []byte(raw))
		}
		if x.Slot.CanSift() {
			sieve.Register(numbers[n])
			continue
		}
		for _, r := range x.rows {
			day.Add(numbers[n], r)
		}
	}
	for n, x := range d.slots {
		if x.State == reconcile.SlotReceivedEmpty {
			if traffic := day.Traffic(slotNumber(day, d, n)); traffic > 0 {
				day.Hold(slotNumber(day, d, n), reconcile.F06, fmt.Sprintf("no rows, the other side has %d", traffic))
			}
		}
	}
	shaken, err := sieve.Shake(t.Context(), writers)
	if err != nil {
		t.Fatal(err)
	}
	for n, x := range d.slots {
		list := shaken.Terminal
		if x.Side == txn.Acquirer {
			list = shaken.Acquirer
		}
		for _, at := range list {
			if i := at - bases[n]; x.Slot.CanSift() && i >= 0 && i < int64(len(x.rows)) {
				sieve.Rest(numbers[n], x.rows[i])
			}
		}
	}
	b.out, b.carry, err = day.Run(b.ev, &b.pairs)
	if err != nil {
		t.Fatalf("%s, with a sieve: %v", d.date, err)
	}
	return b, shaken.Pairs
}

// bases are where each slot's rows begin in those of its side.
func (d *scriptDay) bases() []int64 {
	var next [4]int64
	out := make([]int64, len(d.slots))
	for n, x := range d.slots {
		out[n] = next[x.Side]
		next[x.Side] += int64(len(x.rows))
	}
	return out
}

func (d *scriptDay) place(side txn.Side, at int64) txn.Position {
	for n, base := range d.bases() {
		if i := at - base; d.slots[n].Side == side && i >= 0 && i < int64(len(d.slots[n].rows)) {
			return txn.Position{File: uint32(n), Offset: i}
		}
	}
	return txn.Position{}
}

func carryText(t testing.TB, c *reconcile.Carry) string {
	t.Helper()
	text, places, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.Join([][]byte{text, places}, []byte("\n")))
}

// outcomeText writes everything an outcome holds, a line for each element of its lists.
func outcomeText(o *reconcile.Outcome) string {
	var b strings.Builder
	v := reflect.ValueOf(o).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		if f.Kind() != reflect.Slice {
			fmt.Fprintf(&b, "%s: %+v\n", v.Type().Field(i).Name, f.Interface())
			continue
		}
		for j := range f.Len() {
			fmt.Fprintf(&b, "%s: %s\n", v.Type().Field(i).Name, flat(f.Index(j)))
		}
	}
	return b.String()
}

// flat writes a value with what its pointers lead to.
func flat(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return "nil"
		}
		return "&" + flat(v.Elem())
	case reflect.Struct:
		var b strings.Builder
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fmt.Fprintf(&b, "%s=%s ", v.Type().Field(i).Name, flat(v.Field(i)))
			}
		}
		return "{" + b.String() + "}"
	}
	return fmt.Sprintf("%v", v.Interface())
}

func pairsText(ms matches) string {
	lines := make([]string, len(ms))
	for i, m := range ms {
		m.Source, m.PartnerSource = "", ""
		lines[i] = fmt.Sprintf("%+v", m)
	}
	slices.SortFunc(lines, cmp.Compare[string])
	return strings.Join(lines, "\n")
}

// firstDifferences shows the lines that only one of two texts has, a few of them.
func firstDifferences(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	var out []string
	for _, side := range []struct {
		sign      string
		own, with []string
	}{{"- ", a, b}, {"+ ", b, a}} {
		n := 0
		for _, l := range side.own {
			if !slices.Contains(side.with, l) && n < 4 {
				n++
				out = append(out, side.sign+l[:min(len(l), 700)])
			}
		}
	}
	if len(out) == 0 {
		return "the order of the lines"
	}
	return strings.Join(out, "\n")
}
