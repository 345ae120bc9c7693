package disk

import (
	"hash/fnv"
	"maps"
	"path"
	"slices"
)

// Choice says how much of what was not durable survives a crash: from 0, nothing, to of, all. It is asked about
//
//	a changed name     what = its path              of = 1: 0 is the name as last synced, 1 the newest
//	a changed mode     what = its path + " mode"    of = 1
//	bytes not synced   what = its path + " bytes"   of = how many there are
//
// Answers out of range count as the nearest in it.
type Choice func(what string, of int) int

// Nothing is the worst luck: all that was not durable is gone.
func Nothing(string, int) int { return 0 }

// Everything is the best luck: a crash of the process alone, not of the machine.
func Everything(_ string, of int) int { return of }

// Seeded decides by a hash of the seed and of what is asked: the same seed, the same luck.
func Seeded(seed uint64) Choice {
	return func(what string, of int) int {
		h := fnv.New64a()
		for i := range 8 {
			h.Write([]byte{byte(seed >> (8 * i))})
		}
		h.Write([]byte(what))
		x := h.Sum64()
		x ^= x >> 33 // the low bits of the hash alone are too alike
		x *= 0xff51afd7ed558ccd
		x ^= x >> 33
		return int(x % uint64(of+1))
	}
}

// Crash stops the machine: open files are dead, locks are gone, and of what was not made durable only that is left
// which choose spares; nil is [Nothing]. What is left is durable.
//
// It is stricter than most disks. A rename is two changes that may survive one without the other, so that a thing may
// be found under both names or, if neither was synced, under none; only a folder is never in two places. Bytes that were
// not synced are cut off somewhere.
func (m *Mem) Crash(choose Choice) {
	if choose == nil {
		choose = Nothing
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch.Add(1)
	survivors{choose, map[*node]bool{}}.settle(m.root, "/")
}

type survivors struct {
	choose Choice
	done   map[*node]bool
}

func (s survivors) pick(what string, of int) int { return min(max(s.choose(what, of), 0), of) }

// settle makes n, and all that is left below it, what the crash has left.
func (s survivors) settle(n *node, at string) {
	s.done[n] = true
	n.holder = nil
	if n.perm != n.kept && s.pick(at+" mode", 1) == 0 {
		n.perm = n.kept
	}
	n.kept = n.perm
	n.mu.Lock()
	if extra := len(n.data) - n.synced; extra > 0 {
		n.synced += s.pick(at+" bytes", extra)
		n.data = n.data[:n.synced:n.synced]
	}
	n.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(n.was)) {
		if s.pick(path.Join(at, name), 1) == 1 {
			continue
		}
		if old := n.was[name]; old != nil {
			n.names[name] = old
		} else {
			delete(n.names, name)
		}
	}
	clear(n.was)
	for _, name := range slices.Sorted(maps.Keys(n.names)) {
		child := n.names[name]
		switch {
		case !s.done[child]:
			if child.names != nil {
				child.parent = n
			}
			s.settle(child, path.Join(at, name))
		case child.names != nil:
			delete(n.names, name)
		}
	}
}
