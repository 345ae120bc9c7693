package register

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"daozhang/parsers/txn"
)

func date(s string) txn.Date {
	d, err := txn.ParseDate(s)
	if err != nil {
		return 0
	}
	return d
}

// held is a validity "from..to" of the given line; an empty end is open.
func held(line, span string) Validity {
	from, to, _ := strings.Cut(span, "..")
	return Validity{From: date(from), To: date(to), Line: line}
}

func sample() Tables {
	return Tables{
		Stores: []Store{
			{held("stores.csv:2", "2024-01-01.."), "S01", "Center"},
			{held("stores.csv:3", "2024-01-01..2025-12-31"), "S02", "North, old"},
			{held("stores.csv:4", "2026-01-01.."), "S02", "North, new"},
		},
		Merchants: []Merchant{
			{Validity: held("merchants.csv:2", "2024-01-01.."), MID: "M1", Acquirer: "chinaums", ExternalMID: "898310048990001"},
			{Validity: held("merchants.csv:3", "2025-01-01.."), MID: "M1", Acquirer: "wechat", ExternalMID: "1230000109"},
			{Validity: held("merchants.csv:4", "2024-01-01.."), MID: "M2", Acquirer: "chinaums"},
		},
		Terminals: []Terminal{
			{Validity: held("terminals.csv:2", "2024-01-01.."), TID: "10000001", MID: "M1", Store: "S01", ExternalTID: "00012345"},
			{Validity: held("terminals.csv:3", "2024-01-01..2025-06-30"), TID: "10000002", MID: "M1", Store: "S01"},
			{Validity: held("terminals.csv:4", "2025-07-01.."), TID: "10000002", MID: "M1", Store: "S02"},
			{Validity: held("terminals.csv:5", "2024-01-01.."), TID: "20000001", MID: "M2", Store: "S01"},
			{Validity: held("terminals.csv:6", "2024-01-01.."), TID: "20000001", MID: "M1", Store: "S01", ExternalTID: "777"},
			{Validity: held("terminals.csv:7", "2024-01-01.."), TID: "30000001", MID: "M1", Store: "S01"},
			{Validity: held("terminals.csv:8", "2024-01-01.."), TID: "30000001", MID: "M2", Store: "S02"},
		},
		Accounts: []Account{{Validity: held("accounts.csv:2", "2024-01-01.."), ID: "6222000011112222", Bank: "ICBC", Currency: txn.CNY}},
		Payers: []Payer{
			{Validity: held("payers.csv:2", "2024-01-01.."), Name: "财付通支付科技有限公司", Acquirer: "wechat", Licensed: true},
			{Validity: held("payers.csv:3", "2024-01-01.."), Name: "银联商务（上海） Ltd", Acquirer: "chinaums", Licensed: true},
		},
		Contracts: []Contract{
			{Validity: held("contracts.csv:2", "2024-01-01.."), ID: "ANY", Rate: 1},
			{Validity: held("contracts.csv:3", "2024-01-01..2025-12-31"), ID: "M1-CARD", MID: "M1", Channel: txn.Card, Rate: 2},
			{Validity: held("contracts.csv:4", "2026-01-01.."), ID: "M1-CARD", MID: "M1", Channel: txn.Card, Rate: 3},
			{Validity: held("contracts.csv:5", "2024-01-01.."), ID: "M1-DEBIT", MID: "M1", Channel: txn.Card, CardClass: "debit", Rate: 4,
				Account: "6222000011112222"},
			{Validity: held("contracts.csv:6", "2024-01-01.."), ID: "WECHAT", Channel: txn.WeChat, Rate: 5},
			{Validity: held("contracts.csv:7", "2024-01-01.."), ID: "GROCERY", Channel: txn.Card, MCC: "5411", Rate: 6},
			{Validity: held("contracts.csv:8", "2024-01-01.."), ID: "M1-GROCERY", MID: "M1", Channel: txn.Card, MCC: "5411", Rate: 7},
			{Validity: held("contracts.csv:9", "2024-01-01.."), ID: "M1-GROCERY-DEBIT", MID: "M1", Channel: txn.Card, MCC: "5411", CardClass: "debit", Rate: 8},
		},
	}
}

func build(t *testing.T, tables Tables) *Register {
	t.Helper()
	r, errs := New(tables)
	for _, err := range errs {
		t.Error(err)
	}
	return r
}

