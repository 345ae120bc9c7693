package reconcile_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

const randomRegister = `merchant M1 ums
merchant M2 ums
merchant M9 other
terminal T1 M1 S1
terminal T2 M1 S1
terminal T3 M2 S2
contract * * T+1 cn account=ACC
payer 银联商务 ums
`

// randomDay makes a small day on which many rows share keys: two terminal slots, two acquirer slots, a bank slice.
// Times are distinct, so that places in files decide nothing.
func randomDay(seed uint64, date txn.Date) *scenario {
	r := rand.New(rand.NewPCG(seed, 7))
	s := parseScript(randomRegister + "\n== random\n----\n")[0]
	d := &scriptDay{date: date}
	s.days = []*scriptDay{d}
	for _, x := range []struct {
		side      txn.Side
		name, key string
	}{{txn.Acquirer, "ums", "a"}, {txn.Acquirer, "ums", "b"}, {txn.Bank, "bank", ""}, {txn.Terminal, "pos", "S1"}, {txn.Terminal, "pos", "S2"}} {
		slot := &scriptSlot{Slot: reconcile.Slot{Side: x.side, Source: x.name, Key: x.key, Date: date, State: reconcile.SlotReceived, Pays: true}}
		if x.side == txn.Acquirer {
			slot.Acquirer = "ums"
		}
		d.slots = append(d.slots, slot)
	}
	n := 25 + r.IntN(75)
	clock := rand.New(rand.NewPCG(seed, 8)).Perm(86400)
	for i := range n {
		base := randomRow(r, date, clock[2*i])
		if r.IntN(5) > 0 {
			d.slots[3+r.IntN(2)].take(base, "t", i)
		}
		if r.IntN(5) > 0 {
			a := base.Clone()
			a.Side, a.Business = txn.Acquirer, date
			a.Time = txn.TimeOf(date.In(zone))
			a.Time.Unix += int64(clock[2*i+1])
			mutate(r, a)
			d.slots[r.IntN(2)].take(a, "a", i)
		}
	}
	for i := range r.IntN(4) {
		b := &txn.Row{Side: txn.Bank, Kind: txn.Credit, Currency: txn.CNY, Amount: int64(r.IntN(20) * 500), Booking: date}
		b.Set(txn.CounterpartyName, []byte("银联商务"))
		b.Set(txn.Account, []byte("ACC"))
		b.Set(txn.BankRef, fmt.Appendf(nil, "B%d", i))
		d.slots[2].take(b, "b", i)
	}
	return s
}

