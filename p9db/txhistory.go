package p9db

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
)

// read returns the content of a file of the transaction itself.
func (t *tx) read(ctx context.Context, names ...string) (string, error) {
	f, err := t.dir.Walk(ctx, names...)
	if err != nil {
		return "", t.d.fail(err)
	}
	defer f.Release()
	if err := f.Open(ctx, p9.ReadOnly); err != nil {
		return "", t.d.fail(err)
	}
	b, err := f.ReadAll(ctx)
	return string(b), t.d.fail(err)
}

// write sets the content of a text file of the transaction, or writes a
// command. The error has no kind yet.
func (t *tx) write(ctx context.Context, name, text string) error {
	f, err := t.dir.Walk(ctx, name)
	if err != nil {
		return err
	}
	defer f.Release()
	if err := f.Open(ctx, p9.WriteOnly|p9.Truncate); err != nil {
		return err
	}
	return writeAll(ctx, f, []byte(text))
}

// Parents implements datakit.TxDriver.
func (t *tx) Parents(ctx context.Context) (hs []datakit.Hash, err error) {
	err = t.do(ctx, func() error {
		hs, err = t.parents(ctx)
		return err
	})
	return hs, err
}

func (t *tx) parents(ctx context.Context) ([]datakit.Hash, error) {
	text, err := t.read(ctx, "parents")
	if err != nil {
		return nil, err
	}
	return parseHashes(text)
}

// SetParents implements datakit.TxDriver.
func (t *tx) SetParents(ctx context.Context, parents []datakit.Hash) error {
	return t.do(ctx, func() error { return t.d.fail(t.setParents(ctx, parents)) })
}

func (t *tx) setParents(ctx context.Context, parents []datakit.Hash) error {
	var text strings.Builder
	for _, h := range parents {
		text.WriteString(h.String() + "\n")
	}
	return t.write(ctx, "parents", text.String())
}

// Merge implements datakit.TxDriver.
func (t *tx) Merge(ctx context.Context, h datakit.Hash) error {
	return t.do(ctx, func() error {
		t.closeFiles()
		t.rev++
		clear(t.changed)
		return t.d.failAs(t.write(ctx, "merge", h.String()), datakit.Unresolved)
	})
}

// MergeInputs implements datakit.TxDriver.
func (t *tx) MergeInputs(ctx context.Context) (ours, theirs, base datakit.TreeDriver, err error) {
	err = t.do(ctx, func() error {
		f, err := t.dir.Walk(ctx, "base")
		if err != nil {
			return t.d.fail(err)
		}
		f.Release()
		return nil
	})
	if errors.Is(err, datakit.NotExist) {
		return nil, nil, nil, nil
	} else if err != nil {
		return nil, nil, nil, err
	}
	input := func(name string) datakit.TreeDriver {
		return &input{t, place{t.d, t.dir, []string{name}}}
	}
	return input("ours"), input("theirs"), input("base"), nil
}

// An input is a tree that a merge was made from.
type input struct {
	t *tx
	place
}

// Lookup implements datakit.TreeDriver.
func (in *input) Lookup(ctx context.Context, path datakit.Path) (datakit.Entry, error) {
	e, err := in.Stat(ctx, path)
	e.Size = 0
	return e, err
}

// Stat implements datakit.TreeDriver.
func (in *input) Stat(ctx context.Context, path datakit.Path) (e datakit.Entry, err error) {
	err = in.t.do(ctx, func() error {
		e, err = in.stat(ctx, path)
		return err
	})
	return e, err
}

// ReadDir implements datakit.TreeDriver.
func (in *input) ReadDir(ctx context.Context, path datakit.Path) (entries []datakit.Entry, err error) {
	err = in.t.do(ctx, func() error {
		entries, err = in.list(ctx, path)
		for i := range entries {
			entries[i].Size = 0
		}
		return err
	})
	return entries, err
}

// Open implements datakit.TreeDriver.
func (in *input) Open(ctx context.Context, path datakit.Path) (b datakit.Blob, err error) {
	err = in.t.do(ctx, func() error {
		b, err = in.copy(ctx, path)
		return err
	})
	return b, err
}

