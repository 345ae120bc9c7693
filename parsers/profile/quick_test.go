package profile

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

// told is all that a reader says about a file, in the order in which it says it.
type told struct {
	rows, bad []string
	all       []string // rows and errors
	end       error
	tail      string
}

// listen reads to the end.
func listen(t testing.TB, r *Reader) told {
	t.Helper()
	var out told
	row := dirtyRow()
	for {
		err := r.Next(row)
		pe, broken := err.(*parsers.ParseError)
		switch {
		case err == nil:
			out.rows = append(out.rows, fingerprint(row))
			out.all = append(out.all, out.rows[len(out.rows)-1])
		case broken:
			out.bad = append(out.bad, pe.Error())
			out.all = append(out.all, fmt.Sprintf("%d %v", pe.Offset, pe))
		default:
			if out.end = err; err == io.EOF {
				out.end = nil
			}
			out.tail = fmt.Sprintf("%+v\n%+v\n%+v", r.Totals(), r.Controls(), r.Statements())
			return out
		}
	}
}

// dirtyRow is a row that another reader has used: nothing of it may be seen again.
func dirtyRow() *txn.Row {
	row := &txn.Row{Kind: txn.Payout, Status: txn.Closed, Channel: txn.Other, LineStatus: txn.Information, Offline: true, Reversed: true,
		Currency: txn.Currency{'X', 'X', 'X'}, Amount: 1, OrderAmount: 2, PaidAmount: 3, SettleAmount: 4, Subsidy: 5, Net: 6, Balance: 7, Fee: 8,
		FeeParts: []txn.FeePart{{Class: "x", Amount: 1}}, Time: txn.Time{Unix: 9}, Business: 1, PayoutDate: 2, Booking: 3, Value: 4, OrigDate: 5,
		Extra: []txn.Extra{{Name: "x", Value: []byte("x")}}}
	for f := range txn.Field(txn.TextFields) {
		row.Set(f, []byte("dirty"))
	}
	row.Has = txn.AllFields
	return row
}

// fingerprint shows every field of a row.
func fingerprint(row *txn.Row) string {
	var b strings.Builder
	for f := range txn.Field(txn.TextFields) {
		if v := row.Get(f); len(v) > 0 {
			fmt.Fprintf(&b, "%s=%q ", f, v)
		}
	}
	rest := *row
	rest.Text = [txn.TextFields][]byte{}
	for _, p := range row.FeeParts {
		fmt.Fprintf(&b, "%v ", p)
	}
	for _, e := range row.Extra {
		fmt.Fprintf(&b, "%s=%q ", e.Name, e.Value)
	}
	rest.FeeParts, rest.Extra = nil, nil
	fmt.Fprintf(&b, "%+v", rest)
	return b.String()
}

// bothWays reads a file the quick and the ordinary way and compares all that they say. Block is the size of the
// reader's block, 0 for its own.
func bothWays(t testing.TB, p *Profile, src parsers.Source, want txn.Fields, block int) (told, int) {
	t.Helper()
	var out [2]told
	taken := 0
	for i := range out {
		r, err := p.open(src, want)
		if err != nil {
			return told{end: err}, 0
		}
		if block > 0 {
			r.scan.limit, r.scan.block = block, block
		}
		if i == 1 {
			r.quick = nil
		}
		out[i] = listen(t, r)
		if r.quick != nil {
			taken = r.quick.taken
		}
	}
	q, e := out[0], out[1]
	for i := range max(len(q.all), len(e.all)) {
		if i >= len(q.all) || i >= len(e.all) || q.all[i] != e.all[i] {
			t.Fatalf("%s, block %d, row or error %d:\n quick %s\n exact %s", p.info.Name, block, i+1, at(q.all, i), at(e.all, i))
		}
	}
	if fmt.Sprint(q.end) != fmt.Sprint(e.end) || q.tail != e.tail {
		t.Fatalf("%s, block %d, at the end:\n quick %v\n%s\n exact %v\n%s", p.info.Name, block, q.end, q.tail, e.end, e.tail)
	}
	return q, taken
}

func at(s []string, i int) string {
	if i < len(s) {
		return s[i]
	}
	return "nothing"
}

