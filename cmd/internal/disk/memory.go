package disk

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Memory makes an empty file system in memory. Its current folder is its root.
func Memory() *Mem {
	m := &Mem{root: newFolder(0o700)}
	m.root.parent = m.root
	return m
}

// Mem is a file system in memory, with links, modes and locks. It knows no users, so that modes forbid nothing, no
// umask and no times. A path is cleaned before its links are followed.
//
// Everything that a caller sees is the newest state. What [Mem.Crash] leaves is kept beside it: each folder remembers
// under the names that changed since its last SyncDir what they were then, each file how many of its bytes were synced.
type Mem struct {
	// Fault, where set, is asked before each operation, as by [Fault]. Set it while nothing else is going on.
	Fault Hook

	mu    sync.RWMutex // of the tree: names, modes, locks
	root  *node
	epoch atomic.Int64 // counts crashes; handles of an earlier one are dead
}

// node is a file, a folder or a link.
type node struct {
	kind       fs.FileMode // 0, fs.ModeDir or fs.ModeSymlink
	perm, kept fs.FileMode // permissions now, and when last synced
	target     string      // of a link
	holder     *memFile    // who has locked it

	parent *node            // of a folder; itself for the root
	names  map[string]*node // in a folder
	was    map[string]*node // names changed since the last sync, and what they were: nil for nothing

	mu     sync.RWMutex // of a file's bytes
	data   []byte       // only ever grows, so that what was synced is its head
	synced int
}

func newFolder(mode fs.FileMode) *node {
	return &node{kind: fs.ModeDir, perm: mode.Perm(), kept: mode.Perm(), names: map[string]*node{}, was: map[string]*node{}}
}

// set gives a name in a folder to n, or takes the name away where n is nil.
func (d *node) set(name string, n *node) {
	if _, changed := d.was[name]; !changed {
		d.was[name] = d.names[name]
	}
	if n == nil {
		delete(d.names, name)
		return
	}
	d.names[name] = n
	if n.kind == fs.ModeDir {
		n.parent = d
	}
}

// clean is p as a path from the root, with slashes.
func clean(p string) string { return path.Clean("/" + filepath.ToSlash(p)) }

// maxLinks is how many links one path may lead through.
const maxLinks = 40

// find returns the folder in which a path ends, its last name, and what is there: nil where nothing is. A link at the
// end is followed only if asked. The caller holds mu.
func (m *Mem) find(p string, follow bool) (folder *node, name string, n *node, err error) {
	rest := clean(p)[1:]
	folder = m.root
	for links := 0; ; {
		if rest == "" {
			return folder.parent, ".", folder, nil
		}
		var more bool
		name, rest, more = strings.Cut(rest, "/")
		switch n = folder.names[name]; {
		case name == "..":
			n = folder.parent
		case n == nil && more:
			return nil, "", nil, fs.ErrNotExist
		}
		if n != nil && n.kind == fs.ModeSymlink && (more || follow) {
			if links++; links > maxLinks {
				return nil, "", nil, syscall.ELOOP
			}
			if strings.HasPrefix(n.target, "/") {
				folder = m.root
			}
			rest = strings.Trim(strings.TrimPrefix(path.Clean(n.target)+"/", "./")+rest, "/")
			continue
		}
		if !more {
			return folder, name, n, nil
		}
		if n.kind != fs.ModeDir {
			return nil, "", nil, syscall.ENOTDIR
		}
		folder = n
	}
}

// there is find for something that must be there.
func (m *Mem) there(p string, follow bool) (*node, error) {
	_, _, n, err := m.find(p, follow)
	if err == nil && n == nil {
		err = fs.ErrNotExist
	}
	return n, err
}

// add puts a new node at a path where nothing is. The caller holds mu.
func (m *Mem) add(p string, n *node) error {
	folder, name, old, err := m.find(p, false)
	switch {
	case err != nil:
		return err
	case old != nil:
		return fs.ErrExist
	}
	folder.set(name, n)
	return nil
}

// change does one operation that changes the tree.
func (m *Mem) change(op, path string, do func() error) error {
	if err := m.Fault.ask(op, path); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return pathError(op, path, do())
}

