package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
)

func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8 + i>>16)
	}
	return b
}

func TestWholeFilesOfAllSizesArrive(t *testing.T) {
	files := map[string]*fakeFile{}
	for _, n := range []int{0, 1, 32767, 32768, 32769, 65536, 3 * 32768, 1_000_000, 3<<20 + 17} {
		files[fmt.Sprintf("%d.txt", n)] = &fakeFile{data: content(n)}
	}
	for _, depth := range []int{1, 2, 8} {
		f, j, _ := newFetcher(t)
		place := startFake(t, files).place()
		place.Depth = depth
		rep, err := f.Fetch(t.Context(), sourceOf(t, place), Window{})
		must(t, err)
		if len(j.rows) != len(files) || len(rep.Landed) != len(files) {
			t.Fatalf("depth %d: %d landed, want %d: %v", depth, len(j.rows), len(files), rep.Decisions)
		}
		for _, l := range j.rows {
			if l.SHA256 != shaOf(string(files[l.RemoteName].data)) {
				t.Errorf("depth %d: %s has other bytes", depth, l.RemoteName)
			}
			if l.HostKey == "" || l.Identity == "" || l.Proof != "stable" || l.RemotePath != "/out/"+l.RemoteName {
				t.Errorf("not filled: %+v", l)
			}
		}
		archived(t, f.Archive)
	}
}

// TestFilesThatAreNotWhatTheyWere: each server shows one fault of a file; the file must never be archived, and a good
// file beside it must.
func TestFilesThatAreNotWhatTheyWere(t *testing.T) {
	later := func(from int, a, b int64) func(int) int64 {
		return func(n int) int64 {
			if n < from {
				return a
			}
			return b
		}
	}
	const million = 1_000_000
	cases := []struct {
		name    string
		file    *fakeFile
		verdict Verdict
		class   Class // of the error, where Failed
	}{
		{"short: says 1,000,000, holds 600,000", &fakeFile{data: content(600_000), size: func(int) int64 { return million }}, Failed, ClassRetry},
		{"short by one byte", &fakeFile{data: content(million - 1), size: func(int) int64 { return million }}, Failed, ClassRetry},
		{"zero bytes come", &fakeFile{size: func(int) int64 { return million }}, Failed, ClassRetry},
		{"more bytes than it says", &fakeFile{data: content(million), size: func(int) int64 { return 600_000 }}, Failed, ClassRetry},
		{"every read gives a quarter", quarter(content(million)), Failed, ClassRetry},
		{"short chunk in the middle, total as listed", &fakeFile{size: func(int) int64 { return 2*32768 + 100 }, read: holed}, Failed, ClassRetry},
		{"growing, seen by its size", &fakeFile{data: content(million), size: later(3, million, million+1)}, Waiting, 0},
		{"growing between two looks", &fakeFile{data: content(million), size: func(n int) int64 { return int64(n) * 1000 }}, Waiting, 0},
		{"shrinking", &fakeFile{data: content(500_000), size: later(3, million, 500_000)}, Waiting, 0},
		{"replaced while read, equal size", &fakeFile{data: content(million), mtime: func(n int) time.Time {
			return oldTime.Add(time.Duration(n/3) * time.Second)
		}}, Waiting, 0},
		{"permission denied on open", &fakeFile{data: content(10), open: sftp.ErrSSHFxPermissionDenied}, Failed, ClassPermanent},
		{"vanished between list and open", &fakeFile{data: content(10), open: os.ErrNotExist}, Failed, ClassVanished},
		{"vanished while read", &fakeFile{data: content(10), stat: os.ErrNotExist}, Failed, ClassVanished},
		{"failure in the middle of reading", &fakeFile{data: content(million), read: failAt(content(million), 400_000, errors.New("disk on fire"))}, Failed, ClassUnknown},
		{"not supported", &fakeFile{data: content(10), open: sftp.ErrSSHFxOpUnsupported}, Failed, ClassPermanent},
		{"connection lost says the server", &fakeFile{data: content(10), open: sftp.ErrSSHFxConnectionLost}, Failed, ClassRetry},
		{"a link in the folder", &fakeFile{data: content(10), mode: fs.ModeSymlink}, Refused, 0},
		{"a folder in the folder", &fakeFile{data: content(10), mode: fs.ModeDir}, Refused, 0},
		{"a device in the folder", &fakeFile{data: content(10), mode: fs.ModeDevice | fs.ModeCharDevice}, Refused, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server := startFake(t, map[string]*fakeFile{"bad.txt": c.file, "good.txt": {data: []byte("good")}})
			f, j, _ := newFetcher(t)
			rep, err := f.Fetch(t.Context(), sourceOf(t, server.place()), Window{})
			d := decision(t, rep, "bad.txt")
			if d.Verdict != c.verdict {
				t.Fatalf("got %v (%v), want %s", d, d.Err, c.verdict)
			}
			if (err != nil) != (c.verdict == Failed) || c.verdict == Failed && (ClassOf(err) != c.class || ClassOf(d.Err) != c.class) {
				t.Errorf("error %v of class %v, want class %v", err, ClassOf(err), c.class)
			}
			if len(j.rows) != 1 || j.rows[0].RemoteName != "good.txt" {
				t.Errorf("landed %v, want good.txt alone", j.rows)
			}
			if n := archived(t, f.Archive); len(n) != 1 || len(parts(t, f.Archive)) != 0 {
				t.Errorf("archive holds %v, parts %v", n, parts(t, f.Archive))
			}
		})
	}
}

