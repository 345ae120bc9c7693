package parsers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"daozhang/parsers/txn"
)

// prefixFormat claims files that begin with a text.
type prefixFormat struct{ name, prefix string }

func (f prefixFormat) Info() Info { return Info{Name: f.name} }

func (f prefixFormat) Claim(h Head) error {
	if bytes.HasPrefix(h.Bytes, []byte(f.prefix)) {
		return nil
	}
	return fmt.Errorf("does not begin with %q", f.prefix)
}

func (f prefixFormat) Open(Source, txn.Fields) (Reader, error) { return nil, errors.ErrUnsupported }

func source(text string) Source {
	return Source{Name: "bill.csv", Data: strings.NewReader(text), Size: int64(len(text))}
}

func registry(t *testing.T) *Registry {
	t.Helper()
	r, err := NewRegistry(prefixFormat{"b_long", "ab"}, prefixFormat{"c", "x"}, prefixFormat{"a_short", "a"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTwoFormatsOfOneNameAreRefused(t *testing.T) {
	if _, err := NewRegistry(prefixFormat{"same", "a"}, prefixFormat{"other", "b"}, prefixFormat{"same", "c"}); err == nil || !strings.Contains(err.Error(), "same") {
		t.Errorf("got %v", err)
	}
}

func TestFormatsAreListedByNameInACopy(t *testing.T) {
	r := registry(t)
	names := func() (out string) {
		for _, f := range r.Formats() {
			out += f.Info().Name + " "
		}
		return out
	}
	if got := names(); got != "a_short b_long c " {
		t.Errorf("got %s", got)
	}
	r.Formats()[0] = prefixFormat{"changed", ""}
	if got := names(); got != "a_short b_long c " {
		t.Errorf("the registry changed from outside: %s", got)
	}
	if f, ok := r.Lookup("c"); !ok || f.Info().Name != "c" {
		t.Error("c is not found")
	}
	if _, ok := r.Lookup("C"); ok {
		t.Error("names are not exact")
	}
}

func TestDetectDemandsExactlyOneClaimant(t *testing.T) {
	for _, x := range []struct {
		name, text string
		asked      []string
		want       string
		errs       []string
	}{
		{"one claims", "x1", nil, "c", nil},
		{"one of two is asked", "abc", []string{"b_long"}, "b_long", nil},
		{"two claim", "abc", nil, "", []string{"bill.csv", "a_short, b_long", "--format"}},
		{"two asked, both claim", "abc", []string{"b_long", "a_short"}, "", []string{"bill.csv", "b_long, a_short"}},
		{"none claims", "zzz", nil, "", []string{"bill.csv", "no format claims", "daozhang formats"}},
		{"the asked one refuses and says why", "zzz", []string{"c", "a_short"}, "", []string{"bill.csv", `c: does not begin with "x"`, `a_short: does not begin with "a"`}},
		{"a name that does not exist", "x", []string{"d"}, "", []string{`"d"`, "daozhang formats"}},
		{"an empty file", "", nil, "", []string{"no format claims"}},
	} {
		f, err := registry(t).Detect(source(x.text), x.asked...)
		if x.want != "" {
			if err != nil || f.Info().Name != x.want {
				t.Errorf("%s: got %v, %v", x.name, f, err)
			}
			continue
		}
		if err == nil || f != nil {
			t.Errorf("%s: got %v, %v", x.name, f, err)
			continue
		}
		for _, s := range x.errs {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %q does not say %q", x.name, err, s)
			}
		}
	}
}

func TestClaimErrorListsClaimantsAndRefusals(t *testing.T) {
	_, err := registry(t).Detect(source("abc"))
	var ce *ClaimError
	if !errors.As(err, &ce) || fmt.Sprint(ce.Claimants) != "[a_short b_long]" || len(ce.Refusals) != 1 || ce.Named {
		t.Errorf("got %+v", ce)
	}
}

type brokenData struct{}

func (brokenData) ReadAt([]byte, int64) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestDetectPassesOnWhatTheDiskSays(t *testing.T) {
	_, err := registry(t).Detect(Source{Name: "bill.csv", Data: brokenData{}, Size: 10})
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "bill.csv") {
		t.Errorf("got %v", err)
	}
}

func TestHeadIsNoLongerThanPromised(t *testing.T) {
	h, err := ReadHead(source(strings.Repeat("a", HeadSize+5)))
	if err != nil || len(h.Bytes) != HeadSize || h.Size != HeadSize+5 || h.Name != "bill.csv" {
		t.Errorf("got %d bytes, size %d, %v", len(h.Bytes), h.Size, err)
	}
}

func TestErrorsSayWhereAndKeepTheirCause(t *testing.T) {
	pe := error(&ParseError{File: "a.csv", Line: 7, Record: 6, Field: "金额", Value: "12,3", Err: txn.ErrNumber})
	if got := pe.Error(); got != `a.csv:7: record 6, field 金额 = "12,3": not a number` || !errors.Is(pe, txn.ErrNumber) {
		t.Error(got)
	}
	bare := error(&ParseError{File: "a.dat", Record: 2, Err: txn.ErrOverflow})
	if got := bare.Error(); got != "a.dat:0: record 2: number too large" {
		t.Error(got)
	}
	fe := error(&FileError{File: "a.csv", Line: 9, What: "8 rows stated, 7 read", Err: ErrControl})
	if got := fe.Error(); got != "a.csv:9: control total does not agree: 8 rows stated, 7 read" || !errors.Is(fe, ErrControl) {
		t.Error(got)
	}
	if got := (&FileError{File: "a.csv", Err: ErrTruncated}).Error(); got != "a.csv: file is cut short" {
		t.Error(got)
	}
}
