package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/robfig/cron/v3"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/pipeline"
	"daozhang/cmd/internal/store"
	"daozhang/fixtures"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// serving is a service over a small generated chain, with a clock that the test sets.
type serving struct {
	*service
	t    *testing.T
	dir  string
	w    *fixtures.World
	at   atomic.Int64 // the clock; the lease reads it from another goroutine
	out  bytes.Buffer
	job  cron.Job
	fail func(string, *reconcile.Day)
}

func newServing(t *testing.T, days txn.Date, schedule string) *serving {
	t.Helper()
	first := txn.MakeDate(2025, time.December, 31)
	w, err := fixtures.Generate(fixtures.Options{Seed: 3, Scale: 0.01, From: first, To: first + days - 1, Faults: []string{}, NoTraps: true})
	if err != nil {
		t.Fatal(err)
	}
	s := &serving{t: t, dir: t.TempDir(), w: w}
	if err := w.WriteSetup(s.dir, fixtures.Place{Inbox: "inbox"}); err != nil {
		t.Fatal(err)
	}
	for _, src := range fixtures.Sources() {
		if err := os.MkdirAll(filepath.Join(s.dir, "inbox", src), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(s.dir, "config.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(schedule, "{") {
		schedule = `{cron: "` + schedule + `"}`
	}
	if err := os.WriteFile(path, append(text, "schedule: "+schedule+"\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	s.start()
	return s
}

// start makes a new service, as after a restart.
func (s *serving) start() {
	s.t.Helper()
	a := &app{out: &s.out, err: &s.out, now: func() time.Time { return time.Unix(s.at.Load(), 0) }, env: func(string) string { return "" },
		sleep: func(context.Context, time.Duration) error { return nil },
		fault: func(stage string, d *reconcile.Day) {
			if s.fail != nil {
				s.fail(stage, d)
			}
		}}
	cfg, err := config.Load(filepath.Join(s.dir, "config.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	if s.service, err = newService(a, cfg, false); err != nil {
		s.t.Fatal(err)
	}
	s.job = chain(s.log, cron.FuncJob(func() { s.wake(s.t.Context()) }))
}

// wakeAt lets the service wake at a local time.
func (s *serving) wakeAt(local string) {
	s.t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", local, s.cfg.Location())
	if err != nil {
		s.t.Fatal(err)
	}
	s.at.Store(at.Unix())
	s.job.Run()
}

// deliver puts the files about a date into the inbox, but for those of the sources named.
func (s *serving) deliver(date string, except ...string) {
	s.put(date, func(src string) bool { return !strings.Contains(strings.Join(except, " "), src) })
}

func (s *serving) put(date string, want func(source string) bool) {
	s.t.Helper()
	d, err := txn.ParseDate(date)
	if err != nil {
		s.t.Fatal(err)
	}
	files, err := s.w.Day(d)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range files {
		if want(f.Source) {
			path := filepath.Join(s.dir, "inbox", f.Source, f.Name)
			if err := errors.Join(os.WriteFile(path, f.Bytes, 0o644), os.Chtimes(path, f.AvailableAt, f.AvailableAt)); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// runs lists all runs ever made: date, how many of it, revision, P for preliminary.
func (s *serving) runs() string {
	s.t.Helper()
	e, err := pipeline.Open(s.t.Context(), s.cfg, pipeline.Engine{Now: s.a.now}, true)
	if errors.Is(err, store.ErrNotInitialised) {
		return ""
	}
	if err != nil {
		s.t.Fatal(err)
	}
	defer e.Close()
	rs, err := e.DB.Runs(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, r := range rs {
		hist, err := e.DB.RunHistory(s.t.Context(), r.Date)
		if err != nil {
			s.t.Fatal(err)
		}
		state := "final"
		if !r.Final {
			state = "prelim"
		}
		out = append(out, r.Date.String()[5:]+" x"+string('0'+rune(len(hist)))+" r"+string('0'+rune(r.Revision))+" "+state)
	}
	return strings.Join(out, ", ")
}

func (s *serving) expect(when, want string) {
	s.t.Helper()
	if got := s.runs(); got != want {
		s.t.Fatalf("%s: runs are\n%q, want\n%q\nlog:\n%s", when, got, want, s.out.String())
	}
}

func TestServiceRunsAtTheFireAndNotBefore(t *testing.T) {
	s := newServing(t, 2, "30 10 * * *")
	s.deliver("2025-12-31")
	s.wakeAt("2025-12-31 10:29") // catches up to 29 December, which lies before go_live
	s.wakeAt("2026-01-01 10:29")
	before := s.runs()
	if strings.Contains(before, "12-31") {
		t.Fatalf("ran before the fire: %s", before)
	}
	s.wakeAt("2026-01-01 10:31")
	if got := s.runs(); !strings.Contains(got, "12-31 x1 r1 final") {
		t.Fatalf("runs: %q\n%s", got, s.out.String())
	}
	if !strings.Contains(s.out.String(), "as_of=2026-01-01T10:30:00+08:00") {
		t.Errorf("as_of is not the time of the fire:\n%s", s.out.String())
	}
}

func TestMissedDatesAreCaughtUpOldestFirstAfterDowntime(t *testing.T) {
	s := newServing(t, 4, "30 10 * * *")
	s.deliver("2025-12-31")
	s.wakeAt("2026-01-01 10:30")
	s.expect("first night", "12-31 x1 r1 final")
	for _, d := range []string{"2026-01-01", "2026-01-02", "2026-01-03"} {
		s.deliver(d)
	}
	s.out.Reset()
	s.start()
	s.wakeAt("2026-01-04 11:17")
	s.expect("after three nights down", "12-31 x1 r1 final, 01-01 x1 r1 final, 01-02 x1 r1 final, 01-03 x1 r1 final")
	text := s.out.String()
	a, b, c := strings.Index(text, "date=2026-01-01"), strings.Index(text, "date=2026-01-02"), strings.Index(text, "date=2026-01-03")
	if a < 0 || b < a || c < b {
		t.Errorf("not oldest first:\n%s", text)
	}
	s.wakeAt("2026-01-04 11:18")
	s.start() // a restart looks again and finds nothing to do
	s.wakeAt("2026-01-04 11:30")
	s.expect("restart", "12-31 x1 r1 final, 01-01 x1 r1 final, 01-02 x1 r1 final, 01-03 x1 r1 final")
}

func TestAClockThatJumpsDoesNoHarm(t *testing.T) {
	s := newServing(t, 3, "30 10 * * *")
	s.deliver("2025-12-31")
	s.wakeAt("2026-01-01 10:30")
	for _, back := range []string{"2026-01-01 07:30", "2025-12-30 10:31", "2026-01-01 10:31"} {
		s.wakeAt(back)
		s.expect("clock at "+back, "12-31 x1 r1 final")
	}
	s.deliver("2026-01-01")
	s.deliver("2026-01-02")
	s.wakeAt("2026-01-03 13:30")
	s.expect("two days ahead", "12-31 x1 r1 final, 01-01 x1 r1 final, 01-02 x1 r1 final")
}

func TestAnAwaitedFileThatArrivesIssuesRevision2(t *testing.T) {
	s := newServing(t, 1, "0 9 * * *") // before the bills are due at 09:00 and 10:00
	s.deliver("2025-12-31", "wechat", "chinaums")
	s.wakeAt("2026-01-01 09:00")
	s.expect("at nine", "12-31 x1 r1 prelim")
	s.wakeAt("2026-01-01 09:14")
	if n := strings.Count(s.out.String(), "why=look"); n != 0 {
		t.Fatalf("looked within a quarter of an hour:\n%s", s.out.String())
	}
	s.wakeAt("2026-01-01 09:15")
	s.expect("nothing came", "12-31 x1 r1 prelim")
	s.put("2025-12-31", func(src string) bool { return src == "wechat" })
	s.wakeAt("2026-01-01 09:30")
	s.expect("a bill came", "12-31 x2 r2 prelim")
	if text := s.out.String(); !strings.Contains(text, `msg="late file" date=2025-12-31 source=wechat`) || !strings.Contains(text, " came\"") {
		t.Errorf("the file that triggered the date is not named:\n%s", text)
	}
	s.wakeAt("2026-01-01 09:45")
	s.expect("nothing new", "12-31 x2 r2 prelim")
	s.wakeAt("2026-01-01 10:03") // the last deadline
	s.expect("final", "12-31 x3 r3 final")
	if !strings.Contains(s.out.String(), "why=look from=2025-12-31 to=2025-12-31 as_of=2026-01-01T10:00:00+08:00") {
		t.Errorf("the final book's as_of is not the deadline:\n%s", s.out.String())
	}
	looks := strings.Count(s.out.String(), "why=look")
	s.wakeAt("2026-01-01 11:00")
	if n := strings.Count(s.out.String(), "why=look"); n != looks {
		t.Errorf("looked after the last deadline:\n%s", s.out.String())
	}
}

func TestTheLogNamesALateFileAndTheBooksThatItChanges(t *testing.T) {
	s := newServing(t, 3, "30 10 * * *")
	s.deliver("2025-12-31", "wechat")
	s.wakeAt("2026-01-01 10:30")
	s.deliver("2026-01-01")
	s.wakeAt("2026-01-02 10:30")
	s.deliver("2026-01-02")
	s.put("2025-12-31", func(src string) bool { return src == "wechat" })
	s.out.Reset()
	s.wakeAt("2026-01-03 10:30")
	text := s.out.String()
	for _, want := range []string{`msg="late file" date=2025-12-31 source=wechat`, "came late\"", `msg=changed date=2025-12-31 why="its inputs changed: wechat came late" former_revision=1 revision=2`} {
		if !strings.Contains(text, want) {
			t.Errorf("the log does not say %s", want)
		}
	}
	if strings.Contains(text, `msg="late file" date=2026-01-02`) || t.Failed() {
		t.Errorf("log:\n%s", text)
	}
}

func TestAJobThatPanicsOnItsFirstFireRunsOnTheSecond(t *testing.T) {
	s := newServing(t, 1, "30 10 * * *")
	s.deliver("2025-12-31")
	panics := 0
	s.fail = func(string, *reconcile.Day) {
		if panics++; panics == 1 {
			panic("boom")
		}
	}
	s.wakeAt("2026-01-01 10:30")
	if panics != 1 || !strings.Contains(s.out.String(), "boom") {
		t.Fatalf("no panic, or it was not logged:\n%s", s.out.String())
	}
	s.wakeAt("2026-01-01 10:31") // not at once again
	s.expect("after the panic", "")
	s.wakeAt("2026-01-01 10:45")
	s.expect("second try", "12-31 x1 r1 final")
}

func TestAClockThatRanAheadAndWasSetBackLosesNoDay(t *testing.T) {
	s := newServing(t, 3, "30 10 * * *")
	s.deliver("2025-12-31")
	s.wakeAt("2026-01-01 10:30")
	s.wakeAt("2026-01-03 10:31") // two days too early: nothing of the 1st and the 2nd can be there
	s.expect("ahead", "12-31 x1 r1 final, 01-01 x1 r1 final, 01-02 x1 r1 final")
	s.wakeAt("2026-01-01 10:35")
	if !strings.Contains(s.out.String(), `msg="the clock was set back"`) {
		t.Errorf("not said:\n%s", s.out.String())
	}
	s.deliver("2026-01-01")
	s.wakeAt("2026-01-02 10:29")
	s.expect("before the fire", "12-31 x1 r1 final, 01-01 x1 r1 final, 01-02 x1 r1 final")
	s.wakeAt("2026-01-02 10:30")
	if got := s.runs(); !strings.Contains(got, "01-01 x2 r2 final") {
		t.Errorf("after the true fire: %s\n%s", got, s.out.String())
	}
}

func TestASecondRunWaitsForTheLease(t *testing.T) {
	s := newServing(t, 1, "30 10 * * *")
	s.deliver("2025-12-31")
	s.at.Store(time.Date(2026, 1, 1, 10, 0, 0, 0, s.cfg.Location()).Unix())
	e, err := pipeline.Open(t.Context(), s.cfg, pipeline.Engine{Now: s.a.now}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	release, err := s.a.lease(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	s.wakeAt("2026-01-01 10:30")
	s.wakeAt("2026-01-01 10:31")
	if n := strings.Count(s.out.String(), "msg=waiting"); n != 1 {
		t.Errorf("%d lines about waiting, want 1:\n%s", n, s.out.String())
	}
	release()
	s.wakeAt("2026-01-01 10:32")
	s.expect("lease free", "12-31 x1 r1 final")
}

func TestSignalEndsTheServiceWithItsOwnCode(t *testing.T) {
	s := newServing(t, 1, "30 10 * * *")
	ctx, cancel := context.WithCancel(t.Context())
	s.at.Store(time.Date(2025, 12, 31, 9, 0, 30, 0, s.cfg.Location()).Unix())
	var naps atomic.Int64
	s.a.sleep = func(sctx context.Context, d time.Duration) error {
		switch n := naps.Add(1); {
		case ctx.Err() != nil: // the grace: until the run under way has ended
			return sleep(sctx, d)
		case n == 3:
			cancel()
		}
		if d > time.Minute || d <= 0 {
			t.Errorf("a timer of %s", d)
		}
		s.at.Add(int64(d / time.Second))
		return nil
	}
	if code := exitCode(s.serve(ctx)); code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
	if text := s.out.String(); !strings.Contains(text, "msg=stopped") || strings.Contains(text, "safe point") {
		t.Errorf("log:\n%s", text)
	}
}

func TestServeWithoutScheduleIsAUsageError(t *testing.T) {
	_, err := newService(&app{err: &bytes.Buffer{}, now: time.Now}, &config.Config{File: "c.yaml"}, false)
	if exitCode(err) != exitUsage || !strings.Contains(message(err), "schedule: {cron:") {
		t.Errorf("%v", err)
	}
}

func TestFiresFollowTheWallClockThroughChangesOfTheClock(t *testing.T) {
	for _, c := range []struct {
		name, zone, spec, from, to string
		want                       []string
	}{
		{"a time that does not exist fires at the end of the gap", "America/New_York", "30 2 * * *", "2026-03-07T00:00:00-05:00", "2026-03-10T00:00:00-04:00",
			[]string{"2026-03-07T02:30:00-05:00", "2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"}},
		{"a time that comes twice fires once", "America/New_York", "30 1 * * *", "2026-10-31T00:00:00-04:00", "2026-11-03T00:00:00-05:00",
			[]string{"2026-10-31T01:30:00-04:00", "2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"}},
		{"London in spring", "Europe/London", "30 1 * * *", "2026-03-29T00:00:00Z", "2026-03-30T00:00:00+01:00", []string{"2026-03-29T02:00:00+01:00"}},
		{"London in autumn", "Europe/London", "30 1 * * *", "2026-10-25T00:00:00+01:00", "2026-10-26T00:00:00Z", []string{"2026-10-25T01:30:00+01:00"}},
		{"Sydney in spring", "Australia/Sydney", "30 2 * * *", "2026-10-04T00:00:00+10:00", "2026-10-05T00:00:00+11:00", []string{"2026-10-04T03:00:00+11:00"}},
		{"Lord Howe moves by half an hour", "Australia/Lord_Howe", "45 1 * * *", "2026-04-05T00:00:00+11:00", "2026-04-06T00:00:00+10:30", []string{"2026-04-05T01:45:00+11:00"}},
		{"a zone without changes", "Asia/Shanghai", "30 2 * * *", "2026-03-08T00:00:00+08:00", "2026-03-10T00:00:00+08:00",
			[]string{"2026-03-08T02:30:00+08:00", "2026-03-09T02:30:00+08:00"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := clockOf(t, c.zone, c.spec)
			var got []string
			last := s.lastFire(when(t, c.from))
			for now := when(t, c.from); now.Before(when(t, c.to)); now = now.Add(time.Minute) {
				// As the service does: only a later fire than the last one counts.
				if f := s.lastFire(now); f.After(last) {
					last = f
					got = append(got, f.Format(time.RFC3339))
					if d := now.Sub(f); d < 0 || d >= time.Minute {
						t.Errorf("%s noticed at %s", f, now)
					}
				}
			}
			if strings.Join(got, " ") != strings.Join(c.want, " ") {
				t.Errorf("fires\n%v, want\n%v", got, c.want)
			}
		})
	}
}

func TestRareSchedulesAreFoundFromFarAway(t *testing.T) {
	s := clockOf(t, "Asia/Shanghai", "0 6 29 2 *")
	if got := s.lastFire(when(t, "2027-06-01T00:00:00+08:00")).Format(time.RFC3339); got != "2024-02-29T06:00:00+08:00" {
		t.Errorf("last fire %s", got)
	}
	if got := s.nextFire(when(t, "2027-06-01T00:00:00+08:00")).Format(time.RFC3339); got != "2028-02-29T06:00:00+08:00" {
		t.Errorf("next fire %s", got)
	}
}

func clockOf(t *testing.T, zone, spec string) *service {
	t.Helper()
	cfg, problems := config.Parse("c.yaml", []byte("version: 1\nentity: x\ngo_live: 2026-01-01\nzone: "+zone+
		"\nschedule: {cron: \""+spec+"\"}\nsources:\n  - {name: t, side: terminal, folder: in, names: [\"{date:yyyyMMdd}.csv\"], formats: [daozhang_journal], "+
		"date: name, due: \"+1 06:00\", days: daily, empty_day: either, contains_pan: none}\n"))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	s, err := newService(&app{err: &bytes.Buffer{}, now: time.Now}, cfg, false)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func when(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestLogLinesQuoteHostileTextAndHideCardNumbers(t *testing.T) {
	var out bytes.Buffer
	log := newLog(&out, func() time.Time { return time.Unix(0, 0).UTC() }, false)
	log.Info("landed", "name", "a\nlevel=ERROR msg=forged", "why", "card 4111111111111111 in 310066018150001.csv")
	if n := strings.Count(out.String(), "\n"); n != 1 {
		t.Errorf("%d lines:\n%s", n, out.String())
	}
	if text := out.String(); strings.Contains(text, "4111111111111111") || !strings.Contains(text, "****1111 in 310066018150001.csv") {
		t.Errorf("card number: %s", text)
	}
}
