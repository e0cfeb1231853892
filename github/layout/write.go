package layout

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
)

// jobs is how many elements are read or written at once (GH-61). The database
// may be at the other end of a connection, where each one waits for replies.
const jobs = 32

// Write writes an element to the transaction (spec/github.md, section 2.2): all
// of its files, in the place of what is there. A commit alone writes nothing.
func Write(ctx context.Context, tx *datakit.Tx, e github.Element) error {
	return newWriter(tx).write(ctx, e)
}

// Remove removes an element from the transaction (section 2.3): of a repository
// only its mark as monitored, of a PR and a commit the whole directory, of a
// status and a ref their own files. What does not exist is no error.
func Remove(ctx context.Context, tx *datakit.Tx, id github.ID) error {
	switch id := id.(type) {
	case github.Repo:
		return remove(ctx, tx, Dir(id)+"/"+monitorFile)
	case github.StatusID:
		return removeFiles(ctx, tx, id, stateFile, descriptionFile, urlFile, errorFile)
	case github.RefID:
		return removeFiles(ctx, tx, id, headFile, dirtyFile, errorFile)
	default:
		return remove(ctx, tx, Dir(id))
	}
}

// removeFiles removes files of an element, malformed ones too. A directory in
// the place of a ref's head stays: it belongs to refs whose names go on there.
func removeFiles(ctx context.Context, tx *datakit.Tx, id github.ID, names ...string) error {
	for _, name := range names {
		path := Dir(id) + "/" + datakit.Path(name)
		if name == headFile {
			mode, err := tx.Mode(ctx, path)
			if err != nil {
				return err
			}
			if mode == datakit.Dir {
				continue
			}
		}
		if err := remove(ctx, tx, path); err != nil {
			return err
		}
	}
	return nil
}

// remove removes what is at path, if there is anything.
func remove(ctx context.Context, tx *datakit.Tx, path datakit.Path) error {
	err := tx.Remove(ctx, path)
	if errors.Is(err, datakit.NotExist) || errors.Is(err, datakit.NotDir) {
		return nil
	}
	return err
}

// Apply writes a difference to the transaction, removals first (GH-49), and
// reports whether the tree of the transaction then differs from that of its
// first parent, for whatever reason (GH-75). No other call may change the
// transaction meanwhile. After an error a part may be written.
func Apply(ctx context.Context, tx *datakit.Tx, d github.Diff) (changed bool, err error) {
	for _, id := range d.Remove {
		if err := Remove(ctx, tx, id); err != nil {
			return false, err
		}
	}
	w := newWriter(tx)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(jobs)
	for _, e := range d.Update {
		g.Go(func() error { return w.write(gctx, e) })
	}
	if err := g.Wait(); err != nil {
		return false, err
	}
	return Changed(ctx, tx)
}

// Changed reports whether the tree of the transaction differs from that of its
// first parent, or from the empty tree if it has none. Empty directories do not
// count.
func Changed(ctx context.Context, tx *datakit.Tx) (bool, error) {
	parents, err := tx.Parents(ctx)
	if err != nil {
		return false, err
	}
	if len(parents) == 0 {
		return holdsFile(ctx, tx, datakit.Root)
	}
	changes, err := tx.Diff(ctx, parents[0])
	return len(changes) > 0, err
}

func holdsFile(ctx context.Context, tx *datakit.Tx, dir datakit.Path) (bool, error) {
	entries, err := tx.ReadDir(ctx, dir)
	for _, e := range entries {
		if e.Mode != datakit.Dir {
			return true, nil
		}
		if found, err := holdsFile(ctx, tx, dir.Join(datakit.Path(e.Name))); found || err != nil {
			return found, err
		}
	}
	return false, err
}

// WriteEvent writes what an event says (GH-50). What it did not bring stays as
// it is; an ignored repository loses its mark as monitored.
func WriteEvent(ctx context.Context, tx *datakit.Tx, e github.Event) error {
	switch e := e.(type) {
	case github.RepoEvent:
		if e.Monitored {
			return Write(ctx, tx, e.Repo)
		}
		return Remove(ctx, tx, e.Repo)
	case github.PREvent:
		return writePREvent(ctx, tx, e)
	case github.StatusEvent:
		return Write(ctx, tx, e.Status)
	case github.RefEvent:
		return Write(ctx, tx, e.Ref)
	case github.RefRemoved:
		return Remove(ctx, tx, e.Ref)
	}
	return nil
}

func writePREvent(ctx context.Context, tx *datakit.Tx, e github.PREvent) error {
	switch e.Unread {
	case github.Nothing:
		return Write(ctx, tx, e.PR)
	case github.Comments:
		old, err := ReadPR(ctx, &tx.Tree, e.PR.ID())
		if err != nil && !unreadable(err) {
			return err
		}
		now, _ := github.NewSnapshot(old).ApplyEvents(e).Find(e.PR.ID())
		return Write(ctx, tx, now)
	}
	return nil
}
