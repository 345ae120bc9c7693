package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"daozhang/parsers/txn"
)

func closedAt(t *testing.T, db *DB, want txn.Date) {
	t.Helper()
	if got, err := db.ClosedThrough(ctx); err != nil || got != want {
		t.Errorf("closed through %s, %v; want %s", got, err, want)
	}
}

func TestBooksAreClosedAndOpenedAgain(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		closedAt(t, db, 0)
		if err := db.ReopenBooks(ctx, jan(1), "li", "x"); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "no date is closed") {
			t.Errorf("%v", err)
		}
		must(t, db.CloseBooks(ctx, jan(10), "li", "month"))
		closedAt(t, db, jan(10))
		must(t, db.CloseBooks(ctx, jan(10), "wang", "again"))
		must(t, db.CloseBooks(ctx, jan(5), "wang", "less"))
		closedAt(t, db, jan(10))
		if err := db.ReopenBooks(ctx, jan(11), "li", "x"); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "2026-01-10") {
			t.Errorf("reopening an open date: %v", err)
		}
		must(t, db.ReopenBooks(ctx, jan(8), "han", "a file"))
		closedAt(t, db, jan(7))
		must(t, db.CloseBooks(ctx, jan(9), "li", ""))
		closedAt(t, db, jan(9))
		for _, err := range []error{db.CloseBooks(ctx, jan(20), " ", "x"), db.CloseBooks(ctx, 0, "li", "x"), db.ReopenBooks(ctx, 0, "li", "x")} {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("%v; want ErrInvalid", err)
			}
		}
		closedAt(t, db, jan(9))
		if got, want := actions(t, db, 0), "li close 2026-01-10; han reopen 2026-01-08; li close 2026-01-09"; got != want {
			t.Errorf("log %s\nwant %s", got, want)
		}
		log, err := db.AuditLog(ctx, 1)
		if want := `{"closed_through":"2026-01-07","reason":"a file","was":"2026-01-10"}`; err != nil || log[0].Detail != want {
			t.Errorf("detail %s, %v; want %s", log[0].Detail, err, want)
		}
		if _, err := db.VerifyAudit(ctx); err != nil {
			t.Error(err)
		}
	})
}

// attach lets content that arrives at t0 plus that many minutes stand for a slot.
func attach(t *testing.T, db *DB, slot SlotRef, name, content string, minutes int) (SlotChange, Revision) {
	t.Helper()
	at := t0.Add(time.Duration(minutes) * time.Minute)
	d, f := arrive(t, db, slot.Source, name, content, at)
	change, r, err := db.AttachToSlot(ctx, slot, Attachment{File: f, Delivery: d, Arrived: at, Cause: "fetched"})
	must(t, err)
	return change, r
}

// lateOf tells in short what is booked late on a date: date of the slot, number, number of the former one.
func lateOf(t *testing.T, db *DB, on txn.Date) string {
	t.Helper()
	list, err := db.LateRevisions(ctx, on)
	must(t, err)
	var s []string
	for _, l := range list {
		former := "-"
		if l.Former != nil {
			former = fmt.Sprint(l.Former.N)
		}
		s = append(s, fmt.Sprintf("%s #%d for %s", l.Slot, l.N, former))
	}
	return strings.Join(s, ", ")
}

