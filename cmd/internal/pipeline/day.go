package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"time"

	"daozhang/cmd/internal/publish"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reconcile/calendar"
	"daozhang/reconcile/register"
	"daozhang/reports"
)

// judged is what one computation of a day yields, before it is stored or written.
type judged struct {
	outcome *reconcile.Outcome
	carry   *reconcile.Carry
	text    []byte // of the carry
	places  []byte // of its evidence
	errors  []RowError
	ledger  *Ledger
	files   []*File
}

// question is everything that a computation of a day depends on.
type question struct {
	date      txn.Date
	goLive    txn.Date
	zone      *time.Location
	register  *register.Register
	calendars *calendar.Calendars
	rules     reconcile.Rules
	rejects   func(rejected, seen int64) bool
	carry     *reconcile.Carry
	slots     []Slot
	awaited   []string
	history   reconcile.History
	decisions []reconcile.Decision
	reaches   []reconcile.Reach
	fault     func(string, *reconcile.Day)
	ledger    bool           // matches are wanted, in the ledger of the outcome
	sink      reconcile.Sink // they are wanted here, each of them; nil: not
	wide      bool           // files at hand: a slot's rows may be of several days
	memory    int64          // bound on the process in bytes, 0: none
	workers   int            // 0: as many as there are cores
	part      int64          // bytes of a file that one goroutine reads at a stretch; 0: partBytes
}

// besideRows is what a process needs beside the rows in the sieve, in bytes: the program, buffers of readers, the register,
// the rows that are judged one by one.
const besideRows = 96 << 20

// rowsMemory is how much of a bound on the process the rows in the sieve may take.
func (q *question) rowsMemory() int64 {
	if q.memory == 0 {
		return 0
	}
	return max(q.memory-besideRows, q.memory/4)
}

// question is what the engine's settings say of a day, for what else it depends on to be filled in.
func (e *Engine) question(d txn.Date, states []SlotStatus) question {
	zone := e.Config.Location()
	return question{date: d, goLive: e.Config.GoLive, zone: zone, register: e.Register, calendars: e.Config.Holidays(), rules: e.rules(),
		rejects: e.Config.Rules.Held, awaited: awaited(states, zone), fault: e.Fault,
		memory: int64(e.Config.Limits.MemoryMB) << 20, workers: e.Config.Limits.Workers}
}

// judge computes a day. It changes nothing outside.
func judge(ctx context.Context, q question) (*judged, error) {
	day := reconcile.New(reconcile.Setup{Date: q.date, GoLive: q.goLive, Zone: q.zone, Register: q.register, Calendars: q.calendars,
		Rules: q.rules, Awaited: q.awaited, History: q.history, Decisions: q.decisions, Reaches: q.reaches, Fault: q.fault, FilesAtHand: q.wide})
	if err := day.Carry(q.carry); err != nil {
		return nil, err
	}
	l := &loader{day: day, date: q.date, wide: q.wide, rejects: q.rejects, opening: map[string]reconcile.Balance{}, known: knownMerchants(q.register),
		workers: cmp.Or(q.workers, runtime.GOMAXPROCS(0)), memory: q.rowsMemory(), part: cmp.Or(q.part, partBytes)}
	if q.carry != nil {
		l.unused = heldIn(q.carry)
		for _, b := range q.carry.Balances {
			l.opening[b.Account+" "+b.Currency] = b
		}
	}
	ledger := newLedger()
	if q.ledger {
		l.ledger = ledger
	}
	if q.sink != nil {
		l.workers = 0 // pairs that the sieve makes never reach a sink
	}
	if err := l.load(ctx, q.slots); errors.Is(err, errWhole) {
		q.part = math.MaxInt64 / 2
		return judge(ctx, q)
	} else if err != nil {
		return nil, err
	}
	if q.carry != nil { // an account without a slice today keeps its last balance
		for _, b := range q.carry.Balances {
			if !hasBalance(l.closing, b) {
				l.closing = append(l.closing, l.opening[b.Account+" "+b.Currency])
			}
		}
		day.SetBalances(l.closing)
	}
	out := &judged{errors: l.errors, files: l.files, ledger: ledger}
	ledger.about(l.files)
	var err error
	sink := q.sink
	if q.ledger {
		sink = out.ledger
	}
	if out.outcome, out.carry, err = day.Run(evidence{l.files, l.workers}, sink); err != nil {
		return nil, err
	}
	if !q.wide { // files at hand have no next day
		out.text, out.places, err = out.carry.Encode()
	}
	return out, err
}

// heldIn are the slots of earlier days that are held: their files were never used.
func heldIn(c *reconcile.Carry) map[reconcile.SlotID]bool {
	out := map[reconcile.SlotID]bool{}
	for i := range c.Slots {
		if s := &c.Slots[i]; s.Held {
			out[reconcile.SlotID{Source: s.Source, Date: s.Date, Key: s.Key}] = true
		}
	}
	return out
}

func hasBalance(bs []reconcile.Balance, b reconcile.Balance) bool {
	for _, x := range bs {
		if x.Account == b.Account && x.Currency == b.Currency {
			return true
		}
	}
	return false
}

// knownMerchants answers whether a row's merchant is on record, caching the few that a day has.
func knownMerchants(reg *register.Register) func(string, string, txn.Date) bool {
	if len(reg.Tables().Merchants) == 0 {
		return func(string, string, txn.Date) bool { return true }
	}
	cache := map[string]bool{}
	return func(mid, acquirer string, on txn.Date) bool {
		if known, ok := cache[mid]; ok {
			return known
		}
		known := len(mid) == 0
		if _, ok := reg.MerchantByID(mid, on); ok {
			known = true
		}
		for _, a := range append(reg.Acquirers(), acquirer) {
			if _, ok := reg.Merchant(a, mid, on); ok {
				known = true
			}
		}
		cache[mid] = known
		return known
	}
}

// outputs are the files of a book, in the order in which they are written.
func outputs(b *reports.Book, ledger *Ledger, workbook, withLedger, ascii bool) []publish.File {
	files := []publish.File{
		{Name: "exceptions.csv", Write: func(w io.Writer) error { return reports.WriteExceptions(w, b) }},
		{Name: "summary.json", Write: func(w io.Writer) error { return reports.WriteSummary(w, b) }},
	}
	if workbook {
		files = append(files, publish.File{Name: reports.WorkbookName(b, ascii), Write: func(w io.Writer) error { return reports.WriteWorkbook(w, b) }})
	}
	if withLedger {
		files = append(files, publish.File{Name: LedgerName, Write: ledger.Write})
	}
	return files
}

// comparable is the digest of what may not depend on the order of arrival or on the number of runs: the carry, the comparable
// columns and keys of the two files that programs read, and the ids under which later days find the matched rows.
func comparable(b *reports.Book, carry []byte, l *Ledger) (string, error) {
	h := sha256.New()
	h.Write(carry)
	if err := l.writeIDs(h); err != nil {
		return "", err
	}
	var csv, sum bytes.Buffer
	if err := reports.WriteExceptions(&csv, b); err != nil {
		return "", err
	}
	if err := reports.WriteSummary(&sum, b); err != nil {
		return "", err
	}
	if err := comparableCSV(h, &csv); err != nil {
		return "", fmt.Errorf("exceptions.csv: %w", err)
	}
	if err := comparableJSON(h, sum.Bytes()); err != nil {
		return "", fmt.Errorf("summary.json: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
