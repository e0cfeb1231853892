package p9db

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

// texts are the kinds of the errors of the server that have a text of their
// own, by how the text begins or ends (specification of the client, CL-12; of
// the filesystem, appendix A).
var texts = []struct {
	prefix, suffix string
	kind           datakit.Kind
}{
	{"No such file or directory", "", datakit.NotExist},
	{"invalid-hash ", "", datakit.NotExist},
	{"error: no head to fetch", "", datakit.NotExist},
	{"Already exists", "", datakit.Exist},
	{"Branch name conflicts with ", "", datakit.Exist},
	{"Is a directory", "", datakit.IsDir},
	{"Directory not empty", "", datakit.IsDir},
	{"Can't walk from a file", "", datakit.NotDir},
	{"Is not a directory", "", datakit.NotDir},
	{"", " is not a directory", datakit.NotDir},
	{"not-fast-forward", "", datakit.NotFastForward},
	{"Merge conflict", "", datakit.Conflict},
	{"conflicts file is not empty", "", datakit.Unresolved},
	{"Reflog overflow", "", datakit.Overflow},
	{"File too large", "", datakit.TooLarge},
	{"No space left on device", "", datakit.NoSpace},
	{"Locked by another program", "", datakit.Locked},
	{"Invalid name ", "", datakit.Invalid},
	{"", " is not a valid branch name.", datakit.Invalid},
	{"File name too long", "", datakit.Invalid},
	{"Invalid cross-device link", "", datakit.Invalid},
	{"Invalid argument", "", datakit.Invalid},
	{"Internal error", "", datakit.IO},
}

// numbers are the kinds of errors that come with nothing but a number (CL-13).
// EBUSY depends on what was done.
var numbers = map[uint32]datakit.Kind{
	vfs.ENOENT:       datakit.NotExist,
	vfs.EEXIST:       datakit.Exist,
	vfs.ENOTDIR:      datakit.NotDir,
	vfs.EISDIR:       datakit.IsDir,
	vfs.ENOTEMPTY:    datakit.IsDir,
	vfs.EFBIG:        datakit.TooLarge,
	vfs.ENOSPC:       datakit.NoSpace,
	vfs.EAGAIN:       datakit.Locked,
	vfs.EINVAL:       datakit.Invalid,
	vfs.EXDEV:        datakit.Invalid,
	vfs.ENAMETOOLONG: datakit.Invalid,
}

// fail gives an error of the connection its kind. Errors of a context stay
// what they are.
func (d *driver) fail(err error) error { return d.failAs(err, datakit.IO) }

// failAs is fail where EBUSY means the given kind.
func (d *driver) failAs(err error, busy datakit.Kind) error {
	var known *datakit.Error
	var kind datakit.Kind
	var e *p9.Error
	switch {
	case err == nil, errors.As(err, &known), errors.As(err, &kind), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case d.closed.Load(), d.replaced.Load():
		return d.ended()
	case errors.As(err, &e):
		return serverError(e, busy)
	}
	return &datakit.Error{Kind: datakit.IO, Err: fmt.Errorf("9p error: %w", err)}
}

var errClosed = errors.New("the database is closed")

// ended returns why the database can no longer be used.
func (d *driver) ended() error {
	if d.replaced.Load() || d.parent != nil && d.parent.replaced.Load() {
		return &datakit.Error{Kind: datakit.IO, Err: p9.ErrConnection}
	}
	return &datakit.Error{Kind: datakit.Closed, Err: errClosed}
}

// serverError gives an answer of the server its kind.
func serverError(e *p9.Error, busy datakit.Kind) error {
	switch k := kindOf(e, busy); k {
	case datakit.IO:
		return &datakit.Error{Kind: k, Err: fmt.Errorf("9p error: %w", e)}
	case datakit.Conflict:
		if m := parseConflict(e.Text); m != nil {
			return &datakit.Error{Kind: k, Err: m}
		}
		return &datakit.Error{Kind: k}
	case datakit.Exist:
		if other, ok := quoted(e.Text, "Branch name conflicts with "); ok {
			return &datakit.Error{Kind: k, Err: &datakit.BranchConflictError{Other: other}}
		}
		return &datakit.Error{Kind: k, Err: errors.New(e.Text)}
	case datakit.Unresolved, datakit.NotFastForward:
		return &datakit.Error{Kind: k}
	case datakit.Locked:
		return &datakit.Error{Kind: k, Err: lockedError(e.Text)}
	default:
		return &datakit.Error{Kind: k, Err: errors.New(e.Text)}
	}
}

func kindOf(e *p9.Error, busy datakit.Kind) datakit.Kind {
	for _, t := range texts {
		if strings.HasPrefix(e.Text, t.prefix) && strings.HasSuffix(e.Text, t.suffix) {
			return t.kind
		}
	}
	if e.Errno == vfs.EBUSY {
		return busy
	}
	return numbers[e.Errno] // IO if it has none
}

// lockedError has the text of the server, which names the file to remove, if
// that was sent.
func lockedError(text string) error {
	if prefix := datakit.Locked.Error(); !strings.HasPrefix(text, prefix) {
		text = prefix + ": the log of the server names the file"
	}
	return errors.New(text)
}

// conflictText is the text of a conflict (specification of the filesystem,
// FS-122), of which the path may contain anything.
var conflictText = regexp.MustCompile(`(?s)^Merge conflict: (.*): ([^:]*(?:: add/del|: add/add and no common ancestor)??)(?: \(and (\d+) more\))?$`)

// parseConflict returns what the text of a conflict says, or nil.
func parseConflict(text string) *datakit.MergeError {
	m := conflictText.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	return &datakit.MergeError{Conflicts: []datakit.MergeConflict{{Path: datakit.Path(m[1]), Reason: m[2]}}}
}

// quoted returns what follows prefix in double quotes.
func quoted(text, prefix string) (string, bool) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok {
		return "", false
	}
	s, err := strconv.Unquote(rest)
	return s, err == nil
}

// internal says that the server has broken its rules.
func internal(what, line string) error {
	return &datakit.Error{Kind: datakit.Internal, Err: fmt.Errorf("internal error: %s %q", what, line)}
}
