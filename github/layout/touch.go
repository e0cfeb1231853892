package layout

import (
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
)

// touched is what a tree difference touches: what is to be read again.
type touched struct {
	repos map[github.Repo]*touchedRepo
	dirty map[datakit.Path]github.ID // by the path of the file .dirty
}

type touchedRepo struct {
	whole     bool // its mark was touched, and so all of it
	monitored bool // in the newer tree; known once it was read
	scopes    map[datakit.Path]scope
}

// touch returns what changed files touch.
func touch(changed []datakit.Change) touched {
	t := touched{map[github.Repo]*touchedRepo{}, map[datakit.Path]github.ID{}}
	for _, c := range changed {
		scopes, isDirty := scopesOf(c.Path)
		if isDirty {
			id := scopes[0].id
			if c.Op != datakit.Removed {
				t.dirty[c.Path] = id
				continue
			}
			if _, isRepo := id.(github.Repo); isRepo {
				continue
			}
		}
		for _, s := range scopes {
			t.add(s)
			if isMark(c.Path) {
				t.repos[s.repo].whole = true
			}
		}
	}
	return t
}

// isMark reports whether path is that of a repository, or in the place of the
// file that marks it as monitored.
func isMark(path datakit.Path) bool {
	steps := strings.Split(string(path), "/")
	return len(steps) == 2 || steps[2] == monitorFile
}

func (t touched) add(s scope) {
	repo := t.repos[s.repo]
	if repo == nil {
		repo = &touchedRepo{scopes: map[datakit.Path]scope{}}
		t.repos[s.repo] = repo
	}
	repo.scopes[s.dir] = s
}

// has reports whether the scope was read again.
func (t touched) has(s scope) bool {
	repo := t.repos[s.repo]
	if repo == nil {
		return false
	}
	_, ok := repo.scopes[s.dir]
	return ok || repo.whole
}

// read reads what is touched.
func (t touched) read(r *reader) error {
	for repo, parts := range t.repos {
		if err := r.do(func() error { return r.touchedRepo(repo, parts) }); err != nil {
			return err
		}
	}
	for path, id := range t.dirty {
		if err := r.do(func() error { return r.dirtied(path, id) }); err != nil {
			return err
		}
	}
	return nil
}

// touchedRepo reads what is touched of a repository. Of one that is not
// monitored these are its own files alone (GH-69).
func (r *reader) touchedRepo(repo github.Repo, t *touchedRepo) error {
	f, err := list(r.ctx, r.tree, Dir(repo))
	if err != nil {
		return err
	}
	t.monitored = f.has(monitorFile)
	if t.whole {
		return r.repoIn(f, repo, false)
	}
	for _, s := range t.scopes {
		if _, isRepo := s.id.(github.Repo); isRepo {
			r.own(f, repo, false)
			continue
		}
		if !t.monitored {
			continue
		}
		if err := r.do(func() error { return r.scope(s, false) }); err != nil {
			return err
		}
	}
	return nil
}

// dirtied notes that an element got a file .dirty, if it is a file.
func (r *reader) dirtied(path datakit.Path, id github.ID) error {
	mode, err := r.tree.Mode(r.ctx, path)
	if err != nil || !mode.IsFile() {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found.dirty = append(r.found.dirty, id)
	return nil
}
