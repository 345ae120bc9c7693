package fetch

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"daozhang/cmd/internal/disk"
)

// Part files are named partPrefix + number + partSuffix.
const (
	partPrefix = "daozhang-"
	partSuffix = ".part"
)

// createPart makes a new part file, mode 0600, and locks it. The lock lives as long as the process: it tells a part
// file in use from one that a crash left behind, which no process id could do reliably.
func createPart(fsys disk.FS, dir string) (disk.File, error) {
	for {
		f, err := disk.CreateNumbered(fsys, dir, partPrefix, partSuffix, 0o600)
		if err != nil {
			return nil, err
		}
		locked, err := f.TryLock()
		if err != nil {
			return nil, errors.Join(err, f.Close(), fsys.Remove(f.Name()))
		}
		// Another process's clean-up may have come between creating and locking.
		if locked && named(fsys, f) {
			return f, nil
		}
		_ = f.Close()
	}
}

// named tells whether an open file still has the name that it was opened by.
func named(fsys disk.FS, f disk.File) bool {
	there, err := fsys.Lstat(f.Name())
	if err != nil {
		return false
	}
	mine, err := f.Stat()
	return err == nil && disk.SameFile(there, mine)
}

// removeStaleParts removes the part files that no living process holds.
func removeStaleParts(fsys disk.FS, dir string) error {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return err
	}
	removed := false
	for _, e := range entries {
		number, isPart := strings.CutPrefix(e.Name(), partPrefix)
		number, ends := strings.CutSuffix(number, partSuffix)
		if _, err := strconv.ParseUint(number, 10, 64); err != nil || !isPart || !ends || !e.Type().IsRegular() {
			continue
		}
		if err := removeStale(fsys, filepath.Join(dir, e.Name())); err != nil {
			return err
		}
		removed = true
	}
	if !removed {
		return nil
	}
	return fsys.SyncDir(dir) // or the next crash brings them back
}

// removeStale removes a part file that no living process holds.
func removeStale(fsys disk.FS, path string) (err error) {
	f, err := fsys.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if locked, err := f.TryLock(); err != nil || !locked {
		return nil // in use
	}
	// Who holds the lock of a dead process's file is the only one to remove it; the number may have been given anew.
	if !named(fsys, f) {
		return nil
	}
	if err := fsys.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
