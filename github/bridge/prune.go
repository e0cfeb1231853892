package bridge

import (
	"slices"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/capability"
)

// prune takes out of T what is of no more interest (GH-31), as far as it may be
// read and does not wait to be sent (GH-90). Only what was touched can have
// become so. What it takes out is no longer agreed upon either.
func (y *syncer) prune(r *resolution) {
	drop := func(id github.ID) {
		r.t, r.a = r.t.Remove(id), r.a.Remove(id)
	}
	for _, id := range touched[github.PRID](y) {
		if pr := side[github.PR](r.t, id); pr != nil && pr.State == github.Closed && !y.keeps(r, id) {
			drop(id)
		}
	}
	kept := y.malformedCommits(r)
	for _, c := range touched[github.Commit](y) {
		if kept[c] || !y.mayDrop(c) || needsCommit(r.t, c) || y.keepsStatus(r, c) {
			continue
		}
		for st := range r.t.StatusesAt(c) {
			drop(st.ID())
		}
		for st := range r.a.StatusesAt(c) {
			drop(st.ID())
		}
		drop(c)
		for id := range y.s.malformed {
			if st, ok := id.(github.StatusID); ok && st.Commit == c {
				r.remove = append(r.remove, id) // with the directory of the commit
			}
		}
	}
}

// keeps reports whether an element stays although it is of no more interest.
func (y *syncer) keeps(r *resolution, id github.ID) bool {
	return r.protect[id] || !y.permOf(id).read || y.isHeld(id)
}

func (y *syncer) keepsStatus(r *resolution, c github.Commit) bool {
	for st := range r.t.StatusesAt(c) {
		if y.keeps(r, st.ID()) {
			return true
		}
	}
	return false
}

// mayDrop reports whether the capabilities allow to read what would tell that
// a commit is of no interest.
func (y *syncer) mayDrop(c github.Commit) bool {
	return y.Capabilities.Allows(capability.Read, capability.Of(c))
}

// needsCommit reports whether a pull request or a reference is of the commit.
func needsCommit(s github.Snapshot, c github.Commit) bool {
	for st := range s.StatusesAt(c) {
		s = s.Remove(st.ID())
	}
	return s.Needs(c)
}

// malformedCommits returns the commits of the malformed elements that stay.
func (y *syncer) malformedCommits(r *resolution) map[github.Commit]bool {
	commits := map[github.Commit]bool{}
	for id := range y.s.malformed {
		if r.replaces(id) {
			continue
		}
		if st, ok := id.(github.StatusID); ok {
			commits[st.Commit] = true
		}
		e, _ := r.a.Find(id)
		switch e := e.(type) {
		case github.PR:
			commits[e.Head] = true
		case github.Ref:
			commits[e.Commit] = true
		}
	}
	return commits
}

// replaces reports whether a malformed element is to be replaced or removed.
func (r *resolution) replaces(id github.ID) bool {
	return r.t.Has(id) || slices.Contains(r.remove, id)
}

// pruneG takes out of what is known of GitHub what neither side needs, once
// the branch says what T does.
func (y *syncer) pruneG(r *resolution) {
	y.s.g = y.s.g.Remove(r.forget...)
	for _, id := range touched[github.PRID](y) {
		if pr := side[github.PR](y.s.g, id); pr != nil && pr.State == github.Closed && !r.t.Has(id) {
			y.s.g = y.s.g.Remove(id)
		}
	}
	for _, c := range touched[github.Commit](y) {
		if r.t.Has(c) || needsCommit(y.s.g, c) {
			continue
		}
		for st := range y.s.g.StatusesAt(c) {
			y.s.g = y.s.g.Remove(st.ID())
		}
		y.s.g = y.s.g.Remove(c)
		delete(y.s.reads, statusesOf(c)) // what is pointless now
		delete(y.s.repos[c.Repo].heldCommits, c.Hash)
	}
}
