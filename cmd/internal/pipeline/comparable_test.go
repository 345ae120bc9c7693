package pipeline

import (
	"bytes"
	"encoding/json"
	"testing"

	"daozhang/reports"
)

// slowlyComparable is what comparableJSON says in fewer words.
func slowlyComparable(t *testing.T, data []byte) string {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	for _, k := range orderKeys {
		delete(m, k)
	}
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestTheComparablePartOfASummaryIsWhatDecodingAndEncodingMakeOfIt(t *testing.T) {
	for _, text := range []string{"", "甲公司 <b>&", `a"b\": [{},`, "line\nline\r\u2028\x00\x7f", `\`, `\\"`, "  \"key\": 1", "bad \xff utf"} {
		for _, s := range []*reports.Summary{
			{Entity: text, AsOf: text},
			{Entity: text, Sides: []reports.SummarySide{{Source: text}, {Slot: text, Rows: -3}}, Slots: []reports.SummarySlot{},
				RollForward: []reports.SummaryRoll{{Leg: text, Opening: reports.SummaryFigure{Rows: 1, Amount: text}}}},
		} {
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			if err := enc.Encode(s); err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := comparableJSON(&got, b.Bytes()); err != nil || got.String() != slowlyComparable(t, b.Bytes()) {
				t.Errorf("%q: %v\ngot  %s\nwant %s", text, err, got.String(), slowlyComparable(t, b.Bytes()))
			}
		}
	}
}

func TestASummaryThatIsSetOtherwiseIsNotCompared(t *testing.T) {
	for _, text := range []string{"", "{}", "{}\n", `{"entity":"a"}` + "\n", "{\n    \"entity\": 1\n}\n", "[\n  1\n]\n"} {
		if err := comparableJSON(&bytes.Buffer{}, []byte(text)); err == nil {
			t.Errorf("%q was compared", text)
		}
	}
}
