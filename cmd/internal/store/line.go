package store

import (
	"database/sql"

	"daozhang/reconcile"
)

// ItemOf takes from a line of the book what is stored of it.
func ItemOf(l *reconcile.Line) Item {
	info := l.Class.Info()
	unit := MinorUnit
	if l.Fine {
		unit = FineUnit
	}
	return Item{CaseID: l.CaseID, Class: string(l.Class), Severity: info.Severity, Status: l.Status,
		Lifecycle: string(l.Lifecycle), AgeDays: l.AgeDays, FirstSeen: l.FirstSeen, ClusterID: l.ClusterID, Leg: string(l.Leg),
		Source: l.Source, Acquirer: l.Acquirer, MID: l.MID, Store: l.Store, TID: l.TID, Batch: l.Batch, STAN: l.STAN,
		RRN: l.RRN, AuthCode: l.AuthCode, OrderNo: l.OrderNo, Channel: l.Channel, Kind: l.Kind, Rows: l.Rows, Unit: unit,
		Amount: money(l.Amount), Other: money(l.Other), Fee: sql.NullInt64{Int64: int64(l.Fee), Valid: l.HasFee},
		Currency: l.Currency.String(), TxnTime: l.TxnTime.String(), SettleDate: l.SettleDate, Due: l.DueDate,
		PayoutID: l.PayoutID, BankRef: l.BankRef, Differs: l.Differs, CauseCode: l.CauseCode, Owner: string(info.Owner),
		Held: l.Held, File: l.At.String(), Line: l.At.Line, OtherFile: l.OtherAt.String(), OtherLine: l.OtherAt.Line}
}

func money(m reconcile.Money) sql.NullInt64 { return sql.NullInt64{Int64: m.Minor, Valid: m.Valid} }
