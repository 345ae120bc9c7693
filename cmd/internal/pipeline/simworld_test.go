package pipeline

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"daozhang/parsers/txn"
	"daozhang/reconcile/calendar"
)

// The simulated shop: two stores, an acquirer that clears until 23:00, one account. Every file has an instant at which it
// arrives; most come in time, some days late, some wrong first and right later, some again under another name, some never.

const simConfig = `version: 1
entity: simulated
zone: Asia/Shanghai
currency: CNY
lang: en
go_live: "GO_LIVE"
state: STATE
reports: REPORTS
register: register
sources:
  - name: pos
    side: terminal
    folder: inbox
    names: ["journal_{store}_{date:yyyyMMdd}.csv", "journal_{store}_{date:yyyyMMdd}_{run}.csv", "journal_{store}_{date:yyyyMMdd}_{run}.csv.gz"]
    formats: [daozhang_journal]
    due: "+1 08:00"
    empty_day: empty_file
    slots: {store: [S01, S02]}
    covers: {stores: ["{store}"]}
  - name: ums
    side: acquirer
    acquirer: chinaums
    folder: inbox
    names: ["ums_{date:yyyyMMdd}.txt", "ums_{date:yyyyMMdd}_{run}.txt", "ums_{date:yyyyMMdd}_{run}.txt.gz"]
    formats: [chinaums_tab17]
    due: "+1 10:00"
    empty_day: empty_file
    covers: {merchants: [M01]}
  - name: bank
    side: bank
    folder: inbox
    names: ["bank_{account}_{date:yyyyMMdd}_noon.csv", "bank_{account}_{date:yyyyMMdd}.csv", "bank_{account}_{date:yyyyMMdd}_{run}.csv", "bank_{account}_{date:yyyyMMdd}_{run}.csv.gz"]
    formats: [daozhang_bank]
    intraday: ["bank_{account}_{date:yyyyMMdd}_noon.csv"]
    due: "+1 09:00"
    days: daily
    empty_day: empty_file
    contains_pan: none
    slots: {account: ["31000001"]}
    covers: {accounts: ["{account}"]}
`

// simFile is one delivery.
type simFile struct {
	source, name string
	data         []byte
	at           time.Time
	late         bool
}

// simSale is a sale or a refund, as the two sides have it.
type simSale struct {
	n          int
	at         time.Time
	store      int // 0 or 1
	fen        int64
	clears     int // day on which the acquirer clears it
	refundOf   int // n of the sale; 0: it is a sale
	noIDs      bool
	atTerminal bool
	atAcquirer bool
	acquirer   int64 // what the acquirer has
	declined   bool  // at the terminal
	twice      bool  // in the journal
	again      int   // also in the journal so many days later
}

type simWorld struct {
	rng   *rand.Rand
	first txn.Date
	days  int
	zone  *time.Location
	cal   *calendar.Calendars
	sales []simSale
	lines [][]credit // of the bank, by booking day
	files []simFile
	span  int // of statements, in days
}

func newSimWorld(seed uint64, first txn.Date, days int, zone *time.Location, cal *calendar.Calendars) *simWorld {
	w := &simWorld{rng: rand.New(rand.NewPCG(seed, 1)), first: first, days: days, zone: zone, cal: cal, lines: make([][]credit, days+10)}
	w.trade()
	w.pay()
	for d := range days {
		w.journals(d)
		w.bills(d)
		w.statements(d)
	}
	slices.SortStableFunc(w.files, func(a, b simFile) int { return a.at.Compare(b.at) })
	return w
}

func (w *simWorld) chance(p float64) bool { return w.rng.Float64() < p }

func (w *simWorld) clock(d, hour, minute int) time.Time {
	return time.Date(1970, 1, 1+int(w.first)+d, hour, minute, 0, 0, w.zone)
}

