package reports

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"daozhang/parsers/txn"
	"daozhang/reports/text"
)

// TestLibreOfficeComputesEveryTotalAlike takes the cached values out of workbooks, so that a spreadsheet must compute
// each formula itself, and compares the results with what the program had written beside them. Six books as a rule,
// 40 with DAOZHANG_TEST_ALL=1, which takes about 50 seconds.
func TestLibreOfficeComputesEveryTotalAlike(t *testing.T) {
	all := os.Getenv("DAOZHANG_TEST_ALL") == "1"
	office, err := exec.LookPath("soffice")
	if err != nil {
		if os.Getenv("CI") == "true" && all {
			t.Fatal("soffice is not installed; install libreoffice-calc")
		}
		t.Skip("soffice is not installed: the live formulas are not recomputed")
	}
	books := 6
	if all {
		books = 40
	}
	dir := t.TempDir()
	args := []string{"-env:UserInstallation=file://" + filepath.Join(dir, "profile"), "--headless",
		"--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", filepath.Join(dir, "out")}
	for i := range books {
		path := filepath.Join(dir, fmt.Sprintf("%d.xlsx", i))
		if err := os.WriteFile(path, withoutCache(t, workbookBytes(t, variedBook(i))), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if msg, err := exec.CommandContext(ctx, office, args...).CombinedOutput(); err != nil {
		t.Fatalf("soffice: %v\n%s", err, msg)
	}
	total := 0
	for i := range books {
		again, err := excelize.OpenFile(filepath.Join(dir, "out", fmt.Sprintf("%d.xlsx", i)))
		if err != nil {
			t.Fatal(err)
		}
		n := compareFormulas(t, open(t, workbookBytes(t, variedBook(i))), again)
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		if n < 150 {
			t.Errorf("book %d: only %d formulas were compared", i, n)
		}
		total += n
		if t.Failed() {
			t.Fatalf("book %d does not agree", i)
		}
	}
	t.Logf("%d books, %d formulas agree", books, total)
}

// variedBook is the sample, with changes, with other figures: book 0 and 1 are the sample in either language.
func variedBook(n int) *Book {
	lang := []text.Lang{text.ZhCN, text.En}[n%2]
	b := changedBook(lang)
	rnd := rand.New(rand.NewPCG(uint64(n), 7))
	if n < 2 {
		return b
	}
	some := func() int64 { return rnd.Int64N(2_000_000_000) - 500_000_000 }
	o := b.Outcome
	for i := range o.Lines {
		if l := &o.Lines[i]; l.Amount.Valid {
			l.Amount.Minor = some()
		}
	}
	for i := range o.Groups {
		for _, v := range groupFigures(&o.Groups[i]) {
			*v = some()
		}
		o.Groups[i].Fee = txn.Fine(some())
	}
	for i := range o.Sides {
		o.Sides[i].Amount = some()
	}
	for i := range o.Roll {
		r := &o.Roll[i]
		r.Opening.Amount, r.New.Amount, r.Cleared.Amount = some(), some(), some()
		r.Closing.Amount = r.Opening.Amount + r.New.Amount - r.Cleared.Amount + r.Reclassified.Amount
	}
	if n%3 == 0 { // else the moves do not tie, and the formulas must say the same
		o.Moves = movesOf(o, rnd)
	}
	for i := range b.Changes.Cases {
		c := &b.Changes.Cases[i]
		c.Was.Amount.Minor, c.Is.Other.Minor = some(), some()
	}
	for i := range b.Changes.Files {
		v := &b.Changes.Files[i]
		v.Added.Amount, v.Removed.Amount, v.Edited.Amount = some(), some(), some()
	}
	for i := range o.Proofs {
		p := &o.Proofs[i]
		p.Sales, p.Refunds, p.Fees = txn.Fine(some()*1000), txn.Fine(some()), txn.Fine(some())
		net := p.Sales + p.Refunds - p.Fees
		p.Expected = net.Round(p.Currency)
		p.Rounding = txn.FineOf(p.Expected, p.Currency) - net
	}
	for i := range o.Payouts {
		p := &o.Payouts[i]
		p.OpeningTransit, p.Found = some(), some()
		p.Remainder = openingSum(*p) + p.Cleared - p.Found - p.Short + p.Over - p.WrittenOff - p.ClosingTransit - p.Overdue - p.Held
	}
	return b
}

// withoutCache removes the cached value of every formula cell.
func withoutCache(t *testing.T, data []byte) []byte {
	t.Helper()
	cached := regexp.MustCompile(`(</f>)<v>[^<]*</v>`)
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	removed := 0
	for _, f := range r.File {
		b, err := fs.ReadFile(r, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		removed += len(cached.FindAll(b, -1))
		part, err := w.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(cached.ReplaceAll(b, []byte("$1"))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if removed == 0 {
		t.Fatal("the workbook has no cached value")
	}
	return buf.Bytes()
}

// compareFormulas counts the formula cells and reports those whose computed value is not the cached one.
func compareFormulas(t *testing.T, cached, computed *excelize.File) int {
	t.Helper()
	raw := excelize.Options{RawCellValue: true}
	n := 0
	for _, name := range cached.GetSheetList() {
		rows, err := cached.GetRows(name, raw)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			for j := range row {
				ref := at(j, i+1)
				formula, err := cached.GetCellFormula(name, ref)
				if err != nil || formula == "" {
					continue
				}
				n++
				want, _ := cached.GetCellValue(name, ref, raw)
				got, err := computed.GetCellValue(name, ref, raw)
				if err != nil {
					t.Fatal(err)
				}
				x, errX := strconv.ParseFloat(want, 64)
				y, errY := strconv.ParseFloat(got, 64)
				if errX != nil || errY != nil || math.Abs(x-y) > 1e-9 {
					t.Errorf("%s!%s: the program says %q, =%s gives %q", name, ref, want, formula, got)
				}
			}
		}
	}
	return n
}
