package store

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestADeliveryIsKnownByNameSizeAndTimeAndByItsBytes(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{Entity: "示例公司"})
		// Names are any bytes: GBK, NUL, backslashes, bidi marks.
		names := []string{"plain.csv", "对账.zip", "\xb6\xd4\xd5\xcb.zip", "a\x00b", `a\x00b`, `a\b`, "a\nb", "\u202etxt.csv", "'; DROP TABLE files; --"}
		for i, name := range names {
			g := Sighting{SHA256: hash(name), Size: int64(i), Source: "s", Name: name, Modified: t0.Add(time.Duration(i)),
				Received: t0, HostKey: "SHA256:x", Identity: "key 1", Program: "v1"}
			known, err := db.RecordDelivery(ctx, g)
			if err != nil || known {
				t.Errorf("%q: known %v, %v", name, known, err)
			}
			again, err := db.RecordDelivery(ctx, g)
			if err != nil || !again {
				t.Errorf("%q a second time: known %v, %v", name, again, err)
			}
			list, err := db.Sightings(ctx, hash(name))
			g.Modified = g.Modified.Truncate(time.Microsecond)
			if err != nil || len(list) != 1 || !reflect.DeepEqual(list[0], g) {
				t.Errorf("%q came back as %+v, %v", name, list, err)
			}
			if sha, ok, err := db.KnownRemote(ctx, "s", name, int64(i), g.Modified); err != nil || !ok || sha != hash(name) {
				t.Errorf("KnownRemote(%q) = %s %v %v", name, sha, ok, err)
			}
			for what, ask := range map[string]func() (string, bool, error){
				"other size":   func() (string, bool, error) { return db.KnownRemote(ctx, "s", name, 99, t0) },
				"other time":   func() (string, bool, error) { return db.KnownRemote(ctx, "s", name, int64(i), t0.Add(time.Hour)) },
				"other source": func() (string, bool, error) { return db.KnownRemote(ctx, "x", name, int64(i), t0) },
			} {
				if _, ok, err := ask(); ok || err != nil {
					t.Errorf("%q with %s: known %v, %v", name, what, ok, err)
				}
			}
		}
		known, err := db.RecordDelivery(ctx, Sighting{SHA256: hash("plain.csv"), Source: "s", Name: "renamed.csv", Received: t0})
		if err != nil || !known {
			t.Errorf("the same bytes under another name: known %v, %v", known, err)
		}
		must(t, db.VerifyDeliveries(ctx))
	})
}

func TestAProvenanceRowThatWasTamperedWithIsFound(t *testing.T) {
	for name, sql := range map[string]string{
		"changed":         `UPDATE delivery_names SET host_key = 'other' WHERE seq = 2`,
		"removed":         `DELETE FROM delivery_names WHERE seq = 2`,
		"removed at last": `DELETE FROM delivery_names WHERE seq = 3`,
		"all removed":     `DELETE FROM delivery_names`,
	} {
		eachDialect(t, func(t *testing.T, dsn string) {
			db := opened(t, dsn, Options{})
			for _, n := range []string{"a", "b", "c"} {
				arrive(t, db, "s", n, n, t0)
			}
			must(t, db.VerifyDeliveries(ctx))
			must(t, db.q().exec(ctx, sql))
			if err := db.VerifyDeliveries(ctx); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: %v; want ErrDamaged", name, err)
			}
		})
	}
}

func TestAFileIsAliasUnderAnotherNameAndKeepsItsJudgement(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		d1, f := arrive(t, db, "ums", "a.csv", "rows", t0)
		must(t, db.MarkParsed(ctx, "ums", f, "ums_17", 12, 1))
		d2 := hash("gz")
		_, err := db.RecordDelivery(ctx, Sighting{SHA256: d2, Source: "ums", Name: "a.csv.gz", Received: t0})
		must(t, err)
		left, err := db.Unopened(ctx, 0)
		if err != nil || len(left) != 1 || left[0].SHA256 != d2 {
			t.Errorf("Unopened = %+v, %v; want the second delivery", left, err)
		}
		gz := File{Source: "ums", SHA256: f, Size: 4, Delivery: d2, Member: "a.csv", Wrappers: "gzip"}
		for i, want := range []bool{true, false} {
			if alias, err := db.RecordFile(ctx, gz); err != nil || alias != want {
				t.Errorf("time %d: alias %v, %v; want %v", i, alias, err, want)
			}
		}
		got, err := db.FileOf(ctx, "ums", f)
		if err != nil || got.Status != Parsed || got.Rows != 12 || got.Rejected != 1 || got.Delivery != d1 {
			t.Errorf("file = %+v, %v", got, err)
		}
		if names, err := db.FileNames(ctx, "ums", f); err != nil || len(names) != 2 {
			t.Errorf("names = %+v, %v; want 2", names, err)
		}
		// Another source judges the same bytes by itself.
		_, err = db.RecordFile(ctx, File{Source: "bank", SHA256: f, Size: 4, Delivery: d1, Member: "a.csv"})
		must(t, err)
		must(t, db.Quarantine(ctx, "bank", f, "F09", "no format claims it\x00\xff"))
		if list, err := db.FilesWith(ctx, Quarantined); err != nil || len(list) != 1 || list[0].Source != "bank" {
			t.Errorf("quarantined = %+v, %v", list, err)
		}
		if err := db.Quarantine(ctx, "bank", hash("nothing"), "F09", "x"); !errors.Is(err, ErrNotFound) {
			t.Errorf("quarantine of an unknown file: %v", err)
		}
	})
}

func TestWhatMayNotBeStoredIsRefused(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		_, err := db.RecordDelivery(ctx, Sighting{SHA256: strings.ToUpper(hash("a")), Source: "s", Name: "n", Received: t0})
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("upper-case digest: %v", err)
		}
		if _, err := db.RecordFile(ctx, File{Source: "s", SHA256: hash("f"), Delivery: hash("never recorded")}); err == nil {
			t.Error("a file of an unknown delivery was stored")
		}
		bad := dayOf(jan(1), 1, "a", 0)
		bad.Run.CarryOut = ""
		if _, err := db.CommitDay(ctx, bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("a day without carry_out: %v", err)
		}
	})
}

func TestTheScheduleNeverGoesBack(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		if _, ok, err := db.LastCompleted(ctx, "nightly"); ok || err != nil {
			t.Errorf("before the first run: %v, %v", ok, err)
		}
		for _, d := range []int{3, 5, 4} {
			must(t, db.SetCompleted(ctx, "nightly", jan(d)))
		}
		if got, ok, err := db.LastCompleted(ctx, "nightly"); err != nil || !ok || got != jan(5) {
			t.Errorf("last completed = %s, %v, %v; want 2026-01-05", got, ok, err)
		}
	})
}

func TestNamesSurviveEscaping(t *testing.T) {
	seen := map[string]string{}
	for _, s := range []string{"", "a", `\`, `\\`, `\x41`, "\x41", "\x00", `\x00`, "\xff", "对", "\uFFFD", "a\xb6b", "\x7f", `\xzz`} {
		e := escapeName(s)
		if unescapeName(e) != s {
			t.Errorf("%q -> %q -> %q", s, e, unescapeName(e))
		}
		if old, twice := seen[e]; twice {
			t.Errorf("%q and %q are both stored as %q", old, s, e)
		}
		seen[e] = s
	}
}
