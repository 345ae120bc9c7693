package pipeline

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestACommandThatGoesOnWithAnEarlierDayStillAsksTheLedgersAgain lets the command that computed Wednesday seem to have been cut
// off, so that the next one goes on under its number, but from Monday, whose numbers were corrected since.
func TestACommandThatGoesOnWithAnEarlierDayStillAsksTheLedgersAgain(t *testing.T) {
	text, err := os.ReadFile("testdata/scenarios/15-numbers-corrected.txt")
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseScenario("15-numbers-corrected.txt", string(text))
	if err != nil {
		t.Fatal(err)
	}
	cut := 0
	for s.stmts[cut].words[0] != "journal" {
		cut++
	}
	p := newPlay(t, s)
	p.play(s.stmts[:cut])
	db, err := sql.Open("sqlite", filepath.Join(p.b.root, "state", "daozhang.db"))
	if err == nil {
		_, err = db.Exec(`UPDATE outbox SET done_at = '' WHERE job = 'cascade' AND business_date = '2026-01-07'`)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	p.play(s.stmts[cut:])
	p.judge(s)
	if runs := p.runs(p.b); runs[day(0)].Cascade != runs[day(2)].Cascade {
		t.Errorf("Monday was computed in cascade %d, Wednesday in %d: it was not gone on with", runs[day(0)].Cascade, runs[day(2)].Cascade)
	}
}
