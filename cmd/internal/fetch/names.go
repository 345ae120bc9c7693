package fetch

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is what file systems allow for one name, in bytes.
const maxName = 255

// hostileName says why a name that a server lists must not be used, or "". Local paths are never made from such
// names; this guards people who read reports, and the requests that we send back to the server.
func hostileName(name string) string {
	switch {
	case name == "" || name == "." || name == "..":
		return "is no file name"
	case len(name) > maxName:
		return "longer than 255 bytes"
	case !utf8.ValidString(name):
		return "not UTF-8; ask the operator to use ASCII names, or rename on the server"
	case strings.ContainsAny(name, `/\`):
		return "holds a path separator"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "holds control characters"
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(unicode.Cf, r) || unicode.In(r, unicode.Zl, unicode.Zp) }):
		return "holds invisible or direction-changing characters"
	case strings.ContainsFunc(name, unprintable):
		return "holds unassigned characters"
	case strings.TrimSpace(name) != name:
		return "begins or ends with a space"
	case name[0] == '-':
		return "begins with -"
	}
	return ""
}

func unprintable(r rune) bool { return r == utf8.RuneError || unicode.In(r, unicode.Co, unicode.Cs) }

// temporaryName says by which sign a name belongs to a file that is still being written, or "".
func temporaryName(name string) string {
	lower := strings.ToLower(name)
	for _, s := range []string{".part", ".partial", ".tmp", ".temp", ".filepart", ".writing", "~"} {
		if strings.HasSuffix(lower, s) {
			return "ends in " + s
		}
	}
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") {
		return "begins with " + name[:1]
	}
	return ""
}
