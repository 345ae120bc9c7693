// Package txn holds the neutral row: what every format produces and every later stage reads.
//
// One [Row] is one line of evidence from one of three sides:
//
//	T terminal   a sale, void, refund, reversal ... from a POS journal
//	A acquirer   a settled transaction with its fee, or a payout, fee, adjustment row
//	B bank       a credit or debit on the settlement account
//
// Signs: money towards the merchant (or account owner) is positive. Fees are a cost: positive = paid by the
// merchant, negative = given back, and net = amount - fee. Amounts count minor units of their currency, fees
// count 1e-5 of the major unit ([Fine]). Nothing here is ever a float.
//
// The package is a leaf: it imports nothing else of this project.
package txn

import (
	"bytes"
	"math/bits"
	"slices"
)

// Side is the kind of evidence that a row comes from.
type Side uint8

// The three sides, in the order in which ties between members of a case are broken.
const (
	NoSide Side = iota
	Terminal
	Acquirer
	Bank
)

var sideNames = []string{"", "T", "A", "B"}

// String returns T, A or B.
func (s Side) String() string { return name(sideNames, int(s)) }

// ParseSide reads T, A, B or the words terminal, acquirer, bank.
func ParseSide(s string) (Side, bool) {
	switch s {
	case "T", "terminal":
		return Terminal, true
	case "A", "acquirer":
		return Acquirer, true
	case "B", "bank":
		return Bank, true
	}
	return NoSide, false
}

// Kind says what a row does. Transactions (sale to completion) take part in leg T-A; the others only in leg A-B.
type Kind uint8

// Kinds of rows. Credit and Debit are bank lines as seen by the account owner.
const (
	NoKind Kind = iota
	Sale
	Void
	Refund
	Reversal
	Preauth
	Completion
	Fee
	Adjustment
	Chargeback
	Reserve
	Payout
	Credit
	Debit
)

var kindNames = []string{"", "sale", "void", "refund", "reversal", "preauth", "completion", "fee", "adjustment",
	"chargeback", "reserve", "payout", "credit", "debit"}

// String returns the kind as it is spelled in files, settings and reports.
func (k Kind) String() string { return name(kindNames, int(k)) }

// ParseKind reads what String writes.
func ParseKind(s string) (Kind, bool) {
	i, ok := parse(kindNames, s)
	return Kind(i), ok
}

// Transaction reports whether the kind takes part in leg T-A.
func (k Kind) Transaction() bool { return k >= Sale && k <= Completion }

// Sign is +1 where the kind brings money to the merchant, -1 where it takes money away, 0 where it moves none
// (a preauthorisation) or where the source states the sign itself.
func (k Kind) Sign() int64 {
	switch k {
	case Sale, Completion, Credit:
		return 1
	case Void, Refund, Reversal, Debit:
		return -1
	}
	return 0
}

// Status is the outcome of a transaction as its source saw it. The order is the rank in a key group:
// approved before unknown before declined.
type Status uint8

// Outcomes. Processing is accepted and counted, but not final (a wallet refund under way); Closed is an
// acquirer's word for an order that never became money.
const (
	NoStatus Status = iota
	Approved
	Processing
	Unknown
	Declined
	Failed
	Closed
)

var statusNames = []string{"", "approved", "processing", "unknown", "declined", "failed", "closed"}

// String returns the status as spelled in settings and reports.
func (s Status) String() string { return name(statusNames, int(s)) }

// ParseStatus reads what String writes.
func ParseStatus(s string) (Status, bool) {
	i, ok := parse(statusNames, s)
	return Status(i), ok
}

// Success reports whether the row stands for money that moved or will move. A row without a status is one
// from a file that lists successful rows only.
func (s Status) Success() bool { return s <= Processing }

// Channel is the way in which the customer paid.
type Channel uint8

// Channels of the terminal journal and of contracts.
const (
	NoChannel Channel = iota
	Card
	WeChat
	Alipay
	UnionPayQR
	Online
	Other
)

var channelNames = []string{"", "card", "wechat", "alipay", "unionpay_qr", "online", "other"}

