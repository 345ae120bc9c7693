package fetch

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"daozhang/cmd/internal/fetch/sftpserver"
	"daozhang/cmd/internal/fetch/sshdtest"
)

// sshdPlace is how to reach the real server through addr.
func sshdPlace(s *sshdtest.Server, port int) *SFTP {
	return &SFTP{Host: s.Host, Port: port, User: s.User, Keys: []string{"file:" + s.ClientKey}, KnownHosts: []string{s.KnownHosts},
		Timeouts: Timeouts{Idle: time.Second, Handshake: 5 * time.Second, Keepalive: 200 * time.Millisecond}}
}

func TestOpenSSH(t *testing.T) {
	server := sshdtest.Start(t)
	big := content(5_000_000)
	aged := time.Now().Add(-time.Hour).Truncate(time.Second)
	for name, data := range map[string][]byte{"UMS_1_20260102.txt": big, "UMS_2_20260102.txt": []byte("two"), "UMS_3_20260102.txt": nil} {
		p := filepath.Join(server.Dir, name)
		must(t, os.WriteFile(p, data, 0o600))
		must(t, os.Chtimes(p, aged, aged))
	}
	source := func(t *testing.T, place Dialer) Source {
		s := sourceOf(t, place, "UMS_{mid}_{date:yyyyMMdd}.txt")
		s.Dir, s.Complete.Pause, s.Retry.Base = server.Dir, 50*time.Millisecond, time.Millisecond
		return s
	}
	real := func(t *testing.T) (*Fetcher, *journal) {
		f, j, _ := newFetcher(t)
		f.Now, f.Sleep = nil, nil
		return f, j
	}
	t.Run("fetches, and fetches nothing twice", func(t *testing.T) {
		f, j := real(t)
		_, err := f.Fetch(t.Context(), source(t, sshdPlace(server, server.Port)), Window{})
		must(t, err)
		if len(j.rows) != 3 || j.rows[0].SHA256 != shaOf(string(big)) || j.rows[0].HostKey != server.Fingerprint || !j.rows[0].MTime.Equal(aged) {
			t.Fatalf("landed %+v", j.rows)
		}
		rep, err := f.Fetch(t.Context(), source(t, sshdPlace(server, server.Port)), Window{})
		must(t, err)
		if d := decision(t, rep, "UMS_1_20260102.txt"); len(rep.Landed) != 0 || d.Verdict != Have || d.SHA256 != shaOf(string(big)) {
			t.Errorf("second fetch: %v", rep.Decisions)
		}
	})
	t.Run("refuses an unknown and a changed host key", func(t *testing.T) {
		stranger, _, err := sftpserver.NewKey()
		must(t, err)
		p := filepath.Join(t.TempDir(), "known_hosts")
		for reason, host := range map[string]string{HostKeyUnknown: "elsewhere:22", HostKeyChanged: server.Addr} {
			must(t, os.WriteFile(p, []byte(knownhosts.Line([]string{knownhosts.Normalize(host)}, stranger.PublicKey())+"\n"), 0o600))
			place := sshdPlace(server, server.Port)
			place.KnownHosts = []string{p}
			f, j := real(t)
			_, err := f.Fetch(t.Context(), source(t, place), Window{})
			var e *HostKeyError
			if !errors.As(err, &e) || e.Reason != reason || ClassOf(err) != ClassHostKey || len(j.rows) != 0 {
				t.Fatalf("%s: got %v", reason, err)
			}
			if reason == HostKeyChanged {
				for _, fp := range []string{server.Fingerprint, ssh.FingerprintSHA256(stranger.PublicKey())} {
					if !strings.Contains(err.Error(), fp) {
						t.Errorf("%v does not show %s", err, fp)
					}
				}
			}
		}
	})
	t.Run("does not take a half-written file", func(t *testing.T) {
		p := filepath.Join(server.Dir, "UMS_9_20260102.txt")
		w, err := os.Create(p)
		must(t, err)
		defer os.Remove(p)
		defer w.Close()
		f, j := real(t)
		f.Sleep = func(context.Context, time.Duration) error {
			_, err := w.WriteString("another line\n")
			return err
		}
		rep, err := f.Fetch(t.Context(), source(t, sshdPlace(server, server.Port)), Window{})
		must(t, err)
		if d := decision(t, rep, "UMS_9_20260102.txt"); d.Verdict != Waiting {
			t.Errorf("got %v", d)
		}
		for _, l := range j.rows {
			if l.RemoteName == "UMS_9_20260102.txt" {
				t.Error("it was landed")
			}
		}
	})
	t.Run("cut and silent links are errors in time", func(t *testing.T) {
		for _, at := range []int64{0, 1000, 3000, 1_000_000, 4_000_000} {
			for _, silent := range []bool{false, true} {
				p := startProxy(t, server.Addr, at, silent)
				place := sshdPlace(server, p.l.Addr().(*net.TCPAddr).Port)
				place.KnownHosts, place.Pins = nil, []string{server.Fingerprint}
				place.Timeouts.Handshake = time.Second
				src := source(t, place)
				src.Retry.Attempts = 1
				f, _ := real(t)
				start := time.Now()
				_, err := f.Fetch(t.Context(), src, Window{})
				if took := time.Since(start); ClassOf(err) != ClassRetry || err == nil || took > 10*time.Second {
					t.Errorf("after %d bytes, silent %v: %v of class %v in %v", at, silent, err, ClassOf(err), took)
				}
				archived(t, f.Archive)
			}
		}
	})
	t.Run("permission denied on one file does not stop the others", func(t *testing.T) {
		if os.Getuid() == 0 {
			t.Skip("root may read everything")
		}
		p := filepath.Join(server.Dir, "UMS_0_20260102.txt")
		must(t, os.WriteFile(p, []byte("x"), 0))
		defer os.Remove(p)
		f, j := real(t)
		_, err := f.Fetch(t.Context(), source(t, sshdPlace(server, server.Port)), Window{})
		if ClassOf(err) != ClassPermanent || len(j.rows) != 3 {
			t.Errorf("%v, landed %d", err, len(j.rows))
		}
	})
}
