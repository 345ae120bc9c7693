package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// CheckLegacy says which of the names are no legacy algorithm of the SSH library. Legacy algorithms are off; a source
// opts in by name to single ones that its server cannot do without.
func CheckLegacy(names []string) error {
	weak := ssh.InsecureAlgorithms()
	all := slices.Concat(weak.KeyExchanges, weak.Ciphers, weak.MACs, weak.HostKeys, weak.PublicKeyAuths)
	slices.Sort(all)
	all = slices.Compact(all)
	for _, n := range names {
		if !slices.Contains(all, n) {
			return fmt.Errorf("legacy algorithm %q is not known; known are %s", n, strings.Join(all, ", "))
		}
	}
	return nil
}

// algorithms is the library's safe set plus the legacy names opted in.
func algorithms(legacy []string) ssh.Config {
	safe, weak := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	with := func(safe, weak []string) []string {
		for _, n := range legacy {
			if slices.Contains(weak, n) {
				safe = append(safe, n)
			}
		}
		return safe
	}
	return ssh.Config{
		KeyExchanges: with(safe.KeyExchanges, weak.KeyExchanges),
		Ciphers:      with(safe.Ciphers, weak.Ciphers),
		MACs:         with(safe.MACs, weak.MACs),
	}
}

// login is the way in: keys in the order given, then the password. It remembers which one was used last.
type login struct {
	methods []ssh.AuthMethod
	used    string // "key SHA256:..." or "password"
}

// newLogin resolves the references of s.
func newLogin(ctx context.Context, s *SFTP) (*login, error) {
	l := &login{}
	var signers []ssh.Signer
	for _, ref := range s.Keys {
		signer, err := loadKey(ctx, ref, s.Passphrase)
		if err != nil {
			return nil, err
		}
		if signer, err = safeSigner(signer, s.Legacy); err != nil {
			return nil, err
		}
		signers = append(signers, &notingSigner{signer.(ssh.MultiAlgorithmSigner), l})
	}
	if len(signers) > 0 {
		l.methods = append(l.methods, ssh.PublicKeys(signers...))
	}
	if s.Password != "" {
		password, err := Secret(ctx, s.Password)
		if err != nil {
			return nil, fmt.Errorf("password: %w", err)
		}
		l.methods = append(l.methods,
			ssh.PasswordCallback(func() (string, error) { l.used = "password"; return password, nil }),
			ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
				l.used = "password"
				return slices.Repeat([]string{password}, len(questions)), nil
			}))
	}
	if len(l.methods) == 0 {
		return nil, errors.New("no way to log in: give keys or a password")
	}
	return l, nil
}

func loadKey(ctx context.Context, ref, passphraseRef string) (ssh.Signer, error) {
	pem, err := Secret(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey([]byte(pem + "\n"))
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		if passphraseRef == "" {
			return nil, fmt.Errorf("key %s: needs a passphrase; give one by reference", ref)
		}
		passphrase, err := Secret(ctx, passphraseRef)
		if err != nil {
			return nil, fmt.Errorf("passphrase: %w", err)
		}
		if signer, err = ssh.ParsePrivateKeyWithPassphrase([]byte(pem+"\n"), []byte(passphrase)); err != nil {
			return nil, fmt.Errorf("key %s: %w", ref, err)
		}
		return signer, nil
	}
	if err != nil {
		return nil, fmt.Errorf("key %s: is not a private key in OpenSSH or PEM form: %w", ref, err)
	}
	return signer, nil
}

// safeSigner keeps an RSA key from signing with SHA-1 unless that was opted in.
func safeSigner(s ssh.Signer, legacy []string) (ssh.Signer, error) {
	as, ok := s.(ssh.AlgorithmSigner)
	if !ok {
		return nil, errors.New("a key of this kind cannot be used")
	}
	algos := []string{s.PublicKey().Type()}
	if s.PublicKey().Type() == ssh.KeyAlgoRSA {
		algos = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
		if slices.Contains(legacy, ssh.KeyAlgoRSA) {
			algos = append(algos, ssh.KeyAlgoRSA)
		}
	}
	return ssh.NewSignerWithAlgorithms(as, algos)
}

// notingSigner notes that its key was used: the server asked for a signature, so it knows the key.
type notingSigner struct {
	ssh.MultiAlgorithmSigner
	l *login
}

func (n *notingSigner) SignWithAlgorithm(r io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	n.l.used = "key " + ssh.FingerprintSHA256(n.PublicKey())
	return n.MultiAlgorithmSigner.SignWithAlgorithm(r, data, algorithm)
}

// refusedLogin tells a refusal from a broken link. The library has no type for it on the client's side.
func refusedLogin(err error) bool {
	text := err.Error()
	return strings.Contains(text, "unable to authenticate") || strings.Contains(text, "Too many authentication failures")
}
