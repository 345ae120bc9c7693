package profile

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

func TestFilesThatAreRefusedAsAWhole(t *testing.T) {
	bill := string(fixture(t, "wechat_trade_all/bill.csv"))
	alipay := fixture(t, "alipay_trade/detail_gbk.csv")
	journal := string(fixture(t, "daozhang_journal/day.csv"))
	header, _, _ := strings.Cut(journal, "\n")
	zm := fixture(t, "unionpay_zm/INN25123188ZM_898310059990017")
	for _, c := range []struct {
		name, format string
		data         string
		cause        error
		says         string
	}{
		{"WeChat's error answer saved as a bill", "wechat_trade_all", "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[No Bill Exist]]></return_msg><error_code>20002</error_code></xml>", parsers.ErrVendor, "20002"},
		{"a web page", "daozhang_journal", "<!DOCTYPE html><html>", parsers.ErrVendor, ""},
		{"JSON", "daozhang_journal", `{"code":"NO_STATEMENT_EXIST"}`, parsers.ErrVendor, "JSON"},
		{"UTF-16", "daozhang_journal", "\xFF\xFEm\x00", parsers.ErrDrift, "UTF-16"},
		{"an empty file", "daozhang_journal", "", parsers.ErrTruncated, "empty"},
		{"no trailer", "wechat_trade_all", bill[:strings.Index(bill, "总交易单数")], parsers.ErrTruncated, "总交易单数"},
		{"a trailer without values", "wechat_trade_all", bill[:strings.LastIndex(bill, "`7")], parsers.ErrTruncated, "总交易单数"},
		{"a trailer with fewer values", "wechat_trade_all", strings.TrimSuffix(bill, ",`11.60\r\n"), parsers.ErrTruncated, "总交易单数"},
		{"one of two trailers", "alipay_trade", string(alipay[:bytes.Index(alipay, encodeGB("#退款合计"))]), parsers.ErrTruncated, "#退款合计"},
		{"rows behind the trailer", "wechat_trade_all", bill + bill[strings.Index(bill, "`2025"):strings.Index(bill, "总交易")], parsers.ErrDrift, "two files"},
		{"ids damaged by a spreadsheet", "wechat_trade_all", strings.Replace(bill, "4200002512310000000000000001", "4.20E+27", 1), parsers.ErrDamaged, "微信订单号"},
		{"a column gone", "wechat_trade_all", strings.Replace(bill, "手续费,", "", 1), parsers.ErrDrift, "missing column 手续费"},
		{"a column twice", "daozhang_journal", header + ",amount\n", parsers.ErrDrift, "two columns are named amount"},
		{"the last line cut", "daozhang_journal", journal[:len(journal)-30], parsers.ErrTruncated, "last line"},
		{"an open quote at the end", "daozhang_journal", header + "\nM01,\"S01", parsers.ErrTruncated, ""},
		{"the last record cut", "unionpay_zm", string(zm[:609*2+300]), parsers.ErrTruncated, "300 bytes"},
		{"an endless line", "daozhang_journal", header + "\n" + strings.Repeat("x", 70<<10), parsers.ErrLimit, "65536"},
		{"an opening balance without a closing one", "daozhang_bank", "#opening,A,CNY,1.00\naccount,booking_date,credit,debit,balance\n", parsers.ErrTruncated, "closing balance"},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := source("INN25123188ZM_1", []byte(c.data))
			_, _, _, err := readAll(t, builtin(t, c.format), src)
			var fe *parsers.FileError
			if !errors.As(err, &fe) || !errors.Is(err, c.cause) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v\nwant %v ... %s", err, c.cause, c.says)
			}
		})
	}
}

func TestARejectedRowKeepsTheCountOfTheTrailer(t *testing.T) {
	bill := bytes.Replace(fixture(t, "wechat_trade_all/bill.csv"), []byte("`2025-12-31 09:00:00"), []byte("`2025-12-31 09:00:6O"), 1)
	_, bad, r, err := readAll(t, builtin(t, "wechat_trade_all"), source("b", bill))
	if err != nil || len(bad) != 1 || bad[0].Line != 3 || bad[0].Field != "交易时间" {
		t.Fatalf("%v %v", bad, err)
	}
	for _, c := range r.Controls() {
		if c.OK != (c.Count || c.Name == "退款总金额" || c.Name == "充值券退款总金额" || c.Name == "申请退款总金额") {
			t.Errorf("%+v", c)
		}
	}
}

