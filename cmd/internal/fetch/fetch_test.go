package fetch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"daozhang/cmd/internal/fetch/sftpserver"
	"daozhang/parsers/txn"
)

func day(t testing.TB, s string) txn.Date {
	t.Helper()
	d, err := txn.ParseDate(s)
	must(t, err)
	return d
}

func TestWindowAndLookBack(t *testing.T) {
	files := map[string]*fakeFile{}
	for i := 1; i <= 20; i++ {
		files[fmt.Sprintf("a_202601%02d.txt", i)] = &fakeFile{data: []byte{byte(i)}}
	}
	files["a_20260230.txt"], files["other.csv"] = &fakeFile{}, &fakeFile{}
	server := startFake(t, files)
	for lookBack, want := range map[int]string{0: "08-16", 3: "12-16", -1: "15-16"} {
		f, j, _ := newFetcher(t)
		src := sourceOf(t, server.place(), "a_{date:yyyyMMdd}.txt", "b_{date:yyyyMMdd}.txt")
		src.LookBack = lookBack
		rep, err := f.Fetch(t.Context(), src, Window{From: day(t, "2026-01-15"), To: day(t, "2026-01-16")})
		must(t, err)
		got := fmt.Sprintf("%s-%s", j.rows[0].Date.String()[8:], j.rows[len(j.rows)-1].Date.String()[8:])
		if got != want {
			t.Errorf("look-back %d: %s, want %s", lookBack, got, want)
		}
		if d := decision(t, rep, "a_20260117.txt"); d.Reason != "outside-window" || !strings.Contains(d.Why, "2026-01-17 is after 2026-01-16") {
			t.Errorf("got %v", d)
		}
		if d := decision(t, rep, "a_20260230.txt"); d.Reason != "no-date" || !strings.Contains(d.Why, "20260230") {
			t.Errorf("got %v", d)
		}
		if d := decision(t, rep, "other.csv"); d.Reason != "no-pattern" {
			t.Errorf("got %v", d)
		}
	}
}

func TestKnownFilesAreNotFetchedAgain(t *testing.T) {
	files := map[string]*fakeFile{"a.txt": {data: []byte("a")}, "b.txt": {data: []byte("a")}}
	server := startFake(t, files)
	f, j, _ := newFetcher(t)
	src := sourceOf(t, server.place())
	rep, err := f.Fetch(t.Context(), src, Window{})
	must(t, err)
	if decision(t, rep, "a.txt").Reason != "landed" || decision(t, rep, "b.txt").Reason != "alias" || len(archived(t, f.Archive)) != 1 {
		t.Fatalf("first: %v", rep.Decisions)
	}
	rep, err = f.Fetch(t.Context(), src, Window{})
	must(t, err)
	if len(rep.Landed) != 0 || decision(t, rep, "a.txt").Verdict != Have {
		t.Fatalf("second: %v", rep.Decisions)
	}
	// Known, but its bytes are gone from the archive: fetch again rather than trust the row.
	must(t, os.Remove(filepath.Join(f.Archive.Dir(), j.rows[0].Path)))
	rep, err = f.Fetch(t.Context(), src, Window{})
	must(t, err)
	if len(rep.Landed) != 2 {
		t.Fatalf("third: %v", rep.Decisions)
	}
}

func TestRecordFailureStopsTheSource(t *testing.T) {
	server := startFake(t, map[string]*fakeFile{"a.txt": {data: []byte("a")}, "b.txt": {data: []byte("b")}})
	f, j, _ := newFetcher(t)
	j.fail = errors.New("database is locked")
	rep, err := f.Fetch(t.Context(), sourceOf(t, server.place()), Window{})
	if ClassOf(err) != ClassDisk || !strings.Contains(err.Error(), "database is locked") {
		t.Fatalf("got %v", err)
	}
	if decision(t, rep, "a.txt").Verdict != Failed || decision(t, rep, "b.txt").Reason != "not-tried" || len(rep.Landed) != 0 {
		t.Errorf("got %v", rep.Decisions)
	}
	j.fail = nil
	_, err = f.Fetch(t.Context(), sourceOf(t, server.place()), Window{})
	must(t, err)
	if len(j.rows) != 2 {
		t.Errorf("landed %v", j.rows)
	}
}