func TestALateFileIsBookedOnTheFirstOpenDateAndNeverCurrent(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		five, six, seven := SlotRef{"ums", jan(5), ""}, SlotRef{"ums", jan(6), ""}, SlotRef{"ums", jan(7), ""}
		expect := func(slot SlotRef, name, content string, minutes int, want SlotChange, n int, on txn.Date) {
			t.Helper()
			if change, r := attach(t, db, slot, name, content, minutes); change != want || r.N != n || r.EffectiveOn != on {
				t.Errorf("%s %q: %s #%d on %s; want %s #%d on %s", slot, content, change, r.N, r.EffectiveOn, want, n, on)
			}
		}
		expect(five, "a", "a", 0, SlotNew, 1, 0)
		expect(seven, "s", "s", 0, SlotNew, 1, 0)
		must(t, db.CloseBooks(ctx, jan(6), "li", "month"))
		before := actions(t, db, 0)

		expect(five, "a", "a", 0, SlotUnchanged, 1, 0)
		expect(five, "a.gz", "a", 10, SlotAlias, 1, 0)
		expect(seven, "s", "s2", 10, SlotRevised, 2, 0)
		if now := actions(t, db, 0); now != before {
			t.Errorf("the log grew to %s", now)
		}
		expect(five, "a", "a2", 20, SlotLate, 2, jan(7))
		expect(five, "a", "a2", 20, SlotUnchanged, 2, jan(7))
		expect(five, "a2", "a2", 30, SlotAlias, 2, jan(7))
		expect(five, "a", "a3", 40, SlotLate, 3, jan(7))
		expect(six, "b", "b", 40, SlotLate, 1, jan(7))
		expect(five, "old", "a0", -10, SlotOutranked, 4, 0)
		if got, want := actions(t, db, 2), "program late_file ums/2026-01-05; program late_file ums/2026-01-05; program late_file ums/2026-01-06"; !strings.HasSuffix(got, want) {
			t.Errorf("log %s", got)
		}
		if got, want := lateOf(t, db, jan(7)), "ums/2026-01-05 #3 for 1, ums/2026-01-06 #1 for -"; got != want {
			t.Errorf("late on the 7th: %s; want %s", got, want)
		}

		must(t, db.CloseBooks(ctx, jan(8), "li", "more"))
		expect(five, "a", "a4", 50, SlotLate, 5, jan(9))
		if got, want := lateOf(t, db, jan(9)), "ums/2026-01-05 #5 for 3"; got != want {
			t.Errorf("late on the 9th: %s; want %s", got, want)
		}

		// Opened again: what is booked stays booked, and only another file can be current.
		must(t, db.ReopenBooks(ctx, jan(5), "li", "again"))
		expect(five, "a", "a4", 50, SlotUnchanged, 5, jan(9))
		expect(six, "b", "b", 40, SlotUnchanged, 1, jan(7))
		current := func() string {
			list, err := db.CurrentSlotsBetween(ctx, jan(1), jan(31))
			must(t, err)
			var s []string
			for _, r := range list {
				s = append(s, fmt.Sprintf("%s #%d", r.Slot, r.N))
			}
			return strings.Join(s, ", ")
		}
		if got, want := current(), "ums/2026-01-05 #1, ums/2026-01-07 #2"; got != want {
			t.Errorf("current %s; want %s", got, want)
		}
		// Ranked against the current file alone: late ones that came after it do not count.
		expect(five, "a", "a5", 15, SlotRevised, 6, 0)
		expect(six, "b", "b2", 5, SlotNew, 2, 0)
		if got, want := current(), "ums/2026-01-05 #6, ums/2026-01-06 #2, ums/2026-01-07 #2"; got != want {
			t.Errorf("current %s; want %s", got, want)
		}
		if got, want := lateOf(t, db, jan(7)), "ums/2026-01-05 #3 for 6, ums/2026-01-06 #1 for 2"; got != want {
			t.Errorf("late on the 7th: %s; want %s", got, want)
		}
		if _, err := db.VerifyAudit(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestASlotThatHasOnlyLateFilesIsNotReceived(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		must(t, db.CloseBooks(ctx, jan(6), "li", "month"))
		if change, r := attach(t, db, SlotRef{"ums", jan(2), "898"}, "a", "a", 0); change != SlotLate || r.Current {
			t.Errorf("%s %+v", change, r)
		}
		if list, err := db.CurrentSlots(ctx, jan(2)); err != nil || len(list) != 0 {
			t.Errorf("current %+v, %v", list, err)
		}
		if first, ok, err := db.FirstDate(ctx); ok || err != nil {
			t.Errorf("first date %s, %v", first, err)
		}
		uses, err := db.FileSlots(ctx, "ums", hash("a"))
		if err != nil || len(uses) != 1 || uses[0].EffectiveOn != jan(7) || uses[0].Current {
			t.Errorf("uses %+v, %v", uses, err)
		}
		list, err := db.LateRevisions(ctx, jan(7))
		if err != nil || len(list) != 1 || list[0].EffectiveOn != jan(7) || list[0].Former != nil {
			t.Errorf("late %+v, %v", list, err)
		}
	})
}

