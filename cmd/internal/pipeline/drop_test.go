package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"daozhang/fixtures"
	"daozhang/parsers/txn"
)

// TestDroppedFile takes each file of a day away in turn. The book of that day must then hold one F01 more, with the rows
// and the amount that have their only partner in the file; the exceptions that needed the file are gone; credits of its
// payouts are held, not unknown; every other line is the same to the byte. DAOZHANG_DROP=all does it for all days.
func TestDroppedFile(t *testing.T) {
	opt := fixtures.Options{Seed: 3, Scale: 0.1}
	base := newBooks(t, opt)
	base.runAll()
	truth := base.world.Truth()
	for _, f := range truth.Files {
		if f.Absent || f.Date != "2026-01-04" && os.Getenv("DAOZHANG_DROP") != "all" {
			continue
		}
		t.Run(f.Date+" "+f.Source+" "+f.Slot, func(t *testing.T) {
			d, err := txn.ParseDate(f.Date)
			if err != nil {
				t.Fatal(err)
			}
			b := newBooks(t, opt)
			if err := os.Remove(filepath.Join(b.root, "inbox", f.Source, f.Name)); err != nil {
				t.Fatal(err)
			}
			b.run(b.world.Days()[0], d)
			compareDropped(t, f, truth, base.lines(d), b.lines(d))
		})
	}
}

func compareDropped(t *testing.T, f fixtures.FileFact, truth fixtures.Truth, before, after []line) {
	t.Helper()
	text := func(l line) string {
		var b strings.Builder
		for _, k := range slices.Sorted(keysOf(l)) {
			if k != "revision" {
				fmt.Fprintf(&b, "%s=%s\x1f", k, l[k])
			}
		}
		return b.String()
	}
	had, has := map[string]bool{}, map[string]bool{}
	for _, l := range before {
		had[text(l)] = true
	}
	for _, l := range after {
		has[text(l)] = true
	}
	cleared := map[string]bool{}
	for _, l := range before {
		cleared[l["case_id"]] = cleared[l["case_id"]] || l["lifecycle"] == "cleared"
	}
	want := held{side: f.Side, partners: f.Partners, rows: f.Partners, fen: f.Amount}
	for _, l := range before {
		if has[text(l)] || l["class"] == "F01" && l["source"] != f.Source {
			continue // what waits for another missing file too is counted there or here
		}
		want.wait(t, l)
		if !slices.ContainsFunc(truth.Faults, func(x fixtures.Fault) bool {
			return slices.Contains(f.Faults, x.ID) && x.Class == l["class"] && sameThing(x, l)
		}) && !proves(f, l) {
			t.Errorf("gone, though its evidence is elsewhere: %s %s %s", l["class"], l["lifecycle"], short(l))
		}
	}
	missing := 0
	for _, l := range after {
		switch {
		case had[text(l)]:
		case l["class"] == "F01" && l["source"] == f.Source && l["lifecycle"] == "new":
			missing++
			if f.Side != "B" {
				want.check(t, l)
			}
		case l["class"] == "F01" && l["source"] != f.Source:
		case cleared[l["case_id"]]: // it would have been cleared by this file
		default:
			t.Errorf("new or changed line: %s %s", l["class"], short(l))
		}
	}
	if missing != 1 {
		t.Errorf("%d F01 for the file, want 1", missing)
	}
}

// proves reports whether the file is the evidence that a waiting row was not yet cleared on its own clearing day.
func proves(f fixtures.FileFact, l line) bool {
	switch {
	case l["lifecycle"] == "cleared":
		return strings.Contains(l["other_file"], f.Name) || strings.Contains(l["cleared_by"], f.Name)
	case f.Side == "B": // that a payout is still not there says each day's statement
		return l["class"] == "B02"
	}
	return f.Side == "A" && (l["class"] == "T01" || l["class"] == "T02") && l["other_file"] == ""
}

// held is what must wait for the file: the rows that have their only partner in it, and those that seemed to have none
// because they are not in it.
type held struct {
	side     string // of the file
	partners int    // rows elsewhere that have their only partner in it
	rows     int
	fen      int64
}

func (h *held) wait(t *testing.T, l line) {
	t.Helper()
	column := "amount" // a line of a terminal row has it, one of an acquirer or bank row only what was found
	if l["amount"] == "" {
		column = "other_amount"
	}
	terminal := l["amount"] != "" && l["leg"] == "T-A"
	sign := 1
	if l["lifecycle"] == "cleared" { // it stays the exception that it was
		if l["class"] != "T02" {
			return
		}
		sign = -1
	}
	switch l["class"] {
	case "B08": // a credit is the same money as the rows, except where the file only announces payouts
		if h.partners > 0 {
			return
		}
	case "T01", "T02", "T03", "T07", "T08", "T09", "T14", "T15":
		if terminal == (h.side == "T") { // the row stood in the file itself
			return
		}
	default:
		return
	}
	fen, err := txn.ParseAmount(l[column], txn.CNY)
	if err != nil {
		t.Fatal(err)
	}
	h.rows += sign
	h.fen += int64(sign) * fen
}

func (h *held) check(t *testing.T, l line) {
	t.Helper()
	if want := strconv.Itoa(max(h.rows, 1)); l["rows"] != want {
		t.Errorf("F01 holds %s rows, want %s", l["rows"], want)
	}
	if want := txn.FormatAmount(h.fen, txn.CNY); l["amount"] != want {
		t.Errorf("F01 holds %s, want %s", l["amount"], want)
	}
}
