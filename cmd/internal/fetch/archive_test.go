package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"daozhang/cmd/internal/disk"
)

func shaOf(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }

func TestPutTwiceIsAnAlias(t *testing.T) {
	a, err := NewArchive(nil, t.TempDir())
	must(t, err)
	first, err := a.Put(t.Context(), strings.NewReader("hello"), Meta{Size: 5})
	must(t, err)
	second, err := a.Put(t.Context(), strings.NewReader("hello"), Meta{Size: -1})
	must(t, err)
	if first.Alias || !second.Alias || first.SHA256 != shaOf("hello") || second.SHA256 != first.SHA256 {
		t.Fatalf("got %+v and %+v", first, second)
	}
	if names := archived(t, a); len(names) != 1 || len(parts(t, a)) != 0 {
		t.Fatalf("archive holds %v, parts %v", names, parts(t, a))
	}
	f, err := a.OpenSize(first.SHA256, 5)
	must(t, err)
	must(t, f.Close())
	if _, err := a.OpenSize(first.SHA256, 6); err == nil {
		t.Fatal("another size than on record was not noticed")
	}
}

func TestPutRefusesWrongCountsAndLeavesNothing(t *testing.T) {
	a, err := NewArchive(nil, t.TempDir())
	must(t, err)
	cause := errors.New("no")
	for name, try := range map[string]func() error{
		"too short": func() error {
			_, err := a.Put(t.Context(), strings.NewReader("hell"), Meta{Size: 5})
			return err
		},
		"too long": func() error {
			_, err := a.Put(t.Context(), strings.NewReader("hello!"), Meta{Size: 5})
			return err
		},
		"verify says no": func() error {
			_, err := a.Put(t.Context(), strings.NewReader("hello"), Meta{Size: 5, Verify: func(Delivery) error { return cause }})
			return err
		},
		"cancelled": func() error {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err := a.Put(ctx, strings.NewReader("hello"), Meta{Size: 5})
			return err
		},
	} {
		err := try()
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if strings.HasPrefix(name, "too") && !errors.Is(err, ErrIncomplete) {
			t.Errorf("%s: %v is not ErrIncomplete", name, err)
		}
		if got := archived(t, a); len(got) != 0 || len(parts(t, a)) != 0 {
			t.Errorf("%s: left %v %v", name, got, parts(t, a))
		}
	}
}

func TestPutRepairsADamagedFile(t *testing.T) {
	a, err := NewArchive(nil, t.TempDir())
	must(t, err)
	d, err := a.Put(t.Context(), strings.NewReader("hello"), Meta{Size: 5})
	must(t, err)
	p := filepath.Join(a.Dir(), d.Path)
	must(t, os.Chmod(p, 0o600))
	must(t, os.WriteFile(p, []byte("jello"), 0o600))
	if _, err := a.Check(t.Context(), d.SHA256); err == nil {
		t.Fatal("damage not noticed")
	}
	again, err := a.Put(t.Context(), strings.NewReader("hello"), Meta{Size: 5})
	must(t, err)
	if again.Alias || len(archived(t, a)) != 1 {
		t.Fatalf("got %+v", again)
	}
}

func TestOpenTakesOnlyHashes(t *testing.T) {
	a, err := NewArchive(nil, t.TempDir())
	must(t, err)
	for _, s := range []string{"", "..", "../../etc/passwd", strings.Repeat("A", 64), strings.Repeat("g", 64), strings.Repeat("0", 63)} {
		if f, err := a.Open(s); err == nil {
			_ = f.Close()
			t.Errorf("%q was opened", s)
		}
	}
	if _, err := a.Open(strings.Repeat("0", 64)); ClassOf(err) != ClassDisk || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestNewArchiveRemovesOnlyDeadParts(t *testing.T) {
	dir := t.TempDir()
	a, err := NewArchive(nil, dir)
	must(t, err)
	dead := filepath.Join(dir, "part", "daozhang-123.part")
	foreign := filepath.Join(dir, "part", "other.part")
	must(t, os.WriteFile(dead, []byte("x"), 0o600))
	must(t, os.WriteFile(foreign, []byte("x"), 0o600))
	link := filepath.Join(dir, "part", "daozhang-link.part")
	must(t, os.Symlink(foreign, link))
	live, err := createPart(disk.OS, a.partDir())
	must(t, err)
	defer live.Close()
	if info, _ := live.Stat(); info.Mode().Perm() != 0o600 {
		t.Errorf("part file has mode %v", info.Mode())
	}
	_, err = NewArchive(nil, dir)
	must(t, err)
	if _, err := os.Stat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Error("a dead part file stayed")
	}
	for _, p := range []string{foreign, live.Name()} {
		if _, err := os.Stat(p); err != nil {
			t.Errorf("%s: %v", p, err)
		}
	}
}

