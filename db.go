package datakit

import (
	"context"
	"errors"
)

// A DB is a database: branches, and the commits that they and others name.
type DB struct {
	d Driver
}

// New returns the database that d keeps. The DB owns d from then on.
func New(d Driver) *DB { return &DB{d} }

// Driver returns what keeps the database, for what only some can do, such as
// [BranchWatcher].
func (db *DB) Driver() Driver { return db.d }

// Close ends all waits and transactions with Closed and releases the database.
func (db *DB) Close() error { return db.d.Close() }

// Branches returns the names of all branches that have a head, sorted.
func (db *DB) Branches(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	names, err := db.d.Branches(ctx)
	return names, opError("list branches", "", err)
}

// Branch returns the branch with the given name, which may be without a head
// or even malformed: its methods tell.
func (db *DB) Branch(name string) *Branch { return &Branch{db, name} }

// Commit returns the commit h; NotExist if the database has none.
func (db *DB) Commit(ctx context.Context, h Hash) (*Commit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := db.d.Commit(ctx, h)
	if err != nil {
		return nil, opError("read commit", h.String(), err)
	}
	c.db = db
	return c, nil
}

// Tree returns the tree that id names, or a Tree whose Root is a single file
// or link. NotExist if the object is missing or of another type.
func (db *DB) Tree(ctx context.Context, id TreeID) (*Tree, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t, err := db.d.Tree(ctx, id)
	if err != nil {
		return nil, opError("read tree", id.String(), err)
	}
	return &Tree{d: t}, nil
}

// Diff returns the files that were added, removed or updated on the way from
// commit from to commit to, sorted by path, byte by byte, each once.
func (db *DB) Diff(ctx context.Context, from, to Hash) ([]Change, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	cs, err := db.d.Diff(ctx, from, to)
	return cs, opError("diff", from.String()+".."+to.String(), err)
}

// Fetch copies branch of the Git repository at url, with all its history, into
// the database and returns its head. A url that ends in "#NAME" names the
// branch itself and overrides the argument. No branch here changes. NotExist
// if the remote has no such branch.
func (db *DB) Fetch(ctx context.Context, url, branch string) (Hash, error) {
	url, branch = splitFragment(url, branch)
	if url == "" {
		return Hash{}, opError("fetch", "", invalid("the url is empty"))
	}
	if err := CheckBranch(branch); err != nil {
		return Hash{}, opError("fetch", redact(url), err)
	}
	h, err := db.d.Fetch(ctx, url, branch)
	return h, opError("fetch", redact(url)+"#"+branch, err)
}

// opError adds operation and subject to err. Errors of a context stay what
// they are, so that callers can compare them.
func opError(op, subject string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &Error{Op: op, Subject: subject, Kind: KindOf(err), Err: err}
}
