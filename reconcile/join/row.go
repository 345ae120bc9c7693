package join

import "fmt"

// Side is one side of leg T-A.
type Side uint8

// The two sides.
const (
	Terminal Side = iota
	Acquirer
	sides
)

// Space is a sort of identifier. Its order is that of the passes: P1a, P1b, P2.
type Space uint8

// The spaces. A key lies in one space, beside the merchant and the kind of its facet.
const (
	ByChannelID Space = iota
	ByOrder
	ByRRN
	Spaces
)

// Words is the size of the space's keys.
func (s Space) Words() int {
	if s == ByRRN {
		return 1
	}
	return LongWords
}

// Window is how many local days two rows with one key may lie apart.
func (s Space) Window() int32 {
	if s == ByRRN {
		return 3
	}
	return 90
}

// Limits of what a row can hold.
const (
	MaxFacets = 1 << 24 // of all rows together
	MaxOffset = 1 << 40 // bytes of files on one side

	maxMoney  = 1 << 39
	maxNumber = 1 << 44
)

// Flags of a row.
const (
	flagApart = 1 << iota // never a plain pair, and no row with a key of it either
	flagMulti             // has rows in several spaces; the number is its own
	flagNext              // clears on the day after its local day
)

// Facet is what many rows of one slot have in common, in 32 bytes. Ids are numbers that are equal where the texts are, 0 none.
type Facet struct {
	Scope    uint32 // merchant and kind; part of every key
	Merchant uint32
	TID      uint32
	Store    uint32
	Day      int32 // local day of the transactions
	Cleared  int32 // acquirer: clearing day
	Side     Side
	Currency uint8 // equal numbers are one currency
	Plain    bool  // rows of it can be plain: successful rows that the register knows and no rule concerns
	Online   bool  // has no terminal of its own
	OurStore bool  // the store is in the register
	Undoes   bool  // refunds and voids, which name another row
	Refunds  bool  // of these, the refunds
}

// Brief is a row on its way in.
type Brief struct {
	Facet   uint32
	Offset  int64 // in the files of its side, laid end to end
	Amount  int64
	Fee     int64
	Digest  uint64 // of terminal and STAN, 0 none; only compared with those given to Filter
	Apart   bool
	Next    bool
	RRN     uint64 // packed; 0 none
	Channel Long   // packed; zero none
	Order   Long
}

// ErrTooMany says that the rows have more in common than they can number.
var ErrTooMany = fmt.Errorf("more than %d combinations of merchant, terminal, day and payout on one day", MaxFacets)

// fits reports whether all values of the row can be held.
func (b *Brief) fits() bool {
	return b.Amount >= -maxMoney && b.Amount < maxMoney && b.Fee >= -maxMoney && b.Fee < maxMoney
}

// pack fills the words behind the key.
func (b *Brief) pack(to []uint64, flags, number uint64) {
	_ = to[2]
	to[0] = uint64(b.Facet)<<40 | uint64(b.Offset)
	to[1] = uint64(b.Amount)<<24 | flags<<20 | number>>24
	to[2] = uint64(b.Fee)<<24 | number&(1<<24-1)
}

// row is a view of a packed row behind its key.
type row []uint64

func (r row) facet() uint32  { return uint32(r[0] >> 40) }
func (r row) offset() int64  { return int64(r[0] & (MaxOffset - 1)) }
func (r row) amount() int64  { return int64(r[1]) >> 24 }
func (r row) fee() int64     { return int64(r[2]) >> 24 }
func (r row) flags() uint64  { return r[1] >> 20 & 15 }
func (r row) number() uint64 { return r[1]&(1<<20-1)<<24 | r[2]&(1<<24-1) }

// tail is the number of words behind the key.
const tail = 3
