package bridge

import (
	"errors"
	"sync"
	"time"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/capability"
)

// A syncer performs one sync. Its steps are in files of their own: branch.go
// (what the branch says), repos.go (which repositories come and go), events.go,
// reads.go (the import), resolve.go (who wins), send.go, prune.go and write.go.
type syncer struct {
	Options
	s     *State
	now   func() time.Time
	start time.Time // of the sync
	all   bool      // all that is pending is due
	tries int       // how often it has compared, with the one under way
	plan  *Plan     // of a dry run; else nil

	mu       sync.Mutex                       // guards what calls change: s, got, comments, tried and hung
	known    github.Snapshot                  // what was known of GitHub at the start
	got      map[read]bool                    // what was read, or could not be, in this sync
	comments map[github.PRID][]github.Comment // those that were read in this sync
	tried    map[github.ID]bool               // what was sent, or could not be, in this sync
	hung     map[group]bool                   // of what a call has hung in this sync

	imported   map[github.Repo]bool // first imported in this sync
	monitor    map[github.Repo]bool // what events say is to be mirrored, or no longer (GH-105)
	eventsDone func()               // takes the events from the queue; nil until they were asked for
	arrivals   []time.Time          // of the events that were taken

	perms    map[capability.Resource]perm
	told     map[string]bool // the denials that were logged
	warnings int             // that were logged
	limited  time.Time       // the end of the rate limit that was logged
	report   Report
}

func newSyncer(o Options, s *State) *syncer {
	s.init()
	return &syncer{
		Options:  o.withDefaults(),
		s:        s,
		now:      time.Now,
		start:    time.Now(),
		tried:    map[github.ID]bool{},
		hung:     map[group]bool{},
		known:    s.g,
		got:      map[read]bool{},
		comments: map[github.PRID][]github.Comment{},
		imported: map[github.Repo]bool{},
		monitor:  map[github.Repo]bool{},
		perms:    map[capability.Resource]perm{},
		told:     map[string]bool{},
	}
}

// permOf returns what the capabilities allow for an element. Statuses cannot
// be read where those of commits may not be asked for (GH-98), unless what
// GitHub says does not matter anyway.
func (y *syncer) permOf(id github.ID) perm {
	res := capability.Of(id)
	p, ok := y.perms[res]
	if ok {
		return p
	}
	allowed := y.Capabilities.For(res)
	p = perm{allowed.Allow(capability.Read), allowed.Allow(capability.Write), allowed.Allow(capability.Exclusive)}
	if _, isStatus := id.(github.StatusID); isStatus && !p.exclusive {
		p.read = p.read && y.Capabilities.Allows(capability.Read, capability.Commit)
	}
	y.perms[res] = p
	return p
}

// mayRead reports whether the resource may be read, and logs if not.
func (y *syncer) mayRead(res capability.Resource) bool {
	if y.Capabilities.Allows(capability.Read, res) {
		return true
	}
	y.deny(capability.Read, res)
	return false
}

// maxWarnings is how many failures of one sync are logged as warnings.
const maxWarnings = 10

// failed logs that a call has failed. A rate limit, which has all calls fail, is
// logged once. The lock is held, or no call runs.
func (y *syncer) failed(err error, msg string, args ...any) {
	args = append(args, "error", err)
	var e *github.APIError
	if !errors.As(err, &e) || e.RetryAt.IsZero() {
		y.warn(msg, args...)
		return
	}
	y.Log.Debug(msg, args...)
	if e.RetryAt.After(y.limited.Add(time.Minute)) { // else it is the same, as far as one can tell
		y.limited = e.RetryAt
		y.warn("GitHub's rate limit is reached: what it keeps from being done is pending", "until", e.RetryAt, "error", err)
	}
}

// warn logs a failure; where there are many, as when GitHub cannot be reached,
// the rest only for debugging. The lock is held, or no call runs.
func (y *syncer) warn(msg string, args ...any) {
	y.warnings++
	switch {
	case y.warnings < maxWarnings:
		y.Log.Warn(msg, args...)
	case y.warnings == maxWarnings:
		y.Log.Warn(msg+"; further failures of this sync are logged at level debug", args...)
	default:
		y.Log.Debug(msg, args...)
	}
}

// deny logs, once in a sync, that an operation was left out (GH-154).
func (y *syncer) deny(op capability.Op, res capability.Resource) {
	key := op.String() + " " + string(res)
	if !y.told[key] {
		y.told[key] = true
		y.Log.Info("denied by the capabilities", "resource", string(res), "operation", op.String(), "capabilities", y.Capabilities.String())
	}
}
