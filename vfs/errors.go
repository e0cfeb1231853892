package vfs

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// An Error is a failure as the client sees it.
type Error struct {
	Text  string // one line of at most MaxErrorText bytes
	Errno uint32 // Linux's number, whatever system the server runs on
}

// MaxErrorText is the length of the longest text of an Error, in bytes.
const MaxErrorText = 1024

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// Errorf returns an Error with a number and a text. Line ends in the text
// become spaces, and what is too long is cut off.
func Errorf(errno uint32, format string, args ...any) *Error {
	text := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' {
			return ' '
		}
		return r
	}, fmt.Sprintf(format, args...))
	if len(text) > MaxErrorText {
		text = text[:MaxErrorText]
	}
	return &Error{text, errno}
}

// Reply returns err as the client is told of it: the Error in its chain,
// ErrInterrupted if the context of the request has ended, or ErrInternal.
// internal reports that the tree is at fault, or its disk, and that the
// transport should log err.
func Reply(err error) (e *Error, internal bool) {
	switch {
	case errors.As(err, &e):
		return e, e == ErrInternal || e.Errno == ENOSPC || e.Errno == EAGAIN
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return ErrInterrupted, false
	}
	return ErrInternal, true
}

// AsError returns err as the client sees it: the Error in its chain, or
// ErrInternal.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return ErrInternal
}

// The numbers of Linux that errors carry.
const (
	EPERM        = 1
	ENOENT       = 2
	EINTR        = 4
	EIO          = 5
	EBADF        = 9
	EAGAIN       = 11
	EBUSY        = 16
	EEXIST       = 17
	EXDEV        = 18
	ENOTDIR      = 20
	EISDIR       = 21
	EINVAL       = 22
	EMFILE       = 24
	EFBIG        = 27
	ENOSPC       = 28
	ESPIPE       = 29
	EROFS        = 30
	ENAMETOOLONG = 36
	ENOSYS       = 38
	ENOTEMPTY    = 39
	EOPNOTSUPP   = 95
)

// Errors that any tree may return (specification of the filesystem, appendix
// A, where each has the same name in capitals).
var (
	ErrNotExist      = &Error{"No such file or directory", ENOENT}             // NOENT
	ErrPermission    = &Error{"Operation not permitted", EPERM}                // PERM
	ErrIsDir         = &Error{"Is a directory", EISDIR}                        // ISDIR
	ErrNotDir        = &Error{"Is not a directory", ENOTDIR}                   // NOTDIR
	ErrReadOnly      = &Error{"Read-only file", EROFS}                         // RO
	ErrDirReadOnly   = &Error{"Directory is read-only", EROFS}                 // DIRRO
	ErrExist         = &Error{"Already exists", EEXIST}                        // EXISTS
	ErrDirOnly       = &Error{"Can only contain directories", EPERM}           // DIRONLY
	ErrCommandLength = &Error{"Can't extend command file", EINVAL}             // CMDLEN
	ErrSpecialMode   = &Error{"Can't chmod special file", EPERM}               // SPECMODE
	ErrSeek          = &Error{"Attempt to seek in stream", ESPIPE}             // SEEK
	ErrDirLength     = &Error{"Can't set length of a directory", EISDIR}       // DIRLEN
	ErrDirFlag       = &Error{"Incorrect is_directory flag for chmod", EINVAL} // DIRFLAG
	ErrNoTarget      = &Error{"Missing target for symlink!", EINVAL}           // SYMTGT
	ErrRenameRoot    = &Error{"Can't rename /", EPERM}                         // RENROOT
	ErrNameTooLong   = &Error{"File name too long", ENAMETOOLONG}              // TOOLONG
	ErrTooBig        = &Error{"File too large", EFBIG}                         // TOOBIG
	ErrNoSpace       = &Error{"No space left on device", ENOSPC}               // a full disk
	ErrInvalid       = &Error{"Invalid argument", EINVAL}                      // EINVAL
	ErrInterrupted   = &Error{"Interrupted system call", EINTR}                // EINTR
	ErrCrossDevice   = &Error{"Invalid cross-device link", EXDEV}              // XDEV
	ErrNotEmpty      = &Error{"Directory not empty", ENOTEMPTY}                // NOTEMPTY
	ErrInternal      = &Error{"Internal error", EIO}                           // INTERNAL
	ErrWalkFile      = &Error{"Can't walk from a file", ENOTDIR}               // WALKFILE
	ErrOverflow      = &Error{"Reflog overflow", EIO}                          // OVERFLOW
)

// NegativeOffset is the error for an offset that is negative as a signed
// 64-bit number (NEGOFF).
func NegativeOffset(off uint64) *Error { return Errorf(EINVAL, "Negative offset %d", int64(off)) }

// ErrPastEnd is what errors.Is finds in an error of PastEnd. In 9P2000.L such a
// read is no failure, so a transport must be able to tell.
var ErrPastEnd = errors.New("offset beyond end of file")

// A pastEnd is an Error that is also ErrPastEnd.
type pastEnd struct{ err *Error }

// Error implements error.
func (e pastEnd) Error() string { return e.err.Text }

// Is reports whether target is ErrPastEnd.
func (e pastEnd) Is(target error) bool { return target == ErrPastEnd }

// Unwrap returns the Error.
func (e pastEnd) Unwrap() error { return e.err }

// PastEnd is the error for a read beyond the end of a file (PASTEND). An
// [*Error] is in its chain.
func PastEnd(off, size uint64) error {
	return pastEnd{Errorf(EINVAL, "Offset %d beyond end-of-file (len = %d)", off, size)}
}

// BadName is the error for a name that cannot be given (BADNAME).
func BadName(name string) *Error { return Errorf(EINVAL, "Invalid name %s", Quote(name)) }

// NotADir is the error for a create in something that is no directory
// (NOTADIR).
func NotADir(name string) *Error { return Errorf(ENOTDIR, "%s is not a directory", Quote(name)) }

// Quote returns s in double quotes, with quotes and backslashes preceded by a
// backslash, and control characters and bytes beyond ASCII escaped.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
