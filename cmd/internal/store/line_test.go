package store

import (
	"testing"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

func TestALineOfTheBookIsStoredWithItsUnitSeverityAndOwner(t *testing.T) {
	l := reconcile.Line{CaseID: "C-1", Class: reconcile.P02, Fine: true, Amount: reconcile.Some(38000), Fee: 39000, HasFee: true,
		Currency: txn.CNY, DueDate: jan(7), At: reconcile.Ref{Delivery: "d.zip", Member: "m.txt", Line: 12}}
	i := ItemOf(&l)
	if i.Unit != FineUnit || i.Severity != 3 || i.Owner != "acquirer" || i.Amount.Int64 != 38000 || !i.Amount.Valid ||
		i.Other.Valid || i.Fee.Int64 != 39000 || i.File != "d.zip!m.txt" || i.Line != 12 || i.Due != jan(7) || i.TxnTime != "" {
		t.Errorf("item = %+v", i)
	}
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		d := dayOf(jan(5), 1, "a", 0)
		d.Items = []Item{i}
		commit(t, db, d)
		got, err := db.Items(ctx, jan(5), 1)
		if err != nil || len(got) != 1 || got[0] != i {
			t.Errorf("came back as %+v, %v", got, err)
		}
	})
}
