// Package disk is the seam between the program and the file system that keeps its archive, its carry files and its
// reports. Production works on [OS]; tests work on [Memory], which forgets in a crash what was not made durable, and
// either can be made to fail at any operation.
//
//	            ┌ OS        the system's own calls, nothing added
//	FS ◄────────┼ Memory    one tree in memory; Crash() drops what was not synced
//	            └ Fault(FS) asks before each operation whether it may go on
//
// What is durable is the same question everywhere: the bytes and the mode of a file after its Sync, the names in a
// folder and the folder's mode after SyncDir. Nothing else survives for certain.
package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// FS is what the program asks of a file system. Paths are those of the system, as package filepath makes them; errors
// are those of package os: errors.Is with fs.ErrNotExist and fs.ErrExist tells. All methods may be called at once.
type FS interface {
	// Open opens a file for reading.
	Open(path string) (File, error)
	// Create makes a file that must not be there yet, for writing.
	Create(path string, mode fs.FileMode) (File, error)
	// Rename gives a file, link or folder another name. A file or link of that name is replaced in one go, a folder
	// never: fs.ErrExist.
	Rename(from, to string) error
	// Remove removes a file, a link or an empty folder.
	Remove(path string) error
	// RemoveAll removes what is there and all below it; nothing there is no error.
	RemoveAll(path string) error
	// Mkdir makes one folder in one that is there.
	Mkdir(path string, mode fs.FileMode) error
	// Chmod sets the permissions of a file or folder.
	Chmod(path string, mode fs.FileMode) error
	// ReadDir lists a folder, sorted by name.
	ReadDir(path string) ([]fs.DirEntry, error)
	// Stat describes what a path leads to, Lstat the name itself, which may be a link.
	Stat(path string) (fs.FileInfo, error)
	Lstat(path string) (fs.FileInfo, error)
	// Symlink makes a link at path that points to target; Readlink tells where a link points.
	Symlink(target, path string) error
	Readlink(path string) (string, error)
	// SyncDir makes the names in a folder, and its mode, durable.
	SyncDir(path string) error
}

// File is an open file. ReadAt may be called at once from several places; Read and Write keep one position.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.Closer
	// Name is the path that the file was opened by.
	Name() string
	Stat() (fs.FileInfo, error)
	Chmod(mode fs.FileMode) error
	// Sync makes the bytes and the mode durable, but not the name.
	Sync() error
	// TryLock takes the file for this handle and tells whether it got it. The lock ends with the handle or its process.
	TryLock() (bool, error)
}

// Or is fsys, or [OS] where it is nil.
func Or(fsys FS) FS {
	if fsys == nil {
		return OS
	}
	return fsys
}

// MkdirAll makes a folder and its missing parents with that mode, whatever the umask, and durable. A folder that is
// there keeps its mode.
//
// Nothing is put into a folder before its name is durable. So a folder that holds something is durable, and one that is
// empty may have been made by a process that died right then: its name is synced again.
func MkdirAll(fsys FS, path string, mode fs.FileMode) error {
	parent := filepath.Dir(path)
	switch info, err := fsys.Stat(path); {
	case err == nil && info.IsDir():
		entries, err := fsys.ReadDir(path)
		if err != nil || len(entries) > 0 || parent == path {
			return err
		}
		// The parent may be a folder that we may enter and not read; then it is not one that we have made.
		if err := fsys.SyncDir(parent); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
		return nil
	case err == nil:
		return &fs.PathError{Op: "mkdir", Path: path, Err: fs.ErrExist}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := MkdirAll(fsys, parent, mode); err != nil {
		return err
	}
	if err := fsys.Mkdir(path, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := fsys.Chmod(path, mode); err != nil {
		return err
	}
	if err := fsys.SyncDir(path); err != nil {
		return err
	}
	return fsys.SyncDir(parent)
}

// maxNumbered bounds the search for a free number; so many leftovers mean that nobody removes them.
const maxNumbered = 10000

// CreateNumbered makes a file of a name that is free, prefix + number + suffix, counting from 1.
func CreateNumbered(fsys FS, dir, prefix, suffix string, mode fs.FileMode) (File, error) {
	var f File
	_, err := numbered(dir, prefix, suffix, func(path string) (err error) {
		f, err = fsys.Create(path, mode)
		return err
	})
	return f, err
}

// MkdirNumbered is CreateNumbered for a folder and returns its path.
func MkdirNumbered(fsys FS, dir, prefix string, mode fs.FileMode) (string, error) {
	return numbered(dir, prefix, "", func(path string) error { return fsys.Mkdir(path, mode) })
}

func numbered(dir, prefix, suffix string, create func(path string) error) (string, error) {
	for i := 1; i <= maxNumbered; i++ {
		path := filepath.Join(dir, prefix+strconv.Itoa(i)+suffix)
		if err := create(path); !errors.Is(err, fs.ErrExist) {
			return path, err
		}
	}
	return "", fmt.Errorf("%s: %d names %s...%s are taken; remove what crashed runs have left: %w", dir, maxNumbered, prefix, suffix, fs.ErrExist)
}

// ReadFile returns the bytes of a file.
func ReadFile(fsys FS, path string) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(f)
	return data, errors.Join(err, f.Close())
}

// SameFile tells whether two descriptions, both of one file system, are of one file.
func SameFile(a, b fs.FileInfo) bool {
	m, ok := a.Sys().(*node)
	if !ok {
		return os.SameFile(a, b)
	}
	n, ok := b.Sys().(*node)
	return ok && m == n
}
