package store

import (
	"context"
	"embed"
	"io/fs"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/sqlite/*.sql migrations/postgres/*.sql
var migrations embed.FS

// versionTable is where goose keeps what has been applied.
const versionTable = "schema_versions"

// dialect is all that differs between the two databases. Everything else in the package is one SQL for both.
type dialect interface {
	// open connects and makes sure of the settings. Nothing is created where readOnly.
	open(ctx context.Context, o Options) (*sqlx.DB, error)
	// close gives back what open took beside the connections. It may be called more than once.
	close() error
	// bind is the sqlx bind type of the driver.
	bind() int
	goose() goose.Dialect
	folder() string
	// hasTable reports whether a table of that name exists; tables counts all of them.
	hasTable(ctx context.Context, db *sqlx.DB, name string) (bool, error)
	tables(ctx context.Context, db *sqlx.DB) (int, error)
	// exclusive keeps other processes out while the schema is made.
	exclusive(ctx context.Context) (release func() error, options []goose.ProviderOption, err error)
	// lock is the lock of the operating system that goes with a lease. The kernel frees it with the process. Nil
	// without an error where the database has none.
	lock(name string) (*fileLock, error)
	// committed makes a commit independent of side files.
	committed(ctx context.Context, db *sqlx.DB) error
	// classify wraps an error of the driver with the sentinel and the instruction that go with it.
	classify(err error) error
	backup(ctx context.Context, db *sqlx.DB, path string) error
	check(ctx context.Context, db *sqlx.DB) error
}

func migrationFolder(d dialect) (fs.FS, error) { return fs.Sub(migrations, "migrations/"+d.folder()) }
