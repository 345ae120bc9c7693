package join

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestPackedTextsComeBack(t *testing.T) {
	for _, s := range []string{"1", "123456", "9", "Z", "A0Z9", "500000000037", "ZZZZZZZZZZZZ"} {
		n, ok := PackShort([]byte(s))
		if !ok || string(UnpackShort(nil, n)) != s {
			t.Errorf("%s packs to %d, %t, and back to %s", s, n, ok, UnpackShort(nil, n))
		}
	}
	for _, s := range []string{"1234567890123", "abc", "12-3", "1 2"} {
		if n, ok := PackShort([]byte(s)); ok {
			t.Errorf("%s packs to %d", s, n)
		}
	}
}

// Two different texts must never have one key: the packed key stands for the text.
func FuzzPackedKeysTellTextsApart(f *testing.F) {
	f.Add("4200001234202601051234567890", "4200001234202601051234567891")
	f.Add("a", "a\x00")
	f.Add("0123456789abcdef0123456789abcdef", "0123456789ABCDEF0123456789ABCDEF")
	f.Add("12345678901234567890123", "0000000000000000000000000000000")
	f.Add("T-2026-0105-000000000000000001", "T-2026-0105-00000000000000000")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, okX := PackLong([]byte(a))
		y, okY := PackLong([]byte(b))
		if okX && okY && (x == y) != (a == b) {
			t.Errorf("%q and %q pack to %x and %x", a, b, x, y)
		}
		if okX && x[0] == 0 {
			t.Errorf("%q packs to a key that means none", a)
		}
		m, okM := PackShort([]byte(a))
		n, okN := PackShort([]byte(b))
		if okM && okN && (m == n) != (a == b) {
			t.Errorf("%q and %q pack to %d and %d", a, b, m, n)
		}
	})
}

func TestTheIdentifiersOfLargeChannelsPack(t *testing.T) {
	for _, s := range []string{
		"4200001234202601051234567890",     // WeChat Pay
		"2026010522001412341234567890",     // Alipay
		"0f8fad5bd9cb469fa16570867728950e", // an order number that is a UUID
		"SH-2026-0105-0000000000000001",
	} {
		if _, ok := PackLong([]byte(s)); !ok {
			t.Errorf("%s does not pack", s)
		}
	}
}

// given is one row of a test day.
type given struct {
	side Side
	Brief
}

// dayOf makes rows of few identifiers, so that they meet in every way.
func dayOf(seed uint64, n int) ([]given, []Facet) {
	r := rand.New(rand.NewPCG(seed, 1))
	facets := []Facet{
		{Side: Terminal, Plain: true, Scope: 1, TID: 1, Store: 1, OurStore: true, Day: 100},
		{Side: Terminal, Plain: true, Scope: 1, TID: 2, Store: 1, OurStore: true, Day: 103},
		{Side: Terminal, Plain: true, Scope: 2, TID: 3, Day: 100},
		{Side: Acquirer, Plain: true, Scope: 1, TID: 1, Day: 100, Cleared: 101},
		{Side: Acquirer, Plain: true, Scope: 2, Day: 101, Cleared: 101},
		{Side: Acquirer, Scope: 1, TID: 2, Day: 100, Cleared: 100},
	}
	rows := make([]given, n)
	for i := range rows {
		g := given{side: Side(r.IntN(2))}
		g.Facet = uint32(r.IntN(3))
		if g.side == Acquirer {
			g.Facet += 3
		}
		g.Offset, g.Amount, g.Next = int64(i)*100, int64(r.IntN(3)), r.IntN(3) == 0
		if g.side == Acquirer {
			g.Fee, g.Next = int64(r.IntN(5)), false
		}
		if r.IntN(4) > 0 {
			g.RRN = uint64(1 + r.IntN(n))
		}
		if r.IntN(3) == 0 {
			g.Order, _ = PackLong(fmt.Append(nil, "O", r.IntN(n)))
		}
		if r.IntN(3) == 0 {
			g.Channel, _ = PackLong(fmt.Append(nil, "42000012342026010512345", r.IntN(n)))
		}
		if r.IntN(2) == 0 {
			g.Digest = Mix(1, uint64(r.IntN(n))) | 1<<43
		}
		g.Apart = r.IntN(20) == 0
		rows[i] = g
	}
	return rows, facets
}

func askedOf(seed uint64, facets []Facet, workers int) Question {
	r := rand.New(rand.NewPCG(seed, 2))
	q := Question{Facets: facets, Workers: workers}
	for range r.IntN(4) {
		q.Related = append(q.Related, ShardKey([]uint64{uint64(1 + r.IntN(50))}))
		q.Traces = append(q.Traces, Mix(1, uint64(r.IntN(50)))|1<<43)
	}
	return q
}

