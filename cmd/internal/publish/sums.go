package publish

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"daozhang/cmd/internal/disk"
	"daozhang/parsers/txn"
)

// SumsName is the file that states the SHA-256 of every other file in the folder of a report, one a line, in the order
// of names, as sha256sum -c reads it:
//
//	9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  summary.json
const SumsName = "SHA256SUMS"

// ErrDamaged: a report folder is not as it was issued.
var ErrDamaged = errors.New("the report is not as it was issued")

// sumOf is one line of SumsName.
type sumOf struct{ name, sum string }

type sums []sumOf

func (s sums) write(w io.Writer) error {
	list := slices.Clone(s)
	slices.SortFunc(list, func(a, b sumOf) int { return strings.Compare(a.name, b.name) })
	for _, l := range list {
		if _, err := fmt.Fprintf(w, "%s  %s\n", l.sum, l.name); err != nil {
			return err
		}
	}
	return nil
}

func readSums(text []byte) (sums, error) {
	var list sums
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		sum, name, ok := strings.Cut(lines.Text(), "  ")
		if raw, err := hex.DecodeString(sum); err != nil || len(raw) != sha256.Size || !ok || name == "" {
			return nil, fmt.Errorf("line %d is not a SHA-256, two blanks and a name", n)
		}
		list = append(list, sumOf{name, sum})
	}
	return list, lines.Err()
}

// Verify reads the folder of an issued report from end to end and compares it with its SumsName. It returns the
// manifest, as Publish did, and how many files and bytes the sums speak of. Every file that is missing, unknown or
// changed is named in the error, which is an [ErrDamaged]; fs.ErrNotExist means that the folder is not there. A nil
// fsys is disk.OS.
func Verify(fsys disk.FS, folder string) (manifest string, files int, bytes int64, err error) {
	fsys = disk.Or(fsys)
	entries, err := listReport(fsys, folder)
	if err != nil {
		return "", 0, 0, err
	}
	names := map[string]fs.DirEntry{}
	for _, e := range entries {
		names[e.Name()] = e
	}
	damaged := func(faults ...error) error {
		return fmt.Errorf("%w: %s: restore it from the backup: %w", ErrDamaged, folder, errors.Join(faults...))
	}
	if names[SumsName] == nil {
		return "", 0, 0, damaged(errors.New(SumsName + " is missing"))
	}
	text, err := disk.ReadFile(fsys, filepath.Join(folder, SumsName))
	if err != nil {
		return "", 0, 0, err
	}
	list, err := readSums(text)
	if err != nil {
		return "", 0, 0, damaged(fmt.Errorf("%s: %w", SumsName, err))
	}
	delete(names, SumsName)
	var faults []error
	for _, l := range list {
		e := names[l.name]
		delete(names, l.name)
		n, fault, err := checkFile(fsys, folder, l, e)
		if err != nil {
			return "", 0, 0, err
		}
		if fault != nil {
			faults = append(faults, fault)
			continue
		}
		files, bytes = files+1, bytes+n
	}
	for _, e := range entries {
		if names[e.Name()] != nil {
			faults = append(faults, fmt.Errorf("%s is not of this report", e.Name()))
		}
	}
	if len(faults) > 0 {
		return "", files, bytes, damaged(faults...)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), files, bytes, nil
}

// listReport lists what a report's folder holds, without the marks that Excel, WPS and LibreOffice set beside a workbook
// for as long as somebody has it open.
func listReport(fsys disk.FS, folder string) ([]fs.DirEntry, error) {
	entries, err := fsys.ReadDir(folder)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		return strings.HasPrefix(e.Name(), "~$") || strings.HasPrefix(e.Name(), ".~")
	}), err
}

// checkFile compares one file with its line. A fault is of the file, an error of the disk.
func checkFile(fsys disk.FS, folder string, want sumOf, e fs.DirEntry) (n int64, fault, err error) {
	switch {
	case e == nil:
		return 0, fmt.Errorf("%s is missing, or is listed twice", want.name), nil
	case !e.Type().IsRegular():
		return 0, fmt.Errorf("%s is not a file", want.name), nil
	}
	f, err := fsys.Open(filepath.Join(folder, want.name))
	if err != nil {
		return 0, nil, err
	}
	h := sha256.New()
	n, err = io.Copy(h, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, nil, err
	}
	if is := hex.EncodeToString(h.Sum(nil)); is != want.sum {
		return 0, fmt.Errorf("%s has the SHA-256 %s, it was issued with %s", want.name, is, want.sum), nil
	}
	return n, nil, nil
}

// Adopt ends the publication of a revision whose folder has its name already, after a crash: if every sum is right, the
// name is made durable, latest is switched, and the manifest is returned. Nothing is written into the folder.
// fs.ErrNotExist means that the folder is not there, so that the report must be published; [ErrDamaged] that somebody
// has changed it since, and nothing is done. A nil fsys is disk.OS.
func Adopt(fsys disk.FS, root string, date txn.Date, rev int) (manifest string, err error) {
	p := publicationOf(fsys, root, date, rev, func(string) {})
	if manifest, _, _, err = Verify(p.fs, filepath.Join(p.day, p.name)); err != nil {
		return "", fmt.Errorf("report of %s r%d: %w", date, rev, err)
	}
	if err := p.adopt(); err != nil {
		return "", fmt.Errorf("report of %s r%d: %w", date, rev, err)
	}
	return manifest, nil
}

func (p publication) adopt() error {
	if err := p.removeLeftovers(); err != nil {
		return err
	}
	if err := p.fs.SyncDir(p.day); err != nil {
		return err
	}
	return p.switchLatest()
}