// quarter answers every read with a quarter of what is asked, as if the file ended there, like a server whose packets
// are smaller than ours.
func quarter(data []byte) *fakeFile {
	return &fakeFile{data: data, read: func(p []byte, off int64) (int, error) {
		n, err := bytes.NewReader(data).ReadAt(p[:min(len(p), 8192)], off)
		if err == nil {
			err = io.EOF
		}
		if off%32768 != 0 { // the rest of the chunk never comes
			return 0, io.EOF
		}
		return n, err
	}}
}

// holed gives 100 bytes for the second chunk and whole ones for the others.
func holed(p []byte, off int64) (int, error) {
	switch {
	case off == 32768:
		return 100, io.EOF
	case off == 0, off == 65536:
		return len(p), nil
	}
	return 0, io.EOF
}

func failAt(data []byte, at int64, err error) func([]byte, int64) (int, error) {
	return func(p []byte, off int64) (int, error) {
		if off+int64(len(p)) > at {
			return 0, err
		}
		return bytes.NewReader(data).ReadAt(p, off)
	}
}

func TestServerWithSmallPacketsIsReadWhole(t *testing.T) {
	data := content(300_000)
	file := &fakeFile{data: data, read: func(p []byte, off int64) (int, error) {
		return bytes.NewReader(data).ReadAt(p[:min(len(p), 5000)], off)
	}}
	f, j, _ := newFetcher(t)
	_, err := f.Fetch(t.Context(), sourceOf(t, startFake(t, map[string]*fakeFile{"a.txt": file}).place()), Window{})
	must(t, err)
	if len(j.rows) != 1 || j.rows[0].SHA256 != shaOf(string(data)) {
		t.Fatalf("got %v", j.rows)
	}
}

