package text

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"daozhang/reconcile"
)

var entries = [...][]Entry{fileClasses, terminalClasses, payoutClasses, bankClasses, processClasses}

func hasHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

func wantBoth(t *testing.T, where string, m Msg) {
	t.Helper()
	if m.Zh == "" || m.En == "" {
		t.Errorf("%s misses a language: %q / %q", where, m.Zh, m.En)
	}
	if hasHan(m.En) {
		t.Errorf("%s: the English text holds Chinese: %q", where, m.En)
	}
}

func TestEveryClassIsWordedOnceInBothLanguages(t *testing.T) {
	seen := map[reconcile.Class]int{}
	for _, table := range entries {
		for _, e := range table {
			seen[e.Class]++
			wantBoth(t, string(e.Class)+" name", e.Name)
			wantBoth(t, string(e.Class)+" what", e.What)
			wantBoth(t, string(e.Class)+" action", e.Action)
			if len(e.Causes) == 0 {
				t.Errorf("%s has no cause", e.Class)
			}
			codes := map[string]bool{}
			for _, c := range e.Causes {
				if codes[c.Code] || !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(c.Code) {
					t.Errorf("%s: cause code %q is doubled or not in snake case", e.Class, c.Code)
				}
				codes[c.Code] = true
				wantBoth(t, string(e.Class)+" cause "+c.Code, c.Why)
				wantBoth(t, string(e.Class)+" signal "+c.Code, c.Signal)
			}
		}
	}
	for _, c := range reconcile.Classes() {
		if seen[c.Class] != 1 {
			t.Errorf("%s is worded %d times, want once", c.Class, seen[c.Class])
		}
	}
	if len(seen) != len(reconcile.Classes()) {
		t.Errorf("%d classes are worded, the product has %d", len(seen), len(reconcile.Classes()))
	}
}

func TestEveryWordIsInBothLanguages(t *testing.T) {
	for name, table := range map[string]map[string]Msg{"words": words, "sheets": sheets, "headings": headings, "labels": labels} {
		for key, m := range table {
			wantBoth(t, name+"."+key, m)
			if strings.Count(m.Zh, "%") != strings.Count(m.En, "%") {
				t.Errorf("%s.%s takes different figures in its languages", name, key)
			}
		}
	}
	for i, m := range severities {
		wantBoth(t, "severity "+string(rune('0'+i)), m)
	}
	for _, n := range notes {
		wantBoth(t, "note", n[0])
		wantBoth(t, "note", n[1])
	}
}

