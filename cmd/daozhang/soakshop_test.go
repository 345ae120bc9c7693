package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daozhang/parsers/txn"
)

// soakShop is a shop with two tills, one acquirer and one account, with one big day and small ones around it. Every
// file is a function of its date, so that a corrected file differs in what was corrected and in nothing else.
type soakShop struct {
	dir  string
	rows int      // of the big day
	big  txn.Date // the other days have a fortieth of that
}

const (
	soakAccount = "31000001"
	soakMonday  = "2026-01-05"
	soakOpening = 100_000
)

const soakConfig = `version: 1
entity: corner-shop
zone: Asia/Shanghai
lang: en
go_live: "2026-01-05"
on_finish: ["sh", "-c", "echo $1 >>told", "sh"]
sources:
  - name: pos
    side: terminal
    folder: in/pos
    names: ["journal_{store}_{date:yyyyMMdd}.csv"]
    formats: [daozhang_journal]
    due: "+1 08:00"
    complete: {min_age: 0s, polls: 1}
    slots: {store: [S01, S02]}
    covers: {stores: ["{store}"]}
  - name: ums
    side: acquirer
    acquirer: chinaums
    folder: in/ums
    names: ["ums_{date:yyyyMMdd}.txt", "ums_{date:yyyyMMdd}_{run}.txt"]
    formats: [chinaums_tab17]
    due: "+1 10:00"
    complete: {min_age: 0s, polls: 1}
    covers: {merchants: [M01]}
  - name: bank
    side: bank
    folder: in/bank
    names: ["bank_{account}_{date:yyyyMMdd}.csv"]
    formats: [daozhang_bank]
    due: "+1 09:00"
    days: daily
    contains_pan: none
    complete: {min_age: 0s, polls: 1}
    slots: {account: ["31000001"]}
    covers: {accounts: ["{account}"]}
`

func soakRegister() map[string]string {
	return map[string]string{
		"stores":    "store_id,name,valid_from,valid_to\nS01,North,2025-01-01,\nS02,South,2025-01-01,\n",
		"merchants": "mid,acquirer,external_mid,legal_name,mcc,valid_from,valid_to\nM01,chinaums,898310054110101,Corner Shop,5411,2025-01-01,\n",
		"terminals": "tid,mid,store_id,external_tid,offline_limit_h,valid_from,valid_to\nT1,M01,S01,31010001,,2025-01-01,\nT2,M01,S02,31020001,,2025-01-01,\n",
		"contracts": "contract_id,mid,channel,card_class,mcc,rate,fixed,cap,min,rounding,fee_back_on_refund,cycle,cutoff,cutoff_drift_min,calendar,payout_basis,account,valid_from,valid_to\n" +
			"C1,M01,,,,0.60%,,,,row-half-up,true,T+1,23:00,3,cn,derived,31000001,2025-01-01,\n",
		"accounts": "account,bank,currency,owner,valid_from,valid_to\n31000001,ICBC,CNY,Corner Shop,2025-01-01,\n",
		"payers":   "name,acquirer,licensed,valid_from,valid_to\n银联商务股份有限公司客户备付金,chinaums,true,2025-01-01,\n",
	}
}

// soakDay is the n-th day of the shop; Monday is 0.
func soakDay(n int) txn.Date { return txn.MakeDate(2026, time.January, 5) + txn.Date(n) }

