package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"daozhang/parsers"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// File is one file of a day, ready to be read.
type File struct {
	Source   string
	Delivery string // as received
	Member   string
	SHA256   string
	Data     io.ReaderAt
	Size     int64
	Format   parsers.Format // nil where none claims it
	Claim    error          // why none does
	Options  parsers.Options
	Account  string // of a bank slice: only this account's lines of the slot's day count
	ID       uint32 // number in the day's list; given by load

	side  txn.Side
	marks []mark
}

// Name is delivery!member.
func (f *File) Name() string { return f.ref(0).String() }

func (f *File) ref(line int) reconcile.Ref {
	return reconcile.Ref{Delivery: f.Delivery, Member: f.Member, Line: line, SHA256: f.SHA256}
}

// raw is the record at an offset, up to its line's end.
func (f *File) raw(offset int64) []byte {
	buf := make([]byte, 4<<10)
	n, _ := f.Data.ReadAt(buf, offset)
	line, _, _ := bytes.Cut(buf[:n], []byte("\n"))
	return line
}

func (f *File) open(want txn.Fields) (parsers.Reader, error) {
	if f.Format == nil {
		return nil, &parsers.FileError{File: f.Member, Err: parsers.ErrDrift, What: f.Claim.Error()}
	}
	return f.Format.Open(f.src(), want)
}

func (f *File) src() parsers.Source {
	return parsers.Source{Name: f.Member, Data: f.Data, Size: f.Size, File: f.ID, Options: f.Options}
}

// Slot is a slot of the day with the files that stand for it. A control-only file comes behind the file it speaks of.
type Slot struct {
	reconcile.Slot
	Files  []*File
	Former *File // of a late slot: what the closed book had
	Empty  bool  // the source's contract says that a day without business brings a file without rows, or none
}

// RowError is a record that was refused, for the list of a book and of `check`.
type RowError struct {
	Source string
	Err    *parsers.ParseError
}

// loader feeds the slots of one day into the core and decides which of them must be held.
type loader struct {
	day     *reconcile.Day
	date    txn.Date
	wide    bool // a slot's rows may be of several days
	rejects func(rejected, seen int64) bool
	opening map[string]reconcile.Balance // closing balances of the day before, by account
	closing []reconcile.Balance
	files   []*File
	errors  []RowError
	unused  map[reconcile.SlotID]bool                    // slots of closed books whose file was held: none of its rows was booked
	booked  map[txn.Position]bool                        // rows of a late file that the closed book has
	known   func(mid, acquirer string, on txn.Date) bool // is the merchant on record?
	workers int                                          // that read side by side; 0: row by row, and every row stays in the day
	memory  int64                                        // bytes for rows in the sieve, 0: no limit
	part    int64                                        // bytes of a file that one goroutine reads at a stretch
	ledger  *Ledger                                      // takes the pairs that never reach the day; nil: nobody wants them
}

// typicalRow is about how many bytes of a file a row takes: only memory rests on it.
const typicalRow = 110

// maxErrors is how many refused records of one file are kept for showing; all are counted.
const maxErrors = 100

// seen is what one slot's files showed while they were read.
type seen struct {
	rows, rejected    int64
	outside, stranger int64
	totals            []parsers.Total
	controls          []parsers.Control
	statements        []parsers.Statement
	fatal             error
	net               map[dayCurrency]int64 // bank: net of the lines by booking day
}

type dayCurrency struct {
	day      txn.Date
	currency txn.Currency
}

// netOf sums the lines of a currency booked from one day up to, and without, another.
func (g *seen) netOf(c txn.Currency, from, to txn.Date) (sum int64) {
	for k, v := range g.net {
		if k.currency == c && k.day >= from && k.day < to {
			sum += v
		}
	}
	return sum
}

