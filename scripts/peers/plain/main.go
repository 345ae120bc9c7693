// Command plain joins the two files of a generated day the way one would write it in an afternoon: encoding/csv and a map.
// It finds what a bare join finds: no duplicates, no sets, no reasons.
//
//	go run ./scripts/peers/plain JOURNAL ACQUIRER REGISTER OUT.csv
package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "plain: name journal, acquirer's file, register and output")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, "plain:", err)
		os.Exit(1)
	}
}

type row struct {
	mid, tid, trace, rrn, kind, code string
	amount                           int64
	met                              bool
}

type join struct {
	rows    []row
	byRRN   map[string]int // merchant, RRN, kind
	byTrace map[string]int // terminal, trace number, kind: rows without RRN
	onlyA   []row
	out     *csv.Writer
	counts  map[string]int
}

func run(journal, acquirer, register, out string) error {
	mids, err := column(filepath.Join(register, "merchants.csv"), 2, 0)
	if err != nil {
		return err
	}
	tids, err := column(filepath.Join(register, "terminals.csv"), 3, 0)
	if err != nil {
		return err
	}
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	defer file.Close()
	j := &join{byRRN: map[string]int{}, byTrace: map[string]int{}, out: csv.NewWriter(file), counts: map[string]int{}}
	if err := j.out.Write([]string{"class", "merchant_id", "terminal_id", "trace_no", "rrn", "kind", "amount", "other_amount"}); err != nil {
		return err
	}
	if err := j.readJournal(journal); err != nil {
		return err
	}
	if err := j.readAcquirer(acquirer, mids, tids); err != nil {
		return err
	}
	if err := j.leftovers(); err != nil {
		return err
	}
	j.out.Flush()
	for _, class := range []string{"T02", "T03", "T04", "T05", "T09", "T14", "T15"} {
		if j.counts[class] > 0 {
			fmt.Println(class, j.counts[class])
		}
	}
	return errors.Join(j.out.Error(), file.Close())
}

// column reads a small table into a map from one column to another.
func column(path string, from, to int) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, err
	}
	m := map[string]string{}
	for _, r := range all {
		m[r[from]] = r[to]
	}
	return m, nil
}

func (j *join) readJournal(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(bufio.NewReaderSize(f, 1<<20))
	if _, err := r.Read(); err != nil { // the header
		return err
	}
	for {
		c, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		amount, err := fen(c[10])
		if err != nil {
			return err
		}
		w := row{mid: c[0], tid: c[2], trace: c[4], rrn: strings.TrimLeft(c[5], "0"), kind: c[9], code: c[13], amount: amount}
		if w.rrn != "" {
			key := w.mid + "|" + w.rrn + "|" + w.kind
			if _, ok := j.byRRN[key]; ok {
				continue // sent twice
			}
			j.byRRN[key] = len(j.rows)
		} else {
			j.byTrace[w.tid+"|"+w.trace+"|"+w.kind] = len(j.rows)
		}
		j.rows = append(j.rows, w)
	}
}

func (j *join) readAcquirer(path string, mids, tids map[string]string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<20)
	for range 4 { // title and header
		if _, err := in.ReadString('\n'); err != nil {
			return err
		}
	}
	r := csv.NewReader(in)
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = '\t', -1, true
	kinds := map[string]string{"消费": "sale", "退货": "refund", "消费撤销": "void"}
	for {
		c, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(c) < 17 || c[0] == "" { // the trailer
			return nil
		}
		amount, err := fen(c[4])
		if err != nil {
			return err
		}
		w := row{mid: mids[c[11]], tid: tids[c[3]], trace: c[7], rrn: strings.TrimLeft(c[9], "0"), kind: kinds[c[8]], amount: max(amount, -amount)}
		n, ok := j.byRRN[w.mid+"|"+w.rrn+"|"+w.kind]
		if !ok {
			j.onlyA = append(j.onlyA, row{
				mid: w.mid, tid: w.tid, trace: strings.Clone(w.trace), rrn: strings.Clone(w.rrn), kind: w.kind, amount: w.amount,
			})
			continue
		}
		if err := j.pair(&j.rows[n], &w); err != nil {
			return err
		}
	}
}

func (j *join) pair(t, a *row) error {
	t.met = true
	switch {
	case t.code != "00":
		return j.report("T05", t, a)
	case t.amount != a.amount:
		return j.report("T04", t, a)
	}
	return nil
}

// leftovers joins by trace number what lacks a reference number on one side, and reports the rest.
func (j *join) leftovers() error {
	for i := range j.rows {
		if w := &j.rows[i]; !w.met && w.rrn != "" {
			j.byTrace[w.tid+"|"+w.trace+"|"+w.kind] = i
		}
	}
	for i := range j.onlyA {
		a := &j.onlyA[i]
		if n, ok := j.byTrace[a.tid+"|"+a.trace+"|"+a.kind]; ok && (a.rrn == "" || j.rows[n].rrn == "") {
			if err := j.pair(&j.rows[n], a); err != nil {
				return err
			}
			continue
		}
		class := "T03"
		if a.kind != "sale" {
			class = "T15"
		}
		if err := j.report(class, nil, a); err != nil {
			return err
		}
	}
	classes := map[string]string{"sale": "T02", "void": "T09", "refund": "T14"}
	for i := range j.rows {
		if t := &j.rows[i]; !t.met && t.code == "00" {
			if err := j.report(classes[t.kind], t, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (j *join) report(class string, t, a *row) error {
	j.counts[class]++
	shown, amount, other := t, "", ""
	if t == nil {
		shown = a
	} else {
		amount = strconv.FormatInt(t.amount, 10)
	}
	if a != nil {
		other = strconv.FormatInt(a.amount, 10)
	}
	return j.out.Write([]string{class, shown.mid, shown.tid, shown.trace, shown.rrn, shown.kind, amount, other})
}

// fen parses an amount with exactly two decimals.
func fen(s string) (int64, error) {
	yuan, cents, ok := strings.Cut(s, ".")
	if !ok || len(cents) != 2 {
		return 0, fmt.Errorf("amount %q: two decimals expected", s)
	}
	return strconv.ParseInt(yuan+cents, 10, 64)
}
