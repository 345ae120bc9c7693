// Package fee computes what a contract says a transaction costs, and judges what was charged.
//
// Fees are positive where the merchant pays and negative where they are given back. All arithmetic is in integers with
// a 128-bit product, and each result is rounded once, from the exact value, half away from zero:
//
//	13.46 yuan at 0.38 %   = 0.051148 exactly, 0.05115 as a Fine, 0.05 rounded per row
//	0.005 yuan             = a tie, rounds to 0.01; -0.005 rounds to -0.01
package fee

import (
	"math"
	"math/bits"

	"daozhang/parsers/txn"
	"daozhang/reconcile/register"
)

// Expected is the contract's fee for an amount in minor units of cur, signed as in the row. exact is the fee before
// rounding, to 1e-5 of the major unit; rounded is what a row must show: the fee in whole minor units where the contract
// rounds per row, else the same as exact.
//
// The fee is the rate's share plus the fixed part, then held between min and cap. A negative amount is a refund: it
// gets the same fee back where the contract says so, else it has none. An amount of zero has no fee.
func Expected(c register.Contract, amount int64, cur txn.Currency) (exact, rounded txn.Fine) {
	return expected(&c, amount, cur)
}

func expected(c *register.Contract, amount int64, cur txn.Currency) (exact, rounded txn.Fine) {
	if amount < 0 && !c.FeeBackOnRefund {
		return 0, 0
	}
	return symmetric(c, amount, cur)
}

// symmetric is the fee of the amount without its sign, with the amount's sign.
func symmetric(c *register.Contract, amount int64, cur txn.Currency) (exact, rounded txn.Fine) {
	if amount == 0 {
		return 0, 0
	}
	abs := uint64(amount)
	if amount < 0 {
		abs = -abs
	}
	unit := uint64(txn.FineOf(1, cur))
	rate := uint64(max(c.Rate, 0))

	// Both are taken from the exact product: rounding a rounded value would lift 0.004999996 over the tie.
	exact = add(share(abs, unit, rate), txn.FineOf(c.Fixed, cur))
	rounded = add(times(share(abs, 1, rate), unit), txn.FineOf(c.Fixed, cur))
	if c.HasMin {
		low := txn.FineOf(c.Min, cur)
		exact, rounded = max(exact, low), max(rounded, low)
	}
	if c.HasCap {
		high := txn.FineOf(c.Cap, cur)
		exact, rounded = min(exact, high), min(rounded, high)
	}
	if c.Rounding == register.BatchHalfUp {
		rounded = exact
	}
	if amount < 0 {
		return -exact, -rounded
	}
	return exact, rounded
}

// share is amount * unit * rate / RateUnit, half up. What does not fit is the largest number, which equals no fee.
func share(amount, unit, rate uint64) txn.Fine {
	const whole = uint64(register.RateUnit)
	over, base := bits.Mul64(amount, unit)
	hi, lo := bits.Mul64(base, rate)
	lo, carry := bits.Add64(lo, whole/2, 0)
	hi += carry
	if over != 0 || hi >= whole {
		return math.MaxInt64
	}
	q, _ := bits.Div64(hi, lo, whole)
	return txn.Fine(min(q, math.MaxInt64))
}

func times(a txn.Fine, unit uint64) txn.Fine {
	if a > math.MaxInt64/txn.Fine(unit) {
		return math.MaxInt64
	}
	return a * txn.Fine(unit)
}

func add(a, b txn.Fine) txn.Fine {
	if b > 0 && a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// Check compares the fee that a row shows with the contract. A void or reversal takes the whole fee back, whatever the
// contract says about refunds; rows that are no transactions, and preauthorisations, have none.
//
// Where the contract rounds per row, the fee must be equal. Where it rounds per batch, a row may show the fee in five
// decimals or rounded to the minor unit, so that it may differ from the exact fee by half a minor unit at most.
func Check(c register.Contract, kind txn.Kind, amount int64, cur txn.Currency, charged txn.Fine) (expected txn.Fine, ok bool) {
	return check(&c, kind, amount, cur, charged)
}

// Right is Check's verdict alone.
func Right(c *register.Contract, kind txn.Kind, amount int64, cur txn.Currency, charged txn.Fine) bool {
	_, ok := check(c, kind, amount, cur, charged)
	return ok
}

func check(c *register.Contract, kind txn.Kind, amount int64, cur txn.Currency, charged txn.Fine) (want txn.Fine, ok bool) {
	var exact txn.Fine
	switch kind {
	case txn.Void, txn.Reversal:
		exact, want = symmetric(c, amount, cur)
	case txn.Sale, txn.Refund, txn.Completion:
		exact, want = expected(c, amount, cur)
	}
	if c.Rounding != register.BatchHalfUp {
		return want, charged == want
	}
	away := charged - exact
	if away < 0 {
		away = -away
	}
	return want, away <= txn.FineOf(1, cur)/2
}
