package pipeline

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"daozhang/fixtures"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// TestTruth runs generated days and compares every line of every day's book with what was planted: all found, nothing
// else, no trap reported. DAOZHANG_SEEDS=10 runs ten seeds at full scale and prints the table.
func TestTruth(t *testing.T) {
	seeds, scale := 2, 0.25
	if n, err := strconv.Atoi(os.Getenv("DAOZHANG_SEEDS")); err == nil {
		seeds, scale = n, 1
	}
	total := map[string]*score{}
	traps, sprung := map[string]int{}, map[string]int{}
	for seed := 1; seed <= seeds; seed++ {
		b := newBooks(t, fixtures.Options{Seed: uint64(seed), Scale: scale})
		b.runAll()
		truth := b.world.Truth()
		for _, d := range b.world.Days() {
			compareDay(t, fmt.Sprintf("seed %d, %s", seed, d), truth, d, b.lines(d), total, sprung)
		}
		for _, tr := range truth.Traps {
			traps[tr.Kind]++
		}
	}
	for _, c := range slices.Sorted(keysOf(total)) {
		s := total[c]
		t.Logf("%-4s planted %4d  found %4d  false %d", c, s.planted, s.found, s.wrong)
	}
	for _, k := range slices.Sorted(keysOf(traps)) {
		t.Logf("trap %-45s planted %3d  reported %d", k, traps[k], sprung[k])
	}
}

