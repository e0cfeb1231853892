package bridge

import (
	"time"

	"github.com/datakit/datakit/github"
)

// A sided is an element as the three sides have it; nil where one has none.
type sided[E any] struct{ b, g, a *E }

// A prVerdict is what is to become of a pull request.
type prVerdict struct {
	// ask says that GitHub's value must be read before it can be decided; the
	// rest is then not set (GH-124).
	ask bool

	t    *github.PR       // what the branch must say; nil for nothing
	send *github.PRChange // what GitHub is to be told, or nil

	// a is what is agreed upon while send has not succeeded, and sent what is
	// when it has. Without anything to send they are the same.
	a, sent *github.PR

	// forget says that the branch has removed it, which GitHub cannot do, so
	// that GitHub's value no longer counts (GH-126).
	forget bool
}

// decidePR says who wins the title, the state and the base of a pull request,
// each by the rule of GH-118; the rest is GitHub's where that may be read
// (GH-124).
func decidePR(p perm, first bool, v sided[github.PR]) prVerdict {
	switch {
	case !p.read && !p.write:
		return prVerdict{t: v.b, a: v.a, sent: v.a}
	case v.b == nil:
		return decideNoPR(p, first, v)
	case !p.write, p.read && !p.exclusive && first:
		return prVerdict{t: v.g, a: v.g, sent: v.g}
	case !p.read:
		return sendPR(p, first, v, github.PR{})
	}
	g := v.g
	if g == nil {
		if v.a == nil {
			return prVerdict{ask: true}
		}
		closed := v.a.Close() // as only open ones are imported
		closed.Updated = time.Time{}
		g = &closed
	}
	return sendPR(p, first, v, *g)
}

// decideNoPR is decidePR where the branch has no such pull request.
func decideNoPR(p perm, first bool, v sided[github.PR]) prVerdict {
	switch decide(p, first, v.a == nil, p.read && v.g == nil) {
	case takeGitHub:
		return prVerdict{t: v.g, a: v.g, sent: v.g}
	case sendBranch:
		return prVerdict{forget: true}
	}
	return prVerdict{}
}

// sendPR decides the fields of a pull request of the branch. g is GitHub's, and
// has no meaning where it may not be read.
func sendPR(p perm, first bool, v sided[github.PR], g github.PR) prVerdict {
	t := *v.b
	if p.read {
		t.Head, t.Owner, t.Comments, t.Updated = g.Head, g.Owner, g.Comments, g.Updated
	}
	pending := t // what is agreed if nothing can be sent
	was := v.a
	if was == nil {
		was = &g
	}
	var change github.PRChange
	field(p, first, v.a != nil, t.Title, g.Title, was.Title, &t.Title, &pending.Title, &change.Title)
	field(p, first, v.a != nil, t.State, g.State, was.State, &t.State, &pending.State, &change.State)
	field(p, first, v.a != nil, t.Base, g.Base, was.Base, &t.Base, &pending.Base, &change.Base)
	if change == (github.PRChange{}) {
		return prVerdict{t: &t, a: &t, sent: &t}
	}
	verdict := prVerdict{t: &t, send: &change, a: &pending, sent: &t}
	if !p.read && v.a == nil {
		verdict.a = nil
	}
	return verdict
}

// field decides one field. known says that there is an agreed value, was;
// else was is GitHub's.
func field[V comparable](p perm, first, known bool, b, g, was V, t, pending *V, send **V) {
	*t, *pending = b, b
	switch decide(p, first, known && b == was, p.read && b == g) {
	case takeGitHub:
		*t, *pending = g, g
	case sendBranch:
		*send, *pending = &b, was
	}
}
