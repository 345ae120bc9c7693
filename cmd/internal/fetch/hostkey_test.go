package fetch

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"daozhang/cmd/internal/fetch/sftpserver"
)

// serverKeys are an ed25519, an ECDSA and an RSA key.
func serverKeys(t testing.TB) [3]ssh.Signer {
	t.Helper()
	ed, _, err := sftpserver.NewKey()
	must(t, err)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	ecs, err := ssh.NewSignerFromKey(ec)
	must(t, err)
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	rss, err := ssh.NewSignerFromKey(rs)
	must(t, err)
	return [3]ssh.Signer{ed, ecs, rss}
}

func TestHostKeys(t *testing.T) {
	own, other := serverKeys(t), serverKeys(t)
	const ed, ec, rs = 0, 1, 2
	print := func(s ssh.Signer) string { return ssh.FingerprintSHA256(s.PublicKey()) }
	line := func(addr string, s ssh.Signer) string {
		return knownhosts.Line([]string{knownhosts.Normalize(addr)}, s.PublicKey())
	}
	all := own[:]
	for _, c := range []struct {
		name     string
		offers   []ssh.Signer
		known    func(addr string) string
		pins     []string
		legacy   []string
		reason   string // of the refusal; "" for accepted
		accepted ssh.Signer
		shows    []string // texts that the refusal must show
	}{
		{name: "known ed25519", offers: own[:1], known: func(a string) string { return line(a, own[ed]) }, accepted: own[ed]},
		{name: "three keys, only ed25519 known", offers: all, known: func(a string) string { return line(a, own[ed]) }, accepted: own[ed]},
		{name: "three keys, only ECDSA known", offers: all, known: func(a string) string { return line(a, own[ec]) }, accepted: own[ec]},
		{name: "three keys, only RSA known", offers: all, known: func(a string) string { return line(a, own[rs]) }, accepted: own[rs]},
		{name: "hashed name", offers: all, known: func(a string) string {
			return knownhosts.HashHostname(knownhosts.Normalize(a)) + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(own[ed].PublicKey())))
		}, accepted: own[ed]},
		{name: "old and new key known", offers: own[:1], known: func(a string) string { return line(a, other[ed]) + "\n" + line(a, own[ed]) }, accepted: own[ed]},
		{name: "unknown", offers: own[:1], known: func(string) string { return line("elsewhere:22", own[ed]) }, reason: HostKeyUnknown,
			shows: []string{print(own[ed]), "known none", "add this line"}},
		{name: "known under another port", offers: own[:1], known: func(string) string { return line("127.0.0.1:22", own[ed]) }, reason: HostKeyUnknown},
		{name: "changed", offers: own[:1], known: func(a string) string { return line(a, other[ed]) }, reason: HostKeyChanged,
			shows: []string{print(own[ed]), print(other[ed]), "somebody may be between"}},
		{name: "changed to another kind of key", offers: own[2:], known: func(a string) string { return line(a, other[ed]) }, reason: HostKeyChanged,
			shows: []string{print(own[rs]), print(other[ed])}},
		{name: "revoked", offers: own[:1], known: func(a string) string {
			return "@revoked * " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(own[ed].PublicKey()))) + "\n" + line(a, own[ed])
		}, reason: HostKeyRevoked, shows: []string{print(own[ed]), "@revoked in"}},
		{name: "revoked beats a pin", offers: own[:1], known: func(a string) string {
			return "@revoked * " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(own[ed].PublicKey())))
		}, pins: []string{print(own[ed])}, reason: HostKeyRevoked},
		{name: "pinned", offers: own[:1], pins: []string{print(own[ed])}, accepted: own[ed]},
		{name: "second of two pins", offers: own[:1], pins: []string{print(other[ed]), print(own[ed])}, accepted: own[ed]},
		{name: "three keys, ed25519 pinned", offers: all, pins: []string{print(own[ed])}, accepted: own[ed]},
		{name: "three keys, RSA pinned", offers: all, pins: []string{print(own[rs])}, accepted: own[rs]},
		{name: "three keys, ECDSA pinned", offers: all, pins: []string{print(own[ec])}, accepted: own[ec]},
		{name: "wrong pin", offers: all, pins: []string{print(other[ed])}, reason: HostKeyChanged,
			shows: []string{print(own[ed]), print(own[ec]), print(own[rs]), print(other[ed]), "pinned"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := startFakeWith(t, map[string]*fakeFile{"a.txt": {data: []byte("a")}}, c.offers...)
			place := server.place()
			place.Pins, place.Legacy = c.pins, c.legacy
			if c.known != nil {
				p := filepath.Join(t.TempDir(), "known_hosts")
				must(t, os.WriteFile(p, []byte(c.known(server.server.Addr)+"\n"), 0o600))
				place.KnownHosts = []string{p}
			}
			f, j, _ := newFetcher(t)
			_, err := f.Fetch(t.Context(), sourceOf(t, place), Window{})
			if c.reason == "" {
				must(t, err)
				if len(j.rows) != 1 || j.rows[0].HostKey != print(c.accepted) {
					t.Errorf("landed %+v", j.rows)
				}
				return
			}
			var e *HostKeyError
			if !errors.As(err, &e) || ClassOf(err) != ClassHostKey || e.Reason != c.reason || len(j.rows) != 0 {
				t.Fatalf("error %v, want a host key that is %s", err, c.reason)
			}
			for _, s := range append(c.shows, server.server.Addr) {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%v\ndoes not show %s", err, s)
				}
			}
		})
	}
}

