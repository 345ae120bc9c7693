package profile

import (
	"fmt"
	"strings"

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

// books follows the accounts of a bank statement: balances must chain line by line, in files that go forwards or
// backwards in time.
type books struct {
	r        *Reader
	on       bool
	accounts []*account
	last     *account
	from, to txn.Date // stated period
	stated   bool
}

type account struct {
	name     string
	currency txn.Currency

	opening, closing           int64
	statedOpening, statedClose bool
	lines                      int64
	credits, debits            int64
	first, last                txn.Date
	balances                   int64 // lines that state a balance
	firstAmount, firstBalance  int64
	firstOffset                int64
	prevAmount, prevBalance    int64
	up, down                   chain // oldest line first, newest line first
}

// chain is one reading direction of the running balances.
type chain struct {
	breaks int64
	offset int64
	want   int64
	is     int64
}

func (c *chain) check(want, is, offset int64) {
	if want == is {
		return
	}
	if c.breaks == 0 {
		c.offset, c.want, c.is = offset, want, is
	}
	c.breaks++
}

func (b *books) init(r *Reader) error {
	b.r, b.on = r, r.p.info.Side == txn.Bank
	for _, s := range r.f.frames {
		if err := b.apply(s); err != nil {
			return err
		}
	}
	return nil
}

// stated recognises a line that states a part of the statement's frame.
func (p *Profile) stated(folded string, line int) (statedLine, bool) {
	st := p.statement
	if st == nil {
		return statedLine{}, false
	}
	out := statedLine{line: line}
	keep := func(k, v string) {
		switch k {
		case "account":
			out.account = v
		case "currency":
			out.currency = v
		case "amount":
			out.amount = v
		case "from":
			out.from = v
		case "to":
			out.to = v
		}
	}
	for _, t := range []struct {
		tmpl *template
		what byte
	}{{st.period, 'p'}, {st.opening, 'o'}, {st.closing, 'c'}} {
		if t.tmpl != nil && t.tmpl.match(folded, keep) {
			out.what = t.what
			return out, true
		}
	}
	return out, false
}

// comment reads a frame line among or behind the records; other comments mean nothing.
func (b *books) comment(rec record) error {
	if !b.on || b.r.p.statement == nil {
		return nil
	}
	if s, ok := b.r.p.stated(fold(b.r.decodeLine(rec.data)), rec.line); ok {
		return b.apply(s)
	}
	return nil
}

func (b *books) apply(s statedLine) error {
	fail := func(what string) error {
		return &parsers.FileError{File: b.r.src.Name, Line: s.line, Err: parsers.ErrDrift, What: what}
	}
	if s.what == 'p' {
		var err error
		if b.from, err = b.r.day(s.from); err == nil {
			b.to, err = b.r.day(s.to)
		}
		if err != nil {
			return fail("the period is not two dates")
		}
		b.stated = true
		return nil
	}
	currency := b.r.currency
	if s.currency != "" {
		var ok bool
		if currency, ok = txn.ParseCurrency(s.currency); !ok {
			return fail("the balance line has no currency code")
		}
	}
	n, err := b.r.balance(s.amount, currency)
	if err != nil {
		return fail("the stated balance: " + err.Error())
	}
	a := b.account([]byte(s.account), currency)
	if s.what == 'o' {
		a.opening, a.statedOpening = n, true
	} else {
		a.closing, a.statedClose = n, true
	}
	return nil
}

func (r *Reader) day(text string) (txn.Date, error) {
	for i := range r.p.statement.layouts {
		l := &r.p.statement.layouts[i]
		if p, err := l.parse([]byte(strings.TrimSpace(text))); err == nil && l.hasYear {
			return civil(p.year, p.month, p.day), nil
		}
	}
	return 0, errLayout
}

func (r *Reader) balance(text string, c txn.Currency) (int64, error) {
	v, err := r.plainNumber([]byte(strings.TrimSpace(text)), true)
	if err != nil {
		return 0, err
	}
	return txn.ParseDecimal(v, c.Decimals())
}

func (b *books) account(name []byte, c txn.Currency) *account {
	if a := b.last; a != nil && a.name == string(name) && a.currency == c {
		return a
	}
	for _, a := range b.accounts {
		if a.name == string(name) && a.currency == c {
			b.last = a
			return a
		}
	}
	a := &account{name: string(name), currency: c}
	b.accounts = append(b.accounts, a)
	b.last = a
	return a
}

// line adds a booked line to its account.
func (b *books) line(row *txn.Row) {
	if !b.on || row.LineStatus != txn.Booked {
		return
	}
	a := b.account(row.Text[txn.Account], row.Currency)
	a.lines++
	if row.Amount >= 0 {
		a.credits += row.Amount
	} else {
		a.debits -= row.Amount
	}
	if d := row.Booking; d != 0 {
		if a.first == 0 || d < a.first {
			a.first = d
		}
		a.last = max(a.last, d)
	}
	if !row.Has.Has(txn.BalanceField) {
		return
	}
	if a.balances == 0 {
		a.firstAmount, a.firstBalance, a.firstOffset = row.Amount, row.Balance, row.Pos.Offset
	} else {
		a.up.check(a.prevBalance+row.Amount, row.Balance, row.Pos.Offset)
		a.down.check(a.prevBalance-a.prevAmount, row.Balance, row.Pos.Offset)
	}
	a.balances++
	a.prevAmount, a.prevBalance = row.Amount, row.Balance
}

// whole refuses a statement that states where it began but not where it ended.
func (b *books) whole() error {
	for _, a := range b.accounts {
		if a.statedOpening && !a.statedClose {
			return &parsers.FileError{File: b.r.src.Name, Line: b.r.scan.line, Err: parsers.ErrTruncated,
				What: fmt.Sprintf("the closing balance of account %s is missing", a.name)}
		}
	}
	return nil
}

// Statements describes the accounts of the file, in the order in which they come.
func (r *Reader) Statements() []parsers.Statement {
	var out []parsers.Statement
	for _, a := range r.books.accounts {
		out = append(out, a.statement(&r.books))
	}
	return out
}

func (a *account) statement(b *books) parsers.Statement {
	s := parsers.Statement{Account: a.name, Currency: a.currency, From: a.first, To: a.last, Lines: a.lines,
		Credits: a.credits, Debits: a.debits, BreakOffset: -1}
	if b.stated {
		s.From, s.To, s.PeriodStated = b.from, b.to, true
	}
	ch := &a.up
	// A single line, or a file that chains both ways, reads forwards.
	backwards := a.down.breaks < a.up.breaks
	if backwards {
		ch = &a.down
	}
	if a.balances > 0 {
		s.Opening, s.Closing, s.HasOpening, s.HasClosing = a.firstBalance-a.firstAmount, a.prevBalance, true, true
		if backwards {
			s.Opening, s.Closing = a.prevBalance-a.prevAmount, a.firstBalance
		}
	}
	s.Balanced = ch.breaks == 0
	if ch.breaks > 0 {
		s.BreakOffset, s.BreakWant, s.BreakIs = ch.offset, ch.want, ch.is
	}
	if a.statedOpening {
		s.Balanced = s.Balanced && (!s.HasOpening || s.Opening == a.opening)
		s.Opening, s.HasOpening = a.opening, true
	}
	if a.statedClose {
		s.Balanced = s.Balanced && (!s.HasClosing || s.Closing == a.closing)
		s.Closing, s.HasClosing = a.closing, true
	}
	if s.HasOpening && s.HasClosing && s.Opening+s.Credits-s.Debits != s.Closing {
		s.Balanced = false
	}
	return s
}
