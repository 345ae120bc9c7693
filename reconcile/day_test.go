package reconcile_test

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

func TestALostRowStopsTheRun(t *testing.T) {
	s := parseScript(randomRegister + "\n== one pair\nday 2026-01-06\nT pos\n  row time amount rrn\n  t1 09:00 12.00 1\nA ums\n  row time amount rrn\n  a1 09:00 12.00 1\n----\n")[0]
	set := s.setup(t, s.days[0])
	stages := []string{}
	set.Fault = func(stage string, d *reconcile.Day) {
		stages = append(stages, stage)
		d.LoseRow()
	}
	b, err := s.try(t, set, s.days[0], nil, nil)
	var broken *reconcile.ConservationError
	if !errors.As(err, &broken) {
		t.Fatalf("Run returned %v", err)
	}
	if b.out != nil || b.carry != nil || len(b.pairs) > 0 || b.ev.asked > 0 {
		t.Error("a broken run published something")
	}
	if broken.Leg != reconcile.LegTA || broken.What != "rows" || broken.Read != 1 || broken.Told != 0 || !strings.Contains(err.Error(), "pos 2026-01-06") {
		t.Errorf("the error does not say what was lost: %v", err)
	}
	if len(stages) == 0 {
		t.Error("the fault was never called")
	}
}

func TestCarryRefusesWhatItDoesNotKnow(t *testing.T) {
	s := randomDay(3, mustDate("2026-01-06"))
	b := s.run(t, s.days[0], nil, nil)
	text := string(carryBytes(t, b.carry))
	for _, x := range []struct{ name, from, to, want string }{
		{"a newer version", `{"carry":2,`, `{"carry":3,`, "newer than this program"},
		{"no version", `{"carry":2,`, `{"carry":0,`, "version 0"},
		{"a field of an item", `"Acquirer":`, `"Later":1,"Acquirer":`, "Later"},
		{"a field of a row", `"row":{`, `"row":{"later":"1",`, "later"},
		{"a kind of line", `"kind":"item"`, `"kind":"dream"`, "dream"},
		{"a date that does not exist", `2026-01-06"}`, `2026-02-30"}`, "2026-02-30"},
		{"an empty file", text, "", "empty"},
		{"a line cut short", text, text[:len(text)-20], ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			bad := strings.Replace(text, x.from, x.to, 1)
			if bad == text {
				t.Fatalf("nothing to replace: %s", x.from)
			}
			if _, err := reconcile.DecodeCarry([]byte(bad), nil); err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("got %v, want an error that names %q", err, x.want)
			}
		})
	}
}

func TestAliasIsTheIDThatTheOtherRowHadAlone(t *testing.T) {
	const rows = "A ums\n  row time amount rrn\n  a1 09:00 12.00 1\n"
	const sale = "T pos\n  row time amount rrn\n  t1 09:00 15.00 1\n"
	alone := parseScript(randomRegister + "\n== x\nday 2026-01-06\nT pos\n" + rows + "----\n")[0]
	both := parseScript(randomRegister + "\n== x\nday 2026-01-06\n" + sale + rows + "----\n")[0]
	one, two := alone.run(t, alone.days[0], nil, nil), both.run(t, both.days[0], nil, nil)
	find := func(b book, c reconcile.Class) reconcile.Line {
		i := slices.IndexFunc(b.out.Lines, func(l reconcile.Line) bool { return l.Class == c })
		if i < 0 {
			t.Fatalf("no %s in %s", c, printed(alone, &b))
		}
		return b.out.Lines[i]
	}
	t03, t04 := find(one, reconcile.T03), find(two, reconcile.T04)
	if t03.CaseID == t04.CaseID || t03.CaseID != t04.Alias {
		t.Errorf("T03 was case %s; T04 is case %s, alias %s", t03.CaseID, t04.CaseID, t04.Alias)
	}
	if len(t03.CaseID) != len("C-XXXX-XXXX-XXXX-XXXX") || cmp.Compare(t03.CaseID[:2], "C-") != 0 {
		t.Errorf("odd case id %s", t03.CaseID)
	}
}

func TestHintsDoNotDependOnTheOrderOfAdd(t *testing.T) {
	s := parseScript(randomRegister + `
== x
day 2026-01-06
T pos
  row time  amount kind   auth  tail
  t1  09:00 13.00  sale   A0001 1234
  t2  09:05 14.00  sale   A0001 1234
A ums
  row time  amount kind   auth  tail
  a1  09:00 12.00  sale   A0001 1234
----
`)[0]
	one := s.run(t, s.days[0], nil, nil)
	two := s.run(t, s.days[0], nil, func(int) []int { return []int{2, 1, 0} })
	if printed(s, &one) != printed(s, &two) {
		t.Error("which of several near rows is shown first follows the order of Add")
	}
}

