package store

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
)

func fixed() time.Time { return t0 }

func TestACommandThatOnlyReadsMakesNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "daozhang.db")
	if _, err := Open(ctx, path, Options{Now: fixed, ReadOnly: true}); !errors.Is(err, ErrNotInitialised) {
		t.Errorf("%v; want ErrNotInitialised", err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the folder was made")
	}
	eachDialect(t, func(t *testing.T, dsn string) {
		if _, err := Open(ctx, dsn, Options{Now: fixed, ReadOnly: true}); !errors.Is(err, ErrNotInitialised) {
			t.Errorf("%v; want ErrNotInitialised", err)
		}
		db := opened(t, dsn, Options{Entity: "e"})
		commit(t, db, dayOf(jan(5), 1, "a", 3))
		ro := opened(t, dsn, Options{Entity: "e", ReadOnly: true})
		wholeDay(t, ro, jan(5), "a")
		if err := ro.SetCompleted(ctx, "job", jan(1)); err == nil {
			t.Error("a store that is opened for reading was written")
		}
	})
}

func TestOneDatabaseKeepsTheBooksOfOneEntity(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		opened(t, dsn, Options{Entity: "甲公司"})
		opened(t, dsn, Options{Entity: "甲公司"})
		opened(t, dsn, Options{})
		_, err := Open(ctx, dsn, Options{Now: fixed, Entity: "乙公司"})
		if !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), "甲公司") {
			t.Errorf("%v; want ErrForeign that names both", err)
		}
	})
}

func TestANewerSchemaIsRefusedAndAnOlderOneMigrated(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		must(t, db.q().exec(ctx, `INSERT INTO schema_versions (version_id, is_applied) VALUES (99, ?)`, true))
		for _, o := range []Options{{}, {ReadOnly: true}, {NoMigrate: true}} {
			o.Now = fixed
			_, err := Open(ctx, dsn, o)
			if !errors.Is(err, ErrNewerSchema) || !strings.Contains(err.Error(), "99") {
				t.Errorf("%v; want ErrNewerSchema that names the version", err)
			}
		}
	})
	eachDialect(t, func(t *testing.T, dsn string) {
		must(t, atVersion(t, dsn, 4).Close())
		for _, o := range []Options{{ReadOnly: true}, {NoMigrate: true}} {
			o.Now = fixed
			if _, err := Open(ctx, dsn, o); !errors.Is(err, ErrOlderSchema) {
				t.Errorf("%v; want ErrOlderSchema", err)
			}
		}
		must(t, opened(t, dsn, Options{}).SetCompleted(ctx, "job", jan(1)))
	})
}

func TestForeignAndDamagedFilesGiveAnInstruction(t *testing.T) {
	good := func(t *testing.T) []byte {
		path := filepath.Join(t.TempDir(), "good.db")
		db := opened(t, path, Options{})
		for i := range 20 {
			commit(t, db, dayOf(jan(i+1), 1, "a", 40))
		}
		must(t, db.Close())
		data, err := os.ReadFile(path)
		must(t, err)
		return data
	}
	tests := []struct {
		name     string
		make     func(t *testing.T, path string)
		want     error
		instruct string
	}{
		{"a text file", func(t *testing.T, p string) { write(t, p, []byte(strings.Repeat("hello ", 300))) }, ErrDamaged, "name another path"},
		{"a folder", func(t *testing.T, p string) { must(t, os.Mkdir(p, 0o700)) }, ErrForeign, "name a file"},
		{"another program's database", func(t *testing.T, p string) {
			db, err := sqlx.Open("sqlite", p)
			must(t, err)
			_, err = db.Exec("CREATE TABLE customers (id INTEGER)")
			must(t, errors.Join(err, db.Close()))
		}, ErrForeign, "of its own"},
		{"an overwritten head", func(t *testing.T, p string) {
			write(t, p, append(bytes.Repeat([]byte{0xAA}, 100), good(t)[100:]...))
		}, ErrDamaged, "restore"},
		{"an overwritten first page", func(t *testing.T, p string) {
			data := good(t)
			copy(data[100:4096], bytes.Repeat([]byte{0xAA}, 3996))
			write(t, p, data)
		}, ErrDamaged, "restore"},
		{"cut to half", func(t *testing.T, p string) { data := good(t); write(t, p, data[:len(data)/2/4096*4096]) }, ErrDamaged, "restore"},
		{"overwritten pages", func(t *testing.T, p string) {
			data := good(t)
			copy(data[8*4096:], bytes.Repeat([]byte{0x55}, len(data)-12*4096))
			write(t, p, data)
		}, ErrDamaged, "restore"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			tt.make(t, path)
			db, err := Open(ctx, path, Options{Now: fixed})
			if err == nil {
				err = db.Check(ctx)
				must(t, db.Close())
			}
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.instruct) {
				t.Errorf("%v;\nwant %v and %q", err, tt.want, tt.instruct)
			}
		})
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	must(t, os.WriteFile(path, data, 0o600))
}

