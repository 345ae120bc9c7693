package store

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

const dirSyncUnsupported = true

// errReadOnlyDisk is what opening for writing gives on a disk that is mounted read-only.
var errReadOnlyDisk error = windows.ERROR_WRITE_PROTECT

func lockFile(f *os.File) error {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, 1, 0, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errHeld
	}
	return err
}
