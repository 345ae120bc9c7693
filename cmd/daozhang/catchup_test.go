package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestCatchingUpGoesInStepsAndGoesOn(t *testing.T) {
	s := newServing(t, 4, `{cron: "30 10 * * *", catch_up_max: 1}`)
	for _, d := range []string{"2025-12-31", "2026-01-01", "2026-01-02", "2026-01-03"} {
		s.deliver(d)
	}
	s.wakeAt("2026-01-04 11:17")
	s.expect("first wake", "12-31 x1 r1 final")
	if !strings.Contains(s.out.String(), `msg="catching up" done=2025-12-31 dates_left=3`) {
		t.Errorf("what is left is not said:\n%s", s.out.String())
	}
	s.wakeAt("2026-01-04 11:18")
	s.start() // a restart goes on as well
	s.wakeAt("2026-01-04 11:19")
	s.expect("third wake", "12-31 x1 r1 final, 01-01 x1 r1 final, 01-02 x1 r1 final")
	s.wakeAt("2026-01-04 11:20")
	s.expect("fourth wake", "12-31 x1 r1 final, 01-01 x1 r1 final, 01-02 x1 r1 final, 01-03 x1 r1 final")
	s.out.Reset()
	s.wakeAt("2026-01-04 11:21")
	if s.out.Len() > 0 {
		t.Errorf("woke for nothing:\n%s", s.out.String())
	}
}

// The sources look back 7 days. After 11 nights down the oldest files lie before that.
func TestOnlyCatchingUpAllLooksForFilesOfEveryMissedDate(t *testing.T) {
	for _, c := range []struct {
		how   string
		found bool
	}{{"all", true}, {"last", false}} {
		t.Run(c.how, func(t *testing.T) {
			s := newServing(t, 12, `{cron: "30 10 * * *", catch_up: `+c.how+`}`)
			s.deliver("2025-12-31")
			s.wakeAt("2026-01-01 10:30")
			s.deliver("2026-01-01")
			s.out.Reset()
			s.start()
			s.wakeAt("2026-01-12 11:00")
			if found := strings.Contains(s.out.String(), "msg=landed"); found != c.found {
				t.Errorf("files of 1 January found: %v\n%s", found, s.out.String())
			}
			if got := strings.Count(s.runs(), " x1 "); got != 12 {
				t.Errorf("%d dates were run, want 12: a date is never left out", got)
			}
		})
	}
}

func TestWithoutCatchingUpTheNextFireBringsTheBooksUpToDate(t *testing.T) {
	s := newServing(t, 3, `{cron: "30 10 * * *", catch_up: none}`)
	s.at.Store(time.Date(2026, 1, 2, 11, 0, 0, 0, s.cfg.Location()).Unix())
	s.start()
	s.deliver("2025-12-31")
	s.deliver("2026-01-01")
	s.wakeAt("2026-01-02 11:01")
	s.expect("after the start", "")
	s.deliver("2026-01-02")
	s.wakeAt("2026-01-03 10:30")
	s.expect("next fire", "12-31 x1 r1 final, 01-01 x1 r1 final, 01-02 x1 r1 final")
}

func TestADateIsCompletedOnlyWhenAllItsSourcesWereLookedAt(t *testing.T) {
	s := newTill(t)
	completed := func() string {
		t.Helper()
		s.out.Reset()
		if code := s.command(t.Context(), "status", "--config", "config.yaml", "--json"); code != exitDone {
			t.Fatalf("exit code %d: %s", code, s.err.String())
		}
		_, rest, _ := strings.Cut(s.out.String(), `"completed": "`)
		date, _, _ := strings.Cut(rest, `"`)
		return date
	}
	if err := os.Rename(s.path("in/ums"), s.path("in/away")); err != nil {
		t.Fatal(err)
	}
	s.command(t.Context(), "run", "--config", "config.yaml")
	if got := completed(); got != "" {
		t.Errorf("completed through %s though a source could not be read", got)
	}
	if err := os.Rename(s.path("in/away"), s.path("in/ums")); err != nil {
		t.Fatal(err)
	}
	s.command(t.Context(), s.monday()...)
	if got := completed(); got != "" {
		t.Errorf("a run of one date completed %s", got)
	}
	if code := s.command(t.Context(), "run", "--config", "config.yaml"); code != exitDone {
		t.Fatalf("exit code %d: %s", code, s.err.String())
	}
	if got := completed(); got != "2026-01-05" {
		t.Errorf("completed through %q, want 2026-01-05", got)
	}
}
