package reconcile

import (
	"cmp"
	"math/bits"
	"slices"

	"daozhang/parsers/txn"
)

// P0 works within one side and consumes nothing but copies of a terminal log that was uploaded twice. It finds the
// original of each void, reversal and refund, and rows that repeat an earlier one.

// link runs P0.
func (d *Day) link() {
	d.copies()
	d.originals()
}

// copyKey is what must be present and equal for two rows to be one.
type copyKey struct {
	side                  txn.Side
	kind                  txn.Kind
	mid, tid, batch, stan symbol
	rrn, chanID           symbol
	unix, amount          int64
}

// copies marks T rows that were uploaded twice and A rows that were cleared twice. A terminal row is a copy only if
// MID, TID, batch, STAN and RRN are all there and agree with time and amount; an acquirer row only if its RRN or
// channel id is there and agrees with merchant, kind and amount and no refund id differs. Rows without such ids are a
// bag: each stands for itself.
func (d *Day) copies() {
	var list []hashed
	for i := range d.items {
		if k, ok := d.copyKeyOf(&d.items[i]); ok {
			list = append(list, hashed{k.hash(), int32(i)})
		}
	}
	d.sortHashed(list)
	for at := 0; at < len(list); {
		end := at + 1
		for end < len(list) && list[end].hash == list[at].hash {
			end++
		}
		for j := at + 1; j < end; j++ { // rows of one hash need not be of one key
			kj, _ := d.copyKeyOf(&d.items[list[j].i])
			for f := at; f < j; f++ {
				if kf, _ := d.copyKeyOf(&d.items[list[f].i]); kf == kj {
					d.markCopy(list[j].i, list[f].i)
					break
				}
			}
		}
		at = end
	}
}

// copyKeyOf is the key of a row that can be a copy, with its essential ids.
func (d *Day) copyKeyOf(it *item) (copyKey, bool) {
	k := copyKey{side: it.side, kind: it.kind, mid: it.mid, amount: it.amount}
	switch {
	case !it.kind.Transaction() || d.heldItem(it):
		return k, false
	case it.side == txn.Terminal && it.mid != 0 && it.tid != 0 && it.batch != 0 && it.stan != 0 && it.rrn != 0:
		k.tid, k.batch, k.stan, k.rrn, k.unix = it.tid, it.batch, it.stan, it.rrn, it.unix
	case it.side == txn.Acquirer && it.rrn != 0 && d.slots[it.slot].Pays:
		k.rrn = it.rrn
	case it.side == txn.Acquirer && it.chanID != 0 && d.slots[it.slot].Pays:
		k.chanID = it.chanID
	default:
		return k, false
	}
	return k, true
}

func (k *copyKey) hash() uint64 {
	h := mix(0, uint64(k.side)<<56|uint64(k.kind)<<48|uint64(k.mid))
	h = mix(h, uint64(k.tid)<<32|uint64(k.batch))
	h = mix(h, uint64(k.stan)<<32|uint64(k.rrn))
	h = mix(h, uint64(k.chanID)<<32^uint64(k.unix))
	return mix(h, uint64(k.amount))
}

// hashed is an item under the hash of a key. Grouping by hash is quick; what a group means is decided by the keys.
type hashed struct {
	hash uint64
	i    int32
}

// sortHashed orders by hash, equal ones by the order of the data.
func (d *Day) sortHashed(list []hashed) {
	slices.SortFunc(list, func(a, b hashed) int {
		if a.hash != b.hash {
			if a.hash < b.hash {
				return -1
			}
			return 1
		}
		return d.before(a.i, b.i)
	})
}

// mix folds a word into a hash: one multiplication of 64 by 64 bits. The constants are arbitrary odd numbers.
func mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^v^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93^v<<1)
	return hi ^ lo
}

func (d *Day) markCopy(i, first int32) {
	it, f := &d.items[i], &d.items[first]
	if it.side == txn.Acquirer && it.refund != 0 && f.refund != 0 && it.refund != f.refund {
		return
	}
	if it.side == txn.Acquirer && it.chanID != 0 && f.chanID != 0 && it.chanID != f.chanID {
		return
	}
	it.twin = first
	if it.side == txn.Terminal {
		it.ta = judge(Excluded, DuplicateUpload, T10)
	}
}