func answered(t *testing.T, rows []given, q Question, expect int64, writers int, limit int64, order []int) *Answer {
	t.Helper()
	e := New(writers, expect)
	if limit > 0 {
		e.Limit(limit, inFolder(t.TempDir()))
	}
	defer e.Close()
	for n, i := range order {
		b := rows[i].Brief
		e.Writer(n%writers).Add(rows[i].side, &b)
	}
	a, err := e.Run(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func inFolder(dir string) func() (File, error) {
	return func() (File, error) { return os.CreateTemp(dir, "rows") }
}

func inOrder(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// The answer must not depend on the order of rows, on who took them, on partitions, workers or the limit.
func TestTheAnswerDependsOnTheRowsAlone(t *testing.T) {
	for seed := range uint64(300) {
		rows, facets := dayOf(seed, 20+int(seed%7)*60)
		want := answered(t, rows, askedOf(seed, facets, 1), 10, 1, 0, inOrder(len(rows)))
		for _, x := range []struct {
			expect           int64
			writers, workers int
			limit            int64
		}{{10, 2, 2, 0}, {100_000, 1, 2, 0}, {100_000, 3, 2, 1}, {20_000_000, 2, 3, 1}, {10, 2, 1, 1}} {
			order := rand.New(rand.NewPCG(seed, 3)).Perm(len(rows))
			got := answered(t, rows, askedOf(seed, facets, x.workers), x.expect, x.writers, x.limit, order)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d, %+v:\n%+v\n%+v", seed, x, got, want)
			}
		}
	}
}

// Adding a row that shares nothing with the others changes nothing else.
func TestAnUnrelatedRowChangesNothingElse(t *testing.T) {
	for seed := range uint64(100) {
		rows, facets := dayOf(seed, 100)
		q := askedOf(seed, facets, 1)
		want := answered(t, rows, q, 10, 1, 0, inOrder(len(rows)))
		more := append(slices.Clone(rows), given{Acquirer, Brief{Facet: 3, Offset: 1 << 30, Amount: 1, RRN: 1 << 40}})
		got := answered(t, more, q, 10, 1, 0, inOrder(len(more)))
		if n := len(got.Rest[Acquirer]); n == 0 || got.Rest[Acquirer][n-1] != 1<<30 {
			t.Fatalf("seed %d: the row is not in the rest", seed)
		}
		got.Rest[Acquirer] = got.Rest[Acquirer][:len(got.Rest[Acquirer])-1]
		if len(got.Rest[Acquirer]) == 0 {
			got.Rest[Acquirer] = want.Rest[Acquirer]
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d:\n%+v\n%+v", seed, got, want)
		}
	}
}

func TestEachRowIsSettledOrLeft(t *testing.T) {
	for seed := range uint64(200) {
		rows, facets := dayOf(seed, 200)
		a := answered(t, rows, askedOf(seed, facets, 2), 100_000, 2, 0, inOrder(len(rows)))
		var plain, in [2]int64
		var amount [2]int64
		for space := range a.Plain {
			for f, s := range a.Plain[space] {
				plain[facets[f].Side] += s.Rows
				amount[facets[f].Side] += s.Amount
			}
		}
		for _, g := range rows {
			in[g.side]++
		}
		for side := range in {
			if plain[side]+int64(len(a.Rest[side])) != in[side] {
				t.Errorf("seed %d: side %d has %d rows, %d settled, %d left", seed, side, in[side], plain[side], len(a.Rest[side]))
			}
		}
		if plain[0] != plain[1] || amount[0] != amount[1] {
			t.Errorf("seed %d: the sides of the plain pairs are %d %d and %d %d", seed, plain[0], amount[0], plain[1], amount[1])
		}
	}
}

// More than one writer's buffer goes to the file, and comes back.
func TestManyRowsComeBackFromTheFile(t *testing.T) {
	rows, facets := dayOf(3, 40_000)
	want := answered(t, rows, askedOf(3, facets, 2), 200_000, 1, 0, inOrder(len(rows)))
	got := answered(t, rows, askedOf(3, facets, 2), 200_000, 1, 1, inOrder(len(rows)))
	if !reflect.DeepEqual(got, want) {
		t.Error("the answer is another one")
	}
}

func TestAFolderThatIsNotThereIsTold(t *testing.T) {
	e := New(1, 100_000)
	e.Limit(1, inFolder(t.TempDir()+"/missing"))
	rows, facets := dayOf(1, 5000)
	for i := range rows {
		e.Writer(0).Add(rows[i].side, &rows[i].Brief)
	}
	_, err := e.Run(t.Context(), askedOf(1, facets, 1))
	if err == nil || !strings.Contains(err.Error(), "beyond the memory limit") {
		t.Errorf("the error is %v", err)
	}
}

func TestAFullDiskIsTold(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("needs /dev/full")
	}
	e := New(1, 100_000)
	e.Limit(1, inFolder(t.TempDir()))
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	e.writers[0].spill.file = full
	rows, facets := dayOf(1, 5000)
	for i := range rows {
		e.Writer(0).Add(rows[i].side, &rows[i].Brief)
	}
	_, err = e.Run(t.Context(), askedOf(1, facets, 1))
	if err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("the error is %v", err)
	}
}

