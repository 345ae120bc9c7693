package sftpserver

import (
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/pkg/sftp"
)

// ReadOnly serves the files below root. Everything that would change something is refused. Links that lead out of
// root are not followed.
func ReadOnly(root *os.Root) sftp.Handlers {
	h := &readOnly{root}
	return sftp.Handlers{FileGet: h, FilePut: h, FileCmd: h, FileList: h}
}

type readOnly struct{ root *os.Root }

// Close ends the access to the folder.
func (h *readOnly) Close() error { return h.root.Close() }

func inside(p string) string {
	if p = strings.TrimLeft(p, "/"); p == "" {
		return "."
	}
	return p
}

// Fileread opens a file. The library closes it.
func (h *readOnly) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	return h.root.Open(inside(r.Filepath))
}

// Filewrite refuses.
func (h *readOnly) Filewrite(*sftp.Request) (io.WriterAt, error) {
	return nil, sftp.ErrSSHFxPermissionDenied
}

// Filecmd refuses.
func (h *readOnly) Filecmd(*sftp.Request) error { return sftp.ErrSSHFxPermissionDenied }

// Filelist lists a folder or looks at a file.
func (h *readOnly) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	if r.Method != "List" {
		info, err := h.root.Stat(inside(r.Filepath))
		return Infos{info}, err
	}
	d, err := h.root.Open(inside(r.Filepath))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	infos, err := d.Readdir(-1)
	slices.SortFunc(infos, func(a, b fs.FileInfo) int { return strings.Compare(a.Name(), b.Name()) })
	return Infos(infos), err
}

// Lstat looks at a path without following a link.
func (h *readOnly) Lstat(r *sftp.Request) (sftp.ListerAt, error) {
	info, err := h.root.Lstat(inside(r.Filepath))
	return Infos{info}, err
}

// Infos is a finished listing.
type Infos []fs.FileInfo

// ListAt copies from offset on.
func (l Infos) ListAt(out []fs.FileInfo, offset int64) (int, error) {
	if offset >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(out, l[offset:])
	if n < len(out) {
		return n, io.EOF
	}
	return n, nil
}
