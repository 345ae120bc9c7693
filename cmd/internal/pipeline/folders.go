package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"

	"daozhang/cmd/internal/disk"
	"daozhang/cmd/internal/publish"
	"daozhang/parsers/txn"
)

// latest is the folder of the newest issued revision of a date and its number; fs.ErrNotExist where none was issued.
func (e *Engine) latest(d txn.Date) (folder string, rev int, err error) {
	return publish.Latest(e.Disk, e.Config.Reports, d)
}

// publish issues a revision and returns the digest of its list of files.
func (e *Engine) publish(ctx context.Context, d txn.Date, rev int, files []publish.File) (manifest string, err error) {
	return publish.Publish(ctx, e.Disk, e.Config.Reports, d, rev, files, e.Step)
}

// adopt makes a revision whose folder stands whole the newest one; fs.ErrNotExist where there is no such folder.
func (e *Engine) adopt(d txn.Date, rev int) (manifest string, err error) {
	return publish.Adopt(e.Disk, e.Config.Reports, d, rev)
}

func (e *Engine) readDir(folder string) ([]fs.DirEntry, error) {
	return disk.Or(e.Disk).ReadDir(folder)
}

// setAside gives the folder of a revision that was never issued another name, r2.damaged-1 or the next that is free, and
// returns its path. Nothing in it is touched. Where latest leads to it, that link goes first: the date has no newest report
// until it is published again.
func (e *Engine) setAside(d txn.Date, rev int) (string, error) {
	fsys := disk.Or(e.Disk)
	day := filepath.Join(e.Config.Reports, d.String())
	if _, newest, err := e.latest(d); err == nil && newest == rev {
		if err := fsys.Remove(filepath.Join(day, "latest")); err != nil {
			return "", err
		}
		if err := fsys.SyncDir(day); err != nil {
			return "", err
		}
	}
	folder := filepath.Join(day, "r"+strconv.Itoa(rev))
	for n := 1; ; n++ {
		aside := fmt.Sprintf("%s.damaged-%d", folder, n)
		if _, err := fsys.Lstat(aside); err == nil {
			continue
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if err := fsys.Rename(folder, aside); err != nil {
			return "", err
		}
		return aside, fsys.SyncDir(day)
	}
}
