package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"daozhang/cmd/internal/fetch/sftpserver"
)

// crashEnv makes the test binary play a process that dies at a step: see TestMain.
const crashEnv = "DAOZHANG_TEST_CRASH"

func TestMain(m *testing.M) {
	if v := os.Getenv(crashEnv); v != "" {
		crashChild(v)
	}
	os.Exit(m.Run())
}

// fakeFile is a file as a misbehaving server shows it.
type fakeFile struct {
	data  []byte
	size  func(looks int) int64     // what the n-th look says; len(data) if nil
	mtime func(looks int) time.Time // likewise
	read  func(p []byte, off int64) (int, error)
	open  error
	stat  error
	mode  fs.FileMode
	looks atomic.Int64
}

type fakeInfo struct {
	name  string
	size  int64
	mode  fs.FileMode
	mtime time.Time
}

func (i fakeInfo) Name() string       { return i.name }
func (i fakeInfo) Size() int64        { return i.size }
func (i fakeInfo) Mode() fs.FileMode  { return i.mode }
func (i fakeInfo) ModTime() time.Time { return i.mtime }
func (i fakeInfo) IsDir() bool        { return i.mode.IsDir() }
func (i fakeInfo) Sys() any           { return nil }

var oldTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func (f *fakeFile) info(name string) fakeInfo {
	n := int(f.looks.Add(1))
	i := fakeInfo{name: name, size: int64(len(f.data)), mode: 0o644 | f.mode, mtime: oldTime}
	if f.size != nil {
		i.size = f.size(n)
	}
	if f.mtime != nil {
		i.mtime = f.mtime(n)
	}
	return i
}

func (f *fakeFile) ReadAt(p []byte, off int64) (int, error) {
	if f.read != nil {
		return f.read(p, off)
	}
	return bytes.NewReader(f.data).ReadAt(p, off)
}

// fake is an SFTP server with one folder, "/out".
type fake struct {
	mu     sync.Mutex
	files  map[string]*fakeFile
	list   func(infos []fs.FileInfo, offset int64) error // an error in the middle of a listing
	after  error                                         // what a look at the folder itself says
	writes atomic.Int64                                  // operations that would change something
	server *sftpserver.Server
	key    string
}

func (f *fake) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	file, ok := f.files[path.Base(r.Filepath)]
	if !ok {
		return nil, os.ErrNotExist
	}
	if file.open != nil {
		return nil, file.open
	}
	return file, nil
}
func (f *fake) Filewrite(*sftp.Request) (io.WriterAt, error) {
	f.writes.Add(1)
	return nil, sftp.ErrSSHFxPermissionDenied
}
func (f *fake) Filecmd(*sftp.Request) error { f.writes.Add(1); return sftp.ErrSSHFxPermissionDenied }
func (f *fake) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Filepath == "/out" && r.Method == "List" {
		var infos []fs.FileInfo
		for n, file := range f.files {
			infos = append(infos, file.info(n))
		}
		slices.SortFunc(infos, func(a, b fs.FileInfo) int { return strings.Compare(a.Name(), b.Name()) })
		return lister{infos, f.list}, nil
	}
	if r.Filepath == "/out" {
		if f.after != nil {
			return nil, f.after
		}
		return sftpserver.Infos{fakeInfo{name: "out", mode: fs.ModeDir | 0o755, mtime: oldTime}}, nil
	}
	name := path.Base(r.Filepath)
	file, ok := f.files[name]
	if !ok || path.Dir(r.Filepath) != "/out" {
		return nil, os.ErrNotExist
	}
	if file.stat != nil {
		return nil, file.stat
	}
	return sftpserver.Infos{file.info(name)}, nil
}

type lister struct {
	infos sftpserver.Infos
	fail  func([]fs.FileInfo, int64) error
}

func (l lister) ListAt(out []fs.FileInfo, offset int64) (int, error) {
	if l.fail != nil {
		if err := l.fail(l.infos, offset); err != nil {
			return 0, err
		}
	}
	return l.infos.ListAt(out, offset)
}

// startFake serves files; its write counter must be 0 in the end.
func startFake(t testing.TB, files map[string]*fakeFile) *fake {
	t.Helper()
	host, _, err := sftpserver.NewKey()
	must(t, err)
	return startFakeWith(t, files, host)
}

func startFakeWith(t testing.TB, files map[string]*fakeFile, hosts ...ssh.Signer) *fake {
	t.Helper()
	f := &fake{files: files}
	client, pem, err := sftpserver.NewKey()
	must(t, err)
	f.key = filepath.Join(t.TempDir(), "key")
	must(t, os.WriteFile(f.key, pem, 0o600))
	f.server, err = sftpserver.Listen(sftpserver.Config{Handlers: sftp.Handlers{FileGet: f, FilePut: f, FileCmd: f, FileList: f},
		HostKeys: hosts, Authorized: []ssh.PublicKey{client.PublicKey()}, Password: "open sesame"})
	must(t, err)
	t.Cleanup(func() {
		_ = f.server.Close()
		if n := f.writes.Load(); n != 0 {
			t.Errorf("%d operations would have changed the server, want 0", n)
		}
	})
	return f
}