// Conflicts implements datakit.TxDriver.
func (t *tx) Conflicts(ctx context.Context) (paths []datakit.Path, err error) {
	err = t.do(ctx, func() error {
		paths, err = t.conflicts(ctx)
		return err
	})
	return paths, err
}

// conflicts returns the unresolved paths, none if no merge was made. There is a
// file at each of them, and they are sorted, so that one with line ends in its
// name can be told from several.
func (t *tx) conflicts(ctx context.Context) ([]datakit.Path, error) {
	paths := []datakit.Path{}
	text, err := t.read(ctx, "conflicts")
	if errors.Is(err, datakit.NotExist) {
		return paths, nil
	} else if err != nil {
		return nil, err
	}
	for lines := splitLines(text); len(lines) > 0; {
		n, err := joined(lines, func(text string) (bool, error) {
			path := datakit.Path(text)
			if path == datakit.Root || path.Check() != nil || len(paths) > 0 && path <= paths[len(paths)-1] {
				return false, nil
			}
			e, err := fileAt(ctx, present{t}, path)
			if err == nil && e.Mode != datakit.Absent {
				paths = append(paths, path)
			}
			return e.Mode != datakit.Absent, err
		})
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, internal("malformed path of a conflict", lines[0])
		}
		lines = lines[n:]
	}
	return paths, nil
}

// Diff implements datakit.TxDriver.
func (t *tx) Diff(ctx context.Context, from datakit.Hash) (changes []datakit.Change, err error) {
	err = t.do(ctx, func() error {
		changes, err = t.diff(ctx, from)
		return err
	})
	return changes, err
}

func (t *tx) diff(ctx context.Context, from datakit.Hash) ([]datakit.Change, error) {
	text, err := t.read(ctx, "diff", from.String())
	if err != nil {
		return nil, err
	}
	return parseDiff(ctx, text, func() (_, _ contents, err error) {
		old, err := t.d.treeOf(ctx, from)
		return old, present{t}, err
	})
}

// present are the contents of a transaction, for one who has the turn.
type present struct{ t *tx }

// Stat implements contents.
func (p present) Stat(ctx context.Context, path datakit.Path) (datakit.Entry, error) {
	return p.t.rw.stat(ctx, path)
}

// Open implements contents.
func (p present) Open(ctx context.Context, path datakit.Path) (datakit.Blob, error) {
	return p.t.rw.copy(ctx, path)
}

// Commit implements datakit.TxDriver.
func (t *tx) Commit(ctx context.Context, msg string) error {
	return t.do(ctx, func() error { return t.commit(ctx, msg) })
}

// CommitHash implements datakit.HashCommitter.
func (t *tx) CommitHash(ctx context.Context, msg string) (h datakit.Hash, err error) {
	err = t.do(ctx, func() error {
		m, err := t.making(ctx, msg)
		if err != nil {
			return err
		}
		if err := t.commit(ctx, msg); err != nil {
			return err
		}
		if h, err = m.find(context.WithoutCancel(ctx), t.home); err != nil {
			t.d.opts.Log.Debug("the commit that was made is not found", "branch", t.branch, "error", err)
		}
		return nil // it was made
	})
	return h, err
}

func (t *tx) commit(ctx context.Context, msg string) error {
	t.closeFiles()
	if err := t.write(ctx, "msg", msg); err != nil {
		return t.d.fail(err)
	}
	// Without a text EBUSY may mean that conflicts are left.
	left, err := t.conflicts(ctx)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return &datakit.Error{Kind: datakit.Unresolved}
	}
	err = t.write(ctx, "ctl", "commit")
	var answer *p9.Error
	if err != nil && !errors.As(err, &answer) {
		return uncertain(ctx, t.d.fail(err))
	}
	err = t.d.failAs(err, datakit.Conflict)
	if errors.Is(err, datakit.Conflict) {
		return t.explain(ctx, err)
	}
	if err == nil {
		t.finish(func(context.Context) {
			t.d.use(t.branch, -1)
			t.dir.Release()
		})
		return nil
	}
	return t.d.withConflict(ctx, t.branch, err)
}

// uncertain says of a commit that had no answer that it may have been made.
func uncertain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w; %w", err, datakit.ErrUncertain)
	}
	return &datakit.Error{Kind: datakit.KindOf(err), Err: fmt.Errorf("%w; %w", err, datakit.ErrUncertain)}
}
