package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"daozhang/cmd/internal/pipeline"
	"daozhang/parsers"
	"daozhang/parsers/txn"
)

// parseFlags are the flags of `parse`.
type parseFlags struct {
	formats, profiles []string
	json, rows        bool
	date, zone        string
}

func (a *app) parseCmd() *cobra.Command {
	var f parseFlags
	c := &cobra.Command{
		Use:   "parse FILE...",
		Short: "Read files and show rows, totals and what the files state about themselves",
		Long: `Unpacks each FILE, finds the format that claims each file in it, reads it to its end and compares every total and
balance that the file states with its rows. A file without rows that states totals of another one (UnionPay RD2010)
is compared with its sibling in the same delivery or among the other FILEs; without one its computed figures stay
empty and are not ok, which is no failure.

Amounts are signed towards the merchant or account owner; a fee is positive where it costs the merchant. rows counts
the rejected ones too.

Exit codes: 0 fine · 2 no format, or more than one, claims a file · 3 rows were rejected, or a file could not be read
to its end · 4 a control total or balance failed. More than one: 4, 2, 3 in this order.`,
		Example: `  daozhang parse bill.csv
  daozhang parse statement.zip --json
  daozhang parse INN15090588ZM_802310048993424 RD201015090501_802310048993424
  daozhang parse journal.txt --profile myvendor.yaml --format myvendor --date 2026-01-05
  daozhang parse bill.csv --rows --json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(errors.New("name at least one FILE; see `daozhang parse --help`"))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return a.parse(c, args, f) },
	}
	fs := c.Flags()
	fs.StringArrayVar(&f.formats, "format", nil, "ask only this format (repeat)")
	fs.StringArrayVar(&f.profiles, "profile", nil, "user profile, a file or pattern (repeat)")
	fs.BoolVar(&f.json, "json", false, "print JSON: one object, or an array where there are several files")
	fs.BoolVar(&f.rows, "rows", false, "print the rows; with --json one row a line (JSON Lines) and nothing else")
	fs.StringVar(&f.date, "date", "", "business date, for files that do not state their dates in full")
	fs.StringVar(&f.zone, "zone", "", "time zone of times that the files do not mark, e.g. Asia/Shanghai (default the format's own)")
	return c
}

func (a *app) parse(c *cobra.Command, paths []string, f parseFlags) error {
	reg, err := a.formatsWith(f.profiles, f.formats...)
	if err != nil {
		return err
	}
	q := pipeline.Parsing{Paths: paths, Formats: reg, Named: f.formats}
	if f.date != "" {
		if q.Options.BusinessDate, err = parseDate("--date", f.date, txn.DateOf(a.now())-1); err != nil {
			return err
		}
	}
	if f.zone != "" {
		if q.Options.Zone, err = time.LoadLocation(f.zone); err != nil {
			return usage(fmt.Errorf("--zone %q is not known; use a name such as Asia/Shanghai", f.zone))
		}
	}
	out := bufio.NewWriterSize(a.out, 1<<16)
	if f.rows {
		q.Row = rowPrinter(out, f.json)
	}
	files, err := pipeline.Parse(c.Context(), q)
	switch {
	case f.rows && f.json:
		for _, p := range files {
			printTrouble(a.err, p)
		}
	case f.json:
		docs := make([]parseDoc, 0, len(files)+1)
		for _, p := range files {
			docs = append(docs, parseDocOf(p))
		}
		if err != nil { // the object is printed in every case
			docs = append(docs, brokenDoc(paths, files, err))
		}
		if len(docs) == 1 {
			err = errors.Join(err, printJSON(out, docs[0]))
		} else {
			err = errors.Join(err, printJSON(out, docs))
		}
	default:
		for i, p := range files {
			if i > 0 || f.rows {
				fmt.Fprintln(out)
			}
			printParsed(out, p)
		}
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		return openError(err)
	}
	return parseVerdict(files)
}

// openError makes a mistyped path a usage error.
func openError(err error) error {
	if errors.Is(err, os.ErrNotExist) || strings.HasSuffix(err.Error(), "name the files in it") {
		return usage(err)
	}
	return err
}

// parseVerdict chooses the exit code: a failed total before an unknown file before rejected rows. What there is to say
// was printed with the file.
func parseVerdict(files []*pipeline.ParsedFile) error {
	code := exitDone
	for _, p := range files {
		switch {
		case p.Failed():
			return withCode(exitControl, nil)
		case p.Claim != nil:
			code = exitUsage
		case (p.Rejected > 0 || p.Fatal != nil) && code == exitDone:
			code = exitPartial
		}
	}
	if code == exitDone {
		return nil
	}
	return withCode(code, nil)
}

// rowPrinter prints rows as they are read.
func rowPrinter(out *bufio.Writer, asJSON bool) func(*pipeline.ParsedFile, int, *txn.Row) error {
	var buf []byte
	if asJSON {
		return func(_ *pipeline.ParsedFile, _ int, r *txn.Row) error {
			buf = append(r.AppendJSON(buf[:0]), '\n')
			_, err := out.Write(buf)
			return err
		}
	}
	return func(p *pipeline.ParsedFile, line int, r *txn.Row) error {
		_, err := fmt.Fprintf(out, "%s:%d  %s\n", shown(p), line, rowText(r))
		return err
	}
}

// rowText is one row for people.
func rowText(r *txn.Row) string {
	at := r.Time.String()
	if at == "" {
		at = r.Booking.String()
	}
	parts := []string{r.Side.String(), r.Kind.String()}
	if s := r.Status.String(); s != "" {
		parts = append(parts, s)
	}
	parts = append(parts, at, money(r.Amount, r.Currency))
	if r.Has.Has(txn.FeeField) {
		parts = append(parts, "fee "+r.Fee.Format(r.Currency))
	}
	for _, f := range [...]txn.Field{txn.MID, txn.TID, txn.Batch, txn.STAN, txn.RRN, txn.OrderNo, txn.ChannelTxnID, txn.RefundID,
		txn.AuthCode, txn.PayoutID, txn.BankRef} {
		if v := r.Get(f); len(v) > 0 {
			parts = append(parts, f.String()+"="+string(v))
		}
	}
	return strings.Join(parts, "  ")
}

func money(minor int64, c txn.Currency) string {
	return strings.TrimSpace(txn.FormatAmount(minor, c) + " " + c.String())
}

// shown is how a file is named to people: path, or path!member.
func shown(p *pipeline.ParsedFile) string {
	if p.Member == filepath.Base(p.Path) {
		return p.Path
	}
	return p.Path + "!" + p.Member
}

// printParsed prints one file for people.
func printParsed(w io.Writer, p *pipeline.ParsedFile) {
	fmt.Fprintln(w, shown(p))
	if p.Format == nil {
		printTrouble(w, p)
		return
	}
	info := p.Format.Info()
	fmt.Fprintf(w, "  format    %s, %s\n", info.Name, info.Title)
	fmt.Fprintf(w, "  rows      %d", p.Rows)
	if p.Rejected > 0 {
		fmt.Fprintf(w, ", %d of them rejected", p.Rejected)
	}
	fmt.Fprintln(w)
	for _, t := range p.Totals {
		fmt.Fprintf(w, "  total     %s %-10s %5d rows  amount %s  fee %s  net %s %s\n", t.Side, t.Kind, t.Rows,
			txn.FormatAmount(t.Amount, t.Currency), t.Fee.Format(t.Currency), t.Net.Format(t.Currency), t.Currency)
	}
	for _, c := range p.Controls {
		fmt.Fprintf(w, "  control   %s\n", controlText(c))
	}
	if p.Sibling != "" {
		fmt.Fprintf(w, "            compared with the rows of %s\n", p.Sibling)
	}
	for i, s := range p.Statements {
		fmt.Fprintf(w, "  statement %s\n", statementText(s, p.Breaks[i]))
	}
	if len(p.Controls)+len(p.Statements) == 0 && p.Fatal == nil {
		fmt.Fprintf(w, "  proof     nothing in the file states its totals (%s)\n", info.Proof)
	}
	for _, n := range p.Notes {
		fmt.Fprintf(w, "  note      %s\n", n)
	}
	printTrouble(w, p)
}

func controlText(c parsers.Control) string {
	name := strings.TrimSpace(c.Name + " (" + c.Scope + ")")
	switch {
	case c.Computed == "" && c.Slot:
		return fmt.Sprintf("%s: stated %s; the file it speaks of is not here, name it as another FILE", name, c.Stated)
	case c.OK:
		return fmt.Sprintf("%s: stated %s = computed %s", name, c.Stated, c.Computed)
	}
	return fmt.Sprintf("%s: FAILED, stated %s but the rows give %s", name, c.Stated, c.Computed)
}

func statementText(s parsers.Statement, line int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "account %s %s to %s: ", accountTail(s.Account), s.From, s.To)
	if s.HasOpening {
		fmt.Fprintf(&b, "opening %s ", txn.FormatAmount(s.Opening, s.Currency))
	}
	fmt.Fprintf(&b, "+ credits %s - debits %s", txn.FormatAmount(s.Credits, s.Currency), txn.FormatAmount(s.Debits, s.Currency))
	if s.HasClosing {
		fmt.Fprintf(&b, " = closing %s", txn.FormatAmount(s.Closing, s.Currency))
	}
	fmt.Fprintf(&b, " %s, %d lines", s.Currency, s.Lines)
	switch {
	case s.Balanced:
	case s.BreakOffset < 0 || line == 0:
		b.WriteString("; FAILED: " + breakText(s))
	default:
		fmt.Fprintf(&b, "; FAILED at line %d: %s", line, breakText(s))
	}
	return b.String()
}

// breakText says which two numbers do not agree.
func breakText(s parsers.Statement) string {
	if s.BreakOffset >= 0 {
		return fmt.Sprintf("the balance should be %s but is %s", txn.FormatAmount(s.BreakWant, s.Currency), txn.FormatAmount(s.BreakIs, s.Currency))
	}
	return fmt.Sprintf("opening, credits and debits give %s but the closing balance is %s",
		txn.FormatAmount(s.Opening+s.Credits-s.Debits, s.Currency), txn.FormatAmount(s.Closing, s.Currency))
}

// accountTail shows an account number by its last digits.
func accountTail(account string) string {
	if len(account) <= 4 {
		return account
	}
	return "…" + account[len(account)-4:]
}

// printTrouble prints what is wrong with a file, one thing a line.
func printTrouble(w io.Writer, p *pipeline.ParsedFile) {
	for _, e := range p.Errors {
		fmt.Fprintf(w, "  error     %v\n", e)
	}
	if more := p.Rejected - int64(len(p.Errors)); more > 0 {
		fmt.Fprintf(w, "  error     ... and %d more rejected records\n", more)
	}
	for _, err := range [...]error{p.Claim, p.Fatal} {
		if err != nil {
			fmt.Fprintf(w, "  error     %v\n", err)
		}
	}
}
