package reports

import (
	"fmt"
	"io"
	"runtime"
	"testing"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

// BenchmarkWorkbookOf100kExceptions answers: how long does the worst morning take? One hundred thousand open cases,
// every one on the sheet (the cap is lifted), 63 columns a line. On two shared cores of an AMD EPYC:
//
//	8.8 s on the quiet machine, 12 s with both cores busy otherwise; peak resident memory 235 MB, the book itself
//	included. The target is 10 s and 300 MB.
func BenchmarkWorkbookOf100kExceptions(b *testing.B) {
	book := sampleBook(text.ZhCN)
	few := book.Outcome.Lines
	lines := make([]reconcile.Line, 0, 100_000)
	for i := range cap(lines) {
		l := few[i%len(few)]
		l.CaseID, l.Status, l.Lifecycle = fmt.Sprintf("C-%016d", i), "open", reconcile.CaseNew
		if l.Amount.Valid {
			l.Amount.Minor += int64(i)
		}
		if l.Currency == (txn.Currency{}) {
			l.Currency = txn.CNY
		}
		lines = append(lines, l)
	}
	book.Outcome.Lines = lines
	book.Limits.Exceptions = 100_000
	b.ReportAllocs()
	for b.Loop() {
		if err := WriteWorkbook(io.Discard, book); err != nil {
			b.Fatal(err)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.Sys)/(1<<20), "MB-from-system")
}
