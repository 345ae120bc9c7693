package profile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

// sample reads a real file from the sample collection that lies beside a checkout and is never part of it.
func sample(t *testing.T, name string) parsers.Source {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "samples", "cn", name)
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skipf("the collection of real files is not beside this checkout (%s)", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return source(filepath.Base(name), b)
}

func TestRealZMFileAddsUp(t *testing.T) {
	rows, bad, r, err := readAll(t, builtin(t, "unionpay_zm"), sample(t, "unionpay/INN15090588ZM_802310048993424"))
	if err != nil || len(bad) > 0 || len(rows) != 8 {
		t.Fatalf("%d rows, %v, %v", len(rows), bad, err)
	}
	tot := r.Totals()[0]
	if tot.Amount != 1322700 || tot.Fee != 7936000 || tot.Net != txn.FineOf(1314764, txn.CNY) {
		t.Errorf("%+v", tot)
	}
	for _, row := range rows {
		if row.NetFine() != txn.FineOf(row.Net, txn.CNY) || row.Business.String() != "2015-09-05" || row.Time.Date().String() != "2015-09-06" {
			t.Errorf("row %+v", row)
		}
	}
}

func TestRealAlipayFilesAgreeWithBothTrailers(t *testing.T) {
	for _, name := range []string{"alipay-merchant/trade25-10rows-gbk-transcribed.csv", "alipay-merchant/trade25-10rows-utf8-transcribed.csv"} {
		rows, bad, r, err := readAll(t, builtin(t, "alipay_trade"), sample(t, name))
		if err != nil || len(bad) > 0 || len(rows) != 10 || len(r.Controls()) != 4 {
			t.Fatalf("%s: %d rows, %v, %v", name, len(rows), bad, err)
		}
		for _, c := range r.Controls() {
			if !c.OK {
				t.Errorf("%s: %+v", name, c)
			}
		}
	}
}

func TestRealWeChatBillWithCutRowsShowsBothNumbers(t *testing.T) {
	_, _, r, err := readAll(t, builtin(t, "wechat_trade_all"), sample(t, "wechat-merchant/wxjava-all27-1row-trailer-mismatch.csv"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][2]string{}
	for _, c := range r.Controls() {
		if !c.OK {
			got[c.Name] = [2]string{c.Stated, c.Computed}
		}
	}
	if got["总交易单数"] != [2]string{"48", "1"} || got["应结订单总金额"] != [2]string{"5.76", "6.00"} || len(got) != 6 {
		t.Errorf("%v", got)
	}
}

func TestOtherWeChatBillsAreNotThisFormat(t *testing.T) {
	for _, name := range []string{"wxjava-success20-1row-trailer-mismatch.csv", "wxjava-refund29-1row-trailer-mismatch.csv",
		"wxjava-all24-old-2rows-trailer-ok.csv", "partner-refund26-old-3rows.csv", "partner-all24-old-3refundrows.csv"} {
		src := sample(t, "wechat-merchant/"+name)
		head, err := parsers.ReadHead(src)
		if err != nil {
			t.Fatal(err)
		}
		p := builtin(t, "wechat_trade_all")
		_, openErr := p.Open(src, txn.AllFields)
		if err := p.Claim(head); !errors.Is(err, parsers.ErrDrift) || !errors.Is(openErr, parsers.ErrDrift) {
			t.Errorf("%s: claim %v, open %v", name, err, openErr)
		}
	}
}
