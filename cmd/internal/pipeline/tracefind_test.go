package pipeline

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"daozhang/parsers/profile"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

func TestAFileIsReadForAKeyOnlyIfItsBytesOrNameHaveIt(t *testing.T) {
	edge := strings.Repeat("x", findBlock-3) + "600000000001" + strings.Repeat("y", 40)
	for _, c := range []struct {
		key, name, text string
		want            bool
	}{
		{"600000000001", "a.csv", "x,600000000001,y", true},
		{"000600000000001", "a.csv", "x,600000000001,y", true},
		{"600000000001", "a.csv", "x,0000600000000001,y", true},
		{"600000000001", "a.csv", edge, true}, // across the border of two blocks
		{"600000000001", "a.csv", strings.Replace(edge, "600000000001", "600000000002", 1), false},
		{"a0b1c2", "a.csv", "x,A0B1C2,y", true}, // an auth code, in either case
		{"A0B1C2", "a.csv", "x,a0B1c2,y", true},
		{"PAY77", "bill_PAY77.csv", "x", true},
		{"PAY77", "bill.csv", "x", false},
		{"支付77", "bill.csv", "x", true}, // in another encoding these are other bytes
	} {
		tr := &tracer{key: c.key}
		f := &File{Member: c.name, Data: strings.NewReader(c.text), Size: int64(len(c.text)), Format: &profile.Profile{}}
		if got := tr.mayHold(f); got != c.want {
			t.Errorf("key %s in %s (%d bytes): %v, want %v", c.key, c.name, len(c.text), got, c.want)
		}
	}
	unclaimed := &File{Member: "a.csv", Data: strings.NewReader("x"), Size: 1}
	if !(&tracer{key: "600000000001"}).mayHold(unclaimed) {
		t.Error("a file of no known format was passed over: what is wrong with it is never said")
	}
}

func TestASiftedCarryHasTheRowsLookedForWithTheirPlaces(t *testing.T) {
	c := &reconcile.Carry{Date: day(1)}
	for i, rrn := range []string{"111111111111", "222222222222", "222222222222", "333333333333"} {
		row := (&txn.Row{Side: txn.Terminal, Kind: txn.Sale, Currency: txn.CNY}).Clone()
		row.Set(txn.RRN, []byte(rrn))
		c.Items = append(c.Items, reconcile.CarriedItem{Key: rrn, Leg: reconcile.LegTA, Source: "pos", Row: row,
			At: reconcile.Ref{Member: "j.csv", SHA256: "s", Line: i + 2, Offset: int64(100 * i)}})
	}
	c.Payouts = []reconcile.CarriedPayout{{Payout: reconcile.Payout{ID: "P1", Currency: "CNY", Parts: []reconcile.Part{{Member: "bill.txt"}}}}}
	text, places, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	kept, keys := siftCarry(text, [][]byte{[]byte(`"222222222222"`)})
	if bytes.Contains(kept, []byte("111111111111")) || len(kept) >= len(text) {
		t.Error("rows that nobody looks for were kept")
	}
	got, err := reconcile.DecodeCarry(kept, siftPlaces(places, keys))
	if err != nil {
		t.Fatal(err)
	}
	var lines []int
	for i := range got.Items {
		lines = append(lines, got.Items[i].At.Line)
	}
	if !slices.Equal(lines, []int{3, 4}) {
		t.Errorf("rows on lines %v, want 3 and 4", lines)
	}
	if len(got.Payouts) != 1 || got.Payouts[0].Parts[0].Member != "bill.txt" {
		t.Errorf("payouts %+v, want P1 with its file", got.Payouts)
	}
}
