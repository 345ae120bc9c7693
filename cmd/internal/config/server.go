package config

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"daozhang/cmd/internal/fetch"
)

// Server is an SFTP server. Secrets are references, never values.
type Server struct {
	Name        string
	Host        string
	Port        int
	User        string
	Keys        []string // references to private keys, tried in this order
	Passphrase  string   // reference
	Password    string   // reference
	KnownHosts  []string // files
	Pins        []string // SHA256:... fingerprints of host keys
	Legacy      []string // weak algorithms opted in
	Connections int      // open at a time
	Depth       int      // reads under way at a time
	Timeouts    Timeouts
}

// Timeouts are the time limits of a server's connections.
type Timeouts struct {
	Dial, Handshake, Idle, Keepalive, List, File time.Duration
}

func (c *Config) readServers(r *reader) read {
	return func(n ast.Node, path string) {
		seen := map[string]place{}
		r.pairs(n, path, func(name string, k, v ast.Node) {
			p := join(path, name)
			r.at[p] = where(k)
			if first, twice := seen[name]; twice {
				r.errorf(k, "server %s stands twice, first on line %d; give each a name of its own", name, first.line)
				return
			}
			seen[name] = where(k)
			if !plainName(name) {
				r.errorf(k, "server name %q must consist of small letters, digits, _ - and ., a letter or digit first", name)
			}
			s := Server{Name: name, Port: 22, Connections: 2, Depth: 8, Timeouts: Timeouts{Dial: 20 * time.Second,
				Handshake: 30 * time.Second, Idle: time.Minute, Keepalive: 15 * time.Second, List: 5 * time.Minute, File: 30 * time.Minute}}
			s.read(r)(v, p)
			c.Servers = append(c.Servers, s)
		})
		slices.SortFunc(c.Servers, func(a, b Server) int { return cmp.Compare(a.Name, b.Name) })
	}
}

func (s *Server) read(r *reader) read {
	t := &s.Timeouts
	fields := r.mapping(
		must("host", r.text(&s.Host)),
		may("port", r.number(&s.Port, 1, 65535)),
		must("user", r.text(&s.User)),
		may("keys", r.secrets(&s.Keys)),
		may("passphrase", r.secret(&s.Passphrase)),
		may("password", r.secret(&s.Password)),
		may("known_hosts", r.paths(&s.KnownHosts)),
		may("fingerprints", r.texts(&s.Pins)),
		may("legacy", r.texts(&s.Legacy)),
		may("connections", r.number(&s.Connections, 1, 16)),
		may("depth", r.number(&s.Depth, 1, 64)),
		may("timeouts", r.mapping(
			may("dial", r.duration(&t.Dial, time.Second, 10*time.Minute)),
			may("handshake", r.duration(&t.Handshake, time.Second, 10*time.Minute)),
			may("idle", r.duration(&t.Idle, time.Second, 10*time.Minute)),
			may("keepalive", r.duration(&t.Keepalive, time.Second, 10*time.Minute)),
			may("list", r.duration(&t.List, time.Second, time.Hour)),
			may("file", r.duration(&t.File, time.Second, 24*time.Hour)))),
	)
	return func(n ast.Node, path string) {
		if _, ok := n.(*ast.NullNode); ok {
			r.errorf(n, "%s has no settings; give at least host, user, a key or password, and known_hosts", path)
			return
		}
		fields(n, path)
		if len(s.Keys) == 0 && s.Password == "" && !r.has(path, "keys", "password") {
			r.errorf(n, "%s has neither keys nor password; add one, as a reference such as file:keys/%s", path, s.Name)
		}
		if len(s.KnownHosts) == 0 && len(s.Pins) == 0 && !r.has(path, "known_hosts", "fingerprints") {
			r.errorf(n, "%s has neither known_hosts nor fingerprints, and unknown host keys are refused; ask the operator for the server's fingerprint", path)
		}
		for i, pin := range s.Pins {
			if body, ok := strings.CutPrefix(pin, "SHA256:"); !ok || len(body) != 43 {
				r.problem(r.at[path+".fingerprints["+itoa(i)+"]"], false,
					"%s: a fingerprint looks like SHA256: and 43 characters, as ssh-keygen -lf prints it", path)
			}
		}
		if err := fetch.CheckLegacy(s.Legacy); err != nil {
			r.problem(r.at[path+".legacy"], false, "%s: %v", path, err)
		}
	}
}

// has reports whether one of the keys was given, even if its value was refused.
func (r *reader) has(path string, keys ...string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { _, ok := r.at[join(path, k)]; return ok })
}

// secret reads a reference to a secret. The text itself never appears in a problem: it may be the secret.
func (r *reader) secret(dst *string) read {
	return func(n ast.Node, path string) {
		if s, ok := r.reference(n, path); ok {
			*dst = s
		}
	}
}

func (r *reader) secrets(dst *[]string) read {
	return r.list(func(n ast.Node, path string, _ int) {
		if s, ok := r.reference(n, path); ok {
			*dst = append(*dst, s)
		}
	})
}

func (r *reader) reference(n ast.Node, path string) (string, bool) {
	s, ok := n.(*ast.StringNode)
	if !ok {
		r.errorf(n, "%s must be a reference to a secret in quotes, such as \"file:keys/name\" or \"env:NAME\", not %s", path, describe(n))
		return "", false
	}
	if err := fetch.CheckRef(s.Value); err != nil {
		r.errorf(n, "%s: %v", path, err)
		return "", false
	}
	if file, ok := strings.CutPrefix(s.Value, "file:"); ok {
		return "file:" + r.abs(file), true
	}
	return s.Value, true
}
