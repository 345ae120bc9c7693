package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/disk"
	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// TestYears plays day after day, in order, over a year end, and holds every book against a list of what is missing that
// was made with the world, by a table of holidays of its own: what is not due yet is never called missing, and what is
// due and not there always is.
//
// DAOZHANG_YEAR_DAYS=400 plays from 1 December 2024 over two year ends, in real folders, and also checks that memory,
// time a day and bytes a day do not grow. scripts/year does that.
func TestYears(t *testing.T) {
	days := intEnv("DAOZHANG_YEAR_DAYS", 60)
	y := newYear(t, days, days > 100)
	for d := range days {
		if err := y.night(d); err != nil {
			t.Fatalf("%s: %v", y.world.first+txn.Date(d), err)
		}
	}
	if days > 100 {
		y.flat()
	}
	t.Logf("%d days, %d computed, %d books held against the list; seen due: %d sales, %d refunds, %d payouts", days, y.computed, y.books,
		y.saw["T02"], y.saw["T14"], y.saw["B02"])
	for _, class := range []string{"T02", "T14", "B02"} {
		if y.saw[class] == 0 && (class != "T14" || days > 70) {
			t.Errorf("no book of the %d days has %s: the world is too kind to prove anything", days, class)
		}
	}
}

// year is one installation that is run every night.
type year struct {
	t        *testing.T
	world    *yearWorld
	cfg      *config.Config
	e        *Engine
	now      time.Time
	files    []simFile
	saw      map[string]int
	computed int
	books    int
	asked    int // uses of match ledgers since the night began
	uses     int // uses of the disk since the night began
	nights   []nightCost
}

// nightCost is what one night has cost.
type nightCost struct {
	asked    int // uses of match ledgers
	planned  int // uses of the disk to find out what is to be done
	wall     time.Duration
	computed int
	judged   int   // rows of the days that were computed
	lines    int   // of their books
	received int64 // bytes of the files that came
	archive  int64 // bytes of all that is kept, so far
	carry    int64
	reports  int64
	database int64
	heap     uint64 // 0 where it was not measured
}

func newYear(t *testing.T, days int, real bool) *year {
	t.Helper()
	first := txn.MakeDate(2024, time.December, 1)
	root := t.TempDir()
	y := &year{t: t, saw: map[string]int{}}
	text := strings.NewReplacer("GO_LIVE", first.String(), "STATE", filepath.Join(root, "state"), "REPORTS", filepath.Join(root, "reports"),
		"days: daily", "days: workdays cn").Replace(simConfig)
	files := map[string]string{"config.yaml": text}
	for name, text := range shopRegister {
		files["register/"+name+".csv"] = strings.ReplaceAll(text, "2025-01-01", "2024-01-01")
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if y.cfg, err = config.Load(filepath.Join(root, "config.yaml")); err != nil {
		t.Fatal(err)
	}
	y.world = newYearWorld(1, first, days, 10, y.cfg.Location())
	y.files = y.world.files
	y.now = y.world.clock(0, 0, 0)
	o := Engine{Now: func() time.Time { return y.now }, Program: "daozhang year", Actor: "year", NoWorkbook: true}
	var under disk.FS = disk.Memory()
	if real {
		under = disk.Or(nil)
	} else {
		o.DSN = fmt.Sprintf("memory:year-%p", y)
		keep, err := store.Open(context.Background(), o.DSN, store.Options{Now: o.Now, Entity: y.cfg.Entity})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { keep.Close() })
	}
	o.Disk = disk.Fault(under, func(op, path string) error {
		y.uses++
		if filepath.Base(path) == LedgerName {
			y.asked++
		}
		return nil
	})
	if y.e, err = Open(context.Background(), y.cfg, o, false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { y.e.Close() })
	return y
}

