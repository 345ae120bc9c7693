package reconcile_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

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

// Days on which most is as it should be and much is not: sales, refunds and voids that name each other or somebody else,
// copies, identifiers that two share, two merchants, two currencies. Each is judged with and without a sieve. DAOZHANG_CROWD
// is the number of days.
func TestCrowdedDaysAreTheSameWithASieve(t *testing.T) {
	days := 400
	if v := os.Getenv("DAOZHANG_CROWD"); v != "" {
		days, _ = strconv.Atoi(v)
	}
	plain, undoing := 0, 0
	for seed := range uint64(days) {
		s := parseScript(crowdRegister + "\n== x\nday 2026-01-06\nT pos\n  row time amount\n  t1 09:00 1.00\nA ums\n  row time amount\n  a1 09:00 1.00\n----\n")[0]
		d := s.days[0]
		c := crowd{r: rand.New(rand.NewPCG(seed, 11)), trouble: int(seed % 4), orders: []int{10, 70}[seed/4%2], slots: d.slots}
		for _, x := range d.slots {
			x.rows, x.names = nil, nil
		}
		if c.oops(30) {
			s.goLive = mustDate("2026-01-06")
		}
		for range 3 + c.r.IntN(30) {
			c.event()
		}
		if c.oops(60) {
			c.announce()
		}
		s.run(t, d, nil, nil)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		_, pairs := s.sift(t, s.setup(t, d), d, nil, true)
		plain += len(pairs)
		for _, p := range pairs {
			if p.LeftNames != 0 {
				undoing++
			}
		}
	}
	if plain < 2*days || undoing < days/10 {
		t.Errorf("only %d pairs, %d of refunds, were settled by the sieve: it was hardly tested", plain, undoing)
	}
	t.Logf("%d pairs, %d of refunds, were settled by the sieve", plain, undoing)
}

const crowdRegister = `merchant M1 ums
merchant M2 ums
terminal T1 M1 S1
terminal T2 M1 S1
terminal T3 M2 S2
contract M1 * T+1 cn account=ACC rate=0.60% cutoff=15:00
contract M2 * T+1 cn account=ACC rate=0.60%
payer 银联商务 ums
`

// crowd makes the events of a day, with so much trouble, 0 to 3.
type crowd struct {
	r       *rand.Rand
	trouble int
	orders  int // percent of events with an order number and of those with a channel's id
	slots   []*scriptSlot
	sales   []*txn.Row
	n       int
}

func (c *crowd) chance(percent int) bool { return c.r.IntN(100) < percent }

func (c *crowd) oops(percent int) bool { return c.r.IntN(300) < percent*c.trouble }

// id is a new number, or by mistake an old one.
func (c *crowd) id() string {
	c.n++
	if c.oops(15) {
		return fmt.Sprintf("%06d", 1+c.r.IntN(c.n))
	}
	return fmt.Sprintf("%06d", c.n)
}

// event is one transaction, as a rule on both sides.
func (c *crowd) event() {
	r := c.transaction()
	moved := c.oops(6) // the acquirer has it at the other merchant
	for _, x := range c.slots {
		for again := true; again; again = c.oops(6) {
			if c.oops(8) {
				continue
			}
			own := r.Clone()
			own.Side = x.Side
			if moved && x.Side == txn.Acquirer {
				own.Set(txn.MID, []byte(map[string]string{"M1": "M2", "M2": "M1"}[string(r.Get(txn.MID))]))
				own.Text[txn.TID] = nil
			}
			if x.Side == txn.Acquirer {
				c.charge(own)
				own.Text[txn.Batch] = nil
				if c.chance(50) {
					own.Text[txn.OrigRRN], own.Text[txn.OrigSTAN] = nil, nil
				}
			}
			c.spoil(own)
			x.rows = append(x.rows, own)
			x.names = append(x.names, fmt.Sprint(x.Side, len(x.rows)))
		}
	}
	if r.Kind == txn.Sale {
		c.sales = append(c.sales, r)
	}
}

