package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path/filepath"
	"strings"

	"daozhang/cmd/internal/disk"
)

// The named steps of a landing, in order. A process killed right after any of them leaves an archive in which every
// name is the SHA-256 of its bytes, and the same fetch done again ends as if never disturbed.
const (
	StepCreated  = "part-created"  // the private part file exists, empty
	StepWritten  = "part-written"  // all bytes are written and hashed
	StepSynced   = "part-synced"   // and on the disk; the file is read-only
	StepVerified = "part-verified" // size, checksum and the remote's state agree
	StepRenamed  = "archived"      // the file has its name in the archive
	StepDurable  = "folder-synced" // and the name is on the disk
	StepRecorded = "recorded"      // the caller has recorded the file
)

// Steps lists the named steps in order.
func Steps() []string {
	return []string{StepCreated, StepWritten, StepSynced, StepVerified, StepRenamed, StepDurable, StepRecorded}
}

// Archive keeps deliveries under the SHA-256 of their bytes, as <dir>/<first two digits>/<sha256>, read-only. Files
// are never changed and never deleted. Several processes may share one archive.
type Archive struct {
	fs  disk.FS
	dir string
	// Step, where set, is called after each named step, so that a test can stop the process there.
	Step func(name string)
}

// Delivery is a file in the archive.
type Delivery struct {
	SHA256 string // lower-case hex, of the bytes as received
	Size   int64
	Path   string // below the archive's folder, with slashes
	Alias  bool   // the same bytes were here before
}

// Meta is what is known of a delivery before its bytes are read.
type Meta struct {
	Name string // for messages
	Size int64  // bytes that must come; negative where not known
	// Verify, where set, is asked after all bytes are on the disk and before they get a name. An error drops them.
	Verify func(d Delivery) error
	// Also gets all bytes beside the archive's own hash, for checksums of other kinds.
	Also io.Writer
}

// NewArchive opens the archive in dir, makes the folder if it is missing, and removes the part files of crashed runs.
// A part file that a living process holds is left alone, as are files that are not the archive's own. A nil fsys is
// disk.OS.
func NewArchive(fsys disk.FS, dir string) (*Archive, error) {
	a := &Archive{fs: disk.Or(fsys), dir: dir}
	if err := disk.MkdirAll(a.fs, a.partDir(), 0o700); err != nil {
		return nil, failDisk("archive", dir, err)
	}
	if err := removeStaleParts(a.fs, a.partDir()); err != nil {
		return nil, failDisk("archive", dir, err)
	}
	return a, nil
}

// Dir returns the archive's folder.
func (a *Archive) Dir() string { return a.dir }

func (a *Archive) partDir() string { return filepath.Join(a.dir, "part") }

func (a *Archive) step(name string) {
	if a.Step != nil {
		a.Step(name)
	}
}

// Put lands the bytes of r. When it returns without error they are durable under their SHA-256. Bytes that the
// archive holds already are not stored twice: the Delivery is marked as an alias.
//
// Too few or too many bytes for m.Size are ErrIncomplete. An error of r or of m.Verify is returned as it is; errors of
// the disk have ClassDisk. In every error case the archive is as before.
func (a *Archive) Put(ctx context.Context, r io.Reader, m Meta) (Delivery, error) {
	part, err := createPart(a.fs, a.partDir())
	if err != nil {
		return Delivery{}, failDisk("archive", m.Name, err)
	}
	renamed := false // once it is, another process may own the part file's name
	defer func() {
		if !renamed {
			_ = a.fs.Remove(part.Name())
		}
		_ = part.Close()
	}()
	a.step(StepCreated)

	sum := sha256.New()
	n, err := copyCounted(ctx, part, sum, m.Also, r, m.Size)
	if err != nil {
		return Delivery{}, err
	}
	a.step(StepWritten)
	// Before the sync, which keeps the mode as well: what has a name in the archive is read-only also after a crash.
	if err := part.Chmod(0o400); err != nil {
		return Delivery{}, failDisk("archive", m.Name, err)
	}
	if err := part.Sync(); err != nil {
		return Delivery{}, failDisk("archive", m.Name, err)
	}
	a.step(StepSynced)

	d := Delivery{SHA256: hex.EncodeToString(sum.Sum(nil)), Size: n}
	d.Path = d.SHA256[:2] + "/" + d.SHA256
	if m.Verify != nil {
		if err := m.Verify(d); err != nil {
			return Delivery{}, err
		}
	}
	a.step(StepVerified)
	if renamed, err = a.name(ctx, part.Name(), d); err != nil {
		return Delivery{}, failDisk("archive", m.Name, err)
	}
	d.Alias = !renamed
	return d, nil
}

