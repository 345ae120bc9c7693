package txn

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
)

// Currency is an ISO 4217 code in capitals.
type Currency [3]byte

// CNY is the currency of the product's home market.
var CNY = Currency{'C', 'N', 'Y'}

// ParseCurrency reads a three-letter code in either case, and the numeric 156 and the words that Chinese files use for yuan.
func ParseCurrency(s string) (Currency, bool) {
	switch s {
	case "156", "RMB", "rmb", "人民币", "人民币元", "CNH":
		return CNY, true
	}
	if len(s) != 3 {
		return Currency{}, false
	}
	var c Currency
	for i := range c {
		b := s[i] &^ 0x20
		if b < 'A' || b > 'Z' {
			return Currency{}, false
		}
		c[i] = b
	}
	return c, true
}

// String returns the code, or nothing for the zero value.
func (c Currency) String() string {
	if c == (Currency{}) {
		return ""
	}
	return string(c[:])
}

// Decimals is the number of minor digits: 2 for most, 0 for JPY, 3 for KWD (ISO 4217).
func (c Currency) Decimals() int {
	if c == (Currency{'C', 'N', 'Y'}) { // nearly every row
		return 2
	}
	return c.decimals()
}

func (c Currency) decimals() int {
	switch string(c[:]) {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}

// Fine counts 1e-5 of the major unit: fees, and sums in which fees take part.
type Fine int64

// FineDecimals is the number of decimals of a Fine.
const FineDecimals = 5

var pow10 = [...]int64{1, 10, 100, 1000, 10000, 100000}

// FineOf converts an amount in minor units of c.
func FineOf(minor int64, c Currency) Fine { return Fine(minor * pow10[FineDecimals-c.Decimals()]) }

// Round converts to minor units of c, half away from zero ("half up" for either sign).
func (f Fine) Round(c Currency) int64 {
	unit := pow10[FineDecimals-c.Decimals()]
	if f < 0 {
		return -((int64(-f) + unit/2) / unit)
	}
	return (int64(f) + unit/2) / unit
}

// Format writes the fine amount in major units with at least the currency's decimals and no more than needed.
func (f Fine) Format(c Currency) string {
	s := string(AppendDecimal(nil, int64(f), FineDecimals))
	for cut := FineDecimals - c.Decimals(); cut > 0 && s[len(s)-1] == '0'; cut-- {
		s = s[:len(s)-1]
	}
	if s[len(s)-1] == '.' {
		s = s[:len(s)-1]
	}
	return s
}

// FormatAmount writes minor units as a decimal in major units with exactly the currency's decimals.
func FormatAmount(minor int64, c Currency) string {
	return string(AppendDecimal(nil, minor, c.Decimals()))
}

// AppendDecimal appends v * 10^-decimals.
func AppendDecimal(b []byte, v int64, decimals int) []byte {
	u := uint64(v)
	if v < 0 {
		b = append(b, '-')
		u = -u
	}
	if decimals == 0 {
		return strconv.AppendUint(b, u, 10)
	}
	p := uint64(1)
	for range decimals {
		p *= 10
	}
	b = strconv.AppendUint(b, u/p, 10)
	b = append(b, '.')
	frac := u % p
	for p /= 10; p > 0; p /= 10 {
		b = append(b, byte('0'+frac/p%10))
	}
	return b
}

// Why a text is not an amount.
var (
	ErrNumber   = errors.New("not a number")
	ErrSurplus  = errors.New("more decimals than the unit has")
	ErrOverflow = errors.New("number too large")
)

// ParseDecimal reads an optional sign, digits and an optional point with decimals, and returns the value in units of
// 10^-decimals. Surplus decimals must be zero. Thousands commas, blanks and currency signs are not accepted here:
// what a vendor adds is the profile's business.
func ParseDecimal(s []byte, decimals int) (int64, error) {
	i, neg := 0, false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		i = 1
	}
	var v uint64
	digits, left, point := 0, decimals, false
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' {
			if point {
				return 0, ErrNumber
			}
			point = true
			continue
		}
		if c < '0' || c > '9' {
			return 0, ErrNumber
		}
		digits++
		if point {
			if left == 0 {
				if c != '0' {
					return 0, ErrSurplus
				}
				continue
			}
			left--
		}
		hi, lo := bits.Mul64(v, 10)
		v = lo + uint64(c-'0')
		if hi != 0 || v < lo {
			return 0, ErrOverflow
		}
	}
	if digits == 0 {
		return 0, ErrNumber
	}
	for ; left > 0; left-- {
		hi, lo := bits.Mul64(v, 10)
		if hi != 0 {
			return 0, ErrOverflow
		}
		v = lo
	}
	if v > math.MaxInt64/16 { // room for sums of many rows
		return 0, ErrOverflow
	}
	if neg {
		return -int64(v), nil
	}
	return int64(v), nil
}

// ParseAmount reads a decimal in major units of c.
func ParseAmount(s string, c Currency) (int64, error) {
	v, err := ParseDecimal([]byte(s), c.Decimals())
	if err != nil {
		return 0, fmt.Errorf("amount %q: %w", s, err)
	}
	return v, nil
}
