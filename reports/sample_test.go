package reports

import (
	"fmt"
	"time"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

// sampleBook is a believable Monday of a small chain: one acquirer file missing, one held, a merged holiday credit, a
// short one, an overdue payout, and cases of most classes. Every figure in it is made up, and the sums fit together.
func sampleBook(lang text.Lang) *Book {
	zone := time.FixedZone("Asia/Shanghai", 8*3600)
	s := &sampler{day: txn.MakeDate(2026, 1, 5), zone: zone}
	s.transactions()
	s.payouts()
	s.bank()
	s.files()
	s.sums()
	s.classSums()
	s.o.Verdict = reconcile.Incomplete
	entity := "云锦百货(上海)有限公司"
	if lang == text.En {
		entity = "Yunjin Stores (Shanghai) & Sons"
	}
	return &Book{Entity: entity, Date: s.day, Revision: 2, AsOf: time.Date(2026, 1, 6, 9, 0, 0, 0, zone), Zone: zone,
		GoLive: txn.MakeDate(2025, 12, 31), Lang: lang, Outcome: &s.o, Program: "daozhang 0.1.0",
		ConfigDigest: "9f2c4e7713ab55d0c1e8f6a2b3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6"}
}

type sampler struct {
	o    reconcile.Outcome
	day  txn.Date
	zone *time.Location
	n    int
}

func (s *sampler) at(day txn.Date, h, m, sec int) txn.Time {
	d := day.Time()
	return txn.TimeOf(time.Date(d.Year(), d.Month(), d.Day(), h, m, sec, 0, s.zone))
}

func (s *sampler) caseID() string {
	s.n++
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	x := uint64(s.n) * 0x9E3779B97F4A7C15
	id := "C-"
	for i := range 16 {
		if i > 0 && i%4 == 0 {
			id += "-"
		}
		id += string(digits[x>>(60-i*4)&15+uint64(i%2)*16])
	}
	return id
}

func (s *sampler) row(side txn.Side, kind txn.Kind, amount int64, at txn.Time) *txn.Row {
	store := s.n % 6
	r := &txn.Row{Side: side, Kind: kind, Status: txn.Approved, Channel: txn.Card, Currency: txn.CNY, Amount: amount, Time: at}
	set := func(f txn.Field, v string) { r.Set(f, []byte(v)) }
	set(txn.MID, fmt.Sprintf("89831005411%04d", 100+store))
	set(txn.TID, fmt.Sprintf("4105%04d", 20+s.n%14))
	set(txn.Store, fmt.Sprintf("SH%03d", store+1))
	set(txn.Batch, fmt.Sprintf("%06d", 31+s.n%3))
	set(txn.STAN, fmt.Sprintf("%06d", 4200+s.n*7))
	set(txn.RRN, fmt.Sprintf("00510%07d", 913+s.n*977))
	set(txn.AuthCode, fmt.Sprintf("%06d", (s.n*7919)%1000000))
	set(txn.CardTail, fmt.Sprintf("%04d", (s.n*613)%10000))
	return r
}

func fill(l *reconcile.Line, r *txn.Row) {
	get := func(f txn.Field) string { return string(r.Text[f]) }
	l.MID, l.Store, l.TID, l.Batch, l.STAN = get(txn.MID), get(txn.Store), get(txn.TID), get(txn.Batch), get(txn.STAN)
	l.RRN, l.AuthCode, l.OrderNo = get(txn.RRN), get(txn.AuthCode), get(txn.OrderNo)
	l.Channel, l.Kind, l.TxnTime, l.Currency = r.Channel.String(), r.Kind.String(), r.Time, r.Currency
}

var (
	journal = reconcile.Ref{Delivery: "journal_SH_20260105.csv.gz", Member: "journal_SH_20260105.csv"}
	ums     = reconcile.Ref{Delivery: "UMS_898310054110100_20260105.zip", Member: "明细_20260105.txt"}
	bank    = reconcile.Ref{Delivery: "icbc_20260105.csv", Member: "icbc_20260105.csv"}
)

func atLine(r reconcile.Ref, n int) reconcile.Ref { r.Line = n; return r }

// pair adds one case of leg T-A.
func (s *sampler) pair(class reconcile.Class, t, a int64, age int, cause string) *reconcile.Line {
	id := s.caseID()
	l := reconcile.Line{CaseID: id, Class: class, Status: "open", Lifecycle: reconcile.CaseNew, AgeDays: age,
		FirstSeen: s.day - txn.Date(age), Leg: reconcile.LegTA, Source: "pos_sh", Acquirer: "chinaums", Rows: 1,
		CauseCode: cause, DueDate: s.day - txn.Date(age), SettleDate: s.day}
	if age > 0 {
		l.Lifecycle = reconcile.CaseOpen
	}
	when := s.at(s.day-txn.Date(age), 9+s.n%12, (s.n*17)%60, (s.n*29)%60)
	if t != 0 {
		r := s.row(txn.Terminal, kindOf(class, t), t, when)
		l.Row, l.At, l.Amount = r, atLine(journal, 400+s.n*3), reconcile.Some(t)
		fill(&l, r)
	}
	if a != 0 {
		r := s.row(txn.Acquirer, kindOf(class, a), a, when)
		l.Source, l.OtherTime = "ums_settle", when
		if l.Row == nil {
			l.Row, l.At = r, atLine(ums, 88+s.n*5)
			l.Source = "ums_settle"
			fill(&l, r)
			l.OtherTime = txn.Time{}
		} else {
			l.Other2, l.OtherAt = r, atLine(ums, 88+s.n*5)
			l.NearPass = "P2, P3"
		}
		l.Other = reconcile.Some(a)
		l.Fee, l.HasFee = txn.Fine(a*38/10), true
	}
	s.o.Lines = append(s.o.Lines, l)
	return &s.o.Lines[len(s.o.Lines)-1]
}

func kindOf(c reconcile.Class, amount int64) txn.Kind {
	if amount < 0 || c == reconcile.T13 {
		return txn.Refund
	}
	return txn.Sale
}

func (s *sampler) transactions() {
	for i, amount := range []int64{128000, 45990, 8800, 8800, 1599900, 32050} {
		s.pair(reconcile.T02, amount, 0, i, []string{"reply_lost", "near_cutoff", "store_outage", "store_outage",
			"acquirer_omission", ""}[i]).ClusterID = []string{"", "", "K-SH003-2201", "K-SH003-2201", "", ""}[i]
	}
	for _, amount := range []int64{6600, 219900, 1280} {
		s.pair(reconcile.T03, 0, amount, 1, "terminal_timeout")
	}
	for i, v := range [][2]int64{{12345, 12354}, {50000, 5000}, {9900, 9899}, {888800, 880800}, {10000, 1000000}} {
		l := s.pair(reconcile.T04, v[0], v[1], i%2, []string{"transposed_digits", "factor_10", "one_fen", "discount", "factor_100"}[i])
		l.Differs = fmt.Sprintf("amount=%s|%s", txn.FormatAmount(v[0], txn.CNY), txn.FormatAmount(v[1], txn.CNY))
	}
	l := s.pair(reconcile.T05, 36800, 36800, 0, "reply_lost")
	l.Row.Status, l.Differs = txn.Unknown, "status=unknown|approved"
	l.Row.Set(txn.ResponseCode, []byte("98"))
	l = s.pair(reconcile.T06, 15800, 15800, 0, "processing")
	l.Other2.Status, l.Other = txn.Processing, reconcile.Money{}
	s.pair(reconcile.T07, -25900, 25900, 2, "")
	s.pair(reconcile.T08, 4900, -4900, 0, "")
	s.pair(reconcile.T09, -7700, 7700, 0, "cutoff_between")
	l = s.pair(reconcile.T10, 3300, 0, 0, "")
	l.Status = "explained"
	s.pair(reconcile.T11, 0, 66600, 0, "")
	s.pair(reconcile.T13, -19900, -19900, 0, "outside_history")
	s.pair(reconcile.T14, -30000, 0, 4, "balance_short")
	s.pair(reconcile.T15, 0, -12000, 0, "portal")
	l = s.pair(reconcile.T28, 5000, 0, 0, "")
	for i := range 3 {
		l.Candidates = append(l.Candidates, reconcile.Candidate{At: atLine(ums, 900+i*41), Amount: 5000,
			Time: s.at(s.day, 12, 3+i, 11), RRN: fmt.Sprintf("00510099%04d", 120+i)})
	}
	l.NearPass, l.Detail = "P5", "3 × 50.00"
	s.pair(reconcile.T30, 21000, 0, 0, "new_terminal")
	l = s.pair(reconcile.T34, 78000, 78000, 0, "terminal_swapped")
	l.Differs = "terminal_id=41050021|41050022; store_id=SH001|SH002"
	l2 := *l
	l2.Class, l2.CauseCode, l2.Differs = reconcile.P02, "cap_ignored", ""
	l2.Fine, l2.Amount, l2.Other = true, reconcile.Some(1800000), reconcile.Some(2964000)
	s.o.Lines = append(s.o.Lines, l2)
	s.pair(reconcile.T04, 1, 2, 0, "") // an apostrophe must come before vendor text that looks like a formula
	l = &s.o.Lines[len(s.o.Lines)-1]
	l.OrderNo = "=HYPERLINK(\"http://example.com\";\"订单\")"
	l.Row.Set(txn.OrderNo, []byte(l.OrderNo))
	for i := range 14 { // waiting, not due
		l := s.pair(reconcile.T01, int64(5000+i*1313), 0, 0, "near_cutoff")
		l.Status, l.DueDate, l.DueNote = "in_window", s.day+1, "T+1, 22:30 日切"
		if i > 10 {
			l.DueDate = s.day + 3
		}
		if i == 13 {
			l.DueDate, l.DueNote = 0, "不早于 2026-01-08"
		}
	}
	for i, class := range []reconcile.Class{reconcile.T01, reconcile.T02, reconcile.T02, reconcile.T03} { // gone today
		l := s.pair(class, int64(20000+i*777), 0, i, "")
		l.Status, l.Lifecycle, l.FirstSeen = "cleared", reconcile.CaseCleared, s.day-txn.Date(1+i)
		l.ClearedBy = fmt.Sprintf("P2 · %s:%d", atLine(ums, 0), 1200+i*11)
	}
}

func (s *sampler) payouts() {
	cny := txn.CNY
	add := func(acq, id string, from, to txn.Date, rows int64, sales, refunds, fees txn.Fine, group int) *reconcile.Proof {
		net := sales + refunds - fees
		p := reconcile.Proof{PayoutID: id, Acquirer: acq, MID: "898310054110100", Channel: "card", Basis: "announced", Currency: cny,
			From: from, To: to, Rows: rows, Sales: sales, Refunds: refunds, Fees: fees, Expected: net.Round(cny), Due: to + 1,
			DueNote: "T+1", State: reconcile.Matched, Pass: "exact", Account: "6222 **** 0188", Group: group}
		p.Rounding = txn.FineOf(p.Expected, cny) - net
		if acq != "chinaums" {
			p.Basis, p.Channel, p.PayoutID = "derived", acq, ""
		}
		p.Members = []string{ums.String()}
		s.o.Proofs = append(s.o.Proofs, p)
		return &s.o.Proofs[len(s.o.Proofs)-1]
	}
	credit := func(p *reconcile.Proof, amount int64, n int) {
		p.Credit, p.CreditDate, p.CreditAt, p.BankRef = reconcile.Some(amount), s.day, atLine(bank, n), fmt.Sprintf("HQP%012d", 880112+n)
		p.Remainder = amount - p.Expected
	}
	d := s.day
	var merged int64
	for i, v := range []int64{8812055, 12055010, 4410020} {
		p := add("chinaums", fmt.Sprintf("UMS2026010%d", 1+i), d-4+txn.Date(i), d-4+txn.Date(i), 900+int64(i)*31,
			txn.FineOf(v, cny), -txn.FineOf(v/50, cny), txn.Fine(v*38/10), 1)
		p.Pass, p.Due = "days", d
		merged += p.Expected
	}
	for i := range 3 {
		credit(&s.o.Proofs[i], merged, 12)
		s.o.Proofs[i].Remainder = 0
	}
	p := add("chinaums", "UMS20260104", d-1, d-1, 1012, txn.FineOf(10112233, cny), -txn.FineOf(20000, cny), 38012345, 0)
	credit(p, p.Expected-5000, 15) // 50.00 short
	p.CaseID, p.State = "C-SHORT", reconcile.Exception
	p = add("wechat", "", d-1, d-1, 2210, txn.FineOf(6601230, cny), -txn.FineOf(12000, cny), 3961212, 0)
	credit(p, p.Expected, 18)
	p = add("alipay", "", d-2, d-2, 1400, txn.FineOf(4402210, cny), 0, 2421215, 0)
	p.State, p.CaseID = reconcile.Exception, "C-LATE"
	p = add("chinaums", "UMS20260105", d, d, 980, txn.FineOf(9900110, cny), -txn.FineOf(55000, cny), 37400000, 0)
	p.State, p.Reason, p.Due = reconcile.InWindow, reconcile.NotDue, d+1
	p = add("wechat", "", d, d, 2300, txn.FineOf(7012300, cny), 0, 4207380, 0)
	p.State, p.Reason, p.Due = reconcile.InWindow, reconcile.NotDue, d+1
	p = add("unionpay", "", d, d, 3, txn.FineOf(1000, cny), -txn.FineOf(9000, cny), 400000, 0)
	p.State, p.Reason = reconcile.Explained, reconcile.CarriedNegative
}

// bank adds the lines of leg A-B that the proofs give rise to.
func (s *sampler) bank() {
	for _, p := range s.o.Proofs {
		l := reconcile.Line{CaseID: s.caseID(), Status: "open", Lifecycle: reconcile.CaseNew, FirstSeen: p.To, Leg: reconcile.LegAB,
			Source: p.Acquirer, Acquirer: p.Acquirer, MID: p.MID, Channel: p.Channel, Kind: "payout", Rows: p.Rows, Currency: p.Currency,
			Amount: reconcile.Some(p.Expected), Other: p.Credit, DueDate: p.Due, DueNote: p.DueNote, SettleDate: p.To,
			PayoutID: p.PayoutID, BankRef: p.BankRef, At: atLine(ums, 2), OtherAt: p.CreditAt}
		switch {
		case p.State == reconcile.Exception && p.Credit.Valid:
			l.Class, l.CauseCode, l.Detail = reconcile.B03, "deduction", "-50.00"
		case p.State == reconcile.Exception:
			l.Class, l.CauseCode, l.AgeDays, l.Lifecycle = reconcile.B02, "acquirer_late", 1, reconcile.CaseOpen
		case p.Reason == reconcile.NotDue:
			l.Class, l.Status = reconcile.B01, "in_window"
		case p.Reason == reconcile.CarriedNegative:
			l.Class, l.Status = reconcile.P08, "explained"
		case p.PayoutID == "UMS20260101":
			l.Class, l.Status, l.CauseCode = reconcile.B06, "explained", "holiday_bundle"
			l.Other = reconcile.Money{}
		default:
			continue
		}
		s.o.Lines = append(s.o.Lines, l)
	}
	more := func(class reconcile.Class, stated, found reconcile.Money, cause string) *reconcile.Line {
		s.o.Lines = append(s.o.Lines, reconcile.Line{CaseID: s.caseID(), Class: class, Status: "open", Lifecycle: reconcile.CaseNew,
			FirstSeen: s.day, Leg: reconcile.LegAB, Source: "icbc", Acquirer: "alipay", Kind: "credit", Rows: 1, Currency: txn.CNY,
			Amount: stated, Other: found, CauseCode: cause, BankRef: "HQP000000990017", At: atLine(bank, 44), SettleDate: s.day})
		return &s.o.Lines[len(s.o.Lines)-1]
	}
	more(reconcile.B08, reconcile.Money{}, reconcile.Some(310000), "payout_file_late")
	more(reconcile.B13, reconcile.Some(120000), reconcile.Some(240000), "")
	more(reconcile.B04, reconcile.Some(500000), reconcile.Some(500100), "merged")
	p01 := more(reconcile.P01, reconcile.Some(980000), reconcile.Some(995000), "unknown_deduction")
	p01.Acquirer, p01.Detail, p01.PayoutID, p01.BankRef = "chinaums", "-150.00", "UMS20260104", ""
	kwd := more(reconcile.B03, reconcile.Some(1234567), reconcile.Some(1234000), "bank_fee")
	kwd.Currency, _ = txn.ParseCurrency("KWD")
	kwd.Acquirer = "gulfpay"
}

func (s *sampler) files() {
	d := s.day
	slot := func(source string, side txn.Side, name string, state reconcile.SlotState, rows int64) *reconcile.SlotSum {
		s.o.Slots = append(s.o.Slots, reconcile.SlotSum{Source: source, Side: side, Slot: name, Date: d, State: state, File: name,
			Revision: 1, Rows: rows, Received: "2026-01-06 02:10:33", Due: "2026-01-06 08:00",
			SHA256: fmt.Sprintf("%064x", 0xabcdef01+len(s.o.Slots))})
		return &s.o.Slots[len(s.o.Slots)-1]
	}
	slot("pos_sh", txn.Terminal, "SH001-SH004", reconcile.SlotReceived, 4210).File = journal.String()
	late := slot("pos_sh", txn.Terminal, "SH005-SH006", reconcile.SlotMissing, 0)
	late.File, late.SHA256, late.Received, late.Revision = "", "", "", 0
	late.Class, late.Why, late.HeldRows, late.HeldSum = reconcile.F01, "listed 2026-01-06 08:00: no file of this pattern", 611, 8810220
	u := slot("ums_settle", txn.Acquirer, "898310054110100", reconcile.SlotReceived, 980)
	u.File, u.Revision, u.Aliases = ums.String(), 2, []string{"UMS_898310054110100_20260105_resend.zip"}
	u.Controls = []reconcile.ControlSum{{Scope: "file", Name: "总笔数", Stated: "980", Computed: "980", OK: true},
		{Scope: "file", Name: "总金额", Stated: "98451.10", Computed: "98451.10", OK: true}}
	w := slot("wechat", txn.Acquirer, "1230000109", reconcile.SlotReceived, 2300)
	w.Controls = []reconcile.ControlSum{{Scope: "file", Name: "总交易单数", Stated: "2300", Computed: "2300", OK: true}}
	a := slot("alipay", txn.Acquirer, "20889012345678", reconcile.SlotReceived, 1388)
	a.Held, a.Class, a.Why, a.HeldRows, a.HeldSum = true, reconcile.F07, "实收净额 44022.10 ≠ 44021.10", 1388, 4402210
	a.Controls = []reconcile.ControlSum{{Scope: "file", Name: "实收净额", Stated: "44022.10", Computed: "44021.10"}}
	slot("icbc", txn.Bank, "6222****0188", reconcile.SlotReceived, 62).File = bank.String()
	slot("unionpay", txn.Acquirer, "777290058110097", reconcile.SlotReceivedEmpty, 0)
	for _, v := range []struct {
		class reconcile.Class
		slot  *reconcile.SlotSum
		found reconcile.Money
	}{{reconcile.F01, &s.o.Slots[1], reconcile.Money{}}, {reconcile.F07, &s.o.Slots[4], reconcile.Some(4402110)}} {
		s.o.Lines = append(s.o.Lines, reconcile.Line{CaseID: s.caseID(), Class: v.class, Status: "open", Lifecycle: reconcile.CaseNew,
			FirstSeen: d, Source: v.slot.Source, Rows: v.slot.HeldRows, Amount: reconcile.Some(v.slot.HeldSum), Other: v.found,
			Currency: txn.CNY, Held: true, DueDate: d + 1, Detail: v.slot.Slot, At: reconcile.Ref{Member: v.slot.File}, SettleDate: d})
	}
	s.o.Lines = append(s.o.Lines, reconcile.Line{CaseID: s.caseID(), Class: reconcile.F08, Status: "open",
		Lifecycle: reconcile.CaseNew, FirstSeen: d, Source: "wechat", Rows: 2, CauseCode: "bad_row", At: reconcile.Ref{Member: "1230000109", Line: 77}, SettleDate: d})
}

func (s *sampler) sums() {
	cny := txn.CNY
	side := func(leg reconcile.Leg, sd txn.Side, source, slot string, state reconcile.State, reason reconcile.Reason, rows, carried, amount int64) {
		v := reconcile.SideSum{Leg: leg, Side: sd, Source: source, Slot: slot, Currency: cny, State: state, Reason: reason,
			Rows: rows, CarriedIn: carried, Amount: amount, Net: txn.FineOf(amount, cny)}
		if sd == txn.Acquirer {
			v.Fee = txn.Fine(amount * 38 / 10)
			v.Net -= v.Fee
		}
		s.o.Sides = append(s.o.Sides, v)
	}
	for _, v := range []struct {
		state   reconcile.State
		reason  reconcile.Reason
		t, a    int64
		ta, aa  int64
		carried int64
	}{{reconcile.Matched, "", 4120, 4120, 19012230, 19012230, 41}, {reconcile.InWindow, reconcile.NotDue, 14, 0, 189487, 0, 0},
		{reconcile.InWindow, reconcile.EvidenceMissing, 0, 611, 0, 8810220, 0}, {reconcile.Exception, "", 29, 25, 2901230, 2012210, 6},
		{reconcile.Explained, reconcile.VoidedPair, 4, 0, 0, 0, 0}, {reconcile.Excluded, reconcile.Declined, 43, 0, 812200, 0, 0},
		{reconcile.Excluded, reconcile.BeforeGoLive, 5, 2, 40000, 12000, 0}, {reconcile.Rejected, "", 0, 2, 0, 0, 0}} {
		if v.t > 0 {
			side(reconcile.LegTA, txn.Terminal, "pos_sh", "SH001-SH004", v.state, v.reason, v.t, v.carried, v.ta)
		}
		if v.a > 0 {
			side(reconcile.LegTA, txn.Acquirer, "ums_settle", "898310054110100", v.state, v.reason, v.a, v.carried, v.aa)
		}
	}
	side(reconcile.LegAB, txn.Bank, "icbc", "6222****0188", reconcile.Matched, "", 5, 0, 41000000)
	side(reconcile.LegAB, txn.Bank, "icbc", "6222****0188", reconcile.Excluded, reconcile.Unrelated, 57, 0, -8800000)
	for i, p := range []string{"P1a", "P1b", "P2", "P3", "P3b", "P4", "P6"} {
		n := int64(2000 >> i)
		s.o.Passes = append(s.o.Passes, reconcile.PassSum{Leg: reconcile.LegTA, Pass: p, Currency: cny, Matches: n, Rows: 2 * n, Amount: n * 4615})
	}
	tie := func(acq, basis string, open, cleared, found, short, over, transit, overdue, held int64) {
		s.o.Payouts = append(s.o.Payouts, reconcile.PayoutSum{Acquirer: acq, Currency: cny, Basis: basis, OpeningTransit: open,
			Cleared: cleared, Found: found, Short: short, Over: over, ClosingTransit: transit, Overdue: overdue, Held: held,
			Remainder: open + cleared - found - short + over - transit - overdue - held})
	}
	tie("chinaums", "announced", 34766133, 9807710, 34761133, 5000, 0, 9807710, 0, 0)
	tie("wechat", "derived", 6585269, 7008093, 6585269, 0, 0, 7008093, 0, 0)
	tie("alipay", "derived", 4399789, 4402210, 0, 0, 0, 0, 4399789, 4402210)
	for i, v := range []struct {
		leg   reconcile.Leg
		side  txn.Side
		class reconcile.Class
		f     [4]int64
	}{{reconcile.LegTA, txn.Terminal, reconcile.T01, [4]int64{9, 14, 9, -1}}, {reconcile.LegTA, txn.Terminal, reconcile.T02, [4]int64{5, 3, 2, 1}},
		{reconcile.LegTA, txn.Acquirer, reconcile.T03, [4]int64{2, 2, 1, 0}}, {reconcile.LegAB, txn.Acquirer, reconcile.B01, [4]int64{4, 2, 4, 0}},
		{reconcile.LegAB, txn.Acquirer, reconcile.B02, [4]int64{0, 0, 0, 1}}} {
		fig := func(n int64) reconcile.Figure { return reconcile.Figure{Rows: n, Amount: n * int64(13377+i*977)} }
		r := reconcile.RollSum{Leg: v.leg, Side: v.side, Class: v.class, Currency: cny, Opening: fig(v.f[0]), New: fig(v.f[1]),
			Cleared: fig(v.f[2]), Reclassified: fig(v.f[3])}
		r.Closing = fig(v.f[0] + v.f[1] - v.f[2] + v.f[3])
		s.o.Roll = append(s.o.Roll, r)
	}
	for i := range 14 {
		n := int64(210 + i*17)
		g := reconcile.GroupSum{Store: fmt.Sprintf("SH%03d", i/3+1), TID: fmt.Sprintf("4105%04d", 20+i),
			Acquirer: []string{"chinaums", "wechat", "alipay"}[i%3], Channel: []string{"card", "wechat", "alipay"}[i%3], Currency: cny,
			TerminalRows: n, TerminalAmount: n * 4519, AcquirerRows: n - 2, AcquirerAmount: (n - 2) * 4519, MatchedRows: n - 3,
			MatchedAmount: (n - 3) * 4519, WaitingRows: 1, WaitingAmount: 4519, ExceptionRows: 2, ExceptionAmount: 2 * 4519,
			Fee: txn.Fine(n*4519*38/10 + int64(i))}
		s.o.Groups = append(s.o.Groups, g)
	}
}

func (s *sampler) classSums() {
	for _, info := range reconcile.Classes() {
		for _, cur := range []string{"CNY", "KWD"} {
			c, _ := txn.ParseCurrency(cur)
			v := reconcile.ClassSum{Class: info.Class, Currency: c}
			for i := range s.o.Lines {
				l := &s.o.Lines[i]
				if l.Class != info.Class || l.Currency != c && !(l.Currency == (txn.Currency{}) && cur == "CNY") {
					continue
				}
				v.Cases++
				v.Rows += l.Rows
				if l.Amount.Valid && !l.Fine {
					v.Amount += l.Amount.Minor
				}
			}
			if v.Cases > 0 {
				s.o.Classes = append(s.o.Classes, v)
			}
		}
	}
}
