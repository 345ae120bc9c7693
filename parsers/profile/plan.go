package profile

import (
	"time"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

// Profile is a compiled profile: a format. It is safe for use by many readers at once.
type Profile struct {
	info     parsers.Info
	encoding string
	zone     *time.Location
	currency txn.Currency

	names        []*template
	nameRequired bool
	header       []int // columns that make the header
	without      []string

	delimited *delimitedSpec
	sep       byte
	quoted    bool
	overflow  int // column that may hold separators, or -1
	fixed     *fixedSpec
	gaps      []int // fixed: positions that hold the separator
	limits    limitsSpec

	cols      []column
	preamble  []*template
	entries   []entry
	trailer   []trailerLine
	required  int // trailer lines that must be there
	controls  []control
	sums      []sum
	statement *statementPlan
}

// column is a column of the file or a capture.
type column struct {
	name     string
	keys     []string // normalised name and aliases, in order of preference
	capture  bool
	optional bool
	ignore   bool
	keep     bool
	mapped   bool
	empty    [][]byte
	start    int // fixed: 0-based
	width    int
}

// entry is one transaction that a record may emit.
type entry struct {
	conds   []cond
	kind    txn.Kind
	status  txn.Status
	channel txn.Channel
	texts   []constText
	ops     []op
}

type constText struct {
	field txn.Field
	value []byte
}

type condMode uint8

const (
	condIn condMode = iota
	condNotIn
	condZero
	condNonZero
)

type cond struct {
	col   int
	mode  condMode
	words map[string]bool
}

type opCode uint8

const (
	opText opCode = iota
	opCard
	opKind
	opStatus
	opChannel
	opCurrency
	opLineStatus
	opOffline
	opReversed
	opAmount
	opFee
	opDate
	opTime
	opTimeDate
	opTimeClock
)

type signMode uint8

const (
	signAsIs signMode = iota
	signKind
	signSignedOrKind
	signNegate
	signLetter
)

// op fills one field from one cell. Ops of an entry are sorted by phase, since signs need the kind, amounts the
// currency, and layouts without a year the business date.
type op struct {
	code      opCode
	sign      signMode
	field     txn.Field
	plus      byte
	minor     bool
	thousands bool
	filled    bool
	before    bool // year_of: before_business_date
	id        bool // an identifier that a spreadsheet could have damaged
	col       int  // column of the profile; bound to a cell when a file is opened
	from, n   int  // slice of the cell
	layouts   []layout
	words     map[string]uint8  // kind, status, channel, flags
	texts     map[string][]byte // text fields
	otherwise int               // value of unlisted words, -1: row error
	blank     int               // value of an empty cell, -1: leave the field alone
	absent    int               // value where the column is absent
	restText  []byte            // otherwise, for texts
	class     string
	empty     [][]byte // placeholders of the column
}

func (o *op) phase() int {
	switch o.code {
	case opCurrency, opKind, opStatus, opChannel:
		return 0
	case opAmount:
		if o.field == txn.AmountField {
			return 1
		}
	case opDate:
		if o.field == txn.BusinessDateField {
			return 1
		}
	case opTimeClock:
		return 3
	}
	return 2
}

// sum adds up a column as it stands, for controls.
type sum struct {
	col   int
	minor bool
}

type trailerForm uint8

const (
	trailText trailerForm = iota
	trailTable
	trailPairs
	trailRow
)

type trailerLine struct {
	form     trailerForm
	tmpl     *template // trailText
	key      string    // normalised first cell of the others
	word     string    // as written
	begin    string
	optional bool
}

type measure uint8

const (
	measureRows measure = iota
	measureAmount
	measureFee
	measureNet
	measureColumn
)

var measureNames = []string{"rows", "amount", "fee", "net", "column"}

type control struct {
	name     string
	stated   []string
	measure  measure
	sum      int
	kinds    []txn.Kind
	abs      bool
	negate   bool
	minor    bool
	slot     bool
	optional bool
}

type statementPlan struct {
	period, opening, closing *template
	layouts                  []layout
}

// Info describes the format.
func (p *Profile) Info() parsers.Info { return p.info }