func keysOf[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

type score struct{ planted, found, wrong int }

// oneDay are findings: they are said on the day on which their row came, and not again.
var oneDay = []string{"P01", "P02", "P08", "B06", "T10", "T13", "T30", "T34", "F04", "F08"}

// compareDay matches the live lines of a book with the faults that must show on that day.
func compareDay(t *testing.T, where string, truth fixtures.Truth, d txn.Date, lines []line, total map[string]*score, sprung map[string]int) {
	t.Helper()
	used := make([]bool, len(lines))
	for i, l := range lines {
		used[i] = l["lifecycle"] == string(reconcile.CaseCleared)
	}
	today := d.String()
	for _, f := range truth.Faults {
		if f.Shows > today || slices.Contains(oneDay, f.Class) && f.Shows != today || f.Clears != "" && f.Clears <= today || f.Class == "F04" {
			continue
		}
		s := total[f.Class]
		if s == nil {
			s = &score{}
			total[f.Class] = s
		}
		s.planted++
		i := slices.IndexFunc(lines, func(l line) bool { return l["class"] == f.Class && sameThing(f, l) })
		for i >= 0 && used[i] {
			j := slices.IndexFunc(lines[i+1:], func(l line) bool { return l["class"] == f.Class && sameThing(f, l) })
			if j < 0 {
				i = -1
				break
			}
			i += 1 + j
		}
		if i < 0 {
			t.Errorf("%s: %s %s not found: %+v", where, f.Class, f.ID, f)
			continue
		}
		used[i] = true
		s.found++
		checkAmounts(t, where, f, lines[i])
	}
	for i, l := range lines {
		if !used[i] {
			t.Errorf("%s: %s is false: %v", where, l["class"], short(l))
			if total[l["class"]] == nil {
				total[l["class"]] = &score{}
			}
			total[l["class"]].wrong++
			for _, tr := range truth.Traps {
				if slices.ContainsFunc(tr.Keys, func(k string) bool {
					return k == l["rrn"] || k == l["order_no"] || k == l["bank_ref"] || k == l["trace_no"]
				}) {
					sprung[tr.Kind]++
				}
			}
		}
		if due := l["due_date"]; due > today && l["status"] == "open" && strings.Contains("T02 T14 B02", l["class"]) {
			t.Errorf("%s: %s calls money missing that is due on %s", where, l["class"], due)
		}
	}
}

// sameThing reports whether a line is about a fault, by whatever identifies it.
func sameThing(f fixtures.Fault, l line) bool {
	trim := func(s string) string { return strings.TrimLeft(s, "0") }
	switch {
	case f.Kind == "file":
		return l["source"] == f.Source && (f.Rows == 0 || l["rows"] == strconv.Itoa(f.Rows) || f.Class != "F08")
	case f.RRN != "" && trim(f.RRN) == trim(l["rrn"]), f.BankRef != "" && f.BankRef == l["bank_ref"],
		f.OrderNo != "" && f.OrderNo == l["order_no"] && (f.RefundNo == "" || f.Kind == l["kind"]),
		f.PayoutID != "" && f.PayoutID == l["payout_id"] && (f.BankRef == "" || f.BankRef == l["bank_ref"]):
		return true
	case f.TraceNo != "" && trim(f.TraceNo) == trim(l["trace_no"]) && strings.HasPrefix(f.Time, l["txn_time"]):
		return true
	case f.Kind == "payout":
		return f.PayoutID == "" && f.BankRef == "" && f.Merchant == l["merchant_id"] && f.Planted == l["settle_date"]
	}
	return false
}

// checkAmounts compares what the line says was expected and found with what was planted.
func checkAmounts(t *testing.T, where string, f fixtures.Fault, l line) {
	t.Helper()
	want := func(column string, fen *int64) {
		if fen == nil || f.Kind == "file" || f.Class == "P02" || l[column] == "" {
			return
		}
		if got := l[column]; got != txn.FormatAmount(*fen, txn.CNY) {
			t.Errorf("%s: %s %s: %s is %s, want %s", where, f.Class, f.ID, column, got, txn.FormatAmount(*fen, txn.CNY))
		}
	}
	want("amount", f.Amount)
	if strings.Contains("T04 T05 B03 B04 P01 B13", f.Class) {
		want("other_amount", f.Other)
		if l["other_amount"] == "" {
			t.Errorf("%s: %s %s names no amount found", where, f.Class, f.ID)
		}
	}
	if f.Class == "P02" && (l["amount"] != f.Fee || l["other_amount"] != f.FeeCharged) {
		t.Errorf("%s: P02 %s: fee %s against %s, want %s against %s", where, f.ID, l["amount"], l["other_amount"], f.Fee, f.FeeCharged)
	}
}

func short(l line) string {
	var out []string
	for _, k := range []string{"case_id", "source", "merchant_id", "store_id", "terminal_id", "trace_no", "rrn", "order_no", "kind", "amount",
		"other_amount", "txn_time", "settle_date", "due_date", "payout_id", "bank_ref", "near_pass", "differs", "file", "line"} {
		if l[k] != "" {
			out = append(out, k+"="+l[k])
		}
	}
	return strings.Join(out, " ")
}

// TestFaultDays runs the small worlds in which one file is wrong: its class and no other shows, on its day.
func TestFaultDays(t *testing.T) {
	days, err := fixtures.FaultDays(7)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range days {
		t.Run(fd.Name, func(t *testing.T) {
			b := &books{t: t, root: t.TempDir(), now: newBooksNow}
			if err := fd.WriteAll(b.root); err != nil {
				t.Fatal(err)
			}
			b.load()
			days := fd.Days()
			b.run(days[0], days[len(days)-1])
			for _, d := range days {
				var found []string
				for _, l := range b.lines(d) {
					if c := l["class"]; (c[0] == 'F' || c[0] == 'X') && l["lifecycle"] == "new" {
						found = append(found, c+" "+l["source"])
					} else if l["status"] == "open" && c[0] != 'F' && c[0] != 'X' {
						t.Errorf("%s: %s shows though only a file is wrong: %s", d, c, short(l))
					}
				}
				var want []string
				if d == fd.FaultDate() && fd.Class != "F04" {
					want = []string{fd.Class + " " + fd.Source}
				}
				if !slices.Equal(found, want) {
					t.Errorf("%s: found %v, want %v", d, found, want)
				}
			}
		})
	}
}