// name gives the part file its name in the archive and makes the name durable. It reports false, and leaves the part
// file, if a sound file of that name was there before. A file whose bytes were damaged since is replaced.
func (a *Archive) name(ctx context.Context, part string, d Delivery) (renamed bool, err error) {
	target := filepath.Join(a.dir, filepath.FromSlash(d.Path))
	folder := filepath.Dir(target)
	if err := disk.MkdirAll(a.fs, folder, 0o700); err != nil {
		return false, err
	}
	_, err = a.Check(ctx, d.SHA256)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil:
		if err := a.fs.Rename(part, target); err != nil {
			return false, err
		}
		renamed = true
	}
	a.step(StepRenamed)
	// Also where the file was there: the earlier run may have died between rename and sync.
	if err := a.fs.SyncDir(folder); err != nil {
		return renamed, err
	}
	a.step(StepDurable)
	return renamed, nil
}

// Open opens a delivery for reading. The caller closes it. Its bytes are not hashed again: see Check.
func (a *Archive) Open(sha string) (disk.File, error) {
	p, err := a.path(sha)
	if err != nil {
		return nil, err
	}
	f, err := a.fs.Open(p)
	if err != nil {
		return nil, failDisk("archive", sha, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotFile
	}
	if err != nil {
		return nil, errors.Join(failDisk("archive", sha, err), f.Close())
	}
	return f, nil
}

// OpenSize is Open for a delivery whose size is on record; another size is an error.
func (a *Archive) OpenSize(sha string, size int64) (disk.File, error) {
	f, err := a.Open(sha)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() != size {
		err = fmt.Errorf("the archived file has %d bytes, %d are on record; restore it from a backup", info.Size(), size)
	}
	if err != nil {
		return nil, errors.Join(failDisk("archive", sha, err), f.Close())
	}
	return f, nil
}

// Has tells whether the archive holds a delivery, without reading it.
func (a *Archive) Has(sha string) bool {
	_, err := a.Stat(sha)
	return err == nil
}

// Stat returns the size of a delivery without reading it; fs.ErrNotExist where the archive does not hold it.
func (a *Archive) Stat(sha string) (int64, error) {
	p, err := a.path(sha)
	if err != nil {
		return 0, err
	}
	info, err := a.fs.Lstat(p)
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotFile
	}
	if err != nil {
		return 0, failDisk("archive", sha, err)
	}
	return info.Size(), nil
}

// Check reads a delivery from end to end and returns its size. Bytes that do not hash to the name are an error.
func (a *Archive) Check(ctx context.Context, sha string) (int64, error) {
	f, err := a.Open(sha)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := copyCounted(ctx, h, nil, nil, f, -1)
	if err != nil {
		return 0, failDisk("archive", sha, err)
	}
	if is := hex.EncodeToString(h.Sum(nil)); is != sha {
		return 0, failDisk("archive", sha, fmt.Errorf("its bytes hash to %s; restore it from a backup", is))
	}
	return n, nil
}

// List names all deliveries, sorted, without reading them. Names that are not a delivery's are passed over.
func (a *Archive) List() ([]string, error) {
	folders, err := a.fs.ReadDir(a.dir)
	if err != nil {
		return nil, failDisk("archive", a.dir, err)
	}
	var names []string
	for _, folder := range folders {
		if !folder.IsDir() || len(folder.Name()) != 2 {
			continue
		}
		files, err := a.fs.ReadDir(filepath.Join(a.dir, folder.Name()))
		if err != nil {
			return nil, failDisk("archive", folder.Name(), err)
		}
		for _, f := range files {
			if isDigest(f.Name()) && strings.HasPrefix(f.Name(), folder.Name()) {
				names = append(names, f.Name())
			}
		}
	}
	return names, nil
}

// isDigest tells whether s is a SHA-256 as the archive writes it.
func isDigest(s string) bool {
	raw, err := hex.DecodeString(s)
	return err == nil && len(raw) == sha256.Size && strings.ToLower(s) == s
}

// path builds the place of a delivery; only a hash can name one.
func (a *Archive) path(sha string) (string, error) {
	if !isDigest(sha) {
		return "", fmt.Errorf("%s is not a SHA-256 in lower-case hex", quoteName(sha))
	}
	return filepath.Join(a.dir, sha[:2], sha), nil
}

// copyCounted copies r to dst and the hashes beside it, stops when ctx ends, and demands exactly want bytes unless
// want is negative. Errors of r come back as they are, errors of dst as ClassDisk.
func copyCounted(ctx context.Context, dst io.Writer, sum hash.Hash, also io.Writer, r io.Reader, want int64) (int64, error) {
	size := int64(256 << 10)
	if want >= 0 {
		size = min(size, want+1) // one more than is listed, to see what is too much
	}
	buf := make([]byte, size)
	var n int64
	for {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		k, err := r.Read(buf)
		n += int64(k)
		if want >= 0 && n > want {
			return n, fmt.Errorf("%w: more than the %d bytes that were listed", ErrIncomplete, want)
		}
		if k > 0 {
			if _, err := dst.Write(buf[:k]); err != nil {
				return n, failDisk("archive", "", err)
			}
			if sum != nil {
				sum.Write(buf[:k])
			}
			if also != nil {
				if _, err := also.Write(buf[:k]); err != nil {
					return n, err
				}
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return n, err
		}
	}
	if want >= 0 && n != want {
		return n, fmt.Errorf("%w: %d bytes came, %d were listed", ErrIncomplete, n, want)
	}
	return n, nil
}
