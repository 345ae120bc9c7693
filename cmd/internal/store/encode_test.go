package store

import (
	"testing"
	"time"
)

func TestAnInstantIsReadAsTimeParseReadsIt(t *testing.T) {
	for _, s := range []string{"2026-01-05T09:30:00.000000Z", "0001-01-01T00:00:00.000000Z", "2024-02-29T23:59:59.999999Z", "9999-12-31T00:00:00.000001Z",
		"2026-02-29T00:00:00.000000Z", "2026-13-01T00:00:00.000000Z", "2026-00-01T00:00:00.000000Z", "2026-01-00T00:00:00.000000Z",
		"2026-01-05T24:00:00.000000Z", "2026-01-05T23:60:00.000000Z", "2026-01-05T23:00:60.000000Z", "2026-01-05 09:30:00.000000Z",
		"2026-01-05T09:30:00.00000 Z", "2026-01-05T09:30:00.000000", "2026-01-05T09:30:00,000000Z", "x", "+026-01-05T09:30:00.000000Z"} {
		got, err := parseInstant(s)
		want, refused := time.Parse(instantLayout, s)
		if got != want || (err == nil) != (refused == nil) {
			t.Errorf("%s: %v, %v; want %v, %v", s, got, err, want, refused)
		}
	}
	if got, err := parseInstant(""); err != nil || !got.IsZero() {
		t.Errorf("the empty text: %v, %v", got, err)
	}
}
