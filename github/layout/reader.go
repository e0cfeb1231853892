package layout

import (
	"context"
	"errors"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
)

// A reader collects what a tree says, reading many elements at once.
type reader struct {
	ctx  context.Context // of the one read that it is for
	tree *datakit.Tree
	jobs *errgroup.Group

	mu    sync.Mutex // guards found
	found findings
}

// findings are what a reader has found.
type findings struct {
	elements  []github.Element // in no order
	malformed []Malformed      // from here on, sorted at the end
	errors    []github.ID
	dirty     []github.ID
}

// read runs f on a reader of the tree and returns what it has collected.
func read(ctx context.Context, tree *datakit.Tree, f func(*reader) error) (findings, error) {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(jobs)
	r := &reader{ctx: gctx, tree: tree, jobs: g}
	err := f(r)
	if waitErr := g.Wait(); waitErr != nil {
		err = waitErr // the first one, and f's may be only its consequence
	}
	if err != nil {
		return findings{}, err
	}
	slices.SortFunc(r.found.malformed, compareMalformed)
	slices.SortFunc(r.found.errors, github.CompareIDs)
	slices.SortFunc(r.found.dirty, github.CompareIDs)
	return r.found, nil
}

// content returns the findings of a full read.
func (f findings) content() Content {
	return Content{
		Snapshot:  github.NewSnapshot(f.elements...),
		Malformed: f.malformed,
		Errors:    f.errors,
		Dirty:     f.dirty,
	}
}

// do runs f on another goroutine, or on this one if there are many already: so
// that a job may wait for the jobs that it makes.
func (r *reader) do(f func() error) error {
	if r.jobs.TryGo(f) {
		return nil
	}
	return f()
}

// all reads the whole tree (GH-58, GH-59).
func (r *reader) all() error {
	return r.repos(func(repo github.Repo) error {
		return r.do(func() error { return r.repo(repo, true) })
	})
}