func TestDaySlicesForAClosedDateRankAgainstWhatTheBooksHave(t *testing.T) {
	type slice struct {
		lines           string
		complete, final bool
		statement       string
	}
	tests := []struct {
		name   string
		open   []slice
		closed []slice
		want   string // changes after the closing
		late   string
	}{
		{"a later statement", []slice{{"a", true, true, "1"}}, []slice{{"b", true, true, "2"}}, "[late]", "#2 for 1"},
		{"an older statement", []slice{{"a", true, true, "2"}}, []slice{{"b", true, true, "1"}}, "[outranked]", ""},
		{"an intraday one", []slice{{"a", true, true, "1"}}, []slice{{"b", false, false, "2"}}, "[outranked]", ""},
		{"the same lines, now complete", []slice{{"a", false, true, "1"}}, []slice{{"a", true, true, "2"}}, "[alias]", ""},
		{"the second lower than the first", []slice{{"a", true, true, "1"}}, []slice{{"c", true, true, "3"}, {"b", true, true, "2"}}, "[late outranked]", "#2 for 1"},
		{"the second higher than the first", []slice{{"a", true, true, "1"}}, []slice{{"b", true, true, "2"}, {"c", true, true, "3"}}, "[late late]", "#3 for 1"},
		{"none before", nil, []slice{{"b", false, false, "2"}, {"c", true, true, "2"}}, "[late late]", "#2 for -"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			eachDialect(t, func(t *testing.T, dsn string) {
				db := opened(t, dsn, Options{})
				slot := SlotRef{"icbc", jan(5), "6222"}
				var changes []SlotChange
				for i, s := range append(tt.open, tt.closed...) {
					if i == len(tt.open) {
						must(t, db.CloseBooks(ctx, jan(5), "li", ""))
					}
					at := t0.Add(time.Duration(i) * time.Hour)
					d, f := arrive(t, db, "icbc", fmt.Sprint("statement", i), fmt.Sprint("statement", i), at)
					change, _, err := db.AttachToSlot(ctx, slot, Attachment{File: f, Delivery: d, Arrived: at,
						Slice: &Slice{Digest: hash(s.lines), Complete: s.complete, Final: s.final, Statement: s.statement}})
					must(t, err)
					changes = append(changes, change)
				}
				if got := fmt.Sprint(changes[len(tt.open):]); got != tt.want {
					t.Errorf("changes %s; want %s", got, tt.want)
				}
				if got := strings.TrimPrefix(lateOf(t, db, jan(6)), "icbc/2026-01-05/6222 "); got != tt.late {
					t.Errorf("late %q; want %q", got, tt.late)
				}
			})
		})
	}
}

func TestAnIssueIsNotedOnceWithItsJob(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		commit(t, db, dayOf(jan(6), 1, "x", 0))
		commit(t, db, dayOf(jan(5), 1, "a", 0))
		jobs, err := db.PendingJobs(ctx)
		must(t, err)
		one := Issue{Date: jan(5), Revision: 1, Run: 1, Manifest: hash("files")}
		for range 2 {
			must(t, db.RecordIssue(ctx, one, jobs[0]))
		}
		if left, err := db.PendingJobs(ctx); err != nil || len(left) != 3 {
			t.Errorf("pending %+v, %v; want 3", left, err)
		}
		other := one
		other.Manifest = hash("other files")
		if err := db.RecordIssue(ctx, other, jobs[1]); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "2026-01-05") {
			t.Errorf("another manifest: %v", err)
		}
		for _, bad := range []Issue{{jan(5), 2, 1, hash("f")}, {jan(5), 1, 7, hash("f")}, {jan(9), 1, 1, hash("f")}, {jan(6), 1, 1, ""}} {
			if err := db.RecordIssue(ctx, bad, jobs[1]); !errors.Is(err, ErrInvalid) {
				t.Errorf("%+v: %v; want ErrInvalid", bad, err)
			}
		}
		if left, err := db.PendingJobs(ctx); err != nil || len(left) != 3 {
			t.Errorf("after refused issues pending %+v, %v; want 3", left, err)
		}
		two := Issue{Date: jan(6), Revision: 1, Run: 1, Manifest: hash("more")}
		must(t, db.RecordIssue(ctx, two, Job{}))
		if got, err := db.Issues(ctx); err != nil || fmt.Sprint(got) != fmt.Sprint([]Issue{one, two}) {
			t.Errorf("issues %+v, %v", got, err)
		}
		if got, want := actions(t, db, 0), "program "+AuditIssue+" 2026-01-05; program "+AuditIssue+" 2026-01-06"; got != want {
			t.Errorf("log %s; want %s", got, want)
		}
	})
}
