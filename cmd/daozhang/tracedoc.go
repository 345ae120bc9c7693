package main

import (
	"slices"

	"daozhang/cmd/internal/pipeline"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// The JSON of `trace`: dates are business dates, money is a decimal string in major units, absent money is empty.
type traceDoc struct {
	SchemaVersion int         `json:"schema_version"`
	Entity        string      `json:"entity"`
	Key           string      `json:"key"`
	Searched      traceSearch `json:"searched"`
	Items         []traceItem `json:"items"`
}

type traceSearch struct {
	From      string   `json:"from"` // first day that is known
	To        string   `json:"to"`
	Days      []string `json:"days"` // whose files were read
	Fields    []string `json:"fields"`
	Truncated bool     `json:"truncated"`
	Notes     []string `json:"notes"`
}

type traceItem struct {
	Rows    []traceRow    `json:"rows"`
	Match   *traceMatch   `json:"match"`
	Payouts []tracePayout `json:"payouts"`
	Cases   []traceCase   `json:"cases"`
	Days    []traceDay    `json:"days"`
}

type traceRow struct {
	Side         string `json:"side"`
	Source       string `json:"source"`
	BusinessDate string `json:"business_date"` // of the slot in which the row came
	File         string `json:"file"`
	Line         int    `json:"line"`
	MatchedField string `json:"matched_field"` // empty for a row found through its partner or case
	Kind         string `json:"kind"`
	Status       string `json:"status"`
	Channel      string `json:"channel"`
	TxnTime      string `json:"txn_time"` // local; the booking date of a bank line
	Amount       string `json:"amount"`
	Fee          string `json:"fee"`
	Currency     string `json:"currency"`
	MerchantID   string `json:"merchant_id"`
	TerminalID   string `json:"terminal_id"`
	BatchNo      string `json:"batch_no"`
	TraceNo      string `json:"trace_no"`
	RRN          string `json:"rrn"`
	AuthCode     string `json:"auth_code"`
	OrderNo      string `json:"order_no"`
	ChannelTxnID string `json:"channel_txn_id"`
	RefundNo     string `json:"refund_no"`
	PayoutID     string `json:"payout_id"`
	BankRef      string `json:"bank_ref"`
}

type traceMatch struct {
	Leg  string `json:"leg"`
	Pass string `json:"pass"`
	Date string `json:"date"`
}

type tracePayout struct {
	PayoutID   string   `json:"payout_id"`
	Certain    bool     `json:"certain"` // false: several payouts fit, none is guessed
	Acquirer   string   `json:"acquirer"`
	MerchantID string   `json:"merchant_id"`
	Channel    string   `json:"channel"`
	Basis      string   `json:"basis"`
	From       string   `json:"from"`
	To         string   `json:"to"`
	Rows       int64    `json:"rows"`
	Expected   string   `json:"expected"`
	Currency   string   `json:"currency"`
	Due        string   `json:"due"`
	DueNote    string   `json:"due_note"`
	State      string   `json:"state"`
	Reason     string   `json:"reason"`
	Pass       string   `json:"pass"`
	AsOf       string   `json:"as_of"` // the date whose book says so
	CaseID     string   `json:"case_id"`
	Account    string   `json:"account"`
	Credit     string   `json:"credit"` // empty while none was found
	CreditDate string   `json:"credit_date"`
	CreditFile string   `json:"credit_file"`
	CreditLine int      `json:"credit_line"`
	BankRef    string   `json:"bank_ref"`
	Remainder  string   `json:"remainder"`
	SharedWith []string `json:"shared_with"` // the other payouts that the same credit pays
}

type traceCase struct {
	CaseID    string `json:"case_id"`
	Alias     string `json:"alias"`
	Class     string `json:"class"`
	Leg       string `json:"leg"`
	Status    string `json:"status"`
	Lifecycle string `json:"lifecycle"`
	Date      string `json:"date"` // newest book that has it
	FirstSeen string `json:"first_seen"`
	AgeDays   int    `json:"age_days"`
	DueDate   string `json:"due_date"`
	DueNote   string `json:"due_note"`
	Amount    string `json:"amount"`
	Other     string `json:"other_amount"`
	Currency  string `json:"currency"`
	NearPass  string `json:"near_pass"`
	Differs   string `json:"differs"`
	ClearedBy string `json:"cleared_by"`
	Source    string `json:"source"`
	Rows      int64  `json:"rows"` // of a file case: rows held
	Detail    string `json:"detail"`
}

type traceDay struct {
	Date   string `json:"date"`
	Until  string `json:"until"`
	Leg    string `json:"leg"`
	State  string `json:"state"`
	Reason string `json:"reason"`
	Class  string `json:"class"`
	Pass   string `json:"pass"`
	File   string `json:"file"` // of the row meant, where it is not the pair
	Line   int    `json:"line"`
}

func traceDocOf(entity string, t *pipeline.Trace) *traceDoc {
	d := &traceDoc{SchemaVersion: 1, Entity: entity, Key: t.Key, Items: []traceItem{}, Searched: traceSearch{From: t.First.String(), To: t.Last.String(),
		Days: []string{}, Fields: pipeline.TraceFields(), Truncated: t.Truncated, Notes: append([]string{}, t.Notes...)}}
	for _, day := range t.Days {
		d.Searched.Days = append(d.Searched.Days, day.String())
	}
	for _, it := range t.Items {
		d.Items = append(d.Items, traceItemOf(it))
	}
	return d
}

func traceItemOf(it *pipeline.TracedItem) traceItem {
	d := traceItem{Rows: []traceRow{}, Payouts: []tracePayout{}, Cases: []traceCase{}, Days: []traceDay{}}
	rows := slices.Clone(it.Rows)
	slices.SortStableFunc(rows, func(a, b *pipeline.TraceRow) int { return int(a.Row.Side) - int(b.Row.Side) })
	for _, r := range rows {
		d.Rows = append(d.Rows, traceRowOf(r))
	}
	if m := it.Matched; m != nil {
		d.Match = &traceMatch{string(reconcile.LegTA), m.Pass, m.Date.String()}
	}
	for _, p := range it.Payouts {
		d.Payouts = append(d.Payouts, tracePayoutOf(p))
	}
	for i := range it.Lines {
		d.Cases = append(d.Cases, traceCaseOf(&it.Lines[i]))
	}
	for _, x := range it.Days {
		day := traceDay{Date: x.Date.String(), Until: x.Until.String(), Leg: string(x.Leg), State: string(x.State), Reason: string(x.Reason),
			Class: string(x.Class), Pass: x.Pass, File: x.At.String(), Line: x.At.Line}
		d.Days = append(d.Days, day)
	}
	return d
}

func traceRowOf(r *pipeline.TraceRow) traceRow {
	w := r.Row
	get := func(f txn.Field) string { return string(w.Get(f)) }
	d := traceRow{Side: w.Side.String(), Source: r.Source, BusinessDate: r.Day.String(), File: r.At.String(), Line: r.At.Line, MatchedField: r.Field,
		Kind: w.Kind.String(), Status: w.Status.String(), Channel: w.Channel.String(), TxnTime: w.Time.String(),
		Amount: txn.FormatAmount(w.Amount, w.Currency), Currency: w.Currency.String(), MerchantID: get(txn.MID), TerminalID: get(txn.TID),
		BatchNo: get(txn.Batch), TraceNo: get(txn.STAN), RRN: get(txn.RRN), AuthCode: get(txn.AuthCode), OrderNo: get(txn.OrderNo),
		ChannelTxnID: get(txn.ChannelTxnID), RefundNo: get(txn.RefundID), PayoutID: get(txn.PayoutID), BankRef: get(txn.BankRef)}
	if w.Has.Has(txn.FeeField) {
		d.Fee = w.Fee.Format(w.Currency)
	}
	if d.TxnTime == "" {
		d.TxnTime = w.Booking.String()
	}
	return d
}

func tracePayoutOf(p *pipeline.TracePayout) tracePayout {
	d := tracePayout{PayoutID: p.PayoutID, Certain: p.Certain, Acquirer: p.Acquirer, MerchantID: p.MID, Channel: p.Channel, Basis: p.Basis,
		From: p.From.String(), To: p.To.String(), Rows: p.Rows, Expected: txn.FormatAmount(p.Expected, p.Currency), Currency: p.Currency.String(),
		Due: p.Due.String(), DueNote: p.DueNote, State: string(p.State), Reason: string(p.Reason), Pass: p.Pass, AsOf: p.Date.String(),
		CaseID: p.CaseID, Account: accountTail(p.Account), SharedWith: append([]string{}, p.Shared...)}
	if p.Credit.Valid {
		d.Credit, d.CreditDate = txn.FormatAmount(p.Credit.Minor, p.Currency), p.CreditDate.String()
		d.CreditFile, d.CreditLine, d.BankRef = p.CreditAt.String(), p.CreditAt.Line, p.BankRef
		d.Remainder = txn.FormatAmount(p.Remainder, p.Currency)
	}
	return d
}

func traceCaseOf(l *pipeline.TraceLine) traceCase {
	d := traceCase{CaseID: l.CaseID, Class: string(l.Class), Leg: string(l.Leg), Status: l.Status, Lifecycle: string(l.Lifecycle),
		Date: l.Date.String(), FirstSeen: l.FirstSeen.String(), AgeDays: l.AgeDays, DueDate: l.DueDate.String(), DueNote: l.DueNote,
		Amount: lineAmount(l.Line, l.Amount), Other: lineAmount(l.Line, l.Other), Currency: l.Currency.String(), NearPass: l.NearPass,
		Differs: l.Differs, ClearedBy: l.ClearedBy, Source: l.Source, Rows: l.Rows, Detail: l.Detail}
	if l.Alias != l.CaseID {
		d.Alias = l.Alias
	}
	return d
}

// lineAmount writes an amount of a line, which counts 1e-5 of the major unit in fee classes.
func lineAmount(l *reconcile.Line, m reconcile.Money) string {
	switch {
	case !m.Valid:
		return ""
	case l.Fine:
		return txn.Fine(m.Minor).Format(l.Currency)
	}
	return txn.FormatAmount(m.Minor, l.Currency)
}
