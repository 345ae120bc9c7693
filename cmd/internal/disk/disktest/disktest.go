// Package disktest tries code that keeps files on every crash and every fault of [disk.Memory].
package disktest

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"daozhang/cmd/internal/disk"
)

// ErrDead is what every operation of a process that died says.
var ErrDead = errors.New("the process is dead")

// Tree lists every name below a folder with its mode, and its content or target: equal trees, equal text.
func Tree(t testing.TB, fsys disk.FS, dir string) string {
	t.Helper()
	entries, err := fsys.ReadDir(dir)
	var b strings.Builder
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, statErr := fsys.Lstat(path)
		if err = errors.Join(err, statErr); err != nil {
			break
		}
		fmt.Fprintf(&b, "%s %v ", path, info.Mode())
		switch {
		case info.IsDir():
			b.WriteString("\n" + Tree(t, fsys, path))
		case info.Mode()&fs.ModeSymlink != 0:
			var to string
			to, err = fsys.Readlink(path)
			b.WriteString(to + "\n")
		default:
			var text []byte
			text, err = disk.ReadFile(fsys, path)
			fmt.Fprintf(&b, "%q\n", text)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Die lets act die right before the n-th operation of that name, counted from 1, and leaves the rest to the caller. An
// act that does not get so far is an error.
func Die(m *disk.Mem, name string, n int, act func(m *disk.Mem) error) error {
	dead := false
	m.Fault = func(op, _ string) error {
		if op == name && !dead {
			n--
			dead = n == 0
		}
		if dead {
			return ErrDead
		}
		return nil
	}
	err := act(m)
	m.Fault = nil
	if !dead {
		return fmt.Errorf("it did not die: %w", err)
	}
	return nil
}

// Lucks are the crashes that EveryCrash tries. Under "killed" only the process died and the machine forgot nothing.
func Lucks() map[string]disk.Choice {
	out := map[string]disk.Choice{"worst luck": disk.Nothing, "killed": disk.Everything}
	for seed := range uint64(12) {
		out[fmt.Sprintf("seed %d", seed)] = disk.Seeded(seed)
	}
	return out
}

// EveryCrash lets act die before each of its operations, and after the last, and crashes the machine with each of
// [Lucks]. Check sees what is left; err is what act said, nil only where it had ended. Then act is done again, and after
// one more crash with the worst luck the tree must be that of a run that was never disturbed. What before left need not
// be durable.
func EveryCrash(t *testing.T, before, act func(m *disk.Mem) error, check func(t *testing.T, m *disk.Mem, at string, err error)) {
	t.Helper()
	start := func() *disk.Mem {
		m := disk.Memory()
		if err := before(m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	clean := start()
	all := 0
	clean.Fault = func(string, string) error { all++; return nil }
	if err := act(clean); err != nil {
		t.Fatal(err)
	}
	clean.Fault = nil
	clean.Crash(disk.Nothing)
	want := Tree(t, clean, "/")
	tried := 0
	for n := range all + 1 {
		for name, luck := range Lucks() {
			at := fmt.Sprintf("dead after %d of %d operations, %s", n, all, name)
			m := start()
			passed := 0
			m.Fault = func(string, string) error {
				if passed == n {
					return ErrDead
				}
				passed++
				return nil
			}
			err := act(m)
			if n == all && err != nil {
				t.Fatalf("%s: %v", at, err)
			}
			m.Fault = nil
			m.Crash(luck)
			check(t, m, at, err)
			if err := act(m); err != nil {
				t.Errorf("%s: done again: %v", at, err)
				continue
			}
			m.Crash(disk.Nothing)
			if got := Tree(t, m, "/"); got != want {
				t.Errorf("%s: done again, then the worst crash, leaves\n%s\nwant\n%s", at, got, want)
			}
			tried++
		}
	}
	t.Logf("%d operations, %d crashes", all, tried)
}

// EveryFault lets the disk refuse each operation of act in turn: full, broken, read-only. Act must name the trouble,
// unless it can do without the operation; check sees what it left. Done again on a sound disk, act must leave the tree
// of a run that was never disturbed.
func EveryFault(t *testing.T, before, act func(m *disk.Mem) error, check func(t *testing.T, m *disk.Mem, at string, err error)) {
	t.Helper()
	start := func() *disk.Mem {
		m := disk.Memory()
		if err := before(m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	clean := start()
	if err := act(clean); err != nil {
		t.Fatal(err)
	}
	want := Tree(t, clean, "/")
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EIO, syscall.EROFS} {
		tried := 0
		for done := false; !done; tried++ {
			m := start()
			asked, what := 0, ""
			m.Fault = func(op, path string) error {
				if asked++; asked == tried+1 {
					what = op + " " + path
					return errno
				}
				return nil
			}
			err := act(m)
			m.Fault = nil
			done = asked <= tried
			at := fmt.Sprintf("%v at operation %d, %s", errno, tried, what)
			if err != nil && !errors.Is(err, errno) {
				t.Errorf("%s: %v", at, err)
			}
			check(t, m, at, err)
			if err := act(m); err != nil {
				t.Errorf("%s: done again: %v", at, err)
			} else if got := Tree(t, m, "/"); got != want {
				t.Errorf("%s: done again, it leaves\n%s\nwant\n%s", at, got, want)
			}
		}
		t.Logf("%d operations refused with %v", tried-1, errno)
	}
}
