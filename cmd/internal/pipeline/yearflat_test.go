package pipeline

import (
	"math"
	"time"
)

// flat checks that a night late in the chain costs what one costs early, once there are as many days as are kept in
// sight: memory, reads of match ledgers, time; and that what is kept grows by a formula.
func (y *year) flat() {
	const mature = 100 // history_days and some
	n := len(y.nights)
	early, late := y.nights[mature:min(mature+100, n)], y.nights[max(n-100, mature):]
	base := uint64(0)
	for i, c := range y.nights {
		if c.heap == 0 {
			continue
		}
		y.t.Logf("day %3d: heap in use %5.1f MB; kept: archive %.2f MB, carry %.2f MB, reports %.2f MB, database %.2f MB", i+1, float64(c.heap)/1e6,
			float64(c.archive)/1e6, float64(c.carry)/1e6, float64(c.reports)/1e6, float64(c.database)/1e6)
		switch {
		case i+1 <= mature:
			base = max(base, c.heap)
		case float64(c.heap) > 1.2*float64(base):
			y.t.Errorf("memory grows: %d bytes in use on day %d, %d by day %d", c.heap, i+1, base, mature)
		}
	}
	asked := func(c nightCost) float64 { return float64(c.asked) }
	wall := func(c nightCost) float64 { return float64(c.wall) / float64(time.Millisecond) }
	y.t.Logf("uses of match ledgers a night: %.0f on days %d to %d, %.0f on the last hundred", mean(early, asked), mature+1, mature+len(early), mean(late, asked))
	y.t.Logf("time a night: %.1f ms on days 1 to %d, %.1f ms on days %d to %d, %.1f ms on the last hundred", mean(y.nights[:mature], wall), mature,
		mean(early, wall), mature+1, mature+len(early), mean(late, wall))
	if a, b := mean(early, asked), mean(late, asked); b > 1.2*a {
		y.t.Errorf("a night uses the match ledgers %.0f times, %.0f earlier: history is not bounded", b, a)
	}
	y.growth(mature)
}

// growth fits, on the days after mature up to the middle of the rest,
//
//	bytes(day) = bytes received + A + R * rows of both sides
//
// where carry, books and ledgers are A + R*rows, and holds what has grown by the end against it.
func (y *year) growth(mature int) {
	n := len(y.nights)
	middle := mature + (n-mature)/2
	added := func(i int) float64 {
		a, b := y.nights[i-1], y.nights[i]
		return float64(b.carry + b.reports - a.carry - a.reports)
	}
	var sx, sy, sxx, sxy, k float64
	for i := mature; i < middle; i++ {
		x, v := float64(y.nights[i].rows), added(i)
		sx, sy, sxx, sxy, k = sx+x, sy+v, sxx+x*x, sxy+x*v, k+1
	}
	perRow := (k*sxy - sx*sy) / (k*sxx - sx*sx)
	perDay := (sy - perRow*sx) / k
	want, got := 0.0, float64(y.nights[n-1].carry+y.nights[n-1].reports-y.nights[middle-1].carry-y.nights[middle-1].reports)
	received, rows := int64(0), 0
	for _, c := range y.nights[middle:] {
		want += perDay + perRow*float64(c.rows)
		received += c.received
		rows += c.rows
	}
	archived := y.nights[n-1].archive - y.nights[middle-1].archive
	db := float64(y.nights[n-1].database-y.nights[middle-1].database) / float64(n-middle)
	y.t.Logf("disk: bytes(day) = bytes received + %.0f + %.1f * rows, by days %d to %d; days %d to %d (%.0f rows a day): by the formula %.2f MB, in truth %.2f MB (%+.1f %%); "+
		"archive %.2f MB for %.2f MB received; database %.0f bytes a day", perDay, perRow, mature+1, middle, middle+1, n, float64(rows)/float64(n-middle),
		want/1e6, got/1e6, 100*(got-want)/want, float64(archived)/1e6, float64(received)/1e6, db)
	if math.Abs(got-want) > 0.1*want {
		y.t.Errorf("carry and reports grew by %.0f bytes, by the formula %.0f", got, want)
	}
	if math.Abs(float64(archived-received)) > 0.1*float64(received) {
		y.t.Errorf("the archive grew by %d bytes, %d were received", archived, received)
	}
}

func mean(nights []nightCost, of func(nightCost) float64) float64 {
	sum := 0.0
	for _, c := range nights {
		sum += of(c)
	}
	return sum / float64(max(len(nights), 1))
}