// night lets the files of a day come, runs, and checks every book that was computed.
func (y *year) night(d int) error {
	ctx := context.Background()
	y.asked = 0
	var cost nightCost
	began := time.Now()
	y.now = y.world.clock(d+1, 12, 0)
	lander := &sim{e: y.e}
	for len(y.files) > 0 && !y.files[0].at.After(y.now) {
		f := y.files[0]
		cost.received += int64(len(f.data))
		if err := lander.land(ctx, f); err != nil {
			return err
		}
		y.files = y.files[1:]
	}
	before := y.uses
	plan, err := y.e.Plan(ctx, Request{To: y.world.first + txn.Date(d), AsOf: y.now})
	if err != nil {
		return err
	}
	cost.planned = y.uses - before
	rs, err := y.e.Run(ctx, plan, y.now, nil)
	if err != nil {
		return err
	}
	cost.wall, cost.asked, cost.computed = time.Since(began), y.asked, len(rs)
	y.computed += len(rs)
	for i := range rs {
		cost.judged += y.world.rows[rs[i].Date-y.world.first]
		cost.lines += len(rs[i].Outcome.Lines)
		if err := y.check(&rs[i]); err != nil {
			return err
		}
	}
	return y.measure(d, cost)
}

// check holds a book against the world's own list of what is missing.
func (y *year) check(r *DayResult) error {
	y.books++
	want := map[string]bool{}
	for ref, m := range y.world.absent {
		if m.on(r.Date) {
			class := "T02 "
			if y.world.refunds[ref] {
				class = "T14 "
			}
			want[class+ref] = true
		}
	}
	for day, m := range y.world.unpaid {
		if m.on(r.Date) {
			want["B02 "+day.String()] = true
		}
	}
	got := map[string]bool{}
	for i := range r.Outcome.Lines {
		l := &r.Outcome.Lines[i]
		switch class := string(l.Class); class {
		case "T01", "B01", "B06": // not due yet; several days in one credit
		case "T02", "T14", "B02":
			if l.Status == "cleared" {
				continue
			}
			if l.DueDate == 0 || l.DueDate > r.Date {
				return fmt.Errorf("the book calls %s %s missing, which is due on %s", class, l.RRN, l.DueDate)
			}
			key, due := class+" "+l.RRN, y.world.absent[l.RRN].due
			if class == "B02" {
				key, due = class+" "+l.SettleDate.String(), y.world.unpaid[l.SettleDate].due
			}
			if l.DueDate != due {
				return fmt.Errorf("%s is due on %s, not on %s", key, due, l.DueDate)
			}
			got[key] = true
			y.saw[class]++
		default:
			if l.Status != "cleared" {
				return fmt.Errorf("the book has %s %s %s, of which the world knows nothing: %+v", class, l.RRN, l.SettleDate, *l)
			}
		}
	}
	if !bankIn(r) { // of a day off nothing is known yet: no payout need be called missing
		maps.DeleteFunc(want, func(key string, _ bool) bool { return strings.HasPrefix(key, "B02") && !got[key] })
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("missing by the book: %v; by the calendar on the wall: %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	return nil
}

func bankIn(r *DayResult) bool {
	return slices.ContainsFunc(r.Outcome.Slots, func(s reconcile.SlotSum) bool { return s.Side == txn.Bank && s.State == reconcile.SlotReceived })
}

// measure adds what is kept now; the heap every 50 days.
func (y *year) measure(d int, c nightCost) error {
	under := disk.Or(y.e.Disk)
	var err error
	for dir, n := range map[string]*int64{filepath.Join(y.cfg.State, "archive"): &c.archive, filepath.Join(y.cfg.State, "carry"): &c.carry, y.cfg.Reports: &c.reports} {
		size, walkErr := sizeBelow(under, dir)
		*n, err = size, errors.Join(err, walkErr)
	}
	if info, statErr := os.Stat(filepath.Join(y.cfg.State, "daozhang.db")); statErr == nil {
		c.database = info.Size()
	}
	if d%50 == 49 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		c.heap = m.HeapInuse
	}
	y.nights = append(y.nights, c)
	return err
}

// sizeBelow adds up the files below a folder, links not followed.
func sizeBelow(fsys disk.FS, dir string) (total int64, err error) {
	entries, err := fsys.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	for _, x := range entries {
		switch info, statErr := fsys.Lstat(filepath.Join(dir, x.Name())); {
		case statErr != nil:
			err = errors.Join(err, statErr)
		case info.IsDir():
			n, walkErr := sizeBelow(fsys, filepath.Join(dir, x.Name()))
			total, err = total+n, errors.Join(err, walkErr)
		case info.Mode().IsRegular():
			total += info.Size()
		}
	}
	return total, err
}
