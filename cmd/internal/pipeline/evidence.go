package pipeline

import (
	"errors"
	"fmt"
	"io"

	"daozhang/parsers"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// evidence reads the full rows of the few positions that a book shows. Positions come sorted by file and offset, so each
// file is opened once and read forwards.
type evidence struct{ files []*File }

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
	i := 0
	return f.again(at, txn.AllFields, func(r parsers.Reader, row *txn.Row) error {
		rows[i] = row.Clone()
		line, _, err := r.Locate(row.Pos.Offset)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
		refs[i] = f.ref(line)
		refs[i].Offset, refs[i].Entry = row.Pos.Offset, row.Pos.Entry
		i++
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
