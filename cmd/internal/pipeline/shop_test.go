package pipeline

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
)

// A shop with two stores, one acquirer and one account, whose every file a test writes by hand. Monday is its first day.
const (
	monday  = "2026-01-05"
	account = "31000001"
	payer   = "银联商务股份有限公司客户备付金"
)

const shopConfig = `version: 1
entity: corner-shop
zone: Asia/Shanghai
currency: CNY
lang: en
go_live: "GO_LIVE"
state: state
reports: reports
register: register
sources:
  - name: pos
    side: terminal
    folder: inbox/pos
    names: ["journal_{store}_{date:yyyyMMdd}.csv"]
    formats: [daozhang_journal]
    due: "+1 08:00"
    empty_day: empty_file
    complete: {min_age: 0s, polls: 1}
    slots: {store: [S01]}
    covers: {stores: ["{store}"]}
  - name: ums
    side: acquirer
    acquirer: chinaums
    folder: inbox/ums
    names: ["ums_{date:yyyyMMdd}.txt", "ums_{date:yyyyMMdd}_{run}.txt.gz", "ums_{date:yyyyMMdd}.zip"]
    formats: [chinaums_tab17]
    due: "+1 10:00"
    empty_day: empty_file
    complete: {min_age: 0s, polls: 1}
    covers: {merchants: [M01]}
  - name: bank
    side: bank
    folder: inbox/bank
    names: ["bank_{account}_{date:yyyyMMdd}.csv", "bank_{account}_{date:yyyyMMdd}_{run}.csv"]
    formats: [daozhang_bank]
    due: "+1 09:00"
    days: daily
    empty_day: empty_file
    contains_pan: none
    complete: {min_age: 0s, polls: 1}
    slots: {account: ["31000001"]}
    covers: {accounts: ["{account}"]}
`

var shopRegister = map[string]string{
	"stores":    "store_id,name,valid_from,valid_to\nS01,North,2025-01-01,\nS02,South,2025-01-01,\n",
	"merchants": "mid,acquirer,external_mid,legal_name,mcc,valid_from,valid_to\nM01,chinaums,898310054110101,Corner Shop,5411,2025-01-01,\n",
	"terminals": "tid,mid,store_id,external_tid,offline_limit_h,valid_from,valid_to\nT1,M01,S01,31010001,,2025-01-01,\nT2,M01,S02,31020001,,2025-01-01,\n",
	"contracts": contractsHead + "C1,M01,,,,0.60%,,,,row-half-up,true,T+1,23:00,3,cn,derived,31000001,2025-01-01,\n",
	"accounts":  "account,bank,currency,owner,valid_from,valid_to\n31000001,ICBC,CNY,Corner Shop,2025-01-01,\n",
	"payers":    "name,acquirer,licensed,valid_from,valid_to\n" + payer + ",chinaums,true,2025-01-01,\n",
}

const contractsHead = "contract_id,mid,channel,card_class,mcc,rate,fixed,cap,min,rounding,fee_back_on_refund,cycle,cutoff,cutoff_drift_min,calendar,payout_basis,account,valid_from,valid_to\n"

