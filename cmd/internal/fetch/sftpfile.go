package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/pkg/sftp"
)

// sftpFile reads a file front to back in windows of whole chunks. Each chunk has its own offset and is filled to its
// end before it counts, so a short answer can neither shift nor drop what follows. The window grows from one chunk to
// the remote's depth, so that small files cost no idle requests.
type sftpFile struct {
	r    *sftpRemote
	ctx  context.Context
	path string
	file *sftp.File
	end  time.Time // of the time limit for the whole file

	next   int64 // offset of the next window
	chunks int   // of the last window
	window []byte
	ready  []byte // part of window not yet handed out
	eof    bool
}

func (f *sftpFile) Read(p []byte) (int, error) {
	if len(f.ready) == 0 {
		if f.eof {
			return 0, io.EOF
		}
		if err := f.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.ready)
	f.ready = f.ready[n:]
	if n == 0 && f.eof && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// fill reads the next window.
func (f *sftpFile) fill() error {
	f.chunks = min(max(1, 2*f.chunks), f.r.depth)
	if need := f.chunks * maxPacket; len(f.window) < need {
		f.window = make([]byte, need)
	}
	got := make([]int, f.chunks)
	errs := make([]error, f.chunks)
	err := f.r.do(f.ctx, "read", f.path, max(time.Until(f.end), time.Millisecond), func() error {
		var all sync.WaitGroup
		for i := range f.chunks {
			all.Go(func() {
				at := i * maxPacket
				got[i], errs[i] = f.file.ReadAt(f.window[at:at+maxPacket], f.next+int64(at))
			})
		}
		all.Wait()
		for _, err := range errs {
			if err != nil && !errors.Is(err, io.EOF) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return f.join(got, errs)
}

// join accepts the window up to its first short chunk. Bytes behind that one mean that the file changed while it was
// read.
func (f *sftpFile) join(got []int, errs []error) error {
	n := 0
	for i, k := range got {
		if f.eof && k > 0 {
			return fail("read", f.r.peer.Place, f.path,
				fmt.Errorf("%w: bytes appeared behind its end, at offset %d", ErrIncomplete, f.next+int64(i*maxPacket)))
		}
		n += k
		if k < maxPacket || errs[i] != nil {
			f.eof = true
		}
	}
	f.ready = f.window[:n]
	f.next += int64(n)
	return nil
}

func (f *sftpFile) Close() error {
	return f.r.do(context.WithoutCancel(f.ctx), "close", f.path, f.r.limits.Idle, f.file.Close)
}
