package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
)

func watchCommand(io stdio) *cobra.Command {
	w := new(watcher)
	cmd := &cobra.Command{
		Use:   "watch BRANCH[:PATH]",
		Short: "Print the head of a branch, or what is at a path, now and after each change",
		Long: `Print the head of a branch, or what is at a path, now and after each change,
until it is interrupted. Where changes follow each other faster than they are
printed, those in between may be left out.

What is at a path is printed as its mode and hash, such as F-HASH for a file,
D-HASH for a directory, and an empty line for nothing. A branch that does not
exist has the hash of zeros.

With --exec a command is run by sh for each line, one at a time, with
DATAKIT_BRANCH, DATAKIT_PATH, DATAKIT_OLD (the line before, empty at first) and
DATAKIT_NEW in its environment. When it fails, watch ends with its status.`,
		Example: `  datakit watch master:web/replicas --exec 'scale "$(datakit cat master:web/replicas)"'`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return w.with(cmd, func(ctx context.Context, db *datakit.DB) error {
				p, err := parsePlace(args[0])
				if err != nil {
					return err
				}
				w.place, w.out, w.errs = p, io.out, cmd.ErrOrStderr()
				return w.run(ctx, db.Branch(p.rev))
			})
		},
	}
	w.flags(cmd)
	cmd.Flags().IntVarP(&w.count, "max-count", "n", 0, "end after `N` lines")
	cmd.Flags().StringVar(&w.command, "exec", "", "run `COMMAND` for each line instead of printing it")
	return cmd
}

// A watcher follows a branch or path.
type watcher struct {
	target
	place   place
	count   int
	command string
	out     io.Writer
	errs    io.Writer

	old string // the line before
}

func (w *watcher) run(ctx context.Context, b *datakit.Branch) error {
	if w.place.path == datakit.Root {
		heads, err := b.Watch(ctx)
		if err != nil {
			return err
		}
		return follow(ctx, w, heads, datakit.Hash.String)
	}
	states, err := b.WatchPath(ctx, w.place.path)
	if err != nil {
		return err
	}
	return follow(ctx, w, states, func(e datakit.Entry) string {
		if e.Mode == datakit.Absent {
			return ""
		}
		return e.ID().String()
	})
}

// follow tells each value of a watch.
func follow[T any](ctx context.Context, w *watcher, values datakit.Watch[T], line func(T) string) error {
	defer values.Close()
	for n := 0; w.count == 0 || n < w.count; n++ {
		v, err := values.Next(ctx)
		if ctx.Err() != nil { // interrupted, which is how it ends
			return nil
		}
		if err != nil {
			return err
		}
		if err := w.tell(ctx, line(v)); err != nil {
			return err
		}
	}
	return nil
}

// tell prints a line, or runs the command for it.
func (w *watcher) tell(ctx context.Context, line string) error {
	old := w.old
	w.old = line
	if w.command == "" {
		v := map[string]string{"branch": w.place.rev, "path": w.place.path.String(), "old": old, "new": line}
		return w.print(w.out, v, func() error {
			_, err := fmt.Fprintln(w.out, line)
			return err
		})
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", w.command)
	cmd.Stdout, cmd.Stderr = w.out, w.errs
	cmd.Env = append(os.Environ(), "DATAKIT_BRANCH="+w.place.rev, "DATAKIT_PATH="+w.place.path.String(), "DATAKIT_OLD="+old, "DATAKIT_NEW="+line)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("--exec: %w", err)
	}
	return nil
}

func fetchCommand(io stdio) *cobra.Command {
	t := new(target)
	cmd := &cobra.Command{
		Use:   "fetch URL REMOTE-BRANCH [BRANCH]",
		Short: "Copy a branch of another Git repository, and print its head",
		Long: `Copy a branch of the Git repository at URL, with its history, and print its
head. With BRANCH, that branch here is moved to it, or made, if its own head is
part of the history; otherwise, merge it.`,
		Args: cobra.RangeArgs(2, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd, func(ctx context.Context, db *datakit.DB) error {
				h, err := db.Fetch(ctx, args[0], args[1])
				if err != nil {
					return err
				}
				if len(args) == 3 {
					if err := db.Branch(args[2]).FastForward(ctx, h); err != nil {
						return err
					}
				}
				return t.print(io.out, map[string]any{"head": h}, func() error {
					_, err := fmt.Fprintln(io.out, h)
					return err
				})
			})
		},
	}
	t.flags(cmd)
	return cmd
}
