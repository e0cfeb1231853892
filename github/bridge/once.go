package bridge

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/capability"
)

// Once performs one sync and brings s up to date with it. All that is pending
// is tried again. A sync that fails as a whole, because the database could not
// be used or ctx has ended, has an error; what it has read from GitHub and sent
// there is in s nevertheless, and the next sync goes on from there (GH-141).
// Calls that fail are no error: they are pending in s (GH-109, GH-117).
func Once(ctx context.Context, o Options, s *State) error {
	return once(ctx, o, s, ReasonOnce)
}

// DryRun returns what a first sync would do, and does none of it: it only
// reads (GH-190). A branch that does not exist is not created.
func DryRun(ctx context.Context, o Options) (Plan, error) {
	y := newSyncer(o, &State{})
	y.all, y.plan = true, &Plan{}
	err := y.run(ctx)
	return *y.plan, err
}

func once(ctx context.Context, o Options, s *State, reason Reason) error {
	s.running.Lock()
	defer s.running.Unlock()
	y := newSyncer(o, s)
	y.all = reason == ReasonOnce
	s.resync = s.resync || reason == ReasonResync
	err := y.run(ctx)
	if y.Observe != nil {
		y.report.Reason, y.report.Err = reason, err
		y.report.Took = time.Since(y.start)
		y.report.CommitToGitHub, s.sending = s.sending, nil
		y.report.Monitored, y.report.Pending, y.report.Refused = len(s.repos), s.pending(), s.refusedRepos()
		y.Observe(y.report)
	}
	return err
}

// maxCommits is how often a sync tries to commit to a branch that moves in a
// way that conflicts (GH-139).
const maxCommits = 5

// run performs the sync. If the branch moves it compares anew, and asks GitHub
// for nothing again.
func (y *syncer) run(ctx context.Context) error {
	if err := y.ensureBranch(ctx); err != nil {
		return err
	}
	for {
		y.tries++
		err := y.try(ctx)
		if err == nil {
			y.dropEvents()
			return nil
		}
		if !errors.Is(err, datakit.Conflict) || y.tries == maxCommits {
			return err
		}
		y.Log.Info("the branch has moved: comparing anew", "branch", y.Branch)
	}
}

// try performs the steps of GH-88 once.
func (y *syncer) try(ctx context.Context) error {
	tx, err := y.readBranch(ctx)
	if err != nil {
		return err
	}
	defer tx.Abort()
	y.widen()
	y.comeAndGo()
	y.takeEvents(ctx)
	if err := y.obey(ctx, tx); err != nil {
		return err
	}
	y.importAll(ctx)
	y.touchDue()
	r := y.resolve(ctx)
	y.send(ctx, r)
	if err := ctx.Err(); err != nil {
		return err
	}
	y.prune(r)
	return y.write(ctx, tx, r)
}

// touchDue has what could not be sent decided again when it is due.
func (y *syncer) touchDue() {
	for id, p := range y.s.sends {
		if y.due(&p.retry) {
			y.s.touchID(id)
		}
	}
}

// widen starts anew with all repositories if the capabilities allow to read
// something that they did not allow in the last sync: of that neither GitHub's
// value nor an agreed one is known.
func (y *syncer) widen() {
	was := y.s.caps
	y.s.caps = y.Capabilities
	if len(y.s.repos) == 0 || was.Equal(y.Capabilities) {
		return
	}
	gains := func(res capability.Resource) bool {
		return !was.Allows(capability.Read, res) && y.Capabilities.Allows(capability.Read, res)
	}
	if !gains(capability.PR) && !gains(capability.Ref) && !gains(capability.Commit) && !gainsStatus(y.s.b, gains) {
		return
	}
	for r := range y.s.repos {
		y.s.forget(r)
	}
}

func gainsStatus(b github.Snapshot, gains func(capability.Resource) bool) bool {
	if gains(capability.AnyStatus) {
		return true
	}
	seen := map[github.Context]bool{}
	for st := range b.Statuses() {
		if !seen[st.Context] {
			seen[st.Context] = true
			if gains(capability.Status(st.Context)) {
				return true
			}
		}
	}
	return false
}

// oneLine returns text without line breaks.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
