package pipeline

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"path/filepath"
	"slices"

	"github.com/cespare/xxhash/v2"

	"daozhang/cmd/internal/disk"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reconcile/join"
)

// LedgerName is the match ledger's name in the folder of a book.
const LedgerName = "matches.ledger"

// The ledger answers where a matched row and its partner lie. It is sorted by key hash and searched by bisection:
//
//	"DZLEDGER1\n" | length of head (u32) | head: JSON, the files by number | entries of 48 bytes
//	entry: hash u64 | own file u32, offset i64, entry u16 | partner file u32, offset i64, entry u16 | pass u8 | zero u8 ...
//
// A row has at most two entries: under its channel or order id and under its RRN; a refund has a third under the id of
// its original, if that is another one. Hashes of one key are equal; equal
// hashes need not be one key, so whoever finds an entry reads the row and compares.
const (
	ledgerMagic = "DZLEDGER1\n"
	entrySize   = 48
)

// LedgerFile is one file that positions refer to.
type LedgerFile struct {
	Source   string `json:"source,omitempty"`
	Delivery string `json:"delivery"`
	Member   string `json:"member"`
	SHA256   string `json:"sha256"`
}

// LedgerEntry is one hit: a row and its partner, by numbers into the ledger's files.
type LedgerEntry struct {
	hash         uint64
	Row, Partner txn.Position
	Pass         string
}

type ledgerHead struct {
	Files  []LedgerFile `json:"files"`
	Passes []string     `json:"passes"`
}

// Ledger collects a day's matches.
type Ledger struct {
	head    ledgerHead
	number  map[string]uint32 // of carried rows' files, by member digest
	entries []LedgerEntry
}

func newLedger() *Ledger { return &Ledger{number: map[string]uint32{}} }

// about numbers the files of the day's rows. Files of carried rows come behind them.
func (l *Ledger) about(files []*File) {
	for _, f := range files {
		l.head.Files = append(l.head.Files, LedgerFile{f.Source, f.Delivery, f.Member, f.SHA256})
	}
}

// Match implements reconcile.Sink.
func (l *Ledger) Match(m reconcile.Match) {
	row, partner := m.Row, m.Partner
	if m.Carried {
		row = l.carried(m.RowAt, m.Source)
	}
	if m.PartnerCarry {
		partner = l.carried(m.PartnerAt, m.PartnerSource)
	}
	for i, id := range [...]string{m.Order, m.RRN, m.Original} {
		if id != "" && (i < 2 || id != m.Order && id != m.RRN) {
			l.entries = append(l.entries, LedgerEntry{KeyHash(id), row, partner, m.Pass})
		}
	}
}

// pair enters two rows that have no identifier but an RRN, packed as join does.
func (l *Ledger) pair(p *join.Pair, terminal, acquirer txn.Position) {
	var text [16]byte
	hash := func(rrn uint64) uint64 { return xxhash.Sum64(join.UnpackShort(text[:0], rrn)) }
	h := hash(p.RRN)
	l.entries = append(l.entries, LedgerEntry{h, terminal, acquirer, "P2"}, LedgerEntry{h, acquirer, terminal, "P2"})
	if p.LeftNames != 0 && p.LeftNames != p.RRN {
		l.entries = append(l.entries, LedgerEntry{hash(p.LeftNames), terminal, acquirer, "P2"})
	}
	if p.RightNames != 0 && p.RightNames != p.RRN {
		l.entries = append(l.entries, LedgerEntry{hash(p.RightNames), acquirer, terminal, "P2"})
	}
}

// carried gives a row of an earlier day a file number of its own. Where only its line is known, its offset is the line,
// negative.
func (l *Ledger) carried(at reconcile.Ref, source string) txn.Position {
	n, ok := l.number[at.SHA256]
	if !ok {
		n = uint32(len(l.head.Files))
		l.head.Files = append(l.head.Files, LedgerFile{source, at.Delivery, at.Member, at.SHA256})
		l.number[at.SHA256] = n
	}
	if at.Offset == 0 && at.Line > 1 {
		return txn.Position{File: n, Offset: -int64(at.Line)}
	}
	return txn.Position{File: n, Offset: at.Offset, Entry: at.Entry}
}

// KeyHash is the hash under which an identifier is found. Leading zeros do not count.
func KeyHash(id string) uint64 { return xxhash.Sum64(txn.TrimZeros([]byte(id))) }

// Write writes the ledger, sorted.
func (l *Ledger) Write(w io.Writer) error {
	es := slices.Clone(l.entries)
	slices.SortFunc(es, func(a, b LedgerEntry) int { return cmp.Or(cmp.Compare(a.hash, b.hash), a.Row.Compare(b.Row)) })
	head := l.head
	for _, e := range es {
		if !slices.Contains(head.Passes, e.Pass) {
			head.Passes = append(head.Passes, e.Pass)
		}
	}
	slices.Sort(head.Passes)
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	out.WriteString(ledgerMagic)
	out.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(text))))
	out.Write(text)
	var b [entrySize]byte
	for _, e := range es {
		binary.LittleEndian.PutUint64(b[0:], e.hash)
		putPosition(b[8:], e.Row)
		putPosition(b[22:], e.Partner)
		b[36] = byte(slices.Index(head.Passes, e.Pass))
		out.Write(b[:])
	}
	return out.Flush()
}

