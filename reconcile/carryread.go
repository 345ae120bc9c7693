package reconcile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// jsonText is JSON that is read from front to back. What is no JSON, or not of the kind that is asked for, is an error.
type jsonText struct {
	rest []byte
}

var errCut = fmt.Errorf("it ends in the middle: %w", io.ErrUnexpectedEOF)

// peek is the next byte that is no blank; 0 at the end.
func (t *jsonText) peek() byte {
	for i, c := range t.rest {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			t.rest = t.rest[i:]
			return c
		}
	}
	t.rest = nil
	return 0
}

// skip takes the byte c and reports whether it was there.
func (t *jsonText) skip(c byte) bool {
	if t.peek() != c {
		return false
	}
	t.rest = t.rest[1:]
	return true
}

func (t *jsonText) demand(c byte) error {
	if t.skip(c) {
		return nil
	}
	return t.unexpected(string(c))
}

func (t *jsonText) unexpected(want string) error {
	if t.peek() == 0 {
		return errCut
	}
	return fmt.Errorf("%s expected, found %.20q", want, t.rest)
}

// word takes true, false, null or a number; empty where there is something else.
func (t *jsonText) word() []byte {
	t.peek()
	n := 0
	for n < len(t.rest) && strings.IndexByte(" \t\r\n,:]}{[\"", t.rest[n]) < 0 {
		n++
	}
	w := t.rest[:n]
	t.rest = t.rest[n:]
	return w
}

// quoted takes a string with its quotes. plain reports that what is between them stands as it is.
func (t *jsonText) quoted() (q []byte, plain bool, err error) {
	if t.peek() != '"' {
		return nil, false, t.unexpected("a text")
	}
	plain, wide := true, false
	for n := 1; n < len(t.rest); n++ {
		switch c := t.rest[n]; {
		case c == '"':
			q = t.rest[:n+1]
			t.rest = t.rest[n+1:]
			return q, plain && (!wide || utf8.Valid(q)), nil
		case c == '\\':
			plain = false
			n++
		case c < ' ':
			return nil, false, fmt.Errorf("a control character stands in a text")
		case c >= utf8.RuneSelf:
			wide = true
		}
	}
	return nil, false, errCut
}

func (t *jsonText) text() (string, error) {
	q, plain, err := t.quoted()
	if err != nil || plain {
		return string(q[min(1, len(q)):max(len(q)-1, 0)]), err
	}
	var s string
	err = json.Unmarshal(q, &s)
	return s, err
}

// object takes an object and tells each of its keys, behind which the value must be taken.
func (t *jsonText) object(member func(key string) error) error {
	if err := t.demand('{'); err != nil || t.skip('}') {
		return err
	}
	for {
		key, err := t.text()
		if err == nil {
			err = t.demand(':')
		}
		if err == nil {
			err = member(key)
		}
		if err != nil {
			return err
		}
		if !t.skip(',') {
			return t.demand('}')
		}
	}
}

// list takes a list and asks for each of its values to be taken.
func (t *jsonText) list(element func(n int) error) error {
	if err := t.demand('['); err != nil || t.skip(']') {
		return err
	}
	for n := 0; ; n++ {
		if err := element(n); err != nil {
			return err
		}
		if !t.skip(',') {
			return t.demand(']')
		}
	}
}

// raw takes one value as it stands, of which only where it ends is known to be right.
func (t *jsonText) raw() ([]byte, error) {
	t.peek()
	all, depth := t.rest, 0
	for {
		switch c := t.peek(); c {
		case 0:
			return nil, errCut
		case '"':
			if _, _, err := t.quoted(); err != nil {
				return nil, err
			}
		case '{', '[':
			depth++
			t.rest = t.rest[1:]
		case '}', ']':
			if depth--; depth < 0 {
				return nil, t.unexpected("a value")
			}
			t.rest = t.rest[1:]
		case ',', ':':
			if depth == 0 {
				return nil, t.unexpected("a value")
			}
			t.rest = t.rest[1:]
		default:
			t.word()
		}
		if depth == 0 {
			return all[:len(all)-len(t.rest)], nil
		}
	}
}

