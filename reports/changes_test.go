package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

// changedBook is the sample as its third revision: a bill came late, another one was corrected, two people decided cases,
// and every step of the roll-forward has its moves.
func changedBook(lang text.Lang) *Book {
	b := sampleBook(lang)
	b.Revision, b.AsOf = 3, b.AsOf.Add(26*time.Hour)
	o, zone := b.Outcome, b.Zone
	when := func(h, m int) time.Time { return time.Date(2026, 1, 7, h, m, 12, 0, zone) }
	find := func(class reconcile.Class, n int) *reconcile.Line {
		for i := range o.Lines {
			if o.Lines[i].Class == class {
				if n--; n < 0 {
					return &o.Lines[i]
				}
			}
		}
		panic("no such line")
	}
	say := func(l *reconcile.Line, s reconcile.DecisionStatus, by, why string, until txn.Date) {
		l.Decision = &reconcile.Decision{ID: "D-" + string(l.Class), CaseID: l.CaseID, Class: l.Class, Status: s, Until: until, Author: by,
			Reason: why, At: when(10, 5), EffectiveOn: b.Date, SeenOn: b.Date}
		if s.Closes() {
			l.Status = "decided"
		}
	}
	zh := lang == text.ZhCN
	pick := func(z, e string) string {
		if zh {
			return z
		}
		return e
	}
	say(find(reconcile.T04, 2), reconcile.WrittenOff, pick("王芳", "Wang Fang"), pick("一分钱尾差，核销", "a fen of rounding, given up"), 0)
	say(find(reconcile.B04, 0), reconcile.Accepted, pick("李娜", "Li Na"), pick("收单已书面说明", "explained by the acquirer in writing"), 0)
	say(find(reconcile.T02, 4), reconcile.Disputed, pick("王芳", "Wang Fang"), pick("已向收单请款，单号 CB-20260107-001", "re-presentment asked for, CB-20260107-001"), 0)
	say(find(reconcile.B02, 0), reconcile.Waiting, pick("李娜", "Li Na"), pick("收单说周五补打", "the acquirer pays on Friday"), b.Date+4)
	find(reconcile.T03, 1).Late = true
	corrected := reconcile.Ref{Delivery: "UMS_898310054110100_20260105_v2.zip", Member: "明细_20260105.txt"}
	order := func(class reconcile.Class, like *reconcile.Line, was, is reconcile.Money, detail string) {
		l := reconcile.Line{Class: class, CaseID: like.CaseID, Status: "explained", Lifecycle: reconcile.CaseNew, FirstSeen: b.Date, Leg: like.Leg,
			Source: like.Source, Acquirer: like.Acquirer, MID: like.MID, Store: like.Store, TID: like.TID, RRN: like.RRN, Rows: 1, Amount: was,
			Other: is, Currency: txn.CNY, Detail: detail, At: like.At}
		if class != reconcile.X01 && class != reconcile.F02 {
			l.Status = "open"
		}
		o.Lines = append(o.Lines, l)
	}
	t04, t03 := *find(reconcile.T04, 3), *find(reconcile.T03, 0)
	gone := reconcile.Line{CaseID: "C-3K7M-9Q2W-1B4D-8FGH", Source: "wechat", Acquirer: "wechat", Leg: reconcile.LegTA, RRN: "005100099887"}
	file := func(id, source, name string) reconcile.Line {
		return reconcile.Line{CaseID: id, Source: source, Acquirer: source, At: reconcile.Ref{Member: name}}
	}
	wechat := file("C-F02A-0000-0000-0001", "wechat", "1230000109_20260105.csv")
	ums2 := file("C-F05A-0000-0000-0002", "ums_settle", corrected.String())
	order(reconcile.X01, &t04, reconcile.Some(888800), reconcile.Some(888800), "T02 -> T04")
	order(reconcile.X01, &gone, reconcile.Some(45600), reconcile.Money{}, "T02 -> -")
	order(reconcile.X02, &t03, reconcile.Money{}, reconcile.Some(6600), "")
	order(reconcile.X03, &t03, reconcile.Some(6600), reconcile.Some(6600), "2026-01-03")
	order(reconcile.F02, &wechat, reconcile.Money{}, reconcile.Money{}, "2026-01-06 11:40:02")
	order(reconcile.F05, &ums2, reconcile.Some(3300), reconcile.Some(5200), "r2: +1 -1 ~1")
	o.Slots[3].Received, o.Slots[3].File = "2026-01-06 11:40:02", "1230000109_20260105.csv"
	o.Slots[2].File = corrected.String()

	state := func(class reconcile.Class, status string, life reconcile.Lifecycle, amount, other reconcile.Money) CaseState {
		return CaseState{Class: class, Status: status, Lifecycle: string(life), Amount: amount, Other: other}
	}
	some, none := reconcile.Some, reconcile.Money{}
	is := func(l *reconcile.Line) CaseState {
		return CaseState{Class: l.Class, Status: l.Status, Lifecycle: string(l.Lifecycle), Amount: l.Amount, Other: l.Other, Fine: l.Fine}
	}
	kwd := *find(reconcile.B03, 1)
	p02 := *find(reconcile.P02, 0)
	off, t02 := *find(reconcile.T04, 2), *find(reconcile.T02, 0)
	b.Changes = &Changes{Former: 2, FormerAsOf: time.Date(2026, 1, 6, 9, 0, 0, 0, zone), FormerFinal: true,
		Inputs: []InputChange{
			{Kind: "late_file", Source: "wechat", Slot: "1230000109", File: "1230000109_20260105.csv", At: time.Date(2026, 1, 6, 11, 40, 2, 0, zone)},
			{Kind: "corrected_file", Source: "ums_settle", Slot: "898310054110100", File: corrected.String(), Detail: "+1 -1 ~1", At: when(8, 20)},
			{Kind: "decision", By: pick("王芳", "Wang Fang"), Detail: off.CaseID + " written-off: " + off.Decision.Reason, At: when(10, 5)},
			{Kind: "slot_state", Source: "pos_sh", Slot: "SH005-SH006", Detail: "missing"},
			{Kind: "register"},
			{Kind: "carry", Detail: "9f2c4e7713ab -> 51aa0c2e9d70"},
			{Kind: "program", Detail: "daozhang 0.1.0 -> daozhang 0.1.1"},
		},
		Cases: []CaseChange{
			{CaseID: t04.CaseID, Change: "class", Was: state(reconcile.T02, "open", reconcile.CaseNew, some(888800), none), Is: is(&t04), Currency: txn.CNY, Cause: []int{2, 1}},
			{CaseID: off.CaseID, Change: "status", Was: state(reconcile.T04, "open", reconcile.CaseNew, off.Amount, off.Other), Is: is(&off), Currency: txn.CNY, Cause: []int{3}},
			{CaseID: t03.CaseID, Change: "new", Is: is(&t03), Currency: txn.CNY, Cause: []int{2}},
			{CaseID: p02.CaseID, Change: "amount", Was: CaseState{Class: reconcile.P02, Status: "open", Lifecycle: "new", Amount: some(1800000), Other: some(2900000), Fine: true}, Is: is(&p02), Currency: txn.CNY, Cause: []int{2, 5, 6, 7, 99}},
			{CaseID: kwd.CaseID, Change: "amount", Was: state(reconcile.B03, "open", reconcile.CaseNew, some(1234567), some(1230000)), Is: is(&kwd), Currency: kwd.Currency, Cause: []int{1}},
			{CaseID: "C-7T02-0000-AAAA-0001", MergedInto: t02.CaseID, Change: "merged", Was: state(reconcile.T03, "open", reconcile.CaseOpen, none, some(128000)), Is: is(&t02), Currency: txn.CNY, Cause: []int{2}},
			{CaseID: gone.CaseID, Change: "gone", Was: state(reconcile.T02, "open", reconcile.CaseOpen, some(45600), none), Currency: txn.CNY, Cause: []int{1}},
			{CaseID: "C-F01W-0000-0000-0009", Change: "gone", Was: state(reconcile.F01, "open", reconcile.CaseNew, some(7012300), none), Currency: txn.CNY, Cause: []int{1}},
		},
		Files: []FileChange{{Source: "ums_settle", Slot: "898310054110100", File: corrected.String(), Former: ums.String(), Revision: 2,
			Added: reconcile.Figure{Rows: 1, Amount: 6600}, Removed: reconcile.Figure{Rows: 1, Amount: 3300}, Edited: reconcile.Figure{Rows: 1, Amount: -8000},
			Currency: txn.CNY, Rows: []RowChange{
				{Change: "added", Line: 412, Text: "RRN 005100009131 · 41050022 · 000231", Is: some(6600), Currency: txn.CNY},
				{Change: "removed", Line: 377, Text: "RRN 005100012086 · 41050024", Was: some(3300), Currency: txn.CNY},
				{Change: "changed", Line: 133, Text: "RRN " + t04.RRN, Was: some(888800), Is: some(880800), Currency: txn.CNY},
			}}},
	}
	for i := range o.Lines {
		if d := o.Lines[i].Decision; d != nil && !o.Lines[i].Class.OrderClass() {
			b.Changes.Decisions = append(b.Changes.Decisions, *d)
		}
	}
	o.Moves = movesOf(o, rand.New(rand.NewPCG(1, 2)))
	return b
}

