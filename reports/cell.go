package reports

import (
	"strconv"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// cell is one value with its look. A formula carries the program's own result as its cached value.
type cell struct {
	v       any // string, int, float64, or nil for an empty cell with a look
	formula string
	look    look
}

// excelEpoch is 1970-01-01 as a spreadsheet counts days.
const excelEpoch = 25569

func str(s string) cell { return cell{v: cellText(s), look: look{wrap: true}} }

// ident is an identifier: always a text cell, so that zeros and long digits survive.
func ident(s string) cell {
	if s == "" {
		return cell{}
	}
	return cell{v: cellText(s), look: look{format: formatText, wrap: true}}
}

func count(n int64) cell { return cell{v: n, look: look{format: formatCount, right: true}} }

func date(d txn.Date) cell {
	if d == 0 {
		return cell{}
	}
	return cell{v: int64(d) + excelEpoch, look: look{format: formatDate, center: true}}
}

// instant shows a time in its source's own zone. A source without a time of day gives a plain date.
func instant(t txn.Time) cell {
	if t.IsZero() {
		return cell{}
	}
	if t.DateOnly {
		return date(t.Date())
	}
	serial := float64(excelEpoch) + float64(t.Unix+int64(t.Offset))/86400
	return cell{v: serial, look: look{format: formatTime, center: true}}
}

// maxExact is the largest count of units that a spreadsheet's numbers hold exactly: 15 digits.
const maxExact = 999_999_999_999_999

// decimalCell is v * 10^-decimals as a number. The division of two exact floats is correctly rounded, so the result is
// the float nearest to the decimal, whose shortest form is the decimal itself. Longer values are written as text with
// a warning sign, since a spreadsheet would round them.
func decimalCell(v int64, decimals int, format string) cell {
	if v > maxExact || v < -maxExact {
		return cell{v: "⚠ " + string(txn.AppendDecimal(nil, v, decimals)), look: look{format: formatText, right: true, ink: inkWarn}}
	}
	div := 1.0
	for range decimals {
		div *= 10
	}
	return cell{v: float64(v) / div, look: look{format: format, right: true}}
}

func money(minor int64, c txn.Currency) cell {
	return decimalCell(minor, c.Decimals(), formatMoney(c.Decimals()))
}

// fine is a sum in which fees take part, shown with the decimals it needs.
func fine(f txn.Fine, c txn.Currency) cell {
	unit := txn.FineOf(1, c)
	if f%unit == 0 {
		m := decimalCell(int64(f/unit), c.Decimals(), formatFine(c.Decimals()))
		return m
	}
	return decimalCell(int64(f), txn.FineDecimals, formatFine(c.Decimals()))
}

// sum is one of a line's sums, in the line's own unit; an absent side is an empty cell.
func sum(l *reconcile.Line, m reconcile.Money) cell {
	switch {
	case !m.Valid:
		return cell{}
	case l.Fine:
		return fine(txn.Fine(m.Minor), l.Currency)
	}
	return money(m.Minor, l.Currency)
}

// live adds a formula to a number. A value that had to be written as text keeps no formula: the spreadsheet could not
// compute it exactly.
func (c cell) live(formula string) cell {
	if _, isText := c.v.(string); !isText {
		c.formula = formula
	}
	return c
}

func (c cell) bold() cell        { c.look.bold = true; return c }
func (c cell) muted() cell       { c.look.ink = inkMuted; return c }
func (c cell) ink(s string) cell { c.look.ink = s; return c }
func (c cell) centered() cell    { c.look.center = true; return c }
func (c cell) indented() cell    { c.look.indent = true; return c }

// filled gives the cell a background unless it has one.
func (c cell) filled(s string) cell {
	if c.look.fill == "" {
		c.look.fill = s
	}
	return c
}

// check turns a figure that ought to be zero into one with a tick or a cross.
func (c cell) check(c2 txn.Currency) cell { c.look.format = formatCheck(c2.Decimals()); return c }

// colName is A for 0, Z for 25, AA for 26.
func colName(i int) string {
	s := ""
	for i++; i > 0; i = (i - 1) / 26 {
		s = string(rune('A'+(i-1)%26)) + s
	}
	return s
}

// at is a cell reference from a column counted from 0 and a row counted from 1.
func at(col, row int) string { return colName(col) + strconv.Itoa(row) }

// span is a range within one column.
func span(col, from, to int) string { return at(col, from) + ":" + at(col, to) }
