package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"daozhang/parsers"
	"daozhang/parsers/txn"
	"daozhang/parsers/unpack"
)

// Parsing is what `parse` is asked: files at hand, read to their ends, each for itself.
type Parsing struct {
	Paths   []string
	Formats *parsers.Registry
	Named   []string // only these formats are asked; all if empty
	Options parsers.Options
	// Row, where set, sees every row in order, with its line. Byte fields are views, valid until it returns.
	Row func(p *ParsedFile, line int, r *txn.Row) error
	// File, where set, is called after the last row of each file.
	File func(p *ParsedFile)
}

// ParsedFile is one file of a delivery as its format read it.
type ParsedFile struct {
	Path       string // as given
	Member     string
	SHA256     string // of the member's bytes; empty where the delivery could not be opened
	Format     parsers.Format
	Rows       int64 // seen, rejected ones included
	Rejected   int64
	Errors     []*parsers.ParseError // at most maxListed
	Totals     []parsers.Total
	Controls   []parsers.Control
	Statements []parsers.Statement
	Breaks     []int    // per statement: the line at which its balances break, 0 if they chain
	Notes      []string // what the format has to say beside its figures
	Claim      error    // why no format, or more than one, claims the file
	Fatal      error    // what ended the file before its end
	Sibling    string   // of a control-only file: the file that its figures were compared with

	delivery int
}

// maxListed is how many rejected records of one file are listed; all are counted.
const maxListed = 1000

// Parse reads every file of every delivery. What is wrong with a file is in its result; an error is of the machine: a
// path that cannot be opened or read, or an error of Row.
func Parse(ctx context.Context, q Parsing) ([]*ParsedFile, error) {
	var out []*ParsedFile
	for n, path := range q.Paths {
		files, err := q.delivery(ctx, n, path)
		out = append(out, files...)
		if err != nil {
			return out, err
		}
	}
	crossCheck(out)
	return out, nil
}

// delivery opens one path and reads what is in it.
func (q *Parsing) delivery(ctx context.Context, n int, path string) (out []*ParsedFile, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s is a folder; name the files in it", path)
	}
	base := filepath.Base(path)
	d, closer, err := unpack.Open(base, f, info.Size(), unpack.Limits{})
	if err != nil {
		if !unreadable(err) {
			return nil, err
		}
		return []*ParsedFile{{Path: path, Member: base, Fatal: err, delivery: n}}, nil
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	for _, m := range d.Files {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		p := &ParsedFile{Path: path, Member: m.Name, delivery: n}
		out = append(out, p)
		if err := q.read(p, m); err != nil {
			return out, err
		}
		if q.File != nil {
			q.File(p)
		}
	}
	return out, nil
}

func (q *Parsing) read(p *ParsedFile, m parsers.Member) error {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(m.Data, 0, m.Size)); err != nil {
		return fmt.Errorf("%s: %w", p.Path, err)
	}
	p.SHA256 = hex.EncodeToString(h.Sum(nil))
	src := parsers.Source{Name: m.Name, Data: m.Data, Size: m.Size, Options: q.Options}
	if p.Format, p.Claim = q.Formats.Detect(src, q.Named...); p.Format == nil {
		return nil
	}
	r, err := p.Format.Open(src, txn.AllFields)
	if err != nil {
		p.Fatal = err
		return nil
	}
	if err := q.rows(p, r); err != nil || p.Fatal != nil {
		return err
	}
	p.Totals, p.Controls, p.Statements = r.Totals(), r.Controls(), r.Statements()
	for _, s := range p.Statements {
		line := 0
		if !s.Balanced && s.BreakOffset >= 0 {
			line, _, _ = r.Locate(s.BreakOffset) // a line that cannot be found is not printed
		}
		p.Breaks = append(p.Breaks, line)
	}
	if n, ok := r.(interface{ Notes() []string }); ok {
		p.Notes = n.Notes()
	}
	return nil
}

// rows reads to the end of the file; only errors of Row come back.
func (q *Parsing) rows(p *ParsedFile, r parsers.Reader) error {
	var row txn.Row
	for {
		err := r.Next(&row)
		var bad *parsers.ParseError
		switch {
		case err == nil:
			p.Rows++
			if q.Row == nil {
				continue
			}
			line, _, err := r.Locate(row.Pos.Offset)
			if err != nil {
				return fmt.Errorf("%s: %w", p.Path, err)
			}
			if err := q.Row(p, line, &row); err != nil {
				return err
			}
		case errors.As(err, &bad):
			p.Rows++
			p.Rejected++
			if len(p.Errors) < maxListed {
				p.Errors = append(p.Errors, bad)
			}
		case err == io.EOF:
			return nil
		default:
			p.Fatal = err
			return nil
		}
	}
}

// crossCheck compares the figures of control-only files with the rows of the file that they speak of: the only file
// with rows of their own delivery, else the only one of the same acquirer among the deliveries that bring no control-only
// file of their own. Where there is none, or more than one, the computed figure stays empty: it is never guessed.
func crossCheck(files []*ParsedFile) {
	own := map[int]bool{}
	for _, p := range files {
		own[p.delivery] = own[p.delivery] || p.Format != nil && p.Format.Info().ControlOnly && hasRows(files, p.delivery)
	}
	for _, p := range files {
		if p.Format == nil || !p.Format.Info().ControlOnly {
			continue
		}
		sib := onlySibling(p, files, func(s *ParsedFile) bool { return s.delivery == p.delivery })
		if sib == nil && !own[p.delivery] {
			sib = onlySibling(p, files, func(s *ParsedFile) bool { return s.delivery != p.delivery && !own[s.delivery] })
		}
		if sib == nil {
			continue
		}
		p.Sibling = sib.Member
		got := &seen{rows: sib.Rows, rejected: sib.Rejected, totals: sib.Totals}
		for i := range p.Controls {
			if c := &p.Controls[i]; c.Slot {
				c.Computed, c.OK = measure(*c, got)
			}
		}
	}
}

func hasRows(files []*ParsedFile, delivery int) bool {
	return slices.ContainsFunc(files, func(p *ParsedFile) bool {
		return p.delivery == delivery && p.Format != nil && !p.Format.Info().ControlOnly
	})
}

// onlySibling finds the one file with rows that a control-only file may speak of; the same bytes twice are one file.
func onlySibling(p *ParsedFile, files []*ParsedFile, among func(*ParsedFile) bool) *ParsedFile {
	var found *ParsedFile
	for _, s := range files {
		if s.Format == nil || s.Format.Info().ControlOnly || s.Fatal != nil || !among(s) {
			continue
		}
		if a, b := s.Format.Info(), p.Format.Info(); a.Side != b.Side || !strings.EqualFold(a.Acquirer, b.Acquirer) {
			continue
		}
		if found != nil && found.SHA256 != s.SHA256 {
			return nil
		}
		found = s
	}
	return found
}

// Failed reports whether a stated total or balance does not agree with the rows, or the file was refused for one.
func (p *ParsedFile) Failed() bool {
	if errors.Is(p.Fatal, parsers.ErrControl) {
		return true
	}
	for _, c := range p.Controls {
		if !c.OK {
			return true
		}
	}
	return slices.ContainsFunc(p.Statements, func(s parsers.Statement) bool { return !s.Balanced })
}
