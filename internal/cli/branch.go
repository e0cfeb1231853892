package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/terminal"
)

func branchCommand(std *stdio) *cobra.Command {
	list := branchListCommand(std)
	cmd := &cobra.Command{
		Use:               "branch",
		Short:             "List, create, fork, rename and delete branches",
		Args:              cobra.NoArgs,
		RunE:              list.RunE,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().AddFlagSet(list.Flags())
	cmd.AddCommand(list, branchCreateCommand(std), branchForkCommand(std), branchRenameCommand(std), branchDeleteCommand(std))
	return cmd
}

func branchListCommand(std *stdio) *cobra.Command {
	t := &target{stdio: std}
	return t.command(&cobra.Command{
		Use:               "list",
		Short:             "List the branches with their heads",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}, func(ctx context.Context, db *datakit.DB, _ []string) error { return t.listBranches(ctx, db) })
}

func (t *target) listBranches(ctx context.Context, db *datakit.DB) error {
	names, err := db.Branches(ctx)
	if err != nil {
		return err
	}
	table := terminal.Table{
		Titles: []string{"BRANCH", "HEAD", "DATE", "MESSAGE"},
		Colors: map[int]terminal.Color{0: terminal.Green, 1: terminal.Yellow},
	}
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
			return about("list", name, err, "")
		}
		err = t.print(branchJSON{name, h, c.Date, subject(c)}, func() error {
			table.Add(name, short(h), c.Date.Format(time.DateTime), t.out.Clean(subject(c)))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return table.Print(t.out)
}

// A branchJSON is what is printed of a branch.
type branchJSON struct {
	Name    string       `json:"name"`
	Head    datakit.Hash `json:"head"`
	Date    time.Time    `json:"date"`
	Subject string       `json:"subject"`
}

func branchCreateCommand(std *stdio) *cobra.Command {
	t := &target{stdio: std}
	var msg string
	cmd := t.command(&cobra.Command{
		Use:   "create BRANCH [REV]",
		Short: "Create a branch, empty or at a branch or commit REV",
		Long: `Create a branch at a branch or commit REV, or else with an empty commit, and
print its head.
` + revisions,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: t.completeFirst(noCompletion, t.completeBranches),
	}, func(ctx context.Context, db *datakit.DB, args []string) error {
		if len(args) == 2 {
			return t.createBranch(ctx, db, args[0], args[1])
		}
		if msg == "" {
			msg = "Create " + args[0]
		}
		if err := absent(ctx, db, args[0]); err != nil {
			return err
		}
		return t.update(ctx, db, "create branch", args[0], msg, func(*datakit.Tx) error { return nil })
	})
	cmd.Flags().StringVarP(&msg, "message", "m", "", "`TEXT` of the empty commit")
	return cmd
}

func branchForkCommand(std *stdio) *cobra.Command {
	t := &target{stdio: std}
	return t.command(&cobra.Command{
		Use:               "fork REV BRANCH",
		Short:             "Create a branch at another one, or at a commit",
		Long:              "Create BRANCH at REV, and print its head.\n" + revisions,
		Example:           "  datakit branch fork master topic",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: t.completeFirst(t.completeBranches),
	}, func(ctx context.Context, db *datakit.DB, args []string) error {
		return t.createBranch(ctx, db, args[1], args[0])
	})
}

// absent returns an error if there is a branch of a name.
func absent(ctx context.Context, db *datakit.DB, name string) error {
	h, err := db.Branch(name).Head(ctx)
	if err == nil && !h.IsZero() {
		err = datakit.Exist
	}
	return about("create branch", quoted(name), err, "")
}

// createBranch makes a branch at rev.
func (t *target) createBranch(ctx context.Context, db *datakit.DB, name, rev string) error {
	if err := absent(ctx, db, name); err != nil {
		return err
	}
	c, err := commit(ctx, db, rev)
	if err != nil {
		return err
	}
	if err := db.Branch(name).FastForward(ctx, c.Hash); err != nil {
		return about("create branch", name, err, "")
	}
	return t.printHead(name, c.Hash)
}

func branchDeleteCommand(std *stdio) *cobra.Command {
	t := &target{stdio: std}
	return t.command(&cobra.Command{
		Use:   "delete BRANCH...",
		Short: "Delete branches",
		Long: `Delete branches, and print the head that each had, with which "datakit branch
create" makes it again. If one of them does not exist, none is deleted.`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: t.completeBranches,
	}, func(ctx context.Context, db *datakit.DB, args []string) error {
		heads := make([]datakit.Hash, len(args))
		for i, name := range args {
			var err error
			if heads[i], err = head(ctx, db, "delete branch", name); err != nil {
				return err
			}
		}
		for i, name := range args {
			if err := db.Branch(name).Remove(ctx); err != nil {
				return about("delete branch", name, err, "")
			}
			err := t.print(headJSON{name, heads[i]}, func() error {
				_, err := fmt.Fprintf(t.out, "%s\t%s\n", name, heads[i])
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func branchRenameCommand(std *stdio) *cobra.Command {
	t := &target{stdio: std}
	return t.command(&cobra.Command{
		Use:               "rename BRANCH NAME",
		Short:             "Give a branch another name",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: t.completeFirst(t.completeBranches),
	}, func(ctx context.Context, db *datakit.DB, args []string) error {
		h, err := head(ctx, db, "rename branch", args[0])
		if err != nil {
			return err
		}
		if err := db.Branch(args[0]).Rename(ctx, args[1]); err != nil {
			return about("rename branch", args[0]+" to "+quoted(args[1]), err, "")
		}
		return t.printHead(args[1], h)
	})
}
