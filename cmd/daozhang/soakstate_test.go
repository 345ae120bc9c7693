package main

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What a killed and repeated command may leave different in the database, and why. All other columns of all tables are
// compared. Rows are compared as sets: a killed attempt may leave the run, or the entry in the audit log, that the
// repetition then makes again, but only with the same content.
func soakLeftOut() map[string][]string {
	return map[string][]string{
		// The wall clock.
		"book":            {"created_at"},
		"closings":        {"recorded_at"},
		"deliveries":      {"received_at"},
		"files":           {"recorded_at", "judged_at"},
		"file_names":      {"recorded_at"},
		"schema_versions": {"tstamp"},
		"schedule":        {"updated_at"},
		"slots":           {"changed_at"},
		"slot_revisions":  {"arrived_at"},
		"slot_aliases":    {"arrived_at"},
		// The wall clock, and what is hashed from it. The chains themselves are checked by `verify`.
		"delivery_names":   {"received_at", "chain"},
		"chains":           {"length", "digest"},
		"audit_log":        {"seq", "recorded_at", "chain"},
		"decisions":        {"decided_at", "decision_id"},
		"decision_members": {"decision_id"},
		// The wall clock, and numbers that count attempts (checked is how many runs there were): run_no stands for the content of the run it names, see soakRuns.
		// The outbox says when a job was done; that it was done is compared.
		"day_runs": {"committed_at", "superseded_at", "state", "cascade", "reason", "run_no", "checked"},
		"issues":   {"issued_at"},
		"outbox":   {},
		// Who holds the lease is compared (nobody); how often it was taken is not.
		"leases": {"token", "taken_at", "heartbeat_at", "expires_at"},
	}
}

// soakAsOf are the columns that also differ where the repetition looks at the world from a later instant.
func soakAsOf() map[string][]string {
	return map[string][]string{"day_runs": {"as_of"}, "issues": {"manifest"}}
}

// soakState is all that an installation holds, in comparable form.
type soakState struct {
	rows  []string          // of the database, sorted
	later []string          // the same without what a later clock changes
	files map[string]string // digests of everything below state and reports, by name; links with their target
}

// soakStateOf reads an installation: the rows as they are, as they must be after a later clock, or both.
func soakStateOf(dir string, rows, later bool) (*soakState, error) {
	s := &soakState{files: map[string]string{}}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if name == "told" {
			s.files[name], err = soakTold(path)
			return err
		}
		top, _, _ := strings.Cut(name, string(filepath.Separator))
		if e.IsDir() || top != "state" && top != "reports" || strings.HasPrefix(name, filepath.Join("state", "daozhang.db")) {
			return nil
		}
		s.files[name], err = soakDigest(path, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	db, err := soakOpen(dir)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if rows {
		s.rows, err = soakDump(db, false)
	}
	if later && err == nil {
		s.later, err = soakDump(db, true)
	}
	return s, err
}

// soakOpen opens the database of an installation for reading.
func soakOpen(dir string) (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+filepath.Join(dir, "state", "daozhang.db")+"?mode=ro")
}

// soakTold lists of which dates somebody was told: at least once, and more often only after a kill.
func soakTold(path string) (string, error) {
	data, err := os.ReadFile(path)
	lines := strings.Fields(string(data))
	for i, l := range lines {
		lines[i] = filepath.Base(filepath.Dir(filepath.Dir(l))) + "/" + filepath.Base(filepath.Dir(l))
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), " "), err
}

func soakDigest(path string, e fs.DirEntry) (string, error) {
	if e.Type()&fs.ModeSymlink != 0 {
		to, err := os.Readlink(path)
		return "-> " + to, err
	}
	data, err := os.ReadFile(path)
	sum := sha256.Sum256(data)
	info, ierr := e.Info()
	if err == nil {
		err = ierr
	}
	if err != nil {
		return "", err
	}
	return info.Mode().String() + " " + hex.EncodeToString(sum[:]), nil
}