func TestPartsOfAPayoutAreOrderedByData(t *testing.T) {
	s := parseScript(randomRegister + "\n== x\nday 2026-01-06\nT pos\nA ums a\n  row time amount\n  a1 09:00 12.00\nA ums b\n  row time amount\n  a2 10:00 13.00\n----\n")[0]
	one := s.run(t, s.days[0], nil, nil)
	two := s.run(t, s.days[0], nil, func(int) []int { return []int{1, 0} })
	if !bytes.Equal(carryBytes(t, one.carry), carryBytes(t, two.carry)) {
		t.Error("the parts of a payout stand in the order of Add")
	}
}

func TestCandidatesCouldBePartners(t *testing.T) {
	s := parseScript(randomRegister + `
== x
day 2026-01-06
T pos
  row time  amount auth  tail rrn
  t1  09:00 12.00  A0001 1234 -
  t2  09:10 12.00  A0001 1234 -
A ums
  row time  amount auth  tail mid tid
  a1  09:00 12.00  A0001 1234 M1  -
  a2  09:00 12.00  A0001 1234 M2  -
----
`)[0]
	b := s.run(t, s.days[0], nil, nil)
	for _, l := range b.out.Lines {
		if l.Class == reconcile.T28 && l.Row.Side == txn.Terminal && len(l.Candidates) != 1 {
			t.Error("candidates of T28 include rows of another merchant, which no pass could join")
		}
	}
}

func TestOfTwoThatUndoOneSaleTheDataDecides(t *testing.T) {
	s := parseScript(randomRegister + `
== x
day 2026-01-06
T pos
A ums
  row time  amount kind     stan
  a1  09:00 12.00  sale     7
  a2  09:10 -12.00 void     7
  a3  09:20 -12.00 reversal 7
----
`)[0]
	one := s.run(t, s.days[0], nil, nil)
	two := s.run(t, s.days[0], nil, func(int) []int { return []int{2, 1, 0} })
	if printed(s, &one) != printed(s, &two) {
		t.Error("which of two rows that undo one sale is explained follows the order of Add")
	}
}

func TestAVoidOfAnotherAmountExplainsNothing(t *testing.T) {
	s := parseScript(randomRegister + `
== x
day 2026-01-06
T pos
A ums
  row time  amount kind stan
  a1  09:00 12.00  sale 7
  a2  09:10 -5.00  void 7
----
`)[0]
	b := s.run(t, s.days[0], nil, nil)
	for _, x := range b.out.Sides {
		if x.State == reconcile.Explained && x.Leg == reconcile.LegTA && x.Amount != 0 {
			t.Error("a sale and a void of unequal amounts are explained as voided, and the rest of the money with them")
		}
	}
}

func TestDueDateIsLookedUpAgainOnceTheRegisterKnowsIt(t *testing.T) {
	const day1 = "day 2026-01-05\nA ums\n  row kind amount mid\n  a1 adjustment 100.00 M4\nB bank\n"
	const merchants = "merchant M1 ums\nmerchant M4 ums\npayer 银联商务 ums\ncontract M1 * T+1 cn account=ACC\n"
	without := parseScript(merchants + "\n== x\n" + day1 + "----\n")[0]
	with := parseScript(merchants + "contract M4 * T+1 cn account=ACC\n\n== x\nday 2026-01-08\nA ums\nB bank\n----\n")[0]
	first := without.run(t, without.days[0], nil, nil)
	second := with.run(t, with.days[0], throughFile(t, first.carry), nil)
	if !slices.ContainsFunc(second.out.Lines, func(l reconcile.Line) bool { return l.Class == reconcile.B02 }) {
		t.Error("a payout whose contract was missing on its first day is never due")
	}
}

// Stored keys and printed case ids depend on these bytes: a change here breaks every installation's history.
func TestKeysNeverChange(t *testing.T) {
	r := &txn.Row{Side: txn.Terminal, Kind: txn.Sale, Time: txn.Time{Unix: 1767600000, Offset: 28800}, Amount: 1200, Currency: txn.CNY}
	r.Set(txn.MID, []byte("M1"))
	r.Set(txn.RRN, []byte("000123"))
	for name, c := range map[string]struct{ got, want string }{
		"row key":      {reconcile.RowKey("pos", r, 0), "3424733352663e1f9bcab88a3fa2effb"},
		"second equal": {reconcile.RowKey("pos", r, 1), "1d318f12e2b356a3818da597c2f02682"},
		"facts digest": {reconcile.FactsDigest(r), "2d21b70593cdf1f3776ddcf776901815"},
		"case id":      {reconcile.CaseID("T-A", "k"), "C-5NSK-BCWZ-B5ZD-3GRM"},
	} {
		if c.got != c.want {
			t.Errorf("%s is %s, want %s", name, c.got, c.want)
		}
	}
}
