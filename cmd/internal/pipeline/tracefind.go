package pipeline

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"daozhang/parsers"
	"daozhang/parsers/profile"
	"daozhang/parsers/txn"
)

// longestAuth is from which length a key is no auth code, the one identifier that is compared in either case.
const longestAuth = 16

// findBlock is how much of a file is looked through at once.
const findBlock = 1 << 20

// mayHold reports whether the key can stand in a row of the file: whether its bytes do, or its name. To look for bytes is
// many times faster than to read rows, and most days of a month do not have the key. It is asked only of formats that are
// profiles: these take identifiers as they stand in the text, in encodings that keep ASCII, or from the file's name.
func (t *tracer) mayHold(f *File) bool {
	word := txn.TrimZeros([]byte(t.key))
	if _, ok := f.Format.(*profile.Profile); !ok || !plainWord(word) || f.Data == nil {
		return true
	}
	fold := len(word) <= longestAuth && !bytes.Equal(bytes.ToLower(word), bytes.ToUpper(word))
	if fold {
		word = bytes.ToLower(word)
	}
	if strings.Contains(strings.ToLower(f.Delivery+"!"+f.Member), strings.ToLower(string(word))) {
		return true
	}
	buf := make([]byte, findBlock+len(word))
	kept := 0 // bytes of the block before, in which the word may begin
	for at := int64(0); at < f.Size; {
		n, err := f.Data.ReadAt(buf[kept:kept+int(min(findBlock, f.Size-at))], at)
		if n == 0 || err != nil && !errors.Is(err, io.EOF) {
			return true // whoever reads the rows will say what is wrong
		}
		if fold {
			lower(buf[kept : kept+n])
		}
		if bytes.Contains(buf[:kept+n], word) {
			return true
		}
		at += int64(n)
		tail := min(kept+n, len(word)-1)
		copy(buf, buf[kept+n-tail:kept+n])
		kept = tail
	}
	return false
}

// lower makes ASCII letters small. The second byte of a character of a Chinese encoding may be taken for one: that changes
// nothing around it.
func lower(b []byte) {
	for i, c := range b {
		if c-'A' < 26 {
			b[i] = c | 0x20
		}
	}
}

// search reads one file for the key. What breaks the file ends its search with a note: it is held by the day anyway.
func (t *tracer) search(s *Slot, f *File, want txn.Fields, d txn.Date) ([]*TraceRow, error) {
	var at []txn.Position
	var fields []string
	err := t.visit(s, f, want, func(row *txn.Row) bool {
		for _, x := range traceFields {
			if v := row.Get(x); len(v) > 0 && t.is(x, string(v)) {
				at, fields = append(at, row.Pos), append(fields, x.String())
				break
			}
		}
		if len(at)+len(t.out.Items) >= maxHits {
			t.out.Truncated = true
			return false
		}
		return true
	})
	if err != nil {
		t.out.Notes = append(t.out.Notes, f.Name()+" was not read to its end: "+firstLine(err))
	}
	return t.full(s, f, d, at, fields)
}

// visit reads the rows of a file that count for the slot, until visit says stop.
func (t *tracer) visit(s *Slot, f *File, want txn.Fields, visit func(*txn.Row) bool) error {
	r, err := f.open(want)
	if err != nil {
		return err
	}
	stop := errors.New("stop")
	err = eachUntil(r, func(row *txn.Row) error {
		if s.Side == txn.Bank && (row.Booking != s.Date || f.Account != "" && string(row.Get(txn.Account)) != f.Account) {
			return nil
		}
		if !visit(row) {
			return stop
		}
		return nil
	})
	if errors.Is(err, stop) {
		return nil
	}
	return err
}

// eachUntil reads a file past rejected records until its end or the first error of visit.
func eachUntil(r parsers.Reader, visit func(*txn.Row) error) error {
	var failed error
	err := eachRow(stoppable{r, &failed}, func(row *txn.Row) { failed = visit(row) })
	return errors.Join(failed, err)
}

// stoppable ends a reader once something failed.
type stoppable struct {
	parsers.Reader
	failed *error
}

func (s stoppable) Next(row *txn.Row) error {
	if *s.failed != nil {
		return *s.failed
	}
	return s.Reader.Next(row)
}

// full reads the rows at the positions with all their fields.
func (t *tracer) full(s *Slot, f *File, d txn.Date, at []txn.Position, fields []string) ([]*TraceRow, error) {
	if len(at) == 0 {
		return nil, nil
	}
	files := make([]*File, f.ID+1)
	files[f.ID] = f
	rows, refs, err := evidence{files: files}.Rows(at)
	if err != nil {
		return nil, err
	}
	out := make([]*TraceRow, len(at))
	for i := range at {
		out[i] = &TraceRow{Source: s.Source, Acquirer: s.Acquirer, Day: d, At: refs[i], Row: rows[i], Pays: s.Pays, pos: at[i], hasPos: true}
		if fields != nil {
			out[i].Field = fields[i]
		}
	}
	return out, nil
}
