package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// errHeld: another process holds the file lock.
var errHeld = errors.New("held by another process")

// fileLock is an exclusive lock of the operating system on a file beside the database. It dies with the process, so
// that kill -9 frees it at once. The file itself stays: removing it would let two processes lock two files.
type fileLock struct{ f *os.File }

// tryFileLock returns errHeld at once where another process has the lock.
func tryFileLock(path string) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock file: %w", err)
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &fileLock{f}, nil
}

// waitFileLock tries until it has the lock or ctx ends.
func waitFileLock(ctx context.Context, path string) (*fileLock, error) {
	for {
		l, err := tryFileLock(path)
		if !errors.Is(err, errHeld) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: %w: %w", path, errHeld, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (l *fileLock) release() error {
	if l == nil {
		return nil
	}
	return l.f.Close()
}

// syncDir makes names in a folder durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	err = d.Sync()
	if dirSyncUnsupported {
		err = nil
	}
	return errors.Join(err, d.Close())
}
