package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"daozhang/cmd/internal/config"
)

type checkDoc struct {
	SchemaVersion int             `json:"schema_version"`
	Config        string          `json:"config"`
	Entity        string          `json:"entity"`
	Zone          string          `json:"zone"`
	OK            bool            `json:"ok"` // no errors
	Errors        int             `json:"errors"`
	Warnings      int             `json:"warnings"`
	Problems      []checkProblem  `json:"problems"`
	Sources       []checkSource   `json:"sources"`
	Legacy        []checkLegacy   `json:"legacy_algorithms"`
	Hook          string          `json:"hook"` // the program of on_finish as found
	NextRuns      []string        `json:"next_runs"`
	Online        []checkListing  `json:"online"`
	places        placesOf        // of the configuration
	failures      []error         // of --online
	problems      config.Problems // as collected
}

type checkProblem struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Severity string `json:"severity"`
	Text     string `json:"text"`
}

type checkSource struct {
	Name    string   `json:"name"`
	Side    string   `json:"side"`
	Formats []string `json:"formats"`
	Date    string   `json:"business_date"` // yesterday
	Due     string   `json:"due"`           // of that date; empty where nothing is expected
}

type checkLegacy struct {
	Server     string   `json:"server"`
	Algorithms []string `json:"algorithms"`
}

type checkListing struct {
	Source     string `json:"source"`
	Place      string `json:"place"`
	OK         bool   `json:"ok"`
	Names      int    `json:"names"`
	Matching   int    `json:"matching"`
	Newest     string `json:"newest"`
	HostKey    string `json:"host_key"`
	Identity   string `json:"identity"`
	Algorithms string `json:"algorithms"`
	Error      string `json:"error"`
}

func printCheck(w io.Writer, d *checkDoc) {
	for _, p := range d.Problems {
		at := p.File
		if p.Line > 0 {
			at += ":" + strconv.Itoa(p.Line)
		}
		if p.Column > 0 {
			at += ":" + strconv.Itoa(p.Column)
		}
		fmt.Fprintf(w, "%s: %s: %s\n", at, p.Severity, p.Text)
	}
	if d.Entity != "" {
		fmt.Fprintf(w, "entity %s, times in %s\n", d.Entity, d.Zone)
	}
	for _, s := range d.Sources {
		due := "nothing expected for " + s.Date
		if s.Due != "" {
			due = fmt.Sprintf("files of %s are due %s", s.Date, s.Due)
		}
		fmt.Fprintf(w, "source %s (%s, %s): %s\n", s.Name, s.Side, strings.Join(s.Formats, " "), due)
	}
	if len(d.Legacy) == 0 && d.Entity != "" {
		fmt.Fprintln(w, "legacy algorithms: none allowed")
	}
	for _, l := range d.Legacy {
		fmt.Fprintf(w, "legacy algorithms: server %s may use %s\n", l.Server, strings.Join(l.Algorithms, " "))
	}
	if d.Hook != "" {
		fmt.Fprintf(w, "on_finish: %s\n", d.Hook)
	}
	if len(d.NextRuns) > 0 {
		fmt.Fprintf(w, "next runs: %s\n", strings.Join(d.NextRuns, ", "))
	} else if d.Entity != "" {
		fmt.Fprintln(w, "next runs: none, no schedule is configured")
	}
	for _, l := range d.Online {
		if l.OK {
			fmt.Fprintf(w, "online %s: %s lists %d names, %d of the source", l.Source, l.Place, l.Names, l.Matching)
			if l.Identity != "" {
				fmt.Fprintf(w, "; logged in with %s, host key %s", l.Identity, l.HostKey)
			}
			fmt.Fprintln(w)
		} else {
			fmt.Fprintf(w, "online %s: FAILED: %s\n", l.Source, l.Error)
		}
	}
	fmt.Fprintf(w, "%d errors, %d warnings\n", d.Errors, d.Warnings)
}
