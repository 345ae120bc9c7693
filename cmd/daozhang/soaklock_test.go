package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSoakLock lets eight processes want the same date. One is held at a step until the others were turned away; then
// they race without anybody being held.
func TestSoakLock(t *testing.T) {
	s := newSoak(t)
	var st *stage
	for _, x := range soakScenarios() {
		if strings.HasPrefix(x.name, "3 ") { // a cascade of four days
			t.Run("undisturbed", func(t *testing.T) { st = s.build(t, x)[0] })
		}
	}
	if st == nil {
		t.FailNow()
	}
	began := time.Now()
	steps := slices.Sorted(maps.Keys(st.steps))
	if s.size.holds < len(steps) {
		// In the middle of the transaction, in the publication, and in the archive: the same in every run.
		steps = []string{"commit:before", "publish:file-written", "part-written"}[:s.size.holds]
	}
	held, slowest := 0, time.Duration(0)
	for _, step := range steps {
		t.Run("held at "+step, func(t *testing.T) {
			slowest = max(slowest, s.held(t, st, step))
			held++
		})
	}
	raced, turned, late := 0, 0, 0
	for i := range s.size.races {
		t.Run(fmt.Sprintf("race %d", i), func(t *testing.T) {
			away, after := s.race(t, st)
			raced, turned, late = raced+1, turned+away, late+after
		})
	}
	t.Logf("soak: lock: held at %d steps, %d processes turned away, the slowest after %s", held, held*s.size.crowd, slowest.Round(time.Millisecond))
	t.Logf("soak: lock: %d races of %d processes: %d turned away, %d came when all was done", raced, s.size.crowd+1, turned, late)
	t.Logf("soak: lock: all in %s", time.Since(began).Round(time.Second))
}

// held stops the first process at a step until all others have ended, and returns the longest that one of them took.
func (s *soak) held(t *testing.T, st *stage, step string) (slowest time.Duration) {
	dir := s.copyOf(t, st.base, "held "+step)
	gate := dir + ".gate"
	first, err := soakStart(dir, st.now, st.args, gateVar+"="+step+"="+gate)
	if err != nil {
		t.Fatal(err)
	}
	defer first.stop()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(gate + ".held"); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the first process never came to %s", step)
		}
	}
	groups, together := s.size.crowd, 1 // one after the other: the ordinary tests share the machine with many others
	if s.size.atOnce {
		groups, together = 1, s.size.crowd
	}
	for range groups {
		for _, c := range s.crowd(t, st, dir, together) {
			code, _, err := c.ends()
			if err != nil || code != exitLocked || c.took > time.Second {
				t.Errorf("%v, exit code %d after %s, want %d within a second:\n%s", err, code, c.took, exitLocked, c.out.String())
			}
			slowest = max(slowest, c.took)
		}
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code, killed, err := first.ends()
	if err != nil || killed || code != st.code {
		t.Errorf("the first ended with %d (%v), want %d:\n%s", code, err, st.code, first.out.String())
	}
	s.same(t, st, dir)
	_ = os.Remove(gate)
	_ = os.Remove(gate + ".held")
	return slowest
}

// crowd starts processes at once.
func (s *soak) crowd(t *testing.T, st *stage, dir string, n int, settings ...string) (out []*soakChild) {
	t.Helper()
	for range n {
		c, err := soakStart(dir, st.now, st.args, settings...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.stop)
		out = append(out, c)
	}
	return out
}

// race starts all processes at once. Their common log of steps says who was at work when: never two. It returns how many
// were turned away, and how many came when everything was done.
func (s *soak) race(t *testing.T, st *stage) (away, after int) {
	dir := s.copyOf(t, st.base, "race")
	log := dir + ".steps"
	all := s.crowd(t, st, dir, s.size.crowd+1, logVar+"="+log)
	did := 0
	for _, c := range all {
		code, killed, err := c.ends()
		switch {
		case err != nil || killed:
			t.Errorf("%v\n%s", err, c.out.String())
		case code == exitLocked:
			away++
		case code == exitDone && strings.Contains(c.out.String(), "nothing to do"):
			after++
		case code == st.code:
			did++
		default:
			t.Errorf("exit code %d:\n%s", code, c.out.String())
		}
	}
	if did != 1 {
		t.Errorf("%d processes did the work", did)
	}
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	last, gone := "", map[string]bool{}
	for i, l := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		pid, step, _ := strings.Cut(l, " ")
		if gone[pid] {
			t.Fatalf("line %d of %s: %s is at %s while %s is at work", i+1, log, pid, step, last)
		}
		if pid != last && last != "" {
			gone[last] = true
		}
		last = pid
	}
	s.same(t, st, dir)
	_ = os.Remove(log)
	return away, after
}

// same compares with the undisturbed state, and removes the folder where it is.
func (s *soak) same(t *testing.T, st *stage, dir string) {
	t.Helper()
	got, err := soakStateOf(dir, true, false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := st.want.differences(got); len(diff) > 0 {
		t.Errorf("see %s: %s", dir, soakShow(diff))
	}
	if !t.Failed() {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
}
