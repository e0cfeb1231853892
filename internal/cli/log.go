package cli

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/terminal"
)

func logCommand(std *stdio) *cobra.Command {
	l := &logger{target: target{stdio: std}}
	cmd := l.command(&cobra.Command{
		Use:   "log [--all | REV] [PATH...]",
		Short: "Print the history of a branch or commit, the newest first",
		Long: `Print the history of a branch or commit, the newest first. With PATHs, which
can also be written REV:PATH, only the commits that change something there are
printed.

With --graph the lines of history are drawn beside the commits. All of the
history is read before that.
` + revisions,
		Example: `  datakit log --oneline --graph master
  datakit log -n 3 master:web/replicas`,
		Args: func(cmd *cobra.Command, args []string) error {
			if l.all {
				return nil
			}
			return cobra.MinimumNArgs(1)(cmd, args)
		},
		ValidArgsFunction: l.completeFirst(l.completePlaces),
	}, l.run)
	f := cmd.Flags()
	f.IntVarP(&l.count, "max-count", "n", 0, "print at most `N` commits (default all)")
	l.count = math.MaxInt // without the option; 0 means none, as for git
	f.BoolVar(&l.brief, "oneline", false, "print one line for each")
	f.BoolVar(&l.graph, "graph", false, "draw the lines of history")
	f.BoolVar(&l.all, "all", false, "print the history of all branches, in place of REV")
	return cmd
}

// A logger prints history.
type logger struct {
	target
	count             int
	brief, graph, all bool

	names map[datakit.Hash][]string // the branches that commits are the heads of, with all
	lines *graph                    // what is drawn; nil for nothing
}

func (l *logger) run(ctx context.Context, db *datakit.DB, args []string) error {
	if l.count < 0 {
		return usagef("log --max-count %d: must not be negative", l.count)
	}
	h := &history{db: db}
	starts, err := l.starts(ctx, h, args)
	if err != nil {
		return err
	}
	if l.count == 0 {
		return nil
	}
	printed := 0
	each := func(n *node) (bool, error) {
		if !n.shown {
			return true, nil
		}
		printed++
		return printed != l.count, l.entry(n)
	}
	if !l.graph {
		return h.walk(ctx, starts, each)
	}
	l.lines = new(graph)
	nodes, err := h.ordered(ctx, starts)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if more, err := each(n); err != nil || !more {
			return err
		}
	}
	return nil
}

// starts returns where the history begins, and sets the paths of h.
func (l *logger) starts(ctx context.Context, h *history, args []string) (starts []datakit.Hash, err error) {
	if l.all {
		if starts, err = l.branches(ctx, h.db); err != nil {
			return nil, err
		}
	} else {
		p, err := parsePlace("log", args[0])
		if err != nil {
			return nil, err
		}
		c, err := commit(ctx, h.db, p.rev)
		if err != nil {
			return nil, err
		}
		starts, args = []datakit.Hash{c.Hash}, args[1:]
		if p.path != datakit.Root {
			h.paths = append(h.paths, p.path)
		}
	}
	paths, err := parsePaths("log", args)
	h.paths = append(h.paths, paths...)
	return starts, err
}

// branches returns the heads of all branches, and notes their names.
func (l *logger) branches(ctx context.Context, db *datakit.DB) (heads []datakit.Hash, err error) {
	names, err := db.Branches(ctx)
	if err != nil {
		return nil, err
	}
	l.names = make(map[datakit.Hash][]string)
	for _, name := range names {
		h, err := db.Branch(name).Head(ctx)
		if err != nil {
			return nil, err
		}
		if !h.IsZero() { // deleted just now
			heads = append(heads, h)
			l.names[h] = append(l.names[h], name)
		}
	}
	return heads, nil
}

// entry prints a commit.
func (l *logger) entry(n *node) error {
	return l.print(l.commitOf(n.Commit), func() error {
		lines := []string{l.summary(n.Commit)}
		if !l.brief {
			lines = strings.Split(strings.TrimSuffix(writtenCommit(l.out, n.Commit, l.names[n.Hash]), "\n"), "\n")
			lines = append(lines, "")
		}
		if l.lines != nil {
			lines = l.lines.draw(n, lines)
		}
		_, err := l.out.WriteString(strings.Join(lines, "\n") + "\n")
		return err
	})
}

func (l *logger) commitOf(c *datakit.Commit) commitJSON {
	v := commitOf(c)
	v.Branches = l.names[c.Hash]
	return v
}

// summary returns a commit on one line.
func (l *logger) summary(c *datakit.Commit) string {
	return l.out.Paint(terminal.Yellow, short(c.Hash)) + decoration(l.out, l.names[c.Hash]) + " " + l.out.Clean(subject(c))
}

// decoration returns the names of branches, to be printed after a hash.
func decoration(o *terminal.Output, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " " + o.Paint(terminal.Green, "("+strings.Join(names, ", ")+")")
}

// A commitJSON is what is printed of a commit.
type commitJSON struct {
	Hash     datakit.Hash   `json:"hash"`
	Tree     datakit.Hash   `json:"tree"`
	Parents  []datakit.Hash `json:"parents"`
	Author   string         `json:"author"`
	Date     time.Time      `json:"date"`
	Message  string         `json:"message"`
	Branches []string       `json:"branches,omitempty"`
	Changes  []changeJSON   `json:"changes,omitempty"`
}

func commitOf(c *datakit.Commit) commitJSON {
	return commitJSON{Hash: c.Hash, Tree: c.TreeID, Parents: append([]datakit.Hash{}, c.Parents...), Author: c.Author, Date: c.Date, Message: c.Message}
}

// writtenCommit returns a commit as git log prints it.
func writtenCommit(o *terminal.Output, c *datakit.Commit, names []string) string {
	var s strings.Builder
	s.WriteString(o.Paint(terminal.Yellow, "commit "+c.Hash.String()) + decoration(o, names) + "\n")
	if len(c.Parents) > 1 {
		s.WriteString("Merge:")
		for _, h := range c.Parents {
			s.WriteString(" " + short(h))
		}
		s.WriteByte('\n')
	}
	fmt.Fprintf(&s, "Author: %s\nDate:   %s\n\n", o.Clean(c.Author), c.Date.Format("Mon Jan 2 15:04:05 2006 -0700"))
	for line := range strings.Lines(strings.TrimRight(o.Clean(c.Message), "\n") + "\n") {
		s.WriteString("    " + line)
	}
	return s.String()
}

// subject returns the first line of a commit's message.
func subject(c *datakit.Commit) string {
	line, _, _ := strings.Cut(c.Message, "\n")
	return line
}
