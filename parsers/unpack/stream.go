package unpack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"daozhang/parsers"
)

// inflate reads one packed file to its end and returns what came out. Packed tells how many packed bytes were used
// for it, at most; it is asked while bytes come out.
func (u *unpacker) inflate(name string, r io.Reader, packed func() int64) (parsers.Member, error) {
	var (
		mem   bytes.Buffer
		spill *os.File
		size  int64
		chunk = make([]byte, 64<<10)
	)
	for {
		n, err := r.Read(chunk)
		if n > 0 {
			size += int64(n)
			u.unpacked += int64(n)
			if why := u.tooLarge(size, packed()); why != "" {
				return parsers.Member{}, u.refuse(name, parsers.ErrLimit, why)
			}
			if spill == nil && (size > u.limits.Spill || u.memory+size > u.limits.Memory) {
				f, err := u.spilled.create(u.limits.TempDir)
				if err == nil {
					_, err = f.Write(mem.Bytes())
				}
				if err != nil {
					return parsers.Member{}, fmt.Errorf("%s: cannot keep an unpacked file: %w", u.delivery, err)
				}
				spill, mem = f, bytes.Buffer{}
			}
			if spill == nil {
				mem.Write(chunk[:n])
			} else if _, err := spill.Write(chunk[:n]); err != nil {
				return parsers.Member{}, fmt.Errorf("%s: cannot keep an unpacked file: %w", u.delivery, err)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return parsers.Member{}, u.broken(name, err)
		}
	}
	if spill != nil {
		return parsers.Member{Name: name, Data: spill, Size: size}, nil
	}
	u.memory += size
	return parsers.Member{Name: name, Data: bytes.NewReader(mem.Bytes()), Size: size}, nil
}

// tooLarge says which cap is passed after size bytes of one file came out of packed bytes, or nothing.
func (u *unpacker) tooLarge(size, packed int64) string {
	switch {
	case u.unpacked > u.limits.Unpacked:
		return fmt.Sprintf("more than %d bytes come out of it", u.limits.Unpacked)
	case size > u.limits.RatioFloor && size/u.limits.Ratio >= max(packed, 1):
		return fmt.Sprintf("one packed byte grows to more than %d", u.limits.Ratio)
	}
	return ""
}

// broken turns a decompressor's error into ours.
func (u *unpacker) broken(name string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return u.refuse(name, parsers.ErrTruncated, "the packed data ends too early; fetch the file again")
	}
	var fe *parsers.FileError
	if errors.As(err, &fe) {
		return err
	}
	return u.refuse(name, ErrDamaged, err.Error()+"; fetch the file again")
}

// counter counts the packed bytes that a decompressor took.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
