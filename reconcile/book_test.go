package reconcile_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

var update = flag.Bool("update", false, "write what the books say into testdata")

// TestBooks runs every scenario of testdata, with the carry encoded and decoded between its days.
func TestBooks(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		list := parseScript(string(text))
		for _, s := range list {
			t.Run(strings.TrimSuffix(filepath.Base(name), ".txt")+"/"+s.title, func(t *testing.T) {
				got := s.play(t)
				if *update && s.known == "" {
					s.expected = got
				} else if got != s.expected {
					if s.known != "" {
						t.Log(lineDiff(s.expected, got))
						t.Skip("known: " + s.known)
					}
					t.Errorf("the books differ (-update writes them anew)\n%s", lineDiff(s.expected, got))
				}
			})
		}
		if *update && !t.Failed() {
			writeScript(t, name, string(text), list)
		}
	}
}

func writeScript(t *testing.T, name, text string, list []*scenario) {
	preamble, _, _ := strings.Cut("\n"+text, "\n== ")
	out := strings.TrimPrefix(preamble, "\n")
	for n, s := range list {
		if n > 0 || out != "" {
			out += "\n"
		}
		out += "== " + s.head + "\n----\n" + s.expected
	}
	if err := os.WriteFile(name, []byte(out), 0o644); err != nil {
		t.Fatal(err)
	}
}

func lineDiff(want, got string) string {
	var b strings.Builder
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for _, l := range w {
		if !slices.Contains(g, l) {
			fmt.Fprintf(&b, "  want %s\n", l)
		}
	}
	for _, l := range g {
		if !slices.Contains(w, l) {
			fmt.Fprintf(&b, "  got  %s\n", l)
		}
	}
	if b.Len() == 0 {
		return "same lines in another order:\n" + got
	}
	return b.String()
}

// play runs all days of a scenario and returns what their books say.
func (s *scenario) play(t testing.TB) string {
	t.Helper()
	p := &printer{rows: map[reconcile.Ref]string{}, cases: map[string]string{}}
	var carry, carryIn *reconcile.Carry
	var before, beforeIn *book
	s.said = nil
	books := map[txn.Date]*reconcile.Outcome{}
	for _, x := range s.past {
		p.name(&scriptDay{slots: []*scriptSlot{x}})
	}
	for _, d := range s.days {
		p.name(d)
		if d.again {
			carry, before = carryIn, beforeIn
		}
		carryIn, beforeIn = carry, before
		b := s.run(t, d, carry, nil)
		if len(d.decides) > 0 {
			books[d.date] = b.out
			s.saidOn(t, d, p, books)
			b = s.run(t, d, carry, nil)
		}
		books[d.date] = b.out
		p.book(&b)
		if s.moves {
			p.moves(b.out.Moves)
		}
		checkBook(t, &b, d, before)
		carry = throughFile(t, b.carry)
		before = &b
	}
	return p.b.String()
}

// throughFile writes a carry and reads it back, and demands the same bytes again.
func throughFile(t testing.TB, c *reconcile.Carry) *reconcile.Carry {
	t.Helper()
	text, places, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := reconcile.DecodeCarry(text, places)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	again, where, err := back.Encode()
	if err != nil || !bytes.Equal(text, again) || !bytes.Equal(places, where) {
		t.Fatalf("carry changes when read and written (%v)\n%s\n%s\n%s\n%s", err, text, again, places, where)
	}
	if bytes.Contains(text, []byte("Delivery")) {
		t.Fatalf("a carry says in which file its evidence lies:\n%s", text)
	}
	return back
}

type printer struct {
	b     strings.Builder
	rows  map[reconcile.Ref]string
	cases map[string]string
}

func (p *printer) name(d *scriptDay) {
	for _, s := range d.slots {
		for i, n := range s.names {
			p.rows[s.ref(i)] = n
		}
	}
}

func (p *printer) row(r reconcile.Ref) string {
	r = reconcile.Ref{Member: r.Member, Line: r.Line}
	if n, ok := p.rows[r]; ok {
		return n
	}
	if r.Member == "" {
		return "-"
	}
	return r.Member
}

