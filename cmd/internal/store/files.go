package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// FileStatus says how far a file has come.
type FileStatus string

// States of a file. Quarantined files stay in the archive and stand for no slot.
const (
	Archived    FileStatus = "archived"
	Parsed      FileStatus = "parsed"
	Quarantined FileStatus = "quarantined"
)

// File is one member of a delivery as one source reads it.
type File struct {
	Source   string
	SHA256   string // of the member after decompression
	Size     int64
	Delivery string // the delivery in which it first came
	Position int    // of the member in that delivery, from 0
	Member   string // its name there; any bytes
	Wrappers string // what was taken off, outermost first, e.g. "zip" or "gzip"; written, not read back here

	Status   FileStatus
	Format   string // name of the format that claimed it
	Class    string // exception class of a quarantine, e.g. F09
	Why      string // in words, without card numbers
	Rows     int64  // rows seen, rejected ones included
	Rejected int64
	Judged   time.Time // when it was parsed or quarantined
}

// FileName is one name under which a file came.
type FileName struct {
	Delivery string
	Position int
	Member   string
	Wrappers string
	Recorded time.Time
}

// KnowFile stores a member without the name under which it came: slots may refer to it, and its delivery stays among the
// [DB.Unopened] until RecordFiles says that all of it stands where it belongs.
func (s *DB) KnowFile(ctx context.Context, f File) error {
	if err := checkFile(f); err != nil {
		return err
	}
	return s.inTx(ctx, func(q querier) error {
		_, err := s.insertFile(ctx, q, f)
		return err
	})
}

// RecordFile is RecordFiles for one member. alias tells that the source already had the same bytes, in another delivery
// or position; only the new name is then added. Recording the same thing twice changes nothing and is no alias.
func (s *DB) RecordFile(ctx context.Context, f File) (alias bool, err error) {
	aliases, err := s.RecordFiles(ctx, f)
	return err == nil && aliases == 1, err
}

// RecordFiles stores the members of a delivery, all or none, after which the delivery counts as opened. It returns how
// many of them are aliases.
func (s *DB) RecordFiles(ctx context.Context, files ...File) (aliases int, err error) {
	for _, f := range files {
		if err := checkFile(f); err != nil {
			return 0, err
		}
	}
	err = s.inTx(ctx, func(q querier) error {
		aliases = 0
		for _, f := range files {
			added, err := s.insertFile(ctx, q, f)
			if err != nil {
				return err
			}
			named, err := q.change(ctx, `INSERT INTO file_names (source, delivery_sha256, position, file_sha256, member,
				wrappers, recorded_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, delivery_sha256, position) DO NOTHING`,
				f.Source, f.Delivery, f.Position, f.SHA256, escapeName(f.Member), f.Wrappers, instant(s.now()))
			if err != nil {
				return err
			}
			if added == 0 && named == 1 {
				aliases++
			}
		}
		return nil
	})
	return aliases, err
}

func checkFile(f File) error {
	if err := errors.Join(checkDigest("file", f.SHA256), checkDigest("delivery", f.Delivery)); err != nil {
		return err
	}
	if f.Source == "" || f.Size < 0 || f.Position < 0 {
		return invalid("file %s needs a source, a size and a position", f.SHA256)
	}
	return nil
}

func (s *DB) insertFile(ctx context.Context, q querier, f File) (added int64, err error) {
	return q.change(ctx, `INSERT INTO files (source, sha256, size, delivery_sha256, position, member, status,
		format, class, why, row_count, rejected, recorded_at, judged_at)
		VALUES (?, ?, ?, ?, ?, ?, 'archived', '', '', '', 0, 0, ?, '') ON CONFLICT (source, sha256) DO NOTHING`,
		f.Source, f.SHA256, f.Size, f.Delivery, f.Position, escapeName(f.Member), instant(s.now()))
}

// MarkParsed records that the format has read the file to its end.
func (s *DB) MarkParsed(ctx context.Context, source, sha, format string, rows, rejected int64) error {
	return s.judge(ctx, File{Source: source, SHA256: sha, Status: Parsed, Format: format, Rows: rows, Rejected: rejected})
}

// Quarantine records that the file stands for no slot, with the exception class and the reason in words.
func (s *DB) Quarantine(ctx context.Context, source, sha, class, why string) error {
	if class == "" || why == "" {
		return invalid("the quarantine of file %s needs a class and a reason", sha)
	}
	return s.judge(ctx, File{Source: source, SHA256: sha, Status: Quarantined, Class: class, Why: why})
}

func (s *DB) judge(ctx context.Context, f File) error {
	return s.inTx(ctx, func(q querier) error {
		n, err := q.change(ctx, `UPDATE files SET status = ?, format = ?, class = ?, why = ?, row_count = ?, rejected = ?,
			judged_at = ? WHERE source = ? AND sha256 = ?`,
			f.Status, f.Format, f.Class, clean(f.Why), f.Rows, f.Rejected, instant(s.now()), f.Source, f.SHA256)
		if err == nil && n == 0 {
			return fmt.Errorf("file %s of source %s: %w", f.SHA256, f.Source, ErrNotFound)
		}
		return err
	})
}

