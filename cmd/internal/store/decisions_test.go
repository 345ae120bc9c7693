package store

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"daozhang/reconcile"
)

func decision(id, caseID string, effective int, keys ...string) reconcile.Decision {
	d := reconcile.Decision{ID: id, CaseID: caseID, Class: reconcile.Class("T02"), Status: reconcile.Accepted, Author: "李雷",
		Reason: "因为 <x> & \"y\"\nline 2 \\ end", At: t0.Add(1500 * time.Microsecond), EffectiveOn: jan(effective), SeenOn: jan(1),
		IDs: []string{"order \xff\x00", "rrn", `\`}}
	for _, k := range keys {
		d.Members = append(d.Members, reconcile.Member{Key: k, Facts: "facts of " + k})
	}
	return d
}

func ids(ds []reconcile.Decision) string {
	var s []string
	for _, d := range ds {
		s = append(s, d.ID)
	}
	return fmt.Sprint(s)
}

func TestADecisionComesBackExactly(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		one := decision("d1", "C", 5, "\x01", "a", "b\xff", "slot ums/\xb6\xd4")
		two := decision("d2", "C", 4, "z")
		two.Status, two.Until, two.IDs, two.SeenOn = reconcile.Waiting, jan(20), nil, 0
		early := decision("d0", "C", 5, "a")
		early.At = t0.Add(time.Millisecond)
		same := decision("d3", "C", 5, "a")
		must(t, db.RecordDecisions(ctx, []reconcile.Decision{same, one}))
		must(t, db.RecordDecisions(ctx, []reconcile.Decision{two, early}))
		must(t, db.RecordDecisions(ctx, nil))
		want := []reconcile.Decision{two, early, one, same}
		got, err := db.Decisions(ctx, jan(5))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("decisions\n got %+v, %v\nwant %+v", got, err, want)
		}
		if got, err := db.Decisions(ctx, jan(4)); err != nil || !reflect.DeepEqual(got, want[:1]) {
			t.Errorf("on the 4th %+v, %v; want d2 alone", got, err)
		}
		if got, err := db.Decisions(ctx, jan(3)); err != nil || len(got) != 0 {
			t.Errorf("on the 3rd %+v, %v; want none", got, err)
		}
		if got, err := db.DecisionsOf(ctx, "C"); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("decisions of a case that no run has\n got %+v, %v\nwant %+v", got, err, want)
		}
		log, err := db.AuditLog(ctx, 2)
		wantDetail := `{"effective_on":"2026-01-04","id":"d2","members":1,"reason":"因为 <x> & \"y\"\nline 2 \\ end","status":"waiting","until":"2026-01-20"}`
		if err != nil || len(log) != 2 || log[0].Actor != "李雷" || log[0].Action != "decision" || log[0].Subject != "C" ||
			log[0].At != two.At || log[0].Detail != wantDetail {
			t.Errorf("log = %+v, %v\nwant detail %s", log, err, wantDetail)
		}
	})
}

func TestDecisionsAreStoredAllOrNone(t *testing.T) {
	good := decision("good", "C", 5, "a")
	change := func(f func(d *reconcile.Decision)) reconcile.Decision {
		d := decision("bad", "C", 5, "a", "b")
		f(&d)
		return d
	}
	bad := map[string]reconcile.Decision{
		"no id":               change(func(d *reconcile.Decision) { d.ID = "" }),
		"no case":             change(func(d *reconcile.Decision) { d.CaseID = " " }),
		"no author":           change(func(d *reconcile.Decision) { d.Author = "\n" }),
		"no reason":           change(func(d *reconcile.Decision) { d.Reason = "" }),
		"broken text":         change(func(d *reconcile.Decision) { d.Reason = "\xff" }),
		"no status":           change(func(d *reconcile.Decision) { d.Status = "maybe" }),
		"no instant":          change(func(d *reconcile.Decision) { d.At = time.Time{} }),
		"no effect":           change(func(d *reconcile.Decision) { d.EffectiveOn = 0 }),
		"no members":          change(func(d *reconcile.Decision) { d.Members = nil }),
		"a member twice":      change(func(d *reconcile.Decision) { d.Members[1].Key = "a" }),
		"an id that is taken": change(func(d *reconcile.Decision) { d.ID = "good" }),
	}
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		for name, d := range bad {
			if err := db.RecordDecisions(ctx, []reconcile.Decision{good, d}); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s: %v; want ErrInvalid", name, err)
			}
		}
		got, err := db.Decisions(ctx, jan(31))
		if err != nil || len(got) != 0 || actions(t, db, 0) != "" {
			t.Errorf("left behind: %+v, %v, log %s", got, err, actions(t, db, 0))
		}
	})
}

func TestADecisionIsFoundUnderEveryIDOfItsCaseAndByItsRows(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		must(t, db.RecordDecisions(ctx, []reconcile.Decision{decision("by old id", "A", 1, "gone"),
			decision("by row", "elsewhere", 1, "k2", "k9"), decision("by new id", "C", 2, "other"), decision("foreign", "X", 1, "k7")}))
		d := dayOf(jan(5), 1, "a", 0)
		d.Cases = []Case{{ID: "C", Class: "T04", Status: "open", FirstSeen: jan(1), Aliases: []string{"A", "A0"},
			Members: []reconcile.Member{{Key: "k1", Facts: "f"}, {Key: "k2", Facts: "f"}}},
			{ID: "X", Class: "T02", Status: "open", FirstSeen: jan(1), Members: []reconcile.Member{{Key: "k7", Facts: "f"}}}}
		commit(t, db, d)
		for _, id := range []string{"A", "A0", "C"} {
			got, err := db.DecisionsOf(ctx, id)
			if err != nil || ids(got) != "[by old id by row by new id]" {
				t.Errorf("%s: %s, %v", id, ids(got), err)
			}
		}
		if got, err := db.DecisionsOf(ctx, "X"); err != nil || ids(got) != "[foreign]" {
			t.Errorf("X: %s, %v", ids(got), err)
		}
		if got, err := db.DecisionsOf(ctx, "nobody"); err != nil || len(got) != 0 {
			t.Errorf("nobody: %s, %v", ids(got), err)
		}
	})
}

func TestACaseIsFoundThroughChainsAndCirclesOfIDs(t *testing.T) {
	type printed struct {
		id      string
		aliases []string
	}
	tests := []struct {
		name    string
		days    [][]printed // runs of one date, each in place of the one before
		find    string
		want    string // "" = not found
		aliases []string
	}{
		{"chain of two steps", [][]printed{{{"B", []string{"A"}}}, {{"C", []string{"B"}}}}, "A", "C", []string{"A", "B"}},
		{"the evidence is withdrawn and the old id is printed again", [][]printed{{{"C", []string{"A"}}}, {{"A", nil}}}, "C", "A", []string{"C"}},
		{"circle that nobody is in", [][]printed{{{"B", []string{"A"}}}, {{"A", []string{"B"}}}, {}}, "A", "", nil},
		{"circle with one of them in the book", [][]printed{{{"B", []string{"A"}}}, {{"A", []string{"B"}}}}, "B", "A", []string{"B"}},
		{"itself as alias", [][]printed{{{"A", []string{"A"}}}}, "A", "A", nil},
		{"the newest wins", [][]printed{{{"B", []string{"A"}}}, {{"C", []string{"A"}}}}, "A", "C", []string{"A"}},
		{"two that have parted again", [][]printed{{{"C", []string{"A"}}}, {{"A", nil}, {"C", nil}}}, "A", "A", nil},
		{"unknown", [][]printed{{{"A", nil}}}, "Z", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			eachDialect(t, func(t *testing.T, dsn string) {
				db := opened(t, dsn, Options{})
				for i, cases := range tt.days {
					d := dayOf(jan(5), i+1, fmt.Sprint(i), 0)
					for _, p := range cases {
						d.Cases = append(d.Cases, Case{ID: p.id, Aliases: p.aliases, Class: "T02", Status: "open", FirstSeen: jan(1)})
					}
					commit(t, db, d)
				}
				c, err := db.FindCase(ctx, tt.find)
				if tt.want == "" {
					if !errors.Is(err, ErrNotFound) {
						t.Errorf("%+v, %v; want ErrNotFound", c, err)
					}
				} else if err != nil || c.ID != tt.want || !slices.Equal(c.Aliases, tt.aliases) {
					t.Errorf("%+v, %v; want %s with %s", c, err, tt.want, tt.aliases)
				}
				if _, err := db.DecisionsOf(ctx, tt.find); err != nil {
					t.Error(err)
				}
				if _, err := db.Events(ctx, tt.find); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestACaseComesBackAsTheBookOfADateHasIt(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		member := func(facts string) []reconcile.Member { return []reconcile.Member{{Key: "k\xff", Facts: facts}} }
		for i, c := range []Case{{ID: "A", Class: "T03"}, {ID: "C", Class: "T04", Aliases: []string{"A"}}, {ID: "C", Class: "T02"}} {
			d := dayOf(jan(5+i), 1, fmt.Sprint(i), 0)
			c.Status, c.FirstSeen, c.Members, c.IDs = "open", jan(5), member(c.Class), []string{"id", c.Class}
			d.Cases = []Case{c}
			d.Run.Cascade, d.Run.Reason = int64(7-i), "new file"
			commit(t, db, d)
		}
		c, err := db.FindCase(ctx, "A")
		if err != nil || c.ID != "C" {
			t.Errorf("A, which an earlier book still has: %+v, %v; want C, which was printed later", c, err)
		}
		if c, err = db.FindCase(ctx, "C"); err != nil || c.LastSeen != jan(7) || !reflect.DeepEqual(c.Members, member("T02")) ||
			!slices.Equal(c.IDs, []string{"id", "T02"}) || !slices.Equal(c.Aliases, []string{"A"}) {
			t.Errorf("C: %+v, %v", c, err)
		}
		for i, want := range []string{"T03", "T04", "T02"} {
			for _, id := range []string{"A", "C"} {
				c, err := db.CaseOn(ctx, id, jan(5+i))
				if err != nil || c.Class != want || !reflect.DeepEqual(c.Members, member(want)) || !slices.Equal(c.IDs, []string{"id", want}) {
					t.Errorf("%s on %s: %+v, %v; want %s", id, jan(5+i), c, err, want)
				}
			}
		}
		if c, err := db.CaseOn(ctx, "C", jan(6)); err != nil || c.LastSeen != jan(7) {
			t.Errorf("last seen %s, %v", c.LastSeen, err)
		}
		if _, err := db.CaseOn(ctx, "C", jan(8)); !errors.Is(err, ErrNotFound) {
			t.Errorf("on a day without a run: %v", err)
		}
		// The rerun of the last day has the case no more: the day before counts.
		commit(t, db, dayOf(jan(7), 2, "x", 0))
		if c, err = db.FindCase(ctx, "C"); err != nil || c.LastSeen != jan(6) || !reflect.DeepEqual(c.Members, member("T04")) {
			t.Errorf("C after a rerun without it: %+v, %v", c, err)
		}
		if _, err := db.CaseOn(ctx, "C", jan(7)); !errors.Is(err, ErrNotFound) {
			t.Errorf("in a book that was replaced: %v", err)
		}
		run, err := db.LatestRun(ctx, jan(5))
		if err != nil || run.Cascade != 7 || run.Reason != "new file" {
			t.Errorf("run = %+v, %v", run, err)
		}
		if n, err := db.NextCascade(ctx); n != 8 || err != nil {
			t.Errorf("next cascade %d, %v; want 8", n, err)
		}
	})
}
