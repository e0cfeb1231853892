package record

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/datakit/datakit"
)

// WriteDefaults writes the defaults of the fields that were defined since the
// last call to the branch of defaults, in one commit, unless it has them. Seal,
// Wait and Upgrade begin with it, and try again what has failed.
func (r *Record) WriteDefaults(ctx context.Context) error {
	ctx, done, err := r.begin(ctx)
	if err != nil {
		return err
	}
	return done(r.writeDefaults(ctx))
}

// writeDefaults is WriteDefaults in one's turn.
func (r *Record) writeDefaults(ctx context.Context) error {
	var fresh []*slot
	for _, s := range r.fields() {
		if !s.written {
			fresh = append(fresh, s)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	unfit, err := r.fillIn(ctx, fresh)
	if err != nil {
		return fmt.Errorf("write defaults: %w", err)
	}
	for _, s := range fresh {
		s.written = unfit[s.path] == nil
	}
	if len(unfit) == 0 {
		return nil
	}
	return fmt.Errorf("write defaults: %w", errors.Join(slices.Collect(maps.Values(unfit))...))
}

// fillIn writes the defaults of slots where the branch has others, and returns
// why it cannot for some: something else is at their place.
func (r *Record) fillIn(ctx context.Context, slots []*slot) (unfit map[datakit.Path]error, err error) {
	if r.cfg.Defaults == "" {
		return nil, nil
	}
	branch := r.db.Branch(r.cfg.Defaults)
	tree, err := branch.Tree(ctx)
	if err != nil {
		return nil, err
	}
	slots = last(slots)
	found, err := lookup(ctx, snapshots{tree}, slots)
	if err != nil {
		return nil, err
	}
	blocked := make(map[datakit.Path]error)
	var changes []change
	var names []string
	for i, s := range slots {
		switch f := found[i]; {
		case f.err != nil:
			blocked[s.path] = f.err
		case f.content != s.def && !(s.keep && f.set):
			changes = append(changes, change{s.path, s.def})
			names = append(names, steps(s.path))
		}
	}
	unfit, err = writeFitting(ctx, branch, "fill-in default for "+strings.Join(names, ", "), changes)
	maps.Copy(blocked, unfit)
	return blocked, err
}

// last returns of several slots for one path the last.
func last(slots []*slot) []*slot {
	index := make(map[datakit.Path]int, len(slots))
	var kept []*slot
	for _, s := range slots {
		if i, ok := index[s.path]; ok {
			kept[i] = s
			continue
		}
		index[s.path] = len(kept)
		kept = append(kept, s)
	}
	return kept
}
