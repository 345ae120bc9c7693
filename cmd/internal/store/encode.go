package store

import (
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"daozhang/parsers/txn"
)

// instantLayout is RFC 3339 in UTC with a fixed width.
const instantLayout = "2006-01-02T15:04:05.000000Z"

// instant encodes t to the microsecond; the zero time is the empty text.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Truncate(time.Microsecond).Format(instantLayout)
}

// parseInstant decodes what instant wrote.
func parseInstant(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, ok := fixedInstant(s); ok {
		return t, nil
	}
	return time.Parse(instantLayout, s)
}

// fixedInstant reads the layout of instants by its places: a store reads thousands of them at a time.
func fixedInstant(s string) (time.Time, bool) {
	if len(s) != len(instantLayout) {
		return time.Time{}, false
	}
	var n [7]int
	part := 0
	for i := range len(s) {
		c := s[i]
		switch mark := instantLayout[i]; {
		case mark < '0' || mark > '9':
			if c != mark {
				return time.Time{}, false
			}
			part++
		case c < '0' || c > '9':
			return time.Time{}, false
		default:
			n[part] = 10*n[part] + int(c-'0')
		}
	}
	t := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 1000*n[6], time.UTC)
	// What overflows, such as the 31st of June, is for time.Parse to refuse.
	same := t.Month() == time.Month(n[1]) && t.Day() == n[2] && t.Hour() == n[3] && t.Minute() == n[4] && t.Second() == n[5]
	return t, same
}

// parseDay decodes a stored date; the empty text is no date.
func parseDay(s string) (txn.Date, error) {
	if s == "" {
		return 0, nil
	}
	return txn.ParseDate(s)
}

// decoder collects the first failure of a row's columns, so that scanning code stays a list.
type decoder struct{ err error }

func (d *decoder) time(s string) time.Time {
	t, err := parseInstant(s)
	d.keep(err)
	return t
}

func (d *decoder) date(s string) txn.Date {
	day, err := parseDay(s)
	d.keep(err)
	return day
}

func (d *decoder) keep(err error) {
	if d.err == nil {
		d.err = err
	}
}

// checkDigest accepts the lower-case hex of a SHA-256.
func checkDigest(what, s string) error {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 32 || strings.ToLower(s) != s {
		return invalid("%s %q is not a SHA-256 in lower-case hex", what, s)
	}
	return nil
}

// escapeName makes any bytes storable as text in both dialects, one to one: a backslash is doubled, control
// characters and bytes that are no UTF-8 become \xHH.
func escapeName(s string) string {
	plain := func(r rune, size int) bool {
		return r >= ' ' && r != 0x7f && r != '\\' && (r != utf8.RuneError || size > 1)
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case plain(r, size):
			b.WriteString(s[i : i+size])
		case r == '\\':
			b.WriteString(`\\`)
		default:
			for _, c := range []byte(s[i : i+size]) {
				b.WriteString(`\x`)
				b.WriteString(hex.EncodeToString([]byte{c}))
			}
		}
		i += size
	}
	return b.String()
}

// unescapeName gives back what escapeName was given; a text that it did not write is given back as it is.
func unescapeName(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\':
			b.WriteByte(s[i])
		case strings.HasPrefix(s[i:], `\\`):
			b.WriteByte('\\')
			i++
		case strings.HasPrefix(s[i:], `\x`) && len(s) >= i+4:
			v, err := strconv.ParseUint(s[i+2:i+4], 16, 8)
			if err != nil {
				return s
			}
			b.WriteByte(byte(v))
			i += 3
		default:
			return s
		}
	}
	return b.String()
}

// clean makes vendor or error text storable: PostgreSQL refuses NUL and what is not UTF-8.
func clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// listText stores a list of texts of any bytes: JSON, or the empty text for none.
func listText(list []string) string {
	if len(list) == 0 {
		return ""
	}
	escaped := make([]string, len(list))
	for i, s := range list {
		escaped[i] = escapeName(s)
	}
	text, err := json.Marshal(escaped)
	if err != nil {
		return "" // not for texts
	}
	return string(text)
}

// list decodes what listText wrote.
func (d *decoder) list(text string) []string {
	if text == "" {
		return nil
	}
	var list []string
	d.keep(json.Unmarshal([]byte(text), &list))
	for i := range list {
		list[i] = unescapeName(list[i])
	}
	return list
}
