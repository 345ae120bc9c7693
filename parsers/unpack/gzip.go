package unpack

import (
	"errors"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"

	"daozhang/parsers"
)

// gzip opens a gzip. Streams joined end to end are one file, as gzip itself reads them.
func (u *unpacker) gzip(m parsers.Member, prefix string, depth int) error {
	if err := u.deeper(m, depth); err != nil {
		return err
	}
	if u.entries++; u.entries > u.limits.Entries {
		return u.tooMany(m.Name)
	}
	src := &counter{r: io.NewSectionReader(m.Data, 0, m.Size)}
	zr, err := gzip.NewReader(src)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return u.broken(m.Name, err)
	}
	inner, err := u.inflate(m.Name, zr, func() int64 { return src.n })
	if err != nil {
		return err
	}
	inner.Name = gzipName(m.Name, zr.Name)
	return u.layer(inner, prefix, depth+1)
}

// gzipName takes the name in the header, which gzip stores as raw bytes and Go reads as Latin-1, or else the
// archive's own name without its suffix. A header name with a path in it is not used.
func gzipName(archive, header string) string {
	raw := make([]byte, 0, len(header))
	for _, r := range header {
		raw = append(raw, byte(r))
	}
	if name, err := entryName(string(raw), true); err == nil && name != "" && !strings.Contains(name, "/") {
		return name
	}
	base := archive
	switch ext := strings.ToLower(path.Ext(base)); {
	case ext == ".tgz":
		base = base[:len(base)-len(ext)] + ".tar"
	case ext == ".gz" || ext == ".gzip":
		base = base[:len(base)-len(ext)]
	}
	if base == "" {
		return archive
	}
	return base
}
