// Package cli has the commands with which people and scripts use a database,
// at a server or in a repository.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/connect"
	"github.com/datakit/datakit/gitdb"
	"github.com/datakit/datakit/p9"
)

// The exit statuses of the commands.
const (
	StatusError      = 1 // anything else
	StatusNotExist   = 3 // something to be used does not exist
	StatusConflict   = 4 // changes do not merge, or what is to be made exists
	StatusConnection = 5 // there is no connection to the server, or it was lost
)

// Status returns the exit status for an error, which is that of a program that
// was run and has failed.
func Status(err error) int {
	var e *datakit.Error
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return exit.ExitCode()
	case errors.Is(err, p9.ErrConnection), errors.As(err, &e) && e.Op == "connect to" && e.Kind == datakit.IO:
		return StatusConnection
	case errors.Is(err, datakit.NotExist):
		return StatusNotExist
	case errors.Is(err, datakit.Conflict), errors.Is(err, datakit.Unresolved), errors.Is(err, datakit.NotFastForward), errors.Is(err, datakit.Exist):
		return StatusConflict
	}
	return StatusError
}

// statuses is what the help of each command says about Status.
const statuses = `
The exit status is 0 for success, 3 if something does not exist, 4 for a
conflict or something that exists already, 5 if there is no connection, and 1
for any other failure.`

// Commands returns the commands. They read from in and write to out.
func Commands(in io.Reader, out io.Writer) []*cobra.Command {
	io := stdio{in, out}
	cmds := []*cobra.Command{
		branchCommand(io), lsCommand(io), catCommand(io), logCommand(io), showCommand(io), diffCommand(io),
		putCommand(io), rmCommand(io), mergeCommand(io), watchCommand(io), fetchCommand(io),
		recordCommand(io),
	}
	for _, cmd := range cmds {
		document(cmd)
	}
	return cmds
}

// document adds to the help of a command what is the same for all.
func document(cmd *cobra.Command) {
	if cmd.Long == "" {
		cmd.Long = cmd.Short + "."
	}
	cmd.Long += "\n" + statuses
	if args := cmd.Args; args != nil {
		cmd.Args = func(cmd *cobra.Command, given []string) error {
			if err := args(cmd, given); err != nil {
				return fmt.Errorf("%w; usage: %s", err, cmd.UseLine())
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		document(sub)
	}
}

// stdio is where commands read and write.
type stdio struct {
	in  io.Reader
	out io.Writer
}

// A target is the database that a command works on.
type target struct {
	addr, git string
	json      bool
}

// defaultAddr is where a server is if nobody says so.
const defaultAddr = "tcp://127.0.0.1:5640"

// addrVariable is the environment variable with the address of the server.
const addrVariable = "DATAKIT_ADDR"

// flags adds the options that say which database it is.
func (t *target) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.addr, "addr", "", "`ADDRESS` of the server, or git://PATH (default $"+addrVariable+", else "+defaultAddr+")")
	f.StringVar(&t.git, "git", "", "`PATH` of a Git repository, to be used without a server")
	f.BoolVar(&t.json, "json", false, "print JSON, one object on a line")
	cmd.MarkFlagsMutuallyExclusive("addr", "git")
}

// with calls f with the database.
func (t *target) with(cmd *cobra.Command, f func(ctx context.Context, db *datakit.DB) error) error {
	addr := t.addr
	switch {
	case t.git != "":
		addr = "git://" + t.git
	case addr == "" && os.Getenv(addrVariable) != "":
		addr = os.Getenv(addrVariable)
	case addr == "":
		addr = defaultAddr
	}
	db, err := connect.Open(cmd.Context(), addr, &connect.Options{Git: gitdb.Options{MustExist: true}})
	if Status(err) == StatusConnection {
		return fmt.Errorf("%w (is a server running there? see --addr, --git and $%s)", err, addrVariable)
	}
	if err != nil {
		return err
	}
	return errors.Join(f(cmd.Context(), db), db.Close())
}

// print writes v as JSON if the user wants that, and else calls text.
func (t *target) print(out io.Writer, v any, text func() error) error {
	if !t.json {
		return text()
	}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
