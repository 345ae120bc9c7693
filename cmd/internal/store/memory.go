package store

import (
	"context"
	"errors"
	"net/url"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	sqlitedriver "modernc.org/sqlite"
)

// memoryPrefix begins the name of a database in memory.
const memoryPrefix = "memory:"

// memory is SQLite without a file: for tests that make thousands of databases. It lives as long as one connection of
// the process is open.
type memory struct {
	sqlite
	name string
	one  *single // its connection also keeps the database alive where the pool drops others
}

// pragmas give up durability, which memory has none of, but keep the journal: without it nothing could be rolled back.
func (d *memory) pragmas(o Options) []pragma {
	list := []pragma{{"synchronous", "OFF", "0"}, {"journal_mode", "MEMORY", "memory"}}
	for _, p := range d.sqlite.pragmas(o) {
		if p.name != "synchronous" && p.name != "journal_mode" {
			list = append(list, p)
		}
	}
	return list
}

func (d *memory) open(ctx context.Context, o Options) (*sqlx.DB, error) {
	if d.name == "" {
		return nil, invalid("a database in memory needs a name: %sNAME", memoryPrefix)
	}
	db, err := sqlx.Open("sqlite", d.place()+"&"+d.settings("rw", o, d.pragmas(o)))
	if err != nil {
		return nil, d.classify(err)
	}
	db.SetMaxOpenConns(4)
	conn, err := db.Connx(ctx)
	if err == nil {
		d.one = newSingle(conn, o.BusyTimeout)
		err = d.kept(ctx, db, d.pragmas(o))
	}
	if err != nil {
		return nil, errors.Join(d.classify(err), d.close(), db.Close())
	}
	return db, nil
}

// place names the database for SQLite. The leading slash makes the connections of the process share it.
func (d *memory) place() string {
	u := url.URL{Scheme: "file", Path: "/" + d.name}
	return u.String() + "?vfs=memdb"
}

// begin makes a database that has no table yet a copy of another.
func (d *memory) begin(ctx context.Context, db *sqlx.DB, like *DB) error {
	if like == nil {
		return nil
	}
	from, ok := like.dialect.(*memory)
	if !ok {
		return invalid("only a database in memory can be copied into another")
	}
	if n, err := d.tables(ctx, db); err != nil || n > 0 {
		return err
	}
	if err := like.one.take(ctx); err != nil { // so that nobody writes to it
		return err
	}
	defer like.one.give()
	return d.one.conn.Raw(func(driver any) error {
		to, ok := driver.(interface {
			NewRestore(from string) (*sqlitedriver.Backup, error)
		})
		if !ok {
			return invalid("the driver of SQLite cannot copy databases")
		}
		b, err := to.NewRestore(from.place())
		if err != nil {
			return err
		}
		_, err = b.Step(-1)
		return errors.Join(err, b.Finish())
	})
}

func (d *memory) close() error {
	if d.one == nil {
		return nil
	}
	one := d.one
	d.one = nil
	return one.close()
}

func (d *memory) exclusive(context.Context) (func() error, []goose.ProviderOption, error) {
	return func() error { return nil }, nil, nil
}

func (d *memory) lock(string) (*fileLock, error)            { return nil, nil }
func (d *memory) committed(context.Context, *sqlx.DB) error { return nil }