// delimitedFiles are samples of the built-in profiles; the name tells the profile.
var delimitedFiles = append(benchFiles[:len(benchFiles):len(benchFiles)], struct{ format, file string }{"chinaums_tab17", "chinaums_tab17/signed_and_one_rejected.txt"},
	struct{ format, file string }{"daozhang_bank", "daozhang_bank/north.csv"}, struct{ format, file string }{"daozhang_bank", "daozhang_bank/gap.csv"},
	struct{ format, file string }{"wechat_trade_all", "wechat_trade_all/totals_differ.csv"},
	struct{ format, file string }{"alipay_trade_summary", "alipay_trade_summary/summary_gbk.csv"})

// narrow are fields as matching wants them: no extras, so that the quick way is open.
const narrow = txn.AllFields &^ (1 << txn.ExtraField)

// bends are the ways in which files differ from the samples.
var bends = []struct {
	name string
	do   func(b []byte, sep byte) []byte
}{
	{"as it is", func(b []byte, _ byte) []byte { return b }},
	{"CRLF", func(b []byte, _ byte) []byte {
		return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	}},
	{"LF", func(b []byte, _ byte) []byte { return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")) }},
	{"no last newline", func(b []byte, _ byte) []byte { return bytes.TrimRight(b, "\r\n") }},
	{"without its last third", func(b []byte, _ byte) []byte { return b[:len(b)*2/3] }},
	{"blank lines", func(b []byte, _ byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte("\n\n \r\n")) }},
	{"padded cells", func(b []byte, sep byte) []byte { return bytes.ReplaceAll(b, []byte{sep}, []byte{' ', sep, ' '}) }},
	{"NBSP", func(b []byte, sep byte) []byte {
		return bytes.ReplaceAll(b, []byte{sep}, append([]byte("\u00A0"), sep))
	}},
	{"carriage returns in cells", func(b []byte, sep byte) []byte { return bytes.ReplaceAll(b, []byte{sep}, []byte{'\r', sep}) }},
	{"short rows", everyThird(func(l []byte, sep byte) []byte { return l[:max(bytes.LastIndexByte(l, sep), 0)] })},
	{"long rows", everyThird(func(l []byte, sep byte) []byte { return append(append([]byte{}, l...), sep, 'x') })},
	{"quotes", everyThird(func(l []byte, sep byte) []byte {
		return append([]byte{'"'}, bytes.Replace(l, []byte{sep}, []byte{'"', sep}, 1)...)
	})},
	{"open quotes", everyThird(func(l []byte, sep byte) []byte { return bytes.Replace(l, []byte{sep}, []byte{sep, '"'}, 1) })},
	{"minus signs", func(b []byte, sep byte) []byte { return bytes.ReplaceAll(b, []byte{sep, '1'}, []byte{sep, '-', '1'}) }},
	{"scientific numbers", func(b []byte, sep byte) []byte {
		return bytes.ReplaceAll(b, []byte{'0', sep}, []byte{'E', '+', '7', sep})
	}},
	{"plus signs", func(b []byte, sep byte) []byte { return bytes.ReplaceAll(b, []byte{sep, '2'}, []byte{sep, '+', '2'}) }},
	{"backticks", func(b []byte, sep byte) []byte { return bytes.ReplaceAll(b, []byte{sep}, []byte{sep, '`'}) }},
	{"full-width digits", everyThird(func(l []byte, _ byte) []byte { return bytes.ReplaceAll(l, []byte("1"), []byte("１")) })},
	{"a byte that is no text", everyThird(func(l []byte, _ byte) []byte { return bytes.ReplaceAll(l, []byte("3"), []byte{0xFF}) })},
	{"another day", everyThird(func(l []byte, _ byte) []byte { return bytes.ReplaceAll(l, []byte("2025"), []byte("1988")) })},
	{"other decimals", func(b []byte, _ byte) []byte { return bytes.ReplaceAll(b, []byte(".00"), []byte(".0")) }},
	{"many decimals", func(b []byte, _ byte) []byte { return bytes.ReplaceAll(b, []byte(".00"), []byte(".00000000")) }},
	{"large numbers", func(b []byte, _ byte) []byte { return bytes.ReplaceAll(b, []byte("."), []byte("99999999.")) }},
	{"yen", func(b []byte, _ byte) []byte { return bytes.ReplaceAll(b, []byte("CNY"), []byte("JPY")) }},
	{"other separators in other rows", everyThird(func(l []byte, sep byte) []byte { return bytes.ReplaceAll(l, []byte{sep}, []byte{'|'}) })},
	{"two files in one", func(b []byte, _ byte) []byte { return append(append([]byte{}, b...), b...) }},
}

// everyThird bends each third line behind the first five.
func everyThird(f func(line []byte, sep byte) []byte) func([]byte, byte) []byte {
	return func(b []byte, sep byte) []byte {
		var out []byte
		for i, l := range bytes.SplitAfter(b, []byte("\n")) {
			end := len(bytes.TrimRight(l, "\r\n"))
			if i > 5 && i%3 == 0 && end > 0 {
				out = append(append(out, f(l[:end], sep)...), l[end:]...)
				continue
			}
			out = append(out, l...)
		}
		return out
	}
}

func TestTheQuickWayReadsAsTheOrdinaryOne(t *testing.T) {
	for _, c := range delimitedFiles {
		t.Run(c.file, func(t *testing.T) {
			p := builtin(t, c.format)
			data := fixture(t, c.file)
			if !p.info.ControlOnly {
				data = grown(t, p, c.file, data, 60)
			}
			for _, bend := range bends {
				bent := bend.do(data, p.sep)
				src := source(filepath.Base(c.file), bent)
				src.Options.BusinessDate = civil(2025, 12, 31)
				bothWays(t, p, src, narrow, 0)
				bothWays(t, p, src, wants["P2 fields"], 900)
				bothWays(t, p, src, 0, 1400)
			}
		})
	}
}

func TestTheQuickWayReadsAsTheOrdinaryOneWhateverByteChanges(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	odd := []byte("\",\t `+-.:|\r\n0123456789EeABCx*\x00\x1A\x80\xA0\xC2\xE3\xFF")
	for _, c := range delimitedFiles {
		p := builtin(t, c.format)
		data := fixture(t, c.file)
		if !p.info.ControlOnly {
			data = grown(t, p, c.file, data, 30)
		}
		for range 60 {
			bent := bytes.Clone(data)
			for range 1 + rnd.IntN(12) {
				at := rnd.IntN(len(bent))
				switch rnd.IntN(3) {
				case 0:
					bent[at] = odd[rnd.IntN(len(odd))]
				case 1:
					bent = append(bent[:at:at], bent[min(at+1+rnd.IntN(3), len(bent)):]...)
				default:
					bent = append(append(bent[:at:at], odd[rnd.IntN(len(odd))]), bent[at:]...)
				}
			}
			src := source(filepath.Base(c.file), bent)
			src.Options.BusinessDate = civil(2025, 12, 31)
			bothWays(t, p, src, narrow, []int{0, 1100}[rnd.IntN(2)])
		}
	}
}

func TestOrdinaryRowsGoTheQuickWay(t *testing.T) {
	for _, c := range []struct {
		format, file string
		least        int // of 4000; the others are quoted in the sample
	}{{"daozhang_journal", "daozhang_journal/day.csv", 2900}, {"chinaums_tab17", "chinaums_tab17/day.txt", 3900}} {
		p := builtin(t, c.format)
		out, taken := bothWays(t, p, source("f", grown(t, p, c.file, fixture(t, c.file), 4000)), narrow, 0)
		if len(out.rows) != 4000 || taken < c.least {
			t.Errorf("%s: %d of %d rows went the quick way; %v", c.format, taken, len(out.rows), out.end)
		}
	}
}

// FuzzQuickEqualsExact bends files in any way.
func FuzzQuickEqualsExact(f *testing.F) {
	for i, c := range delimitedFiles {
		data := fixture(f, c.file)
		f.Add(uint8(i), uint16(0), data)
		p := builtin(f, c.format)
		for k, bend := range bends {
			f.Add(uint8(i), uint16(700+k*37), bend.do(data, p.sep))
		}
	}
	fs, err := Builtin()
	if err != nil {
		f.Fatal(err)
	}
	byName := map[string]*Profile{}
	for _, p := range fs {
		byName[p.Info().Name] = p.(*Profile)
	}
	f.Fuzz(func(t *testing.T, which uint8, block uint16, data []byte) {
		c := delimitedFiles[int(which)%len(delimitedFiles)]
		src := source(filepath.Base(c.file), data)
		src.Options.BusinessDate = civil(2025, 12, 31)
		size := 0
		if block > 0 {
			size = 300 + int(block)%2000
		}
		bothWays(t, byName[c.format], src, narrow, size)
	})
}
