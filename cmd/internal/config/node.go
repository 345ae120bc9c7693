package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	yaml "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"daozhang/parsers/txn"
)

// place is where a value stands in the YAML text.
type place struct{ line, column int }

// reader walks a YAML tree, fills typed values and collects problems. It reads the tree itself instead of decoding
// into structs, because a decoder stops at the first problem and forgets where values stood.
type reader struct {
	file     string
	dir      string // for relative paths
	problems Problems
	at       map[string]place // by path: sources[0].due
}

// read fills a value from a node. The path is for messages and later checks.
type read func(n ast.Node, path string)

// field is one key of a mapping.
type field struct {
	key  string
	must bool
	read read
}

func must(key string, r read) field { return field{key, true, r} }
func may(key string, r read) field  { return field{key, false, r} }

// parse returns the single document's body, or nil after reporting why there is none.
func (r *reader) parse(data []byte) ast.Node {
	f, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var se *yaml.SyntaxError
		if !errors.As(err, &se) || se.Token == nil {
			r.problems = append(r.problems, Problem{File: r.file, Text: "not YAML: " + firstLine(err.Error())})
			return nil
		}
		hint := ""
		if strings.Contains(se.Message, "flow m") || strings.Contains(se.Message, "'}'") || strings.Contains(se.Message, "']'") {
			hint = "; texts with braces or brackets, such as name patterns, stand in quotes"
		}
		r.problems = append(r.problems, Problem{File: r.file, Line: se.Token.Position.Line, Column: se.Token.Position.Column,
			Text: "not YAML: " + se.Message + hint})
		return nil
	}
	var body ast.Node
	for _, d := range f.Docs {
		switch {
		case d.Body == nil:
		case body != nil:
			r.errorf(d.Body, "a second YAML document; one file holds one configuration, remove everything from --- on")
		default:
			body = d.Body
		}
	}
	if body == nil {
		r.problems = append(r.problems, Problem{File: r.file, Text: "the file is empty; it must hold at least version, entity, go_live and sources"})
	}
	return body
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// where is the place of a node: that of its first key for a block mapping, since goccy gives the colon.
func where(n ast.Node) place {
	tk := n.GetToken()
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 && tk.Type != token.MappingStartType {
		tk = m.Values[0].Key.GetToken()
	}
	return place{tk.Position.Line, tk.Position.Column}
}

func (r *reader) errorf(n ast.Node, format string, args ...any) {
	r.problem(where(n), false, format, args...)
}

func (r *reader) problem(p place, warning bool, format string, args ...any) {
	r.problems = append(r.problems, Problem{File: r.file, Line: p.line, Column: p.column, Warning: warning,
		Text: fmt.Sprintf(format, args...)})
}

