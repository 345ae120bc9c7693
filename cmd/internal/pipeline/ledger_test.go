package pipeline

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"daozhang/cmd/internal/disk"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// ledgerOf writes a ledger with n rows, one row of seven under the same id, into memory.
func ledgerOf(t testing.TB, n int, id func(i int) string) *LedgerReader {
	t.Helper()
	l := newLedger()
	l.about([]*File{{Source: "pos", Delivery: "a.csv", Member: "a.csv", SHA256: "aa"}})
	for i := range n {
		l.Match(reconcile.Match{Row: txn.Position{Offset: int64(i)}, Order: id(i), Pass: "P2"})
	}
	var b bytes.Buffer
	if err := l.Write(&b); err != nil {
		t.Fatal(err)
	}
	fsys := disk.Memory()
	f, err := fsys.Create(filepath.Join("/", LedgerName), 0o600)
	if err == nil {
		_, err = f.Write(b.Bytes())
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := OpenLedger(fsys, "/")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestEveryEntryOfALedgerIsFound(t *testing.T) {
	for _, n := range []int{0, 1, 2, 79, 80, 81, 500, 20_000} {
		for name, id := range map[string]func(int) string{
			"all different":   func(i int) string { return fmt.Sprintf("id%d", i) },
			"seven of a kind": func(i int) string { return fmt.Sprintf("id%d", i/7) },
			"all alike":       func(int) string { return "id0" },
		} {
			r := ledgerOf(t, n, id)
			rows := map[string]map[int64]bool{}
			for i := range n {
				if rows[id(i)] == nil {
					rows[id(i)] = map[int64]bool{}
				}
				rows[id(i)][int64(i)] = true
			}
			for key, want := range rows {
				got, err := r.Find(key)
				if err != nil || len(got) != len(want) {
					t.Fatalf("%d entries, %s: %d found for %s, want %d (%v)", n, name, len(got), key, len(want), err)
				}
				for _, e := range got {
					if !want[e.Row.Offset] || e.Pass != "P2" {
						t.Fatalf("%d entries, %s: %s gives %+v", n, name, key, e)
					}
				}
			}
			if got, err := r.Find("nothing of the kind"); err != nil || len(got) != 0 {
				t.Errorf("%d entries, %s: found %v (%v)", n, name, got, err)
			}
		}
	}
}

func BenchmarkFind(b *testing.B) {
	const n = 400_000
	r := ledgerOf(b, n, func(i int) string { return fmt.Sprintf("id%d", i) })
	rng := rand.New(rand.NewPCG(1, 1))
	for b.Loop() {
		if es, err := r.Find(fmt.Sprintf("id%d", rng.IntN(2*n))); err != nil || len(es) > 1 {
			b.Fatal(es, err)
		}
	}
}