// open writes configuration and register.
func (s *soakShop) open(t testing.TB) {
	t.Helper()
	s.write(t, "config.yaml", soakConfig, soakDay(0))
	for name, text := range soakRegister() {
		s.write(t, "register/"+name+".csv", text, soakDay(0))
	}
	for _, name := range []string{"pos", "ums", "bank"} {
		if err := os.MkdirAll(filepath.Join(s.dir, "in", name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// write brings a file in the night after a day.
func (s *soakShop) write(t testing.TB, name, text string, d txn.Date) {
	t.Helper()
	path := filepath.Join(s.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.DateTime, d.String()+" 18:00:00")
	if err == nil {
		err = os.Chtimes(path, at, at)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// soakSale is the n-th sale of a day, as both sides know it.
type soakSale struct {
	n       int
	amount  int64  // fen, at the till
	billed  int64  // fen, in the bill
	store   string // S01 or S02
	till    bool   // the till has it
	cleared bool   // the bill has it
}

// Rows that do not agree: one of each kind in every 1,500, beginning with these.
const (
	soakUncleared = 13
	soakDiffers   = 17
	soakUnknown   = 19 // the till does not know it
)

func (s *soakShop) sales(d txn.Date) []soakSale {
	n := s.rows
	if d != s.big {
		n = max(n/40, 25)
	}
	out := make([]soakSale, n)
	for i := range out {
		x := soakSale{n: i, amount: 100 + (int64(i)*7919+int64(d)*104_729)%50_000, store: "S01", till: true, cleared: true}
		x.billed = x.amount
		if i%2 == 1 {
			x.store = "S02"
		}
		switch i % 1500 {
		case soakUncleared:
			x.cleared = false
		case soakDiffers:
			x.billed += 100
		case soakUnknown:
			x.till = false
		}
		out[i] = x
	}
	return out
}

func (x soakSale) trace() string            { return fmt.Sprintf("%06d", x.n/2+1) }
func (x soakSale) rrn(d txn.Date) string    { return fmt.Sprintf("6%s%07d", d.Compact()[4:], x.n+1) }
func soakFee(fen int64) int64               { return (fen*60 + 5_000) / 10_000 }
func soakYuan(fen int64) string             { return txn.FormatAmount(fen, txn.CNY) }
func (s *soakShop) clock(x soakSale) string { return s.clockOf(x.n) }

// clockOf spreads the sales of a big day over opening hours.
func (s *soakShop) clockOf(n int) string {
	at := 7*3600 + n*50_000/max(s.rows, 1)
	return fmt.Sprintf("%02d:%02d:%02d", at/3600, at/60%60, at%60)
}

func (s *soakShop) journal(t testing.TB, store string, d txn.Date) {
	var w strings.Builder
	w.WriteString("merchant_id,store_id,terminal_id,batch_no,trace_no,rrn,channel,kind,amount,currency,txn_time,response_code\n")
	tid := "T" + store[2:]
	for _, x := range s.sales(d) {
		if x.till && x.store == store {
			fmt.Fprintf(&w, "M01,%s,%s,1,%s,%s,card,sale,%s,CNY,%s %s,00\n", store, tid, x.trace(), x.rrn(d), soakYuan(x.amount), d, s.clock(x))
		}
	}
	s.write(t, "in/pos/journal_"+store+"_"+d.Compact()+".csv", w.String(), d)
}

// bill writes what was cleared on a day. fixes are amounts in fen, by the number of the sale, that differ from what was
// sent first; as is empty for the first file and tells a corrected one from it.
func (s *soakShop) bill(t testing.TB, d txn.Date, as string, fixes map[int]int64) {
	var w strings.Builder
	fmt.Fprintf(&w, "清算日期从：\t%s\t到：\t%s\n", d.Compact(), d.Compact())
	w.WriteString("清算日期\t交易日期\t交易时间\t终端号\t交易金额\t清算金额\t手续费\t流水号\t交易类型\t参考号\t卡号\t商户号\t发卡行\t卡类型\t商户订单号\t银商订单号\t支付类型\n")
	var count, amount, fees int64
	for _, x := range s.sales(d) {
		if !x.cleared {
			continue
		}
		fen := x.billed
		if fix, ok := fixes[x.n]; ok {
			fen = fix
		}
		fee := soakFee(fen)
		fmt.Fprintf(&w, "%s\t%s\t%s\t310%s0001\t%s\t%s\t%s\t%s\t消费\t%s\t\t898310054110101\t\t\t\t\t银行卡\n", d.Compact(), d, s.clock(x), x.store[2:],
			soakYuan(fen), soakYuan(fen-fee), soakYuan(fee), x.trace(), x.rrn(d))
		count, amount, fees = count+1, amount+fen, fees+fee
	}
	fmt.Fprintf(&w, "总笔数：\t%d\t\t交易金额：\t%s\t\t结算金额：\t%s\t\t手续费：\t%s\n", count, soakYuan(amount), soakYuan(amount-fees), soakYuan(fees))
	s.write(t, "in/ums/ums_"+d.Compact()+as+".txt", w.String(), d)
}

// credit is what the acquirer pays on a day for the bills as they were sent first: nothing on a weekend.
func (s *soakShop) credit(on txn.Date) (fen int64) {
	for d := soakDay(0); d < on; d++ {
		due := d + 1
		for due.Weekday() == time.Saturday || due.Weekday() == time.Sunday {
			due++
		}
		if due != on {
			continue
		}
		for _, x := range s.sales(d) {
			if x.cleared {
				fen += x.billed - soakFee(x.billed)
			}
		}
	}
	return fen
}

// statement writes the lines of the account from one day to another.
func (s *soakShop) statement(t testing.TB, from, to txn.Date) {
	balance := int64(soakOpening)
	for d := soakDay(0); d < from; d++ {
		balance += s.credit(d)
	}
	var w strings.Builder
	fmt.Fprintf(&w, "#period,%s,%s\n#opening,%s,CNY,%s\n", from, to, soakAccount, soakYuan(balance))
	w.WriteString("account,currency,booking_date,booking_time,credit,debit,balance,counterparty_name,remittance,bank_ref\n")
	for d := from; d <= to; d++ {
		if fen := s.credit(d); fen != 0 {
			balance += fen
			fmt.Fprintf(&w, "%s,CNY,%s,09:30:00,%s,,%s,银联商务股份有限公司客户备付金,settlement,C%s\n", soakAccount, d, soakYuan(fen), soakYuan(balance), d.Compact())
		}
	}
	fmt.Fprintf(&w, "#closing,%s,CNY,%s\n", soakAccount, soakYuan(balance))
	s.write(t, "in/bank/bank_"+soakAccount+"_"+to.Compact()+".csv", w.String(), to)
}

// usual brings what a day usually brings, but for the bill and the journal of the second store where these come late.
func (s *soakShop) usual(t testing.TB, d txn.Date, bill, second bool) {
	s.journal(t, "S01", d)
	if second {
		s.journal(t, "S02", d)
	}
	if bill {
		s.bill(t, d, "", nil)
	}
	s.statement(t, d, d)
}
