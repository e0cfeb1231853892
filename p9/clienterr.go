package p9

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/datakit/datakit/vfs"
)

// ErrConnection is found by errors.Is in the error of every operation that
// failed because the connection to the server was lost or closed.
var ErrConnection = errors.New("9p connection lost")

// An Error is what a server answers to a request that fails. Servers of plain
// 9P2000 send the text alone and those of 9P2000.L the number alone; the other
// is then what it usually is, or empty.
type Error struct {
	Text  string
	Errno uint32 // Linux's
}

// Error returns the text.
func (e *Error) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("error %d", e.Errno)
	}
	return e.Text
}

// Is reports whether target is the error of package io/fs for the number of e.
func (e *Error) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return e.Errno == vfs.ENOENT
	case fs.ErrExist:
		return e.Errno == vfs.EEXIST
	case fs.ErrPermission:
		return e.Errno == vfs.EPERM
	}
	return false
}

// usual has the text that a number usually goes with, first the one to use for
// a number without text.
var usual = []*vfs.Error{
	vfs.ErrNotExist, vfs.ErrPermission, vfs.ErrIsDir, vfs.ErrNotDir, vfs.ErrReadOnly,
	vfs.ErrExist, vfs.ErrInvalid, vfs.ErrInterrupted, vfs.ErrNameTooLong, vfs.ErrTooBig,
	vfs.ErrNoSpace, vfs.ErrCrossDevice, vfs.ErrNotEmpty, vfs.ErrInternal, errNoXattr, errNoSys,
	{Text: "Bad file descriptor", Errno: vfs.EBADF},
	{Text: "Device or resource busy", Errno: vfs.EBUSY},
	{Text: "Resource temporarily unavailable", Errno: vfs.EAGAIN},
	{Text: "Illegal seek", Errno: vfs.ESPIPE},
	errNoFids, errManyWaiting,
	vfs.ErrDirReadOnly, vfs.ErrDirOnly, vfs.ErrCommandLength, vfs.ErrSpecialMode, vfs.ErrSeek,
	vfs.ErrDirLength, vfs.ErrDirFlag, vfs.ErrNoTarget, vfs.ErrRenameRoot, vfs.ErrWalkFile,
	vfs.ErrOverflow, errDot, errReadNotOpen, errWriteNotOpen, errOpened, errCreateOpen,
	errWriteDir, errDirSeek, errMulti, errNoVersion, errMalformed, errMsize,
}

// newError returns the error in the body of an Rerror or Rlerror.
func newError(typ uint8, body []byte, dialect Dialect) (*Error, bool) {
	d := decoder{b: body, dialect: dialect}
	e := &Error{}
	if typ == rlerror {
		e.Errno = d.u32()
	} else {
		e.Text = d.str()
		if len(d.b) > 0 {
			e.Errno = d.u32()
		}
	}
	e.complete()
	return e, d.end()
}

// complete adds the text or the number if one is missing.
func (e *Error) complete() {
	for _, u := range usual {
		switch {
		case e.Text == "" && e.Errno == u.Errno:
			e.Text = u.Text
		case e.Errno == 0 && e.Text == u.Text:
			e.Errno = u.Errno
		}
	}
}

// clientError returns what a server would have answered.
func clientError(e *vfs.Error) error { return &Error{e.Text, e.Errno} }
