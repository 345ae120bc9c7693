// Command judge holds results against what was planted in a generated day, and lays figures out as a table.
//
//	go run ./scripts/peers/judge book DAY BOOK                exceptions.csv and summary.json of the product
//	go run ./scripts/peers/judge join DAY EXCEPTIONS.csv      the output of a bare join
//	go run ./scripts/peers/judge table FIGURES                what measure --append has written
//
// Exit code 1 says that something planted was not found, or that something was reported that was not planted.
package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

var errWrong = errors.New("the result is not what was planted")

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	switch {
	case len(args) == 3 && args[0] == "book":
		return book(args[1], args[2], out)
	case len(args) == 3 && args[0] == "join":
		return join(args[1], args[2], out)
	case len(args) == 2 && args[0] == "table":
		return tables(args[1], out)
	}
	return errors.New("say book DAY BOOK, join DAY EXCEPTIONS.csv, or table FIGURES")
}

// day is what bulk.json says.
type day struct {
	Shape                 string
	Journal, Acquirer     int
	Faults, Traps, Passes map[string]int
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// eachRow calls do with the rows of a CSV file; get finds a cell by the name of its column.
func eachRow(path string, do func(get func(string) string)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	at := map[string]int{}
	for i, name := range head {
		at[name] = i
	}
	var row []string
	get := func(name string) string {
		if i, ok := at[name]; ok {
			return row[i]
		}
		return ""
	}
	for {
		if row, err = r.Read(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		do(get)
	}
}

// score counts one class.
type score struct{ planted, reported, right int }

// keyOf names a row: RRNs may be at two merchants, and of a sale and its void.
func keyOf(get func(string) string) string {
	return strings.Join([]string{get("merchant_id"), get("kind"), strings.TrimLeft(get("rrn"), "0"), get("trace_no")}, "|")
}

// book judges exceptions.csv line by line, and the pairs by the pass that found them.
func book(dir, result string, out io.Writer) error {
	var d day
	if err := readJSON(filepath.Join(dir, "bulk.json"), &d); err != nil {
		return err
	}
	want, trap := map[string]bool{}, map[string]string{}
	err := eachRow(filepath.Join(dir, "planted.csv"), func(get func(string) string) {
		if c := get("class"); c != "" {
			want[c+"|"+keyOf(get)] = true
		} else {
			trap[strings.Clone(keyOf(get))] = strings.Clone(get("trap"))
		}
	})
	if err != nil {
		return err
	}
	scores := map[string]*score{}
	for c, n := range d.Faults {
		scores[c] = &score{planted: n}
	}
	trapped := map[string]int{}
	payouts, seen := 0, map[string]bool{}
	err = eachRow(filepath.Join(result, "exceptions.csv"), func(get func(string) string) {
		if get("leg") != "T-A" {
			payouts++ // of the composed payouts there is no evidence in two files
			return
		}
		c := strings.Clone(get("class"))
		if scores[c] == nil {
			scores[c] = &score{}
		}
		scores[c].reported++
		key := keyOf(get)
		if name, ok := trap[key]; ok {
			trapped[name]++
		}
		if key = c + "|" + key; d.Shape == "unmatched" || want[key] && !seen[key] {
			scores[c].right++
			seen[key] = true
		}
	})
	if err != nil {
		return err
	}
	wrong := printScores(out, scores)
	fmt.Fprintf(out, "traps: %d planted, %d reported %s; payout lines of leg A-B: %d, not judged\n", sumOf(d.Traps), sumOf(trapped), list(trapped), payouts)
	passes, err := passesOf(filepath.Join(result, "summary.json"))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "pairs by pass: %s", list(passes))
	if !maps.Equal(passes, d.Passes) {
		fmt.Fprintf(out, ", planted %s", list(d.Passes))
		wrong = true
	}
	fmt.Fprintln(out)
	if wrong || len(trapped) > 0 {
		return errWrong
	}
	return nil
}

func printScores(out io.Writer, scores map[string]*score) (wrong bool) {
	fmt.Fprintf(out, "%-6s %9s %9s %9s %10s %10s\n", "class", "planted", "reported", "right", "precision", "recall")
	for _, c := range slices.Sorted(maps.Keys(scores)) {
		s := scores[c]
		fmt.Fprintf(out, "%-6s %9d %9d %9d %10s %10s\n", c, s.planted, s.reported, s.right, ratio(s.right, s.reported), ratio(s.right, s.planted))
		wrong = wrong || s.planted != s.reported || s.reported != s.right
	}
	return wrong
}

// ratio prints right/of cut, not rounded, to four decimals: 1.0000 is said of nothing less.
func ratio(right, of int) string {
	if of == 0 {
		return "-"
	}
	n := right * 10_000 / of
	return fmt.Sprintf("%d.%04d", n/10_000, n%10_000)
}

func passesOf(path string) (map[string]int, error) {
	var s struct {
		Passes []struct {
			Leg, Pass string
			Matches   int
		}
	}
	if err := readJSON(path, &s); err != nil {
		return nil, err
	}
	got := map[string]int{}
	for _, p := range s.Passes {
		if p.Leg == "T-A" {
			got[p.Pass] += p.Matches
		}
	}
	return got, nil
}

// join compares a bare join's counts with what such a join can find: it takes rows without any id, and sales that were
// voided before they were cleared, for missing, and sees no copies and no swapped terminals.
func join(dir, path string, out io.Writer) error {
	var d day
	if err := readJSON(filepath.Join(dir, "bulk.json"), &d); err != nil {
		return err
	}
	f, t := d.Faults, d.Traps
	bare := t["no_ids_acquirer"] + 2*t["interchangeable"]
	scores := map[string]*score{
		"T02": {planted: f["T02"] + bare + t["voided_not_cleared"]}, "T03": {planted: f["T03"] + bare},
		"T04": {planted: f["T04"]}, "T05": {planted: f["T05"]}, "T09": {planted: f["T09"] + t["voided_not_cleared"]},
	}
	err := eachRow(path, func(get func(string) string) {
		c := strings.Clone(get("class"))
		if scores[c] == nil {
			scores[c] = &score{}
		}
		scores[c].reported++
	})
	if err != nil {
		return err
	}
	wrong := false
	for _, c := range slices.Sorted(maps.Keys(scores)) {
		s := scores[c]
		fmt.Fprintf(out, "%s %d of %d  ", c, s.reported, s.planted)
		wrong = wrong || s.reported != s.planted
	}
	fmt.Fprintln(out)
	if wrong {
		return errWrong
	}
	return nil
}

func sumOf(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

func list(m map[string]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, m[k]))
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
