package reconcile_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// sayAtRandom decides on some lines of a book, as their case then stands.
func sayAtRandom(r *rand.Rand, b *book, said []reconcile.Decision) []reconcile.Decision {
	for i := range b.out.Lines {
		l := &b.out.Lines[i]
		if l.Lifecycle == reconcile.CaseCleared || l.Class.OrderClass() || r.IntN(3) > 0 {
			continue
		}
		said = append(said, reconcile.Decision{ID: fmt.Sprintf("D%03d", len(said)), CaseID: l.CaseID, Class: l.Class, Author: "Li", Reason: "x",
			At: time.Unix(int64(len(said)), 0), Status: pick(r, reconcile.DecisionStatuses()...), Until: b.date + txn.Date(r.IntN(4)),
			EffectiveOn: b.date, SeenOn: b.date, Members: l.Members, IDs: l.IDs()})
	}
	if len(said) > 0 && r.IntN(2) == 0 { // take one back
		x := said[r.IntN(len(said))]
		x.ID, x.Status, x.EffectiveOn, x.SeenOn, x.At = fmt.Sprintf("D%03d", len(said)), reconcile.Reopened, b.date, b.date, time.Unix(int64(len(said)), 0)
		said = append(said, x)
	}
	return said
}

// Days that share rows: what one day left open, or a decision closed, is met by the next.
func TestDecisionsKeepEveryIdentity(t *testing.T) {
	seen := map[string]int{}
	seeds(t, 12, func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 21))
		date := mustDate("2026-01-06")
		var carry *reconcile.Carry
		var before *book
		var said []reconcile.Decision
		for n := range 5 {
			s := randomDay(seed*10+uint64(n%2), date) // the same rows come again, in part
			s.days[0].date = date + txn.Date(n)
			for _, x := range s.days[0].slots {
				x.Date = s.days[0].date
				keep := 1 + r.IntN(len(x.rows)+1)
				x.rows, x.names = x.rows[:min(keep, len(x.rows))], x.names[:min(keep, len(x.names))]
				for _, row := range x.rows {
					row.Business, row.Booking = x.Date, x.Date
				}
				if x.Side != txn.Bank && r.IntN(6) == 0 {
					x.Held, x.Class = true, reconcile.F07
				}
			}
			s.said = slices.Clone(said)
			first := s.run(t, s.days[0], carry, nil)
			said = sayAtRandom(r, &first, said)
			s.said = said
			b := s.run(t, s.days[0], carry, nil)
			checkBook(t, &b, s.days[0], before)
			again := s.run(t, s.days[0], throughFile(t, carryOr(carry, s.days[0].date-1)), r.Perm)
			if x, y := plainBook(&b), plainBook(&again); !reflect.DeepEqual(x, y) {
				t.Errorf("another order of Add, another book\n%s%s", outcomeDiff(s, &b, &again), fieldDiff(x, y))
			}
			if !bytes.Equal(carryBytes(t, b.carry), carryBytes(t, again.carry)) {
				t.Errorf("another order of Add, another carry\n%s", lineDiff(string(carryBytes(t, b.carry)), string(carryBytes(t, again.carry))))
			}
			count(seen, b.out)
			carry, before = throughFile(t, b.carry), &b
		}
	})
	for _, what := range []string{"decided", "cleared by a decision", "overtaken", "reopened", "X02", "written off"} {
		if seen[what] < 10 && !testing.Short() {
			t.Errorf("%s: only %d times, the generator is too tame", what, seen[what])
		}
	}
	t.Log(seen)
}

func carryOr(c *reconcile.Carry, date txn.Date) *reconcile.Carry {
	if c == nil {
		return &reconcile.Carry{Date: date}
	}
	return c
}

func count(seen map[string]int, o *reconcile.Outcome) {
	for _, l := range o.Lines {
		switch {
		case l.Class == reconcile.X02:
			seen["X02"]++
		case l.Status == "decided" && l.Lifecycle == reconcile.CaseCleared:
			seen["cleared by a decision"]++
		case l.Status == "decided":
			seen["decided"]++
		case strings.HasSuffix(l.ClearedBy, "decision overtaken"):
			seen["overtaken"]++
		case l.Lifecycle == reconcile.CaseReopened:
			seen["reopened"]++
		}
	}
	for _, p := range o.Payouts {
		if p.WrittenOff != 0 {
			seen["written off"]++
		}
	}
}

// A decision that speaks of nothing in the book changes nothing.
func TestDecisionsOnOtherCasesChangeNothing(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		s := randomDay(seed, mustDate("2026-01-06"))
		one := s.run(t, s.days[0], nil, nil)
		for _, status := range reconcile.DecisionStatuses() {
			s.said = append(s.said, reconcile.Decision{ID: string(status), CaseID: "C-0", Class: reconcile.T02, Status: status,
				EffectiveOn: s.days[0].date, SeenOn: s.days[0].date - 1, Members: []reconcile.Member{{Key: "~" + string(status), Facts: "x"}}})
		}
		s.said = append(s.said, reconcile.Decision{ID: "tomorrow", Class: reconcile.T03, Status: reconcile.Accepted, EffectiveOn: s.days[0].date + 1,
			Members: one.out.Lines[0].Members})
		two := s.run(t, s.days[0], nil, nil)
		if x, y := plainBook(&one), plainBook(&two); !reflect.DeepEqual(x, y) || !bytes.Equal(carryBytes(t, one.carry), carryBytes(t, two.carry)) {
			t.Errorf("decisions on other cases, another book\n%s", outcomeDiff(s, &one, &two))
		}
	})
}

