package bridge

import (
	"maps"
	"sync"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/capability"
	"github.com/datakit/datakit/github/layout"
)

// A State is what the syncs of a branch know of it and of GitHub (GH-78). The
// zero State is the one of a restart. Each sync brings it up to date. A State
// must not be copied once it is used; syncs of one State wait for each other.
type State struct {
	running sync.Mutex // held by the sync that runs

	caps   capability.Set // of the last sync
	branch layout.Content // what was read of the branch last

	b github.Snapshot // what the branch said then, or says after the commit that was made
	g github.Snapshot // what GitHub says, as far as is known
	a github.Snapshot // what both sides last agreed upon

	repos     map[github.Repo]*mirror // the repositories that are mirrored
	touched   map[github.ID]bool      // what must be decided, as a side may have changed
	reads     map[read]*retry         // what of GitHub could not be read
	sends     map[github.ID]*pendingSend
	hooks     map[github.Repo]*hook           // the webhooks that are to be registered or removed
	refused   map[github.ID]refusal           // the values that GitHub refuses
	malformed map[github.ID]string            // the elements of the branch that cannot be understood, and why
	reported  map[github.ID]string            // the .error files that were written
	dirty     map[github.ID]bool              // the .dirty files of the branch; true if they were obeyed, or tried to
	written   map[github.PRID]github.PRChange // what was sent since the pull request was read
	ignored   map[github.Repo]bool            // what the capabilities exclude, as far as it was logged
	cleaned   []github.ID                     // whose .dirty files were removed after the branch was read
	passed    map[datakit.Path]string         // what cannot be understood, as far as it was logged
	resync    bool                            // asked for, and not done yet
	sending   []time.Duration                 // how long what was sent since the last report has taken
}

// A mirror says how far the import of a repository has come.
type mirror struct {
	prs, refs, statuses phase

	// What the import could not read, though the rest of its kind was read.
	// Each has a phase of its own until it is settled.
	heldRefs    map[github.RefName]phase
	heldCommits map[string]phase // their statuses
}

// A phase is how far the first import of something has come (GH-82, GH-99).
type phase uint8

const (
	unread  phase = iota // nothing is known of GitHub's: the branch stays and nothing is sent
	fresh                // it was read, and nothing is agreed yet: the rules of a first import apply
	settled              // both sides have agreed once
)

// A refusal is a value of the branch that GitHub has refused (GH-114).
type refusal struct {
	b, g   github.Element // what the branch and GitHub said; nil for nothing
	reason string
}

// A pendingSend is a value of the branch that could not be sent for the time
// being (GH-111).
type pendingSend struct {
	b github.Element // nil for a removal
	retry
}

// A hook is the webhook of a repository that is not yet as it should be.
type hook struct {
	remove bool
	retry
}

// A retry says when something that failed is tried again.
type retry struct {
	attempts int
	due      time.Time // the zero Time: not before it is asked for, as it was refused
	noticed  time.Time // when it was tried first
	reason   string    // why it was refused; "" if it may pass

	hangs  bool          // it was not answered in time: no sync waits for it
	goesOn bool          // it is under way in the background
	waits  bool          // it is due when something in the background has ended
	took   time.Duration // until it was answered there: a sync may wait for it; else 0
}

func (s *State) init() {
	if s.repos == nil {
		s.restart()
	}
}

// restart forgets everything but which values are being sent.
func (s *State) restart() {
	s.branch = layout.Content{}
	s.b, s.g, s.a = github.Snapshot{}, github.Snapshot{}, github.Snapshot{}
	s.cleaned = nil
	s.repos = map[github.Repo]*mirror{}
	s.touched = map[github.ID]bool{}
	s.reads = map[read]*retry{}
	if s.sends == nil {
		s.sends = map[github.ID]*pendingSend{}
	}
	maps.DeleteFunc(s.sends, func(_ github.ID, p *pendingSend) bool { return !p.goesOn })
	s.hooks = map[github.Repo]*hook{}
	s.refused = map[github.ID]refusal{}
	s.malformed = map[github.ID]string{}
	s.reported = map[github.ID]string{}
	s.dirty = map[github.ID]bool{}
	s.written = map[github.PRID]github.PRChange{}
	s.ignored = map[github.Repo]bool{}
}

// touch notes that elements must be decided anew. With a pull request or a
// reference, so must the statuses of its commit.
func (s *State) touch(elements ...github.Element) {
	for _, e := range elements {
		s.touched[e.Identity()] = true
		switch e := e.(type) {
		case github.PR:
			s.touched[e.Head] = true
		case github.Ref:
			s.touched[e.Commit] = true
		case github.Status:
			s.touched[e.Commit] = true
		}
	}
}

// touchID is touch for what each side has of an identity.
func (s *State) touchID(id github.ID) {
	s.touched[id] = true
	if st, ok := id.(github.StatusID); ok {
		s.touched[st.Commit] = true // which no side may have a status of
	}
	for _, side := range []github.Snapshot{s.b, s.g, s.a} {
		if e, ok := side.Find(id); ok {
			s.touch(e)
		}
	}
}

// forget drops all that is known of a repository but what the branch says.
func (s *State) forget(r github.Repo) {
	delete(s.repos, r)
	s.g, s.a = s.g.Remove(r), s.a.Remove(r)
	for k := range s.reads {
		if k.repo == r {
			delete(s.reads, k)
		}
	}
	forgetIn(s.touched, r)
	maps.DeleteFunc(s.sends, func(id github.ID, p *pendingSend) bool { return id.Repository() == r && !p.goesOn })
	forgetIn(s.refused, r)
	forgetIn(s.reported, r)
	forgetIn(s.written, r)
	for id := range s.dirty {
		if id.Repository() == r {
			s.dirty[id] = false // whatever was read for it is forgotten
		}
	}
}

func forgetIn[K interface {
	comparable
	github.ID
}, V any](m map[K]V, r github.Repo) {
	for id := range m {
		if id.Repository() == r {
			delete(m, id)
		}
	}
}