func TestFolderModes(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	a, err := NewArchive(nil, filepath.Join(t.TempDir(), "archive"))
	must(t, err)
	d, err := a.Put(t.Context(), strings.NewReader("hello"), Meta{Size: -1})
	must(t, err)
	for _, p := range []string{a.Dir(), a.partDir(), filepath.Dir(filepath.Join(a.Dir(), d.Path))} {
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v %v", p, info.Mode(), err)
		}
	}
}

const crashFiles = 3

// crashChild fetches a local folder and dies, as by kill -9, at the step and file that v names.
func crashChild(v string) {
	var step, dir string
	var file int
	if _, err := fmt.Sscanf(v, "%s %d %s", &step, &file, &dir); err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	count := 0
	err := crashFetch(dir, func(name string) {
		if name != step {
			return
		}
		if count++; count == file {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	})
	if err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	os.Exit(0)
}

// crashFetch fetches dir/in into dir/archive; rows is what a database would hold, one line appended for each file.
func crashFetch(dir string, step func(string)) error {
	a, err := NewArchive(nil, filepath.Join(dir, "archive"))
	if err != nil {
		return err
	}
	a.Step = step
	p, err := CompilePattern("{name}.txt")
	if err != nil {
		return err
	}
	rows := filepath.Join(dir, "rows")
	f := &Fetcher{Archive: a, Record: func(_ context.Context, l Landed) error {
		if !a.Has(l.SHA256) {
			return errors.New("recorded before archived")
		}
		w, err := os.OpenFile(rows, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s %s\n", l.RemoteName, l.SHA256)
		return errors.Join(err, w.Close())
	}}
	f.Known = func(_, name string, _ int64, _ time.Time) (string, bool) {
		b, _ := os.ReadFile(rows)
		for line := range strings.Lines(string(b)) {
			if n, sha, _ := strings.Cut(strings.TrimSpace(line), " "); n == name {
				return sha, true
			}
		}
		return "", false
	}
	_, err = f.Fetch(context.Background(), Source{Name: "s", Place: Folder{filepath.Join(dir, "in")}, Patterns: []*Pattern{p},
		Complete: Completeness{Rename: true}}, Window{})
	return err
}

func TestKilledAtEachStepThenRunAgain(t *testing.T) {
	self, err := os.Executable()
	must(t, err)
	for _, step := range Steps() {
		for file := 1; file <= crashFiles; file++ {
			t.Run(fmt.Sprintf("%s of file %d", step, file), func(t *testing.T) {
				dir := t.TempDir()
				must(t, os.Mkdir(filepath.Join(dir, "in"), 0o700))
				want := ""
				for i := range crashFiles {
					text := strings.Repeat(fmt.Sprintln("row", i), 1000)
					must(t, os.WriteFile(filepath.Join(dir, "in", fmt.Sprintf("%d.txt", i)), []byte(text), 0o600))
					want += fmt.Sprintf("%d.txt %s\n", i, shaOf(text))
				}
				cmd := exec.Command(self)
				cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", crashEnv, step, file, dir))
				out, err := cmd.CombinedOutput()
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
					t.Fatalf("the child did not die at the step: %v\n%s", err, out)
				}
				a := &Archive{fs: disk.OS, dir: filepath.Join(dir, "archive")}
				archived(t, a) // each name hashes to itself, also right after the kill
				rows, _ := os.ReadFile(filepath.Join(dir, "rows"))
				for line := range strings.Lines(string(rows)) {
					if _, sha, _ := strings.Cut(strings.TrimSpace(line), " "); !a.Has(sha) {
						t.Fatalf("row %q has no file", line)
					}
				}
				must(t, crashFetch(dir, nil))
				rows, _ = os.ReadFile(filepath.Join(dir, "rows"))
				if string(rows) != want {
					t.Fatalf("rows after the second run:\n%swant\n%s", rows, want)
				}
				if got := archived(t, a); len(got) != crashFiles || len(parts(t, a)) != 0 {
					t.Fatalf("archive %v parts %v", got, parts(t, a))
				}
			})
		}
	}
}

func TestTroubleOfOurOwnDiskIsNamedSo(t *testing.T) {
	a, err := NewArchive(nil, t.TempDir())
	must(t, err)
	must(t, os.RemoveAll(a.partDir()))
	if _, err := a.Put(t.Context(), strings.NewReader("x"), Meta{Size: 1}); ClassOf(err) != ClassDisk {
		t.Errorf("missing folder: %v of class %v", err, ClassOf(err))
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full on this system")
	}
	defer full.Close()
	if _, err := copyCounted(t.Context(), full, nil, nil, strings.NewReader("x"), 1); ClassOf(err) != ClassDisk || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("full disk: %v of class %v", err, ClassOf(err))
	}
}
