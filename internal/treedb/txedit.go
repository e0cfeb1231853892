package treedb

import (
	"context"
	"io"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
)

// A place is where an entry is or may be: its directory, opened for editing
// with all above it.
type place struct {
	dir   *dir
	above []*node // from the root to the directory
	name  string
}

// place returns the place of path.
func (t *tx) place(path datakit.Path) (place, error) {
	n := t.root
	p := place{name: path.Base()}
	for step := range path.Dir().Steps() {
		d, err := n.open(t.db.objs)
		if err != nil {
			return p, err
		}
		p.above = append(p.above, n)
		n = d.child(step)
		switch {
		case n == nil || !isShown(n.mode) || !validName(step):
			return p, datakit.NotExist
		case n.mode != datakit.Dir:
			return p, datakit.NotDir
		}
		if d.edits[step] == nil {
			d.edits[step] = n
		}
	}
	var err error
	p.dir, err = n.open(t.db.objs)
	p.above = append(p.above, n)
	return p, err
}

// get returns the entry at the place, or NotExist.
func (p place) get() (*node, error) {
	n := p.dir.child(p.name)
	if n == nil || !isShown(n.mode) || !validName(p.name) {
		return nil, datakit.NotExist
	}
	return n, nil
}

// mode returns the mode that a file at the place keeps when its content is
// replaced.
func (p place) mode() datakit.Mode {
	if n := p.dir.child(p.name); n != nil {
		return n.mode
	}
	return datakit.Normal
}

// put makes n the entry at the place; nil removes it. It notes the change there
// and in the directories above.
func (t *tx) put(p place, n *node) {
	if old := p.dir.edits[p.name]; old != nil && old != n {
		old.discard()
	}
	p.dir.set(p.name, n)
	t.rev++
	now := t.db.opts.Now()
	for _, a := range p.above {
		a.rev, a.changed = t.rev, now
	}
	if n != nil {
		n.rev, n.changed = t.rev, now
	}
}

// vacant returns the place of path if a file may be put there, over a file or
// link that is there.
func (t *tx) vacant(path datakit.Path) (place, error) {
	p, err := t.place(path)
	if err != nil {
		return p, err
	}
	switch n := p.dir.child(p.name); {
	case n == nil:
		return p, nil
	case n.mode == datakit.Dir:
		return p, datakit.IsDir
	case n.mode == datakit.Submodule:
		return p, datakit.Exist
	}
	return p, nil
}

// Create implements datakit.TxDriver.
func (t *tx) Create(ctx context.Context, path datakit.Path, mode datakit.Mode, data []byte) error {
	return t.use(ctx, func() error {
		if int64(len(data)) > t.db.opts.MaxFileSize {
			return datakit.TooLarge
		}
		if err := t.makeRoom(ctx, path, len(data)); err != nil {
			return err
		}
		p, err := t.vacant(path)
		if err != nil {
			return err
		}
		if mode == datakit.Absent {
			mode = p.mode()
		}
		c, err := t.newContent(data)
		if err != nil {
			return err
		}
		t.put(p, &node{mode: mode, content: c})
		t.resolve(path)
		t.unsaved += int64(len(data))
		return nil
	})
}

// Mkdir implements datakit.TxDriver.
func (t *tx) Mkdir(ctx context.Context, path datakit.Path) error {
	return t.use(ctx, func() error {
		p, err := t.place(path)
		if err != nil {
			return err
		}
		if p.dir.child(p.name) != nil {
			return datakit.Exist
		}
		t.put(p, &node{mode: datakit.Dir, hash: datakit.EmptyTree})
		t.resolve(path)
		return nil
	})
}

// edit runs f, which writes n bytes, on the content of the file or link at path.
// f gets the content as it is if keep says that it needs the present bytes,
// else an empty one.
func (t *tx) edit(ctx context.Context, path datakit.Path, n int, keep func(size int64) bool, f func(c *content) error) error {
	if err := t.makeRoom(ctx, path, n); err != nil {
		return err
	}
	p, err := t.place(path)
	if err != nil {
		return err
	}
	file, err := p.get()
	if err != nil {
		return err
	}
	if file.mode == datakit.Dir {
		return datakit.IsDir
	}
	c, err := t.editable(file, keep)
	if err != nil {
		return err
	}
	var had int64 // bytes that were counted before
	if c == file.content {
		had = c.length()
	}
	if err := f(c); err != nil {
		if c != file.content {
			c.discard()
		}
		return err
	}
	t.unsaved += int64(n)
	if !c.spilled() { // it also holds what was not written: a gap, or a copy
		t.unsaved += max(0, c.length()-had-int64(n))
	}
	if file.content != nil && file.content != c {
		file.content.discard()
	}
	file.content, file.hash = c, datakit.Hash{}
	t.put(p, file)
	t.resolve(path)
	return nil
}

