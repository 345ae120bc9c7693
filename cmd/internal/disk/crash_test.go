package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"
)

// wreck builds a state, crashes and says what is there.
func wreck(t *testing.T, choose Choice, build func(m *Mem)) map[string]string {
	t.Helper()
	m := Memory()
	build(m)
	m.Crash(choose)
	first := shown(t, m, "/")
	m.Crash(Nothing)
	if again := shown(t, m, "/"); !maps.Equal(again, first) {
		t.Errorf("what a crash has left is not durable: %v, then %v", first, again)
	}
	return first
}

func TestACrashKeepsWhatWasSyncedAndMayDropTheRest(t *testing.T) {
	file := func(text string) string { return fmt.Sprintf("-rw------- %d %q", len(text), text) }
	for name, c := range map[string]struct {
		build     func(m *Mem)
		none, all map[string]string
	}{
		"a name that was not synced": {
			func(m *Mem) { put(t, m, "/x", "text", true) },
			map[string]string{}, map[string]string{"x": file("text")}},
		"bytes that were not synced under a name that was": {
			func(m *Mem) { put(t, m, "/x", "text", false); must(t, m.SyncDir("/")) },
			map[string]string{"x": file("")}, map[string]string{"x": file("text")}},
		"bytes added after the sync": {
			func(m *Mem) {
				f, err := m.Create("/x", 0o600)
				must(t, err)
				for _, part := range []string{"one", "two"} {
					_, err = f.Write([]byte(part))
					must(t, err)
					if part == "one" {
						must(t, f.Sync())
					}
				}
				must(t, m.SyncDir("/"))
			},
			map[string]string{"x": file("one")}, map[string]string{"x": file("onetwo")}},
		"all synced": {
			func(m *Mem) { put(t, m, "/x", "text", true); must(t, m.SyncDir("/")) },
			map[string]string{"x": file("text")}, map[string]string{"x": file("text")}},
		"a folder whose own name was not synced": {
			func(m *Mem) {
				must(t, m.Mkdir("/d", 0o700))
				put(t, m, "/d/x", "text", true)
				must(t, m.SyncDir("/d"))
			},
			map[string]string{}, map[string]string{"d": "drwx------", "d/x": file("text")}},
		"a file replaced by a rename": {
			func(m *Mem) {
				put(t, m, "/x", "old", true)
				must(t, m.SyncDir("/"))
				put(t, m, "/x.tmp", "new", true)
				must(t, m.Rename("/x.tmp", "/x"))
			},
			map[string]string{"x": file("old")}, map[string]string{"x": file("new")}},
		"a removed file": {
			func(m *Mem) {
				put(t, m, "/x", "old", true)
				must(t, m.SyncDir("/"))
				must(t, m.Remove("/x"))
			},
			map[string]string{"x": file("old")}, map[string]string{}},
		"a removed tree": {
			func(m *Mem) {
				must(t, MkdirAll(m, "/d/e", 0o700))
				put(t, m, "/d/e/x", "old", true)
				must(t, m.SyncDir("/d/e"))
				must(t, m.RemoveAll("/d"))
			},
			map[string]string{"d": "drwx------", "d/e": "drwx------", "d/e/x": file("old")}, map[string]string{}},
		"modes": {
			func(m *Mem) {
				put(t, m, "/x", "", true)
				must(t, MkdirAll(m, "/d", 0o700))
				must(t, m.Chmod("/x", 0o400))
				must(t, m.Chmod("/d", 0o750))
			},
			map[string]string{"x": file(""), "d": "drwx------"},
			map[string]string{"x": `-r-------- 0 ""`, "d": "drwxr-x---"}},
		"modes that were synced": {
			func(m *Mem) {
				f, err := m.Create("/x", 0o600)
				must(t, err)
				must(t, errors.Join(f.Chmod(0o400), f.Sync()))
				must(t, m.Mkdir("/d", 0o700))
				must(t, errors.Join(m.Chmod("/d", 0o750), m.SyncDir("/d"), m.SyncDir("/")))
			},
			map[string]string{"x": `-r-------- 0 ""`, "d": "drwxr-x---"},
			map[string]string{"x": `-r-------- 0 ""`, "d": "drwxr-x---"}},
	} {
		if got := wreck(t, Nothing, c.build); !maps.Equal(got, c.none) {
			t.Errorf("%s: with the worst luck %v is left; want %v", name, got, c.none)
		}
		if got := wreck(t, nil, c.build); !maps.Equal(got, c.none) {
			t.Errorf("%s: nil is not the worst luck: %v", name, got)
		}
		if got := wreck(t, Everything, c.build); !maps.Equal(got, c.all) {
			t.Errorf("%s: with the best luck %v is left; want %v", name, got, c.all)
		}
	}
}

