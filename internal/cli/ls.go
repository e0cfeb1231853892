package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/terminal"
)

func lsCommand(std *stdio) *cobra.Command {
	l := &lister{target: target{stdio: std}}
	cmd := l.command(&cobra.Command{
		Use:   "ls [REV[:PATH]]",
		Short: "List a directory of a branch or commit, or the branches",
		Long: `List a directory of a branch or commit, or without an argument the branches.
The paths that are printed begin at the root, and those of directories end in a
slash. -l prints before each its mode and its size in bytes.
` + revisions,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: l.completeFirst(l.completePlaces),
	}, l.run)
	cmd.Flags().BoolVarP(&l.long, "long", "l", false, "print modes and sizes too")
	cmd.Flags().BoolVarP(&l.all, "recursive", "R", false, "list what is below as well")
	return cmd
}

// A lister prints the entries of a tree.
type lister struct {
	target
	long, all bool

	tree  *datakit.Tree
	table *terminal.Table // of what is printed with long
}

func (l *lister) run(ctx context.Context, db *datakit.DB, args []string) error {
	if len(args) == 0 {
		return l.listBranches(ctx, db)
	}
	p, err := parsePlace("ls", args[0])
	if err != nil {
		return err
	}
	if l.tree, err = tree(ctx, db, p.rev); err != nil {
		return err
	}
	l.table = &terminal.Table{Titles: []string{"MODE", "SIZE", "PATH"}, Right: []int{1}}
	if err := l.list(ctx, p.path); err != nil {
		return about("ls", p.String(), err, "")
	}
	return l.table.Print(l.out)
}

// list prints what is in a directory, or a file itself.
func (l *lister) list(ctx context.Context, path datakit.Path) error {
	e, err := l.tree.Stat(ctx, path)
	if err != nil {
		return err
	}
	if e.Mode != datakit.Dir {
		return l.entry(ctx, path, e)
	}
	entries, err := l.tree.ReadDir(ctx, path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		at := path.Join(datakit.Path(e.Name))
		if l.long || l.json {
			if e, err = l.tree.Stat(ctx, at); err != nil {
				return err
			}
		}
		l.progress.Add(1, 0)
		if err := l.entry(ctx, at, e); err != nil {
			return err
		}
		if l.all && e.Mode == datakit.Dir {
			if err := l.list(ctx, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// An entryJSON is what is printed of an entry.
type entryJSON struct {
	pathJSON
	Mode        string `json:"mode"`
	Size        int64  `json:"size"`
	Target      string `json:"target,omitempty"`        // of a symlink
	TargetBytes []byte `json:"target_base64,omitempty"` // only if Target is not UTF-8
}

func (l *lister) entry(ctx context.Context, path datakit.Path, e datakit.Entry) error {
	v := entryJSON{pathJSON: pathOf(path), Mode: e.Mode.String(), Size: e.Size}
	if e.Mode == datakit.Symlink && (l.long || l.json) {
		var err error
		if v.Target, err = l.tree.Readlink(ctx, path); err != nil {
			return err
		}
		v.TargetBytes = bytesOf(v.Target)
	}
	return l.print(v, func() error {
		name := l.name(v.Path, e.Mode)
		if l.long {
			if v.Target != "" {
				name += " -> " + l.out.Clean(v.Target)
			}
			l.table.Add(v.Mode, fmt.Sprint(v.Size), name)
			return nil
		}
		color := map[datakit.Mode]terminal.Color{datakit.Dir: terminal.Blue, datakit.Symlink: terminal.Cyan, datakit.Executable: terminal.Green}[e.Mode]
		if color != "" {
			name = l.out.Paint(color, name)
		}
		_, err := l.out.WriteString(name + "\n")
		return err
	})
}

// name returns how an entry is printed.
func (l *lister) name(path string, mode datakit.Mode) string {
	if mode == datakit.Dir {
		path = strings.TrimSuffix(path, "/") + "/"
	}
	return l.out.Clean(path)
}
