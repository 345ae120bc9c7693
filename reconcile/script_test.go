package reconcile_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reconcile/calendar"
	"daozhang/reconcile/register"
)

// A script tells days of a small shop in tables, and below ---- what the books of these days must say. One file of
// testdata holds several scenarios, each begun by "== title". Lines before the first of them (the register, as a rule)
// belong to all. Blank lines and # are for the reader.
//
//	merchant M1 ums 8981              our merchant, acquirer, the acquirer's id (optional)
//	terminal T1 M1 S1
//	contract M1 card T+1 cn rate=0.38% cutoff=23:00 drift=3 account=ACC
//	payer 银联商务 ums
//	golive 2026-01-05, filesathand, history O1 O2
//	known "what is wrong"             the scenario is skipped while its books are not as expected
//	moves                             the books show the moves of the roll-forward
//	past A ums date=2026-01-03        a slot whose rows an earlier day has settled (then row and rows, as below)
//
//	day 2026-01-05
//	T pos S1 stores=S1                side, source, slot key; then missing, notdue, empty, held=F07, doubtful=F11,
//	  row time  amount rrn             acquirer=, pays=no, notices, merchants=, accounts=, date=, sha=, class=,
//	  t1  09:15 12.00  100             late, had, changed=1/0.50, removed=2/8.00: a file for a closed date. Columns
//	                                  not named have the usual value, "-" is an empty cell
//	reject "raw text"                 a refused record of the slot above
//	decide t1 written-off by=Li       what is said of the case of a row, a class or both (T02:t1) as this day's book shows it
//	  until=, seen=                   before; seen= takes the book of an earlier day. It acts from this day on. For evidence
//	                                  that is another now: facts=other, members=other, keys=other (none is known)
//
//	rerun 2026-01-05                  the day above once more, with these slots instead and the decisions made since
//
// The first column is the row's name in what is expected. Cases are numbered in the order in which they appear.
type scenario struct {
	title    string
	known    string // what is wrong today; expected says what is right, and -update leaves it alone
	head     string // as written, kept by -update
	expected string

	reg     register.Tables
	goLive  txn.Date
	atHand  bool
	history map[string]bool
	past    []*scriptSlot
	moves   bool // print moves
	days    []*scriptDay
	cur     *scriptSlot
	said    []reconcile.Decision
	err     error
}

type scriptDay struct {
	date    txn.Date
	awaited []string
	slots   []*scriptSlot
	decides [][]string
	again   bool // in place of the day above
}

type scriptSlot struct {
	reconcile.Slot
	header []string
	rows   []*txn.Row
	names  []string
	raw    []string
	sha    string
}

var zone = time.FixedZone("CST", 8*3600)

