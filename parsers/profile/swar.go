package profile

import (
	"encoding/binary"
	"math/bits"
)

// Helpers that look at eight bytes at a time. Each either decides exactly or reports false, and then the exact
// routine for the value has to be asked.

const (
	low7    = 0x7F7F7F7F7F7F7F7F
	highBit = 0x8080808080808080
	ones    = 0x0101010101010101
	zeros   = '0' * ones
)

// equal marks with 0x80 each byte of x ^ pattern that is 0.
func equal(x uint64) uint64 { return ^((x&low7 + low7) | x | low7) }

// window is the part of a buffer in which a record can be that goes the quick way: an array, so that the compiler
// knows its length.
const window = 4096

type view [window]byte

// maxCells bounds the cells of such records.
const maxCells = 256

// cuts collects where the cells of a record end.
type cuts [maxCells + 8]uint32

// split stores the positions of sep in w[from:stop] behind ends[0] and returns their number (positions behind the
// maxCells-th mean nothing), and whether there may be bytes >= 0x80 among w[from:stop]. It looks at up to 63 bytes
// behind stop.
func (ends *cuts) split(w *view, from, stop int, sep uint64) (n int, high bool) {
	var any uint64
	for i := from; i < stop; i += 64 {
		c := (*[64]byte)(w[i:])
		x0 := binary.LittleEndian.Uint64(c[0:])
		x1 := binary.LittleEndian.Uint64(c[8:])
		x2 := binary.LittleEndian.Uint64(c[16:])
		x3 := binary.LittleEndian.Uint64(c[24:])
		x4 := binary.LittleEndian.Uint64(c[32:])
		x5 := binary.LittleEndian.Uint64(c[40:])
		x6 := binary.LittleEndian.Uint64(c[48:])
		x7 := binary.LittleEndian.Uint64(c[56:])
		here := (x0 | x1 | x2 | x3 | x4 | x5 | x6 | x7) & highBit
		any |= here
		x0, x1, x2, x3, x4, x5, x6, x7 = x0^sep, x1^sep, x2^sep, x3^sep, x4^sep, x5^sep, x6^sep, x7^sep
		var m uint64
		if here == 0 { // no byte carries into the next one
			m = gather(^(x0+low7)&highBit) | gather(^(x1+low7)&highBit)<<8 |
				gather(^(x2+low7)&highBit)<<16 | gather(^(x3+low7)&highBit)<<24 |
				gather(^(x4+low7)&highBit)<<32 | gather(^(x5+low7)&highBit)<<40 |
				gather(^(x6+low7)&highBit)<<48 | gather(^(x7+low7)&highBit)<<56
		} else {
			m = gather(equal(x0)) | gather(equal(x1))<<8 | gather(equal(x2))<<16 | gather(equal(x3))<<24 |
				gather(equal(x4))<<32 | gather(equal(x5))<<40 | gather(equal(x6))<<48 | gather(equal(x7))<<56
		}
		if left := stop - i; left < 64 {
			m &= 1<<(left&63) - 1
		}
		// Four at a time, since a loop that ends at another bit in each record is mispredicted; what is stored
		// behind the last one is stored over.
		count := bits.OnesCount64(m)
		for k := n + 1; m != 0; k += 4 {
			e := (*[4]uint32)(ends[k&(maxCells-1):])
			e[0] = uint32(i + bits.TrailingZeros64(m))
			m &= m - 1
			e[1] = uint32(i + bits.TrailingZeros64(m))
			m &= m - 1
			e[2] = uint32(i + bits.TrailingZeros64(m))
			m &= m - 1
			e[3] = uint32(i + bits.TrailingZeros64(m))
			m &= m - 1
		}
		n += count
	}
	return n, any != 0
}

// gather makes one byte of the eight marks of equal.
func gather(marks uint64) uint64 { return marks * 0x0002040810204081 >> 56 }

// word loads eight bytes.
func word(w *view, at int) uint64 { return binary.LittleEndian.Uint64((*[8]byte)(w[at:])[:]) }

// digits reports whether each byte of d, a word of characters ^ '0', is at most 9.
func digits(d uint64) bool { return (d+0x76*ones|d)&highBit == 0 }

// eight is the number that eight digits make, the first in the lowest byte.
func eight(d uint64) uint64 {
	d = d*10 + d>>8
	return ((d&0x000000FF000000FF)*0x000F424000000064 + (d >> 16 & 0x000000FF000000FF * 0x0000271000000001)) >> 32
}

// clockAt reads HH:mm:ss at w[at:at+8].
func clockAt(w *view, at int) (seconds int, ok bool) {
	const colons = 0x0000FF0000FF0000
	d := word(w, at) ^ 0x30303A30303A3030
	if d&colons != 0 || !digits(d) {
		return 0, false
	}
	h := int(d&0xFF)*10 + int(d>>8&0xFF)
	m := int(d>>24&0xFF)*10 + int(d>>32&0xFF)
	s := int(d>>48&0xFF)*10 + int(d>>56)
	return h*3600 + m*60 + s, h < 24 && m < 60 && s < 60
}

// centsAt reads w[from:to] of the form -ddd.dd with one to eight digits before the point. It may look at eleven
// bytes before to.
func centsAt(w *view, from, to int) (cents int64, ok bool) {
	neg := w[from] == '-'
	if neg {
		from++
	}
	n := to - from - 3
	if n < 1 || n > 8 || w[to-3] != '.' {
		return 0, false
	}
	tens, units := uint64(w[to-2]-'0'), uint64(w[to-1]-'0')
	d := (word(w, to-11) ^ zeros) >> (64 - 8*n) << (64 - 8*n)
	if tens > 9 || units > 9 || !digits(d) {
		return 0, false
	}
	cents = int64(eight(d)*100 + tens*10 + units)
	if neg {
		cents = -cents
	}
	return cents, true
}

// cardAt reports whether w[from:to] has 12 to 24 characters, all of them digits or asterisks and the last four digits.
func cardAt(w *view, from, to int) bool {
	if n := to - from; n < 12 || n > 24 {
		return false
	}
	a, b, c := word(w, from), word(w, max(from, to-16)), word(w, to-8)
	return cardWord(a) && cardWord(b) && cardWord(c) && digits((c^zeros)>>32)
}

func cardWord(x uint64) bool {
	d := x ^ zeros
	return x&highBit == 0 && (d+0x76*ones)&highBit&^equal(x^'*'*ones) == 0
}

// highAt reports whether w[from:to] holds a byte >= 0x80.
func highAt(w *view, from, to int) bool { return hasHigh(w[from:to]) }
