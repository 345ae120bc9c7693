package config

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gocarina/gocsv"

	"daozhang/parsers/txn"
	"daozhang/reconcile/register"
)

// LoadRegister reads the register of the configuration. Amounts of contracts without an account are in the
// configuration's currency.
func (c *Config) LoadRegister() (*register.Register, Problems) {
	return loadRegister(c.Register, c.Currency)
}

// LoadRegister reads the six CSV files of a register. A folder or file that is not there gives an empty table and a
// warning. The register is nil only if there are errors. Amounts of contracts without an account are in CNY.
func LoadRegister(dir string) (*register.Register, Problems) { return loadRegister(dir, txn.CNY) }

func loadRegister(dir string, currency txn.Currency) (*register.Register, Problems) {
	l := &loader{dir: dir, currency: currency}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		l.problems = append(l.problems, Problem{File: dir, Warning: true,
			Text: "there is no register; without stores, merchants, terminals, contracts, accounts and payers no due date or fee is known"})
		r, _ := register.New(register.Tables{})
		return r, l.problems
	}
	var t register.Tables
	readTable(l, "stores", func(r *row, x storeRow) {
		t.Stores = append(t.Stores, register.Store{Validity: r.validity(x.From, x.To), ID: r.id("store_id", x.ID), Name: clean(x.Name)})
	})
	readTable(l, "merchants", func(r *row, x merchantRow) {
		t.Merchants = append(t.Merchants, register.Merchant{Validity: r.validity(x.From, x.To), MID: r.id("mid", x.MID),
			Acquirer: clean(x.Acquirer), ExternalMID: r.id("external_mid", x.External), LegalName: clean(x.Legal), MCC: r.id("mcc", x.MCC)})
	})
	readTable(l, "terminals", func(r *row, x terminalRow) {
		t.Terminals = append(t.Terminals, register.Terminal{Validity: r.validity(x.From, x.To), TID: r.id("tid", x.TID), MID: r.id("mid", x.MID),
			Store: r.id("store_id", x.Store), ExternalTID: r.id("external_tid", x.External), OfflineLimitH: r.count("offline_limit_h", x.Offline, 24*365)})
	})
	readTable(l, "accounts", func(r *row, x accountRow) {
		t.Accounts = append(t.Accounts, register.Account{Validity: r.validity(x.From, x.To), ID: r.id("account", x.ID), Bank: clean(x.Bank),
			Currency: r.currency("currency", x.Currency), Owner: clean(x.Owner)})
	})
	readTable(l, "payers", func(r *row, x payerRow) {
		t.Payers = append(t.Payers, register.Payer{Validity: r.validity(x.From, x.To), Name: clean(x.Name), Acquirer: clean(x.Acquirer),
			Licensed: r.truth("licensed", x.Licensed)})
	})
	l.accounts = map[string]txn.Currency{}
	for _, a := range t.Accounts {
		l.accounts[a.ID] = a.Currency
	}
	readTable(l, "contracts", func(r *row, x contractRow) { t.Contracts = append(t.Contracts, r.contract(x)) })

	if l.problems.Err() != nil {
		return nil, l.problems.Sorted()
	}
	reg, errs := register.New(t)
	for _, err := range errs {
		l.problems = append(l.problems, located(dir, err.Error()))
	}
	if l.problems.Err() != nil {
		return nil, l.problems.Sorted()
	}
	return reg, l.problems.Sorted()
}

// The columns of the six files. Every column must be there; values are texts and are read with their position.
type (
	storeRow struct {
		ID   string `csv:"store_id"`
		Name string `csv:"name"`
		Period
	}
	merchantRow struct {
		MID      string `csv:"mid"`
		Acquirer string `csv:"acquirer"`
		External string `csv:"external_mid"`
		Legal    string `csv:"legal_name"`
		MCC      string `csv:"mcc"`
		Period
	}
	terminalRow struct {
		TID      string `csv:"tid"`
		MID      string `csv:"mid"`
		Store    string `csv:"store_id"`
		External string `csv:"external_tid"`
		Offline  string `csv:"offline_limit_h"`
		Period
	}
	contractRow struct {
		ID        string `csv:"contract_id"`
		MID       string `csv:"mid"`
		Channel   string `csv:"channel"`
		CardClass string `csv:"card_class"`
		MCC       string `csv:"mcc"`
		Rate      string `csv:"rate"`
		Fixed     string `csv:"fixed"`
		Cap       string `csv:"cap"`
		Min       string `csv:"min"`
		Rounding  string `csv:"rounding"`
		FeeBack   string `csv:"fee_back_on_refund"`
		Cycle     string `csv:"cycle"`
		Cutoff    string `csv:"cutoff"`
		Drift     string `csv:"cutoff_drift_min"`
		Calendar  string `csv:"calendar"`
		Basis     string `csv:"payout_basis"`
		Account   string `csv:"account"`
		Period
	}
	accountRow struct {
		ID       string `csv:"account"`
		Bank     string `csv:"bank"`
		Currency string `csv:"currency"`
		Owner    string `csv:"owner"`
		Period
	}
	payerRow struct {
		Name     string `csv:"name"`
		Acquirer string `csv:"acquirer"`
		Licensed string `csv:"licensed"`
		Period
	}
	// Period is exported because gocsv only sees exported embedded fields.
	Period struct {
		From string `csv:"valid_from"`
		To   string `csv:"valid_to"`
	}
)

// loader reads the tables of one register.
type loader struct {
	dir      string
	currency txn.Currency
	accounts map[string]txn.Currency
	problems Problems
}

// row is one record with the places of its values.
type row struct {
	l      *loader
	file   string // stores.csv
	data   []byte
	csv    *csv.Reader
	header []string
}

