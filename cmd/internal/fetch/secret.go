package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	maxSecret     = 64 << 10         // bytes
	secretTimeout = 30 * time.Second // of a cmd: reference
)

// CheckRef says what is wrong with the form of a secret reference, without resolving it. The text itself is never
// part of the error, since it may be the secret.
func CheckRef(ref string) error {
	kind, rest, ok := strings.Cut(ref, ":")
	switch kind {
	case "file", "env", "cred", "cmd":
	default:
		ok = false
	}
	switch {
	case !ok:
		return ErrLiteralSecret
	case strings.TrimSpace(rest) == "":
		return fmt.Errorf("secret reference %s: has nothing behind the colon", kind)
	case kind == "cred" && (strings.ContainsAny(rest, `/\`) || rest == ".." || rest == "."):
		return errors.New("secret reference cred: takes a name, not a path")
	}
	return nil
}

// Secret resolves a reference to a secret:
//
//	file:/etc/daozhang/ums.key   the file's content; refused if others than owner and group may read it
//	env:UMS_PASSWORD             an environment variable
//	cred:ums                     a file of systemd's LoadCredential ($CREDENTIALS_DIRECTORY)
//	cmd:/usr/bin/pass show ums   what a program prints; no shell, 30 s at most
//
// One line end at the end is cut off. A text without such a prefix is ErrLiteralSecret. No error holds the secret.
func Secret(ctx context.Context, ref string) (string, error) {
	if err := CheckRef(ref); err != nil {
		return "", err
	}
	kind, rest, _ := strings.Cut(ref, ":")
	var value []byte
	var err error
	switch kind {
	case "file":
		value, err = readSecretFile(rest)
	case "env":
		v, ok := os.LookupEnv(rest)
		if value = []byte(v); !ok {
			err = errors.New("the variable is not set")
		}
	case "cred":
		dir := os.Getenv("CREDENTIALS_DIRECTORY")
		if dir == "" {
			return "", fmt.Errorf("secret %s: CREDENTIALS_DIRECTORY is not set; use LoadCredential= in the unit file", ref)
		}
		value, err = readSecretFile(filepath.Join(dir, rest))
	case "cmd":
		value, err = runSecret(ctx, strings.Fields(rest))
	}
	if err != nil {
		return "", fmt.Errorf("secret %s: %w", ref, err)
	}
	value = bytes.TrimSuffix(value, []byte("\n"))
	value = bytes.TrimSuffix(value, []byte("\r"))
	if len(value) == 0 {
		return "", fmt.Errorf("secret %s: is empty", ref)
	}
	return string(value), nil
}

// readSecretFile reads a small file whose mode is 0640 or stricter.
func readSecretFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, ErrNotFile
	}
	if mode := info.Mode().Perm(); mode&^0o740 != 0 {
		return nil, fmt.Errorf("its mode %04o lets others read or change it; run: chmod 0600 %s", mode, path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err == nil && len(b) > maxSecret {
		err = fmt.Errorf("it is larger than %d bytes", maxSecret)
	}
	return b, err
}

// runSecret runs a program and returns what it prints. What it prints on failure is not shown: it may be the secret.
func runSecret(ctx context.Context, argv []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, secretTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = time.Second
	var out limitedBuffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w", argv[0], err)
	}
	return out.Bytes(), nil
}

// limitedBuffer refuses more than a secret may hold.
type limitedBuffer struct{ bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxSecret {
		return 0, fmt.Errorf("it prints more than %d bytes", maxSecret)
	}
	return b.Buffer.Write(p)
}
