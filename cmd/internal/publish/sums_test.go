//go:build unix

package publish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daozhang/cmd/internal/disk"
	"daozhang/cmd/internal/disk/disktest"
)

func digestOf(b []byte) string { h := sha256.Sum256(b); return hex.EncodeToString(h[:]) }

// issued publishes revision 1 in memory and returns its folder and manifest.
func issued(t *testing.T) (m *disk.Mem, folder, manifest string) {
	t.Helper()
	m = disk.Memory()
	manifest, err := Publish(context.Background(), m, "/reports", day, 1, report(1), nil)
	if err != nil {
		t.Fatal(err)
	}
	return m, filepath.Join("/reports", day.String(), "r1"), manifest
}

func TestTheSumsListEveryFileByNameAndTheirOwnSumIsTheManifest(t *testing.T) {
	m, folder, manifest := issued(t)
	texts := rendered(t, 1)
	want := ""
	var bytes int64
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		want += fmt.Sprintf("%s  %s\n", digestOf([]byte(texts[name])), name)
		bytes += int64(len(texts[name]))
	}
	got, err := disk.ReadFile(m, filepath.Join(folder, SumsName))
	if err != nil || string(got) != want {
		t.Errorf("%s holds\n%s%v\nwant\n%s", SumsName, got, err, want)
	}
	if manifest != digestOf([]byte(want)) {
		t.Errorf("the manifest is %s, want %s", manifest, digestOf([]byte(want)))
	}
	again, err := Publish(context.Background(), m, "/reports", day, 1, report(1), nil)
	if err != nil || again != manifest {
		t.Errorf("published again: %s, %v; want %s", again, err, manifest)
	}
	is, files, size, err := Verify(m, folder)
	if err != nil || is != manifest || files != len(texts) || size != bytes {
		t.Errorf("Verify = %s, %d files, %d bytes, %v; want %s, %d, %d", is, files, size, err, manifest, len(texts), bytes)
	}
}

