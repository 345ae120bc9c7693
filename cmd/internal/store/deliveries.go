package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Sighting is the provenance of one delivery: the bytes SHA256, of Size bytes, were found as Name at Source.
type Sighting struct {
	SHA256   string // of the raw bytes
	Size     int64
	Source   string
	Name     string    // remote name as listed; any bytes
	Modified time.Time // as listed; kept to the microsecond
	Received time.Time // when the bytes were safe in the archive
	HostKey  string    // fingerprint of the server's key; empty for a local folder
	Identity string    // which of our keys or accounts opened the door
	Program  string    // version that fetched
}

// RecordDelivery stores a delivery that already lies in the archive, with where it was seen. known tells that the
// bytes had come before, under this name or another. To record the same sighting twice changes nothing.
func (s *DB) RecordDelivery(ctx context.Context, g Sighting) (known bool, err error) {
	if err := checkDigest("delivery", g.SHA256); err != nil {
		return false, err
	}
	if g.Source == "" || g.Name == "" || g.Size < 0 || g.Received.IsZero() {
		return false, invalid("delivery %s needs a source, a name, a size and an instant", g.SHA256)
	}
	err = s.inTx(ctx, func(q querier) error {
		n, err := q.change(ctx, `INSERT INTO deliveries (sha256, size, received_at) VALUES (?, ?, ?)
			ON CONFLICT (sha256) DO NOTHING`, g.SHA256, g.Size, instant(g.Received))
		if err != nil {
			return err
		}
		known = n == 0
		return s.recordName(ctx, q, g)
	})
	return known, err
}

// recordName appends to the provenance chain, unless this very sighting is in it.
func (s *DB) recordName(ctx context.Context, q querier, g Sighting) error {
	seq, before, err := nextLink(ctx, q, deliveryChain)
	if err != nil {
		return err
	}
	row := nameRow{Seq: seq, SHA256: g.SHA256, Source: g.Source, Name: escapeName(g.Name), Size: g.Size,
		Modified: instant(g.Modified), Received: instant(g.Received), HostKey: clean(g.HostKey),
		Identity: clean(g.Identity), Program: clean(g.Program)}
	row.Chain = row.link(before)
	fresh, err := newHostKey(ctx, q, row)
	if err != nil {
		return err
	}
	n, err := q.change(ctx, `INSERT INTO delivery_names (seq, delivery_sha256, source, remote_name, size, modified_at,
		received_at, host_key, identity, program, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (source, remote_name, size, modified_at, delivery_sha256) DO NOTHING`,
		row.Seq, row.SHA256, row.Source, row.Name, row.Size, row.Modified, row.Received, row.HostKey, row.Identity,
		row.Program, row.Chain)
	if err != nil || n == 0 {
		return err
	}
	if fresh {
		err := s.appendAudit(ctx, q, AuditEntry{Actor: programActor, Action: AuditHostKey, Subject: row.Source,
			Detail: detail(map[string]any{"host_key": row.HostKey, "identity": row.Identity})})
		if err != nil {
			return err
		}
	}
	return setHead(ctx, q, deliveryChain, row.Seq, row.Chain)
}

// newHostKey reports whether the source was never seen under the row's host key before.
func newHostKey(ctx context.Context, q querier, row nameRow) (bool, error) {
	if row.HostKey == "" {
		return false, nil // a local folder
	}
	var seen []int64
	err := q.all(ctx, &seen, `SELECT seq FROM delivery_names WHERE source = ? AND host_key = ? LIMIT 1`, row.Source, row.HostKey)
	return len(seen) == 0, err
}

// nameRow is one row of the provenance chain as stored.
type nameRow struct {
	Seq      int64  `db:"seq"`
	SHA256   string `db:"delivery_sha256"`
	Source   string `db:"source"`
	Name     string `db:"remote_name"`
	Size     int64  `db:"size"`
	Modified string `db:"modified_at"`
	Received string `db:"received_at"`
	HostKey  string `db:"host_key"`
	Identity string `db:"identity"`
	Program  string `db:"program"`
	Chain    string `db:"chain"`
}

func (r nameRow) place() (int64, string) { return r.Seq, r.Chain }
func (r nameRow) label() string          { return r.Name }

func (r nameRow) link(before string) string {
	return linkOf(before, r.Seq, r.SHA256, r.Source, r.Name, r.Size, r.Modified, r.Received, r.HostKey, r.Identity, r.Program)
}

func (r nameRow) sighting() (Sighting, error) {
	var d decoder
	g := Sighting{SHA256: r.SHA256, Size: r.Size, Source: r.Source, Name: unescapeName(r.Name), HostKey: r.HostKey,
		Identity: r.Identity, Program: r.Program, Modified: d.time(r.Modified), Received: d.time(r.Received)}
	return g, d.err
}

