package cli

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
)

func logCommand(io stdio) *cobra.Command {
	t := new(target)
	var count int
	var brief bool
	cmd := &cobra.Command{
		Use:   "log REV",
		Short: "Print the history of a branch or commit, the newest first",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd, func(ctx context.Context, db *datakit.DB) error {
				start, err := commit(ctx, db, args[0])
				if err != nil {
					return err
				}
				n := 0
				return history(ctx, db, start, func(c *datakit.Commit) (bool, error) {
					if n++; count > 0 && n > count {
						return false, nil
					}
					return true, t.printCommit(io.out, c, brief)
				})
			})
		},
	}
	t.flags(cmd)
	cmd.Flags().IntVarP(&count, "max-count", "n", 0, "print at most `N` commits")
	cmd.Flags().BoolVar(&brief, "oneline", false, "print one line for each")
	return cmd
}

// A byDate is a heap of commits, the newest first.
type byDate []*datakit.Commit

func (q byDate) Len() int           { return len(q) }
func (q byDate) Less(i, j int) bool { return q[i].Date.After(q[j].Date) }
func (q byDate) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *byDate) Push(x any)        { *q = append(*q, x.(*datakit.Commit)) }
func (q *byDate) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	*q = (*q)[:last]
	return c
}

// history calls f with a commit and all its ancestors, each once, the newest
// of those whose children were seen first, until f returns false. Where the
// database lacks parents, as a shallow clone does, the history ends.
func history(ctx context.Context, db *datakit.DB, start *datakit.Commit, f func(*datakit.Commit) (bool, error)) error {
	q := byDate{start}
	seen := map[datakit.Hash]bool{start.Hash: true}
	for len(q) > 0 {
		c := heap.Pop(&q).(*datakit.Commit)
		if more, err := f(c); err != nil || !more {
			return err
		}
		for _, h := range c.Parents {
			if seen[h] {
				continue
			}
			seen[h] = true
			parent, err := db.Commit(ctx, h)
			if errors.Is(err, datakit.NotExist) {
				continue
			}
			if err != nil {
				return err
			}
			heap.Push(&q, parent)
		}
	}
	return nil
}

// A commitJSON is what is printed of a commit.
type commitJSON struct {
	Hash    datakit.Hash   `json:"hash"`
	Tree    datakit.Hash   `json:"tree"`
	Parents []datakit.Hash `json:"parents"`
	Author  string         `json:"author"`
	Date    time.Time      `json:"date"`
	Message string         `json:"message"`
	Changes []changeJSON   `json:"changes,omitempty"`
}

func commitOf(c *datakit.Commit) commitJSON {
	return commitJSON{c.Hash, c.TreeID, append([]datakit.Hash{}, c.Parents...), c.Author, c.Date, c.Message, nil}
}

func (t *target) printCommit(out io.Writer, c *datakit.Commit, brief bool) error {
	return t.print(out, commitOf(c), func() error {
		if brief {
			_, err := fmt.Fprintf(out, "%s %s\n", short(c.Hash), subject(c))
			return err
		}
		return writeCommit(out, c)
	})
}

// writeCommit prints a commit as git log does.
func writeCommit(out io.Writer, c *datakit.Commit) error {
	var s strings.Builder
	fmt.Fprintf(&s, "commit %s\n", c.Hash)
	if len(c.Parents) > 1 {
		s.WriteString("Merge: ")
		for i, h := range c.Parents {
			if i > 0 {
				s.WriteByte(' ')
			}
			s.WriteString(short(h))
		}
		s.WriteByte('\n')
	}
	fmt.Fprintf(&s, "Author: %s\nDate:   %s\n\n", c.Author, c.Date.Format("Mon Jan 2 15:04:05 2006 -0700"))
	for line := range strings.Lines(strings.TrimRight(c.Message, "\n") + "\n") {
		s.WriteString("    " + line)
	}
	s.WriteByte('\n')
	_, err := io.WriteString(out, s.String())
	return err
}

// short returns the first digits of a hash.
func short(h datakit.Hash) string { return h.String()[:12] }

// subject returns the first line of a commit's message.
func subject(c *datakit.Commit) string {
	line, _, _ := strings.Cut(c.Message, "\n")
	return line
}

func showCommand(io stdio) *cobra.Command {
	t := new(target)
	cmd := &cobra.Command{
		Use:   "show REV",
		Short: "Print a commit, and which files differ from its first parent",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd, func(ctx context.Context, db *datakit.DB) error {
				c, err := commit(ctx, db, args[0])
				if err != nil {
					return err
				}
				return t.show(ctx, c, io.out)
			})
		},
	}
	t.flags(cmd)
	return cmd
}

func (t *target) show(ctx context.Context, c *datakit.Commit, out io.Writer) error {
	changes, err := introduced(ctx, c)
	if err != nil {
		return err
	}
	v := commitOf(c)
	v.Changes = changes
	return t.print(out, v, func() error {
		if err := writeCommit(out, c); err != nil {
			return err
		}
		return writeChanges(out, changes)
	})
}

// introduced returns what a commit changes in its first parent, or all its
// files if it has none.
func introduced(ctx context.Context, c *datakit.Commit) (changes []changeJSON, err error) {
	if len(c.Parents) > 0 {
		diff, err := c.Diff(ctx, c.Parents[0])
		return changesOf(diff), err
	}
	tree, err := c.Tree(ctx)
	if err != nil {
		return nil, err
	}
	err = files(ctx, tree, datakit.Root, func(path datakit.Path, _ datakit.Entry) error {
		changes = append(changes, changeJSON{string(datakit.Added), path.String()})
		return nil
	})
	return changes, err
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

// A changeJSON is what is printed of a change: "+" for a file that is new, "-"
// for one that is gone and "*" for one that differs.
type changeJSON struct {
	Op   string `json:"op"`
	Path string `json:"path"`
}

func changesOf(diff []datakit.Change) []changeJSON {
	changes := make([]changeJSON, len(diff))
	for i, c := range diff {
		changes[i] = changeJSON{string(c.Op), c.Path.String()}
	}
	return changes
}

func writeChanges(out io.Writer, changes []changeJSON) error {
	for _, c := range changes {
		if _, err := fmt.Fprintf(out, "%s %s\n", c.Op, c.Path); err != nil {
			return err
		}
	}
	return nil
}

func diffCommand(io stdio) *cobra.Command {
	t := new(target)
	cmd := &cobra.Command{
		Use:   "diff FROM TO",
		Short: "Print which files differ between two branches or commits",
		Long: `Print which files differ between two branches or commits: each with "+" before
it if TO has it and FROM has not, "-" for the reverse, and "*" if its content or
mode differs.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd, func(ctx context.Context, db *datakit.DB) error {
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
					return err
				}
				return t.printChanges(io.out, changesOf(diff))
			})
		},
	}
	t.flags(cmd)
	return cmd
}

func (t *target) printChanges(out io.Writer, changes []changeJSON) error {
	if !t.json {
		return writeChanges(out, changes)
	}
	for _, c := range changes {
		if err := t.print(out, c, nil); err != nil {
			return err
		}
	}
	return nil
}
