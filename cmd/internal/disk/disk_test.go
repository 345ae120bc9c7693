package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put makes a file; it is synced only if asked.
func put(t testing.TB, fsys FS, path, text string, sync bool) {
	t.Helper()
	f, err := fsys.Create(path, 0o600)
	must(t, err)
	_, err = io.WriteString(f, text)
	must(t, err)
	if sync {
		must(t, f.Sync())
	}
	must(t, f.Close())
}

// shown lists every name below a folder with its mode and its content or target.
func shown(t testing.TB, fsys FS, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	var walk func(dir, rel string)
	walk = func(dir, rel string) {
		entries, err := fsys.ReadDir(dir)
		must(t, err)
		for _, e := range entries {
			path, name := filepath.Join(dir, e.Name()), filepath.Join(rel, e.Name())
			info, err := fsys.Lstat(path)
			must(t, err)
			if info.Name() != e.Name() || info.IsDir() != e.IsDir() {
				t.Errorf("%s: the list says %s, Lstat says %s", path, e, info.Mode())
			}
			switch {
			case info.IsDir():
				out[name] = info.Mode().String()
				walk(path, name)
			case info.Mode()&fs.ModeSymlink != 0:
				to, err := fsys.Readlink(path)
				must(t, err)
				out[name] = "-> " + to
			default:
				data, err := ReadFile(fsys, path)
				must(t, err)
				out[name] = fmt.Sprintf("%s %d %q", info.Mode(), info.Size(), data)
			}
		}
	}
	walk(dir, "")
	return out
}

// kind is what callers may tell about an error.
func kind(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, fs.ErrNotExist):
		return "not there"
	case errors.Is(err, fs.ErrExist):
		return "there"
	}
	return "error"
}

// step does one random operation and says what came of it.
func step(fsys FS, root string, r *rand.Rand) string {
	names := []string{"a", "b", "c", "a/b", "a/c", "b/a", "a/b/c", "l", "l/a", "a/l", "l/l/b"}
	pick := func() string { return names[r.IntN(len(names))] }
	p, q := pick(), pick()
	path, other := filepath.Join(root, p), filepath.Join(root, q)
	var err error
	var what string
	switch op := r.IntN(12); op {
	case 0, 1:
		what = "create " + p
		var f File
		if f, err = fsys.Create(path, 0o600); err == nil {
			_, err = io.WriteString(f, strings.Repeat(q, r.IntN(5)))
			err = errors.Join(err, f.Sync(), f.Close())
		}
	case 2, 3:
		what, err = "mkdir "+p, fsys.Mkdir(path, 0o700)
	case 4, 5:
		what, err = "rename "+p+" "+q, fsys.Rename(path, other)
	case 6:
		what, err = "remove "+p, fsys.Remove(path)
	case 7:
		what, err = "removeall "+p, fsys.RemoveAll(path)
	case 8:
		what, err = "chmod "+p, fsys.Chmod(path, []fs.FileMode{0o400, 0o700, 0o750}[r.IntN(3)])
	case 9:
		target := []string{"a", "b", "a/b", "../b", "./c", "l", "."}[r.IntN(7)]
		what, err = "symlink "+target+" "+p, fsys.Symlink(target, path)
	case 10:
		var info fs.FileInfo
		if info, err = fsys.Stat(path); err == nil {
			what = info.Mode().String()
		}
		what = "stat " + p + " " + what
	case 11:
		var text []byte
		text, err = ReadFile(fsys, path)
		what = fmt.Sprintf("read %s %q", p, text)
	}
	return what + ": " + kind(err)
}

func TestMemoryAnswersAsTheSystemDoes(t *testing.T) {
	const seeds, steps = 150, 120
	for seed := range uint64(seeds) {
		mem, dir := Memory(), filepath.Join(t.TempDir(), "root")
		must(t, mem.Mkdir("/root", 0o700))
		must(t, OS.Mkdir(dir, 0o700))
		a, b := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 1))
		var trace []string
		for range steps {
			got, want := step(mem, "/root", a), step(OS, dir, b)
			trace = append(trace, want)
			if got != want {
				t.Fatalf("seed %d: memory says %s, the system says %s, after\n%s", seed, got, want, strings.Join(trace, "\n"))
			}
		}
		if got, want := shown(t, mem, "/root"), shown(t, OS, dir); !maps.Equal(got, want) {
			t.Fatalf("seed %d: memory holds\n%v\nthe system\n%v\nafter\n%s", seed, got, want, strings.Join(trace, "\n"))
		}
	}
}

