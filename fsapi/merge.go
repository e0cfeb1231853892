package fsapi

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// lookupMerge finds what a transaction has only after a merge.
func (t *transaction) lookupMerge(file vfs.FileBase, name string) (vfs.Node, error) {
	var now func(*merged) *state
	switch name {
	case "conflicts":
		return &vfs.Status{FileBase: file, Content: t.conflicts, Live: true}, nil
	case "ours":
		now = func(m *merged) *state { return &m.ours }
	case "theirs":
		now = func(m *merged) *state { return &m.theirs }
	case "base":
		now = func(m *merged) *state { return &m.base }
	default:
		return nil, vfs.ErrNotExist
	}
	v := &view{in: t, name: name, check: t.Check}
	v.now = func(context.Context) (*state, error) { return now(t.merge.Load()), nil }
	return v.rootDir(), nil
}

// conflicts is the content of conflicts.
func (t *transaction) conflicts(ctx context.Context) ([]byte, error) {
	if err := t.take(ctx); err != nil {
		return nil, err
	}
	defer t.turns.Give()
	paths, err := t.tx.Conflicts(ctx)
	var b bytes.Buffer
	for _, p := range paths {
		b.WriteString(string(p))
		b.WriteByte('\n')
	}
	return b.Bytes(), wireError(err)
}

// runMerge carries out a command written to merge.
func (t *transaction) runMerge(ctx context.Context, text string) (string, error) {
	if err := t.take(ctx); err != nil {
		return "", err
	}
	defer t.turns.Give()
	vfs.MayWait(ctx)
	c, err := t.s.commit(ctx, text)
	if err != nil {
		return "", err
	}
	if err := t.checkConflicts(ctx); err != nil {
		return "", err
	}
	parents, err := t.useParents(ctx)
	if err != nil {
		return "", err
	}
	m, err := t.tx.Merge(ctx, c.Hash)
	if err != nil {
		return "", wireError(err)
	}
	t.merge.Store(&merged{state{tree: m.Ours, time: t.date}, state{tree: m.Theirs, time: c.Date}, state{tree: m.Base, time: t.date}})
	if !slices.Contains(parents, c.Hash) {
		t.addParent(c.Hash)
	}
	t.tree.root.reconcile(context.WithoutCancel(ctx))
	return "ok", nil
}

// addParent appends a line to parents.
func (t *transaction) addParent(h datakit.Hash) {
	text := t.parents.String()
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	t.parents.Set(text + formatHashes([]datakit.Hash{h}))
}
