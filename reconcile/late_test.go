package reconcile_test

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"

	"daozhang/reconcile"
)

// A day of which part comes only once it is closed: whatever is cut off, nothing is lost, and every sum ties.
func TestLateFilesKeepEveryIdentity(t *testing.T) {
	late := 0
	seeds(t, 20, func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 31))
		one, two := randomDay(seed, mustDate("2026-01-06")), randomDay(seed+500, mustDate("2026-01-07"))
		for _, x := range one.days[0].slots {
			cut := len(x.rows) / 2
			twin := *x
			twin.Late = &reconcile.LateSlot{Had: true}
			twin.rows, twin.names = x.rows[cut:], x.names[cut:]
			switch r.IntN(4) {
			case 0: // part of it was there
				x.rows, x.names = x.rows[:cut], x.names[:cut]
			case 1: // none
				twin.rows, twin.names = x.rows, x.names
				x.State, x.Class, x.rows, x.names = reconcile.SlotMissing, reconcile.F01, nil, nil
			case 2: // held
				twin.rows, twin.names = x.rows, x.names
				x.Held, x.Class, x.sha = true, reconcile.F07, "aa"
			default:
				continue
			}
			late += len(twin.rows)
			two.days[0].slots = append(two.days[0].slots, &twin)
		}
		d1 := one.run(t, one.days[0], nil, nil)
		checkBook(t, &d1, one.days[0], nil)
		d2 := two.run(t, two.days[0], throughFile(t, d1.carry), nil)
		checkBook(t, &d2, two.days[0], &d1)
		again := two.run(t, two.days[0], throughFile(t, d1.carry), r.Perm)
		if x, y := plainBook(&d2), plainBook(&again); !reflect.DeepEqual(x, y) {
			t.Errorf("another order of Add, another book\n%s", outcomeDiff(two, &d2, &again))
		}
		if !bytes.Equal(carryBytes(t, d2.carry), carryBytes(t, again.carry)) {
			t.Error("another order of Add, another carry")
		}
		for _, l := range d2.out.Lines {
			if l.Class == reconcile.F01 && l.Lifecycle != reconcile.CaseCleared {
				t.Errorf("the file has come and is still missing: %+v", l)
			}
		}
	})
	if late < 200 && !testing.Short() {
		t.Errorf("only %d late rows", late)
	}
}
