package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"daozhang/parsers/txn"
)

// Unit says what the amounts of an item count.
type Unit string

// Units: minor units of the currency, or 1e-5 of its major unit (fee classes).
const (
	MinorUnit Unit = "minor"
	FineUnit  Unit = "fine"
)

// Item is one line of exceptions.csv with the columns that people query. Texts are as in the book; money that is
// absent is not valid, which is not 0.
type Item struct {
	CaseID    string   `db:"case_id"`
	Class     string   `db:"class"`
	Severity  int      `db:"severity"`
	Status    string   `db:"status"`
	Lifecycle string   `db:"lifecycle"`
	AgeDays   int      `db:"age_days"`
	FirstSeen txn.Date `db:"-"`
	ClusterID string   `db:"cluster_id"`
	Leg       string   `db:"leg"`
	Source    string   `db:"source"`
	Acquirer  string   `db:"acquirer"`
	MID       string   `db:"merchant_id"`
	Store     string   `db:"store_id"`
	TID       string   `db:"terminal_id"`
	Batch     string   `db:"batch_no"`
	STAN      string   `db:"trace_no"`
	RRN       string   `db:"rrn"`
	AuthCode  string   `db:"auth_code"`
	OrderNo   string   `db:"order_no"`
	Channel   string   `db:"channel"`
	Kind      string   `db:"kind"`

	Rows     int64         `db:"row_count"`
	Unit     Unit          `db:"amount_unit"` // of Amount and Other; empty is written as MinorUnit
	Amount   sql.NullInt64 `db:"amount"`      // what should have come
	Other    sql.NullInt64 `db:"other_amount"`
	Fee      sql.NullInt64 `db:"fee"` // always in 1e-5 of the major unit
	Currency string        `db:"currency"`

	TxnTime    string   `db:"txn_time"` // local time of the source, as printed
	SettleDate txn.Date `db:"-"`
	Due        txn.Date `db:"-"`
	PayoutID   string   `db:"payout_id"`
	BankRef    string   `db:"bank_ref"`
	Differs    string   `db:"differs"`
	CauseCode  string   `db:"cause_code"`
	Owner      string   `db:"owner"`
	Held       bool     `db:"held"`
	File       string   `db:"file"` // delivery!member
	Line       int      `db:"line"`
	OtherFile  string   `db:"other_file"`
	OtherLine  int      `db:"other_line"`
}

// itemColumns are in the order of Item.values.
const itemColumns = `business_date, run_no, ordinal, case_id, class, severity, status, lifecycle, age_days, first_seen,
	cluster_id, leg, source, acquirer, merchant_id, store_id, terminal_id, batch_no, trace_no, rrn, auth_code, order_no,
	channel, kind, row_count, amount_unit, amount, other_amount, fee, currency, txn_time, settle_date, due_date,
	payout_id, bank_ref, differs, cause_code, owner, held, file, line, other_file, other_line`

func (i *Item) values(date string, n, ordinal int) []any {
	unit := i.Unit
	if unit == "" {
		unit = MinorUnit
	}
	return []any{date, n, ordinal, i.CaseID, i.Class, i.Severity, i.Status, i.Lifecycle, i.AgeDays, i.FirstSeen.String(),
		i.ClusterID, i.Leg, clean(i.Source), clean(i.Acquirer), clean(i.MID), clean(i.Store), clean(i.TID), clean(i.Batch),
		clean(i.STAN), clean(i.RRN), clean(i.AuthCode), clean(i.OrderNo), clean(i.Channel), i.Kind, i.Rows, string(unit),
		i.Amount, i.Other, i.Fee, i.Currency, i.TxnTime, i.SettleDate.String(), i.Due.String(), clean(i.PayoutID),
		clean(i.BankRef), clean(i.Differs), i.CauseCode, i.Owner, i.Held, clean(i.File), i.Line, clean(i.OtherFile),
		i.OtherLine}
}

type itemRow struct {
	Item
	Date       string `db:"business_date"`
	N          int    `db:"run_no"`
	Ordinal    int    `db:"ordinal"`
	FirstText  string `db:"first_seen"`
	SettleText string `db:"settle_date"`
	DueText    string `db:"due_date"`
}

func insertItems(ctx context.Context, q querier, date string, n int, items []Item) error {
	rows := make([][]any, 0, len(items))
	for i := range items {
		rows = append(rows, items[i].values(date, n, i+1))
	}
	width := strings.Count(itemColumns, ",") + 1
	return q.insertRows(ctx, `INSERT INTO exception_items (`+itemColumns+`) VALUES`, width, rows)
}

func decodeItems(rows []itemRow) ([]Item, error) {
	list := make([]Item, 0, len(rows))
	for _, r := range rows {
		var d decoder
		r.FirstSeen, r.SettleDate, r.Due = d.date(r.FirstText), d.date(r.SettleText), d.date(r.DueText)
		if d.err != nil {
			return nil, fmt.Errorf("item %d of run %d of %s: %w", r.Ordinal, r.N, r.Date, d.err)
		}
		list = append(list, r.Item)
	}
	return list, nil
}

// Items lists the lines of a run's book in their order; superseded runs keep theirs.
func (s *DB) Items(ctx context.Context, date txn.Date, n int) ([]Item, error) {
	var rows []itemRow
	err := s.all(ctx, &rows, `SELECT `+itemColumns+` FROM exception_items
		WHERE business_date = ? AND run_no = ? ORDER BY ordinal`, date.String(), n)
	if err != nil {
		return nil, err
	}
	return decodeItems(rows)
}
