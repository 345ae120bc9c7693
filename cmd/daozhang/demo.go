package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/fetch/sftpserver"
	"daozhang/cmd/internal/pipeline"
	"daozhang/fixtures"
	"daozhang/parsers/txn"
)

// demoFlags are the flags of `demo`.
type demoFlags struct {
	out   string
	seed  uint64
	scale float64
	lang  string
}

func (a *app) demoCmd() *cobra.Command {
	var f demoFlags
	c := &cobra.Command{
		Use:   "demo [--out DIR]",
		Short: "Play a made-up chain of shops for a week and reconcile it",
		Long: `Generates the files of a chain of six shops and a web shop, serves them by SFTP on the loopback interface, and runs
each business date on the morning after it, as an installation would. DIR gets the configuration, the register, one
folder of reports for each date, and truth.json with every fault that was planted. The same seed gives the same reports.

All names and numbers are made up. A folder that holds anything else than an earlier demo is refused; an earlier demo
is replaced.`,
		Example: `  daozhang demo
  daozhang demo --out demo-en --lang en
  daozhang demo --out demo-7 --seed 7 --scale 0.2`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.demo(c.Context(), f) },
	}
	c.Flags().StringVar(&f.out, "out", "daozhang-demo", "folder for the demo")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "seed of the made-up world")
	c.Flags().Float64Var(&f.scale, "scale", 1, "traffic; 1 is about 6,000 transactions a day")
	c.Flags().StringVar(&f.lang, "lang", "", "language of the workbooks, zh-CN or en (default zh-CN)")
	return c
}

// What a demo puts into its folder. The marker is written first, so that an interrupted demo is known as one.
const (
	demoMarker = ".daozhang-demo"
	demoConfig = "config.yaml"
	demoServed = "sftp"
)

func demoParts() []string {
	return []string{demoConfig, demoServed, "keys", "profiles", "register", "reports", "state", "truth.json"}
}

// demoPort is what the configuration on disk says. The demo's own server listens on whichever port is free; with that
// number in the configuration its digest, which the workbooks show, would differ from demo to demo.
const demoPort = 2022

// demoMorning is when each business date is run: the day after, half past ten.
const demoMorning = 10*time.Hour + 30*time.Minute

func (a *app) demo(ctx context.Context, f demoFlags) (err error) {
	if f.lang != "" && f.lang != string(config.Chinese) && f.lang != string(config.English) {
		return usage(fmt.Errorf("--lang %q: write zh-CN or en", f.lang))
	}
	if f.scale <= 0 { // the generator takes 0 for 1
		return usage(fmt.Errorf("--scale %v: write a number above 0, such as 0.2", f.scale))
	}
	w, err := fixtures.Generate(fixtures.Options{Seed: f.seed, Scale: f.scale})
	if errors.Is(err, fixtures.ErrScale) {
		return usage(fmt.Errorf("--scale: %w", err))
	}
	if err != nil {
		return err
	}
	if err := clearDemo(f.out); err != nil {
		return err
	}
	d := &demo{a: a, w: w, dir: f.out}
	a.say("writing the configuration and starting the SFTP server")
	if err := d.setUp(f.lang); err != nil {
		return errors.Join(err, d.close())
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.play(ctx); err != nil {
		return err
	}
	d.tell()
	return nil
}

// clearDemo makes the folder ready: it is made, or found empty, or emptied of an earlier demo.
func clearDemo(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return usage(fmt.Errorf("demo folder: %w; name another with --out", err))
	}
	_, err = os.Stat(filepath.Join(dir, demoMarker))
	switch {
	case len(entries) > 0 && err != nil:
		return usage(fmt.Errorf("%s is not empty and holds no earlier demo; name another folder with --out", dir))
	case len(entries) > 0:
		for _, p := range demoParts() {
			if err := os.RemoveAll(filepath.Join(dir, p)); err != nil {
				return err
			}
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, demoServed), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, demoMarker), []byte("This folder was made by `daozhang demo`, which may empty it.\n"), 0o644)
}

// demo is one world being played.
type demo struct {
	a      *app
	w      *fixtures.World
	dir    string
	server *sftpserver.Server
	disk   *config.Config // as written
	live   *config.Config // the same with the port that is really served
	clock  atomic.Int64   // of the played world, seconds; the lease reads it from another goroutine
	files  []fixtures.File
	last   txn.Date // newest date that was run
}

// setUp starts the server and writes everything that an installation has on its first day.
func (d *demo) setUp(lang string) error {
	for _, s := range fixtures.Sources() {
		if err := os.Mkdir(filepath.Join(d.dir, demoServed, s), 0o755); err != nil {
			return err
		}
	}
	var err error
	if d.server, err = sftpserver.Serve(filepath.Join(d.dir, demoServed)); err != nil {
		return err
	}
	at := fixtures.Place{Server: &fixtures.Server{Host: d.server.Host, Port: demoPort, User: d.server.User, KeyFile: "keys/demo",
		KnownHosts: []string{"keys/known_hosts"}, Dir: "/"}}
	if err := d.w.WriteSetup(d.dir, at); err != nil {
		return err
	}
	if err := d.writeKeys(); err != nil {
		return err
	}
	path := filepath.Join(d.dir, demoConfig)
	if lang != "" {
		if err := setLang(path, lang); err != nil {
			return err
		}
	}
	if d.disk, err = d.a.load(path); err != nil {
		return err
	}
	live := *d.disk
	live.Servers = slices.Clone(live.Servers)
	for i := range live.Servers {
		live.Servers[i].Port = d.server.Port
	}
	d.live = &live
	truth, err := d.w.Truth().JSON()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(d.dir, "truth.json"), truth, 0o644); err != nil {
		return err
	}
	for _, day := range d.w.Days() {
		fs, err := d.w.Day(day)
		if err != nil {
			return err
		}
		d.files = append(d.files, fs...)
	}
	slices.SortStableFunc(d.files, func(a, b fixtures.File) int { return a.AvailableAt.Compare(b.AvailableAt) })
	return nil
}

