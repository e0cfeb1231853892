package datakit

import (
	"errors"
	"strings"

	contract "github.com/datakit/datakit"
	"github.com/datakit/datakit/p9db"
)

// The kinds of errors, for errors.Is.
const (
	Exist          = contract.Exist          // something to be created exists
	NotExist       = contract.NotExist       // something to be used does not exist
	IsDir          = contract.IsDir          // a directory where a file is needed
	NotDir         = contract.NotDir         // something else where a directory is needed
	NotFile        = contract.NotFile        // something else where a file is needed
	Closed         = contract.Closed         // the transaction or record has ended
	Conflict       = contract.Conflict       // the branch has moved, and the two changes do not merge
	Unresolved     = contract.Unresolved     // a transaction has conflicts that are not resolved
	NotFastForward = contract.NotFastForward // the new head does not descend from the old
	Invalid        = contract.Invalid        // a malformed path, name or argument
	TooLarge       = contract.TooLarge       // a file beyond the size that the server allows
	NoSpace        = contract.NoSpace        // the disk of the server is full
	Locked         = contract.Locked         // another program has locked a branch, and does not let go of it
	Internal       = contract.Internal       // the server broke its rules
	IO             = contract.IO             // the connection or the server failed
)

// fail adds to an error of the connection its kind, and what was done to what.
// Errors of a context stay what they are.
func fail(op string, path []string, err error) error {
	return failAs(op, path, err, contract.IO)
}

// failAs is fail where a number that means several things means busy.
func failAs(op string, path []string, err error, busy contract.Kind) error {
	err = p9db.WithKind(err, busy)
	var known *contract.Error
	if !errors.As(err, &known) {
		return err
	}
	return &contract.Error{Op: op, Subject: strings.Join(path, "/"), Kind: known.Kind, Err: err}
}

// refuse returns an error of the client's own.
func refuse(op string, path []string, kind contract.Kind) error {
	return &contract.Error{Op: op, Subject: strings.Join(path, "/"), Kind: kind}
}

// none is nil for an error that says that something is not there, be it as
// there is something else than a directory on the way to it.
func none(err error) error {
	if errors.Is(err, NotExist) || errors.Is(err, NotDir) {
		return nil
	}
	return err
}
