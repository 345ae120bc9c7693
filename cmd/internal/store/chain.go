package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// A hash chain is a table whose rows are numbered from 1 and each of which holds a digest of itself and of the digest
// before it. The table chains has the length and the last digest of each. So a row that is changed, taken out or put in
// is found, and so is a loss at the end, unless the head is forged as well: a copy of the head kept elsewhere shows that.

// Names in the table chains.
const (
	deliveryChain = "deliveries"
	auditChain    = "audit"
)

// lockChain takes the head of a chain for this transaction, in both dialects: later writers of the chain wait.
func lockChain(ctx context.Context, q querier, name string) error {
	n, err := q.change(ctx, `UPDATE chains SET length = length WHERE name = ?`, name)
	if err != nil || n > 0 {
		return err
	}
	return q.exec(ctx, `INSERT INTO chains (name, length, digest) VALUES (?, 0, '')
		ON CONFLICT (name) DO UPDATE SET length = chains.length`, name)
}

// nextLink locks the chain and returns the number of the row to come and the digest before it.
func nextLink(ctx context.Context, q querier, name string) (seq int64, before string, err error) {
	if err := lockChain(ctx, q, name); err != nil {
		return 0, "", err
	}
	head, err := headOf(ctx, q, name)
	return head.Length + 1, head.Digest, err
}

// setHead notes that row seq with its digest is the last one.
func setHead(ctx context.Context, q querier, name string, seq int64, digest string) error {
	return q.exec(ctx, `UPDATE chains SET length = ?, digest = ? WHERE name = ?`, seq, digest, name)
}

type chainHead struct {
	Length int64  `db:"length"`
	Digest string `db:"digest"`
}

// headOf is the zero head for a chain that has no row yet.
func headOf(ctx context.Context, q querier, name string) (chainHead, error) {
	var heads []chainHead
	if err := q.all(ctx, &heads, `SELECT length, digest FROM chains WHERE name = ?`, name); err != nil || len(heads) == 0 {
		return chainHead{}, err
	}
	return heads[0], nil
}

// linkOf digests the fields of a row after the digest before it. Texts are quoted, so that no two rows write alike.
func linkOf(before string, fields ...any) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q", before)
	for _, f := range fields {
		if text, ok := f.(string); ok {
			fmt.Fprintf(&b, " %q", text)
		} else {
			fmt.Fprintf(&b, " %d", f)
		}
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}

// chained is a row of a chain.
type chained interface {
	place() (seq int64, chain string)
	link(before string) string
	label() string // for people: what the row is about
}

// verifyChain recomputes a chain from all its rows, ordered by seq, and its head. The ErrDamaged names the first row
// that is not as it was written.
func verifyChain[T chained](what string, rows []T, head chainHead) error {
	before := ""
	for i, r := range rows {
		seq, chain := r.place()
		want := int64(i) + 1
		switch {
		case seq > want:
			return fmt.Errorf("%w: %s row %d is gone; the next one is %d (%s): compare with a backup", ErrDamaged, what, want, seq, r.label())
		case seq != want:
			return fmt.Errorf("%w: %s row %d (%s) was put in by hand: compare with a backup", ErrDamaged, what, seq, r.label())
		case want > head.Length:
			return fmt.Errorf("%w: %s row %d (%s) lies behind the end of the chain, which has %d rows: it was put in by hand, "+
				"or the head was changed: compare with a backup", ErrDamaged, what, seq, r.label(), head.Length)
		case chain != r.link(before):
			return fmt.Errorf("%w: %s row %d (%s) is not as it was written, or one before it was taken out or put in: "+
				"compare with a backup", ErrDamaged, what, seq, r.label())
		}
		before = chain
	}
	if n := int64(len(rows)); n < head.Length {
		return fmt.Errorf("%w: the last %s rows after row %d are gone: the chain had %d: compare with a backup",
			ErrDamaged, what, n, head.Length)
	}
	if before != head.Digest {
		return fmt.Errorf("%w: the head of the %s chain is not that of its last row %d: compare with a backup",
			ErrDamaged, what, len(rows))
	}
	return nil
}
