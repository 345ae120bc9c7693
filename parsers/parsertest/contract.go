// Package parsertest holds the tests that every format must pass: the contract suite [Run] and the golden runner
// [Golden]. A new profile needs no test code of its own.
package parsertest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

// Sample is one file of a format.
type Sample struct {
	Name string // file name, which formats may read
	Path string
	Data []byte
}

// Source opens the sample.
func (s Sample) Source() parsers.Source {
	return parsers.Source{Name: s.Name, Data: bytes.NewReader(s.Data), Size: int64(len(s.Data)), File: 7}
}

func (s Sample) with(data []byte) Sample { return Sample{Name: s.Name, Path: s.Path, Data: data} }

// Samples reads dir/<format>/*, without the golden files.
func Samples(t *testing.T, dir, format string) []Sample {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, format))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var out []Sample
	for _, e := range entries {
		if e.IsDir() || strings.HasSuffix(e.Name(), ".golden") {
			continue
		}
		path := filepath.Join(dir, format, e.Name())
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Sample{Name: e.Name(), Path: path, Data: data})
	}
	return out
}

// result is all that one reading of a file gave.
type result struct {
	rows   []*txn.Row
	texts  []string // each row as it was when Next returned
	bad    []*parsers.ParseError
	err    error // what ended the file or kept it from opening; nil at io.EOF
	flawed bool  // a control or balance does not agree
}

func read(f parsers.Format, s Sample, want txn.Fields) result {
	r, err := f.Open(s.Source(), want)
	if err != nil {
		return result{err: err}
	}
	out := drain(r)
	for _, c := range r.Controls() {
		out.flawed = out.flawed || !c.OK
	}
	for _, st := range r.Statements() {
		out.flawed = out.flawed || !st.Balanced
	}
	return out
}

func drain(r parsers.Reader) result {
	var out result
	var row txn.Row
	for {
		err := r.Next(&row)
		var pe *parsers.ParseError
		switch {
		case err == nil:
			out.rows = append(out.rows, row.Clone())
			out.texts = append(out.texts, text(&row))
		case err == io.EOF:
			return out
		case errors.As(err, &pe):
			out.bad = append(out.bad, pe)
		default:
			out.err = err
			return out
		}
	}
}

func text(r *txn.Row) string { return string(r.AppendJSON(nil)) }

// Run is the contract suite.
func Run(t *testing.T, f parsers.Format, samples []Sample) {
	t.Helper()
	for _, s := range samples {
		t.Run(s.Name, func(t *testing.T) {
			whole := read(f, s, txn.AllFields)
			for i, r := range whole.rows {
				if got := text(r); got != whole.texts[i] {
					t.Fatalf("a clone changed after Next:\n want %s\n got  %s", whole.texts[i], got)
				}
			}
			t.Run("is refused or flagged when cut", func(t *testing.T) { truncation(t, f, s, whole) })
			t.Run("reads alike with other line ends, a BOM and blank lines", func(t *testing.T) { dress(t, f, s, whole) })
			t.Run("positions a record with too few cells", func(t *testing.T) { shortRecord(t, f, s, whole) })
			t.Run("gives the wanted fields as in a full reading", func(t *testing.T) { subset(t, f, s, whole) })
			t.Run("finds each record again", func(t *testing.T) { seek(t, f, s, whole) })
			t.Run("adds up from its parts", func(t *testing.T) { parts(t, f, s, whole) })
			t.Run("shows no card number", func(t *testing.T) { cards(t, f, s, whole) })
		})
	}
}

