package unpack

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"daozhang/parsers"
)

// item is an entry to be put into a test archive.
type item struct {
	name  string
	data  []byte
	mode  fs.FileMode
	plain bool // the name is not marked as UTF-8
	flags uint16
	store bool
}

func zipOf(t testing.TB, items ...item) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, it := range items {
		h := &zip.FileHeader{Name: it.name, Method: zip.Deflate, NonUTF8: it.plain, Flags: it.flags}
		if it.store {
			h.Method = zip.Store
		}
		h.SetMode(0o644 | it.mode)
		f, err := w.CreateHeader(h)
		must(t, err)
		if !strings.HasSuffix(it.name, "/") {
			_, err = f.Write(it.data)
			must(t, err)
		}
	}
	must(t, w.Close())
	return b.Bytes()
}

func gzipOf(t testing.TB, name string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, flate.BestCompression)
	must(t, err)
	w.Name = name
	_, err = w.Write(data)
	must(t, err)
	must(t, w.Close())
	return b.Bytes()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func gbk(t testing.TB, s string) string {
	t.Helper()
	out, err := simplifiedchinese.GBK.NewEncoder().String(s)
	must(t, err)
	return out
}

// open unpacks b and returns "name=content" for each file.
func open(t testing.TB, name string, b []byte, limits Limits) ([]string, error) {
	t.Helper()
	if limits.TempDir == "" {
		limits.TempDir = t.TempDir()
	}
	d, closer, err := Open(name, bytes.NewReader(b), int64(len(b)), limits)
	if err != nil {
		if closer != nil || d != nil {
			t.Error("a result beside an error")
		}
		empty(t, limits.TempDir)
		return nil, err
	}
	var out []string
	for _, m := range d.Files {
		data, err := io.ReadAll(io.NewSectionReader(m.Data, 0, m.Size+1))
		must(t, err)
		out = append(out, m.Name+"="+string(data))
	}
	must(t, closer.Close())
	must(t, closer.Close())
	empty(t, limits.TempDir)
	return out, nil
}

func empty(t testing.TB, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	must(t, err)
	if len(left) != 0 {
		t.Errorf("left in the temporary folder: %v", left)
	}
}

