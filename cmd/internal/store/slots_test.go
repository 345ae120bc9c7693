package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestARedeliveryHasAStatedOutcome(t *testing.T) {
	slot := SlotRef{Source: "ums", Date: jan(5), Key: "898"}
	type delivered struct{ name, content string }
	tests := []struct {
		name     string
		then     []delivered
		changes  string
		revision int    // current
		current  string // its content
	}{
		{"nothing more", nil, "[new]", 1, "a"},
		{"the same name and bytes", []delivered{{"a.csv", "a"}}, "[new unchanged]", 1, "a"},
		{"renamed", []delivered{{"b.csv", "a"}}, "[new alias]", 1, "a"},
		{"gzipped under another name, twice", []delivered{{"a.csv.gz", "a"}, {"a.csv.gz", "a"}}, "[new alias unchanged]", 1, "a"},
		{"corrected", []delivered{{"a.csv", "a corrected"}}, "[new revision]", 2, "a corrected"},
		{"corrected twice", []delivered{{"a.csv", "a2"}, {"a.csv", "a3"}}, "[new revision revision]", 3, "a3"},
		{"shrunk to nothing", []delivered{{"a.csv", ""}}, "[new revision]", 2, ""},
		{"the old bytes again under a new name do not undo a correction",
			[]delivered{{"a.csv", "a2"}, {"old_a.csv.gz", "a"}}, "[new revision alias]", 2, "a2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			eachDialect(t, func(t *testing.T, dsn string) {
				db := opened(t, dsn, Options{})
				var changes []SlotChange
				for i, d := range append([]delivered{{"a.csv", "a"}}, tt.then...) {
					delivery, file := arrive(t, db, "ums", d.name, d.content, t0.Add(time.Duration(i)*time.Hour))
					change, _, err := db.AttachToSlot(ctx, slot, Attachment{File: file, Delivery: delivery, Cause: "fetched",
						Arrived: t0.Add(time.Duration(i) * time.Hour), Covers: Covers{Merchants: []string{"898"}}})
					must(t, err)
					changes = append(changes, change)
				}
				if got := fmt.Sprint(changes); got != tt.changes {
					t.Errorf("changes %s; want %s", got, tt.changes)
				}
				current, err := db.CurrentSlots(ctx, jan(5))
				must(t, err)
				if len(current) != 1 || current[0].N != tt.revision || current[0].File != hash(tt.current) || !current[0].Current ||
					current[0].Covers.Merchants[0] != "898" {
					t.Errorf("current = %+v; want revision %d, %q", current, tt.revision, tt.current)
				}
			})
		})
	}
}

func TestTheNewestArrivalIsCurrentInWhateverOrderFilesAreAttached(t *testing.T) {
	orders := [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		for n, order := range orders {
			slot := SlotRef{Source: "ums", Date: jan(n + 1)}
			for _, i := range order {
				at := t0.Add(time.Duration(i) * time.Minute)
				d, f := arrive(t, db, "ums", fmt.Sprint("f", i), fmt.Sprint("content", i), at)
				_, _, err := db.AttachToSlot(ctx, slot, Attachment{File: f, Delivery: d, Arrived: at})
				must(t, err)
			}
			current, err := db.CurrentSlots(ctx, slot.Date)
			must(t, err)
			if len(current) != 1 || current[0].File != hash("content2") {
				t.Errorf("order %v: current is %+v", order, current)
			}
			if all, err := db.SlotHistory(ctx, slot); err != nil || len(all) != 3 {
				t.Errorf("order %v: %d revisions kept, %v; want 3", order, len(all), err)
			}
		}
		if uses, err := db.FileSlots(ctx, "ums", hash("content0")); err != nil || len(uses) != len(orders) {
			t.Errorf("the file stands for %d slots, %v; want %d", len(uses), err, len(orders))
		}
		if first, ok, err := db.FirstDate(ctx); err != nil || !ok || first != jan(1) {
			t.Errorf("first date %s %v %v", first, ok, err)
		}
	})
}