// truncation cuts the file at several points. A format whose trailer proves a file whole must notice each cut; the
// others at least never invent a row.
func truncation(t *testing.T, f parsers.Format, s Sample, whole result) {
	cuts := map[int]bool{}
	for i := 1; i < 8; i++ {
		cuts[len(s.Data)*i/8] = true
	}
	end := len(bytes.TrimRight(s.Data, "\r\n"))
	for range 5 { // before each of the last lines
		if end = bytes.LastIndexByte(s.Data[:end], '\n') + 1; end <= 0 {
			break
		}
		cuts[end] = true
		end--
	}
	for cut := range cuts {
		got := read(f, s.with(s.Data[:cut]), txn.AllFields)
		noticed := got.err != nil || got.flawed || len(got.bad) > len(whole.bad)
		if strings.HasPrefix(f.Info().Proof, "trailer") && !noticed {
			t.Errorf("cut at byte %d of %d: not noticed", cut, len(s.Data))
		}
		for i := range got.texts {
			last := i == len(got.texts)-1 // its last cell may be cut, which nothing in the file can tell
			if !last && (i >= len(whole.texts) || got.texts[i] != whole.texts[i]) {
				t.Errorf("cut at byte %d: row %d is not of the file", cut, i+1)
			}
		}
	}
}

func dress(t *testing.T, f parsers.Format, s Sample, whole result) {
	lf := bytes.ReplaceAll(s.Data, []byte("\r\n"), []byte("\n"))
	crlf := bytes.ReplaceAll(lf, []byte("\n"), []byte("\r\n"))
	forms := map[string][]byte{"LF": lf, "CRLF": crlf, "blank lines": bytes.ReplaceAll(lf, []byte("\n"), []byte("\n\n")),
		"no last line end": bytes.TrimRight(lf, "\n")}
	if utf8.Valid(s.Data) && !bytes.HasPrefix(s.Data, []byte("\uFEFF")) && hasHigh(s.Data) {
		forms["BOM"] = append([]byte("\uFEFF"), s.Data...)
	}
	for name, data := range forms {
		got := read(f, s.with(data), txn.AllFields)
		if fmt.Sprint(got.err == nil, len(got.bad), got.flawed) != fmt.Sprint(whole.err == nil, len(whole.bad), whole.flawed) {
			t.Errorf("%s: %v, %d rejected, flawed %v", name, got.err, len(got.bad), got.flawed)
		}
		same(t, name, whole.texts, got.texts)
	}
}

func hasHigh(b []byte) bool {
	return bytes.IndexFunc(b, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0
}

func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if len(want) != len(got) {
		t.Errorf("%s: %d rows, want %d", what, len(got), len(want))
		return
	}
	for i := range want {
		if want[i] != got[i] {
			t.Errorf("%s: row %d\n want %s\n got  %s", what, i+1, want[i], got[i])
			return
		}
	}
}

// shortRecord cuts one record in half and expects one ParseError on its line, the other rows untouched.
func shortRecord(t *testing.T, f parsers.Format, s Sample, whole result) {
	if len(whole.rows) == 0 || whole.err != nil {
		t.Skip("no rows")
	}
	off := int(whole.rows[len(whole.rows)/2].Pos.Offset)
	end := off + bytes.IndexByte(append(s.Data[off:len(s.Data):len(s.Data)], '\n'), '\n')
	if end == len(s.Data) {
		t.Skip("the record is the last line: half of it is a cut file")
	}
	bent := append(append([]byte{}, s.Data[:off+(end-off)/2]...), s.Data[end:]...)
	got := read(f, s.with(bent), txn.AllFields)
	if len(got.bad) != len(whole.bad)+1 {
		t.Fatalf("%d rejected, want one more than %d; %v", len(got.bad), len(whole.bad), got.err)
	}
	var e *parsers.ParseError
	for _, b := range got.bad {
		if b.Offset == int64(off) {
			e = b
		}
	}
	if e == nil {
		t.Fatalf("no ParseError at offset %d: %v", off, got.bad)
	}
	if line := 1 + bytes.Count(s.Data[:off], []byte("\n")); e.Line != line || e.Record < 1 || e.File != s.Name {
		t.Errorf("positioned at %s:%d record %d, want %s:%d", e.File, e.Line, e.Record, s.Name, line)
	}
	var rest []string
	for i, r := range whole.rows {
		if int(r.Pos.Offset) != off {
			rest = append(rest, whole.texts[i])
		}
	}
	same(t, "the other rows", rest, got.texts)
}

