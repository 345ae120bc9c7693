package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/pipeline"
)

// Settings of the soak; scripts/soak sets them.
const (
	soakVar     = "DAOZHANG_SOAK"      // full, or quick for a tenth of it; else a slice that belongs to the ordinary tests
	soakRowsVar = "DAOZHANG_SOAK_ROWS" // of the big day
	soakDirVar  = "DAOZHANG_SOAK_DIR"  // where the folders lie; those that failed stay
	soakSeedVar = "DAOZHANG_SOAK_SEED"
)

// soakOrdinary is the scenario of the ordinary tests: closed books, a late file, and every step.
const soakOrdinary = "7 file for a closed date"

// soakSize is how much of it is done.
type soakSize struct {
	rows           int
	random, double int
	everyScenario  bool // each step in each of them, else in one
	later          bool // also a later occurrence of each step
	every          int  // of the named steps, one in so many
	holds, races   int  // of the lock
	crowd          int  // processes beside the first,
	atOnce         bool // started together
}

func soakSizes() soakSize {
	s := soakSize{rows: 500, random: 5, double: 2, every: 1, holds: 3, races: 1, crowd: 7}
	switch os.Getenv(soakVar) {
	case "full":
		s = soakSize{rows: 20_000, random: 200, double: 50, everyScenario: true, later: true, every: 1, holds: 1 << 20, races: 20, crowd: 7, atOnce: true}
	case "quick":
		s = soakSize{rows: 20_000, random: 20, double: 5, everyScenario: true, later: true, every: 10, holds: 3, races: 2, crowd: 7, atOnce: true}
	}
	if n, err := strconv.Atoi(os.Getenv(soakRowsVar)); err == nil {
		s.rows = n
	}
	return s
}

// stage is a command that is killed: what lies there before it, and what an undisturbed one makes of it.
type stage struct {
	name       string
	act        soakAct
	args       []string
	base       string
	now, after time.Time      // the clock, and that of a later repetition
	steps      map[string]int // occurrences in an undisturbed command
	took       time.Duration
	code       int
	// What undisturbed commands make of it: at once, half an hour later, and half an hour after the files were fetched.
	want, late, mixed *soakState
}

// soak is the whole of it.
type soak struct {
	size soakSize
	dir  string
	seed uint64

	mu     sync.Mutex
	counts map[string]*soakCount
	folder int
	bases  []string
}

// soakCount is the bill of one group.
type soakCount struct{ cases, kills, bad int }

func newSoak(t *testing.T) *soak {
	t.Helper()
	s := &soak{size: soakSizes(), dir: os.Getenv(soakDirVar), seed: 7, counts: map[string]*soakCount{}}
	if s.dir == "" {
		s.dir = t.TempDir()
	} else if s.dir = filepath.Join(s.dir, t.Name()); os.MkdirAll(s.dir, 0o700) != nil {
		t.Fatalf("%s cannot be made", s.dir)
	}
	t.Cleanup(func() {
		for _, base := range s.bases {
			_ = os.RemoveAll(base)
		}
		_ = os.Remove(s.dir) // stays if a folder that failed is in it
	})
	if n, err := strconv.ParseUint(os.Getenv(soakSeedVar), 10, 64); err == nil {
		s.seed = n
	}
	return s
}

// TestSoak kills processes of the program at its named steps, at random instants, and again while the same command mends
// what was left: in the end everything must be as if nobody had. scripts/soak runs all of it.
func TestSoak(t *testing.T) {
	began := time.Now()
	s := newSoak(t)
	stages := s.stages(t)
	built := time.Since(began)
	t.Run("kill", func(t *testing.T) {
		s.everyStep(t, stages)
		s.randomInstants(t, stages)
		s.twice(t, stages)
	})
	for _, g := range slices.Sorted(maps.Keys(s.counts)) {
		c := s.counts[g]
		t.Logf("soak: %-40s %4d cases %4d kills %4d differences", g, c.cases, c.kills, c.bad)
	}
	t.Logf("soak: %d rows, seed %d, %d stages built in %s, all in %s", s.size.rows, s.seed, len(stages), built.Round(time.Second), time.Since(began).Round(time.Second))
}

// fresh is the name of a new folder.
func (s *soak) fresh(what string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.folder++
	return filepath.Join(s.dir, fmt.Sprintf("%04d-%s", s.folder, strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, what)))
}

