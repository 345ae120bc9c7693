// Package parsers defines how vendor files become neutral rows.
//
// A [Format] knows one vendor layout. A [Registry] is a value built from an explicit list of formats and finds the
// one that claims a file. Formats come in two sorts: profiles (package profile: one YAML file each, no Go) and
// structural formats (one package each, listed in package all).
//
// The contract of a [Reader]: Next fills the wanted fields of one row and returns nil; it returns a *[ParseError]
// for a record that breaks the layout (call Next again for the record after it), io.EOF after the last row, and any
// other error, a *[FileError] as a rule, where nothing further can be read. Byte fields of a row are views that the
// next call may overwrite. After io.EOF, Totals, Controls and Statements tell what was seen and what the file states.
package parsers

import (
	"io"
	"time"

	"daozhang/parsers/txn"
)

// Source is one member of a delivery: a file after decompression, before charset decoding.
type Source struct {
	Name    string // the member's name, for detection by name and for messages; never used as a path
	Data    io.ReaderAt
	Size    int64
	File    uint32 // goes into every Position
	Options Options
}

// Options are what a source's configuration says about its files. The zero value takes everything from the format.
type Options struct {
	Zone         *time.Location // zone of times that the file does not mark; nil: the format's own
	Currency     txn.Currency   // of amounts that the file does not mark; zero: the format's own
	CardLead     bool           // keep the first six digits of a card number beside the last four
	BusinessDate txn.Date       // from the file's name or the operator; supplies years and clearing days a file lacks
}

// Head is what a format sees when it is asked whether a file is its own.
type Head struct {
	Name  string
	Bytes []byte // the first 64 KiB at most
	Size  int64
}

// Info describes a format to people.
type Info struct {
	Name        string // unique, e.g. wechat_trade_all
	Title       string // "WeChat Pay trade bill ALL (27 columns)"
	Side        txn.Side
	Acquirer    string // default acquirer name of its rows, e.g. wechat; empty where the configuration must say
	Proof       string // what proves that a file is complete: "trailer: rows, amount, fee", or "size and marker only"
	ControlOnly bool   // yields no rows, only controls of another file of its slot
	Notices     bool   // yields payout rows only: announcements, not transactions
	Source      string // where the layout comes from
}

// Format knows one vendor layout.
type Format interface {
	Info() Info
	// Claim returns nil if the head is of this layout, else why it is not.
	Claim(Head) error
	// Open starts reading. It returns a *FileError where the file's frame (header, encoding) is not as claimed.
	Open(src Source, want txn.Fields) (Reader, error)
}

// Reader yields the rows of one file.
type Reader interface {
	Next(*txn.Row) error
	// Totals sums what Next returned, ordered by (side, kind, currency). Valid after io.EOF.
	Totals() []Total
	// Controls lists the totals that the file states, each with the figure computed from its rows. Row counts are
	// over rows seen, rejected ones included. Valid after io.EOF. A control-only format states totals of another
	// file: their Computed is empty and Slot is true.
	Controls() []Control
	// Statements describes the bank statements in the file. Valid after io.EOF; nil for other sides.
	Statements() []Statement
	// Locate turns a position's offset into the 1-based line and record number of the file, for printing.
	Locate(offset int64) (line, record int, err error)
}

// Seeker is a Reader that can start again at a record. Offset must come from a row's Position.
type Seeker interface {
	SeekRecord(offset int64) error
}

// Liner is a Reader that knows the line of the row that Next returned last, counted from where the reader began.
type Liner interface{ Line() int }

// Splitter is a Format whose files can be read in parts side by side:
//
//	ranges, err := f.Split(src, n)
//	parts, err := f.OpenRanges(src, want, ranges)
//	... read each part to its end, in any order, each by one goroutine ...
//	tail, err := f.Join(src, parts)
//
// The rows of the parts, one part behind the other, are those of one reader of the whole file.
type Splitter interface {
	// Split cuts the data part of a file into at most n ranges on record borders, in order. It makes one range where
	// records may hold line breaks and where the trailer that the layout asks for is not at the end of the file, and
	// none where there is no data.
	Split(src Source, n int) ([]Range, error)
	// OpenRange reads the records that begin in the range; OpenRanges opens several and reads the file's head once.
	// Such a reader knows neither what stands before its range nor behind it: lines and records in its errors count
	// from the start of the range ([Tail.Place] corrects them), and its Controls are empty. Its rows' positions are
	// those of the file.
	OpenRange(src Source, want txn.Fields, r Range) (Reader, error)
	OpenRanges(src Source, want txn.Fields, ranges []Range) ([]Reader, error)
	// Join tells what one reader of the whole file would have told. The parts are the readers of all ranges of one
	// Split, in order, each read until Next returned something else than a row or a *ParseError. The error is the one
	// with which that one reader would have ended, nil instead of io.EOF; Starts are valid beside it, as far as the
	// part that has it. [ErrWhole] says that only one reader can tell.
	Join(src Source, parts []Reader) (Tail, error)
}

// Range is a half-open interval of byte offsets.
type Range struct{ Start, End int64 }

// Tail is what a file that was read in parts tells at its end.
type Tail struct {
	Totals     []Total
	Controls   []Control
	Statements []Statement
	Starts     []Start // of each part
}

// Start is where a part begins: the numbers of the lines and records of the file before it.
type Start struct{ Lines, Records int }

// Place gives an error of a part, counted from 0, its line and record in the file. Call it once for each error.
func (t Tail) Place(part int, e *ParseError) {
	if part < len(t.Starts) {
		e.Line += t.Starts[part].Lines
		e.Record += t.Starts[part].Records
	}
}

// Total is a sum over rows of one side, kind and currency. Amount is signed.
type Total struct {
	Side     txn.Side
	Kind     txn.Kind
	Currency txn.Currency
	Rows     int64
	Amount   int64    // minor units
	Fee      txn.Fine // positive = cost
	Net      txn.Fine // Σ amount - fee
}

// Control compares a stated figure with the rows. Stated and Computed are decimals in major units, or counts.
type Control struct {
	Scope    string // what the figure covers: "file", or a batch, account or statement by name
	Name     string // the vendor's own label, e.g. 手续费总金额
	Stated   string
	Computed string
	OK       bool
	Count    bool // a number of rows, not of money

	// Slot marks a figure about another file of the same slot. Which one it is says Measure, so that the caller can
	// compute it: rows, amount, fee or net, over the kinds named (none = all), as an absolute value where Abs is set.
	Slot    bool
	Measure string
	Kinds   []txn.Kind
	Abs     bool
}

// Statement is one bank statement: an account, a span of booking days and its balances.
type Statement struct {
	Account            string
	ID                 string
	Currency           txn.Currency
	From, To           txn.Date // stated period, else first and last booking day
	PeriodStated       bool
	Opening, Closing   int64
	HasOpening         bool
	HasClosing         bool
	Lines              int64
	Credits, Debits    int64 // positive sums
	Balanced           bool  // opening + credits - debits = closing and every running balance chains
	BreakOffset        int64 // offset of the first line whose balance does not chain, -1 if all do
	BreakWant, BreakIs int64
}

// Delivery is the bytes as received, cut into files.
type Delivery struct {
	Name  string
	Files []Member
}

// Member is one file of a delivery.
type Member struct {
	Name string // decoded from GBK where the zip does not mark it as UTF-8
	Data io.ReaderAt
	Size int64
}
