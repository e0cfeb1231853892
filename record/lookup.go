package record

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/datakit/datakit"
)

// lookups is how many fields are looked up at a time. Fewer than the fids of the
// meanest connection are needed for them.
const lookups = 8

// readHeads reads the heads of the lookup branches.
func (r *Record) readHeads(ctx context.Context) ([]datakit.Hash, error) {
	heads := make([]datakit.Hash, len(r.cfg.Lookup))
	for i, name := range r.cfg.Lookup {
		var err error
		if heads[i], err = r.db.Branch(name).Head(ctx); err != nil {
			return nil, err
		}
	}
	return heads, nil
}

// snapshots are the trees of lookup branches at one moment. One without a head
// has none.
type snapshots []*datakit.Tree

// snapshots returns the trees of the lookup branches, and the heads they are of.
func (r *Record) snapshots(ctx context.Context) (trees snapshots, heads []datakit.Hash, err error) {
	if heads, err = r.readHeads(ctx); err != nil {
		return nil, nil, err
	}
	for _, h := range heads {
		if h.IsZero() {
			continue
		}
		c, err := r.db.Commit(ctx, h)
		if err != nil {
			return nil, nil, err
		}
		t, err := c.Tree(ctx)
		if err != nil {
			return nil, nil, err
		}
		trees = append(trees, t)
	}
	return trees, heads, nil
}

// find returns what the first branch that has something at path has there.
func (trees snapshots) find(ctx context.Context, path datakit.Path) (content, error) {
	for _, t := range trees {
		if c, err := read(ctx, t, path); c.set || err != nil {
			return c, err
		}
	}
	return content{}, nil
}

// A finding is what there is for a slot, or why that is not to be known.
type finding struct {
	content
	err error
}

// lookup returns what trees have for slots. The error is one that ends an
// update, as it is not about a single field.
func lookup(ctx context.Context, trees snapshots, slots []*slot) ([]finding, error) {
	found := make([]finding, len(slots))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(lookups)
	for i, s := range slots {
		g.Go(func() error {
			c, err := trees.find(ctx, s.path)
			if err != nil && !misplaced(err) {
				return err
			}
			found[i] = finding{c, err}
			return nil
		})
	}
	return found, g.Wait()
}

// misplaced reports whether an error says that something else is where a file
// or a directory on the way to it is expected.
func misplaced(err error) bool {
	return errors.Is(err, datakit.NotDir) || errors.Is(err, datakit.NotFile) || errors.Is(err, datakit.IsDir)
}