func TestDeliveriesOpen(t *testing.T) {
	xlsx := zipOf(t, item{name: "[Content_Types].xml", data: []byte("<x/>")}, item{name: "xl/workbook.xml", data: []byte("<w/>")})
	backslash := gbk(t, `明细\誠.csv`) // the last byte of 誠 is that of a backslash
	for _, c := range []struct {
		name     string
		delivery string
		bytes    []byte
		want     []string
	}{
		{"plain", "a.csv", []byte("x,y"), []string{"a.csv=x,y"}},
		{"plain in spite of its name", "a.zip", []byte("x,y"), []string{"a.zip=x,y"}},
		{"empty file", "a.csv", nil, []string{"a.csv="}},
		{"one byte", "a.csv", []byte{0x1f}, []string{"a.csv=\x1f"}},
		{"path is not part of the name", "out/2026/a.csv", []byte("x"), []string{"a.csv=x"}},
		{"gzip with a name", "a.gz", gzipOf(t, "b.csv", []byte("x")), []string{"b.csv=x"}},
		{"gzip without a name", "a.csv.gz", gzipOf(t, "", []byte("x")), []string{"a.csv=x"}},
		{"gzip in spite of its name", "a.txt", gzipOf(t, "", []byte("x")), []string{"a.txt=x"}},
		{"gzip with a path as its name", "a.csv.gz", gzipOf(t, "../../b.csv", []byte("x")), []string{"a.csv=x"}},
		{"gzip of two streams", "a.gz", append(gzipOf(t, "", []byte("x")), gzipOf(t, "", []byte("y"))...), []string{"a=xy"}},
		{"zip sorted by name", "a.zip", zipOf(t, item{name: "b.csv", data: []byte("B")}, item{name: "a.csv", data: []byte("A")}, item{name: "Z.csv"}),
			[]string{"Z.csv=", "a.csv=A", "b.csv=B"}},
		{"zip of stored files", "a.zip", zipOf(t, item{name: "a.csv", data: []byte("A"), store: true}), []string{"a.csv=A"}},
		{"zip with GBK names", "a.zip", zipOf(t, item{name: gbk(t, "账务明细.csv"), data: []byte("A"), plain: true}, item{name: gbk(t, "账务汇总.csv"), plain: true}),
			[]string{"账务明细.csv=A", "账务汇总.csv="}},
		{"zip with UTF-8 names, marked", "a.zip", zipOf(t, item{name: "账务明细.csv", data: []byte("A")}), []string{"账务明细.csv=A"}},
		{"zip with UTF-8 names, not marked", "a.zip", zipOf(t, item{name: "账务明细.csv", data: []byte("A"), plain: true}), []string{"账务明细.csv=A"}},
		{"zip with backslashes, GBK", "a.zip", zipOf(t, item{name: backslash, data: []byte("A"), plain: true}), []string{"明细/誠.csv=A"}},
		{"zip with folders and junk", "a.zip", zipOf(t, item{name: "d/", mode: fs.ModeDir}, item{name: "d/a.csv", data: []byte("A")},
			item{name: "__MACOSX/d/._a.csv", data: []byte("j")}, item{name: "d/.DS_Store"}, item{name: "Thumbs.db"}), []string{"d/a.csv=A"}},
		{"gzip in zip", "a.zip", zipOf(t, item{name: "a.csv.gz", data: gzipOf(t, "", []byte("x"))}), []string{"a.csv=x"}},
		{"zip in gzip", "a.zip.gz", gzipOf(t, "", zipOf(t, item{name: "a.csv", data: []byte("x")})), []string{"a.zip!a.csv=x"}},
		{"zip in zip", "a.zip", zipOf(t, item{name: "in.zip", data: zipOf(t, item{name: "a.csv", data: []byte("x")})}, item{name: "a.csv", data: []byte("y")}),
			[]string{"a.csv=y", "in.zip!a.csv=x"}},
		{"workbook stays whole", "a.xlsx", xlsx, []string{"a.xlsx=" + string(xlsx)}},
		{"workbook in zip", "a.zip", zipOf(t, item{name: "a.xlsx", data: xlsx}), []string{"a.xlsx=" + string(xlsx)}},
	} {
		for spill, limits := range map[string]Limits{"in memory": {}, "on disk": {Spill: 1}, "memory used up": {Memory: 1}} {
			got, err := open(t, c.delivery, c.bytes, limits)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%s, %s: %q, %v; want %q", c.name, spill, got, err, c.want)
			}
		}
	}
}

func TestPlainFilesAreNotCopied(t *testing.T) {
	r := bytes.NewReader([]byte("x,y"))
	d, closer, err := Open("a.csv", r, 3, Limits{})
	must(t, err)
	defer closer.Close()
	if d.Files[0].Data != io.ReaderAt(r) {
		t.Error("another reader came back")
	}
}