func TestAFileThatIsPutBackIsNotMixedWithTheLogOfTheOneBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := opened(t, path, Options{})
	commit(t, db, dayOf(jan(5), 1, "a", 5))
	backup, err := os.ReadFile(path) // a copy of the main file alone, taken live between two commits
	must(t, err)
	commit(t, db, dayOf(jan(5), 2, "b", 50))
	// The machine dies here; somebody puts the copy back and leaves the side files where they are.
	wal, err := os.ReadFile(path + "-wal")
	must(t, err)
	restored := filepath.Join(t.TempDir(), "x.db")
	write(t, restored, backup)
	write(t, restored+"-wal", wal)
	again := opened(t, restored, Options{})
	must(t, again.Check(ctx))
	wholeDay(t, again, jan(5), "a")
}

func TestTheFileIsPrivateAndAnOpenOneIsClosedWithAWarning(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new folder", "到账 50%?#.db")
	db := opened(t, path, Options{})
	commit(t, db, dayOf(jan(5), 1, "a", 3))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want 0600", suffix, info, err)
		}
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v; want 0700", info, err)
	}
	must(t, os.Chmod(path, 0o644))
	var warned string
	opened(t, path, Options{Warn: func(s string) { warned = s }})
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || !strings.Contains(warned, "0644") {
		t.Errorf("mode %v, warning %q; want 0600 and a warning that names 0644", info.Mode(), warned)
	}
}

func TestSettingsAreReadBack(t *testing.T) {
	d := &sqlite{path: filepath.Join(t.TempDir(), "x.db")}
	db, err := d.open(ctx, Options{BusyTimeout: time.Second, Warn: func(string) {}})
	must(t, err)
	defer func() { must(t, db.Close()) }()
	// Three connections at once: each must have the settings, not only the first.
	for range 3 {
		c, err := db.Connx(ctx)
		must(t, err)
		defer func() { must(t, c.Close()) }()
		for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "1000", "trusted_schema": "0"} {
			var got string
			must(t, c.GetContext(ctx, &got, "PRAGMA "+name))
			if got != want {
				t.Errorf("%s = %s; want %s", name, got, want)
			}
		}
	}
	if err := d.assert(ctx, db, Options{BusyTimeout: time.Hour}); !errors.Is(err, ErrSettings) {
		t.Errorf("a setting that is not kept: %v; want ErrSettings", err)
	}
}

func TestABackupOfALiveDatabaseIsWhole(t *testing.T) {
	dir := t.TempDir()
	db := opened(t, filepath.Join(dir, "x.db"), Options{})
	commit(t, db, dayOf(jan(5), 1, "a", 3))
	to := filepath.Join(dir, "backup.db")
	must(t, db.Backup(ctx, to))
	commit(t, db, dayOf(jan(5), 2, "b", 4))
	if err := db.Backup(ctx, to); !errors.Is(err, fs.ErrExist) {
		t.Errorf("onto an existing file: %v", err)
	}
	if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v; want 0600", info, err)
	}
	restored := opened(t, to, Options{})
	must(t, restored.Check(ctx))
	wholeDay(t, restored, jan(5), "a")
}

func TestAWriterThatNeverEndsIsAnErrorThatSaysTryAgain(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{BusyTimeout: 50 * time.Millisecond})
		must(t, db.SetCompleted(ctx, "job", jan(1)))
		err := db.inTx(ctx, func(q querier) error {
			if err := q.exec(ctx, `UPDATE schedule SET updated_at = ''`); err != nil {
				return err
			}
			if err := db.SetCompleted(ctx, "job", jan(2)); !errors.Is(err, ErrBusy) {
				t.Errorf("%v; want ErrBusy", err)
			}
			return nil
		})
		must(t, err)
	})
}

func TestAPostgresOnAnotherHostNeedsVerifiedTLS(t *testing.T) {
	for dsn, refused := range map[string]bool{
		"postgres://u:secret@db.example/x":                              true,
		"postgres://u:secret@db.example/x?sslmode=require":              true,
		"postgres://u:secret@db.example/x?sslmode=disable":              true,
		"postgres://u:secret@db.invalid/x?sslmode=verify-full":          false,
		"postgres://u:secret@127.0.0.1:1/x?sslmode=disable":             false,
		"postgres://u:secret@localhost:1/x":                             false,
		"postgres://u:secret@/x?host=/nonexistent&sslmode=disable":      false,
		"postgres://u:secret@127.0.0.1:1,db.example:1/x?sslmode=prefer": true,
	} {
		_, err := Open(ctx, dsn, Options{Now: fixed})
		if err == nil || errors.Is(err, ErrSettings) != refused {
			t.Errorf("%s: %v; refused should be %v", dsn, err, refused)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error prints the password: %v", dsn, err)
		}
	}
}
