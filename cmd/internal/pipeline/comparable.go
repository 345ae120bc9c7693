package pipeline

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
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

// comparableJSON writes summary.json without the keys that depend on the order of arrival: its keys sorted, without white
// space, with <, > and & escaped. It takes the text apart by its lines, as reports.WriteSummary sets them, rather than decode
// and encode what was encoded just before.
func comparableJSON(w io.Writer, data []byte) error {
	body, ok := bytes.CutPrefix(data, []byte("{\n"))
	body, end := bytes.CutSuffix(body, []byte("\n}\n"))
	if !ok || !end {
		return errNotIndented
	}
	type part struct {
		key      string // quoted
		from, to int
	}
	var parts []part
	out := make([]byte, 0, len(data))
	for line := range bytes.Lines(body) {
		text := bytes.TrimLeft(line, " ")
		indent := len(line) - len(text)
		name, value := cutKey(bytes.TrimSuffix(text, []byte("\n")))
		switch {
		case indent == summaryIndent && name != nil:
			parts = append(parts, part{key: string(name), from: len(out)})
		case len(parts) == 0:
			return errNotIndented
		case name != nil:
			out = append(appendEscaped(out, name), ':')
		}
		out = appendEscaped(out, value)
		parts[len(parts)-1].to = len(out)
	}
	parts = slices.DeleteFunc(parts, func(p part) bool { return slices.Contains(orderKeys, strings.Trim(p.key, `"`)) })
	slices.SortFunc(parts, func(a, b part) int { return strings.Compare(a.key, b.key) })
	lead := "{"
	for _, p := range parts {
		if _, err := fmt.Fprintf(w, "%s%s:%s", lead, p.key, bytes.TrimSuffix(out[p.from:p.to], []byte(","))); err != nil {
			return err
		}
		lead = ","
	}
	_, err := io.WriteString(w, "}")
	return err
}

// summaryIndent is how far the keys of a summary are indented.
const summaryIndent = 2

var errNotIndented = errors.New("not as WriteSummary sets it")

// cutKey cuts a line of JSON in front of whose value a key stands; name is nil where there is none.
func cutKey(line []byte) (name, value []byte) {
	if len(line) == 0 || line[0] != '"' {
		return nil, line
	}
	for i := 1; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			if value, ok := bytes.CutPrefix(line[i+1:], []byte(": ")); ok {
				return line[:i+1], value
			}
			return nil, line
		}
	}
	return nil, line
}

// appendEscaped appends JSON with what HTML reads as markup escaped, as encoding/json does where nobody asks it not to.
func appendEscaped(b, text []byte) []byte {
	const hex = "0123456789abcdef"
	from := 0
	for i, c := range text {
		if c == '<' || c == '>' || c == '&' {
			b = append(append(b, text[from:i]...), '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			from = i + 1
		}
	}
	return append(b, text[from:]...)
}