func TestLookUpsByDay(t *testing.T) {
	r := build(t, sample())
	merchant := func(acq, ext, on string) string { m, _ := r.Merchant(acq, ext, date(on)); return m.MID }
	terminal := func(mid, tid, on string) string { x, _ := r.Terminal(mid, tid, date(on)); return x.TID + " " + x.Store }
	byTID := func(tid, on string) string { x, _ := r.TerminalByID(tid, date(on)); return x.MID + " " + x.Store }
	store := func(id, on string) string { s, _ := r.Store(id, date(on)); return s.Name }
	payer := func(name string) string { p, _ := r.Payer(name, date("2026-01-01")); return p.Acquirer }
	for _, x := range []struct{ name, got, want string }{
		{"acquirer and external id", merchant("chinaums", "898310048990001", "2026-01-01"), "M1"},
		{"the other acquirer's id", merchant("wechat", "1230000109", "2026-01-01"), "M1"},
		{"id of another acquirer", merchant("wechat", "898310048990001", "2026-01-01"), ""},
		{"before valid_from", merchant("wechat", "1230000109", "2024-12-31"), ""},
		{"on valid_from", merchant("wechat", "1230000109", "2025-01-01"), "M1"},
		{"no external id: our own", merchant("chinaums", "M2", "2026-01-01"), "M2"},
		{"terminal by our id", terminal("M1", "10000001", "2026-01-01"), "10000001 S01"},
		{"terminal by the acquirer's id", terminal("M1", "00012345", "2026-01-01"), "10000001 S01"},
		{"terminal of another merchant", terminal("M2", "10000001", "2026-01-01"), " "},
		{"terminal on the last day at its old store", terminal("M1", "10000002", "2025-06-30"), "10000002 S01"},
		{"terminal on the first day at its new store", terminal("M1", "10000002", "2025-07-01"), "10000002 S02"},
		{"tid alone", byTID("10000001", "2026-01-01"), "M1 S01"},
		{"tid of two merchants in one store", byTID("20000001", "2026-01-01"), "M2 S01"},
		{"tid of two merchants in two stores is no answer", byTID("30000001", "2026-01-01"), " "},
		{"store by day", store("S02", "2025-12-31"), "North, old"},
		{"store the day after", store("S02", "2026-01-01"), "North, new"},
		{"payer as registered", payer("财付通支付科技有限公司"), "wechat"},
		{"payer with half-width brackets and no blanks", payer("银联商务(上海)LTD"), "chinaums"},
		{"payer in full width with an ideographic space", payer("银联商务（上海）　Ｌｔｄ"), "chinaums"},
		{"stranger", payer("张三"), ""},
	} {
		if x.got != x.want {
			t.Errorf("%s: got %q, want %q", x.name, x.got, x.want)
		}
	}
	if m, ok := r.MerchantByID("M1", date("2024-06-01")); !ok || m.Acquirer != "chinaums" {
		t.Errorf("MerchantByID: %v %v", m, ok)
	}
	if ms := r.MerchantsOf("M1"); len(ms) != 2 || ms[1].Acquirer != "wechat" {
		t.Errorf("MerchantsOf: %v", ms)
	}
	if a, ok := r.Account("6222000011112222", date("2026-01-01")); !ok || a.Bank != "ICBC" {
		t.Errorf("Account: %v %v", a, ok)
	}
	if ps := r.PayersOf("wechat"); len(ps) != 1 || ps[0].Line != "payers.csv:2" {
		t.Errorf("PayersOf: %v", ps)
	}
	if empty := build(t, Tables{}); r.Empty() || !empty.Empty() {
		t.Error("Empty is wrong")
	}
}

func TestContractWithMostFilledColumnsWins(t *testing.T) {
	r := build(t, sample())
	for _, x := range []struct {
		name, mid  string
		ch         txn.Channel
		class, mcc string
		on         string
		rate       Rate
	}{
		{"nothing special", "M9", txn.Alipay, "", "", "2026-01-01", 1},
		{"merchant and channel, last day of the old terms", "M1", txn.Card, "credit", "", "2025-12-31", 2},
		{"merchant and channel, first day of the new terms", "M1", txn.Card, "credit", "", "2026-01-01", 3},
		{"card class", "M1", txn.Card, "debit", "", "2026-01-01", 4},
		{"channel of any merchant", "M1", txn.WeChat, "", "", "2026-01-01", 5},
		{"channel and MCC of any merchant", "M2", txn.Card, "credit", "5411", "2026-01-01", 6},
		{"merchant, channel and MCC", "M1", txn.Card, "credit", "5411", "2026-01-01", 7},
		{"a contract with all columns decides between two with three", "M1", txn.Card, "debit", "5411", "2026-01-01", 8},
		{"an unknown class does not fit a contract that names one", "M1", txn.Card, "", "", "2026-01-01", 3},
	} {
		c, err := r.Contract(x.mid, x.ch, x.class, x.mcc, date(x.on))
		if err != nil || c.Rate != x.rate {
			t.Errorf("%s: got %d (%s), %v; want %d", x.name, c.Rate, c.ID, err, x.rate)
		}
	}
	if _, err := r.Contract("M1", txn.Card, "", "", date("2023-12-31")); !errors.Is(err, ErrNoContract) {
		t.Errorf("before all contracts: %v", err)
	}
}

