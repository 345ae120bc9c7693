package txn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// fullRow fills every field with something random that a source may give.
func fullRow(r *rand.Rand) *Row {
	x := &Row{Side: Side(1 + r.IntN(3)), Kind: Kind(1 + r.IntN(int(Debit))), Status: Status(1 + r.IntN(int(Closed))), Channel: Channel(1 + r.IntN(int(Other))),
		Offline: r.IntN(2) == 0, Reversed: r.IntN(2) == 0}
	x.Has = FieldsOf(SideField, KindField, StatusField, ChannelField)
	x.Currency = []Currency{CNY, {'J', 'P', 'Y'}, {'K', 'W', 'D'}}[r.IntN(3)]
	if x.Side == Bank {
		x.LineStatus = LineStatus(r.IntN(3))
		x.Has = x.Has.With(LineStatusField)
	}
	for f := range TextFields {
		if r.IntN(2) == 0 {
			x.Set(Field(f), randomText(r))
		}
	}
	for _, a := range x.amounts() {
		if r.IntN(2) == 0 {
			*a.v = r.Int64N(1<<40) - 1<<39
			x.Has = x.Has.With(a.field)
		}
	}
	for _, d := range x.dates() {
		if r.IntN(2) == 0 {
			*d.v = MakeDate(1990+r.IntN(60), time.Month(1+r.IntN(12)), 1+r.IntN(28))
			x.Has = x.Has.With(d.field)
		}
	}
	if r.IntN(2) == 0 {
		x.Fee = Fine(r.Int64N(1<<40) - 1<<39)
		x.Has = x.Has.With(FeeField)
	}
	for range r.IntN(3) {
		x.FeeParts = append(x.FeeParts, FeePart{string(randomText(r)), Fine(r.Int64N(1e9) - 5e8)})
	}
	for f, c := range map[Field]*Conversion{SettlementField: &x.Settlement, PayoutAmountField: &x.PayoutAmount} {
		if r.IntN(2) == 0 {
			*c = Conversion{r.Int64N(1e9), Currency{'U', 'S', 'D'}, []byte("6.8123")}
			x.Has = x.Has.With(f)
		}
	}
	if r.IntN(4) > 0 {
		x.Time = Time{Unix: r.Int64N(4e9) - 1e9, Offset: int32(r.IntN(27)-12) * 3600}
		if r.IntN(3) == 0 {
			x.Time.DateOnly = true
			x.Time.Unix -= int64(x.Time.Clock())
		}
		x.Has = x.Has.With(TimeField)
	}
	if r.IntN(3) == 0 {
		x.Extra = []Extra{{"备注", randomText(r)}, {"门店", randomText(r)}}
		x.Has = x.Has.With(ExtraField)
	}
	return x
}

func randomText(r *rand.Rand) []byte {
	return []byte([]string{"898310048990001", "000123", "商户\"名\"", "a\\b\n\tc", "<&>\u2028", "=1+1", "-", "0"}[r.IntN(8)] + fmt.Sprint(r.IntN(100)))
}

func TestRandomRowSurvivesItsJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		x := fullRow(r)
		text := x.AppendJSON(nil)
		back, err := ParseRow(text)
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if !reflect.DeepEqual(x, back) {
			t.Fatalf("row changes\n%s\n%+v\n%+v", text, x, back)
		}
		if again := back.AppendJSON(nil); !bytes.Equal(text, again) {
			t.Fatalf("text changes\n%s\n%s", text, again)
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(text, &fields); err != nil {
			t.Fatal(err)
		}
		if sorted, err := json.Marshal(fields); err != nil || !bytes.Equal(text, sorted) {
			t.Fatalf("not as a sorted map is written (%v)\n%s\n%s", err, text, sorted)
		}
	}
}