// load reads all slots. Only errors of the machine (a disk that fails) end it; what is wrong with a file holds its slot.
func (l *loader) load(ctx context.Context, slots []Slot) error {
	numbers := make([]int, len(slots))
	all := make([]*seen, len(slots))
	for i := range slots {
		s := &slots[i]
		if len(s.Files) > 0 {
			s.Sum.File, s.Sum.SHA256 = s.Files[0].Name(), s.Files[0].SHA256
		}
		numbers[i] = l.day.AddSlot(s.Slot)
		all[i] = &seen{}
		for _, f := range s.Files {
			f.ID, f.side = uint32(len(l.files)), s.Side
			l.files = append(l.files, f)
		}
	}
	big, err := l.sieve(ctx, slots, numbers)
	if big != nil {
		defer big.Close()
	}
	if err != nil {
		return err
	}
	for i := range slots {
		s := &slots[i]
		if big.holds(i) {
			if err := big.register(l, s, i, numbers[i], all[i]); err != nil {
				return err
			}
			continue
		}
		for _, f := range s.Files {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := l.compare(s, f); err != nil {
				return err
			}
			if err := l.read(numbers[i], s, f, all[i]); err != nil {
				return err
			}
		}
	}
	for i := range slots {
		l.judge(numbers[i], &slots[i], all[i])
	}
	l.day.SetBalances(l.closing)
	return big.shake(ctx, l)
}

func (l *loader) read(n int, s *Slot, f *File, got *seen) error {
	r, err := f.open(reconcile.Wanted(s.Side))
	if err != nil {
		got.fatal = errors.Join(got.fatal, err)
		return nil
	}
	l.day.Expect(f.Size / typicalRow)
	var row txn.Row
	for {
		err := r.Next(&row)
		var bad *parsers.ParseError
		switch {
		case err == nil:
			l.take(n, s, f, &row, got)
			continue
		case errors.As(err, &bad):
			got.rows++
			got.rejected++
			l.day.Reject(n, f.raw(bad.Offset))
			if got.rejected <= maxErrors {
				l.errors = append(l.errors, RowError{s.Source, bad})
			}
			continue
		case err == io.EOF:
			got.totals = append(got.totals, r.Totals()...)
			got.controls = append(got.controls, r.Controls()...)
			got.statements = append(got.statements, r.Statements()...)
			return nil
		}
		got.fatal = errors.Join(got.fatal, err)
		return nil
	}
}

func (l *loader) take(n int, s *Slot, f *File, row *txn.Row, got *seen) {
	if s.Side == txn.Bank {
		if f.Account != "" && string(row.Get(txn.Account)) != f.Account {
			return
		}
		if got.net == nil {
			got.net = map[dayCurrency]int64{}
		}
		got.net[dayCurrency{row.Booking, row.Currency}] += row.Amount
		if row.Booking != s.Date && (!l.wide || row.Booking > s.Date) {
			return
		}
	} else {
		day := row.Business
		if s.Side == txn.Terminal || day == 0 {
			day = row.Time.Date()
		}
		if l.outside(s, day, row.Kind) {
			got.outside++
		}
		if !l.known(string(row.Get(txn.MID)), s.Acquirer, s.Date) {
			got.stranger++
		}
	}
	got.rows++
	if !l.booked[row.Pos] {
		l.day.Add(n, row)
	}
}

// outside reports whether a transaction of the day has no business in the slot.
func (l *loader) outside(s *Slot, day txn.Date, kind txn.Kind) bool {
	return !l.wide && day != 0 && (day < s.Date-1 || day > s.Date+1) && kind.Transaction()
}

// compare tells a file for a closed date with the one that the closed book had: only what is new is booked, the rest is
// told.
func (l *loader) compare(s *Slot, f *File) error {
	if s.Late == nil || s.Former == nil || l.unused[reconcile.SlotID{Source: s.Source, Date: s.Date, Key: s.Key}] {
		return nil
	}
	keep := func(r *txn.Row) bool {
		return s.Side != txn.Bank || r.Booking == s.Date && (f.Account == "" || string(r.Get(txn.Account)) == f.Account)
	}
	d, err := diffFiles(s.Former, f, keep)
	var bad *parsers.FileError
	if errors.As(err, &bad) {
		return nil // whichever cannot be read: reading it for the day says so
	}
	if err != nil {
		return err
	}
	t := s.Late
	t.Removed, t.RemovedFee, t.Changed, t.ChangedFee = d.removed, d.removedFee, d.changed, d.changedFee
	t.Currency, t.FirstDifferent = d.currency, d.first
	if l.booked == nil {
		l.booked = map[txn.Position]bool{}
	}
	for at := range d.known {
		l.booked[at] = true
	}
	return nil
}

