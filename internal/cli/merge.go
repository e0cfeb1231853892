package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
)

func mergeCommand(io stdio) *cobra.Command {
	m := new(merger)
	cmd := &cobra.Command{
		Use:   "merge BRANCH REV",
		Short: "Merge a branch or commit REV into BRANCH",
		Long: `Merge a branch or commit REV into BRANCH, and print the new head.

If both have changed the same file, nothing is changed, the conflicts are
printed, each with its reason, and the exit status is 4. Say then for each of
them, or for a directory they are in, which side is right: --ours is that of
BRANCH, --theirs that of REV. "." means all of them.`,
		Example: `  datakit merge master topic --theirs docs --ours .`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return m.with(cmd, func(ctx context.Context, db *datakit.DB) error { return m.merge(ctx, db, args[0], args[1], io) })
		},
	}
	m.flags(cmd)
	f := cmd.Flags()
	f.StringVarP(&m.msg, "message", "m", "", "`TEXT` of the commit")
	f.StringArrayVar(&m.ours, "ours", nil, "resolve conflicts at `PATH` and below with what BRANCH has")
	f.StringArrayVar(&m.theirs, "theirs", nil, "resolve conflicts at `PATH` and below with what REV has")
	return cmd
}

// A merger merges and resolves conflicts.
type merger struct {
	target
	msg          string
	ours, theirs []string
}

func (m *merger) merge(ctx context.Context, db *datakit.DB, branch, rev string, io stdio) error {
	if _, err := head(ctx, db, branch); err != nil {
		return err
	}
	c, err := commit(ctx, db, rev)
	if err != nil {
		return err
	}
	msg := m.msg
	if msg == "" {
		msg = "Merge " + rev + " into " + branch
	}
	return m.update(ctx, db, branch, msg, io, func(tx *datakit.Tx) error {
		merge, err := tx.Merge(ctx, c.Hash)
		if err != nil {
			return err
		}
		return m.resolve(ctx, tx, merge, io.out)
	})
}

// resolve settles the conflicts as the user said, and prints those of which
// nothing was said.
func (m *merger) resolve(ctx context.Context, tx *datakit.Tx, merge *datakit.Merge, out io.Writer) error {
	left := 0
	for _, path := range merge.Conflicts {
		from := m.side(merge, path)
		if from == nil {
			left++
			if err := m.conflict(ctx, tx, path, out); err != nil {
				return err
			}
			continue
		}
		if err := take(ctx, tx, from, path); err != nil {
			return err
		}
	}
	if left > 0 {
		err := fmt.Errorf("unresolved conflicts: %d (see --ours and --theirs)", left)
		return &datakit.Error{Op: "merge", Kind: datakit.Conflict, Err: err}
	}
	return nil
}

// side returns the tree whose side the user takes at path, or nil. The longest
// path that was given counts.
func (m *merger) side(merge *datakit.Merge, path datakit.Path) (from *datakit.Tree) {
	best := -1
	for _, s := range []struct {
		given []string
		tree  *datakit.Tree
	}{{m.ours, merge.Ours}, {m.theirs, merge.Theirs}} {
		for _, given := range s.given {
			dir := datakit.Path(strings.Trim(given, "/"))
			if dir == "." {
				dir = datakit.Root
			}
			if path.Within(dir) && len(dir) > best {
				best, from = len(dir), s.tree
			}
		}
	}
	return from
}

// conflict prints a conflict with the reason, which is the second line of the
// file that stands at its path (specification of the filesystem, FS-132).
func (m *merger) conflict(ctx context.Context, tx *datakit.Tx, path datakit.Path, out io.Writer) error {
	b, err := tx.ReadFile(ctx, path)
	if err != nil {
		return err
	}
	_, reason, _ := strings.Cut(string(b), "\n")
	reason = strings.TrimSpace(reason)
	return m.print(out, map[string]string{"conflict": path.String(), "reason": reason}, func() error {
		_, err := fmt.Fprintf(out, "conflict %s: %s\n", path, reason)
		return err
	})
}

// take makes what is at path in a transaction that of a tree.
func take(ctx context.Context, tx *datakit.Tx, from *datakit.Tree, path datakit.Path) error {
	if err := tx.Remove(ctx, path); err != nil && !errors.Is(err, datakit.NotExist) {
		return err
	}
	e, err := from.Stat(ctx, path)
	switch {
	case errors.Is(err, datakit.NotExist), errors.Is(err, datakit.NotDir):
		return nil
	case err != nil:
		return err
	case e.Mode != datakit.Dir:
		return takeFile(ctx, tx, from, path, e)
	}
	return files(ctx, from, path, func(path datakit.Path, e datakit.Entry) error { return takeFile(ctx, tx, from, path, e) })
}

func takeFile(ctx context.Context, tx *datakit.Tx, from *datakit.Tree, path datakit.Path, e datakit.Entry) error {
	if err := tx.MkdirAll(ctx, path.Dir()); err != nil {
		return err
	}
	if e.Mode == datakit.Symlink {
		to, err := from.Readlink(ctx, path)
		if err != nil {
			return err
		}
		return tx.Symlink(ctx, path, to)
	}
	b, err := from.Open(ctx, path)
	if err != nil {
		return err
	}
	defer b.Close()
	if err := tx.Create(ctx, path, e.Mode, nil); err != nil {
		return err
	}
	_, err = tx.ReadFrom(ctx, path, io.NewSectionReader(blobReader{ctx, b}, 0, b.Size()))
	return err
}
