package reconcile

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"daozhang/parsers/txn"
)

// What a carry holds is written and read by the shapes of its types: one walk over the fields instead of several over
// generic maps. The bytes are those that encoding/json writes for a map of the same content, so that keys come sorted
// whatever the order of the struct's fields:
//
//	CarriedItem{Key: "k", At: Ref{Member: "a.csv"}, Late: true}
//	data    {"Acquirer":"","CaseID":"", ... ,"Key":"k","Late":true, ... }
//	places  {"At":{"Delivery":"","Line":0,"Member":"a.csv","SHA256":""}}

// placeKeys are the fields that say where evidence lies.
var placeKeys = [...]string{"At", "ProofAt", "CreditAt", "File", "Member"}

// shape is a struct as one JSON object, its keys sorted.
type shape struct {
	fields []shapeField
}

type shapeField struct {
	name      string
	head      string // `"name":`
	index     []int
	skipEmpty bool
	place     bool   // one of placeKeys
	in        *shape // of a struct, also behind a pointer or in a list; else nil
}

// carryShapes are the shapes of all that a line can hold.
var carryShapes = shapesOf(CarriedItem{}, CarriedPayout{}, CarriedSlot{}, Paid{}, Balance{}, CarriedCase{}, Debt{}, Closed{})

func shapesOf(values ...any) map[reflect.Type]*shape {
	shapes := map[reflect.Type]*shape{}
	for _, v := range values {
		addShape(shapes, reflect.TypeOf(v))
	}
	return shapes
}

func addShape(shapes map[reflect.Type]*shape, t reflect.Type) *shape {
	if s := shapes[t]; s != nil {
		return s
	}
	s := &shape{}
	shapes[t] = s
	for _, f := range reflect.VisibleFields(t) {
		if !f.IsExported() || f.Anonymous {
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		name = cmp.Or(name, f.Name)
		x := shapeField{name: name, head: strconv.Quote(name) + ":", index: f.Index, skipEmpty: options == "omitempty",
			place: slices.Contains(placeKeys[:], name)}
		in := f.Type
		if in.Kind() == reflect.Pointer || in.Kind() == reflect.Slice {
			in = in.Elem()
		}
		if in.Kind() == reflect.Struct && in != reflect.TypeFor[txn.Row]() { // rows stand in a field of the line
			x.in = addShape(shapes, in)
		}
		s.fields = append(s.fields, x)
	}
	slices.SortFunc(s.fields, func(a, b shapeField) int { return strings.Compare(a.name, b.name) })
	return s
}

// split appends v without what says where evidence lies to data, and that, in the same shape, to places. some reports
// whether places got a field.
func (s *shape) split(data, places []byte, v reflect.Value) (_, _ []byte, some bool) {
	data, places = append(data, '{'), append(places, '{')
	first := true
	for i := range s.fields {
		f := &s.fields[i]
		x := v.FieldByIndex(f.index)
		if f.skipEmpty && empty(x) || f.place && blank(x) {
			continue
		}
		if !f.place {
			if !first {
				data = append(data, ',')
			}
			first = false
			data = append(data, f.head...)
			if f.in == nil || x.Kind() != reflect.Struct && x.IsNil() {
				data = appendValue(data, x, f.in)
				continue
			}
		}
		start := len(places)
		if some {
			places = append(places, ',')
		}
		places = append(places, f.head...)
		got := true
		switch {
		case f.place:
			places = appendValue(places, x, f.in)
		case x.Kind() == reflect.Slice:
			data, places, got = f.in.splitList(data, places, x)
		default:
			data, places, got = f.in.split(data, places, reflect.Indirect(x))
		}
		if !got {
			places = places[:start]
		}
		some = some || got
	}
	return append(data, '}'), append(places, '}'), some
}

func (s *shape) splitList(data, places []byte, v reflect.Value) (_, _ []byte, some bool) {
	data, places = append(data, '['), append(places, '[')
	for i := range v.Len() {
		if i > 0 {
			data, places = append(data, ','), append(places, ',')
		}
		var got bool
		data, places, got = s.split(data, places, v.Index(i))
		some = some || got
	}
	return append(data, ']'), append(places, ']'), some
}

// append appends the whole of v.
func (s *shape) append(b []byte, v reflect.Value) []byte {
	b = append(b, '{')
	first := true
	for i := range s.fields {
		f := &s.fields[i]
		x := v.FieldByIndex(f.index)
		if f.skipEmpty && empty(x) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendValue(append(b, f.head...), x, f.in)
	}
	return append(b, '}')
}

// appendValue appends a value of the kinds that carries are made of; in is the shape of a struct.
func appendValue(b []byte, v reflect.Value, in *shape) []byte {
	switch v.Kind() {
	case reflect.String:
		return appendText(b, v.String())
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.AppendUint(b, v.Uint(), 10)
	case reflect.Struct:
		return in.append(b, v)
	case reflect.Pointer:
		if !v.IsNil() && in != nil {
			return in.append(b, v.Elem())
		}
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.IsNil() {
			break
		}
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, v.Index(i), in)
		}
		return append(b, ']')
	}
	return append(b, "null"...)
}

// appendText appends a JSON string, what is no UTF-8 in it as U+FFFD.
func appendText(b []byte, s string) []byte {
	if !plainText(s) {
		if !utf8.ValidString(s) {
			s = string([]rune(s))
		}
		quoted, err := json.Marshal(s)
		if err != nil {
			return append(b, `""`...) // not for texts
		}
		return append(b, quoted...)
	}
	return append(append(append(b, '"'), s...), '"')
}

// plainText reports whether a text stands in JSON as it is.
func plainText(s string) bool {
	wide := false
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return false
		case c >= utf8.RuneSelf:
			wide = true
		}
	}
	return !wide || utf8.ValidString(s) && !strings.ContainsAny(s, "\u2028\u2029")
}

// empty reports whether a field is left out that need not be there.
func empty(v reflect.Value) bool {
	if v.Kind() == reflect.Slice {
		return v.Len() == 0
	}
	return v.IsZero()
}

// blank reports whether a value says nothing: an empty text, a zero, or a struct of such.
func blank(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if !blank(v.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Bool, reflect.Array:
		return false
	}
	return v.IsZero()
}
