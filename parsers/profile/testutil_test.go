package profile

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

func builtin(t testing.TB, name string) *Profile {
	t.Helper()
	fs, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fs {
		if f.Info().Name == name {
			return f.(*Profile)
		}
	}
	t.Fatalf("no profile %s", name)
	return nil
}

func source(name string, data []byte) parsers.Source {
	return parsers.Source{Name: name, Data: bytes.NewReader(data), Size: int64(len(data))}
}

func fixture(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "fixtures", path))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// readAll reads to the end; the error is what ended the file, nil at io.EOF.
func readAll(t testing.TB, f parsers.Format, src parsers.Source) (rows []*txn.Row, bad []*parsers.ParseError, r parsers.Reader, err error) {
	t.Helper()
	r, err = f.Open(src, txn.AllFields)
	if err != nil {
		return nil, nil, nil, err
	}
	var row txn.Row
	for {
		err := r.Next(&row)
		var pe *parsers.ParseError
		switch {
		case err == nil:
			rows = append(rows, row.Clone())
		case err == io.EOF:
			return rows, bad, r, nil
		case errors.As(err, &pe):
			bad = append(bad, pe)
		default:
			return rows, bad, r, err
		}
	}
}