// TestHostileArchives: each is refused with the named cause, and nothing stays in the temporary folder.
func TestHostileArchives(t *testing.T) {
	zeros := make([]byte, 4<<20)
	noise := make([]byte, 3<<20)
	_, err := rand.Read(noise)
	must(t, err)
	good := zipOf(t, item{name: "a.csv", data: noise[:5000]})
	many := make([]item, 101)
	for i := range many {
		many[i] = item{name: fmt.Sprint(i)}
	}
	layers := []byte("x")
	for range 3 {
		layers = zipOf(t, item{name: "in.zip", data: layers})
	}
	small := Limits{Entries: 100, Unpacked: 2 << 20, Ratio: 200}
	if len(zipOf(t, many...)) == 0 {
		t.Fatal("no archive")
	}
	type hostile struct {
		name  string
		bytes []byte
		cause error
	}
	evil := func(name string) []byte { return zipOf(t, item{name: "ok.csv"}, item{name: name, data: []byte("x")}) }
	cases := []hostile{
		{"zip slip", evil("../../etc/cron.d/x"), ErrUnsafe},
		{"zip slip in the middle", evil("a/../../b"), ErrUnsafe},
		{"zip slip with backslashes", evil(`..\..\b`), ErrUnsafe},
		{"absolute path", evil("/etc/passwd"), ErrUnsafe},
		{"absolute path with a backslash", evil(`\etc\passwd`), ErrUnsafe},
		{"drive letter", evil(`C:\x`), ErrUnsafe},
		{"name with NUL", evil("a\x00.csv"), ErrUnsafe},
		{"name with a line break", evil("a\nb.csv"), ErrUnsafe},
		{"name that changes direction", evil("a\u202evsc.exe"), ErrUnsafe},
		{"symbolic link", zipOf(t, item{name: "l", data: []byte("/etc/passwd"), mode: fs.ModeSymlink}), ErrUnsafe},
		{"device", zipOf(t, item{name: "d", mode: fs.ModeDevice}), ErrUnsafe},
		{"named pipe", zipOf(t, item{name: "p", mode: fs.ModeNamedPipe}), ErrUnsafe},
		{"two entries of one name", zipOf(t, item{name: "a.csv", data: []byte("1")}, item{name: "a.csv", data: []byte("2")}), ErrDuplicate},
		{"two entries of one name, spelt differently", zipOf(t, item{name: "d/a.csv"}, item{name: `d\a.csv`}), ErrDuplicate},
		{"two files of one name after unpacking", zipOf(t, item{name: "a.csv", data: []byte("1")}, item{name: "a.csv.gz", data: gzipOf(t, "", []byte("2"))}), ErrDuplicate},
		{"encrypted entry", encrypted(good), ErrEncrypted},
		{"zip bomb by ratio", zipOf(t, item{name: "a", data: zeros}), parsers.ErrLimit},
		{"gzip bomb by ratio", gzipOf(t, "", zeros), parsers.ErrLimit},
		{"too much in one file", gzipOf(t, "", noise), parsers.ErrLimit},
		{"too much in all files", zipOf(t, item{name: "a", data: noise[:1<<20]}, item{name: "b", data: noise[:1<<20]}, item{name: "c", data: noise[:100]}), parsers.ErrLimit},
		{"too many entries", zipOf(t, many...), parsers.ErrLimit},
		{"too many entries, count lies", lyingCount(zipOf(t, many...)), nil},
		{"entries that share their bytes", overlapping(t, noise[:60_000]), ErrUnsafe},
		{"header lies about the size", lyingSize(gunzipBomb(t)), nil},
		{"three layers", layers, parsers.ErrLimit},
		{"three layers of gzip", gzipOf(t, "", gzipOf(t, "", gzipOf(t, "", []byte("x")))), parsers.ErrLimit},
		{"cut in the list of entries", good[:len(good)-30], parsers.ErrTruncated},
		{"cut in the data", good[:2000], parsers.ErrTruncated},
		{"gzip cut in its header", gzipOf(t, "name", []byte("x"))[:5], parsers.ErrTruncated},
		{"gzip cut in its data", gzipOf(t, "", noise[:9999])[:5000], parsers.ErrTruncated},
		{"gzip with a wrong checksum", flip(gzipOf(t, "", noise[:9999]), -6), ErrDamaged},
		{"zip with a flipped byte", flip(good, 1000), ErrDamaged},
		{"gzip with rubbish behind it", append(gzipOf(t, "", []byte("x")), "rubbish behind it"...), ErrDamaged},
		{"unknown packing method", method(good, 99), ErrDamaged},
		{"empty zip", zipOf(t), ErrEmpty},
		{"zip of folders only", zipOf(t, item{name: "d/", mode: fs.ModeDir}), ErrEmpty},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := open(t, "delivery.bin", c.bytes, small)
			if err == nil || c.cause != nil && !errors.Is(err, c.cause) {
				t.Fatalf("got %v, want %v", err, c.cause)
			}
			var fe *parsers.FileError
			if !errors.As(err, &fe) || !strings.HasPrefix(err.Error(), "delivery.bin") {
				t.Errorf("error does not name the delivery: %v", err)
			}
		})
	}
	t.Logf("%d hostile archives", len(cases))
}

