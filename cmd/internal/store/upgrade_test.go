package store

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
)

// formerLink is the chain digest of the one provenance row in the test below as version 4 of the schema wrote it.
const formerLink = "5406a0391d7333d9b31648379ae24737f47eb384b8d636811af9b797938e8d30"

// atVersion makes a database as an earlier version of the program left it, and opens it without migrating.
func atVersion(t *testing.T, dsn string, version int64) *DB {
	t.Helper()
	var d dialect = &sqlite{path: dsn}
	if strings.HasPrefix(dsn, "postgres") {
		d = &postgres{dsn: dsn}
	}
	x, err := d.open(ctx, Options{BusyTimeout: time.Second, Warn: func(string) {}})
	must(t, err)
	folder, err := migrationFolder(d)
	must(t, err)
	p, err := goose.NewProvider(d.goose(), x.DB, folder, goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true))
	must(t, err)
	_, err = p.UpTo(ctx, version)
	must(t, err)
	return &DB{db: x, dialect: d, now: fixed, step: func(string) {}}
}

func TestADatabaseOfAnEarlierVersionIsUpgradedWithoutLoss(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		old := atVersion(t, dsn, 4)
		d, f := hash("d"), hash("f")
		g := nameRow{Seq: 1, SHA256: d, Source: "ums", Name: "a.csv", Size: 1, Modified: instant(t0), Received: instant(t0),
			HostKey: "SHA256:abc", Identity: "k", Program: "v1"}
		for _, q := range []struct {
			sql  string
			args []any
		}{
			{`INSERT INTO book (one, entity, created_at) VALUES (1, 'e', ?)`, []any{instant(t0)}},
			{`INSERT INTO deliveries (sha256, size, received_at) VALUES (?, 1, ?)`, []any{d, instant(t0)}},
			{`INSERT INTO delivery_names (seq, delivery_sha256, source, remote_name, size, modified_at, received_at, host_key,
				identity, program, chain) VALUES (1, ?, 'ums', 'a.csv', 1, ?, ?, 'SHA256:abc', 'k', 'v1', ?)`,
				[]any{d, instant(t0), instant(t0), formerLink}},
			{`INSERT INTO chains (name, length, digest) VALUES ('deliveries', 1, ?)`, []any{formerLink}},
			{`INSERT INTO files (source, sha256, size, delivery_sha256, position, member, status, format, class, why, row_count,
				rejected, recorded_at, judged_at) VALUES ('ums', ?, 1, ?, 0, 'a.csv', 'parsed', 'x', '', '', 3, 0, ?, ?)`,
				[]any{f, d, instant(t0), instant(t0)}},
			{`INSERT INTO slots (source, business_date, slot_key, kind, revision, revisions, changed_at)
				VALUES ('ums', '2026-01-05', '', 'file', 1, 1, ?)`, []any{instant(t0)}},
			{`INSERT INTO slot_revisions (source, business_date, slot_key, revision, file_sha256, delivery_sha256, content_sha256,
				arrived_at, cause, covers, complete, final, statement_order, statement_from, statement_to, line_count)
				VALUES ('ums', '2026-01-05', '', 1, ?, ?, ?, ?, 'fetched', '{}', ?, ?, '', '', '', 0)`,
				[]any{f, d, f, instant(t0), true, true}},
			{`INSERT INTO day_runs (business_date, run_no, state, as_of, final, verdict, report_revision, comparable, inputs,
				carry_in, carry_out, config, program, case_count, item_count, committed_at, superseded_at)
				VALUES ('2026-01-05', 1, 'committed', ?, ?, 'differences', 1, ?, ?, '', ?, 'c', 'v1', 1, 0, ?, '')`,
				[]any{instant(t0), true, hash("c"), hash("i"), hash("o"), instant(t0)}},
			{`INSERT INTO run_cases (business_date, run_no, case_id, class, severity, status, lifecycle, first_seen, leg, acquirer,
				amount, currency, owner, due_date) VALUES ('2026-01-05', 1, 'A', 'T02', 3, 'open', 'new', '2026-01-05', 'T-A', 'ums',
				100, 'CNY', 'acquirer', '2026-01-06')`, nil},
			{`INSERT INTO cases (case_id, class, severity, status, lifecycle, first_seen, last_seen, leg, acquirer, amount, currency,
				owner, due_date) VALUES ('A', 'T02', 3, 'open', 'new', '2026-01-05', '2026-01-05', 'T-A', 'ums', 100, 'CNY',
				'acquirer', '2026-01-06')`, nil},
			{`INSERT INTO case_aliases (alias, case_id, since) VALUES ('A0', 'A', '2026-01-05')`, nil},
			{`INSERT INTO decisions (decision_id, case_id, verb, author, decided_at, reason, effective_on, withdrawn_at)
				VALUES ('d1', 'A0', 'accepted', 'li', ?, 'why', '2026-01-05', '')`, []any{instant(t0)}},
			{`INSERT INTO decision_members (decision_id, row_key, facts_digest) VALUES ('d1', 'k', 'f')`, nil},
		} {
			must(t, old.q().exec(ctx, q.sql, q.args...))
		}
		if got := g.link(""); got != formerLink {
			t.Errorf("a provenance row is linked as %s; the former version wrote %s", got, formerLink)
		}
		must(t, old.Close())

		db := opened(t, dsn, Options{Entity: "e"})
		must(t, db.VerifyDeliveries(ctx))
		if n, err := db.VerifyAudit(ctx); n != 0 || err != nil {
			t.Errorf("audit log: %d, %v", n, err)
		}
		if now, err := db.CurrentSlots(ctx, jan(5)); err != nil || len(now) != 1 || now[0].File != f || now[0].EffectiveOn != 0 {
			t.Errorf("slots = %+v, %v", now, err)
		}
		run, err := db.LatestRun(ctx, jan(5))
		if err != nil || run.CarryOut != hash("o") || run.Cascade != 0 || run.Reason != "" {
			t.Errorf("run = %+v, %v", run, err)
		}
		if next, err := db.NextCascade(ctx); next != 1 || err != nil {
			t.Errorf("next cascade = %d, %v", next, err)
		}
		c, err := db.FindCase(ctx, "A0")
		if err != nil || c.ID != "A" || c.Amount.Int64 != 100 || c.Members != nil || c.IDs != nil || !reflect.DeepEqual(c.Aliases, []string{"A0"}) {
			t.Errorf("case = %+v, %v", c, err)
		}
		ds, err := db.DecisionsOf(ctx, "A")
		if err != nil || len(ds) != 1 || ds[0].Status != "accepted" || ds[0].Author != "li" || len(ds[0].Members) != 1 {
			t.Errorf("decisions = %+v, %v", ds, err)
		}
		if _, err := db.RecordDelivery(ctx, Sighting{SHA256: hash("d2"), Source: "ums", Name: "b", Received: t0, HostKey: "SHA256:abc"}); err != nil {
			t.Error(err)
		}
		if log, err := db.AuditLog(ctx, 0); err != nil || len(log) != 0 {
			t.Errorf("the host key that was known before the upgrade is in the log as new: %+v, %v", log, err)
		}
	})
}
