package register

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"daozhang/parsers/txn"
)

// Tables are the six tables as read, in the order of their lines.
type Tables struct {
	Stores    []Store
	Merchants []Merchant
	Terminals []Terminal
	Contracts []Contract
	Accounts  []Account
	Payers    []Payer
}

// Why a register is refused, or a look-up fails. Callers test with errors.Is.
var (
	ErrOverlap    = errors.New("overlapping validity")
	ErrDangling   = errors.New("reference to nothing")
	ErrTie        = errors.New("two contracts fit equally well")
	ErrPeriod     = errors.New("valid_to lies before valid_from")
	ErrMissing    = errors.New("value missing")
	ErrNoContract = errors.New("no contract for the merchant, channel, card class and MCC on that day")
)

// Register answers look-ups by day.
type Register struct {
	tables Tables

	stores     index[string]
	merchants  index[pair] // acquirer, external mid
	byMID      index[string]
	terminals  index[pair] // mid, tid
	external   index[pair] // mid, external tid
	byTID      index[string]
	accounts   index[string]
	payers     index[string] // folded name
	byAcquirer map[string][]Payer
	contracts  contractIndex
}

type pair struct{ a, b string }

// index maps a key to the places of its records in their table, ordered by first day, then place.
type index[K comparable] map[K][]int32

func indexOf[K comparable, R any](rs []R, key func(*R) K, valid func(*R) Validity) index[K] {
	ix := make(index[K], len(rs))
	for i := range rs {
		k := key(&rs[i])
		ix[k] = append(ix[k], int32(i))
	}
	for _, at := range ix {
		slices.SortStableFunc(at, func(a, b int32) int { return cmp.Compare(valid(&rs[a]).From, valid(&rs[b]).From) })
	}
	return ix
}

// New builds a register and checks it. All problems are returned, ordered by table and line of the record that shows
// them; the register is usable only if there are none. The tables are copied.
func New(t Tables) (*Register, []error) {
	t = Tables{
		slices.Clone(t.Stores), slices.Clone(t.Merchants), slices.Clone(t.Terminals),
		slices.Clone(t.Contracts), slices.Clone(t.Accounts), slices.Clone(t.Payers),
	}
	for i := range t.Merchants {
		m := &t.Merchants[i]
		m.ExternalMID = cmp.Or(m.ExternalMID, m.MID)
	}
	for i := range t.Terminals {
		x := &t.Terminals[i]
		x.ExternalTID = cmp.Or(x.ExternalTID, x.TID)
	}
	r := &Register{
		tables:    t,
		stores:    indexOf(t.Stores, func(s *Store) string { return s.ID }, func(s *Store) Validity { return s.Validity }),
		merchants: indexOf(t.Merchants, func(m *Merchant) pair { return pair{m.Acquirer, m.ExternalMID} }, merchantValidity),
		byMID:     indexOf(t.Merchants, func(m *Merchant) string { return m.MID }, merchantValidity),
		terminals: indexOf(t.Terminals, func(x *Terminal) pair { return pair{x.MID, x.TID} }, terminalValidity),
		external:  indexOf(t.Terminals, func(x *Terminal) pair { return pair{x.MID, x.ExternalTID} }, terminalValidity),
		byTID:     indexOf(t.Terminals, func(x *Terminal) string { return x.TID }, terminalValidity),
		accounts:  indexOf(t.Accounts, func(a *Account) string { return a.ID }, func(a *Account) Validity { return a.Validity }),
		payers:    indexOf(t.Payers, func(p *Payer) string { return FoldName(p.Name) }, func(p *Payer) Validity { return p.Validity }),
		contracts: newContractIndex(t.Contracts),
	}
	r.byAcquirer = map[string][]Payer{}
	for _, p := range t.Payers {
		r.byAcquirer[p.Acquirer] = append(r.byAcquirer[p.Acquirer], p)
	}
	return r, r.validate()
}

func merchantValidity(m *Merchant) Validity { return m.Validity }
func terminalValidity(x *Terminal) Validity { return x.Validity }

// Empty reports whether the register holds no record at all.
func (r *Register) Empty() bool {
	t := &r.tables
	return len(t.Stores)+len(t.Merchants)+len(t.Terminals)+len(t.Contracts)+len(t.Accounts)+len(t.Payers) == 0
}

// Tables returns the records in the order of their lines. The slices must not be changed.
func (r *Register) Tables() Tables { return r.tables }

// Merchant finds the merchant that an acquirer knows under an id.
func (r *Register) Merchant(acquirer, externalMID string, on txn.Date) (Merchant, bool) {
	for _, i := range r.merchants[pair{acquirer, externalMID}] {
		if m := &r.tables.Merchants[i]; m.Covers(on) {
			return *m, true
		}
	}
	return Merchant{}, false
}

// MerchantByID finds a merchant by our id. Where several acquirers serve it, it is the record that became valid
// first; MerchantsOf lists them all.
func (r *Register) MerchantByID(mid string, on txn.Date) (Merchant, bool) {
	for _, i := range r.byMID[mid] {
		if m := &r.tables.Merchants[i]; m.Covers(on) {
			return *m, true
		}
	}
	return Merchant{}, false
}

// MerchantsOf lists all records of a MID, whatever their validity, by first day.
func (r *Register) MerchantsOf(mid string) []Merchant {
	var ms []Merchant
	for _, i := range r.byMID[mid] {
		ms = append(ms, r.tables.Merchants[i])
	}
	return ms
}