func TestNewNamesBothLines(t *testing.T) {
	type change func(*Tables)
	for _, x := range []struct {
		name  string
		do    change
		cause error
		want  string
	}{
		{"store valid twice", func(t *Tables) { t.Stores[1].To = date("2026-01-01") }, ErrOverlap,
			"stores.csv:3 and stores.csv:4: overlapping validity of store S02, both hold on 2026-01-01"},
		{"open store before its successor", func(t *Tables) { t.Stores[1].To = 0 }, ErrOverlap, "stores.csv:3 and stores.csv:4"},
		{"external mid of one acquirer twice", func(t *Tables) { t.Merchants[2].ExternalMID = "898310048990001" }, ErrOverlap,
			"merchants.csv:2 and merchants.csv:4: overlapping validity of external_mid 898310048990001 of chinaums"},
		{"terminal moved a day early", func(t *Tables) { t.Terminals[2].From = date("2025-06-30") }, ErrOverlap,
			"terminals.csv:3 and terminals.csv:4: overlapping validity of tid 10000002 of mid M1, both hold on 2025-06-30"},
		{"external tid twice", func(t *Tables) { t.Terminals[2].ExternalTID = "00012345" }, ErrOverlap,
			"terminals.csv:2 and terminals.csv:4: overlapping validity of external_tid 00012345 of mid M1"},
		{"external tid is another terminal's tid", func(t *Tables) { t.Terminals[2].ExternalTID = "10000001" }, ErrOverlap,
			"terminals.csv:2 and terminals.csv:4: overlapping validity of external_tid 10000001 of mid M1"},
		{"terminal of no merchant", func(t *Tables) { t.Terminals[0].MID = "M7" }, ErrDangling,
			`terminals.csv:2: reference to nothing: mid "M7" is not in merchants.csv`},
		{"terminal of no store", func(t *Tables) { t.Terminals[0].Store = "S99" }, ErrDangling, `terminals.csv:2: reference to nothing: store_id "S99"`},
		{"store opened after the terminal left", func(t *Tables) {
			t.Terminals[1].Store, t.Stores = "S02", append(t.Stores[:1:1], t.Stores[2])
		}, ErrDangling, `terminals.csv:3: reference to nothing: store_id "S02"`},
		{"contract of no merchant", func(t *Tables) { t.Contracts[1].MID = "M7" }, ErrDangling, `contracts.csv:3: reference to nothing: mid "M7"`},
		{"contract into no account", func(t *Tables) { t.Contracts[3].Account = "1" }, ErrDangling, `contracts.csv:5: reference to nothing: account "1"`},
		{"payer of no acquirer", func(t *Tables) { t.Payers[0].Acquirer = "wechta" }, ErrDangling, `payers.csv:2: reference to nothing: acquirer "wechta"`},
		{"one payer name of two acquirers", func(t *Tables) { t.Payers[1].Name = "财付通支付科技有限公司 " }, ErrOverlap, "payers.csv:2 and payers.csv:3"},
		{"same contract twice", func(t *Tables) { t.Contracts[2].From = date("2025-12-31") }, ErrOverlap,
			"contracts.csv:3 and contracts.csv:4: overlapping validity of contract for mid M1, channel card, both hold on 2025-12-31"},
		{"two contracts with as many columns", func(t *Tables) { t.Contracts = t.Contracts[:7] }, ErrTie,
			"contracts.csv:5 (M1-DEBIT)"},
		{"tie after the deciding contract ends", func(t *Tables) { t.Contracts[7].To = date("2026-03-31") }, ErrTie,
			"contracts.csv:5 (M1-DEBIT) and contracts.csv:8 (M1-GROCERY): two contracts fit equally well on 2026-04-01"},
		{"tie between one merchant's and any merchant's", func(t *Tables) {
			t.Contracts = append(t.Contracts, Contract{Validity: held("contracts.csv:10", "2026-05-01.."), ID: "M2", MID: "M2"})
		}, ErrTie, "contracts.csv:6 (WECHAT) and contracts.csv:10 (M2): two contracts fit equally well on 2026-05-01"},
		{"valid_to before valid_from", func(t *Tables) { t.Accounts[0].To = date("2023-12-31") }, ErrPeriod,
			"accounts.csv:2: valid_to lies before valid_from: 2024-01-01 to 2023-12-31"},
		{"no id", func(t *Tables) { t.Stores[0].ID = "" }, ErrMissing, "stores.csv:2: value missing: store_id"},
	} {
		t.Run(x.name, func(t *testing.T) {
			tables := sample()
			x.do(&tables)
			_, errs := New(tables)
			for _, err := range errs {
				if errors.Is(err, x.cause) && strings.Contains(err.Error(), x.want) {
					return
				}
			}
			t.Errorf("no %q in %v", x.want, errs)
		})
	}
}

