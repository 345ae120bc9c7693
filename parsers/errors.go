package parsers

import (
	"errors"
	"fmt"
	"strings"
)

// ParseError is a record that breaks its layout. The reader goes on behind it. Err names the cause without vendor
// text that could hold a card number; Value is shown only where the field is not sensitive.
type ParseError struct {
	File   string // member name
	Line   int    // 1-based physical line on which the record begins; 0 for formats without lines
	Record int    // 1-based number of the record in the file
	Offset int64
	Field  string // the vendor's own column name, or the byte range of a fixed-width field
	Value  string
	Err    error
}

// Error says where, which field and why.
func (e *ParseError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d: record %d", e.File, e.Line, e.Record)
	if e.Field != "" {
		fmt.Fprintf(&b, ", field %s", e.Field)
	}
	if e.Value != "" {
		fmt.Fprintf(&b, " = %q", e.Value)
	}
	return b.String() + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *ParseError) Unwrap() error { return e.Err }

// Why a file cannot be used as a whole. Callers test with errors.Is.
var (
	ErrTruncated = errors.New("file is cut short")                    // F03
	ErrControl   = errors.New("control total does not agree")         // F07
	ErrDrift     = errors.New("layout differs from the format")       // F09
	ErrLimit     = errors.New("file exceeds a limit")                 // bombs, endless lines
	ErrVendor    = errors.New("the vendor sent an error, not a file") // an API's error saved as a bill
	ErrWhole     = errors.New("the file cannot be read in parts")
	ErrDamaged   = errors.New("ids damaged by a spreadsheet, get the original file again")
)

// FileError ends a file. It wraps one of the causes above.
type FileError struct {
	File string
	Line int // 0 where the whole file is meant
	What string
	Err  error
}

// Error says where and why.
func (e *FileError) Error() string {
	at := e.File
	if e.Line > 0 {
		at = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	if e.What == "" {
		return at + ": " + e.Err.Error()
	}
	return at + ": " + e.Err.Error() + ": " + e.What
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }
