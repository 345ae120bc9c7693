package pipeline

import (
	"context"
	"io/fs"

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
