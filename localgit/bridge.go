package localgit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
	"github.com/datakit/datakit/internal/backoff"
)

// gather is how long notifications are collected before the repositories are
// read: one change makes several.
const gather = 10 * time.Millisecond

// commitTries is how often a sync is made anew because the branch has moved.
const commitTries = 5

// A bridge mirrors repositories. All is done on one goroutine, but for waiting
// for moves of the branch.
type bridge struct {
	opts     Options
	mirrors  []*mirror
	watcher  *watcher // nil in Once
	failures int      // syncs that failed in a row

	known  bool         // seen is a head
	seen   datakit.Hash // at it the branch had what is synced; zero for no branch
	looked time.Time    // when the head was last looked at for changes of others
}

func newBridge(opts Options, w *watcher) *bridge {
	b := &bridge{opts: opts, watcher: w}
	for _, r := range opts.Repositories {
		b.mirrors = append(b.mirrors, newMirror(r, opts))
	}
	return b
}

func (b *bridge) scanAll() {
	for _, m := range b.mirrors {
		b.scan(m)
	}
}

func (b *bridge) scan(m *mirror) {
	m.scan(func(dir string) {
		if b.watcher != nil {
			b.watcher.watch(dir, m)
		}
	})
}

// unreadable returns why repositories cannot be read, or nil.
func (b *bridge) unreadable() error {
	var errs []error
	for _, m := range b.mirrors {
		if m.err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", m.Name, m.err))
		}
	}
	return join(errs...)
}

// run syncs and follows the repositories and the branch until ctx is done.
func (b *bridge) run(ctx context.Context) {
	moves := make(chan struct{}, 1)
	var following sync.WaitGroup
	following.Go(func() { b.follow(ctx, moves) })
	defer following.Wait()
	poll := time.NewTicker(b.opts.Poll)
	defer poll.Stop()
	settle := time.NewTimer(0) // at once, for the first sync
	defer settle.Stop()
	look := time.NewTimer(undoInterval)
	defer look.Stop()
	stale := map[*mirror]bool{}
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-b.watcher.events:
			if !ok {
				b.watcher.events = nil
			} else if m := b.watcher.of(e); m != nil {
				if len(stale) == 0 {
					settle.Reset(gather)
				}
				stale[m] = true
			}
		case err := <-b.watcher.errs:
			b.lost(err, stale)
			settle.Reset(gather)
		case <-moves:
			look.Reset(time.Until(b.looked.Add(undoInterval)))
		case <-look.C:
			if b.moved(ctx); b.due() {
				settle.Reset(gather)
			}
		case <-poll.C:
			if b.poll(stale); len(stale) > 0 {
				settle.Reset(0)
			}
		case <-settle.C:
			if again := b.refresh(ctx, stale); again > 0 {
				settle.Reset(again)
			}
			clear(stale)
		}
	}
}

// lost notes that notifications did not come.
func (b *bridge) lost(err error, stale map[*mirror]bool) {
	b.opts.Log.Warn("notifications of changes were lost: all repositories are read", "error", err)
	for _, m := range b.mirrors {
		stale[m] = true
	}
}

// poll finds the repositories that have changed. Those that cannot be read have
// their own time.
func (b *bridge) poll(stale map[*mirror]bool) {
	for _, m := range b.mirrors {
		if m.err == nil && m.changed() {
			stale[m] = true
		}
	}
}

// refresh reads the repositories that may have changed, and those that could
// not be read, and syncs if any reference has changed. It returns when to do so
// again because of a failure, or 0.
func (b *bridge) refresh(ctx context.Context, stale map[*mirror]bool) (again time.Duration) {
	for _, m := range b.mirrors {
		if stale[m] || m.err != nil {
			b.scan(m)
		}
	}
	failed := b.unreadable() != nil
	if b.due() && b.sync(ctx).Err != nil {
		failed = true
	}
	if !failed {
		b.failures = 0
		return 0
	}
	b.failures++
	return backoff.Delay(b.failures)
}

