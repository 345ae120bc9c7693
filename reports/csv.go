package reports

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/gocarina/gocsv"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

// csvRow is one line of exceptions.csv. The order of its fields is the order of the columns: they are only ever
// appended. Numbers are texts here so that their decimals are exactly those of the currency.
type csvRow struct {
	CaseID       string `csv:"case_id"`
	BusinessDate string `csv:"business_date"`
	Class        string `csv:"class"`
	Severity     string `csv:"severity"`
	Status       string `csv:"status"`
	Lifecycle    string `csv:"lifecycle"`
	AgeDays      string `csv:"age_days"`
	FirstSeen    string `csv:"first_seen"`
	ClearedBy    string `csv:"cleared_by"`
	ClusterID    string `csv:"cluster_id"`
	Leg          string `csv:"leg"`
	Source       string `csv:"source"`
	MID          string `csv:"merchant_id"`
	Store        string `csv:"store_id"`
	TID          string `csv:"terminal_id"`
	Batch        string `csv:"batch_no"`
	STAN         string `csv:"trace_no"`
	RRN          string `csv:"rrn"`
	AuthCode     string `csv:"auth_code"`
	OrderNo      string `csv:"order_no"`
	Channel      string `csv:"channel"`
	Kind         string `csv:"kind"`
	Rows         string `csv:"rows"`
	Amount       string `csv:"amount"`
	OtherAmount  string `csv:"other_amount"`
	Difference   string `csv:"difference"`
	Fee          string `csv:"fee"`
	Currency     string `csv:"currency"`
	TxnTime      string `csv:"txn_time"`
	OtherTime    string `csv:"other_txn_time"`
	SettleDate   string `csv:"settle_date"`
	DueDate      string `csv:"due_date"`
	PayoutID     string `csv:"payout_id"`
	BankRef      string `csv:"bank_ref"`
	NearPass     string `csv:"near_pass"`
	Differs      string `csv:"differs"`
	CauseCode    string `csv:"cause_code"`
	Cause        string `csv:"cause"`
	Action       string `csv:"action"`
	Owner        string `csv:"owner"`
	Evidence     string `csv:"evidence"`
	File         string `csv:"file"`
	Line         string `csv:"line"`
	OtherFile    string `csv:"other_file"`
	OtherLine    string `csv:"other_line"`
	Revision     string `csv:"revision"`
}

// csvBatch bounds how many typed rows wait for the writer at once.
const csvBatch = 512

// WriteExceptions writes exceptions.csv: UTF-8 without a byte order mark, line feeds, one header line, one line per
// line of the outcome, in the outcome's order. Money is a decimal in major units; an absent side is empty. Text that
// a spreadsheet could take for a formula gets a leading apostrophe; numeric columns stay numeric.
func WriteExceptions(w io.Writer, b *Book) error {
	if err := b.check(); err != nil {
		return err
	}
	out := gocsv.NewSafeCSVWriter(csv.NewWriter(w))
	batch := make([]csvRow, 0, min(csvBatch, len(b.Outcome.Lines)))
	write := gocsv.MarshalCSV
	flush := func() error {
		if err := write(&batch, out); err != nil {
			return fmt.Errorf("writing exceptions.csv of %s: %w", b.Date, err)
		}
		batch, write = batch[:0], gocsv.MarshalCSVWithoutHeaders
		return nil
	}
	for i := range b.Outcome.Lines {
		if len(batch) == csvBatch {
			if err := flush(); err != nil {
				return err
			}
		}
		batch = append(batch, b.csvRow(&b.Outcome.Lines[i]))
	}
	return flush()
}

func (b *Book) csvRow(l *reconcile.Line) csvRow {
	info, lang := l.Class.Info(), b.lang()
	evidence := "complete"
	if l.Held {
		evidence = "held"
	}
	return csvRow{
		CaseID: neutral(l.CaseID), BusinessDate: b.Date.String(), Class: string(l.Class),
		Severity: strconv.Itoa(info.Severity), Status: l.Status, Lifecycle: string(l.Lifecycle),
		AgeDays: strconv.Itoa(l.AgeDays), FirstSeen: l.FirstSeen.String(), ClearedBy: neutral(l.ClearedBy),
		ClusterID: neutral(l.ClusterID), Leg: string(l.Leg), Source: neutral(l.Source), MID: neutral(l.MID),
		Store: neutral(l.Store), TID: neutral(l.TID), Batch: neutral(l.Batch), STAN: neutral(l.STAN),
		RRN: neutral(l.RRN), AuthCode: neutral(l.AuthCode), OrderNo: neutral(l.OrderNo),
		Channel: neutral(l.Channel), Kind: neutral(l.Kind), Rows: strconv.FormatInt(l.Rows, 10),
		Amount: lineMoney(l, l.Amount), OtherAmount: lineMoney(l, l.Other), Difference: lineMoney(l, l.Difference()),
		Fee: lineFee(l), Currency: l.Currency.String(), TxnTime: l.TxnTime.String(), OtherTime: l.OtherTime.String(),
		SettleDate: l.SettleDate.String(), DueDate: l.DueDate.String(), PayoutID: neutral(l.PayoutID),
		BankRef: neutral(l.BankRef), NearPass: neutral(l.NearPass), Differs: neutral(l.Differs),
		CauseCode: text.CauseCode(l.Class, l.CauseCode),
		Cause:     neutral(text.CauseText(l.Class, l.CauseCode, l.Detail, lang)),
		Action:    neutral(text.Action(l.Class, lang)), Owner: text.Owner(info.Owner, lang), Evidence: evidence,
		File: neutral(l.At.String()), Line: lineNo(l.At), OtherFile: neutral(l.OtherAt.String()),
		OtherLine: lineNo(l.OtherAt), Revision: strconv.Itoa(b.Revision),
	}
}

// lineMoney writes one of a line's sums in the line's own unit.
func lineMoney(l *reconcile.Line, m reconcile.Money) string {
	switch {
	case !m.Valid:
		return ""
	case l.Fine:
		return txn.Fine(m.Minor).Format(l.Currency)
	}
	return txn.FormatAmount(m.Minor, l.Currency)
}

func lineFee(l *reconcile.Line) string {
	if !l.HasFee {
		return ""
	}
	return l.Fee.Format(l.Currency)
}

func lineNo(r reconcile.Ref) string {
	if r.Line == 0 {
		return ""
	}
	return strconv.Itoa(r.Line)
}