func (p *printer) caseNo(id string) string {
	if p.cases[id] == "" {
		p.cases[id] = "#" + strconv.Itoa(len(p.cases)+1)
	}
	return p.cases[id]
}

func (p *printer) printf(format string, args ...any) { fmt.Fprintf(&p.b, format, args...) }

func money(m reconcile.Money, cur txn.Currency, fine bool) string {
	switch {
	case !m.Valid:
		return "none"
	case fine:
		return txn.Fine(m.Minor).Format(cur)
	}
	return txn.FormatAmount(m.Minor, cur)
}

// book prints one day: verdict, pairs, lines, the sums of states, payouts.
func (p *printer) book(b *book) {
	p.printf("day %s %s\n", b.date, b.out.Verdict)
	for _, m := range b.pairs {
		r, o := b.refs(m)
		if strings.HasPrefix(p.row(r), "t") {
			p.printf("  pair %s %s %s\n", p.row(r), p.row(o), m.Pass)
		}
	}
	for i := range b.out.Lines {
		p.line(&b.out.Lines[i])
	}
	for _, c := range b.out.Classes {
		if c.Class == reconcile.T24 {
			p.printf("  T24 %d\n", c.Rows)
		}
	}
	p.sides(b.out.Sides)
	for i := range b.out.Proofs {
		p.proof(&b.out.Proofs[i])
	}
	for _, s := range b.out.Payouts {
		if s.WrittenOff != 0 {
			p.printf("  written off %s: %s\n", s.Acquirer, txn.FormatAmount(s.WrittenOff, s.Currency))
		}
	}
}

func (b *book) refs(m reconcile.Match) (row, partner reconcile.Ref) {
	row, partner = m.RowAt, m.PartnerAt
	if !m.Carried {
		row = b.ev.slots[m.Row.File].ref(int(m.Row.Offset))
	}
	if !m.PartnerCarry {
		partner = b.ev.slots[m.Partner.File].ref(int(m.Partner.Offset))
	}
	return row, partner
}

func (p *printer) line(l *reconcile.Line) {
	p.printf("  %s %s", l.Class, p.row(l.At))
	if o := p.row(l.OtherAt); o != "-" {
		p.printf(" and %s", o)
	}
	if l.Rows != 1 {
		p.printf(" (%d rows)", l.Rows)
	}
	p.printf(": %s against %s, %s %s %s", money(l.Amount, l.Currency, l.Fine), money(l.Other, l.Currency, l.Fine), l.Status, l.Lifecycle, p.caseNo(l.CaseID))
	if l.Alias != "" && l.Alias != l.CaseID {
		p.printf(" alias %s", p.caseNo(l.Alias))
	}
	if l.DueDate != 0 {
		p.printf(", due %s", l.DueDate)
		if strings.HasPrefix(l.DueNote, "unknown") {
			p.printf(" (unknown)")
		}
	}
	if l.AgeDays > 0 {
		p.printf(", %d days late", l.AgeDays)
	}
	for _, x := range [...][2]string{{"near", l.NearPass}, {"differs", l.Differs}, {"cause", l.CauseCode}} {
		if x[1] != "" {
			p.printf(", %s %s", x[0], x[1])
		}
	}
	if len(l.Candidates) > 0 && l.Class == reconcile.T28 {
		var names []string
		for _, c := range l.Candidates {
			names = append(names, p.row(c.At))
		}
		p.printf(", candidates %s", strings.Join(names, " "))
	}
	if l.ClearedBy != "" {
		p.printf(", by %s", p.by(l.ClearedBy))
	}
	if l.Decision != nil {
		p.printf(", %s %s", l.Decision.ID, l.Decision.Status)
	}
	if l.Late && l.Class != reconcile.X03 {
		p.printf(", late")
	}
	if l.Detail != "" && (l.Class.OrderClass() || l.Class == reconcile.T16) {
		p.printf(", %q", l.Detail)
	}
	p.printf("\n")
}

