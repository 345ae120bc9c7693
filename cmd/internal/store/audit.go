package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// AuditEntry is one line of the audit log: who did what, when, to what. The log is only appended to and is a hash
// chain, so that a line that is changed, lost or put in is found.
type AuditEntry struct {
	Seq     int64     // from 1; given by the store
	At      time.Time // kept to the microsecond; the zero time stands for now
	Actor   string    // person or program
	Action  string    // one of AuditActions
	Subject string    // case, date, source ...
	Detail  string    // JSON object with sorted keys; {} where there is nothing to say
	Chain   string    // given by the store
}

// Actions of the audit log.
const (
	AuditDecision = "decision"  // subject: the case
	AuditClose    = "close"     // subject: the last closed date
	AuditReopen   = "reopen"    // subject: the first date that is open again
	AuditRerun    = "rerun"     // subject: the date
	AuditHostKey  = "host_key"  // subject: the source, seen under this key for the first time
	AuditOverride = "override"  // subject: what was overridden
	AuditIssue    = "issue"     // subject: the date
	AuditLateFile = "late_file" // subject: the slot
)

// programActor is the actor of what nobody in person has done.
const programActor = "program"

// AuditActions lists all actions.
func AuditActions() []string {
	return []string{AuditDecision, AuditClose, AuditReopen, AuditRerun, AuditHostKey, AuditOverride, AuditIssue, AuditLateFile}
}

// Audit appends an entry in a transaction of its own. What has an effect of its own appends in the same transaction.
// The keys of the detail are sorted. ErrInvalid for an unknown action, no actor, or a detail that is no JSON object.
func (s *DB) Audit(ctx context.Context, e AuditEntry) error {
	return s.inTx(ctx, func(q querier) error { return s.appendAudit(ctx, q, e) })
}

// appendAudit appends an entry inside the transaction of what it tells of.
func (s *DB) appendAudit(ctx context.Context, q querier, e AuditEntry) error {
	if err := e.complete(s.now); err != nil {
		return err
	}
	seq, before, err := nextLink(ctx, q, auditChain)
	if err != nil {
		return err
	}
	row := auditRow{Seq: seq, At: instant(e.At), Actor: clean(e.Actor), Action: e.Action, Subject: clean(e.Subject), Detail: clean(e.Detail)}
	row.Chain = row.link(before)
	err = q.exec(ctx, `INSERT INTO audit_log (seq, recorded_at, actor, action, subject, detail, chain)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, row.Seq, row.At, row.Actor, row.Action, row.Subject, row.Detail, row.Chain)
	if err != nil {
		return err
	}
	return setHead(ctx, q, auditChain, row.Seq, row.Chain)
}

// complete fills in what may be left out and refuses what may not.
func (e *AuditEntry) complete(now func() time.Time) error {
	known := false
	for _, a := range AuditActions() {
		known = known || a == e.Action
	}
	if !known {
		return invalid("the audit log knows no action %q, only %s", e.Action, strings.Join(AuditActions(), ", "))
	}
	if strings.TrimSpace(e.Actor) == "" {
		return invalid("the audit entry %s of %q needs the name of who did it", e.Action, e.Subject)
	}
	if e.At.IsZero() {
		e.At = now()
	}
	fields := map[string]any{}
	if e.Detail != "" {
		dec := json.NewDecoder(strings.NewReader(e.Detail))
		dec.UseNumber()
		if err := dec.Decode(&fields); err != nil || fields == nil || dec.More() {
			return invalid("the detail of the audit entry %s of %q is no JSON object: %q", e.Action, e.Subject, e.Detail)
		}
	}
	e.Detail = detail(fields)
	return nil
}

// detail writes a JSON object on one line, its keys sorted. The values are texts, numbers and lists of these.
func detail(fields map[string]any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(fields); err != nil {
		return "{}" // not for these values
	}
	return strings.TrimSuffix(b.String(), "\n")
}

type auditRow struct {
	Seq     int64  `db:"seq"`
	At      string `db:"recorded_at"`
	Actor   string `db:"actor"`
	Action  string `db:"action"`
	Subject string `db:"subject"`
	Detail  string `db:"detail"`
	Chain   string `db:"chain"`
}

func (r auditRow) place() (int64, string) { return r.Seq, r.Chain }
func (r auditRow) label() string          { return strings.Join([]string{r.Action, r.Subject, r.At}, " ") }

func (r auditRow) link(before string) string {
	return linkOf(before, r.Seq, r.At, r.Actor, r.Action, r.Subject, r.Detail)
}

const selectAudit = `SELECT seq, recorded_at, actor, action, subject, detail, chain FROM audit_log `

// AuditLog lists the entries after seq, in order.
func (s *DB) AuditLog(ctx context.Context, after int64) ([]AuditEntry, error) {
	var rows []auditRow
	if err := s.all(ctx, &rows, selectAudit+`WHERE seq > ? ORDER BY seq`, after); err != nil {
		return nil, err
	}
	list := make([]AuditEntry, 0, len(rows))
	for _, r := range rows {
		at, err := parseInstant(r.At)
		if err != nil {
			return nil, fmt.Errorf("audit row %d: %w", r.Seq, err)
		}
		list = append(list, AuditEntry{Seq: r.Seq, At: at, Actor: r.Actor, Action: r.Action, Subject: r.Subject, Detail: r.Detail, Chain: r.Chain})
	}
	return list, nil
}

// VerifyAudit recomputes the chain and returns its length, or an ErrDamaged that names the first line that was changed,
// lost or put in.
func (s *DB) VerifyAudit(ctx context.Context) (int64, error) {
	var n int64
	err := s.snapshot(ctx, func(q querier) error {
		var rows []auditRow
		if err := q.all(ctx, &rows, selectAudit+`ORDER BY seq`); err != nil {
			return err
		}
		head, err := headOf(ctx, q, auditChain)
		if err != nil {
			return err
		}
		n = int64(len(rows))
		return verifyChain("audit", rows, head)
	})
	return n, err
}