// newShop sets the shop up; changes are pairs of texts to be replaced in its configuration.
func newShop(t *testing.T, changes ...string) *books {
	t.Helper()
	b := &books{t: t, root: t.TempDir()}
	text := strings.NewReplacer(changes...).Replace(shopConfig)
	b.write("config.yaml", []byte(strings.Replace(text, "GO_LIVE", monday, 1)))
	for name, text := range shopRegister {
		b.write("register/"+name+".csv", []byte(text))
	}
	for _, s := range []string{"pos", "ums", "bank"} {
		if err := os.MkdirAll(filepath.Join(b.root, "inbox", s), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b.load()
	return b
}

func (b *books) write(name string, data []byte) {
	b.t.Helper()
	path := filepath.Join(b.root, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
		b.t.Fatal(err)
	}
}

// day is the n-th day of the shop, Monday being 0.
func day(n int) txn.Date {
	d, err := txn.ParseDate(monday)
	if err != nil {
		panic(err)
	}
	return d + txn.Date(n)
}

// sold is one sale. Its settlement day may differ from the day on which it was made.
type sold struct {
	at     string // 2006-01-02 15:04:05
	fen    int64
	n      int // trace number, and what the reference is made of; 0: the terminal printed neither
	store2 bool
}

func sale(d txn.Date, clock string, fen int64, n int) sold {
	return sold{at: d.String() + " " + clock, fen: fen, n: n}
}

func (s sold) numbers() (trace, rrn string) {
	if s.n == 0 {
		return "", ""
	}
	return fmt.Sprintf("%06d", s.n), fmt.Sprintf("6%011d", s.n)
}

func (s sold) net() int64 { return s.fen - (s.fen*60+5_000)/10_000 }

func yuan(fen int64) string { return txn.FormatAmount(fen, txn.CNY) }

func (b *books) journal(store string, d txn.Date, sales ...sold) {
	b.t.Helper()
	var w strings.Builder
	w.WriteString("merchant_id,store_id,terminal_id,batch_no,trace_no,rrn,channel,kind,amount,currency,txn_time,response_code\n")
	// A declined sale, so that no two days' files are the same bytes.
	fmt.Fprintf(&w, "M01,%s,%s,1,9%s,,card,sale,0.01,CNY,%s 07:00:00,51\n", store, map[string]string{"S01": "T1", "S02": "T2"}[store], d.Compact()[3:], d)
	for _, s := range sales {
		trace, rrn := s.numbers()
		batch := "1"
		if s.n == 0 {
			batch = ""
		}
		fmt.Fprintf(&w, "M01,%s,%s,%s,%s,%s,card,sale,%s,CNY,%s,00\n", store, map[string]string{"S01": "T1", "S02": "T2"}[store], batch, trace, rrn, yuan(s.fen), s.at)
	}
	b.write("inbox/pos/journal_"+store+"_"+d.Compact()+".csv", []byte(w.String()))
}

func billText(d txn.Date, sales ...sold) []byte {
	var w strings.Builder
	fmt.Fprintf(&w, "清算日期从：\t%s\t到：\t%s\n", d.Compact(), d.Compact())
	w.WriteString("清算日期\t交易日期\t交易时间\t终端号\t交易金额\t清算金额\t手续费\t流水号\t交易类型\t参考号\t卡号\t商户号\t发卡行\t卡类型\t商户订单号\t银商订单号\t支付类型\n")
	var amount, net int64
	for _, s := range sales {
		trace, rrn := s.numbers()
		tid := "31010001"
		if s.store2 {
			tid = "31020001"
		}
		fmt.Fprintf(&w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t消费\t%s\t\t898310054110101\t\t\t\t\t银行卡\n", d.Compact(), s.at[:10], s.at[11:], tid,
			yuan(s.fen), yuan(s.net()), yuan(s.fen-s.net()), trace, rrn)
		amount += s.fen
		net += s.net()
	}
	fmt.Fprintf(&w, "总笔数：\t%d\t\t交易金额：\t%s\t\t结算金额：\t%s\t\t手续费：\t%s\n", len(sales), yuan(amount), yuan(net), yuan(amount-net))
	return []byte(w.String())
}

func (b *books) bill(d txn.Date, sales ...sold) {
	b.t.Helper()
	b.write("inbox/ums/ums_"+d.Compact()+".txt", billText(d, sales...))
}

func zipOfBills(t *testing.T, bills ...[]byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for i, data := range bills {
		f, err := z.Create(fmt.Sprintf("part%d.txt", i+1))
		if err == nil {
			_, err = f.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// credit is a line of the statement: what the acquirer paid, or with another name anybody.
type credit struct {
	day txn.Date
	fen int64
	ref string
	who string
}

// opening is the account's balance before its first line.
const opening = 100_000

// statement writes the lines of a period. past are the lines of the days before, which made the opening balance.
// Without a period in it a statement is one that was drawn during the day.
func (b *books) statement(name string, from, to txn.Date, period bool, past []credit, lines ...credit) {
	b.t.Helper()
	balance := int64(opening)
	for _, c := range past {
		balance += c.fen
	}
	var w strings.Builder
	if period {
		fmt.Fprintf(&w, "#period,%s,%s\n", from, to)
		fmt.Fprintf(&w, "#opening,%s,CNY,%s\n", account, yuan(balance))
	}
	w.WriteString("account,currency,booking_date,booking_time,credit,debit,balance,counterparty_name,remittance,bank_ref\n")
	for _, c := range lines {
		balance += c.fen
		fmt.Fprintf(&w, "%s,CNY,%s,09:30:00,%s,,%s,%s,settlement,%s\n", account, c.day, yuan(c.fen), yuan(balance), c.who, c.ref)
	}
	if period {
		fmt.Fprintf(&w, "#closing,%s,CNY,%s\n", account, yuan(balance))
	}
	b.write("inbox/bank/"+name, []byte(w.String()))
}

// daily writes the statement of one day.
func (b *books) daily(d txn.Date, past []credit, lines ...credit) {
	b.t.Helper()
	b.statement("bank_"+account+"_"+d.Compact()+".csv", d, d, true, past, lines...)
}

// at sets the clock to a local time of a day.
func (b *books) at(d txn.Date, clock string) {
	b.t.Helper()
	t, err := time.ParseInLocation("2006-01-02 15:04", d.String()+" "+clock, b.config.Location())
	if err != nil {
		b.t.Fatal(err)
	}
	b.now = t
}

// upTo is what the nightly command does: fetch, then everything up to a date that is not current.
func (b *books) upTo(d txn.Date) (out []DayResult) {
	b.t.Helper()
	b.with(func(ctx context.Context, e *Engine) {
		if _, err := e.Fetch(ctx, d, d+1); err != nil {
			b.t.Fatal(err)
		}
		out = b.runDates(ctx, e, d, d, b.now)
	})
	return out
}

// night runs a date at noon of the next day.
func (b *books) night(d txn.Date) []DayResult {
	b.t.Helper()
	b.at(d+1, "12:00")
	return b.upTo(d)
}

// book says in one text what the newest book of a date holds: class, lifecycle, status and amounts of each line, sorted.
// Lines that tell the order of arrival are left out.
func (b *books) book(d txn.Date) string {
	b.t.Helper()
	var out []string
	for _, l := range b.lines(d) {
		if slices.Contains(orderClasses, l["class"]) {
			continue
		}
		out = append(out, strings.Join([]string{l["class"], l["lifecycle"], l["status"], l["amount"], l["other_amount"]}, " "))
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

func (b *books) wantBook(d txn.Date, when, want string) {
	b.t.Helper()
	if got := b.book(d); got != want {
		b.t.Errorf("%s, %s: the book holds\n  %s\nwant\n  %s", when, d, got, want)
		for _, l := range b.lines(d) {
			b.t.Logf("%s %s", l["class"], short(l))
		}
	}
}

// dates lists what was computed and, behind a colon, the revision if one was issued.
func dates(rs []DayResult) string {
	var out []string
	for _, r := range rs {
		s := r.Date.String()[5:]
		if r.Issued {
			s += fmt.Sprintf(":r%d", r.Run.Revision)
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func wantDates(t *testing.T, when string, rs []DayResult, want string) {
	t.Helper()
	if got := dates(rs); got != want {
		t.Errorf("%s: computed and issued %q, want %q", when, got, want)
		for _, r := range rs {
			t.Logf("%s: %s", r.Date, r.Reason)
		}
	}
}

func (b *books) plan(d txn.Date) (out []Planned) {
	b.t.Helper()
	b.with(func(ctx context.Context, e *Engine) {
		if _, err := e.Fetch(ctx, d, d+1); err != nil {
			b.t.Fatal(err)
		}
		var err error
		if out, err = e.Plan(ctx, Request{To: d, AsOf: b.now}); err != nil {
			b.t.Fatal(err)
		}
	})
	return out
}

// sameState compares what may not depend on the order of arrival: carry, digest, and the lines themselves.
func sameState(t *testing.T, got, want *books, from, to txn.Date) {
	t.Helper()
	runs := func(b *books) map[txn.Date]store.Run {
		out := map[txn.Date]store.Run{}
		b.with(func(ctx context.Context, e *Engine) {
			rs, err := e.DB.Runs(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rs {
				out[r.Date] = r
			}
		})
		return out
	}
	g, w := runs(got), runs(want)
	for d := from; d <= to; d++ {
		if a, b := comparableLines(got.lines(d)), comparableLines(want.lines(d)); a != b {
			t.Errorf("%s: exceptions.csv differs:\n%s", d, firstDifference(b, a))
		}
		if g[d].CarryOut != w[d].CarryOut {
			t.Errorf("%s: carry %.12s, want %.12s", d, g[d].CarryOut, w[d].CarryOut)
		}
		if g[d].Comparable != w[d].Comparable {
			t.Errorf("%s: comparable part %.12s, want %.12s", d, g[d].Comparable, w[d].Comparable)
		}
	}
}

func comparableLines(lines []line) string {
	var out strings.Builder
	for _, l := range lines {
		if slices.Contains(orderClasses, l["class"]) {
			continue
		}
		for _, k := range slices.Sorted(maps.Keys(l)) {
			if !slices.Contains(orderColumns, k) {
				fmt.Fprintf(&out, "%s=%s ", k, l[k])
			}
		}
		out.WriteString("\n")
	}
	return out.String()
}

// reportsOnly drops the archive, which keeps every delivery, from a fingerprint.
func reportsOnly(f string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(f, "\n"), func(l string) bool { return strings.HasPrefix(l, "state/archive") }), "\n")
}

func (b *books) tryRerun(d txn.Date, asOf time.Time) (out []DayResult, err error) {
	b.t.Helper()
	b.with(func(ctx context.Context, e *Engine) {
		var plan []Planned
		if plan, err = e.Plan(ctx, Request{From: d, To: d, AsOf: asOf, Asked: true}); err == nil {
			out, err = e.Run(ctx, plan, asOf, nil)
		}
	})
	return out, err
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
