package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// actions lists the log in short, from after on.
func actions(t *testing.T, db *DB, after int64) string {
	t.Helper()
	log, err := db.AuditLog(ctx, after)
	must(t, err)
	var s []string
	for _, e := range log {
		s = append(s, fmt.Sprintf("%s %s %s", e.Actor, e.Action, e.Subject))
	}
	return strings.Join(s, "; ")
}

func TestAnAuditEntryComesBackAsItWas(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		must(t, db.Audit(ctx, AuditEntry{At: t0.Add(time.Hour), Actor: "李雷", Action: AuditRerun, Subject: "2026-01-05",
			Detail: `{"why": "<mended>", "days": 12345678901234567890, "a": ["x"]}`}))
		must(t, db.Audit(ctx, AuditEntry{Actor: "p", Action: AuditOverride}))
		log, err := db.AuditLog(ctx, 0)
		must(t, err)
		want := AuditEntry{Seq: 1, At: t0.Add(time.Hour), Actor: "李雷", Action: "rerun", Subject: "2026-01-05",
			Detail: `{"a":["x"],"days":12345678901234567890,"why":"<mended>"}`, Chain: log[0].Chain}
		if len(log) != 2 || log[0] != want || log[1].Detail != "{}" || log[1].At != t0 {
			t.Errorf("log = %+v\nwant %+v", log, want)
		}
		if rest, err := db.AuditLog(ctx, 1); err != nil || len(rest) != 1 || rest[0].Seq != 2 {
			t.Errorf("after 1: %+v, %v", rest, err)
		}
		for _, bad := range []AuditEntry{{Actor: "p", Action: "guess"}, {Action: AuditRerun}, {Actor: "p", Action: AuditRerun, Detail: "[1]"},
			{Actor: "p", Action: AuditRerun, Detail: "null"}, {Actor: "p", Action: AuditRerun, Detail: "{} {}"}} {
			if err := db.Audit(ctx, bad); !errors.Is(err, ErrInvalid) {
				t.Errorf("%+v: %v; want ErrInvalid", bad, err)
			}
		}
		if n, err := db.VerifyAudit(ctx); n != 2 || err != nil {
			t.Errorf("verify = %d, %v", n, err)
		}
	})
}

func TestAnAuditLineThatWasTamperedWithIsNamed(t *testing.T) {
	for _, tt := range []struct{ name, sql, says string }{
		{"changed", `UPDATE audit_log SET actor = 'somebody else' WHERE seq = 2`, "audit row 2 (rerun day 2 "},
		{"removed", `DELETE FROM audit_log WHERE seq = 2`, "audit row 2 is gone"},
		{"first removed", `DELETE FROM audit_log WHERE seq = 1`, "audit row 1 is gone"},
		{"removed and the rest moved up", `DELETE FROM audit_log WHERE seq = 2; UPDATE audit_log SET seq = 2 WHERE seq = 3`, "audit row 2 "},
		{"last removed", `DELETE FROM audit_log WHERE seq = 3`, "after row 2 are gone"},
		{"all removed", `DELETE FROM audit_log`, "after row 0 are gone"},
		{"put in at the end", `INSERT INTO audit_log (seq, recorded_at, actor, action, subject, detail, chain)
			SELECT 4, recorded_at, actor, action, subject, detail, chain FROM audit_log WHERE seq = 3`, "audit row 4 "},
		{"put in at the front", `INSERT INTO audit_log (seq, recorded_at, actor, action, subject, detail, chain)
			SELECT 0, recorded_at, actor, action, subject, detail, chain FROM audit_log WHERE seq = 3`, "audit row 0 "},
		{"another head", `UPDATE chains SET digest = 'x' WHERE name = 'audit'`, "head of the audit chain"},
		{"a longer head", `UPDATE chains SET length = 4 WHERE name = 'audit'`, "after row 3 are gone"},
		{"no head", `DELETE FROM chains WHERE name = 'audit'`, "audit row 1 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			eachDialect(t, func(t *testing.T, dsn string) {
				db := opened(t, dsn, Options{})
				for i := range 3 {
					must(t, db.Audit(ctx, AuditEntry{Actor: "a", Action: AuditRerun, Subject: fmt.Sprint("day ", i+1)}))
				}
				for part := range strings.SplitSeq(tt.sql, ";") {
					must(t, db.q().exec(ctx, part))
				}
				if _, err := db.VerifyAudit(ctx); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("%v; want ErrDamaged with %q", err, tt.says)
				}
			})
		})
	}
}

func TestAHostKeyIsLoggedOnceForEachSourceThatIsSeenUnderIt(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		for i, g := range []struct{ source, key string }{{"ums", "K1"}, {"ums", "K1"}, {"folder", ""}, {"bank", "K1"}, {"ums", "K2"}, {"ums", "K1"}} {
			_, err := db.RecordDelivery(ctx, Sighting{SHA256: hash(fmt.Sprint(i)), Source: g.source, Name: "f", Received: t0, HostKey: g.key, Identity: "id"})
			must(t, err)
		}
		if got, want := actions(t, db, 0), "program host_key ums; program host_key bank; program host_key ums"; got != want {
			t.Errorf("log: %s\nwant %s", got, want)
		}
		log, err := db.AuditLog(ctx, 2)
		if want := `{"host_key":"K2","identity":"id"}`; err != nil || log[0].Detail != want {
			t.Errorf("%+v, %v; want detail %s", log, err, want)
		}
		// A sighting that is not stored leaves no entry either.
		if _, err := db.RecordDelivery(ctx, Sighting{SHA256: "x", Source: "ums", Name: "f", Received: t0, HostKey: "K3"}); err == nil {
			t.Error("a sighting without a digest was stored")
		}
		if n, err := db.VerifyAudit(ctx); n != 3 || err != nil {
			t.Errorf("verify = %d, %v", n, err)
		}
	})
}
