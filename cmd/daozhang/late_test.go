package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

func TestARunNamesTheFileThatCameLateAndItsDate(t *testing.T) {
	s := newTill(t)
	bill := s.path("in/ums/ums_20260105.txt")
	if err := os.Remove(bill); err != nil {
		t.Fatal(err)
	}
	run := func(code int) string {
		t.Helper()
		s.out.Reset()
		if got := s.command(t.Context(), "run", "--config", "config.yaml"); got != code {
			t.Fatalf("exit code %d, want %d: %s", got, code, s.err.String())
		}
		return s.out.String()
	}
	if text := run(exitPartial); strings.Contains(text, "came") {
		t.Errorf("nothing came yet: %s", text)
	}
	s.write("in/ums/ums_20260105.txt", billHead+billSale+billOne)
	if text := run(exitDone); !strings.HasPrefix(text, "2026-01-05: bill ums_20260105.txt came late\n2026-01-05  ") {
		t.Errorf("the late file is not named: %s", text)
	}
	s.write("in/ums/ums_20260105.txt", billHead+billSale+billMore+billTwo)
	if err := os.Chtimes(bill, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if text := run(exitDone); !strings.HasPrefix(text, "2026-01-05: bill ums_20260105.txt was corrected\n") {
		t.Errorf("the corrected file is not named: %s", text)
	}
	if text := run(exitDone); !strings.HasPrefix(text, "nothing to do") {
		t.Errorf("nothing came: %s", text)
	}
}

func TestWhatAFileIsToARunThatDidNotKnowIt(t *testing.T) {
	slot := func(key, state, digest string) store.Input {
		return store.Input{Kind: store.SlotInput, Source: "pos", Key: key, State: state, Digest: digest}
	}
	received, missing, notDue := string(reconcile.SlotReceived), string(reconcile.SlotMissing), string(reconcile.SlotNotDue)
	for _, c := range []struct {
		name  string
		known []store.Input
		want  string
	}{
		{"the same file", []store.Input{slot("store=S1", received, "a")}, ""},
		{"another file before it", []store.Input{slot("store=S1", received, "b")}, "was corrected"},
		{"a slot past its deadline", []store.Input{slot("store=S1", missing, ""), slot("store=S2", received, "x")}, "came late"},
		{"a slot that was awaited", []store.Input{slot("store=S1", notDue, ""), slot("store=S2", received, "x")}, "came"},
		{"any one slot that was awaited", []store.Input{slot("", notDue, "")}, "came"},
		{"a slot that nobody knew of", []store.Input{slot("store=S2", received, "x")}, "came late"},
		{"another source", []store.Input{{Kind: store.SlotInput, Source: "ums", Key: "store=S1", State: notDue}}, "came late"},
		{"nothing known", nil, "came late"},
	} {
		r := store.Revision{Slot: store.SlotRef{Source: "pos", Key: "store=S1"}, Content: "a"}
		if got := since(c.known, r.Slot.Key, r); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestLinesAboutFilesAreOneLineEach(t *testing.T) {
	x := arrival{Date: txn.MakeDate(2026, 2, 1), For: txn.MakeDate(2026, 1, 5), Side: txn.Acquirer, File: "ums\n2026-01-01: forged", What: "came late"}
	if got, want := x.String(), `2026-02-01: bill "ums\n2026-01-01: forged" for the closed 2026-01-05 came late`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
