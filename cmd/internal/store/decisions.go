package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// StepDecision names the point within RecordDecisions, once for each decision, at which Options.Step is called: it is written,
// but not committed.
const StepDecision = "decision-written"

// RecordDecisions stores decisions, all or none, each with its entry in the audit log. A decision is never changed: a
// later one on the same case overtakes it. Instants are kept to the microsecond and come back in UTC; members come back
// sorted by key. ErrInvalid names the case whose decision may not be stored.
func (s *DB) RecordDecisions(ctx context.Context, ds []reconcile.Decision) error {
	for i := range ds {
		if err := checkDecision(&ds[i]); err != nil {
			return err
		}
	}
	return s.inTx(ctx, func(q querier) error {
		for i := range ds {
			if err := s.insertDecision(ctx, q, &ds[i]); err != nil {
				return fmt.Errorf("decision %s on case %s: %w", ds[i].ID, ds[i].CaseID, err)
			}
			s.step(StepDecision)
		}
		return nil
	})
}

func checkDecision(d *reconcile.Decision) error {
	for _, f := range []struct{ name, text string }{{"an id", d.ID}, {"a case", d.CaseID}, {"an author", d.Author},
		{"a reason", d.Reason}} {
		if strings.TrimSpace(f.text) == "" {
			return invalid("decision %q on case %q needs %s", d.ID, d.CaseID, f.name)
		}
		if !utf8.ValidString(f.text) || strings.Contains(f.text, "\x00") {
			return invalid("decision %q on case %q: %q is not plain text", d.ID, d.CaseID, f.text)
		}
	}
	if !slices.Contains(reconcile.DecisionStatuses(), d.Status) {
		return invalid("decision %s on case %s: there is no status %q", d.ID, d.CaseID, d.Status)
	}
	if d.At.IsZero() || d.EffectiveOn == 0 || len(d.Members) == 0 {
		return invalid("decision %s on case %s needs an instant, a date from which it acts, and members", d.ID, d.CaseID)
	}
	keys := map[string]bool{}
	for _, m := range d.Members {
		if m.Key == "" || keys[m.Key] {
			return invalid("decision %s on case %s: the member %q is there twice or has no key", d.ID, d.CaseID, m.Key)
		}
		keys[m.Key] = true
	}
	return nil
}

func (s *DB) insertDecision(ctx context.Context, q querier, d *reconcile.Decision) error {
	n, err := q.change(ctx, `INSERT INTO decisions (decision_id, case_id, class, status, until_date, author, reason,
		decided_at, effective_on, seen_on, ids) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (decision_id) DO NOTHING`,
		d.ID, d.CaseID, string(d.Class), string(d.Status), d.Until.String(), d.Author, d.Reason, instant(d.At),
		d.EffectiveOn.String(), d.SeenOn.String(), listText(d.IDs))
	if err != nil {
		return err
	}
	if n == 0 {
		return invalid("the id %s is taken by another decision", d.ID)
	}
	rows := make([][]any, 0, len(d.Members))
	for _, m := range d.Members {
		rows = append(rows, []any{d.ID, escapeName(m.Key), escapeName(m.Facts)})
	}
	if err := q.insertRows(ctx, `INSERT INTO decision_members (decision_id, row_key, facts_digest) VALUES`, 3, rows); err != nil {
		return err
	}
	return s.appendAudit(ctx, q, decisionEntry(d))
}

// decisionEntry is what the audit log says of a decision.
func decisionEntry(d *reconcile.Decision) AuditEntry {
	fields := map[string]any{"id": d.ID, "status": string(d.Status), "reason": d.Reason,
		"effective_on": d.EffectiveOn.String(), "until": d.Until.String(), "members": len(d.Members)}
	return AuditEntry{At: d.At, Actor: d.Author, Action: AuditDecision, Subject: d.CaseID, Detail: detail(fields)}
}

type decisionRow struct {
	ID        string `db:"decision_id"`
	CaseID    string `db:"case_id"`
	Class     string `db:"class"`
	Status    string `db:"status"`
	Until     string `db:"until_date"`
	Author    string `db:"author"`
	Reason    string `db:"reason"`
	At        string `db:"decided_at"`
	Effective string `db:"effective_on"`
	SeenOn    string `db:"seen_on"`
	IDs       string `db:"ids"`
}

type decisionMemberRow struct {
	ID    string `db:"decision_id"`
	Key   string `db:"row_key"`
	Facts string `db:"facts_digest"`
}