type fileRow struct {
	Source   string `db:"source"`
	SHA256   string `db:"sha256"`
	Size     int64  `db:"size"`
	Delivery string `db:"delivery_sha256"`
	Position int    `db:"position"`
	Member   string `db:"member"`
	Status   string `db:"status"`
	Format   string `db:"format"`
	Class    string `db:"class"`
	Why      string `db:"why"`
	Rows     int64  `db:"row_count"`
	Rejected int64  `db:"rejected"`
	Judged   string `db:"judged_at"`
}

const fileColumns = `source, sha256, size, delivery_sha256, position, member, status, format, class, why, row_count, rejected, judged_at`

func (r fileRow) file() (File, error) {
	var d decoder
	f := File{Source: r.Source, SHA256: r.SHA256, Size: r.Size, Delivery: r.Delivery, Position: r.Position,
		Member: unescapeName(r.Member), Status: FileStatus(r.Status), Format: r.Format, Class: r.Class, Why: r.Why,
		Rows: r.Rows, Rejected: r.Rejected, Judged: d.time(r.Judged)}
	return f, d.err
}

// FileOf returns a file of a source; ErrNotFound where there is none.
func (s *DB) FileOf(ctx context.Context, source, sha string) (File, error) {
	var r fileRow
	err := s.get(ctx, &r, `SELECT `+fileColumns+` FROM files WHERE source = ? AND sha256 = ?`, source, sha)
	if errors.Is(err, sql.ErrNoRows) {
		return File{}, fmt.Errorf("file %s of source %s: %w", sha, source, ErrNotFound)
	}
	if err != nil {
		return File{}, err
	}
	return r.file()
}

// FilesWith lists the files in a status, ordered by source and digest.
func (s *DB) FilesWith(ctx context.Context, status FileStatus) ([]File, error) {
	var rows []fileRow
	err := s.all(ctx, &rows, `SELECT `+fileColumns+` FROM files WHERE status = ? ORDER BY source, sha256`, string(status))
	if err != nil {
		return nil, err
	}
	list := make([]File, 0, len(rows))
	for _, r := range rows {
		f, err := r.file()
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}

// FileNames lists all names under which a source's file came; the first is its own, the others are aliases.
func (s *DB) FileNames(ctx context.Context, source, sha string) ([]FileName, error) {
	var rows []struct {
		Delivery string `db:"delivery_sha256"`
		Position int    `db:"position"`
		Member   string `db:"member"`
		Wrappers string `db:"wrappers"`
		Recorded string `db:"recorded_at"`
	}
	err := s.all(ctx, &rows, `SELECT delivery_sha256, position, member, wrappers, recorded_at FROM file_names
		WHERE source = ? AND file_sha256 = ? ORDER BY recorded_at, delivery_sha256, position`, source, sha)
	if err != nil {
		return nil, err
	}
	var d decoder
	list := make([]FileName, 0, len(rows))
	for _, r := range rows {
		list = append(list, FileName{r.Delivery, r.Position, unescapeName(r.Member), r.Wrappers, d.time(r.Recorded)})
	}
	return list, d.err
}

// Control is one stated total beside the computed one.
type Control struct {
	Source   string
	File     string // SHA-256 of the member that states it
	Scope    string
	Name     string
	Stated   string
	Computed string
	OK       bool
}

// Controls lists the control totals that a file states, in the order of the file.
func (s *DB) Controls(ctx context.Context, source, sha string) ([]Control, error) {
	var rows []struct {
		Scope    string `db:"scope"`
		Name     string `db:"name"`
		Stated   string `db:"stated"`
		Computed string `db:"computed"`
		OK       bool   `db:"ok"`
	}
	err := s.all(ctx, &rows, `SELECT scope, name, stated, computed, ok FROM control_totals
		WHERE source = ? AND file_sha256 = ? ORDER BY ordinal`, source, sha)
	if err != nil {
		return nil, err
	}
	list := make([]Control, 0, len(rows))
	for _, r := range rows {
		list = append(list, Control{source, sha, r.Scope, r.Name, r.Stated, r.Computed, r.OK})
	}
	return list, nil
}

// replaceControls stores the controls of the files that they name, in place of what was known of these files.
func replaceControls(ctx context.Context, q querier, controls []Control) error {
	type key struct{ source, file string }
	next := map[key]int{}
	rows := make([][]any, 0, len(controls))
	for _, c := range controls {
		k := key{c.Source, c.File}
		if next[k] == 0 {
			if err := q.exec(ctx, `DELETE FROM control_totals WHERE source = ? AND file_sha256 = ?`, c.Source, c.File); err != nil {
				return err
			}
		}
		next[k]++
		rows = append(rows, []any{c.Source, c.File, next[k], clean(c.Scope), clean(c.Name), clean(c.Stated), clean(c.Computed), c.OK})
	}
	return q.insertRows(ctx, `INSERT INTO control_totals
		(source, file_sha256, ordinal, scope, name, stated, computed, ok) VALUES`, 8, rows)
}
