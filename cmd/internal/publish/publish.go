package publish

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"daozhang/cmd/internal/disk"
	"daozhang/parsers/txn"
)

// Modes of what people read: the group may, others may not.
const (
	fileMode   fs.FileMode = 0o640
	folderMode fs.FileMode = 0o750
)

// Sentinels.
var (
	// ErrIssued: the revision was issued with other bytes; issued files are never overwritten.
	ErrIssued = errors.New("the revision was already issued with other content")
	// ErrName: a name that may not stand in the folder of a report.
	ErrName = errors.New("not a plain file name")
)

// File is one file of a report. Write is called once and must always write the same bytes for the same report.
type File struct {
	Name  string
	Write func(io.Writer) error
}

// Publish issues revision rev of the report of date under root and lets latest point to the newest revision. The
// whole folder appears at once. Files are written in the order given, and after them [SumsName], which holds the
// SHA-256 of each; manifest is the SHA-256 of that file, in hex, and stands for the whole folder. Step, which may be
// nil, is told of each of [Steps]. A nil fsys is disk.OS.
//
// If the revision is there already with the same bytes, only what a crash left undone is done; with other bytes it
// is an [ErrIssued] and nothing changes. One publisher works on a date at a time: the caller holds the lease.
func Publish(ctx context.Context, fsys disk.FS, root string, date txn.Date, rev int, files []File, step func(string)) (manifest string, err error) {
	if step == nil {
		step = func(string) {}
	}
	if err := checkNames(date, rev, files); err != nil {
		return "", fmt.Errorf("report of %s r%d: %w", date, rev, err)
	}
	p := publicationOf(fsys, root, date, rev, step)
	if manifest, err = p.run(ctx, files); err != nil {
		return "", fmt.Errorf("report of %s r%d: %w", date, rev, err)
	}
	return manifest, nil
}

func checkNames(date txn.Date, rev int, files []File) error {
	if date == 0 || rev < 1 || len(files) == 0 {
		return fmt.Errorf("%w: a report needs a date, a revision from 1 and a file", ErrName)
	}
	seen := map[string]bool{SumsName: true}
	for _, f := range files {
		if f.Name == "" || strings.HasPrefix(f.Name, ".") || strings.ContainsAny(f.Name, "/\\\x00\n") || len(f.Name) > 255 {
			return fmt.Errorf("%w: %q", ErrName, f.Name)
		}
		if seen[f.Name] {
			return fmt.Errorf("%w: %q is there twice", ErrName, f.Name)
		}
		seen[f.Name] = true
	}
	return nil
}

type publication struct {
	fs   disk.FS
	day  string // folder of the date
	name string // r<N>
	step func(string)
}

func publicationOf(fsys disk.FS, root string, date txn.Date, rev int, step func(string)) publication {
	return publication{fs: disk.Or(fsys), day: filepath.Join(root, date.String()), name: "r" + strconv.Itoa(rev), step: step}
}

func (p publication) run(ctx context.Context, files []File) (manifest string, err error) {
	if err := disk.MkdirAll(p.fs, p.day, folderMode); err != nil {
		return "", err
	}
	if err := p.removeLeftovers(); err != nil {
		return "", err
	}
	p.step(stepCleaned)
	tmp, err := disk.MkdirNumbered(p.fs, p.day, "."+p.name+".tmp-", 0o700)
	if err != nil {
		return "", err
	}
	if manifest, err = p.issue(ctx, tmp, files); err != nil {
		return "", errors.Join(err, p.fs.RemoveAll(tmp))
	}
	return manifest, p.switchLatest()
}

// issue fills tmp and gives it its name, or finds that the revision is there already.
func (p publication) issue(ctx context.Context, tmp string, files []File) (manifest string, err error) {
	p.step(stepFolder)
	if manifest, err = p.fill(ctx, tmp, files); err != nil {
		return "", err
	}
	// Private until whole, then for the group: others may be allowed to read reports, never half of one.
	if err := p.fs.Chmod(tmp, folderMode); err != nil {
		return "", err
	}
	if err := p.fs.SyncDir(tmp); err != nil {
		return "", err
	}
	p.step(stepSynced)
	final := filepath.Join(p.day, p.name)
	switch _, err := p.fs.Lstat(final); {
	case errors.Is(err, fs.ErrNotExist):
		if err := p.fs.Rename(tmp, final); err != nil {
			return "", err
		}
	case err != nil:
		return "", err
	default:
		if err := p.sameFolder(final, tmp); err != nil {
			return "", err
		}
		if err := p.fs.RemoveAll(tmp); err != nil {
			return "", err
		}
	}
	p.step(stepIssued)
	if err := p.fs.SyncDir(p.day); err != nil {
		return "", err
	}
	p.step(stepDurable)
	return manifest, nil
}

