package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// postgres is the one place that knows words of PostgreSQL.
type postgres struct {
	dsn   string
	place string // host and database, for messages; never the password
}

func (d *postgres) open(ctx context.Context, o Options) (*sqlx.DB, error) {
	c, err := pgx.ParseConfig(d.dsn)
	if err != nil {
		return nil, fmt.Errorf("database: the postgres:// URL cannot be read: %w", err)
	}
	d.place = fmt.Sprintf("PostgreSQL %s/%s", c.Host, c.Database)
	if !o.AllowPlainPostgres && !verified(&c.Config) {
		return nil, fmt.Errorf("%w: %s is on another host and its certificate is not verified: set sslmode=verify-full",
			ErrSettings, d.place)
	}
	// Lost power must not lose a committed day, whatever the server's default is.
	c.RuntimeParams["synchronous_commit"] = "on"
	c.RuntimeParams["lock_timeout"] = fmt.Sprint(o.BusyTimeout.Milliseconds())
	if o.ReadOnly {
		c.RuntimeParams["default_transaction_read_only"] = "on"
	}
	db := sqlx.NewDb(stdlib.OpenDB(*c), "pgx")
	db.SetMaxOpenConns(4)
	db.SetConnMaxIdleTime(5 * time.Minute)
	for name, want := range map[string]string{"fsync": "on", "synchronous_commit": "on"} {
		var got string
		if err := db.GetContext(ctx, &got, "SELECT current_setting($1)", name); err != nil {
			return nil, errors.Join(fmt.Errorf("%s cannot be reached: %w", d.place, err), db.Close())
		}
		if got != want {
			o.Warn(fmt.Sprintf("%s runs with %s=%s: a power failure can lose committed days; set it to %s",
				d.place, name, got, want))
		}
	}
	return db, nil
}

// verified reports whether every way in which the driver may connect is this host or has a checked certificate.
func verified(c *pgconn.Config) bool {
	safe := func(host string, t *tls.Config) bool {
		if strings.HasPrefix(host, "/") || host == "localhost" || (t != nil && !t.InsecureSkipVerify) {
			return true
		}
		ip := net.ParseIP(host)
		return ip != nil && ip.IsLoopback()
	}
	ok := safe(c.Host, c.TLSConfig)
	for _, f := range c.Fallbacks {
		ok = ok && safe(f.Host, f.TLSConfig)
	}
	return ok
}

func (d *postgres) close() error         { return nil }
func (d *postgres) bind() int            { return sqlx.DOLLAR }
func (d *postgres) goose() goose.Dialect { return goose.DialectPostgres }
func (d *postgres) folder() string       { return "postgres" }

func (d *postgres) hasTable(ctx context.Context, db *sqlx.DB, name string) (bool, error) {
	var n int
	err := db.GetContext(ctx, &n,
		"SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1", name)
	return n > 0, err
}

func (d *postgres) tables(ctx context.Context, db *sqlx.DB) (n int, err error) {
	err = db.GetContext(ctx, &n, "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()")
	return n, err
}

func (d *postgres) exclusive(context.Context) (func() error, []goose.ProviderOption, error) {
	l, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60)) // every second, for a minute
	if err != nil {
		return nil, nil, err
	}
	return func() error { return nil }, []goose.ProviderOption{goose.WithSessionLocker(l)}, nil
}

func (d *postgres) lock(string) (*fileLock, error)            { return nil, nil }
func (d *postgres) committed(context.Context, *sqlx.DB) error { return nil }

func (d *postgres) classify(err error) error {
	var e *pgconn.PgError
	if err == nil || !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case "40001", "40P01", "55P03": // serialisation failure, deadlock, lock not available
		return fmt.Errorf("%w: %s: another session is writing: try again (%w)", ErrBusy, d.place, err)
	case "42501": // insufficient privilege
		return fmt.Errorf("%s: the role may not do this: grant it, or run as the role that owns the schema: %w", d.place, err)
	case "XX001", "XX002":
		return fmt.Errorf("%w: %s: stop all runs and restore the last backup (%w)", ErrDamaged, d.place, err)
	}
	return fmt.Errorf("%s: %w", d.place, err)
}

func (d *postgres) backup(context.Context, *sqlx.DB, string) error {
	return fmt.Errorf("%s: %w: use pg_dump or the server's own backups", d.place, errors.ErrUnsupported)
}

func (d *postgres) check(ctx context.Context, db *sqlx.DB) error { return db.PingContext(ctx) }
