package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// blow is one kill: at an occurrence of a step, or after a while.
type blow struct {
	step  string
	hit   int
	after time.Duration
}

func (b blow) String() string {
	if b.step != "" {
		return fmt.Sprintf("killed at %s, occurrence %d", b.step, b.hit)
	}
	return fmt.Sprintf("killed after %s", b.after.Round(time.Millisecond))
}

// soakTries bounds how often new instants are drawn where the process had ended before it was killed.
const soakTries = 20

// try is one case: a copy of what lay there, the kills, the same command again, and what is there then. With later the
// repetitions have a clock half an hour ahead.
func (s *soak) try(t *testing.T, group, name string, later bool, draw func() (*stage, []blow)) {
	t.Run(strings.ReplaceAll(name, "/", "-"), func(t *testing.T) {
		t.Parallel()
		kills, bad := 0, true
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			c := s.counts[group]
			if c == nil {
				c = &soakCount{}
				s.counts[group] = c
			}
			c.cases, c.kills = c.cases+1, c.kills+kills
			if bad || t.Failed() {
				c.bad++
			}
		}()
		for range soakTries {
			st, blows := draw()
			dir := s.copyOf(t, st.base, name)
			hit := s.strike(t, st, dir, blows, later)
			if hit < len(blows) && blows[hit].step != "" && len(blows) == 1 {
				t.Errorf("%s was not reached", blows[hit])
			}
			s.mended(t, st, dir, later && hit > 0, blows)
			if t.Failed() {
				t.Logf("%s, %v: see %s", st.name, blows, dir)
				return
			}
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			if hit == len(blows) {
				kills, bad = hit, false
				return
			}
		}
		t.Error("the process was always done before it could be killed")
	})
}

// strike starts the command once for each blow and reports how many found it alive.
func (s *soak) strike(t *testing.T, st *stage, dir string, blows []blow, later bool) (hit int) {
	t.Helper()
	kept := soakKept(t, dir)
	for i, b := range blows {
		at := st.now
		if i > 0 && later {
			at = st.after
		}
		var settings []string
		if b.step != "" {
			settings = append(settings, fmt.Sprintf("%s=%s=%d", killVar, b.step, b.hit))
		}
		c, err := soakStart(dir, at, st.args, settings...)
		if err != nil {
			t.Fatal(err)
		}
		if b.step == "" {
			timer := time.AfterFunc(b.after, func() { _ = c.Process.Kill() }) // it may have ended
			defer timer.Stop()
		}
		code, killed, err := c.ends()
		if err != nil {
			t.Fatal(err)
		}
		now := soakKept(t, dir)
		for name, sum := range kept {
			if now[name] != sum {
				t.Errorf("%s changed what had been issued: %s", b, name)
			}
		}
		kept = now
		if !killed {
			s.endedWell(t, st, code, c.out.String())
			return i
		}
	}
	return len(blows)
}

// endedWell accepts the exit code of the undisturbed command, or that nothing was left to do.
func (s *soak) endedWell(t *testing.T, st *stage, code int, out string) {
	t.Helper()
	again := st.args[0] == "decide" && code == exitUsage && strings.Contains(out, "is taken by another decision")
	if code != st.code && code != exitDone && !again {
		t.Errorf("%s: exit code %d, want %d:\n%s", strings.Join(st.args, " "), code, st.code, out)
	}
}

// mended gives the command again and compares.
func (s *soak) mended(t *testing.T, st *stage, dir string, later bool, blows []blow) {
	t.Helper()
	kept := soakKept(t, dir)
	at := st.now
	if later {
		at = st.after
	}
	code, out, _ := soakRun(t, dir, at, st.args)
	s.endedWell(t, st, code, out)
	now := soakKept(t, dir)
	for name, sum := range kept {
		if now[name] != sum {
			t.Errorf("the repetition changed what had been issued: %s", name)
		}
	}
	got, err := soakStateOf(dir, !later, later)
	if err != nil {
		t.Fatal(err)
	}
	var diff []string
	if later {
		if diff = got.laterDifferences(st.want, st.mixed, st.late); len(diff) > 0 {
			diff = got.laterDifferences(st.want, s.patchwork(t, st, dir))
		}
	} else {
		diff = st.want.differences(got)
	}
	if len(diff) > 0 {
		t.Errorf("%v, then the same command again: %s", blows, soakShow(diff))
	}
	if code, out := inProcess(dir, at, "verify"); code != exitDone {
		t.Errorf("verify: exit code %d: %s", code, out)
	}
	if st.args[0] != "run" || slices.Contains(st.args, "--date") {
		return
	}
	if code, out := inProcess(dir, at, "run", "--dry-run"); code != exitDone || !strings.Contains(out, "nothing to do") {
		t.Errorf("something is left to do: exit code %d: %s", code, out)
	}
}

// patchwork is what an undisturbed command makes of files of which some came before the first clock and the others before
// the later one, as they did in dir: a book says of each file when it came.
func (s *soak) patchwork(t *testing.T, st *stage, dir string) *soakState {
	t.Helper()
	db, err := soakOpen(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	names, err := soakQuery(db, "SELECT source, remote_name, received_at FROM delivery_names")
	if err != nil {
		t.Fatal(err)
	}
	own := s.copyOf(t, st.base, "patchwork")
	hidden := map[string]string{}
	for _, n := range names {
		at, err := time.Parse(time.RFC3339Nano, n["received_at"])
		if err != nil {
			t.Fatal(err)
		}
		if at.After(st.now) {
			path := filepath.Join(own, "in", n["source"], n["remote_name"])
			hidden[path] = filepath.Join(own, fmt.Sprint("hidden", len(hidden)))
			if err := os.Rename(path, hidden[path]); err != nil {
				t.Fatal(err)
			}
		}
	}
	soakFetch(t, own, st.now)
	for path, at := range hidden {
		if err := os.Rename(at, path); err != nil {
			t.Fatal(err)
		}
	}
	return s.undisturbed(t, st, own, st.after, "")
}
