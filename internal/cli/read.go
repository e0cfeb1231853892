package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
)

func lsCommand(io stdio) *cobra.Command {
	t := new(target)
	var long, all bool
	cmd := &cobra.Command{
		Use:   "ls [REV[:PATH]]",
		Short: "List a directory of a branch or commit, or the branches",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd, func(ctx context.Context, db *datakit.DB) error {
				if len(args) == 0 {
					return t.listBranches(ctx, db, io)
				}
				p, err := parsePlace(args[0])
				if err != nil {
					return err
				}
				tree, err := tree(ctx, db, p.rev)
				if err != nil {
					return err
				}
				l := &lister{t: t, io: io, tree: tree, long: long, all: all}
				return l.list(ctx, p.path)
			})
		},
	}
	t.flags(cmd)
	cmd.Flags().BoolVarP(&long, "long", "l", false, "print modes, sizes and hashes too")
	cmd.Flags().BoolVarP(&all, "recursive", "r", false, "list what is below as well")
	return cmd
}

// A lister prints the entries of a tree.
type lister struct {
	t         *target
	io        stdio
	tree      *datakit.Tree
	long, all bool
}

// list prints what is in a directory, or a file itself.
func (l *lister) list(ctx context.Context, path datakit.Path) error {
	e, err := l.tree.Stat(ctx, path)
	if err != nil {
		return err
	}
	if e.Mode != datakit.Dir {
		return l.entry(path, e)
	}
	entries, err := l.tree.ReadDir(ctx, path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		at := path.Join(datakit.Path(e.Name))
		if l.long || l.t.json {
			if e, err = l.tree.Stat(ctx, at); err != nil {
				return err
			}
		}
		if err := l.entry(at, e); err != nil {
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
	Path string       `json:"path"`
	Mode string       `json:"mode"`
	Hash datakit.Hash `json:"hash"`
	Size int64        `json:"size"`
}

func (l *lister) entry(path datakit.Path, e datakit.Entry) error {
	v := entryJSON{path.String(), e.Mode.String(), e.Hash, e.Size}
	return l.t.print(l.io.out, v, func() error {
		slash := ""
		if e.Mode == datakit.Dir {
			slash = "/"
		}
		if !l.long {
			_, err := fmt.Fprintln(l.io.out, v.Path+slash)
			return err
		}
		_, err := fmt.Fprintf(l.io.out, "%-10s %s %10d %s\n", v.Mode, v.Hash, v.Size, v.Path+slash)
		return err
	})
}

func catCommand(io stdio) *cobra.Command {
	t := new(target)
	cmd := &cobra.Command{
		Use:   "cat REV:PATH...",
		Short: "Print files of branches or commits",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd, func(ctx context.Context, db *datakit.DB) error {
				for _, arg := range args {
					if err := t.cat(ctx, db, arg, io); err != nil {
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

// cat prints a file as it is, or as a JSON object with its content.
func (t *target) cat(ctx context.Context, db *datakit.DB, arg string, out stdio) error {
	p, err := parsePlace(arg)
	if err != nil {
		return err
	}
	tree, err := tree(ctx, db, p.rev)
	if err != nil {
		return err
	}
	if t.json {
		b, err := tree.ReadFile(ctx, p.path)
		if err != nil {
			return err
		}
		return t.print(out.out, map[string]string{"path": p.path.String(), "content": string(b)}, nil)
	}
	b, err := tree.Open(ctx, p.path)
	if err != nil {
		return err
	}
	defer b.Close()
	_, err = io.Copy(out.out, io.NewSectionReader(blobReader{ctx, b}, 0, b.Size()))
	return err
}

// A blobReader is a blob as an io.ReaderAt.
type blobReader struct {
	ctx context.Context
	b   datakit.Blob
}

// ReadAt implements io.ReaderAt.
func (r blobReader) ReadAt(p []byte, off int64) (int, error) { return r.b.ReadAt(r.ctx, p, off) }