// movesOf splits the roll-forward of the sample into moves of single rows: T01 to T02 and B01 to B02 are what was
// reclassified there, everything else opened or cleared.
func movesOf(o *reconcile.Outcome, rnd *rand.Rand) (out []reconcile.Move) {
	var ids []string
	for i := range o.Lines {
		ids = append(ids, o.Lines[i].CaseID)
	}
	for i := range o.Roll {
		r := &o.Roll[i]
		post := func(f reconcile.Figure, from, to reconcile.Class, cause string) {
			for n := range f.Rows {
				amount := f.Amount / f.Rows
				if n == 0 {
					amount += f.Amount % f.Rows
				}
				out = append(out, reconcile.Move{CaseID: ids[rnd.IntN(len(ids))], Leg: r.Leg, Side: r.Side, Currency: r.Currency, From: from, To: to,
					Figure: reconcile.Figure{Rows: 1, Amount: amount}, Cause: cause})
			}
		}
		post(r.New, "", r.Class, "not_due")
		post(r.Cleared, r.Class, "", "P2 · "+ums.String()+":1211")
		if r.Reclassified.Rows > 0 {
			from := map[reconcile.Class]reconcile.Class{reconcile.T02: reconcile.T01, reconcile.B02: reconcile.B01}[r.Class]
			post(r.Reclassified, from, r.Class, "due")
			for j := range o.Roll { // the sample's own figures do not pair
				if v := &o.Roll[j]; v.Class == from {
					v.Closing.Rows -= r.Reclassified.Rows + v.Reclassified.Rows
					v.Closing.Amount -= r.Reclassified.Amount + v.Reclassified.Amount
					v.Reclassified = reconcile.Figure{Rows: -r.Reclassified.Rows, Amount: -r.Reclassified.Amount}
				}
			}
		}
	}
	return out
}

