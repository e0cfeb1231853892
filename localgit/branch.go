package localgit

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github/layout"
	"github.com/datakit/datakit/internal/backoff"
)

// undoInterval is how often at most the bridge looks for changes that others
// make in the branch: another program may undo what it does about them, and so
// on.
const undoInterval = time.Second

// follow tells moves when the head was moved, until ctx is done.
func (b *bridge) follow(ctx context.Context, moves chan<- struct{}) {
	tell := func() {
		select {
		case moves <- struct{}{}:
		default: // whoever is told finds this head too
		}
	}
	for failures := 1; ; failures++ {
		err := b.followUntil(ctx, func() {
			failures = 0
			tell()
		})
		if ctx.Err() != nil {
			return
		}
		tell()
		if errors.Is(err, datakit.Overflow) {
			failures = 0
			continue
		}
		b.opts.Log.Warn("the branch cannot be watched at present", "branch", b.opts.Branch, "error", err)
		select {
		case <-time.After(backoff.Delay(max(failures, 1))):
		case <-ctx.Done():
			return
		}
	}
}

// followUntil calls tell when the head may have been moved, until the first
// failure. A reflog, unlike a watch, also tells of a branch that was made and
// lost again meanwhile.
func (b *bridge) followUntil(ctx context.Context, tell func()) error {
	w, err := b.opts.DB.Branch(b.opts.Branch).Reflog(ctx)
	if err != nil {
		return err
	}
	defer w.Close()
	for err == nil {
		tell()
		_, err = w.Next(ctx)
	}
	return err
}

// moved looks whether the branch still has what it should.
func (b *bridge) moved(ctx context.Context) {
	b.looked = time.Now()
	h, err := b.opts.DB.Branch(b.opts.Branch).Head(ctx)
	if err != nil {
		b.opts.Log.Debug("the head cannot be read", "branch", b.opts.Branch, "error", err)
		b.known = false // the next sync compares all
		return
	}
	b.compareHeads(ctx, h)
}

// compareHeads has those repositories synced again whose references differ
// between the head that was last seen and h: all, if that cannot be told, as
// in a database that has lost the branch.
func (b *bridge) compareHeads(ctx context.Context, h datakit.Hash) {
	if b.known && h == b.seen {
		return
	}
	lost := !b.known || h.IsZero() || b.seen.IsZero()
	var changes []datakit.Change
	if !lost {
		var err error
		changes, err = b.opts.DB.Diff(ctx, b.seen, h)
		lost = err != nil
	}
	for _, m := range b.mirrors {
		// What another bridge writes is not fought over until this
		// repository changes.
		if lost || !m.shared && m.changedIn(changes) {
			m.synced = nil
		}
	}
	b.known, b.seen = true, h
}

// changedIn reports whether any of the changes is of a reference.
func (m *mirror) changedIn(changes []datakit.Change) bool {
	refs := string(layout.Dir(m.Name)) + "/ref/"
	return slices.ContainsFunc(changes, func(c datakit.Change) bool { return strings.HasPrefix(string(c.Path), refs) })
}

// committed notes the commit that the sync from base has made. If it was merged,
// or cannot be told, everything is compared once more.
func (b *bridge) committed(ctx context.Context, base, made datakit.Hash) {
	b.known = false
	c, err := b.opts.DB.Commit(ctx, made)
	if err != nil {
		return
	}
	if base.IsZero() && len(c.Parents) == 0 || slices.Equal(c.Parents, []datakit.Hash{base}) {
		b.known, b.seen = true, made
	}
}

// origin returns the head that a transaction began from, or the zero Hash.
func origin(ctx context.Context, tx *datakit.Tx) (h datakit.Hash, err error) {
	parents, err := tx.Parents(ctx)
	if len(parents) > 0 {
		h = parents[0]
	}
	return h, err
}