func TestFailedListingIsNeverAnEmptyFolder(t *testing.T) {
	files := map[string]*fakeFile{}
	for i := range 1000 {
		files[fmt.Sprintf("%04d.txt", i)] = &fakeFile{data: []byte("x")}
	}
	for name, c := range map[string]struct {
		err   error
		class Class
	}{
		"permission denied":  {sftp.ErrSSHFxPermissionDenied, ClassPermanent},
		"folder not there":   {os.ErrNotExist, ClassVanished},
		"failure":            {errors.New("no"), ClassUnknown},
		"connection lost":    {sftp.ErrSSHFxConnectionLost, ClassRetry},
		"operation unknown":  {sftp.ErrSSHFxOpUnsupported, ClassPermanent},
		"message not parsed": {sftp.ErrSSHFxBadMessage, ClassPermanent},
	} {
		for _, half := range []int64{0, 500} {
			server := startFake(t, files)
			server.list = func(_ []fs.FileInfo, off int64) error {
				if off >= half {
					return c.err
				}
				return nil
			}
			f, j, _ := newFetcher(t)
			rep, err := f.Fetch(t.Context(), sourceOf(t, server.place()), Window{})
			if err == nil || ClassOf(err) != c.class || len(j.rows) != 0 || len(rep.Decisions) != 0 {
				t.Errorf("%s after %d names: error %v of class %v, %d decisions", name, half, err, ClassOf(err), len(rep.Decisions))
			}
		}
	}
	t.Run("missing folder", func(t *testing.T) {
		f, _, _ := newFetcher(t)
		s := sourceOf(t, startFake(t, nil).place())
		s.Dir = "/elsewhere"
		if _, err := f.Fetch(t.Context(), s, Window{}); ClassOf(err) != ClassVanished {
			t.Errorf("got %v", err)
		}
	})
	t.Run("missing local folder", func(t *testing.T) {
		f, _, _ := newFetcher(t)
		if _, err := f.Fetch(t.Context(), sourceOf(t, Folder{t.TempDir() + "/gone"}), Window{}); ClassOf(err) != ClassVanished {
			t.Errorf("got %v", err)
		}
	})
}

// The link is cut, or goes silent, after n bytes from the server, on every attempt.
func TestBrokenLinkIsAnErrorInTime(t *testing.T) {
	server := startFake(t, map[string]*fakeFile{"a.txt": {data: content(400_000)}})
	total := startProxy(t, server.server.Addr, 1<<40, false)
	f, _, _ := newFetcher(t)
	_, err := f.Fetch(t.Context(), sourceOf(t, server.at(total.addr())), Window{})
	must(t, err)
	must(t, server.server.Close())
	all := int64(405_000)
	if n := total.seen.Load(); n > all {
		all = n
	}
	for i := range 10 {
		at := all * int64(i) / 10
		for _, silent := range []bool{false, true} {
			t.Run(fmt.Sprintf("after %d bytes, silent %v", at, silent), func(t *testing.T) {
				t.Parallel()
				server := startFake(t, map[string]*fakeFile{"a.txt": {data: content(400_000)}})
				p := startProxy(t, server.server.Addr, at, silent)
				f, j, _ := newFetcher(t)
				place := server.at(p.addr())
				place.Timeouts.Handshake = 500 * time.Millisecond
				src := sourceOf(t, place)
				src.Retry.Attempts = 2
				start := time.Now()
				rep, err := f.Fetch(t.Context(), src, Window{})
				if err == nil || ClassOf(err) != ClassRetry {
					t.Errorf("error %v of class %v, decisions %v", err, ClassOf(err), rep.Decisions)
				}
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("took %v", took)
				}
				if len(j.rows) != 0 || len(archived(t, f.Archive)) != 0 {
					t.Error("something was landed")
				}
			})
		}
	}
}

// A link that is cut once heals on the second attempt.
func TestOneCutHeals(t *testing.T) {
	server := startFake(t, map[string]*fakeFile{"a.txt": {data: content(400_000)}})
	p := startProxy(t, server.server.Addr, 200_000, false)
	cut := server.at(p.addr())
	f, j, c := newFetcher(t)
	src := sourceOf(t, &switching{first: cut, then: server.place()})
	rep, err := f.Fetch(t.Context(), src, Window{})
	must(t, err)
	if len(j.rows) != 1 || j.rows[0].SHA256 != shaOf(string(content(400_000))) {
		t.Fatalf("landed %v: %v", j.rows, rep.Decisions)
	}
	if c.slept < 2*time.Second {
		t.Errorf("slept %v, want a back-off", c.slept)
	}
}

