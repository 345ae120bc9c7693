package parsertest

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

// Golden compares every sample under dir/<format>/ with its .golden file and fails three ways: a format without a
// sample, a sample that not exactly one format claims, and different content. Folders that are named after no format
// are not its business. update writes the golden files; read the difference before you keep it.
func Golden(t *testing.T, reg *parsers.Registry, dir string, update bool) {
	t.Helper()
	for _, f := range reg.Formats() {
		name := f.Info().Name
		t.Run(name, func(t *testing.T) {
			samples := Samples(t, dir, name)
			if len(samples) == 0 {
				t.Fatalf("format %s has no sample; put one into %s", name, filepath.Join(dir, name))
			}
			for _, s := range samples {
				t.Run(s.Name, func(t *testing.T) { golden(t, reg, name, s, update) })
			}
			orphans(t, dir, name, samples)
		})
	}
}

func golden(t *testing.T, reg *parsers.Registry, name string, s Sample, update bool) {
	f, err := reg.Detect(s.Source())
	if err != nil {
		t.Fatalf("not exactly one format claims the sample: %v", err)
	}
	if f.Info().Name != name {
		t.Fatalf("claimed by %s, but lies in the folder of %s", f.Info().Name, name)
	}
	got := Dump(f, s.Source())
	path := goldenPath(s.Path)
	if update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("no golden file; run the test with -update and read it: %v", err)
	}
	if got != string(want) {
		t.Errorf("content differs from %s:\n%s", path, firstDifference(string(want), got))
	}
}

func orphans(t *testing.T, dir, name string, samples []Sample) {
	found, err := filepath.Glob(filepath.Join(dir, name, "*.golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range found {
		if !slices.ContainsFunc(samples, func(s Sample) bool { return goldenPath(s.Path) == g }) {
			t.Errorf("%s has no sample", g)
		}
	}
}

func goldenPath(sample string) string {
	return strings.TrimSuffix(sample, filepath.Ext(sample)) + ".golden"
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := "(end)", "(end)"
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return fmt.Sprintf("line %d\n  want %s\n  got  %s", i+1, a, b)
		}
	}
	return "no line differs"
}

// Dump writes everything that a format reads from a file as text for people: format, totals, controls, statements,
// one line per row with its source line, then the rejected rows and what ended the file.
func Dump(f parsers.Format, src parsers.Source) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "format %s\n", f.Info().Name)
	r, err := f.Open(src, txn.AllFields)
	if err != nil {
		fmt.Fprintf(&b, "refused %v\n", err)
		return b.String()
	}
	var rows, bad bytes.Buffer
	var row txn.Row
	var end error
	for end == nil {
		switch err := r.Next(&row); e := err.(type) {
		case nil:
			line, _, lerr := r.Locate(row.Pos.Offset)
			if lerr != nil {
				line = -1
			}
			fmt.Fprintf(&rows, "row %d.%d %s\n", line, row.Pos.Entry, row.AppendJSON(nil))
		case *parsers.ParseError:
			fmt.Fprintf(&bad, "rejected %v\n", e)
		default:
			end = err
		}
	}
	if end != io.EOF {
		fmt.Fprintf(&bad, "ended by %v\n", end)
	}
	for _, t := range r.Totals() {
		fmt.Fprintf(&b, "total %s %s %s rows %d amount %s fee %s net %s\n", t.Side, t.Kind, t.Currency, t.Rows,
			txn.FormatAmount(t.Amount, t.Currency), t.Fee.Format(t.Currency), t.Net.Format(t.Currency))
	}
	for _, c := range r.Controls() {
		dumpControl(&b, c)
	}
	for _, s := range r.Statements() {
		dumpStatement(&b, s)
	}
	if n, ok := r.(interface{ Notes() []string }); ok {
		for _, note := range n.Notes() {
			fmt.Fprintf(&b, "note %s\n", note)
		}
	}
	b.Write(rows.Bytes())
	b.Write(bad.Bytes())
	return b.String()
}

func dumpControl(b *bytes.Buffer, c parsers.Control) {
	fmt.Fprintf(b, "control %s %s stated %s", c.Scope, c.Name, c.Stated)
	if c.Slot {
		fmt.Fprintf(b, " for the slot's %s", c.Measure)
		for _, k := range c.Kinds {
			fmt.Fprintf(b, " %s", k)
		}
	} else {
		fmt.Fprintf(b, " computed %s", c.Computed)
	}
	if !c.OK {
		b.WriteString(" DIFFERS")
	}
	b.WriteByte('\n')
}

func dumpStatement(b *bytes.Buffer, s parsers.Statement) {
	money := func(has bool, v int64) string {
		if !has {
			return "-"
		}
		return txn.FormatAmount(v, s.Currency)
	}
	fmt.Fprintf(b, "statement %s %s %s..%s opening %s credits %s debits %s closing %s lines %d", s.Account, s.Currency, s.From, s.To,
		money(s.HasOpening, s.Opening), money(true, s.Credits), money(true, s.Debits), money(s.HasClosing, s.Closing), s.Lines)
	if !s.Balanced {
		b.WriteString(" DOES NOT BALANCE")
	}
	if s.BreakOffset >= 0 {
		fmt.Fprintf(b, " (offset %d: want %s, is %s)", s.BreakOffset, money(true, s.BreakWant), money(true, s.BreakIs))
	}
	b.WriteByte('\n')
}