// trade makes what was sold and refunded, with what went wrong.
func (w *simWorld) trade() {
	n := 0
	for d := range w.days {
		for store := range 2 {
			for range 2 + w.rng.IntN(4) {
				n++
				s := simSale{n: n, store: store, fen: int64(100 + w.rng.IntN(50_000)), atTerminal: true, atAcquirer: true, clears: d}
				s.at = w.clock(d, 8+w.rng.IntN(15), w.rng.IntN(60)).Add(time.Duration(w.rng.IntN(60)) * time.Second)
				if w.chance(0.1) {
					s.at = w.clock(d, 22, 57+w.rng.IntN(3)).Add(time.Duration(w.rng.IntN(60)) * time.Second)
					s.clears += w.rng.IntN(2)
				} else if s.at.Hour() == 22 && s.at.Minute() > 50 {
					s.at = s.at.Add(-20 * time.Minute)
				}
				s.acquirer = s.fen
				w.spoil(&s)
				w.sales = append(w.sales, s)
				if w.chance(0.08) {
					w.refund(&n, d, store)
				}
			}
		}
	}
}

func (w *simWorld) spoil(s *simSale) {
	switch x := w.rng.IntN(100); {
	case x < 3:
		s.atAcquirer = false
	case x < 5:
		s.atTerminal = false
	case x < 7:
		s.acquirer += int64(1 + w.rng.IntN(500))
	case x < 8:
		s.declined = true
	case x < 10:
		s.twice = true
	case x < 12:
		s.again = 1 + w.rng.IntN(3)
	case x < 18: // two sales that nothing tells apart
		s.noIDs, s.fen, s.acquirer = true, 990, 990
	}
}

// refund gives back a part, all or too much of an earlier sale.
func (w *simWorld) refund(n *int, d, store int) {
	var of []*simSale
	for i := range w.sales {
		if s := &w.sales[i]; s.refundOf == 0 && !s.noIDs && s.store == store && s.atTerminal && s.atAcquirer && s.acquirer == s.fen && !s.declined {
			of = append(of, s)
		}
	}
	if len(of) == 0 {
		return
	}
	s := of[max(len(of)-1-w.rng.IntN(60), 0)]
	*n++
	r := simSale{n: *n, store: store, refundOf: s.n, clears: d, at: w.clock(d, 9+w.rng.IntN(12), w.rng.IntN(60)), atTerminal: true, atAcquirer: true}
	r.fen = -max(s.fen*int64(1+w.rng.IntN(10))/10, 1)
	if w.chance(0.1) {
		r.fen = -s.fen - 100
	}
	r.acquirer = r.fen
	if w.chance(0.05) {
		r.atAcquirer = false
	}
	w.sales = append(w.sales, r)
}

func (s *simSale) net() int64 {
	fen := s.acquirer
	if fen < 0 {
		return fen + (-fen*60+5_000)/10_000
	}
	return fen - (fen*60+5_000)/10_000
}

// cleared are the acquirer's rows of a business day.
func (w *simWorld) cleared(d int) (out []simSale) {
	for _, s := range w.sales {
		if s.clears == d && s.atAcquirer {
			out = append(out, s)
		}
	}
	return out
}

// pay makes the bank's lines.
func (w *simWorld) pay() {
	pending := map[int]int64{} // by booking day
	for d := range w.days {
		var sum int64
		for _, s := range w.cleared(d) {
			sum += s.net()
		}
		if sum <= 0 {
			continue
		}
		due, _, _ := w.cal.Due("cn", w.first+txn.Date(d), nextSimDay)
		on := int(due - w.first)
		switch x := w.rng.IntN(100); {
		case x < 4:
			on += 1 + w.rng.IntN(2)
		case x < 7:
			sum -= int64(1 + w.rng.IntN(1000))
		case x < 9:
			w.book(on+w.rng.IntN(2), sum) // and once more below
		case x < 11:
			continue
		}
		if on < len(w.lines) && w.chance(0.5) {
			pending[on] += sum // together with the others of the day
			continue
		}
		w.book(on, sum)
	}
	for on := range len(w.lines) {
		if pending[on] > 0 {
			w.book(on, pending[on])
		}
	}
}

func (w *simWorld) book(on int, fen int64) {
	if on < len(w.lines) && fen > 0 {
		w.lines[on] = append(w.lines[on], credit{day: w.first + txn.Date(on), fen: fen, ref: fmt.Sprintf("B%d-%d", on, len(w.lines[on])), who: payer})
	}
}

