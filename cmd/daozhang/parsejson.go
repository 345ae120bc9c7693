package main

import (
	"encoding/json"
	"errors"
	"io"

	"daozhang/cmd/internal/pipeline"
	"daozhang/parsers"
	"daozhang/parsers/txn"
)

// The JSON of `parse`. Keys and their order are a contract: they are only appended.
type parseDoc struct {
	File       string           `json:"file"`
	Member     string           `json:"member"`
	Format     string           `json:"format"`
	SHA256     string           `json:"sha256"`
	Rows       int64            `json:"rows"`
	Rejected   int64            `json:"rejected"`
	Statements []parseStatement `json:"statements"`
	Totals     []parseTotal     `json:"totals"`
	Control    []parseControl   `json:"control"`
	Errors     []parseErr       `json:"errors"`
}

type parseStatement struct {
	Account  string `json:"account"`
	ID       string `json:"id"`
	Currency string `json:"currency"`
	Opening  string `json:"opening"` // empty where the file does not state it
	Closing  string `json:"closing"`
	Lines    int64  `json:"lines"`
	Credits  string `json:"credits"`
	Debits   string `json:"debits"`
	Balanced bool   `json:"balanced"`
}

type parseTotal struct {
	Side     string `json:"side"`
	Kind     string `json:"kind"`
	Currency string `json:"currency"`
	Rows     int64  `json:"rows"`
	Amount   string `json:"amount"`
	Fee      string `json:"fee"`
	Net      string `json:"net"`
}

type parseControl struct {
	Scope    string `json:"scope"`
	Name     string `json:"name"`
	Stated   string `json:"stated"`
	Computed string `json:"computed"`
	OK       bool   `json:"ok"`
}

type parseErr struct {
	Line    int    `json:"line"`
	Record  int    `json:"record"`
	Field   string `json:"field"`
	Message string `json:"message"`
}

func parseDocOf(p *pipeline.ParsedFile) parseDoc {
	d := parseDoc{File: p.Path, Member: p.Member, SHA256: p.SHA256, Rows: p.Rows, Rejected: p.Rejected, Statements: []parseStatement{},
		Totals: []parseTotal{}, Control: []parseControl{}, Errors: []parseErr{}}
	if p.Format != nil {
		d.Format = p.Format.Info().Name
	}
	for _, s := range p.Statements {
		d.Statements = append(d.Statements, statementDoc(s))
	}
	for _, t := range p.Totals {
		d.Totals = append(d.Totals, parseTotal{t.Side.String(), t.Kind.String(), t.Currency.String(), t.Rows,
			txn.FormatAmount(t.Amount, t.Currency), t.Fee.Format(t.Currency), t.Net.Format(t.Currency)})
	}
	for _, c := range p.Controls {
		checked := !c.Slot || c.Computed != "" // what could not be compared is not said to agree
		d.Control = append(d.Control, parseControl{c.Scope, c.Name, c.Stated, c.Computed, c.OK && checked})
	}
	for _, e := range p.Errors {
		d.Errors = append(d.Errors, parseErr{e.Line, e.Record, e.Field, causeText(e)})
	}
	for i, s := range p.Statements {
		if !s.Balanced {
			d.Errors = append(d.Errors, parseErr{Line: p.Breaks[i], Message: "account " + accountTail(s.Account) + ": " + breakText(s)})
		}
	}
	for _, err := range [...]error{p.Claim, p.Fatal} {
		if err != nil {
			d.Errors = append(d.Errors, fileErr(err))
		}
	}
	return d
}

// causeText is the message of a rejected record without its place, which has keys of its own.
func causeText(e *parsers.ParseError) string {
	if e.Value == "" {
		return e.Err.Error()
	}
	return e.Err.Error() + ": " + quoted(e.Value)
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return s
	}
	return string(b)
}

func fileErr(err error) parseErr {
	e := parseErr{Message: err.Error()}
	var fe *parsers.FileError
	if errors.As(err, &fe) {
		e.Line = fe.Line
	}
	return e
}

func statementDoc(s parsers.Statement) parseStatement {
	d := parseStatement{Account: s.Account, ID: s.ID, Currency: s.Currency.String(), Lines: s.Lines, Balanced: s.Balanced,
		Credits: txn.FormatAmount(s.Credits, s.Currency), Debits: txn.FormatAmount(s.Debits, s.Currency)}
	if s.HasOpening {
		d.Opening = txn.FormatAmount(s.Opening, s.Currency)
	}
	if s.HasClosing {
		d.Closing = txn.FormatAmount(s.Closing, s.Currency)
	}
	return d
}

// brokenDoc stands for the path at which reading ended.
func brokenDoc(paths []string, files []*pipeline.ParsedFile, err error) parseDoc {
	done := map[string]bool{}
	for _, p := range files {
		done[p.Path] = true
	}
	path := paths[len(paths)-1]
	for _, p := range paths {
		if !done[p] {
			path = p
			break
		}
	}
	d := parseDocOf(&pipeline.ParsedFile{Path: path, Fatal: err})
	return d
}

// printJSON prints one document as people and programs read it.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
