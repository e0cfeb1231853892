package bridge

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/capability"
	"github.com/datakit/datakit/github/layout"
)

// comeAndGo compares the repositories that the branch wants to be mirrored with
// those that are (GH-88, step 2).
func (y *syncer) comeAndGo() {
	for r := range y.s.repos {
		if !y.wants(r) && !y.monitor[r] {
			y.leave(r)
		}
	}
	for r := range y.s.b.Repos() {
		if y.s.repos[r] == nil && y.wants(r) {
			y.mirror(r)
		}
	}
}

// wants reports whether a repository is to be mirrored: by the branch, and by
// the capabilities (GH-153).
func (y *syncer) wants(r github.Repo) bool {
	if !y.s.b.Has(r) {
		delete(y.s.ignored, r)
		return false
	}
	if y.Capabilities.Syncs(r) {
		return true
	}
	if !y.s.ignored[r] {
		y.s.ignored[r] = true
		y.Log.Info("excluded by the capabilities", "repository", r.String(), "capabilities", y.Capabilities.String())
	}
	return false
}

// mirror starts the first import of a repository (GH-82).
func (y *syncer) mirror(r github.Repo) {
	m := &mirror{statuses: fresh, heldRefs: map[github.RefName]phase{}, heldCommits: map[string]phase{}}
	if !y.mayRead(capability.PR) {
		m.prs = fresh // there is nothing to wait for
	}
	if !y.mayRead(capability.Ref) {
		m.refs = fresh
	}
	y.s.repos[r] = m
	y.imported[r] = true
	touchAll(y.s, y.s.b.ElementsOf(r))
	if receiver, ok := y.Source.(github.Receiver); ok {
		receiver.Accept(r)
	}
	if y.hasHooks() {
		y.s.hooks[r] = &hook{}
	}
	y.Log.Info("first import", "repository", r.String())
}

// obey has the repositories mirrored that events want to be (GH-105). What is
// in their directories counts as what the branch says.
func (y *syncer) obey(ctx context.Context, tx *datakit.Tx) error {
	for r, monitored := range y.monitor {
		if !monitored || y.s.branch.Snapshot.Has(r) {
			continue
		}
		content, err := layout.ReadRepo(ctx, &tx.Tree, r)
		if err != nil {
			return err
		}
		y.s.b = y.s.b.Union(content.Snapshot).Add(r)
		for _, m := range content.Malformed {
			if m.ID != nil {
				y.s.malformed[m.ID] = m.Reason
			}
		}
		if y.s.repos[r] == nil {
			y.mirror(r)
		}
	}
	return nil
}

// leave forgets a repository that is no longer mirrored (GH-134).
func (y *syncer) leave(r github.Repo) {
	y.s.forget(r)
	delete(y.s.hooks, r)
	if receiver, ok := y.Source.(github.Receiver); ok {
		receiver.Refuse(r)
	}
	if y.hasHooks() {
		y.s.hooks[r] = &hook{remove: true}
	}
	y.Log.Info("no longer mirrored", "repository", r.String())
}

// hasHooks reports whether webhooks are to be registered and removed.
func (y *syncer) hasHooks() bool {
	if y.Source == nil || y.plan != nil {
		return false
	}
	return y.Capabilities.Allows(capability.Write, capability.Webhook)
}

// dueHooks returns the webhooks that are to be registered and removed now. On a
// resync those that GitHub has refused are tried again, and all others looked
// for: somebody may have removed them.
func (y *syncer) dueHooks() map[github.Repo]*hook {
	due := map[github.Repo]*hook{}
	if !y.hasHooks() {
		return due
	}
	if y.s.resync {
		for r := range y.s.repos {
			if y.s.hooks[r] == nil {
				y.s.hooks[r] = &hook{}
			}
		}
	}
	for r, h := range y.s.hooks {
		if h.noticed.IsZero() || y.due(&h.retry) || y.s.resync && !h.goesOn {
			due[r] = h
		}
	}
	return due
}

// importWhole reads what the lists are of. Where a webhook is due it is set
// before (GH-88, step 3), so that no change is missed between the two. That
// holds up the lists of its own repository only (GH-117).
func (y *syncer) importWhole(ctx context.Context, lists []read) {
	l := y.newLoader(ctx, false)
	hooks := y.dueHooks()
	after := map[github.Repo][]read{}
	for _, r := range lists {
		if hooks[r.repo] == nil {
			l.add(r)
		} else {
			after[r.repo] = append(after[r.repo], r)
		}
	}
	for r, h := range hooks {
		l.calls.add(func() {
			missed := y.setHook(ctx, r, h)
			y.mu.Lock()
			defer y.mu.Unlock()
			for _, list := range append(missed, after[r]...) {
				l.add(list)
			}
		})
	}
	l.calls.run(y.Jobs)
}

