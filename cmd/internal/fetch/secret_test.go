package fetch

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretReferences(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		p := filepath.Join(dir, name)
		must(t, os.WriteFile(p, []byte(text), 0o600))
		must(t, os.Chmod(p, mode))
		return p
	}
	t.Setenv("DZ_SECRET", "from env")
	t.Setenv("DZ_EMPTY", "")
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	file("cred", "from cred\n", 0o400)
	for _, c := range []struct{ ref, want, fails string }{
		{"file:" + file("a", "s3cret\n", 0o600), "s3cret", ""},
		{"file:" + file("b", "s3cret\r\n", 0o640), "s3cret", ""},
		{"file:" + file("c", "two\nlines\n\n", 0o400), "two\nlines\n", ""},
		{"file:" + file("d", " spaces kept ", 0o600), " spaces kept ", ""},
		{"file:" + file("e", "s3cret", 0o644), "", "mode 0644"},
		{"file:" + file("f", "s3cret", 0o660), "", "chmod 0600"},
		{"file:" + file("g", "s3cret", 0o604), "", "mode 0604"},
		{"file:" + file("h", "\n", 0o600), "", "empty"},
		{"file:" + file("i", strings.Repeat("x", maxSecret+1), 0o600), "", "larger"},
		{"file:" + dir, "", "not a regular file"},
		{"file:" + dir + "/none", "", "no such file"},
		{"env:DZ_SECRET", "from env", ""},
		{"env:DZ_EMPTY", "", "empty"},
		{"env:DZ_UNSET", "", "not set"},
		{"cred:cred", "from cred", ""},
		{"cred:../a", "", "not a path"},
		{"cred:gone", "", "no such file"},
		{"cmd:/bin/echo hello there", "hello there", ""},
		{"cmd:/bin/false", "", "exit status 1"},
		{"cmd:/no/such/program", "", "no such file"},
		{"cmd: ", "", "nothing behind"},
		{"file:", "", "nothing behind"},
		{"hunter2", "", ErrLiteralSecret.Error()},
		{"pass:hunter2", "", ErrLiteralSecret.Error()},
		{"", "", ErrLiteralSecret.Error()},
	} {
		got, err := Secret(t.Context(), c.ref)
		if c.fails == "" && (err != nil || got != c.want) {
			t.Errorf("%s: %q, %v", c.ref, got, err)
		}
		if c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("%s: error %v, want %q and no secret", c.ref, err, c.fails)
		}
	}
	if err := CheckRef("hunter2"); !errors.Is(err, ErrLiteralSecret) {
		t.Errorf("got %v", err)
	}
}
