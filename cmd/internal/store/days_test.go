package store

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestACommittedDayComesBackAsItWas(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		d := dayOf(jan(5), 1, "a", 7)
		d.Items[3].OrderNo, d.Items[3].Unit, d.Items[3].Held = "=cmd()\x00\xff", FineUnit, true
		d.Items[4].Amount.Valid = false
		run := commit(t, db, d)
		if run.N != 1 || run.Committed != t0 {
			t.Errorf("run = %+v", run)
		}
		wholeDay(t, db, jan(5), "a")
		got, err := db.Items(ctx, jan(5), 1)
		must(t, err)
		want := append([]Item(nil), d.Items...)
		want[3].OrderNo = "=cmd()\uFFFD\uFFFD"
		for i := range want {
			if want[i].Unit == "" {
				want[i].Unit = MinorUnit
			}
			if !want[i].Amount.Valid {
				want[i].Amount.Int64 = 0
			}
			if got[i] != want[i] {
				t.Errorf("item %d:\n got %+v\nwant %+v", i, got[i], want[i])
			}
		}
		back, err := db.LatestRun(ctx, jan(5))
		if err != nil || back != run {
			t.Errorf("run came back as\n%+v, %v; want\n%+v", back, err, run)
		}
	})
}

func TestARerunTakesThePlaceOfTheRunBeforeAndKeepsIt(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		commit(t, db, dayOf(jan(5), 1, "a", 5))
		job, err := db.PendingJobs(ctx)
		must(t, err)
		must(t, db.JobDone(ctx, job[0]))
		if rev, issue, err := db.NextRevision(ctx, jan(5), hash("comparable a")); rev != 1 || issue || err != nil {
			t.Errorf("unchanged: revision %d, issue %v, %v", rev, issue, err)
		}
		same := dayOf(jan(5), 1, "a", 5)
		same.Run.AsOf = t0.Add(time.Hour)
		if r := commit(t, db, same); r.N != 2 || r.Revision != 1 {
			t.Errorf("an unchanged rerun is %+v", r)
		}
		if rev, issue, err := db.NextRevision(ctx, jan(5), hash("comparable b")); rev != 2 || !issue || err != nil {
			t.Errorf("changed: revision %d, issue %v, %v", rev, issue, err)
		}
		wrong := dayOf(jan(5), 1, "b", 3)
		wrong.Run.AsOf = t0.Add(time.Hour)
		if _, err := db.CommitDay(ctx, wrong); !errors.Is(err, ErrRevision) {
			t.Errorf("revision 1 with other content: %v; want ErrRevision", err)
		}
		wrong.Run.Revision = 2
		commit(t, db, wrong)
		if tag := wholeDay(t, db, jan(5), "a", "b"); tag != "b" {
			t.Errorf("committed is %s", tag)
		}
		early := dayOf(jan(5), 2, "b", 3)
		if _, err := db.CommitDay(ctx, early); !errors.Is(err, ErrAsOf) {
			t.Errorf("an as_of before the last one: %v; want ErrAsOf", err)
		}
		history, err := db.RunHistory(ctx, jan(5))
		if err != nil || len(history) != 3 || !history[0].Superseded || !history[1].Superseded || history[2].Superseded {
			t.Errorf("history = %+v, %v", history, err)
		}
		if items, err := db.Items(ctx, jan(5), 1); err != nil || len(items) != 5 {
			t.Errorf("the superseded run has %d items, %v; want 5", len(items), err)
		}
	})
}