// setHook registers or removes a webhook. What it returns is to be read, as
// nobody told of what has happened since the import.
func (y *syncer) setHook(ctx context.Context, r github.Repo, h *hook) (missed []read) {
	do, what := y.Source.Watch, "register"
	if h.remove {
		do, what = y.Source.Unwatch, "remove"
	}
	late := func(err error, _ time.Duration) {
		if y.s.hooks[r] == h {
			y.hookEnded(r, h, what, err)
			return
		}
		// Something else is wanted by now, and may have been undone.
		y.s.hooks[r] = &hook{remove: y.s.repos[r] == nil, retry: retry{due: y.now()}}
	}
	err := y.await(ctx, group{r, callHook}, &h.retry, func(ctx context.Context) error { return do(ctx, r) }, late)
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.hookEnded(r, h, what, err)
}

// hookEnded notes how it has ended to register or remove a webhook, and returns
// what setHook does. The lock is held, or no call runs.
func (y *syncer) hookEnded(r github.Repo, h *hook, what string, err error) (missed []read) {
	if err != nil {
		if h.fail(y.now(), err) {
			y.failed(err, "webhook could not be changed", "repository", r.String(), "change", what)
		}
		return nil
	}
	delete(y.s.hooks, r)
	if h.remove || h.noticed.IsZero() {
		return nil
	}
	for _, list := range listsOf(r) {
		if y.allowed(list) {
			y.s.reads[list] = &retry{due: y.now()}
			missed = append(missed, list)
		}
	}
	return missed
}

// listsOf returns the reads of all that a repository has.
func listsOf(r github.Repo) []read {
	return []read{{repo: r, what: readPRs}, {repo: r, what: readRefs}}
}

// importAll sets webhooks and reads from GitHub what has to be (GH-88, step 5):
// the repositories that are imported first, all of them on a resync, what is
// dirty, and what could not be read before and is due.
func (y *syncer) importAll(ctx context.Context) {
	var whole, single []read
	for r := range y.s.repos {
		if y.imported[r] || y.s.resync {
			whole = append(whole, listsOf(r)...)
		}
	}
	for id, tried := range y.s.dirty {
		if tried {
			continue
		}
		lists, one := y.asked(id)
		if y.gotBefore(append(one, lists...)) {
			continue // the .dirty file came after the read: the next sync reads again
		}
		y.s.dirty[id] = true
		y.retryRefused(id)
		whole, single = append(whole, lists...), append(single, one...)
	}
	for r, again := range y.s.reads {
		switch {
		case !y.due(again) && !y.s.resync:
		case r.lists():
			whole = append(whole, r)
		default:
			single = append(single, r)
		}
	}
	y.importWhole(ctx, whole)
	y.load(ctx, single, false)
	y.s.resync = false
}

// asked returns what the .dirty file of id asks for. Where GitHub has refused
// the repository its lists are tried first, without which nothing else of it
// can be read (GH-116).
func (y *syncer) asked(id github.ID) (lists, single []read) {
	switch id := id.(type) {
	case github.Repo:
		return listsOf(id), nil
	case github.PRID:
		single = []read{pullRequest(id)}
	case github.RefID:
		single = []read{reference(id)}
	}
	if r := id.Repository(); y.s.refuses(r) {
		lists = listsOf(r)
	}
	return lists, single
}

// gotBefore reports whether one of these was read before the branch moved, as
// far as the sync has compared before.
func (y *syncer) gotBefore(reads []read) bool {
	return y.tries > 1 && slices.ContainsFunc(reads, func(r read) bool { return y.got[r] })
}

// hasFailed reports whether something of what the .dirty file of id asks for
// could not be read. Of a repository that GitHub refuses nothing is.
func (y *syncer) hasFailed(id github.ID) bool {
	if _, single := y.asked(id); y.s.refuses(id.Repository()) && slices.ContainsFunc(single, y.allowed) {
		return true
	}
	var commit github.Commit
	e, _ := y.s.g.Find(id)
	switch e := e.(type) {
	case github.PR:
		commit = e.Head
	case github.Ref:
		commit = e.Commit
	}
	for r := range y.s.reads {
		switch r.what {
		case readPR, readComments:
			if r.prID() == id {
				return true
			}
		case readRef:
			if r.refID() == id {
				return true
			}
		case readStatuses:
			if r.commit() == commit {
				return true
			}
		}
		if r.repo == id {
			return true
		}
	}
	return false
}

// settle notes that both sides have agreed (GH-118).
func (s *State) settle() {
	for _, m := range s.repos {
		for _, p := range []*phase{&m.prs, &m.refs, &m.statuses} {
			if *p == fresh {
				*p = settled
			}
		}
		maps.DeleteFunc(m.heldRefs, func(_ github.RefName, p phase) bool { return p == fresh })
		maps.DeleteFunc(m.heldCommits, func(_ string, p phase) bool { return p == fresh })
	}
}