func mustDate(s string) txn.Date {
	d, err := txn.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// parseScript cuts a file into scenarios.
func parseScript(text string) []*scenario {
	preamble, rest, _ := strings.Cut("\n"+text, "\n== ")
	var out []*scenario
	for _, part := range strings.Split(rest, "\n== ") {
		head, expected, _ := strings.Cut(part, "\n----\n")
		s := &scenario{head: head, expected: strings.TrimRight(expected, "\n") + "\n"}
		s.title, _, _ = strings.Cut(head, "\n")
		for n, line := range strings.Split(preamble+"\n"+strings.TrimPrefix(head, s.title), "\n") {
			if err := s.line(line); err != nil && s.err == nil {
				s.err = fmt.Errorf("line %d %q: %w", n, line, err)
			}
		}
		out = append(out, s)
	}
	return out
}

// words splits at blanks; "..." keeps them together.
func words(line string) (out []string) {
	for n, part := range strings.Split(line, `"`) {
		if n%2 == 1 {
			out = append(out, part)
			continue
		}
		out = append(out, strings.Fields(part)...)
	}
	return out
}

func (s *scenario) line(line string) error {
	trimmed := strings.TrimSpace(line)
	if trimmed == "" || trimmed[0] == '#' {
		return nil
	}
	w := words(trimmed)
	if line[0] == ' ' {
		return s.row(w)
	}
	always := register.Validity{From: mustDate("2024-01-01"), Line: "script:" + trimmed}
	switch w[0] {
	case "store":
		s.reg.Stores = append(s.reg.Stores, register.Store{Validity: always, ID: w[1]})
	case "merchant":
		m := register.Merchant{Validity: always, MID: w[1], Acquirer: w[2]}
		if len(w) > 3 {
			m.ExternalMID = w[3]
		}
		s.reg.Merchants = append(s.reg.Merchants, m)
	case "terminal":
		s.reg.Terminals = append(s.reg.Terminals, register.Terminal{Validity: always, TID: w[1], MID: w[2], Store: w[3]})
		if !slices.ContainsFunc(s.reg.Stores, func(x register.Store) bool { return x.ID == w[3] }) {
			s.reg.Stores = append(s.reg.Stores, register.Store{Validity: always, ID: w[3]})
		}
	case "payer":
		s.reg.Payers = append(s.reg.Payers, register.Payer{Validity: always, Name: w[1], Acquirer: w[2]})
	case "contract":
		return s.contract(always, w[1:])
	case "known":
		s.known = w[1]
	case "golive":
		s.goLive = mustDate(w[1])
	case "filesathand":
		s.atHand = true
	case "history":
		s.history = map[string]bool{}
		for _, id := range w[1:] {
			s.history[id] = true
		}
	case "day", "rerun":
		s.days = append(s.days, &scriptDay{date: mustDate(w[1]), awaited: w[2:], again: w[0] == "rerun"})
	case "T", "A", "B":
		day := s.days[len(s.days)-1]
		err := s.slot(w, day.date)
		day.slots = append(day.slots, s.cur)
		return err
	case "past":
		err := s.slot(w[1:], 0)
		s.past = append(s.past, s.cur)
		return err
	case "moves":
		s.moves = true
	case "decide":
		day := s.days[len(s.days)-1]
		day.decides = append(day.decides, w[1:])
	case "reject":
		s.cur.raw = append(s.cur.raw, w[1])
	default:
		return fmt.Errorf("unknown word %s", w[0])
	}
	return nil
}

func (s *scenario) contract(v register.Validity, w []string) error {
	c := register.Contract{Validity: v, ID: "K" + strconv.Itoa(len(s.reg.Contracts)+1), Rounding: register.RowHalfUp, Calendar: "cn",
		Basis: register.Derived}
	if w[0] != "*" {
		c.MID = w[0]
	}
	c.Channel, _ = txn.ParseChannel(w[1])
	var err error
	if c.Cycle, err = calendar.ParseCycle(w[2]); err != nil {
		return err
	}
	for _, o := range w[3:] {
		k, val, _ := strings.Cut(o, "=")
		switch k {
		case "rate": // 0.38%
			n, err := txn.ParseDecimal([]byte(strings.TrimSuffix(val, "%")), 5)
			if err != nil {
				return err
			}
			c.Rate = register.Rate(n)
		case "cutoff":
			t, err := time.Parse("15:04", val)
			if err != nil {
				return err
			}
			c.CutoffSeconds = t.Hour()*3600 + t.Minute()*60
		case "drift":
			c.CutoffDriftMin, _ = strconv.Atoi(val)
		case "account":
			c.Account = val
			if !slices.ContainsFunc(s.reg.Accounts, func(a register.Account) bool { return a.ID == val }) {
				s.reg.Accounts = append(s.reg.Accounts, register.Account{Validity: v, ID: val, Currency: txn.CNY})
			}
		case "from":
			c.From = mustDate(val)
		case "feeback":
			c.FeeBackOnRefund = true
		default:
			c.Calendar = o
		}
	}
	s.reg.Contracts = append(s.reg.Contracts, c)
	return nil
}

func (s *scenario) slot(w []string, date txn.Date) error {
	side, _ := txn.ParseSide(w[0])
	x := &scriptSlot{Slot: reconcile.Slot{Side: side, Source: w[1], Date: date, State: reconcile.SlotReceived, Pays: true}}
	if side == txn.Acquirer {
		x.Acquirer = w[1]
	}
	for _, o := range w[2:] {
		k, val, _ := strings.Cut(o, "=")
		list := strings.Split(val, ",")
		switch k {
		case "missing":
			x.State, x.Class = reconcile.SlotMissing, reconcile.F01
		case "notdue":
			x.State = reconcile.SlotNotDue
		case "empty":
			x.State = reconcile.SlotReceivedEmpty
		case "held":
			x.Held, x.Class = true, reconcile.Class(val)
		case "doubtful":
			x.Doubtful, x.Class = true, reconcile.Class(val)
		case "pays":
			x.Pays = val == "yes"
		case "notices":
			x.Notices = true
		case "acquirer":
			x.Acquirer = val
		case "stores":
			x.Stores = list
		case "merchants":
			x.Merchants = list
		case "accounts":
			x.Accounts = list
		case "date":
			x.Date = mustDate(val)
		case "class":
			x.Class = reconcile.Class(val)
		case "sha":
			x.sha = val
		case "late":
			x.Late = &reconcile.LateSlot{}
		case "had":
			x.Late.Had = true
		case "changed":
			x.Late.Changed = figure(val)
		case "removed":
			x.Late.Removed = figure(val)
		default:
			x.Key = o
		}
	}
	s.cur = x
	return nil
}

// figure reads 2/8.00.
func figure(v string) reconcile.Figure {
	n, amount, _ := strings.Cut(v, "/")
	var f reconcile.Figure
	f.Rows, _ = strconv.ParseInt(n, 10, 64)
	f.Amount, _ = txn.ParseAmount(amount, txn.CNY)
	return f
}

func (s *scenario) row(w []string) error {
	x := s.cur
	if w[0] == "row" {
		x.header = w[1:]
		return nil
	}
	if len(w) != len(x.header)+1 {
		return fmt.Errorf("%d cells for %d columns", len(w), len(x.header)+1)
	}
	r := &txn.Row{Side: x.Side, Kind: txn.Sale, Status: txn.Approved, Channel: txn.Card, Currency: txn.CNY}
	r.Has = txn.FieldsOf(txn.SideField, txn.KindField, txn.StatusField, txn.ChannelField, txn.AmountField)
	if x.Side == txn.Bank {
		r.Kind, r.Channel, r.Booking = txn.Credit, txn.NoChannel, x.Date
		r.Has = r.Has.With(txn.BookingDateField)
		r.Set(txn.Account, []byte("ACC"))
	} else {
		r.Set(txn.MID, []byte("M1"))
		r.Set(txn.TID, []byte("T1"))
		if x.Side == txn.Acquirer {
			r.Business = x.Date
			r.Has = r.Has.With(txn.BusinessDateField)
		}
	}
	for n, c := range x.header {
		v := w[n+1]
		if v == "-" {
			v = ""
		}
		if err := cell(r, c, v, x.Date); err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
	}
	x.rows = append(x.rows, r)
	x.names = append(x.names, w[0])
	return nil
}

var shortNames = map[string]txn.Field{"mid": txn.MID, "tid": txn.TID, "store": txn.Store, "batch": txn.Batch, "stan": txn.STAN,
	"auth": txn.AuthCode, "tail": txn.CardTail, "order": txn.OrderNo, "chan": txn.ChannelTxnID, "refund": txn.RefundID,
	"orig": txn.OrigOrder, "origrrn": txn.OrigRRN, "origstan": txn.OrigSTAN, "origchan": txn.OrigChannelTxnID, "pay": txn.PayoutID, "payer": txn.CounterpartyName,
	"text": txn.Remittance, "ref": txn.BankRef, "class": txn.CardClass}

// cell sets one column of a row.
func cell(r *txn.Row, column, v string, day txn.Date) (err error) {
	var ok bool
	switch column {
	case "amount":
		r.Amount, err = txn.ParseAmount(v, r.Currency)
	case "fee":
		var n int64
		n, err = txn.ParseDecimal([]byte(v), txn.FineDecimals)
		r.Fee, r.Has = txn.Fine(n), r.Has.With(txn.FeeField)
	case "time":
		r.Time, err = scriptTime(v, day)
		r.Has = r.Has.With(txn.TimeField)
	case "kind":
		if r.Kind, ok = txn.ParseKind(v); !ok {
			return fmt.Errorf("kind %q", v)
		}
	case "status":
		if r.Status, ok = txn.ParseStatus(v); !ok {
			return fmt.Errorf("status %q", v)
		}
	case "channel":
		if r.Channel, ok = txn.ParseChannel(v); !ok && v != "" {
			return fmt.Errorf("channel %q", v)
		}
	case "cur":
		r.Currency, _ = txn.ParseCurrency(v)
	case "biz":
		r.Business = mustDate(v)
	case "booked":
		r.Booking = mustDate(v)
	case "origdate":
		r.OrigDate, r.Has = mustDate(v), r.Has.With(txn.OrigDateField)
	default:
		f, ok := shortNames[column]
		if !ok {
			if f, ok = txn.ParseField(column); !ok {
				return fmt.Errorf("no such column")
			}
		}
		r.Set(f, []byte(v))
	}
	return err
}

// scriptTime reads 09:15, 09:15:30, 23:58@-1 (the day before) and "day" (no time of day).
func scriptTime(v string, day txn.Date) (txn.Time, error) {
	clock, shift, _ := strings.Cut(v, "@")
	n, _ := strconv.Atoi(shift)
	day += txn.Date(n)
	if clock == "day" {
		t := txn.TimeOf(day.In(zone))
		t.DateOnly = true
		return t, nil
	}
	if strings.Count(clock, ":") == 1 {
		clock += ":00"
	}
	t, err := time.ParseInLocation(time.DateTime, day.String()+" "+clock, zone)
	return txn.TimeOf(t), err
}

// evidence hands rows back by position: the file is the slot's number in the day, the offset its line.
type evidence struct {
	slots []*scriptSlot
	asked int
}

func (e *evidence) Rows(at []txn.Position) ([]*txn.Row, []reconcile.Ref, error) {
	e.asked += len(at)
	rows, refs := make([]*txn.Row, len(at)), make([]reconcile.Ref, len(at))
	for i, p := range at {
		s := e.slots[p.File]
		rows[i] = s.rows[p.Offset].Clone()
		refs[i] = s.ref(int(p.Offset))
	}
	return rows, refs, nil
}

func (s *scriptSlot) file() string {
	name := strings.TrimSuffix(s.Source+"-"+s.Date.String()+"-"+s.Key, "-")
	if s.Late != nil {
		name += "-late"
	}
	return name
}

func (s *scriptSlot) ref(i int) reconcile.Ref { return reconcile.Ref{Member: s.file(), Line: i + 1} }

// matches keeps what the sink is told.
type matches []reconcile.Match

func (m *matches) Match(x reconcile.Match) { *m = append(*m, x) }

func (s *scenario) setup(t testing.TB, d *scriptDay) reconcile.Setup {
	t.Helper()
	if s.err != nil {
		t.Fatal(s.err)
	}
	reg, errs := register.New(s.reg)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	cals, err := calendar.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	set := reconcile.Setup{Date: d.date, GoLive: s.goLive, Zone: zone, Register: reg, Calendars: cals, Rules: reconcile.DefaultRules(),
		Awaited: d.awaited, FilesAtHand: s.atHand}
	if s.history != nil || s.past != nil {
		set.History = &ledgers{t: t, on: d.date, known: s.history, past: s.past, asked: map[string]bool{}}
	}
	for _, x := range s.said {
		if x.EffectiveOn <= d.date {
			set.Decisions = append(set.Decisions, x)
		}
	}
	return set
}

// book is what one day gave.
type book struct {
	date  txn.Date
	out   *reconcile.Outcome
	carry *reconcile.Carry
	pairs matches
	ev    *evidence
}

// run judges one day after the carry of the one before. Order permutes the calls of Add; nil is the order of the script.
func (s *scenario) run(t testing.TB, d *scriptDay, carry *reconcile.Carry, order func(n int) []int) book {
	t.Helper()
	b, err := s.try(t, s.setup(t, d), d, carry, order)
	if err != nil {
		t.Fatalf("%s: %v", d.date, err)
	}
	s.alike(t, d, carry, b)
	return b
}

func (s *scenario) try(t testing.TB, set reconcile.Setup, d *scriptDay, carry *reconcile.Carry, order func(n int) []int) (book, error) {
	slices.SortStableFunc(d.slots, func(a, b *scriptSlot) int { return strings.Compare(a.Source+"\x00"+a.Key, b.Source+"\x00"+b.Key) })
	day := reconcile.New(set)
	if err := day.Carry(carry); err != nil {
		t.Fatal(err)
	}
	b := book{date: d.date, ev: &evidence{slots: d.slots}}
	var adds []func()
	for n, x := range d.slots {
		x.Slot.Sum = reconcile.SlotSum{Source: x.Source, Side: x.Side, Slot: x.Key, Date: x.Date, State: x.State, File: x.file(), SHA256: x.sha}
		if x.State == reconcile.SlotMissing || x.State == reconcile.SlotNotDue {
			x.Slot.Sum.File = ""
		}
		slot := day.AddSlot(x.Slot)
		for i, r := range x.rows {
			r.Pos = txn.Position{File: uint32(n), Offset: int64(i)}
			adds = append(adds, func() { day.Add(slot, r) })
		}
		for _, raw := range x.raw {
			day.Reject(slot, []byte(raw))
		}
	}
	if order == nil {
		order = inOrder
	}
	for _, i := range order(len(adds)) {
		adds[i]()
	}
	for n, x := range d.slots {
		if x.State == reconcile.SlotReceivedEmpty {
			if traffic := day.Traffic(slotNumber(day, d, n)); traffic > 0 {
				day.Hold(slotNumber(day, d, n), reconcile.F06, fmt.Sprintf("no rows, the other side has %d", traffic))
			}
		}
	}
	var err error
	b.out, b.carry, err = day.Run(b.ev, &b.pairs)
	return b, err
}

// slotNumber finds today's n-th slot: those of the carry come before.
func slotNumber(day *reconcile.Day, d *scriptDay, n int) int {
	for i := 0; ; i++ {
		x := day.Slot(i)
		if x.Source == d.slots[n].Source && x.Key == d.slots[n].Key && x.Date == d.slots[n].Date && x.Sum.File == d.slots[n].Slot.Sum.File {
			return i
		}
	}
}

func inOrder(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
