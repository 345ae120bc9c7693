// Package unionpay reads the RD2010 summary report 中国银联全渠道商户交易汇总表 of UnionPay's online gateway.
//
// The report is a print page in GBK with two tables, by transaction type and by card nature. Each ends with a line
//
//	总计      8      0.00   13227.00      79.36       0.00       0.00   13147.64
//	        rows   amount              fee                 net
//	               借       贷         借          贷       借       贷
//
// where 贷 is money to the merchant and 借 money from him. It yields no rows: the figures of the first table are
// controls of the ZM detail file of the same slot. The second table must state the same and proves that the report
// is whole.
package unionpay

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

const (
	title    = "中国银联全渠道商户交易汇总表"
	total    = "总计"
	maxBytes = 1 << 20
)

// RD2010 is the format of the report.
type RD2010 struct{}

// Info describes the format.
func (RD2010) Info() parsers.Info {
	return parsers.Info{Name: "unionpay_rd2010", Title: "UnionPay online gateway summary 全渠道商户交易汇总表 RD2010", Side: txn.Acquirer,
		Acquirer: "unionpay", Proof: "two tables with equal totals", ControlOnly: true,
		Source: "UnionPay developer pack, merchant reconciliation files"}
}

// Claim looks for the report's title in its first lines.
func (RD2010) Claim(h parsers.Head) error {
	head := h.Bytes[:min(len(h.Bytes), 4<<10)]
	text, err := decode(head)
	if err != nil && len(head) == int(h.Size) {
		return fmt.Errorf("not GBK: %w", err)
	}
	if !strings.Contains(text, title) {
		return fmt.Errorf("the title %s is not in the first lines", title)
	}
	return nil
}

func decode(b []byte) (string, error) {
	out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b)
	return string(out), err
}

// Open reads the whole report, which is a page.
func (f RD2010) Open(src parsers.Source, _ txn.Fields) (parsers.Reader, error) {
	fail := func(cause error, line int, what string) error {
		return &parsers.FileError{File: src.Name, Line: line, Err: cause, What: what}
	}
	if src.Size > maxBytes {
		return nil, fail(parsers.ErrLimit, 0, fmt.Sprintf("a summary report is not larger than %d bytes", maxBytes))
	}
	raw := make([]byte, src.Size)
	if n, err := src.Data.ReadAt(raw, 0); n < len(raw) {
		if err == io.EOF {
			return nil, fail(parsers.ErrTruncated, 0, fmt.Sprintf("ends at byte %d of %d", n, src.Size))
		}
		return nil, fmt.Errorf("%s: %w", src.Name, err)
	}
	text, err := decode(raw)
	if err != nil || !strings.Contains(text, title) {
		return nil, fail(parsers.ErrDrift, 1, "the title "+title+" is missing")
	}
	r := &reader{name: src.Name, raw: raw}
	for i, line := range strings.Split(text, "\n") {
		cells := strings.Fields(line)
		if len(cells) == 0 || cells[0] != total {
			continue
		}
		sum, err := parseTotal(cells)
		if err != nil {
			return nil, fail(parsers.ErrDrift, i+1, err.Error())
		}
		r.sums = append(r.sums, sum)
	}
	if len(r.sums) < 2 {
		return nil, fail(parsers.ErrTruncated, 0, fmt.Sprintf("%d of two lines %s", len(r.sums), total))
	}
	return r, nil
}

// sums are the figures of one 总计 line in fen, signed towards the merchant; fee positive = cost.
type sums struct{ rows, amount, fee, net int64 }

func parseTotal(cells []string) (sums, error) {
	if len(cells) != 8 {
		return sums{}, fmt.Errorf("line %s has %d figures, want 7", total, len(cells)-1)
	}
	rows, err := strconv.ParseInt(cells[1], 10, 64)
	if err != nil {
		return sums{}, fmt.Errorf("line %s: %q is no count", total, cells[1])
	}
	var v [6]int64
	for i := range v {
		c := strings.ReplaceAll(cells[i+2], ",", "")
		if v[i], err = txn.ParseAmount(c, txn.CNY); err != nil {
			return sums{}, fmt.Errorf("line %s: %w", total, err)
		}
	}
	return sums{rows: rows, amount: v[1] - v[0], fee: v[2] - v[3], net: v[5] - v[4]}, nil
}

type reader struct {
	name string
	raw  []byte
	sums []sums
}

// Next has no rows.
func (r *reader) Next(*txn.Row) error { return io.EOF }

// Totals are empty.
func (r *reader) Totals() []parsers.Total { return nil }

// Statements are empty.
func (r *reader) Statements() []parsers.Statement { return nil }

// Controls state the totals of the slot's detail file, then compare the report's own tables.
func (r *reader) Controls() []parsers.Control {
	s := r.sums[0]
	slot := func(name, measure, stated string) parsers.Control {
		return parsers.Control{Scope: "file", Name: name, Stated: stated, OK: true, Slot: true, Measure: measure, Count: measure == "rows"}
	}
	money := func(v int64) string { return txn.FormatAmount(v, txn.CNY) }
	out := []parsers.Control{
		slot("交易笔数", "rows", strconv.FormatInt(s.rows, 10)),
		slot("交易金额", "amount", money(s.amount)),
		slot("费用", "fee", money(s.fee)),
		slot("资金清算差额", "net", money(s.net)),
	}
	for _, o := range r.sums[1:] {
		out = append(out, parsers.Control{Scope: "卡性质", Name: "资金清算差额", Stated: money(o.net), Computed: money(s.net), OK: o == s})
	}
	return out
}

// Locate counts lines; the report has no records.
func (r *reader) Locate(offset int64) (line, record int, err error) {
	if offset < 0 || offset > int64(len(r.raw)) {
		return 0, 0, fmt.Errorf("%s: no offset %d", r.name, offset)
	}
	return 1 + bytes.Count(r.raw[:offset], []byte("\n")), 0, nil
}
