package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var updateScripts = flag.Bool("update", false, "write what commands print into the scripts that compare it")

// clockVar sets the clock of a command under test, RFC 3339.
const clockVar = "DAOZHANG_TEST_CLOCK"

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"daozhang": func() {
		a := &app{out: os.Stdout, err: os.Stderr, now: time.Now, sleep: sleep, env: os.Getenv}
		if at, err := time.Parse(time.RFC3339, os.Getenv(clockVar)); err == nil {
			a.now = func() time.Time { return at }
		}
		os.Exit(a.run(context.Background(), os.Args[1:]))
	}})
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
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "unchanged": sameTree},
	})
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