// temporary has a folder removed at the end.
func (s *soak) temporary(dir string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bases = append(s.bases, dir)
}

// copyOf copies an installation with its times and modes.
func (s *soak) copyOf(t testing.TB, dir, what string) string {
	t.Helper()
	to := s.fresh(what)
	if out, err := exec.Command("cp", "-a", dir, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return to
}

// stages plays each scenario once and keeps what lies there before each command that will be killed.
func (s *soak) stages(t *testing.T) (out []*stage) {
	list := soakScenarios()
	if !s.size.everyScenario {
		list = slices.DeleteFunc(list, func(x soakScenario) bool { return x.name != soakOrdinary && !strings.HasPrefix(x.name, "12 ") })
	}
	all := make([][]*stage, len(list))
	t.Run("undisturbed", func(t *testing.T) {
		for i, x := range list {
			t.Run(x.name, func(t *testing.T) {
				t.Parallel()
				all[i] = s.build(t, x)
			})
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return slices.Concat(all...)
}

func (s *soak) build(t *testing.T, x soakScenario) (out []*stage) {
	shop := &soakShop{dir: s.fresh(x.name), rows: s.size.rows, big: soakDay(x.big)}
	shop.open(t)
	s.temporary(shop.dir)
	for _, a := range x.acts {
		if a.files != nil {
			a.files(t, shop)
		}
		st := &stage{name: a.kill, act: a, args: soakArgs(t, shop.dir, a.args)}
		var err error
		if st.now, err = time.Parse(time.RFC3339, soakDay(a.day).String()+"T"+a.clock+":00+08:00"); err != nil {
			t.Fatal(err)
		}
		st.after = st.now.Add(30 * time.Minute)
		if a.kill != "" {
			st.base = s.copyOf(t, shop.dir, "base "+a.kill)
			s.temporary(st.base)
			st.late = s.undisturbed(t, st, s.copyOf(t, st.base, "later"), st.after, "")
			dir := s.copyOf(t, st.base, "fetched")
			soakFetch(t, dir, st.now)
			st.mixed = s.undisturbed(t, st, dir, st.after, "")
		}
		before := soakKept(t, shop.dir)
		log := shop.dir + ".steps"
		st.want = s.undisturbed(t, st, shop.dir, st.now, log)
		if issued := soakIssued(before, soakKept(t, shop.dir)); a.kill != "" && issued != a.issued || a.issued != "" && issued != a.issued {
			t.Fatalf("%s: issued %q, want %q", strings.Join(st.args, " "), issued, a.issued)
		}
		if a.kill != "" {
			st.steps = soakSteps(t, log)
			out = append(out, st)
		}
		_ = os.Remove(log) // commands without a step have none
	}
	return out
}

// undisturbed runs the command of a stage without a kill. Only copies are removed again.
func (s *soak) undisturbed(t *testing.T, st *stage, dir string, at time.Time, log string) *soakState {
	t.Helper()
	settings := []string{}
	if log != "" {
		settings = append(settings, logVar+"="+log)
	} else {
		defer os.RemoveAll(dir)
	}
	code, out, took := soakRun(t, dir, at, st.args, settings...)
	if code != exitDone && code != exitPartial {
		t.Fatalf("%s: exit code %d: %s", strings.Join(st.args, " "), code, out)
	}
	if log != "" { // the one of which the others are copies
		st.code, st.took = code, took
	}
	if st.name == "" {
		return nil
	}
	state, err := soakStateOf(dir, true, true)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// soakFetch lets the files arrive, and no more.
func soakFetch(t *testing.T, dir string, at time.Time) {
	t.Helper()
	cfg, err := config.Load(filepath.Join(dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	a := &app{now: func() time.Time { return at }, sleep: sleep, env: func(string) string { return "" }}
	e, err := pipeline.Open(t.Context(), cfg, a.engine(nil), false)
	if err != nil {
		t.Fatal(err)
	}
	yesterday := a.yesterday(cfg.Location())
	_, err = e.Fetch(t.Context(), yesterday, yesterday+1)
	if err := errors.Join(err, e.Close()); err != nil {
		t.Fatal(err)
	}
}

// soakArgs puts in the ids of cases.
func soakArgs(t *testing.T, dir string, args []string) []string {
	t.Helper()
	out := slices.Clone(args)
	for i, a := range out {
		f := strings.Fields(a)
		if len(f) != 3 || f[0] != "case" {
			continue
		}
		book := filepath.Join(dir, "reports", f[2], "latest", "exceptions.csv")
		data, err := os.ReadFile(book)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range strings.Split(string(data), "\n") {
			if c := strings.Split(l, ","); len(c) > 2 && c[2] == f[1] {
				out[i] = c[0]
				break
			}
		}
		if out[i] == a {
			t.Fatalf("%s has no case of class %s:\n%s", book, f[1], data)
		}
	}
	return out
}

func soakIssued(before, after map[string]string) string {
	var out []string
	for name := range after {
		if _, had := before[name]; !had {
			f := strings.Split(filepath.ToSlash(name), "/")
			out = append(out, f[1][5:]+"/"+f[2])
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " ")
}

func soakSteps(t *testing.T, log string) map[string]int {
	t.Helper()
	out := map[string]int{}
	data, err := os.ReadFile(log)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, l := range strings.Split(string(data), "\n") {
		if _, name, ok := strings.Cut(l, " "); ok {
			out[name]++
		}
	}
	return out
}

// everyStep kills at the first and at a later occurrence of every step that the command passes.
func (s *soak) everyStep(t *testing.T, stages []*stage) {
	reached, n := map[string]bool{}, 0
	for _, st := range stages {
		for step := range st.steps {
			reached[step] = true
		}
		if !s.size.everyScenario && !strings.HasPrefix(soakOrdinary, strings.Fields(st.name)[0]+" ") {
			continue
		}
		for _, step := range slices.Sorted(maps.Keys(st.steps)) {
			hits := []int{1}
			if later := st.steps[step]/2 + 1; s.size.later && later > 1 {
				hits = append(hits, later)
			}
			for _, hit := range hits {
				if n++; n%s.size.every != 0 {
					continue
				}
				later := n/s.size.every%2 == 0
				s.try(t, "steps of "+st.name, fmt.Sprintf("%s at %s, occurrence %d", st.name, step, hit), later, func() (*stage, []blow) {
					return st, []blow{{step: step, hit: hit}}
				})
			}
		}
	}
	for _, step := range pipeline.Steps() {
		if !reached[step] {
			t.Errorf("no command passes the step %s", step)
		}
	}
}

// randomInstants kills after random times.
func (s *soak) randomInstants(t *testing.T, stages []*stage) {
	for i := range s.size.random {
		rnd := rand.New(rand.NewPCG(s.seed, uint64(i)))
		s.try(t, "random instants", fmt.Sprintf("random %d", i), i%2 == 1, func() (*stage, []blow) {
			st := stages[i%len(stages)]
			return st, []blow{{after: st.instant(rnd)}}
		})
	}
}

// twice kills again while the same command mends what the first kill left.
func (s *soak) twice(t *testing.T, stages []*stage) {
	stages = slices.DeleteFunc(slices.Clone(stages), func(st *stage) bool { return st.act.blind })
	for i := range s.size.double {
		rnd := rand.New(rand.NewPCG(s.seed, uint64(i)+1<<32))
		s.try(t, "double", fmt.Sprintf("double %d", i), i%2 == 1, func() (*stage, []blow) {
			st := stages[i%len(stages)]
			blows := []blow{st.random(rnd), {after: st.instant(rnd)}}
			if rnd.IntN(2) == 0 {
				blows[1] = st.random(rnd)
			}
			return st, blows
		})
	}
}

func (st *stage) instant(rnd *rand.Rand) time.Duration {
	return time.Duration(rnd.Float64() * float64(st.took))
}

// random is a named step of the command.
func (st *stage) random(rnd *rand.Rand) blow {
	steps := slices.Sorted(maps.Keys(st.steps))
	step := steps[rnd.IntN(len(steps))]
	return blow{step: step, hit: 1 + rnd.IntN(st.steps[step])}
}

// inProcess runs a command that only reads in this process.
func inProcess(dir string, at time.Time, args ...string) (code int, out string) {
	var w bytes.Buffer
	a := &app{out: &w, err: &w, now: func() time.Time { return at }, sleep: sleep, env: func(string) string { return "" }}
	code = a.run(context.Background(), append(args, "--config", filepath.Join(dir, "config.yaml")))
	return code, w.String()
}
