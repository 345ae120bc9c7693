package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var updateScripts = flag.Bool("update", false, "write what commands print into the scripts that compare it")

// clockVar sets the clock of a command under test, RFC 3339.
const clockVar = "DAOZHANG_TEST_CLOCK"

// TestMain is also the program itself: as `daozhang` in the scripts, and where processVar is set.
func TestMain(m *testing.M) {
	program := func() {
		a := &app{out: os.Stdout, err: os.Stderr, now: time.Now, sleep: sleep, env: os.Getenv, step: stepper(os.Getenv)}
		if at, err := time.Parse(time.RFC3339, os.Getenv(clockVar)); err == nil {
			a.now = func() time.Time { return at }
		}
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := a.run(ctx, os.Args[1:])
		stop()
		os.Exit(code)
	}
	if os.Getenv(processVar) != "" {
		program()
	}
	testscript.Main(m, map[string]func(){"daozhang": program})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *updateScripts,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv(clockVar, "2026-01-08T12:00:00+08:00")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "unchanged": sameTree, "shop": shop, "casein": caseIn,
			"damage": damage},
	})
}

// shop writes the corner shop of newTill into the script's folder: config.yaml, a register, and the files of Monday,
// 5 January 2026. The clock is set to Tuesday noon.
func shop(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: shop")
	}
	for name, text := range tillFiles() {
		path := ts.MkAbs(name)
		ts.Check(errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)))
	}
	ts.Setenv(clockVar, "2026-01-06T12:00:00+08:00")
}

// caseIn sets a variable to the id of the first case of a class in an exceptions.csv.
func caseIn(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: casein VARIABLE CLASS FILE")
	}
	for _, line := range strings.Split(ts.ReadFile(args[2]), "\n") {
		if f := strings.Split(line, ","); len(f) > 2 && f[2] == args[1] {
			ts.Setenv(args[0], f[0])
			return
		}
	}
	ts.Fatalf("%s has no case of class %s:\n%s", args[2], args[1], ts.ReadFile(args[2]))
}

// damage turns one bit of the first file that fits a pattern, whatever its mode.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: damage PATTERN")
	}
	found, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(found) == 0 {
		ts.Fatalf("nothing fits %s", args[0])
	}
	data, err := os.ReadFile(found[0])
	ts.Check(err)
	data[len(data)/2] ^= 1
	ts.Check(errors.Join(os.Chmod(found[0], 0o600), os.WriteFile(found[0], data, 0o600)))
}

// exits runs a command and demands its exit code: exits 4 daozhang parse bad.csv.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s\n%s", got, args[0], ts.ReadFile("stderr"))
	}
}

// sameTree keeps the names and bytes of a folder under a label on its first call and compares on the next ones: proof
// that a command only reads.
func sameTree(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: unchanged LABEL FOLDER")
	}
	var b strings.Builder
	err := filepath.WalkDir(ts.MkAbs(args[1]), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasSuffix(path, "-shm") || strings.HasSuffix(path, "-wal") {
			return err
		}
		data, err := os.ReadFile(path)
		b.WriteString(path + "\x00")
		b.Write(data)
		return err
	})
	ts.Check(err)
	label := ts.MkAbs(".tree-" + args[0])
	if was, err := os.ReadFile(label); err == nil && !bytes.Equal(was, []byte(b.String())) {
		ts.Fatalf("%s was changed", args[1])
	}
	ts.Check(os.WriteFile(label, []byte(b.String()), 0o600))
}

// everyCommand visits the commands that people type, the root left out.
func everyCommand(t *testing.T, visit func(*testing.T, *cobra.Command)) {
	t.Helper()
	root := (&app{out: &bytes.Buffer{}, err: &bytes.Buffer{}, now: time.Now, sleep: sleep, env: os.Getenv}).root()
	if len(root.Commands()) < 7 {
		t.Fatalf("only %d commands are there", len(root.Commands()))
	}
	for _, c := range root.Commands() {
		if c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		t.Run(c.Name(), func(t *testing.T) { visit(t, c) })
	}
}

func TestHelpOfEveryCommandHasAnExampleOfItself(t *testing.T) {
	everyCommand(t, func(t *testing.T, c *cobra.Command) {
		if c.Short == "" || c.Long == "" {
			t.Error("help says nothing")
		}
		if !strings.Contains(c.Example, "daozhang "+c.Name()) {
			t.Errorf("the example does not show the command: %q", c.Example)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("--%s is not described", f.Name)
			}
		})
	})
}

func TestUnknownFlagSuggestsTheNearest(t *testing.T) {
	everyCommand(t, func(t *testing.T, c *cobra.Command) {
		var name string
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if len(f.Name) > len(name) && f.Name != "help" {
				name = f.Name
			}
		})
		if len(name) < 4 {
			t.Skip("no long flag")
		}
		wrong := name[:1] + name[2:] // a letter is missing
		var out, errs bytes.Buffer
		a := &app{out: &out, err: &errs, now: time.Now, sleep: sleep, env: os.Getenv}
		code := a.run(context.Background(), []string{c.Name(), "--" + wrong + "=x"})
		if code != exitUsage {
			t.Errorf("exit code %d, want %d", code, exitUsage)
		}
		if !strings.Contains(errs.String(), "did you mean --"+name+"?") {
			t.Errorf("--%s is not suggested: %s", name, errs.String())
		}
		if !strings.Contains(errs.String(), "daozhang "+c.Name()+" --help") {
			t.Errorf("the help is not named: %s", errs.String())
		}
	})
}