func TestTwoFilesOfOneDeliveryOnOneSlotAreNeverASilentSupersede(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		slot := SlotRef{Source: "ums", Date: jan(5)}
		d, f := arrive(t, db, "ums", "x.zip", "one", t0)
		_, _, err := db.AttachToSlot(ctx, slot, Attachment{File: f, Delivery: d, Arrived: t0})
		must(t, err)
		_, err = db.RecordFile(ctx, File{Source: "ums", SHA256: hash("two"), Delivery: d, Position: 1, Member: "two"})
		must(t, err)
		if _, _, err = db.AttachToSlot(ctx, slot, Attachment{File: hash("two"), Delivery: d, Arrived: t0}); !errors.Is(err, ErrSlotClash) {
			t.Errorf("%v; want ErrSlotClash", err)
		}
		if all, err := db.SlotHistory(ctx, slot); err != nil || len(all) != 1 {
			t.Errorf("%d revisions, %v; want 1", len(all), err)
		}
	})
}

func TestDaySlicesOfABankAccountRankByWhatTheyProve(t *testing.T) {
	slot := SlotRef{Source: "icbc", Date: jan(5), Key: "6222"}
	type slice struct {
		lines           string
		complete, final bool
		statement       string
	}
	tests := []struct {
		name    string
		slices  []slice
		changes string
		current int
	}{
		{"the last seven days every morning", []slice{{"l", true, true, "1"}, {"l", true, true, "2"}, {"l", true, true, "3"}}, "[new alias alias]", 1},
		{"intraday at noon, final at night", []slice{{"noon", false, false, "1"}, {"night", true, true, "2"}}, "[new revision]", 2},
		{"the same lines, now complete", []slice{{"l", false, true, "1"}, {"l", true, true, "2"}}, "[new revision]", 2},
		{"an intraday file that comes after the final one", []slice{{"night", true, true, "2"}, {"noon", false, false, "3"}}, "[new outranked]", 1},
		{"a month file with one line that differs", []slice{{"l", true, true, "0105"}, {"l'", true, true, "0131"}}, "[new revision]", 2},
		{"an older statement that comes late", []slice{{"l'", true, true, "0131"}, {"l", true, true, "0105"}}, "[new outranked]", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			eachDialect(t, func(t *testing.T, dsn string) {
				db := opened(t, dsn, Options{})
				var changes []SlotChange
				for i, s := range tt.slices {
					at := t0.Add(time.Duration(i) * time.Hour)
					d, f := arrive(t, db, "icbc", fmt.Sprint("statement", i), fmt.Sprint("statement", i), at)
					change, _, err := db.AttachToSlot(ctx, slot, Attachment{File: f, Delivery: d, Arrived: at, Slice: &Slice{
						Lines: 3, Digest: hash(s.lines), Complete: s.complete, Final: s.final, Statement: s.statement, From: jan(1), To: jan(7)}})
					must(t, err)
					changes = append(changes, change)
				}
				if got := fmt.Sprint(changes); got != tt.changes {
					t.Errorf("changes %s; want %s", got, tt.changes)
				}
				current, err := db.CurrentSlots(ctx, jan(5))
				must(t, err)
				want := tt.slices[tt.current-1]
				if len(current) != 1 || current[0].N != tt.current || current[0].Slice.Digest != hash(want.lines) ||
					current[0].Slice.Complete != want.complete || current[0].Slice.From != jan(1) || current[0].Slice.Lines != 3 {
					t.Errorf("current = %+v; want %+v", current, want)
				}
			})
		})
	}
}

func TestASliceCutAnewFromTheSameFileReplacesTheFormerCut(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		slot := SlotRef{Source: "icbc", Date: jan(5), Key: "6222"}
		d, f := arrive(t, db, "icbc", "s", "s", t0)
		for i, want := range []SlotChange{SlotNew, SlotRevised, SlotRevised} {
			got, r, err := db.AttachToSlot(ctx, slot, Attachment{File: f, Delivery: d, Arrived: t0,
				Slice: &Slice{Digest: hash(fmt.Sprint("cut", i)), Complete: true, Final: true}})
			if err != nil || got != want || !r.Current {
				t.Errorf("cut %d: %s %+v %v; want %s", i, got, r, err, want)
			}
		}
	})
}

