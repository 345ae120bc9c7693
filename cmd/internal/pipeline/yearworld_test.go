package pipeline

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"daozhang/parsers/txn"
)

// The days off and the worked weekends of mainland China from November 2024 to March 2026, copied by hand from the
// notices of the State Council: what the year's oracle goes by, and nothing of the program does.
const (
	yearOff = "2025-01-01 2025-01-28 2025-01-29 2025-01-30 2025-01-31 2025-02-03 2025-02-04 2025-04-04 2025-05-01 2025-05-02 2025-05-05 " +
		"2025-06-02 2025-10-01 2025-10-02 2025-10-03 2025-10-06 2025-10-07 2025-10-08 2026-01-01 2026-01-02 2026-02-16 2026-02-17 " +
		"2026-02-18 2026-02-19 2026-02-20 2026-02-23"
	yearWorked = "2025-01-26 2025-02-08 2025-04-27 2025-09-28 2025-10-11 2026-01-04 2026-02-14 2026-02-28"
)

func yearWorkday(d txn.Date) bool {
	switch text := d.String(); {
	case strings.Contains(yearOff, text):
		return false
	case strings.Contains(yearWorked, text):
		return true
	}
	return d.Weekday() != time.Saturday && d.Weekday() != time.Sunday
}

// workdaysAfter is the n-th working day after d.
func workdaysAfter(d txn.Date, n int) txn.Date {
	for n > 0 {
		if d++; yearWorkday(d) {
			n--
		}
	}
	return d
}

// missing is what somebody owes: the first day on which it may be called missing, and the first on which it is no more.
type missing struct{ due, ends txn.Date }

func (m missing) on(d txn.Date) bool { return m.due <= d && d < m.ends }

const never = txn.Date(1 << 30)

// yearWorld is a shop whose files come in order, each in its night: two stores, sales up to midnight that are cleared
// by another day's clock, refunds up to eighty days later, money by the mainland calendar in one credit or several, and
// every few days something that is late or never comes.
type yearWorld struct {
	*simWorld
	absent  map[string]missing   // T02 and T14, by reference number
	refunds map[string]bool      // which of them are refunds
	unpaid  map[txn.Date]missing // B02, by business date
	rows    []int                // of both sides, by day
}

const yearMargin = 20 // days after the last, for what is paid then

func newYearWorld(seed uint64, first txn.Date, days, perStore int, zone *time.Location) *yearWorld {
	w := &yearWorld{simWorld: &simWorld{rng: rand.New(rand.NewPCG(seed, 7)), first: first, days: days, zone: zone, lines: make([][]credit, days+yearMargin)},
		absent: map[string]missing{}, refunds: map[string]bool{}, unpaid: map[txn.Date]missing{}, rows: make([]int, days)}
	w.sell(perStore)
	w.settle()
	for d := range days {
		w.night(d)
	}
	return w
}

func reference(s simSale) string { return fmt.Sprintf("6%011d", s.n) }

// sell makes sales and refunds. On day d of forty one sale is presented three days late, on day d of a hundred one sale
// and one refund are never presented.
func (w *yearWorld) sell(perStore int) {
	n, last := 0, w.days-1
	var sold [][]simSale
	for d := range w.days {
		sold = append(sold, nil)
		day := w.first + txn.Date(d)
		for store := range 2 {
			count := perStore + w.rng.IntN(perStore)
			if !yearWorkday(day) {
				count += perStore
			}
			for i := range count {
				n++
				s := simSale{n: n, store: store, fen: int64(1_000 + w.rng.IntN(50_000)), atTerminal: true, atAcquirer: true, clears: d}
				s.at = w.clock(d, 8+w.rng.IntN(14), w.rng.IntN(60)).Add(time.Duration(w.rng.IntN(60)) * time.Second)
				switch {
				case i == 0: // the acquirer's clock cuts some minutes earlier or later than 23:00
					s.at = w.clock(d, 22, 58).Add(time.Duration(w.rng.IntN(239)) * time.Second)
					if s.clears = d + w.rng.IntN(2); s.at.Hour() == 22 && w.rng.IntN(2) == 0 {
						s.clears = d
					}
				case i == 1:
					s.at = w.clock(d, 23, 10+w.rng.IntN(50))
					s.clears = d + 1
				case i == 2 && store == 0 && d%8 == 3 && d < last-5:
					s.clears = d + 3
					w.miss(s, day, w.first+txn.Date(s.clears))
				case i == 2 && store == 1 && d%100 == 41:
					s.atAcquirer = false
					w.miss(s, day, never)
				default:
					sold[d] = append(sold[d], s)
				}
				s.acquirer = s.fen
				w.sales = append(w.sales, s)
			}
			n++
			w.giveBack(n, d, store, sold)
		}
	}
}

