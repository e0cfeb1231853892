package layout

import (
	"context"
	"fmt"
	"slices"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
)

// The functions below read a part of a tree. What is malformed is passed over,
// but by the ones that read a single element.

// Repos returns the monitored repositories in order (GH-58).
func Repos(ctx context.Context, tree *datakit.Tree) ([]github.Repo, error) {
	found, err := read(ctx, tree, func(r *reader) error {
		return r.repos(func(repo github.Repo) error {
			return r.do(func() error {
				monitored, err := Monitored(r.ctx, tree, repo)
				if monitored {
					r.add(repo)
				}
				return err
			})
		})
	})
	return slices.Collect(found.content().Snapshot.Repos()), err
}

// ReadRepo returns what a tree says of one repository, as if it was monitored.
// The rest of the tree is not read.
func ReadRepo(ctx context.Context, tree *datakit.Tree, repo github.Repo) (Content, error) {
	found, err := read(ctx, tree, func(r *reader) error {
		f, err := list(r.ctx, tree, Dir(repo))
		if err != nil {
			return err
		}
		r.marks(f, repo, true)
		r.add(repo)
		return r.elements(f, repo, true)
	})
	return found.content(), err
}

// PRs returns the PRs of the given repositories, monitored or not; of all that
// are monitored if none is given (GH-60). They are in order.
func PRs(ctx context.Context, tree *datakit.Tree, repos ...github.Repo) ([]github.PR, error) {
	s, err := each(ctx, tree, repos, func(r *reader, repo github.Repo) error { return r.prs(repo, false) })
	return slices.Collect(s.PRs()), err
}

// Refs returns the refs of the given repositories, monitored or not; of all
// that are monitored if none is given (GH-60). They are in order.
func Refs(ctx context.Context, tree *datakit.Tree, repos ...github.Repo) ([]github.Ref, error) {
	s, err := each(ctx, tree, repos, func(r *reader, repo github.Repo) error {
		return r.refs(Dir(repo)+"/"+refDir, repo, datakit.Root, false)
	})
	return slices.Collect(s.Refs()), err
}

// Statuses returns the statuses of the given commits, whose repositories need
// not be monitored; of all commits with a directory in monitored repositories
// if none is given (GH-60). They are in order.
func Statuses(ctx context.Context, tree *datakit.Tree, commits ...github.Commit) ([]github.Status, error) {
	if len(commits) == 0 {
		s, err := each(ctx, tree, nil, (*reader).commits)
		return slices.Collect(s.Statuses()), err
	}
	found, err := read(ctx, tree, func(r *reader) error {
		for _, c := range commits {
			if err := r.do(func() error { return r.statuses(Dir(c)+"/"+statusDir, c, datakit.Root) }); err != nil {
				return err
			}
		}
		return nil
	})
	return slices.Collect(found.content().Snapshot.Statuses()), err
}

// each returns the elements that f finds in the repositories; in all that are
// monitored if there are none.
func each(ctx context.Context, tree *datakit.Tree, repos []github.Repo, f func(*reader, github.Repo) error) (github.Snapshot, error) {
	if len(repos) == 0 {
		var err error
		if repos, err = Repos(ctx, tree); err != nil {
			return github.Snapshot{}, err
		}
	}
	found, err := read(ctx, tree, func(r *reader) error {
		for _, repo := range repos {
			if err := r.do(func() error { return f(r, repo) }); err != nil {
				return err
			}
		}
		return nil
	})
	return found.content().Snapshot, err
}

// Monitored reports whether a repository is marked as monitored.
func Monitored(ctx context.Context, tree *datakit.Tree, r github.Repo) (bool, error) {
	mode, err := tree.Mode(ctx, Dir(r)+"/"+monitorFile)
	return mode.IsFile(), err
}

// HasCommit reports whether a commit has a directory.
func HasCommit(ctx context.Context, tree *datakit.Tree, c github.Commit) (bool, error) {
	mode, err := tree.Mode(ctx, Dir(c))
	return mode == datakit.Dir, err
}

// ReadPR returns one PR. The error is NotExist if there is none, and a
// *Malformed if it cannot be understood.
func ReadPR(ctx context.Context, tree *datakit.Tree, id github.PRID) (github.PR, error) {
	return readOne[github.PR](ctx, tree, id)
}

// ReadStatus returns one status, with errors as for ReadPR.
func ReadStatus(ctx context.Context, tree *datakit.Tree, id github.StatusID) (github.Status, error) {
	return readOne[github.Status](ctx, tree, id)
}

// ReadRef returns one ref, with errors as for ReadPR.
func ReadRef(ctx context.Context, tree *datakit.Tree, id github.RefID) (github.Ref, error) {
	return readOne[github.Ref](ctx, tree, id)
}

func readOne[E github.Element](ctx context.Context, tree *datakit.Tree, id github.ID) (none E, err error) {
	f, err := list(ctx, tree, Dir(id))
	if err != nil {
		return none, err
	}
	e, ok, err := readElement(ctx, f, id)
	if why, is := asFault(err); is {
		return none, f.malformed(id, why)
	}
	if err != nil {
		return none, err
	}
	if !ok {
		return none, &datakit.Error{Op: "read", Subject: fmt.Sprint(id), Kind: datakit.NotExist}
	}
	return e.(E), nil
}
