package fetch

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daozhang/cmd/internal/disk"
	"daozhang/cmd/internal/disk/disktest"
)

// landOn opens the archive of a memory, as each command does, and lands two deliveries.
func landOn(m *disk.Mem) error {
	a, err := NewArchive(m, "/state/archive")
	if err != nil {
		return err
	}
	for _, text := range []string{"hello", "world"} {
		if _, err := a.Put(context.Background(), strings.NewReader(text), Meta{Size: 5}); err != nil {
			return err
		}
	}
	return nil
}

// archiveWhole checks that every name in the archive is the hash of its bytes and read-only, and that nothing is missing
// where landing said that it had ended.
func archiveWhole(t *testing.T, m *disk.Mem, at string, err error) {
	t.Helper()
	a := &Archive{fs: m, dir: "/state/archive"}
	names, listErr := a.List()
	if listErr != nil && !errors.Is(listErr, fs.ErrNotExist) {
		t.Fatalf("%s: %v", at, listErr)
	}
	for _, sha := range names {
		if _, err := a.Check(context.Background(), sha); err != nil {
			t.Errorf("%s: %v", at, err)
		}
		if info, err := m.Lstat(filepath.Join("/state/archive", sha[:2], sha)); err != nil || info.Mode() != 0o400 {
			t.Errorf("%s: %v %v; want mode 0400", at, info, err)
		}
	}
	want := []string{shaOf("hello"), shaOf("world")}
	slices.Sort(want)
	if err == nil && !slices.Equal(names, want) {
		t.Errorf("%s: the archive holds %v", at, names)
	}
}

func TestACrashAtAnyOperationLeavesOnlyWholeDeliveriesAndTheNextRunMendsIt(t *testing.T) {
	t.Run("first", func(t *testing.T) {
		disktest.EveryCrash(t, func(*disk.Mem) error { return nil }, landOn, archiveWhole)
	})
	t.Run("the same again", func(t *testing.T) { disktest.EveryCrash(t, landOn, landOn, archiveWhole) })
	t.Run("named by a process that died", func(t *testing.T) {
		renamed := 0
		named := func(m *disk.Mem) error {
			renamed = 0
			m.Fault = func(op, _ string) error {
				if op == disk.OpRename {
					renamed++
				} else if renamed > 0 {
					return disktest.ErrDead
				}
				return nil
			}
			err := landOn(m)
			m.Fault = nil
			if !errors.Is(err, disktest.ErrDead) {
				return err
			}
			return nil
		}
		disktest.EveryCrash(t, named, landOn, archiveWhole)
	})
}

func TestADiskThatRefusesAnyOneOperationLeavesOnlyWholeDeliveries(t *testing.T) {
	disktest.EveryFault(t, func(*disk.Mem) error { return nil }, func(m *disk.Mem) error {
		err := landOn(m)
		if err != nil && ClassOf(err) != ClassDisk {
			t.Errorf("%v of class %v", err, ClassOf(err))
		}
		return err
	}, archiveWhole)
}

func TestListAndStatKnowTheDeliveriesAndNothingElse(t *testing.T) {
	m := disk.Memory()
	a, err := NewArchive(m, "/archive")
	must(t, err)
	if names, err := a.List(); err != nil || len(names) != 0 {
		t.Errorf("an empty archive lists %v, %v", names, err)
	}
	var want []string
	for _, text := range []string{"a", "bb", "ccc"} {
		_, err := a.Put(t.Context(), strings.NewReader(text), Meta{Size: -1})
		must(t, err)
		want = append(want, shaOf(text))
		if n, err := a.Stat(shaOf(text)); err != nil || n != int64(len(text)) {
			t.Errorf("Stat = %d, %v; want %d", n, err, len(text))
		}
	}
	slices.Sort(want)
	for _, stray := range []string{"notes.txt", want[0][:2] + "/notes.txt", want[0][:2] + "/" + strings.ToUpper(want[0])} {
		f, err := m.Create("/archive/"+stray, 0o600)
		must(t, err)
		must(t, f.Close())
	}
	if got, err := a.List(); err != nil || !slices.Equal(got, want) {
		t.Errorf("List = %v, %v; want %v", got, err, want)
	}
	if _, err := a.Stat(shaOf("none")); !errors.Is(err, fs.ErrNotExist) || a.Has(shaOf("none")) {
		t.Errorf("of a delivery that is not there: %v", err)
	}
	if _, err := a.Stat("x"); err == nil {
		t.Error("Stat took a name that is no hash")
	}
}

func TestAPartFileInUseStaysAndItsNumberIsNotGivenTwice(t *testing.T) {
	m := disk.Memory()
	a, err := NewArchive(m, "/archive")
	must(t, err)
	live, err := createPart(m, a.partDir())
	must(t, err)
	_, err = NewArchive(m, "/archive")
	must(t, err)
	if _, err := m.Lstat(live.Name()); err != nil {
		t.Errorf("a part file in use was removed: %v", err)
	}
	_, err = a.Put(t.Context(), strings.NewReader("x"), Meta{Size: 1})
	must(t, err)
	must(t, live.Close())
	_, err = NewArchive(m, "/archive")
	must(t, err)
	if entries, err := m.ReadDir(a.partDir()); err != nil || len(entries) != 0 {
		t.Errorf("part files left: %v, %v", entries, err)
	}
}

func TestACleanUpThatIsOvertakenRemovesNobodysPartFile(t *testing.T) {
	m := disk.Memory()
	a, err := NewArchive(m, "/archive")
	must(t, err)
	dead, err := createPart(m, a.partDir())
	must(t, err)
	must(t, dead.Close())
	var live disk.File
	m.Fault = func(op, _ string) error {
		if op == disk.OpLock && live == nil { // between opening and locking, another clean-up and another landing
			m.Fault = nil
			must(t, m.Remove(dead.Name()))
			live, err = createPart(m, a.partDir())
			must(t, err)
		}
		return nil
	}
	_, err = NewArchive(m, "/archive")
	must(t, err)
	if live == nil || live.Name() != dead.Name() {
		t.Fatal("the number was not given anew, this test tests nothing")
	}
	if !named(m, live) {
		t.Error("the part file of a living process was removed")
	}
}
