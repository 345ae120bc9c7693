// Package sftpserver is a read-only SFTP server on the loopback interface. The demo serves a made-up vendor's folder
// with it, and tests build servers on it that misbehave.
package sftpserver

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/subtle"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// Server is a running server. Its fields are what a client needs to log in and to know it.
type Server struct {
	Addr           string // 127.0.0.1:port
	Host           string
	Port           int
	User           string // any name is accepted; this one looks nice in a configuration
	HostKeyLine    string // a line for known_hosts, of the first host key
	Fingerprint    string // SHA256:... of the first host key
	ClientKeyPath  string // private key file, mode 0600; only of Serve
	KnownHostsPath string // file holding HostKeyLine; only of Serve

	listener net.Listener
	config   Config
	ssh      *ssh.ServerConfig
	scratch  string
	mu       sync.Mutex
	conns    map[net.Conn]bool
	closed   bool
	all      sync.WaitGroup
}

// Config is what Listen needs. Clients log in with an authorized key or, if it is not empty, the password.
type Config struct {
	Handlers   sftp.Handlers
	HostKeys   []ssh.Signer
	Authorized []ssh.PublicKey
	Password   string
	Wrap       func(net.Conn) net.Conn // put around each connection; may be nil
	Algorithms ssh.Config              // zero: the library's own
}

// Serve serves the files below dir, read-only, on a free loopback port. It makes a host key and a client key of its
// own, which vanish on Close.
func Serve(dir string) (*Server, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	host, _, err := NewKey()
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	client, clientPEM, err := NewKey()
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	s, err := Listen(Config{Handlers: ReadOnly(root), HostKeys: []ssh.Signer{host}, Authorized: []ssh.PublicKey{client.PublicKey()}})
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	if err := s.writeKeys(clientPEM); err != nil {
		return nil, errors.Join(err, s.Close(), root.Close())
	}
	return s, nil
}

// NewKey makes an ed25519 key, as a signer and as the content of a private key file.
func NewKey() (ssh.Signer, []byte, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		return nil, nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, "daozhang demo")
	if err != nil {
		return nil, nil, err
	}
	return signer, pem.EncodeToMemory(block), nil
}

func (s *Server) writeKeys(clientPEM []byte) error {
	var err error
	if s.scratch, err = os.MkdirTemp("", "daozhang-sftp-"); err != nil { // mode 0700
		return err
	}
	s.ClientKeyPath = filepath.Join(s.scratch, "client_key")
	s.KnownHostsPath = filepath.Join(s.scratch, "known_hosts")
	return errors.Join(os.WriteFile(s.ClientKeyPath, clientPEM, 0o600),
		os.WriteFile(s.KnownHostsPath, []byte(s.HostKeyLine+"\n"), 0o600))
}

// Listen starts a server on a free loopback port.
func Listen(config Config) (*Server, error) {
	if len(config.HostKeys) == 0 {
		return nil, errors.New("a server needs a host key")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().(*net.TCPAddr)
	key := config.HostKeys[0].PublicKey()
	s := &Server{Addr: addr.String(), Host: addr.IP.String(), Port: addr.Port, User: "demo", listener: l, config: config,
		HostKeyLine: knownhosts.Line([]string{addr.String()}, key), Fingerprint: ssh.FingerprintSHA256(key),
		conns: map[net.Conn]bool{}}
	s.ssh = &ssh.ServerConfig{Config: config.Algorithms, PublicKeyCallback: s.checkKey, MaxAuthTries: 12}
	if config.Password != "" {
		s.ssh.PasswordCallback = s.checkPassword
	}
	for _, k := range config.HostKeys {
		s.ssh.AddHostKey(k)
	}
	s.all.Go(s.accept)
	return s, nil
}

func (s *Server) checkKey(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	for _, k := range s.config.Authorized {
		if subtle.ConstantTimeCompare(k.Marshal(), key.Marshal()) == 1 {
			return &ssh.Permissions{}, nil
		}
	}
	return nil, errors.New("key not authorized")
}

func (s *Server) checkPassword(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
	if subtle.ConstantTimeCompare(password, []byte(s.config.Password)) == 1 {
		return &ssh.Permissions{}, nil
	}
	return nil, errors.New("wrong password")
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		if s.config.Wrap != nil {
			c = s.config.Wrap(c)
		}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			_ = c.Close()
			return
		}
		s.conns[c] = true
		s.mu.Unlock()
		s.all.Go(func() {
			s.serve(c)
			_ = c.Close()
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		})
	}
}

// serve speaks SSH on one connection; it offers the sftp subsystem and nothing else.
func (s *Server) serve(c net.Conn) {
	_, channels, requests, err := ssh.NewServerConn(c, s.ssh)
	if err != nil {
		return
	}
	var open sync.WaitGroup
	defer open.Wait()
	open.Go(func() { ssh.DiscardRequests(requests) })
	for nc := range channels {
		if nc.ChannelType() != "session" {
			_ = nc.Reject(ssh.UnknownChannelType, "only sftp is served")
			continue
		}
		ch, reqs, err := nc.Accept()
		if err != nil {
			return
		}
		open.Go(func() { s.session(ch, reqs) })
	}
}

func (s *Server) session(ch ssh.Channel, reqs <-chan *ssh.Request) {
	var sub sync.WaitGroup
	defer sub.Wait()
	started := false
	for req := range reqs {
		ok := !started && req.Type == "subsystem" && len(req.Payload) > 4 && string(req.Payload[4:]) == "sftp"
		if req.WantReply {
			_ = req.Reply(ok, nil)
		}
		if !ok {
			continue
		}
		started = true
		sub.Go(func() {
			files := sftp.NewRequestServer(ch, s.config.Handlers)
			if err := files.Serve(); err != nil && !errors.Is(err, io.EOF) {
				_ = files.Close()
			}
			_ = ch.Close()
		})
	}
}

// Close stops the server, cuts its connections, and removes its keys.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	err := s.listener.Close()
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.all.Wait()
	if c, ok := s.config.Handlers.FileGet.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	if s.scratch != "" {
		err = errors.Join(err, os.RemoveAll(s.scratch))
	}
	return err
}
