package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/disk"
	"daozhang/cmd/internal/fetch"
	"daozhang/cmd/internal/store"
	"daozhang/parsers"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reconcile/calendar"
)

var nextSimDay = calendar.Cycle{Working: true, N: 1}

// TestSimulatedMonths plays months in which files come in any order, late, wrong first, twice or never, in which people
// decide and close books, and in which the program is killed. At the end each date must read as in one run, in order,
// that knew everything from the start.
//
// DAOZHANG_SIM=2000 plays so many seeds (50 without it), beginning with DAOZHANG_SIM_FROM; DAOZHANG_SIM_SEED=n plays one of
// them and says what happens.
func TestSimulatedMonths(t *testing.T) {
	seeds := intEnv("DAOZHANG_SIM", 50)
	days := intEnv("DAOZHANG_SIM_DAYS", 30)
	one := intEnv("DAOZHANG_SIM_SEED", 0)
	from := intEnv("DAOZHANG_SIM_FROM", 1)
	base := newSimBase(t)
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // many small heaps: memory is not what is short here
	var total simCount
	work := func(seed int) {
		s := newSim(t, base, uint64(seed), days)
		s.verbose = one != 0
		defer s.close()
		if err := s.play(); err != nil {
			t.Errorf("seed %d: %v\nreplay: DAOZHANG_SIM_SEED=%d go test ./cmd/internal/pipeline -run TestSimulatedMonths -v", seed, err, seed)
		}
		total.add(&s.count)
	}
	if one != 0 {
		work(one)
	} else {
		var next atomic.Int64
		next.Store(int64(from) - 1)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for n := next.Add(1); n < int64(from+seeds) && !t.Failed(); n = next.Add(1) {
					work(int(n))
				}
			})
		}
		wg.Wait()
	}
	t.Log(total.String())
}