func TestPlainRowsAreReadAsAnyAre(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	plain := 0
	for range 3000 {
		x := fullRow(r)
		x.Extra, x.FeeParts, x.Offline, x.Reversed, x.Settlement, x.PayoutAmount = nil, nil, false, false, Conversion{}, Conversion{}
		for i := range x.Text {
			if x.Text[i] != nil {
				x.Text[i] = []byte("商户0" + fmt.Sprint(r.IntN(100)))
			}
		}
		x.Has &^= FieldsOf(ExtraField, SettlementField, PayoutAmountField)
		text := x.AppendJSON(nil)
		got := parsePlain(text)
		if got == nil {
			continue
		}
		plain++
		if want, err := parseAny(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%v\n%s\n%+v\n%+v", err, text, got, want)
		}
	}
	if plain < 100 {
		t.Errorf("only %d rows were plain", plain)
	}
	for _, text := range []string{`{}`, `{"rrn":"1",}`, `{"rrn":"1"}x}`, `{"rrn":"1" }`, `{"rrn":1}`, `{"rrn":"a\u0041"}`, `{"extra":"a"}`, `{"rrn":"\xff"}`, "{\"rrn\":\"\xff\"}"} {
		if parsePlain([]byte(text)) != nil {
			t.Errorf("%s is taken for a plain row", text)
		}
	}
}

func TestAppendJSONAppends(t *testing.T) {
	if got := (&Row{}).AppendJSON([]byte("x")); string(got) != "x{}" {
		t.Errorf("got %s", got)
	}
}

func TestParseRowRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, x := range []struct{ text, want string }{
		{`{"later":"1"}`, "later"}, {`{"side":"Q"}`, "side"}, {`{"kind":"gift"}`, "kind"}, {`{"status":"fine"}`, "status"}, {`{"channel":"post"}`, "channel"},
		{`{"currency":"元"}`, "currency"}, {`{"currency":"CNY","amount":"1.234"}`, "amount"}, {`{"amount":12}`, "amount"}, {`{"fee":"x"}`, "fee"},
		{`{"txn_time":"2026-13-01T00:00:00Z"}`, "txn_time"}, {`{"business_date":"2026-02-29"}`, "business_date"}, {`{"extra":["a"]}`, "extra"},
		{`{"settlement":["1.00","",""]}`, "settlement"}, {`{"fee_parts":[["a","b"]]}`, "fee_parts"}, {`[]`, "row"}, {``, "row"}, {`{"rrn":"1"`, "row"},
	} {
		if _, err := ParseRow([]byte(x.text)); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: got %v, want an error that names %s", x.text, err, x.want)
		}
	}
}

