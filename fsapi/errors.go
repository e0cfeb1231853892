package fsapi

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// Errors of this tree alone, named in appendix A of the specification.
var (
	errNotFastForward = &vfs.Error{Text: "not-fast-forward", Errno: vfs.EBUSY}                  // NOTFF
	errPending        = &vfs.Error{Text: "conflicts file is not empty", Errno: vfs.EBUSY}       // PENDING
	errNoURL          = &vfs.Error{Text: "error: remote url is not defined", Errno: vfs.EINVAL} // NOURL
	errNoHead         = &vfs.Error{Text: "error: no head to fetch", Errno: vfs.ENOENT}          // NOHEAD
)

// kindErrors says what clients see of each kind of error. The other kinds are
// faults of the server, which a transport logs.
var kindErrors = map[datakit.Kind]*vfs.Error{
	datakit.Exist:          vfs.ErrExist,
	datakit.NotExist:       vfs.ErrNotExist,
	datakit.IsDir:          vfs.ErrIsDir,
	datakit.NotDir:         vfs.ErrNotDir,
	datakit.NotFile:        vfs.ErrInvalid,
	datakit.NotLink:        vfs.ErrInvalid,
	datakit.Closed:         vfs.ErrNotExist, // what has ended is gone from the tree
	datakit.Unresolved:     errPending,
	datakit.NotFastForward: errNotFastForward,
	datakit.Invalid:        vfs.ErrInvalid,
	datakit.TooLarge:       vfs.ErrTooBig,
	datakit.NoSpace:        vfs.ErrNoSpace,
	datakit.Locked:         {Text: datakit.Locked.Error(), Errno: vfs.EAGAIN},
	datakit.Overflow:       vfs.ErrOverflow,
	datakit.Aborted:        vfs.ErrInterrupted,
}

// wireError turns an error of the database into what a client sees of it.
// Nothing else does so.
func wireError(err error) error {
	if err == nil {
		return nil
	}
	var (
		seen     *vfs.Error
		merge    *datakit.MergeError
		conflict *datakit.BranchConflictError
		locked   *datakit.LockedError
	)
	switch {
	case errors.As(err, &seen):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return vfs.ErrInterrupted
	case errors.As(err, &merge):
		return vfs.Errorf(vfs.EBUSY, "%s", merge.Error())
	case errors.As(err, &conflict):
		return branchConflict(conflict.Other)
	case errors.As(err, &locked):
		return shown(vfs.Errorf(vfs.EAGAIN, "%s", locked.Error()), err)
	}
	kind := datakit.KindOf(err)
	switch e := kindErrors[kind]; {
	case e == nil:
		return err
	case kind == datakit.NoSpace, kind == datakit.Locked:
		return shown(e, err)
	default:
		return e
	}
}

// A shownError is an error of which a client sees less than a transport logs, as
// whoever runs the server has to do something about it.
type shownError struct {
	seen *vfs.Error
	err  error
}

func shown(seen *vfs.Error, err error) error { return &shownError{seen, err} }

// Error implements error.
func (e *shownError) Error() string { return e.err.Error() }

// Unwrap returns what the client sees, and what has happened.
func (e *shownError) Unwrap() []error { return []error{e.seen, e.err} }

// entryError is wireError for a look at something that was there. A directory
// above it that has become a file, or the reverse, means that it is gone.
func entryError(err error) error {
	if err == nil {
		return nil
	}
	switch datakit.KindOf(err) {
	case datakit.NotDir, datakit.IsDir, datakit.Invalid:
		return vfs.ErrNotExist
	}
	return wireError(err)
}

func badHash(text string) *vfs.Error { // BADHASH
	return vfs.Errorf(vfs.ENOENT, "invalid-hash %s", vfs.Quote(text))
}

func badCommand(text string) *vfs.Error { // BADCMD
	return vfs.Errorf(vfs.EINVAL, "Unknown command %s", vfs.Quote(text))
}

func badLevel(text string) *vfs.Error { // BADLEVEL
	return vfs.Errorf(vfs.EINVAL, "%s: unknown log level", vfs.Quote(text))
}

func badBranch(name string) *vfs.Error { // BADBRANCH
	return vfs.Errorf(vfs.EINVAL, "%s is not a valid branch name.", name)
}

func branchConflict(other string) *vfs.Error { // BRCONFLICT
	return vfs.Errorf(vfs.EEXIST, "Branch name conflicts with %s", vfs.Quote(other))
}

// checkName is datakit.CheckName with the errors BADNAME and TOOLONG.
func checkName(name string) error {
	if len(name) > datakit.MaxName {
		return vfs.ErrNameTooLong
	}
	if datakit.CheckName(name) != nil {
		return vfs.BadName(name)
	}
	return nil
}

// fetchError is the error of a fetch from rawURL. Passwords are left out.
func fetchError(rawURL string, err error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return vfs.ErrInterrupted
	case errors.Is(err, datakit.NotExist):
		return errNoHead
	}
	shown := redact(rawURL)
	reason := err
	var e *datakit.Error
	if errors.As(err, &e) && e.Err != nil {
		reason = e.Err // without the operation and the URL
	}
	return vfs.Errorf(vfs.EIO, "error: cannot fetch %s: %s", shown, strings.ReplaceAll(reason.Error(), rawURL, shown))
}

// redact returns a URL, or what else names a repository, without the password
// in it.
func redact(rawURL string) string {
	if u, err := url.Parse(rawURL); err == nil && u.Opaque == "" {
		return u.Redacted()
	}
	at := strings.LastIndexByte(rawURL, '@') // user:password@host:path
	if at < 0 {
		return rawURL
	}
	user, _, found := strings.Cut(rawURL[:at], ":")
	if !found {
		return rawURL
	}
	return user + ":xxxxx" + rawURL[at:]
}
