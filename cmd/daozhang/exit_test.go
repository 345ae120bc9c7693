package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/fetch/sftpserver"
	"daozhang/cmd/internal/pipeline"
	"daozhang/reconcile"
)

// till is a shop with one till, one acquirer and no bank, run through the command line.
type till struct {
	t        *testing.T
	dir      string
	out, err bytes.Buffer
	a        *app
}

const tillConfig = `version: 1
entity: corner-shop
go_live: "2026-01-05"
sources:
  - name: pos
    side: terminal
    folder: in/pos
    names: ["journal_{date:yyyyMMdd}.csv"]
    formats: [daozhang_journal]
    due: "+1 08:00"
    complete: {min_age: 0s, polls: 1}
  - name: ums
    side: acquirer
    acquirer: chinaums
    folder: in/ums
    names: ["ums_{date:yyyyMMdd}.txt"]
    formats: [chinaums_tab17]
    due: "+1 10:00"
    complete: {min_age: 0s, polls: 1}
`

const (
	tillHead = "merchant_id,terminal_id,batch_no,trace_no,rrn,kind,amount,currency,txn_time,response_code\n"
	tillSale = "M1,T1,1,000001,600000000001,sale,100.00,CNY,2026-01-05 09:00:00,00\n"
	tillMore = "M1,T1,1,000002,600000000002,sale,50.00,CNY,2026-01-05 09:10:00,00\n"
	tillOdd  = "M1,T1,1,000003,600000000003,sale,1O0.00,CNY,2026-01-05 09:20:00,00\n" // a letter O
	billHead = "清算日期\t交易日期\t交易时间\t终端号\t交易金额\t清算金额\t手续费\t流水号\t交易类型\t参考号\t卡号\t商户号\n"
	billSale = "20260105\t2026-01-05\t09:00:02\tT1\t100.00\t99.40\t0.60\t000001\t消费\t600000000001\t\tM1\n"
	billMore = "20260105\t2026-01-05\t10:00:02\tT1\t70.00\t69.58\t0.42\t000009\t消费\t600000000009\t\tM1\n" // the till has no such sale
	billOne  = "总笔数：\t1\t\t交易金额：\t100.00\t\t结算金额：\t99.40\t\t手续费：\t0.60\n"
	billTwo  = "总笔数：\t2\t\t交易金额：\t170.00\t\t结算金额：\t168.98\t\t手续费：\t1.02\n"
	billOff  = "总笔数：\t1\t\t交易金额：\t100.01\t\t结算金额：\t99.40\t\t手续费：\t0.60\n"
)

