package pipeline

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"daozhang/cmd/internal/store"
	"daozhang/parsers"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// history looks up in the ledgers of earlier days what became of a row, and remembers questions and answers: they are
// inputs of the day that asked.
type history struct {
	e       *Engine
	ctx     context.Context
	date    txn.Date
	ledgers map[txn.Date]*LedgerReader // nil where there is none
	files   map[string]*File
	readers map[string]parsers.Reader // by member
	open    *deliveries
	seen    map[inquiry]bool
	past    map[inquiry][]reconcile.PastRow
	err     error
}

// inquiry is one question to the ledgers.
type inquiry struct {
	id   string
	from txn.Date
}

func (e *Engine) history(ctx context.Context, d txn.Date) *history {
	return &history{e: e, ctx: ctx, date: d, ledgers: map[txn.Date]*LedgerReader{}, files: map[string]*File{}, readers: map[string]parsers.Reader{}, open: e.deliveries(),
		seen: map[inquiry]bool{}, past: map[inquiry][]reconcile.PastRow{}}
}

// Close gives the ledgers back.
func (h *history) Close() error {
	errs := []error{h.open.Close()}
	for _, r := range h.ledgers {
		if r != nil {
			errs = append(errs, r.Close())
		}
	}
	return errors.Join(errs...)
}

func (h *history) ledger(d txn.Date) *LedgerReader {
	if r, ok := h.ledgers[d]; ok {
		return r
	}
	var r *LedgerReader
	folder, _, err := h.e.latest(d)
	if err == nil {
		r, err = openLedger(h.e.Disk, folder)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		h.err = errors.Join(h.err, err)
	}
	if err != nil {
		r = nil
	}
	h.ledgers[d] = r
	return r
}

// find lists what the ledger of a date has under an id.
func (h *history) find(d txn.Date, id string) (*LedgerReader, []LedgerEntry) {
	r := h.ledger(d)
	if r == nil {
		return nil, nil
	}
	es, err := r.Find(id)
	h.err = errors.Join(h.err, err)
	return r, es
}

// Known implements reconcile.History.
func (h *history) Known(id string, from txn.Date) (found, ok bool) {
	q := inquiry{id, from}
	if a, asked := h.seen[q]; asked {
		return a, true
	}
	for d := h.date - 1; d >= from && !found; d-- {
		_, es := h.find(d, id)
		found = len(es) > 0
	}
	h.seen[q] = found
	return found, true
}

// Past implements reconcile.History.
func (h *history) Past(id string, from txn.Date) []reconcile.PastRow {
	q := inquiry{id, from}
	if a, asked := h.past[q]; asked {
		return a
	}
	var out []reconcile.PastRow
	for d := from; d < h.date; d++ {
		r, es := h.find(d, id)
		if len(es) == 0 {
			continue
		}
		day := h.rows(r, es, id)
		for i := range day {
			day[i].Date = d
		}
		out = append(out, day...)
	}
	h.past[q] = out
	return out
}

// rows reads the rows of ledger entries again and keeps those that carry the id, the terminal's first, then by what
// they say: never by where they stand, which may depend on the order of arrival.
func (h *history) rows(r *LedgerReader, es []LedgerEntry, id string) (out []reconcile.PastRow) {
	want := string(txn.TrimZeros([]byte(id)))
	for _, e := range es {
		if e.Row.Offset < 0 || int(e.Row.File) >= len(r.Files()) || r.Files()[e.Row.File].Source == "" {
			continue // written by an older program: the row cannot be read again
		}
		f, err := h.file(r.Files()[e.Row.File])
		if err != nil {
			h.err = errors.Join(h.err, err)
			continue
		}
		row, err := h.row(f, e.Row)
		if err != nil {
			h.err = errors.Join(h.err, err)
			continue
		}
		if carries(row, want) {
			at := f.ref(0)
			if at.Offset, at.Entry = e.Row.Offset, e.Row.Entry; at.Offset == 0 {
				at.Line = 1
			}
			out = append(out, reconcile.PastRow{Row: row, At: at})
		}
	}
	slices.SortStableFunc(out, func(a, b reconcile.PastRow) int {
		return cmp.Or(cmp.Compare(a.Row.Side, b.Row.Side), cmp.Compare(a.Row.Time.Unix, b.Row.Time.Unix), strings.Compare(rowText(a.Row), rowText(b.Row)))
	})
	return slices.CompactFunc(out, func(a, b reconcile.PastRow) bool { // one row under two of its ids
		return a.At.SHA256 == b.At.SHA256 && a.At.Offset == b.At.Offset && a.At.Entry == b.At.Entry
	})
}

