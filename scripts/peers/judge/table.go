package main

import (
	"bufio"
	"fmt"
	"io"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
)

// figures are all runs of one program on one day; thousandths of a second, and KiB.
type figures struct {
	day, program       string
	wall, cpu, sys, kb []int64
	failed             int
}

// tables prints a table a day from lines "day/program, wall, user, system, KiB, exit", days and programs in the order in
// which they were first measured.
func tables(path string, out io.Writer) error {
	all, err := readFigures(path)
	if err != nil {
		return err
	}
	for _, day := range daysOf(all) {
		fmt.Fprintf(out, "\n%s rows a side\n\n", day)
		fmt.Fprintln(out, "| program | runs | wall s, median (range) | CPU s | of it system | peak MiB | wall / duckdb | CPU / duckdb | memory / duckdb | wall / probe | CPU / probe |")
		fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|---|---|")
		duck, probe := find(all, day, "duckdb"), find(all, day, "probe")
		for _, f := range all {
			if f.day != day {
				continue
			}
			note := ""
			if f.failed > 0 {
				note = fmt.Sprintf(" (%d failed)", f.failed)
			}
			fmt.Fprintf(out, "| %s%s | %d | %s (%s-%s) | %s | %s | %d | %s | %s | %s | %s | %s |\n", f.program, note, len(f.wall), seconds(median(f.wall)),
				seconds(slices.Min(f.wall)), seconds(slices.Max(f.wall)), seconds(median(f.cpu)), seconds(median(f.sys)), (median(f.kb)+512)/1024,
				against(f, duck, wallOf), against(f, duck, cpuOf), against(f, duck, memoryOf), against(f, probe, wallOf), against(f, probe, cpuOf))
		}
	}
	growth(all, out)
	return nil
}

// growth compares the product with itself: between sizes, and each shape with the even day of its size.
func growth(all []*figures, out io.Writer) {
	for _, f := range all {
		if f.program != "daozhang" {
			continue
		}
		rows, shape, _ := strings.Cut(f.day, " ")
		for _, o := range all {
			if o == f || o.program != f.program {
				continue
			}
			other, otherShape, _ := strings.Cut(o.day, " ")
			switch {
			case shape != "" && otherShape == "" && other == rows:
				fmt.Fprintf(out, "\n%s against the even day: wall %s, CPU %s, memory %s", f.day, against(f, o, wallOf), against(f, o, cpuOf), against(f, o, memoryOf))
			case shape == "" && otherShape == "" && numberOf(other) < numberOf(rows):
				fmt.Fprintf(out, "\n%s against %s rows: wall %s, CPU %s, memory %s", f.day, other, against(f, o, wallOf), against(f, o, cpuOf), against(f, o, memoryOf))
			}
		}
	}
	fmt.Fprintln(out)
}

func numberOf(s string) int {
	n, _ := strconv.Atoi(s) // a name that is no number sorts first
	return n
}

func readFigures(path string) ([]*figures, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var all []*figures
	for s := bufio.NewScanner(file); s.Scan(); {
		c := strings.Split(s.Text(), "\t")
		if len(c) != 6 {
			return nil, fmt.Errorf("%s: %q: six columns expected", path, s.Text())
		}
		day, program, _ := strings.Cut(c[0], "/")
		f := find(all, day, program)
		if f == nil {
			f = &figures{day: day, program: program}
			all = append(all, f)
		}
		var n [4]int64
		for i := range n {
			if n[i], err = strconv.ParseInt(strings.Replace(c[i+1], ".", "", 1), 10, 64); err != nil {
				return nil, fmt.Errorf("%s: %q: %w", path, s.Text(), err)
			}
		}
		f.wall, f.cpu, f.sys, f.kb = append(f.wall, n[0]), append(f.cpu, n[1]+n[2]), append(f.sys, n[2]), append(f.kb, n[3])
		if c[5] != "0" {
			f.failed++
		}
	}
	return all, nil
}

func daysOf(all []*figures) (days []string) {
	for _, f := range all {
		if !slices.Contains(days, f.day) {
			days = append(days, f.day)
		}
	}
	return days
}

func find(all []*figures, day, program string) *figures {
	for _, f := range all {
		if f.day == day && f.program == program {
			return f
		}
	}
	return nil
}

func wallOf(f *figures) []int64   { return f.wall }
func cpuOf(f *figures) []int64    { return f.cpu }
func memoryOf(f *figures) []int64 { return f.kb }

// against is the ratio of two medians to two decimals.
func against(f, o *figures, of func(*figures) []int64) string {
	if o == nil || median(of(o)) == 0 {
		return ""
	}
	return big.NewRat(median(of(f)), median(of(o))).FloatString(2)
}

// median is the middle value, the lower of two.
func median(v []int64) int64 {
	s := slices.Sorted(slices.Values(v))
	return s[(len(s)-1)/2]
}

func seconds(thousandths int64) string {
	return big.NewRat(thousandths, 1000).FloatString(2)
}
