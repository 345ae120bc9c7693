package pipeline

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"slices"
	"strings"
)

// What depends on the order of arrival, and so is no part of a comparison.
var (
	// X03 is not left out: that a file changes closed books must be shown, and when it came is stored with it.
	orderClasses = []string{"F02", "F05", "X01", "X02"}
	orderColumns = []string{"revision", "file", "line", "other_file", "other_line"}
	orderKeys    = []string{"history", "as_of", "revision", "slots"}
)

// comparableCSV writes exceptions.csv without the classes and columns that depend on the order of arrival.
func comparableCSV(w io.Writer, r io.Reader) error {
	in := csv.NewReader(r)
	head, err := in.Read()
	if err != nil {
		return err
	}
	class := slices.Index(head, "class")
	var keep []int
	for i, h := range head {
		if !slices.Contains(orderColumns, h) {
			keep = append(keep, i)
		}
	}
	for row := head; err == nil; row, err = in.Read() {
		if slices.Contains(orderClasses, row[class]) {
			continue
		}
		cells := make([]string, len(keep))
		for n, i := range keep {
			cells[n] = row[i]
		}
		if _, err := io.WriteString(w, strings.Join(cells, "\x1f")+"\n"); err != nil {
			return err
		}
	}
	if err != io.EOF {
		return err
	}
	return nil
}

// comparableJSON writes summary.json without the keys that depend on the order of arrival.
func comparableJSON(w io.Writer, data []byte) error {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	for _, k := range orderKeys {
		delete(m, k)
	}
	out, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = w.Write(out)
	return err
}