func TestCasesFollowTheNewestCommittedRun(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		day := func(date, rev int, tag string, cases ...Case) Day {
			d := dayOf(jan(date), rev, tag, 0)
			d.Cases = cases
			for _, c := range cases {
				d.Events = append(d.Events, Event{Case: c.ID, Kind: c.Lifecycle, Class: c.Class, Detail: tag})
			}
			return d
		}
		c := func(id, class, lifecycle string, aliases ...string) Case {
			return Case{ID: id, Class: class, Lifecycle: lifecycle, FirstSeen: jan(1), Aliases: aliases, Status: "open"}
		}
		commit(t, db, day(1, 1, "1", c("A", "T01", "new"), c("B", "F01", "new")))
		commit(t, db, day(2, 1, "2", c("A", "T02", "open"), c("B", "F01", "open")))
		commit(t, db, day(3, 1, "3", c("A", "T02", "cleared")))
		if a, err := db.FindCase(ctx, "A"); err != nil || a.Class != "T02" || a.Lifecycle != "cleared" || a.LastSeen != jan(3) {
			t.Errorf("A = %+v, %v", a, err)
		}
		// The late file is there: B never existed, and A of day 3 is merged into C.
		commit(t, db, day(1, 2, "1'", c("A", "T01", "new")))
		if b, err := db.FindCase(ctx, "B"); err != nil || b.LastSeen != jan(2) {
			t.Errorf("B while day 2 still has it = %+v, %v", b, err)
		}
		commit(t, db, day(2, 2, "2'", c("A", "T02", "open")))
		if _, err := db.FindCase(ctx, "B"); !errors.Is(err, ErrNotFound) {
			t.Errorf("B that no committed run has: %v; want ErrNotFound", err)
		}
		commit(t, db, day(3, 2, "3'", c("A", "T03", "open")))
		commit(t, db, day(1, 3, "1''", c("C", "T04", "new", "A")))
		commit(t, db, day(2, 3, "2''", c("C", "T04", "open", "A")))
		commit(t, db, day(3, 3, "3''", c("C", "T04", "open", "A", "A0")))
		for _, id := range []string{"A", "A0", "C"} {
			got, err := db.FindCase(ctx, id)
			if err != nil || got.ID != "C" || got.LastSeen != jan(3) || fmt.Sprint(got.Aliases) != "[A A0]" {
				t.Errorf("%s resolves to %+v, %v; want C", id, got, err)
			}
		}
		list, err := db.Cases(ctx, CaseFilter{Class: "T04"})
		if err != nil || len(list) != 1 {
			t.Errorf("cases = %+v, %v", list, err)
		}
		events, err := db.Events(ctx, "A")
		if err != nil || len(events) != 3 || events[2].Date != jan(3) || events[2].Detail != "3''" {
			t.Errorf("events = %+v, %v", events, err)
		}
	})
}

func TestJobsStayUntilDoneOrOvertaken(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		commit(t, db, dayOf(jan(6), 1, "x", 0))
		commit(t, db, dayOf(jan(5), 1, "a", 0))
		jobs, err := db.PendingJobs(ctx)
		must(t, err)
		var names []string
		for _, j := range jobs {
			names = append(names, fmt.Sprint(j.Date, j.Run, j.Name))
		}
		if got, want := fmt.Sprint(names), "[2026-01-05 1publish 2026-01-05 1notify 2026-01-06 1publish 2026-01-06 1notify]"; got != want {
			t.Errorf("pending %s; want %s", got, want)
		}
		must(t, db.JobDone(ctx, jobs[0]))
		must(t, db.JobFailed(ctx, jobs[1], "no route"))
		jobs, err = db.PendingJobs(ctx)
		if err != nil || len(jobs) != 3 || jobs[0].Attempts != 1 || jobs[0].Error != "no route" {
			t.Errorf("pending %+v, %v", jobs, err)
		}
		commit(t, db, dayOf(jan(5), 2, "b", 0))
		jobs, err = db.PendingJobs(ctx)
		if err != nil || len(jobs) != 4 || jobs[0].Run != 2 {
			t.Errorf("after a rerun pending %+v, %v; want the jobs of run 2 in place of those of run 1", jobs, err)
		}
		// What a run without jobs of its own finds undone is not forgotten: a crash before the report was issued.
		must(t, db.JobDone(ctx, jobs[0]))
		again := dayOf(jan(5), 2, "b", 0)
		again.Outbox = nil
		commit(t, db, again)
		jobs, err = db.PendingJobs(ctx)
		if err != nil || len(jobs) != 3 || jobs[0].Run != 3 || jobs[0].Name != "notify" {
			t.Errorf("after a run that issues nothing pending %+v, %v; want the notice of run 2 as the job of run 3", jobs, err)
		}
	})
}

func TestControlsOfAFileAreReplaced(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		_, f := arrive(t, db, "ums", "a", "a", t0)
		d := dayOf(jan(5), 1, "a", 0)
		d.Controls = []Control{{"ums", f, "file", "rows", "8", "8", true}, {"ums", f, "file", "amount", "13227.00", "13226.99", false}}
		commit(t, db, d)
		d.Controls = d.Controls[:1]
		commit(t, db, d)
		got, err := db.Controls(ctx, "ums", f)
		if err != nil || len(got) != 1 || got[0] != d.Controls[0] {
			t.Errorf("controls = %+v, %v", got, err)
		}
	})
}

func TestManyCommitsTakeBoundedTime(t *testing.T) {
	n, limit := 1000, 2*time.Minute
	if testing.Short() {
		n = 50
	}
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		start := time.Now()
		var half time.Duration
		for i := range n {
			commit(t, db, dayOf(jan(1+i), 1, fmt.Sprint(i), 20))
			if i == n/2 {
				half = time.Since(start)
			}
		}
		all := time.Since(start)
		t.Logf("%d commits of 20 items: %v, of it the first half %v", n, all, half)
		if all > limit || all > 5*half {
			t.Errorf("%d commits took %v, the first half %v", n, all, half)
		}
		if runs, err := db.Runs(ctx); err != nil || len(runs) != n {
			t.Errorf("%d runs, %v; want %d", len(runs), err, n)
		}
	})
}
