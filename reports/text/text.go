// Package text is the catalogue of every word that reports show to people, in Chinese and in English.
//
// What a class means, its likely causes, the next action and the names of owners, states, sheets and columns all live
// here, so that exceptions.csv, the workbook and later surfaces speak with one voice. Nothing in this package decides
// anything: causes are chosen by package reconcile and only worded here. A cause is an inference, and its wording says so
// by naming the signal that led to it.
//
// Every entry exists in both languages; a test fails on the first one that does not.
package text

import (
	"strings"

	"daozhang/reconcile"
)

// Lang is a language of reports.
type Lang string

// The two languages of reports.
const (
	ZhCN Lang = "zh-CN"
	En   Lang = "en"
)

// ParseLang reads zh-CN, zh, cn or en in either case; anything else is false.
func ParseLang(s string) (Lang, bool) {
	switch strings.ToLower(strings.ReplaceAll(s, "_", "-")) {
	case "zh-cn", "zh", "cn":
		return ZhCN, true
	case "en", "en-us", "en-gb":
		return En, true
	}
	return "", false
}

// Msg is one text in both languages.
type Msg struct{ Zh, En string }

// In returns the text in lang. Any language but English gives Chinese, the product's first one.
func (m Msg) In(lang Lang) string {
	if lang == En {
		return m.En
	}
	return m.Zh
}

// Empty reports whether the text is missing in both languages.
func (m Msg) Empty() bool { return m.Zh == "" && m.En == "" }

// Cause is one likely reason of a class. Why is the inference, Signal what in the data points to it.
type Cause struct {
	Code   string
	Why    Msg
	Signal Msg
}

// Entry is what is always said about a class.
type Entry struct {
	Class  reconcile.Class
	Name   Msg     // short name
	What   Msg     // what was found, one sentence
	Action Msg     // what the owner does next
	Causes []Cause // most likely first; the first one stands where reconcile names none
}

// ClassEntry returns what is said about a class. An unknown class gets an entry that shows its code.
func ClassEntry(c reconcile.Class) Entry {
	for _, table := range [...][]Entry{fileClasses, terminalClasses, payoutClasses, bankClasses, processClasses} {
		for i := range table {
			if table[i].Class == c {
				return table[i]
			}
		}
	}
	return Entry{Class: c, Name: Msg{string(c), string(c)}, Causes: []Cause{{Code: "unknown",
		Why: Msg{"未收录的类别", "class without a description"}, Signal: Msg{"请查阅文档", "see the documentation"}}}}
}

// ClassName is the class's short name without its code.
func ClassName(c reconcile.Class, lang Lang) string { return ClassEntry(c).Name.In(lang) }

// Action is the next step for the class's owner.
func Action(c reconcile.Class, lang Lang) string { return ClassEntry(c).Action.In(lang) }

// CauseCode returns code where the class knows it, else the class's default cause.
func CauseCode(c reconcile.Class, code string) string { return cause(c, code).Code }

// CauseText words a cause as an inference with its signal. An empty or unknown code gives the class's default. detail
// holds figures and is added in brackets.
func CauseText(c reconcile.Class, code, detail string, lang Lang) string {
	k := cause(c, code)
	if detail == "announced" || detail == "derived" {
		detail = Basis(detail, lang)
	}
	if lang == En {
		s := "Likely: " + k.Why.En + " (signal: " + k.Signal.En
		if detail != "" {
			s += "; " + detail
		}
		return s + ")"
	}
	s := "可能：" + k.Why.Zh + "（依据：" + k.Signal.Zh
	if detail != "" {
		s += "；" + detail
	}
	return s + "）"
}

// CauseName is the inference alone, as lists by cause show it.
func CauseName(c reconcile.Class, code string, lang Lang) string { return cause(c, code).Why.In(lang) }

func cause(c reconcile.Class, code string) Cause {
	causes := ClassEntry(c).Causes
	for _, k := range causes {
		if k.Code == code {
			return k
		}
	}
	return causes[0]
}

// Severity names a severity from 0 to 4, with a symbol so that colour is never the only sign.
func Severity(n int, lang Lang) string {
	return severities[min(max(n, 0), len(severities)-1)].In(lang)
}

// Owner names who must act.
func Owner(o reconcile.Owner, lang Lang) string { return lookup(words, "owner."+string(o), lang) }

