package fetch

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A writer adds 1 KB a second and flushes every 4 KB; fetches look at random instants, and once it is done the file
// must be taken, never before.
func TestDribblingWriterIsNeverTakenEarly(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	c := Completeness{}.withDefaults(false)
	polls, taken := 0, 0
	for polls < 1000 {
		begin := oldTime
		total := 20 + random.IntN(100) // seconds, and KB
		seen := memory{}
		at := begin.Add(time.Duration(random.Int64N(int64(time.Minute))))
		for done := false; !done && polls < 1000; polls++ {
			written := min(int(at.Sub(begin).Seconds()), total)
			flushed := written / 4 * 4
			if written == total {
				flushed = total
			}
			e := Entry{Name: "a", Size: int64(flushed) << 10, MTime: begin.Add(time.Duration(flushed) * time.Second)}
			before, had := seen.Recall("", "a")
			s := look(before, had, e, at)
			seen.Remember("", "a", s)
			ok, _ := c.settled(s, at)
			if ok && flushed < total {
				t.Fatalf("taken at %d of %d KB, after %v", flushed, total, s)
			}
			if done = ok; ok {
				taken++
			}
			at = at.Add(time.Duration(random.Int64N(int64(20 * time.Second))))
		}
	}
	if taken < 20 {
		t.Errorf("only %d writers were taken in the end", taken)
	}
}

func TestFreshFileIsWaitedForOnce(t *testing.T) {
	fresh := func(int) time.Time { return oldTime.Add(24*time.Hour - 3*time.Second) }
	files := map[string]*fakeFile{"a.txt": {data: []byte("a"), mtime: fresh}, "b.txt": {data: []byte("b"), mtime: fresh}, "c.txt": {data: []byte("c")}}
	f, j, c := newFetcher(t)
	_, err := f.Fetch(t.Context(), sourceOf(t, startFake(t, files).place()), Window{})
	must(t, err)
	if len(j.rows) != 3 || c.slept != 7*time.Second {
		t.Errorf("%d landed after %v, want 3 after one shared pause of 7 s", len(j.rows), c.slept)
	}
}

func TestServerClockAheadDoesNotBlock(t *testing.T) {
	ahead := func(int) time.Time { return oldTime.Add(48 * time.Hour) }
	f, j, c := newFetcher(t)
	rep, err := f.Fetch(t.Context(), sourceOf(t, startFake(t, map[string]*fakeFile{"a.txt": {data: []byte("a"), mtime: ahead}}).place()), Window{})
	must(t, err)
	if len(j.rows) != 1 || c.slept != 10*time.Second {
		t.Errorf("%v after %v", rep.Decisions, c.slept)
	}
}

func TestSightingsOfEarlierRunsCount(t *testing.T) {
	server := startFake(t, map[string]*fakeFile{"a.txt": {data: []byte("a")}})
	f, j, c := newFetcher(t)
	seen := memory{}
	seen.Remember("ums", "a.txt", Sighting{Size: 1, MTime: oldTime, First: c.t.Add(-time.Hour), Looks: 1})
	f.Seen = seen
	_, err := f.Fetch(t.Context(), sourceOf(t, server.place()), Window{})
	must(t, err)
	if len(j.rows) != 1 || c.slept != 0 {
		t.Errorf("%d landed after %v, want 1 at once", len(j.rows), c.slept)
	}
}

