package githubtest

import (
	"slices"

	"github.com/datakit/datakit/github"
)

// PutRepo creates a repository; one that exists stays as it is.
func (w *World) PutRepo(r github.Repo) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.repo(r)
}

// DropRepo deletes a repository with all that it has. GitHub sends no event.
func (w *World) DropRepo(r github.Repo) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.repos, r)
}

// repo returns the repository, made if it is missing. The lock is held.
func (w *World) repo(r github.Repo) *repository {
	if w.repos[r] == nil {
		w.repos[r] = newRepository()
	}
	return w.repos[r]
}

// peek returns the repository, or an empty one that nobody keeps. The lock is
// held.
func (w *World) peek(r github.Repo) *repository {
	if repo := w.repos[r]; repo != nil {
		return repo
	}
	return newRepository()
}

// AddCommit declares a commit. A repository of which any commit was declared
// knows only these: it refuses statuses and references of others, and moves
// that are no fast-forward. One of which none was declared knows any hash.
func (w *World) AddCommit(r github.Repo, hash string, parents ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.repo(r).commits[hash] = slices.Clone(parents)
}

// PutPR creates the pull request, or replaces the one with its number, all
// fields and comments included. If that changes something, there is an event.
func (w *World) PutPR(pr github.PR) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.putPR(pr)
}

// putPR does the work of PutPR. The lock is held.
func (w *World) putPR(pr github.PR) {
	repo := w.repo(pr.Head.Repo)
	old, known := repo.prs[pr.Number]
	if known && old.Equal(pr) {
		return
	}
	pr = copyPR(pr)
	pr.Updated = w.tick()
	repo.prs[pr.Number] = pr
	action := "edited"
	switch {
	case !known:
		action = "opened"
	case old.State == github.Open && pr.State == github.Closed:
		action = "closed"
	case old.State == github.Closed && pr.State == github.Open:
		action = "reopened"
	case old.Head != pr.Head:
		action = "synchronize"
	}
	w.tell(Change{Kind: "pull_request", Action: action, Repo: pr.Head.Repo, PR: copyPR(pr)})
}

// EditPR lets f change a copy of a pull request, which then replaces it. It
// reports whether there is one.
func (w *World) EditPR(id github.PRID, f func(pr *github.PR)) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	pr, ok := w.peek(id.Repo).prs[id.Number]
	if !ok {
		return false
	}
	pr = copyPR(pr)
	f(&pr)
	w.putPR(pr)
	return true
}

// AddComment adds a comment to a pull request and returns its id, 0 if there
// is no such pull request.
func (w *World) AddComment(id github.PRID, author, body string) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serial++
	c := github.Comment{ID: w.serial, Author: author, Body: body}
	if !w.comments(id, "created", c, func(l []github.Comment) []github.Comment { return append(l, c) }) {
		return 0
	}
	return c.ID
}

// EditComment changes the body of a comment. It reports whether there is one.
func (w *World) EditComment(id github.PRID, comment int64, body string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i, c := w.findComment(id, comment)
	if i < 0 {
		return false
	}
	c.Body = body
	return w.comments(id, "edited", c, func(l []github.Comment) []github.Comment {
		l[i] = c
		return l
	})
}

// DropComment deletes a comment. It reports whether there was one.
func (w *World) DropComment(id github.PRID, comment int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i, c := w.findComment(id, comment)
	if i < 0 {
		return false
	}
	return w.comments(id, "deleted", c, func(l []github.Comment) []github.Comment { return slices.Delete(l, i, i+1) })
}

// findComment returns the place of a comment that is not the body, -1 if there
// is none. The lock is held.
func (w *World) findComment(id github.PRID, comment int64) (int, github.Comment) {
	list := w.peek(id.Repo).prs[id.Number].Comments
	i := slices.IndexFunc(list, func(c github.Comment) bool { return c.ID == comment && c.ID != 0 })
	if i < 0 {
		return -1, github.Comment{}
	}
	return i, list[i]
}

// comments changes the comments of a pull request through f, which owns the
// list it is given. The lock is held.
func (w *World) comments(id github.PRID, action string, c github.Comment, f func([]github.Comment) []github.Comment) bool {
	repo := w.peek(id.Repo)
	pr, ok := repo.prs[id.Number]
	if !ok {
		return false
	}
	pr.Comments = f(slices.Clone(pr.Comments))
	pr.Updated = w.tick()
	repo.prs[id.Number] = pr
	w.tell(Change{Kind: "issue_comment", Action: action, Repo: id.Repo, PR: copyPR(pr), Comment: c})
	return true
}

// PutRef creates the reference or moves it, whatever it was before.
func (w *World) PutRef(ref github.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.putRef(ref.Commit.Repo, string(ref.Name), object{"commit", ref.Commit.Hash})
}

// PutObject creates or moves a reference, whose name may be one that the model
// does not hold, to an object: kind is "commit", "tag", "tree" or "blob".
func (w *World) PutObject(r github.Repo, name, kind, hash string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.putRef(r, name, object{kind, hash})
}

// AddTag makes an annotated tag with that hash which points to an object of
// that kind. PutObject makes a reference to it.
func (w *World) AddTag(r github.Repo, tag, kind, hash string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.repo(r).tags[tag] = object{kind, hash}
}

// putRef sets a reference. The lock is held.
func (w *World) putRef(r github.Repo, name string, o object) {
	repo := w.repo(r)
	if repo.refs[name] == o {
		return
	}
	c := Change{Kind: "push", Repo: r, Ref: name, Before: repo.commitOf(name), BeforeObject: repo.refs[name].Hash}
	repo.refs[name] = o
	w.tick()
	if c.After, c.AfterObject = repo.commitOf(name), o.Hash; c.After != "" {
		w.tell(c)
	}
}

// DropRef deletes a reference. It reports whether there was one.
func (w *World) DropRef(r github.Repo, name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dropRef(r, name)
}

// dropRef does the work of DropRef. The lock is held.
func (w *World) dropRef(r github.Repo, name string) bool {
	repo := w.peek(r)
	if _, ok := repo.refs[name]; !ok {
		return false
	}
	c := Change{Kind: "push", Repo: r, Ref: name, Before: repo.commitOf(name), BeforeObject: repo.refs[name].Hash}
	delete(repo.refs, name)
	w.tick()
	w.tell(c)
	return true
}

// AddStatus sets a status, as a CI would, and returns its serial number.
func (w *World) AddStatus(s github.Status) int64 {
	return w.AddRawStatus(s.Commit, rawStatus(s))
}

// AddRawStatus is AddStatus for statuses that the model may not hold.
func (w *World) AddRawStatus(c github.Commit, s RawStatus) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.addStatus(c, s)
}

// addStatus does the work of AddRawStatus. The lock is held.
func (w *World) addStatus(c github.Commit, s RawStatus) int64 {
	repo := w.repo(c.Repo)
	w.serial++
	w.tick()
	s.ID = w.serial
	repo.statuses[c.Hash] = append(repo.statuses[c.Hash], s)
	w.tell(Change{Kind: "status", Repo: c.Repo, Hash: c.Hash, Status: s})
	return s.ID
}

func rawStatus(s github.Status) RawStatus {
	return RawStatus{State: s.State.String(), Context: string(s.Context), Description: s.Description, URL: s.URL}
}