// subset compares readings of few fields with the whole one. What is not wanted is not checked either, so a row that
// a full reading rejects may come through.
func subset(t *testing.T, f parsers.Format, s Sample, whole result) {
	for _, want := range []txn.Fields{0, txn.FieldsOf(txn.RRN, txn.AmountField), txn.FieldsOf(txn.MID, txn.TimeField, txn.OrderNo, txn.CardTail)} {
		got := read(f, s, want)
		at := map[txn.Position]*txn.Row{}
		for _, r := range got.rows {
			at[r.Pos] = r
		}
		for i, w := range whole.rows {
			r := at[w.Pos]
			if r == nil {
				t.Fatalf("row %d is missing", i+1)
			}
			for fd := range txn.Field(txn.TextFields) {
				if want.Has(fd) && !bytes.Equal(r.Get(fd), w.Get(fd)) {
					t.Errorf("row %d: %s = %q, want %q", i+1, fd, r.Get(fd), w.Get(fd))
				}
			}
			if r.Kind != w.Kind || r.Amount != w.Amount || r.Fee != w.Fee || want.Has(txn.TimeField) && r.Time != w.Time {
				t.Errorf("row %d: kind, amount, fee or time differ from the full reading", i+1)
			}
		}
		if len(got.rows) == len(whole.rows) && got.flawed != whole.flawed {
			t.Error("controls depend on the wanted fields")
		}
	}
}

func seek(t *testing.T, f parsers.Format, s Sample, whole result) {
	r, err := f.Open(s.Source(), txn.AllFields)
	if err != nil || len(whole.rows) == 0 {
		t.Skip("no rows")
	}
	sk, ok := r.(parsers.Seeker)
	for i := len(whole.rows) - 1; i >= 0; i-- { // backwards: nothing may lean on reading forwards
		w := whole.rows[i]
		line, _, err := r.Locate(w.Pos.Offset)
		if n := 1 + bytes.Count(s.Data[:w.Pos.Offset], []byte("\n")); err != nil || line != n {
			t.Fatalf("row %d: Locate says line %d (%v), want %d", i+1, line, err, n)
		}
		if !ok || w.Pos.Entry != 0 {
			continue
		}
		if err := sk.SeekRecord(w.Pos.Offset); err != nil {
			t.Fatal(err)
		}
		var row txn.Row
		if err := r.Next(&row); err != nil || text(&row) != whole.texts[i] || row.Pos != w.Pos {
			t.Fatalf("row %d: after SeekRecord %v\n want %s\n got  %s", i+1, err, whole.texts[i], text(&row))
		}
	}
}

func parts(t *testing.T, f parsers.Format, s Sample, whole result) {
	sp, ok := f.(parsers.Splitter)
	if !ok || whole.err != nil {
		t.Skip("not a splitter")
	}
	for _, n := range []int{1, 2, 3, 50} {
		ranges, err := sp.Split(s.Source(), n)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		bad := 0
		for _, rg := range ranges {
			r, err := sp.OpenRange(s.Source(), txn.AllFields, rg)
			if err != nil {
				t.Fatal(err)
			}
			part := drain(r)
			if part.err != nil {
				t.Errorf("range %v: %v", rg, part.err)
			}
			got = append(got, part.texts...)
			bad += len(part.bad)
		}
		same(t, fmt.Sprintf("%d parts", n), whole.texts, got)
		if bad != len(whole.bad) || len(ranges) > n {
			t.Errorf("%d parts: %d ranges, %d rejected, want %d", n, len(ranges), bad, len(whole.bad))
		}
	}
}

// cards takes each Luhn-valid run of 16 or 19 digits that begins like a bank card for a card number.
func cards(t *testing.T, f parsers.Format, s Sample, whole result) {
	seen := strings.Join(whole.texts, "\n") + "\n" + Dump(f, s.Source())
	for _, run := range bytes.FieldsFunc(s.Data, func(r rune) bool { return r < '0' || r > '9' }) {
		if (len(run) == 16 || len(run) == 19) && (run[0] == '4' || run[0] == '6') && luhn(run) && strings.Contains(seen, string(run)) {
			t.Errorf("a card number ending in %s can be seen", run[len(run)-4:])
		}
	}
}

func luhn(d []byte) bool {
	sum := 0
	for i := range d {
		v := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			v = v*2%10 + v*2/10
		}
		sum += v
	}
	return sum%10 == 0
}
