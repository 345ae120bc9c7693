package reconcile

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"

	"daozhang/parsers/txn"
)

// Identities are functions of the data alone, so that a row that is sent again, in a corrected file or in another order,
// keeps its key and its case. The layout of the hashed bytes must never change: fields end with a unit separator.

// keyFields are hashed as received, in this order, with side, source, kind and time.
var keyFields = []txn.Field{txn.MID, txn.TID, txn.Batch, txn.STAN, txn.RRN, txn.OrderNo, txn.RefundID, txn.PayoutID, txn.AuthCode}

// bankKeyFields identify a bank line, with its booking date.
var bankKeyFields = []txn.Field{txn.Account, txn.BankRef, txn.Remittance}

const unitSeparator = 0x1f

// idBuf builds the bytes that identify a row.
type idBuf struct{ b []byte }

func (x *idBuf) build(source string, r *txn.Row) []byte {
	b := append(x.b[:0], r.Side.String()...)
	b = append(b, unitSeparator)
	b = append(b, source...)
	b = append(b, unitSeparator)
	b = append(b, r.Kind.String()...)
	b = append(b, unitSeparator)
	fields := keyFields
	if r.Side == txn.Bank {
		fields = bankKeyFields
		b = strconv.AppendInt(b, int64(r.Booking), 10)
	} else {
		b = strconv.AppendInt(b, r.Time.Unix, 10)
		if r.Time.IsZero() { // without a time the clearing day tells rows of two days apart
			b = strconv.AppendInt(append(b, '@'), int64(r.Business), 10)
		}
	}
	b = append(b, unitSeparator)
	for _, f := range fields {
		b = append(b, r.Text[f]...)
		b = append(b, unitSeparator)
	}
	x.b = b
	return b
}

// hash is a cheap form of the key without its ordinal: equal rows have equal hashes, so only those with company need
// their ordinal worked out.
func (x *idBuf) hash(source string, r *txn.Row) uint64 { return xxhash.Sum64(x.build(source, r)) }

// RowKey is the row's identity without amounts, fee and status: 32 hex digits. Ordinal counts equal rows of one slot,
// ordered by (facts digest, position).
func RowKey(source string, r *txn.Row, ordinal int) string {
	var x idBuf
	b := append(x.build(source, r), strconv.Itoa(ordinal)...)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// FactsDigest changes when a vendor corrects the row: amount, fee, net, currency, status, dates.
func FactsDigest(r *txn.Row) string {
	var b []byte
	for _, v := range [...]int64{r.Amount, int64(r.Fee), r.Net, int64(r.Status), int64(r.Business), int64(r.PayoutDate), int64(r.Booking),
		int64(r.Value), int64(r.OrigDate)} {
		b = strconv.AppendInt(b, v, 10)
		b = append(b, unitSeparator)
	}
	b = append(b, r.Currency.String()...)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// CaseID makes the id of a case from the parts that identify it.
func CaseID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, string(rune(unitSeparator)))))
	s := crockford.EncodeToString(sum[:10])
	return "C-" + s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:16]
}

func (p *payout) id() string {
	if p.ID != "" {
		return CaseID(string(LegAB), p.Acquirer, p.Currency.String(), p.ID)
	}
	return CaseID(string(LegAB), p.Acquirer, p.Currency.String(), p.MID, p.Channel, p.Date.String())
}
