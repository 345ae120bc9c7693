//go:build unix

// Command measure runs a command and prints its wall time, processor time and peak memory.
//
//	go run ./scripts/measure [--append FILE --name NAME] COMMAND [ARGUMENT...]
//
// With --append the figures also go to a line of FILE, by tabs: name, wall, user and system seconds, peak memory in KiB,
// exit code. The peak is that of the command's largest single process, as the kernel counts it; it is never below what
// measure itself needs, about 2 MiB.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

func main() {
	code, err := measure(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
	}
	os.Exit(code)
}

// measure returns the command's own exit code.
func measure(args []string) (int, error) {
	fs := flag.NewFlagSet("measure", flag.ContinueOnError)
	list := fs.String("append", "", "file that gets a line of figures")
	name := fs.String("name", "", "what to call the command there")
	if err := fs.Parse(args); err != nil {
		return 2, err
	}
	if args = fs.Args(); len(args) == 0 {
		return 2, errors.New("name the command to be measured")
	}
	c := exec.Command(args[0], args[1:]...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	start := time.Now()
	err := c.Run()
	wall := time.Since(start)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 1, err
	}
	p := c.ProcessState
	fmt.Printf("wall %.2f s · user %.2f s · system %.2f s · peak memory %d MB · exit %d\n",
		wall.Seconds(), p.UserTime().Seconds(), p.SystemTime().Seconds(), peak(p)>>20, p.ExitCode())
	if *list == "" {
		return p.ExitCode(), nil
	}
	f, err := os.OpenFile(*list, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return 1, err
	}
	_, err = fmt.Fprintf(f, "%s\t%.3f\t%.3f\t%.3f\t%d\t%d\n", *name, wall.Seconds(), p.UserTime().Seconds(), p.SystemTime().Seconds(), peak(p)>>10, p.ExitCode())
	if err := errors.Join(err, f.Close()); err != nil {
		return 1, err
	}
	return p.ExitCode(), nil
}

// peak is the largest resident size in bytes; Linux counts it in KiB, macOS in bytes.
func peak(p *os.ProcessState) int64 {
	u, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return u.Maxrss
	}
	return u.Maxrss << 10
}
