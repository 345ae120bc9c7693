package reconcile

import (
	"bytes"
	"fmt"
	"time"

	"daozhang/parsers/txn"
	"daozhang/reconcile/calendar"
	"daozhang/reconcile/register"
)

// Rules are the settings of contracts.md that the core uses.
type Rules struct {
	RefundDays       int // working days until a refund must be at the acquirer
	TimeLimitMinutes int // times of one transaction may differ by this much
	HistoryDays      int // how far back originals are looked up
}

// DefaultRules are the documented defaults.
func DefaultRules() Rules { return Rules{RefundDays: 3, TimeLimitMinutes: 10, HistoryDays: 90} }

// Slot is one expected or received slot, as of the run's instant, with what it covers. Empty covers mean everything
// of its side (and acquirer).
type Slot struct {
	Source   string
	Side     txn.Side
	Acquirer string
	Date     txn.Date
	Key      string
	State    SlotState
	Pays     bool // false: a second witness
	Notices  bool // announces payouts rather than transactions

	Held     bool // received, but its rows must not be used
	Doubtful bool // rows are used, but what is absent from them proves nothing (bank balances that do not chain)
	Class    Class
	Why      string

	CauseCode string // of the class's causes, where the caller knows which; empty: the usual one

	Stores, Merchants, Accounts []string

	Content string    // digest of what the slot has, in whatever file it stands; empty: the member's
	Late    *LateSlot // a file for a closed date that is booked on this one

	Unpromised bool // the source's calendar promises nothing for the day: payouts wait, and no later day waits for it

	past      bool // of an earlier day: shown only while it is missing or held
	firstSeen txn.Date
	rejected  int64
	raw       [][]byte // rejected records
	added     Figure   // rows of a file for a closed date
	wasHeld   bool     // such a file replaces one that was held: the carried rows of the slot are those of the held one
	ruled     *ruling  // closed by a decision today
	closed    *Closed  // closed by a decision on an earlier day
	former    Class    // of the slot of the carry that such a file replaces
	stays     bool     // the same is wrong with the file that came
	replaces  *Closed  // what such a decision closed, and this file has brought after all
	decision  string   // in effect, not closing

	Sum SlotSum // what the book prints about the slot; filled by the caller, held figures by the core
}

// LateSlot says what a file that came for a closed date brings. Only rows that the closed book did not have are added to
// the day, through Add; what was changed or taken away stays as the closed book has it and is named by X03. Where the closed
// book held the slot it used none of its rows: all rows of the new file are added, and those carried from the held one are
// excluded as their copies.
type LateSlot struct {
	Had            bool   // the closed book had another file for the slot
	Removed        Figure // rows that the new file does not have any more
	Changed        Figure // rows with other facts: their number, and new minus old amount
	RemovedFee     txn.Fine
	ChangedFee     txn.Fine
	Currency       txn.Currency
	FirstDifferent Ref // where the first of them stands
}

// suspect reports whether rows may be waiting in the slot that nobody has seen yet.
func (s *Slot) suspect() bool {
	return s.ruled == nil && s.closed == nil && (s.Held || s.Doubtful || s.State == SlotMissing || s.State == SlotNotDue)
}

// Setup is what a day is judged by.
type Setup struct {
	Date        txn.Date
	GoLive      txn.Date // zero: no limit
	Zone        *time.Location
	Register    *register.Register
	Calendars   *calendar.Calendars
	Rules       Rules
	Awaited     []string // what is not due yet as of the run; not empty = preliminary
	Revision    int
	History     History
	Decisions   []Decision                 // in effect on the date, ordered by (EffectiveOn, At, ID): of two on one member the later wins
	Reaches     []Reach                    // on the first open date: what would change closed ones
	FilesAtHand bool                       // no chain of days: acquirer rows from before the first terminal row are outside what can be judged
	Fault       func(stage string, d *Day) // test seam: called between stages; nil in production
}

// History answers look-ups of originals in the ledgers of earlier days. The caller records the answers as inputs.
type History interface {
	// Known reports whether a transaction with this merchant order, channel id or RRN was seen on a day before the
	// run's date and not before from; ok is false where the ledgers do not reach back to from.
	Known(id string, from txn.Date) (found, ok bool)
	// Past lists the settled rows of days before the run's date, and not before from, that carry the id as order, channel
	// id or RRN, or name it as their original's, in the order of (date, side, place). The rows have been read again and do
	// carry it: no row is taken for another one because two ids have one hash.
	Past(id string, from txn.Date) []PastRow
	// Place completes where a settled row stands, with its line, for those that are shown.
	Place(r PastRow) Ref
}

// PastRow is a row that an earlier day has settled.
type PastRow struct {
	Date txn.Date // business date of the book
	Row  *txn.Row
	At   Ref // the line may be left out; see History.Place
}