func intEnv(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// simBase is what all installations have in common and only read: made once, it need not be made for each seed and after
// each kill.
type simBase struct {
	cfg     *config.Config
	formats *parsers.Registry
	like    *store.DB // empty, with its tables
}

func newSimBase(t *testing.T) *simBase {
	t.Helper()
	b := &simBase{cfg: simInstallation(t)}
	var err error
	if b.formats, err = Formats(b.cfg.Profiles); err != nil {
		t.Fatal(err)
	}
	if b.like, err = store.Open(context.Background(), "memory:"+t.Name(), store.Options{Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.like.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func simInstallation(t *testing.T) *config.Config {
	t.Helper()
	root := t.TempDir()
	text := strings.NewReplacer("GO_LIVE", monday, "STATE", filepath.Join(root, "state"), "REPORTS", filepath.Join(root, "reports")).Replace(simConfig)
	files := map[string]string{"config.yaml": text}
	for name, text := range shopRegister {
		files["register/"+name+".csv"] = text
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := config.Load(filepath.Join(root, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// simCount is what happened, over all seeds.
type simCount struct {
	mu                                                        sync.Mutex
	seeds, files, late, commands, computed, issued, needless  int
	decisions, closings, reopenings, kills, closedFiles, days int
}

func (c *simCount) add(o *simCount) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seeds++
	c.files += o.files
	c.late += o.late
	c.commands += o.commands
	c.computed += o.computed
	c.issued += o.issued
	c.needless += o.needless
	c.decisions += o.decisions
	c.closings += o.closings
	c.reopenings += o.reopenings
	c.kills += o.kills
	c.closedFiles += o.closedFiles
	c.days += o.days
}

func (c *simCount) String() string {
	return fmt.Sprintf("%d seeds, %d days: %d deliveries, %d late; %d commands computed %d days (%d of them needlessly) and issued %d revisions; "+
		"%d decisions, %d closings, %d reopenings, %d files for closed dates, %d kills", c.seeds, c.days, c.files, c.late, c.commands, c.computed,
		c.needless, c.issued, c.decisions, c.closings, c.reopenings, c.closedFiles, c.kills)
}

// sim is one installation in memory.
type sim struct {
	t    testing.TB
	seed uint64
	rng  *rand.Rand
	*simBase
	world   *simWorld
	mem     *disk.Mem
	dsn     string
	keep    *store.DB // keeps the database while the engine is down
	e       *Engine
	now     time.Time
	die     int // steps until the kill; 0: none
	verbose bool
	count   simCount
	closed  []simClosing
}

// simClosing is a closing or reopening, by the number of deliveries that had come.
type simClosing struct {
	after int
	through,
	from txn.Date
}

func newSim(t testing.TB, base *simBase, seed uint64, days int) *sim {
	cfg := base.cfg
	w := newSimWorld(seed, cfg.GoLive, days, cfg.Location(), cfg.Holidays())
	s := &sim{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 2)), simBase: base, world: w}
	s.count.days = days
	s.open("real")
	return s
}

func (s *sim) open(name string) {
	s.mem = disk.Memory()
	s.dsn = fmt.Sprintf("memory:sim-%d-%s-%p", s.seed, name, s)
	s.now = s.world.clock(0, 0, 0)
	var err error
	if s.keep, err = store.Open(context.Background(), s.dsn, store.Options{Now: func() time.Time { return s.now }, Entity: s.cfg.Entity, Like: s.like}); err != nil {
		s.t.Fatal(err)
	}
	s.start()
}

func (s *sim) start() {
	e, err := Open(context.Background(), s.cfg, Engine{Now: func() time.Time { return s.now }, Program: "daozhang sim", Actor: "sim", DSN: s.dsn, Disk: s.mem, Formats: s.formats,
		NoWorkbook: true, Step: s.step}, false)
	if err != nil {
		s.t.Fatal(err)
	}
	s.e = e
}

func (s *sim) close() {
	if err := errors.Join(s.e.Close(), s.keep.Close()); err != nil {
		s.t.Error(err)
	}
}

// errKilled stands for kill -9: it unwinds whatever was under way.
var errKilled = errors.New("killed")

func (s *sim) step(string) {
	if s.die > 0 {
		if s.die--; s.die == 0 {
			panic(errKilled)
		}
	}
}

// alive does some work; killed in it, it starts the program anew on what the machine had made durable and does it again.
func (s *sim) alive(work func(ctx context.Context) error) error {
	if s.world.chance(0) || s.rng.IntN(25) == 0 {
		s.die = 1 + s.rng.IntN(50)
	}
	killed, err := s.try(work)
	s.die = 0
	if !killed {
		return err
	}
	s.count.kills++
	if err := s.e.Close(); err != nil {
		return fmt.Errorf("after a kill: %w", err)
	}
	s.mem.Crash(disk.Seeded(s.rng.Uint64()))
	s.start()
	_, err = s.try(work)
	return err
}

func (s *sim) try(work func(ctx context.Context) error) (killed bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			if r != any(errKilled) {
				panic(r)
			}
			killed = true
		}
	}()
	return false, work(context.Background())
}

func (s *sim) log(format string, args ...any) {
	if s.verbose {
		s.t.Logf(s.now.Format("01-02 15:04 ")+format, args...)
	}
}

// receive lands one delivery.
func (s *sim) receive(f simFile) error {
	s.now = f.at
	s.count.files++
	if f.late {
		s.count.late++
	}
	s.log("%s brings %s", f.source, f.name)
	return s.alive(func(ctx context.Context) error { return s.land(ctx, f) })
}

func (s *sim) land(ctx context.Context, f simFile) error {
	if err := s.put(ctx, f); err != nil {
		return err
	}
	return s.e.Ingest(ctx)
}

func (s *sim) put(ctx context.Context, f simFile) error {
	d, err := s.e.Archive.Put(ctx, bytes.NewReader(f.data), fetch.Meta{Name: f.name, Size: int64(len(f.data))})
	if err != nil {
		return err
	}
	_, err = s.e.DB.RecordDelivery(ctx, store.Sighting{SHA256: d.SHA256, Size: d.Size, Source: f.source, Name: f.name, Modified: f.at, Received: f.at,
		Program: s.e.Program})
	return err
}

// run brings every date up to yesterday up to date, as the nightly command does.
func (s *sim) run(to txn.Date) error {
	s.count.commands++
	return s.alive(func(ctx context.Context) error {
		plan, err := s.e.Plan(ctx, Request{To: to, AsOf: s.now})
		if err != nil {
			return err
		}
		rs, err := s.e.Run(ctx, plan, s.now, nil)
		for _, r := range rs {
			s.count.computed++
			if r.Issued {
				s.count.issued++
			}
			needless, err := s.needless(ctx, r)
			if err != nil {
				return err
			}
			if needless {
				s.count.needless++
			}
			s.log("computed %s: %s %v; revision %d, issued %t, %s", r.Date, r.Reason, r.Detail, r.Run.Revision, r.Issued, r.Outcome.Verdict)
		}
		return err
	})
}

// needless reports whether the run knew exactly what the one before it knew.
func (s *sim) needless(ctx context.Context, r DayResult) (bool, error) {
	all, err := s.e.DB.RunHistory(ctx, r.Date)
	if err != nil || len(all) < 2 || r.Reason == ReasonUnissued {
		return false, err
	}
	was := all[len(all)-2]
	if was.CarryIn != r.Run.CarryIn || was.Inputs != r.Run.Inputs {
		return false, nil
	}
	a, err := s.e.DB.RunInputs(ctx, r.Date, was.N)
	if err != nil {
		return false, err
	}
	b, err := s.e.DB.RunInputs(ctx, r.Date, r.Run.N)
	return len(diffInputs(a, b)) == 0, err
}

// decide lets somebody say something about an open case.
func (s *sim) decide() error {
	ctx := context.Background()
	cases, err := s.e.DB.Cases(ctx, store.CaseFilter{})
	if err != nil || len(cases) == 0 {
		return err
	}
	c := cases[s.rng.IntN(len(cases))]
	statuses := reconcile.DecisionStatuses()
	v := Verdict{Case: c.ID, Status: statuses[s.rng.IntN(len(statuses))], Reason: "simulated", By: "sim"}
	if v.Status == reconcile.Waiting && s.rng.IntN(2) == 0 {
		v.Until = txn.DateOf(s.now.In(s.cfg.Location())) + txn.Date(1+s.rng.IntN(5))
	}
	ds, err := s.e.Decide(ctx, v)
	if errors.Is(err, ErrDecision) {
		return nil
	}
	if err == nil {
		s.count.decisions++
		s.log("decided %s %s (%s of %s): %s, from %s on", c.ID, c.Class, c.Status, c.LastSeen, v.Status, ds[0].EffectiveOn)
	}
	return err
}

// closeBooks closes or reopens, if it may be done.
func (s *sim) closeBooks(d int) error {
	ctx := context.Background()
	if s.rng.IntN(6) == 0 {
		closed, err := s.e.DB.ClosedThrough(ctx)
		if err != nil || closed == 0 {
			return err
		}
		from := closed - txn.Date(s.rng.IntN(3))
		if err := s.e.ReopenBooks(ctx, from, "sim", "simulated"); err != nil {
			return err
		}
		s.count.reopenings++
		s.closed = append(s.closed, simClosing{after: s.count.files, from: from})
		s.log("reopened from %s", from)
		return nil
	}
	through := s.world.first + txn.Date(d-2-s.rng.IntN(4))
	if through < s.world.first {
		return nil
	}
	if err := s.e.CloseBooks(ctx, through, "sim", "simulated"); err != nil {
		return nil // not everything is there yet
	}
	s.count.closings++
	s.closed = append(s.closed, simClosing{after: s.count.files, through: through})
	s.log("closed through %s", through)
	return nil
}

// play lets the month pass and compares.
func (s *sim) play() error {
	files := s.world.files
	for d := range s.world.days + 8 {
		for _, hour := range []int{2 + s.rng.IntN(6), 12, 13 + s.rng.IntN(10)} {
			now := s.world.clock(d+1, hour, 0)
			for len(files) > 0 && !files[0].at.After(now) {
				if err := s.receive(files[0]); err != nil {
					return err
				}
				files = files[1:]
			}
			if hour != 12 && s.rng.IntN(4) != 0 {
				continue
			}
			s.now = now
			if err := s.run(s.world.first + txn.Date(min(d, s.world.days-1))); err != nil {
				return err
			}
			if s.rng.IntN(4) == 0 {
				if err := s.decide(); err != nil {
					return err
				}
			}
			if s.rng.IntN(12) == 0 {
				if err := s.closeBooks(d); err != nil {
					return err
				}
			}
		}
	}
	for _, f := range files {
		if err := s.receive(f); err != nil {
			return err
		}
	}
	s.now = s.now.Add(24 * time.Hour)
	if err := s.run(s.world.first + txn.Date(s.world.days-1)); err != nil {
		return err
	}
	return s.compare()
}
