//go:build unix

// Command measure runs a command and prints its wall time, processor time and peak memory.
//
//	go run ./scripts/measure COMMAND [ARGUMENT...]
package main

import (
	"errors"
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
	if len(args) == 0 {
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
