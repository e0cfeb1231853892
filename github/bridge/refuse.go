package bridge

import (
	"github.com/datakit/datakit/github"
)

// sameSendable reports whether two values, nil for none, are the same as far as
// GitHub can be told of them: of a pull request its title, state and base
// (GH-124).
func sameSendable(x, y github.Element) bool {
	p, ok := x.(github.PR)
	q, ok2 := y.(github.PR)
	if ok && ok2 {
		return p.Title == q.Title && p.State == q.State && p.Base == q.Base
	}
	return equalElements(x, y)
}

// refusedAlready reports whether GitHub has refused the value b of the branch,
// and neither it nor GitHub's value g has changed since. If GitHub's has, the
// refused value counts as the agreed one from now on; else that is a (GH-114).
func (y *syncer) refusedAlready(id github.ID, b, g, a github.Element) (refused bool, agreed github.Element) {
	was, ok := y.s.refused[id]
	switch {
	case !ok:
		return false, a
	case !sameSendable(was.b, b):
		delete(y.s.refused, id)
		return false, a
	case !sameSendable(was.g, g):
		delete(y.s.refused, id)
		return false, was.b
	}
	return true, a
}

// refuse notes that GitHub refuses the value b of the branch.
func (y *syncer) refuse(id github.ID, b, g github.Element, reason string) {
	delete(y.s.sends, id)
	if was, ok := y.s.refused[id]; !ok || was.reason != reason {
		y.warn("refused by GitHub", "what", id.String(), "reason", reason)
	}
	y.s.refused[id] = refusal{b: b, g: g, reason: reason}
}

// retryRefused has all that GitHub has refused about what id stands for sent
// again: a repository, a pull request or a reference, the last two with the
// statuses of their commits (GH-114).
func (y *syncer) retryRefused(id github.ID) {
	if len(y.s.refused) == 0 {
		return
	}
	commits := map[github.Commit]bool{}
	for _, side := range []github.Snapshot{y.s.b, y.s.g} {
		switch e, _ := side.Find(id); e := e.(type) {
		case github.PR:
			commits[e.Head] = true
		case github.Ref:
			commits[e.Commit] = true
		}
	}
	for refused := range y.s.refused {
		st, isStatus := refused.(github.StatusID)
		if refused == id || refused.Repository() == id || isStatus && commits[st.Commit] {
			delete(y.s.refused, refused)
			y.s.touchID(refused)
		}
	}
}

// unsend notes that there is nothing to be sent of an element. What is under
// way is, until it has ended.
func (y *syncer) unsend(id github.ID) {
	if p := y.s.sends[id]; p != nil && !p.goesOn {
		delete(y.s.sends, id)
	}
	delete(y.s.refused, id)
}

// resolveMalformed decides an element of the branch that cannot be understood.
// It counts as unchanged there, and stays until GitHub's value changes (GH-129).
// It reports whether the element is such a one.
func (y *syncer) resolveMalformed(r *resolution, id github.ID, p perm, g, a github.Element) bool {
	if _, ok := y.s.malformed[id]; !ok {
		return false
	}
	y.unsend(id)
	if pr, ok := g.(github.PR); ok && pr.State == github.Closed {
		g = nil // as it would be pruned
	}
	replace := p.read && !p.exclusive && (!p.write || y.phaseOf(id) == fresh || !equalElements(g, a))
	switch {
	case !replace:
		r.protect[id] = true
		return true
	case g == nil:
		r.remove = append(r.remove, id)
	default:
		r.t = r.t.Add(g)
	}
	r.a = set(r.a, id, g)
	return true
}
