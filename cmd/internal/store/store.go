package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
)

// Options of [Open]. Now must be set; the rest has working zero values.
type Options struct {
	Now      func() time.Time // the clock; only leases and "recorded at" columns look at it
	Entity   string           // whose books; written when the database is made, compared afterwards. Empty: not compared
	ReadOnly bool             // never create, migrate or write; ErrNotInitialised where there is nothing
	// NoMigrate refuses an older schema with ErrOlderSchema instead of migrating it: for a database role that may
	// not change the schema.
	NoMigrate   bool
	BusyTimeout time.Duration // how long a statement waits for another process; 0 means 15 s
	// AllowPlainPostgres permits a PostgreSQL on another host without verified TLS (sslmode=verify-full).
	AllowPlainPostgres bool
	Warn               func(string) // told of what is allowed but unwise; nil drops it
	Step               func(string) // told of the named steps of CommitDay, for crash tests; see [Steps]
	// Like is a database in memory that a new one in memory begins as a copy of: for tests that need thousands.
	Like *DB
}

// DB is the store. It is safe for concurrent use.
type DB struct {
	db      *sqlx.DB
	dialect dialect
	one     *single // set where one connection does everything
	now     func() time.Time
	step    func(string)
}

// Open opens the store that dsn names: postgres://... or postgresql://..., else the path of a SQLite file, which is
// made with mode 0600 if it is missing. The schema is made or migrated, unless the options forbid it.
//
// For tests, memory:NAME is a SQLite database in memory, shared by all who open that name in this process and gone when
// the last of them closes it. Its leases have no lock of the operating system. Let one Open of a name return before
// another goroutine opens it.
//
// Errors: ErrNotInitialised, ErrNewerSchema, ErrOlderSchema, ErrForeign, ErrDamaged, ErrBusy, ErrSettings; each text
// says what to do next.
func Open(ctx context.Context, dsn string, o Options) (*DB, error) {
	if o.Now == nil {
		return nil, invalid("Options.Now is not set: pass a clock")
	}
	if o.BusyTimeout == 0 {
		o.BusyTimeout = 15 * time.Second
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	if o.Step == nil {
		o.Step = func(string) {}
	}
	var d dialect
	var m *memory
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		d = &postgres{dsn: dsn}
	} else if name, ok := strings.CutPrefix(dsn, memoryPrefix); ok {
		m = &memory{sqlite: sqlite{path: dsn}, name: name}
		d = m
	} else {
		d = &sqlite{path: dsn}
	}
	db, err := d.open(ctx, o)
	if err != nil {
		return nil, err
	}
	s := &DB{db: db, dialect: d, now: o.Now, step: o.Step}
	if m != nil {
		s.one = m.one
		if err := m.begin(ctx, db, o.Like); err != nil {
			return nil, errors.Join(d.classify(err), s.Close())
		}
	}
	if err := s.prepare(ctx, o); err != nil {
		return nil, errors.Join(d.classify(err), s.Close())
	}
	return s, nil
}

// Close ends all connections.
func (s *DB) Close() error { return errors.Join(s.dialect.close(), s.db.Close()) }

// Backup writes a consistent copy to path while the store is in use (SQLite; PostgreSQL has its own tools and
// refuses). The file appears whole or not at all and is never overwritten.
func (s *DB) Backup(ctx context.Context, path string) error {
	return s.dialect.classify(s.dialect.backup(ctx, s.db, path))
}

// Check reads the whole database and returns ErrDamaged with what it found.
func (s *DB) Check(ctx context.Context) error { return s.dialect.classify(s.dialect.check(ctx, s.db)) }

// prepare brings the schema to this program's version, or says why not.
func (s *DB) prepare(ctx context.Context, o Options) error {
	have, err := s.schemaVersion(ctx)
	if err != nil {
		return err
	}
	want, err := newestMigration(s.dialect)
	if err != nil {
		return err
	}
	switch {
	case have > want:
		return fmt.Errorf("%w: its schema is version %d, this program knows %d: install the newer program, or restore "+
			"the backup that was made before the upgrade", ErrNewerSchema, have, want)
	case have < want && o.ReadOnly && have == 0:
		return fmt.Errorf("%w: start with: daozhang run", ErrNotInitialised)
	case have < want && (o.ReadOnly || o.NoMigrate):
		return fmt.Errorf("%w: its schema is version %d, this program needs %d: run once as the role that owns the schema",
			ErrOlderSchema, have, want)
	case have < want:
		if err := s.migrate(ctx); err != nil {
			return err
		}
	}
	return s.ownBook(ctx, o)
}

// schemaVersion is 0 for an empty database and an ErrForeign for one that holds somebody else's tables.
func (s *DB) schemaVersion(ctx context.Context) (int64, error) {
	// Counted first: whoever makes the schema at this moment makes the table of versions before any other.
	n, err := s.dialect.tables(ctx, s.db)
	if err != nil {
		return 0, fmt.Errorf("reading the schema: %w", err)
	}
	known, err := s.dialect.hasTable(ctx, s.db, versionTable)
	if err != nil {
		return 0, fmt.Errorf("reading the schema: %w", err)
	}
	if !known && n > 0 {
		return 0, fmt.Errorf("%w: it holds %d tables of another program: name a file or schema of its own for daozhang",
			ErrForeign, n)
	}
	if !known {
		return 0, nil
	}
	var v sql.NullInt64
	err = s.q().get(ctx, &v, `SELECT max(version_id) FROM schema_versions`)
	return v.Int64, err
}

func newestMigration(d dialect) (int64, error) {
	folder, err := migrationFolder(d)
	if err != nil {
		return 0, err
	}
	list, err := goose.NewProvider(d.goose(), &sql.DB{}, folder, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return 0, err
	}
	sources := list.ListSources()
	return sources[len(sources)-1].Version, nil
}

// migrate applies what is missing, one transaction a file. Others who open at the same moment wait.
func (s *DB) migrate(ctx context.Context) (err error) {
	release, options, err := s.dialect.exclusive(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	folder, err := migrationFolder(s.dialect)
	if err != nil {
		return err
	}
	options = append(options, goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true))
	p, err := goose.NewProvider(s.dialect.goose(), s.db.DB, folder, options...)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrating the schema: %w", err)
	}
	return nil
}

// ownBook writes or compares the entity.
func (s *DB) ownBook(ctx context.Context, o Options) error {
	if o.Entity == "" {
		return nil
	}
	var entity string
	err := s.q().get(ctx, &entity, `SELECT entity FROM book`)
	if errors.Is(err, sql.ErrNoRows) && !o.ReadOnly {
		// Read before write, so that opening does not wait for a run that is committing.
		err = s.q().exec(ctx, `INSERT INTO book (one, entity, created_at) VALUES (1, ?, ?) ON CONFLICT (one) DO NOTHING`,
			o.Entity, instant(s.now()))
		if err == nil {
			err = s.q().get(ctx, &entity, `SELECT entity FROM book`)
		}
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil && entity != o.Entity {
		return fmt.Errorf("%w: it keeps the books of %q, the configuration is for %q: one database for each entity",
			ErrForeign, entity, o.Entity)
	}
	return err
}