// newTill has everything in for Monday, and the clock stands at noon of Tuesday.
func newTill(t *testing.T) *till {
	t.Helper()
	s := &till{t: t, dir: t.TempDir()}
	now, err := time.Parse(time.RFC3339, "2026-01-06T12:00:00+08:00")
	if err != nil {
		t.Fatal(err)
	}
	s.a = &app{out: &s.out, err: &s.err, now: func() time.Time { return now }, env: func(string) string { return "" },
		sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
	for name, text := range tillFiles() {
		s.write(name, text)
	}
	return s
}

// tillFiles are the till's configuration, its register, and the files of Monday, by name.
func tillFiles() map[string]string {
	return map[string]string{
		"config.yaml":                 tillConfig,
		"register/stores.csv":         "store_id,name,valid_from,valid_to\n",
		"register/merchants.csv":      "mid,acquirer,external_mid,legal_name,mcc,valid_from,valid_to\n",
		"register/terminals.csv":      "tid,mid,store_id,external_tid,offline_limit_h,valid_from,valid_to\n",
		"register/contracts.csv":      "contract_id,mid,channel,card_class,mcc,rate,fixed,cap,min,rounding,fee_back_on_refund,cycle,cutoff,cutoff_drift_min,calendar,payout_basis,account,valid_from,valid_to\n",
		"register/accounts.csv":       "account,bank,currency,owner,valid_from,valid_to\n",
		"register/payers.csv":         "name,acquirer,licensed,valid_from,valid_to\n",
		"in/pos/journal_20260105.csv": tillHead + tillSale,
		"in/ums/ums_20260105.txt":     billHead + billSale + billOne,
	}
}

func (s *till) path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

func (s *till) write(name, text string) {
	s.t.Helper()
	path := s.path(name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		s.t.Fatal(err)
	}
}

// add appends to the configuration.
func (s *till) add(text string) {
	s.t.Helper()
	old, err := os.ReadFile(s.path("config.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.write("config.yaml", string(old)+text)
}

// command runs a command line in which "config.yaml" and names with a slash are files of the till.
func (s *till) command(ctx context.Context, args ...string) int {
	s.t.Helper()
	for i, a := range args {
		if a == "config.yaml" || strings.Contains(a, "/") {
			args[i] = s.path(a)
		}
	}
	return s.a.run(ctx, args)
}

func (s *till) monday(more ...string) []string {
	return append([]string{"run", "--config", "config.yaml", "--date", "2026-01-05"}, more...)
}

func (s *till) match(more ...string) []string {
	return append([]string{"match", "--terminal", "in/pos/journal_20260105.csv", "--acquirer", "in/ums/ums_20260105.txt", "--date", "2026-01-05",
		"--out", "result/x"}, more...)
}

// server puts the acquirer's files on an SFTP server instead of a folder.
func (s *till) server(host string, port int, key, known, dir string) {
	s.t.Helper()
	quoted := func(v string) string { return `"` + v + `"` }
	text := strings.Replace(tillConfig, "    folder: in/ums\n", "    server: hub\n    dir: "+quoted(dir)+"\n", 1)
	text = strings.Replace(text, "sources:\n", "servers:\n  hub:\n    host: "+quoted(host)+"\n    port: "+strconv.Itoa(port)+
		"\n    user: shop\n    keys: ["+quoted("file:"+key)+"]\n    known_hosts: ["+quoted(known)+"]\nsources:\n", 1)
	s.write("config.yaml", text)
}

// serve starts a server over the till's folder of the acquirer.
func (s *till) serve() *sftpserver.Server {
	s.t.Helper()
	srv, err := sftpserver.Serve(s.path("in"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = srv.Close() })
	return srv
}

// loseRow breaks the account of rows, as a fault in the matching would.
func (s *till) loseRow() {
	s.a.fault = func(stage string, d *reconcile.Day) {
		if stage == "classified" {
			d.LoseRow()
		}
	}
}

// hold keeps the lease, as another run at work does, until the test ends.
func (s *till) hold() {
	s.t.Helper()
	cfg, err := config.Load(s.path("config.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	e, err := pipeline.Open(context.Background(), cfg, pipeline.Engine{Now: s.a.now}, false)
	if err != nil {
		s.t.Fatal(err)
	}
	l, err := e.DB.Acquire(context.Background(), "run", "elsewhere", "4711", heartbeat)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = errors.Join(l.Release(context.Background()), e.Close()) })
}

const failingHook = "on_finish: [\"false\"]\n"

func TestEveryExitCodeIsReached(t *testing.T) {
	run := func(s *till) []string { return s.monday() }
	for _, c := range []struct {
		name  string
		code  int
		setup func(s *till)
		args  func(s *till) []string
		says  string // on the error stream
	}{
		{"run, all in", exitDone, nil, run, ""},
		{"run again, nothing new", exitDone, func(s *till) { s.command(s.t.Context(), s.monday()...) }, run, ""},
		{"match, all in", exitDone, nil, func(s *till) []string { return s.match() }, ""},
		{"parse of a good file", exitDone, nil, func(s *till) []string { return []string{"parse", "in/ums/ums_20260105.txt"} }, ""},
		{"run, only not due yet", exitDone, func(s *till) { _ = os.Remove(s.path("in/ums/ums_20260105.txt")) },
			func(s *till) []string { return s.monday("--as-of", "2026-01-06T09:00") }, ""},

		{"the state cannot be made", exitUnexpected, func(s *till) { s.write("state", "a file, where the folder should be") }, run, "state"},

		{"no configuration named", exitUsage, nil, func(*till) []string { return []string{"run"} }, "--config FILE is required"},
		{"unknown command", exitUsage, nil, func(*till) []string { return []string{"settle"} }, "daozhang --help"},
		{"unknown flag", exitUsage, nil, func(s *till) []string { return s.monday("--fail") }, "daozhang run --help"},
		{"a date that is none", exitUsage, nil, func(s *till) []string { return []string{"run", "--config", "config.yaml", "--date", "2026-02-30"} }, "2026-01-05"},
		{"an error in the configuration", exitUsage, func(s *till) { s.add("colour: blue\n") }, run, "config.yaml:20:1"},
		{"an error in the register", exitUsage, func(s *till) { s.write("register/stores.csv", "store,valid_from\n") }, run, "stores.csv"},
		{"as-of before the day's last", exitUsage, func(s *till) { s.command(s.t.Context(), s.monday()...) },
			func(s *till) []string { return s.monday("--as-of", "2026-01-06T11:00") }, "later as_of"},
		{"parse of an unknown format", exitUsage, func(s *till) { s.write("in/x.txt", "hello\n") }, func(*till) []string { return []string{"parse", "in/x.txt"} }, ""},
		{"match of an unknown format", exitUsage, func(s *till) { s.write("in/ums/ums_20260105.txt", "hello\n") }, func(s *till) []string { return s.match() }, "no format claims"},
		{"parse of an ambiguous file", exitUsage, func(s *till) { s.write("p/twin.yaml", twinProfile) },
			func(*till) []string {
				return []string{"parse", "in/pos/journal_20260105.csv", "--profile", "p/twin.yaml"}
			}, ""},
		{"match of an ambiguous file", exitUsage, func(s *till) { s.write("p/twin.yaml", twinProfile) },
			func(s *till) []string { return s.match("--profile", "p/twin.yaml") }, "several formats claim"},

		{"a file that is due is missing", exitPartial, func(s *till) { _ = os.Remove(s.path("in/ums/ums_20260105.txt")) }, run, ""},
		{"a file is held, its total fails", exitPartial, func(s *till) { s.write("in/ums/ums_20260105.txt", billHead+billSale+billOff) }, run, ""},
		{"a file that no format claims", exitPartial, func(s *till) { s.write("in/ums/ums_20260105.txt", "hello\n") }, run, ""},
		{"a row is rejected", exitPartial, func(s *till) { s.write("in/pos/journal_20260105.csv", tillHead+tillSale+tillOdd+tillMore) }, run, "amount"},
		{"match with a rejected row", exitPartial, func(s *till) { s.write("in/pos/journal_20260105.csv", tillHead+tillSale+tillOdd+tillMore) },
			func(s *till) []string { return s.match() }, "amount"},
		{"parse with a rejected row", exitPartial, func(s *till) { s.write("in/pos/journal_20260105.csv", tillHead+tillSale+tillOdd+tillMore) },
			func(*till) []string { return []string{"parse", "in/pos/journal_20260105.csv"} }, ""},

		{"run loses a row", exitConservation, (*till).loseRow, run, "row"},
		{"match loses a row", exitConservation, (*till).loseRow, func(s *till) []string { return s.match() }, "row"},
		{"parse of a file whose total fails", exitControl, func(s *till) { s.write("in/ums/ums_20260105.txt", billHead+billSale+billOff) },
			func(*till) []string { return []string{"parse", "in/ums/ums_20260105.txt"} }, ""},

		{"the hook fails", exitNotify, func(s *till) { s.add(failingHook) }, run, "on_finish"},
		{"status before any run", exitNotInitialised, nil, func(*till) []string { return []string{"status", "--config", "config.yaml"} }, "daozhang run"},
		{"trace before any run", exitNotInitialised, nil, func(*till) []string { return []string{"trace", "600000000001", "--config", "config.yaml"} }, "daozhang run"},
		{"another run is at work", exitLocked, (*till).hold, run, "elsewhere"},
		{"more exceptions than allowed", exitExceptions, func(s *till) { s.write("in/ums/ums_20260105.txt", billHead+billSale+billMore+billTwo) },
			func(s *till) []string { return s.monday("--fail-on", "0") }, "--fail-on 0"},
		{"match with more exceptions than allowed", exitExceptions, func(s *till) { s.write("in/ums/ums_20260105.txt", billHead+billSale+billMore+billTwo) },
			func(s *till) []string { return s.match("--fail-on", "0") }, "--fail-on 0"},
		{"as many exceptions as allowed", exitDone, func(s *till) { s.write("in/ums/ums_20260105.txt", billHead+billSale+billMore+billTwo) },
			func(s *till) []string { return s.monday("--fail-on", "1") }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newTill(t)
			if c.setup != nil {
				c.setup(s)
			}
			s.out.Reset()
			s.err.Reset()
			s.expect(c.code, c.says, c.args(s)...)
		})
	}
}

// A hook that failed is tried again by the next run, also one that has nothing else to do, and then no more.
func TestAFailedHookIsTriedAgain(t *testing.T) {
	s := newTill(t)
	told := s.path("told")
	s.add("on_finish: [sh, -c, 'test -e " + told + " && echo \"$0\" >> " + told + "']\n")
	again := func() { s.expect(exitDone, "", "run", "--config", "config.yaml", "--offline") }
	s.expect(exitNotify, "on_finish", "run", "--config", "config.yaml")
	s.write("told", "")
	again()
	again()
	got, err := os.ReadFile(told)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(got), "summary.json"); n != 1 {
		t.Errorf("told %d times, want once:\n%s", n, got)
	}
}

const twinProfile = `version: 1
name: twin
title: the journal by another name
source: made up
side: T
encoding: utf-8
delimited: {delimiter: ","}
columns:
  - {name: merchant_id, field: merchant_id}
  - {name: terminal_id, field: terminal_id}
  - {name: batch_no}
  - {name: trace_no}
  - {name: rrn}
  - {name: kind, field: kind, filled: true, map: {sale: sale}}
  - {name: amount, field: amount, filled: true, sign: kind}
  - {name: currency, field: currency}
  - {name: txn_time, field: txn_time, filled: true, layouts: ["yyyy-MM-dd HH:mm:ss"]}
  - {name: response_code}
`

func (s *till) expect(code int, says string, args ...string) {
	s.t.Helper()
	if got := s.command(s.t.Context(), args...); got != code {
		s.t.Errorf("exit code %d, want %d\nout: %s\nerr: %s", got, code, s.out.String(), s.err.String())
	}
	if !strings.Contains(s.err.String(), says) {
		s.t.Errorf("the error stream does not say %q:\n%s", says, s.err.String())
	}
}

// nothingPublished demands that no report was issued and no run committed.
func (s *till) nothingPublished() {
	s.t.Helper()
	if _, err := os.Stat(s.path("reports/2026-01-05")); !errors.Is(err, fs.ErrNotExist) {
		s.t.Errorf("a report folder is there: %v", err)
	}
	cfg, err := config.Load(s.path("config.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	e, err := pipeline.Open(s.t.Context(), cfg, pipeline.Engine{Now: s.a.now}, true)
	if err != nil {
		s.t.Fatal(err)
	}
	defer e.Close()
	if runs, err := e.DB.Runs(s.t.Context()); err != nil || len(runs) > 0 {
		s.t.Errorf("runs %v were committed (%v)", runs, err)
	}
}

func TestALostRowPublishesNothing(t *testing.T) {
	s := newTill(t)
	s.loseRow()
	s.expect(exitConservation, "", s.monday()...)
	s.nothingPublished()
	s.expect(exitConservation, "", s.match()...)
	if left, err := filepath.Glob(s.path("result/x/*")); err != nil || len(left) > 0 {
		t.Errorf("match wrote %v (%v)", left, err)
	}
	s.a.fault = nil
	s.expect(exitDone, "", s.monday()...) // and nothing is left that stands in the way
}

func TestServersThatFail(t *testing.T) {
	t.Run("cannot be reached: try again", func(t *testing.T) {
		s := newTill(t)
		s.expect(exitDone, "", s.monday()...) // everything is here already
		srv := s.serve()
		s.server(srv.Host, closedPort(t), srv.ClientKeyPath, srv.KnownHostsPath, "/ums")
		s.expect(exitTemporary, "refused", s.monday()...)
	})
	t.Run("cannot be reached, and its file is missing: partial", func(t *testing.T) {
		s := newTill(t)
		srv := s.serve()
		s.server(srv.Host, closedPort(t), srv.ClientKeyPath, srv.KnownHostsPath, "/ums")
		s.expect(exitPartial, "refused", s.monday()...)
	})
	t.Run("is known and serves: done", func(t *testing.T) {
		s := newTill(t)
		srv := s.serve()
		s.server(srv.Host, srv.Port, srv.ClientKeyPath, srv.KnownHostsPath, "/ums")
		s.expect(exitDone, "", s.monday()...)
	})
	t.Run("is not the known one", func(t *testing.T) {
		s := newTill(t)
		srv, other := s.serve(), s.serve()
		s.server(srv.Host, srv.Port, srv.ClientKeyPath, other.KnownHostsPath, "/ums")
		s.expect(exitAuth, "host key", s.monday()...)
	})
	t.Run("refuses the login", func(t *testing.T) {
		s := newTill(t)
		srv, other := s.serve(), s.serve()
		s.server(srv.Host, srv.Port, other.ClientKeyPath, srv.KnownHostsPath, "/ums")
		s.expect(exitAuth, "", s.monday()...)
	})
}

// closedPort is a loopback port on which nobody listens.
func closedPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return port
}

func TestInterruptedAtAnyCommandIs130(t *testing.T) {
	for _, args := range [][]string{{"run", "--config", "config.yaml"}, {"status", "--config", "config.yaml"}} {
		t.Run(args[0], func(t *testing.T) {
			s := newTill(t)
			s.expect(exitDone, "", s.monday()...)
			s.write("in/ums/ums_20260105.txt", billHead+billSale+billMore+billTwo) // there is work
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if got := s.command(ctx, args...); got != exitInterrupted {
				t.Errorf("exit code %d, want %d\n%s", got, exitInterrupted, s.err.String())
			}
		})
	}
	t.Run("in the middle of a run", func(t *testing.T) {
		s := newTill(t)
		ctx, cancel := context.WithCancel(t.Context())
		s.a.step = func(name string) {
			if name == pipeline.StepIngested {
				cancel()
			}
		}
		if got := s.command(ctx, s.monday()...); got != exitInterrupted {
			t.Errorf("exit code %d, want %d\n%s", got, exitInterrupted, s.err.String())
		}
		s.nothingPublished()
		s.a.step = nil
		s.expect(exitDone, "", s.monday()...)
	})
}

// TestTheGravestCodeWins: 4 before 3 before 20 before 6.
func TestTheGravestCodeWins(t *testing.T) {
	missing := func(s *till) { _ = os.Remove(s.path("in/pos/journal_20260105.csv")) }
	rejected := func(s *till) { s.write("in/pos/journal_20260105.csv", tillHead+tillSale+tillOdd+tillMore) }
	differs := func(s *till) { s.write("in/ums/ums_20260105.txt", billHead+billSale+billMore+billTwo) }
	hook := func(s *till) { s.add(failingHook) }
	for _, c := range []struct {
		name string
		code int
		with []func(*till)
	}{
		{"4 before 3", exitConservation, []func(*till){(*till).loseRow, rejected}},
		{"4 before 20 and 6", exitConservation, []func(*till){(*till).loseRow, differs, hook}},
		{"3 before 20", exitPartial, []func(*till){rejected, differs}},
		{"3 before 6", exitPartial, []func(*till){missing, hook}},
		{"3 before 20 and 6", exitPartial, []func(*till){rejected, differs, hook}},
		{"20 before 6", exitExceptions, []func(*till){differs, hook}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newTill(t)
			for _, f := range c.with {
				f(s)
			}
			s.expect(c.code, "", s.monday("--fail-on", "0")...)
			if c.code == exitConservation {
				s.nothingPublished()
			}
		})
	}
}
