// Package sshdtest starts the system's own OpenSSH server on a free loopback port, for tests against the real thing.
package sshdtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"daozhang/cmd/internal/fetch/sftpserver"
)

// Server is a running OpenSSH server that serves this machine's files to the current user by SFTP. It has an ed25519
// and an ECDSA host key, of which KnownHosts names the first.
type Server struct {
	Addr        string
	Host        string
	Port        int
	User        string
	Dir         string // an empty folder made for the test, to be served by its absolute path
	ClientKey   string // private key file, mode 0600
	KnownHosts  string // file with the line of the ed25519 host key
	Fingerprint string // of the ed25519 host key
}

// Start starts the server and stops it at the end of the test. Without sshd on the machine the test is skipped, but
// fails where the environment says CI=true.
func Start(t testing.TB) *Server {
	t.Helper()
	sshd := find(t)
	dir := t.TempDir()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Host: "127.0.0.1", User: me.Username, Dir: filepath.Join(dir, "files"),
		ClientKey: filepath.Join(dir, "client"), KnownHosts: filepath.Join(dir, "known_hosts")}
	if err := os.Mkdir(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	client := writeKey(t, s.ClientKey)
	write(t, filepath.Join(dir, "authorized"), ssh.MarshalAuthorizedKey(client))
	host := writeKey(t, filepath.Join(dir, "host_ed25519"))
	keygen(t, filepath.Join(dir, "host_ecdsa"))
	if me.Uid == "0" { // sshd run by root insists on its run directory
		_ = os.MkdirAll("/run/sshd", 0o755)
	}
	s.Port = freePort(t)
	s.Addr = net.JoinHostPort(s.Host, fmt.Sprint(s.Port))
	s.Fingerprint = ssh.FingerprintSHA256(host)
	write(t, s.KnownHosts, []byte(knownhosts.Line([]string{knownhosts.Normalize(s.Addr)}, host)+"\n"))
	config := filepath.Join(dir, "sshd_config")
	write(t, config, []byte(strings.Join([]string{
		"ListenAddress 127.0.0.1",
		fmt.Sprintf("Port %d", s.Port),
		"HostKey " + filepath.Join(dir, "host_ed25519"),
		"HostKey " + filepath.Join(dir, "host_ecdsa"),
		"PidFile none",
		"AuthorizedKeysFile " + filepath.Join(dir, "authorized"),
		"StrictModes no",
		"UsePAM no",
		"PermitRootLogin prohibit-password",
		"PasswordAuthentication no",
		"KbdInteractiveAuthentication no",
		"Subsystem sftp internal-sftp",
		"",
	}, "\n")))
	run(t, sshd, config, s.Addr)
	return s
}

// find locates sshd.
func find(t testing.TB) string {
	t.Helper()
	for _, p := range []string{"/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"} {
		if info, err := os.Stat(p); err == nil && info.Mode()&0o111 != 0 {
			return p
		}
	}
	const missing = "no OpenSSH server on this machine: install it with `apt-get install openssh-server`"
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// run starts sshd in the foreground and waits until it answers.
func run(t testing.TB, sshd, config, addr string) {
	t.Helper()
	log, err := os.Create(config + ".log")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(sshd, "-D", "-e", "-f", config)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-done
		_ = log.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("sshd said:\n%s", text)
		}
	})
	for range 200 {
		if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-done:
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("sshd ended at once:\n%s", text)
		case <-time.After(25 * time.Millisecond):
		}
	}
	t.Fatal("sshd does not answer")
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// writeKey makes an ed25519 key and writes its private half.
func writeKey(t testing.TB, path string) ssh.PublicKey {
	t.Helper()
	signer, pem, err := sftpserver.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, pem)
	return signer.PublicKey()
}

func keygen(t testing.TB, path string) {
	t.Helper()
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", path).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
