package profile

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

// inParts reads a file in up to n parts side by side and tells what one reader would have told.
func inParts(t testing.TB, p *Profile, src parsers.Source, n int) (out told, parts int) {
	t.Helper()
	ranges, err := p.Split(src, n)
	if err != nil {
		return told{end: err}, 0
	}
	rs, err := p.OpenRanges(src, txn.AllFields, ranges)
	if err != nil {
		return told{end: err}, 0
	}
	rows, bad := make([][]string, len(rs)), make([][]*parsers.ParseError, len(rs))
	var all sync.WaitGroup
	for i, r := range rs {
		all.Go(func() { rows[i], bad[i] = readPart(r) })
	}
	all.Wait()
	tail, err := p.Join(src, rs)
	out.end = err
	for i := range rs {
		out.rows = append(out.rows, rows[i]...)
		for _, e := range bad[i] {
			tail.Place(i, e)
			out.bad = append(out.bad, e.Error())
		}
	}
	out.tail = fmt.Sprintf("%+v\n%+v\n%+v", tail.Totals, tail.Controls, tail.Statements)
	return out, len(rs)
}

func readPart(r parsers.Reader) (rows []string, bad []*parsers.ParseError) {
	var row txn.Row
	for {
		err := r.Next(&row)
		pe, broken := err.(*parsers.ParseError)
		switch {
		case err == nil:
			rows = append(rows, fingerprint(&row))
		case broken:
			bad = append(bad, pe)
		default:
			return rows, bad
		}
	}
}

// compareParts compares reading in n parts with reading as one. Of a file that is refused the reasons are compared.
func compareParts(t testing.TB, p *Profile, src parsers.Source, n int) (parts int) {
	t.Helper()
	r, err := p.open(src, txn.AllFields)
	if err != nil {
		return 0
	}
	one := listen(t, r)
	got, parts := inParts(t, p, src, n)
	if errors.Is(got.end, parsers.ErrWhole) {
		t.Logf("%s in %d parts: %v; as one: %v", p.info.Name, n, got.end, one.end)
		return parts
	}
	if fmt.Sprint(one.end) != fmt.Sprint(got.end) {
		t.Fatalf("%s in %d parts ends with\n %v, as one with\n %v", p.info.Name, n, got.end, one.end)
	}
	if one.end != nil {
		return parts
	}
	if a, b := strings.Join(one.rows, "\n"), strings.Join(got.rows, "\n"); a != b {
		t.Fatalf("%s in %d parts: other rows\n%s\nas one\n%s", p.info.Name, n, b, a)
	}
	if a, b := strings.Join(one.bad, "\n"), strings.Join(got.bad, "\n"); a != b {
		t.Fatalf("%s in %d parts: other errors\n%s\nas one\n%s", p.info.Name, n, b, a)
	}
	if one.tail != got.tail {
		t.Fatalf("%s in %d parts tells\n%s\nas one\n%s", p.info.Name, n, got.tail, one.tail)
	}
	return parts
}

func TestPartsTellWhatOneReaderTells(t *testing.T) {
	files := append(delimitedFiles[:len(delimitedFiles):len(delimitedFiles)], struct{ format, file string }{"daozhang_bank", "daozhang_bank/quiet.csv"})
	for _, c := range files {
		t.Run(c.file, func(t *testing.T) {
			p := builtin(t, c.format)
			small := fixture(t, c.file)
			big := small
			if !p.info.ControlOnly && !strings.HasSuffix(c.file, "quiet.csv") {
				big = grown(t, p, c.file, small, 40)
			}
			most := 0
			for _, bend := range bends {
				for i, data := range [][]byte{small, big} {
					if p.fixed != nil && bend.name != "as it is" && bend.name != "no last newline" && bend.name != "without its last third" {
						continue
					}
					src := source(filepath.Base(c.file), bend.do(data, p.sep))
					src.Options.BusinessDate = civil(2025, 12, 31)
					for _, n := range [][]int{{1, 2, 3, 4, 5, 6, 7}, {3, 7}}[i] {
						most = max(most, compareParts(t, p, src, n))
					}
				}
			}
			if most < 2 && strings.Contains("daozhang_journal chinaums_tab17 alipay_trade wechat_trade_all unionpay_zm", c.format) {
				t.Errorf("never more than %d parts", most)
			}
		})
	}
}

func TestPartsOfBrokenFilesTellWhatOneReaderTells(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, c := range delimitedFiles {
		p := builtin(t, c.format)
		data := fixture(t, c.file)
		for range 60 {
			bent := append([]byte{}, data...)
			for range 1 + rnd.IntN(6) {
				bent[rnd.IntN(len(bent))] = "\",\t \n09x\xE3#"[rnd.IntN(10)]
			}
			src := source(filepath.Base(c.file), bent[:len(bent)-rnd.IntN(3)*rnd.IntN(len(bent)/2)])
			src.Options.BusinessDate = civil(2025, 12, 31)
			compareParts(t, p, src, 1+rnd.IntN(7))
		}
	}
}

func TestTheTrailerFarFromTheEndIsLeftToOneReader(t *testing.T) {
	p := builtin(t, "wechat_trade_all")
	data := append(fixture(t, "wechat_trade_all/bill.csv"), strings.Repeat("\n", 100<<10)...)
	if n := compareParts(t, p, source("bill.csv", data), 5); n != 1 {
		t.Errorf("%d parts", n)
	}
}

func TestJoinRefusesPartsThatAreNotAll(t *testing.T) {
	p := builtin(t, "daozhang_journal")
	src := source("day.csv", grown(t, p, "day.csv", fixture(t, "daozhang_journal/day.csv"), 100))
	ranges, err := p.Split(src, 3)
	if err != nil || len(ranges) != 3 {
		t.Fatal(ranges, err)
	}
	rs, err := p.OpenRanges(src, txn.AllFields, ranges)
	if err != nil {
		t.Fatal(err)
	}
	want := func(says string, parts []parsers.Reader) {
		t.Helper()
		if _, err := p.Join(src, parts); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %s", err, says)
		}
	}
	want("part 1 has not been read", rs)
	var row txn.Row
	for _, r := range rs {
		for err := error(nil); err != io.EOF; err = r.Next(&row) {
		}
	}
	want("records behind the last part", rs[:2])
	want("part 2 begins at offset", []parsers.Reader{rs[0], rs[2]})
	whole, err := p.Open(src, txn.AllFields)
	if err != nil {
		t.Fatal(err)
	}
	want("not a range", []parsers.Reader{whole})
	if _, err := p.Join(src, rs); err != nil {
		t.Error(err)
	}
}
