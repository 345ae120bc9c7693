package reports

import (
	"testing"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

func TestShortfallCountsOnlyMoneyThatDidNotCome(t *testing.T) {
	some, none := reconcile.Some, reconcile.Money{}
	for _, tt := range []struct {
		name string
		line reconcile.Line
		want txn.Fine
	}{
		{"a sale without clearing", reconcile.Line{Class: reconcile.T02, Amount: some(128000)}, 128000_000},
		{"an amount cleared short", reconcile.Line{Class: reconcile.T04, Amount: some(500), Other: some(50)}, 450_000},
		{"an amount cleared over", reconcile.Line{Class: reconcile.T04, Amount: some(50), Other: some(500)}, 0},
		{"a payout overdue", reconcile.Line{Class: reconcile.B02, Amount: some(99), Other: none}, 99_000},
		{"a credit short by a fen", reconcile.Line{Class: reconcile.B03, Amount: some(100), Other: some(99)}, 1_000},
		{"a payout stated below its parts", reconcile.Line{Class: reconcile.P01, Amount: some(90), Other: some(100)}, 10_000},
		{"a payout stated above its parts", reconcile.Line{Class: reconcile.P01, Amount: some(100), Other: some(90)}, 0},
		{"a fee above the contract", reconcile.Line{Class: reconcile.P02, Fine: true, Amount: some(38000), Other: some(38001)}, 1},
		{"a fee below the contract", reconcile.Line{Class: reconcile.P02, Fine: true, Amount: some(38000), Other: some(30000)}, 0},
		{"a credit nobody knows", reconcile.Line{Class: reconcile.B08, Other: some(700)}, 0},
		{"a payout held for a missing file", reconcile.Line{Class: reconcile.B02, Amount: some(700), Held: true}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.line.Status, tt.line.Currency = "open", txn.CNY
			if got := shortfall(&tt.line); got != tt.want {
				t.Errorf("got %d, want %d (1e-5 yuan)", got, tt.want)
			}
			tt.line.Status = "in_window"
			if got := shortfall(&tt.line); got != 0 {
				t.Errorf("a line that is not due counts %d", got)
			}
		})
	}
}

func TestCasesFoldTheirLinesAndEachLineIsShownOnce(t *testing.T) {
	b := sampleBook(text.En)
	d := derive(b)
	n := len(d.waiting)
	for _, c := range append(append([]*caseRow{}, d.open...), d.cleared...) {
		n += len(c.lines)
	}
	if n != len(b.Outcome.Lines) {
		t.Errorf("%d of %d lines are shown", n, len(b.Outcome.Lines))
	}
	for i := 1; i < len(d.open); i++ {
		x, y := d.open[i-1], d.open[i]
		if x.severity < y.severity || x.severity == y.severity && x.stake < y.stake {
			t.Errorf("case %d (severity %d, %d) stands before case %d (severity %d, %d)", i-1, x.severity, x.stake, i, y.severity, y.stake)
		}
	}
	for i := 1; i < len(d.waiting); i++ {
		if dueKey(d.waiting[i-1].DueDate) > dueKey(d.waiting[i].DueDate) {
			t.Errorf("%s is listed before %s", d.waiting[i-1].DueDate, d.waiting[i].DueDate)
		}
	}
	found := false
	for _, c := range d.open {
		if len(c.classes) == 2 {
			found = true
			if c.classes[0] != reconcile.P02 || c.main.Class != reconcile.P02 {
				t.Errorf("a case of T34 and P02 is led by %s", c.main.Class)
			}
		}
	}
	if !found {
		t.Error("no case of two classes was folded")
	}
}

func TestARowStandsOnTheSideItCameFrom(t *testing.T) {
	row := func(s txn.Side) *txn.Row { return &txn.Row{Side: s} }
	for _, tt := range []struct {
		name        string
		line        reconcile.Line
		left, right txn.Side
	}{
		{"a terminal row alone", reconcile.Line{Leg: reconcile.LegTA, Row: row(txn.Terminal)}, txn.Terminal, txn.NoSide},
		{"an acquirer row alone", reconcile.Line{Leg: reconcile.LegTA, Row: row(txn.Acquirer)}, txn.NoSide, txn.Acquirer},
		{"a pair", reconcile.Line{Leg: reconcile.LegTA, Row: row(txn.Terminal), Other2: row(txn.Acquirer)}, txn.Terminal, txn.Acquirer},
		{"a payout alone", reconcile.Line{Leg: reconcile.LegAB, Row: row(txn.Acquirer)}, txn.Acquirer, txn.NoSide},
		{"a bank line alone", reconcile.Line{Leg: reconcile.LegAB, Row: row(txn.Bank)}, txn.NoSide, txn.Bank},
	} {
		t.Run(tt.name, func(t *testing.T) {
			left, right, _, _ := sides(&tt.line)
			side := func(r *txn.Row) txn.Side {
				if r == nil {
					return txn.NoSide
				}
				return r.Side
			}
			if side(left) != tt.left || side(right) != tt.right {
				t.Errorf("left %q, right %q; want %q, %q", side(left), side(right), tt.left, tt.right)
			}
		})
	}
}

func TestTheCallListNamesThePartyWithMostAtStakeFirst(t *testing.T) {
	d := derive(sampleBook(text.En))
	if len(d.parties) < 3 {
		t.Fatalf("only %d parties are to be called", len(d.parties))
	}
	if p := d.parties[0]; p.name != "alipay" || p.owner != reconcile.OwnAcquirer || p.top.main.Class != reconcile.B02 {
		t.Errorf("first to call is %s %s for %s", p.owner, p.name, p.top.main.Class)
	}
	for i, p := range d.parties {
		if p.top.reference() == "" {
			t.Errorf("%s is to be called without a reference", p.name)
		}
		if i > 0 && d.parties[i-1].stake < p.stake {
			t.Errorf("%s comes before %s, which has more at stake", d.parties[i-1].name, p.name)
		}
	}
}
