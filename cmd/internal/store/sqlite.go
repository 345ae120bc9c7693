package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	sqlitedriver "modernc.org/sqlite"
)

// sqlite is the one place that knows words of SQLite.
type sqlite struct {
	path string
}

// pragma is a setting that every connection must have, and how SQLite reports it back.
type pragma struct{ name, set, want string }

func (d *sqlite) pragmas(o Options) []pragma {
	ms := strconv.FormatInt(o.BusyTimeout.Milliseconds(), 10)
	p := []pragma{
		{"busy_timeout", ms, ms},
		{"foreign_keys", "1", "1"},
		{"synchronous", "FULL", "2"},
		{"trusted_schema", "0", "0"},
	}
	if o.ReadOnly {
		return append(p, pragma{"query_only", "1", "1"})
	}
	return append(p, pragma{"journal_mode", "WAL", "wal"})
}

func (d *sqlite) open(ctx context.Context, o Options) (*sqlx.DB, error) {
	if d.path == "" {
		return nil, invalid("the path of the database is empty")
	}
	path, err := filepath.Abs(d.path)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", d.path, err)
	}
	d.path = path
	mode, err := d.ready(o)
	if err != nil {
		return nil, err
	}
	if kind := networkFileSystem(filepath.Dir(path)); kind != "" {
		o.Warn(fmt.Sprintf("database %s lies on a network file system (%s): SQLite cannot lock safely there; "+
			"use a local disk, or PostgreSQL", path, kind))
	}
	db, err := sqlx.Open("sqlite", d.uri(mode, o))
	if err != nil {
		return nil, d.classify(err)
	}
	// Readers beside one writer; more would only queue for the write lock.
	db.SetMaxOpenConns(4)
	if err := d.assert(ctx, db, o); err != nil {
		return nil, errors.Join(d.classify(err), db.Close())
	}
	return db, nil
}

// ready makes sure that the file is there with mode 0600, and returns the mode in which SQLite opens it.
func (d *sqlite) ready(o Options) (mode string, err error) {
	info, err := os.Stat(d.path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && o.ReadOnly:
		return "", fmt.Errorf("%w: %s does not exist: start with: daozhang run", ErrNotInitialised, d.path)
	case errors.Is(err, fs.ErrNotExist):
		return "rw", d.create()
	case err != nil:
		return "", fmt.Errorf("database %s: %w", d.path, err)
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%w: %s is not a file: name a file in the setting of the database", ErrForeign, d.path)
	}
	if f, err := os.OpenFile(d.path, os.O_RDWR, 0); err == nil {
		if err := f.Close(); err != nil {
			return "", fmt.Errorf("database %s: %w", d.path, err)
		}
	} else if o.ReadOnly && (errors.Is(err, fs.ErrPermission) || errors.Is(err, errReadOnlyDisk)) {
		return "ro", nil
	} else {
		return "", fmt.Errorf("database %s cannot be written: %w: give it to the user who runs daozhang", d.path, err)
	}
	if info.Mode().Perm()&0o077 != 0 && !o.ReadOnly {
		o.Warn(fmt.Sprintf("database %s was open to others (mode %04o); it is now 0600", d.path, info.Mode().Perm()))
		if err := os.Chmod(d.path, 0o600); err != nil {
			return "", fmt.Errorf("database %s is open to others: %w", d.path, err)
		}
	}
	return "rw", nil
}

