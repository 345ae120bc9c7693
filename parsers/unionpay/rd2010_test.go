package unionpay

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

func open(name string, b []byte) (parsers.Reader, error) {
	return RD2010{}.Open(parsers.Source{Name: name, Data: bytes.NewReader(b), Size: int64(len(b))}, txn.AllFields)
}

func fixture(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "fixtures", "unionpay_rd2010", "RD201025123101_898310059990017"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRealReportStatesWhatItsDetailFileHolds(t *testing.T) {
	path := filepath.Join("..", "..", "..", "shared", "samples", "cn", "unionpay", "RD201015090501_802310048993424")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("the collection of real files is not beside this checkout (%s)", path)
	}
	r, err := open("RD2010", b)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"rows 8", "amount 13227.00", "fee 79.36", "net 13147.64"}
	for i, w := range want {
		if c := r.Controls()[i]; c.Measure+" "+c.Stated != w || !c.Slot || !c.OK {
			t.Errorf("%+v, want %s", c, w)
		}
	}
}

func TestReportsThatAreRefused(t *testing.T) {
	whole := fixture(t)
	last := bytes.LastIndex(whole, []byte("4838.79"))
	for _, c := range []struct {
		name  string
		data  []byte
		cause error
	}{
		{"second table cut off", whole[:len(whole)/2], parsers.ErrTruncated},
		{"last figure cut off", whole[:last], parsers.ErrDrift},
		{"another report", []byte("交易汇总"), parsers.ErrDrift},
		{"a figure that is none", bytes.ReplaceAll(whole, []byte("28.61"), []byte("28.6l")), parsers.ErrDrift},
		{"a page of a megabyte", []byte(strings.Repeat("x", maxBytes+1)), parsers.ErrLimit},
	} {
		if _, err := open("f", c.data); !errors.Is(err, c.cause) {
			t.Errorf("%s: %v, want %v", c.name, err, c.cause)
		}
	}
}

func TestTablesThatDisagreeAreShown(t *testing.T) {
	whole := fixture(t)
	at := bytes.LastIndex(whole, []byte("4838.79"))
	bent := append(append(append([]byte{}, whole[:at]...), "4838.80"...), whole[at+7:]...)
	r, err := open("f", bent)
	if err != nil {
		t.Fatal(err)
	}
	if c := r.Controls()[4]; c.OK || c.Slot || c.Stated == c.Computed {
		t.Errorf("%+v", c)
	}
}