func (p *printer) moves(ms []reconcile.Move) {
	for _, m := range ms {
		p.printf("  move %s %s %s: %s -> %s, %d rows %s", p.caseNo(m.CaseID), m.Leg, m.Side, cmp.Or(string(m.From), "-"), cmp.Or(string(m.To), "-"),
			m.Rows, txn.FormatAmount(m.Amount, m.Currency))
		if m.Cause != "" {
			p.printf(", by %s", p.by(m.Cause))
		}
		p.printf("\n")
	}
}

// by replaces the place of a row in what cleared a case by the row's name.
func (p *printer) by(text string) string {
	text, more, cut := strings.Cut(text, ";")
	if pass, at, ok := strings.Cut(text, " "); ok {
		if i := strings.LastIndexByte(at, ':'); i >= 0 {
			n, _ := strconv.Atoi(at[i+1:])
			text = pass + " " + p.row(reconcile.Ref{Member: at[:i], Line: n})
		}
	}
	if cut {
		text += ";" + more
	}
	return text
}

func (p *printer) sides(sums []reconcile.SideSum) {
	for _, s := range sums {
		state := string(s.State)
		if s.Reason != "" {
			state += " " + string(s.Reason)
		}
		p.printf("  %s %s %s: %d %s %s", s.Leg, s.Side, strings.TrimSpace(s.Source+" "+s.Slot), s.Rows, state, txn.FormatAmount(s.Amount, s.Currency))
		if s.CarriedIn > 0 {
			p.printf(" (%d carried)", s.CarriedIn)
		}
		p.printf("\n")
	}
}

func (p *printer) proof(q *reconcile.Proof) {
	id := cmp.Or(q.PayoutID, strings.TrimSpace(q.MID+" "+q.Channel))
	p.printf("  payout %s of %s: %s %s", id, q.From, q.Basis, txn.FormatAmount(q.Expected, q.Currency))
	p.printf(", %s", strings.TrimSpace(string(q.State)+" "+string(q.Reason)))
	if q.Due != 0 {
		p.printf(", due %s", q.Due)
	}
	if q.Credit.Valid {
		p.printf(", by %s %s", q.Pass, p.row(q.CreditAt))
	}
	if q.Group > 0 {
		p.printf(", group %d", q.Group)
	}
	if q.Remainder != 0 {
		p.printf(", remainder %s", txn.FormatAmount(q.Remainder, q.Currency))
	}
	p.printf("\n")
}

// checkBook demands what must hold for every book, whatever it says.
func checkBook(t testing.TB, b *book, d *scriptDay, before *book) {
	t.Helper()
	used := map[reconcile.Ref]bool{}
	for _, m := range b.pairs {
		r, _ := b.refs(m)
		r.Delivery, r.SHA256 = "", ""
		if used[r] {
			t.Errorf("%s: row %v:%d matched twice", b.date, r, r.Line)
		}
		used[r] = true
	}
	checkConservation(t, b, d)
	checkRoll(t, b, before)
	checkMembers(t, b)
	for _, s := range b.out.Payouts {
		if s.Remainder != 0 {
			t.Errorf("%s: tie-out of %s leaves %d", b.date, s.Acquirer, s.Remainder)
		}
	}
	for _, q := range b.out.Proofs {
		parts := q.Sales + q.Refunds - q.Fees + q.Adjust + q.Reserve + q.Carried + q.Rounding
		if parts != txn.FineOf(q.Expected, q.Currency) {
			t.Errorf("%s: parts of payout %s %s make %s, expected %s", b.date, q.PayoutID, q.MID, parts.Format(q.Currency), txn.FormatAmount(q.Expected, q.Currency))
		}
	}
	if before != nil {
		closing, carried := openRows(before.out), 0
		for _, s := range b.out.Sides {
			if s.Leg == reconcile.LegTA {
				carried += int(s.CarriedIn)
			}
		}
		for _, m := range b.out.Moves {
			if m.Leg == reconcile.LegTA && m.Cause == "reopened" {
				closing += int(m.Rows)
			}
		}
		// What was closed may come back and settle on the same day.
		if carried < closing || carried > closing+len(before.carry.Closed) {
			t.Errorf("%s: %d rows of leg T-A were open the day before, %d are carried in", b.date, closing, carried)
		}
	}
}

