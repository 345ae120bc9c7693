package pipeline

import (
	"context"
	"errors"
	"io"

	"daozhang/parsers"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// evidence reads the full rows of the few positions that a book shows. Positions come sorted by file and offset, so each
// file is opened once and read forwards.
type evidence struct {
	files   []*File
	workers int
}

// Rows implements reconcile.Evidence.
func (e evidence) Rows(at []txn.Position) ([]*txn.Row, []reconcile.Ref, error) {
	rows, refs := make([]*txn.Row, len(at)), make([]reconcile.Ref, len(at))
	for i := 0; i < len(at); {
		end := i + 1
		for end < len(at) && at[end].File == at[i].File {
			end++
		}
		if err := e.readFile(at[i:end], rows[i:end], refs[i:end]); err != nil {
			return nil, nil, err
		}
		i = end
	}
	return rows, refs, nil
}

func (e evidence) readFile(at []txn.Position, rows []*txn.Row, refs []reconcile.Ref) error {
	f := e.files[at[0].File]
	c := recall{file: f, at: at, want: txn.AllFields, lines: true, ahead: e.workers}
	return c.each(context.Background(), func(n int, row *txn.Row, line int) error {
		rows[n] = row.Clone()
		refs[n] = f.ref(line)
		refs[n].Offset, refs[n].Entry = row.Pos.Offset, row.Pos.Entry
		return nil
	})
}

var errGone = errors.New("the row is not there any more")

func nextAt(r parsers.Reader, row *txn.Row, p txn.Position) error {
	for {
		err := r.Next(row)
		var bad *parsers.ParseError
		switch {
		case errors.As(err, &bad):
			continue
		case err == io.EOF:
			return errGone
		case err != nil:
			return err
		case row.Pos == p:
			return nil
		case row.Pos.Offset > p.Offset:
			return errGone
		}
	}
}
