package pipeline

import (
	"cmp"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"daozhang/parsers"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports"
)

// maxRowChanges is how many rows of a corrected file are listed; all are counted.
const maxRowChanges = 100

// fileDiff compares the rows of two files for one slot, as bags of row keys.
type fileDiff struct {
	added, removed, changed reconcile.Figure
	removedFee, changedFee  txn.Fine
	before, after           int64 // sums of the rows that differ
	currency                txn.Currency
	rows                    []reports.RowChange
	known                   map[txn.Position]bool // rows of the new file that the former one had, with the same or other facts
	first                   reconcile.Ref         // the first row that differs
}

type id16 [16]byte

func id16Of(digest string) (id id16) {
	b, err := hex.DecodeString(digest)
	if err == nil {
		copy(id[:], b)
	}
	return id
}

// formerRow is a row of the former file that no row of the new one stands for yet.
type formerRow struct {
	facts  id16
	amount int64
	fee    txn.Fine
	offset int64
	used   bool
}

// newRow is a row of the new file for which the former one has no equal.
type newRow struct {
	id   id16
	row  *txn.Row
	line int
}

// diffFiles reads both files whole; keep says which rows count. The memory it takes grows with the former file: about 100
// bytes a row.
func diffFiles(was, is *File, keep func(*txn.Row) bool) (*fileDiff, error) {
	d := &fileDiff{known: map[txn.Position]bool{}}
	former := map[id16][]formerRow{}
	old, err := readKept(was, keep, func(r *txn.Row) {
		id := id16Of(reconcile.RowKey("", r, 0))
		former[id] = append(former[id], formerRow{facts: id16Of(reconcile.FactsDigest(r)), amount: r.Amount, fee: r.Fee, offset: r.Pos.Offset})
		d.currency = cmp.Or(d.currency, r.Currency)
	})
	if err != nil {
		return nil, err
	}
	var fresh []newRow
	now, err := readKept(is, keep, func(r *txn.Row) {
		d.currency = cmp.Or(d.currency, r.Currency)
		id, facts := id16Of(reconcile.RowKey("", r, 0)), id16Of(reconcile.FactsDigest(r))
		for i := range former[id] {
			if f := &former[id][i]; !f.used && f.facts == facts {
				f.used = true
				d.known[r.Pos] = true
				return
			}
		}
		fresh = append(fresh, newRow{id: id, row: r.Clone()})
	})
	if err != nil {
		return nil, err
	}
	for i := range fresh {
		if err := d.place(now, &fresh[i], former[fresh[i].id], is); err != nil {
			return nil, err
		}
	}
	return d, d.gone(old, was, former, keep)
}

// place says of a row of the new file whether it is a changed one or an added one.
func (d *fileDiff) place(r parsers.Reader, n *newRow, former []formerRow, f *File) error {
	line, _, err := r.Locate(n.row.Pos.Offset)
	if err != nil {
		return err
	}
	if d.first.Member == "" {
		d.first = f.ref(line)
	}
	c := reports.RowChange{Change: "added", Line: line, Text: rowName(n.row), Is: reconcile.Some(n.row.Amount), Currency: n.row.Currency}
	for i := range former {
		if o := &former[i]; !o.used {
			o.used = true
			d.known[n.row.Pos] = true
			d.changed.Rows++
			d.changed.Amount += n.row.Amount - o.amount
			d.before += o.amount
			d.after += n.row.Amount
			d.changedFee += n.row.Fee - o.fee
			c.Change, c.Was = "changed", reconcile.Some(o.amount)
			d.list(c)
			return nil
		}
	}
	d.added.Rows++
	d.added.Amount += n.row.Amount
	d.after += n.row.Amount
	d.list(c)
	return nil
}

// gone counts the rows that only the former file has, in its order.
func (d *fileDiff) gone(r parsers.Reader, f *File, former map[id16][]formerRow, keep func(*txn.Row) bool) error {
	left := map[int64]bool{}
	for _, rows := range former {
		for _, o := range rows {
			if !o.used {
				left[o.offset] = true
			}
		}
	}
	if len(left) == 0 {
		return nil
	}
	_, err := readKept(f, keep, func(row *txn.Row) {
		if !left[row.Pos.Offset] {
			return
		}
		for i := range former[id16Of(reconcile.RowKey("", row, 0))] {
			o := &former[id16Of(reconcile.RowKey("", row, 0))][i]
			if o.used || o.offset != row.Pos.Offset {
				continue
			}
			o.used = true
			d.removed.Rows++
			d.removed.Amount += row.Amount
			d.removedFee += row.Fee
			d.before += row.Amount
			line, _, err := r.Locate(row.Pos.Offset)
			if err != nil {
				line = 0 // a line that cannot be found is not printed
			}
			d.list(reports.RowChange{Change: "removed", Line: line, Text: rowName(row), Was: reconcile.Some(row.Amount), Currency: row.Currency})
			return
		}
	})
	return err
}

func (d *fileDiff) list(c reports.RowChange) {
	if len(d.rows) < maxRowChanges {
		d.rows = append(d.rows, c)
	}
}

// readKept reads a file to its end, past rejected records, and returns the reader, which can still say lines.
func readKept(f *File, keep func(*txn.Row) bool, visit func(*txn.Row)) (parsers.Reader, error) {
	r, err := f.open(txn.AllFields)
	if err != nil {
		return nil, err
	}
	var row txn.Row
	for {
		err := r.Next(&row)
		var bad *parsers.ParseError
		switch {
		case err == nil:
			if keep(&row) {
				visit(&row)
			}
		case errors.As(err, &bad):
		case err == io.EOF:
			return r, nil
		default:
			return nil, err
		}
	}
}

// rowName is what people know a row by.
func rowName(r *txn.Row) string {
	var parts []string
	for _, f := range [...]txn.Field{txn.MID, txn.TID, txn.Account, txn.RRN, txn.OrderNo, txn.ChannelTxnID, txn.BankRef} {
		if v := r.Get(f); !txn.Blank(v) {
			parts = append(parts, string(v))
		}
	}
	return strings.Join(parts, " ")
}
