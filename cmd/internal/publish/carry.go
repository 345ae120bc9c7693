package publish

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"daozhang/cmd/internal/disk"
)

// Sentinels of the carry store.
var (
	// ErrNoCarry: no carry file of that digest is stored.
	ErrNoCarry = errors.New("carry file is missing")
	// ErrCarryDamaged: the file does not hold the text that its name promises.
	ErrCarryDamaged = errors.New("carry file is damaged")
)

// maxCarryBytes bounds a carry text when it is read; a file that unpacks to more is damaged or hostile.
const maxCarryBytes = 4 << 30

// CarryStore keeps immutable texts under the SHA-256 of their uncompressed bytes, zstd-compressed. The same text is
// stored once. Files and folders are private (0600, 0700): they hold open items in full.
type CarryStore struct {
	Disk disk.FS // nil is disk.OS
	Dir  string
	Step func(string) // told of each of CarrySteps; nil drops it

	packer *packer // nil where few texts are stored
}

// NewCarryStore returns a store for many texts: it keeps the memory in which they are compressed. Without it a CarryStore
// works as well.
func NewCarryStore(fsys disk.FS, dir string, step func(string)) CarryStore {
	return CarryStore{Disk: fsys, Dir: dir, Step: step, packer: &packer{}}
}

func (c CarryStore) fs() disk.FS { return disk.Or(c.Disk) }

func (c CarryStore) step(name string) {
	if c.Step != nil {
		c.Step(name)
	}
}

// Path is where the text of a digest lies.
func (c CarryStore) Path(digest string) string {
	return filepath.Join(c.Dir, digest[:2], digest+".jsonl.zst")
}

// Put stores a text and returns its digest in lower-case hex. When it returns, the text is on the disk under its
// name. A damaged file under that name is replaced by a whole one.
func (c CarryStore) Put(ctx context.Context, text []byte) (digest string, err error) {
	sum := sha256.Sum256(text)
	digest = hex.EncodeToString(sum[:])
	switch _, err := c.Get(ctx, digest); {
	case err == nil:
		// It may have been renamed just before a crash and not be durable yet.
		return digest, c.fs().SyncDir(filepath.Dir(c.Path(digest)))
	case !errors.Is(err, ErrNoCarry) && !errors.Is(err, ErrCarryDamaged):
		return "", err
	}
	if err := c.put(digest, text); err != nil {
		return "", fmt.Errorf("carry file %s: %w", digest, err)
	}
	return digest, nil
}

func (c CarryStore) put(digest string, text []byte) error {
	folder := filepath.Dir(c.Path(digest))
	if err := disk.MkdirAll(c.fs(), folder, 0o700); err != nil {
		return err
	}
	if err := c.removeParts(folder, digest); err != nil {
		return err
	}
	f, err := disk.CreateNumbered(c.fs(), folder, "."+digest+".tmp-", "", 0o600)
	if err != nil {
		return err
	}
	c.step(stepCarryOpened)
	if err := c.fill(f, text); err != nil {
		return errors.Join(err, c.fs().Remove(f.Name()))
	}
	if err := c.fs().Rename(f.Name(), c.Path(digest)); err != nil {
		return errors.Join(err, c.fs().Remove(f.Name()))
	}
	c.step(stepCarryRenamed)
	if err := c.fs().SyncDir(folder); err != nil {
		return err
	}
	c.step(stepCarryDone)
	return nil
}

// fill writes, verifies and syncs the compressed text, and closes f.
func (c CarryStore) fill(f disk.File, text []byte) error {
	packed, err := c.packer.pack(text)
	if err == nil {
		_, err = f.Write(packed)
	}
	c.step(stepCarryWritten)
	if err == nil {
		err = f.Sync()
	}
	c.step(stepCarrySynced)
	return errors.Join(err, f.Close())
}

// removeParts removes what crashed Puts of this digest left.
func (c CarryStore) removeParts(folder, digest string) error {
	entries, err := c.fs().ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), "."+digest+".tmp-")
		if _, err := strconv.ParseUint(number, 10, 64); ok && err == nil {
			if err := c.fs().Remove(filepath.Join(folder, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// Get returns the text of a digest after comparing it with the digest: ErrNoCarry or ErrCarryDamaged otherwise.
func (c CarryStore) Get(ctx context.Context, digest string) ([]byte, error) {
	var b bytes.Buffer
	if _, err := c.unpack(ctx, digest, &b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Check reads a text from end to end without keeping it and returns its size in bytes: ErrNoCarry or ErrCarryDamaged
// where Get would say so.
func (c CarryStore) Check(ctx context.Context, digest string) (int64, error) {
	return c.unpack(ctx, digest, io.Discard)
}

// unpack writes the text of a digest to w. Before it returns without error, w may have got anything.
func (c CarryStore) unpack(ctx context.Context, digest string, w io.Writer) (int64, error) {
	if raw, err := hex.DecodeString(digest); err != nil || len(raw) != sha256.Size {
		return 0, fmt.Errorf("%w: %q is not a digest", ErrNoCarry, digest)
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	f, err := c.fs().Open(c.Path(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%w: %s: restore it from the backup, or run the days again from the first one that misses it",
			ErrNoCarry, c.Path(digest))
	}
	if err != nil {
		return 0, fmt.Errorf("carry file: %w", err)
	}
	h := sha256.New()
	n, err := c.packer.unpack(io.MultiWriter(w, h), f)
	err = errors.Join(err, f.Close())
	if err != nil || hex.EncodeToString(h.Sum(nil)) != digest {
		return 0, fmt.Errorf("%w: %s: restore it from the backup, or remove it and run its day again: %w",
			ErrCarryDamaged, c.Path(digest), errors.Join(errDigest, err))
	}
	return n, nil
}

var errDigest = errors.New("its text does not have the digest of its name")
