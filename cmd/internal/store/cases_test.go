package store

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"daozhang/parsers/txn"
)

// Days are committed in any order and again and again; after each the table of cases must be what all committed runs say
// together.
func TestCasesAreWhatTheCommittedRunsSayInWhateverOrderTheyCome(t *testing.T) {
	eachDialect(t, func(t *testing.T, dsn string) {
		db := opened(t, dsn, Options{})
		rng := rand.New(rand.NewPCG(1, 1))
		books := map[txn.Date][]Case{}
		for n := range 120 {
			date := jan(1 + rng.IntN(8))
			rev, _, err := db.NextRevision(ctx, date, hash(fmt.Sprint("comparable ", n)))
			must(t, err)
			d := dayOf(date, rev, fmt.Sprint(n), 0)
			for id := range 12 {
				if rng.IntN(3) == 0 {
					d.Cases = append(d.Cases, Case{ID: fmt.Sprintf("C-%02d", id), Class: "T02", Severity: rng.IntN(4), Status: fmt.Sprint(n),
						Lifecycle: "open", FirstSeen: date, Leg: "T-A", Acquirer: "ums", Currency: "CNY", Owner: "acquirer", Due: date + 1})
				}
			}
			commit(t, db, d)
			books[date] = d.Cases
			want := map[string]Case{}
			for day := jan(1); day <= jan(8); day++ {
				for _, c := range books[day] {
					c.LastSeen = day
					want[c.ID] = c
				}
			}
			list, err := db.Cases(ctx, CaseFilter{})
			must(t, err)
			got := map[string]Case{}
			for _, c := range list {
				got[c.ID] = c
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("after commit %d, of %s:\n%v\nwant\n%v", n, date, got, want)
			}
		}
	})
}
