package main

import (
	"fmt"
	"math"
	"runtime/debug"
	"strconv"
	"strings"
)

// parseSize reads an amount of memory: a number with KiB, MiB or GiB behind it. What is smaller than least is refused.
func parseSize(flag, s string, least int64) (int64, error) {
	units := map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
	number := strings.TrimRight(s, "KMGiB")
	unit, ok := units[s[len(number):]]
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || !ok || n <= 0 || n > math.MaxInt64/unit {
		return 0, fmt.Errorf("%s %q: write a whole number with KiB, MiB or GiB, such as 256MiB or 2GiB", flag, s)
	}
	if n *= unit; n < least {
		return 0, fmt.Errorf("%s %s is too little to work with: give at least %dMiB", flag, s, least>>20)
	}
	return n, nil
}

// leastMemory is what reading, matching and writing need beside the rows themselves.
const leastMemory = 128 << 20

// matchingGC is how much garbage may lie beside what is in use, in percent. Most of what is in use are rows without pointers,
// which cost the collector nothing, so it may come often.
const matchingGC = 25

// boundMemory tells the garbage collector what to expect, and the limit on the process, 0 for none.
func boundMemory(limit int64) {
	debug.SetGCPercent(matchingGC)
	if limit > 0 {
		debug.SetMemoryLimit(limit * 9 / 10)
	}
}