// Evidence gives back full rows, late, for the few that are reported.
type Evidence interface {
	// Rows returns the rows at the positions, in the order asked for, with the reference of each.
	Rows(at []txn.Position) ([]*txn.Row, []Ref, error)
}

// Sink receives every pair as it is final, in an order fixed by data.
type Sink interface {
	Match(m Match)
}

// Match is one row consumed on leg T-A: one entry of the day's ledger. Partner is the row on the other side.
type Match struct {
	Row, Partner txn.Position
	Carried      bool // the row came with the carry: its position means nothing today
	PartnerCarry bool
	Pass         string
	Order, RRN   string // channel id or order, and RRN without leading zeros, of the row
	Original     string // of a refund: the id by which it names its original
	RowAt        Ref    // of a carried row
	PartnerAt    Ref    // of a carried partner

	Source, PartnerSource string
}

// Day takes the rows of one business date and judges them. Use: New, Carry, then per slot AddSlot, Add for each row,
// Reject for each refused record and Hold if the slot must not be used, then Run. Not safe for concurrent use.
type Day struct {
	set   Setup
	sym   *symbols
	slots []Slot
	items []item
	cur   []txn.Currency

	read     map[tallyKey]*tally // what was read and carried in, counted apart from the items
	carry    *Carry
	sieve    *Sieve // nil: all rows come one by one
	bulks    []bulk // plain pairs
	payouts  []*payout
	paid     []Paid
	payOf    []*payout // per item: the payout it is part of
	credits  []int     // bank lines that may pay a payout, by booking day and place
	paidBy   map[int][]*payout
	debts    []Debt
	doubled  map[int]Paid // credits for a payout that was paid already
	groupNo  int
	balances []Balance

	hasMerchants, hasContracts bool
	acquirers                  []string
	withTerminals              map[string]bool // merchants that have a terminal on record
	idCache                    map[idKey]idMap
	stores                     map[storeKey]bool
	contracts                  map[contractKey]*contractHit

	suspects  []int            // slots that are missing, held or not due
	undone    map[int32]bool   // sales that their own side has voided or reversed
	freeSales map[refKey]int32 // terminal sales without a partner

	missing  map[gapKey]*gap // contracts, calendars and accounts that were needed and are not there (X05)
	ids      idBuf
	out      Outcome
	passes   map[passKey]*PassSum
	keys     map[int]string // row keys of the rows read late
	near     map[nearKey][]int
	cutoff   int64
	gapCases []CarriedCase
	opened   map[rowPlace]bool // where the rows of the carry stand, once it is asked for
	earliest txn.Date          // of the terminal rows, where there is no history
	rows     map[int]*txn.Row
	refs     map[int]Ref

	rulings       *rulings        // nil without decisions
	back          map[string]bool // sphere and key of members that were decided or closed when the day began
	closed        []*Closed       // memories of rows; those of items are d.carry.Items from firstClosed on
	firstClosed   int             // of d.carry.Items
	firstItem     int             // of d.items
	ruled         []ruledMember
	ended         []endedSlot // replaced by files for closed dates
	closedRows    int         // memories on leg T-A
	closedCredits []int
	closedPayouts []*payout
	closedNow     map[int]closing // rows that decisions close today
	closedGaps    []Closed
	ruledRows     map[int]string // rows with a decision in effect that does not close
	quiet         bool           // memories come in: nothing is noted about them
	recall        bool           // a pass among open rows and memories
	changed       bool           // decisions changed states
	joined        []*payout      // carried payouts that one announcement made one
	past          map[string][]PastRow
	copyOf        map[int]Ref // rows of earlier days of which a row is a copy
	over          map[int]overRefund
}

// maxRaw is how many rejected records of a slot are searched; a file with more is held as a rule.
const maxRaw = 1000

type passKey struct {
	leg  Leg
	pass string
	cur  uint8
}

// New starts a day.
func New(set Setup) *Day {
	d := &Day{rulings: newRulings(set.Decisions, set.Date), back: map[string]bool{}, closedNow: map[int]closing{}, ruledRows: map[int]string{},
		past: map[string][]PastRow{}, copyOf: map[int]Ref{}, over: map[int]overRefund{}, set: set, sym: newSymbols(), missing: map[gapKey]*gap{}, passes: map[passKey]*PassSum{}, read: map[tallyKey]*tally{},
		keys: map[int]string{}, rows: map[int]*txn.Row{}, refs: map[int]Ref{}, carry: &Carry{}, withTerminals: map[string]bool{},
		idCache: map[idKey]idMap{}, stores: map[storeKey]bool{}, contracts: map[contractKey]*contractHit{},
		paidBy: map[int][]*payout{}, doubled: map[int]Paid{}, acquirers: set.Register.Acquirers()}
	t := set.Register.Tables()
	d.hasMerchants, d.hasContracts = len(t.Merchants) > 0, len(t.Contracts) > 0
	for _, x := range t.Terminals {
		d.withTerminals[x.MID] = true
	}
	return d
}