// deliver adds a file that comes about an hour of the day after d: in time as a rule.
func (w *simWorld) deliver(source, name string, data []byte, d, hour int) time.Time {
	at, late := w.clock(d+1, hour, w.rng.IntN(50)), false
	switch x := w.rng.IntN(100); {
	case x < 8:
		at, late = at.Add(time.Duration(1+w.rng.IntN(6*24))*time.Hour), true
	case x < 9:
		return time.Time{} // never
	}
	w.files = append(w.files, simFile{source, name, data, at, late})
	if w.chance(0.06) { // once more under another name
		z := bytes.Buffer{}
		gz := gzip.NewWriter(&z)
		gz.Write(data)
		gz.Close()
		stem, ext := name[:strings.IndexByte(name, '.')], name[strings.IndexByte(name, '.'):]
		w.files = append(w.files, simFile{source, stem + "_again" + ext + ".gz", z.Bytes(), at.Add(time.Duration(w.rng.IntN(5*24*60)) * time.Minute), false})
	}
	return at
}

// corrected delivers a wrong file first and the right one later, now and then.
func (w *simWorld) corrected(source, name string, right, wrong []byte, d, hour int) {
	if wrong == nil || !w.chance(0.08) {
		w.deliver(source, name, right, d, hour)
		return
	}
	at := w.deliver(source, name, wrong, d, hour)
	if at.IsZero() {
		at = w.clock(d+1, hour, 0)
	}
	stem, ext := name[:strings.IndexByte(name, '.')], name[strings.IndexByte(name, '.'):]
	w.files = append(w.files, simFile{source, stem + "_2" + ext, right, at.Add(time.Duration(30+w.rng.IntN(6*24*60)) * time.Minute), true})
}

// worse spoils a list of rows: one is missing, or has another amount.
func (w *simWorld) worse(rows []simSale) []simSale {
	if len(rows) == 0 {
		return nil
	}
	i := w.rng.IntN(len(rows))
	out := slices.Clone(rows)
	if w.chance(0.5) {
		return slices.Delete(out, i, i+1)
	}
	out[i].fen += 1000
	out[i].acquirer += 1000
	return out
}

func (w *simWorld) journals(d int) {
	for store := range 2 {
		var rows []simSale
		for _, s := range w.sales {
			if s.store == store && s.atTerminal && (w.dayOf(s) == d || s.again > 0 && w.dayOf(s)+s.again == d) {
				rows = append(rows, s)
				if s.twice && w.dayOf(s) == d {
					rows = append(rows, s)
				}
			}
		}
		var wrong []byte
		if bad := w.worse(rows); bad != nil {
			wrong = w.journalText(d, store, bad)
		}
		name := fmt.Sprintf("journal_S0%d_%s.csv", store+1, (w.first + txn.Date(d)).Compact())
		w.corrected("pos", name, w.journalText(d, store, rows), wrong, d, 6)
	}
}

func (w *simWorld) dayOf(s simSale) int {
	return int(txn.DateOf(s.at) - w.first)
}

func (w *simWorld) journalText(d, store int, rows []simSale) []byte {
	var b bytes.Buffer
	b.WriteString("merchant_id,store_id,terminal_id,batch_no,trace_no,rrn,channel,kind,amount,currency,txn_time,response_code,orig_rrn,orig_date\n")
	day := w.first + txn.Date(d)
	fmt.Fprintf(&b, "M01,S0%d,T%d,1,9%s,,card,sale,0.01,CNY,%s 07:00:00,51,,\n", store+1, store+1, day.Compact()[3:], day)
	for _, s := range rows {
		kind, code, trace, rrn, batch, orig, origDay := "sale", "00", fmt.Sprintf("%06d", s.n), fmt.Sprintf("6%011d", s.n), "1", "", ""
		if s.noIDs {
			trace, rrn, batch = "", "", ""
		}
		if s.declined {
			code = "51"
		}
		if s.refundOf > 0 {
			kind, orig = "refund", fmt.Sprintf("6%011d", s.refundOf)
		}
		fmt.Fprintf(&b, "M01,S0%d,T%d,%s,%s,%s,card,%s,%s,CNY,%s,%s,%s,%s\n", store+1, store+1, batch, trace, rrn, kind, yuan(max(s.fen, -s.fen)),
			s.at.Format("2006-01-02 15:04:05"), code, orig, origDay)
	}
	return b.Bytes()
}

