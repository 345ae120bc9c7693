package disk

import "io/fs"

// Op names an operation that a hook is asked about. Those from OpRead on are of an open file.
const (
	OpOpen      = "open"
	OpCreate    = "create"
	OpRename    = "rename" // asked about the new name
	OpRemove    = "remove"
	OpRemoveAll = "removeall"
	OpMkdir     = "mkdir"
	OpChmod     = "chmod" // of a path or an open file
	OpReadDir   = "readdir"
	OpStat      = "stat" // of a path or an open file
	OpLstat     = "lstat"
	OpSymlink   = "symlink"
	OpReadlink  = "readlink"
	OpSyncDir   = "syncdir"
	OpRead      = "read" // Read and ReadAt
	OpWrite     = "write"
	OpSync      = "sync"
	OpLock      = "lock"
	OpClose     = "close"
)

// Hook is asked before each operation; its error becomes the operation's. A refused write has written half of its
// bytes and a refused close has closed the file, as a full disk does.
type Hook func(op, path string) error

func (h Hook) ask(op, path string) error {
	if h == nil {
		return nil
	}
	if err := h(op, path); err != nil {
		return &fs.PathError{Op: op, Path: path, Err: err}
	}
	return nil
}

// Fault is fsys with a hook before every operation.
func Fault(fsys FS, hook func(op, path string) error) FS { return faulty{fsys, hook} }

type faulty struct {
	fs   FS
	hook Hook
}

type faultyFile struct {
	File
	hook Hook
}

func (f faulty) file(op, path string, open func() (File, error)) (File, error) {
	if err := f.hook.ask(op, path); err != nil {
		return nil, err
	}
	file, err := open()
	if err != nil {
		return nil, err
	}
	return faultyFile{file, f.hook}, nil
}

// asked does what do does, unless the hook refuses.
func asked[T any](h Hook, op, path string, do func() (T, error)) (T, error) {
	if err := h.ask(op, path); err != nil {
		var none T
		return none, err
	}
	return do()
}

func (f faulty) do(op, path string, do func() error) error {
	if err := f.hook.ask(op, path); err != nil {
		return err
	}
	return do()
}

func (f faulty) Open(path string) (File, error) {
	return f.file(OpOpen, path, func() (File, error) { return f.fs.Open(path) })
}

func (f faulty) Create(path string, mode fs.FileMode) (File, error) {
	return f.file(OpCreate, path, func() (File, error) { return f.fs.Create(path, mode) })
}

func (f faulty) Rename(from, to string) error {
	return f.do(OpRename, to, func() error { return f.fs.Rename(from, to) })
}

func (f faulty) Remove(path string) error {
	return f.do(OpRemove, path, func() error { return f.fs.Remove(path) })
}

func (f faulty) RemoveAll(path string) error {
	return f.do(OpRemoveAll, path, func() error { return f.fs.RemoveAll(path) })
}

func (f faulty) Mkdir(path string, mode fs.FileMode) error {
	return f.do(OpMkdir, path, func() error { return f.fs.Mkdir(path, mode) })
}

func (f faulty) Chmod(path string, mode fs.FileMode) error {
	return f.do(OpChmod, path, func() error { return f.fs.Chmod(path, mode) })
}

func (f faulty) Symlink(target, path string) error {
	return f.do(OpSymlink, path, func() error { return f.fs.Symlink(target, path) })
}

func (f faulty) SyncDir(path string) error {
	return f.do(OpSyncDir, path, func() error { return f.fs.SyncDir(path) })
}

func (f faulty) ReadDir(path string) ([]fs.DirEntry, error) {
	return asked(f.hook, OpReadDir, path, func() ([]fs.DirEntry, error) { return f.fs.ReadDir(path) })
}

func (f faulty) Stat(path string) (fs.FileInfo, error) {
	return asked(f.hook, OpStat, path, func() (fs.FileInfo, error) { return f.fs.Stat(path) })
}

func (f faulty) Lstat(path string) (fs.FileInfo, error) {
	return asked(f.hook, OpLstat, path, func() (fs.FileInfo, error) { return f.fs.Lstat(path) })
}

func (f faulty) Readlink(path string) (string, error) {
	return asked(f.hook, OpReadlink, path, func() (string, error) { return f.fs.Readlink(path) })
}

func (f faultyFile) Read(p []byte) (int, error) {
	return asked(f.hook, OpRead, f.Name(), func() (int, error) { return f.File.Read(p) })
}

func (f faultyFile) ReadAt(p []byte, off int64) (int, error) {
	return asked(f.hook, OpRead, f.Name(), func() (int, error) { return f.File.ReadAt(p, off) })
}

func (f faultyFile) Write(p []byte) (int, error) {
	if err := f.hook.ask(OpWrite, f.Name()); err != nil {
		n, _ := f.File.Write(p[:len(p)/2]) // the hook's error is the one to tell
		return n, err
	}
	return f.File.Write(p)
}

func (f faultyFile) Stat() (fs.FileInfo, error) {
	return asked(f.hook, OpStat, f.Name(), f.File.Stat)
}

func (f faultyFile) Chmod(mode fs.FileMode) error {
	if err := f.hook.ask(OpChmod, f.Name()); err != nil {
		return err
	}
	return f.File.Chmod(mode)
}

func (f faultyFile) Sync() error {
	if err := f.hook.ask(OpSync, f.Name()); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f faultyFile) TryLock() (bool, error) {
	return asked(f.hook, OpLock, f.Name(), f.File.TryLock)
}

func (f faultyFile) Close() error {
	err := f.hook.ask(OpClose, f.Name())
	if closed := f.File.Close(); err == nil {
		err = closed
	}
	return err
}