func TestSeededLuckIsTheSameForTheSameSeedAndMixedOverSeeds(t *testing.T) {
	build := func(m *Mem) {
		put(t, m, "/old", "old", true)
		must(t, m.SyncDir("/"))
		put(t, m, "/new", strings.Repeat("n", 100), false)
		must(t, m.Rename("/old", "/moved"))
	}
	seen := map[string]int{}
	for seed := range uint64(400) {
		got := wreck(t, Seeded(seed), build)
		if again := wreck(t, Seeded(seed), build); !maps.Equal(got, again) {
			t.Fatalf("seed %d: %v, then %v", seed, got, again)
		}
		for _, name := range []string{"old", "moved", "new"} {
			if got[name] != "" {
				seen[name]++
			}
		}
		if strings.Contains(got["new"], " 0 ") {
			seen["no bytes"]++
		}
		if strings.Contains(got["new"], " 100 ") {
			seen["all bytes"]++
		}
		if got["old"] != "" && got["moved"] != "" {
			seen["both names"]++
		}
		if got["old"] == "" && got["moved"] == "" {
			seen["no name"]++
		}
	}
	for name, want := range map[string]int{"old": 200, "moved": 200, "new": 200, "both names": 100, "no name": 100, "no bytes": 2, "all bytes": 2} {
		if n := seen[name]; n < want/2 || n > want*2 {
			t.Errorf("%s: %d of 400 seeds; about %d are due", name, n, want)
		}
	}
}

func TestAFolderIsNeverInTwoPlaces(t *testing.T) {
	build := func(m *Mem) {
		must(t, MkdirAll(m, "/a/d", 0o700))
		must(t, MkdirAll(m, "/b", 0o700))
		put(t, m, "/a/d/x", "text", true)
		must(t, m.SyncDir("/a/d"))
		must(t, m.Rename("/a/d", "/b/d"))
	}
	for seed := range uint64(50) {
		got := wreck(t, Seeded(seed), build)
		if got["a/d"] != "" && got["b/d"] != "" {
			t.Fatalf("seed %d: %v", seed, got)
		}
	}
	m := Memory()
	build(m)
	m.Crash(Everything)
	if err := m.Rename("/b", "/b/d/b"); err == nil {
		t.Error("a folder was moved into itself")
	}
}

func TestACrashEndsOpenFilesAndLocks(t *testing.T) {
	m := Memory()
	put(t, m, "/x", "text", true)
	must(t, m.SyncDir("/"))
	dead, err := m.Open("/x")
	must(t, err)
	_, err = dead.TryLock()
	must(t, err)
	w, err := m.Create("/y", 0o600)
	must(t, err)
	m.Crash(Everything)
	for name, do := range map[string]func() error{
		"Read":    func() error { _, err := dead.Read(make([]byte, 1)); return err },
		"ReadAt":  func() error { _, err := dead.ReadAt(make([]byte, 1), 0); return err },
		"Write":   func() error { _, err := w.Write([]byte("x")); return err },
		"Sync":    w.Sync,
		"Chmod":   func() error { return w.Chmod(0o400) },
		"Stat":    func() error { _, err := dead.Stat(); return err },
		"TryLock": func() error { _, err := dead.TryLock(); return err },
	} {
		if err := do(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s after the crash: %v", name, err)
		}
	}
	f, err := m.Open("/x")
	must(t, err)
	if ok, err := f.TryLock(); !ok || err != nil {
		t.Errorf("the lock outlived the crash: %v", err)
	}
	must(t, dead.Close()) // must not give back another's lock
	g, err := m.Open("/x")
	must(t, err)
	if ok, _ := g.TryLock(); ok {
		t.Error("two hold the lock")
	}
}
