package profile

import (
	"bytes"
	"encoding/csv"
	"io"
	"strings"
	"testing"

	"daozhang/parsers"
)

// FuzzSplitAgainstEncodingCSV compares scanner and splitter with encoding/csv on all input that the latter accepts.
func FuzzSplitAgainstEncodingCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a,\"b\"\r\n\"1,\"\"2\"\"\",\n", "\"a\nb\",c\n\nd,e", ",,\n", "\"\",\"\"\"\"\n", "x\r\ny,z\r\n",
		"12345678,12345678,1\n,,,,,,,,,,,,\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if strings.Contains(strings.ReplaceAll(in, "\r\n", ""), "\r") {
			t.Skip("a lone CR means different things")
		}
		cr := csv.NewReader(strings.NewReader(in))
		cr.FieldsPerRecord = -1
		want, err := cr.ReadAll()
		if err != nil {
			t.Skip("not RFC 4180")
		}
		s := scanner{src: strings.NewReader(in), size: int64(len(in)), stop: int64(len(in)), limit: 64 << 10, quotes: true}
		var got [][]string
		for {
			r, err := s.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(r.data) == 0 {
				continue
			}
			text, cells := r.data, splitPlain(r.data, ',', nil)
			if bytes.IndexByte(r.data, '"') >= 0 {
				if text, cells, _, err = splitQuoted(r.data, ',', nil, nil); err != nil {
					t.Fatalf("%q: %v", r.data, err)
				}
			}
			var row []string
			for _, c := range cells {
				row = append(row, strings.ReplaceAll(string(text[c.from:c.to]), "\r\n", "\n"))
			}
			got = append(got, row)
		}
		if len(got) != len(want) {
			t.Fatalf("%d records %q, want %d %q", len(got), got, len(want), want)
		}
		for i := range want {
			if strings.Join(got[i], "\x00") != strings.Join(want[i], "\x00") {
				t.Fatalf("record %d: %q, want %q", i, got[i], want[i])
			}
		}
	})
}

func TestSeparatorInsideGBKCharacterIsNoSeparator(t *testing.T) {
	line := append(encodeGB("a|"), 0x81, '|', '|', 'b') // 0x81 0x7C is one character
	cells := splitGB(line, '|', nil)
	if len(cells) != 3 || string(line[cells[1].from:cells[1].to]) != "\x81|" {
		t.Errorf("cells %v", cells)
	}
}

func TestScannerNamesAFileThatIsShorterThanItsSize(t *testing.T) {
	s := scanner{file: "f", src: strings.NewReader("abc\n"), size: 100, stop: 100, limit: 1000}
	if _, err := s.next(); err == nil || !strings.Contains(err.Error(), "ends at byte 4 of 100") {
		t.Errorf("err %v", err)
	}
}

func TestScannerRefusesEndlessLines(t *testing.T) {
	in := strings.Repeat("x", 5000)
	s := scanner{file: "f", src: strings.NewReader(in), size: 5000, stop: 5000, limit: 100, block: 200}
	_, err := s.next()
	var fe *parsers.FileError
	if !errorsAs(err, &fe) || fe.Err != parsers.ErrLimit {
		t.Errorf("err %v", err)
	}
}