// due reports whether there is something to sync.
func (b *bridge) due() bool { return !b.known || slices.ContainsFunc(b.mirrors, (*mirror).due) }

// sync brings the branch in step with the repositories that can be read and
// whose references have changed since they were last mirrored, there or in the
// branch (GH-212).
func (b *bridge) sync(ctx context.Context) Report {
	start := time.Now()
	r := Report{}
	for _, m := range b.mirrors {
		if m.err != nil {
			r.Unreadable++
			continue
		}
		r.Refs += len(m.refs)
	}
	r.Message, r.Err = b.commit(ctx)
	if r.Err != nil && ctx.Err() == nil {
		b.opts.Log.Error("the sync failed and will be tried again", "branch", b.opts.Branch, "error", r.Err)
	}
	r.Took = time.Since(start)
	b.opts.Observe(r)
	return r
}

// commit commits what differs between repositories and the branch, and returns
// the message; "" if nothing does.
func (b *bridge) commit(ctx context.Context) (message string, err error) {
	for range commitTries {
		err = b.opts.DB.Branch(b.opts.Branch).With(ctx, func(tx *datakit.Tx) (err error) {
			message, err = b.commitTx(ctx, tx)
			return err
		})
		if !errors.Is(err, datakit.Conflict) {
			break
		}
	}
	if err != nil {
		return "", err
	}
	return message, nil
}

// commitTx is commit in one transaction, which it ends.
func (b *bridge) commitTx(ctx context.Context, tx *datakit.Tx) (message string, err error) {
	base, err := origin(ctx, tx)
	if err != nil {
		return "", err
	}
	b.compareHeads(ctx, base)
	var p plan
	var due []*mirror
	for _, m := range b.mirrors {
		m.leaveOwn(b.opts.Branch, base)
		if !m.due() {
			continue
		}
		due = append(due, m)
		if err := p.compare(ctx, tx, m); err != nil {
			return "", err
		}
	}
	if diff := github.NewDiff(p.update, p.remove); diff.IsEmpty() {
		tx.Abort()
	} else {
		if _, err := layout.Apply(ctx, tx, diff); err != nil {
			return "", err
		}
		message = p.message()
		made, err := tx.CommitHash(ctx, message)
		if err != nil {
			return "", err
		}
		b.committed(ctx, base, made)
	}
	for _, m := range due {
		m.synced = maps.Clone(m.refs)
	}
	return message, nil
}

// A plan is what a sync does.
type plan struct {
	update       []github.Element
	remove       []github.ID
	known, added []string // lines of the message
}

// compare adds what differs between a repository and the branch.
func (p *plan) compare(ctx context.Context, tx *datakit.Tx, m *mirror) error {
	if err := m.share(ctx, &tx.Tree); err != nil {
		return err
	}
	refs, err := layout.Refs(ctx, &tx.Tree, m.Name)
	if err != nil {
		return err
	}
	there := map[github.RefName]bool{}
	for _, old := range refs {
		there[old.Name] = true
		hash, ok := m.refs[old.Name]
		switch {
		case !ok:
			p.remove = append(p.remove, old.ID())
			p.known = append(p.known, "Removing deleted branch "+old.String())
		case hash != "" && hash != old.Commit.Hash:
			now := m.ref(old.Name)
			p.update = append(p.update, now)
			p.known = append(p.known, "Updating existing branch to "+now.String())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.refs)) {
		if !there[name] && m.refs[name] != "" {
			now := m.ref(name)
			p.update = append(p.update, now)
			p.added = append(p.added, "Tracking new branch "+now.String())
		}
	}
	return nil
}

func (m *mirror) ref(name github.RefName) github.Ref {
	return github.Ref{Commit: github.Commit{Repo: m.Name, Hash: m.refs[name]}, Name: name}
}

// message returns the message of the commit.
func (p *plan) message() string {
	lines := append(p.known, p.added...)
	return github.Subject(len(p.update), len(p.remove)) + "\n\n" + strings.Join(lines, "\n") + "\n"
}
