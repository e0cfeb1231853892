package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/terminal"
)

func mergeCommand(std *stdio) *cobra.Command {
	m := &merger{target: target{stdio: std}}
	cmd := m.command(&cobra.Command{
		Use:   "merge BRANCH REV",
		Short: "Merge a branch or commit into a branch",
		Long: `Merge a branch or commit REV into BRANCH, and print the new head.

If both have changed the same file, nothing is changed, the conflicts are
printed, each with its reason, and the exit status is 4. Say then for each of
them, or for a directory they are in, what is right: --ours takes what BRANCH
has there, --theirs what REV has, and --resolve a file of this machine, with
"-" for the standard input. "." means all that nothing else is said of.
` + revisions,
		Example: `  datakit merge master topic --theirs docs --ours .
  datakit cat master:list topic:list | sort -u |
    datakit merge master topic --resolve list=-`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: m.completeFirst(m.completeBranches, m.completeBranches),
	}, func(ctx context.Context, db *datakit.DB, args []string) error {
		return m.merge(ctx, db, args[0], args[1])
	})
	f := cmd.Flags()
	f.StringVarP(&m.msg, "message", "m", "", "`TEXT` of the commit")
	f.StringArrayVar(&m.ours, "ours", nil, "resolve conflicts at `PATH` and below with what BRANCH has")
	f.StringArrayVar(&m.theirs, "theirs", nil, "resolve conflicts at `PATH` and below with what REV has")
	f.StringArrayVar(&m.files, "resolve", nil, "resolve the conflict at a path with a file: `PATH=FILE`")
	return cmd
}

// A merger merges and resolves conflicts.
type merger struct {
	target
	msg                 string
	ours, theirs, files []string
}

func (m *merger) merge(ctx context.Context, db *datakit.DB, branch, rev string) error {
	r := &resolver{copier: copier{target: &m.target, branch: branch}}
	if err := r.parse(m.ours, m.theirs, m.files); err != nil {
		return err
	}
	defer r.close()
	old, err := head(ctx, db, "merge into", branch)
	if err != nil {
		return err
	}
	c, err := commit(ctx, db, rev)
	if err != nil {
		return err
	}
	if merged, err := isMerged(ctx, db, old, c); err != nil || merged {
		if merged {
			m.warn("merge: %s is a part of %s already", rev, branch)
			err = m.printHead(branch, old)
		}
		return err
	}
	msg := m.msg
	if msg == "" {
		msg = "Merge " + rev + " into " + branch
	}
	return m.update(ctx, db, "merge", branch, msg, func(tx *datakit.Tx) error {
		merge, err := tx.Merge(ctx, c.Hash)
		if err != nil {
			return about("merge", rev+" into "+branch, err, "")
		}
		r.tx, r.merge = tx, merge
		left, err := r.resolve(ctx)
		if err != nil {
			return err
		}
		return m.conflicts(ctx, tx, rev, left)
	})
}

// isMerged reports whether c is in the history of head, as far as that is not
// older than c.
func isMerged(ctx context.Context, db *datakit.DB, head datakit.Hash, c *datakit.Commit) (found bool, err error) {
	h := history{db: db}
	err = h.walk(ctx, []datakit.Hash{head}, func(n *node) (bool, error) {
		found = n.Hash == c.Hash
		return !found && !n.Date.Before(c.Date), nil
	})
	return found, err
}

// conflicts prints the conflicts that are left, if there are any, and returns
// them as an error.
func (m *merger) conflicts(ctx context.Context, tx *datakit.Tx, rev string, left []datakit.Path) error {
	if len(left) == 0 {
		return nil
	}
	for _, path := range left {
		reason, err := conflictReason(ctx, tx, path)
		if err != nil {
			return about("merge", path.String(), err, "")
		}
		err = m.print(conflictJSON{path.String(), bytesOf(path.String()), reason}, func() error {
			_, err := fmt.Fprintf(m.out, "%s %s: %s\n", m.out.Paint(terminal.Red, "conflict"), m.out.Clean(path.String()), m.out.Clean(reason))
			return err
		})
		if err != nil {
			return err
		}
	}
	cause := fmt.Errorf("unresolved conflicts: %d; resolve them with --ours, --theirs and --resolve", len(left))
	return &datakit.Error{Op: "merge", Subject: rev, Kind: datakit.Conflict, Err: cause}
}

// A conflictJSON is what is printed of a conflict.
type conflictJSON struct {
	Path      string `json:"conflict"`
	PathBytes []byte `json:"conflict_base64,omitempty"` // only if Path is not UTF-8
	Reason    string `json:"reason"`
}
