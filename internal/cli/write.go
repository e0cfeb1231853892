package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
)

func putCommand(io stdio) *cobra.Command {
	t := new(target)
	var msg string
	cmd := &cobra.Command{
		Use:   "put BRANCH:PATH SOURCE...",
		Short: "Copy files and folders into a branch, as one commit",
		Long: `Copy files and folders into a branch, as one commit. The branch is made if it
does not exist, and so are directories.

PATH is what the copy of SOURCE is to be called, or the directory to put copies
into: if it is one, ends in a slash, is empty, or if there are several sources.
A SOURCE of - is the standard input. Folders are copied with all that is in
them but .git; what is in the branch already and not in the folder stays.`,
		Example: `  echo 4 | datakit put -m "Scale up" master:web/replicas -
  datakit put master:etc/ ./conf.d`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd, func(ctx context.Context, db *datakit.DB) error {
				p, err := parsePlace(args[0])
				if err != nil {
					return err
				}
				if msg == "" {
					msg = "put " + p.String()
				}
				into := args[0][len(args[0])-1] == '/' || len(args) > 2
				c := &copier{in: io.in}
				err = t.update(ctx, db, p.rev, msg, io, func(tx *datakit.Tx) error {
					c.tx = tx
					return c.sources(ctx, p.path, into, args[1:])
				})
				return errors.Join(err, c.close())
			})
		},
	}
	t.flags(cmd)
	cmd.Flags().StringVarP(&msg, "message", "m", "", "`TEXT` of the commit")
	return cmd
}

// update commits what f does to a branch, and prints the commit.
func (t *target) update(ctx context.Context, db *datakit.DB, branch, msg string, io stdio, f func(tx *datakit.Tx) error) error {
	b := db.Branch(branch)
	if err := b.Update(ctx, msg, f); err != nil {
		return err
	}
	h, err := b.Head(ctx)
	if err != nil {
		return err
	}
	return t.print(io.out, map[string]any{"branch": branch, "head": h}, func() error {
		_, err := fmt.Fprintln(io.out, h)
		return err
	})
}

// A copier copies files of this machine into a transaction, and if that fails
// into another one. Close it.
type copier struct {
	tx *datakit.Tx
	in io.Reader

	kept *os.File // all of in, which can be read only once; nil before that
}

// input returns what in has.
func (c *copier) input() (io.Reader, error) {
	if c.kept == nil {
		f, err := os.CreateTemp("", "datakit-put-")
		if err != nil {
			return nil, err
		}
		c.kept = f
		if _, err := io.Copy(f, c.in); err != nil {
			return nil, err
		}
	}
	_, err := c.kept.Seek(0, io.SeekStart)
	return c.kept, err
}

func (c *copier) close() error {
	if c.kept == nil {
		return nil
	}
	return errors.Join(c.kept.Close(), os.Remove(c.kept.Name()))
}

var errName = errors.New("the standard input needs a path to be put at")

// sources copies files and folders to path, or into it.
func (c *copier) sources(ctx context.Context, path datakit.Path, into bool, sources []string) error {
	if !into {
		mode, err := mode(ctx, c.tx, path)
		if err != nil {
			return err
		}
		into = mode == datakit.Dir
	}
	for _, source := range sources {
		at := path
		if into {
			if source == "-" {
				return &datakit.Error{Op: "put", Subject: path.String(), Kind: datakit.Invalid, Err: errName}
			}
			abs, err := filepath.Abs(source) // which . and .. have no names without
			if err != nil {
				return err
			}
			at, err = path.Append(filepath.Base(abs))
			if err != nil {
				return err
			}
		}
		if err := c.source(ctx, at, source); err != nil {
			return err
		}
	}
	return nil
}

// mode returns the mode of what is at path, and Absent if there is nothing.
func mode(ctx context.Context, tx *datakit.Tx, path datakit.Path) (datakit.Mode, error) {
	e, err := tx.Stat(ctx, path)
	if errors.Is(err, datakit.NotExist) {
		return datakit.Absent, nil
	}
	return e.Mode, err
}

// source copies one file or folder to path.
func (c *copier) source(ctx context.Context, path datakit.Path, source string) error {
	if err := c.tx.MkdirAll(ctx, path.Dir()); err != nil {
		return err
	}
	if source == "-" {
		in, err := c.input()
		if err != nil {
			return err
		}
		_, err = c.tx.ReadFrom(ctx, path, in)
		return err
	}
	return filepath.WalkDir(source, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Name() == ".git" && name != source {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(source, name)
		if err != nil {
			return err
		}
		at := path
		if rel != "." {
			steps, err := datakit.ParsePath(filepath.ToSlash(rel))
			if err != nil {
				return err
			}
			at = path.Join(steps)
		}
		return c.entry(ctx, at, name, d)
	})
}

// entry copies one file, or link, or makes a directory.
func (c *copier) entry(ctx context.Context, path datakit.Path, name string, d fs.DirEntry) error {
	switch {
	case d.IsDir():
		return c.tx.MkdirAll(ctx, path)
	case d.Type() == fs.ModeSymlink:
		target, err := os.Readlink(name)
		if err != nil {
			return err
		}
		return c.tx.Symlink(ctx, path, target)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	mode := datakit.Normal
	if info.Mode()&0o111 != 0 {
		mode = datakit.Executable
	}
	if err := c.tx.Create(ctx, path, mode, nil); err != nil {
		return err
	}
	_, err = c.tx.ReadFrom(ctx, path, f)
	return err
}

var errRecursive = errors.New("this is a directory: use -r to remove all that is in it")

func rmCommand(io stdio) *cobra.Command {
	t := new(target)
	var all bool
	var msg string
	cmd := &cobra.Command{
		Use:   "rm BRANCH:PATH...",
		Short: "Remove files of a branch, as one commit",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd, func(ctx context.Context, db *datakit.DB) error {
				branch, paths, err := ofOneBranch(args)
				if err != nil {
					return err
				}
				if _, err := head(ctx, db, branch); err != nil {
					return err
				}
				if msg == "" {
					msg = "rm " + args[0]
				}
				return t.update(ctx, db, branch, msg, io, func(tx *datakit.Tx) error { return remove(ctx, tx, paths, all) })
			})
		},
	}
	t.flags(cmd)
	cmd.Flags().StringVarP(&msg, "message", "m", "", "`TEXT` of the commit")
	cmd.Flags().BoolVarP(&all, "recursive", "r", false, "remove directories with all that is in them")
	return cmd
}

// ofOneBranch returns the branch of places, and their paths.
func ofOneBranch(args []string) (branch string, paths []datakit.Path, err error) {
	for _, arg := range args {
		p, err := parsePlace(arg)
		if err != nil {
			return "", nil, err
		}
		if branch != "" && p.rev != branch {
			return "", nil, fmt.Errorf("%s: a commit is of one branch, %s here", arg, branch)
		}
		branch = p.rev
		paths = append(paths, p.path)
	}
	return branch, paths, nil
}

func remove(ctx context.Context, tx *datakit.Tx, paths []datakit.Path, all bool) error {
	for _, path := range paths {
		e, err := tx.Stat(ctx, path)
		if err != nil {
			return err
		}
		if e.Mode == datakit.Dir && !all {
			return &datakit.Error{Op: "remove", Subject: path.String(), Kind: datakit.IsDir, Err: errRecursive}
		}
		if err := tx.Remove(ctx, path); err != nil {
			return err
		}
	}
	return nil
}
