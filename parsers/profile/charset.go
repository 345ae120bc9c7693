package profile

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// charset is the encoding of a file once it is known.
type charset uint8

const (
	utf8Text charset = iota
	gbText           // GB18030, which holds GBK
)

var utf8BOM = []byte{0xEF, 0xBB, 0xBF}

// gbDecoder turns GB18030 into UTF-8 in a buffer that is reused.
type gbDecoder struct{ t transform.Transformer }

func newGBDecoder() gbDecoder {
	return gbDecoder{simplifiedchinese.GB18030.NewDecoder().Transformer}
}

// appendTo appends the decoded text to dst and reports false where src is not valid GB18030.
func (d gbDecoder) appendTo(dst, src []byte) ([]byte, bool) {
	from := len(dst)
	for {
		if free := cap(dst) - len(dst); free < 2*len(src)+utf8.UTFMax {
			grown := make([]byte, len(dst), 2*cap(dst)+2*len(src)+64)
			copy(grown, dst)
			dst = grown
		}
		n, used, err := d.t.Transform(dst[len(dst):cap(dst)], src, true)
		dst = dst[:len(dst)+n]
		src = src[used:]
		if err != transform.ErrShortDst {
			return dst, err == nil && !bytes.Contains(dst[from:], []byte("\uFFFD"))
		}
	}
}

// encodeGB is used for the few literals of a profile that are compared with raw bytes.
func encodeGB(s string) []byte {
	b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(s))
	if err != nil {
		return []byte(s)
	}
	return b
}

// detect finds the encoding: BOM, then strict UTF-8, then GB18030. It reads on while all bytes are ASCII, so that
// the answer is one for the whole file and does not depend on where reading begins.
func detect(src io.ReaderAt, size int64) (charset, error) {
	buf := make([]byte, min(size, 64<<10))
	for off := int64(0); off < size; {
		n, err := src.ReadAt(buf[:min(int64(len(buf)), size-off)], off)
		chunk := buf[:n]
		if i := firstHigh(chunk); i >= 0 {
			if off > 0 || i > 0 { // read a full window from the first byte that tells
				n, err = src.ReadAt(buf[:min(int64(len(buf)), size-off-int64(i))], off+int64(i))
				chunk = buf[:n]
				off += int64(i)
			}
			if err != nil && err != io.EOF {
				return utf8Text, err
			}
			if looksUTF8(chunk) {
				return utf8Text, nil
			}
			return gbText, nil
		}
		if err != nil && err != io.EOF {
			return utf8Text, err
		}
		if n == 0 {
			break
		}
		off += int64(n)
	}
	return utf8Text, nil
}

// looksUTF8 reports whether b is UTF-8, where the last character may be cut. A few broken characters among many good
// ones are damage in a UTF-8 file (the cells that hold them are refused), not another encoding: GBK text hardly ever
// forms whole UTF-8 sequences, and reading damaged UTF-8 as GBK would make garbage of every name.
func looksUTF8(b []byte) bool {
	good, broken := 0, 0
	for len(b) > 0 {
		if b[0] < utf8.RuneSelf {
			b = b[1:]
			continue
		}
		if !utf8.FullRune(b) {
			break
		}
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			broken++
		} else {
			good++
		}
		b = b[n:]
	}
	return broken == 0 || good >= 4*broken
}

func hasHigh(b []byte) bool { return firstHigh(b) >= 0 }

// firstHigh is the index of the first byte >= 0x80, or -1.
func firstHigh(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if binary.LittleEndian.Uint64(b[i:])&0x8080808080808080 != 0 {
			break
		}
	}
	for ; i < len(b); i++ {
		if b[i] >= 0x80 {
			return i
		}
	}
	return -1
}

// foldRune maps full-width ASCII and the ideographic blank to half width.
func foldRune(r rune) rune {
	switch {
	case r >= 0xFF01 && r <= 0xFF5E:
		return r - 0xFEE0
	case r == 0x3000 || r == 0xA0:
		return ' '
	}
	return r
}

// fold replaces full-width ASCII in a text.
func fold(s string) string { return strings.Map(foldRune, s) }

// normalise makes header names comparable: without BOM, blanks, TABs, NBSP, quotes and backticks, full-width ASCII
// folded, letters in lower case.
func normalise(s string) string {
	return strings.Map(func(r rune) rune {
		r = foldRune(r)
		switch r {
		case 0xFEFF, ' ', '\t', '"', '\'', '`', '\r', '\n':
			return -1
		}
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
