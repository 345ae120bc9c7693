package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daozhang/cmd/internal/fetch/sftpserver"
)

const onlineConfig = `version: 1
entity: shop
go_live: "2026-01-05"
servers:
  ums:
    host: %s
    port: %d
    user: shop
    keys: ["file:%s"]
    known_hosts: ["%s"]
sources:
  - name: ums
    side: acquirer
    acquirer: chinaums
    pays: true
    server: ums
    dir: %s
    names: ["ums_{date:yyyyMMdd}.txt"]
    formats: [chinaums_tab17]
    date: name
    due: "+1 10:00"
    days: daily
    empty_day: empty_file
    contains_pan: truncated
`

// --online logs in and lists; a server that is not the known one, or refuses the key, is exit 12; nothing is written.
func TestCheckOnlineLogsInAndLists(t *testing.T) {
	served := t.TempDir()
	if err := os.MkdirAll(filepath.Join(served, "out"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"ums_20260105.txt", "ums_20260106.txt", "other.csv"} {
		if err := os.WriteFile(filepath.Join(served, "out", n), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, err := sftpserver.Serve(served)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	stranger, err := sftpserver.Serve(served)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	for _, c := range []struct {
		name       string
		key, hosts string
		dir        string
		code       int
		says       string
	}{
		{"a source that answers", s.ClientKeyPath, s.KnownHostsPath, "out", exitDone, ""},
		{"a folder that is not there", s.ClientKeyPath, s.KnownHostsPath, "nowhere", exitUnexpected, "nowhere"},
		{"a host key that is not known", s.ClientKeyPath, stranger.KnownHostsPath, "out", exitAuth, "host key"},
		{"a key that the server refuses", stranger.ClientKeyPath, s.KnownHostsPath, "out", exitAuth, "ums"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "c.yaml")
			text := fmt.Sprintf(onlineConfig, s.Host, s.Port, c.key, c.hosts, c.dir)
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			a := &app{out: &out, err: &errs, now: time.Now, sleep: sleep, env: os.Getenv}
			code := a.run(context.Background(), []string{"check", "--config", path, "--online", "--json"})
			var d checkDoc
			if err := json.Unmarshal(out.Bytes(), &d); err != nil || len(d.Online) != 1 {
				t.Fatalf("%v: %s %s", err, out.String(), errs.String())
			}
			if code != c.code {
				t.Errorf("exit code %d, want %d: %+v", code, c.code, d.Online[0])
			}
			if l := d.Online[0]; l.OK != (c.code == exitDone) || !strings.Contains(l.Error, c.says) || l.OK && (l.Names != 3 || l.Matching != 2 ||
				l.Newest == "" || l.HostKey != s.Fingerprint || l.Identity == "") {
				t.Errorf("listing %+v", l)
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) != 1 {
				t.Errorf("%d things in the folder, %v; only the configuration should be", len(left), err)
			}
		})
	}
}
