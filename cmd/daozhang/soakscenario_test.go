package main

import (
	"testing"
)

// soakAct is one command of a scenario, with the files that come before it.
type soakAct struct {
	day    int      // the clock stands on this day, Monday being 0,
	clock  string   // at this time
	args   []string // of daozhang; "case T03 2026-01-05" stands for the first case of that class in the newest book of that date
	files  func(testing.TB, *soakShop)
	kill   string // the name of the stage: here processes are killed; empty: the command only leads there
	issued string // revisions that the command issues
	blind  bool   // it passes no step: killed at random instants only
}

// soakScenario is one of the stories of the state model that a kill must not disturb.
type soakScenario struct {
	name string
	big  int // the day with all the rows
	acts []soakAct
}

func soakNight(n int, files func(testing.TB, *soakShop)) soakAct {
	return soakAct{day: n + 1, clock: "12:00", args: []string{"run"}, files: files}
}

func soakUsual(n int) func(testing.TB, *soakShop) {
	return func(t testing.TB, s *soakShop) { s.usual(t, soakDay(n), true, true) }
}

// soakScenarios are the stories with late and corrected files, decisions and closed books.
func soakScenarios() []soakScenario {
	run := []string{"run"}
	noBill := func(t testing.TB, s *soakShop) { s.usual(t, soakDay(0), false, true) }
	bill := func(t testing.TB, s *soakShop) { s.bill(t, soakDay(0), "", nil) }
	decide := func(class, status, why string) []string {
		return []string{"decide", "case " + class + " " + soakMonday, "--status", status, "--by", "lin", "--reason", why}
	}
	return []soakScenario{
		{name: "12 first night", acts: []soakAct{
			{day: 1, clock: "12:00", args: run, files: soakUsual(0), kill: "12 first", issued: "01-05/r1"}}},
		{name: "3 file three days late", acts: []soakAct{
			soakNight(0, noBill), soakNight(1, soakUsual(1)), soakNight(2, soakUsual(2)), soakNight(3, soakUsual(3)),
			{day: 4, clock: "13:00", args: run, files: bill, kill: "3 late", issued: "01-05/r2 01-06/r2 01-07/r2 01-08/r2"},
		}},
		{name: "4 corrected file with a decision", acts: []soakAct{
			soakNight(0, soakUsual(0)),
			{day: 1, clock: "13:00", args: decide("T03", "accepted", "the back office sold it")},
			{day: 1, clock: "13:30", args: run, issued: "01-05/r2"},
			soakNight(1, soakUsual(1)),
			{day: 2, clock: "13:00", args: run, kill: "4 corrected", issued: "01-05/r3 01-06/r2",
				files: func(t testing.TB, s *soakShop) { s.bill(t, soakDay(0), "_2", map[int]int64{soakUnknown: 4_321}) }},
		}},
		{name: "7 file for a closed date", acts: []soakAct{
			soakNight(0, noBill),
			{day: 1, clock: "12:30", args: []string{"close", "--through", soakMonday, "--by", "lin"}, kill: "7 close", blind: true},
			soakNight(1, soakUsual(1)),
			{day: 2, clock: "12:30", args: decide("F01", "disputed", "asked the acquirer"), kill: "7 decide"},
			{day: 2, clock: "13:00", args: run, files: bill, kill: "7 closed", issued: "01-06/r2"},
		}},
		{name: "11 second journal late", acts: []soakAct{
			soakNight(0, func(t testing.TB, s *soakShop) { s.usual(t, soakDay(0), true, false) }),
			{day: 1, clock: "16:00", args: run, kill: "11 journal", issued: "01-05/r2",
				files: func(t testing.TB, s *soakShop) { s.journal(t, "S02", soakDay(0)) }},
		}},
		soakWeek(),
		{name: "19 decide, rerun, correct", acts: []soakAct{
			soakNight(0, soakUsual(0)), soakNight(1, soakUsual(1)),
			{day: 2, clock: "13:00", args: decide("T04", "disputed", "asked the acquirer"), kill: "19 decide"},
			{day: 2, clock: "13:10", args: run, kill: "19 run", issued: "01-06/r2"},
			{day: 2, clock: "14:00", args: []string{"run", "--date", soakMonday}, kill: "19 rerun"},
			{day: 2, clock: "15:00", args: decide("T04", "accepted", "small")},
			{day: 2, clock: "15:10", args: run, issued: "01-06/r3"},
			{day: 2, clock: "16:00", args: run, kill: "19 correct", issued: "01-05/r2 01-06/r4",
				files: func(t testing.TB, s *soakShop) { s.bill(t, soakDay(0), "_2", map[int]int64{soakDiffers: 5_432}) }},
		}},
	}
}

// soakWeek is a bank that sends the last seven days every morning.
func soakWeek() soakScenario {
	const nights = 8
	x := soakScenario{name: "16 statements of seven days", big: nights - 1}
	for n := range nights {
		x.acts = append(x.acts, soakNight(n, func(t testing.TB, s *soakShop) {
			d := soakDay(n)
			s.journal(t, "S01", d)
			s.journal(t, "S02", d)
			s.bill(t, d, "", nil)
			s.statement(t, max(soakDay(0), d-6), d)
		}))
	}
	last := &x.acts[nights-1]
	last.kill, last.issued = "16 week", soakDay(nights - 1).String()[5:]+"/r1"
	return x
}
