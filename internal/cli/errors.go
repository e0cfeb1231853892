package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/terminal"
	"github.com/datakit/datakit/p9"
)

// The exit statuses of the commands.
const (
	StatusError       = 1   // anything else
	StatusUsage       = 2   // the command line is wrong
	StatusNotExist    = 3   // something to be used does not exist
	StatusConflict    = 4   // changes do not merge, or what is to be made exists
	StatusConnection  = 5   // there is no connection to the server, or it was lost
	StatusInterrupted = 130 // a signal has ended the command
)

// statuses is what the help of each command says about Status.
const statuses = `
The exit status is 0 for success, 2 for a wrong command line, name or address,
3 if something does not exist, 4 for a conflict or something that exists
already, 5 if there is no connection, 130 after a signal, and 1 for any other
failure.`

// Status returns the exit status for an error, which is that of a program that
// was run and has failed.
func Status(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled):
		return StatusInterrupted
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return exit.ExitCode()
	case errors.Is(err, errConnect), errors.Is(err, p9.ErrConnection):
		return StatusConnection
	case errors.As(err, new(usageError)), errors.Is(err, datakit.Invalid):
		return StatusUsage
	case errors.Is(err, datakit.NotExist), errors.Is(err, fs.ErrNotExist):
		return StatusNotExist
	case isConflict(err):
		return StatusConflict
	}
	return StatusError
}

func isConflict(err error) bool {
	for _, kind := range []datakit.Kind{datakit.Conflict, datakit.Unresolved, datakit.NotFastForward, datakit.Exist} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// Silent reports whether the user need not be told of err: that nobody reads
// what is printed.
func Silent(err error) bool { return errors.Is(err, terminal.ErrClosed) }

// errConnect is in the errors of a server that cannot be reached.
var errConnect = errors.New("no connection")

// A usageError is returned for a wrong command line.
type usageError struct{ error }

// Usagef returns an error of which Status is StatusUsage.
func Usagef(format string, args ...any) error { return usagef(format, args...) }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// usage returns a usageError that tells how the command is used.
func usage(cmd *cobra.Command, err error) error {
	if errors.As(err, new(usageError)) {
		return err // which tells it already
	}
	return usagef("%w; usage: %s (see %s --help)", err, cmd.UseLine(), cmd.CommandPath())
}

// about returns err as one of op on subject, in the words of the user, with
// what to do if hint is not empty. What err itself says of an operation, which
// was a part of this one, is left out.
func about(op, subject string, err error, hint string) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, terminal.ErrClosed) || errors.As(err, new(usageError)) {
		return err
	}
	kind, cause := datakit.KindOf(err), err
	for e := (*datakit.Error)(nil); errors.As(cause, &e); {
		if cause = e.Err; cause == nil {
			cause = e.Kind
		}
	}
	var local *fs.PathError // of this machine, where the call does not matter
	if errors.As(cause, &local) {
		cause = fmt.Errorf("%s: %w", local.Path, local.Err)
	}
	if hint != "" {
		cause = fmt.Errorf("%w; %s", cause, hint)
	}
	return &datakit.Error{Op: op, Subject: subject, Kind: kind, Err: cause}
}
