// Command daozhang says, for every transaction of a merchant's terminals, whether the money has arrived, and if not,
// where it stopped, who must act, with which evidence and by when.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// version is set when a release is built.
var version = "dev"

// app is what commands need from the outside world. Tests give their own.
type app struct {
	out, err io.Writer
	now      func() time.Time
	sleep    func(context.Context, time.Duration) error
	env      func(string) string
	terminal bool // progress is shown
	step     func(string)
	fault    faultFunc
}

func main() {
	// The first signal asks the work to stop at the next safe point, the second stops it at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	a := &app{out: os.Stdout, err: os.Stderr, now: time.Now, sleep: sleep, env: os.Getenv, terminal: term.IsTerminal(int(os.Stderr.Fd()))}
	code := a.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// run executes one command line and returns its exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetOut(a.out)
	root.SetErr(a.err)
	err := root.ExecuteContext(ctx)
	if ctx.Err() != nil && err != nil {
		err = errInterrupted
	}
	code := exitCode(err)
	if text := message(err); text != "" {
		fmt.Fprintln(a.err, "daozhang: "+text)
	}
	return code
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "daozhang",
		Short: "到账: has the money of every sale arrived?",
		Long: `daozhang (到账, "the money has arrived") fetches the acquirers' settlement files and the banks' statements,
matches them with the terminals' own logs and writes, for each business date, a workbook of what did not
arrive: where it stopped, why probably, who must act, with which evidence, and when it was due.

Exit codes: 0 done · 1 unexpected · 2 usage or configuration · 3 something due is missing or held, or rows were
rejected · 4 conservation broken, or for parse a control total failed · 5 temporary, try again · 6 only the
notification failed · 10 not initialised · 11 another run is at work · 12 login or host key refused ·
20 more exceptions than --fail-on allows · 130 interrupted.`,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage(fmt.Errorf("%w; see `%s --help`", suggestFlag(c, err), c.CommandPath()))
	})
	root.AddCommand(a.runCmd(), a.matchCmd(), a.parseCmd(), a.formatsCmd(), a.checkCmd(), a.statusCmd(), a.traceCmd(),
		a.decideCmd(), a.closeCmd(), a.reopenCmd(), a.reportCmd(), a.auditCmd(), a.verifyCmd(), a.serveCmd(), a.demoCmd())
	for _, c := range root.Commands() {
		if c.Args == nil {
			c.Args = noArgs
		}
	}
	return root
}

// noArgs refuses arguments with the command's own usage in the message.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(fmt.Errorf("%s takes no argument %q; see `%s --help`", c.CommandPath(), args[0], c.CommandPath()))
	}
	return nil
}

// say prints progress for people, on a terminal only.
func (a *app) say(format string, args ...any) {
	if a.terminal {
		fmt.Fprintf(a.err, format+"\n", args...)
	}
}
