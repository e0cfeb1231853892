// Package githubtest is a simulated GitHub for tests.
//
// A World holds repositories with their pull requests, comments, references,
// commits and statuses. It is a github.API itself, with hashes that may be any
// text, and it counts, delays and fails calls as a test wishes. People and
// programs on GitHub are played by the methods that are no part of github.API:
// PutPR, AddComment, PutRef and so on. Each change yields an event, as a
// webhook would.
package githubtest

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/datakit/datakit/github"
)

// A World is a simulated GitHub. Its methods may be called from several
// goroutines at once. Make one with New.
type World struct {
	mu        sync.Mutex // guards all below
	repos     map[github.Repo]*repository
	clock     time.Time // of the newest change; each change takes a second
	serial    int64     // the newest id given to a comment or a status
	calls     map[string]int
	log       []Call
	running   map[string]int // calls that change GitHub, by repository and subject
	overlaps  []string
	inFlight  int
	maxFlight int
	faults    []*Fault
	latency   func(op string) time.Duration
	listeners []func(Change)
}

var _ github.API = (*World)(nil)

// A repository is what GitHub holds of one repository.
type repository struct {
	prs      map[int]github.PR
	refs     map[string]object      // by name without "refs/"
	tags     map[string]object      // the targets of annotated tags, by the tag's hash
	commits  map[string][]string    // parents of the declared commits
	statuses map[string][]RawStatus // by hash, oldest first
	hooks    []github.Hook          // in the order of their registration
}

// An object is a thing that a ref or a tag names: Kind is "commit", "tag",
// "tree" or "blob".
type object struct{ Kind, Hash string }

// A RawStatus is a status in GitHub's own words, which may be none that the
// model accepts.
type RawStatus struct {
	ID                               int64 // grows; given by the World
	State, Context, Description, URL string
}

// A Call is one logical operation that was asked of a World.
type Call struct {
	Op      string // one of the github.Op names
	Subject string // in the form of GH-27
	Err     error
}

// New returns a GitHub with the given repositories, which are empty.
func New(repos ...github.Repo) *World {
	w := &World{
		repos:   map[github.Repo]*repository{},
		clock:   time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		calls:   map[string]int{},
		running: map[string]int{},
	}
	for _, r := range repos {
		w.repos[r] = newRepository()
	}
	return w
}

func newRepository() *repository {
	return &repository{
		prs:      map[int]github.PR{},
		refs:     map[string]object{},
		tags:     map[string]object{},
		commits:  map[string][]string{},
		statuses: map[string][]RawStatus{},
	}
}

// Calls returns how often each operation of github.API was called since the
// last ResetCalls, by the github.Op names; those that were not called are
// absent. The comments that PRs and PR read are not counted, and Refs counts
// once for branches and tags (spec/github.md, section 9.1).
func (w *World) Calls() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.calls)
}

// Log returns the calls that have ended since the last ResetCalls, in the
// order in which they ended.
func (w *World) Log() []Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.log)
}

// ResetCalls forgets what Calls, Log, Overlaps and MaxInFlight have counted.
func (w *World) ResetCalls() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.calls)
	w.log, w.overlaps, w.maxFlight = nil, nil, w.inFlight
}

// Overlaps returns the subjects for which a call that changes GitHub ran while
// another one for the same subject did (GH-131 forbids it).
func (w *World) Overlaps() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.overlaps)
}

// MaxInFlight returns how many calls have run at once at most.
func (w *World) MaxInFlight() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.maxFlight
}

// SetLatency makes each call take the time that f returns for its operation,
// before it has any effect; nil means none.
func (w *World) SetLatency(f func(op string) time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.latency = f
}

// A State is what a repository holds.
type State struct {
	PRs      []github.PR     // all, also closed ones, by number
	Refs     []github.Ref    // those that end in a commit, by name
	Statuses []github.Status // the newest of each context, by commit and context
}

// Look returns what a repository holds; it is empty if there is none. It
// counts as no call.
func (w *World) Look(r github.Repo) State {
	w.mu.Lock()
	defer w.mu.Unlock()
	var s State
	repo := w.repos[r]
	if repo == nil {
		return s
	}
	for _, n := range slices.Sorted(maps.Keys(repo.prs)) {
		s.PRs = append(s.PRs, copyPR(repo.prs[n]))
	}
	for _, name := range slices.Sorted(maps.Keys(repo.refs)) {
		if ref, ok := repo.resolve(r, name); ok {
			s.Refs = append(s.Refs, ref)
		}
	}
	for _, hash := range slices.Sorted(maps.Keys(repo.statuses)) {
		s.Statuses = append(s.Statuses, repo.newest(github.Commit{Repo: r, Hash: hash})...)
	}
	slices.SortFunc(s.Statuses, func(a, b github.Status) int { return a.ID().Compare(b.ID()) })
	return s
}

// commitOf returns the hash of the commit that the ref of that name, which may
// be none of the model, ends in, tags of tags followed (GH-22), or "" if it ends
// in none.
func (repo *repository) commitOf(name string) string {
	o := repo.refs[name]
	for level := 0; o.Kind == "tag" && level < 10; level++ {
		o = repo.tags[o.Hash]
	}
	if o.Kind != "commit" {
		return ""
	}
	return o.Hash
}

// resolve returns the ref of that name; ok is false if there is none in the
// model.
func (repo *repository) resolve(r github.Repo, name string) (ref github.Ref, ok bool) {
	refName, err := github.ParseRefName(name)
	hash := repo.commitOf(name)
	if err != nil || hash == "" {
		return github.Ref{}, false
	}
	return github.Ref{Commit: github.Commit{Repo: r, Hash: hash}, Name: refName}, true
}

// newest returns the newest status of each context of c, those that the model
// cannot hold left out (GH-15, GH-19), in the order of their contexts.
func (repo *repository) newest(c github.Commit) []github.Status {
	byContext := map[github.Context]github.Status{}
	for _, raw := range repo.statuses[c.Hash] {
		ctx, err := github.ParseContext(raw.Context)
		if err != nil {
			continue
		}
		state, err := github.ParseStatusState(raw.State)
		if err != nil {
			delete(byContext, ctx)
			continue
		}
		s := github.NewStatus(c, ctx, state, raw.Description, raw.URL)
		s.Serial = raw.ID
		byContext[ctx] = s
	}
	return slices.SortedFunc(maps.Values(byContext), func(a, b github.Status) int { return a.ID().Compare(b.ID()) })
}

// knows reports whether the repository has the commit: any, unless commits
// were declared with World.AddCommit.
func (repo *repository) knows(hash string) bool {
	_, ok := repo.commits[hash]
	return ok || len(repo.commits) == 0
}

// descends reports whether to is from or one of its descendants, as far as
// commits were declared.
func (repo *repository) descends(to, from string) bool {
	if len(repo.commits) == 0 || to == from {
		return true
	}
	return slices.ContainsFunc(repo.commits[to], func(p string) bool { return repo.descends(p, from) })
}

func copyPR(pr github.PR) github.PR {
	pr.Comments = slices.Clone(pr.Comments)
	return pr
}
