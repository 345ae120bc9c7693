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
	planned := func(c nightCost) float64 { return float64(c.planned) }
	y.t.Logf("uses of the disk to plan a night: %.0f on days %d to %d, %.0f on the last hundred: it looks at every open date", mean(early, planned),
		mature+1, mature+len(early), mean(late, planned))
	y.t.Logf("time a night: %.1f ms on days 1 to %d, %.1f ms on days %d to %d, %.1f ms on the last hundred", mean(y.nights[:mature], wall), mature,
		mean(early, wall), mature+1, mature+len(early), mean(late, wall))
	if a, b := mean(early, asked), mean(late, asked); b > 1.2*a {
		y.t.Errorf("a night uses the match ledgers %.0f times, %.0f earlier: history is not bounded", b, a)
	}
	y.growth(mature)
}

// growth fits, on the days after mature up to the middle of the rest,
//
//	carry + books of a night = A * books computed + R * rows of their days + L * their lines
//
// and holds what has grown by the end against it. The archive grows by what is received.
func (y *year) growth(mature int) {
	n := len(y.nights)
	middle := mature + (n-mature)/2
	x := func(i int) [3]float64 {
		c := y.nights[i]
		return [3]float64{float64(c.computed), float64(c.judged), float64(c.lines)}
	}
	kept := func(from, to int) float64 { // after night from, to the end of night to
		a, b := y.nights[from], y.nights[to]
		return float64(b.carry + b.reports - a.carry - a.reports)
	}
	var m [3][4]float64
	for i := mature; i < middle; i++ {
		at, v := x(i), kept(i-1, i)
		for r := range m {
			for c := range at {
				m[r][c] += at[r] * at[c]
			}
			m[r][3] += at[r] * v
		}
	}
	f := solve(m)
	want, received := 0.0, int64(0)
	var sum [3]float64
	for i := middle; i < n; i++ {
		for k, v := range x(i) {
			want += f[k] * v
			sum[k] += v
		}
		received += y.nights[i].received
	}
	got := kept(middle-1, n-1)
	archived := y.nights[n-1].archive - y.nights[middle-1].archive
	db := float64(y.nights[n-1].database-y.nights[middle-1].database) / float64(n-middle)
	y.t.Logf("disk: archive = bytes received (%.2f MB of %.2f MB); carry + reports = %.0f * books + %.1f * rows + %.0f * lines, fitted on days %d to %d",
		float64(archived)/1e6, float64(received)/1e6, f[0], f[1], f[2], mature+1, middle)
	y.t.Logf("disk: days %d to %d: %.0f books, %.0f rows, %.0f lines: by the formula %.2f MB, in truth %.2f MB (%+.1f %%); database %.0f bytes a day",
		middle+1, n, sum[0], sum[1], sum[2], want/1e6, got/1e6, 100*(got-want)/want, db)
	if math.Abs(got-want) > 0.1*want {
		y.t.Errorf("carry and reports grew by %.0f bytes, by the formula %.0f", got, want)
	}
	if math.Abs(float64(archived-received)) > 0.1*float64(received) {
		y.t.Errorf("the archive grew by %d bytes, %d were received", archived, received)
	}
}

// solve is elimination for three unknowns.
func solve(m [3][4]float64) (x [3]float64) {
	for i := range m {
		for r := range m {
			if r == i || m[i][i] == 0 {
				continue
			}
			f := m[r][i] / m[i][i]
			for c := range m[r] {
				m[r][c] -= f * m[i][c]
			}
		}
	}
	for i := range m {
		if m[i][i] != 0 {
			x[i] = m[i][3] / m[i][i]
		}
	}
	return x
}

func mean(nights []nightCost, of func(nightCost) float64) float64 {
	sum := 0.0
	for _, c := range nights {
		sum += of(c)
	}
	return sum / float64(max(len(nights), 1))
}
