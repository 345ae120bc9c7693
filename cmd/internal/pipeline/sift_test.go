package pipeline

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"daozhang/cmd/internal/config"
	"daozhang/fixtures"
	"daozhang/parsers"
	"daozhang/parsers/all"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reconcile/calendar"
	"daozhang/reconcile/register"
	"daozhang/reports"
)

// A book must not depend on how the files were read: row by row, by how many goroutines, in how many parts, or with how much
// memory for the rows.
func TestTheBookDoesNotDependOnHowFilesAreRead(t *testing.T) {
	var journal, bill bytes.Buffer
	opt := fixtures.BulkOptions{Rows: 40_000, Seed: 4, Date: txn.MakeDate(2025, 12, 30)}
	if _, err := fixtures.Bulk(opt, &journal, &bill, nil); err != nil {
		t.Fatal(err)
	}
	files, err := fixtures.BulkRegister(opt)
	if err != nil {
		t.Fatal(err)
	}
	reg := registerOf(t, files)
	broken := bytes.Replace(journal.Bytes(), []byte(",sale,"), []byte(",sail,"), 3)
	broken = bytes.Replace(broken, []byte("\n"), []byte("\r\n"), 2000)
	for name, text := range map[string][]byte{"whole": journal.Bytes(), "with rows that are refused": broken} {
		t.Run(name, func(t *testing.T) {
			var want string
			for _, x := range []struct {
				workers int
				part    int64
				memory  int64
			}{{-1, 0, 0}, {1, 0, 0}, {2, 0, 0}, {2, 200_000, 0}, {3, 30_000, 1}, {1, 900_000, 1}} {
				got := bookOf(t, reg, text, bill.Bytes(), func(l *loader) {
					l.workers, l.part, l.memory = max(x.workers, 0), max(x.part, 0), x.memory
					if x.part == 0 {
						l.part = partBytes
					}
				})
				if want == "" {
					want = got
				}
				if got != want {
					t.Errorf("%+v: the book is another one", x)
				}
			}
		})
	}
}

func bookOf(t *testing.T, reg *register.Register, journal, bill []byte, with func(*loader)) string {
	t.Helper()
	on := txn.MakeDate(2025, 12, 31)
	formats, err := all.All()
	if err != nil {
		t.Fatal(err)
	}
	cals, err := calendar.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	day := reconcile.New(reconcile.Setup{Date: on, Register: reg, Calendars: cals, Rules: reconcile.DefaultRules(), FilesAtHand: true})
	if err := day.Carry(nil); err != nil {
		t.Fatal(err)
	}
	slot := func(side txn.Side, name string, data []byte) Slot {
		f := &File{Delivery: name, Member: name, SHA256: name, Data: bytes.NewReader(data), Size: int64(len(data)), Options: parsers.Options{BusinessDate: on - 1}}
		f.Format, f.Claim = formats.Detect(f.src())
		if f.Format == nil {
			t.Fatal(f.Claim)
		}
		return Slot{Slot: reconcile.Slot{Source: name, Side: side, Acquirer: f.Format.Info().Acquirer, Date: on, State: reconcile.SlotReceived, Pays: true}, Files: []*File{f}}
	}
	l := &loader{day: day, date: on, wide: true, rejects: func(int64, int64) bool { return false }, opening: map[string]reconcile.Balance{}, known: knownMerchants(reg)}
	with(l)
	if err := l.load(t.Context(), []Slot{slot(txn.Acquirer, "chinaums.txt", bill), slot(txn.Terminal, "journal.csv", journal)}); err != nil {
		t.Fatal(err)
	}
	out, _, err := day.Run(evidence{l.files, l.workers}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	book := &reports.Book{Entity: "x", Date: on, Revision: 1, Outcome: out}
	if err := reports.WriteExceptions(&b, book); err != nil {
		t.Fatal(err)
	}
	if err := reports.WriteSummary(&b, book); err != nil {
		t.Fatal(err)
	}
	for _, e := range l.errors {
		fmt.Fprintln(&b, e.Err)
	}
	return b.String()
}

func registerOf(t *testing.T, files map[string][]byte) *register.Register {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	reg, problems := config.LoadRegister(dir)
	if reg == nil {
		t.Fatal(problems)
	}
	return reg
}
