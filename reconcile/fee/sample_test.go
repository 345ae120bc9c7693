package fee

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"daozhang/parsers/txn"
)

// The UnionPay gateway's published settlement file, where it is at hand: bytes 67-78 hold the amount, 167-179 the fee
// with its side.
func TestUnionPaySampleChargesSixPerMilleHalfUpPerRow(t *testing.T) {
	file := filepath.Join("..", "..", "..", "shared", "samples", "cn", "unionpay", "INN15090588ZM_802310048993424")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Skip("the sample is not beside the repository")
	}
	c := row(60000)
	var amount, fee int64
	rows := 0
	for line := range strings.Lines(string(data)) {
		rows++
		a, err1 := strconv.ParseInt(line[66:78], 10, 64)
		f, err2 := strconv.ParseInt(line[167:179], 10, 64)
		if err1 != nil || err2 != nil || line[166] != 'D' {
			t.Fatalf("row %d: %v %v %c", rows, err1, err2, line[166])
		}
		amount, fee = amount+a, fee+f
		if want, ok := Check(c, txn.Sale, a, txn.CNY, txn.FineOf(f, txn.CNY)); !ok {
			t.Errorf("row %d: %d charged %d, contract says %d", rows, a, f, want)
		}
	}
	if rows != 8 || amount != 1322700 || fee != 7936 {
		t.Errorf("%d rows, %d, %d", rows, amount, fee)
	}
}

// The same rows, for machines without the sample: amounts and fees in fen, among them an exact tie.
func TestRealRowsOfSixPerMille(t *testing.T) {
	for _, x := range [][2]int64{{476800, 2861}, {83800, 503}, {9900, 59}, {250, 2}, {1250, 8}} {
		if want, ok := Check(row(60000), txn.Sale, x[0], txn.CNY, txn.FineOf(x[1], txn.CNY)); !ok {
			t.Errorf("%d charged %d, contract says %d", x[0], x[1], want)
		}
	}
}