// writeKeys puts copies of the server's keys where the configuration says.
func (d *demo) writeKeys() error {
	dir := filepath.Join(d.dir, "keys")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	key, err := os.ReadFile(d.server.ClientKeyPath)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, "demo"), key, 0o600),
		os.WriteFile(filepath.Join(dir, "known_hosts"), []byte(d.server.HostKeyLine+"\n"), 0o644))
}

// setLang writes the language into a generated configuration.
func setLang(path, lang string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before := []byte("\nlang: " + string(config.Chinese) + "\n")
	if bytes.Count(text, before) != 1 {
		return fmt.Errorf("%s: the generated configuration has no line %q", path, bytes.TrimSpace(before))
	}
	return os.WriteFile(path, bytes.Replace(text, before, []byte("\nlang: "+lang+"\n"), 1), 0o644)
}

func (d *demo) close() error {
	if d.server == nil {
		return nil
	}
	return d.server.Close()
}

func (d *demo) now() time.Time { return time.Unix(d.clock.Load(), 0).In(d.disk.Location()) }

// play runs the dates in order, and goes on for as many mornings as files still come.
func (d *demo) play(ctx context.Context) error {
	days := d.w.Days()
	for date := days[0]; date <= days[len(days)-1] || len(d.files) > 0; date++ {
		if err := d.morning(ctx, date, min(date, days[len(days)-1])); err != nil {
			return err
		}
	}
	return nil
}

// morning plays the morning after date: files arrive, then the books are brought up to target.
func (d *demo) morning(ctx context.Context, date, target txn.Date) error {
	at := (date + 1).In(d.disk.Location()).Add(demoMorning)
	d.clock.Store(at.Unix())
	if err := d.deliver(at); err != nil {
		return err
	}
	e, err := pipeline.Open(ctx, d.live, pipeline.Engine{Now: d.now, Sleep: d.a.sleep, Program: "daozhang " + version, Say: d.a.say,
		TempDir: d.a.env("TMPDIR")}, false)
	if err != nil {
		return err
	}
	defer e.Close()
	release, err := d.a.lease(ctx, e)
	if err != nil {
		return err
	}
	defer release()
	// Files come from the port that is served; everything after that sees the configuration as it stands on disk.
	results, fetchErr, err := work(ctx, e, job{from: target, to: target, asOf: at,
		fetched: func([]pipeline.SourceReport, error) { e.Config = d.disk }, day: d.a.printDay})
	for _, r := range results {
		d.last = r.Date
	}
	return errors.Join(err, fetchErr)
}

// deliver puts what the senders have ready by an instant into the served folder.
func (d *demo) deliver(by time.Time) error {
	n := 0
	for ; n < len(d.files) && !d.files[n].AvailableAt.After(by); n++ {
		f := d.files[n]
		path := filepath.Join(d.dir, demoServed, f.Source, f.Name)
		if err := os.WriteFile(path, f.Bytes, 0o644); err != nil {
			return err
		}
		if err := os.Chtimes(path, f.AvailableAt, f.AvailableAt); err != nil {
			return err
		}
	}
	d.files = d.files[n:]
	return nil
}

// tell says where the results are and what to try next.
func (d *demo) tell() {
	cfg := filepath.Join(d.dir, demoConfig)
	books, _ := filepath.Glob(filepath.Join(d.dir, "reports", "*", "latest", "*.xlsx")) // the pattern is well-formed
	fmt.Fprintf(d.a.out, "\nworkbooks:\n")
	for _, b := range books {
		fmt.Fprintf(d.a.out, "  %s\n", b)
	}
	fmt.Fprintf(d.a.out, "what was planted: %s\n\nnext, for example:\n  daozhang status --config %s --date %s\n", filepath.Join(d.dir, "truth.json"), cfg, d.last)
	if key, date := d.exampleKey(); key != "" {
		fmt.Fprintf(d.a.out, "  daozhang trace %s --date %s --config %s\n", key, date, cfg)
	}
	fmt.Fprintf(d.a.out, "  daozhang run --config %s --date %s --as-of %sT10:30 --offline\n", cfg, d.last, d.last+1)
}

// exampleKey is the reference number of a card sale that never reached the acquirer.
func (d *demo) exampleKey() (key, date string) {
	for _, f := range d.w.Truth().Faults {
		if f.Class == "T02" && f.RRN != "" {
			return f.RRN, f.Shows
		}
	}
	return "", ""
}