func (w *simWorld) bills(d int) {
	rows := w.cleared(d)
	var wrong []byte
	if bad := w.worse(rows); bad != nil {
		wrong = w.billText(d, bad)
		if w.chance(0.3) { // the trailer does not fit
			wrong = bytes.Replace(w.billText(d, rows), []byte("总笔数：\t"), []byte("总笔数：\t9"), 1)
		}
	}
	w.corrected("ums", "ums_"+(w.first+txn.Date(d)).Compact()+".txt", w.billText(d, rows), wrong, d, 9)
}

func (w *simWorld) billText(d int, rows []simSale) []byte {
	var b bytes.Buffer
	day := (w.first + txn.Date(d)).Compact()
	fmt.Fprintf(&b, "清算日期从：\t%s\t到：\t%s\n", day, day)
	b.WriteString("清算日期\t交易日期\t交易时间\t终端号\t交易金额\t清算金额\t手续费\t流水号\t交易类型\t参考号\t卡号\t商户号\t发卡行\t卡类型\t商户订单号\t银商订单号\t支付类型\n")
	var amount, net int64
	for _, s := range rows {
		trace, rrn, kind := fmt.Sprintf("%06d", s.n), fmt.Sprintf("6%011d", s.n), "消费"
		if s.noIDs {
			trace, rrn = "", ""
		}
		if s.refundOf > 0 {
			kind = "退货"
		}
		fmt.Fprintf(&b, "%s\t%s\t%s\t310%d0001\t%s\t%s\t%s\t%s\t%s\t%s\t\t898310054110101\t\t\t\t\t银行卡\n", day, s.at.Format("2006-01-02"), s.at.Format("15:04:05"),
			s.store+1, yuan(s.acquirer), yuan(s.net()), yuan(s.acquirer-s.net()), trace, kind, rrn)
		amount += s.acquirer
		net += s.net()
	}
	fmt.Fprintf(&b, "总笔数：\t%d\t\t交易金额：\t%s\t\t结算金额：\t%s\t\t手续费：\t%s\n", len(rows), yuan(amount), yuan(net), yuan(amount-net))
	return b.Bytes()
}

// statements of a day: its own, and on some days one of the last seven, or one of all days so far, or one drawn too early.
func (w *simWorld) statements(d int) {
	day := (w.first + txn.Date(d)).Compact()
	if !w.chance(0.15) || d == w.days-1 {
		w.deliver("bank", "bank_"+account+"_"+day+".csv", w.statementText(d, d, nil), d, 8)
	}
	if w.chance(0.15) { // at noon, without the last line of the day
		lines := slices.Clone(w.lines)
		if n := len(lines[d]); n > 0 {
			lines[d] = lines[d][:n-1]
		}
		w.files = append(w.files, simFile{"bank", "bank_" + account + "_" + day + "_noon.csv", w.statementText(d, d, lines), w.clock(d, 12, 5), false})
	}
	if w.chance(0.3) {
		w.deliver("bank", "bank_"+account+"_"+day+"_7d.csv", w.statementText(max(d-6, 0), d, nil), d, 8)
	}
	if d == w.days-1 || w.chance(0.03) {
		w.deliver("bank", "bank_"+account+"_"+day+"_all.csv", w.statementText(0, d, nil), d, 8)
	}
}

func (w *simWorld) statementText(from, to int, lines [][]credit) []byte {
	if lines == nil {
		lines = w.lines
	}
	balance := int64(opening)
	for _, ls := range lines[:from] {
		for _, c := range ls {
			balance += c.fen
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "#period,%s,%s\n#opening,%s,CNY,%s\n", w.first+txn.Date(from), w.first+txn.Date(to), account, yuan(balance))
	b.WriteString("account,currency,booking_date,booking_time,credit,debit,balance,counterparty_name,remittance,bank_ref\n")
	for _, ls := range lines[from : to+1] {
		for _, c := range ls {
			balance += c.fen
			fmt.Fprintf(&b, "%s,CNY,%s,09:30:00,%s,,%s,%s,settlement,%s\n", account, c.day, yuan(c.fen), yuan(balance), c.who, c.ref)
		}
	}
	fmt.Fprintf(&b, "#closing,%s,CNY,%s\n", account, yuan(balance))
	return b.Bytes()
}
