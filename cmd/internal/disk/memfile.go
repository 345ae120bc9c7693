package disk

import (
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
	"syscall"
)

// memFile is one opening of a file in memory. It keeps the file alive when its name is gone.
type memFile struct {
	m      *Mem
	n      *node
	path   string
	epoch  int64
	writes bool
	closed atomic.Bool

	mu  sync.Mutex // of off
	off int64
}

func (f *memFile) Name() string { return f.path }

// ready tells whether an operation may go on: not on a closed file, nor on one that a crash has cut off.
func (f *memFile) ready(op string) error {
	if err := f.m.Fault.ask(op, f.path); err != nil {
		return err
	}
	if f.closed.Load() || f.epoch != f.m.epoch.Load() {
		return pathError(op, f.path, fs.ErrClosed)
	}
	return nil
}

func (f *memFile) Read(p []byte) (int, error) {
	if err := f.ready(OpRead); err != nil {
		return 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.at(p, f.off)
	f.off += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.ready(OpRead); err != nil {
		return 0, err
	}
	return f.at(p, off)
}

func (f *memFile) at(p []byte, off int64) (int, error) {
	switch {
	case f.writes:
		return 0, pathError(OpRead, f.path, syscall.EBADF)
	case off < 0:
		return 0, pathError(OpRead, f.path, syscall.EINVAL)
	case len(p) == 0:
		return 0, nil
	}
	f.n.mu.RLock()
	defer f.n.mu.RUnlock()
	if off >= int64(len(f.n.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.n.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) Write(p []byte) (int, error) {
	fault := f.m.Fault.ask(OpWrite, f.path)
	switch {
	case f.closed.Load() || f.epoch != f.m.epoch.Load():
		return 0, pathError(OpWrite, f.path, fs.ErrClosed)
	case !f.writes:
		return 0, pathError(OpWrite, f.path, syscall.EBADF)
	case fault != nil:
		p = p[:len(p)/2]
	}
	f.n.mu.Lock()
	defer f.n.mu.Unlock()
	f.n.data = append(f.n.data, p...)
	return len(p), fault
}

func (f *memFile) Stat() (fs.FileInfo, error) {
	if err := f.ready(OpStat); err != nil {
		return nil, err
	}
	f.m.mu.RLock()
	defer f.m.mu.RUnlock()
	return f.n.info(f.path[lastSlash(f.path)+1:]), nil
}

func lastSlash(p string) int {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i] == '/' || p[i] == '\\' {
			return i
		}
	}
	return -1
}

func (f *memFile) Chmod(mode fs.FileMode) error {
	if err := f.ready(OpChmod); err != nil {
		return err
	}
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	f.n.perm = mode.Perm()
	return nil
}

func (f *memFile) Sync() error {
	if err := f.ready(OpSync); err != nil {
		return err
	}
	f.m.mu.Lock()
	f.n.kept = f.n.perm
	f.m.mu.Unlock()
	f.n.mu.Lock()
	f.n.synced = len(f.n.data)
	f.n.mu.Unlock()
	return nil
}

func (f *memFile) TryLock() (bool, error) {
	if err := f.ready(OpLock); err != nil {
		return false, err
	}
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if h := f.n.holder; h != nil && h != f && h.epoch == f.epoch {
		return false, nil
	}
	f.n.holder = f
	return true, nil
}

func (f *memFile) Close() error {
	fault := f.m.Fault.ask(OpClose, f.path)
	if f.closed.Swap(true) {
		return pathError(OpClose, f.path, fs.ErrClosed)
	}
	f.m.mu.Lock()
	if f.n.holder == f {
		f.n.holder = nil
	}
	f.m.mu.Unlock()
	return fault
}
