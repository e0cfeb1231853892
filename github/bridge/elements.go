package bridge

import (
	"context"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/capability"
)

// side returns what a snapshot has of an identity, or nil.
func side[E github.Element](s github.Snapshot, id github.ID) *E {
	e, ok := s.Find(id)
	if !ok {
		return nil
	}
	return value[E](e)
}

func sides[E github.Element](s *State, id github.ID) sided[E] {
	return sided[E]{side[E](s.b, id), side[E](s.g, id), side[E](s.a, id)}
}

// element is v as an Element, nil for none.
func element[E github.Element](v *E) github.Element {
	if v == nil {
		return nil
	}
	return *v
}

// value is the inverse of element.
func value[E github.Element](e github.Element) *E {
	v, ok := e.(E)
	if !ok {
		return nil
	}
	return &v
}

// set returns s with v as what it has of an identity.
func set(s github.Snapshot, id github.ID, v github.Element) github.Snapshot {
	if v == nil {
		return s.Remove(id)
	}
	return s.Add(v)
}

// phaseOf returns how far the first import of an element has come.
func (y *syncer) phaseOf(id github.ID) phase {
	m := y.s.repos[id.Repository()]
	switch id := id.(type) {
	case github.PRID:
		return m.prs
	case github.RefID:
		if p, held := m.heldRefs[id.Name]; held && m.refs != unread {
			return p
		}
		return m.refs
	case github.StatusID:
		if p, held := m.heldCommits[id.Commit.Hash]; held {
			return p
		}
	}
	return m.statuses
}

// isHeld reports whether an element must stay as the branch has it, because
// GitHub's value, which is to win or to be compared, could not be read so far
// (GH-99).
func (y *syncer) isHeld(id github.ID) bool {
	return y.permOf(id).read && y.phaseOf(id) == unread
}

// resolvePRs decides the touched pull requests. Of those of which GitHub's side
// knows nothing it reads them first (GH-124).
func (y *syncer) resolvePRs(ctx context.Context, r *resolution) {
	var ask []read
	var later []github.PRID
	for _, id := range touched[github.PRID](y) {
		if y.resolvePR(r, id) {
			continue
		}
		later = append(later, id)
		if again := y.s.reads[pullRequest(id)]; again == nil || y.due(again) {
			ask = append(ask, pullRequest(id))
		}
	}
	y.load(ctx, ask, true)
	for _, id := range later {
		if y.resolvePR(r, id) {
			continue
		}
		r.protect[id] = true
		again := y.s.reads[pullRequest(id)]
		switch {
		case again == nil && y.got[pullRequest(id)]:
			y.refuse(id, element(side[github.PR](y.s.b, id)), nil, github.OpReadPR+": 404 there is no such pull request")
		case again != nil && again.reason != "":
			y.refuse(id, element(side[github.PR](y.s.b, id)), nil, again.reason)
		}
	}
}

// resolvePR decides a pull request. ok is false if it must be read first.
func (y *syncer) resolvePR(r *resolution, id github.PRID) (ok bool) {
	v := sides[github.PR](y.s, id)
	p := y.permOf(id)
	if y.isHeld(id) || y.resolveMalformed(r, id, p, element(v.g), element(v.a)) {
		return true
	}
	blocked, agreed := y.refusedAlready(id, element(v.b), element(v.g), element(v.a))
	v.a = value[github.PR](agreed)
	if blocked && v.g == nil && v.a == nil {
		r.protect[id] = true // it was asked for before
		return true
	}
	d := decidePR(p, y.phaseOf(id) == fresh, v)
	if d.ask {
		return false
	}
	y.denyWrite(p, id, element(v.b), element(v.a), element(v.g))
	r.t = set(r.t, id, element(d.t))
	r.a = set(r.a, id, element(d.a))
	if d.forget {
		r.forget = append(r.forget, id)
	}
	if d.send == nil {
		y.unsend(id)
		return true
	}
	now := v.a
	if now == nil {
		now = v.b
	}
	y.queue(r, blocked, sending{SetPR{id, *d.send}, id, element(v.b), element(v.g), change(*now, *d.send), *d.sent})
	return true
}

// change returns pr after the change.
func change(pr github.PR, c github.PRChange) github.PR {
	if c.Title != nil {
		pr.Title = *c.Title
	}
	if c.State != nil {
		pr.State = *c.State
	}
	if c.Base != nil {
		pr.Base = *c.Base
	}
	return pr
}

// resolveRef decides a reference.
func (y *syncer) resolveRef(r *resolution, id github.RefID) {
	v := sides[github.Ref](y.s, id)
	p := y.permOf(id)
	if p.exclusive && y.phaseOf(id) == fresh && !hasRefs(y.s.b, id.Repo) {
		p.exclusive = false // an empty branch is no order to delete (GH-122)
	}
	resolveValue(y, r, id, p, true, v, func() Write {
		if v.b == nil {
			return RemoveRef{id}
		}
		create := v.g == nil && (p.read || v.a == nil) // what is agreed is there
		return SetRef{Ref: *v.b, Create: create, Force: p.exclusive}
	})
}

func hasRefs(s github.Snapshot, r github.Repo) bool {
	for range s.RefsOf(r) {
		return true
	}
	return false
}

// resolveStatus decides a status.
func (y *syncer) resolveStatus(r *resolution, id github.StatusID) {
	v := sides[github.Status](y.s, id)
	resolveValue(y, r, id, y.permOf(id), false, v, func() Write { return SetStatus{*v.b} })
}

// resolveValue decides an element that is sent as a whole. removable tells that
// GitHub can remove one of its kind, and write makes the call that sends it.
func resolveValue[E github.Element](y *syncer, r *resolution, id github.ID, p perm, removable bool, v sided[E], write func() Write) {
	if y.isHeld(id) || y.resolveMalformed(r, id, p, element(v.g), element(v.a)) {
		return
	}
	blocked, agreed := y.refusedAlready(id, element(v.b), element(v.g), element(v.a))
	v.a = value[E](agreed)
	equal := func(x, y E) bool { return github.CompareElements(x, y) == 0 }
	d := decideValue(p, y.phaseOf(id) == fresh, removable, v, equal)
	y.denyWrite(p, id, element(v.b), element(v.a), element(v.g))
	r.t = set(r.t, id, element(d.t))
	r.a = set(r.a, id, element(d.a))
	if d.forget {
		r.forget = append(r.forget, id)
	}
	if !d.send {
		y.unsend(id)
		return
	}
	y.queue(r, blocked, sending{write(), id, element(v.b), element(v.g), element(d.sent), element(d.sent)})
}

// denyWrite logs that a change of the branch is not sent because it may not be.
func (y *syncer) denyWrite(p perm, id github.ID, b, a, g github.Element) {
	if !p.write && p.read && !equalElements(b, a) && !equalElements(b, g) {
		y.deny(capability.Write, capability.Of(id))
	}
}

func equalElements(x, y github.Element) bool {
	if x == nil || y == nil {
		return x == nil && y == nil
	}
	return github.CompareElements(x, y) == 0
}
