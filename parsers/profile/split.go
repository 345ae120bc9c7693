package profile

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

var (
	errBareQuote = errors.New("a quote inside an unquoted cell")
	errQuote     = errors.New("text after a closing quote")
	errOpenQuote = errors.New("a quoted cell is not closed on its line")
	errManyCells = errors.New("too many cells")
)

// span is a cell: line[from:to].
type span struct{ from, to int32 }

// splitPlain cuts a line at each sep, eight bytes at a time. It appends to cells.
func splitPlain(line []byte, sep byte, cells []span) []span {
	const low7, high = 0x7F7F7F7F7F7F7F7F, 0x8080808080808080
	pat := uint64(sep) * 0x0101010101010101
	from, i := 0, 0
	for ; i+8 <= len(line); i += 8 {
		x := binary.LittleEndian.Uint64(line[i:]) ^ pat
		hits := ^((x&low7 + low7) | x | low7) & high // exact: 0x80 in each byte that equals sep
		for ; hits != 0; hits &= hits - 1 {
			at := i + bits.TrailingZeros64(hits)/8
			cells = append(cells, span{int32(from), int32(at)})
			from = at + 1
		}
	}
	for ; i < len(line); i++ {
		if line[i] == sep {
			cells = append(cells, span{int32(from), int32(i)})
			from = i + 1
		}
	}
	return append(cells, span{int32(from), int32(len(line))})
}

// splitBacktick cuts `a,`b,`c at separator + backtick, so that a cell may hold bare separators.
func splitBacktick(line []byte, sep byte, cells []span) []span {
	const low7, high = 0x7F7F7F7F7F7F7F7F, 0x8080808080808080
	from, i := 1, 1
	for ; i+8 <= len(line); i += 8 {
		x := binary.LittleEndian.Uint64(line[i:]) ^ 0x6060606060606060
		hits := ^((x&low7 + low7) | x | low7) & high
		for ; hits != 0; hits &= hits - 1 {
			if at := i + bits.TrailingZeros64(hits)/8; line[at-1] == sep {
				cells = append(cells, span{int32(from), int32(at - 1)})
				from = at + 1
			}
		}
	}
	for ; i < len(line); i++ {
		if line[i] == '`' && line[i-1] == sep {
			cells = append(cells, span{int32(from), int32(i - 1)})
			from = i + 1
		}
	}
	return append(cells, span{int32(from), int32(len(line))})
}

// splitGB cuts GBK text at separators that may also be the second byte of a character, such as the bar.
func splitGB(line []byte, sep byte, cells []span) []span {
	from := 0
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] >= 0x81 && line[i] <= 0xFE:
			i++ // the trail byte; of a four-byte character the second half is a pair again
		case line[i] == sep:
			cells = append(cells, span{int32(from), int32(i)})
			from = i + 1
		}
	}
	return append(cells, span{int32(from), int32(len(line))})
}

// splitQuoted cuts a line by RFC 4180 and returns the text that the cells point into: the line itself, or scratch
// where doubled quotes had to be undone. Blanks and TABs behind a closing quote are dropped, since vendors pad with
// them.
func splitQuoted(line []byte, sep byte, cells []span, scratch []byte) (text []byte, out []span, rest []byte, err error) {
	scratch = scratch[:0]
	i := 0
	for {
		from := len(scratch)
		if i < len(line) && line[i] == '"' {
			i++
			closed := false
			for i < len(line) {
				if line[i] != '"' {
					scratch = append(scratch, line[i])
					i++
					continue
				}
				if i+1 < len(line) && line[i+1] == '"' {
					scratch = append(scratch, '"')
					i += 2
					continue
				}
				closed = true
				i++
				break
			}
			if !closed {
				return line, cells, scratch, errOpenQuote
			}
			for i < len(line) && line[i] != sep && (line[i] == ' ' || line[i] == '\t') {
				i++
			}
			if i < len(line) && line[i] != sep {
				return line, cells, scratch, errQuote
			}
		} else {
			for i < len(line) && line[i] != sep {
				if line[i] == '"' {
					return line, cells, scratch, errBareQuote
				}
				scratch = append(scratch, line[i])
				i++
			}
		}
		cells = append(cells, span{int32(from), int32(len(scratch))})
		if i >= len(line) {
			return scratch, cells, scratch, nil
		}
		i++
	}
}