// both runs a test on the two file systems.
func both(t *testing.T, test func(t *testing.T, fsys FS, dir string)) {
	t.Run("system", func(t *testing.T) { test(t, OS, t.TempDir()) })
	t.Run("memory", func(t *testing.T) {
		mem := Memory()
		must(t, mem.Mkdir("/dir", 0o700))
		test(t, mem, "/dir")
	})
}

func TestAnOpenFileOutlivesItsName(t *testing.T) {
	both(t, func(t *testing.T, fsys FS, dir string) {
		path := filepath.Join(dir, "x")
		put(t, fsys, path, "0123456789", true)
		f, err := fsys.Open(path)
		must(t, err)
		must(t, fsys.Remove(path))
		put(t, fsys, path, "other", true)
		b := make([]byte, 4)
		if n, err := f.ReadAt(b, 3); n != 4 || err != nil || string(b) != "3456" {
			t.Errorf("ReadAt 3 = %q %v", b[:n], err)
		}
		if n, err := f.ReadAt(b, 8); n != 2 || err != io.EOF {
			t.Errorf("ReadAt at the end = %q %v; want 2 bytes and io.EOF", b[:n], err)
		}
		if n, err := f.ReadAt(b, 80); n != 0 || err != io.EOF {
			t.Errorf("ReadAt behind the end = %d %v", n, err)
		}
		if text, err := io.ReadAll(f); err != nil || string(text) != "0123456789" {
			t.Errorf("read %q %v", text, err)
		}
		if _, err := f.Write([]byte("x")); err == nil {
			t.Error("a file opened for reading was written to")
		}
		now, err := fsys.Stat(path)
		must(t, err)
		mine, err := f.Stat()
		must(t, err)
		if SameFile(now, mine) || !SameFile(mine, mine) || mine.Name() != "x" || mine.Size() != 10 {
			t.Errorf("the old file is %v, the new one %v", mine, now)
		}
		must(t, f.Close())
		if _, err := f.Read(b); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("read after close: %v", err)
		}
		if err := f.Close(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("second close: %v", err)
		}
	})
}

func TestALockBelongsToOneHandleUntilItIsClosed(t *testing.T) {
	both(t, func(t *testing.T, fsys FS, dir string) {
		path := filepath.Join(dir, "x")
		put(t, fsys, path, "", true)
		a, err := fsys.Open(path)
		must(t, err)
		b, err := fsys.Open(path)
		must(t, err)
		lock := func(f File, want bool) {
			t.Helper()
			if got, err := f.TryLock(); err != nil || got != want {
				t.Errorf("TryLock = %t %v; want %t", got, err, want)
			}
		}
		lock(a, true)
		lock(a, true)
		lock(b, false)
		must(t, a.Close())
		lock(b, true)
		must(t, b.Close())
	})
}

func TestNumberedNamesAreTheFirstThatAreFree(t *testing.T) {
	both(t, func(t *testing.T, fsys FS, dir string) {
		put(t, fsys, filepath.Join(dir, "p-2.part"), "", true)
		for _, want := range []string{"p-1.part", "p-3.part"} {
			f, err := CreateNumbered(fsys, dir, "p-", ".part", 0o600)
			must(t, err)
			if filepath.Base(f.Name()) != want {
				t.Errorf("got %s, want %s", f.Name(), want)
			}
			must(t, f.Close())
		}
		if path, err := MkdirNumbered(fsys, dir, ".r1.tmp-", 0o700); err != nil || filepath.Base(path) != ".r1.tmp-1" {
			t.Errorf("folder %s, %v", path, err)
		}
		if _, err := CreateNumbered(fsys, filepath.Join(dir, "none"), "p-", "", 0o600); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("in a folder that is not there: %v", err)
		}
	})
}

func TestMkdirAllLeavesWhatIsThereAndRefusesAFile(t *testing.T) {
	both(t, func(t *testing.T, fsys FS, dir string) {
		must(t, fsys.Mkdir(filepath.Join(dir, "own"), 0o755))
		must(t, MkdirAll(fsys, filepath.Join(dir, "own", "x", "y"), 0o750))
		must(t, MkdirAll(fsys, filepath.Join(dir, "own", "x", "y"), 0o700))
		for path, want := range map[string]fs.FileMode{"own": 0o755, "own/x": 0o750, "own/x/y": 0o750} {
			if info, err := fsys.Stat(filepath.Join(dir, path)); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v %v; want %v", path, info, err, want)
			}
		}
		put(t, fsys, filepath.Join(dir, "file"), "", true)
		if err := MkdirAll(fsys, filepath.Join(dir, "file"), 0o750); !errors.Is(err, fs.ErrExist) {
			t.Errorf("over a file: %v", err)
		}
		if err := MkdirAll(fsys, filepath.Join(dir, "file", "x"), 0o750); err == nil {
			t.Error("below a file")
		}
	})
}

