package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// maxPacket is the largest read that every server must support; some answer a larger one with less and no error.
const maxPacket = 32768

// SFTP says how to reach one SFTP server. Secrets are references as Secret takes them, never the secrets themselves.
type SFTP struct {
	Host string
	Port int // 22 if 0
	User string

	Keys       []string // references to private keys, tried in this order
	Passphrase string   // reference, for keys that need one
	Password   string   // reference

	KnownHosts []string // known_hosts files
	Pins       []string // SHA256:... fingerprints; name the old and the new one while a key is being changed
	Legacy     []string // weak algorithms that this server cannot do without, by name; see CheckLegacy

	Depth    int // reads under way at a time; 8 if 0, 1 for servers that take one request at a time
	Timeouts Timeouts
	Slots    *Slots // shared by all sources, caps the connections to one host; nil: no cap
}

// Timeouts are the time limits of a connection. A zero field takes the default that its comment names; together they
// turn a dead link into an error within 90 seconds.
type Timeouts struct {
	Dial      time.Duration // 20 s
	Handshake time.Duration // 30 s, keys, login and the SFTP greeting
	Idle      time.Duration // 60 s during an operation without a single byte coming in
	Keepalive time.Duration // 15 s between questions to an idle connection
	List      time.Duration // 5 min for one folder
	File      time.Duration // 30 min for one file
}

func (t Timeouts) withDefaults() Timeouts {
	set := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	set(&t.Dial, 20*time.Second)
	set(&t.Handshake, 30*time.Second)
	set(&t.Idle, time.Minute)
	set(&t.Keepalive, 15*time.Second)
	set(&t.List, 5*time.Minute)
	set(&t.File, 30*time.Minute)
	return t
}

// Place returns host:port.
func (s *SFTP) Place() string {
	port := s.Port
	if port == 0 {
		port = 22
	}
	return net.JoinHostPort(s.Host, strconv.Itoa(port))
}

// Dial connects, proves the host's key, logs in and starts SFTP.
func (s *SFTP) Dial(ctx context.Context) (Remote, error) {
	place := s.Place()
	permanent := func(op string, err error) error {
		return &Error{Class: ClassPermanent, Op: op, Place: place, Err: err}
	}
	if err := CheckLegacy(s.Legacy); err != nil {
		return nil, permanent("configuration", err)
	}
	keys, err := newHostKeys(place, s.KnownHosts, s.Pins, s.Legacy)
	if err != nil {
		return nil, permanent("host key", err)
	}
	way, err := newLogin(ctx, s)
	if err != nil {
		return nil, permanent("login", err)
	}
	release, err := s.Slots.acquire(ctx, place)
	if err != nil {
		return nil, fail("dial", place, "", err)
	}
	for {
		shown := len(keys.offered)
		r, err := s.dialOnce(ctx, keys, way)
		if err == nil {
			r.release = release
			return r, nil
		}
		if len(keys.offered) > shown && keys.again(err) { // each round rules out one more type of key
			continue
		}
		release()
		return nil, err
	}
}

// dialOnce tries one connection.
func (s *SFTP) dialOnce(ctx context.Context, keys *hostKeys, way *login) (*sftpRemote, error) {
	place, limits := s.Place(), s.Timeouts.withDefaults()
	conn, err := s.connect(ctx, limits)
	if err != nil {
		return nil, fail("dial", place, "", err)
	}
	config := &ssh.ClientConfig{
		Config:            algorithms(s.Legacy),
		User:              s.User,
		Auth:              way.methods,
		HostKeyCallback:   keys.check,
		HostKeyAlgorithms: keys.algorithms(),
	}
	var client *ssh.Client
	var files *sftp.Client
	err = conn.guard(ctx, limits.Handshake, limits.Handshake, func() error {
		c, chans, reqs, err := ssh.NewClientConn(conn, place, config)
		if err != nil {
			return err
		}
		client = ssh.NewClient(c, chans, reqs)
		files, err = sftp.NewClient(client, sftp.MaxPacketChecked(maxPacket), sftp.UseConcurrentReads(false))
		return err
	})
	if err != nil {
		_ = conn.Close()
		return nil, s.explain(ctx, err, keys, limits)
	}
	r := &sftpRemote{conn: conn, ssh: client, files: files, limits: limits, depth: s.Depth, stop: make(chan struct{}),
		peer: Peer{Place: place, HostKey: keys.accepted, Identity: way.used}}
	if r.depth <= 0 {
		r.depth = 8
	}
	if a, ok := client.Conn.(ssh.AlgorithmsConnMetadata); ok {
		n := a.Algorithms()
		r.peer.Algorithms = fmt.Sprintf("kex %s, host key %s, cipher %s, mac %s", n.KeyExchange, n.HostKey, n.Read.Cipher, n.Read.MAC)
	}
	go r.keepalive()
	return r, nil
}

func (s *SFTP) connect(ctx context.Context, limits Timeouts) (*watchedConn, error) {
	d := net.Dialer{Timeout: limits.Dial}
	c, err := d.DialContext(ctx, "tcp", s.Place())
	if err != nil {
		return nil, err
	}
	return &watchedConn{Conn: c}, nil
}

