package p9db

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
)

// explain adds to the refusal of a commit which conflicts there are: a server
// tells the first, or none. It merges the head into a copy of the transaction,
// as both ways to merge give the same conflicts (specification of the
// filesystem, FS-130).
func (t *tx) explain(ctx context.Context, refusal error) error {
	head, err := t.d.Head(ctx, t.branch)
	if err != nil || head.IsZero() {
		return refusal
	}
	c, err := t.clone(ctx, t.branch)
	if err != nil {
		return refusal
	}
	defer c.Abort()
	if err := c.write(ctx, "merge", head.String()); err != nil {
		return refusal
	}
	paths, err := c.conflicts(ctx)
	if err != nil || len(paths) == 0 {
		return refusal
	}
	m := &datakit.MergeError{}
	for _, path := range paths {
		m.Conflicts = append(m.Conflicts, datakit.MergeConflict{Path: path, Reason: c.reason(ctx, path)})
	}
	return &datakit.Error{Kind: datakit.Conflict, Err: m}
}

// reason returns the reason in the marker of a conflict (specification of the
// filesystem, FS-132).
func (t *tx) reason(ctx context.Context, path datakit.Path) string {
	b, err := t.rw.copy(ctx, path)
	if err != nil {
		return ""
	}
	defer b.Close()
	text := make([]byte, min(b.Size(), 1024))
	b.ReadAt(ctx, text, 0)
	_, reason, _ := strings.Cut(string(text), "\n")
	return strings.TrimSuffix(reason, "\n")
}

// Retarget implements datakit.TxDriver. A transaction belongs to a branch, so
// it goes on in a copy.
func (t *tx) Retarget(ctx context.Context, branch string) error {
	return t.do(ctx, func() error {
		if branch == t.branch {
			return nil
		}
		left, err := t.conflicts(ctx)
		if err != nil {
			return err
		}
		if len(left) > 0 {
			return &datakit.Error{Kind: datakit.Unresolved, Err: errors.New("conflicts have to be resolved before the branch is changed")}
		}
		t.closeFiles()
		c, err := t.clone(ctx, branch)
		if err != nil {
			return err
		}
		d, dir, release := t.d, t.dir, t.release
		d.use(t.branch, -1)
		t.d, t.release, t.dir, t.branch, t.name, t.rw = c.d, c.release, c.dir, c.branch, c.name, c.rw
		t.rev++
		t.home.background(func(ctx context.Context) {
			dir.Remove(ctx)
			release()
		})
		return nil
	})
}

// clone returns another transaction, on a branch, with the same contents and
// parents. It is at home too, or a side of that. The caller has the turn of t.
func (t *tx) clone(ctx context.Context, branch string) (*tx, error) {
	d, err := t.home.Begin(ctx, branch)
	if err != nil {
		return nil, err
	}
	c := d.(*tx)
	if err := t.fill(ctx, c); err != nil {
		c.Abort()
		return nil, t.d.fail(err)
	}
	return c, nil
}

// fill makes contents and parents of c those of t.
func (t *tx) fill(ctx context.Context, c *tx) error {
	had, err := c.parents(ctx)
	if err != nil {
		return err
	}
	parents, err := t.parents(ctx)
	if err != nil {
		return err
	}
	if err := c.setParents(ctx, parents); err != nil {
		return err
	}
	if len(had) == 0 {
		return t.copyDir(ctx, c, datakit.Root, datakit.Root)
	}
	changes, err := t.diff(ctx, had[0])
	if err != nil {
		return err
	}
	return t.copyChanges(ctx, c, changes)
}

// copyChanges makes changes in c: first what is removed, so that there is room
// for what has another kind.
func (t *tx) copyChanges(ctx context.Context, c *tx, changes []datakit.Change) error {
	for _, ch := range changes {
		if ch.Op != datakit.Removed {
			continue
		}
		if err := c.removeWithParents(ctx, ch.Path); err != nil {
			return err
		}
	}
	for _, ch := range changes {
		if ch.Op == datakit.Removed {
			continue
		}
		if err := t.copyFile(ctx, c, ch.Path, ch.Path); err != nil {
			return err
		}
	}
	return nil
}

// removeWithParents removes a file and the directories that are empty then.
func (t *tx) removeWithParents(ctx context.Context, path datakit.Path) error {
	for ; path != datakit.Root; path = path.Dir() {
		f, err := t.rw.walk(ctx, path)
		if err != nil {
			return err
		}
		if err := f.Remove(ctx); err != nil {
			return err
		}
		entries, err := t.rw.list(ctx, path.Dir())
		if err != nil || len(entries) > 0 {
			return err
		}
	}
	return nil
}

// copyDir copies all that is in a directory to one of c, which is made.
func (t *tx) copyDir(ctx context.Context, c *tx, from, to datakit.Path) error {
	if err := c.mkdirAll(ctx, to); err != nil {
		return err
	}
	entries, err := t.rw.list(ctx, from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := datakit.Path(e.Name)
		copyOne := t.copyFile
		if e.Mode == datakit.Dir {
			copyOne = t.copyDir
		}
		if err := copyOne(ctx, c, from.Join(name), to.Join(name)); err != nil {
			return err
		}
	}
	return nil
}

// copyFile copies a file or link to one of c, with its directories.
func (t *tx) copyFile(ctx context.Context, c *tx, from, to datakit.Path) error {
	e, err := t.rw.stat(ctx, from)
	if err != nil {
		return err
	}
	b, err := t.rw.copy(ctx, from)
	if err != nil {
		return err
	}
	defer b.Close()
	if err := c.mkdirAll(ctx, to.Dir()); err != nil {
		return err
	}
	if e.Mode == datakit.Symlink {
		target := make([]byte, b.Size())
		if _, err := b.ReadAt(ctx, target, 0); err != nil && err != io.EOF {
			return err
		}
		return c.parent(ctx, to, func(dir *p9.Fid, base string) error { return dir.Symlink(ctx, base, string(target)) })
	}
	if err := c.create(ctx, to, e.Mode, nil); err != nil {
		return err
	}
	return c.copyContent(ctx, to, b)
}

// copyContent writes all of a blob to a file.
func (t *tx) copyContent(ctx context.Context, path datakit.Path, b datakit.Blob) error {
	defer t.closeFiles()
	buf := make([]byte, min(b.Size(), copyPiece))
	for off := int64(0); off < b.Size(); {
		n, err := b.ReadAt(ctx, buf, off)
		if n == 0 {
			return err
		}
		if err := t.writeAt(ctx, path, buf[:n], off); err != nil {
			return err
		}
		off += int64(n)
	}
	return nil
}

// mkdirAll makes a directory and those above it.
func (t *tx) mkdirAll(ctx context.Context, path datakit.Path) error {
	var missing []datakit.Path
	for ; path != datakit.Root; path = path.Dir() {
		f, err := t.rw.walk(ctx, path)
		if err == nil {
			f.Release()
			break
		}
		if !errors.Is(err, datakit.NotExist) {
			return err
		}
		missing = append(missing, path)
	}
	for _, dir := range slices.Backward(missing) {
		err := t.parent(ctx, dir, func(in *p9.Fid, base string) error { return in.Mkdir(ctx, base, dirPerm) })
		if err != nil {
			return err
		}
	}
	return nil
}