const nameColumns = `seq, delivery_sha256, source, remote_name, size, modified_at, received_at, host_key, identity, program, chain`

// VerifyDeliveries recomputes the provenance chain and returns an ErrDamaged that names the first row that was
// changed, removed or put in by hand.
func (s *DB) VerifyDeliveries(ctx context.Context) error {
	return s.snapshot(ctx, func(q querier) error {
		var rows []nameRow
		if err := q.all(ctx, &rows, `SELECT `+nameColumns+` FROM delivery_names ORDER BY seq`); err != nil {
			return err
		}
		head, err := headOf(ctx, q, deliveryChain)
		if err != nil {
			return err
		}
		return verifyChain("provenance", rows, head)
	})
}

// KnownRemote answers whether a listed file was fetched before, and as which delivery: same source, name, size and
// modification time. ok is false where it was not.
func (s *DB) KnownRemote(ctx context.Context, source, name string, size int64, modified time.Time) (sha string, ok bool, err error) {
	err = s.get(ctx, &sha, `SELECT delivery_sha256 FROM delivery_names
		WHERE source = ? AND remote_name = ? AND size = ? AND modified_at = ? ORDER BY seq DESC LIMIT 1`,
		source, escapeName(name), size, instant(modified))
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return sha, err == nil, err
}

// Sightings lists where and when a delivery was seen, in the order in which it was recorded.
func (s *DB) Sightings(ctx context.Context, sha string) ([]Sighting, error) {
	var rows []nameRow
	err := s.all(ctx, &rows, `SELECT `+nameColumns+` FROM delivery_names WHERE delivery_sha256 = ? ORDER BY seq`, sha)
	if err != nil {
		return nil, err
	}
	list := make([]Sighting, 0, len(rows))
	for _, r := range rows {
		g, err := r.sighting()
		if err != nil {
			return nil, fmt.Errorf("provenance row %d: %w", r.Seq, err)
		}
		list = append(list, g)
	}
	return list, nil
}

// LastSighting is the number of the newest sighting, from 1; 0 where there is none.
func (s *DB) LastSighting(ctx context.Context) (int64, error) {
	head, err := headOf(ctx, s.q(), deliveryChain)
	return head.Length, s.dialect.classify(err)
}

// Unopened lists the deliveries of which no file has been recorded, oldest first: what a crash has left between
// fetching and opening. It looks only at sightings after a number; 0 looks at all.
func (s *DB) Unopened(ctx context.Context, after int64) ([]Sighting, error) {
	var rows []nameRow
	err := s.all(ctx, &rows, `SELECT `+nameColumns+` FROM delivery_names n
		WHERE n.seq > ? AND NOT EXISTS (SELECT 1 FROM file_names f WHERE f.source = n.source AND f.delivery_sha256 = n.delivery_sha256)
		ORDER BY seq`, after)
	if err != nil {
		return nil, err
	}
	var list []Sighting
	seen := map[string]bool{}
	for _, r := range rows {
		key := strings.Join([]string{r.Source, r.SHA256}, "\x00")
		if seen[key] {
			continue
		}
		seen[key] = true
		g, err := r.sighting()
		if err != nil {
			return nil, fmt.Errorf("provenance row %d: %w", r.Seq, err)
		}
		list = append(list, g)
	}
	return list, nil
}

// Renamed lists the sightings after a number of deliveries that the source had already brought under another name, oldest
// first; after 0 it lists all.
func (s *DB) Renamed(ctx context.Context, after int64) ([]Sighting, error) {
	var rows []nameRow
	var err error
	if after > 0 {
		err = s.all(ctx, &rows, `SELECT `+nameColumns+` FROM delivery_names n WHERE n.seq > ? AND EXISTS (SELECT 1 FROM delivery_names o
			WHERE o.source = n.source AND o.delivery_sha256 = n.delivery_sha256 AND o.remote_name <> n.remote_name AND o.seq < n.seq) ORDER BY seq`, after)
	} else {
		// The first condition passes over the deliveries of one name by reading an index from end to end, once.
		err = s.all(ctx, &rows, `SELECT `+nameColumns+` FROM delivery_names n WHERE n.delivery_sha256 IN
			(SELECT delivery_sha256 FROM delivery_names GROUP BY delivery_sha256 HAVING count(*) > 1)
			AND EXISTS (SELECT 1 FROM delivery_names o
			WHERE o.source = n.source AND o.delivery_sha256 = n.delivery_sha256 AND o.remote_name <> n.remote_name AND o.seq < n.seq) ORDER BY seq`)
	}
	if err != nil {
		return nil, err
	}
	var list []Sighting
	for _, r := range rows {
		g, err := r.sighting()
		if err != nil {
			return nil, err
		}
		list = append(list, g)
	}
	return list, nil
}
