package layout

import (
	"context"
	"slices"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
)

// A Content is what a branch says at one commit. It never changes.
type Content struct {
	// Head is the commit; zero for a branch without one, and for a tree that
	// was read by itself.
	Head datakit.Hash

	// Snapshot has the elements of the monitored repositories (GH-59).
	Snapshot github.Snapshot

	// Malformed is what could not be understood in monitored repositories, and
	// the marks of repositories that are no files. It is sorted by path.
	Malformed []Malformed

	// Errors are the elements of monitored repositories, and all repositories,
	// that have a file .error. It is in the order of github.CompareIDs.
	Errors []github.ID

	// Dirty is what is to be read from GitHub again: on a full read all that
	// has a file .dirty, the PRs and refs only of monitored repositories
	// (GH-71); on an incremental read what got one since the older commit
	// (GH-72). The elements need not exist. It is in the order of
	// github.CompareIDs.
	Dirty []github.ID
}

// IsMalformed reports whether the element is there but cannot be understood.
func (c Content) IsMalformed(id github.ID) bool {
	return slices.ContainsFunc(c.Malformed, func(m Malformed) bool { return m.ID == id })
}

// Read returns what a tree says, read in full. The elements are read many at a
// time.
func Read(ctx context.Context, tree *datakit.Tree) (Content, error) {
	found, err := read(ctx, tree, (*reader).all)
	if err != nil {
		return Content{}, err
	}
	return found.content(), nil
}

// ReadCommit returns what the tree of a commit says. With the content of an
// older commit, or of any other, only what differs is read; the result is the
// same but for Dirty (GH-66, GH-72). older may be nil. If the two cannot be
// compared, all is read (GH-70). The zero hash is a branch without a head.
func ReadCommit(ctx context.Context, db *datakit.DB, head datakit.Hash, older *Content) (Content, error) {
	if head.IsZero() {
		return Content{}, nil
	}
	commit, err := db.Commit(ctx, head)
	if err != nil {
		return Content{}, err
	}
	tree, err := commit.Tree(ctx)
	if err != nil {
		return Content{}, err
	}
	if older != nil && !older.Head.IsZero() {
		changed, err := commit.Diff(ctx, older.Head)
		if err == nil {
			return update(ctx, tree, head, changed, *older)
		}
		if ctx.Err() != nil {
			return Content{}, ctx.Err()
		}
	}
	c, err := Read(ctx, tree)
	c.Head = head
	return c, err
}

// Begin opens a transaction on a branch and returns it with what the commit on
// which it stands says, read as by ReadCommit (GH-74). The caller ends the
// transaction.
func Begin(ctx context.Context, db *datakit.DB, branch string, older *Content) (*datakit.Tx, Content, error) {
	tx, err := db.Branch(branch).Begin(ctx)
	if err != nil {
		return nil, Content{}, err
	}
	c, err := readOrigin(ctx, db, tx, older)
	if err != nil {
		tx.Abort()
		return nil, Content{}, err
	}
	return tx, c, nil
}

func readOrigin(ctx context.Context, db *datakit.DB, tx *datakit.Tx, older *Content) (Content, error) {
	parents, err := tx.Parents(ctx)
	if err != nil {
		return Content{}, err
	}
	if len(parents) == 0 {
		return Content{}, nil
	}
	return ReadCommit(ctx, db, parents[0], older)
}