// end demands that nothing is left.
func (t *jsonText) end() error {
	if t.peek() != 0 {
		return t.unexpected("the end")
	}
	return nil
}

// splitLine takes a line of a carry apart. Its data and row are parts of the line and still to be read.
func splitLine(line []byte) (l carryLine, err error) {
	t := jsonText{line}
	err = t.object(func(key string) (err error) {
		switch key {
		case "kind":
			l.Kind, err = t.text()
		case "key":
			l.Key, err = t.text()
		case "data":
			l.Data, err = t.raw()
		case "row":
			l.Row, err = t.raw()
		default:
			err = unknownField(key)
		}
		return err
	})
	return l, errors.Join(err, t.end())
}

func unknownField(name string) error {
	return fmt.Errorf("unknown field %q; was this written by a newer program?", name)
}

// readShape reads what split wrote, or one part of it, into what v points to. A field that the type does not have is an
// error: what a newer program wrote must not be lost.
func readShape(data []byte, v any) error {
	x := reflect.ValueOf(v).Elem()
	t := jsonText{data}
	if err := t.fill(x, carryShapes[x.Type()]); err != nil {
		return err
	}
	return t.end()
}

// fill reads one value into v; in is the shape of a struct. null leaves v as it is.
func (t *jsonText) fill(v reflect.Value, in *shape) error {
	switch c := t.peek(); {
	case c == 'n':
		if w := t.word(); string(w) != "null" {
			return fmt.Errorf("%.20q is no value", w)
		}
		return nil
	case c == 0:
		return errCut
	}
	switch v.Kind() {
	case reflect.String:
		s, err := t.text()
		v.SetString(s)
		return err
	case reflect.Bool:
		w := string(t.word())
		v.SetBool(w == "true")
		if w != "true" && w != "false" {
			return fmt.Errorf("true or false expected, found %.20q", w)
		}
		return nil
	case reflect.Struct:
		return t.fillStruct(v, in)
	case reflect.Pointer:
		if in == nil {
			return t.unexpected("null")
		}
		v.Set(reflect.New(v.Type().Elem()))
		return t.fillStruct(v.Elem(), in)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		return t.list(func(n int) error {
			v.Grow(1)
			v.SetLen(n + 1)
			v.Index(n).SetZero()
			return t.fill(v.Index(n), in)
		})
	case reflect.Array:
		return t.list(func(n int) error {
			if n >= v.Len() {
				return fmt.Errorf("a list of more than %d", v.Len())
			}
			return t.fill(v.Index(n), in)
		})
	}
	return t.fillNumber(v)
}

func (t *jsonText) fillStruct(v reflect.Value, in *shape) error {
	next := 0 // keys come sorted as a rule
	return t.object(func(key string) error {
		if next >= len(in.fields) || in.fields[next].name != key {
			if next = slices.IndexFunc(in.fields, func(f shapeField) bool { return f.name == key }); next < 0 {
				return unknownField(key)
			}
		}
		f := &in.fields[next]
		next++
		if err := t.fill(v.FieldByIndex(f.index), f.in); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
}

func (t *jsonText) fillNumber(v reflect.Value) (err error) {
	w := string(t.word())
	if digits := strings.TrimPrefix(w, "-"); digits == "" || digits[0] < '0' || digits[0] > '9' || len(digits) > 1 && digits[0] == '0' {
		return fmt.Errorf("a number expected, found %.20q", w)
	}
	if v.CanUint() {
		var n uint64
		n, err = strconv.ParseUint(w, 10, v.Type().Bits())
		v.SetUint(n)
		return err
	}
	n, err := strconv.ParseInt(w, 10, v.Type().Bits())
	v.SetInt(n)
	return err
}
