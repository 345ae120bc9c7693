//go:build unix

package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"daozhang/parsers/txn"
)

var day = txn.MakeDate(2026, 1, 5)

// report makes files whose bytes depend on the revision alone.
func report(rev int) []File {
	text := func(name string, n int) File {
		return File{Name: name, Write: func(w io.Writer) error {
			for i := range n {
				if _, err := fmt.Fprintf(w, "%s r%d %d\n", name, rev, i); err != nil {
					return err
				}
			}
			return nil
		}}
	}
	return []File{text("exceptions.csv", 2000), text("summary.json", 10), text("对账差异_示例_2026-01-05.xlsx", 5000)}
}

func rendered(t *testing.T, rev int) map[string]string {
	t.Helper()
	m := map[string]string{}
	for _, f := range report(rev) {
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
		m[f.Name] = b.String()
	}
	return m
}

// tree lists every name under root with its mode, and its content or target.
func tree(t *testing.T, root string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		switch {
		case e.IsDir():
			fmt.Fprintf(&b, "%s %v\n", rel, info.Mode())
		case e.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			fmt.Fprintf(&b, "%s -> %s\n", rel, to)
			return err
		default:
			data, err := os.ReadFile(path)
			fmt.Fprintf(&b, "%s %v %q\n", rel, info.Mode(), data)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func mustPublish(t *testing.T, root string, rev int) {
	t.Helper()
	if _, err := Publish(context.Background(), nil, root, day, rev, report(rev), nil); err != nil {
		t.Fatal(err)
	}
}

func TestAReportAppearsWholeUnderItsRevisionAndLatestPointsToTheNewest(t *testing.T) {
	root := filepath.Join(t.TempDir(), "reports")
	mustPublish(t, root, 1)
	mustPublish(t, root, 2)
	folder, rev, err := Latest(nil, root, day)
	if err != nil || rev != 2 || filepath.Base(folder) != "r2" {
		t.Fatalf("Latest = %s, %d, %v; want r2", folder, rev, err)
	}
	for _, rev := range []int{1, 2} {
		for name, want := range rendered(t, rev) {
			path := filepath.Join(root, day.String(), "r"+strconv.Itoa(rev), name)
			got, err := os.ReadFile(path)
			if err != nil || string(got) != want {
				t.Errorf("%s differs from what was written (%v)", path, err)
			}
		}
	}
	if to, err := os.Readlink(filepath.Join(root, day.String(), "latest")); err != nil || to != "r2" {
		t.Errorf("latest -> %q, %v; want the relative r2", to, err)
	}
}

func TestModesDoNotFollowTheUmask(t *testing.T) {
	for _, mask := range []int{0, 0o077} {
		old := syscall.Umask(mask)
		root := filepath.Join(t.TempDir(), "reports")
		mustPublish(t, root, 1)
		_, err := CarryStore{Dir: filepath.Join(root, "carry")}.Put(context.Background(), []byte("x"))
		syscall.Umask(old)
		if err != nil {
			t.Fatal(err)
		}
		text := tree(t, root)
		for _, want := range []string{"2026-01-05 drwxr-x---", "r1 drwxr-x---", "summary.json -rw-r-----", ".zst -rw-------", "carry drwx------"} {
			if !strings.Contains(text, want) {
				t.Errorf("umask %03o: no %q", mask, want)
			}
		}
	}
}

func TestAnIssuedRevisionIsNeverOverwritten(t *testing.T) {
	root := t.TempDir()
	mustPublish(t, root, 1)
	before := tree(t, root)
	for name, files := range map[string][]File{
		"other bytes":     report(2),
		"a file fewer":    report(1)[:2],
		"a file more":     append(report(1), File{"more.txt", func(io.Writer) error { return nil }}),
		"a shorter file":  append(report(1)[1:], File{"exceptions.csv", func(io.Writer) error { return nil }}),
		"a failing write": append(report(1)[1:], File{"exceptions.csv", func(io.Writer) error { return errors.New("disk") }}),
	} {
		_, err := Publish(context.Background(), nil, root, day, 1, files, nil)
		if err == nil || name != "a failing write" && !errors.Is(err, ErrIssued) {
			t.Errorf("%s: %v; want ErrIssued", name, err)
		}
		if after := tree(t, root); after != before {
			t.Errorf("%s: the tree changed", name)
		}
	}
	mustPublish(t, root, 1)
	if after := tree(t, root); after != before {
		t.Error("publishing the same bytes again changed the tree")
	}
}

func TestLatestNeverGoesBack(t *testing.T) {
	root := t.TempDir()
	mustPublish(t, root, 1)
	mustPublish(t, root, 2)
	mustPublish(t, root, 1)
	if _, rev, err := Latest(nil, root, day); err != nil || rev != 2 {
		t.Errorf("latest is r%d, %v; want r2", rev, err)
	}
}

func TestNamesThatLeaveTheFolderAreRefused(t *testing.T) {
	for _, name := range []string{"", ".", "..", ".hidden", "a/b", `a\b`, SumsName, "a\x00", "a\nb", strings.Repeat("长", 90)} {
		_, err := Publish(context.Background(), nil, t.TempDir(), day, 1, []File{{name, func(io.Writer) error { return nil }}}, nil)
		if !errors.Is(err, ErrName) {
			t.Errorf("%q: %v; want ErrName", name, err)
		}
	}
	if _, err := Publish(context.Background(), nil, t.TempDir(), day, 1, append(report(1), report(1)[0]), nil); !errors.Is(err, ErrName) {
		t.Errorf("the same name twice: %v; want ErrName", err)
	}
}

func TestOnlyOwnLeftoversAreRemoved(t *testing.T) {
	root := t.TempDir()
	folder := filepath.Join(root, day.String())
	for _, name := range []string{".r1.tmp-123", ".r9.tmp-77", ".notes", "r1.tmp-5", ".r1.tmp-", "mine"} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("r1", filepath.Join(folder, ".latest.tmp-r1")); err != nil {
		t.Fatal(err)
	}
	mustPublish(t, root, 1)
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(mapped(entries, func(e fs.DirEntry) string { return e.Name() }), " ")
	if want := ".notes .r1.tmp- latest mine r1 r1.tmp-5"; got != want {
		t.Errorf("left: %s; want %s", got, want)
	}
}

// TestMain runs the test binary as a publisher that kills itself at a named step.
func TestMain(m *testing.M) {
	if os.Getenv("PUBLISH_KILL_AT") != "" {
		os.Exit(killed())
	}
	os.Exit(m.Run())
}

// killed publishes revision 2 and a carry file, and dies at the n-th call of the named step.
func killed() int {
	at, nth, _ := strings.Cut(os.Getenv("PUBLISH_KILL_AT"), "#")
	left, err := strconv.Atoi(nth)
	if err != nil {
		return 2
	}
	step := func(name string) {
		if name != at {
			return
		}
		if left--; left == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until the signal arrives
		}
	}
	root := os.Getenv("PUBLISH_ROOT")
	if _, err := (CarryStore{Dir: filepath.Join(root, "carry"), Step: step}).Put(context.Background(), carryText()); err != nil {
		return 3
	}
	if _, err := Publish(context.Background(), nil, root, day, 2, report(2), step); err != nil {
		return 4
	}
	return 0
}

func carryText() []byte { return bytes.Repeat([]byte(`{"kind":"open"}`+"\n"), 20000) }

func publishBoth(t *testing.T, root string) {
	t.Helper()
	if _, err := (CarryStore{Dir: filepath.Join(root, "carry")}).Put(context.Background(), carryText()); err != nil {
		t.Fatal(err)
	}
	mustPublish(t, root, 2)
}

func TestKilledAtEachStepAndRunAgainEqualsTheUndisturbedRun(t *testing.T) {
	clean := t.TempDir()
	mustPublish(t, clean, 1)
	publishBoth(t, clean)
	want := tree(t, clean)
	var points []string
	for _, s := range append(CarrySteps(), Steps()...) {
		points = append(points, s+"#1")
		if s == stepFile {
			points = append(points, s+"#2", s+"#3", s+"#4")
		}
	}
	for _, at := range points {
		root := t.TempDir()
		mustPublish(t, root, 1)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "PUBLISH_KILL_AT="+at, "PUBLISH_ROOT="+root)
		var exit *exec.ExitError
		if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != -1 {
			t.Fatalf("%s: the publisher was not killed: %v", at, err)
		}
		folder, rev, err := Latest(nil, root, day)
		if err != nil {
			t.Fatalf("%s: after the kill: %v", at, err)
		}
		for name, text := range rendered(t, rev) {
			if got, err := os.ReadFile(filepath.Join(folder, name)); err != nil || string(got) != text {
				t.Errorf("%s: after the kill latest is not whole: %s, %v", at, name, err)
			}
		}
		publishBoth(t, root)
		if got := tree(t, root); got != want {
			t.Errorf("%s: run again, the tree differs from the undisturbed one", at)
		}
	}
}