// masking is a memory with a umask.
type masking struct{ *Mem }

func (m masking) Mkdir(path string, mode fs.FileMode) error { return m.Mem.Mkdir(path, mode&^0o077) }

func TestTheModeOfANewFolderIsDurableAndDoesNotFollowTheUmask(t *testing.T) {
	m := Memory()
	must(t, MkdirAll(masking{m}, "/a/b", 0o750))
	m.Crash(Nothing)
	if got := shown(t, m, "/"); got["a"] != "drwxr-x---" || got["a/b"] != "drwxr-x---" {
		t.Errorf("after the crash: %v", got)
	}
}

func TestAFolderMadeByAProcessThatDiedIsMadeDurableByTheNext(t *testing.T) {
	m := Memory()
	must(t, MkdirAll(m, "/a/b", 0o700))
	must(t, m.Mkdir("/a/b/c", 0o700)) // and killed before the sync
	must(t, MkdirAll(m, "/a/b/c", 0o700))
	put(t, m, "/a/b/c/x", "text", true)
	must(t, m.SyncDir("/a/b/c"))
	m.Crash(Nothing)
	if got, err := ReadFile(m, "/a/b/c/x"); err != nil || string(got) != "text" {
		t.Errorf("after the crash: %q %v", got, err)
	}
}

func TestManyMayUseMemoryAtOnce(t *testing.T) {
	const workers, rounds = 8, 200
	m := Memory()
	put(t, m, "/shared", strings.Repeat("s", 1<<16), true)
	var wg sync.WaitGroup
	var made sync.Map
	for w := range workers {
		wg.Go(func() {
			dir := fmt.Sprintf("/w%d", w)
			for _, err := range []error{m.Mkdir(dir, 0o700), m.Symlink("shared", dir+"-link")} {
				if err != nil {
					t.Error(err)
				}
			}
			for i := range rounds {
				f, err := CreateNumbered(m, "/", "n-", "", 0o600)
				if err != nil {
					t.Error(err)
					return
				}
				if _, twice := made.LoadOrStore(f.Name(), w); twice {
					t.Errorf("%s was made twice", f.Name())
				}
				made.Delete(f.Name())
				_, err = f.Write([]byte(dir))
				if err := errors.Join(err, f.Close(), m.Rename(f.Name(), fmt.Sprintf("%s/%d", dir, i))); err != nil {
					t.Error(err)
				}
				if text, err := ReadFile(m, dir+"-link"); err != nil || len(text) != 1<<16 {
					t.Errorf("%d bytes, %v", len(text), err)
				}
			}
		})
	}
	wg.Wait()
	for w := range workers {
		if entries, err := m.ReadDir(fmt.Sprintf("/w%d", w)); err != nil || len(entries) != rounds {
			t.Errorf("worker %d: %d files, %v", w, len(entries), err)
		}
	}
}

