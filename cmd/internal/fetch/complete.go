package fetch

import (
	"bufio"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"path"
	"strings"
	"time"
)

// Completeness says when a file counts as whole. All rules that are set must hold. None set is Stable.
//
// Names such as x.part, x.tmp or .x are never taken, under any rule.
type Completeness struct {
	Rename   bool // the sender writes under another name and renames: what has its final name is whole
	Stable   bool // size and time stay the same over some looks, and the file is old enough
	Marker   bool // an empty file beside it (.ok .done .end .flag) says so
	Checksum bool // a sidecar (.sha256 .sha1 .md5) holds its checksum, which must agree

	Polls  int           // looks of Stable; 2 if 0
	Pause  time.Duration // between two looks; 2 s if 0. All files of one listing share it
	MinAge time.Duration // of Stable; 10 s if 0, none if negative. By the file's time or by our own looks

	Markers []string // suffixes of marker files, if others than the usual
}

func (c Completeness) withDefaults(readOnce bool) Completeness {
	if !c.Rename && !c.Stable && !c.Marker && !c.Checksum {
		c.Stable, c.Rename = !readOnce, readOnce
	}
	if c.Polls == 0 {
		c.Polls = 2
	}
	if c.Pause == 0 {
		c.Pause = 2 * time.Second
	}
	switch {
	case c.MinAge == 0:
		c.MinAge = 10 * time.Second
	case c.MinAge < 0:
		c.MinAge = 0
	}
	if len(c.Markers) == 0 {
		c.Markers = []string{".ok", ".done", ".end", ".flag"}
	}
	return c
}

// Proof names the rules, for the record.
func (c Completeness) Proof() string {
	var parts []string
	for _, r := range []struct {
		on   bool
		name string
	}{{c.Checksum, "checksum"}, {c.Marker, "marker"}, {c.Stable, "stable"}, {c.Rename, "rename"}} {
		if r.on {
			parts = append(parts, r.name)
		}
	}
	return strings.Join(parts, "+")
}

// sidecarSuffixes are checksum files, the strongest first.
func sidecarSuffixes() []string { return []string{".sha256", ".sha1", ".md5"} }

// beside finds a file which has the name, or the name without its extension, plus one of the suffixes. Names are
// compared without case: vendors write .OK and .ok.
func beside(name string, suffixes []string, listed map[string]string) (found, suffix string) {
	stem := strings.TrimSuffix(name, path.Ext(name))
	for _, s := range suffixes {
		for _, base := range []string{name, stem} {
			if real, ok := listed[strings.ToLower(base+s)]; ok && base != "" && real != name {
				return real, s
			}
		}
	}
	return "", ""
}

// accompanies tells whether name is a marker or sidecar by its suffix.
func (c Completeness) accompanies(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	if c.Marker && contains(c.Markers, ext) {
		return true
	}
	return c.Checksum && contains(sidecarSuffixes(), ext)
}

// missing says which accompanying file is still awaited for name, or "".
func (c Completeness) missing(name string, listed map[string]string) (reason, why string) {
	if c.Marker {
		if found, _ := beside(name, c.Markers, listed); found == "" {
			return "no-marker", "no marker file beside it (" + strings.Join(c.Markers, " ") + ")"
		}
	}
	if c.Checksum {
		if found, _ := beside(name, sidecarSuffixes(), listed); found == "" {
			return "no-checksum", "no checksum file beside it (" + strings.Join(sidecarSuffixes(), " ") + ")"
		}
	}
	return "", ""
}

// look adds a look at e to what was seen before.
func look(before Sighting, had bool, e Entry, now time.Time) Sighting {
	if !had || before.Size != e.Size || !before.MTime.Equal(e.MTime) || now.Before(before.First) {
		return Sighting{Size: e.Size, MTime: e.MTime, First: now, Looks: 1}
	}
	before.Looks++
	return before
}

// settled tells whether Stable holds, and else how long to wait before the next look. A file's age is taken from its
// own time or from our first look, whichever makes it older: the server's clock may be wrong, ours counts anyway.
func (c Completeness) settled(s Sighting, now time.Time) (bool, time.Duration) {
	watched := now.Sub(s.First)
	age := max(now.Sub(s.MTime), watched)
	if s.Looks >= c.Polls && (c.Polls == 1 || watched >= c.Pause) && age >= c.MinAge {
		return true, 0
	}
	return false, max(c.Pause, c.MinAge-age)
}

// newSum returns the hash for a sidecar's suffix.
func newSum(suffix string) hash.Hash {
	switch suffix {
	case ".md5":
		return md5.New()
	case ".sha1":
		return sha1.New()
	}
	return sha256.New()
}

// readSidecar finds the checksum of name in a sidecar: alone on a line, before a name (md5sum), or behind
// "MD5 (name) =" (BSD). Where lines have names, only the line of this name counts.
func readSidecar(r io.Reader, name string, size int) (string, error) {
	lines := bufio.NewScanner(io.LimitReader(r, 64<<10))
	for lines.Scan() {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		sum, of := line, ""
		if head, tail, ok := strings.Cut(line, ") = "); ok {
			_, of, _ = strings.Cut(head, "(")
			sum = strings.TrimSpace(tail)
		} else if i := strings.IndexAny(line, " \t"); i > 0 {
			sum, of = line[:i], strings.TrimLeft(strings.TrimSpace(line[i:]), "*")
		}
		if raw, err := hex.DecodeString(sum); err != nil || len(raw) != size {
			continue
		}
		if of == "" || path.Base(strings.ReplaceAll(of, `\`, "/")) == name {
			return strings.ToLower(sum), nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", err
	}
	return "", fmt.Errorf("%w: its checksum file holds no checksum of it", ErrIncomplete)
}
