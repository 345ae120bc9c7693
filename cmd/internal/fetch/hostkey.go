package fetch

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// Reasons of a HostKeyError.
const (
	HostKeyUnknown = "unknown" // no key of this host is known
	HostKeyChanged = "changed" // the host offers another key than the known ones
	HostKeyRevoked = "revoked" // the key is marked @revoked
)

// KnownKey is a key that was expected of a host.
type KnownKey struct {
	Fingerprint string // SHA256:...
	Type        string // ssh-ed25519 ...; "" for a pinned fingerprint
	Where       string // file:line, or "pinned"
}

// HostKeyError says that a server could not be told to be the one that is meant. The connection was closed before any
// login was tried.
type HostKeyError struct {
	Host    string     // host:port
	Reason  string     // HostKeyUnknown, HostKeyChanged or HostKeyRevoked
	Offered []KnownKey // what the server showed; Where is empty
	Known   []KnownKey
	Line    string // the known_hosts line of the first offered key, for the operator to add once it is confirmed
}

// Error prints the fingerprints of both sides and what to do.
func (e *HostKeyError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "host key of %s is %s: offered", e.Host, e.Reason)
	list := func(keys []KnownKey) {
		for i, k := range keys {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString(" " + k.Fingerprint)
			if extra := strings.Join(slices.DeleteFunc([]string{k.Type, k.Where}, func(s string) bool { return s == "" }), ", "); extra != "" {
				b.WriteString(" (" + extra + ")")
			}
		}
		if len(keys) == 0 {
			b.WriteString(" none")
		}
	}
	list(e.Offered)
	b.WriteString("; known")
	list(e.Known)
	switch e.Reason {
	case HostKeyUnknown:
		b.WriteString("; ask the host's operator for its fingerprint by another way, compare, then pin it or add this line to known_hosts: " + e.Line)
	case HostKeyChanged:
		b.WriteString("; somebody may be between you and the host: ask its operator whether the key was changed, and only then replace the known one")
	default:
		b.WriteString("; the key must not be trusted any more: ask the host's operator for the new one")
	}
	return b.String()
}

// hostKeys decides about the keys of one host.
type hostKeys struct {
	addr     string // host:port
	db       *knownhosts.HostKeyDB
	pins     []string
	legacy   []string
	excluded map[string]bool // key types of offered keys that no pin names
	offered  []KnownKey
	accepted string // fingerprint
}

// newHostKeys loads what is known. Nothing to know from is an error: there is no "trust on first use".
func newHostKeys(addr string, files, pins, legacy []string) (*hostKeys, error) {
	h := &hostKeys{addr: addr, pins: pins, legacy: legacy, excluded: map[string]bool{}}
	if len(files) == 0 && len(pins) == 0 {
		return nil, errors.New("no host key is known: name a known_hosts file or pin the host's SHA256 fingerprints")
	}
	for _, p := range pins {
		if !strings.HasPrefix(p, "SHA256:") || len(p) != len("SHA256:")+43 {
			return nil, fmt.Errorf("pinned fingerprint %q is not of the form SHA256: and 43 characters, as `ssh-keygen -lf` prints it", p)
		}
	}
	for _, f := range files {
		if _, err := os.Stat(f); err != nil {
			return nil, fmt.Errorf("known_hosts file: %w", err)
		}
	}
	if len(files) > 0 {
		db, err := knownhosts.NewDB(files...)
		if err != nil {
			return nil, err
		}
		h.db = db
	}
	return h, nil
}

// algorithms lists what to offer: with known_hosts entries only the algorithms of known keys, so that a server with
// several keys shows one that we know; with pins every safe one whose key type is not yet ruled out.
func (h *hostKeys) algorithms() []string {
	allowed := append(ssh.SupportedAlgorithms().HostKeys, h.legacy...)
	var out []string
	if h.db != nil {
		for _, a := range h.db.HostKeyAlgorithms(h.addr) {
			if slices.Contains(allowed, a) {
				out = append(out, a)
			}
		}
	}
	if len(out) > 0 && len(h.pins) == 0 {
		return out
	}
	plain := func(a string) bool { return !strings.Contains(a, "-cert-") }
	for _, a := range allowed {
		if plain(a) && !h.excluded[keyType(a)] && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// keyType is the type of key behind a host-key algorithm.
func keyType(algorithm string) string {
	switch algorithm {
	case ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512:
		return ssh.KeyAlgoRSA
	}
	return algorithm
}

// check is the ssh.HostKeyCallback.
func (h *hostKeys) check(host string, remote net.Addr, key ssh.PublicKey) error {
	offered := KnownKey{Fingerprint: ssh.FingerprintSHA256(key), Type: key.Type()}
	h.offered = append(h.offered, offered)
	e := &HostKeyError{Host: h.addr, Offered: h.offered, Line: xknownhosts.Line([]string{xknownhosts.Normalize(h.addr)}, key)}
	e.Known = h.known()
	e.Reason = HostKeyUnknown
	if len(e.Known) > 0 {
		e.Reason = HostKeyChanged
	}
	if h.db != nil {
		err := h.db.HostKeyCallback()(host, remote, key)
		if err == nil {
			h.accepted = offered.Fingerprint
			return nil
		}
		var revoked *xknownhosts.RevokedError
		var keyErr *xknownhosts.KeyError
		switch {
		case errors.As(err, &revoked):
			e.Reason = HostKeyRevoked
			e.Known = []KnownKey{{offered.Fingerprint, offered.Type, fmt.Sprintf("@revoked in %s:%d", revoked.Revoked.Filename, revoked.Revoked.Line)}}
			return e
		case !errors.As(err, &keyErr) && len(h.pins) == 0: // a certificate that does not hold
			e.Reason = HostKeyChanged
			return fmt.Errorf("%w (%w)", e, err)
		}
	}
	if slices.Contains(h.pins, offered.Fingerprint) {
		h.accepted = offered.Fingerprint
		return nil
	}
	h.excluded[key.Type()] = true
	return e
}

// known lists the keys that would have been accepted.
func (h *hostKeys) known() []KnownKey {
	var out []KnownKey
	if h.db != nil {
		for _, k := range h.db.HostKeys(h.addr) {
			where := "known_hosts"
			if k.Cert {
				where = "known_hosts, @cert-authority"
			}
			out = append(out, KnownKey{ssh.FingerprintSHA256(k.PublicKey), k.Type(), where})
		}
	}
	for _, p := range h.pins {
		out = append(out, KnownKey{Fingerprint: p, Where: "pinned"})
	}
	return out
}

// again tells whether after a refusal another type of key is worth asking for: a pin does not say its type.
func (h *hostKeys) again(err error) bool {
	var e *HostKeyError
	return len(h.pins) > 0 && errors.As(err, &e) && e.Reason != HostKeyRevoked && len(h.algorithms()) > 0
}