func TestBookWithChangesIsTheGoldenOne(t *testing.T) {
	for _, lang := range []text.Lang{text.ZhCN, text.En} {
		golden(t, "changed."+string(lang)+".txt", dump(t, workbookBytes(t, changedBook(lang)), text.Sheet("summary", lang),
			text.Sheet("exceptions", lang), text.Sheet("files", lang), text.Sheet("changes", lang)))
	}
	var buf bytes.Buffer
	if err := WriteSummary(&buf, changedBook(text.ZhCN)); err != nil {
		t.Fatal(err)
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(buf.Bytes(), &whole); err != nil {
		t.Fatal(err)
	}
	golden(t, "changed.history.json", append(whole["history"], '\n'))
}

func TestThirtyBooksWithChangesHaveOneHash(t *testing.T) {
	seen := map[[32]byte]int{}
	for range 30 {
		seen[sha256.Sum256(workbookBytes(t, changedBook(text.En)))]++
	}
	if len(seen) != 1 {
		t.Errorf("30 workbooks have %d hashes", len(seen))
	}
}

func TestChangesStandBetweenFilesAndNotesAndOnlyWhereThereAreAny(t *testing.T) {
	names := strings.Join(open(t, workbookBytes(t, changedBook(text.En))).GetSheetList(), ",")
	if !strings.HasSuffix(names, "Cleared,Files,Changes,Notes") {
		t.Errorf("sheets are %s", names)
	}
	names = strings.Join(open(t, workbookBytes(t, sampleBook(text.ZhCN))).GetSheetList(), ",")
	if strings.Contains(names, "变更") {
		t.Errorf("a book that says nothing about changes has the sheets %s", names)
	}
}

func TestTheSentenceCountsCasesAndTheirOpenMoney(t *testing.T) {
	b := changedBook(text.En)
	for _, tt := range []struct {
		name   string
		former int
		cases  []CaseChange
		want   string
	}{
		{"the first issue", 0, nil, "This is the first issue of this date; there is none before it to compare with."},
		{"nothing changed", 2, nil, "Compared with revision 2 no case has changed."},
		{"the sample", 2, b.Changes.Cases, "Cases compared with revision 2: 1 new, 2 gone, 5 changed; open amounts: CNY down by 9,197.37, KWD down by 4.000."},
		{"only a file's held sum is gone", 2, b.Changes.Cases[7:], "Cases compared with revision 2: 0 new, 1 gone, 0 changed; open amounts: as before."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b.Changes.Former, b.Changes.Cases = tt.former, tt.cases
			if got := changesSentence(b); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestOpenMoneyOfACaseIsWhatTheSummaryCounts(t *testing.T) {
	some, none := reconcile.Some, reconcile.Money{}
	for _, tt := range []struct {
		name string
		s    CaseState
		want txn.Fine
	}{
		{"not in the book", CaseState{}, 0},
		{"a sale without clearing", CaseState{Class: reconcile.T02, Status: "open", Amount: some(128000)}, 128000_000},
		{"the same, waiting", CaseState{Class: reconcile.T01, Status: "in_window", Amount: some(128000)}, 0},
		{"the same, decided", CaseState{Class: reconcile.T02, Status: "decided", Amount: some(128000)}, 0},
		{"a refund", CaseState{Class: reconcile.T14, Status: "open", Amount: some(-500)}, 500_000},
		{"amounts that differ", CaseState{Class: reconcile.T04, Status: "open", Amount: some(500), Other: some(450)}, 50_000},
		{"a fee", CaseState{Class: reconcile.P02, Status: "open", Fine: true, Amount: some(5), Other: some(8)}, 3},
		{"a missing file", CaseState{Class: reconcile.F01, Status: "open", Amount: some(500), Other: none}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.s.open(txn.CNY); got != tt.want {
				t.Errorf("got %d, want %d (1e-5 yuan)", got, tt.want)
			}
		})
	}
}

// randomMoves makes a book of random moves whose roll-forward is summed up independently of the sheet.
func randomMoves(rnd *rand.Rand) *Book {
	b := sampleBook(text.En)
	classes := []reconcile.Class{"", reconcile.T01, reconcile.T02, reconcile.T03, reconcile.B01, reconcile.B02}
	jpy, _ := txn.ParseCurrency("JPY")
	roll := map[string]*reconcile.RollSum{}
	b.Outcome = &reconcile.Outcome{Verdict: reconcile.Differences}
	b.Changes = &Changes{Former: 1}
	var order []string
	at := func(m reconcile.Move, c reconcile.Class) *reconcile.RollSum {
		k := fmt.Sprint(m.Leg, m.Side, c, m.Currency)
		if roll[k] == nil {
			roll[k] = &reconcile.RollSum{Leg: m.Leg, Side: m.Side, Class: c, Currency: m.Currency}
			order = append(order, k)
		}
		return roll[k]
	}
	for range rnd.IntN(400) {
		m := reconcile.Move{CaseID: fmt.Sprintf("C-%d", rnd.IntN(40)), Leg: []reconcile.Leg{reconcile.LegTA, reconcile.LegAB}[rnd.IntN(2)],
			Side: []txn.Side{txn.Terminal, txn.Acquirer}[rnd.IntN(2)], Currency: []txn.Currency{txn.CNY, jpy}[rnd.IntN(2)],
			From: classes[rnd.IntN(len(classes))], To: classes[rnd.IntN(len(classes))],
			Figure: reconcile.Figure{Rows: rnd.Int64N(3), Amount: rnd.Int64N(2_000_001) - 1_000_000}, Cause: "P" + strconv.Itoa(rnd.IntN(4))}
		if m.From == m.To {
			continue
		}
		b.Outcome.Moves = append(b.Outcome.Moves, m)
		if m.From == "" {
			r := at(m, m.To)
			r.New.Rows, r.New.Amount = r.New.Rows+m.Rows, r.New.Amount+m.Amount
			continue
		}
		if m.To == "" {
			r := at(m, m.From)
			r.Cleared.Rows, r.Cleared.Amount = r.Cleared.Rows+m.Rows, r.Cleared.Amount+m.Amount
			continue
		}
		r := at(m, m.From)
		r.Reclassified.Rows, r.Reclassified.Amount = r.Reclassified.Rows-m.Rows, r.Reclassified.Amount-m.Amount
		r = at(m, m.To)
		r.Reclassified.Rows, r.Reclassified.Amount = r.Reclassified.Rows+m.Rows, r.Reclassified.Amount+m.Amount
	}
	for _, k := range order {
		r := *roll[k]
		r.Closing.Rows, r.Closing.Amount = r.New.Rows-r.Cleared.Rows+r.Reclassified.Rows, r.New.Amount-r.Cleared.Amount+r.Reclassified.Amount
		b.Outcome.Roll = append(b.Outcome.Roll, r)
	}
	return b
}

// TestMovesOnTheSheetAddUpToTheRollForward adds up the printed lines of 60 random days, whole and capped, and compares
// them with the printed subtotals and with the roll-forward.
func TestMovesOnTheSheetAddUpToTheRollForward(t *testing.T) {
	for seed := range 60 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 11))
		b := randomMoves(rnd)
		b.Limits.Exceptions = []int{0, 1 + rnd.IntN(30)}[seed%2]
		d := derive(b)
		s := changesSheet(b, d)
		var sums [6]int64 // in 1e-5, of the lines of one account
		listed, ends := 0, 0
		for i := range s.rows {
			cells := s.row(i).cells
			figs := figuresOf(cells)
			switch label, _ := labelOf(cells); {
			case label == text.Label("moves_sum", text.En):
				if figs != sums {
					t.Fatalf("seed %d, row %d: lines make %v, the subtotal says %v", seed, i+1, sums, figs)
				}
				roll := figuresOf(s.row(i + 1).cells)
				if roll != sums {
					t.Fatalf("seed %d, row %d: movements %v, roll-forward %v", seed, i+1, sums, roll)
				}
				if gap := figuresOf(s.row(i + 2).cells); gap != [6]int64{} {
					t.Fatalf("seed %d, row %d: the difference says %v", seed, i+3, gap)
				}
				sums = [6]int64{}
				ends++
			case label == text.Label("moves_roll", text.En) || label == text.Label("moves_gap", text.En):
			case len(cells) == chCols && cells[chNo].v != nil && cells[chWhat].v != nil && figs != [6]int64{} || strings.Contains(label, "not listed"):
				listed++
				for j := range sums {
					sums[j] += figs[j]
				}
			}
		}
		if len(b.Outcome.Moves) > 0 && (listed == 0 || ends == 0) {
			t.Fatalf("seed %d: %d lines and %d accounts for %d moves", seed, listed, ends, len(b.Outcome.Moves))
		}
		for _, a := range accounts(b.Outcome) {
			if a.moved != a.roll {
				t.Fatalf("seed %d: %s of %s does not tie: %v, %v", seed, a.class, a.cur, a.moved, a.roll)
			}
		}
	}
}