func TestHeadersAreFoundByNormalisedNamesInAnyOrder(t *testing.T) {
	text := "\uFEFF导出说明\n\n`类 型`,\"金额（元）\",商户编号\t,备注\n消费,1.00,M1,x\n"
	p, err := Load("t", []byte(`
version: 1
name: t
side: A
delimited: {delimiter: ",", quote: '"'}
columns:
  - {name: 商户号, aliases: [商户编号], field: merchant_id}
  - {name: 类型, field: kind, map: {消费: sale}}
  - {name: 金额(元), field: amount}
`))
	if err != nil {
		t.Fatal(err)
	}
	rows, bad, r, err := readAll(t, p, source("f", []byte(text)))
	if err != nil || len(bad) > 0 || len(rows) != 1 || rows[0].Amount != 100 || string(rows[0].Get(txn.MID)) != "M1" {
		t.Fatalf("%v %v %v", rows, bad, err)
	}
	if n := r.(*Reader).Notes(); len(n) != 1 || !strings.Contains(n[0], "备注") || string(rows[0].Extra[0].Value) != "x" {
		t.Errorf("notes %v, extra %v", n, rows[0].Extra)
	}
}

func TestOneRecordEmitsSeveralTransactions(t *testing.T) {
	p, err := Load("t", []byte(`
version: 1
name: t
side: A
delimited: {delimiter: ";"}
columns:
  - {name: id, field: order_no}
  - {name: paid}
  - {name: back}
emit:
  - when: [{column: paid, nonzero: true}]
    set: {kind: sale}
    columns: [{name: paid, field: amount}]
  - when: [{column: back, nonzero: true}]
    set: {kind: refund}
    columns: [{name: back, field: amount, sign: kind}]
`))
	if err != nil {
		t.Fatal(err)
	}
	rows, bad, _, err := readAll(t, p, source("f", []byte("id;paid;back\n1;5.00;2.00\n2;0;1\n3;0.00;\n")))
	if err != nil || len(rows) != 3 || len(bad) != 1 || bad[0].Line != 4 {
		t.Fatalf("%v %v %v", rows, bad, err)
	}
	if rows[0].Pos.Entry != 0 || rows[1].Pos.Entry != 1 || rows[1].Pos.Offset != rows[0].Pos.Offset || rows[1].Amount != -200 || rows[2].Pos.Entry != 0 {
		t.Errorf("%+v %+v %+v", rows[0].Pos, rows[1].Pos, rows[2].Pos)
	}
}

func TestTheClearingDayOfZMComesFromSourceOrName(t *testing.T) {
	zm := fixture(t, "unionpay_zm/INN25123188ZM_898310059990017")
	p := builtin(t, "unionpay_zm")
	src := source("elsewhere/zm.txt", zm)
	if _, err := p.Open(src, txn.AllFields); err == nil || !strings.Contains(err.Error(), "business_date is unknown") {
		t.Errorf("without a day: %v", err)
	}
	src.Options.BusinessDate = civil(2026, 1, 1)
	rows, _, _, err := readAll(t, p, src)
	if err != nil || rows[0].Business != civil(2026, 1, 1) {
		t.Errorf("%v %v", rows, err)
	}
}

func TestCardLeadIsKeptOnlyWhereTheInstallationWantsIt(t *testing.T) {
	src := source("j", fixture(t, "daozhang_journal/day.csv"))
	for _, lead := range []bool{false, true} {
		src.Options.CardLead = lead
		rows, _, _, err := readAll(t, builtin(t, "daozhang_journal"), src)
		if err != nil || (string(rows[0].Get(txn.CardLead)) == "622609") != lead || string(rows[0].Get(txn.CardTail)) != "0048" {
			t.Errorf("lead %v: %q %v", lead, rows[0].Get(txn.CardLead), err)
		}
	}
}

func TestGBKIsTakenWhereAnASCIIHeaderSaysNothing(t *testing.T) {
	text := "account,booking_date,credit,debit,balance,remittance\n" + strings.Repeat("A,20251231,1.00,,1.00,plain ascii filler text\n", 2000) + "A,20251231,1.00,,1.00,微信提现\n"
	for name, data := range map[string][]byte{"GBK": encodeGB(text), "UTF-8": []byte(text)} {
		rows, bad, _, err := readAll(t, builtin(t, "daozhang_bank"), source("b", data))
		if err != nil || len(bad) > 0 || string(rows[2000].Get(txn.Remittance)) != "微信提现" {
			t.Errorf("%s: %v %v", name, bad, err)
		}
	}
}

func TestOneBrokenCharacterRejectsItsRowOnly(t *testing.T) {
	text := fixture(t, "daozhang_bank/north.csv")
	at := bytes.Index(text, []byte("房东"))
	bent := append(append([]byte{}, text[:at+4]...), text[at+5:]...)
	rows, bad, _, err := readAll(t, builtin(t, "daozhang_bank"), source("b", bent))
	if err != nil || len(bad) != 1 || bad[0].Field != "counterparty_name" || len(rows) != 2 || !strings.Contains(string(rows[0].Get(txn.CounterpartyName)), "银联商务") {
		t.Errorf("%d rows, %v, %v", len(rows), bad, err)
	}
}
