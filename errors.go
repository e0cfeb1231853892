package datakit

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// A Kind classes an error by what a caller can do about it. A Kind is itself
// an error, so that errors.Is(err, datakit.NotExist) asks for the class, and
// its text is the one that clients show. Kinds that io/fs knows answer to its
// names as well: errors.Is(err, fs.ErrNotExist).
type Kind uint8

// The kinds of errors. An error whose Kind is not known is IO.
const (
	IO             Kind = iota // the store or the connection failed
	Exist                      // something to be created exists
	NotExist                   // something to be used does not exist
	IsDir                      // a directory where a file is needed
	NotDir                     // something else where a directory is needed
	NotFile                    // something else where a file is needed
	NotLink                    // something else where a symlink is needed
	Closed                     // the transaction, watch or database has ended
	Unresolved                 // a transaction has conflicts that are not resolved
	Conflict                   // the branch has moved, and the two changes do not merge
	NotFastForward             // the new head does not descend from the old
	Locked                     // another program has locked a branch, and does not let go of it
	Invalid                    // a malformed path, name or argument
	TooLarge                   // a file beyond the size that the database allows
	NoSpace                    // the disk of the store is full
	Overflow                   // a reader was too slow, and changes are lost to it
	Aborted                    // the wait was aborted
	Internal                   // a peer or the stored data broke its rules
)

var kindTexts = [...]string{
	IO:             "input/output error",
	Exist:          "Already exists",
	NotExist:       "No such file or directory",
	IsDir:          "Is a directory",
	NotDir:         "Not a directory",
	NotFile:        "Not a file",
	NotLink:        "Not a symlink",
	Closed:         "Transaction is closed",
	Unresolved:     "conflicts file is not empty",
	Conflict:       "Merge conflict",
	NotFastForward: "not-fast-forward",
	Locked:         "Locked by another program",
	Invalid:        "Invalid argument",
	TooLarge:       "File too large",
	NoSpace:        "No space left on device",
	Overflow:       "Reflog overflow",
	Aborted:        "Aborted",
	Internal:       "internal error",
}

// Error returns the text of the kind.
func (k Kind) Error() string {
	if int(k) < len(kindTexts) {
		return kindTexts[k]
	}
	return fmt.Sprintf("unknown error kind %d", uint8(k))
}

// Is makes a Kind answer to the errors of io/fs that mean the same.
func (k Kind) Is(target error) bool {
	switch k {
	case Exist:
		return target == fs.ErrExist
	case NotExist:
		return target == fs.ErrNotExist
	case Closed:
		return target == fs.ErrClosed
	case Invalid:
		return target == fs.ErrInvalid
	}
	return false
}

// An Error says what failed, on what, and why.
type Error struct {
	Op      string // such as "read" or "commit"
	Subject string // the path, branch or hash concerned; may be empty
	Kind    Kind
	Err     error // the cause, or nil where the Kind says it all
}

// Error returns operation, subject and cause, or the text of the Kind where
// there is no cause.
func (e *Error) Error() string {
	s := e.Op
	if e.Subject != "" {
		s += " " + e.Subject
	}
	if s != "" {
		s += ": "
	}
	if e.Err != nil {
		return s + e.Err.Error()
	}
	return s + e.Kind.Error()
}

// Is reports whether target is the Kind of e, or an error that the Kind
// answers to.
func (e *Error) Is(target error) bool { return target == e.Kind || e.Kind.Is(target) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the Kind of err, which is IO if it has none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	var k Kind
	if errors.As(err, &k) {
		return k
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return NotExist
	case errors.Is(err, fs.ErrExist):
		return Exist
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return NoSpace
	}
	return IO
}

// ErrUncertain is in the error of a Commit that was given up, or whose connection
// was lost, before a server has answered: it may have been made.
var ErrUncertain = errors.New("it is not known whether the commit was made")

func invalid(text string) error { return &Error{Kind: Invalid, Err: errors.New(text)} }

// A MergeError is the cause of an error of kind Conflict. It lists the paths
// at which two changes do not merge, sorted, at least one.
type MergeError struct {
	Conflicts []MergeConflict
}

// A MergeConflict is a path at which a merge failed.
type MergeConflict struct {
	Path   Path
	Reason string // in the words of the merge rules, such as "File vs dir"
}

// Error names the first path, the reason, and how many more there are.
func (e *MergeError) Error() string {
	first := e.Conflicts[0]
	s := fmt.Sprintf("%s: %s: %s", Conflict, first.Path, first.Reason)
	if n := len(e.Conflicts) - 1; n > 0 {
		s += fmt.Sprintf(" (and %d more)", n)
	}
	return s
}

// A LockedError is the cause of an error of kind Locked: a lock file was there
// for as long as anybody waited. A program that was killed may have left it.
type LockedError struct {
	File string // slash-separated, within the Git directory
}

// Error says what to do about it.
func (e *LockedError) Error() string {
	return fmt.Sprintf("%s: if none is at work on the repository, remove the file %s from it", Locked, e.File)
}

// A BranchConflictError is the cause of an error of kind Exist: Git cannot
// hold both the branch asked for and Other, as one would be a directory of the
// other's name.
type BranchConflictError struct {
	Other string
}

// Error names the other branch.
func (e *BranchConflictError) Error() string {
	return fmt.Sprintf("Branch name conflicts with %q", e.Other)
}