func FuzzParseRow(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		f.Add(fullRow(r).AppendJSON(nil))
	}
	f.Add([]byte(`{"offline":false,"currency":"jpy","amount":"-0"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		x, err := ParseRow(text)
		if err != nil {
			return
		}
		once := x.AppendJSON(nil)
		back, err := ParseRow(once)
		if err != nil {
			t.Fatalf("%s was read, its own text %s is not: %v", text, once, err)
		}
		if twice := back.AppendJSON(nil); !bytes.Equal(once, twice) {
			t.Fatalf("text changes\n%s\n%s", once, twice)
		}
	})
}

func TestCloneSharesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 500 {
		x := fullRow(r)
		want := string(x.AppendJSON(nil))
		c := x.Clone()
		if !reflect.DeepEqual(x, c) {
			t.Fatalf("a clone differs\n%+v\n%+v", x, c)
		}
		for i := range x.Text {
			clear(x.Text[i])
		}
		for i := range x.Extra {
			clear(x.Extra[i].Value)
			x.Extra[i].Name = "changed"
		}
		for i := range x.FeeParts {
			x.FeeParts[i] = FeePart{}
		}
		clear(x.Settlement.Rate)
		clear(x.PayoutAmount.Rate)
		if got := string(c.AppendJSON(nil)); got != want {
			t.Fatalf("the clone changed with its row\n%s\n%s", want, got)
		}
		for i, text := range c.Text { // appending to one text must not reach the next
			c.Text[i] = append(text, "!!!"...)[:len(text)]
		}
		if got := string(c.AppendJSON(nil)); got != want {
			t.Fatalf("texts of a clone overlap\n%s\n%s", want, got)
		}
	}
}

func TestResetKeepsMemoryAndNothingElse(t *testing.T) {
	x := fullRow(rand.New(rand.NewPCG(9, 9)))
	x.FeeParts, x.Extra = make([]FeePart, 3, 8), make([]Extra, 2, 4)
	x.Reset()
	if cap(x.FeeParts) != 8 || cap(x.Extra) != 4 || len(x.FeeParts)+len(x.Extra) != 0 {
		t.Error("memory was not kept")
	}
	x.FeeParts, x.Extra = nil, nil
	if !reflect.DeepEqual(x, &Row{}) {
		t.Errorf("something is left: %+v", x)
	}
}

func TestBlankIdentifiersSayNothing(t *testing.T) {
	for _, s := range []string{"", "0", "000000", " ", "\t", "-", "--", "/", "N/A", "n/a", "NULL", "null", "None", "nil", "****", "0.00", "_", " 0 "} {
		if !Blank([]byte(s)) {
			t.Errorf("%q is taken for an identifier", s)
		}
	}
	for _, s := range []string{"1", "0001", "A", "-1", "nulls", "NUL", "00 1", "无", "n", "0x"} {
		if Blank([]byte(s)) {
			t.Errorf("%q is taken for blank", s)
		}
	}
}

func TestTrimZerosDropsLeadingOnesOnly(t *testing.T) {
	for in, want := range map[string]string{"000123": "123", "123": "123", "1000": "1000", "0": "", "000": "", "": "", "A001": "A001", "0A0": "A0"} {
		if got := string(TrimZeros([]byte(in))); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestNamesReadBack(t *testing.T) {
	for s := NoSide + 1; s <= Bank; s++ {
		if v, ok := ParseSide(s.String()); !ok || v != s {
			t.Errorf("side %v", s)
		}
	}
	for k := NoKind + 1; k <= Debit; k++ {
		if v, ok := ParseKind(k.String()); !ok || v != k {
			t.Errorf("kind %v", k)
		}
	}
	for s := NoStatus + 1; s <= Closed; s++ {
		if v, ok := ParseStatus(s.String()); !ok || v != s {
			t.Errorf("status %v", s)
		}
	}
	for c := NoChannel + 1; c <= Other; c++ {
		if v, ok := ParseChannel(c.String()); !ok || v != c {
			t.Errorf("channel %v", c)
		}
	}
	seen := map[string]bool{}
	for f := Field(0); f < numFields; f++ {
		if v, ok := ParseField(f.String()); !ok || v != f || seen[f.String()] {
			t.Errorf("field %d %q", f, f)
		}
		seen[f.String()] = true
		if !AllFields.Has(f) {
			t.Errorf("AllFields lacks %s", f)
		}
	}
	for _, s := range []string{"", "?", "Sale", "sale "} {
		if _, ok := ParseKind(s); ok {
			t.Errorf("kind %q is read", s)
		}
	}
	if Kind(200).String() != "?" || Field(200).String() != "?" {
		t.Error("an unknown value has a name")
	}
	if _, ok := ParseField(""); ok {
		t.Error("an empty name is a field")
	}
}

func TestPositionsOrderByFileOffsetEntry(t *testing.T) {
	list := []Position{{0, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0, 65535, 1}, {0, 0, 1 << 40}, {1, 0, 0}, {4294967295, 0, 0}}
	for i, p := range list {
		for j, q := range list {
			if got, want := p.Compare(q), cmpInt(int64(i), int64(j)); got != want {
				t.Errorf("%v against %v: got %d, want %d", p, q, got, want)
			}
		}
	}
}