// fill writes the files and their sums into tmp.
func (p publication) fill(ctx context.Context, tmp string, files []File) (manifest string, err error) {
	list := make(sums, 0, len(files))
	w := bufio.NewWriterSize(nil, 1<<16)
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		sum, err := writeFile(p.fs, filepath.Join(tmp, f.Name), w, f.Write)
		if err != nil {
			return "", fmt.Errorf("%s: %w", f.Name, err)
		}
		list = append(list, sumOf{f.Name, sum})
		p.step(stepFile)
	}
	if manifest, err = writeFile(p.fs, filepath.Join(tmp, SumsName), w, list.write); err != nil {
		return "", fmt.Errorf("%s: %w", SumsName, err)
	}
	p.step(stepFile)
	return manifest, nil
}

// switchLatest points latest to the newest issued revision. A rename replaces the old link in one go.
func (p publication) switchLatest() error {
	newest, err := p.newestRevision()
	if err != nil {
		return err
	}
	link := filepath.Join(p.day, "latest")
	if to, err := p.fs.Readlink(link); err == nil && to == newest {
		p.step(stepDone)
		return p.fs.SyncDir(p.day)
	}
	if info, err := p.fs.Lstat(link); err == nil && info.Mode()&fs.ModeSymlink == 0 {
		return fmt.Errorf("%s is not a symbolic link: move it away and run again", link)
	}
	tmp := filepath.Join(p.day, ".latest.tmp-"+p.name)
	if err := p.fs.Symlink(newest, tmp); err != nil {
		return err
	}
	p.step(stepLink)
	if err := p.fs.Rename(tmp, link); err != nil {
		return errors.Join(err, p.fs.Remove(tmp))
	}
	p.step(stepSwitched)
	if err := p.fs.SyncDir(p.day); err != nil {
		return err
	}
	p.step(stepDone)
	return nil
}

func (p publication) newestRevision() (string, error) {
	entries, err := p.fs.ReadDir(p.day)
	if err != nil {
		return "", err
	}
	newest := 0
	for _, e := range entries {
		if n, ok := revisionOf(e.Name()); ok && e.IsDir() {
			newest = max(newest, n)
		}
	}
	return "r" + strconv.Itoa(newest), nil
}

func revisionOf(name string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimPrefix(name, "r"))
	return n, err == nil && n > 0 && name == "r"+strconv.Itoa(n)
}

// Latest returns the folder of the newest issued revision of a date and its number; fs.ErrNotExist where none was
// issued. A nil fsys is disk.OS.
func Latest(fsys disk.FS, root string, date txn.Date) (folder string, rev int, err error) {
	day := filepath.Join(root, date.String())
	to, err := disk.Or(fsys).Readlink(filepath.Join(day, "latest"))
	if err != nil {
		return "", 0, fmt.Errorf("report of %s: %w", date, err)
	}
	rev, ok := revisionOf(to)
	if !ok {
		return "", 0, fmt.Errorf("report of %s: latest points to %q: remove the link and run the day again", date, to)
	}
	return filepath.Join(day, to), rev, nil
}

// leftover is what a crashed publication leaves; nothing else is ever removed.
const leftover = `^\.(r[1-9][0-9]*|latest)\.tmp-[0-9A-Za-z]+$`

func (p publication) removeLeftovers() error {
	own, err := regexp.Compile(leftover)
	if err != nil {
		return err
	}
	entries, err := p.fs.ReadDir(p.day)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if own.MatchString(e.Name()) {
			if err := p.fs.RemoveAll(filepath.Join(p.day, e.Name())); err != nil {
				return fmt.Errorf("removing what a crash has left: %w", err)
			}
		}
	}
	return nil
}

// sameFolder is nil where both folders hold the same names with the same bytes.
func (p publication) sameFolder(issued, fresh string) error {
	a, err := listReport(p.fs, issued)
	if err != nil {
		return err
	}
	b, err := p.fs.ReadDir(fresh)
	if err != nil {
		return err
	}
	name := func(e fs.DirEntry) string { return e.Name() }
	if !slices.Equal(mapped(a, name), mapped(b, name)) {
		return fmt.Errorf("%w: %s holds other files: issue the next revision", ErrIssued, issued)
	}
	for _, e := range a {
		same, err := p.sameFile(filepath.Join(issued, e.Name()), filepath.Join(fresh, e.Name()))
		if err != nil {
			return err
		}
		if !same {
			return fmt.Errorf("%w: %s differs: issue the next revision", ErrIssued, filepath.Join(issued, e.Name()))
		}
	}
	return nil
}

func mapped[T, U any](list []T, f func(T) U) []U {
	out := make([]U, 0, len(list))
	for _, v := range list {
		out = append(out, f(v))
	}
	return out
}

func (p publication) sameFile(a, b string) (same bool, err error) {
	fa, err := p.fs.Open(a)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, fa.Close()) }()
	fb, err := p.fs.Open(b)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, fb.Close()) }()
	bufA, bufB := make([]byte, 1<<16), make([]byte, 1<<16)
	for {
		n, errA := io.ReadFull(fa, bufA)
		m, errB := io.ReadFull(fb, bufB)
		if !bytes.Equal(bufA[:n], bufB[:m]) {
			return false, nil
		}
		endA, endB := atEnd(errA), atEnd(errB)
		if endA || endB {
			return endA && endB, nil
		}
		if err := errors.Join(errA, errB); err != nil {
			return false, err
		}
	}
}

func atEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