// TestBombStaysSmallInMemory unpacks up to the cap from a bomb of nothing but zeros.
func TestBombStaysSmallInMemory(t *testing.T) {
	bomb := gzipOf(t, "", make([]byte, 300<<20))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := open(t, "bomb.gz", bomb, Limits{Unpacked: 200 << 20, Ratio: 1 << 30})
	runtime.ReadMemStats(&after)
	if !errors.Is(err, parsers.ErrLimit) {
		t.Fatalf("got %v", err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
		t.Errorf("%d MiB were allocated", used>>20)
	}
}

func TestFailedTemporaryFolderIsNamed(t *testing.T) {
	b := gzipOf(t, "", []byte("hello"))
	_, _, err := Open("a.gz", bytes.NewReader(b), int64(len(b)), Limits{Spill: 1, TempDir: t.TempDir() + "/gone"})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestSpilledFilesArePrivate(t *testing.T) {
	var tmp temps
	f, err := tmp.create(t.TempDir())
	must(t, err)
	info, err := f.Stat()
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	must(t, tmp.Close())
}

func FuzzOpen(f *testing.F) {
	f.Add(zipOf(f, item{name: "a.csv", data: []byte("x")}))
	f.Add(gzipOf(f, "a", []byte("x")))
	f.Add(zipOf(f, item{name: "a.gz", data: gzipOf(f, "", []byte("x"))}))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, c, err := Open("a", bytes.NewReader(b), int64(len(b)), Limits{Unpacked: 1 << 20, Entries: 50, Memory: 1 << 20})
		if err != nil {
			return
		}
		for _, m := range d.Files {
			if n, err := io.Copy(io.Discard, io.NewSectionReader(m.Data, 0, m.Size)); err != nil || n != m.Size {
				t.Errorf("%d of %d bytes, %v", n, m.Size, err)
			}
		}
		must(t, c.Close())
	})
}

// The functions below damage archives.

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	if at < 0 {
		at += len(b)
	}
	b[at] ^= 0x10
	return b
}

func central(b []byte) int { return bytes.Index(b, []byte("PK\x01\x02")) }

func encrypted(b []byte) []byte {
	b = bytes.Clone(b)
	b[6] |= 1
	b[central(b)+8] |= 1
	return b
}

func method(b []byte, m byte) []byte {
	b = bytes.Clone(b)
	b[8], b[central(b)+10] = m, m
	return b
}

// lyingCount says that there is one entry.
func lyingCount(b []byte) []byte {
	b = bytes.Clone(b)
	end := bytes.LastIndex(b, []byte("PK\x05\x06"))
	b[end+8], b[end+10] = 1, 1
	b[end+9], b[end+11] = 0, 0
	return b
}

// overlapping lets ten entries point at the bytes of one.
func overlapping(t testing.TB, data []byte) []byte {
	b := zipOf(t, item{name: "a", data: data, store: true})
	at, end := central(b), bytes.LastIndex(b, []byte("PK\x05\x06"))
	record, tail := b[at:end], bytes.Clone(b[end:])
	out := bytes.Clone(b[:at])
	for i := range 10 {
		r := bytes.Clone(record)
		r[46] = byte('a' + i)
		out = append(out, r...)
	}
	binary.LittleEndian.PutUint16(tail[8:], 10)
	binary.LittleEndian.PutUint16(tail[10:], 10)
	binary.LittleEndian.PutUint32(tail[12:], uint32(10*len(record)))
	return append(out, tail...)
}

func gunzipBomb(t testing.TB) []byte { return zipOf(t, item{name: "a", data: make([]byte, 4<<20)}) }

// lyingSize says that the entry unpacks to ten bytes.
func lyingSize(b []byte) []byte {
	b = bytes.Clone(b)
	binary.LittleEndian.PutUint32(b[central(b)+24:], 10)
	return b
}