func write(t *testing.T, m disk.FS, path, text string) {
	t.Helper()
	f, err := m.Create(path, 0o640)
	if err == nil {
		_, err = f.Write([]byte(text))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestVerifyNamesEveryFileThatIsNotAsItWasIssued(t *testing.T) {
	replaced := func(name, text string) func(*testing.T, disk.FS, string) {
		return func(t *testing.T, m disk.FS, folder string) {
			if err := m.Remove(filepath.Join(folder, name)); err != nil {
				t.Fatal(err)
			}
			if text != "" {
				write(t, m, filepath.Join(folder, name), text)
			}
		}
	}
	for name, c := range map[string]struct {
		do   func(*testing.T, disk.FS, string)
		want []string
	}{
		"a changed file":  {replaced("summary.json", "other"), []string{"summary.json has the SHA-256"}},
		"a missing file":  {replaced("summary.json", ""), []string{"summary.json is missing"}},
		"no sums":         {replaced(SumsName, ""), []string{SumsName + " is missing"}},
		"empty sums":      {replaced(SumsName, "\n"), []string{SumsName + ": line 1"}},
		"sums with words": {replaced(SumsName, "hello  world\n"), []string{SumsName + ": line 1"}},
		"an unknown file": {func(t *testing.T, m disk.FS, folder string) { write(t, m, filepath.Join(folder, "new.txt"), "") },
			[]string{"new.txt is not of this report"}},
		"a hidden file": {func(t *testing.T, m disk.FS, folder string) { write(t, m, filepath.Join(folder, ".x"), "") },
			[]string{".x is not of this report"}},
		"a link in the place of a file": {func(t *testing.T, m disk.FS, folder string) {
			err := errors.Join(m.Rename(filepath.Join(folder, "summary.json"), "/reports/away"), m.Symlink("/reports/away", filepath.Join(folder, "summary.json")))
			if err != nil {
				t.Fatal(err)
			}
		}, []string{"summary.json is not a file"}},
		"two at once": {func(t *testing.T, m disk.FS, folder string) {
			replaced("summary.json", "other")(t, m, folder)
			write(t, m, filepath.Join(folder, "new.txt"), "")
		}, []string{"summary.json has the SHA-256", "new.txt is not of this report"}},
	} {
		m, folder, _ := issued(t)
		c.do(t, m, folder)
		manifest, _, _, err := Verify(m, folder)
		if !errors.Is(err, ErrDamaged) || errors.Is(err, fs.ErrNotExist) || manifest != "" {
			t.Errorf("%s: %q, %v; want ErrDamaged alone", name, manifest, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not say %q", name, err, want)
			}
		}
		if _, err := Adopt(m, "/reports", day, 1); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: Adopt = %v; want ErrDamaged", name, err)
		}
	}
}

func TestAdoptSwitchesLatestToAFolderThatStandsWhole(t *testing.T) {
	m, folder, _ := issued(t)
	manifest2, err := Publish(context.Background(), m, "/reports", day, 2, report(2), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := disktest.Tree(t, m, "/")
	link := filepath.Join(filepath.Dir(folder), "latest")
	for name, undo := range map[string]func() error{
		"switched already": func() error { return nil },
		"no link":          func() error { return m.Remove(link) },
		"an old link":      func() error { return errors.Join(m.Remove(link), m.Symlink("r1", link)) },
		"a half-made link": func() error {
			return errors.Join(m.Remove(link), m.Symlink("r2", filepath.Join(filepath.Dir(folder), ".latest.tmp-r2")))
		},
	} {
		if err := undo(); err != nil {
			t.Fatal(err)
		}
		if got, err := Adopt(m, "/reports", day, 2); err != nil || got != manifest2 {
			t.Errorf("%s: %s, %v; want %s", name, got, err, manifest2)
		}
		if got := disktest.Tree(t, m, "/"); got != want {
			t.Errorf("%s: the tree is\n%s\nwant\n%s", name, got, want)
		}
	}
	if _, err := Adopt(m, "/reports", day, 3); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a revision that is not there: %v", err)
	}
	if _, err := Adopt(m, "/reports", day+1, 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a date that is not there: %v", err)
	}
	if got := disktest.Tree(t, m, "/"); got != want {
		t.Errorf("adopting nothing changed the tree:\n%s", got)
	}
}

func TestCheckFindsWhatGetFinds(t *testing.T) {
	m := disk.Memory()
	c := CarryStore{Disk: m, Dir: "/carry"}
	digest, err := c.Put(context.Background(), carryText())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.Check(context.Background(), digest); err != nil || n != int64(len(carryText())) {
		t.Errorf("Check = %d, %v; want %d bytes", n, err, len(carryText()))
	}
	if _, err := c.Check(context.Background(), strings.Repeat("0", 64)); !errors.Is(err, ErrNoCarry) {
		t.Errorf("of nothing: %v", err)
	}
	if err := m.Remove(c.Path(digest)); err != nil {
		t.Fatal(err)
	}
	write(t, m, c.Path(digest), "hello")
	if _, err := c.Check(context.Background(), digest); !errors.Is(err, ErrCarryDamaged) {
		t.Errorf("of a damaged file: %v", err)
	}
}

func TestAnOpenWorkbookIsNoDamage(t *testing.T) {
	fsys := disk.Memory()
	want, err := Publish(context.Background(), fsys, "/reports", day, 1, report(1), nil)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join("/reports", day.String(), "r1")
	for _, name := range []string{"~$对账差异.xlsx", ".~对账差异.xlsx", ".~lock.summary.json#"} {
		f, err := fsys.Create(filepath.Join(folder, name), 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got, _, _, err := Verify(fsys, folder); err != nil || got != want {
		t.Errorf("%s, %v", got, err)
	}
	if got, err := Publish(context.Background(), fsys, "/reports", day, 1, report(1), nil); err != nil || got != want {
		t.Errorf("published again: %s, %v", got, err)
	}
}
