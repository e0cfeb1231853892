package bridge

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/capability"
	"github.com/datakit/datakit/github/layout"
)

// DefaultJobs is how many API calls run at once at most (GH-79).
const DefaultJobs = 16

// Options say what is to be kept in step, and how. They may differ from one
// call of Once to the next (GH-77).
type Options struct {
	DB     *datakit.DB   // required. It may lose its connection and reconnect.
	Branch string        // "" means layout.DefaultBranch
	API    github.API    // GitHub; required
	Source github.Source // webhook events; nil for none

	// Capabilities are what the sync may do (section 5). The zero Set allows
	// nothing; capability.All is the usual one.
	Capabilities capability.Set

	Jobs int // API calls at once, at most; 0 means DefaultJobs

	// Resync is the time between two syncs that read all from GitHub again,
	// in Repeat; 0 means never. The first comes after that time, as the first
	// sync reads all anyway.
	Resync time.Duration

	Log *slog.Logger // nil means no log

	// Observe, unless nil, is called after each sync, on the goroutine of the
	// sync.
	Observe func(Report)

	patience   time.Duration // of the syncs of Repeat; 0 means the constant
	background *background   // in Repeat; nil for syncs that wait for all
}

func (o Options) withDefaults() Options {
	o.Branch = cmp.Or(o.Branch, layout.DefaultBranch)
	o.Jobs = cmp.Or(o.Jobs, DefaultJobs)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// A Report tells how a sync went, for metrics (GH-205).
type Report struct {
	Reason  Reason        // why there was a sync
	Took    time.Duration // from its start to its end
	Err     error         // of a sync that failed as a whole; else nil
	Message string        // of the commit that was made; "" for none

	Monitored int             // the repositories that are mirrored now
	Pending   map[Pending]int // what waits to be tried again
	Refused   int             // the repositories that GitHub does not show, or not all of them (GH-116)

	EventToCommit  []time.Duration // for each event that took effect, from its arrival
	CommitToGitHub []time.Duration // for each value sent, from when the bridge noticed the change
}

// A Reason is why there is a sync (GH-84). Where several came together it is
// that of the timer, or else the one that was noticed first.
type Reason string

// The reasons for a sync.
const (
	ReasonBranch Reason = "branch" // the head has changed; also at the start
	ReasonEvents Reason = "events" // webhook events are queued
	ReasonRetry  Reason = "retry"  // something pending is due
	ReasonResync Reason = "resync" // the timer
	ReasonOnce   Reason = "once"   // Once was called
)

// A Pending is a kind of work that did not succeed and is tried again (GH-109).
type Pending string

// The kinds of pending work.
const (
	PendingRead    Pending = "read"    // of a repository, or a part of one, from GitHub
	PendingSend    Pending = "send"    // of a value of the branch to GitHub
	PendingWebhook Pending = "webhook" // the registration or removal of one
)