func TestEveryValueOfTheCoreHasAWord(t *testing.T) {
	for _, key := range []string{
		"owner." + string(reconcile.OwnStore), "owner." + string(reconcile.OwnAcquirer), "owner." + string(reconcile.OwnBank),
		"owner." + string(reconcile.OwnFinance), "owner." + string(reconcile.OwnSystem), "owner.",
		"state." + string(reconcile.Matched), "state." + string(reconcile.InWindow), "state." + string(reconcile.Exception),
		"state." + string(reconcile.Explained), "state." + string(reconcile.Excluded), "state." + string(reconcile.Rejected),
		"reason." + string(reconcile.NotDue), "reason." + string(reconcile.EvidenceNotDue),
		"reason." + string(reconcile.EvidenceMissing), "reason." + string(reconcile.FeedHeld),
		"reason." + string(reconcile.VoidedPair), "reason." + string(reconcile.NeverCleared),
		"reason." + string(reconcile.CarriedNegative), "reason." + string(reconcile.Declined),
		"reason." + string(reconcile.DuplicateUpload), "reason." + string(reconcile.SecondWitness),
		"reason." + string(reconcile.BeforeGoLive), "reason." + string(reconcile.Unrelated), "reason." + string(reconcile.NoMoney),
		"reason." + string(reconcile.DecidedAccepted), "reason." + string(reconcile.DecidedWritten), "reason." + string(reconcile.DecidedWrong),
		"decision." + string(reconcile.Accepted), "decision." + string(reconcile.WrittenOff), "decision." + string(reconcile.Disputed),
		"decision." + string(reconcile.Waiting), "decision." + string(reconcile.Wrong), "decision." + string(reconcile.Reopened),
		"input.late_file", "input.new_file", "input.corrected_file", "input.withdrawn_file", "input.slot_state", "input.decision",
		"input.register", "input.carry", "input.lookup", "input.config", "input.program", "change.new", "change.gone", "change.class",
		"change.amount", "change.status", "change.merged", "rowchange.added", "rowchange.removed", "rowchange.changed",
		"life." + string(reconcile.CaseNew), "life." + string(reconcile.CaseOpen), "life." + string(reconcile.CaseReopened),
		"life." + string(reconcile.CaseCleared), "status.open", "status.in_window", "status.explained", "status.decided",
		"status.cleared", "verdict." + string(reconcile.Balanced), "verdictline." + string(reconcile.Balanced),
		"verdict." + string(reconcile.Differences), "verdictline." + string(reconcile.Differences),
		"verdict." + string(reconcile.Incomplete), "verdictline." + string(reconcile.Incomplete),
		"verdict." + string(reconcile.Preliminary), "verdictline." + string(reconcile.Preliminary),
		"slot." + string(reconcile.SlotNotDue), "slot." + string(reconcile.SlotMissing), "slot." + string(reconcile.SlotReceived),
		"slot." + string(reconcile.SlotReceivedEmpty), "leg." + string(reconcile.LegTA), "leg." + string(reconcile.LegAB),
	} {
		if _, ok := words[key]; !ok {
			t.Errorf("the catalogue has no word for %s", key)
		}
	}
}

func TestChineseIsPunctuatedAsChinese(t *testing.T) {
	half := regexp.MustCompile(`\p{Han}[,;:]|[,;:]\p{Han}`)
	check := func(where string, m Msg) {
		if s := half.FindString(m.Zh); s != "" {
			t.Errorf("%s: half-width punctuation at %q", where, s)
		}
	}
	for key, m := range labels {
		check(key, m)
	}
	for _, table := range entries {
		for _, e := range table {
			check(string(e.Class), e.What)
			check(string(e.Class), e.Action)
		}
	}
}

func TestAnUnknownCauseFallsBackToTheMostLikelyOne(t *testing.T) {
	for _, tt := range []struct{ code, want string }{{"", "reply_lost"}, {"nonsense", "reply_lost"}, {"wrong_mid", "wrong_mid"}} {
		if got := CauseCode(reconcile.T02, tt.code); got != tt.want {
			t.Errorf("cause %q of T02 is %s, want %s", tt.code, got, tt.want)
		}
	}
	got := CauseText(reconcile.T04, "one_fen", "0.01", En)
	if want := "Likely: rounding by one fen (signal: differs by 0.01; 0.01)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if e := ClassEntry("Z99"); e.Name.En != "Z99" || len(e.Causes) == 0 {
		t.Errorf("an unknown class is shown as %+v", e)
	}
}

func TestWhatMovedACaseIsWorded(t *testing.T) {
	for in, want := range map[string]string{"due": "came due", "not_due": "not due", "matched": "matched", "": "", "P2 a.csv:3": "P2 a.csv:3"} {
		if got := MoveCause(in, En); got != want {
			t.Errorf("%q is worded %q, want %q", in, got, want)
		}
	}
}

func TestSheetNamesFitASpreadsheet(t *testing.T) {
	for key, m := range sheets {
		for _, s := range []string{m.Zh, m.En} {
			if len([]rune(s)) > 24 || strings.ContainsAny(s, `[]:*?/\'`) {
				t.Errorf("sheet %s: %q is no sheet name that leaves room for a part number", key, s)
			}
		}
	}
}
