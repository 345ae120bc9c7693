package profile

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

// counters hold what the controls and totals need.
type counters struct {
	rows     int64 // records seen, rejected ones included
	rejected int64
	unknown  int64 // rejected before their kind was known
	kinds    [32]int64
	sums     []txn.Fine
	totals   []parsers.Total
	last     int // index of the total used last
}

func (r *Reader) countKind(k txn.Kind, known bool) {
	if known && k != txn.NoKind && int(k) < len(r.counts.kinds) {
		r.counts.kinds[k]++
		r.counted = true
	}
}

// addSums reads the columns that controls add up, before the record emits anything.
func (r *Reader) addSums() error {
	if r.partial && !r.part {
		return nil
	}
	for i, s := range r.p.sums {
		r.sumNow[i] = 0
		at := r.f.bound[s.col]
		if at == -1 {
			continue
		}
		v, ok := r.cell(at)
		if !ok || zero(v) || isOneOf(v, r.p.cols[s.col].empty) {
			continue
		}
		n, err := r.fine(v, s.minor)
		if err != nil {
			return r.rowError(&op{col: at}, v, err)
		}
		r.sumNow[i] = n
	}
	return nil
}

func (r *Reader) fine(v []byte, minor bool) (txn.Fine, error) {
	v, err := r.plainNumber(v, true)
	if err != nil {
		return 0, err
	}
	if minor {
		n, err := txn.ParseDecimal(v, 0)
		return txn.FineOf(n, r.currency), err
	}
	n, err := txn.ParseDecimal(v, txn.FineDecimals)
	return txn.Fine(n), err
}

func (r *Reader) commitSums() {
	for i, n := range r.sumNow {
		r.counts.sums[i] += n
	}
}

// commit counts a row that is about to be returned.
func (r *Reader) commit(row *txn.Row) {
	if r.emitted == 1 {
		r.commitSums()
	}
	t := r.total(row.Kind, row.Currency)
	t.Rows++
	t.Amount += row.Amount
	t.Fee += row.Fee
	t.Net += row.NetFine()
	r.books.line(row)
}

func (r *Reader) total(k txn.Kind, c txn.Currency) *parsers.Total {
	ts := r.counts.totals
	if r.counts.last < len(ts) && ts[r.counts.last].Kind == k && ts[r.counts.last].Currency == c {
		return &ts[r.counts.last]
	}
	i := slices.IndexFunc(ts, func(t parsers.Total) bool { return t.Kind == k && t.Currency == c })
	if i < 0 {
		i = len(ts)
		r.counts.totals = append(ts, parsers.Total{Side: r.p.info.Side, Kind: k, Currency: c})
	}
	r.counts.last = i
	return &r.counts.totals[i]
}

// Totals sums what Next returned.
func (r *Reader) Totals() []parsers.Total {
	out := slices.Clone(r.counts.totals)
	slices.SortFunc(out, func(a, b parsers.Total) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Currency.String(), b.Currency.String()))
	})
	return out
}

// Controls compares the stated figures with the rows. Figures that the file does not state are left out.
func (r *Reader) Controls() []parsers.Control {
	var out []parsers.Control
	if r.partial {
		return nil
	}
	for i := range r.p.controls {
		if c, ok := r.control(&r.p.controls[i]); ok {
			out = append(out, c)
		}
	}
	return out
}

func (r *Reader) control(k *control) (parsers.Control, bool) {
	out := parsers.Control{Scope: "file", Name: k.name, Slot: k.slot, Kinds: k.kinds, Abs: k.abs, Count: k.measure == measureRows}
	if k.slot {
		out.Measure = measureNames[k.measure]
	}
	var stated txn.Fine
	var texts []string
	valid := true
	for _, name := range k.stated {
		text, ok := r.capture(name)
		if !ok || text == "" {
			return out, false
		}
		texts = append(texts, text)
		n, err := r.fine([]byte(text), k.minor && k.measure != measureRows)
		valid = valid && err == nil
		stated += n
	}
	if k.negate {
		stated = -stated
	}
	if k.abs {
		stated = max(stated, -stated)
	}
	one := txn.Fine(100000)
	if k.measure == measureRows {
		valid = valid && stated%one == 0
		stated /= one
	}
	out.Stated = r.figure(k, stated)
	if !valid {
		out.Stated = clip(strings.Join(texts, " + "), 40)
	}
	if k.slot {
		out.OK = valid
		return out, true
	}
	computed := r.compute(k, stated)
	out.Computed = r.figure(k, computed)
	out.OK = valid && stated == computed
	return out, true
}

func (r *Reader) figure(k *control, n txn.Fine) string {
	if k.measure == measureRows {
		return strconv.FormatInt(int64(n), 10)
	}
	return n.Format(r.currency)
}

// compute is the figure by the rows. Rejected records whose kind is unknown may belong to any kind, so they close a
// gap in the count of one.
func (r *Reader) compute(k *control, stated txn.Fine) txn.Fine {
	var n txn.Fine
	switch k.measure {
	case measureColumn:
		n = r.counts.sums[k.sum]
	case measureRows:
		if len(k.kinds) == 0 {
			return txn.Fine(r.counts.rows)
		}
		for _, kind := range k.kinds {
			n += txn.Fine(r.counts.kinds[kind])
		}
		if gap := stated - n; gap > 0 {
			n += min(gap, txn.Fine(r.counts.unknown))
		}
	default:
		for _, t := range r.counts.totals {
			if len(k.kinds) > 0 && !slices.Contains(k.kinds, t.Kind) {
				continue
			}
			switch k.measure {
			case measureAmount:
				n += txn.FineOf(t.Amount, t.Currency)
			case measureFee:
				n += t.Fee
			case measureNet:
				n += t.Net
			}
		}
	}
	if k.abs {
		n = max(n, -n)
	}
	return n
}

// capture finds a stated figure in the trailer, else in the preamble.
func (r *Reader) capture(name string) (string, bool) {
	if v, ok := r.trail.captures[name]; ok {
		return v, true
	}
	if v, ok := r.trail.captures[strings.TrimRight(normalise(name), ":")]; ok {
		return v, true
	}
	v, ok := r.f.captures[name]
	return v, ok
}
