package fee

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"daozhang/parsers/txn"
	"daozhang/reconcile/register"
)

// percent is a rate in 1e-5 percent: percent(60000) is 0.6 %.
func row(rate register.Rate) register.Contract {
	return register.Contract{Rate: rate, Rounding: register.RowHalfUp, FeeBackOnRefund: true}
}

func TestExpected(t *testing.T) {
	debit := row(50000)
	debit.Cap, debit.HasCap = 2000, true
	small := row(38000)
	small.Min, small.HasMin = 1, true
	flat := row(0)
	flat.Fixed = 24
	both := row(60000)
	both.Fixed, both.Cap, both.HasCap = 100, 300, true
	kept := row(60000)
	kept.FeeBackOnRefund = false
	batch := row(60000)
	batch.Rounding = register.BatchHalfUp
	jpy, kwd := txn.Currency{'J', 'P', 'Y'}, txn.Currency{'K', 'W', 'D'}
	for _, x := range []struct {
		name           string
		c              register.Contract
		amount         int64
		cur            txn.Currency
		exact, rounded txn.Fine
	}{
		{"0.6 % of 100 yuan", row(60000), 10000, txn.CNY, 60000, 60000},
		{"below the half", row(38000), 1346, txn.CNY, 5115, 5000},
		{"exact tie goes up", row(60000), 250, txn.CNY, 1500, 2000},
		{"exact tie at an even fen goes up too", row(50000), 500, txn.CNY, 2500, 3000},
		{"refund is symmetric at the tie", row(60000), -250, txn.CNY, -1500, -2000},
		{"not lifted over the tie by rounding twice", row(49999996 / 10), 10, txn.CNY, 5000, 5000},
		{"a hair under half a fen stays at zero", row(4999999), 1, txn.CNY, 500, 0},
		{"debit below the cap", debit, 399999, txn.CNY, 1999995, 2000000},
		{"debit cap of 20 yuan", debit, 1000000, txn.CNY, 2000000, 2000000},
		{"refund at the cap", debit, -1000000, txn.CNY, -2000000, -2000000},
		{"least fee of one fen", small, 100, txn.CNY, 1000, 1000},
		{"flat 0.24 yuan", flat, 5, txn.CNY, 24000, 24000},
		{"rate and fixed part under the cap", both, 10000, txn.CNY, 160000, 160000},
		{"rate and fixed part at the cap", both, 1000000, txn.CNY, 300000, 300000},
		{"refund without its fee", kept, -10000, txn.CNY, 0, 0},
		{"batch contract keeps the exact fee", batch, 250, txn.CNY, 1500, 1500},
		{"no amount, no fee", flat, 0, txn.CNY, 0, 0},
		{"currency without decimals", row(60000), 250, jpy, 150000, 200000},
		{"currency with three decimals", row(60000), 250, kwd, 150, 200},
		{"amounts at the end of the range do not wrap", row(register.RateUnit), math.MaxInt64, txn.CNY, math.MaxInt64, math.MaxInt64},
	} {
		t.Run(x.name, func(t *testing.T) {
			if exact, rounded := Expected(x.c, x.amount, x.cur); exact != x.exact || rounded != x.rounded {
				t.Errorf("got %d, %d; want %d, %d", exact, rounded, x.exact, x.rounded)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	kept := row(60000)
	kept.FeeBackOnRefund = false
	batch := row(60000)
	batch.Rounding = register.BatchHalfUp
	for _, x := range []struct {
		name    string
		c       register.Contract
		kind    txn.Kind
		amount  int64
		charged txn.Fine
		want    txn.Fine
		ok      bool
	}{
		{"equal at the fen", row(60000), txn.Sale, 10000, 60000, 60000, true},
		{"one fen more", row(60000), txn.Sale, 10000, 61000, 60000, false},
		{"five decimals where the contract rounds the row", row(60000), txn.Sale, 250, 1500, 2000, false},
		{"half even where half up is agreed", row(50000), txn.Sale, 500, 2000, 3000, false},
		{"a free sale", row(60000), txn.Sale, 10000, 0, 60000, false},
		{"refund gives the fee back", row(60000), txn.Refund, -10000, -60000, -60000, true},
		{"refund keeps the fee", kept, txn.Refund, -10000, 0, 0, true},
		{"refund should keep the fee and does not", kept, txn.Refund, -10000, -60000, 0, false},
		{"void takes all back even so", kept, txn.Void, -10000, -60000, -60000, true},
		{"reversal too", kept, txn.Reversal, -10000, -60000, -60000, true},
		{"preauthorisation costs nothing", row(60000), txn.Preauth, 10000, 0, 0, true},
		{"five decimals under a batch contract", batch, txn.Sale, 250, 1500, 1500, true},
		{"rounded up under a batch contract", batch, txn.Sale, 250, 2000, 1500, true},
		{"rounded down at the tie", batch, txn.Sale, 250, 1000, 1500, true},
		{"more than half a fen off", batch, txn.Sale, 250, 2001, 1500, false},
		{"a fen off", batch, txn.Sale, 10000, 61000, 60000, false},
		{"refund under a batch contract", batch, txn.Refund, -250, -2000, -1500, true},
	} {
		t.Run(x.name, func(t *testing.T) {
			if got, ok := Check(x.c, x.kind, x.amount, txn.CNY, x.charged); got != x.want || ok != x.ok {
				t.Errorf("got %d, %v; want %d, %v", got, ok, x.want, x.ok)
			}
		})
	}
}

// The whole computation again in rationals of any size.
func TestExpectedEqualsRationalArithmetic(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		c := row(register.Rate(rnd.Int64N(int64(register.RateUnit) / 10)))
		amount := rnd.Int64N(1 << (1 + rnd.IntN(45)))
		if rnd.IntN(3) == 0 {
			c.Fixed = rnd.Int64N(500)
		}
		if rnd.IntN(3) == 0 {
			c.Cap, c.HasCap = 500+rnd.Int64N(5000), true
		}
		if rnd.IntN(3) == 0 {
			c.Min, c.HasMin = rnd.Int64N(500), true
		}
		exact, rounded := Expected(c, amount, txn.CNY)
		if want := oracle(c, amount, 1000); int64(exact) != want {
			t.Fatalf("exact %+v of %d: got %d, want %d", c, amount, exact, want)
		}
		if want := oracle(c, amount, 1) * 1000; int64(rounded) != want {
			t.Fatalf("rounded %+v of %d: got %d, want %d", c, amount, rounded, want)
		}
		if e, r := Expected(c, -amount, txn.CNY); e != -exact || r != -rounded {
			t.Fatalf("%+v of -%d: got %d, %d", c, amount, e, r)
		}
	}
}

// oracle is the fee in 1/unit of a minor unit, half up.
func oracle(c register.Contract, amount, unit int64) int64 {
	if amount == 0 {
		return 0
	}
	fee := new(big.Rat).Mul(big.NewRat(amount, 1), big.NewRat(int64(c.Rate), int64(register.RateUnit)))
	fee.Add(fee, big.NewRat(c.Fixed, 1))
	if low := big.NewRat(c.Min, 1); c.HasMin && fee.Cmp(low) < 0 {
		fee = low
	}
	if high := big.NewRat(c.Cap, 1); c.HasCap && fee.Cmp(high) > 0 {
		fee = high
	}
	fee.Mul(fee, big.NewRat(unit, 1)).Add(fee, big.NewRat(1, 2))
	return new(big.Int).Div(fee.Num(), fee.Denom()).Int64()
}

func TestExpectedAllocatesNothing(t *testing.T) {
	c := row(38000)
	if n := testing.AllocsPerRun(100, func() { Check(c, txn.Sale, 12345, txn.CNY, 47000) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