// before orders items by the data alone: rows of earlier days first, then by place.
func (d *Day) before(a, b int32) int {
	x, y := &d.items[a], &d.items[b]
	if x.carried >= 0 || y.carried >= 0 {
		if c := cmp.Compare(x.seen, y.seen); c != 0 {
			return c
		}
		if x.carried >= 0 && y.carried >= 0 {
			return cmp.Compare(x.carried, y.carried)
		}
		return -cmp.Compare(x.carried, y.carried)
	}
	if x.side == txn.Bank && y.side == txn.Bank && x.slot == y.slot && x.idHash != y.idHash {
		return cmp.Compare(x.idHash, y.idHash) // the lines of a day may stand in any statement, in any order
	}
	return x.pos.Compare(y.pos)
}

// refKind says which identifier names an original.
type refKind uint8

const (
	byChannelID refKind = iota
	byOrder
	byRRN
	bySTAN
)

type refKey struct {
	side txn.Side
	by   refKind
	id   symbol
	mid  symbol
	tid  symbol
}

// originals links each void, reversal and refund to its sale on the same side.
func (d *Day) originals() {
	d.undone = map[int32]bool{}
	wanted := map[refKey]bool{}
	for i := range d.items {
		for _, k := range d.refKeys(&d.items[i]) {
			wanted[k] = true
		}
	}
	if len(wanted) == 0 {
		return
	}
	sales := map[refKey][]int32{}
	note := func(k refKey, i int) {
		if k.id != 0 && wanted[k] {
			sales[k] = append(sales[k], int32(i))
		}
	}
	for i := range d.items {
		it := &d.items[i]
		if it.kind != txn.Sale && it.kind != txn.Completion && it.kind != txn.Preauth || it.twin >= 0 && it.side == txn.Terminal {
			continue
		}
		note(refKey{it.side, byChannelID, it.chanID, it.mid, 0}, i)
		note(refKey{it.side, byOrder, it.order, it.mid, 0}, i)
		note(refKey{it.side, byRRN, it.rrn, it.mid, 0}, i)
		note(refKey{it.side, bySTAN, it.stan, it.mid, it.tid}, i)
	}
	for i := range d.items {
		it := &d.items[i]
		for _, k := range d.refKeys(it) {
			if s := d.bestOriginal(it, sales[k]); s >= 0 {
				it.orig = s
				if it.kind == txn.Reversal {
					d.undone[s] = true
				}
				break
			}
		}
	}
}

// refKeys lists how the row may name its original, surest first.
func (d *Day) refKeys(it *item) []refKey {
	if it.kind != txn.Void && it.kind != txn.Reversal && it.kind != txn.Refund {
		return nil
	}
	var ks []refKey
	add := func(by refKind, id symbol, tid symbol) {
		if id != 0 {
			ks = append(ks, refKey{it.side, by, id, it.mid, tid})
		}
	}
	add(byChannelID, it.origChan, 0)
	add(byChannelID, it.chanID, 0)
	add(byOrder, it.origOrder, 0)
	add(byRRN, it.origRRN, 0)
	add(byOrder, it.order, 0)
	add(bySTAN, it.origSTAN, it.tid)
	if it.kind != txn.Refund {
		add(byRRN, it.rrn, 0)
		add(bySTAN, it.stan, it.tid)
	}
	return ks
}

// bestOriginal picks the sale that the row undoes: the same batch where it names one, of the same amount for a void or
// reversal if there is one, approved before others, the latest that is not after the row.
func (d *Day) bestOriginal(it *item, among []int32) int32 {
	best := int32(-1)
	for _, i := range among {
		s := &d.items[i]
		if s.day > it.day+1 || it.origBatch != 0 && s.batch != 0 && s.batch != it.origBatch || int(it.day-s.day) > d.set.Rules.HistoryDays {
			continue
		}
		if best < 0 || d.originalRank(it, i, best) {
			best = i
		}
	}
	return best
}

func (d *Day) originalRank(it *item, a, b int32) bool {
	x, y := &d.items[a], &d.items[b]
	xe, ye := x.amount == -it.amount, y.amount == -it.amount
	if xe != ye {
		return xe
	}
	if xs, ys := x.status.Success(), y.status.Success(); xs != ys && it.kind != txn.Reversal {
		return xs
	}
	if x.unix != y.unix {
		return x.unix > y.unix
	}
	return d.before(a, b) < 0
}

// heldItem reports whether the row must not be used: its own slot is held, or was until a file for a closed date came.
func (d *Day) heldItem(it *item) bool {
	s := &d.slots[it.slot]
	return s.Held || s.wasHeld && it.carried >= 0
}
