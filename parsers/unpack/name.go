package unpack

import (
	"errors"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// entryName decodes and checks the name of an entry. Backslashes, which Windows programs write, become slashes; that
// must come after decoding, for a GBK character may hold the byte of a backslash. Names are for messages and
// detection only, yet one that tries to leave its folder marks an archive nobody should trust.
func entryName(raw string, unmarked bool) (string, error) {
	name := raw
	if unmarked {
		name = decodeName(raw)
	}
	if !utf8.ValidString(name) {
		return "", errors.New("its name is neither UTF-8 nor GBK")
	}
	name = strings.ReplaceAll(name, `\`, "/")
	switch {
	case name == "":
		return "", errors.New("it has no name")
	case len(name) > 1024:
		return "", errors.New("its name is longer than 1024 bytes")
	case strings.HasPrefix(name, "/"):
		return "", errors.New("its path is absolute")
	case len(name) > 1 && name[1] == ':':
		return "", errors.New("its path names a drive")
	case strings.ContainsFunc(name, hidden):
		return "", errors.New("its name holds control or invisible characters")
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", errors.New("its path leaves the archive")
		}
	}
	dir := strings.HasSuffix(name, "/")
	if name = path.Clean(name); dir {
		name += "/"
	}
	return name, nil
}

// hidden tells characters that make a name look like another one.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError
}

// decodeName reads a name that is not marked as UTF-8. Chinese programs write GBK there; macOS writes UTF-8 without
// saying so, which is told by every character being a Chinese one: GBK text is almost never valid in that sense.
func decodeName(raw string) string {
	if utf8.ValidString(raw) && !strings.ContainsFunc(raw, func(r rune) bool { return r >= utf8.RuneSelf && !cjk(r) }) {
		return raw
	}
	if s, err := simplifiedchinese.GBK.NewDecoder().String(raw); err == nil && !strings.ContainsRune(s, utf8.RuneError) {
		return s
	}
	return raw
}

func cjk(r rune) bool {
	return r >= 0x2e80 && r <= 0x9fff || r >= 0xff00 && r <= 0xffef || r >= 0x2010 && r <= 0x2027
}

// junk tells what systems add to an archive on their own.
func junk(name string) bool {
	base := path.Base(name)
	switch strings.ToLower(base) {
	case ".ds_store", "thumbs.db", "desktop.ini":
		return true
	}
	return strings.HasPrefix(name, "__MACOSX/") || strings.Contains(name, "/__MACOSX/") || strings.HasPrefix(base, "._")
}
