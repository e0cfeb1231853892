package record

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/datakit/datakit"
)

// Seal gives the fields their values, after all of them are defined, without
// waiting for anything and without a new version of the record.
func (r *Record) Seal(ctx context.Context) error {
	ctx, done, err := r.begin(ctx)
	if err != nil {
		return err
	}
	return done(r.update(ctx, false, false))
}

// Wait waits until something below the path of the record has changed on a
// lookup branch since the fields were last updated, and updates them. The first
// Wait need not wait. It may return without any field having changed.
//
// It fails when ctx is done, when the record is closed, and when a watch has
// failed. Something else than a file at the place of a key is an error too, but
// all other fields are updated, and the next Wait waits for a change. So it does
// if the branch of the state cannot be written, which Seal tries again.
func (r *Record) Wait(ctx context.Context) error {
	for {
		if err := r.events.wait(ctx); err != nil {
			return err
		}
		if again, err := r.waited(ctx); !again {
			return err
		}
	}
}

// waited makes the update of Wait, unless another one was quicker.
func (r *Record) waited(ctx context.Context) (again bool, err error) {
	ctx, done, err := r.begin(ctx)
	if err != nil {
		return false, err
	}
	stale, err := r.stale(ctx)
	if err == nil && stale {
		err = r.update(ctx, true, true)
	}
	return !stale && err == nil, done(err)
}

// stale reports whether there is something for Wait to do. A change that came
// with heads which the last update has read, such as that of its own defaults,
// is no reason. It is called in one's turn.
func (r *Record) stale(ctx context.Context) (bool, error) {
	first, changed := r.events.due()
	if first || !changed {
		return first, nil
	}
	seen := r.events.seen()
	heads, err := r.readHeads(ctx)
	if err != nil {
		return false, err
	}
	if !slices.Equal(heads, r.heads) {
		return true, nil
	}
	r.events.reflect(seen, true)
	return false, nil
}

// update gives the fields the values that the lookup branches have now, and
// brings the branch of the state in line. It is called in one's turn.
func (r *Record) update(ctx context.Context, bump, waited bool) error {
	unwritten := r.writeDefaults(ctx) // which is no reason not to look up
	seen := r.events.seen()
	trees, heads, err := r.snapshots(ctx)
	if err != nil {
		return err
	}
	slots := r.fields()
	found, err := lookup(ctx, trees, slots)
	if err != nil {
		return err
	}
	misplaced := r.publish(slots, found, bump)
	r.events.reflect(seen, waited)
	r.heads = nil // so that the next event tries a failed state again
	unsaved := r.writeState(ctx, slots)
	if unsaved == nil {
		r.heads = heads
	}
	return errors.Join(r.malformed(), unwritten, misplaced, unsaved)
}

// publish gives the slots what was found for them.
func (r *Record) publish(slots []*slot, found []finding, bump bool) error {
	r.mu.Lock()
	if bump {
		r.version++
	}
	version := r.version
	r.mu.Unlock()
	var errs []error
	for i, s := range slots {
		switch f := found[i]; {
		case f.err != nil:
			errs = append(errs, f.err)
		case f.content != s.now:
			s.now = f.content
			s.take(f.content, version)
		}
	}
	return errors.Join(errs...)
}

// writeState makes the branch of the state have what the slots have, in one
// commit, if it does not. Something else at the place of a key is an error, but
// all others are written.
func (r *Record) writeState(ctx context.Context, slots []*slot) error {
	if r.cfg.State == "" {
		return nil
	}
	branch := r.db.Branch(r.cfg.State)
	tree, err := branch.Tree(ctx)
	if err != nil {
		return err
	}
	found, err := lookup(ctx, snapshots{tree}, slots)
	if err != nil {
		return err
	}
	var changes []change
	for i, s := range slots {
		if !s.now.set && errors.Is(found[i].err, datakit.NotDir) {
			continue // which is absent
		}
		if found[i].err != nil || found[i].content != s.now {
			changes = append(changes, change{s.path, s.now})
		}
	}
	unfit, err := writeFitting(ctx, branch, "Updating state branch", changes)
	if err != nil || len(unfit) == 0 {
		return err
	}
	return fmt.Errorf("write state: %w", errors.Join(slices.Collect(maps.Values(unfit))...))
}
