package profile

// spec is a profile as written. Unknown keys are errors; see the package comment for the vocabulary and
// docs/adding-a-format.md for a walk through it.
type spec struct {
	Version     int    `yaml:"version"` // must be 1
	Name        string `yaml:"name"`
	Title       string `yaml:"title"`
	Source      string `yaml:"source"` // where the layout comes from
	Proof       string `yaml:"proof"`  // what proves that a file is complete
	Side        string `yaml:"side"`   // T, A or B
	Acquirer    string `yaml:"acquirer"`
	ControlOnly bool   `yaml:"control_only"` // emits no rows
	Zone        string `yaml:"zone"`         // default Asia/Shanghai
	Currency    string `yaml:"currency"`     // default CNY
	Encoding    string `yaml:"encoding"`     // auto (default), utf-8, gbk, gb18030
	Unit        string `yaml:"unit"`         // major (default) or minor
	FeeSign     string `yaml:"fee_sign"`     // positive_is_cost (default) or negative_is_cost

	Match     matchSpec      `yaml:"match"`
	Delimited *delimitedSpec `yaml:"delimited"`
	Fixed     *fixedSpec     `yaml:"fixed"`
	Limits    limitsSpec     `yaml:"limits"`

	Preamble  []string       `yaml:"preamble"` // templates of lines before the header
	Columns   []columnSpec   `yaml:"columns"`
	Set       setSpec        `yaml:"set"` // constants of every row
	Emit      []emitSpec     `yaml:"emit"`
	Trailer   []trailerSpec  `yaml:"trailer"`
	Controls  []controlSpec  `yaml:"controls"`
	Statement *statementSpec `yaml:"statement"`

	// Planned words, refused by name until they are built.
	Worksheet any `yaml:"worksheet"`
	JSON      any `yaml:"json"`
	XML       any `yaml:"xml"`
	Join      any `yaml:"join"`
	Header    any `yaml:"header"`
}

// matchSpec tells files of this layout from others.
type matchSpec struct {
	Names        []string `yaml:"names"`         // templates of file names; their captures can feed columns
	NameRequired bool     `yaml:"name_required"` // refuse files whose name fits none
	Header       []string `yaml:"header"`        // columns that make the header; default: all that are not optional
	Without      []string `yaml:"without"`       // columns of a sibling layout: their presence refuses
}

type delimitedSpec struct {
	Delimiter  string `yaml:"delimiter"` // one byte
	Quote      string `yaml:"quote"`     // `"` or none (default)
	LineBreaks bool   `yaml:"line_breaks"`
	Backtick   bool   `yaml:"backtick"` // cells begin with a backtick: split at delimiter + backtick
	Comment    string `yaml:"comment"`  // lines beginning so are no records
	Overflow   string `yaml:"overflow"` // column that may hold bare delimiters; the next column is a timestamp
}

type fixedSpec struct {
	Record    int    `yaml:"record"`    // bytes without the line end
	Separator string `yaml:"separator"` // the byte that fills every position outside the columns
}

type limitsSpec struct {
	Line     int `yaml:"line"`     // bytes of one record
	Fields   int `yaml:"fields"`   // cells of one record
	Preamble int `yaml:"preamble"` // lines before the header
}

// columnSpec maps one column of the file, or one capture, to a field. A column may be named again to fill a second
// field. Where several columns fill one field, the first that is not empty wins; fees add up.
type columnSpec struct {
	Name     string   `yaml:"name"`
	Aliases  []string `yaml:"aliases"`
	Capture  string   `yaml:"capture"` // instead of name: a capture of preamble or file name
	Start    int      `yaml:"start"`   // fixed layouts: 1-based first byte
	Width    int      `yaml:"width"`   // fixed layouts: bytes
	Optional bool     `yaml:"optional"`
	Ignore   bool     `yaml:"ignore"` // neither field nor extra
	Keep     bool     `yaml:"keep"`   // also kept in extra although it fills a field

	Field  string   `yaml:"field"`
	Filled bool     `yaml:"filled"` // an empty cell is a row error
	Empty  []string `yaml:"empty"`  // placeholders that mean empty
	Slice  []int    `yaml:"slice"`  // [first byte from 0, count] of the cell

	Map       map[string]string `yaml:"map"`
	Otherwise string            `yaml:"otherwise"` // value of words that the map lacks
	Blank     string            `yaml:"blank"`     // value of an empty cell
	Absent    string            `yaml:"absent"`    // value where the optional column is absent

	Layouts []string `yaml:"layouts"`
	Part    string   `yaml:"part"`    // txn_time only: date or clock
	YearOf  string   `yaml:"year_of"` // layouts without a year: business_date (nearest) or before_business_date

	Sign      string `yaml:"sign"` // as_is (default), kind, signed_or_kind, negate, letter
	Plus      string `yaml:"plus"` // sign letter: the letter that means plus
	Unit      string `yaml:"unit"`
	Thousands bool   `yaml:"thousands"` // accepts 1,234.56 and a currency sign
	Class     string `yaml:"class"`     // fee only: also a fee part of this class
}

type setSpec struct {
	Kind    string            `yaml:"kind"`
	Status  string            `yaml:"status"`
	Channel string            `yaml:"channel"`
	Text    map[string]string `yaml:"text"` // text fields
}

// emitSpec is one transaction that a record emits if all conditions hold. Without any, each record emits one.
// A record for which no rule holds is a row error.
type emitSpec struct {
	When    []condSpec   `yaml:"when"`
	Set     setSpec      `yaml:"set"`
	Columns []columnSpec `yaml:"columns"` // beside the common ones
}

type condSpec struct {
	Column  string   `yaml:"column"`
	In      []string `yaml:"in"`
	NotIn   []string `yaml:"not_in"`
	Zero    bool     `yaml:"zero"`    // empty or a number equal to 0
	NonZero bool     `yaml:"nonzero"` // neither
}

// trailerSpec recognises one line of the trailer; exactly one of the four forms.
type trailerSpec struct {
	Text     string `yaml:"text"`  // a template
	Table    string `yaml:"table"` // a line of names beginning with this one, then a line of values
	Pairs    string `yaml:"pairs"` // a line of labels and values beginning with this label
	Row      string `yaml:"row"`   // a record whose first cell is this word; captures are its columns
	Optional bool   `yaml:"optional"`
}

// controlSpec compares a captured figure with the rows.
type controlSpec struct {
	Name    string   `yaml:"name"`
	Stated  []string `yaml:"stated"`  // captures, added up
	Measure string   `yaml:"measure"` // rows, amount, fee, net, or column
	Column  string   `yaml:"column"`  // measure column: Σ of its cells as they stand
	Kinds   []string `yaml:"kinds"`
	Abs     bool     `yaml:"abs"`    // compare without sign
	Negate  bool     `yaml:"negate"` // the file states it with the other sign
	Unit    string   `yaml:"unit"`
	Slot    bool     `yaml:"slot"` // about another file of the slot

	Optional bool `yaml:"optional"` // a trailer without this figure is whole
}

// statementSpec holds templates of lines that state a bank statement's frame. The captures are fixed:
// from, to; account, currency, amount.
type statementSpec struct {
	Period  string   `yaml:"period"`
	Opening string   `yaml:"opening"`
	Closing string   `yaml:"closing"`
	Layouts []string `yaml:"layouts"` // of from and to
}
