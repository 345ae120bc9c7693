package reconcile

import (
	"bytes"
	"encoding"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"daozhang/parsers/txn"
)

// mapOf is how a part of a carry is written by way of a generic map: the reference of shapes.
func mapOf(t *testing.T, v any) (m map[string]any) {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// takePlaces moves the fields that say where evidence lies out of a map, into one of the same shape.
func takePlaces(m map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		if slices.Contains(placeKeys[:], k) {
			delete(m, k)
			if !blankJSON(v) {
				out[k] = v
			}
			continue
		}
		switch v := v.(type) {
		case map[string]any:
			if sub := takePlaces(v); len(sub) > 0 {
				out[k] = sub
			}
		case []any:
			list, some := make([]any, len(v)), false
			for i := range v {
				if sub, ok := v[i].(map[string]any); ok {
					sub = takePlaces(sub)
					list[i], some = sub, some || len(sub) > 0
				}
			}
			if some {
				out[k] = list
			}
		}
	}
	return out
}

func blankJSON(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case json.Number:
		return v == "0"
	case map[string]any:
		for _, x := range v {
			if !blankJSON(x) {
				return false
			}
		}
		return true
	}
	return false
}

// scribble fills a value with what files may hold.
func scribble(rng *rand.Rand, v reflect.Value) {
	texts := []string{"", "", "a", "ACC|CNY", "流水号", `a"b\c`, "<&>", "tab\there", "\x00\x7f", "\u2028", "bad\xff\xfe", "名\xe4", `{"kind":"item"}`, ",]}"}
	switch v.Kind() {
	case reflect.String:
		v.SetString(texts[rng.IntN(len(texts))])
	case reflect.Bool:
		v.SetBool(rng.IntN(2) == 0)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				scribble(rng, v.Field(i))
			}
		}
	case reflect.Pointer:
		if v.Type() != reflect.TypeFor[*txn.Row]() && rng.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			scribble(rng, v.Elem())
		}
	case reflect.Slice:
		if n := rng.IntN(4) - 1; n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				scribble(rng, v.Index(i))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			scribble(rng, v.Index(i))
		}
	default:
		n := []int64{0, 0, 1, 7, 127, rng.Int64()}[rng.IntN(6)]
		if v.CanUint() {
			v.SetUint(uint64(n))
		} else {
			v.SetInt(n - rng.Int64N(3))
		}
	}
}

// parts are all that a line can hold, and what they hold themselves.
func parts() (all []reflect.Type) {
	for t := range carryShapes {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b reflect.Type) int { return strings.Compare(a.String(), b.String()) })
	return all
}

func TestShapesWriteWhatMapsWrite(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, typ := range parts() {
		s := carryShapes[typ]
		for n := range 300 {
			v := reflect.New(typ)
			scribble(rng, v.Elem())
			m := mapOf(t, v.Interface())
			whole, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.append(nil, v.Elem()); !bytes.Equal(got, whole) {
				t.Fatalf("%s %d whole\n%s\n%s", typ, n, got, whole)
			}
			at := takePlaces(m)
			wantData, _ := json.Marshal(m)
			wantPlaces, _ := json.Marshal(at)
			data, places, some := s.split(nil, nil, v.Elem())
			if !bytes.Equal(data, wantData) || !bytes.Equal(places, wantPlaces) || some != (len(at) > 0) {
				t.Fatalf("%s %d apart\n%s\n%s\n%s\n%s", typ, n, data, wantData, places, wantPlaces)
			}
		}
	}
}

func TestShapesReadWhatJSONReads(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, typ := range parts() {
		for n := range 300 {
			v := reflect.New(typ)
			scribble(rng, v.Elem())
			data, places, _ := carryShapes[typ].split(nil, nil, v.Elem())
			for _, text := range [][]byte{data, places, carryShapes[typ].append(nil, v.Elem())} {
				want, got := reflect.New(typ), reflect.New(typ)
				dec := json.NewDecoder(bytes.NewReader(text))
				dec.DisallowUnknownFields()
				if err := dec.Decode(want.Interface()); err != nil {
					t.Fatal(err)
				}
				if err := readShape(text, got.Interface()); err != nil || !reflect.DeepEqual(got.Interface(), want.Interface()) {
					t.Fatalf("%s %d: %v\n%s\ngot  %+v\nwant %+v", typ, n, err, text, got.Elem(), want.Elem())
				}
			}
		}
	}
}

func TestShapesRefuseWhatIsNoJSON(t *testing.T) {
	for _, x := range []struct{ text, want string }{
		{``, "ends in the middle"},
		{`{"Date":1`, "ends in the middle"},
		{`{"Date":1}x`, "the end expected"},
		{`{"Date":1,}`, "a text expected"},
		{`{"Date":"1"}`, "Date: a number expected"},
		{`{"Date":01}`, "Date: a number expected"},
		{`{"Date":+1}`, "Date: a number expected"},
		{`{"Date":1.5}`, "Date:"},
		{`{"Date":99999999999}`, "out of range"},
		{`{"Date":truth}`, "Date:"},
		{`{"Date":nil}`, "is no value"},
		{`{"Pays":1}`, "true or false expected"},
		{`{"Source":7}`, "a text expected"},
		{`{"Source":"a` + "\n" + `"}`, "control character"},
		{`{"Source":"\q"}`, "Source:"},
		{`{"Stores":["a"`, "ends in the middle"},
		{`{"Stores":{}}`, "[ expected"},
		{`{"Sauce":"a"}`, `unknown field "Sauce"`},
		{`["Source"]`, "{ expected"},
	} {
		var s CarriedSlot
		if err := readShape([]byte(x.text), &s); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: got %v, want an error with %q", x.text, err, x.want)
		}
	}
	for _, text := range []string{``, `{}x`, `{"data":}`, `{"data":{"a":1}2}`, `{"data":{]}`, `{"key":"a","other":1}`, `{"row":"a}`, `{"row":]}`} {
		if l, err := splitLine([]byte(text)); err == nil && readShape(l.Data, &CarriedSlot{}) == nil {
			t.Errorf("%s is taken for a line", text)
		}
	}
}

// What a carry does not hold today would be written as null and lost.
func TestShapesKnowTheKindsOfAllFields(t *testing.T) {
	for _, typ := range parts() {
		for i, f := range reflect.VisibleFields(typ) {
			in := f.Type
			if in.Kind() == reflect.Slice || in.Kind() == reflect.Pointer || in.Kind() == reflect.Array {
				in = in.Elem()
			}
			switch k := in.Kind(); {
			case !f.IsExported(), k == reflect.Struct, k == reflect.String, k == reflect.Bool, k >= reflect.Int && k <= reflect.Uint64:
			default:
				t.Errorf("%s: field %d, %s, is of kind %s: teach carryshape.go to write it and carryread.go to read it", typ, i, f.Name, k)
			}
			if f.Type.Implements(reflect.TypeFor[json.Marshaler]()) || f.Type.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
				t.Errorf("%s: field %s writes itself", typ, f.Name)
			}
		}
	}
}