// State names one of the six states of a row.
func State(s reconcile.State, lang Lang) string { return lookup(words, "state."+string(s), lang) }

// Reason names why a row waits, or the rule that explains or excludes it.
func Reason(r reconcile.Reason, lang Lang) string { return lookup(words, "reason."+string(r), lang) }

// Status names the status of a line: open, in_window, explained, decided, cleared.
func Status(s string, lang Lang) string { return lookup(words, "status."+s, lang) }

// DecisionStatus names what a person said about a case.
func DecisionStatus(s reconcile.DecisionStatus, lang Lang) string {
	return lookup(words, "decision."+string(s), lang)
}

// InputKind names a kind of thing that became known between two revisions: late_file, register ...
func InputKind(s string, lang Lang) string { return lookup(words, "input."+s, lang) }

// CaseChange names how a case differs between two revisions: new, gone, class, amount, status, merged.
func CaseChange(s string, lang Lang) string { return lookup(words, "change."+s, lang) }

// MoveCause words what moved a case into, out of or between classes, given as a bare word: a rule's reason, a state, or
// one of due, evidence, reopened, announced. Anything else is shown as it is.
func MoveCause(s string, lang Lang) string {
	for _, family := range []string{"move.", "reason.", "state."} {
		if m, ok := words[family+s]; ok {
			return m.In(lang)
		}
	}
	return s
}

// RowChange names how a row differs between two versions of a file: added, removed, changed.
func RowChange(s string, lang Lang) string { return lookup(words, "rowchange."+s, lang) }

// Lifecycle names the step of a case's life.
func Lifecycle(l reconcile.Lifecycle, lang Lang) string {
	return lookup(words, "life."+string(l), lang)
}

// Verdict names a day's verdict; VerdictLine adds the sentence that explains it.
func Verdict(v reconcile.Verdict, lang Lang) string { return lookup(words, "verdict."+string(v), lang) }

// VerdictLine is one sentence on what the verdict means.
func VerdictLine(v reconcile.Verdict, lang Lang) string {
	return lookup(words, "verdictline."+string(v), lang)
}

// SlotState names the state of an expected file.
func SlotState(s reconcile.SlotState, lang Lang) string {
	return lookup(words, "slot."+string(s), lang)
}

// Leg names a leg.
func Leg(l reconcile.Leg, lang Lang) string { return lookup(words, "leg."+string(l), lang) }

// Side names a side given as T, A or B.
func Side(s string, lang Lang) string { return lookup(words, "side."+s, lang) }

// Kind names a kind of row given as in files: sale, refund ...
func Kind(s string, lang Lang) string { return lookup(words, "kind."+s, lang) }

// Channel names a channel given as in files: card, wechat ...
func Channel(s string, lang Lang) string { return lookup(words, "channel."+s, lang) }

// RowStatus names the outcome of a transaction given as in settings: approved, declined ...
func RowStatus(s string, lang Lang) string { return lookup(words, "rowstatus."+s, lang) }

// Field names a field of the neutral row given by its name in files: amount, terminal_id ...
func Field(s string, lang Lang) string { return lookup(words, "field."+s, lang) }

// Basis names how a payout is known: announced or derived.
func Basis(s string, lang Lang) string { return lookup(words, "basis."+s, lang) }

// Sheet names a sheet of the workbook by its key. Names keep to 31 characters and to what sheet names allow.
func Sheet(key string, lang Lang) string { return lookup(sheets, key, lang) }

// Heading names a column by its machine key.
func Heading(key string, lang Lang) string { return lookup(headings, key, lang) }

// Label is any other fixed text of a report by its key.
func Label(key string, lang Lang) string { return lookup(labels, key, lang) }

// Notes lists the sentences of the sheet that explains the book: pairs of a term and its meaning.
func Notes(lang Lang) [][2]string {
	out := make([][2]string, len(notes))
	for i, n := range notes {
		out[i] = [2]string{n[0].In(lang), n[1].In(lang)}
	}
	return out
}

// lookup falls back to the bare key, so that a value from outside the catalogue is shown as it is, not hidden.
func lookup(table map[string]Msg, key string, lang Lang) string {
	if m, ok := table[key]; ok {
		return m.In(lang)
	}
	if i := strings.IndexByte(key, '.'); i >= 0 {
		return key[i+1:]
	}
	return key
}