func TestAHookIsAskedBeforeEachOperationAndItsErrorComesBack(t *testing.T) {
	ops := map[string]func(fsys FS) error{
		OpOpen:      func(f FS) error { _, err := f.Open("/f"); return err },
		OpCreate:    func(f FS) error { _, err := f.Create("/new", 0o600); return err },
		OpRename:    func(f FS) error { return f.Rename("/f", "/new") },
		OpRemove:    func(f FS) error { return f.Remove("/f") },
		OpRemoveAll: func(f FS) error { return f.RemoveAll("/f") },
		OpMkdir:     func(f FS) error { return f.Mkdir("/new", 0o700) },
		OpChmod:     func(f FS) error { return f.Chmod("/f", 0o400) },
		OpReadDir:   func(f FS) error { _, err := f.ReadDir("/"); return err },
		OpStat:      func(f FS) error { _, err := f.Stat("/f"); return err },
		OpLstat:     func(f FS) error { _, err := f.Lstat("/f"); return err },
		OpSymlink:   func(f FS) error { return f.Symlink("f", "/new") },
		OpReadlink:  func(f FS) error { _, err := f.Readlink("/l"); return err },
		OpSyncDir:   func(f FS) error { return f.SyncDir("/") },
		OpRead:      reading(func(f File) error { _, err := f.Read(make([]byte, 1)); return err }),
		OpRead + "at": reading(func(f File) error {
			_, err := f.ReadAt(make([]byte, 1), 0)
			return err
		}),
		OpStat + " of a file": reading(func(f File) error { _, err := f.Stat(); return err }),
		OpLock:                reading(func(f File) error { _, err := f.TryLock(); return err }),
		OpClose:               reading(func(f File) error { return nil }),
		OpSync:                reading(func(f File) error { return f.Sync() }),
		OpChmod + " of a file": reading(func(f File) error {
			return f.Chmod(0o400)
		}),
	}
	for name, do := range ops {
		op, _, _ := strings.Cut(strings.TrimSuffix(name, "at"), " ")
		if name == OpStat || name == OpLstat {
			op = name
		}
		for _, way := range []string{"field", "wrapper"} {
			m := Memory()
			put(t, m, "/f", "text", true)
			must(t, m.Symlink("f", "/l"))
			before := shown(t, m, "/")
			asked := 0
			hook := func(got, path string) error {
				if got != op {
					return nil
				}
				asked++
				if !filepath.IsAbs(path) {
					t.Errorf("%s: asked about %q", name, path)
				}
				return syscall.EIO
			}
			var fsys FS = Fault(m, hook)
			if way == "field" {
				m.Fault, fsys = hook, m
			}
			err := do(fsys)
			m.Fault = nil
			if !errors.Is(err, syscall.EIO) || asked == 0 {
				t.Errorf("%s by %s: %v, asked %d times", name, way, err, asked)
			}
			if after := shown(t, m, "/"); !maps.Equal(after, before) {
				t.Errorf("%s by %s was refused and changed something: %v", name, way, after)
			}
			if err := do(Fault(m, nil)); err != nil {
				t.Errorf("%s without a hook: %v", name, err)
			}
		}
	}
}

func reading(do func(File) error) func(FS) error {
	return func(fsys FS) error {
		f, err := fsys.Open("/f")
		if err != nil {
			return err
		}
		return errors.Join(do(f), f.Close())
	}
}

func TestARefusedWriteHasWrittenHalf(t *testing.T) {
	for _, way := range []string{"field", "wrapper"} {
		m := Memory()
		hook := func(op, _ string) error {
			if op == OpWrite {
				return syscall.ENOSPC
			}
			return nil
		}
		var fsys FS = Fault(m, hook)
		if way == "field" {
			m.Fault, fsys = hook, m
		}
		f, err := fsys.Create("/x", 0o600)
		must(t, err)
		if n, err := f.Write([]byte("12345678")); n != 4 || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: wrote %d, %v", way, n, err)
		}
		must(t, f.Close())
		if got, err := ReadFile(m, "/x"); err != nil || string(got) != "1234" {
			t.Errorf("%s: holds %q %v", way, got, err)
		}
	}
}

func TestNilStandsForTheSystem(t *testing.T) {
	if m := Memory(); Or(nil) != OS || Or(m) != FS(m) {
		t.Error("Or does not keep what it is given")
	}
	if entries, err := Memory().ReadDir("/"); err != nil || len(entries) != 0 {
		t.Errorf("a new memory holds %v, %v", entries, err)
	}
}

// BenchmarkADayInMemory is what one simulated day asks of the seam: about 12 files of 4 KB written, synced, renamed
// and read once.
func BenchmarkADayInMemory(b *testing.B) {
	text := []byte(strings.Repeat("x", 4096))
	b.RunParallel(func(pb *testing.PB) {
		var m *Mem
		buf := make([]byte, 4096)
		for day := 0; pb.Next(); day++ {
			if day%30 == 0 {
				m = Memory()
			}
			dir := fmt.Sprintf("/reports/%d", day)
			must(b, MkdirAll(m, dir, 0o750))
			for i := range 12 {
				f, err := CreateNumbered(m, dir, ".t-", "", 0o600)
				must(b, err)
				_, err = f.Write(text)
				must(b, errors.Join(err, f.Sync(), f.Close(), m.Rename(f.Name(), fmt.Sprintf("%s/f%d", dir, i)), m.SyncDir(dir)))
				r, err := m.Open(fmt.Sprintf("%s/f%d", dir, i))
				must(b, err)
				_, err = r.ReadAt(buf, 0)
				must(b, errors.Join(err, r.Close()))
			}
		}
	})
}