// Terminal finds a terminal of a merchant by our id or by the acquirer's. Our id wins.
func (r *Register) Terminal(mid, externalTID string, on txn.Date) (Terminal, bool) {
	k := pair{mid, externalTID}
	for _, i := range r.terminals[k] {
		if x := &r.tables.Terminals[i]; x.Covers(on) {
			return *x, true
		}
	}
	for _, i := range r.external[k] {
		if x := &r.tables.Terminals[i]; x.Covers(on) {
			return *x, true
		}
	}
	return Terminal{}, false
}

// TerminalByID finds a terminal by our id alone. It finds nothing where several merchants have a terminal of that id
// on the day, unless all stand in the same store: then it is the one that became valid first.
func (r *Register) TerminalByID(tid string, on txn.Date) (Terminal, bool) {
	var found *Terminal
	for _, i := range r.byTID[tid] {
		x := &r.tables.Terminals[i]
		if !x.Covers(on) {
			continue
		}
		if found != nil && found.Store != x.Store {
			return Terminal{}, false
		}
		if found == nil {
			found = x
		}
	}
	if found == nil {
		return Terminal{}, false
	}
	return *found, true
}

// Store finds a store.
func (r *Register) Store(id string, on txn.Date) (Store, bool) {
	for _, i := range r.stores[id] {
		if s := &r.tables.Stores[i]; s.Covers(on) {
			return *s, true
		}
	}
	return Store{}, false
}

// Account finds a bank account by its number.
func (r *Register) Account(id string, on txn.Date) (Account, bool) {
	for _, i := range r.accounts[id] {
		if a := &r.tables.Accounts[i]; a.Covers(on) {
			return *a, true
		}
	}
	return Account{}, false
}

// Payer finds who pays under a name, compared as FoldName writes it.
func (r *Register) Payer(name string, on txn.Date) (Payer, bool) {
	for _, i := range r.payers[FoldName(name)] {
		if p := &r.tables.Payers[i]; p.Covers(on) {
			return *p, true
		}
	}
	return Payer{}, false
}

// PayersOf lists the names under which an acquirer pays, whatever their validity, in the order of their lines. The
// slice must not be changed.
func (r *Register) PayersOf(acquirer string) []Payer { return r.byAcquirer[acquirer] }

// FoldName writes a name as names are compared: full-width letters, digits, brackets and spaces as their half-width
// twins, ASCII letters small, no blanks. Banks print the same company in each of these ways. A name that needs no
// folding is returned as it is, without an allocation.
func FoldName(name string) string {
	if !needsFold(name) {
		return name
	}
	b := make([]rune, 0, len(name))
	for _, c := range name {
		if c = foldRune(c); c != ' ' {
			b = append(b, c)
		}
	}
	return string(b)
}

func needsFold(name string) bool {
	for _, c := range name {
		if f := foldRune(c); f != c || f == ' ' {
			return true
		}
	}
	return false
}

func foldRune(c rune) rune {
	if c >= 0xFF01 && c <= 0xFF5E { // full-width ASCII
		c -= 0xFEE0
	}
	switch c {
	case 0x3000, 0xA0, '\t', '\r', '\n':
		return ' '
	case 0x3014, 0x3010: // tortoise-shell and lenticular brackets
		return '('
	case 0x3015, 0x3011:
		return ')'
	}
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// AppendValid appends a canonical text of all records that hold on the day, one a line in rising order, without their
// places in files. Two registers with the same text answer every question about the day alike, so that its digest may
// stand for the register among a day's inputs.
func (r *Register) AppendValid(b []byte, on txn.Date) []byte {
	var lines []string
	t := &r.tables
	lines = appendValid(lines, "store", t.Stores, on, func(s *Store) *Validity { return &s.Validity })
	lines = appendValid(lines, "merchant", t.Merchants, on, func(m *Merchant) *Validity { return &m.Validity })
	lines = appendValid(lines, "terminal", t.Terminals, on, func(x *Terminal) *Validity { return &x.Validity })
	lines = appendValid(lines, "contract", t.Contracts, on, func(c *Contract) *Validity { return &c.Validity })
	lines = appendValid(lines, "account", t.Accounts, on, func(a *Account) *Validity { return &a.Validity })
	lines = appendValid(lines, "payer", t.Payers, on, func(p *Payer) *Validity { return &p.Validity })
	slices.Sort(lines)
	for _, l := range lines {
		b = append(append(b, l...), '\n')
	}
	return b
}

func appendValid[R any](lines []string, table string, rs []R, on txn.Date, valid func(*R) *Validity) []string {
	for _, rec := range rs {
		v := valid(&rec)
		if v.Covers(on) {
			*v = Validity{} // the span says nothing more about this day
			lines = append(lines, fmt.Sprintf("%s %+q", table, fmt.Sprintf("%+v", rec)))
		}
	}
	return lines
}

// TieError names two contracts that fit equally well.
type TieError struct {
	First, Second string   // contract id and line
	On            txn.Date // a day on which both hold
}

// Error names both lines and what to do.
func (e *TieError) Error() string {
	return fmt.Sprintf("%s and %s: %v on %s; fill one more of mid, channel, card_class, mcc in one of them, or end one before the other begins",
		e.First, e.Second, ErrTie, e.On)
}

// Unwrap returns ErrTie.
func (e *TieError) Unwrap() error { return ErrTie }
