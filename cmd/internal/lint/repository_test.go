package lint

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestMigrationFoldersHaveTheSameFiles(t *testing.T) {
	names := func(dialect string) []string {
		entries, err := os.ReadDir(filepath.Join(root, "cmd", "internal", "store", "migrations", dialect))
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, e := range entries {
			out = append(out, e.Name())
		}
		return out
	}
	a, b := names("sqlite"), names("postgres")
	if !slices.Equal(a, b) || len(a) == 0 {
		t.Errorf("sqlite has %v, postgres has %v; every migration exists in both dialects under one name", a, b)
	}
}

// foreign are words that have no place in the product. They are put together here so that this file does not hold them.
var foreign = regexp.MustCompile(`(?i)/wo` + `rk/|/ro` + `ot/|/ho` + `me/[a-z]|sub-?ag` + `ent|\bcla` + `ude\b|anthr` + `opic|chat` + `gpt|\bLL` + `M\b|COMM` + `ON\.md|\bissue [#A-C]\b|\bissue [0-9]+\b|language mod` + `el|proxy\.gol` + `ang`)

func TestTheRepositorySpeaksOfTheProductAlone(t *testing.T) {
	for _, p := range files(t) {
		if slices.Contains([]string{"go.sum", "LICENSE"}, p) || slices.Contains([]string{".xlsx", ".zip", ".gz", ".db", ".png"}, path.Ext(p)) {
			continue
		}
		for i, line := range strings.Split(read(t, p), "\n") {
			if m := foreign.FindString(line); m != "" {
				t.Errorf("%s:%d: %q does not belong into the repository", p, i+1, m)
			}
		}
	}
}

func TestLinksOfTheDocsLeadSomewhere(t *testing.T) {
	all := files(t)
	for _, p := range all {
		if path.Ext(p) != ".md" {
			continue
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`).FindAllStringSubmatch(read(t, p), -1) {
			to := path.Join(path.Dir(p), m[1])
			if !slices.Contains(all, to) && !slices.ContainsFunc(all, func(f string) bool { return strings.HasPrefix(f, strings.TrimSuffix(to, "/")+"/") }) {
				t.Errorf("%s: link to %s leads nowhere", p, m[1])
			}
		}
	}
}
