package bridge

import (
	"context"
	"strings"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/capability"
)

// takeEvents applies the queued events to what is known of GitHub, in their
// order (GH-100). Those that cannot be applied as they are make reads, which
// follow (GH-108, GH-174).
func (y *syncer) takeEvents(ctx context.Context) {
	if y.Source == nil || y.eventsDone != nil {
		return
	}
	queued, done := y.Source.Events()
	y.eventsDone = done
	var events []github.Event
	for _, d := range queued {
		if y.wanted(d.Event) {
			events = append(events, d.Event)
			y.arrivals = append(y.arrivals, d.At)
		}
	}
	y.readBefore(ctx, events)
	var again []read
	for _, e := range events {
		if r, ok := y.apply(e); ok {
			again = append(again, r)
		}
	}
	y.load(ctx, again, true)
}

// dropEvents takes the events from the queue: the sync has ended well (GH-107).
func (y *syncer) dropEvents() {
	if y.eventsDone == nil {
		return
	}
	y.eventsDone()
	for _, at := range y.arrivals {
		y.report.EventToCommit = append(y.report.EventToCommit, y.now().Sub(at))
	}
}

// wanted reports whether an event is to be taken: it is of a repository that
// is mirrored and was imported before, and of a kind that may be read (GH-103,
// GH-104, GH-106).
func (y *syncer) wanted(e github.Event) bool {
	r := e.Repository()
	if e, ok := e.(github.RepoEvent); ok {
		if y.Capabilities.Syncs(r) {
			y.monitor[r] = e.Monitored
		}
		return false
	}
	m := y.s.repos[r]
	if m == nil || y.imported[r] {
		return false
	}
	switch e := e.(type) {
	case github.EventsLost:
		y.catchUp(r)
	case github.PREvent:
		return y.mayRead(capability.PR)
	case github.RefEvent, github.RefRemoved:
		return y.mayRead(capability.Ref)
	case github.StatusEvent:
		return y.permOf(e.Status.ID()).read || y.mayRead(capability.Status(e.Status.Context))
	}
	return false
}

// catchUp has a repository read as a whole, as nobody has told what happened
// in it.
func (y *syncer) catchUp(r github.Repo) {
	for _, list := range listsOf(r) {
		if y.s.reads[list] == nil && y.allowed(list) {
			y.s.reads[list] = &retry{due: y.now()}
		}
	}
}

// readBefore reads what the events need and do not bring: the comments of pull
// requests, and the statuses of commits that become interesting by them, as
// GitHub tells of no status that a commit already has (GH-101).
func (y *syncer) readBefore(ctx context.Context, events []github.Event) {
	var reads []read
	for _, e := range events {
		switch e := e.(type) {
		case github.PREvent:
			reads = append(reads, y.beforePR(e)...)
		case github.RefEvent:
			reads = append(reads, y.unknownStatuses(e.Ref.Commit)...)
		}
	}
	y.load(ctx, reads, true)
}

func (y *syncer) beforePR(e github.PREvent) (reads []read) {
	if e.Unread == github.All || y.latePR(e.PR) {
		return nil
	}
	if e.PR.State == github.Open {
		reads = y.unknownStatuses(e.PR.Head)
	}
	if e.Unread == github.Comments {
		reads = append(reads, commentsOf(e.PR.ID()))
	}
	return reads
}

func (y *syncer) unknownStatuses(c github.Commit) []read {
	if y.known.Has(c) {
		return nil
	}
	return []read{statusesOf(c)}
}

// latePR reports whether GitHub changed the pull request since it was as pr
// says.
func (y *syncer) latePR(pr github.PR) bool {
	old, ok := y.s.g.Find(pr.ID())
	return ok && !pr.Updated.IsZero() && pr.Updated.Before(old.(github.PR).Updated)
}

// apply applies an event to what is known of GitHub. ok tells that it cannot
// be trusted, and that r is to be read instead.
func (y *syncer) apply(e github.Event) (r read, ok bool) {
	switch e := e.(type) {
	case github.PREvent:
		return y.applyPR(e)
	case github.StatusEvent:
		y.setStatus(e.Status)
	case github.RefEvent:
		return y.applyRef(e.Ref.ID(), e.Ref.Commit.Hash, e.Before, func() { y.setG(e.Ref) })
	case github.RefRemoved:
		return y.applyRef(e.Ref, "", e.Before, func() { y.dropG(e.Ref) })
	}
	return read{}, false
}

// applyRef applies that a reference has got the hash, "" for none, unless the
// one that it had before is not the known one (GH-108).
func (y *syncer) applyRef(id github.RefID, hash, before string, do func()) (r read, ok bool) {
	known := ""
	if e, ok := y.s.g.Find(id); ok {
		known = e.(github.Ref).Commit.Hash
	}
	if hash == known {
		return read{}, false // such as the echo of what the bridge has sent
	}
	if strings.Trim(before, "0") != "" && before != known {
		return reference(id), true
	}
	do()
	return read{}, false
}

func (y *syncer) applyPR(e github.PREvent) (r read, ok bool) {
	id := e.PR.ID()
	switch {
	case y.latePR(e.PR):
		return read{}, false
	case e.Unread == github.All, y.contradicts(e.PR):
		return pullRequest(id), true
	case e.Unread == github.Comments:
		comments, read := y.comments[id]
		if !read { // they are pending: the rest need not wait for them
			comments = y.knownComments(id)
		}
		e.PR.Comments = withComments(e.PR.Comments, comments)
	}
	y.setG(e.PR)
	delete(y.s.written, id)
	return read{}, false
}

// contradicts reports whether pr is not what the bridge has sent: it may be
// older than that, or a newer change.
func (y *syncer) contradicts(pr github.PR) bool {
	sent, ok := y.s.written[pr.ID()]
	return ok && !pr.Updated.IsZero() &&
		(sent.Title != nil && *sent.Title != pr.Title ||
			sent.State != nil && *sent.State != pr.State ||
			sent.Base != nil && *sent.Base != pr.Base)
}
