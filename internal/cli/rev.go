package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/datakit/datakit"
)

// A place is a path of a branch or commit, as users write it: REV:PATH, or REV
// for the root. Branches cannot have a colon in their names.
type place struct {
	rev  string
	path datakit.Path
}

func parsePlace(s string) (place, error) {
	rev, text, _ := strings.Cut(s, ":")
	if text = strings.Trim(text, "/"); text == "" {
		return place{rev, datakit.Root}, nil
	}
	path, err := datakit.ParsePath(text)
	return place{rev, path}, err
}

// String is the inverse of parsePlace.
func (p place) String() string { return p.rev + ":" + p.path.String() }

// commit returns the commit that rev names: its hash, or a branch whose head
// it is.
func commit(ctx context.Context, db *datakit.DB, rev string) (*datakit.Commit, error) {
	h, err := datakit.ParseHash(rev)
	if err != nil {
		if h, err = head(ctx, db, rev); err != nil {
			return nil, err
		}
	}
	return db.Commit(ctx, h)
}

// head returns the head of a branch, which must exist.
func head(ctx context.Context, db *datakit.DB, branch string) (datakit.Hash, error) {
	h, err := db.Branch(branch).Head(ctx)
	if err == nil && h.IsZero() {
		err = missing(branch)
	}
	return h, err
}

func missing(branch string) error {
	return &datakit.Error{Op: "find", Subject: branch, Kind: datakit.NotExist, Err: fmt.Errorf("there is no branch or commit of that name")}
}

// tree returns the contents of what rev names.
func tree(ctx context.Context, db *datakit.DB, rev string) (*datakit.Tree, error) {
	c, err := commit(ctx, db, rev)
	if err != nil {
		return nil, err
	}
	return c.Tree(ctx)
}
