package pipeline

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"daozhang/cmd/internal/disk"
	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
)

// oracle is a second installation that knows everything before it runs anything, and runs every date once, in order.
func (s *sim) oracle() (*sim, error) {
	o := &sim{t: s.t, seed: s.seed, rng: rand.New(rand.NewPCG(s.seed, 3)), simBase: s.simBase, world: s.world}
	o.open("oracle")
	ctx := context.Background()
	files, done := slices.Clone(s.world.files), 0
	for _, c := range append(slices.Clone(s.closed), simClosing{after: len(files)}) {
		// Between two closings the order must not matter, as long as each file keeps the instant at which it came, and what
		// differs for one slot comes in its turn.
		part := files[done:c.after]
		o.rng.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
		inTurn(part)
		for _, f := range part {
			o.now = f.at
			if err := o.put(ctx, f); err != nil {
				return o, err
			}
		}
		if err := o.e.Ingest(ctx); err != nil {
			return o, err
		}
		done = c.after
		if err := o.replay(c); err != nil {
			return o, err
		}
	}
	if err := o.e.DB.ReopenBooks(ctx, s.world.first, "sim", "all at once"); err != nil && !errors.Is(err, store.ErrInvalid) {
		return o, err
	}
	ds, err := s.e.DB.Decisions(ctx, s.world.first+txn.Date(s.world.days+100))
	if err == nil && len(ds) > 0 {
		err = o.e.DB.RecordDecisions(ctx, ds)
	}
	if err != nil {
		return o, err
	}
	o.now = s.now
	plan, err := o.e.Plan(ctx, Request{To: s.world.first + txn.Date(s.world.days-1), AsOf: o.now})
	if err != nil {
		return o, err
	}
	_, err = o.e.Run(ctx, plan, o.now, nil)
	return o, err
}

// inTurn gives the bills and journals of each day their order again. Statements of one account say the same of each day.
func inTurn(files []simFile) {
	at := map[string][]int{}
	for i, f := range files {
		if f.source != "bank" {
			day := strings.Index(f.name, "_2026")
			at[f.name[:day+9]] = append(at[f.name[:day+9]], i)
		}
	}
	for _, places := range at {
		var own []simFile
		for _, i := range places {
			own = append(own, files[i])
		}
		slices.SortStableFunc(own, func(a, b simFile) int { return a.at.Compare(b.at) })
		for n, i := range places {
			files[i] = own[n]
		}
	}
}

func (s *sim) replay(c simClosing) error {
	if c.through == 0 && c.from == 0 {
		return nil
	}
	if c.through != 0 {
		return s.e.DB.CloseBooks(context.Background(), c.through, "sim", "simulated")
	}
	return s.e.DB.ReopenBooks(context.Background(), c.from, "sim", "simulated")
}

// compare holds every date against the oracle, and checks what holds for any book.
func (s *sim) compare() error {
	o, err := s.oracle()
	defer o.close()
	if err != nil {
		return fmt.Errorf("oracle: %w", err)
	}
	ctx := context.Background()
	for d := s.world.first; d < s.world.first+txn.Date(s.world.days); d++ {
		got, err := s.e.DB.LatestRun(ctx, d)
		if err != nil {
			return err
		}
		want, err := o.e.DB.LatestRun(ctx, d)
		if err != nil {
			return err
		}
		if got.Comparable == want.Comparable && got.CarryOut == want.CarryOut {
			continue
		}
		return fmt.Errorf("%s is not what it would be had everything been known from the start:\n%s", d, s.difference(ctx, o, d, got, want))
	}
	if plan, err := s.e.Plan(ctx, Request{To: s.world.first + txn.Date(s.world.days-1), AsOf: s.now}); err != nil || len(plan) > 0 {
		return fmt.Errorf("after all that there is still to do: %v (%v)", plan, err)
	}
	dates, err := s.e.DB.LateDates(ctx)
	for _, d := range dates {
		late, lateErr := s.e.DB.LateRevisions(ctx, d)
		err = errors.Join(err, lateErr)
		s.count.closedFiles += len(late)
	}
	return errors.Join(err, s.rolls())
}

