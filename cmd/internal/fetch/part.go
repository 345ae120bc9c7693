//go:build unix

package fetch

import (
	"errors"
	"os"
	"syscall"
)

// createPart makes a new part file, mode 0600, and locks it. The lock lives as long as the process: it tells a part
// file in use from one that a crash left behind, which no process id could do reliably.
func createPart(dir string) (*os.File, error) {
	for {
		f, err := os.CreateTemp(dir, partPattern)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			// Another process's clean-up may have come between creating and locking.
			if there, err := os.Lstat(f.Name()); err == nil {
				if mine, err := f.Stat(); err == nil && os.SameFile(there, mine) {
					return f, nil
				}
			}
		} else if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
		_ = f.Close()
	}
}

// removeStale removes a part file that no living process holds.
func removeStale(path string) error {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ELOOP) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil // in use
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
