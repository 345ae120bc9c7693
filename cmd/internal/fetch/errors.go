package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/pkg/sftp"
)

// Class says what an error means for the next step.
type Class uint8

// The classes. Unknown is tried again a few times like Retry, and then is a failure like any other.
const (
	ClassUnknown   Class = iota
	ClassRetry           // the link or the other side's moment; trying again may help
	ClassPermanent       // trying again will not help: permission, configuration, a refusal
	ClassHostKey         // the server is not, or not provably, the one that is known
	ClassAuth            // the server does not let us in
	ClassVanished        // it was there a moment ago, or should have been
	ClassDisk            // our own disk or database
	ClassCancelled       // the caller's context ended
)

// String names the class as reports print it.
func (c Class) String() string {
	switch c {
	case ClassRetry:
		return "retry"
	case ClassPermanent:
		return "permanent"
	case ClassHostKey:
		return "host-key"
	case ClassAuth:
		return "auth"
	case ClassVanished:
		return "vanished"
	case ClassDisk:
		return "disk"
	case ClassCancelled:
		return "cancelled"
	}
	return "unknown"
}

// Causes that callers may ask for with errors.Is.
var (
	// ErrIncomplete: the bytes that came are not the bytes that were listed. Such a file is never archived.
	ErrIncomplete = errors.New("file did not arrive whole")
	// ErrStalled: nothing moved on the connection for longer than the source's Idle time.
	ErrStalled = errors.New("connection stalled")
	// ErrDeadline: an operation took longer than its time limit although something moved.
	ErrDeadline = errors.New("time limit exceeded")
	// ErrAuth: the server refused every key and password.
	ErrAuth = errors.New("the server refused the login")
	// ErrLiteralSecret: a secret was written where only a reference may stand.
	ErrLiteralSecret = errors.New("secrets are given by reference only: file:PATH, env:NAME, cred:NAME or cmd:PROGRAM")
	// ErrNotFile: the path is a folder, a link or a device.
	ErrNotFile = errors.New("not a regular file")
)

// Error is what went wrong with one operation on one path.
type Error struct {
	Class Class
	Op    string // dial, login, list, stat, open, read, verify, archive, record ...
	Place string // host:port or the local folder; "" for our own disk
	Path  string
	Err   error
}

// Error says where, what and why.
func (e *Error) Error() string {
	at := e.Place
	if e.Path != "" {
		at += " " + quoteName(e.Path)
	}
	return strings.TrimSpace(at) + ": " + e.Op + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf classifies any error of this package, and system and SFTP errors beneath. Nil is ClassUnknown.
// Of several joined errors the gravest class wins: host-key, auth, disk, permanent, unknown, vanished, retry.
func ClassOf(err error) Class {
	if err == nil {
		return ClassUnknown
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return gravest(many.Unwrap())
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return classify(err)
}

func gravest(errs []error) Class {
	order := [...]Class{ClassHostKey, ClassAuth, ClassDisk, ClassPermanent, ClassUnknown, ClassVanished, ClassRetry,
		ClassCancelled}
	has := map[Class]bool{}
	for _, err := range errs {
		has[ClassOf(err)] = true
	}
	for _, c := range order {
		if has[c] {
			return c
		}
	}
	return ClassUnknown
}

// classify reads a bare error.
func classify(err error) Class {
	var hk *HostKeyError
	var status *sftp.StatusError
	var dns *net.DNSError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &hk):
		return ClassHostKey
	case errors.Is(err, ErrAuth):
		return ClassAuth
	case errors.Is(err, ErrIncomplete), errors.Is(err, ErrStalled), errors.Is(err, ErrDeadline):
		return ClassRetry
	case errors.Is(err, ErrLiteralSecret), errors.Is(err, ErrNotFile):
		return ClassPermanent
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return ClassCancelled
	case isAny(err, syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO, syscall.EMFILE, syscall.ENFILE):
		return ClassDisk
	case errors.Is(err, fs.ErrNotExist):
		return ClassVanished
	case errors.Is(err, fs.ErrPermission):
		return ClassPermanent
	case isAny(err, syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE, syscall.EHOSTUNREACH,
		syscall.ENETUNREACH, syscall.ENETDOWN, syscall.ETIMEDOUT, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed,
		io.ErrClosedPipe, sftp.ErrSSHFxConnectionLost, sftp.ErrSSHFxNoConnection, os.ErrDeadlineExceeded):
		return ClassRetry
	case errors.As(err, &dns): // a resolver that is down answers "no such host" too
		return ClassRetry
	case errors.As(err, &timeout) && timeout.Timeout():
		return ClassRetry
	case errors.As(err, &status):
		return classifyStatus(status)
	}
	return ClassUnknown
}

// classifyStatus reads an SFTP status code.
func classifyStatus(s *sftp.StatusError) Class {
	const noConnection, connectionLost, badMessage, unsupported = 6, 7, 5, 8
	switch s.Code {
	case noConnection, connectionLost:
		return ClassRetry
	case badMessage, unsupported:
		return ClassPermanent
	}
	return ClassUnknown // 4, "failure", may mean anything
}

func isAny(err error, targets ...error) bool {
	for _, t := range targets {
		if errors.Is(err, t) {
			return true
		}
	}
	return false
}

// retryable tells whether the same thing may be tried again.
func retryable(c Class) bool { return c == ClassRetry || c == ClassUnknown }

// fail wraps err with its place, once.
func fail(op, place, path string, err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	return &Error{Class: classify(err), Op: op, Place: place, Path: path, Err: err}
}

// failDisk wraps an error of our own side, whatever it looks like: a missing archive folder is not a vanished file.
func failDisk(op, path string, err error) error {
	var e *Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	c := ClassDisk
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		c = ClassCancelled
	}
	return &Error{Class: c, Op: op, Path: path, Err: err}
}

// quoteName makes a vendor's name safe to print: control and invisible characters are escaped and it is cut.
func quoteName(name string) string {
	const longest = 120
	if len(name) > longest {
		name = name[:longest] + "..."
	}
	q := fmt.Sprintf("%q", name)
	if q == `"`+name+`"` {
		return name
	}
	return q
}