func (s *sim) difference(ctx context.Context, o *sim, d txn.Date, got, want store.Run) string {
	var out strings.Builder
	a, b := s.comparableText(d), o.comparableText(d)
	if a != b {
		out.WriteString("exceptions.csv:\n" + linesOnlyIn("want", b, a) + linesOnlyIn("got", a, b))
	}
	if a, b := s.summaryText(d), o.summaryText(d); a != b {
		out.WriteString("summary.json:\n" + firstDifference(b, a) + "\n")
	}
	x, errX := s.e.Carry.Get(ctx, got.CarryOut)
	y, errY := o.e.Carry.Get(ctx, want.CarryOut)
	if !bytes.Equal(x, y) {
		fmt.Fprintf(&out, "carry (%v %v):\n%s%s", errX, errY, linesOnlyIn("want", string(y), string(x)), linesOnlyIn("got", string(x), string(y)))
	}
	return out.String()
}

// linesOnlyIn shows the lines of one text that the other lacks.
func linesOnlyIn(name, text, other string) string {
	has := map[string]bool{}
	for l := range strings.Lines(other) {
		has[l] = true
	}
	var out strings.Builder
	for l := range strings.Lines(text) {
		if !has[l] {
			out.WriteString(name + " " + l)
		}
	}
	return out.String()
}

func (s *sim) read(d txn.Date, name string) []byte {
	folder, _, err := s.e.latest(d)
	if err != nil {
		return []byte(err.Error())
	}
	data, err := disk.ReadFile(s.mem, filepath.Join(folder, name))
	if err != nil {
		return []byte(err.Error())
	}
	return data
}

func (s *sim) comparableText(d txn.Date) string {
	all, err := csv.NewReader(bytes.NewReader(s.read(d, "exceptions.csv"))).ReadAll()
	if err != nil || len(all) == 0 {
		return fmt.Sprint(err)
	}
	var lines []line
	for _, row := range all[1:] {
		l := line{}
		for i, name := range all[0] {
			l[name] = row[i]
		}
		lines = append(lines, l)
	}
	return comparableLines(lines)
}

func (s *sim) summaryText(d txn.Date) string {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(s.read(d, "summary.json"), &m); err != nil {
		return err.Error()
	}
	for _, k := range orderKeys {
		delete(m, k)
	}
	b, _ := json.MarshalIndent(m, "", " ")
	return string(b)
}

// rolls checks that each day opens with what the day before it closed with, and adds up.
func (s *sim) rolls() error {
	type roll struct {
		Leg, Side, Class, Currency                   string
		Opening, New, Cleared, Reclassified, Closing struct {
			Rows   int64
			Amount json.Number
		}
	}
	closing := map[string]string{}
	for d := s.world.first; d < s.world.first+txn.Date(s.world.days); d++ {
		var book struct {
			RollForward []roll `json:"roll_forward"`
		}
		if err := json.Unmarshal(s.read(d, "summary.json"), &book); err != nil {
			return err
		}
		now := map[string]string{}
		for _, r := range book.RollForward {
			key := strings.Join([]string{r.Leg, r.Side, r.Class, r.Currency}, " ")
			opening := fmt.Sprint(r.Opening.Rows, " ", r.Opening.Amount)
			was, ok := closing[key]
			if !ok {
				was = "0 0.00"
			}
			if opening != was {
				return fmt.Errorf("%s %s opens with %s, the day before closed with %s", d, key, opening, was)
			}
			delete(closing, key)
			if r.Opening.Rows+r.New.Rows-r.Cleared.Rows+r.Reclassified.Rows != r.Closing.Rows {
				return fmt.Errorf("%s %s does not roll: %+v", d, key, r)
			}
			sum, err := fen(r.Opening.Amount, r.New.Amount, "-"+r.Cleared.Amount, r.Reclassified.Amount, "-"+r.Closing.Amount)
			if err != nil || sum != 0 {
				return fmt.Errorf("%s %s does not roll by %d fen (%v): %+v", d, key, sum, err, r)
			}
			now[key] = fmt.Sprint(r.Closing.Rows, " ", r.Closing.Amount)
		}
		for key, v := range closing {
			if v != "0 0.00" {
				return fmt.Errorf("%s: %s closed with %s the day before and is not in the roll-forward", d, key, v)
			}
		}
		closing = now
	}
	return nil
}

// fen adds decimal texts; two signs in front cancel out.
func fen(texts ...json.Number) (sum int64, err error) {
	for _, n := range texts {
		t := strings.TrimPrefix(string(n), "--")
		v, err := txn.ParseDecimal([]byte(t), 2)
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum, nil
}
