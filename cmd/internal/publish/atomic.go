package publish

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// WriteFile writes one file outside of a report folder, replacing an older one whole: readers see the old or the new
// bytes, never a part.
func WriteFile(path string, write func(io.Writer) error) error {
	tmp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".part")
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := writeFile(tmp, write); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