// writeIDs writes the hashes of all ids, sorted: what can be found in the ledger, wherever it stands.
func (l *Ledger) writeIDs(w io.Writer) error {
	ids := make([]uint64, len(l.entries))
	for i := range l.entries {
		ids[i] = l.entries[i].hash
	}
	slices.Sort(ids)
	b := make([]byte, 0, 8*len(ids))
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint64(b, id)
	}
	_, err := w.Write(b)
	return err
}

func putPosition(b []byte, p txn.Position) {
	binary.LittleEndian.PutUint32(b, p.File)
	binary.LittleEndian.PutUint64(b[4:], uint64(p.Offset))
	binary.LittleEndian.PutUint16(b[12:], p.Entry)
}

func getPosition(b []byte) txn.Position {
	return txn.Position{File: binary.LittleEndian.Uint32(b), Offset: int64(binary.LittleEndian.Uint64(b[4:])), Entry: binary.LittleEndian.Uint16(b[12:])}
}

// LedgerReader searches a written ledger.
type LedgerReader struct {
	head  ledgerHead
	known bool // the head is decoded
	f     disk.File
	start int64
	n     int
}

// OpenLedger opens the ledger in a book's folder; fs.ErrNotExist where there is none. A nil fsys is disk.OS.
func OpenLedger(fsys disk.FS, folder string) (*LedgerReader, error) {
	r, err := openLedger(fsys, folder)
	if err != nil {
		return nil, err
	}
	if err := r.readHead(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// openLedger opens a ledger in which often nothing is found: its head is decoded at the first hit.
func openLedger(fsys disk.FS, folder string) (*LedgerReader, error) {
	f, err := disk.Or(fsys).Open(filepath.Join(folder, LedgerName))
	if err != nil {
		return nil, err
	}
	r := &LedgerReader{f: f}
	if err := r.passHead(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", f.Name(), err), f.Close())
	}
	return r, nil
}

// passHead finds where the entries begin.
func (r *LedgerReader) passHead() error {
	var b [len(ledgerMagic) + 4]byte
	if _, err := io.ReadFull(r.f, b[:]); err != nil || !bytes.HasPrefix(b[:], []byte(ledgerMagic)) {
		return errors.New("not a match ledger")
	}
	size := binary.LittleEndian.Uint32(b[len(ledgerMagic):])
	info, err := r.f.Stat()
	if err != nil {
		return err
	}
	r.start = int64(len(b)) + int64(size)
	if r.start > info.Size() {
		return io.ErrUnexpectedEOF
	}
	r.n = int((info.Size() - r.start) / entrySize)
	return nil
}

// readHead decodes the head, once.
func (r *LedgerReader) readHead() error {
	if r.known {
		return nil
	}
	from := int64(len(ledgerMagic) + 4)
	text := make([]byte, r.start-from)
	_, err := r.f.ReadAt(text, from)
	if err == nil {
		err = json.Unmarshal(text, &r.head)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.f.Name(), err)
	}
	r.known = true
	return nil
}

// Files lists the files that positions refer to; where the ledger was opened by openLedger, once an entry was found.
func (r *LedgerReader) Files() []LedgerFile { return r.head.Files }

// Find returns the entries under an identifier's hash.
func (r *LedgerReader) Find(id string) ([]LedgerEntry, error) {
	want := KeyHash(id)
	lo, hi, err := r.narrow(want)
	if err != nil {
		return nil, err
	}
	var out []LedgerEntry
	block := make([]byte, (hi-lo+1)*entrySize)
	for ; lo < r.n; lo += len(block) / entrySize {
		n := min(len(block)/entrySize, r.n-lo)
		if _, err := r.f.ReadAt(block[:n*entrySize], r.start+int64(lo)*entrySize); err != nil {
			return out, fmt.Errorf("%s: %w", r.f.Name(), err)
		}
		for i := range n {
			b := block[i*entrySize:]
			switch hash := binary.LittleEndian.Uint64(b); {
			case hash > want:
				return out, nil
			case hash == want:
				if err := r.readHead(); err != nil {
					return out, err
				}
				e := LedgerEntry{hash: hash, Row: getPosition(b[8:]), Partner: getPosition(b[22:])}
				if int(b[36]) < len(r.head.Passes) {
					e.Pass = r.head.Passes[b[36]]
				}
				out = append(out, e)
			}
		}
	}
	return out, nil
}

// oneRead is how many entries are read at once rather than halved further: about one page.
const oneRead = 80

// narrow finds a short span of entries in which the first of a hash must stand. Hashes are spread evenly, so where one
// stands can be guessed: three or four looks do for a million entries, where halving takes twenty. Every other look halves
// all the same, so that a ledger of like hashes costs no more than that.
func (r *LedgerReader) narrow(want uint64) (lo, hi int, err error) {
	lo, hi = 0, r.n
	from, to := uint64(0), ^uint64(0)
	var b [8]byte
	for guess := true; hi-lo > oneRead; guess = !guess {
		mid := lo + (hi-lo)/2
		if guess && to > from {
			high, low := bits.Mul64(want-from, uint64(hi-lo))
			part, _ := bits.Div64(high, low, to-from) // at most hi-lo, since want lies between the two
			mid = min(lo+int(part), hi-1)
		}
		if _, err := r.f.ReadAt(b[:], r.start+int64(mid)*entrySize); err != nil {
			return 0, 0, fmt.Errorf("%s: %w", r.f.Name(), err)
		}
		if h := binary.LittleEndian.Uint64(b[:]); h >= want {
			hi, to = mid, h
		} else {
			lo, from = mid+1, h
		}
	}
	return lo, hi, nil
}

// Close closes the file.
func (r *LedgerReader) Close() error { return r.f.Close() }
