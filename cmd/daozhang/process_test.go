package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"daozhang/cmd/internal/fetch"
	"daozhang/reconcile"
)

// Settings of a process of the program that a test starts.
const (
	processVar = "DAOZHANG_TEST_PROCESS" // not empty: the test binary is the program
	holdVar    = "DAOZHANG_TEST_HOLD"    // STEP=FILE: at the step, write FILE and go on only when it is gone
)

// holding stops the program at a step, as a slow disk or a debugger would, deaf to signals.
func holding(setting string) func(string) {
	step, file, ok := strings.Cut(setting, "=")
	if !ok {
		return nil
	}
	return func(name string) {
		if name != step {
			return
		}
		if err := os.WriteFile(file, []byte(name), 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return
		}
		for _, err := os.Stat(file); err == nil; _, err = os.Stat(file) {
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// process is a command line of the till in a process of its own.
type process struct {
	*exec.Cmd
	t        *testing.T
	out, err bytes.Buffer
	hold     string // the file that stands while it is held
}

// start starts the program, at noon of Tuesday. It is killed at the end of the test if it still runs.
func (s *till) start(step string, args ...string) *process {
	s.t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], args...), t: s.t, hold: filepath.Join(s.t.TempDir(), "held")}
	p.Env = append(os.Environ(), processVar+"=1", clockVar+"=2026-01-06T12:00:00+08:00")
	if step != "" {
		p.Env = append(p.Env, holdVar+"="+step+"="+p.hold)
	}
	p.Dir, p.Stdout, p.Stderr = s.dir, &p.out, &p.err
	if err := p.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = p.Process.Kill() // it has ended already, as a rule
		_ = p.Wait()
	})
	return p
}

// held waits until the process stands at its step.
func (p *process) held() {
	p.t.Helper()
	for range 2000 {
		if _, err := os.Stat(p.hold); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	p.t.Fatalf("the process never came to its step:\n%s%s", p.out.String(), p.err.String())
}

func (p *process) letGo() {
	p.t.Helper()
	if err := os.Remove(p.hold); err != nil {
		p.t.Fatal(err)
	}
}

// ends waits for the exit code, and says how long that took.
func (p *process) ends() (code int, took time.Duration) {
	p.t.Helper()
	from := time.Now()
	err := p.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return p.ProcessState.ExitCode(), time.Since(from)
}

// book is exceptions.csv of Monday, as the newest revision has it.
func (s *till) book() string {
	s.t.Helper()
	data, err := os.ReadFile(s.path("reports/2026-01-05/latest/exceptions.csv"))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(data)
}

func undisturbed(t *testing.T) string {
	t.Helper()
	s := newTill(t)
	if code := s.command(t.Context(), s.monday()...); code != exitDone {
		t.Fatalf("exit code %d: %s", code, s.err.String())
	}
	return s.book()
}

const tillRun = "commit:before" // everything is computed and written, nothing committed

func TestOtherProcessesAreTurnedAwayAtOnceWhileOneIsAtWork(t *testing.T) {
	s := newTill(t)
	first := s.start(tillRun, s.monday()...)
	first.held()
	for _, args := range [][]string{s.monday(), {"close", "--through", "2026-01-05", "--by", "wang", "--config", "config.yaml"},
		{"reopen", "--from", "2026-01-05", "--by", "wang", "--reason", "r", "--config", "config.yaml"},
		{"decide", "C-7K2M-1QZ9-XR4T-0B8D", "--status", "accepted", "--by", "wang", "--reason", "r", "--config", "config.yaml"}} {
		p := s.start("", args...)
		if code, took := p.ends(); code != exitLocked || took > time.Second {
			t.Errorf("%s: exit code %d after %s, want %d within a second: %s", args[0], code, took, exitLocked, p.err.String())
		}
	}
	// Commands that only read are not kept waiting.
	for _, name := range []string{"status", "audit", "verify"} {
		p := s.start("", name, "--config", "config.yaml")
		if code, took := p.ends(); code != exitDone || took > 2*time.Second {
			t.Errorf("%s: exit code %d after %s: %s%s", name, code, took, p.out.String(), p.err.String())
		}
	}
	first.letGo()
	if code, _ := first.ends(); code != exitDone {
		t.Errorf("the first ended with %d: %s", code, first.err.String())
	}
	if s.book() != undisturbed(t) {
		t.Error("the book differs from an undisturbed one")
	}
}

func TestAKilledRunIsTakenOverWithinTwoHeartbeats(t *testing.T) {
	s := newTill(t)
	first := s.start(tillRun, s.monday()...)
	first.held()
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if code, _ := first.ends(); code != -1 {
		t.Fatalf("the first ended with %d, not by the signal", code)
	}
	second := s.start("", s.monday()...)
	if code, took := second.ends(); code != exitDone || took > 2*heartbeat {
		t.Errorf("exit code %d after %s: %s", code, took, second.err.String())
	}
	if s.book() != undisturbed(t) {
		t.Error("the book differs from an undisturbed one")
	}
}

func TestTheServiceStopsAtASignalAndTheNextStartGoesOn(t *testing.T) {
	s := newTill(t)
	s.add("schedule: {cron: \"30 10 * * *\"}\n")
	serve := s.start(fetch.StepDurable, "serve", "--config", "config.yaml")
	serve.held()
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // the step ends only after the signal
	serve.letGo()
	code, took := serve.ends()
	if code != exitInterrupted || took > stopGrace {
		t.Errorf("exit code %d after %s, want %d within %s:\n%s", code, took, exitInterrupted, stopGrace, serve.err.String())
	}
	if text := serve.err.String(); !strings.Contains(text, "msg=stopped") || strings.Contains(text, "safe point") {
		t.Errorf("log:\n%s", text)
	}
	if code := s.command(t.Context(), "run", "--config", "config.yaml"); code != exitDone {
		t.Fatalf("exit code %d: %s", code, s.err.String())
	}
	if s.book() != undisturbed(t) {
		t.Error("the book differs from an undisturbed one")
	}
}

func TestTheServiceDoesNotWaitForWorkThatNeverReachesASafePoint(t *testing.T) {
	s := newServing(t, 1, "30 10 * * *")
	s.deliver("2025-12-31")
	s.at.Store(time.Date(2026, 1, 1, 10, 30, 0, 0, s.cfg.Location()).Unix())
	ctx, cancel := context.WithCancel(t.Context())
	stuck := make(chan struct{})
	defer func() { close(stuck); s.jobs.Wait() }()
	s.fail = func(string, *reconcile.Day) { cancel(); <-stuck }
	var graced time.Duration
	s.a.sleep = func(sctx context.Context, d time.Duration) error {
		if ctx.Err() != nil {
			graced = d
			return nil // the time has passed
		}
		return sleep(ctx, d)
	}
	if code := exitCode(s.serve(ctx)); code != exitInterrupted || graced != stopGrace || stopGrace > 30*time.Second {
		t.Errorf("exit code %d after a grace of %s", code, graced)
	}
	if !strings.Contains(s.out.String(), "did not reach a safe point") {
		t.Errorf("log:\n%s", s.out.String())
	}
}