// create makes an empty file before SQLite does, since SQLite would leave its mode to the umask. The side files
// take the mode of the main file.
func (d *sqlite) create() error {
	if err := os.MkdirAll(filepath.Dir(d.path), 0o700); err != nil {
		return fmt.Errorf("folder of the database: %w", err)
	}
	f, err := os.OpenFile(d.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("making the database: %w", err)
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

func (d *sqlite) uri(mode string, o Options) string {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(d.path)}
	return u.String() + "?" + d.settings(mode, o, d.pragmas(o))
}

func (d *sqlite) settings(mode string, o Options, pragmas []pragma) string {
	v := url.Values{"mode": {mode}, "_txlock": {"immediate"}, "_dqs": {"0"}, "_defensive": {"1"}, "_error_rc": {"1"}}
	for _, p := range pragmas {
		v.Add("_pragma", p.name+"("+p.set+")")
	}
	if mode == "ro" || o.ReadOnly {
		v.Set("_txlock", "deferred")
	}
	return v.Encode()
}

// assert reads the settings back: a build or a file system that ignores one must not go unnoticed.
func (d *sqlite) assert(ctx context.Context, db *sqlx.DB, o Options) error {
	return d.kept(ctx, db, d.pragmas(o))
}

func (d *sqlite) kept(ctx context.Context, db *sqlx.DB, settings []pragma) error {
	for _, p := range settings {
		var got string
		if err := db.GetContext(ctx, &got, "PRAGMA "+p.name); err != nil {
			return err
		}
		if !strings.EqualFold(got, p.want) {
			return fmt.Errorf("%w: %s of %s is %s and must be %s: put the database on a local disk that supports it",
				ErrSettings, p.name, d.path, got, p.want)
		}
	}
	return nil
}

func (d *sqlite) close() error         { return nil }
func (d *sqlite) bind() int            { return sqlx.QUESTION }
func (d *sqlite) goose() goose.Dialect { return goose.DialectSQLite3 }
func (d *sqlite) folder() string       { return "sqlite" }

func (d *sqlite) hasTable(ctx context.Context, db *sqlx.DB, name string) (bool, error) {
	var n int
	err := db.GetContext(ctx, &n, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?", name)
	return n > 0, err
}

func (d *sqlite) tables(ctx context.Context, db *sqlx.DB) (n int, err error) {
	err = db.GetContext(ctx, &n, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'")
	return n, err
}

func (d *sqlite) exclusive(ctx context.Context) (func() error, []goose.ProviderOption, error) {
	l, err := waitFileLock(ctx, d.path+".schema.lock")
	if err != nil {
		return nil, nil, err
	}
	return l.release, nil, nil
}

func (d *sqlite) lock(name string) (*fileLock, error) {
	return tryFileLock(d.path + "." + name + ".lock")
}

// committed moves the write-ahead log into the main file and empties it, so that a day once committed survives the
// loss of the side file (a copy of the main file alone, a cleaned folder), and so that an older main file that is put
// back later does not meet a log that is not its own: SQLite would replay it. A reader in the way only delays that.
func (d *sqlite) committed(ctx context.Context, db *sqlx.DB) error {
	var r struct {
		Busy         int `db:"busy"`
		Log          int `db:"log"`
		Checkpointed int `db:"checkpointed"`
	}
	return db.GetContext(ctx, &r, "PRAGMA wal_checkpoint(TRUNCATE)")
}

// Primary result codes of SQLite that have an instruction of their own.
const (
	codeBusy     = 5
	codeLocked   = 6
	codeReadOnly = 8
	codeIO       = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26
)

func (d *sqlite) classify(err error) error {
	var e *sqlitedriver.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case codeBusy, codeLocked:
		return fmt.Errorf("%w: %s: another process is writing: try again (%w)", ErrBusy, d.path, err)
	case codeCorrupt:
		return fmt.Errorf("%w: %s: stop all runs, keep a copy of the file with its -wal and -shm beside it, and restore "+
			"the last backup; the archive and the carry files are untouched and later days are run again from them (%w)",
			ErrDamaged, d.path, err)
	case codeNotADB:
		return fmt.Errorf("%w: %s is not a SQLite file, or its head is overwritten: name another path, or restore the "+
			"last backup (%w)", ErrDamaged, d.path, err)
	case codeFull:
		return fmt.Errorf("database %s: the disk is full; nothing was changed: free some space and run again: %w", d.path, err)
	case codeReadOnly, codeCantOpen:
		return fmt.Errorf("database %s cannot be written: look at the owner and mode of the file and of its folder: %w",
			d.path, err)
	case codeIO:
		return fmt.Errorf("database %s: the disk or its driver reports a failure: look at the system log before the next run: %w",
			d.path, err)
	}
	return fmt.Errorf("database %s: %w", d.path, err)
}

func (d *sqlite) backup(ctx context.Context, db *sqlx.DB, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("backup %s: %w: name a new file", path, fs.ErrExist)
	}
	part := path + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("backup: %w", err)
	}
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", part)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return fmt.Errorf("backup: %w", errors.Join(err, os.Remove(part)))
	}
	return syncDir(filepath.Dir(path))
}

func (d *sqlite) check(ctx context.Context, db *sqlx.DB) error {
	var found []string
	if err := db.SelectContext(ctx, &found, "PRAGMA integrity_check(20)"); err != nil {
		return err
	}
	if len(found) != 1 || found[0] != "ok" {
		return fmt.Errorf("%w: %s: %s: stop all runs, keep a copy of the file with its -wal and -shm beside it, and "+
			"restore the last backup", ErrDamaged, d.path, strings.Join(found, "; "))
	}
	return nil
}