const (
	selectDecisions = `SELECT d.decision_id, d.case_id, d.class, d.status, d.until_date, d.author, d.reason, d.decided_at,
		d.effective_on, d.seen_on, d.ids FROM decisions d `
	selectDecisionMembers = `SELECT m.decision_id, m.row_key, m.facts_digest
		FROM decision_members m JOIN decisions d ON d.decision_id = m.decision_id `
	orderDecisions = ` ORDER BY d.effective_on, d.decided_at, d.decision_id`
)

func decodeDecisions(rows []decisionRow, members []decisionMemberRow) ([]reconcile.Decision, error) {
	of := map[string][]reconcile.Member{}
	for _, m := range members {
		of[m.ID] = append(of[m.ID], reconcile.Member{Key: unescapeName(m.Key), Facts: unescapeName(m.Facts)})
	}
	list := make([]reconcile.Decision, 0, len(rows))
	for _, r := range rows {
		var d decoder
		v := reconcile.Decision{ID: r.ID, CaseID: r.CaseID, Class: reconcile.Class(r.Class), Status: reconcile.DecisionStatus(r.Status),
			Until: d.date(r.Until), Author: r.Author, Reason: r.Reason, At: d.time(r.At), EffectiveOn: d.date(r.Effective),
			SeenOn: d.date(r.SeenOn), Members: of[r.ID], IDs: d.list(r.IDs)}
		if d.err != nil {
			return nil, fmt.Errorf("decision %s: %w", r.ID, d.err)
		}
		// Escaped keys sort otherwise where one holds a control character.
		slices.SortFunc(v.Members, func(a, b reconcile.Member) int { return strings.Compare(a.Key, b.Key) })
		list = append(list, v)
	}
	return list, nil
}

// Decisions lists what is in effect on a date: effective_on <= on, ordered by (effective_on, at, id).
func (s *DB) Decisions(ctx context.Context, on txn.Date) ([]reconcile.Decision, error) {
	var rows []decisionRow
	if err := s.all(ctx, &rows, selectDecisions+`WHERE d.effective_on <= ?`+orderDecisions, on.String()); err != nil || len(rows) == 0 {
		return nil, err
	}
	var members []decisionMemberRow
	if err := s.all(ctx, &members, selectDecisionMembers+`WHERE d.effective_on <= ?`, on.String()); err != nil {
		return nil, err
	}
	return decodeDecisions(rows, members)
}

// DecisionsOf lists all decisions on a case, in order: those made under any of its ids, and those that name one of its
// members as the newest book with the case has them. Nothing, without an error, where the case is not known.
func (s *DB) DecisionsOf(ctx context.Context, id string) ([]reconcile.Decision, error) {
	c, err := s.FindCase(ctx, id)
	ids := append([]string{id, c.ID}, c.Aliases...)
	if errors.Is(err, ErrNotFound) {
		ids, err = s.family(ctx, id, true)
	}
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, one := range ids {
		var part []string
		if err := s.all(ctx, &part, `SELECT decision_id FROM decisions WHERE case_id = ?`, one); err != nil {
			return nil, err
		}
		note(found, part)
	}
	for _, m := range c.Members {
		var part []string
		if err := s.all(ctx, &part, `SELECT decision_id FROM decision_members WHERE row_key = ?`, escapeName(m.Key)); err != nil {
			return nil, err
		}
		note(found, part)
	}
	return s.decisionsWith(ctx, found)
}

func note(set map[string]bool, ids []string) {
	for _, id := range ids {
		set[id] = true
	}
}

func (s *DB) decisionsWith(ctx context.Context, ids map[string]bool) ([]reconcile.Decision, error) {
	var rows []decisionRow
	var members []decisionMemberRow
	for one := range ids {
		var r []decisionRow
		var m []decisionMemberRow
		if err := s.all(ctx, &r, selectDecisions+`WHERE d.decision_id = ?`, one); err != nil {
			return nil, err
		}
		if err := s.all(ctx, &m, selectDecisionMembers+`WHERE d.decision_id = ?`, one); err != nil {
			return nil, err
		}
		rows, members = append(rows, r...), append(members, m...)
	}
	slices.SortFunc(rows, func(a, b decisionRow) int {
		return cmp.Or(strings.Compare(a.Effective, b.Effective), strings.Compare(a.At, b.At), strings.Compare(a.ID, b.ID))
	})
	return decodeDecisions(rows, members)
}
