package store

import (
	"context"
	"errors"
	"net/url"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
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
	// The leading slash makes the connections of the process share it.
	u := url.URL{Scheme: "file", Path: "/" + d.name}
	db, err := sqlx.Open("sqlite", u.String()+"?"+d.settings("rw", o, d.pragmas(o))+"&vfs=memdb")
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
