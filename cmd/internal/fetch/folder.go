package fetch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Folder is a local folder as a place to fetch from. Links that lead out of it are not followed.
type Folder struct {
	Path string
}

// Dial opens the folder.
func (f Folder) Dial(context.Context) (Remote, error) {
	root, err := os.OpenRoot(f.Path)
	if err != nil {
		return nil, fail("open", f.Path, "", err)
	}
	return &folder{root: root, place: f.Path}, nil
}

// Place returns the folder's path.
func (f Folder) Place() string { return f.Path }

type folder struct {
	root  *os.Root
	place string
}

func (f *folder) Peer() Peer                   { return Peer{Place: f.place} }
func (f *folder) Close() error                 { return f.root.Close() }
func (f *folder) Join(dir, name string) string { return filepath.Join(local(dir), name) }

// local makes a path relative to the folder.
func local(p string) string {
	if p = strings.TrimLeft(p, "/"); p == "" {
		return "."
	}
	return p
}

func (f *folder) List(ctx context.Context, dir string) ([]Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, fail("list", f.place, dir, err)
	}
	d, err := f.root.Open(local(dir))
	if err != nil {
		return nil, fail("list", f.place, dir, err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, fail("list", f.place, dir, err)
	}
	slices.Sort(names)
	out := make([]Entry, 0, len(names))
	for _, n := range names {
		e, err := f.Stat(ctx, f.Join(dir, n))
		if ClassOf(err) == ClassVanished && err != nil {
			continue // it went between the two calls, as if the listing were a moment later
		}
		if err != nil {
			return nil, err
		}
		e.Name = n
		out = append(out, e)
	}
	return out, nil
}

func (f *folder) Stat(_ context.Context, path string) (Entry, error) {
	info, err := f.root.Lstat(local(path))
	if err != nil {
		return Entry{}, fail("stat", f.place, path, err)
	}
	return Entry{Name: info.Name(), Size: info.Size(), MTime: info.ModTime(), Mode: info.Mode()}, nil
}

func (f *folder) Open(ctx context.Context, path string) (File, error) {
	before, err := f.root.Lstat(local(path))
	if err != nil {
		return nil, fail("open", f.place, path, err)
	}
	if !before.Mode().IsRegular() { // opening a pipe would wait for ever
		return nil, fail("open", f.place, path, fmt.Errorf("%w: %s", ErrNotFile, before.Mode().Type()))
	}
	file, err := f.root.Open(local(path))
	if err != nil {
		return nil, fail("open", f.place, path, err)
	}
	after, err := file.Stat()
	if err == nil && !os.SameFile(before, after) {
		err = fmt.Errorf("%w: replaced while it was opened", ErrIncomplete)
	}
	if err != nil {
		return nil, errors.Join(fail("open", f.place, path, err), file.Close())
	}
	return &folderFile{file, ctx, f.place, path}, nil
}

type folderFile struct {
	*os.File
	ctx   context.Context
	place string
	path  string
}

func (f *folderFile) Read(p []byte) (int, error) {
	if err := f.ctx.Err(); err != nil {
		return 0, fail("read", f.place, f.path, err)
	}
	return f.File.Read(p)
}
