package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"daozhang/cmd/internal/config"
)

// jump sets the clock of a loop forward or back when it reaches an instant.
type jump struct {
	at string
	by time.Duration
}

// looped is what the service's own loop did with a clock that only the loop's sleeping moves.
type looped struct {
	fires []string // each work by schedule: its fire
	late  []string // fires that were noticed a minute or more after they came, but for jumps
	wakes int
}

// loop lets the real service loop run from one instant to another. Work is replaced by a note of the fire.
func loop(t *testing.T, s *service, from, to string, jumps ...jump) looped {
	t.Helper()
	var out looped
	var clock atomic.Int64
	clock.Store(when(t, from).UnixNano())
	end := when(t, to)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.a.now = func() time.Time { return time.Unix(0, clock.Load()) }
	s.do = func(_ context.Context, now, fire time.Time, due bool) (bool, error) {
		if due {
			out.fires = append(out.fires, fire.Format(time.RFC3339))
			if now.Sub(fire) >= time.Minute {
				out.late = append(out.late, fire.Format(time.RFC3339))
			}
		}
		return false, nil
	}
	s.a.sleep = func(sctx context.Context, d time.Duration) error {
		if ctx.Err() != nil { // the grace
			return sleep(sctx, d)
		}
		if d <= 0 || d > time.Minute {
			t.Errorf("a timer of %s", d)
			cancel()
		}
		s.jobs.Wait() // the clock stands still while work is under way
		out.wakes++
		now := clock.Add(int64(d))
		for i := len(jumps) - 1; i >= 0; i-- {
			if now >= when(t, jumps[i].at).UnixNano() {
				now = clock.Add(int64(jumps[i].by))
				jumps = slices.Delete(jumps, i, i+1)
			}
		}
		if len(jumps) == 0 && now >= end.UnixNano() {
			cancel()
		}
		return nil
	}
	if code := exitCode(s.serve(ctx)); code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
	return out
}

// The first fire of each is the one that was missed before the service started.
func TestTheLoopFiresOnceADayThroughChangesOfTheClock(t *testing.T) {
	for _, c := range []struct {
		name, zone, spec, from, to string
		want                       string
	}{
		{"New York, 02:30 does not exist", "America/New_York", "30 2 * * *", "2026-03-07T12:00:00-05:00", "2026-03-09T12:00:00-04:00",
			"2026-03-07T02:30:00-05:00 2026-03-08T03:00:00-04:00 2026-03-09T02:30:00-04:00"},
		{"New York, 01:30 comes twice", "America/New_York", "30 1 * * *", "2026-10-31T12:00:00-04:00", "2026-11-02T12:00:00-05:00",
			"2026-10-31T01:30:00-04:00 2026-11-01T01:30:00-04:00 2026-11-02T01:30:00-05:00"},
		{"London, 01:30 does not exist", "Europe/London", "30 1 * * *", "2026-03-28T12:00:00Z", "2026-03-30T12:00:00+01:00",
			"2026-03-28T01:30:00Z 2026-03-29T02:00:00+01:00 2026-03-30T01:30:00+01:00"},
		{"London, 01:30 comes twice", "Europe/London", "30 1 * * *", "2026-10-24T12:00:00+01:00", "2026-10-26T12:00:00Z",
			"2026-10-24T01:30:00+01:00 2026-10-25T01:30:00+01:00 2026-10-26T01:30:00Z"},
		{"Sydney, 02:30 does not exist", "Australia/Sydney", "30 2 * * *", "2026-10-03T12:00:00+10:00", "2026-10-05T12:00:00+11:00",
			"2026-10-03T02:30:00+10:00 2026-10-04T03:00:00+11:00 2026-10-05T02:30:00+11:00"},
		{"Sydney, 02:30 comes twice", "Australia/Sydney", "30 2 * * *", "2026-04-04T12:00:00+11:00", "2026-04-06T12:00:00+10:00",
			"2026-04-04T02:30:00+11:00 2026-04-05T02:30:00+11:00 2026-04-06T02:30:00+10:00"},
		{"Shanghai has no changes", "Asia/Shanghai", "30 2 * * *", "2026-03-07T12:00:00+08:00", "2026-03-09T12:00:00+08:00",
			"2026-03-07T02:30:00+08:00 2026-03-08T02:30:00+08:00 2026-03-09T02:30:00+08:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := loop(t, clockOf(t, c.zone, c.spec), c.from, c.to)
			if fires := strings.Join(got.fires, " "); fires != c.want {
				t.Errorf("fires\n%s, want\n%s", fires, c.want)
			}
			if len(got.late) > 1 { // the one before the start is late by nature
				t.Errorf("noticed late: %v", got.late)
			}
			if days := int(when(t, c.to).Sub(when(t, c.from)) / time.Minute); got.wakes != days {
				t.Errorf("%d wakes in %d minutes", got.wakes, days)
			}
		})
	}
}

