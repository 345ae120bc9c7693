package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Settings of a process of the program that is killed, held or watched; see also process_test.go.
const (
	killVar = "DAOZHANG_TEST_KILL" // STEP=N: SIGKILL at the N-th occurrence of the step
	gateVar = "DAOZHANG_TEST_GATE" // STEP=FILE: at its first occurrence, write FILE.held and go on when FILE is there
	logVar  = "DAOZHANG_TEST_LOG"  // a file that gets a line "PID STEP" for every step
)

// stepper is the hook of a process under test: what its settings want to happen at steps.
func stepper(env func(string) string) func(string) {
	hooks := []func(string){logging(env(logVar)), killing(env(killVar)), gated(env(gateVar)), holding(env(holdVar))}
	return func(name string) {
		for _, h := range hooks {
			if h != nil {
				h(name)
			}
		}
	}
}

func logging(file string) func(string) {
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return nil
	}
	return func(name string) { fmt.Fprintf(f, "%d %s\n", os.Getpid(), name) }
}

func killing(setting string) func(string) {
	step, number, ok := strings.Cut(setting, "=")
	left, err := strconv.Atoi(number)
	if !ok || err != nil {
		return nil
	}
	return func(name string) {
		if name != step {
			return
		}
		if left--; left == 0 {
			if self, err := os.FindProcess(os.Getpid()); err == nil {
				_ = self.Kill() // cannot fail: it is this process
			}
			select {}
		}
	}
}

func gated(setting string) func(string) {
	step, file, ok := strings.Cut(setting, "=")
	if !ok {
		return nil
	}
	passed := false
	return func(name string) {
		if name != step || passed {
			return
		}
		passed = true
		if err := os.WriteFile(file+".held", nil, 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return
		}
		for _, err := os.Stat(file); err != nil; _, err = os.Stat(file) {
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// soakChild is one command line in a process of its own.
type soakChild struct {
	*exec.Cmd
	out  bytes.Buffer
	done chan struct{} // closed at its end; then err and took are set
	err  error
	took time.Duration
}

// soakStart starts the program in a folder, with a clock and settings.
func soakStart(dir string, at time.Time, args []string, settings ...string) (*soakChild, error) {
	c := &soakChild{Cmd: exec.Command(os.Args[0], append(args, "--config", "config.yaml")...), done: make(chan struct{})}
	c.Env = append(os.Environ(), append(settings, processVar+"=1", clockVar+"="+at.Format(time.RFC3339))...)
	c.Dir, c.Stdout, c.Stderr = dir, &c.out, &c.out
	began := time.Now()
	if err := c.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.done)
		c.err = c.Wait()
		c.took = time.Since(began)
	}()
	return c, nil
}

// ends waits for the end of the process. killed says that a signal ended it.
func (c *soakChild) ends() (code int, killed bool, err error) {
	<-c.done
	var exit *exec.ExitError
	if c.err != nil && !errors.As(c.err, &exit) {
		return 0, false, c.err
	}
	ws, ok := c.ProcessState.Sys().(syscall.WaitStatus)
	return c.ProcessState.ExitCode(), ok && ws.Signaled(), nil
}

// stop ends the process, if it has not ended.
func (c *soakChild) stop() {
	_ = c.Process.Kill() // it has ended already, as a rule
	<-c.done
}

// soakRun runs a command to its end.
func soakRun(t testing.TB, dir string, at time.Time, args []string, settings ...string) (code int, out string, took time.Duration) {
	t.Helper()
	c, err := soakStart(dir, at, args, settings...)
	if err != nil {
		t.Fatal(err)
	}
	code, killed, err := c.ends()
	if err != nil || killed {
		t.Fatalf("%s ended by itself: %v\n%s", strings.Join(args, " "), err, c.out.String())
	}
	return code, c.out.String(), c.took
}