func TestCancelledFetchEndsAtOnce(t *testing.T) {
	stuck := make(chan struct{})
	file := &fakeFile{data: content(10), read: func([]byte, int64) (int, error) { <-stuck; return 0, errors.New("late") }}
	server := startFake(t, map[string]*fakeFile{"a.txt": file})
	t.Cleanup(func() { close(stuck) })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	f, j, _ := newFetcher(t)
	f.Sleep = func(context.Context, time.Duration) error { return nil }
	src := sourceOf(t, server.place())
	src.Complete.Rename = true
	start := time.Now()
	_, err := f.Fetch(ctx, src, Window{})
	if ClassOf(err) != ClassCancelled || time.Since(start) > 3*time.Second || len(j.rows) != 0 {
		t.Errorf("%v of class %v after %v", err, ClassOf(err), time.Since(start))
	}
}

func TestStuckServerIsAnErrorWhileItsLinkLives(t *testing.T) {
	stuck := make(chan struct{})
	file := &fakeFile{data: content(10), read: func([]byte, int64) (int, error) { <-stuck; return 0, errors.New("late") }}
	server := startFake(t, map[string]*fakeFile{"a.txt": file})
	t.Cleanup(func() { close(stuck) })
	f, _, _ := newFetcher(t)
	src := sourceOf(t, server.place())
	src.Retry.Attempts, src.Complete.Rename = 1, true
	_, err := f.Fetch(t.Context(), src, Window{})
	if !errors.Is(err, ErrStalled) || ClassOf(err) != ClassRetry {
		t.Errorf("got %v", err)
	}
}

func TestRefusedConnectionIsTriedAgain(t *testing.T) {
	server := startFake(t, nil)
	place := server.place()
	must(t, server.server.Close())
	f, _, c := newFetcher(t)
	_, err := f.Fetch(t.Context(), sourceOf(t, place), Window{})
	if ClassOf(err) != ClassRetry || !errors.Is(err, syscall.ECONNREFUSED) || c.slept != 6*time.Second {
		t.Errorf("%v after %v", err, c.slept)
	}
}

func TestSlotsCapConnections(t *testing.T) {
	server := startFake(t, nil)
	place := server.place()
	place.Slots = NewSlots(0)
	first, err := place.Dial(t.Context())
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := place.Dial(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second connection: %v", err)
	}
	must(t, first.Close())
	second, err := place.Dial(t.Context())
	must(t, err)
	must(t, second.Close())
}

func TestIdleConnectionOutlivesItsIdleTime(t *testing.T) {
	server := startFake(t, nil)
	remote, err := server.place().Dial(t.Context())
	must(t, err)
	defer remote.Close()
	time.Sleep(500 * time.Millisecond) // Idle is 300 ms; keepalives go in between
	_, err = remote.List(t.Context(), "/out")
	must(t, err)
}

func TestRetentionWarning(t *testing.T) {
	f, _, c := newFetcher(t)
	c.t = oldTime.Add(6 * 24 * time.Hour)
	src := sourceOf(t, startFake(t, map[string]*fakeFile{"a.txt": {data: []byte("a")}}).place())
	src.Retention, src.Complete = 7, Completeness{Marker: true}
	rep, err := f.Fetch(t.Context(), src, Window{})
	must(t, err)
	if len(rep.Warnings) != 1 || !strings.Contains(rep.Warnings[0], "24 hours") {
		t.Errorf("warnings %q", rep.Warnings)
	}
}

func TestReadOnceAsksNothingAfterReading(t *testing.T) {
	file := &fakeFile{data: content(100_000)}
	f, j, _ := newFetcher(t)
	src := sourceOf(t, startFake(t, map[string]*fakeFile{"a.txt": file}).place())
	src.ReadOnce = true
	_, err := f.Fetch(t.Context(), src, Window{})
	must(t, err)
	if file.looks.Load() != 1 || len(j.rows) != 1 {
		t.Errorf("%d looks, landed %v", file.looks.Load(), j.rows)
	}
}