func TestTheLoopSurvivesJumpsOfTheClock(t *testing.T) {
	day := func(days ...int) string {
		var out []string
		for _, d := range days {
			out = append(out, fmt.Sprintf("2026-01-%02dT10:30:00+08:00", d))
		}
		return strings.Join(out, " ")
	}
	const from, to = "2026-01-05T12:00:00+08:00", "2026-01-09T12:00:00+08:00"
	for _, c := range []struct {
		name  string
		jumps []jump
		want  string
	}{
		{"no jump", nil, day(5, 6, 7, 8, 9)},
		{"three hours ahead over the fire", []jump{{"2026-01-06T09:00:00+08:00", 3 * time.Hour}}, day(5, 6, 7, 8, 9)},
		{"three hours ahead, not over a fire", []jump{{"2026-01-06T15:00:00+08:00", 3 * time.Hour}}, day(5, 6, 7, 8, 9)},
		// A fire that comes again is worked again: it finds nothing to do.
		{"three hours back over the fire", []jump{{"2026-01-06T11:00:00+08:00", -3 * time.Hour}}, day(5, 6, 6, 7, 8, 9)},
		{"three hours back, not over a fire", []jump{{"2026-01-06T18:00:00+08:00", -3 * time.Hour}}, day(5, 6, 7, 8, 9)},
		// One run for the newest fire; the dates before it are in its backlog.
		{"two days ahead", []jump{{"2026-01-06T11:00:00+08:00", 48 * time.Hour}}, day(5, 6, 8, 9)},
		{"two days back", []jump{{"2026-01-07T11:00:00+08:00", -48 * time.Hour}}, day(5, 6, 7, 6, 7, 8, 9)},
		{"two days ahead by mistake and back after an hour", []jump{{"2026-01-06T11:00:00+08:00", 48 * time.Hour}, {"2026-01-08T12:00:00+08:00", -48 * time.Hour}},
			day(5, 6, 8, 7, 8, 9)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := loop(t, clockOf(t, "Asia/Shanghai", "30 10 * * *"), from, to, c.jumps...)
			if fires := strings.Join(got.fires, " "); fires != c.want {
				t.Errorf("fires\n%s, want\n%s", fires, c.want)
			}
		})
	}
}

func TestWhatWasMissedBeforeTheStartIsCaughtUpAsConfigured(t *testing.T) {
	for _, c := range []struct {
		how  config.CatchUp
		want string
	}{
		{config.CatchUpAll, "2026-01-05T10:30:00+08:00 2026-01-06T10:30:00+08:00"},
		{config.CatchUpLast, "2026-01-05T10:30:00+08:00 2026-01-06T10:30:00+08:00"},
		{config.CatchUpNone, "2026-01-06T10:30:00+08:00"},
	} {
		cfg := clockOf(t, "Asia/Shanghai", "30 10 * * *").cfg
		cfg.Schedule.CatchUp = c.how
		a := &app{err: &bytes.Buffer{}, now: func() time.Time { return when(t, "2026-01-05T12:00:00+08:00") }}
		s, err := newService(a, cfg, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(loop(t, s, "2026-01-05T12:00:00+08:00", "2026-01-06T12:00:00+08:00").fires, " "); got != c.want {
			t.Errorf("catch_up %s: fires %s, want %s", c.how, got, c.want)
		}
	}
}

func TestTheNextFiresAreShownOnceEach(t *testing.T) {
	var got []string
	s := clockOf(t, "America/New_York", "30 1,2 * * *")
	for _, f := range s.nextFires(when(t, "2026-03-07T12:00:00-05:00"), fires) {
		got = append(got, f.Format("01-02 15:04 MST"))
	}
	if want := "03-08 01:30 EST, 03-08 03:00 EDT, 03-09 01:30 EDT, 03-09 02:30 EDT, 03-10 01:30 EDT"; strings.Join(got, ", ") != want {
		t.Errorf("got %s\nwant %s", strings.Join(got, ", "), want)
	}
}
