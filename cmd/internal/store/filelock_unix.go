//go:build unix

package store

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

const dirSyncUnsupported = false

// errReadOnlyDisk is what opening for writing gives on a disk that is mounted read-only.
var errReadOnlyDisk error = unix.EROFS

func lockFile(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errHeld
	}
	return err
}