// checkMembers demands that every line says what it is about, and every move whose it is.
func checkMembers(t testing.TB, b *book) {
	t.Helper()
	for _, l := range b.out.Lines {
		if len(l.Members) == 0 || l.CaseID == "" {
			t.Errorf("%s: line %s of case %q has members %v", b.date, l.Class, l.CaseID, l.Members)
		}
		if !slices.IsSortedFunc(l.Members, func(a, b reconcile.Member) int { return strings.Compare(a.Key, b.Key) }) {
			t.Errorf("%s: members of %s are not sorted: %v", b.date, l.Class, l.Members)
		}
		for _, m := range l.Members {
			if m.Key == "" || m.Facts == "" {
				t.Errorf("%s: a member of %s is %+v", b.date, l.Class, m)
			}
		}
	}
	for _, m := range b.out.Moves {
		if m.CaseID == "" || m.From == m.To {
			t.Errorf("%s: move %+v", b.date, m)
		}
	}
}

func openRows(o *reconcile.Outcome) (n int) {
	for _, s := range o.Sides {
		if s.Leg == reconcile.LegTA && (s.State == reconcile.InWindow || s.State == reconcile.Exception) {
			n += int(s.Rows)
		}
	}
	return n
}

// checkConservation counts the rows of the script itself and compares them with the six states.
func checkConservation(t testing.TB, b *book, d *scriptDay) {
	t.Helper()
	type key struct {
		leg  reconcile.Leg
		slot string
		cur  txn.Currency
	}
	type sum struct {
		rows, amount int64
		fee          txn.Fine
	}
	want, got := map[key]sum{}, map[key]sum{}
	put := func(leg reconcile.Leg, s *scriptSlot, r *txn.Row) {
		k := key{leg, s.Source + "|" + s.Key, r.Currency}
		v := want[k]
		want[k] = sum{v.rows + 1, v.amount + r.Amount, v.fee + r.Fee}
	}
	for _, s := range d.slots {
		if len(s.raw) > 0 || s.Late != nil {
			continue // counted without a currency of their own, or with rows of the carry
		}
		for _, r := range s.rows {
			if r.Side != txn.Bank && r.Kind.Transaction() {
				put(reconcile.LegTA, s, r)
			}
			if r.Side != txn.Terminal {
				put(reconcile.LegAB, s, r)
			}
		}
	}
	for _, s := range b.out.Sides {
		if s.CarriedIn > 0 {
			continue
		}
		k := key{s.Leg, s.Source + "|" + s.Slot, s.Currency}
		if _, ok := want[k]; !ok {
			continue
		}
		v := got[k]
		got[k] = sum{v.rows + s.Rows, v.amount + s.Amount, v.fee + s.Fee}
	}
	for k, w := range want {
		if got[k] != w {
			t.Errorf("%s: %v: read %+v, in the six states %+v", b.date, k, w, got[k])
		}
	}
}

// checkRoll demands opening + new - cleared + reclassified = closing, and that the day opens with what the last closed.
func checkRoll(t testing.TB, b *book, before *book) {
	t.Helper()
	type key struct {
		leg   reconcile.Leg
		side  txn.Side
		class reconcile.Class
		cur   txn.Currency
	}
	closing := map[key]reconcile.Figure{}
	if before != nil {
		for _, r := range before.out.Roll {
			if r.Closing.Rows != 0 {
				closing[key{r.Leg, r.Side, r.Class, r.Currency}] = r.Closing
			}
		}
	}
	for _, r := range b.out.Roll {
		k := key{r.Leg, r.Side, r.Class, r.Currency}
		if r.Opening.Rows+r.New.Rows-r.Cleared.Rows+r.Reclassified.Rows != r.Closing.Rows ||
			r.Opening.Amount+r.New.Amount-r.Cleared.Amount+r.Reclassified.Amount != r.Closing.Amount {
			t.Errorf("%s: roll-forward of %v does not add up: %+v", b.date, k, r)
		}
		if r.Opening != closing[k] {
			t.Errorf("%s: %v opens with %+v, closed with %+v", b.date, k, r.Opening, closing[k])
		}
		delete(closing, k)
	}
	for k, f := range closing {
		t.Errorf("%s: %v closed with %+v the day before and is gone", b.date, k, f)
	}
}
