package fetch

import (
	"context"
	"io"
	"io/fs"
	"time"
)

// Entry is one name in a folder, not following links.
type Entry struct {
	Name  string // as the place has it, any bytes
	Size  int64
	MTime time.Time // to the second for SFTP
	Mode  fs.FileMode
}

// Remote is a place that files are read from. It has no way to change anything. A Remote is used by one goroutine.
// Errors are *Error; after one of ClassRetry the Remote may be dead and is to be closed.
type Remote interface {
	// List returns all entries of a folder, sorted by name, or an error. A folder that cannot be listed to its end
	// is an error, never a short list.
	List(ctx context.Context, dir string) ([]Entry, error)
	// Stat looks at a path, not following a link at its end.
	Stat(ctx context.Context, path string) (Entry, error)
	// Open opens a regular file for reading. Reads end when ctx does.
	Open(ctx context.Context, path string) (File, error)
	// Join builds the path of a name in a folder.
	Join(dir, name string) string
	Peer() Peer
	Close() error
}

// File is an open file. Read returns io.EOF only where the place says that the file ends.
type File interface {
	io.ReadCloser
}

// Dialer opens a Remote.
type Dialer interface {
	Dial(ctx context.Context) (Remote, error)
	// Place names it in messages: host:port or the folder.
	Place() string
}

// Peer is what is known of the other side of a connection, for the record.
type Peer struct {
	Place      string
	HostKey    string // SHA256 fingerprint; "" for a local folder
	Identity   string // "key SHA256:..." or "password": what let us in
	Algorithms string // kex, host key, cipher and MAC agreed upon
}