func TestCompletenessRulesInAFolder(t *testing.T) {
	sum := md5.Sum([]byte("a.txt"))
	good := hex.EncodeToString(sum[:])
	for _, c := range []struct {
		name    string
		rule    Completeness
		beside  map[string]string
		verdict Verdict
		reason  string
	}{
		{"rename takes what has its name", Completeness{Rename: true}, nil, Taken, "landed"},
		{"marker missing", Completeness{Marker: true}, nil, Waiting, "no-marker"},
		{"marker of the stem", Completeness{Marker: true}, map[string]string{"a.ok": ""}, Taken, "landed"},
		{"marker of the name, other case", Completeness{Marker: true}, map[string]string{"A.TXT.DONE": ""}, Taken, "landed"},
		{"marker of another file", Completeness{Marker: true}, map[string]string{"ab.ok": ""}, Waiting, "no-marker"},
		{"own marker suffix", Completeness{Marker: true, Markers: []string{".fin"}}, map[string]string{"a.fin": ""}, Taken, "landed"},
		{"checksum missing", Completeness{Checksum: true}, nil, Waiting, "no-checksum"},
		{"checksum alone", Completeness{Checksum: true}, map[string]string{"a.txt.md5": good}, Taken, "landed"},
		{"checksum as md5sum writes it", Completeness{Checksum: true}, map[string]string{"a.md5": "00 *b.txt\n" + strings.ToUpper(good) + " *a.txt\n"}, Taken, "landed"},
		{"checksum as BSD writes it", Completeness{Checksum: true}, map[string]string{"a.txt.md5": "MD5 (a.txt) = " + good}, Taken, "landed"},
		{"sha256 goes before md5", Completeness{Checksum: true}, map[string]string{"a.txt.md5": "junk", "a.txt.sha256": shaOf("a.txt")}, Taken, "landed"},
		{"checksum differs", Completeness{Checksum: true}, map[string]string{"a.txt.md5": strings.Repeat("0", 32)}, Failed, "retry"},
		{"checksum of another file only", Completeness{Checksum: true}, map[string]string{"a.md5": good + " b.txt"}, Failed, "retry"},
		{"checksum file empty", Completeness{Checksum: true}, map[string]string{"a.md5": ""}, Failed, "retry"},
		{"marker and checksum, one missing", Completeness{Marker: true, Checksum: true}, map[string]string{"a.ok": ""}, Waiting, "no-checksum"},
		{"all rules", Completeness{Marker: true, Checksum: true, Stable: true}, map[string]string{"a.ok": "", "a.md5": good}, Taken, "landed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.WriteFile(filepath.Join(dir, "a.txt"), []byte("a.txt"), 0o600))
			for n, text := range c.beside {
				must(t, os.WriteFile(filepath.Join(dir, n), []byte(text), 0o600))
			}
			f, j, clock := newFetcher(t)
			clock.t = time.Now().Add(time.Hour)
			src := sourceOf(t, Folder{dir}, "a.{ext}")
			src.Dir, src.Complete = "", c.rule
			rep, err := f.Fetch(t.Context(), src, Window{})
			d := decision(t, rep, "a.txt")
			if d.Verdict != c.verdict || d.Reason != c.reason || (err != nil) != (c.verdict == Failed) {
				t.Errorf("got %v (%s), %v", d, d.Reason, err)
			}
			if landed := c.verdict == Taken; landed != (len(j.rows) == 1) {
				t.Errorf("landed %v", j.rows)
			}
		})
	}
}

func TestHalfWrittenFileWaitsUnderStable(t *testing.T) {
	dir := t.TempDir()
	p := filepath.Join(dir, "a.txt")
	must(t, os.WriteFile(p, []byte("half"), 0o600))
	f, j, clock := newFetcher(t)
	clock.t = time.Now()
	clock.then = func(time.Duration) {
		w, err := os.OpenFile(p, os.O_APPEND|os.O_WRONLY, 0)
		must(t, err)
		_, err = fmt.Fprint(w, "more")
		must(t, err)
		must(t, w.Close())
	}
	src := sourceOf(t, Folder{dir})
	src.Dir = ""
	rep, err := f.Fetch(t.Context(), src, Window{})
	must(t, err)
	if d := decision(t, rep, "a.txt"); d.Verdict != Waiting || d.Reason != "not-stable" || len(j.rows) != 0 {
		t.Errorf("got %v", d)
	}
	clock.then = nil
	clock.t = time.Now().Add(time.Minute)
	_, err = f.Fetch(t.Context(), src, Window{})
	must(t, err)
	if len(j.rows) != 1 || j.rows[0].SHA256 != shaOf("halfmore") {
		t.Errorf("landed %v", j.rows)
	}
}

var _ fs.FileInfo = fakeInfo{}