func TestAReaderOfLatestAlwaysSeesAWholeFolder(t *testing.T) {
	const revisions = 200
	root := t.TempDir()
	small := func(rev int) []File {
		line := fmt.Sprintf("r%d\n", rev)
		w := func(w io.Writer) error { _, err := io.WriteString(w, strings.Repeat(line, 100)); return err }
		return []File{{"a.csv", w}, {"b.json", w}}
	}
	publish := func(rev int) error {
		_, err := Publish(context.Background(), nil, root, day, rev, small(rev), nil)
		return err
	}
	if err := publish(1); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var reads, last int
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			folder, rev, err := Latest(nil, root, day)
			if err != nil || rev < last {
				t.Errorf("latest after r%d: r%d, %v", last, rev, err)
				return
			}
			last, reads = rev, reads+1
			for _, name := range []string{"a.csv", "b.json"} {
				got, err := os.ReadFile(filepath.Join(folder, name))
				if want := strings.Repeat(fmt.Sprintf("r%d\n", rev), 100); err != nil || string(got) != want {
					t.Errorf("r%d/%s is not whole: %d bytes, %v", rev, name, len(got), err)
					return
				}
			}
		}
	})
	for rev := 2; rev <= revisions; rev++ {
		if err := publish(rev); err != nil {
			t.Error(err)
			break
		}
	}
	close(stop)
	wg.Wait()
	if reads < revisions/4 || last < 2 {
		t.Errorf("the reader only read %d times up to r%d", reads, last)
	}
	t.Logf("%d reads during %d republications", reads, revisions-1)
}
