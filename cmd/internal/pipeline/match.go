package pipeline

import (
	"cmp"
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
	"time"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/publish"
	"daozhang/parsers"
	"daozhang/parsers/txn"
	"daozhang/parsers/unpack"
	"daozhang/reconcile"
	"daozhang/reconcile/calendar"
	"daozhang/reconcile/register"
	"daozhang/reports"
	"daozhang/reports/text"
)

// Matching is what `match` is asked: the same core on files at hand, without database or network.
type Matching struct {
	Date                     txn.Date
	AsOf                     time.Time
	Terminal, Acquirer, Bank []string          // paths
	Named                    map[string]string // path -> format
	Register                 *register.Register
	Calendars                *calendar.Calendars
	Formats                  *parsers.Registry
	Config                   *config.Config // optional: sources, zone, rules
	Zone                     *time.Location
	Lang                     text.Lang
	Out                      string
	Workbook, Ledger         bool
	Memory                   int64 // bound on the process in bytes, 0: none
	Program                  string
	Say                      func(format string, args ...any)
	Fault                    func(string, *reconcile.Day)
}

// MatchResult is what `match` came to.
type MatchResult struct {
	Outcome  *reconcile.Outcome
	Rejected []RowError
	Files    []string // written
}

// Match judges the files and writes exceptions.csv and summary.json, and what else was asked for, into Out. Each file
// is a slot of its own under the date asked for, or, for a bank, a slot for each of its accounts.
func Match(ctx context.Context, m Matching) (*MatchResult, error) {
	var open []io.Closer
	defer func() {
		for _, c := range slices.Backward(open) {
			c.Close()
		}
	}()
	var all []Slot
	for _, side := range [...]struct {
		side  txn.Side
		paths []string
	}{{txn.Terminal, m.Terminal}, {txn.Acquirer, m.Acquirer}, {txn.Bank, m.Bank}} {
		for _, path := range side.paths {
			ss, closers, err := m.slotsOf(side.side, path)
			open = append(open, closers...)
			if err != nil {
				return nil, err
			}
			all = append(all, ss...)
		}
	}
	slots, err := m.once(all)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(slots, func(a, b Slot) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), cmp.Compare(a.Date, b.Date), strings.Compare(a.Key, b.Key))
	})
	rules, rejects, goLive, digest := reconcile.DefaultRules(), config.Rules{RejectsHoldRows: 10, RejectsHoldShare: 100}.Held, txn.Date(0), ""
	entity := "match"
	if c := m.Config; c != nil {
		rules = reconcile.Rules{RefundDays: c.Rules.RefundDays, TimeLimitMinutes: c.Rules.TimeLimitMinutes, HistoryDays: c.Rules.HistoryDays}
		rejects, entity = c.Rules.Held, c.Entity
		if digest, err = c.Digest(); err != nil {
			return nil, err
		}
	}
	j, err := judge(ctx, question{date: m.Date, goLive: goLive, zone: m.Zone, register: m.Register, calendars: m.Calendars, rules: rules,
		rejects: rejects, slots: slots, fault: m.Fault, wide: true, ledger: m.Ledger,
		memory: m.Memory})
	if err != nil {
		return nil, err
	}
	b := &reports.Book{Entity: entity, Date: m.Date, Revision: 1, AsOf: m.AsOf, Zone: m.Zone, Lang: m.Lang, Outcome: j.outcome,
		Program: m.Program, ConfigDigest: digest, GoLive: goLive}
	if err := os.MkdirAll(m.Out, 0o750); err != nil {
		return nil, err
	}
	res := &MatchResult{Outcome: j.outcome, Rejected: j.errors}
	for _, f := range outputs(b, j.ledger, m.Workbook, m.Ledger, false) {
		if err := publish.WriteFile(filepath.Join(m.Out, f.Name), f.Write); err != nil {
			return nil, err
		}
		res.Files = append(res.Files, filepath.Join(m.Out, f.Name))
	}
	return res, nil
}

func (m *Matching) say(format string, args ...any) {
	if m.Say != nil {
		m.Say(format, args...)
	}
}

// once drops slots whose files were given before. Digests take as long as reading does: only files that may be the same,
// and those of which a workbook or ledger names the digest, get one.
func (m *Matching) once(all []Slot) ([]Slot, error) {
	type shape struct {
		side txn.Side
		key  string
		size string
	}
	alike := map[shape]int{}
	shapeOf := func(s *Slot) shape {
		x := shape{side: s.Side, key: s.Key}
		for _, f := range s.Files {
			x.size += fmt.Sprint(f.Size, " ")
		}
		return x
	}
	for i := range all {
		alike[shapeOf(&all[i])]++
	}
	seen := map[shape]map[string]bool{}
	var out []Slot
	for i := range all {
		s := &all[i]
		x := shapeOf(s)
		if alike[x] > 1 || m.Workbook || m.Ledger {
			for _, f := range s.Files {
				if err := f.digest(); err != nil {
					return nil, err
				}
			}
		}
		if alike[x] > 1 {
			if seen[x] == nil {
				seen[x] = map[string]bool{}
			}
			id := ""
			for _, f := range s.Files {
				id += f.SHA256
			}
			if seen[x][id] {
				m.say("%s was given twice; it counts once", s.Source)
				continue
			}
			seen[x][id] = true
		}
		out = append(out, *s)
	}
	return out, nil
}

