package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

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
// whole folder appears at once. Files are written in the order given; step, which may be nil, is told of each of
// [Steps].
//
// If the revision is there already with the same bytes, only what a crash left undone is done; with other bytes it
// is an [ErrIssued] and nothing changes. One publisher works on a date at a time: the caller holds the lease.
func Publish(ctx context.Context, root string, date txn.Date, rev int, files []File, step func(string)) error {
	if step == nil {
		step = func(string) {}
	}
	if err := checkNames(date, rev, files); err != nil {
		return fmt.Errorf("report of %s r%d: %w", date, rev, err)
	}
	p := publication{day: filepath.Join(root, date.String()), name: "r" + strconv.Itoa(rev), step: step}
	if err := p.run(ctx, files); err != nil {
		return fmt.Errorf("report of %s r%d: %w", date, rev, err)
	}
	return nil
}

func checkNames(date txn.Date, rev int, files []File) error {
	if date == 0 || rev < 1 || len(files) == 0 {
		return fmt.Errorf("%w: a report needs a date, a revision from 1 and a file", ErrName)
	}
	seen := map[string]bool{}
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
	day  string // folder of the date
	name string // r<N>
	step func(string)
}

func (p publication) run(ctx context.Context, files []File) error {
	if err := makeFolder(p.day, folderMode); err != nil {
		return err
	}
	if err := removeLeftovers(p.day); err != nil {
		return err
	}
	p.step(stepCleaned)
	tmp, err := os.MkdirTemp(p.day, "."+p.name+".tmp-")
	if err != nil {
		return err
	}
	if err := p.issue(ctx, tmp, files); err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	return p.switchLatest()
}

// issue fills tmp and gives it its name, or finds that the revision is there already.
func (p publication) issue(ctx context.Context, tmp string, files []File) error {
	p.step(stepFolder)
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := writeFile(filepath.Join(tmp, f.Name), f.Write); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		p.step(stepFile)
	}
	// Private until whole, then for the group: others may be allowed to read reports, never half of one.
	if err := os.Chmod(tmp, folderMode); err != nil {
		return err
	}
	if err := syncDir(tmp); err != nil {
		return err
	}
	p.step(stepSynced)
	final := filepath.Join(p.day, p.name)
	switch _, err := os.Lstat(final); {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.Rename(tmp, final); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		if err := sameFolder(final, tmp); err != nil {
			return err
		}
		if err := os.RemoveAll(tmp); err != nil {
			return err
		}
	}
	p.step(stepIssued)
	if err := syncDir(p.day); err != nil {
		return err
	}
	p.step(stepDurable)
	return nil
}

// switchLatest points latest to the newest issued revision. A rename replaces the old link in one go.
func (p publication) switchLatest() error {
	newest, err := newestRevision(p.day)
	if err != nil {
		return err
	}
	link := filepath.Join(p.day, "latest")
	if to, err := os.Readlink(link); err == nil && to == newest {
		p.step(stepDone)
		return syncDir(p.day)
	}
	if info, err := os.Lstat(link); err == nil && info.Mode()&fs.ModeSymlink == 0 {
		return fmt.Errorf("%s is not a symbolic link: move it away and run again", link)
	}
	tmp := filepath.Join(p.day, ".latest.tmp-"+p.name)
	if err := os.Symlink(newest, tmp); err != nil {
		return err
	}
	p.step(stepLink)
	if err := os.Rename(tmp, link); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	p.step(stepSwitched)
	if err := syncDir(p.day); err != nil {
		return err
	}
	p.step(stepDone)
	return nil
}

func newestRevision(day string) (string, error) {
	entries, err := os.ReadDir(day)
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

// Latest returns the folder of the newest issued revision of a date and its number; fs.ErrNotExist where none was issued.
func Latest(root string, date txn.Date) (folder string, rev int, err error) {
	day := filepath.Join(root, date.String())
	to, err := os.Readlink(filepath.Join(day, "latest"))
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

func removeLeftovers(day string) error {
	own, err := regexp.Compile(leftover)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(day)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if own.MatchString(e.Name()) {
			if err := os.RemoveAll(filepath.Join(day, e.Name())); err != nil {
				return fmt.Errorf("removing what a crash has left: %w", err)
			}
		}
	}
	return nil
}

// sameFolder is nil where both folders hold the same names with the same bytes.
func sameFolder(issued, fresh string) error {
	a, err := os.ReadDir(issued)
	if err != nil {
		return err
	}
	b, err := os.ReadDir(fresh)
	if err != nil {
		return err
	}
	name := func(e fs.DirEntry) string { return e.Name() }
	if !slices.Equal(mapped(a, name), mapped(b, name)) {
		return fmt.Errorf("%w: %s holds other files: issue the next revision", ErrIssued, issued)
	}
	for _, e := range a {
		same, err := sameFile(filepath.Join(issued, e.Name()), filepath.Join(fresh, e.Name()))
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

func sameFile(a, b string) (same bool, err error) {
	fa, err := os.Open(a)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, fa.Close()) }()
	fb, err := os.Open(b)
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
