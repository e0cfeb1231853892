package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
)

const formats = `
Files are compared line by line, as git diff does; of those that are not text,
or longer than 8 MiB, only that they differ is told. --stat counts lines
instead, and --name-status lists the files: each with "+" before it if it is
new, "-" if it is gone, and "*" if its content or mode differs.`

func diffCommand(std *stdio) *cobra.Command {
	v := &changeView{target: target{stdio: std}}
	cmd := v.command(&cobra.Command{
		Use:   "diff FROM TO [PATH...]",
		Short: "Print how two branches or commits differ",
		Long: `Print how two branches or commits differ, from FROM to TO, or only at and below
PATHs.
` + formats + "\n" + revisions,
		Example:           "  datakit diff master topic\n  datakit diff --stat master~3 master docs",
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: v.completeFirst(v.completeBranches, v.completeBranches),
	}, func(ctx context.Context, db *datakit.DB, args []string) error {
		from, err := commit(ctx, db, args[0])
		if err != nil {
			return err
		}
		to, err := commit(ctx, db, args[1])
		if err != nil {
			return err
		}
		diff, err := to.Diff(ctx, from.Hash)
		if err != nil {
			return about("diff", args[0]+" "+args[1], err, "")
		}
		c, err := v.comparison(ctx, from, to, diff, args[2:])
		if err != nil {
			return err
		}
		return v.show(ctx, c)
	})
	v.formatFlags(cmd)
	return cmd
}

func showCommand(std *stdio) *cobra.Command {
	v := &changeView{target: target{stdio: std}}
	cmd := v.command(&cobra.Command{
		Use:   "show REV [PATH...]",
		Short: "Print a commit and what it changes",
		Long: `Print a commit, and how it differs from its first parent, or only at and below
PATHs.
` + formats + "\n" + revisions,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: v.completeFirst(v.completeBranches),
	}, func(ctx context.Context, db *datakit.DB, args []string) error {
		c, err := commit(ctx, db, args[0])
		if err != nil {
			return err
		}
		changes, err := v.introduced(ctx, db, c, args[1:])
		if err != nil {
			return err
		}
		return v.showCommit(ctx, c, changes)
	})
	v.formatFlags(cmd)
	return cmd
}

// A changeView prints changes.
type changeView struct {
	target
	stat, names, patch bool
}

func (v *changeView) formatFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&v.stat, "stat", false, "count the lines of each file that differ")
	f.BoolVar(&v.names, "name-status", false, "print the names of the files that differ")
	f.BoolVarP(&v.patch, "patch", "p", false, "print the lines that differ (default but with --json)")
}

// A comparison is what differs between two trees.
type comparison struct {
	from, to *datakit.Tree // from is nil for an empty tree
	changes  []datakit.Change
}

// comparison returns the changes between two commits at some paths, or all.
func (v *changeView) comparison(ctx context.Context, from, to *datakit.Commit, diff []datakit.Change, paths []string) (c comparison, err error) {
	if from != nil {
		if c.from, err = from.Tree(ctx); err != nil {
			return c, err
		}
	}
	if c.to, err = to.Tree(ctx); err != nil {
		return c, err
	}
	within, err := parsePaths("diff", paths)
	if err != nil {
		return c, err
	}
	h := history{paths: within}
	for _, change := range diff {
		if len(within) == 0 || h.touches([]datakit.Change{change}) {
			c.changes = append(c.changes, change)
		}
	}
	return c, nil
}

// parsePaths reads paths of a tree. The error is one of op.
func parsePaths(op string, args []string) ([]datakit.Path, error) {
	var paths []datakit.Path
	for _, arg := range args {
		path, err := datakit.ParsePath(strings.Trim(arg, "/"))
		if err != nil {
			return nil, about(op, quoted(arg), err, "")
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// introduced returns what a commit changes in its first parent, or all its
// files if it has none, or none that the database has.
func (v *changeView) introduced(ctx context.Context, db *datakit.DB, c *datakit.Commit, paths []string) (comparison, error) {
	if len(c.Parents) > 0 {
		parent, err := db.Commit(ctx, c.Parents[0])
		if err == nil {
			diff, err := c.Diff(ctx, parent.Hash)
			if err != nil {
				return comparison{}, about("show", c.Hash.String(), err, "")
			}
			return v.comparison(ctx, parent, c, diff, paths)
		}
		if !errors.Is(err, datakit.NotExist) {
			return comparison{}, err
		}
	}
	tree, err := c.Tree(ctx)
	if err != nil {
		return comparison{}, err
	}
	all, err := listed(ctx, tree, datakit.Added)
	if err != nil {
		return comparison{}, err
	}
	return v.comparison(ctx, nil, c, all, paths)
}

// listed returns all files and links of a tree, as if op had happened to each.
func listed(ctx context.Context, tree *datakit.Tree, op datakit.ChangeOp) (all []datakit.Change, err error) {
	err = files(ctx, tree, datakit.Root, func(path datakit.Path, _ datakit.Entry) error {
		all = append(all, datakit.Change{Path: path, Op: op})
		return nil
	})
	return all, err
}

// files calls f with all files and links below a directory.
func files(ctx context.Context, tree *datakit.Tree, dir datakit.Path, f func(datakit.Path, datakit.Entry) error) error {
	entries, err := tree.ReadDir(ctx, dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path, visit := dir.Join(datakit.Path(e.Name)), f
		if e.Mode == datakit.Dir {
			visit = func(path datakit.Path, _ datakit.Entry) error { return files(ctx, tree, path, f) }
		}
		if err := visit(path, e); err != nil {
			return err
		}
	}
	return nil
}

// showCommit prints a commit and its changes.
func (v *changeView) showCommit(ctx context.Context, c *datakit.Commit, changes comparison) error {
	if v.json {
		j := commitOf(c)
		err := v.each(ctx, changes, func(change changeJSON) error {
			j.Changes = append(j.Changes, change)
			return nil
		})
		if err != nil {
			return err
		}
		return v.print(j, nil)
	}
	if _, err := v.out.WriteString(writtenCommit(v.out, c, nil) + "\n"); err != nil {
		return err
	}
	return v.show(ctx, changes)
}

// show prints changes as the user wants to see them.
func (v *changeView) show(ctx context.Context, c comparison) error {
	switch {
	case v.json:
		return v.each(ctx, c, func(change changeJSON) error { return v.print(change, nil) })
	case v.names:
		return v.writeNames(c.changes)
	case v.stat:
		if err := v.writeStat(ctx, c); err != nil || !v.patch {
			return err
		}
	}
	return v.writePatches(ctx, c)
}