// readTable reads one file by header name. The reader supplies positions, because gocsv counts rows, which quoted line
// breaks and blank lines make wrong; gocsv maps columns to fields.
func readTable[R any](l *loader, name string, each func(*row, R)) {
	r := &row{l: l, file: name + ".csv"}
	path := filepath.Join(l.dir, r.file)
	data, err := readBounded(path, maxRegisterFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.problems = append(l.problems, Problem{File: path, Warning: true, Text: "there is no such file; the table " + name + " is empty"})
		return
	case err != nil:
		l.problems = append(l.problems, Problem{File: path, Text: err.Error()})
		return
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		at := firstInvalid(data)
		r.problem(1+bytes.Count(data[:at], []byte("\n")), 0, "not UTF-8; save the file from the spreadsheet as CSV UTF-8")
		return
	}
	r.data, r.csv = data, csv.NewReader(bytes.NewReader(data))
	var zero R
	um, err := gocsv.NewUnmarshaller(r.csv, zero)
	if err != nil {
		r.failed(err)
		return
	}
	r.header = um.Headers
	if !r.headerFits(um.MismatchedHeaders, um.MismatchedStructFields) {
		return
	}
	for {
		v, err := um.Read()
		if err == io.EOF {
			return
		}
		if err != nil {
			if r.failed(err); !errors.Is(err, csv.ErrFieldCount) {
				return
			}
			continue
		}
		if x, ok := v.(R); ok && any(x) != any(zero) { // a line of commas alone is a spreadsheet's blank line
			each(r, x)
		}
	}
}

func firstInvalid(data []byte) int {
	for i := 0; i < len(data); {
		c, n := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return len(data)
}

// headerFits reports unknown, repeated and missing columns.
func (r *row) headerFits(unknown, missing []string) bool {
	ok := true
	for i, h := range r.header {
		line, col := r.at(i)
		switch {
		case slices.Contains(unknown, h):
			ok = false
			hint := "remove it"
			if n := nearest(h, missing); n != "" {
				hint = "did you mean " + n + "?"
			}
			r.problem(line, col, "unknown column %q; %s", h, hint)
		case slices.Contains(r.header[:i], h):
			ok = false
			r.problem(line, col, "column %s stands twice; remove one of them", h)
		}
	}
	for _, m := range missing {
		ok = false
		r.problem(1, 0, "column %s is missing; add it, its values may be empty where they are optional", m)
	}
	return ok
}

func (r *row) failed(err error) {
	var pe *csv.ParseError
	switch {
	case err == io.EOF:
		r.problem(1, 0, "the file is empty; its first line must name the columns")
	case errors.As(err, &pe) && errors.Is(err, csv.ErrFieldCount):
		r.problem(pe.StartLine, 0, "the line has another number of values than the first line has columns; check commas, and put values with commas in quotes")
	case errors.As(err, &pe):
		r.problem(pe.Line, 0, "%v; put the value in double quotes and write quotes inside it twice", pe.Err)
	default:
		r.problem(0, 0, "%v", err)
	}
}

func (r *row) problem(line, col int, format string, args ...any) {
	r.l.problems = append(r.l.problems, Problem{File: filepath.Join(r.l.dir, r.file), Line: line, Column: col, Text: fmt.Sprintf(format, args...)})
}

// bad reports a value of the current record.
func (r *row) bad(column, format string, args ...any) {
	line, col := r.at(max(slices.Index(r.header, column), 0))
	r.problem(line, col, column+": "+format, args...)
}

// at is the line of a value of the current record and its column in characters, as editors count; the reader counts
// bytes.
func (r *row) at(field int) (line, column int) {
	line, col := r.csv.FieldPos(field)
	rest := r.data
	for range line - 1 {
		_, rest, _ = bytes.Cut(rest, []byte("\n"))
	}
	return line, utf8.RuneCount(rest[:min(col-1, len(rest))]) + 1
}

func clean(s string) string { return strings.TrimSpace(s) }

// validity reads the two dates; valid_to may be empty.
func (r *row) validity(from, to string) register.Validity {
	line, _ := r.csv.FieldPos(0)
	return register.Validity{From: r.date("valid_from", from, true), To: r.date("valid_to", to, false), Line: r.file + ":" + strconv.Itoa(line)}
}

func (r *row) date(column, s string, needed bool) txn.Date {
	s = clean(s)
	if s == "" && !needed {
		return 0
	}
	d, err := txn.ParseDate(s)
	if err != nil {
		r.bad(column, "%q is not a date; write YYYY-MM-DD", s)
	}
	return d
}

var scientific = regexp.MustCompile(`^[0-9](\.[0-9]+)?[eE]\+[0-9]+$`)

// id reads an identifier and refuses what a spreadsheet has made of one.
func (r *row) id(column, s string) string {
	s = clean(s)
	if scientific.MatchString(s) {
		r.bad(column, "%q was a number that a spreadsheet has shortened; format the column as text and enter the full number", s)
	}
	return s
}

func (r *row) count(column, s string, most int) int {
	if s = clean(s); s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > most {
		r.bad(column, "%q is not a whole number from 0 to %d", s, most)
		return 0
	}
	return n
}

func (r *row) truth(column, s string) bool {
	switch clean(s) {
	case "yes", "true", "是":
		return true
	case "no", "false", "否":
		return false
	}
	r.bad(column, "%q must be yes or no", s)
	return false
}

func (r *row) currency(column, s string) txn.Currency {
	c, ok := txn.ParseCurrency(clean(s))
	if !ok {
		r.bad(column, "%q is not a currency; write its ISO 4217 code, such as CNY", s)
	}
	return c
}
