//go:build unix

package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"testing"

	"daozhang/cmd/internal/disk"
	"daozhang/cmd/internal/disk/disktest"
)

// brief are files of a few bytes that depend on the revision alone.
func brief(rev int) []File {
	text := func(name string) File {
		return File{name, func(w io.Writer) error { _, err := fmt.Fprintf(w, "%s of r%d\n", name, rev); return err }}
	}
	return []File{text("summary.json"), text("exceptions.csv")}
}

func publishOn(rev int) func(m *disk.Mem) error {
	return func(m *disk.Mem) error {
		_, err := Publish(context.Background(), m, "/reports", day, rev, brief(rev), nil)
		return err
	}
}

func nothing(*disk.Mem) error { return nil }

// latestWhole returns a check: latest leads to a whole report of a revision from least to most, to most where the
// publication said that it had ended; 0 stands for no report. Whatever has the name of a revision is whole.
func latestWhole(least, most int) func(*testing.T, *disk.Mem, string, error) {
	return func(t *testing.T, m *disk.Mem, at string, err error) {
		t.Helper()
		_, rev, latest := Latest(m, "/reports", day)
		if errors.Is(latest, fs.ErrNotExist) {
			rev, latest = 0, nil
		}
		if latest != nil || rev < least || rev > most || err == nil && rev != most {
			t.Errorf("%s: %v; latest is r%d, %v; want r%d to r%d", at, err, rev, latest, least, most)
		}
		for n := 1; n <= most; n++ {
			folder := filepath.Join("/reports", day.String(), fmt.Sprintf("r%d", n))
			if _, err := m.Lstat(folder); err != nil && n > rev {
				continue
			}
			if _, files, _, err := Verify(m, folder); err != nil || files != len(brief(n)) {
				t.Errorf("%s: r%d is not whole: %d files, %v", at, n, files, err)
			}
		}
	}
}

func TestACrashAtAnyOperationLeavesTheOldReportOrTheNewOneAndTheNextRunMendsIt(t *testing.T) {
	t.Run("first revision", func(t *testing.T) { disktest.EveryCrash(t, nothing, publishOn(1), latestWhole(0, 1)) })
	t.Run("second revision", func(t *testing.T) { disktest.EveryCrash(t, publishOn(1), publishOn(2), latestWhole(1, 2)) })
	t.Run("the same again", func(t *testing.T) { disktest.EveryCrash(t, publishOn(1), publishOn(1), latestWhole(1, 1)) })
}

func TestACrashAtAnyOperationOfAdoptIsMendedByTheNext(t *testing.T) {
	adopt := func(m *disk.Mem) error {
		_, err := Adopt(m, "/reports", day, 2)
		if errors.Is(err, fs.ErrNotExist) { // the crash took the folder, as it may
			return publishOn(2)(m)
		}
		return err
	}
	for name, at := range map[string]struct {
		op string
		n  int
	}{"folder has its name, not synced": {disk.OpSyncDir, 2}, "link not made": {disk.OpSymlink, 1}, "link not renamed": {disk.OpRename, 2}} {
		t.Run(name, func(t *testing.T) {
			named := func(m *disk.Mem) error {
				if err := publishOn(1)(m); err != nil {
					return err
				}
				return disktest.Die(m, at.op, at.n, publishOn(2))
			}
			disktest.EveryCrash(t, named, adopt, latestWhole(1, 2))
			disktest.EveryFault(t, named, adopt, latestWhole(1, 2))
		})
	}
}

func putOn(m *disk.Mem) error {
	_, err := CarryStore{Disk: m, Dir: "/state/carry"}.Put(context.Background(), []byte("carried\n"))
	return err
}

// carryWhole checks that the carry file is there whole, or, unless Put said so, not at all.
func carryWhole(t *testing.T, m *disk.Mem, at string, err error) {
	t.Helper()
	text := []byte("carried\n")
	got, gone := CarryStore{Disk: m, Dir: "/state/carry"}.Get(context.Background(), digestOf(text))
	switch {
	case gone == nil && !bytes.Equal(got, text):
		t.Errorf("%s: another text", at)
	case gone != nil && (err == nil || !errors.Is(gone, ErrNoCarry)):
		t.Errorf("%s: Put said %v, Get says %v", at, err, gone)
	}
}

func TestACrashAtAnyOperationLeavesNoCarryFileOrAWholeOne(t *testing.T) {
	t.Run("first", func(t *testing.T) { disktest.EveryCrash(t, nothing, putOn, carryWhole) })
	t.Run("the same again", func(t *testing.T) { disktest.EveryCrash(t, putOn, putOn, carryWhole) })
	t.Run("named by a process that died", func(t *testing.T) {
		named := func(m *disk.Mem) error {
			if err := disk.MkdirAll(m, "/state/carry/00", 0o700); err != nil {
				return err
			}
			return disktest.Die(m, disk.OpSyncDir, 3, putOn)
		}
		disktest.EveryCrash(t, named, putOn, carryWhole)
	})
}

func TestADiskThatRefusesAnyOneOperationIsNamedAndTheNextRunMendsIt(t *testing.T) {
	t.Run("first revision", func(t *testing.T) { disktest.EveryFault(t, nothing, publishOn(1), latestWhole(0, 1)) })
	t.Run("second revision", func(t *testing.T) { disktest.EveryFault(t, publishOn(1), publishOn(2), latestWhole(1, 2)) })
	t.Run("carry", func(t *testing.T) { disktest.EveryFault(t, nothing, putOn, carryWhole) })
}
