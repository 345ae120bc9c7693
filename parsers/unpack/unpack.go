// Package unpack turns a delivery, the bytes as a vendor sent them, into the files it holds.
//
// What a delivery is decides its first bytes, never its name:
//
//	1f 8b              gzip: one file
//	50 4b 03 04 ...    zip: its entries, sorted by name; a workbook (.xlsx) is a zip too, but stays one file
//	anything else      the bytes themselves, not copied
//
// An archive may hold archives, two layers deep. Nothing is written under a name that an archive chose, and every
// cap is checked on the bytes that really come out, because headers may lie.
package unpack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"daozhang/parsers"
)

// Limits are the caps on one delivery. A zero field takes the default that its comment names.
type Limits struct {
	Compressed int64  // bytes of an archive as received; 1 GiB
	Unpacked   int64  // bytes of all files together, of every layer; 2 GiB
	Ratio      int64  // unpacked bytes for each packed byte; 200
	RatioFloor int64  // unpacked bytes below which the ratio is not asked; 1 MiB
	Entries    int    // entries of all archives together, folders and junk included; 10,000
	Depth      int    // archives within archives; 2
	Memory     int64  // bytes of all files that are kept in memory, the rest goes to TempDir; 64 MiB
	Spill      int64  // bytes of one file above which it goes to TempDir; 8 MiB
	TempDir    string // private folder for large files; the system's own if empty
}

func (l Limits) withDefaults() Limits {
	set := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	set(&l.Compressed, 1<<30)
	set(&l.Unpacked, 2<<30)
	set(&l.Ratio, 200)
	set(&l.RatioFloor, 1<<20)
	set(&l.Memory, 64<<20)
	set(&l.Spill, 8<<20)
	if l.Entries == 0 {
		l.Entries = 10000
	}
	if l.Depth == 0 {
		l.Depth = 2
	}
	return l
}

// Why an archive is refused, beside parsers.ErrLimit (too large) and parsers.ErrTruncated (cut short).
var (
	ErrUnsafe    = errors.New("archive is not safe to open") // names that leave the folder, links, devices, overlaps
	ErrEncrypted = errors.New("archive is encrypted")
	ErrDuplicate = errors.New("archive holds two files of one name")
	ErrDamaged   = errors.New("archive is damaged")
	ErrEmpty     = errors.New("archive holds no file")
)

// Open turns the size bytes of r into files. Name is the delivery's name, used in messages and to name the content
// of a gzip that does not say. The files read from r, from memory or from temporary files, which stay valid until
// the closer is closed; r itself stays the caller's. On error nothing is left behind and the closer is nil.
//
// Errors are *parsers.FileError and wrap parsers.ErrLimit, parsers.ErrTruncated or one of this package's causes; an
// error of r or of the temporary folder comes wrapped as it is.
func Open(name string, r io.ReaderAt, size int64, limits Limits) (*parsers.Delivery, io.Closer, error) {
	u := &unpacker{delivery: name, limits: limits.withDefaults(), names: map[string]bool{}}
	err := u.layer(parsers.Member{Name: path.Base(strings.ReplaceAll(name, `\`, "/")), Data: r, Size: size}, "", 0)
	if err == nil && len(u.files) == 0 {
		err = u.refuse(name, ErrEmpty, "ask the vendor whether an empty day is sent this way")
	}
	if err != nil {
		return nil, nil, errors.Join(err, u.spilled.Close())
	}
	slices.SortFunc(u.files, func(a, b parsers.Member) int { return strings.Compare(a.Name, b.Name) })
	return &parsers.Delivery{Name: name, Files: u.files}, &u.spilled, nil
}

// unpacker carries the budgets that all layers of one delivery share.
type unpacker struct {
	delivery string
	limits   Limits
	files    []parsers.Member
	names    map[string]bool
	entries  int
	unpacked int64
	memory   int64
	spilled  temps
}

// layer takes one file: an archive is opened, anything else is a result. Prefix names the archives around it.
func (u *unpacker) layer(m parsers.Member, prefix string, depth int) error {
	var head [4]byte
	n, err := m.Data.ReadAt(head[:min(4, m.Size)], 0)
	if err != nil && err != io.EOF {
		return fmt.Errorf("%s: %w", m.Name, err)
	}
	isGzip := bytes.HasPrefix(head[:n], []byte{0x1f, 0x8b})
	isZip := bytes.HasPrefix(head[:n], []byte("PK\x03\x04")) || bytes.HasPrefix(head[:n], []byte("PK\x05\x06"))
	if !isGzip && !isZip {
		return u.add(prefix, m)
	}
	if m.Size > u.limits.Compressed {
		return u.refuse(m.Name, parsers.ErrLimit,
			fmt.Sprintf("%d bytes packed, %d are allowed", m.Size, u.limits.Compressed))
	}
	if isGzip {
		return u.gzip(m, prefix, depth)
	}
	return u.zip(m, prefix, depth)
}

// deeper refuses an archive below the last layer that is allowed.
func (u *unpacker) deeper(m parsers.Member, depth int) error {
	if depth < u.limits.Depth {
		return nil
	}
	return u.refuse(m.Name, parsers.ErrLimit, fmt.Sprintf("archives within archives, %d layers are allowed", u.limits.Depth))
}

// add makes m a file of the delivery.
func (u *unpacker) add(prefix string, m parsers.Member) error {
	m.Name = prefix + m.Name
	if u.names[m.Name] {
		return u.refuse(m.Name, ErrDuplicate, "which of the two counts cannot be known")
	}
	u.names[m.Name] = true
	u.files = append(u.files, m)
	return nil
}

// refuse builds the error for the file at name.
func (u *unpacker) refuse(name string, cause error, what string) error {
	at := u.delivery
	if name != "" && name != u.delivery {
		at += "!" + name
	}
	return &parsers.FileError{File: at, What: what, Err: cause}
}

// temps are temporary files. They are unlinked as soon as they are open where the system allows it, so that a killed
// process leaves nothing, and in any case on Close.
type temps struct {
	files []*os.File
}

// create opens a new file that only this user may read.
func (t *temps) create(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "daozhang-*.member") // mode 0600, O_EXCL
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name()) // where it fails Close removes it
	t.files = append(t.files, f)
	return f, nil
}

// Close removes all files. It may be called twice.
func (t *temps) Close() error {
	var errs []error
	for _, f := range t.files {
		errs = append(errs, f.Close())
		if err := os.Remove(f.Name()); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	t.files = nil
	return errors.Join(errs...)
}
