package profile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

// FuzzProfiles reads any bytes with any built-in profile: it must neither panic nor go on for ever, and each row's
// position must be found again.
func FuzzProfiles(f *testing.F) {
	fs, err := Builtin()
	if err != nil {
		f.Fatal(err)
	}
	for i, p := range fs {
		files, _ := filepath.Glob(filepath.Join("..", "..", "fixtures", p.Info().Name, "*"))
		for _, name := range files {
			if b, err := os.ReadFile(name); err == nil && filepath.Ext(name) != ".golden" {
				f.Add(uint8(i), filepath.Base(name), b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, name string, data []byte) {
		src := source(name, data)
		p := fs[int(which)%len(fs)]
		_ = p.Claim(parsers.Head{Name: name, Bytes: data, Size: src.Size})
		r, err := p.Open(src, txn.AllFields)
		if err != nil {
			return
		}
		var row txn.Row
		var pe *parsers.ParseError
		for n := 0; ; n++ {
			if n > 2*len(data)+10 {
				t.Fatal("does not end")
			}
			err := r.Next(&row)
			if errors.As(err, &pe) {
				continue
			}
			if err != nil {
				break
			}
			if _, _, err := r.Locate(row.Pos.Offset); err != nil {
				t.Fatal(err)
			}
		}
		r.Totals()
		r.Controls()
		r.Statements()
		if err := r.Next(&row); err == nil || errors.As(err, &pe) {
			t.Fatal("a row behind the end")
		}
		if _, err := p.(parsers.Splitter).Split(src, 3); err != nil && errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
	})
}