// at is how to reach the server through addr, with limits short enough for tests.
func (f *fake) at(addr string) *SFTP {
	host, port, _ := net.SplitHostPort(addr)
	s := &SFTP{Host: host, User: "u", Keys: []string{"file:" + f.key}, Pins: []string{f.server.Fingerprint},
		Timeouts: Timeouts{Dial: time.Second, Handshake: 2 * time.Second, Idle: 300 * time.Millisecond,
			Keepalive: 50 * time.Millisecond, List: 5 * time.Second, File: 5 * time.Second}}
	_, _ = fmt.Sscan(port, &s.Port)
	return s
}

func (f *fake) place() *SFTP { return f.at(f.server.Addr) }

// clock is a fake clock: sleeping moves it.
type clock struct {
	mu    sync.Mutex
	t     time.Time
	slept time.Duration
	then  func(d time.Duration) // called on each sleep
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }
func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	c.t, c.slept = c.t.Add(d), c.slept+d
	c.mu.Unlock()
	if c.then != nil {
		c.then(d)
	}
	return ctx.Err()
}

// journal is the caller's side of a fetcher.
type journal struct {
	mu   sync.Mutex
	rows []Landed
	fail error
}

func (j *journal) record(_ context.Context, l Landed) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fail == nil {
		j.rows = append(j.rows, l)
	}
	return j.fail
}
func (j *journal) known(source, name string, size int64, mtime time.Time) (string, bool) {
	for _, l := range j.rows {
		if l.Source == source && l.RemoteName == name && l.Size == size && l.MTime.Equal(mtime) {
			return l.SHA256, true
		}
	}
	return "", false
}

func newFetcher(t testing.TB) (*Fetcher, *journal, *clock) {
	t.Helper()
	a, err := NewArchive(nil, filepath.Join(t.TempDir(), "archive"))
	must(t, err)
	j, c := &journal{}, &clock{t: oldTime.Add(24 * time.Hour)}
	return &Fetcher{Archive: a, Known: j.known, Record: j.record, Now: c.now, Sleep: c.sleep}, j, c
}

func sourceOf(t testing.TB, place Dialer, patterns ...string) Source {
	t.Helper()
	if len(patterns) == 0 {
		patterns = []string{"{name}.txt"}
	}
	s := Source{Name: "ums", Place: place, Dir: "/out"}
	for _, p := range patterns {
		s.Patterns = append(s.Patterns, mustPattern(t, p))
	}
	return s
}

func mustPattern(t testing.TB, text string) *Pattern {
	t.Helper()
	p, err := CompilePattern(text)
	must(t, err)
	return p
}

func decision(t testing.TB, r Report, name string) Decision {
	t.Helper()
	for _, d := range r.Decisions {
		if d.Name == name {
			return d
		}
	}
	t.Fatalf("no decision about %q in %v", name, r.Decisions)
	return Decision{}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// proxy stands between client and server. After limit bytes from the server it cuts the connection, or goes silent.
type proxy struct {
	l     net.Listener
	wg    sync.WaitGroup
	mu    sync.Mutex
	conns []net.Conn
	seen  atomic.Int64 // bytes from the server, over all connections
}

func startProxy(t testing.TB, to string, limit int64, silent bool) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &proxy{l: l}
	p.wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, in, out)
			p.mu.Unlock()
			p.wg.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
			p.wg.Go(func() {
				n, err := io.CopyN(in, out, limit)
				p.seen.Add(n)
				if err == nil && silent {
					_, _ = io.Copy(io.Discard, out)
					return
				}
				_ = in.Close()
				_ = out.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			_ = c.Close()
		}
		p.mu.Unlock()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.l.Addr().String() }

// archived lists the names in an archive and demands that each is the hash of its bytes and read-only.
func archived(t testing.TB, a *Archive) []string {
	t.Helper()
	var out []string
	must(t, filepath.WalkDir(a.Dir(), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if filepath.Base(filepath.Dir(p)) == "part" {
			return nil
		}
		if _, err := a.Check(context.Background(), d.Name()); err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm() != 0o400 {
			err = errors.New("mode of an archived file is " + info.Mode().String())
		}
		out = append(out, d.Name())
		return err
	}))
	return out
}

func parts(t testing.TB, a *Archive) []string {
	t.Helper()
	m, err := filepath.Glob(filepath.Join(a.Dir(), "part", "*"))
	must(t, err)
	return m
}

// switching dials one place first and another one after it.
type switching struct {
	first, then Dialer
	dialled     int
}

func (s *switching) Place() string { return s.then.Place() }
func (s *switching) Dial(ctx context.Context) (Remote, error) {
	if s.dialled++; s.dialled == 1 {
		return s.first.Dial(ctx)
	}
	return s.then.Dial(ctx)
}
