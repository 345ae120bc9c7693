package unpack

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"

	"daozhang/parsers"
)

// zip opens a zip, unless it is an Office document.
func (u *unpacker) zip(m parsers.Member, prefix string, depth int) error {
	zr, err := u.directory(m)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(zr.File, func(f *zip.File) bool { return f.Name == "[Content_Types].xml" }) {
		return u.add(prefix, m) // a workbook: its reader has caps of its own
	}
	if err := u.deeper(m, depth); err != nil {
		return err
	}
	zr.RegisterDecompressor(zip.Deflate, func(r io.Reader) io.ReadCloser { return flate.NewReader(r) })
	entries, err := u.check(m, zr.File)
	if err != nil {
		return err
	}
	if depth > 0 {
		prefix += m.Name + "!"
	}
	for _, e := range entries {
		inner, err := u.entry(e)
		if err != nil {
			return err
		}
		if err := u.layer(inner, prefix, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// entry is a file in a zip, its name decoded.
type entry struct {
	name string
	file *zip.File
}

// check looks at every entry before any is unpacked, and returns the files among them by name.
func (u *unpacker) check(m parsers.Member, all []*zip.File) ([]entry, error) {
	if u.entries += len(all); u.entries > u.limits.Entries {
		return nil, u.tooMany(m.Name)
	}
	var out []entry
	var packed uint64
	seen := map[string]bool{}
	for _, f := range all {
		name, err := entryName(f.Name, f.NonUTF8)
		if err != nil {
			return nil, u.refuse(m.Name, ErrUnsafe, fmt.Sprintf("entry %q: %v", f.Name, err))
		}
		if packed += f.CompressedSize64; packed > uint64(m.Size) || f.CompressedSize64 > uint64(m.Size) {
			return nil, u.refuse(m.Name, ErrUnsafe, "its entries overlap")
		}
		switch mode := f.Mode(); {
		case mode.IsDir() || strings.HasSuffix(name, "/"):
			if f.UncompressedSize64 > 0 {
				return nil, u.refuse(m.Name, ErrUnsafe, fmt.Sprintf("entry %q is a folder that holds bytes", name))
			}
			continue
		case mode&fs.ModeSymlink != 0:
			return nil, u.refuse(m.Name, ErrUnsafe, fmt.Sprintf("entry %q is a symbolic link", name))
		case !mode.IsRegular():
			return nil, u.refuse(m.Name, ErrUnsafe, fmt.Sprintf("entry %q is a device or the like", name))
		case seen[name]:
			return nil, u.refuse(m.Name, ErrDuplicate, fmt.Sprintf("entry %q", name))
		case f.Flags&1 != 0:
			return nil, u.refuse(m.Name, ErrEncrypted, fmt.Sprintf("entry %q; unpack it with its password and deliver the files", name))
		}
		seen[name] = true
		if !junk(name) {
			out = append(out, entry{name, f})
		}
	}
	slices.SortFunc(out, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

// entry unpacks one file.
func (u *unpacker) entry(e entry) (parsers.Member, error) {
	rc, err := e.file.Open()
	if errors.Is(err, zip.ErrAlgorithm) {
		return parsers.Member{}, u.refuse(e.name, ErrDamaged,
			fmt.Sprintf("packed with method %d, which is not known; pack it with deflate", e.file.Method))
	}
	if err != nil {
		return parsers.Member{}, u.broken(e.name, err)
	}
	defer rc.Close()
	packed := int64(e.file.CompressedSize64)
	return u.inflate(e.name, rc, func() int64 { return packed })
}

// directory reads the list of entries, and no more of it than the cap on entries can need: the library would read a
// list of millions before we could count it.
func (u *unpacker) directory(m parsers.Member) (*zip.Reader, error) {
	n, err := statedEntries(m.Data, m.Size)
	if err != nil {
		return nil, u.broken(m.Name, err)
	}
	if n > uint64(u.limits.Entries) {
		return nil, u.tooMany(m.Name)
	}
	budget := &budgetReaderAt{r: m.Data, left: int64(u.limits.Entries)*1024 + 256<<10}
	zr, err := zip.NewReader(budget, m.Size)
	if budget.left < 0 {
		return nil, u.tooMany(m.Name)
	}
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // names are checked by us, with a better message
		return nil, u.broken(m.Name, err)
	}
	budget.open = true
	return zr, nil
}

func (u *unpacker) tooMany(name string) error {
	return u.refuse(name, parsers.ErrLimit, fmt.Sprintf("more than %d entries", u.limits.Entries))
}

// statedEntries reads the number of entries from the record at the archive's end. A missing record means that the
// end of the file is missing.
func statedEntries(r io.ReaderAt, size int64) (uint64, error) {
	const record, comment, locator = 22, 1<<16 - 1, 20
	tail := make([]byte, min(size, record+comment+locator))
	at := size - int64(len(tail))
	if _, err := r.ReadAt(tail, at); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	for i := len(tail) - record; i >= 0; i-- {
		if string(tail[i:i+4]) != "PK\x05\x06" {
			continue
		}
		n := uint64(binary.LittleEndian.Uint16(tail[i+10:]))
		if n != 0xffff || i < locator || string(tail[i-locator:i-locator+4]) != "PK\x06\x07" {
			return n, nil
		}
		var big [56]byte // the zip64 form of the record
		off := binary.LittleEndian.Uint64(tail[i-locator+8:])
		if off > uint64(size) {
			return 0, zip.ErrFormat
		}
		if _, err := r.ReadAt(big[:], int64(off)); err != nil {
			return 0, zip.ErrFormat
		}
		return binary.LittleEndian.Uint64(big[32:]), nil
	}
	return 0, io.ErrUnexpectedEOF
}

// budgetReaderAt fails once more bytes were read than allowed, until it is opened. It is used by one goroutine.
type budgetReaderAt struct {
	r    io.ReaderAt
	left int64
	open bool
}

func (b *budgetReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if !b.open {
		if b.left -= int64(len(p)); b.left < 0 {
			return 0, errors.New("the list of entries is too long")
		}
	}
	return b.r.ReadAt(p, off)
}
