package pipeline

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daozhang/cmd/internal/publish"
)

// keptShop is a shop with two days of books.
func keptShop(t *testing.T) *books {
	t.Helper()
	b := newShop(t)
	for n := range 2 {
		s := sale(day(n), "10:00:00", 10_000+int64(n), 1+n)
		b.journal("S01", day(n), s)
		b.bill(day(n), s)
		b.daily(day(n), nil)
		b.night(day(n))
	}
	return b
}

func (b *books) verify(full bool) (v *Verification) {
	b.t.Helper()
	b.with(func(ctx context.Context, e *Engine) {
		var err error
		if v, err = e.Verify(ctx, full, nil); err != nil {
			b.t.Fatal(err)
		}
	})
	return v
}

func TestWhatIsKeptIsFoundToBeAsItWasLeft(t *testing.T) {
	b := keptShop(t)
	for _, full := range []bool{false, true} {
		v := b.verify(full)
		if len(v.Faults) > 0 {
			t.Errorf("full %t: %+v", full, v.Faults)
		}
		if v.Deliveries != 6 || v.Carries != 2 || v.Issues != 2 || v.Files < 8 || v.Audit < 2 || v.Bytes == 0 {
			t.Errorf("full %t: looked at %+v", full, *v)
		}
	}
}

func TestWhateverIsTouchedIsFound(t *testing.T) {
	exec := func(query string) func(*testing.T, *books) {
		return func(t *testing.T, b *books) {
			t.Helper()
			db, err := sql.Open("sqlite", filepath.Join(b.root, "state", "daozhang.db"))
			if err == nil {
				_, err = db.Exec(query)
			}
			if err = errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		what   string
		damage func(*testing.T, *books)
	}{
		"a delivery with another byte":       {"archive", touch("state/archive/??/*", flip)},
		"a delivery that is cut":             {"archive", touch("state/archive/??/*", cutOff)},
		"a delivery that is gone":            {"archive", touch("state/archive/??/*", gone)},
		"a carry file that is gone":          {"carry", touch("state/carry/??/*", gone)},
		"a carry file with another byte":     {"carry", touch("state/carry/??/*", flip)},
		"a workbook with another byte":       {"report", touch("reports/2026-01-06/r1/*.xlsx", flip)},
		"a report that lacks a file":         {"report", touch("reports/2026-01-05/r1/summary.json", gone)},
		"a report with one file more":        {"report", addTo("reports/2026-01-05/r1/more.txt")},
		"a report with sums of its own":      {"report", resum("reports/2026-01-05/r1")},
		"a report that nobody issued":        {"report", addTo("reports/2026-01-05/r7/summary.json")},
		"an entry of the audit log":          {"audit", exec(`UPDATE audit_log SET actor = 'nobody' WHERE seq = 1`)},
		"an entry less in the audit log":     {"audit", exec(`DELETE FROM audit_log WHERE seq = (SELECT max(seq) FROM audit_log)`)},
		"a line of the provenance":           {"provenance", exec(`UPDATE delivery_names SET remote_name = 'x' WHERE seq = 2`)},
		"a delivery that the database lacks": {"provenance", exec(`DELETE FROM delivery_names WHERE seq = (SELECT max(seq) FROM delivery_names)`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := keptShop(t)
			c.damage(t, b)
			v := b.verify(true)
			if len(v.Faults) == 0 {
				t.Fatal("nothing was found")
			}
			for _, f := range v.Faults {
				if f.What != c.what || f.Problem == "" || f.Do == "" || f.Path == "" {
					t.Errorf("found %+v, want a fault of the %s", f, c.what)
				}
			}
		})
	}
}

// touch changes the first file that the pattern finds.
func touch(pattern string, change func([]byte) []byte) func(*testing.T, *books) {
	return func(t *testing.T, b *books) {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(b.root, filepath.FromSlash(pattern)))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v %v", pattern, found, err)
		}
		data, err := os.ReadFile(found[0])
		if err == nil {
			err = os.Remove(found[0])
		}
		if data = change(data); err == nil && data != nil {
			err = os.WriteFile(found[0], data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func flip(b []byte) []byte   { b[len(b)/2] ^= 1; return b }
func cutOff(b []byte) []byte { return b[:len(b)-1] }
func gone([]byte) []byte     { return nil }

func addTo(name string) func(*testing.T, *books) {
	return func(_ *testing.T, b *books) { b.write(name, []byte("x")) }
}

// resum changes a file and makes its sums fit again: only the digest that was noted when it was issued tells.
func resum(folder string) func(*testing.T, *books) {
	return func(t *testing.T, b *books) {
		t.Helper()
		touch(folder+"/exceptions.csv", flip)(t, b)
		dir := filepath.Join(b.root, filepath.FromSlash(folder))
		_, _, _, err := publish.Verify(nil, dir)
		_, rest, ok := strings.Cut(err.Error(), "exceptions.csv has the SHA-256 ")
		if !ok {
			t.Fatal(err)
		}
		is, rest, _ := strings.Cut(rest, ", it was issued with ")
		touch(folder+"/SHA256SUMS", func(sums []byte) []byte { return []byte(strings.Replace(string(sums), rest[:64], is, 1)) })(t, b)
	}
}