// String returns the channel as spelled in files, settings and reports.
func (c Channel) String() string { return name(channelNames, int(c)) }

// ParseChannel reads what String writes.
func ParseChannel(s string) (Channel, bool) {
	i, ok := parse(channelNames, s)
	return Channel(i), ok
}

// LineStatus tells a booked bank line from one that is only announced.
type LineStatus uint8

// Bank line states. A source that does not say has only booked lines.
const (
	Booked LineStatus = iota
	Pending
	Information
)

var lineStatusNames = []string{"booked", "pending", "information"}

// String returns the state as spelled in reports.
func (s LineStatus) String() string { return name(lineStatusNames, int(s)) }

// ParseLineStatus reads what String writes.
func ParseLineStatus(s string) (LineStatus, bool) {
	i, ok := parse(lineStatusNames, s)
	return LineStatus(i), ok
}

// Position is where a row begins. Offset counts bytes of the member after decompression and before charset
// decoding; Entry is 0 for the first transaction of a record, 1 for the second that the same record emits.
// File is the number of the file in the run's list, which is ordered by (source, slot key, member, sha256).
type Position struct {
	File   uint32
	Entry  uint16
	Offset int64
}

// Compare orders positions by file, offset, entry.
func (p Position) Compare(q Position) int {
	switch {
	case p.File != q.File:
		return cmpInt(int64(p.File), int64(q.File))
	case p.Offset != q.Offset:
		return cmpInt(p.Offset, q.Offset)
	}
	return cmpInt(int64(p.Entry), int64(q.Entry))
}

// FeePart is one component of a fee, with the class that the contract or vendor gives it.
type FeePart struct {
	Class  string
	Amount Fine
}

// Conversion is an amount in another currency with the rate that the source states, verbatim.
type Conversion struct {
	Amount   int64 // minor units of Currency
	Currency Currency
	Rate     []byte
}

// Extra is a vendor column for which the neutral row has no field, under the vendor's own name.
type Extra struct {
	Name  string
	Value []byte
}

// Row is the neutral record. Text fields lie in Text under their [Field]; a missing text is empty. The numbers
// below are only meaningful where Has carries their Field.
//
// Byte slices are views into the reader's buffer and are valid until its next call; [Row.Clone] keeps a row.
// A reader fills the fields it was asked for and may fill more.
type Row struct {
	Side       Side
	Kind       Kind
	Status     Status
	Channel    Channel
	LineStatus LineStatus
	Offline    bool // approved by the terminal alone, sent later
	Reversed   bool // a bank line that takes back an earlier one

	Text [textFields][]byte
	Has  Fields // which of the fields below, and which texts, the source gave

	Currency     Currency
	Amount       int64 // minor units, signed
	OrderAmount  int64 // before discounts
	PaidAmount   int64 // what the customer paid
	SettleAmount int64 // base of the settlement
	Subsidy      int64 // paid by the platform
	Net          int64 // as stated by the source; absent is not zero
	Balance      int64 // after this bank line
	Fee          Fine
	FeeParts     []FeePart
	Settlement   Conversion
	PayoutAmount Conversion

	Time       Time // transaction time
	Business   Date // the acquirer's clearing day
	PayoutDate Date
	Booking    Date // bank booking date
	Value      Date // bank value date
	OrigDate   Date // date of the original transaction

	Extra []Extra
	Pos   Position
}

// Reset empties the row and keeps its memory. Of the texts and the amounts in other currencies only those are touched
// that Has carries: they are most of the row's bytes, and a reader resets one row millions of times. Texts must
// therefore be stored by [Row.Set].
func (r *Row) Reset() { r.ResetFor(0) }

