package reconcile_test

import (
	"runtime"
	"strconv"
	"testing"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// BenchmarkMatchRows judges a day of 100,000 sales and their acquirer rows, all joined by RRN. Bytes per row are those
// still in use when the book is done.
func BenchmarkMatchRows(b *testing.B) {
	const n = 100_000
	s := parseScript(randomRegister + "\n== x\nday 2026-01-06\nT pos\nA ums\n----\n")[0]
	d := s.days[0]
	set := s.setup(b, d)
	mid, tid := []byte("M1"), []byte("T1")
	midnight := d.date.In(zone).Unix()
	fill := func(r *txn.Row, i int, buf []byte) {
		*r = txn.Row{Kind: txn.Sale, Status: txn.Approved, Channel: txn.Card, Currency: txn.CNY, Amount: int64(100 + i%5000)}
		r.Time = txn.Time{Unix: midnight + int64(i%80000), Offset: 8 * 3600}
		r.Set(txn.MID, mid)
		r.Set(txn.TID, tid)
		r.Set(txn.RRN, strconv.AppendInt(buf, int64(260100000000+i), 10))
		r.Set(txn.STAN, strconv.AppendInt(buf[20:20], int64(100000+i), 10))
	}
	var before, after runtime.MemStats
	buf := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.StartTimer()
		day := reconcile.New(set)
		t := day.AddSlot(reconcile.Slot{Source: "pos", Side: txn.Terminal, Date: d.date, State: reconcile.SlotReceived, Pays: true})
		a := day.AddSlot(reconcile.Slot{Source: "ums", Side: txn.Acquirer, Acquirer: "ums", Date: d.date, State: reconcile.SlotReceived, Pays: true})
		day.Expect(2 * n)
		var r txn.Row
		for i := range n {
			fill(&r, i, buf[:0])
			r.Side, r.Pos = txn.Terminal, txn.Position{File: 0, Offset: int64(i)}
			day.Add(t, &r)
		}
		for i := range n {
			fill(&r, n-1-i, buf[:0])
			r.Side, r.Business, r.Pos = txn.Acquirer, d.date, txn.Position{File: 1, Offset: int64(i)}
			day.Add(a, &r)
		}
		out, _, err := day.Run(&evidence{}, nil)
		if err != nil || len(out.Passes) == 0 || out.Passes[0].Matches != n {
			b.Fatalf("%v, passes %+v", err, out)
		}
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/(2*n), "bytes/row")
		runtime.KeepAlive(day)
		b.StartTimer()
	}
	b.ReportMetric(float64(2*n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