func figuresOf(cells []cell) (out [6]int64) {
	if len(cells) < chCols {
		return out
	}
	for i := range out {
		switch v := cells[chFigures+i].v.(type) {
		case int64:
			out[i] = v * 100000
		case float64:
			n, err := txn.ParseDecimal([]byte(strconv.FormatFloat(v, 'f', -1, 64)), 5)
			if err != nil {
				panic(err)
			}
			out[i] = n
		}
	}
	return out
}

func labelOf(cells []cell) (string, bool) {
	if len(cells) <= chCase {
		return "", false
	}
	s, ok := cells[chCase].v.(string)
	return s, ok
}

func TestMovesThatDoNotTieAreShownNotHidden(t *testing.T) {
	b := changedBook(text.En)
	b.Outcome.Moves = b.Outcome.Moves[1:]
	f := open(t, workbookBytes(t, b))
	rows, err := f.GetRows("Changes", excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	warned, gaps := false, 0
	for _, row := range rows {
		all := strings.Join(row, "\t")
		warned = warned || strings.Contains(all, "✗ Classes that do not agree with sheet Roll-forward: 1;")
		if len(row) > chFigures && row[chCase] == text.Label("moves_gap", text.En) && row[chFigures] == "-1" {
			gaps++
		}
	}
	if !warned || gaps != 1 {
		t.Errorf("a lost move is warned of: %v, and shown in %d differences", warned, gaps)
	}
}

func TestDecidedAndOrderLinesAreNoOpenCases(t *testing.T) {
	plain, changed := derive(sampleBook(text.En)), derive(changedBook(text.En))
	count := func(d *derived) (open, decided int, money txn.Fine) {
		for _, c := range d.open {
			if c.unsettled() {
				open++
				money += c.atStake()
			}
			if c.decided() {
				decided++
			}
		}
		return open, decided, money
	}
	n, _, was := count(plain)
	m, decided, is := count(changed)
	// Of six decided or waiting cases two were closed: a fen, and a yuan at the bank.
	if m != n-2 || decided != 2 || was-is != 1_000+100_000 {
		t.Errorf("open cases went from %d to %d with %d decided and %d less at stake; want two fewer, 101000", n, m, decided, was-is)
	}
	if len(plain.parties) != len(changed.parties) {
		t.Errorf("%d parties are to be called, %d without the lines about order", len(changed.parties), len(plain.parties))
	}
	for _, g := range causeGroups(changed) {
		if g.class.OrderClass() {
			t.Errorf("%s is counted among the differences", g.class)
		}
	}
	seen := map[reconcile.Class]int{}
	for i, c := range changed.open {
		for _, k := range c.classes {
			seen[k]++
		}
		if i > 0 && changed.open[i-1].decided() && !c.decided() {
			t.Errorf("case %d is open and stands below a decided one", i)
		}
	}
	for _, k := range []reconcile.Class{reconcile.X01, reconcile.X02, reconcile.X03, reconcile.F02, reconcile.F05} {
		if seen[k] == 0 {
			t.Errorf("%s is on no line of the sheet", k)
		}
	}
}

func TestAnOrderLineOfAClearedCaseIsNotFiledAwayWithIt(t *testing.T) {
	b := sampleBook(text.En)
	var gone *reconcile.Line
	for i := range b.Outcome.Lines {
		if b.Outcome.Lines[i].Lifecycle == reconcile.CaseCleared {
			gone = &b.Outcome.Lines[i]
		}
	}
	before := len(derive(b).cleared)
	x := *gone
	x.Class, x.Status, x.Lifecycle = reconcile.X02, "open", reconcile.CaseNew
	b.Outcome.Lines = append([]reconcile.Line{x}, b.Outcome.Lines...)
	d := derive(b)
	found := false
	for _, c := range d.open {
		found = found || c.id == x.CaseID && c.main.Class == reconcile.X02
	}
	if !found || len(d.cleared) != before {
		t.Errorf("the X02 is on the list of cases: %v; %d cases cleared, want %d", found, len(d.cleared), before)
	}
}

func TestWhatPeopleWriteStaysText(t *testing.T) {
	b := changedBook(text.En)
	long := strings.Repeat("很长的理由", 8000) // 40,000 characters
	texts := append(payloads(), long)
	ch := b.Changes
	ch.Decisions, ch.Inputs, ch.Files, ch.Cases = nil, nil, nil, nil
	for i, p := range texts {
		id := fmt.Sprintf("C-%03d", i)
		l := &b.Outcome.Lines[i%len(b.Outcome.Lines)]
		dec := reconcile.Decision{CaseID: id, Status: reconcile.Accepted, Author: p, Reason: p, Class: reconcile.T02}
		l.Decision = &dec
		ch.Decisions = append(ch.Decisions, dec)
		ch.Inputs = append(ch.Inputs, InputChange{Kind: p, Source: p, Slot: p, File: p, By: p, Detail: p})
		ch.Cases = append(ch.Cases, CaseChange{CaseID: p, MergedInto: p, Change: p, Was: CaseState{Class: reconcile.Class(p), Status: p, Lifecycle: p}, Cause: []int{i + 1}})
		ch.Files = append(ch.Files, FileChange{Source: p, Slot: p, File: p, Former: p, Rows: []RowChange{{Change: p, Text: p}}})
		b.Outcome.Moves = append(b.Outcome.Moves, reconcile.Move{CaseID: p, Leg: reconcile.Leg(p), From: reconcile.Class(p), Cause: p})
	}
	data := workbookBytes(t, b)
	formulasAreOurs(t, data)
	f := open(t, data)
	rows, err := f.GetRows("Changes", excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for i, p := range texts {
		want[fmt.Sprintf("C-%03d", i)] = quoted(p)
	}
	for _, row := range rows {
		for _, v := range row {
			if len(v) > maxCell*3 {
				t.Fatalf("a cell has %d bytes", len(v))
			}
		}
		if len(row) > chWhy && want[row[chCase]] != "" {
			if got := row[chWhy]; got != want[row[chCase]] {
				t.Errorf("reason %q came back as %q", want[row[chCase]], got)
			}
			delete(want, row[chCase])
		}
	}
	for id, p := range want {
		if p != "" {
			t.Errorf("decision %s with reason %q is missing", id, p)
		}
	}
	var buf bytes.Buffer
	if err := WriteSummary(&buf, b); err != nil {
		t.Fatal(err)
	}
	s, err := ReadSummary(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.History.Decisions[len(texts)-1].Reason; got != long {
		t.Errorf("the long reason has %d of %d bytes in summary.json", len(got), len(long))
	}
}

func TestLongListsAreCappedAndStillAddUp(t *testing.T) {
	b := changedBook(text.En)
	b.Limits.Exceptions = 3
	f := open(t, workbookBytes(t, b))
	rows, err := f.GetRows("Changes", excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	page := ""
	for _, row := range rows {
		page += strings.Join(row, "\t") + "\n"
	}
	for _, want := range []string{"and 4 more not listed; summary.json", "and 4 more not listed; their sum", "and 1 more not listed; their sum", "Listed: 3 lines; ",
		"more not listed; their sums", "✓ New, cleared and reclassified agree", "and 1 more decisions not listed"} {
		if !strings.Contains(page, want) {
			t.Errorf("the sheet does not say %q", want)
		}
	}
	for range maxHistory + 7 {
		b.Changes.Cases = append(b.Changes.Cases, CaseChange{CaseID: "C-X", Change: "new", Currency: txn.CNY})
	}
	h := b.history()
	if len(h.Changes) != maxHistory || h.ChangesLeftOut != 15 {
		t.Errorf("%d changes are listed and %d left out", len(h.Changes), h.ChangesLeftOut)
	}
}

func TestThousandsAreGrouped(t *testing.T) {
	for in, want := range map[string]string{"0.01": "0.01", "999": "999", "1000": "1,000", "1234567.890": "1,234,567.890", "123456": "123,456"} {
		if got := thousands(in); got != want {
			t.Errorf("%s is written %s, want %s", in, got, want)
		}
	}
}