// ResetFor is Reset for a reader that is about to store each of the texts in mine, empty ones included: it leaves
// them alone.
func (r *Row) ResetFor(mine Fields) {
	for stale := r.Has & (1<<textFields - 1) &^ mine; stale != 0; stale &= stale - 1 {
		r.Text[bits.TrailingZeros64(uint64(stale))] = nil
	}
	r.Side, r.Kind, r.Status, r.Channel, r.LineStatus = NoSide, NoKind, NoStatus, NoChannel, Booked
	r.Offline, r.Reversed = false, false
	r.Currency = Currency{}
	r.Amount, r.OrderAmount, r.PaidAmount, r.SettleAmount, r.Subsidy, r.Net, r.Balance = 0, 0, 0, 0, 0, 0, 0
	r.Fee, r.FeeParts = 0, r.FeeParts[:0]
	if r.Has&(1<<SettlementField|1<<PayoutAmountField) != 0 {
		r.Settlement, r.PayoutAmount = Conversion{}, Conversion{}
	}
	r.Time, r.Business, r.PayoutDate, r.Booking, r.Value, r.OrigDate = Time{}, 0, 0, 0, 0, 0
	r.Extra, r.Pos, r.Has = r.Extra[:0], Position{}, 0
}

// Get returns the text of field f, empty where the source has none. The bytes are a view, like all of the row's.
func (r *Row) Get(f Field) []byte { return r.Text[f] }

// Set stores a text and marks it as present.
func (r *Row) Set(f Field, v []byte) {
	r.Text[f] = v
	if len(v) > 0 {
		r.Has = r.Has.With(f)
	}
}

// Clone returns a copy of the row that shares no memory with the reader.
func (r *Row) Clone() *Row {
	n := 0
	for _, t := range r.Text {
		n += len(t)
	}
	for _, e := range r.Extra {
		n += len(e.Value)
	}
	c, _ := r.copy(make([]byte, 0, n+len(r.Settlement.Rate)+len(r.PayoutAmount.Rate)))
	return &c
}

// CopyTo makes to a copy of the row whose texts lie in buf, which is returned as far as it is used. What is copied into one
// buffer stays valid until the buffer is used again.
func (r *Row) CopyTo(to *Row, buf []byte) []byte {
	*to, buf = r.copy(buf)
	return buf
}

func (r *Row) copy(buf []byte) (Row, []byte) {
	c := *r
	keep := func(b []byte) []byte {
		if len(b) == 0 {
			return nil
		}
		at := len(buf)
		buf = append(buf, b...)
		return buf[at:len(buf):len(buf)]
	}
	for i, t := range r.Text {
		c.Text[i] = keep(t)
	}
	c.Extra = slices.Clone(r.Extra)
	for i, e := range c.Extra {
		c.Extra[i].Value = keep(e.Value)
	}
	c.Settlement.Rate, c.PayoutAmount.Rate = keep(r.Settlement.Rate), keep(r.PayoutAmount.Rate)
	c.FeeParts = slices.Clone(r.FeeParts)
	return c, buf
}

// NetFine is amount - fee in 1e-5 of the major unit: what the row adds to its payout, computed, never as stated.
func (r *Row) NetFine() Fine { return FineOf(r.Amount, r.Currency) - r.Fee }

// Blank reports whether an identifier says nothing: empty, or made only of zeros, blanks, dashes, slashes, dots,
// asterisks or the words null, none and n/a. A blank key never matches another blank key.
func Blank(id []byte) bool {
	for _, c := range id {
		switch c {
		case '0', ' ', '\t', '-', '/', '.', '*', '_':
			continue
		case 'n', 'N':
			return isNothing(id)
		}
		return false
	}
	return true
}

// isNothing reports whether an identifier is a word for having none.
func isNothing(id []byte) bool {
	return bytes.EqualFold(id, []byte("null")) || bytes.EqualFold(id, []byte("none")) || bytes.EqualFold(id, []byte("n/a")) || bytes.EqualFold(id, []byte("nil"))
}

// TrimZeros drops leading zeros, as RRNs, STANs and batch numbers are compared.
func TrimZeros(id []byte) []byte { return bytes.TrimLeft(id, "0") }

func name(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return "?"
}

func parse(names []string, s string) (int, bool) {
	if s == "" {
		return 0, false
	}
	i := slices.Index(names, s)
	return max(i, 0), i >= 0
}

func cmpInt(a, b int64) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}