// look does one operation that changes nothing.
func (m *Mem) look(op, path string, do func() error) error {
	if err := m.Fault.ask(op, path); err != nil {
		return err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	return pathError(op, path, do())
}

func pathError(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// Open implements [FS]. No byte is copied.
func (m *Mem) Open(path string) (File, error) {
	f := &memFile{m: m, path: path, epoch: m.epoch.Load()}
	err := m.look(OpOpen, path, func() (err error) {
		if f.n, err = m.there(path, true); err == nil && f.n.kind != 0 {
			err = syscall.EISDIR
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Create implements [FS].
func (m *Mem) Create(path string, mode fs.FileMode) (File, error) {
	f := &memFile{m: m, path: path, epoch: m.epoch.Load(), writes: true, n: &node{perm: mode.Perm(), kept: mode.Perm()}}
	if err := m.change(OpCreate, path, func() error { return m.add(path, f.n) }); err != nil {
		return nil, err
	}
	return f, nil
}

// Rename implements [FS].
func (m *Mem) Rename(from, to string) error {
	return m.change(OpRename, to, func() error {
		dirA, nameA, n, err := m.find(from, false)
		if err != nil {
			return err
		}
		dirB, nameB, old, err := m.find(to, false)
		switch {
		case err != nil:
			return err
		case n == nil:
			return fs.ErrNotExist
		case old != nil && old.kind == fs.ModeDir && (old != n || from == to):
			return fs.ErrExist
		case n == m.root || old != n && n.kind == fs.ModeDir && n.holds(dirB):
			return syscall.EINVAL
		case old == n:
			return nil
		case old != nil && n.kind == fs.ModeDir:
			return syscall.ENOTDIR
		}
		dirA.set(nameA, nil)
		dirB.set(nameB, n)
		return nil
	})
}

// holds tells whether a folder is d or one below it.
func (d *node) holds(below *node) bool {
	for ; below != d; below = below.parent {
		if below.parent == below {
			return false
		}
	}
	return true
}

// Remove implements [FS].
func (m *Mem) Remove(path string) error {
	return m.change(OpRemove, path, func() error {
		folder, name, n, err := m.find(path, false)
		switch {
		case err != nil:
			return err
		case n == nil:
			return fs.ErrNotExist
		case n == m.root:
			return syscall.EINVAL
		case len(n.names) > 0:
			return syscall.ENOTEMPTY
		}
		folder.set(name, nil)
		return nil
	})
}

// RemoveAll implements [FS].
func (m *Mem) RemoveAll(path string) error {
	return m.change(OpRemoveAll, path, func() error {
		folder, name, n, err := m.find(path, false)
		switch {
		case err == fs.ErrNotExist || err == nil && n == nil:
			return nil
		case err != nil:
			return err
		case n == m.root:
			return syscall.EINVAL
		}
		n.empty()
		folder.set(name, nil)
		return nil
	})
}

// empty takes all names out of a folder and out of those below it.
func (d *node) empty() {
	for name, n := range d.names {
		n.empty()
		d.set(name, nil)
	}
}

// Mkdir implements [FS].
func (m *Mem) Mkdir(path string, mode fs.FileMode) error {
	return m.change(OpMkdir, path, func() error { return m.add(path, newFolder(mode)) })
}

// Symlink implements [FS].
func (m *Mem) Symlink(target, path string) error {
	n := &node{kind: fs.ModeSymlink, perm: 0o777, kept: 0o777, target: filepath.ToSlash(target)}
	return m.change(OpSymlink, path, func() error { return m.add(path, n) })
}

// Chmod implements [FS].
func (m *Mem) Chmod(path string, mode fs.FileMode) error {
	return m.change(OpChmod, path, func() error {
		n, err := m.there(path, true)
		if err == nil {
			n.perm = mode.Perm()
		}
		return err
	})
}

// Readlink implements [FS].
func (m *Mem) Readlink(path string) (target string, err error) {
	err = m.look(OpReadlink, path, func() error {
		n, err := m.there(path, false)
		switch {
		case err != nil:
			return err
		case n.kind != fs.ModeSymlink:
			return syscall.EINVAL
		}
		target = n.target
		return nil
	})
	return target, err
}

// ReadDir implements [FS].
func (m *Mem) ReadDir(path string) (list []fs.DirEntry, err error) {
	err = m.look(OpReadDir, path, func() error {
		n, err := m.there(path, true)
		switch {
		case err != nil:
			return err
		case n.kind != fs.ModeDir:
			return syscall.ENOTDIR
		}
		list = make([]fs.DirEntry, 0, len(n.names))
		for name, child := range n.names {
			list = append(list, fs.FileInfoToDirEntry(child.info(name)))
		}
		return nil
	})
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, err
}

// Stat implements [FS].
func (m *Mem) Stat(path string) (fs.FileInfo, error) { return m.stat(OpStat, path, true) }

// Lstat implements [FS].
func (m *Mem) Lstat(path string) (fs.FileInfo, error) { return m.stat(OpLstat, path, false) }

func (m *Mem) stat(op, path string, follow bool) (info fs.FileInfo, err error) {
	err = m.look(op, path, func() error {
		n, err := m.there(path, follow)
		if err == nil {
			info = n.info(filepath.Base(path))
		}
		return err
	})
	return info, err
}

// SyncDir implements [FS].
func (m *Mem) SyncDir(path string) error {
	return m.change(OpSyncDir, path, func() error {
		n, err := m.there(path, true)
		switch {
		case err != nil:
			return err
		case n.kind != fs.ModeDir:
			return syscall.ENOTDIR
		}
		clear(n.was)
		n.kept = n.perm
		return nil
	})
}

// info describes a node under a name. The caller holds the tree's mu.
func (n *node) info(name string) fs.FileInfo {
	i := memInfo{name: name, mode: n.kind | n.perm, n: n}
	if n.kind == 0 {
		n.mu.RLock()
		i.size = int64(len(n.data))
		n.mu.RUnlock()
	}
	return i
}

type memInfo struct {
	name string
	size int64
	mode fs.FileMode
	n    *node
}

func (i memInfo) Name() string       { return i.name }
func (i memInfo) Size() int64        { return i.size }
func (i memInfo) Mode() fs.FileMode  { return i.mode }
func (i memInfo) ModTime() time.Time { return time.Time{} }
func (i memInfo) IsDir() bool        { return i.mode.IsDir() }
func (i memInfo) Sys() any           { return i.n }