// AddSlot announces a slot and returns its number for Add. Slots must come ordered by (source, date, key). A file for a
// closed date takes the place of what the carry has of its slot.
func (d *Day) AddSlot(s Slot) int {
	if s.Late != nil {
		for i := range d.slots {
			if o := &d.slots[i]; o.past && o.Source == s.Source && o.Date == s.Date && o.Key == s.Key {
				d.replaceSlot(i, s)
				return i
			}
		}
	}
	d.slots = append(d.slots, s)
	return len(d.slots) - 1
}

// Slot gives access to an announced slot, to mark it held or complete its figures.
func (d *Day) Slot(n int) *Slot { return &d.slots[n] }

// Reject counts a record that could not be parsed. Its raw bytes, as far as the caller has them, are searched for the ids
// of rows that would otherwise seem to have no partner; they go nowhere else.
func (d *Day) Reject(slot int, raw []byte) {
	s := &d.slots[slot]
	s.rejected++
	if len(raw) > 0 && len(s.raw) < maxRaw {
		s.raw = append(s.raw, bytes.Clone(raw))
	}
	if s.Side != txn.Bank {
		d.count(LegTA, slot, 0).rows++
	}
	if s.Side != txn.Terminal {
		d.count(LegAB, slot, 0).rows++
	}
}

// Hold marks a slot as received but unusable: its rows wait, and so do the rows that may have a partner in it.
func (d *Day) Hold(slot int, class Class, why string) {
	s := &d.slots[slot]
	s.Held, s.Class, s.Why = true, class, why
}

// Wanted is what readers must fill for Add, by side.
func Wanted(side txn.Side) txn.Fields {
	base := txn.FieldsOf(txn.SideField, txn.KindField, txn.StatusField, txn.AmountField, txn.TimeField, txn.BusinessDateField)
	if side == txn.Bank {
		return base | txn.FieldsOf(txn.Account, txn.CounterpartyName, txn.Remittance, txn.BankRef, txn.BookingDateField,
			txn.ReversedField, txn.LineStatusField, txn.BalanceField)
	}
	base |= txn.FieldsOf(txn.MID, txn.TID, txn.Store, txn.Batch, txn.STAN, txn.RRN, txn.AuthCode, txn.CardTail, txn.OrderNo,
		txn.ChannelTxnID, txn.RefundID, txn.OrigOrder, txn.OrigRRN, txn.OrigSTAN, txn.OrigBatch, txn.OrigChannelTxnID,
		txn.ChannelField, txn.OrigDateField, txn.OfflineField)
	if side == txn.Acquirer {
		base |= txn.FieldsOf(txn.FeeField, txn.CardClass, txn.MCC, txn.PayoutID, txn.PayoutDateField, txn.NetField, txn.Account)
	}
	return base
}

// WantedToSift is what readers must fill for a sieve: less than for Add, for the rows that stay in it are read again.
func WantedToSift(side txn.Side) txn.Fields {
	return Wanted(side) &^ txn.FieldsOf(txn.Batch, txn.AuthCode, txn.CardTail, txn.OfflineField, txn.OrigDateField, txn.NetField, txn.PayoutDateField)
}

// ConservationError says which identity failed. It is X06: the run stops and publishes nothing.
type ConservationError struct {
	Leg      Leg
	Slot     string
	Currency string
	What     string
	Read     int64
	Told     int64
}

func (e *ConservationError) Error() string {
	return fmt.Sprintf("conservation broken (X06) on leg %s, slot %s, %s: %s read and carried in %d, in the six states %d; "+
		"nothing was published, keep the inputs and report this", e.Leg, e.Slot, e.Currency, e.What, e.Read, e.Told)
}

// Run judges the day. The matches go to the sink as they become final.
func (d *Day) Run(ev Evidence, sink Sink) (*Outcome, *Carry, error) {
	d.sameCase()
	d.decideSlots()
	d.link()
	d.match()
	d.again()
	d.classify()
	d.refunds()
	d.compose()
	d.settle()
	d.fault("classified")
	if err := d.conserve(); err != nil {
		return nil, nil, err
	}
	if err := d.emit(ev); err != nil {
		return nil, nil, err
	}
	if sink != nil {
		d.ledger(sink)
	}
	out := d.out // a copy: whoever keeps the outcome must not keep the day
	return &out, d.carryOut(), nil
}

func (d *Day) fault(stage string) {
	if d.set.Fault != nil {
		d.set.Fault(stage, d)
	}
}

// LoseRow forgets one matched row, so that a test can see conservation fail. Nothing else calls it.
func (d *Day) LoseRow() {
	for i := range d.items {
		if it := &d.items[i]; it.ta.State() == Matched {
			it.ta = verdict{}
			return
		}
	}
	for i := range d.bulks {
		d.bulks[i].Rows--
		return
	}
}

// SetBalances records the closing balance per account that the next day must open with.
func (d *Day) SetBalances(b []Balance) { d.balances = b }
