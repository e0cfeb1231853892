package bridge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/capability"
)

// A read is something to be read from GitHub.
type read struct {
	repo   github.Repo
	what   readKind
	number int            // of a pull request
	name   github.RefName // of a reference
	hash   string         // of a commit
}

type readKind uint8

const (
	readPRs      readKind = iota // the open pull requests
	readRefs                     // all references
	readPR                       // one pull request
	readComments                 // the comments of one
	readRef                      // one reference
	readStatuses                 // the statuses of one commit
)

func statusesOf(c github.Commit) read { return read{repo: c.Repo, what: readStatuses, hash: c.Hash} }
func pullRequest(id github.PRID) read { return read{repo: id.Repo, what: readPR, number: id.Number} }
func commentsOf(id github.PRID) read {
	return read{repo: id.Repo, what: readComments, number: id.Number}
}
func reference(id github.RefID) read { return read{repo: id.Repo, what: readRef, name: id.Name} }

func (r read) prID() github.PRID     { return github.PRID{Repo: r.repo, Number: r.number} }
func (r read) refID() github.RefID   { return github.RefID{Repo: r.repo, Name: r.name} }
func (r read) commit() github.Commit { return github.Commit{Repo: r.repo, Hash: r.hash} }

// lists reports whether it is all of a kind that a repository has.
func (r read) lists() bool { return r.what == readPRs || r.what == readRefs }

// String names what is read, for the log.
func (r read) String() string {
	switch r.what {
	case readPRs:
		return fmt.Sprintf("pull requests of %s", r.repo)
	case readRefs:
		return fmt.Sprintf("refs of %s", r.repo)
	case readPR:
		return fmt.Sprintf("pull request %s", r.prID())
	case readComments:
		return fmt.Sprintf("comments of %s", r.prID())
	case readRef:
		return fmt.Sprintf("ref %s", r.refID())
	default:
		return fmt.Sprintf("statuses of %s", r.commit())
	}
}

// allowed reports whether the capabilities allow the read (GH-98).
func (y *syncer) allowed(r read) bool {
	res := capability.Commit
	switch r.what {
	case readPRs, readPR, readComments:
		res = capability.PR
	case readRefs, readRef:
		res = capability.Ref
	}
	return y.mayRead(res)
}

// A loader reads from GitHub into the State.
type loader struct {
	*syncer
	ctx   context.Context
	calls *pool

	// newOnly leaves out the statuses of commits that GitHub's side knew
	// before the sync.
	newOnly bool
}

func (y *syncer) newLoader(ctx context.Context, newOnly bool) *loader {
	return &loader{syncer: y, ctx: ctx, calls: newPool(), newOnly: newOnly}
}

// load reads all of this, and what follows from it: the statuses of the commits
// of pull requests and references. Nothing is read twice in a sync. What fails
// is pending, or reported if GitHub has refused it (GH-99, GH-117).
func (y *syncer) load(ctx context.Context, reads []read, newOnly bool) {
	l := y.newLoader(ctx, newOnly)
	for _, r := range reads {
		l.add(r)
	}
	l.calls.run(y.Jobs)
}

// add queues a read. The lock is held, or no read runs yet. Where GitHub refuses
// the repository nothing else is read of it: what it answers then, such as that
// there is no such commit, has no meaning (GH-116).
func (l *loader) add(r read) {
	if l.got[r] || l.s.repos[r.repo] == nil || !l.allowed(r) {
		return
	}
	if !r.lists() && l.s.refuses(r.repo) {
		return
	}
	l.got[r] = true
	l.calls.add(func() { l.read(r) })
}