// judge decides whether a slot's rows may be used, and records its control totals.
func (l *loader) judge(n int, s *Slot, got *seen) {
	sum := &l.day.Slot(n).Sum
	sum.Rows = got.rows
	if len(s.Files) == 0 {
		if s.Empty && s.State == reconcile.SlotMissing && l.day.Traffic(n) == 0 {
			slot := l.day.Slot(n)
			slot.State, slot.Class, slot.Why = reconcile.SlotReceivedEmpty, "", ""
		}
		return
	}
	if got.fatal != nil {
		l.day.Hold(n, fileClass(got.fatal), firstLine(got.fatal))
		if s.Files[0].Format == nil {
			l.day.Slot(n).CauseCode = "wrong_file"
		}
		return
	}
	if s.Side == txn.Bank {
		if s.Late == nil {
			l.judgeStatement(n, s, got)
		} else {
			l.lateBalance(s, got)
		}
		return
	}
	worst := l.controls(sum, got)
	switch {
	case worst != "" && got.rejected == 0:
		l.day.Hold(n, reconcile.F07, worst)
	case got.rejected > 0 && l.rejects(got.rejected, got.rows):
		l.day.Hold(n, reconcile.F08, fmt.Sprintf("%d of %d rows rejected; %s", got.rejected, got.rows, worst))
	case got.rejected > 0:
		slot := l.day.Slot(n)
		slot.Class, slot.Why = reconcile.F08, strings.TrimSuffix(fmt.Sprintf("%d of %d rows rejected; %s", got.rejected, got.rows, worst), "; ")
	case got.rows > 0 && got.outside*2 > got.rows:
		l.day.Hold(n, reconcile.F10, fmt.Sprintf("%d of %d rows are not of %s", got.outside, got.rows, s.Date))
	case got.rows > 0 && got.stranger*2 > got.rows:
		l.day.Hold(n, reconcile.F10, fmt.Sprintf("%d of %d rows name a merchant that is not in the register", got.stranger, got.rows))
		l.day.Slot(n).CauseCode = "foreign_merchants"
	case got.rows == 0 && !s.Notices:
		if traffic := l.day.Traffic(n); traffic > 0 {
			l.day.Hold(n, reconcile.F06, fmt.Sprintf("no rows, but the other side has %d for it", traffic))
		} else {
			l.day.Slot(n).State = reconcile.SlotReceivedEmpty
		}
	}
}

// controls completes the figures that speak of another file of the slot, keeps all for the book and returns what the
// first one that failed says.
func (l *loader) controls(sum *reconcile.SlotSum, got *seen) (worst string) {
	for _, c := range got.controls {
		if c.Slot {
			c.Computed, c.OK = measure(c, got)
		}
		sum.Controls = append(sum.Controls, reconcile.ControlSum{Scope: c.Scope, Name: c.Name, Stated: c.Stated, Computed: c.Computed, OK: c.OK})
		if !c.OK && worst == "" {
			worst = fmt.Sprintf("%s states %s, the rows give %s", c.Name, c.Stated, c.Computed)
		}
	}
	return worst
}

// measure computes a stated figure of a control-only file from the rows of its sibling.
func measure(c parsers.Control, got *seen) (computed string, ok bool) {
	var rows int64
	var sum txn.Fine
	cur := txn.CNY
	for _, t := range got.totals {
		if len(c.Kinds) > 0 && !slices.Contains(c.Kinds, t.Kind) {
			continue
		}
		rows += t.Rows
		cur = t.Currency
		switch c.Measure {
		case "amount":
			sum += txn.FineOf(t.Amount, t.Currency)
		case "fee":
			sum += t.Fee
		case "net":
			sum += t.Net
		}
	}
	if c.Measure == "rows" {
		if len(c.Kinds) == 0 {
			rows = got.rows
		}
		return strconv.FormatInt(rows, 10), strconv.FormatInt(rows, 10) == c.Stated
	}
	if c.Abs && sum < 0 {
		sum = -sum
	}
	stated, err := txn.ParseDecimal([]byte(c.Stated), txn.FineDecimals)
	return sum.Format(cur), err == nil && txn.Fine(stated) == sum
}

