package disk

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
)

// OS is the system's own file system.
var OS FS = system{}

type system struct{}

// systemFile adds the lock to what *os.File has.
type systemFile struct{ *os.File }

func open(path string, flag int, mode fs.FileMode) (File, error) {
	f, err := os.OpenFile(path, flag, mode)
	if err != nil {
		return nil, err
	}
	return systemFile{f}, nil
}

func (system) Open(path string) (File, error) { return open(path, os.O_RDONLY, 0) }

func (system) Create(path string, mode fs.FileMode) (File, error) {
	return open(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}

func (system) Rename(from, to string) error               { return os.Rename(from, to) }
func (system) Remove(path string) error                   { return os.Remove(path) }
func (system) RemoveAll(path string) error                { return os.RemoveAll(path) }
func (system) Mkdir(path string, mode fs.FileMode) error  { return os.Mkdir(path, mode) }
func (system) Chmod(path string, mode fs.FileMode) error  { return os.Chmod(path, mode) }
func (system) ReadDir(path string) ([]fs.DirEntry, error) { return os.ReadDir(path) }
func (system) Stat(path string) (fs.FileInfo, error)      { return os.Stat(path) }
func (system) Lstat(path string) (fs.FileInfo, error)     { return os.Lstat(path) }
func (system) Symlink(target, path string) error          { return os.Symlink(target, path) }
func (system) Readlink(path string) (string, error)       { return os.Readlink(path) }

// SyncDir does nothing on Windows, which has no such call and does not need it.
func (system) SyncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
