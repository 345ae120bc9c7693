package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// demoIn plays a small demo and returns its exit code and what it printed.
func demoIn(t *testing.T, dir string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	a := &app{out: &out, err: &errs, now: time.Now, sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		env: func(string) string { return "" }}
	code = a.run(t.Context(), append([]string{"demo", "--out", dir, "--scale", "0.05"}, args...))
	return code, out.String(), errs.String()
}

// tree lists the files below a folder with a digest of each.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if d.Type()&fs.ModeSymlink != 0 {
			out[rel], err = os.Readlink(path)
			return err
		}
		data, err := os.ReadFile(path)
		out[rel] = fmt.Sprintf("%x", sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sameTrees(t *testing.T, a, b map[string]string) {
	t.Helper()
	if len(a) == 0 || len(a) != len(b) {
		t.Errorf("%d files and %d files", len(a), len(b))
	}
	for name, sum := range a {
		if b[name] != sum {
			t.Errorf("%s differs", name)
		}
	}
}

func TestTwoDemosOfOneSeedIssueTheSameBytes(t *testing.T) {
	one, two := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "two")
	code, out, stderr := demoIn(t, one, "--seed", "5")
	if code != exitDone {
		t.Fatalf("exit %d\n%s%s", code, out, stderr)
	}
	if code, _, stderr := demoIn(t, two, "--seed", "5"); code != exitDone {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	first := tree(t, filepath.Join(one, "reports"))
	sameTrees(t, first, tree(t, filepath.Join(two, "reports")))
	books := 0
	for name := range first {
		if strings.HasSuffix(name, ".xlsx") {
			books++
			if !strings.Contains(out, filepath.Base(name)) {
				t.Errorf("%s is not told of:\n%s", name, out)
			}
		}
	}
	if books != 7 {
		t.Errorf("%d workbooks, want 7", books)
	}
	for _, p := range []string{"config.yaml", "truth.json"} {
		a, err1 := os.ReadFile(filepath.Join(one, p))
		b, err2 := os.ReadFile(filepath.Join(two, p))
		if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs: %v %v", p, err1, err2)
		}
	}

	// A demo replaces a demo, and its exit code is 0 although its days have differences.
	if code, _, stderr := demoIn(t, one, "--seed", "6"); code != exitDone {
		t.Fatalf("a second demo in the folder: exit %d\n%s", code, stderr)
	}
	other := tree(t, filepath.Join(one, "reports"))
	if other["2026-01-05/r1/summary.json"] == first["2026-01-05/r1/summary.json"] {
		t.Error("another seed gave the same summary")
	}
}

func TestADemoCanBeRunAgainFromItsConfiguration(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	if code, _, stderr := demoIn(t, dir, "--lang", "en"); code != exitDone {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	before := tree(t, filepath.Join(dir, "reports"))
	var out, errs bytes.Buffer
	a := &app{out: &out, err: &errs, now: time.Now, sleep: sleep, env: func(string) string { return "" }}
	code := a.run(t.Context(), []string{"run", "--config", filepath.Join(dir, "config.yaml"), "--date", "2026-01-06", "--as-of", "2026-01-07T10:30", "--offline"})
	if code != exitPartial || !strings.Contains(out.String(), "r1 unchanged") { // the demo's days hold an F01
		t.Errorf("exit %d\n%s%s", code, out.String(), errs.String())
	}
	sameTrees(t, before, tree(t, filepath.Join(dir, "reports")))
}

func TestADemoRefusesFoldersAndValuesThatAreNotItsOwn(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "precious")
	if err := os.WriteFile(precious, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		dir  string
		args []string
		want string
	}{
		{"a folder with other files", dir, nil, "holds no earlier demo"},
		{"a file", precious, nil, "name another with --out"},
		{"a scale of nothing", t.TempDir(), []string{"--scale", "0"}, "above 0"},
		{"too much", t.TempDir(), []string{"--scale", "1000"}, "between 0 and 100"},
		{"another language", t.TempDir(), []string{"--lang", "fr"}, "zh-CN or en"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, _, stderr := demoIn(t, c.dir, c.args...)
			if code != exitUsage || !strings.Contains(stderr, c.want) {
				t.Errorf("exit %d: %s", code, stderr)
			}
		})
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

func TestAnInterruptedDemoSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	a := &app{out: &out, err: &errs, now: time.Now, sleep: sleep, env: func(string) string { return "" }}
	if code := a.run(ctx, []string{"demo", "--out", filepath.Join(t.TempDir(), "d"), "--scale", "0.05"}); code != exitInterrupted {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}