// read reads from GitHub and takes what it says, unless the bridge stops.
func (l *loader) read(r read) {
	l.mu.Lock()
	again := l.s.reads[r]
	l.mu.Unlock()
	var take func()
	fetch := func(ctx context.Context) (err error) {
		take, err = l.fetch(ctx, r)
		return err
	}
	err := l.ctx.Err() // no new calls: the bridge stops
	switch {
	case err != nil:
	case again != nil && again.goesOn:
		err = unanswered{goesOn: true}
	default:
		late := func(err error, took time.Duration) { l.readLate(r, err, took) }
		err = l.await(l.ctx, group{r.repo, callRead}, again, fetch, late)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended(r, err) {
		take()
	} else if r.what == readStatuses {
		l.hold(r.commit())
	}
}

// readLate notes how it has ended to read something in the background. If it
// was answered it is read once more, by a sync that waits: meanwhile something
// newer may have become known.
func (y *syncer) readLate(r read, err error, took time.Duration) {
	again := y.s.reads[r]
	if again == nil || !again.goesOn {
		return // it was forgotten
	}
	if err == nil {
		again.goesOn, again.took, again.due = false, took, y.now()
		return
	}
	y.ended(r, err)
}

// fetch makes the calls of a read, and returns what takes the answers. That is
// called with the lock held.
func (l *loader) fetch(ctx context.Context, r read) (take func(), err error) {
	switch r.what {
	case readPRs:
		prs, partial, err := l.API.PRs(ctx, r.repo)
		return func() { l.tookPRs(r, prs, partial) }, err
	case readRefs:
		refs, partial, err := l.API.Refs(ctx, r.repo)
		return func() { l.tookRefs(r, refs, partial) }, err
	case readPR:
		return l.fetchPR(ctx, r)
	case readComments:
		comments, err := l.API.Comments(ctx, r.prID())
		return func() { l.tookComments(r, comments) }, err
	case readRef:
		ref, ok, err := l.API.Ref(ctx, r.refID())
		if err == nil && !ok {
			err = l.missing(ctx, r, github.OpReadRef, r.refID().String())
		}
		return func() { l.tookRef(r, ref, ok) }, err
	default:
		statuses, err := l.API.Statuses(ctx, r.commit())
		return func() { l.tookStatuses(r, statuses) }, err
	}
}

// refuses reports whether GitHub has refused to list what the repository has.
func (s *State) refuses(r github.Repo) bool {
	for _, list := range listsOf(r) {
		if again := s.reads[list]; again != nil && again.reason != "" {
			return true
		}
	}
	return false
}

// missing returns why there is no answer to a read although GitHub says that
// there is no such thing: because it does not show the repository (GH-116). It
// is nil if it does.
func (l *loader) missing(ctx context.Context, r read, op, subject string) error {
	exists, err := l.API.RepoExists(ctx, r.repo)
	if err == nil && !exists {
		err = &github.APIError{Op: op, Subject: subject, Status: http.StatusNotFound, Message: "GitHub shows no such repository"}
	}
	return err
}

// follow queues the statuses of a commit that a pull request or a reference
// points to.
func (l *loader) follow(c github.Commit) {
	if !l.newOnly || !l.known.Has(c) {
		l.add(statusesOf(c))
	}
}

// ended notes how a read went and reports whether it has failed. The lock is
// held.
func (y *syncer) ended(r read, err error) (failed bool) {
	if err == nil {
		delete(y.s.reads, r)
		return false
	}
	again := y.s.reads[r]
	if again == nil {
		again = &retry{}
		y.s.reads[r] = again
	}
	if again.fail(y.now(), err) {
		y.failed(err, "GitHub could not be read", "what", r.String(), "refused", again.reason != "")
	}
	return true
}

func (l *loader) tookPRs(r read, prs []github.PR, partial map[github.PRID]error) {
	open := map[int]bool{}
	for _, pr := range prs {
		if pr.State != github.Open {
			continue
		}
		open[pr.Number] = true
		l.tookPR(pr, partial[pr.ID()])
		l.follow(pr.Head)
	}
	for pr := range l.s.g.PRsOf(r.repo) {
		if !open[pr.Number] {
			l.dropG(pr.ID())
			delete(l.s.reads, pullRequest(pr.ID()))
		}
	}
	m := l.s.repos[r.repo]
	if m.prs == unread {
		m.prs = fresh
		touchAll(l.s, l.s.b.PRsOf(r.repo))
	}
}

// tookPR notes what GitHub says of a pull request. If its comments could not
// be read those known before stay, and they are pending (GH-228).
func (y *syncer) tookPR(pr github.PR, commentsErr error) {
	delete(y.s.reads, pullRequest(pr.ID()))
	delete(y.s.written, pr.ID())
	if y.ended(commentsOf(pr.ID()), commentsErr) {
		pr.Comments = withComments(pr.Comments, y.knownComments(pr.ID()))
	}
	y.setG(pr)
}

// knownComments returns the known comments of a pull request, without its body.
func (y *syncer) knownComments(id github.PRID) []github.Comment {
	e, ok := y.s.g.Find(id)
	if !ok {
		return nil
	}
	_, comments := splitBody(e.(github.PR).Comments)
	return comments
}

// splitBody parts the body of a pull request, if there is one, from the
// comments after it (GH-12).
func splitBody(list []github.Comment) (body, comments []github.Comment) {
	n := 0
	if len(list) > 0 && list[0].ID == 0 {
		n = 1
	}
	return list[:n:n], list[n:]
}

// withComments returns the body in list, if there is one, with these comments
// after it.
func withComments(list, comments []github.Comment) []github.Comment {
	body, _ := splitBody(list)
	return append(body, comments...)
}

func (l *loader) tookRefs(r read, refs []github.Ref, partial map[github.RefID]error) {
	m := l.s.repos[r.repo]
	there := map[github.RefName]bool{}
	for _, ref := range refs {
		there[ref.Name] = true
		delete(l.s.reads, reference(ref.ID()))
		l.setG(ref)
		l.follow(ref.Commit)
	}
	for id, err := range partial {
		there[id.Name] = true
		l.ended(reference(id), err)
		if m.refs != settled {
			m.heldRefs[id.Name] = unread
		}
	}
	for ref := range l.s.g.RefsOf(r.repo) {
		if !there[ref.Name] {
			l.dropG(ref.ID())
			delete(l.s.reads, reference(ref.ID()))
		}
	}
	if m.refs == unread {
		m.refs = fresh
		touchAll(l.s, l.s.b.RefsOf(r.repo))
	}
}

func (l *loader) fetchPR(ctx context.Context, r read) (take func(), err error) {
	pr, ok, err := l.API.PR(ctx, r.prID())
	if err == nil && !ok {
		err = l.missing(ctx, r, github.OpReadPR, r.prID().String())
	}
	var commentsErr *github.CommentsError
	if errors.As(err, &commentsErr) {
		return func() { l.tookOnePR(r, pr, ok, commentsErr.Err) }, nil
	}
	return func() { l.tookOnePR(r, pr, ok, nil) }, err
}

func (l *loader) tookOnePR(r read, pr github.PR, ok bool, commentsErr error) {
	if !ok {
		l.dropG(r.prID())
		l.s.touchID(r.prID()) // the branch may have asked for it (GH-124)
		return
	}
	l.tookPR(pr, commentsErr)
	if pr.State == github.Open {
		l.follow(pr.Head)
	}
}

func (l *loader) tookComments(r read, comments []github.Comment) {
	l.comments[r.prID()] = comments
	e, ok := l.s.g.Find(r.prID())
	if !ok {
		return // an event is about to bring it
	}
	pr := e.(github.PR)
	pr.Comments = withComments(pr.Comments, comments)
	l.setG(pr)
}

func (l *loader) tookRef(r read, ref github.Ref, ok bool) {
	if ok {
		l.setG(ref)
		l.follow(ref.Commit)
	} else {
		l.dropG(r.refID())
	}
	m := l.s.repos[r.repo]
	if p, held := m.heldRefs[r.name]; held && p == unread {
		m.heldRefs[r.name] = fresh
		l.s.touchID(r.refID())
	}
}

func (l *loader) tookStatuses(r read, statuses []github.Status) {
	c := r.commit()
	m := l.s.repos[r.repo]
	there := map[github.Context]bool{}
	for _, st := range statuses {
		if !l.permOf(st.ID()).read {
			continue
		}
		there[st.Context] = true
		l.setStatus(st)
	}
	for st := range l.s.g.StatusesAt(c) {
		if !there[st.Context] {
			l.dropG(st.ID())
		}
	}
	if !l.s.g.Has(c) {
		l.s.touch(c)
		l.s.g = l.s.g.Add(c)
	}
	if p, held := m.heldCommits[c.Hash]; held && p == unread {
		m.heldCommits[c.Hash] = fresh
		l.s.touch(c)
	}
}
