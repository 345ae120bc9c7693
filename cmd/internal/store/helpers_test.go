package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daozhang/parsers/txn"
)

// The same suite runs on SQLite always, and on PostgreSQL where this variable holds a postgres:// URL of a database
// in which the tests may make and drop schemas.
const postgresEnv = "DAOZHANG_TEST_POSTGRES"

var (
	t0  = time.Date(2026, 1, 6, 1, 0, 0, 0, time.UTC)
	jan = func(day int) txn.Date { return txn.MakeDate(2026, 1, day) }
	ctx = context.Background()
)

// clock is a settable clock.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// hash is the digest of a name, as a stand-in for real bytes.
func hash(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

// eachDialect runs a test once for each database that is at hand; dsn names a fresh, empty one.
func eachDialect(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "daozhang.db")) })
	if base := os.Getenv(postgresEnv); base != "" {
		t.Run("postgres", func(t *testing.T) { test(t, postgresSchema(t, base)) })
	}
}

// postgresSchema makes a schema for one test and returns the DSN that works in it.
func postgresSchema(t *testing.T, base string) string {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	name := "t_" + hash(t.Name() + fmt.Sprint(os.Getpid()))[:16]
	d := &postgres{dsn: base}
	db, err := d.open(ctx, Options{Warn: func(string) {}, BusyTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.ExecContext(ctx, "DROP SCHEMA "+name+" CASCADE"); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

func opened(t *testing.T, dsn string, o Options) *DB {
	t.Helper()
	if o.Now == nil {
		o.Now = func() time.Time { return t0 }
	}
	db, err := Open(ctx, dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// arrive records a delivery with one member of that name, and returns the digests of both.
func arrive(t *testing.T, db *DB, source, name, content string, at time.Time) (delivery, file string) {
	t.Helper()
	delivery, file = hash("raw "+name+content), hash(content)
	_, err := db.RecordDelivery(ctx, Sighting{SHA256: delivery, Size: int64(len(content)), Source: source, Name: name,
		Modified: at, Received: at, HostKey: "SHA256:abc", Program: "test"})
	must(t, err)
	_, err = db.RecordFile(ctx, File{Source: source, SHA256: file, Size: int64(len(content)), Delivery: delivery, Member: name})
	must(t, err)
	return delivery, file
}

// dayOf is a day with n items and cases; tag makes its digests.
func dayOf(date txn.Date, revision int, tag string, n int) Day {
	d := Day{Run: Run{Date: date, AsOf: t0, Final: true, Verdict: "differences", Revision: revision,
		Comparable: hash("comparable " + tag), Inputs: hash("inputs " + tag), CarryIn: hash("in " + tag),
		CarryOut: hash("out " + tag), Config: "c", Program: "v1"}, Outbox: []string{"publish", "notify"}}
	d.Inputs = []Input{{Kind: SlotInput, Source: "wechat", State: "received", Digest: hash(tag), Revision: 1}}
	for i := range n {
		id := fmt.Sprintf("C-%s-%04d", date.Compact(), i)
		c := Case{ID: id, Class: "T02", Severity: 3, Status: "open", Lifecycle: "new", FirstSeen: date, Leg: "T-A",
			Acquirer: "ums", Currency: "CNY", Owner: "acquirer", Due: date + 1}
		c.Amount.Int64, c.Amount.Valid = int64(100*i), true
		d.Cases = append(d.Cases, c)
		it := Item{CaseID: id, Class: "T02", Severity: 3, Status: "open", Lifecycle: "new", FirstSeen: date, Leg: "T-A",
			Source: "ums", MID: "898", RRN: fmt.Sprint(i), Rows: 1, Currency: "CNY", Due: date + 1, File: "a.zip!b.txt", Line: i + 2}
		it.Amount = c.Amount
		d.Items = append(d.Items, it)
		d.Events = append(d.Events, Event{Case: id, Kind: "new", Class: "T02", Detail: tag})
	}
	return d
}

func commit(t *testing.T, db *DB, d Day) Run {
	t.Helper()
	r, err := db.CommitDay(ctx, d)
	must(t, err)
	return r
}

// wholeDay fails unless everything of the committed run of a date is there, and returns its tag.
func wholeDay(t *testing.T, db *DB, date txn.Date, tags ...string) string {
	t.Helper()
	r, err := db.LatestRun(ctx, date)
	must(t, err)
	items, err := db.Items(ctx, date, r.N)
	must(t, err)
	inputs, err := db.RunInputs(ctx, date, r.N)
	must(t, err)
	cases, err := db.Cases(ctx, CaseFilter{SeenFrom: date})
	must(t, err)
	events, err := db.Events(ctx, "")
	must(t, err)
	jobs, err := db.PendingJobs(ctx)
	must(t, err)
	if len(items) != r.Items || len(cases) != r.Cases || len(events) != r.Items || len(inputs) != 1 || len(jobs) != 2 {
		t.Fatalf("half a day: run %+v has %d items, %d cases, %d events, %d inputs, %d jobs", r, len(items), len(cases),
			len(events), len(inputs), len(jobs))
	}
	for _, tag := range tags {
		if r.Inputs == hash("inputs "+tag) && inputs[0].Digest == hash(tag) && r.CarryOut == hash("out "+tag) {
			return tag
		}
	}
	t.Fatalf("the committed run is none of %s", strings.Join(tags, ", "))
	return ""
}