func TestAStatementIsAttachedToItsDaysAllOrNone(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		on := func(n int) SlotRef { return SlotRef{Source: "icbc", Date: jan(n), Key: "6222"} }
		days := func(d, f string, first, last int, changed string) map[SlotRef]Attachment {
			as := map[SlotRef]Attachment{}
			for n := first; n <= last; n++ {
				lines := fmt.Sprint("lines of ", n)
				if n == 3 {
					lines += changed
				}
				as[on(n)] = Attachment{File: f, Delivery: d, Arrived: t0, Slice: &Slice{Digest: hash(lines), Complete: true, Final: true, Statement: d}}
			}
			return as
		}
		has := func(when string, want ...int) {
			t.Helper()
			var got []int
			contents, err := db.SlotContents(ctx, jan(1), jan(31))
			must(t, err)
			whole, err := db.CurrentSlotsBetween(ctx, jan(1), jan(31))
			must(t, err)
			for i, r := range contents {
				got = append(got, r.N)
				if w := whole[i]; r.Slot != w.Slot || r.Kind != w.Kind || r.N != w.N || !r.Current || r.Content != w.Content ||
					(w.Slice != nil && (r.Slice.Final != w.Slice.Final || r.Slice.Complete != w.Slice.Complete)) {
					t.Errorf("%s: contents %+v of %+v", when, r, w)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: current revisions %v, want %v", when, got, want)
			}
		}
		d, f := arrive(t, db, "icbc", "1", "first", t0)
		must(t, db.AttachToSlots(ctx, "icbc", days(d, f, 1, 4, "")))
		has("first", 1, 1, 1, 1)
		must(t, db.AttachToSlots(ctx, "icbc", days(d, f, 1, 4, "")))
		has("the same again", 1, 1, 1, 1)
		d, f = arrive(t, db, "icbc", "2", "second", t0)
		as := days(d, f, 2, 6, " and another")
		for ref, a := range as {
			a.Slice.Statement, a.Arrived = "zz", t0.Add(time.Hour)
			as[ref] = a
		}
		broken := map[SlotRef]Attachment{on(7): {File: f, Delivery: d, Arrived: t0}, on(1): {File: f, Delivery: d, Arrived: t0}}
		if err := db.AttachToSlots(ctx, "icbc", broken); !errors.Is(err, ErrInvalid) {
			t.Errorf("a file without slices on slots of a bank: %v", err)
		}
		has("refused", 1, 1, 1, 1)
		must(t, db.AttachToSlots(ctx, "icbc", as))
		has("second", 1, 1, 2, 1, 1, 1)
		if aliases, err := db.SlotAliases(ctx, on(2)); err != nil || len(aliases) != 1 || aliases[0].Delivery != d {
			t.Errorf("aliases %+v, %v", aliases, err)
		}
		if err := db.AttachToSlots(ctx, "boc", as); !errors.Is(err, ErrInvalid) {
			t.Errorf("slots of another source: %v", err)
		}
	})
}

func TestWhatWasOpenedOnceIsNotLookedAtAgain(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		see := func(content, name string) {
			_, err := db.RecordDelivery(ctx, Sighting{SHA256: hash(content), Source: "ums", Name: name, Received: t0})
			must(t, err)
		}
		see("a", "a.csv")
		see("a", "b.csv")
		see("c", "c.csv")
		see("c", "d.csv")
		for after, want := range map[int64]string{0: "a.csv c.csv, b.csv d.csv", 1: "b.csv c.csv, b.csv d.csv", 2: "c.csv, d.csv", 4: ", "} {
			left, err := db.Unopened(ctx, after)
			must(t, err)
			again, err := db.Renamed(ctx, after)
			must(t, err)
			name := func(list []Sighting) (out []string) {
				for _, g := range list {
					out = append(out, g.Name)
				}
				return out
			}
			if got := strings.Join(name(left), " ") + ", " + strings.Join(name(again), " "); got != want {
				t.Errorf("after %d: %q, want %q", after, got, want)
			}
		}
		if last, err := db.LastSighting(ctx); err != nil || last != 4 {
			t.Errorf("last sighting %d, %v", last, err)
		}
	})
}