// row reads one row of a file. Its reader stays open: a day asks for many.
func (h *history) row(f *File, at txn.Position) (*txn.Row, error) {
	at.File = f.ID
	r, ok := h.readers[f.SHA256]
	if !ok {
		opened, err := f.open(txn.AllFields)
		if err != nil {
			return nil, fmt.Errorf("reading %s again: %w", f.Name(), err)
		}
		r = opened
		h.readers[f.SHA256] = r
	}
	seeker, ok := r.(parsers.Seeker)
	if !ok {
		rows, _, err := evidence{files: []*File{f}}.Rows([]txn.Position{at})
		if err != nil {
			return nil, err
		}
		return rows[0], nil
	}
	var row txn.Row
	err := seeker.SeekRecord(at.Offset)
	if err == nil {
		err = nextAt(r, &row, at)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s again at byte %d: %w", f.Name(), at.Offset, err)
	}
	return row.Clone(), nil
}

// Place implements reconcile.History.
func (h *history) Place(p reconcile.PastRow) reconcile.Ref {
	if r := h.readers[p.At.SHA256]; r != nil && p.At.Line == 0 {
		line, _, err := r.Locate(p.At.Offset)
		h.err = errors.Join(h.err, err)
		p.At.Line = line
	}
	return p.At
}

func rowText(r *txn.Row) string { return reconcile.RowKey("", r, 0) + reconcile.FactsDigest(r) }

func carries(r *txn.Row, id string) bool {
	for _, f := range [...]txn.Field{txn.OrderNo, txn.ChannelTxnID, txn.RRN, txn.OrigOrder, txn.OrigChannelTxnID, txn.OrigRRN} {
		if v := r.Get(f); len(v) > 0 && string(txn.TrimZeros(v)) == id {
			return true
		}
	}
	return false
}

// file opens a file that a ledger refers to.
func (h *history) file(l LedgerFile) (*File, error) {
	if f := h.files[l.SHA256]; f != nil {
		return f, nil
	}
	src, ok := h.e.Config.Source(l.Source)
	if !ok {
		return nil, fmt.Errorf("%s: source %q of an earlier day is not in the configuration any more; put it back with pays: no and without slots", l.Member, l.Source)
	}
	rec, err := h.e.DB.FileOf(h.ctx, l.Source, l.SHA256)
	if err != nil {
		return nil, err
	}
	d, err := h.open.get(rec.Delivery, path.Base(l.Delivery))
	if err != nil {
		return nil, err
	}
	if rec.Position >= len(d.Files) {
		return nil, fmt.Errorf("%s: file %d is not in the delivery any more; the archive is damaged", l.Delivery, rec.Position)
	}
	f := &File{Source: l.Source, Delivery: l.Delivery, Member: l.Member, SHA256: l.SHA256, Data: d.Files[rec.Position].Data, Size: d.Files[rec.Position].Size,
		Options: src.Options(h.e.Config.Cards, h.date)}
	f.Format, f.Claim = h.e.Formats.Detect(parsers.Source{Name: f.Member, Data: f.Data, Size: f.Size, Options: f.Options}, src.Formats...)
	h.files[l.SHA256] = f
	return f, nil
}

// Kinds of questions, as they stand in the inputs of a run.
const (
	askKnown = "known"
	askPast  = "past"
)

// inputs are the questions that were asked, each with the digest of its answer.
func (h *history) inputs() []store.Input {
	var out []store.Input
	for q := range h.seen {
		out = append(out, store.Input{Kind: store.LookupInput, Source: askKnown, Key: q.String(), Digest: h.known(q)})
	}
	for q := range h.past {
		out = append(out, store.Input{Kind: store.LookupInput, Source: askPast, Key: q.String(), Digest: h.pastDigest(q)})
	}
	slices.SortFunc(out, compareInputs)
	return out
}

func (q inquiry) String() string { return q.from.String() + " " + q.id }

func (h *history) known(q inquiry) string {
	found, _ := h.Known(q.id, q.from)
	return digestText(strconv.FormatBool(found))
}

func (h *history) pastDigest(q inquiry) string {
	var lines []string
	for _, p := range h.Past(q.id, q.from) {
		lines = append(lines, p.Date.String()+rowText(p.Row))
	}
	slices.Sort(lines)
	return digestText(strings.Join(lines, "\n"))
}

func digestText(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// again asks a recorded question once more and returns the digest of the answer of now.
func (h *history) again(in store.Input) string {
	from, id, _ := strings.Cut(in.Key, " ")
	d, err := txn.ParseDate(from)
	if err != nil {
		return "" // recorded by an older program, in another form: ask anew
	}
	if in.Source == askPast {
		return h.pastDigest(inquiry{id, d})
	}
	return h.known(inquiry{id, d})
}
