package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daozhang/cmd/internal/disk"
	"daozhang/cmd/internal/publish"
	"daozhang/cmd/internal/store"
)

// stopped is a shop on a disk of its own, whose program is stopped at a step, as a power cut does.
type stopped struct {
	*books
	fsys disk.FS
	dsn  string
	said []string
	at   string // the step
}

func (s *stopped) night(n int) (killed bool) {
	s.t.Helper()
	ctx := context.Background()
	s.books.at(day(n+1), "12:00")
	e, err := Open(ctx, s.config, Engine{Disk: s.fsys, DSN: s.dsn, Now: func() time.Time { return s.now }, Program: "daozhang test", NoWorkbook: true,
		Say: func(format string, args ...any) { s.said = append(s.said, fmt.Sprintf(format, args...)) },
		Step: func(step string) {
			if step == s.at {
				panic(errKilled)
			}
		},
		Sleep: func(context.Context, time.Duration) error { return nil }}, false)
	if err != nil {
		s.t.Fatal(err)
	}
	defer e.Close()
	defer func() {
		if r := recover(); r != nil && r != any(errKilled) {
			panic(r)
		} else if r != nil {
			killed = true
		}
	}()
	_, err = e.Fetch(ctx, day(n), day(n)+1)
	var plan []Planned
	if err == nil {
		plan, err = e.Plan(ctx, Request{To: day(n), AsOf: s.now})
	}
	if err == nil {
		_, err = e.Run(ctx, plan, s.now, nil)
	}
	if err == nil {
		plan, err = e.Plan(ctx, Request{To: day(n), AsOf: s.now})
	}
	var v *Verification
	if err == nil {
		v, err = e.Verify(ctx, true, nil)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if len(plan) > 0 || len(v.Faults) > 0 {
		s.t.Errorf("after the run there is still to do %+v, and damaged is %+v", plan, v.Faults)
	}
	return false
}

// TestADamagedReportThatWasNeverIssuedIsSetAsideAndPublishedAgain stops the program after the folder of a report has its name
// and before it is noted as issued, damages the folder, and runs again. An issued report is never set aside; see Verify.
func TestADamagedReportThatWasNeverIssuedIsSetAsideAndPublishedAgain(t *testing.T) {
	damages := map[string]func(fsys disk.FS, folder string) error{
		"a file with other bytes": func(fsys disk.FS, folder string) error {
			return overwrite(fsys, filepath.Join(folder, "summary.json"), "{}")
		},
		"no list of files": func(fsys disk.FS, folder string) error { return fsys.Remove(filepath.Join(folder, publish.SumsName)) },
	}
	for _, on := range []string{"memory", "the system's disk"} {
		for _, step := range []string{"publish:issued", "publish:done"} {
			for damage, do := range damages {
				t.Run(strings.Join([]string{on, step, damage}, ", "), func(t *testing.T) {
					s := &stopped{books: newShop(t), fsys: disk.OS}
					if on == "memory" {
						s.fsys, s.dsn = disk.Memory(), "memory:aside-"+strings.ReplaceAll(t.Name(), " ", "")
						keep, err := store.Open(context.Background(), s.dsn, store.Options{Now: time.Now, Entity: s.config.Entity})
						if err != nil {
							t.Fatal(err)
						}
						defer keep.Close()
					}
					a, c := sale(day(0), "10:00:00", 10_000, 1), sale(day(1), "10:00:00", 5_000, 2)
					s.journal("S01", day(0), a)
					s.bill(day(0), a)
					s.daily(day(0), nil)
					s.journal("S01", day(1), c)
					s.bill(day(1), c)
					s.daily(day(1), nil)
					s.night(0)
					s.at = step
					if !s.night(1) {
						t.Fatal("it was not stopped")
					}
					s.at, s.said = "", nil
					folder := filepath.Join(s.config.Reports, day(1).String(), "r1")
					if err := do(s.fsys, folder); err != nil {
						t.Fatal(err)
					}
					if s.night(1) {
						t.Fatal("it was stopped")
					}
					if n := strings.Count(strings.Join(s.said, "\n"), folder+".damaged-1"); n != 1 {
						t.Errorf("%d messages name the folder: %q", n, s.said)
					}
					if _, _, _, err := publish.Verify(s.fsys, folder+".damaged-1"); !errors.Is(err, publish.ErrDamaged) {
						t.Errorf("the folder set aside: %v; want it as it was", err)
					}
					if got, rev, err := publish.Latest(s.fsys, s.config.Reports, day(1)); err != nil || got != folder || rev != 1 {
						t.Errorf("latest is %s (%v)", got, err)
					}
					if _, err := s.fsys.Lstat(filepath.Join(s.config.Reports, day(0).String(), "r1.damaged-1")); !errors.Is(err, fs.ErrNotExist) {
						t.Errorf("the report of the day before was set aside (%v)", err)
					}
				})
			}
		}
	}
}

func overwrite(fsys disk.FS, path, text string) error {
	if err := fsys.Remove(path); err != nil {
		return err
	}
	f, err := fsys.Create(path, 0o640)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte(text))
	return errors.Join(err, f.Close())
}