func TestUnknownErrorsAreTriedABoundedNumberOfTimes(t *testing.T) {
	opened := 0
	file := &fakeFile{data: content(10), read: func([]byte, int64) (int, error) { opened++; return 0, errors.New("odd") }}
	f, _, c := newFetcher(t)
	src := sourceOf(t, startFake(t, map[string]*fakeFile{"a.txt": file}).place())
	src.Retry.Attempts = 4
	_, err := f.Fetch(t.Context(), src, Window{})
	if ClassOf(err) != ClassUnknown || opened != 4 {
		t.Errorf("%d attempts, error %v", opened, err)
	}
	if want := (2 + 2 + 4 + 8) * time.Second; c.slept != want { // one pause between looks, then the back-off
		t.Errorf("slept %v, want %v", c.slept, want)
	}
}

func TestTenThousandEntries(t *testing.T) {
	files := map[string]*fakeFile{}
	for i := range 10_000 {
		files[fmt.Sprintf("journal_%05d.csv", i)] = &fakeFile{data: []byte("x")}
	}
	files["a.txt"] = &fakeFile{data: []byte("wanted")}
	f, j, _ := newFetcher(t)
	src := sourceOf(t, startFake(t, files).place())
	src.Complete.Rename = true
	start := time.Now()
	rep, err := f.Fetch(t.Context(), src, Window{})
	must(t, err)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v, want at most 5 s", took)
	}
	if rep.Listed != 10_001 || len(j.rows) != 1 || len(rep.Decisions) != 10_001 {
		t.Errorf("listed %d, landed %d, decided %d", rep.Listed, len(j.rows), len(rep.Decisions))
	}
	src.MaxNames = 10_000
	if _, err := f.Fetch(t.Context(), src, Window{}); ClassOf(err) != ClassPermanent || !strings.Contains(err.Error(), "10001 names") {
		t.Errorf("over the cap: %v", err)
	}
}

// A listing that is cut anywhere must not pass for a shorter folder.
func TestCutListingIsNeverAShorterFolder(t *testing.T) {
	files := map[string]*fakeFile{}
	for i := range 3000 {
		files[fmt.Sprintf("%05d.txt", i)] = &fakeFile{data: []byte("x")}
	}
	server := startFake(t, files)
	whole := startProxy(t, server.server.Addr, 1<<40, false)
	remote, err := server.at(whole.addr()).Dial(t.Context())
	must(t, err)
	entries, err := remote.List(t.Context(), "/out")
	must(t, err)
	must(t, remote.Close())
	if len(entries) != 3000 {
		t.Fatalf("%d entries", len(entries))
	}
	const login = 3000 // bytes, about
	for i := range 40 {
		at := login + int64(i)*10_000
		remote, err := server.at(startProxy(t, server.server.Addr, at, false).addr()).Dial(t.Context())
		must(t, err)
		entries, err := remote.List(t.Context(), "/out")
		if err == nil && len(entries) != 3000 {
			t.Errorf("cut after %d bytes: %d entries and no error", at, len(entries))
		}
		_ = remote.Close()
	}
}

// A link that dies in a listing can look like the end of the folder; the question asked after it tells.
func TestListingCountsOnlyIfTheServerStillAnswers(t *testing.T) {
	server := startFake(t, map[string]*fakeFile{"a.txt": {data: []byte("a")}, "b.txt": {data: []byte("b")}})
	server.after = sftp.ErrSSHFxConnectionLost
	f, j, _ := newFetcher(t)
	rep, err := f.Fetch(t.Context(), sourceOf(t, server.place()), Window{})
	if ClassOf(err) != ClassRetry || err == nil || len(j.rows) != 0 || rep.Listed != 0 {
		t.Errorf("%v, landed %v", err, j.rows)
	}
}
