// Command probe is the floor under every matcher: it reads the two files of a generated day with two goroutines, splits
// every line into its fields, hashes merchant, reference number and kind, and forgets them.
//
//	go run ./scripts/peers/probe JOURNAL ACQUIRER
package main

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"sync"
	"sync/atomic"
)

const (
	block   = 256 << 10
	longest = 4 << 10 // more than any line
	workers = 2
)

// file is one side: its separator and which columns make the key.
type file struct {
	*os.File
	size int64
	sep  byte
	key  [3]int
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("name the journal and the acquirer's file")
	}
	sides := [2]file{{sep: ',', key: [3]int{0, 5, 9}}, {sep: '\t', key: [3]int{11, 9, 8}}}
	for i := range sides {
		f, err := os.Open(args[i])
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		sides[i].File, sides[i].size = f, info.Size()
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	seed := maphash.MakeSeed()
	var rows [workers]int
	var sums [workers]uint64
	var errs [workers]error
	for w := range workers {
		wait.Go(func() { rows[w], sums[w], errs[w] = work(sides, &next, seed) })
	}
	wait.Wait()
	fmt.Printf("%d lines, hashes add up to %x\n", rows[0]+rows[1], sums[0]+sums[1])
	return errors.Join(errs[:]...)
}

// work takes blocks of both files, first the one, then the other, until none is left.
func work(sides [2]file, next *atomic.Int64, seed maphash.Seed) (rows int, sum uint64, err error) {
	buf := make([]byte, 1+block+longest)
	for {
		at := next.Add(1) - 1
		side := &sides[0]
		if n := (sides[0].size + block - 1) / block; at >= n {
			side, at = &sides[1], at-n
		}
		if at*block >= side.size {
			return rows, sum, nil
		}
		text, err := lines(side, at*block, buf)
		if err != nil {
			return rows, sum, err
		}
		n, s := split(text, side, seed)
		rows, sum = rows+n, sum+s
	}
}

// lines reads the lines that begin in the block at the offset.
func lines(f *file, at int64, buf []byte) ([]byte, error) {
	from := max(at-1, 0) // the byte before tells whether a line begins here
	n, err := f.ReadAt(buf[:block+longest+int(at-from)], from)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	text := buf[:n]
	end := int(at-from) + block
	if at > 0 {
		i := bytes.IndexByte(text, '\n') + 1
		text, end = text[i:], end-i
	}
	if end < len(text) && end > 0 {
		if i := bytes.IndexByte(text[end-1:], '\n'); i >= 0 {
			text = text[:end+i]
		}
	}
	return text, nil
}

func split(text []byte, f *file, seed maphash.Seed) (rows int, sum uint64) {
	for len(text) > 0 {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			end = len(text) - 1
		}
		line := text[:end]
		text = text[end+1:]
		rows++
		for column := 0; ; column++ {
			at := bytes.IndexByte(line, f.sep)
			field := line
			if at >= 0 {
				field = line[:at]
			}
			if column == f.key[0] || column == f.key[1] || column == f.key[2] {
				sum += maphash.Bytes(seed, field)
			}
			if at < 0 {
				break
			}
			line = line[at+1:]
		}
	}
	return rows, sum
}