const carryOne = `{"carry":1,"date":"2026-01-05"}
{"data":{"Account":"ACC","Closing":500,"Currency":"CNY","Date":20458},"key":"ACC|CNY","kind":"balance","row":null}
{"data":{"Class":"X05","FirstSeen":20458,"ID":"C-1"},"key":"C-1","kind":"case","row":null}
{"data":{"Accounts":null,"Acquirer":"ums","Class":"F01","Date":20458,"Doubtful":false,"File":"bill.txt","FirstSeen":20458,"Held":false,"Key":"","Merchants":null,"Notices":false,"Pays":true,"Side":2,"Source":"ums","State":"missing","Stores":null,"Why":""},"key":"ums|2026-01-05|","kind":"slot","row":null}
`

func TestCarryOfVersionOneIsRead(t *testing.T) {
	c, err := reconcile.DecodeCarry([]byte(carryOne), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Slots) != 1 || len(c.Cases) != 1 || len(c.Balances) != 1 || c.Slots[0].File != "bill.txt" {
		t.Errorf("read %+v", c)
	}
	if back := throughFile(t, c); !reflect.DeepEqual(c, back) {
		t.Errorf("through a file of today it is %+v, was %+v", back, c)
	}
}

func TestPlacesStandApart(t *testing.T) {
	here, there := placed("a.csv", 7), placed("b.csv.gz", 9)
	text, places, err := here.Encode()
	if err != nil {
		t.Fatal(err)
	}
	other, elsewhere, err := there.Encode()
	if err != nil || !bytes.Equal(text, other) || bytes.Equal(places, elsewhere) {
		t.Errorf("%v\n%s\n%s\n%s\n%s", err, text, other, places, elsewhere)
	}
	back, err := reconcile.DecodeCarry(text, places)
	if err != nil || !reflect.DeepEqual(back, here) {
		t.Errorf("%v\n%+v\n%+v", err, back, here)
	}
	bare, err := reconcile.DecodeCarry(text, nil)
	if err != nil || bare.Payouts[0].At != (reconcile.Ref{}) || bare.Payouts[0].Rows != 3 {
		t.Errorf("%v without places: %+v", err, bare)
	}
}

// placed is a carry whose evidence lies in a file.
func placed(file string, line int) *reconcile.Carry {
	at := reconcile.Ref{Delivery: file, Member: file, Line: line, SHA256: "aa", Offset: 70}
	p := reconcile.CarriedPayout{Payout: reconcile.Payout{Acquirer: "ums", Date: 20458, Currency: "CNY", Rows: 3, At: at, CaseID: "C-1",
		Parts: []reconcile.Part{{Source: "ums", Date: 20458, Member: file, Rows: 3}}}}
	return &reconcile.Carry{Date: 20458, Payouts: []reconcile.CarriedPayout{p}, Closed: []reconcile.Closed{{Decision: "D1", On: 20458, Payout: &p}},
		Paid:  []reconcile.Paid{{Acquirer: "ums", Currency: txn.CNY, Date: 20457, Amount: 5, CreditAt: at, CreditKey: "k"}},
		Slots: []reconcile.CarriedSlot{{Source: "ums", Date: 20458, File: file}}}
}

func TestClosedThatNamesNothingIsRefused(t *testing.T) {
	text := `{"carry":2,"date":"2026-01-05"}` + "\n" + `{"data":{"Decision":"D1","On":20458},"key":"x","kind":"closed","row":null}` + "\n"
	if _, err := reconcile.DecodeCarry([]byte(text), nil); err == nil {
		t.Error("no error")
	}
}

func TestIDsOfALine(t *testing.T) {
	row := func(side txn.Side, order, channel, rrn string) *txn.Row {
		r := &txn.Row{Side: side}
		r.Set(txn.OrderNo, []byte(order))
		r.Set(txn.ChannelTxnID, []byte(channel))
		r.Set(txn.RRN, []byte(rrn))
		return r
	}
	l := reconcile.Line{Row: row(txn.Terminal, "O1", "", "000123"), Other2: row(txn.Acquirer, "O1", "CH1", "0")}
	if got := strings.Join(l.IDs(), " "); got != "000123 CH1 O1" {
		t.Errorf("got %s", got)
	}
	if got := (&reconcile.Line{Row: row(txn.Bank, "O1", "", "")}).IDs(); len(got) > 0 {
		t.Errorf("a bank line has ids %v", got)
	}
}