// A tie that New reports is returned by the look-up too, and the look-up never finds one that New did not report.
func TestContractTieIsReturned(t *testing.T) {
	tables := sample()
	tables.Contracts = tables.Contracts[:7]
	r, errs := New(tables)
	if len(errs) != 1 {
		t.Fatalf("want one tie, got %v", errs)
	}
	_, err := r.Contract("M1", txn.Card, "debit", "5411", date("2026-01-01"))
	var tie *TieError
	if !errors.As(err, &tie) || err.Error() != errs[0].Error() && tie.Second == "" {
		t.Errorf("got %v, want %v", err, errs[0])
	}
	if c, err := r.Contract("M1", txn.Card, "credit", "5411", date("2026-01-01")); err != nil || c.ID != "M1-GROCERY" {
		t.Errorf("outside the tie: %v %v", c.ID, err)
	}
}

// All small registers of three contracts over two merchants, channels, classes and spans: New reports a tie or an
// overlap exactly when some look-up hits one.
func TestTiesAreThoseThatLookUpsHit(t *testing.T) {
	mids, chs, classes := []string{"", "M1", "M2"}, []txn.Channel{0, txn.Card}, []string{"", "debit"}
	spans := []string{"2026-01-01..2026-01-02", "2026-01-02.."}
	var all []Contract
	for _, m := range mids {
		for _, ch := range chs {
			for _, cl := range classes {
				for _, sp := range spans {
					all = append(all, Contract{Validity: held("c:"+strconv.Itoa(len(all)), sp), ID: "C", MID: m, Channel: ch, CardClass: cl})
				}
			}
		}
	}
	checked := 0
	for i := range all {
		for j := range i {
			for k := range j {
				r, errs := New(Tables{Contracts: []Contract{all[k], all[j], all[i]}})
				if got, want := len(errs) > 0, hitsTie(r, mids, chs, classes); got != want {
					t.Fatalf("%v\n%v\n%v\nNew says %v, look-ups say %v", all[k], all[j], all[i], errs, want)
				}
				checked++
			}
		}
	}
	if checked != 24*23*22/6 {
		t.Errorf("%d registers checked", checked)
	}
}

func hitsTie(r *Register, mids []string, chs []txn.Channel, classes []string) bool {
	for d := date("2026-01-01"); d <= date("2026-01-03"); d++ {
		for _, m := range mids {
			for _, ch := range chs {
				for _, cl := range classes {
					if _, err := r.Contract(m, ch, cl, "", d); errors.Is(err, ErrTie) {
						return true
					}
				}
			}
		}
	}
	return false
}

