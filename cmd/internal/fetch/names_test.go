package fetch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFortyHostileNames(t *testing.T) {
	hostile := []string{
		"", ".", "..", "../x.txt", "../../etc/passwd", "/etc/passwd", "a/b.txt", `a\b.txt`, `..\x.txt`, `C:\x.txt`,
		"a\x00.txt", "a\n.txt", "a\r\n.txt", "a\t.txt", "\x1b[31ma.txt", "a\x7f.txt", "a\u0085.txt", "a\u2028.txt", "a\u2029.txt",
		"a\u202etxt.exe", "a\u202d.txt", "a\u2066.txt", "a\u2069.txt", "a\u200b.txt", "a\u200f.txt", "a\ufeff.txt", "a\u00ad.txt", "a\u2060.txt",
		"\xb6\xd4\xd5\xcb\xb5\xa5.txt", "a\xff.txt", "a\xc0\xaf.txt", "a\xed\xa0\x80.txt", "a\ufffd.txt", "a\ue000.txt",
		strings.Repeat("a", 252) + ".txt", strings.Repeat("账", 85) + ".txt", " a.txt", "a.txt ", "-rf.txt", "\u061ca.txt",
	}
	if len(hostile) != 40 {
		t.Fatalf("%d names, want 40", len(hostile))
	}
	for _, n := range hostile {
		if hostileName(n) == "" {
			t.Errorf("%q passes", n)
		}
		if q := quoteName(n); strings.ContainsAny(q, "\n\r\x1b\x00") || strings.Contains(q, "\u202e") {
			t.Errorf("%q is printed as %q", n, q)
		}
	}
	for _, n := range []string{"UMS_1_20260102.txt", "对账单 2026.csv", "a..b.txt", "naïve.txt", "A&B (1).txt", "a'b;c$(d).txt", "％.txt"} {
		if why := hostileName(n); why != "" {
			t.Errorf("%q is refused: %s", n, why)
		}
	}
}

// What a real folder can hold goes through a whole fetch: nothing outside of the archive is made or read.
func TestHostileNamesInAFolder(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret.txt")
	must(t, os.WriteFile(outside, []byte("secret"), 0o600))
	hostile := []string{"a\n.txt", "a\u202e.txt", "\xb6\xd4.txt", "-rf.txt", `..\x.txt`, "a\x1b[2J.txt", strings.Repeat("b", 251) + ".txt"}
	for _, n := range hostile {
		must(t, os.WriteFile(filepath.Join(dir, n), []byte(n), 0o600))
	}
	must(t, os.WriteFile(filepath.Join(dir, "a.txt"), []byte("lower"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "A.txt"), []byte("upper"), 0o600))
	must(t, os.Symlink(outside, filepath.Join(dir, "link.txt")))
	must(t, os.Symlink("a.txt", filepath.Join(dir, "inner.txt")))
	must(t, os.Symlink("loop.txt", filepath.Join(dir, "loop.txt")))
	must(t, os.Mkdir(filepath.Join(dir, "folder.txt"), 0o700))
	f, j, _ := newFetcher(t)
	src := sourceOf(t, Folder{dir})
	src.Dir, src.Complete.Rename = "", true
	rep, err := f.Fetch(t.Context(), src, Window{})
	must(t, err)
	for _, n := range append(hostile[:6:6], "link.txt", "inner.txt", "loop.txt", "folder.txt") {
		if d := decision(t, rep, n); d.Verdict != Refused || d.Why == "" {
			t.Errorf("%q: %v", n, d)
		}
	}
	if len(j.rows) != 3 { // both cases, and the name of exactly 255 bytes
		t.Errorf("landed %v", j.rows)
	}
	if len(rep.Warnings) != 1 || !strings.Contains(rep.Warnings[0], "case") {
		t.Errorf("warnings %v", rep.Warnings)
	}
}

func TestTemporaryNames(t *testing.T) {
	for _, n := range []string{"a.txt.part", "a.PARTIAL", "a.tmp", "a.temp", "a.txt.filepart", "a.writing", ".a.txt", "a.txt~", "~$book.xlsx"} {
		if temporaryName(n) == "" {
			t.Errorf("%q passes", n)
		}
	}
	for _, n := range []string{"a.txt", "part", "a.part.txt", "tmp"} {
		if why := temporaryName(n); why != "" {
			t.Errorf("%q: %s", n, why)
		}
	}
}