// explain turns a failed handshake into the error that says what to do.
func (s *SFTP) explain(ctx context.Context, err error, keys *hostKeys, limits Timeouts) error {
	place := s.Place()
	var hk *HostKeyError
	var negotiation *ssh.AlgorithmNegotiationError
	switch {
	case errors.As(err, &hk):
		return &Error{Class: ClassHostKey, Op: "host key", Place: place, Err: err}
	case errors.As(err, &negotiation) && negotiation.What == "host key":
		return &Error{Class: ClassHostKey, Op: "host key", Place: place, Err: s.probe(ctx, err, keys, limits)}
	case errors.As(err, &negotiation):
		return &Error{Class: ClassPermanent, Op: "handshake", Place: place,
			Err: fmt.Errorf("%w; if its operator cannot do better, opt in to one of these under legacy", err)}
	case refusedLogin(err):
		return &Error{Class: ClassAuth, Op: "login", Place: place,
			Err: fmt.Errorf("%w as %s (tried %s): %w", ErrAuth, quoteName(s.User), strings.Join(s.ways(), ", "), err)}
	}
	return fail("handshake", place, "", err)
}

func (s *SFTP) ways() []string {
	out := slices.Clone(s.Keys)
	if s.Password != "" {
		out = append(out, "password")
	}
	return out
}

// probe asks a server that has no key of a known type which key it has, so that the operator sees both fingerprints.
// It never logs in.
func (s *SFTP) probe(ctx context.Context, cause error, keys *hostKeys, limits Timeouts) error {
	e := &HostKeyError{Host: s.Place(), Reason: HostKeyChanged, Offered: keys.offered, Known: keys.known()}
	if len(e.Offered) > 0 {
		return e
	}
	conn, err := s.connect(ctx, limits)
	if err != nil {
		return fmt.Errorf("%w (%w)", e, cause)
	}
	defer conn.Close()
	all := append(ssh.SupportedAlgorithms().HostKeys, ssh.InsecureAlgorithms().HostKeys...)
	config := &ssh.ClientConfig{Config: algorithms(s.Legacy), User: s.User, HostKeyAlgorithms: all,
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			e.Offered = append(e.Offered, KnownKey{Fingerprint: ssh.FingerprintSHA256(key), Type: key.Type()})
			return e
		}}
	_ = conn.guard(ctx, limits.Handshake, limits.Handshake, func() error {
		_, _, _, err := ssh.NewClientConn(conn, s.Place(), config)
		return err
	})
	if len(e.Offered) == 0 {
		return fmt.Errorf("%w (%w)", e, cause)
	}
	return e
}

// sftpRemote is a connection that is logged in.
type sftpRemote struct {
	conn    *watchedConn
	ssh     *ssh.Client
	files   *sftp.Client
	limits  Timeouts
	depth   int
	peer    Peer
	busy    atomic.Bool
	stop    chan struct{}
	once    sync.Once
	release func()
}

func (r *sftpRemote) Peer() Peer                   { return r.peer }
func (r *sftpRemote) Join(dir, name string) string { return path.Join(dir, name) }

// do runs one operation under the watch.
func (r *sftpRemote) do(ctx context.Context, op, p string, limit time.Duration, fn func() error) error {
	r.busy.Store(true)
	defer r.busy.Store(false)
	return fail(op, r.peer.Place, p, r.conn.guard(ctx, r.limits.Idle, limit, fn))
}

// keepalive asks an idle connection now and then whether it is alive, so that firewalls keep it and a dead one is
// noticed. During an operation the operation's own watch does that.
func (r *sftpRemote) keepalive() {
	tick := time.NewTicker(r.limits.Keepalive)
	defer tick.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-tick.C:
		}
		if r.busy.Load() {
			continue
		}
		if err := r.conn.guard(context.Background(), r.limits.Idle, 2*r.limits.Idle, func() error {
			_, _, err := r.ssh.SendRequest("keepalive@openssh.com", true, nil)
			return err
		}); err != nil {
			r.conn.cut(err)
			return
		}
	}
}

// List asks once more after the listing: a connection that dies between two parts of it makes the library report the
// end of the folder, and only a living connection answers the second question.
func (r *sftpRemote) List(ctx context.Context, dir string) ([]Entry, error) {
	var out []Entry
	err := r.do(ctx, "list", dir, r.limits.List, func() error {
		infos, err := r.files.ReadDirContext(ctx, orDot(dir))
		if err != nil {
			return err
		}
		if _, err := r.files.Stat(orDot(dir)); err != nil {
			return fmt.Errorf("the listing may not be whole: %w", err)
		}
		out = make([]Entry, 0, len(infos))
		for _, i := range infos {
			out = append(out, entryOf(i))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func (r *sftpRemote) Stat(ctx context.Context, p string) (Entry, error) {
	var e Entry
	err := r.do(ctx, "stat", p, r.limits.List, func() error {
		info, err := r.files.Lstat(orDot(p))
		if err == nil {
			e = entryOf(info)
		}
		return err
	})
	return e, err
}

func entryOf(i fs.FileInfo) Entry {
	return Entry{Name: i.Name(), Size: i.Size(), MTime: i.ModTime(), Mode: i.Mode()}
}

func orDot(p string) string {
	if p == "" {
		return "."
	}
	return p
}

func (r *sftpRemote) Open(ctx context.Context, p string) (File, error) {
	f := &sftpFile{r: r, ctx: ctx, path: p, end: time.Now().Add(r.limits.File)}
	err := r.do(ctx, "open", p, r.limits.List, func() error {
		var err error
		f.file, err = r.files.Open(p)
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Close ends the connection and frees the host's slot.
func (r *sftpRemote) Close() error {
	r.once.Do(func() { close(r.stop) })
	err := r.conn.guard(context.Background(), time.Second, time.Second, func() error {
		return errors.Join(r.files.Close(), r.ssh.Close())
	})
	_ = r.conn.Close()
	if r.release != nil {
		r.release()
	}
	return fail("close", r.peer.Place, "", err)
}
