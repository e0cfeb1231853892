package datakit

import (
	"context"
	"time"
)

// A Commit is one recorded state with its history. Drivers make it; its fields
// must not be changed.
type Commit struct {
	Hash    Hash
	TreeID  Hash   // the tree object
	Parents []Hash // in order; the database may lack some, as in a shallow clone
	Author  string // the author's name, without the address
	Date    time.Time
	Message string // exactly as stored

	db *DB
}

// Tree returns the contents of the commit.
func (c *Commit) Tree(ctx context.Context) (*Tree, error) {
	return c.db.Tree(ctx, TreeID{Dir, c.TreeID})
}

// Diff returns the files that differ on the way from commit from to c.
func (c *Commit) Diff(ctx context.Context, from Hash) ([]Change, error) {
	return c.db.Diff(ctx, from, c.Hash)
}
