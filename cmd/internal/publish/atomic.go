package publish

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"daozhang/cmd/internal/disk"
)

// WriteFile writes one file that the user named, outside of a report folder, replacing an older one whole: readers see
// the old or the new bytes, never a part.
func WriteFile(path string, write func(io.Writer) error) error {
	fsys := disk.OS
	tmp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".part")
	if err := fsys.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := writeFile(fsys, tmp, bufio.NewWriterSize(nil, 1<<16), write); err != nil {
		return errors.Join(err, fsys.Remove(tmp))
	}
	if err := fsys.Rename(tmp, path); err != nil {
		return err
	}
	return fsys.SyncDir(filepath.Dir(path))
}