func TestHostKeyIsRequired(t *testing.T) {
	server := startFake(t, nil)
	for name, change := range map[string]func(*SFTP){
		"nothing known":            func(s *SFTP) { s.Pins = nil },
		"known_hosts file missing": func(s *SFTP) { s.KnownHosts = []string{"/no/such/file"} },
		"pin of another form":      func(s *SFTP) { s.Pins = []string{"MD5:00:11"} },
		"legacy name unknown":      func(s *SFTP) { s.Legacy = []string{"rot13"} },
		"literal password":         func(s *SFTP) { s.Password = "hunter2" },
		"no way in":                func(s *SFTP) { s.Keys = nil },
		"key is no key":            func(s *SFTP) { s.Keys = []string{"cmd:/bin/echo hello"} },
	} {
		place := server.place()
		change(place)
		_, err := place.Dial(t.Context())
		if ClassOf(err) != ClassPermanent || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v of class %v", name, err, ClassOf(err))
		}
	}
}

func TestLogin(t *testing.T) {
	server := startFake(t, map[string]*fakeFile{})
	_, pem, err := sftpserver.NewKey()
	must(t, err)
	stranger := filepath.Join(t.TempDir(), "stranger")
	must(t, os.WriteFile(stranger, pem, 0o600))
	t.Setenv("DZ_RIGHT", "open sesame")
	t.Setenv("DZ_WRONG", "hunter2")
	for _, c := range []struct {
		name     string
		keys     []string
		password string
		identity string
	}{
		{"key", []string{"file:" + server.key}, "", "key SHA256:"},
		{"second key", []string{"file:" + stranger, "file:" + server.key}, "", "key SHA256:"},
		{"password after a refused key", []string{"file:" + stranger}, "env:DZ_RIGHT", "password"},
		{"password", nil, "env:DZ_RIGHT", "password"},
		{"wrong password", nil, "env:DZ_WRONG", ""},
		{"unknown key", []string{"file:" + stranger}, "", ""},
	} {
		place := server.place()
		place.Keys, place.Password = c.keys, c.password
		remote, err := place.Dial(t.Context())
		if c.identity == "" {
			if !errors.Is(err, ErrAuth) || ClassOf(err) != ClassAuth || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		must(t, err)
		if p := remote.Peer(); !strings.HasPrefix(p.Identity, c.identity) || !strings.Contains(p.Algorithms, "kex ") {
			t.Errorf("%s: %+v", c.name, p)
		}
		must(t, remote.Close())
	}
}

func TestLegacyAlgorithmsNeedOptIn(t *testing.T) {
	host, _, err := sftpserver.NewKey()
	must(t, err)
	old, err := sftpserver.Listen(sftpserver.Config{HostKeys: []ssh.Signer{host}, Password: "x",
		Algorithms: ssh.Config{KeyExchanges: []string{"diffie-hellman-group14-sha1"}}})
	must(t, err)
	defer old.Close()
	t.Setenv("DZ_X", "x")
	place := &SFTP{Host: old.Host, Port: old.Port, User: "u", Password: "env:DZ_X", Pins: []string{old.Fingerprint}}
	if _, err := place.Dial(t.Context()); ClassOf(err) != ClassPermanent || !strings.Contains(err.Error(), "group14-sha1") {
		t.Fatalf("got %v", err)
	}
	place.Legacy = []string{"diffie-hellman-group14-sha1"}
	remote, err := place.Dial(t.Context())
	must(t, err)
	if p := remote.Peer(); !strings.Contains(p.Algorithms, "group14-sha1") {
		t.Errorf("not shown: %+v", p)
	}
	must(t, remote.Close())
}

func TestOnlyAlgorithmsOfKnownKeysAreOffered(t *testing.T) {
	keys := serverKeys(t)
	for i, want := range []string{"ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512 rsa-sha2-256"} {
		p := filepath.Join(t.TempDir(), "known_hosts")
		must(t, os.WriteFile(p, []byte(knownhosts.Line([]string{"h"}, keys[i].PublicKey())+"\n"), 0o600))
		h, err := newHostKeys("h:22", []string{p}, nil, nil)
		must(t, err)
		if got := strings.Join(h.algorithms(), " "); got != want {
			t.Errorf("offered %s, want %s", got, want)
		}
	}
}
