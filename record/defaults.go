package record

import (
	"context"
	"fmt"
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
	if err := r.fillIn(ctx, fresh); err != nil {
		return fmt.Errorf("write defaults: %w", err)
	}
	for _, s := range fresh {
		s.written = true
	}
	return nil
}

// fillIn writes the defaults of slots where the branch has others.
func (r *Record) fillIn(ctx context.Context, slots []*slot) error {
	if r.cfg.Defaults == "" {
		return nil
	}
	branch := r.db.Branch(r.cfg.Defaults)
	tree, err := branch.Tree(ctx)
	if err != nil {
		return err
	}
	var changes []change
	var names []string
	for _, s := range last(slots) {
		c, err := read(ctx, tree, s.path)
		if err != nil {
			return err
		}
		if c != s.def && !(s.keep && c.set) {
			changes = append(changes, change{s.path, s.def})
			names = append(names, steps(s.path))
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return branch.Update(ctx, "fill-in default for "+strings.Join(names, ", "), func(tx *datakit.Tx) error {
		return write(ctx, tx, changes)
	})
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
