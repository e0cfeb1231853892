package cli

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
)

func watchCommand(std *stdio) *cobra.Command {
	w := &watcher{changeView: changeView{target: target{stdio: std}}}
	cmd := w.command(&cobra.Command{
		Use:   "watch BRANCH[:PATH]",
		Short: "Print changes of a branch or path as they happen",
		Long: `Print the head of a branch, or what is at a path, now and after each change,
until a signal ends it. Where changes follow each other faster than they are
printed, those in between may be left out.

What is at a path is printed as its mode and hash, such as F-HASH for a file,
D-HASH for a directory, and an empty line for nothing. A branch that does not
exist has the hash of zeros. With --name-status it is always the head that is
printed, and after it the files at PATH that differ from the one before.

With --exec a command is run by sh for each line, one at a time, with
DATAKIT_BRANCH, DATAKIT_PATH, DATAKIT_OLD (the line before, empty at first),
DATAKIT_NEW and DATAKIT_ADDR in its environment. When it fails, watch ends with
its status.`,
		Example: `  datakit watch master:web/replicas \
    --exec 'scale "$(datakit cat master:web/replicas)"'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: w.completeFirst(w.completePlaces),
	}, w.run)
	f := cmd.Flags()
	f.IntVarP(&w.count, "max-count", "n", 0, "end after `N` lines (default never)")
	w.count = math.MaxInt // without the option
	f.BoolVar(&w.names, "name-status", false, "print the files that have changed, too")
	f.StringVar(&w.shell, "exec", "", "run `COMMAND` for each line instead of printing it")
	return cmd
}

// A watcher follows a branch or path.
type watcher struct {
	changeView
	count int
	shell string

	place place
	told  int
	old   string // the line before
}

func (w *watcher) run(ctx context.Context, db *datakit.DB, args []string) error {
	p, err := parsePlace("watch", args[0])
	if err != nil {
		return err
	}
	if w.count < 0 {
		return usagef("watch --max-count %d: must not be negative", w.count)
	}
	w.place = p
	return about("watch", p.String(), w.watch(ctx, db), "")
}

func (w *watcher) watch(ctx context.Context, db *datakit.DB) error {
	b := db.Branch(w.place.rev)
	if w.names {
		heads, err := b.Watch(ctx)
		if err != nil {
			return err
		}
		return follow(ctx, w, heads, w.comparing(db))
	}
	if w.place.path == datakit.Root {
		heads, err := b.Watch(ctx)
		if err != nil {
			return err
		}
		return follow(ctx, w, heads, func(ctx context.Context, h datakit.Hash) error { return w.tell(ctx, h.String(), nil) })
	}
	states, err := b.WatchPath(ctx, w.place.path)
	if err != nil {
		return err
	}
	return follow(ctx, w, states, func(ctx context.Context, e datakit.Entry) error {
		if e.Mode == datakit.Absent {
			return w.tell(ctx, "", nil)
		}
		return w.tell(ctx, e.ID().String(), nil)
	})
}

// follow calls tell with each value of a watch, until the user has enough.
func follow[T any](ctx context.Context, w *watcher, values datakit.Watch[T], tell func(context.Context, T) error) error {
	defer values.Close()
	for w.told < w.count {
		v, err := values.Next(ctx)
		if err == nil {
			err = tell(ctx, v)
		}
		if ctx.Err() != nil { // a signal, which is how it ends
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// comparing returns a function that tells heads with what has changed since the
// last, unless that is nothing.
func (w *watcher) comparing(db *datakit.DB) func(context.Context, datakit.Hash) error {
	var last datakit.Hash
	first := true
	at := history{paths: []datakit.Path{w.place.path}}
	return func(ctx context.Context, h datakit.Hash) error {
		var changes []datakit.Change
		if !first {
			diff, err := between(ctx, db, last, h)
			if err != nil {
				return err
			}
			for _, c := range diff {
				if at.touches([]datakit.Change{c}) {
					changes = append(changes, c)
				}
			}
			if len(changes) == 0 && w.place.path != datakit.Root {
				last = h
				return nil
			}
		}
		first, last = false, h
		return w.tell(ctx, h.String(), changes)
	}
}

// between returns what differs between two heads, of which one may be that of
// no branch.
func between(ctx context.Context, db *datakit.DB, from, to datakit.Hash) ([]datakit.Change, error) {
	if !from.IsZero() && !to.IsZero() {
		return db.Diff(ctx, from, to)
	}
	op, head := datakit.Added, to
	if to.IsZero() {
		op, head = datakit.Removed, from
	}
	c, err := db.Commit(ctx, head)
	if err != nil {
		return nil, err
	}
	tree, err := c.Tree(ctx)
	if err != nil {
		return nil, err
	}
	return listed(ctx, tree, op)
}

// A watchJSON is what is printed of a change.
type watchJSON struct {
	Branch string `json:"branch"`
	pathJSON
	Old     string       `json:"old"`
	New     string       `json:"new"`
	Changes []changeJSON `json:"changes,omitempty"`
}

// tell prints a line, or runs the command for it.
func (w *watcher) tell(ctx context.Context, line string, changes []datakit.Change) error {
	old := w.old
	w.old = line
	w.told++
	if w.shell != "" {
		return w.exec(ctx, old, line)
	}
	v := watchJSON{Branch: w.place.rev, pathJSON: pathOf(w.place.path), Old: old, New: line}
	for _, c := range changes {
		v.Changes = append(v.Changes, changeJSON{Op: string(c.Op), pathJSON: pathOf(c.Path)})
	}
	err := w.print(v, func() error {
		if _, err := fmt.Fprintln(w.out, line); err != nil {
			return err
		}
		return w.writeNames(changes)
	})
	if err != nil {
		return err
	}
	return w.out.Flush()
}

// execGrace is how long a command may take to end after a signal.
const execGrace = 2 * time.Second

// exec runs the command for a change.
func (w *watcher) exec(ctx context.Context, old, line string) error {
	addr, err := w.Address()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", w.shell)
	cmd.Stdout, cmd.Stderr = w.stdout, w.errs
	cmd.Env = append(os.Environ(), "DATAKIT_BRANCH="+w.place.rev, "DATAKIT_PATH="+w.place.path.String(),
		"DATAKIT_OLD="+old, "DATAKIT_NEW="+line, addrVariable+"="+addr)
	if err := runGroup(cmd, execGrace); err != nil {
		return fmt.Errorf("--exec %s: %w", strings.TrimSpace(w.shell), err)
	}
	return nil
}
