//go:build unix

package publish

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
)

func TestACarryTextComesBackUnderTheDigestOfItsText(t *testing.T) {
	c := CarryStore{Dir: t.TempDir()}
	for _, text := range []string{"", "x", string(carryText())} {
		digest, err := c.Put(context.Background(), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Get(context.Background(), digest)
		if err != nil || string(got) != text {
			t.Errorf("%d bytes: got %d back, %v", len(text), len(got), err)
		}
		if again, err := c.Put(context.Background(), []byte(text)); err != nil || again != digest {
			t.Errorf("put again: %s, %v; want %s", again, err, digest)
		}
	}
	// printf x | sha256sum
	const x = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
	if _, err := c.Get(context.Background(), x); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(c.Path(x)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
}

func TestADamagedCarryFileIsFoundAndReplacedByTheNextPut(t *testing.T) {
	text := carryText()
	for name, damage := range map[string]func([]byte) []byte{
		"cut short":    func(b []byte) []byte { return b[:len(b)/2] },
		"empty":        func([]byte) []byte { return nil },
		"flipped":      func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"not zstd":     func([]byte) []byte { return []byte("hello") },
		"doubled":      func(b []byte) []byte { return append(b, b...) },
		"garbage tail": func(b []byte) []byte { return append(b, "xyz"...) },
	} {
		c := CarryStore{Dir: t.TempDir()}
		digest, err := c.Put(context.Background(), text)
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(c.Path(digest))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(c.Path(digest), damage(b), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Get(context.Background(), digest); !errors.Is(err, ErrCarryDamaged) {
			t.Errorf("%s: Get = %v; want ErrCarryDamaged", name, err)
		}
		if _, err := c.Put(context.Background(), text); err != nil {
			t.Errorf("%s: Put = %v", name, err)
		}
		if _, err := c.Get(context.Background(), digest); err != nil {
			t.Errorf("%s: after Put, Get = %v", name, err)
		}
	}
}

func TestAMissingCarryFileIsNotADamagedOne(t *testing.T) {
	c := CarryStore{Dir: t.TempDir()}
	for _, digest := range []string{"", "../../etc/passwd", strings.Repeat("0", 64)} {
		if _, err := c.Get(context.Background(), digest); !errors.Is(err, ErrNoCarry) {
			t.Errorf("%q: %v; want ErrNoCarry", digest, err)
		}
	}
}
