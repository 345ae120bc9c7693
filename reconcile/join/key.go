package join

import (
	"math/bits"
	"strconv"
)

// Packing identifiers without loss: equal words are equal texts. Blank identifiers never come here.

// shortMax is the length up to which a text of digits and capitals packs into one word: ISO 8583's RRN has 12.
const shortMax = 12

// digitsOnly marks a packed short text that is a number. Twelve letters and digits stay below it.
const digitsOnly = 1 << 63

// PackShort packs a text of at most 12 digits and capital letters into one word, or reports that it does not fit. The caller
// has trimmed leading zeros, where they do not count; a number that still has some does not fit.
func PackShort(id []byte) (uint64, bool) {
	if len(id) > shortMax {
		return 0, false
	}
	var n uint64
	for i, c := range id {
		if c < '0' || c > '9' {
			return packLetters(id)
		}
		if i == 0 && c == '0' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return digitsOnly | n, len(id) > 0
}

func packLetters(id []byte) (uint64, bool) {
	var n uint64
	for _, c := range id {
		switch {
		case c >= '0' && c <= '9':
			n = n*37 + uint64(c-'0') + 1
		case c >= 'A' && c <= 'Z':
			n = n*37 + uint64(c-'A') + 11
		default:
			return 0, false
		}
	}
	return n, true
}

// UnpackShort appends the text that PackShort packed.
func UnpackShort(to []byte, n uint64) []byte {
	if n&digitsOnly != 0 {
		return strconv.AppendUint(to, n&^digitsOnly, 10)
	}
	from := len(to)
	for ; n > 0; n /= 37 {
		d := n % 37
		switch {
		case d == 0:
			return to[:from] // no text packs to this word
		case d <= 10:
			to = append(to, byte('0'+d-1))
		default:
			to = append(to, byte('A'+d-11))
		}
	}
	for i, j := from, len(to)-1; i < j; i, j = i+1, j-1 {
		to[i], to[j] = to[j], to[i]
	}
	return to
}

// Forms of a long key, in the two highest bits of its first word.
const (
	formRaw   = 1 + iota // bytes as they are, with their number
	formHex              // digits and a to f, four bits each, with their number
	formAlnum            // letters, digits and hyphens, six bits each, none of them zero
)

// What each form holds.
const (
	rawMax   = 22
	hexMax   = 44
	alnumMax = 31
)

// LongWords is the size of a packed order number or channel's transaction id.
const LongWords = 3

// Long is an order number or a channel's transaction id, packed.
type Long [LongWords]uint64

// PackLong packs a text of up to 22 bytes of any kind, 31 letters, digits and hyphens, or 44 hexadecimal digits; order
// numbers have at most 32 characters at the large channels. Every text has one packed form.
func PackLong(id []byte) (Long, bool) {
	if len(id) == 0 {
		return Long{}, false
	}
	if len(id) <= rawMax {
		return packRaw(id), true
	}
	if k, ok := packHex(id); ok {
		return k, true
	}
	return packAlnum(id)
}

// packRaw lays 6 bytes behind the length in the first word and 8 in each of the others.
func packRaw(id []byte) Long {
	k := Long{formRaw<<62 | uint64(len(id))}
	for i, c := range id {
		if i < 6 {
			k[0] |= uint64(c) << (8 * (i + 1))
		} else {
			k[1+(i-6)/8] |= uint64(c) << (8 * ((i - 6) % 8))
		}
	}
	return k
}

// packHex lays 12 digits behind the length in the first word and 16 in each of the others.
func packHex(id []byte) (Long, bool) {
	if len(id) > hexMax {
		return Long{}, false
	}
	k := Long{formHex<<62 | uint64(len(id))}
	for i, c := range id {
		var d uint64
		switch {
		case c >= '0' && c <= '9':
			d = uint64(c - '0')
		case c >= 'a' && c <= 'f':
			d = uint64(c-'a') + 10
		default:
			return Long{}, false
		}
		if i < 12 {
			k[0] |= d << (8 + 4*i)
		} else {
			k[1+(i-12)/16] |= d << (4 * ((i - 12) % 16))
		}
	}
	return k, true
}

// packAlnum shifts the characters in from the lowest bit.
func packAlnum(id []byte) (Long, bool) {
	if len(id) > alnumMax {
		return Long{}, false
	}
	var lo, mid, hi uint64
	for _, c := range id {
		var d uint64
		switch {
		case c >= '0' && c <= '9':
			d = uint64(c-'0') + 1
		case c >= 'A' && c <= 'Z':
			d = uint64(c-'A') + 11
		case c >= 'a' && c <= 'z':
			d = uint64(c-'a') + 37
		case c == '-':
			d = 63
		default:
			return Long{}, false
		}
		hi, mid, lo = hi<<6|mid>>58, mid<<6|lo>>58, lo<<6|d
	}
	return Long{formAlnum<<62 | hi, mid, lo}, true
}

// Mix folds a word into a hash: one multiplication of 64 by 64 bits. The constants are arbitrary odd numbers.
func Mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^v^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93^v<<1)
	return hi ^ lo
}

// ShardKey spreads a key over 64 bits, by which its rows lie in a partition: the high bits choose the partition, the low ones
// the place in its table. It depends on the key alone, and is never compared in place of it.
func ShardKey(key []uint64) uint64 {
	h := uint64(0)
	for _, w := range key {
		h = Mix(h, w)
	}
	return h
}