// mapping reads a mapping with the given keys. Unknown, repeated and missing keys are problems.
func (r *reader) mapping(fields ...field) read {
	return func(n ast.Node, path string) {
		seen := map[string]place{}
		known := make([]string, len(fields))
		for i, f := range fields {
			known[i] = f.key
		}
		if !r.pairs(n, path, func(key string, k, v ast.Node) {
			i := slices.Index(known, key)
			if i < 0 {
				r.errorf(k, "unknown key %s in %s; %s", key, orRoot(path), didYouMean(key, known))
				return
			}
			if first, twice := seen[key]; twice {
				r.errorf(k, "key %s stands twice, first on line %d; keep one of them", key, first.line)
				return
			}
			seen[key] = where(k)
			p := join(path, key)
			r.at[p] = where(v)
			if _, null := v.(*ast.NullNode); null {
				r.at[p] = where(k)
				r.errorf(k, "key %s has no value; give one or remove the line", key)
				return
			}
			fields[i].read(v, p)
		}) {
			return
		}
		for _, f := range fields {
			if _, ok := seen[f.key]; f.must && !ok {
				r.errorf(n, "key %s is missing in %s; add it", f.key, orRoot(path))
			}
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func orRoot(path string) string {
	if path == "" {
		return "the configuration"
	}
	return path
}

// pairs calls f for each key of a mapping; false if the node is none. Keys are texts.
func (r *reader) pairs(n ast.Node, path string, f func(key string, k, v ast.Node)) bool {
	var values []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		r.errorf(n, "%s must be a mapping of keys to values, not %s", orRoot(path), describe(n))
		return false
	}
	for _, v := range values {
		k, ok := v.Key.(*ast.StringNode)
		if !ok {
			r.errorf(v.Key, "a key in %s is %s; keys are texts, put it in quotes", orRoot(path), describe(v.Key))
			continue
		}
		f(k.Value, v.Key, v.Value)
	}
	return true
}

// list reads a sequence; each is called with the path of the element.
func (r *reader) list(each func(n ast.Node, path string, i int)) read {
	return func(n ast.Node, path string) {
		seq, ok := n.(*ast.SequenceNode)
		if !ok {
			r.errorf(n, "%s must be a list, not %s; write [a, b] or one element a line after a dash", path, describe(n))
			return
		}
		for i, v := range seq.Values {
			p := fmt.Sprintf("%s[%d]", path, i)
			r.at[p] = where(v)
			each(v, p, i)
		}
	}
}

// str returns a text. A number, a truth value or nothing without quotes is a problem: what YAML makes of it is not
// what was written.
func (r *reader) str(n ast.Node, path string) (string, bool) {
	switch s := n.(type) {
	case *ast.StringNode:
		if s.Value == "" {
			r.errorf(n, "%s is empty; give a value or remove the key", path)
			return "", false
		}
		return s.Value, true
	case *ast.LiteralNode:
		return s.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		text := n.GetToken().Value
		r.errorf(n, "%s is a text but %s has no quotes, and YAML reads it as %s; write %q", path, text, describe(n), text)
		return "", false
	}
	r.errorf(n, "%s must be a text, not %s", path, describe(n))
	return "", false
}

func describe(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode, *ast.LiteralNode:
		return "a text"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.NullNode:
		return "nothing"
	case *ast.AliasNode, *ast.AnchorNode, *ast.MergeKeyNode:
		return "an anchor or alias (not supported: write the value out)"
	case *ast.TagNode:
		return "a tag (not supported: write the value in quotes)"
	}
	return "something else"
}

func (r *reader) text(dst *string) read {
	return func(n ast.Node, path string) {
		if s, ok := r.str(n, path); ok {
			*dst = s
		}
	}
}

func (r *reader) texts(dst *[]string) read {
	return r.list(func(n ast.Node, path string, _ int) {
		s, ok := r.str(n, path)
		if ok && slices.Contains(*dst, s) {
			r.errorf(n, "%s: %q stands in the list already; remove one of them", path, s)
		} else if ok {
			*dst = append(*dst, s)
		}
	})
}

// some is texts with at least one.
func (r *reader) some(dst *[]string) read {
	return func(n ast.Node, path string) {
		if seq, ok := n.(*ast.SequenceNode); ok && len(seq.Values) == 0 {
			r.errorf(n, "%s is empty; give at least one", path)
			return
		}
		r.texts(dst)(n, path)
	}
}

// path reads a path relative to the configuration's folder.
func (r *reader) path(dst *string) read {
	return func(n ast.Node, path string) {
		if s, ok := r.str(n, path); ok {
			*dst = r.abs(s)
		}
	}
}

func (r *reader) paths(dst *[]string) read {
	return func(n ast.Node, path string) {
		r.texts(dst)(n, path)
		for i := range *dst {
			(*dst)[i] = r.abs((*dst)[i])
		}
	}
}

func (r *reader) abs(p string) string {
	if filepath.IsAbs(p) {
		return filepath.Clean(p)
	}
	return filepath.Join(r.dir, p)
}

// number reads a whole number in decimal digits.
func (r *reader) number(dst *int, lo, hi int) read {
	return func(n ast.Node, path string) {
		text := n.GetToken().Value
		v, err := strconv.Atoi(text)
		if _, ok := n.(*ast.IntegerNode); !ok || err != nil || v < lo || v > hi || text != strconv.Itoa(v) {
			r.errorf(n, "%s must be a whole number from %d to %d, without quotes or leading zeros", path, lo, hi)
			return
		}
		*dst = v
	}
}

// truth reads true or yes, false or no.
func (r *reader) truth(dst *bool) read {
	return func(n ast.Node, path string) {
		switch n.GetToken().Value {
		case "true", "yes":
			*dst = true
		case "false", "no":
			*dst = false
		default:
			r.errorf(n, "%s must be yes or no", path)
		}
	}
}

// oneOf reads one of a few words.
func oneOf[T ~string](r *reader, dst *T, words ...T) read {
	return func(n ast.Node, path string) {
		s, ok := r.str(n, path)
		if !ok {
			return
		}
		if slices.Contains(words, T(s)) {
			*dst = T(s)
			return
		}
		names := make([]string, len(words))
		for i, w := range words {
			names[i] = string(w)
		}
		r.errorf(n, "%s is %q but must be %s", path, s, strings.Join(names, " or "))
	}
}

func (r *reader) date(dst *txn.Date) read {
	return func(n ast.Node, path string) {
		s, ok := r.str(n, path)
		if !ok {
			return
		}
		d, err := txn.ParseDate(s)
		if err != nil {
			r.errorf(n, "%s: %v", path, err)
			return
		}
		*dst = d
	}
}

func (r *reader) duration(dst *time.Duration, lo, hi time.Duration) read {
	return func(n ast.Node, path string) {
		s, ok := r.str(n, path)
		if !ok {
			return
		}
		d, err := time.ParseDuration(s)
		if err != nil || d < lo || d > hi {
			r.errorf(n, "%s is %q but must be a time span from %s to %s, such as 30s, 5m or 2h", path, s, span(lo), span(hi))
			return
		}
		*dst = d
	}
}

// span writes 1h instead of 1h0m0s.
func span(d time.Duration) string {
	s := d.String()
	s = strings.TrimSuffix(s, "0s")
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	if s == "" {
		return "0s"
	}
	return s
}

func (r *reader) currency(dst *txn.Currency) read {
	return func(n ast.Node, path string) {
		s, ok := r.str(n, path)
		if !ok {
			return
		}
		c, ok := txn.ParseCurrency(s)
		if !ok || c.String() != s {
			r.errorf(n, "%s is %q but must be an ISO 4217 code in capitals, such as CNY", path, s)
			return
		}
		*dst = c
	}
}

func (r *reader) zone(dst **time.Location) read {
	return func(n ast.Node, path string) {
		s, ok := r.str(n, path)
		if !ok {
			return
		}
		loc, err := time.LoadLocation(s)
		if err != nil || s == "Local" {
			r.errorf(n, "%s: %q is not the name of a time zone; write one such as Asia/Shanghai", path, s)
			return
		}
		*dst = loc
	}
}