// judgeStatement checks that the balances of a bank slice chain: within the file, and with the day before.
func (l *loader) judgeStatement(n int, s *Slot, got *seen) {
	slot := l.day.Slot(n)
	account := s.Files[0].Account
	for _, st := range got.statements {
		if account != "" && st.Account != account {
			continue
		}
		slot.Sum.Controls = append(slot.Sum.Controls, balanceControl(st))
		if !st.Balanced {
			slot.Doubtful, slot.Class = true, reconcile.F11
			slot.Why = fmt.Sprintf("account %s: the balances do not chain: %s expected, %s found", tail(st.Account),
				txn.FormatAmount(st.BreakWant, st.Currency), txn.FormatAmount(st.BreakIs, st.Currency))
			continue
		}
		if !st.HasOpening || st.From > s.Date || st.To < s.Date || s.State != reconcile.SlotReceived {
			continue
		}
		opening := st.Opening + got.netOf(st.Currency, st.From, s.Date)
		if was, ok := l.opening[st.Account+" "+st.Currency.String()]; ok && was.Date < l.date && was.Closing != opening && !l.wide && !l.day.BankUnsure(st.Account, was.Date+1) {
			slot.Doubtful, slot.Class = true, reconcile.F11
			slot.Why = fmt.Sprintf("account %s opens with %s, but %s closed with %s", tail(st.Account), txn.FormatAmount(opening, st.Currency),
				was.Date, txn.FormatAmount(was.Closing, st.Currency))
			slot.Sum.Controls = append(slot.Sum.Controls, reconcile.ControlSum{Scope: tail(st.Account), Name: "opening balance",
				Stated: txn.FormatAmount(opening, st.Currency), Computed: txn.FormatAmount(was.Closing, st.Currency)})
			continue // which of the two is wrong is open: tomorrow is not judged by either
		}
		l.closing = append(l.closing, reconcile.Balance{Account: st.Account, Currency: st.Currency.String(), Date: s.Date,
			Closing: opening + got.netOf(st.Currency, s.Date, s.Date+1)})
	}
	if got.rejected > 0 {
		slot.Class = reconcile.F08
		slot.Why = fmt.Sprintf("%d of %d lines rejected", got.rejected, got.rows)
		slot.Doubtful = true
	}
}

// lateBalance takes over the closing balance that a late statement states for the day that the account was last known of.
func (l *loader) lateBalance(s *Slot, got *seen) {
	for _, st := range got.statements {
		was, ok := l.opening[st.Account+" "+st.Currency.String()]
		if !ok || !st.Balanced || !st.HasOpening || st.From > s.Date || st.To < s.Date || was.Date > s.Date {
			continue
		}
		was.Date, was.Closing = s.Date, st.Opening+got.netOf(st.Currency, st.From, s.Date+1)
		l.opening[st.Account+" "+st.Currency.String()] = was
	}
}

func balanceControl(st parsers.Statement) reconcile.ControlSum {
	c := reconcile.ControlSum{Scope: tail(st.Account), Name: "closing balance", OK: st.Balanced,
		Stated: txn.FormatAmount(st.Closing, st.Currency), Computed: txn.FormatAmount(st.Opening+st.Credits-st.Debits, st.Currency)}
	if !st.Balanced && st.BreakOffset >= 0 {
		c.Stated, c.Computed = txn.FormatAmount(st.BreakIs, st.Currency), txn.FormatAmount(st.BreakWant, st.Currency)
	}
	return c
}

// tail shows an account number by its last digits.
func tail(account string) string {
	if len(account) <= 4 {
		return account
	}
	return "…" + account[len(account)-4:]
}

// fileClass is the exception class of an error that ends a file.
func fileClass(err error) reconcile.Class {
	switch {
	case errors.Is(err, parsers.ErrTruncated), errors.Is(err, io.ErrUnexpectedEOF):
		return reconcile.F03
	case errors.Is(err, parsers.ErrControl):
		return reconcile.F07
	}
	return reconcile.F09
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