func TestImportPassesTheSameGates(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "a_20260102.txt"), []byte("a"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "a_20260103.txt"), []byte("b"), 0o600))
	f, j, c := newFetcher(t)
	c.t = time.Now().Add(time.Hour)
	src := sourceOf(t, startFake(t, nil).place(), "a_{date:yyyyMMdd}.txt")
	rep, err := f.Import(t.Context(), src, dir, "a_20260102.txt")
	must(t, err)
	if len(j.rows) != 1 || j.rows[0].Date.String() != "2026-01-02" || len(rep.Decisions) != 1 {
		t.Errorf("landed %v", j.rows)
	}
	if _, err := f.Import(t.Context(), src, dir, "gone.txt"); ClassOf(err) != ClassVanished {
		t.Errorf("got %v", err)
	}
}

func TestBadSourcesAreRefusedBeforeAnyConnection(t *testing.T) {
	f, _, _ := newFetcher(t)
	good := sourceOf(t, Folder{t.TempDir()})
	for name, change := range map[string]func(*Source){
		"no name":         func(s *Source) { s.Name = "" },
		"no place":        func(s *Source) { s.Place = nil },
		"no pattern":      func(s *Source) { s.Patterns = nil },
		"foreign capture": func(s *Source) { s.SlotKey = []string{"mid"} },
		"read once":       func(s *Source) { s.ReadOnce, s.Complete.Stable = true, true },
	} {
		src := good
		change(&src)
		if _, err := f.Fetch(t.Context(), src, Window{}); ClassOf(err) != ClassPermanent {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestClassOfJoinedErrorsIsTheGravest(t *testing.T) {
	retry, vanished, disk := &Error{Class: ClassRetry, Err: ErrStalled}, &Error{Class: ClassVanished, Err: os.ErrNotExist}, error(syscall.ENOSPC)
	for want, errs := range map[Class][]error{
		ClassRetry: {retry}, ClassVanished: {retry, vanished}, ClassDisk: {retry, vanished, disk},
		ClassUnknown: {retry, errors.New("odd")}, ClassHostKey: {disk, &HostKeyError{}},
	} {
		if got := ClassOf(errors.Join(errs...)); got != want {
			t.Errorf("%v: %v, want %v", errs, got, want)
		}
	}
}

func TestDemoServer(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "out"), 0o700))
	p := filepath.Join(dir, "out", "a.txt")
	must(t, os.WriteFile(p, []byte("hello"), 0o600))
	must(t, os.Chtimes(p, oldTime, oldTime))
	must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "out", "p.txt")))
	s, err := sftpserver.Serve(dir)
	must(t, err)
	f, j, _ := newFetcher(t)
	place := &SFTP{Host: s.Host, Port: s.Port, User: s.User, Keys: []string{"file:" + s.ClientKeyPath}, KnownHosts: []string{s.KnownHostsPath}}
	rep, err := f.Fetch(t.Context(), sourceOf(t, place), Window{})
	must(t, err)
	if len(j.rows) != 1 || j.rows[0].HostKey != s.Fingerprint || decision(t, rep, "p.txt").Verdict != Refused {
		t.Errorf("got %v", rep.Decisions)
	}
	remote, err := place.Dial(t.Context())
	must(t, err)
	if _, err := remote.Open(t.Context(), "/out/p.txt"); err == nil {
		t.Error("a link out of the folder was followed")
	}
	if err := remote.(*sftpRemote).files.Remove("/out/a.txt"); err == nil {
		t.Error("a file could be removed")
	}
	if _, err := remote.(*sftpRemote).files.Create("/out/b.txt"); err == nil {
		t.Error("a file could be created")
	}
	must(t, remote.Close())
	must(t, s.Close())
	if _, err := os.Stat(s.ClientKeyPath); !errors.Is(err, os.ErrNotExist) {
		t.Error("its keys stayed")
	}
}
