// Package reports writes what people and scripts read about one business date: exceptions.csv, summary.json and the
// workbook, from what package reconcile emitted.
//
// Everything is a function of a [Book]: the same book gives the same bytes, there is no clock and no map order in any
// output, and nothing here judges a row. Writers write to the io.Writer they are given; making files safe on disk
// (temporary name, fsync, rename, mode) is the caller's part.
//
// The workbook's sheets stand in one fixed order; each is one file sheet_*.go here:
//
//	Summary       one page: verdict, what did not arrive, what is not due, whom to call, the ten largest, tie-out
//	Control       per currency and acquirer: terminal, acquirer, payouts, bank, every gap named
//	Exceptions    one line a case, both sides' keys beside each other, file and line of both rows
//	Roll-forward  opening + new - cleared + reclassified = closing
//	Differences   cases by class and cause
//	Totals        by acquirer, store and terminal
//	Payouts       the proof of every payout and bank credit
//	Open items    what is not due, and when it is
//	Cleared       what was open and is gone, and why
//	Files         every file awaited or received, with its control totals
//	Changes       what became known since the revision before, and what it changed
//	Notes         what the words mean, and what the book was made from
package reports

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

// Book is one revision of the books of one business date.
type Book struct {
	Entity       string
	Date         txn.Date
	Revision     int            // from 1
	AsOf         time.Time      // the instant the run looked at; also the document's date
	Zone         *time.Location // the entity's zone; nil means the zone of AsOf
	GoLive       txn.Date
	Lang         text.Lang // empty means zh-CN
	Outcome      *reconcile.Outcome
	Changes      *Changes // nil: nothing is said about changes
	Preliminary  bool     // not every slot of the date is due yet; Outcome.Awaited names them
	Program      string   // name and version of the program
	ConfigDigest string
	Limits       Limits
}

// Limits bound the workbook; zero values take the defaults.
type Limits struct {
	Exceptions int // cases in the sheet Exceptions before it refers to exceptions.csv; default 50,000
	SheetRows  int // data rows a sheet before it is continued on another; default 1,000,000
}

// Defaults of [Limits].
const (
	DefaultExceptions = 50_000
	DefaultSheetRows  = 1_000_000
)

func (l Limits) exceptions() int {
	if l.Exceptions > 0 {
		return l.Exceptions
	}
	return DefaultExceptions
}

func (l Limits) sheetRows() int {
	if l.SheetRows > 0 {
		return l.SheetRows
	}
	return DefaultSheetRows
}

func (b *Book) lang() text.Lang {
	if b.Lang == "" {
		return text.ZhCN
	}
	return b.Lang
}

func (b *Book) asOf() time.Time {
	if b.Zone != nil {
		return b.AsOf.In(b.Zone)
	}
	return b.AsOf
}

func (b *Book) zoneName() string {
	if b.Zone != nil {
		return b.Zone.String()
	}
	return b.AsOf.Location().String()
}

// verdict is preliminary while anything is awaited, whatever else was found.
func (b *Book) verdict() reconcile.Verdict {
	if b.Preliminary {
		return reconcile.Preliminary
	}
	return b.Outcome.Verdict
}

func (b *Book) check() error {
	switch {
	case b == nil || b.Outcome == nil:
		return fmt.Errorf("report: no outcome to write; run the date first")
	case b.Date == 0:
		return fmt.Errorf("report: the business date is not set")
	case b.Revision < 1:
		return fmt.Errorf("report of %s: revision is %d, revisions count from 1", b.Date, b.Revision)
	}
	return nil
}

// WorkbookName is the file name of the book's workbook: 对账差异_<entity>_<date>_r<N>.xlsx, or its ASCII form for
// systems that cannot carry Chinese names. Characters of the entity that file names do not allow become "_".
func WorkbookName(b *Book, ascii bool) string {
	prefix := "对账差异"
	if ascii {
		prefix = "daozhang"
	}
	entity := strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(`/\:*?"<>|`, r), unicode.IsSpace(r), !unicode.IsPrint(r), ascii && r > unicode.MaxASCII:
			return '_'
		}
		return r
	}, b.Entity)
	entity = strings.TrimLeft(entity, ".")
	return fmt.Sprintf("%s_%s_%s_r%d.xlsx", prefix, entity, b.Date, b.Revision)
}