// digest names the file's content.
func (f *File) digest() error {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f.Data, 0, f.Size)); err != nil {
		return err
	}
	f.SHA256 = hex.EncodeToString(h.Sum(nil))
	return nil
}

// slotsOf opens one path and makes its slots.
func (m *Matching) slotsOf(side txn.Side, path string) ([]Slot, []io.Closer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	open := []io.Closer{f}
	info, err := f.Stat()
	if err != nil {
		return nil, open, err
	}
	base := filepath.Base(path)
	d, closer, err := unpack.Open(base, f, info.Size(), unpack.Limits{})
	if err != nil {
		var fe *parsers.FileError
		if !errors.As(err, &fe) {
			return nil, open, err
		}
		return []Slot{m.slot(side, base, base, nil, []*File{{Delivery: base, Member: base, Claim: err}})}, open, nil
	}
	open = append(open, closer)
	var files []*File
	for _, mem := range d.Files {
		x, err := m.file(path, base, mem)
		if err != nil {
			return nil, open, err
		}
		files = append(files, x)
	}
	// A control-only file speaks about its sibling: it comes behind.
	slices.SortStableFunc(files, func(a, b *File) int { return cmp.Compare(controlOnly(a), controlOnly(b)) })
	if side == txn.Bank {
		return m.bankSlots(base, files), open, nil
	}
	var format parsers.Format
	if len(files) > 0 {
		format = files[0].Format
	}
	return []Slot{m.slot(side, base, "", format, files)}, open, nil
}

func controlOnly(f *File) int {
	if f.Format != nil && f.Format.Info().ControlOnly {
		return 1
	}
	return 0
}

func (m *Matching) file(path, base string, mem parsers.Member) (*File, error) {
	x := &File{Delivery: base, Member: mem.Name, Data: mem.Data, Size: mem.Size,
		Options: parsers.Options{Zone: m.Zone, BusinessDate: m.businessDate(base)}}
	src := parsers.Source{Name: x.Member, Data: x.Data, Size: x.Size, Options: x.Options}
	var names []string
	if n := m.Named[path]; n != "" {
		names = []string{n}
	} else if s := m.source(base); s != nil {
		names = s.Formats
		x.Options = s.Options(m.Config.Cards, m.businessDate(base))
		src.Options = x.Options
	}
	x.Format, x.Claim = m.Formats.Detect(src, names...)
	var ce *parsers.ClaimError
	if x.Format == nil && errors.As(x.Claim, &ce) && len(names) == 0 {
		return nil, x.Claim // the caller can say which format it is
	}
	return x, nil
}

// source finds the configured source whose name patterns the file has.
func (m *Matching) source(base string) *config.Source {
	if m.Config == nil {
		return nil
	}
	for i := range m.Config.Sources {
		if _, ok := captures(&m.Config.Sources[i], base); ok {
			return &m.Config.Sources[i]
		}
	}
	return nil
}

// businessDate is the date that the file's name states under the configuration, else the date asked for.
func (m *Matching) businessDate(base string) txn.Date {
	if s := m.source(base); s != nil && s.FromName {
		if c, ok := captures(s, base); ok && c.Near(m.Date).Date != 0 {
			return c.Near(m.Date).Date + txn.Date(s.NameDays)
		}
	}
	return m.Date
}

func (m *Matching) slot(side txn.Side, source, key string, format parsers.Format, files []*File) Slot {
	s := Slot{Slot: reconcile.Slot{Source: source, Side: side, Date: m.businessDate(source), Key: key, State: reconcile.SlotReceived, Pays: true}, Files: files}
	if format != nil {
		s.Acquirer = format.Info().Acquirer
		s.Notices = format.Info().Notices
	}
	if c := m.source(source); c != nil {
		s.Acquirer, s.Pays = cmp.Or(c.Acquirer, s.Acquirer), c.Pays
	}
	s.Sum = reconcile.SlotSum{Source: source, Side: side, Slot: key, Date: s.Date, State: s.State}
	return s
}

// bankSlots makes a slot for each account of a statement; lines of all days up to the date asked for count.
func (m *Matching) bankSlots(base string, files []*File) []Slot {
	if len(files) == 0 {
		return nil
	}
	accounts := []string{""}
	if f := files[0]; f.Format != nil {
		if r, err := f.open(txn.FieldsOf(txn.Account)); err == nil && eachRow(r, func(*txn.Row) {}) == nil {
			if st := r.Statements(); len(st) > 0 {
				accounts = accounts[:0]
				for _, s := range st {
					accounts = append(accounts, s.Account)
				}
			}
		}
	}
	slices.Sort(accounts)
	var out []Slot
	for _, a := range slices.Compact(accounts) {
		own := make([]*File, len(files))
		for i, f := range files {
			c := *f
			c.Account = a
			own[i] = &c
		}
		s := m.slot(txn.Bank, base, a, nil, own)
		s.Date = m.Date
		if a != "" {
			s.Accounts = []string{a}
		}
		out = append(out, s)
	}
	return out
}