func TestClearingDate(t *testing.T) {
	at := func(s string) txn.Time {
		d, clock, _ := strings.Cut(s, " ")
		x := txn.Time{Unix: int64(date(d))*86400 - 8*3600, Offset: 8 * 3600, DateOnly: clock == ""}
		if clock != "" {
			h, _ := strconv.Atoi(clock[:2])
			m, _ := strconv.Atoi(clock[3:5])
			sec, _ := strconv.Atoi(clock[6:])
			x.Unix += int64(h*3600 + m*60 + sec)
		}
		return x
	}
	for _, x := range []struct {
		name   string
		cutoff int
		drift  int
		at     string
		want   string
		near   bool
	}{
		{"a second before the cut-off", 23 * 3600, 10, "2025-12-31 22:59:59", "2025-12-31", true},
		{"on the cut-off", 23 * 3600, 10, "2025-12-31 23:00:00", "2026-01-01", true},
		{"at the edge of the drift", 23 * 3600, 10, "2025-12-31 23:10:00", "2026-01-01", true},
		{"beyond the drift", 23 * 3600, 10, "2025-12-31 23:10:01", "2026-01-01", false},
		{"morning", 23 * 3600, 10, "2025-12-31 09:00:00", "2025-12-31", false},
		{"natural day before midnight", 0, 5, "2025-12-31 23:59:59", "2025-12-31", true},
		{"natural day after midnight", 0, 5, "2026-01-01 00:04:00", "2026-01-01", true},
		{"natural day without drift", 0, 0, "2026-01-01 00:00:00", "2026-01-01", false},
		{"no time of day", 23 * 3600, 10, "2025-12-31", "2025-12-31", true},
		{"no time of day, natural day", 0, 5, "2025-12-31", "2025-12-31", false},
	} {
		c := Contract{CutoffSeconds: x.cutoff, CutoffDriftMin: x.drift}
		if got := c.ClearingDate(at(x.at)).String(); got != x.want || c.NearCutoff(at(x.at)) != x.near {
			t.Errorf("%s: got %s near %v, want %s near %v", x.name, got, c.NearCutoff(at(x.at)), x.want, x.near)
		}
	}
	if c := (Contract{CutoffSeconds: 1, CutoffDriftMin: 5}); c.ClearingDate(txn.Time{}) != 0 || c.NearCutoff(txn.Time{}) {
		t.Error("no time has a clearing date")
	}
}

func TestAppendValidSpeaksOfOneDayOnly(t *testing.T) {
	text := func(do func(*Tables), on string) string {
		tables := sample()
		do(&tables)
		return string(build(t, tables).AppendValid(nil, date(on)))
	}
	base := text(func(*Tables) {}, "2025-12-31")
	if n := strings.Count(base, "\n"); n != 2+3+6+7+1+2 {
		t.Errorf("%d records hold on the day:\n%s", n, base)
	}
	for name, do := range map[string]func(*Tables){
		"another line":                func(t *Tables) { t.Stores[0].Line = "stores.csv:99" },
		"another order":               func(t *Tables) { t.Payers[0], t.Payers[1] = t.Payers[1], t.Payers[0] },
		"a record of a later day":     func(t *Tables) { t.Stores[2].Name = "New" },
		"an end that lies in future":  func(t *Tables) { t.Accounts[0].To = date("2030-12-31") },
		"external id as it is anyway": func(t *Tables) { t.Merchants[2].ExternalMID = "M2" },
	} {
		if text(do, "2025-12-31") != base {
			t.Errorf("%s changes the text", name)
		}
	}
	for name, do := range map[string]func(*Tables){
		"a rate":            func(t *Tables) { t.Contracts[1].Rate = 9 },
		"an end before it":  func(t *Tables) { t.Payers[0].To = date("2025-12-30") },
		"a name":            func(t *Tables) { t.Stores[1].Name = "x" },
		"a cap of zero":     func(t *Tables) { t.Contracts[0].HasCap = true },
		"another payer yet": func(t *Tables) { t.Payers = append(t.Payers, Payer{Name: "x", Acquirer: "wechat"}) },
	} {
		if text(do, "2025-12-31") == base {
			t.Errorf("%s does not change the text", name)
		}
	}
}

func TestRateString(t *testing.T) {
	for r, want := range map[Rate]string{38000: "0.38%", 60000: "0.6%", 0: "0%", RateUnit: "100%", 1: "0.00001%", 1000000: "10%"} {
		if r.String() != want {
			t.Errorf("got %s, want %s", r, want)
		}
	}
}

func TestLookUpsAllocateNothing(t *testing.T) {
	r := build(t, sample())
	on := date("2026-01-01")
	if n := testing.AllocsPerRun(100, func() {
		r.Merchant("chinaums", "898310048990001", on)
		r.MerchantByID("M1", on)
		r.Terminal("M1", "00012345", on)
		r.TerminalByID("20000001", on)
		r.Store("S02", on)
		r.Account("6222000011112222", on)
		r.Payer("财付通支付科技有限公司", on)
		r.Contract("M1", txn.Card, "debit", "5411", on)
		r.Contract("M1", txn.WeChat, "", "", on)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkContract(b *testing.B) {
	r, _ := New(sample())
	on := date("2026-01-01")
	for b.Loop() {
		r.Contract("M1", txn.Card, "debit", "5411", on)
	}
}