func (s *scriptSlot) take(r *txn.Row, prefix string, n int) {
	r.Has |= txn.FieldsOf(txn.SideField, txn.KindField, txn.StatusField, txn.ChannelField, txn.AmountField, txn.TimeField, txn.BusinessDateField, txn.BookingDateField)
	s.rows = append(s.rows, r)
	s.names = append(s.names, fmt.Sprint(prefix, n))
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func randomRow(r *rand.Rand, date txn.Date, clock int) *txn.Row {
	x := &txn.Row{Side: txn.Terminal, Kind: pick(r, txn.Sale, txn.Sale, txn.Sale, txn.Refund, txn.Void, txn.Reversal, txn.Preauth, txn.Completion), Currency: txn.CNY,
		Status:  pick(r, txn.Approved, txn.Approved, txn.Approved, txn.Unknown, txn.Declined),
		Channel: pick(r, txn.Card, txn.Card, txn.WeChat)}
	x.Amount = int64(1+r.IntN(4)) * 500
	if x.Kind.Sign() < 0 {
		x.Amount = -x.Amount
	}
	x.Time = txn.TimeOf((date - txn.Date(r.IntN(10)/8)).In(zone))
	x.Time.Unix += int64(clock)
	mid := pick(r, "M1", "M1", "M2")
	x.Set(txn.MID, []byte(mid))
	x.Set(txn.TID, []byte(pick(r, "T1", "T2", "T3")))
	maybe := func(f txn.Field, of int, format string) {
		if r.IntN(3) > 0 {
			x.Set(f, fmt.Appendf(nil, format, r.IntN(of)))
		}
	}
	maybe(txn.Batch, 3, "00%d")
	maybe(txn.STAN, 12, "%06d")
	maybe(txn.RRN, 12, "%012d")
	maybe(txn.AuthCode, 5, "A%04d")
	maybe(txn.CardTail, 3, "111%d")
	if r.IntN(3) == 0 {
		maybe(txn.OrderNo, 9, "ORDER%d")
		maybe(txn.ChannelTxnID, 9, "CHAN%d")
		if x.Kind == txn.Refund {
			maybe(txn.RefundID, 3, "REF%d")
		}
	}
	return x
}

// mutate makes the acquirer's row differ a little from the terminal's.
func mutate(r *rand.Rand, a *txn.Row) {
	a.Status = pick(r, txn.Approved, txn.Approved, txn.Approved, txn.NoStatus, txn.Failed)
	for range r.IntN(4) {
		f := pick(r, txn.TID, txn.Batch, txn.STAN, txn.RRN, txn.AuthCode, txn.CardTail, txn.OrderNo, txn.ChannelTxnID, txn.RefundID)
		a.Set(f, nil)
	}
	switch r.IntN(12) {
	case 0:
		a.Amount += 1
	case 1:
		a.Set(txn.TID, []byte(pick(r, "T1", "T2", "T3")))
	case 2:
		a.Time.Unix -= 86400 * int64(r.IntN(4))
	}
}

// seeds runs f for a number of seeded days.
func seeds(t *testing.T, n uint64, f func(t *testing.T, seed uint64)) {
	if testing.Short() {
		n /= 4
	}
	for seed := range n {
		f(t, seed)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// plainBook is a book without pointers, to be compared as a whole.
func plainBook(b *book) reconcile.Outcome {
	o := *b.out
	o.Lines = slices.Clone(o.Lines)
	for i := range o.Lines {
		l := &o.Lines[i]
		l.Row, l.Other2 = nil, nil
	}
	return o
}

func carryBytes(t testing.TB, c *reconcile.Carry) []byte {
	t.Helper()
	b, _, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBookDoesNotDependOnTheOrderOfAdd(t *testing.T) {
	seeds(t, 30, func(t *testing.T, seed uint64) {
		s := randomDay(seed, mustDate("2026-01-06"))
		first := s.run(t, s.days[0], nil, nil)
		checkBook(t, &first, s.days[0], nil)
		for n := range 3 {
			r := rand.New(rand.NewPCG(seed, uint64(n)+100))
			again := s.run(t, s.days[0], nil, r.Perm)
			if x, y := plainBook(&first), plainBook(&again); !reflect.DeepEqual(x, y) {
				t.Errorf("another order of Add, another book\n%s%s", outcomeDiff(s, &first, &again), fieldDiff(x, y))
			}
			if !bytes.Equal(carryBytes(t, first.carry), carryBytes(t, again.carry)) {
				t.Error("another order of Add, another carry")
			}
		}
	})
}

func TestSecondDayDoesNotDependOnTheOrderOfAdd(t *testing.T) {
	seeds(t, 30, func(t *testing.T, seed uint64) {
		one := randomDay(seed, mustDate("2026-01-06"))
		two := randomDay(seed+1000, mustDate("2026-01-07"))
		d1 := one.run(t, one.days[0], nil, nil)
		carry := throughFile(t, d1.carry)
		first := two.run(t, two.days[0], carry, nil)
		checkBook(t, &first, two.days[0], &d1)
		again := two.run(t, two.days[0], throughFile(t, d1.carry), rand.New(rand.NewPCG(seed, 5)).Perm)
		if x, y := plainBook(&first), plainBook(&again); !reflect.DeepEqual(x, y) {
			t.Errorf("another order of Add, another book\n%s", outcomeDiff(two, &first, &again))
		}
		if !bytes.Equal(carryBytes(t, first.carry), carryBytes(t, again.carry)) {
			t.Error("another order of Add, another carry")
		}
	})
}

// fieldDiff names the fields of two outcomes that differ.
func fieldDiff(a, b reconcile.Outcome) (out string) {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			out += fmt.Sprintf("%s:\n%+v\n%+v\n", x.Type().Field(i).Name, x.Field(i), y.Field(i))
		}
	}
	return out
}

func outcomeDiff(s *scenario, a, b *book) string {
	return lineDiff(printed(s, a), printed(s, b))
}

func printed(s *scenario, b *book) string {
	p := &printer{rows: map[reconcile.Ref]string{}, cases: map[string]string{}}
	p.name(s.days[0])
	for _, l := range b.out.Lines { // by the id itself: numbers would depend on the order of lines
		p.cases[l.CaseID], p.cases[l.Alias] = l.CaseID, l.Alias
	}
	p.book(b)
	return p.b.String()
}

// placeless is what a book says with the places of rows taken away, sorted.
func placeless(s *scenario, b *book) string {
	text := strings.ReplaceAll(printed(s, b), "ums-2026-01-06-a", "ums")
	lines := strings.Split(strings.ReplaceAll(text, "ums-2026-01-06-b", "ums"), "\n")
	for i, l := range lines { // which of several near ones is shown first, and their list, go by files
		head, tail, near := strings.Cut(l, ", near ")
		if near && (strings.Contains(head, "T02") || strings.Contains(head, "T03") || strings.Contains(head, "T14") || strings.Contains(head, "T15") || strings.Contains(head, "T28")) {
			_, names, _ := strings.Cut(tail, ", candidates ")
			n := strings.Fields(names)
			slices.Sort(n)
			lines[i] = head + ", candidates " + strings.Join(n, " ")
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestBookDoesNotDependOnPlacesInFiles(t *testing.T) {
	seeds(t, 30, func(t *testing.T, seed uint64) {
		s := randomDay(seed, mustDate("2026-01-06"))
		dropCopies(s)
		first := s.run(t, s.days[0], nil, nil)
		want := placeless(s, &first)
		r := rand.New(rand.NewPCG(seed, 3))
		for range 3 {
			for _, slot := range s.days[0].slots {
				r.Shuffle(len(slot.rows), func(i, j int) {
					slot.rows[i], slot.rows[j] = slot.rows[j], slot.rows[i]
					slot.names[i], slot.names[j] = slot.names[j], slot.names[i]
				})
			}
			again := s.run(t, s.days[0], nil, nil)
			if got := placeless(s, &again); got != want {
				t.Errorf("other places, another book\n%s", lineDiff(want, got))
			}
		}
	})
}

// dropCopies removes acquirer rows that repeat an earlier one: which of them is the copy is decided by their places.
func dropCopies(s *scenario) {
	seen := map[string]bool{}
	for _, slot := range s.days[0].slots {
		if slot.Side != txn.Acquirer {
			continue
		}
		var rows []*txn.Row
		var names []string
		for i, r := range slot.rows {
			id := string(r.Get(txn.RRN))
			if txn.Blank([]byte(id)) {
				id = string(r.Get(txn.ChannelTxnID))
			}
			k := fmt.Sprint(string(r.Get(txn.MID)), r.Kind, r.Amount, id)
			if id != "" && seen[k] {
				continue
			}
			seen[k] = true
			rows, names = append(rows, r), append(names, slot.names[i])
		}
		slot.rows, slot.names = rows, names
	}
}

func TestAnUnrelatedMerchantChangesNothingElse(t *testing.T) {
	seeds(t, 40, func(t *testing.T, seed uint64) {
		s := randomDay(seed, mustDate("2026-01-06"))
		first := s.run(t, s.days[0], nil, nil)
		before := unrelatedTo(t, &first, "M9")
		r := rand.New(rand.NewPCG(seed, 11))
		for i := range 20 {
			x := randomRow(r, s.days[0].date, 70000+i)
			x.Set(txn.MID, []byte("M9"))
			x.Set(txn.TID, []byte("T99"))
			slot := s.days[0].slots[pick(r, 0, 1, 3, 4)]
			if slot.Side == txn.Acquirer {
				x.Side, x.Business = txn.Acquirer, s.days[0].date
			}
			slot.take(x, "u", i)
		}
		second := s.run(t, s.days[0], nil, nil)
		if after := unrelatedTo(t, &second, "M9"); after != before {
			t.Errorf("rows of a merchant of no concern changed the book\n%s", lineDiff(before, after))
		}
	})
}

// unrelatedTo is what a book says on leg T-A about all merchants but one. On leg A-B a merchant of the same acquirer and
// account is no stranger: one credit may pay both.
func unrelatedTo(t *testing.T, b *book, mid string) string {
	t.Helper()
	var out []string
	for _, l := range b.out.Lines {
		if l.MID != mid && l.Leg == reconcile.LegTA {
			l.Row, l.Other2 = nil, nil
			l.NearPass, l.Differs, l.Candidates = "", "", nil // a hint may well name another merchant's row
			out = append(out, fmt.Sprintf("%+v", l))
		}
	}
	for _, m := range b.pairs {
		r, o := b.refs(m)
		if m.Carried || string(b.ev.slots[m.Row.File].rows[m.Row.Offset].Get(txn.MID)) == mid {
			continue
		}
		out = append(out, fmt.Sprint(r, r.Line, o, o.Line, m.Pass))
	}
	return strings.Join(out, "\n")
}

func TestEachRowIsInOneStateAndMatchedOnce(t *testing.T) {
	seeds(t, 40, func(t *testing.T, seed uint64) {
		date := mustDate("2026-01-06")
		var carry *reconcile.Carry
		var before *book
		for n := range 3 {
			s := randomDay(seed*10+uint64(n), date+txn.Date(n))
			b := s.run(t, s.days[0], carry, nil)
			checkBook(t, &b, s.days[0], before)
			carry, before = throughFile(t, b.carry), &b
		}
	})
}
