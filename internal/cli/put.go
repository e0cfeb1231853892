package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
)

func putCommand(std *stdio) *cobra.Command {
	t := &target{stdio: std}
	var msg string
	cmd := t.command(&cobra.Command{
		Use:   "put BRANCH:PATH SOURCE...",
		Short: "Copy files and folders into a branch, as one commit",
		Long: `Copy files and folders into a branch, as one commit, and print that. The branch
is made if it does not exist, and so are directories.

PATH is what the copy of SOURCE is to be called, or the directory to put copies
into: if it is one, ends in a slash, is empty, or if there are several sources.
A SOURCE of - is the standard input. Folders are copied with all that is in
them but .git; what is in the branch already and not in the folder stays.
Symlinks are copied as such, and whether files are executable is kept.

If anything fails, or a signal ends the command, the branch is as it was. Only if
the server does not tell within two seconds of a signal, or before the connection
is lost, what has become of the commit, that is not known, and the command says
so.`,
		Example: `  echo 4 | datakit put -m "Scale up" master:web/replicas -
  datakit put master:etc/ ./conf.d`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: t.completePut,
	}, func(ctx context.Context, db *datakit.DB, args []string) error {
		p, err := parsePlace("put", args[0])
		if err != nil {
			return err
		}
		if msg == "" {
			msg = "put " + p.String()
		}
		c := &copier{target: t, branch: p.rev}
		into := strings.HasSuffix(args[0], "/") || len(args) > 2
		err = t.update(ctx, db, "put", p.rev, msg, func(tx *datakit.Tx) error {
			c.tx = tx
			return c.sources(ctx, p.path, into, args[1:])
		})
		return errors.Join(err, c.close())
	})
	cmd.Flags().StringVarP(&msg, "message", "m", "", "`TEXT` of the commit")
	return cmd
}

// completePut completes a place, and then files of this machine.
func (t *target) completePut(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return t.completePlaces(cmd, args, word)
}

// commitTime is how long a signal waits for what becomes of a commit.
const commitTime = 2 * time.Second

// update commits what f does to a branch, for the command op, and prints the
// commit. A signal ends f at once, and a commit that is under way after a while.
func (t *target) update(ctx context.Context, db *datakit.DB, op, branch, msg string, f func(tx *datakit.Tx) error) error {
	late, cancel := lasting(ctx, commitTime)
	defer cancel()
	var failed error // of f, which says by itself what failed
	h, err := db.Branch(branch).UpdateHash(late, msg, func(tx *datakit.Tx) error {
		if failed = f(tx); failed == nil {
			failed = ctx.Err()
		}
		return failed
	})
	switch {
	case failed != nil:
		return failed
	case errors.Is(err, datakit.ErrUncertain) && ctx.Err() != nil:
		return fmt.Errorf("%s %s: interrupted; %w (see datakit log %s)", op, branch, datakit.ErrUncertain, branch)
	case err != nil:
		return about(op, branch, err, "")
	case h.IsZero():
		t.warn("%s: the commit is made; the server does not tell which it is (see datakit log %s)", op, branch)
		return nil
	}
	return t.printHead(branch, h)
}

// lasting returns a context that is done some time after ctx.
func lasting(ctx context.Context, more time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(more):
			cancel()
		case <-late.Done():
		}
	})
	return late, func() { stop(); cancel() }
}

var errRecursive = errors.New("this is a directory; use -r to remove all that is in it")

func rmCommand(std *stdio) *cobra.Command {
	t := &target{stdio: std}
	var all bool
	var msg string
	cmd := t.command(&cobra.Command{
		Use:               "rm BRANCH:PATH...",
		Short:             "Remove files of a branch, as one commit",
		Long:              "Remove files and symlinks of a branch, and with -r directories, as one commit,\nand print that. If one of them does not exist nothing is removed.",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: t.completePlaces,
	}, func(ctx context.Context, db *datakit.DB, args []string) error {
		places, err := ofOneBranch("rm", args)
		if err != nil {
			return err
		}
		branch := places[0].rev
		if _, err := head(ctx, db, "rm", branch); err != nil {
			return err
		}
		if msg == "" {
			msg = "rm " + strings.Join(args, " ")
		}
		return t.update(ctx, db, "rm", branch, msg, func(tx *datakit.Tx) error { return remove(ctx, tx, places, all) })
	})
	cmd.Flags().StringVarP(&msg, "message", "m", "", "`TEXT` of the commit")
	cmd.Flags().BoolVarP(&all, "recursive", "r", false, "remove directories with all that is in them")
	return cmd
}

// ofOneBranch reads places, all of which must be of one branch.
func ofOneBranch(op string, args []string) ([]place, error) {
	var places []place
	for _, arg := range args {
		p, err := parsePlace(op, arg)
		if err != nil {
			return nil, err
		}
		if len(places) > 0 && p.rev != places[0].rev {
			return nil, usagef("%s %s: a commit is of one branch, here %s", op, arg, places[0].rev)
		}
		if p.path == datakit.Root {
			return nil, usagef(`%s %s: this is the root; name what is in it, or see "datakit branch delete"`, op, arg)
		}
		places = append(places, p)
	}
	return places, nil
}

func remove(ctx context.Context, tx *datakit.Tx, places []place, all bool) error {
	for _, p := range places {
		e, err := tx.Stat(ctx, p.path)
		if err != nil {
			return about("rm", p.String(), err, "")
		}
		if e.Mode == datakit.Dir && !all {
			return &datakit.Error{Op: "rm", Subject: p.String(), Kind: datakit.IsDir, Err: errRecursive}
		}
		if err := tx.Remove(ctx, p.path); err != nil {
			return about("rm", p.String(), err, "")
		}
	}
	return nil
}
