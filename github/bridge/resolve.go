package bridge

import (
	"context"
	"slices"

	"github.com/datakit/datakit/github"
)

// A resolution is what comes of comparing the sides.
type resolution struct {
	t       github.Snapshot // what the branch must say
	a       github.Snapshot // what is agreed once the branch says so
	remove  []github.ID     // malformed elements that the branch must not have
	forget  []github.ID     // what GitHub has and no longer counts (GH-126)
	sends   []sending
	protect map[github.ID]bool   // what could not be sent: it is not pruned (GH-112, GH-114)
	errors  map[github.ID]string // what the .error files are to say
}

// A sending is a value of the branch that GitHub is to be told.
type sending struct {
	write Write
	id    github.ID
	b, g  github.Element // what the branch and GitHub say; nil for nothing
	now   github.Element // what is agreed as soon as it has succeeded
	sent  github.Element // what is agreed once the branch has been written, too
}

// resolve decides all elements that were touched (GH-88, step 6).
func (y *syncer) resolve(ctx context.Context) *resolution {
	r := &resolution{t: y.s.b, a: y.s.a, protect: map[github.ID]bool{}}
	y.resolvePRs(ctx, r)
	for _, id := range touched[github.RefID](y) {
		y.resolveRef(r, id)
	}
	y.readNeeded(ctx, r)
	for _, id := range y.touchedStatuses() {
		y.resolveStatus(r, id)
	}
	for repo := range y.monitor {
		if y.leaves(repo) {
			r.t = r.t.Remove(repo)
		}
	}
	return r
}

// touched returns the touched identities of a kind, of repositories that are
// mirrored, in order.
func touched[K interface {
	github.ID
	Compare(K) int
}](y *syncer) []K {
	var ids []K
	for id := range y.s.touched {
		if k, ok := id.(K); ok && y.s.repos[k.Repository()] != nil && !y.leaves(k.Repository()) {
			ids = append(ids, k)
		}
	}
	slices.SortFunc(ids, K.Compare)
	return ids
}

// touchedStatuses returns the touched statuses and all those of touched
// commits, in order.
func (y *syncer) touchedStatuses() []github.StatusID {
	ids := touched[github.StatusID](y)
	for _, c := range touched[github.Commit](y) {
		for _, side := range []github.Snapshot{y.s.b, y.s.g, y.s.a} {
			for st := range side.StatusesAt(c) {
				ids = append(ids, st.ID())
			}
		}
	}
	slices.SortFunc(ids, github.StatusID.Compare)
	return slices.Compact(ids)
}

// leaves reports whether an event says that the repository is to be ignored
// (GH-105).
func (y *syncer) leaves(r github.Repo) bool {
	monitored, told := y.monitor[r]
	return told && !monitored
}

// readNeeded reads the statuses of the commits that the branch makes
// interesting (GH-102).
func (y *syncer) readNeeded(ctx context.Context, r *resolution) {
	var reads []read
	need := func(c github.Commit) {
		k := statusesOf(c)
		again := y.s.reads[k]
		if !y.known.Has(c) && !y.got[k] && (again == nil || y.due(again)) {
			reads = append(reads, k)
		}
	}
	for _, id := range touched[github.PRID](y) {
		if e, ok := r.t.Find(id); ok && e.(github.PR).State == github.Open {
			need(e.(github.PR).Head)
		}
	}
	for _, id := range touched[github.RefID](y) {
		if e, ok := r.t.Find(id); ok {
			need(e.(github.Ref).Commit)
		}
	}
	y.load(ctx, reads, true)
	for _, k := range reads {
		if !y.got[k] && y.allowed(k) { // as GitHub refuses the repository
			y.hold(k.commit())
		}
	}
}

// hold has the statuses of a commit stay as the branch has them until they can
// be read, if that is part of a first import (GH-99).
func (y *syncer) hold(c github.Commit) {
	if m := y.s.repos[c.Repo]; m.statuses != settled {
		m.heldCommits[c.Hash] = unread
	}
}

// due reports whether something that failed is to be tried again.
func (y *syncer) due(r *retry) bool {
	return y.all && r.reason == "" && !r.goesOn || r.isDue(y.now())
}
