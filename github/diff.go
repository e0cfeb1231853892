package github

import (
	"slices"
)

// A Diff says what to do to one snapshot to get another (GH-32): which
// elements to put, each in the place of the one with the same identity, and
// which identities to take out. Both lists are in the order of CompareIDs and
// name no identity twice. The zero Diff is empty.
type Diff struct {
	Update []Element
	Remove []ID
}

// NewDiff returns the difference of the elements and identities in any order.
// Of two values of one identity the last counts.
func NewDiff(update []Element, remove []ID) Diff {
	update, remove = slices.Clone(update), slices.Clone(remove)
	slices.Reverse(update)
	slices.SortStableFunc(update, func(a, b Element) int { return CompareIDs(a.Identity(), b.Identity()) })
	slices.SortFunc(remove, CompareIDs)
	return Diff{
		Update: slices.CompactFunc(update, func(a, b Element) bool { return a.Identity() == b.Identity() }),
		Remove: slices.Compact(remove),
	}
}

// Compute returns what is to be done to y to get x (GH-32): x = y.Apply(d). It
// costs as much as they differ if one was made from the other.
func Compute(x, y Snapshot) Diff {
	var d Diff
	diff(x.refs.root, y.refs.root, note[RefID](&d, func(a, b Ref) bool { return a == b }))
	diff(x.statuses.root, y.statuses.root, note[StatusID](&d, Status.Equal))
	diff(x.prs.root, y.prs.root, note[PRID](&d, PR.Equal))
	diff(x.commits.root, y.commits.root, noteID[Commit, int](&d))
	diff(x.repos.root, y.repos.root, noteID[Repo, struct{}](&d))
	return d
}

// note adds to d what becomes of a member of a set of elements.
func note[K interface {
	ID
	key[K]
}, E Element](d *Diff, equal func(a, b E) bool) func(x, y *entry[K, E]) {
	return func(x, y *entry[K, E]) {
		switch {
		case x == nil:
			d.Remove = append(d.Remove, y.key)
		case y == nil || !equal(x.value, y.value):
			d.Update = append(d.Update, x.value)
		}
	}
}

// noteID is note for elements that are their own identity.
func noteID[K interface {
	ID
	Element
	key[K]
}, V any](d *Diff) func(x, y *entry[K, V]) {
	return func(x, y *entry[K, V]) {
		switch {
		case x == nil:
			d.Remove = append(d.Remove, y.key)
		case y == nil:
			d.Update = append(d.Update, x.key)
		}
	}
}

// Apply returns s without what d removes and then with what it updates. A
// commit stays as long as anything that is left needs it (GH-29, GH-33).
func (s Snapshot) Apply(d Diff) Snapshot {
	var commits []ID // last, as what needs them now may be about to change
	for _, id := range d.Remove {
		if c, ok := id.(Commit); ok && !d.updates(c) {
			commits = append(commits, c)
		} else {
			s.remove(id)
		}
	}
	return s.Add(d.Update...).Remove(commits...)
}

// updates reports whether d has an update of the identity.
func (d Diff) updates(id ID) bool {
	_, found := d.find(id)
	return found
}

// find returns where in d.Update the identity is or would be.
func (d Diff) find(id ID) (int, bool) {
	return slices.BinarySearchFunc(d.Update, id, func(e Element, id ID) int { return CompareIDs(e.Identity(), id) })
}

// AddUpdate adds an update to d. It takes the place of an earlier update or,
// but for a repository, removal of the same identity. To add many, NewDiff is
// quicker.
func (d *Diff) AddUpdate(e Element) {
	id := e.Identity()
	i, found := d.find(id)
	if found {
		d.Update = slices.Concat(d.Update[:i], []Element{e}, d.Update[i+1:])
	} else {
		d.Update = slices.Insert(slices.Clip(d.Update), i, e)
	}
	if _, isRepo := id.(Repo); isRepo {
		return // what belongs to it goes nevertheless
	}
	if i, found := slices.BinarySearchFunc(d.Remove, id, CompareIDs); found {
		d.Remove = slices.Concat(d.Remove[:i], d.Remove[i+1:])
	}
}

// AddRemoval adds a removal to d. Earlier updates of what it takes out are
// dropped: the one of the same identity, and with a repository all that belong
// to it.
func (d *Diff) AddRemoval(id ID) {
	if i, found := slices.BinarySearchFunc(d.Remove, id, CompareIDs); !found {
		d.Remove = slices.Insert(slices.Clip(d.Remove), i, id)
	}
	repo, isRepo := id.(Repo)
	gone := func(e Element) bool { return e.Identity() == id || isRepo && e.Repository() == repo }
	if slices.ContainsFunc(d.Update, gone) {
		d.Update = slices.DeleteFunc(slices.Clone(d.Update), gone)
	}
}

// IsEmpty reports whether d does nothing.
func (d Diff) IsEmpty() bool { return len(d.Update) == 0 && len(d.Remove) == 0 }

// Equal reports whether both parts are equal.
func (d Diff) Equal(e Diff) bool {
	same := func(a, b Element) bool { return CompareElements(a, b) == 0 }
	return slices.EqualFunc(d.Update, e.Update, same) && slices.Equal(d.Remove, e.Remove)
}

// Filter returns the part of d whose identities keep reports true for.
func (d Diff) Filter(keep func(ID) bool) Diff {
	var part Diff
	for _, e := range d.Update {
		if keep(e.Identity()) {
			part.Update = append(part.Update, e)
		}
	}
	for _, id := range d.Remove {
		if keep(id) {
			part.Remove = append(part.Remove, id)
		}
	}
	return part
}