func TestAStopIsHeard(t *testing.T) {
	rows, facets := dayOf(1, 100)
	e := New(1, 10)
	for i := range rows {
		e.Writer(0).Add(rows[i].side, &rows[i].Brief)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := e.Run(ctx, askedOf(1, facets, 1)); err == nil {
		t.Error("it went on")
	}
}

// What does not fit into a row is looked at in full, and never cut.
func TestAnAmountThatDoesNotFitIsLeft(t *testing.T) {
	facets := []Facet{{Side: Terminal, Plain: true, Scope: 1, Day: 1}, {Side: Acquirer, Plain: true, Scope: 1, Day: 1}}
	for amount, settled := range map[int64]int{maxMoney - 1: 0, maxMoney: 1, -maxMoney: 0, -maxMoney - 1: 1, 5: 0} {
		e := New(1, 10)
		e.Writer(0).Add(Terminal, &Brief{Facet: 0, Offset: 7, Amount: amount, RRN: 9})
		e.Writer(0).Add(Acquirer, &Brief{Facet: 1, Offset: 8, Amount: amount, RRN: 9})
		a, err := e.Run(t.Context(), Question{Facets: facets, Workers: 1})
		if err != nil || len(a.Rest[Terminal]) != settled {
			t.Errorf("%d: %d rows are left, %v", amount, len(a.Rest[Terminal]), err)
		}
		if settled == 0 && a.Plain[ByRRN][0].Amount != amount {
			t.Errorf("%d became %d", amount, a.Plain[ByRRN][0].Amount)
		}
	}
}

// judged runs a few rows and says which are left: T and A with their offsets.
func judged(t *testing.T, rows []given, q Question) string {
	t.Helper()
	q.Workers = 1
	a := answered(t, rows, q, 10, 1, 0, inOrder(len(rows)))
	return fmt.Sprintf("T%d A%d", a.Rest[Terminal], a.Rest[Acquirer])
}

func sale(side Side, at, amount int64, facet uint32, rrn uint64, order string) given {
	g := given{side, Brief{Facet: facet, Offset: at, Amount: amount, RRN: rrn}}
	if order != "" {
		g.Order, _ = PackLong([]byte(order))
	}
	return g
}

// A row that has met another by its order number is that one's, though a third has its RRN.
func TestARowThatMetAnotherIsNotPlainByALooserKey(t *testing.T) {
	facets := []Facet{{Side: Terminal, Plain: true, Scope: 1, Day: 1}, {Side: Acquirer, Plain: true, Scope: 1, Day: 1}}
	rows := []given{sale(Terminal, 1, 100, 0, 5, "O1"), sale(Acquirer, 2, 200, 1, 6, "O1"), sale(Acquirer, 3, 100, 1, 5, "")}
	if got := judged(t, rows, Question{Facets: facets}); got != "T[1] A[2 3]" {
		t.Errorf("left are %s", got)
	}
}

// A refund with its sale is plain, unless another row bears the number that the refund names.
func TestARefundAndItsSaleArePlainTogether(t *testing.T) {
	facets := []Facet{
		{Side: Terminal, Plain: true, Scope: 1, Merchant: 1, Day: 1}, {Side: Acquirer, Plain: true, Scope: 1, Merchant: 1, Day: 1},
		{Side: Terminal, Plain: true, Undoes: true, Refunds: true, Scope: 2, Merchant: 1, Day: 1},
		{Side: Acquirer, Plain: true, Undoes: true, Refunds: true, Scope: 2, Merchant: 1, Day: 1},
		{Side: Terminal, Plain: true, Scope: 3, Merchant: 1, Day: 1}, // a completion
	}
	family := []given{sale(Terminal, 1, 100, 0, 7, ""), sale(Acquirer, 2, 100, 1, 7, ""), sale(Terminal, 3, -50, 2, 8, ""), sale(Acquirer, 4, -50, 3, 8, "")}
	q := Question{Facets: facets, Names: []Name{{Side: Terminal, At: 3, Merchant: 1, RRN: 7}}}
	if got := judged(t, family, q); got != "T[] A[]" {
		t.Errorf("of the family alone are left %s", got)
	}
	if got := judged(t, append(family, sale(Terminal, 5, 100, 4, 7, "")), q); got != "T[1 3 5] A[2 4]" {
		t.Errorf("beside a completion of that number are left %s", got)
	}
	if got := judged(t, family[2:], q); got != "T[3] A[4]" {
		t.Errorf("without the sale are left %s", got)
	}
	q.Names = append(q.Names, Name{Side: Acquirer, At: 4, Merchant: 1, RRN: 9})
	if got := judged(t, family, q); got != "T[] A[]" {
		t.Errorf("where the acquirer names nobody of today are left %s", got)
	}
}

func TestLongTextsThatDifferInOneCharacterHaveTwoKeys(t *testing.T) {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-"
	r := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		b := make([]byte, 23+r.IntN(9))
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		one, ok := PackLong(b)
		at := r.IntN(len(b))
		was := b[at]
		b[at] = alphabet[r.IntN(len(alphabet))]
		two, ok2 := PackLong(b)
		if !ok || !ok2 || (one == two) != (was == b[at]) {
			t.Fatalf("%s, with %c at %d: %x and %x", b, was, at, one, two)
		}
	}
}
