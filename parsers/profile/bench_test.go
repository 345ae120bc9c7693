package profile

import (
	"bytes"
	"io"
	"testing"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

// grown repeats the records of a fixture so that reading is in steady state.
func grown(t testing.TB, p *Profile, name string, data []byte, rows int) []byte {
	t.Helper()
	src := source(name, data)
	src.Options.BusinessDate = civil(2025, 12, 31)
	ranges, err := p.Split(src, 1)
	if err != nil || len(ranges) != 1 {
		t.Fatal(ranges, err)
	}
	records := bytes.SplitAfter(data[ranges[0].Start:ranges[0].End], []byte("\n"))
	rejected := map[int64]bool{}
	_, bad, _, _ := readAll(t, p, src)
	for _, b := range bad {
		rejected[b.Offset] = true
	}
	var good [][]byte
	off := ranges[0].Start
	for _, r := range records {
		if len(bytes.TrimSpace(r)) > 0 && !rejected[off] && r[0] != '#' {
			good = append(good, r)
		}
		off += int64(len(r))
	}
	var b bytes.Buffer
	b.Write(data[:ranges[0].Start])
	for i := range rows {
		b.Write(good[i%len(good)])
	}
	b.Write(data[ranges[0].End:])
	return b.Bytes()
}

var benchFiles = []struct{ format, file string }{
	{"daozhang_journal", "daozhang_journal/day.csv"},
	{"chinaums_tab17", "chinaums_tab17/day.txt"},
	{"wechat_trade_all", "wechat_trade_all/bill.csv"},
	{"alipay_trade", "alipay_trade/detail_gbk.csv"},
	{"unionpay_zm", "unionpay_zm/INN25123188ZM_898310059990017"},
	{"daozhang_bank", "daozhang_bank/portal_gbk_newest_first.csv"},
	{"daozhang_payout", "daozhang_payout/notice.csv"},
}

var wants = map[string]txn.Fields{
	"all fields": txn.AllFields,
	"P2 fields":  txn.FieldsOf(txn.MID, txn.RRN, txn.KindField, txn.AmountField, txn.TimeField, txn.StatusField),
}

func TestReadingAllocatesNothingPerRow(t *testing.T) {
	for _, c := range benchFiles {
		p := builtin(t, c.format)
		small := grown(t, p, c.file, fixture(t, c.file), 500)
		big := grown(t, p, c.file, fixture(t, c.file), 5500)
		for name, want := range wants {
			of := func(data []byte) float64 {
				return testing.AllocsPerRun(3, func() {
					if n := drain(t, p, c.file, data, want); n < 500 {
						t.Fatalf("%d rows", n)
					}
				})
			}
			if more := of(big) - of(small); more > 5 { // growth of a buffer to its final size
				t.Errorf("%s, %s: 5000 more rows cost %.0f allocations", c.format, name, more)
			}
		}
	}
}

func drain(t testing.TB, p *Profile, name string, data []byte, want txn.Fields) int {
	src := source(name, data)
	src.Options.BusinessDate = civil(2025, 12, 31)
	r, err := p.Open(src, want)
	if err != nil {
		t.Fatal(err)
	}
	var row txn.Row
	n := 0
	for {
		switch err := r.Next(&row); err.(type) {
		case nil:
			n++
		case *parsers.ParseError:
			t.Fatal(err)
		default:
			if err != io.EOF {
				t.Fatal(err)
			}
			return n
		}
	}
}

// BenchmarkParse answers how fast each built-in layout is read on one core.
func BenchmarkParse(b *testing.B) {
	const rows = 20000
	for _, c := range benchFiles {
		for _, name := range []string{"all fields", "P2 fields"} {
			b.Run(c.format+"/"+name, func(b *testing.B) {
				p := builtin(b, c.format)
				data := grown(b, p, c.file, fixture(b, c.file), rows)
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				n := 0
				for b.Loop() {
					n = drain(b, p, c.file, data, wants[name])
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/row")
			})
		}
	}
}

// matching are the fields that matching asks readers for.
const matching = narrow &^ (1<<txn.WalletID | 1<<txn.Operator | 1<<txn.StatusText | 1<<txn.ResponseCode | 1<<txn.AcquirerRef |
	1<<txn.EntryMode | 1<<txn.CounterpartyBank | 1<<txn.CounterpartyAccount | 1<<txn.SubsidyField | 1<<txn.PaidAmountField)

// BenchmarkNext answers what one row of each built-in layout costs the matching run on one core, and what it would cost
// if every record were unusual.
func BenchmarkNext(b *testing.B) {
	const rows = 20000
	for _, c := range benchFiles {
		p := builtin(b, c.format)
		data := grown(b, p, c.file, fixture(b, c.file), rows)
		src := source(c.file, data)
		src.Options.BusinessDate = civil(2025, 12, 31)
		for _, way := range []string{"what does a row cost matching", "what would it cost without the quick way"} {
			b.Run(c.format+"/"+way, func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				n, taken := 0, 0
				for b.Loop() {
					r, err := p.open(src, matching)
					if err != nil {
						b.Fatal(err)
					}
					if way == "what would it cost without the quick way" {
						r.quick = nil
					}
					var row txn.Row
					for n = 0; r.Next(&row) == nil; {
						n++
					}
					if r.quick != nil {
						taken = r.quick.taken
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/row")
				b.ReportMetric(100*float64(taken)/float64(n), "%quick")
			})
		}
	}
}
