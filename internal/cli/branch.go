package cli

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
)

func branchCommand(io stdio) *cobra.Command {
	list := branchListCommand(io)
	cmd := &cobra.Command{
		Use:   "branch",
		Short: "List, create, rename and delete branches",
		Args:  cobra.NoArgs,
		RunE:  list.RunE,
	}
	cmd.Flags().AddFlagSet(list.Flags())
	cmd.AddCommand(list, branchCreateCommand(io), branchDeleteCommand(), branchRenameCommand())
	return cmd
}

func branchListCommand(io stdio) *cobra.Command {
	t := new(target)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the branches with their heads",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.with(cmd, func(ctx context.Context, db *datakit.DB) error { return t.listBranches(ctx, db, io) })
		},
	}
	t.flags(cmd)
	return cmd
}

func (t *target) listBranches(ctx context.Context, db *datakit.DB, io stdio) error {
	names, err := db.Branches(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(io.out, 0, 0, 2, ' ', 0)
	for _, name := range names {
		h, err := db.Branch(name).Head(ctx)
		if err != nil {
			return err
		}
		if h.IsZero() { // deleted just now
			continue
		}
		c, err := db.Commit(ctx, h)
		if err != nil {
			return err
		}
		b := branchJSON{name, h, c.Date}
		err = t.print(io.out, b, func() error {
			_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", b.Name, short(b.Head), b.Date.Format(time.DateTime), subject(c))
			return err
		})
		if err != nil {
			return err
		}
	}
	return w.Flush()
}

// A branchJSON is what is printed of a branch.
type branchJSON struct {
	Name string       `json:"name"`
	Head datakit.Hash `json:"head"`
	Date time.Time    `json:"date"`
}

func branchCreateCommand(io stdio) *cobra.Command {
	t := new(target)
	cmd := &cobra.Command{
		Use:     "create BRANCH [REV]",
		Aliases: []string{"fork"},
		Short:   "Create a branch, empty or at a branch or commit REV",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd, func(ctx context.Context, db *datakit.DB) error {
				h, err := createBranch(ctx, db, args[0], args[1:])
				if err != nil {
					return err
				}
				return t.print(io.out, map[string]any{"name": args[0], "head": h}, func() error {
					_, err := fmt.Fprintln(io.out, h)
					return err
				})
			})
		},
	}
	t.flags(cmd)
	return cmd
}

// createBranch makes a branch at the first of revs, or with an empty commit.
func createBranch(ctx context.Context, db *datakit.DB, name string, revs []string) (datakit.Hash, error) {
	b := db.Branch(name)
	old, err := b.Head(ctx)
	if err != nil {
		return old, err
	}
	if !old.IsZero() {
		return old, &datakit.Error{Op: "create branch", Subject: name, Kind: datakit.Exist}
	}
	if len(revs) == 0 {
		if err := b.Update(ctx, "Create "+name, func(*datakit.Tx) error { return nil }); err != nil {
			return old, err
		}
		return b.Head(ctx)
	}
	c, err := commit(ctx, db, revs[0])
	if err != nil {
		return old, err
	}
	return c.Hash, b.FastForward(ctx, c.Hash)
}

func branchDeleteCommand() *cobra.Command {
	t := new(target)
	cmd := &cobra.Command{
		Use:   "delete BRANCH...",
		Short: "Delete branches",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd, func(ctx context.Context, db *datakit.DB) error {
				for _, name := range args {
					if _, err := head(ctx, db, name); err != nil {
						return err
					}
					if err := db.Branch(name).Remove(ctx); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	t.flags(cmd)
	return cmd
}

func branchRenameCommand() *cobra.Command {
	t := new(target)
	cmd := &cobra.Command{
		Use:   "rename BRANCH NAME",
		Short: "Give a branch another name",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd, func(ctx context.Context, db *datakit.DB) error {
				return db.Branch(args[0]).Rename(ctx, args[1])
			})
		},
	}
	t.flags(cmd)
	return cmd
}