// repos calls f for all directories with the name of a repository, monitored
// or not.
func (r *reader) repos(f func(github.Repo) error) error {
	users, err := readDir(r.ctx, r.tree, datakit.Root)
	if err != nil {
		return err
	}
	for _, user := range users {
		if _, err := github.ParseName(user.Name); err != nil || user.Mode != datakit.Dir {
			continue
		}
		names, err := readDir(r.ctx, r.tree, join(user.Name))
		if err != nil {
			return err
		}
		for _, name := range names {
			if repo, ok := parseRepo(user.Name, name.Name); ok && name.Mode == datakit.Dir {
				if err := f(repo); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// repo reads the own files of a repository and, if it is monitored, all of its
// elements.
func (r *reader) repo(repo github.Repo, dirty bool) error {
	f, err := list(r.ctx, r.tree, Dir(repo))
	if err != nil {
		return err
	}
	return r.repoIn(f, repo, dirty)
}

// repoIn is repo for a directory that is listed.
func (r *reader) repoIn(f files, repo github.Repo, dirty bool) error {
	if !r.own(f, repo, dirty) {
		return nil
	}
	r.add(repo)
	return r.elements(f, repo, dirty)
}

// own notes what the own files of a repository say, and returns whether it is
// monitored.
func (r *reader) own(f files, repo github.Repo, dirty bool) (monitored bool) {
	r.marks(f, repo, dirty)
	if f.there(monitorFile) && !f.has(monitorFile) {
		r.malformed(f, repo, f.misplaced(monitorFile))
	}
	return f.has(monitorFile)
}

// elements reads all elements of a repository, monitored or not.
func (r *reader) elements(f files, repo github.Repo, dirty bool) error {
	return errors.Join(r.prs(repo, dirty), r.refs(f.path(refDir), repo, "", dirty), r.commits(repo))
}

// prs reads all PRs of a repository.
func (r *reader) prs(repo github.Repo, dirty bool) error {
	entries, err := readDir(r.ctx, r.tree, Dir(repo)+"/"+prDir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Mode != datakit.Dir {
			continue
		}
		if err := r.do(func() error { return r.scope(scopeOfPR(repo, e.Name), dirty) }); err != nil {
			return err
		}
	}
	return nil
}

// refs reads all refs in the directory dir, which is that of the name.
func (r *reader) refs(dir datakit.Path, repo github.Repo, name datakit.Path, dirty bool) error {
	f, err := list(r.ctx, r.tree, dir)
	if err != nil {
		return err
	}
	if name != datakit.Root {
		if err := r.element(f, github.RefID{Repo: repo, Name: github.RefName(name)}, dirty); err != nil {
			return err
		}
	}
	for step, mode := range f.modes {
		if mode != datakit.Dir || isHidden(step) {
			continue
		}
		if err := r.do(func() error { return r.refs(f.path(step), repo, name.Join(datakit.Path(step)), dirty) }); err != nil {
			return err
		}
	}
	return nil
}

// commits reads all commits of a repository with their statuses.
func (r *reader) commits(repo github.Repo) error {
	entries, err := readDir(r.ctx, r.tree, Dir(repo)+"/"+commitDir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		c, ok := parseCommit(repo, e.Name)
		if !ok || e.Mode != datakit.Dir {
			continue
		}
		r.add(c)
		if err := r.do(func() error { return r.statuses(Dir(c)+"/"+statusDir, c, "") }); err != nil {
			return err
		}
	}
	return nil
}

// statuses reads all statuses in the directory dir, which is that of the
// context.
func (r *reader) statuses(dir datakit.Path, c github.Commit, context datakit.Path) error {
	f, err := list(r.ctx, r.tree, dir)
	if err != nil {
		return err
	}
	if context != datakit.Root {
		if err := r.element(f, github.StatusID{Commit: c, Context: github.Context(context)}, false); err != nil {
			return err
		}
	}
	for step, mode := range f.modes {
		if mode != datakit.Dir || isReserved(step) {
			continue
		}
		if err := r.do(func() error { return r.statuses(f.path(step), c, context.Join(datakit.Path(step))) }); err != nil {
			return err
		}
	}
	return nil
}

// scope reads one scope of a PR, status, ref or commit.
func (r *reader) scope(s scope, dirty bool) error {
	if s.id == nil {
		return r.misnamed(s)
	}
	if c, ok := s.id.(github.Commit); ok {
		return r.commit(c)
	}
	f, err := list(r.ctx, r.tree, s.dir)
	if err != nil {
		return err
	}
	return r.element(f, s.id, dirty)
}

// commit adds a commit if it has a directory.
func (r *reader) commit(c github.Commit) error {
	mode, err := r.tree.Mode(r.ctx, Dir(c))
	if mode == datakit.Dir {
		r.add(c)
	}
	return err
}

// misnamed reports a directory that should be a PR and has no number.
func (r *reader) misnamed(s scope) error {
	mode, err := r.tree.Mode(r.ctx, s.dir)
	if err == nil && mode == datakit.Dir {
		r.malformed(files{dir: s.dir}, nil, &fault{"", "the name of a pull request is a number without sign and leading zeros"})
	}
	return err
}

// element adds the element whose directory is listed in f, or reports why it
// cannot be understood.
func (r *reader) element(f files, id github.ID, dirty bool) error {
	r.marks(f, id, dirty)
	e, ok, err := readElement(r.ctx, f, id)
	if why, is := asFault(err); is {
		r.malformed(f, id, why)
		return nil
	}
	if ok {
		r.add(e)
	}
	return err
}

// readElement reads the PR, status or ref whose directory is listed in f; ok is
// false if there is none. The error is a *fault if it is malformed.
func readElement(ctx context.Context, f files, id github.ID) (e github.Element, ok bool, err error) {
	switch id := id.(type) {
	case github.PRID:
		return readPR(ctx, f, id)
	case github.StatusID:
		return readStatus(ctx, f, id)
	case github.RefID:
		return readRef(ctx, f, id)
	}
	return nil, false, nil
}

func (r *reader) add(e github.Element) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found.elements = append(r.found.elements, e)
}

func (r *reader) malformed(f files, id github.ID, why *fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found.malformed = append(r.found.malformed, *f.malformed(id, why))
}

// marks notes the files .error and, if asked, .dirty beside an element.
func (r *reader) marks(f files, id github.ID, dirty bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f.has(errorFile) {
		r.found.errors = append(r.found.errors, id)
	}
	if _, isStatus := id.(github.StatusID); dirty && !isStatus && f.has(dirtyFile) {
		r.found.dirty = append(r.found.dirty, id)
	}
}
