package layout

import (
	"context"
	"slices"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
)

// Changes is what differs between two commits (GH-67 to GH-73).
type Changes struct {
	// Diff has an update for each element touched that is there in the newer
	// commit, whether its value has changed or not, and a removal for each that
	// is not. A repository whose mark was touched has all its elements as
	// updates if it is monitored in the newer commit; elements of others are
	// not in it.
	Diff github.Diff

	// Dirty got a file .dirty, or a new one.
	Dirty []github.ID

	// Malformed are the elements touched that cannot be understood in the newer
	// commit. Diff has a removal for them.
	Malformed []Malformed

	// Errors are the elements touched that have a file .error in the newer
	// commit.
	Errors []github.ID

	touched touched // what was read
}

// Between returns what differs on the way from one commit to another. Only what
// the tree difference touches is read. NotExist if either is missing.
func Between(ctx context.Context, db *datakit.DB, from, to datakit.Hash) (Changes, error) {
	commit, err := db.Commit(ctx, to)
	if err != nil {
		return Changes{}, err
	}
	tree, err := commit.Tree(ctx)
	if err != nil {
		return Changes{}, err
	}
	changed, err := commit.Diff(ctx, from)
	if err != nil {
		return Changes{}, err
	}
	return changes(ctx, tree, changed)
}

// changes reads from the newer tree what the changed files touch.
func changes(ctx context.Context, tree *datakit.Tree, changed []datakit.Change) (Changes, error) {
	t := touch(changed)
	found, err := read(ctx, tree, t.read)
	if err != nil {
		return Changes{}, err
	}
	there := map[github.ID]bool{}
	for _, e := range found.elements {
		there[e.Identity()] = true
	}
	var gone []github.ID
	for r, repo := range t.repos {
		if repo.whole && !there[r] {
			gone = append(gone, r)
		}
		for _, s := range repo.scopes {
			if _, isRepo := s.id.(github.Repo); s.id != nil && !isRepo && !there[s.id] && repo.monitored {
				gone = append(gone, s.id)
			}
		}
	}
	return Changes{
		Diff:      github.NewDiff(found.elements, gone),
		Dirty:     found.dirty,
		Malformed: found.malformed,
		Errors:    found.errors,
		touched:   t,
	}, nil
}

// update returns what the newer tree says, given what an older commit says and
// the files that differ between the two.
func update(ctx context.Context, tree *datakit.Tree, head datakit.Hash, changed []datakit.Change, older Content) (Content, error) {
	c, err := changes(ctx, tree, changed)
	if err != nil {
		return Content{}, err
	}
	snapshot, err := sweep(ctx, tree, older.Snapshot, older.Snapshot.Apply(c.Diff), c.Diff)
	if err != nil {
		return Content{}, err
	}
	malformed := slices.Clone(c.Malformed)
	for _, m := range older.Malformed {
		if scopes, _ := scopesOf(m.Path); !c.touched.has(scopes[0]) {
			malformed = append(malformed, m)
		}
	}
	refused := slices.Clone(c.Errors)
	for _, id := range older.Errors {
		if !c.touched.has(scopeOfID(id)) {
			refused = append(refused, id)
		}
	}
	slices.SortFunc(malformed, compareMalformed)
	slices.SortFunc(refused, github.CompareIDs)
	return Content{Head: head, Snapshot: snapshot, Malformed: malformed, Errors: refused, Dirty: c.Dirty}, nil
}

// sweep takes from the newer snapshot the commits that nothing needs any more
// and that have no directory (GH-66).
func sweep(ctx context.Context, tree *datakit.Tree, older, newer github.Snapshot, d github.Diff) (github.Snapshot, error) {
	before := map[github.Commit]bool{}
	note := func(id github.ID) {
		switch e, _ := older.Find(id); e := e.(type) {
		case github.Ref:
			before[e.Commit] = true
		case github.PR:
			before[e.Head] = true
		}
	}
	for _, e := range d.Update {
		note(e.Identity())
	}
	for _, id := range d.Remove {
		note(id)
	}
	for c := range before {
		if !newer.Has(c) || newer.Needs(c) {
			continue
		}
		mode, err := tree.Mode(ctx, Dir(c))
		if err != nil {
			return newer, err
		}
		if mode != datakit.Dir {
			newer = newer.Remove(c)
		}
	}
	return newer, nil
}
