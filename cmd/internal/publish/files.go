package publish

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

	"daozhang/cmd/internal/disk"
)

// writeFile makes a new file with exactly fileMode, whatever the umask, and returns the SHA-256 of its bytes in hex
// when they are on the disk. What w buffers goes to the file; several files may have it by turns.
func writeFile(fsys disk.FS, path string, w *bufio.Writer, write func(io.Writer) error) (sum string, err error) {
	f, err := fsys.Create(path, 0o600)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	w.Reset(io.MultiWriter(f, h))
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Chmod(fileMode)
	}
	if err == nil {
		err = f.Sync()
	}
	return hex.EncodeToString(h.Sum(nil)), errors.Join(err, f.Close())
}