// soakDump lists the rows of all tables.
func soakDump(db *sql.DB, later bool) ([]string, error) {
	tables, err := soakQuery(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
	if err != nil {
		return nil, err
	}
	runs, rows, err := soakRuns(db, later)
	if err != nil {
		return nil, err
	}
	for _, table := range tables {
		name := table["name"]
		list, err := soakQuery(db, "SELECT * FROM "+name)
		if err != nil {
			return nil, err
		}
		if name == "decision_members" {
			list, err = soakQuery(db, "SELECT m.*, d.case_id, d.status, d.reason FROM decision_members m JOIN decisions d USING (decision_id)")
			if err != nil {
				return nil, err
			}
		}
		for _, row := range list {
			if n, ok := row["run_no"]; ok && name != "day_runs" {
				row["run_no"] = runs[row["business_date"]+" "+n]
			}
			rows = append(rows, soakRow(name, row, later))
		}
	}
	slices.Sort(rows)
	return slices.Compact(rows), nil
}

// soakRow writes a row without what is left out.
func soakRow(table string, row map[string]string, later bool) string {
	drop := soakLeftOut()[table]
	if later {
		drop = append(slices.Clone(drop), soakAsOf()[table]...)
	}
	switch table {
	case "outbox":
		row["done_at"] = fmt.Sprint(row["done_at"] != "")
	case "audit_log":
		row["detail"] = soakDetail(row["detail"], later)
	case "run_inputs":
		if row["kind"] == "decision" {
			row["input_key"] = "a decision" // its id is made from the wall clock; its digest is compared
		}
	}
	var w strings.Builder
	w.WriteString(table)
	for _, k := range slices.Sorted(maps.Keys(row)) {
		if !slices.Contains(drop, k) {
			fmt.Fprintf(&w, " %s=%q", k, row[k])
		}
	}
	return w.String()
}

// soakDetail takes out of an audit entry what the columns of its table are taken out for.
func soakDetail(text string, later bool) string {
	var m map[string]any
	if json.Unmarshal([]byte(text), &m) != nil {
		return text
	}
	delete(m, "run")
	delete(m, "id")
	if later {
		delete(m, "as_of")
		delete(m, "manifest")
		delete(m, "arrived")
	}
	out, err := json.Marshal(m)
	if err != nil {
		return text
	}
	return string(out)
}

// soakRuns names each run by what it says, and lists which of them is the current one of its date.
func soakRuns(db *sql.DB, later bool) (names map[string]string, current []string, err error) {
	list, err := soakQuery(db, "SELECT * FROM day_runs")
	names = map[string]string{}
	for _, row := range list {
		sum := sha256.Sum256([]byte(soakRow("day_runs", row, later)))
		name := "run " + hex.EncodeToString(sum[:6])
		names[row["business_date"]+" "+row["run_no"]] = name
		if row["state"] == "committed" {
			current = append(current, "current "+row["business_date"]+" "+name)
		}
	}
	return names, current, err
}

// soakQuery returns rows as texts by column; NULL is a text of its own.
func soakQuery(db *sql.DB, query string) ([]map[string]string, error) {
	rows, err := db.Query(query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var out []map[string]string
	for rows.Next() {
		values, into := make([]sql.NullString, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		row := make(map[string]string, len(names))
		for i, v := range values {
			row[names[i]] = v.String
			if !v.Valid {
				row[names[i]] = "NULL"
			}
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

// soakShow is the head of a list of differences.
func soakShow(diff []string) string {
	var w strings.Builder
	fmt.Fprintf(&w, "%d differences", len(diff))
	for _, d := range diff[:min(len(diff), 8)] {
		w.WriteString("\n\t" + d[:min(len(d), 400)])
	}
	return w.String()
}

// differences of two states with the same clock: none are allowed.
func (s *soakState) differences(got *soakState) []string {
	return append(soakSets("database", s.rows, got.rows), soakMaps(s.files, got.files, nil)...)
}

// laterDifferences compares with undisturbed states: first at the first clock, and others with the later one. The rows
// and files must be those of one of the others, and each issued folder that of any of them: nobody may ever see a mixture.
func (s *soakState) laterDifferences(first *soakState, others ...*soakState) (out []string) {
	own := regexp.MustCompile(`^reports/[^/]+/r[0-9]+/`)
	folder := func(name string) string { return own.FindString(filepath.ToSlash(name)) }
	for i, o := range others {
		diff := append(soakSets("database", o.later, s.later), soakMaps(o.files, s.files, func(name string) bool { return folder(name) != "" })...)
		if i == 0 || len(diff) < len(out) {
			out = diff
		}
	}
	for f := range soakFolders(s.files, first.files, folder) {
		var best []string
		for i, o := range append([]*soakState{first}, others...) {
			diff := soakMaps(soakFolder(o.files, f), soakFolder(s.files, f), nil)
			if i == 0 || len(diff) < len(best) {
				best = diff
			}
		}
		out = append(out, best...)
	}
	return out
}

func soakFolders(a, b map[string]string, folder func(string) string) map[string]bool {
	out := map[string]bool{}
	for _, files := range []map[string]string{a, b} {
		for name := range files {
			if f := folder(name); f != "" {
				out[f] = true
			}
		}
	}
	return out
}

func soakFolder(files map[string]string, folder string) map[string]string {
	out := map[string]string{}
	for name, sum := range files {
		if strings.HasPrefix(filepath.ToSlash(name), folder) {
			out[name] = sum
		}
	}
	return out
}

func soakSets(what string, want, got []string) (out []string) {
	for _, x := range want {
		if _, ok := slices.BinarySearch(got, x); !ok {
			out = append(out, what+" lacks "+x)
		}
	}
	for _, x := range got {
		if _, ok := slices.BinarySearch(want, x); !ok {
			out = append(out, what+" has "+x)
		}
	}
	return out
}

func soakMaps(want, got map[string]string, skip func(string) bool) (out []string) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if (skip == nil || !skip(name)) && got[name] != want[name] {
			out = append(out, fmt.Sprintf("%s is %q, want %q", name, got[name], want[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok && (skip == nil || !skip(name)) {
			out = append(out, "only after the kill: "+name)
		}
	}
	return out
}

// soakKept are the files of reports that stand under their names: from now on they must stay as they are. They are told
// by what the file system says of them; what is in them is compared at the end.
func soakKept(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	paths, err := filepath.Glob(filepath.Join(dir, "reports", "*", "r*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = fmt.Sprint(info.Mode(), info.Size(), info.ModTime().UnixNano())
	}
	return out
}
