package pipeline

import (
	"testing"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

// named is a format of which only its description counts.
type named struct {
	parsers.Format
	info parsers.Info
}

func (n named) Info() parsers.Info { return n.info }

func TestControlOnlyFilesAreComparedWithTheOnlyFileTheyCanMean(t *testing.T) {
	rows := named{info: parsers.Info{Name: "detail", Side: txn.Acquirer, Acquirer: "up"}}
	other := named{info: parsers.Info{Name: "bill", Side: txn.Acquirer, Acquirer: "wechat"}}
	only := named{info: parsers.Info{Name: "summary", Side: txn.Acquirer, Acquirer: "up", ControlOnly: true}}
	detail := func(delivery int, sha string, fen int64) *ParsedFile {
		return &ParsedFile{Format: rows, Member: "detail " + sha, SHA256: sha, delivery: delivery, Rows: 1,
			Totals: []parsers.Total{{Kind: txn.Sale, Currency: txn.CNY, Rows: 1, Amount: fen, Net: txn.FineOf(fen, txn.CNY)}}}
	}
	summary := func(delivery int) *ParsedFile {
		return &ParsedFile{Format: only, delivery: delivery, Controls: []parsers.Control{
			{Name: "rows", Slot: true, Measure: "rows", Stated: "1", OK: true},
			{Name: "amount", Slot: true, Measure: "amount", Stated: "10.00", OK: true}}}
	}
	bill := detail(3, "w", 1000)
	bill.Format = other
	cut := detail(1, "c", 1000)
	cut.Fatal = parsers.ErrTruncated
	for _, c := range []struct {
		name     string
		files    []*ParsedFile
		computed string // amount
		ok       bool
	}{
		{"a sibling in its own delivery", []*ParsedFile{detail(1, "a", 1000), summary(1)}, "10.00", true},
		{"a sibling that disagrees", []*ParsedFile{detail(1, "a", 1001), summary(1)}, "10.01", false},
		{"a sibling in another delivery", []*ParsedFile{summary(1), detail(2, "a", 1000)}, "10.00", true},
		{"nobody else", []*ParsedFile{summary(1)}, "", true},
		{"two that could be meant", []*ParsedFile{summary(1), detail(2, "a", 1000), detail(3, "b", 2000)}, "", true},
		{"the same bytes twice", []*ParsedFile{summary(1), detail(2, "a", 1000), detail(3, "a", 1000)}, "10.00", true},
		{"another acquirer's file beside it", []*ParsedFile{summary(1), bill, detail(2, "a", 1000)}, "10.00", true},
		{"a file that belongs to another summary", []*ParsedFile{detail(1, "a", 1000), summary(1), detail(2, "b", 2000), summary(2)}, "10.00", true},
		{"a sibling that was not read to its end", []*ParsedFile{summary(1), cut}, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			crossCheck(c.files)
			for _, p := range c.files {
				if !p.Format.Info().ControlOnly {
					continue
				}
				if got := p.Controls[1]; got.Computed != c.computed || got.OK != c.ok {
					t.Errorf("amount computed %q, ok %t; want %q, %t", got.Computed, got.OK, c.computed, c.ok)
				}
				if p.Failed() == c.ok {
					t.Errorf("failed is %t", p.Failed())
				}
				break
			}
		})
	}
}

func TestRowsThatUndoAnotherAreKnownByWhatTheyName(t *testing.T) {
	row := func(k txn.Kind, set map[txn.Field]string) *txn.Row {
		r := &txn.Row{Kind: k}
		for f, v := range set {
			r.Set(f, []byte(v))
		}
		return r
	}
	sale := row(txn.Sale, map[txn.Field]string{txn.TID: "T1", txn.Batch: "7", txn.STAN: "000012", txn.RRN: "0600", txn.OrderNo: "O1"})
	for _, c := range []struct {
		name string
		row  *txn.Row
		want string
	}{
		{"a refund by RRN without zeros", row(txn.Refund, map[txn.Field]string{txn.OrigRRN: "600"}), "orig_rrn"},
		{"a refund by order", row(txn.Refund, map[txn.Field]string{txn.OrigOrder: "O1"}), "orig_order_no"},
		{"a void by trace number of the terminal", row(txn.Void, map[txn.Field]string{txn.TID: "T1", txn.Batch: "7", txn.OrigSTAN: "12"}), "orig_trace_no"},
		{"the same trace number of another terminal", row(txn.Void, map[txn.Field]string{txn.TID: "T2", txn.Batch: "7", txn.OrigSTAN: "12"}), ""},
		{"a reversal that repeats the number", row(txn.Reversal, map[txn.Field]string{txn.TID: "T1", txn.Batch: "7", txn.STAN: "12"}), "trace_no"},
		{"another sale of the number", row(txn.Sale, map[txn.Field]string{txn.TID: "T1", txn.Batch: "7", txn.STAN: "12"}), ""},
		{"a placeholder", row(txn.Refund, map[txn.Field]string{txn.OrigRRN: "000000"}), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := undoes(c.row, sale); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