func (c *crowd) transaction() *txn.Row {
	r := &txn.Row{Kind: txn.Sale, Status: txn.Approved, Channel: txn.Card, Currency: txn.CNY, Amount: int64(1+c.r.IntN(3)) * 1000}
	r.Has = txn.FieldsOf(txn.SideField, txn.KindField, txn.StatusField, txn.AmountField, txn.TimeField, txn.ChannelField)
	if c.chance(5) {
		r.Currency = txn.Currency{'H', 'K', 'D'}
	}
	merchant, terminal := "M1", "T1"
	if c.chance(30) {
		merchant, terminal = "M2", "T3"
	}
	if c.oops(8) {
		r.Kind = txn.Completion
	}
	if c.oops(4) { // a sale with a minus, on both sides
		r.Amount = -r.Amount
	}
	var of *txn.Row
	if len(c.sales) > 0 && c.chance(30) {
		of = c.sales[c.r.IntN(len(c.sales))]
		merchant, terminal, r.Currency = string(of.Get(txn.MID)), string(of.Get(txn.TID)), of.Currency
	}
	set := func(f txn.Field, percent int, text string) {
		if c.chance(percent) {
			r.Set(f, []byte(text))
		}
	}
	set(txn.MID, 100, merchant)
	set(txn.TID, 100, terminal)
	set(txn.RRN, 90, c.id())
	set(txn.STAN, 80, c.id())
	set(txn.Batch, 30, "000001")
	set(txn.OrderNo, c.orders, "N"+c.id())
	set(txn.ChannelTxnID, c.orders, "4200001234202601061234"+c.id())
	if of != nil {
		r.Kind, r.Amount = txn.Refund, -of.Amount/int64(1+c.r.IntN(2))
		if c.oops(15) {
			r.Amount = -of.Amount - 100
		}
		if c.chance(40) {
			r.Kind, r.Amount = txn.Void, -of.Amount
		} else if c.oops(10) {
			r.Kind = txn.Reversal
		}
		set(txn.RefundID, 10, "R"+c.id())
		set(txn.OrigRRN, 80, string(of.Get(txn.RRN)))
		set(txn.OrigSTAN, 40, string(of.Get(txn.STAN)))
		if r.Kind == txn.Void && c.chance(20) {
			r.Set(txn.RRN, of.Get(txn.RRN))
		}
	}
	if c.oops(6) { // all that is left is the channel's id
		r.Text[txn.RRN], r.Text[txn.STAN], r.Text[txn.OrderNo] = nil, nil, nil
		r.Set(txn.ChannelTxnID, []byte("4200001234202601061234"+c.id()))
	}
	at := mustDate("2026-01-06").In(zone).Add(time.Duration(9*3600+c.r.IntN(10)*3600) * time.Second)
	r.Time = txn.TimeOf(at)
	return r
}

// charge completes an acquirer's row: its clearing day and its fee.
func (c *crowd) charge(r *txn.Row) {
	r.Business = mustDate("2026-01-06")
	if string(r.Get(txn.MID)) == "M1" && r.Time.Clock() >= 15*3600 || c.oops(5) {
		r.Business++
	}
	if c.oops(4) {
		r.Business -= 2
	}
	r.Has = r.Has.With(txn.BusinessDateField).With(txn.FeeField)
	if r.Kind == txn.Void || r.Amount > 0 { // nothing is given back for other rows with a minus
		r.Fee = txn.FineOf(r.Amount, r.Currency) * 6 / 1000
	}
	if c.oops(5) {
		r.Fee += 1000
	}
}

// announce adds a payout row of the acquirer, which states some sum.
func (c *crowd) announce() {
	for _, x := range c.slots {
		if x.Side == txn.Acquirer {
			r := &txn.Row{Side: txn.Acquirer, Kind: txn.Payout, Currency: txn.CNY, Amount: 5000, Business: mustDate("2026-01-06")}
			r.Has = txn.FieldsOf(txn.SideField, txn.KindField, txn.AmountField, txn.BusinessDateField)
			r.Set(txn.MID, []byte("M1"))
			x.rows = append(x.rows, r)
			x.names = append(x.names, "payout")
		}
	}
}

// spoil makes one side's row differ from the other's.
func (c *crowd) spoil(r *txn.Row) {
	if c.oops(5) {
		r.Amount += 100
	}
	if c.oops(2) {
		r.Amount = -r.Amount
	}
	if c.oops(4) {
		r.Status = txn.Declined
	}
	if c.oops(4) {
		r.Set(txn.RefundID, []byte("R"+c.id()))
	}
	for _, f := range []txn.Field{txn.RRN, txn.STAN, txn.OrderNo, txn.OrigRRN, txn.OrigSTAN, txn.OrigOrder, txn.OrigBatch} {
		if c.oops(3) {
			r.Set(f, []byte(c.id()))
		}
	}
	if c.oops(3) {
		r.Set(txn.TID, []byte("T2"))
	}
	if c.oops(3) {
		r.Currency = txn.Currency{'U', 'S', 'D'}
	}
	if c.oops(6) {
		days := [...]txn.Date{1, 3, 4, 91}[c.r.IntN(4)]
		r.Time = txn.TimeOf((r.Time.Date() - days).In(zone).Add(9 * time.Hour))
	}
}
