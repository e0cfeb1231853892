package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/connect"
	"github.com/datakit/datakit/gitdb"
	"github.com/datakit/datakit/internal/terminal"
)

// A Target is the database that a command works on, as its options say.
type Target struct {
	addr, git string
}

// A target is a Target, and how the command prints.
type target struct {
	*stdio
	Target
	json     bool
	progress *terminal.Progress // of what the command does; nil if nobody sees it
}

// defaultAddr is where a server is if nobody says so.
const defaultAddr = "tcp://127.0.0.1:5640"

// addrVariable is the environment variable with the address of the server.
const addrVariable = "DATAKIT_ADDR"

// command makes cmd a command that does run on the database.
func (t *target) command(cmd *cobra.Command, run func(ctx context.Context, db *datakit.DB, args []string) error) *cobra.Command {
	t.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.with(cmd, func(ctx context.Context, db *datakit.DB) error { return run(ctx, db, args) })
	}
	return cmd
}

// Flags adds the options that say which database it is.
func (t *Target) Flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.addr, "addr", "", "`ADDRESS` of the server, tcp://HOST:PORT, unix://SOCKET or git://PATH (default $"+addrVariable+", else "+defaultAddr+")")
	f.StringVar(&t.git, "git", "", "`PATH` of a Git repository, to be used without a server")
	completeFlag(cmd, "addr", noCompletion)
	completeFlag(cmd, "git", folders)
}

// Address returns the address of the database, as package connect takes it.
// Two that contradict each other are an error of usage.
func (t *Target) Address() (string, error) {
	switch {
	case t.addr != "" && t.git != "":
		return "", usagef("--addr %s and --git %s: use one of them", t.addr, t.git)
	case t.git != "":
		return "git://" + t.git, nil
	case t.addr != "":
		return t.addr, nil
	case os.Getenv(addrVariable) != "":
		return os.Getenv(addrVariable), nil
	}
	return defaultAddr, nil
}

// flags adds the options that say which database it is, and how to print.
func (t *target) flags(cmd *cobra.Command) {
	t.Flags(cmd)
	cmd.Flags().BoolVar(&t.json, "json", false, "print JSON, one object on a line")
}

// open opens the database.
func (t *target) open(ctx context.Context) (*datakit.DB, error) {
	addr, err := t.Address()
	if err != nil {
		return nil, err
	}
	return connect.Open(ctx, addr, &connect.Options{Git: gitdb.Options{MustExist: true}})
}

// Explain returns err as the user is to see it: without words that are of use to
// programs alone, and if it is that of a server that cannot be reached, with
// what to do, and so that Status tells it from others.
func Explain(err error) error {
	var e *datakit.Error
	if errors.As(err, &e) && e.Op == "connect to" && e.Kind == datakit.IO {
		err = fmt.Errorf("%w%w (is a server running there? see --addr, --git and $%s)", err, hidden{errConnect}, addrVariable)
	}
	if err == nil {
		return nil
	}
	return plain{err}
}

// A plain error is one without the words of CL-12 for any failure of a server.
type plain struct{ error }

// Error implements error.
func (p plain) Error() string { return strings.ReplaceAll(p.error.Error(), ": 9p error: ", ": ") }

// Unwrap returns the error with all its words.
func (p plain) Unwrap() error { return p.error }

// A hidden error is found by errors.Is, and has no text.
type hidden struct{ error }

// Error implements error.
func (hidden) Error() string { return "" }

// Unwrap returns what is hidden.
func (h hidden) Unwrap() error { return h.error }

// with calls f with the database.
func (t *target) with(cmd *cobra.Command, f func(ctx context.Context, db *datakit.DB) error) error {
	ctx := cmd.Context()
	if cmd.Name() != "watch" { // which has no end to be seen
		t.progress = terminal.StartProgress(t.errs, cmd.Name())
		t.out.OnOutput(t.progress.Stop)
		defer t.out.OnOutput(nil)
		defer t.progress.Stop()
	}
	db, err := t.open(ctx)
	if err != nil {
		return Explain(err)
	}
	err = f(ctx, db)
	if err != nil && ctx.Err() != nil && !errors.Is(err, datakit.ErrUncertain) { // whatever failed then, that is why
		err = fmt.Errorf("%s: interrupted%w", cmd.Name(), hidden{context.Canceled})
	}
	if flushed := t.out.Flush(); err == nil { // else it may be why f has failed
		err = flushed
	}
	return Explain(errors.Join(err, db.Close()))
}

// warn tells the user of something that is no failure.
func (t *target) warn(format string, args ...any) {
	t.progress.Stop()
	fmt.Fprintf(t.errs, "datakit: "+format+"\n", args...)
}

// print writes v as JSON if the user wants that, and else calls text.
func (t *target) print(v any, text func() error) error {
	if !t.json {
		return text()
	}
	e := json.NewEncoder(t.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// printHead prints the new head of a branch.
func (t *target) printHead(branch string, h datakit.Hash) error {
	return t.print(headJSON{branch, h}, func() error {
		_, err := fmt.Fprintln(t.out, h)
		return err
	})
}

// A headJSON is what is printed of a branch that was changed.
type headJSON struct {
	Branch string       `json:"branch,omitempty"`
	Head   datakit.Hash `json:"head"`
}