// miss notes a sale that is presented late or never: it may be called missing from the day on which its money is due,
// and not before the file after its day.
func (w *yearWorld) miss(s simSale, day, ends txn.Date) {
	w.absent[reference(s)] = missing{max(workdaysAfter(day, 1), day+1), ends}
}

// giveBack refunds a part of a sale that was made up to eighty days ago.
func (w *yearWorld) giveBack(n, d, store int, sold [][]simSale) {
	of := slices.DeleteFunc(slices.Clone(sold[max(d-1-w.rng.IntN(80), 0)]), func(s simSale) bool { return s.store != store })
	if len(of) == 0 {
		return
	}
	s := of[w.rng.IntN(len(of))]
	r := simSale{n: n, store: store, refundOf: s.n, clears: d, at: w.clock(d, 9+w.rng.IntN(12), w.rng.IntN(60)), atTerminal: true, atAcquirer: true}
	r.fen = -max(s.fen/20, 1)
	r.acquirer = r.fen
	if d%100 == 57 && store == 0 {
		r.atAcquirer = false
		w.absent[reference(r)] = missing{workdaysAfter(w.first+txn.Date(d), 3), never}
		w.refunds[reference(r)] = true
	}
	w.sales = append(w.sales, r)
}

// settle makes the bank's lines: money of a day is due on the next working day; that of days with one due date comes in
// one credit or in several. Now and then it comes late.
func (w *yearWorld) settle() {
	together := map[txn.Date]int64{}
	net := make([]int64, w.days+2)
	for _, s := range w.sales {
		if s.atAcquirer {
			net[min(s.clears, w.days+1)] += s.net()
		}
	}
	for d := range w.days {
		day := w.first + txn.Date(d)
		due := workdaysAfter(day, 1)
		on := due
		if d%12 == 5 && workdaysAfter(day-1, 1) != due { // what comes together is of days in a row
			on = workdaysAfter(due, 1+d%2)
			w.unpaid[day] = missing{due, on}
		}
		if on == due && d/30%2 == 0 {
			together[on] += net[d]
			continue
		}
		w.book(int(on-w.first), net[d])
	}
	for i := range w.lines {
		w.book(i, together[w.first+txn.Date(i)])
	}
}

// night are the files that come after day d: a statement only if it is a working day, then of all days since the last.
func (w *yearWorld) night(d int) {
	day := w.first + txn.Date(d)
	for store := range 2 {
		var rows []simSale
		for _, s := range w.around(d) {
			if s.store == store && w.dayOf(s) == d {
				rows = append(rows, s)
			}
		}
		w.rows[d] += len(rows)
		w.bring("pos", fmt.Sprintf("journal_S0%d_%s.csv", store+1, day.Compact()), w.journalText(d, store, rows), d, 6)
	}
	part := &simWorld{first: w.first, zone: w.zone, sales: w.around(d)}
	w.rows[d] += len(part.cleared(d))
	w.bring("ums", "ums_"+day.Compact()+".txt", part.billText(d, part.cleared(d)), d, 9)
	if !yearWorkday(day) {
		return
	}
	from := d
	for from > 0 && !yearWorkday(w.first+txn.Date(from-1)) {
		from--
	}
	w.bring("bank", "bank_"+account+"_"+day.Compact()+".csv", w.statementText(from, d, nil), d, 8)
}

// around are the sales that were made within a few days before d: they are in the order of their days.
func (w *yearWorld) around(d int) []simSale {
	from, _ := slices.BinarySearchFunc(w.sales, d-4, func(s simSale, d int) int { return w.dayOf(s) - d })
	to, _ := slices.BinarySearchFunc(w.sales, d+1, func(s simSale, d int) int { return w.dayOf(s) - d })
	return w.sales[from:to]
}

func (w *yearWorld) bring(source, name string, data []byte, d, hour int) {
	w.files = append(w.files, simFile{source: source, name: name, data: data, at: w.clock(d+1, hour, 10)})
}