// editable returns the content of n for editing: what n has if nobody is
// reading that, else a copy of it or of the blob that n names.
func (t *tx) editable(n *node, keep func(size int64) bool) (*content, error) {
	if n.content != nil && !n.content.isRead() {
		return n.content, nil
	}
	c, err := t.newContent(nil)
	if err != nil {
		return nil, err
	}
	b, err := t.blob(n)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	if !keep(b.Size()) {
		return c, nil
	}
	w := &contentWriter{c: c}
	if _, err := io.Copy(w, datakit.NewReader(context.Background(), b)); err != nil {
		c.discard()
		return nil, err
	}
	return c, nil
}

// blob opens the present content of a file or link.
func (t *tx) blob(n *node) (datakit.Blob, error) {
	if n.content != nil {
		return n.content.open(), nil
	}
	return t.db.objs.open(object.TreeEntry{Mode: n.mode, Hash: n.hash})
}

// contentWriter appends to a content.
type contentWriter struct {
	c   *content
	off int64
}

func (w *contentWriter) Write(p []byte) (int, error) {
	if err := w.c.writeAt(p, w.off); err != nil {
		return 0, err
	}
	w.off += int64(len(p))
	return len(p), nil
}

// WriteAt implements datakit.TxDriver.
func (t *tx) WriteAt(ctx context.Context, path datakit.Path, data []byte, off int64) error {
	return t.use(ctx, func() error {
		if off > t.db.opts.MaxFileSize-int64(len(data)) {
			return datakit.TooLarge
		}
		if len(data) == 0 {
			return t.checkFile(path)
		}
		end := off + int64(len(data))
		return t.edit(ctx, path, len(data),
			func(size int64) bool { return off > 0 || end < size },
			func(c *content) error { return c.writeAt(data, off) })
	})
}

// checkFile returns why nothing can be written at path, or nil.
func (t *tx) checkFile(path datakit.Path) error {
	n, err := t.find(path)
	if err == nil && n.mode == datakit.Dir {
		err = datakit.IsDir
	}
	return err
}

// Truncate implements datakit.TxDriver.
func (t *tx) Truncate(ctx context.Context, path datakit.Path, size int64) error {
	return t.use(ctx, func() error {
		if size > t.db.opts.MaxFileSize {
			return datakit.TooLarge
		}
		return t.edit(ctx, path, 0,
			func(int64) bool { return size > 0 },
			func(c *content) error { return c.truncate(size) })
	})
}

// SetMode implements datakit.TxDriver.
func (t *tx) SetMode(ctx context.Context, path datakit.Path, mode datakit.Mode) error {
	return t.use(ctx, func() error {
		p, err := t.place(path)
		if err != nil {
			return err
		}
		n, err := p.get()
		if err != nil {
			return err
		}
		if n.mode == datakit.Dir {
			return datakit.IsDir
		}
		n.mode = mode
		t.put(p, n)
		return nil
	})
}

// Remove implements datakit.TxDriver.
func (t *tx) Remove(ctx context.Context, path datakit.Path) error {
	return t.use(ctx, func() error {
		p, err := t.place(path)
		if err != nil {
			return err
		}
		if _, err := p.get(); err != nil {
			return err
		}
		t.put(p, nil)
		t.resolve(path)
		return nil
	})
}

// Rename implements datakit.TxDriver.
func (t *tx) Rename(ctx context.Context, from, to datakit.Path) error {
	return t.use(ctx, func() error {
		source, err := t.place(from)
		if err != nil {
			return err
		}
		n, err := source.get()
		if err != nil || from == to {
			return err
		}
		if n.mode == datakit.Dir && to.Within(from) {
			return &datakit.Error{Op: "move into itself", Subject: string(from), Kind: datakit.Invalid}
		}
		target, err := t.place(to)
		if err != nil {
			return err
		}
		if err := t.replaceable(target, n.mode); err != nil {
			return err
		}
		source.dir.set(source.name, nil)
		t.put(source, nil)
		t.put(target, n)
		t.renameConflicts(from, to)
		return nil
	})
}

// replaceable returns why an entry of the given mode cannot be moved to p.
func (t *tx) replaceable(p place, mode datakit.Mode) error {
	n := p.dir.child(p.name)
	switch {
	case n == nil:
		return nil
	case n.mode == datakit.Submodule:
		return datakit.Exist
	case n.mode != datakit.Dir:
		return nil
	case mode != datakit.Dir:
		return datakit.IsDir
	}
	d, err := n.open(t.db.objs)
	if err == nil && !d.isEmpty() {
		err = datakit.IsDir
	}
	return err
}

// resolve takes path, and what is below it, off the conflicts.
func (t *tx) resolve(path datakit.Path) {
	for p := range t.conflicts {
		if p.Within(path) {
			delete(t.conflicts, p)
		}
	}
}

// renameConflicts resolves the conflicts that a rename resolves, which are
// those at its two paths, and moves those below.
func (t *tx) renameConflicts(from, to datakit.Path) {
	t.resolve(to)
	delete(t.conflicts, from)
	for p := range t.conflicts {
		if p.Within(from) {
			delete(t.conflicts, p)
			t.conflicts[to+p[len(from):]] = true
		}
	}
}
