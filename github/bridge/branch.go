package bridge

import (
	"context"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
)

// What a branch that has no head begins with (GH-39).
const (
	readmeFile     = "README.md"
	readme         = "### DataKit -- GitHub bridge\n"
	initialMessage = "Initial commit"
)

// ensureBranch gives the branch a head if it has none (GH-80).
func (y *syncer) ensureBranch(ctx context.Context) error {
	branch := y.DB.Branch(y.Branch)
	head, err := branch.Head(ctx)
	if err != nil || !head.IsZero() || y.plan != nil {
		return err
	}
	return branch.With(ctx, func(tx *datakit.Tx) error {
		if parents, err := tx.Parents(ctx); err != nil || len(parents) > 0 {
			tx.Abort() // somebody was faster
			return err
		}
		if err := tx.Create(ctx, readmeFile, datakit.Normal, []byte(readme)); err != nil {
			return err
		}
		return tx.Commit(ctx, initialMessage)
	})
}

// readBranch opens a transaction and reads what the branch says at the commit
// on which it stands (GH-88, step 1). The caller ends the transaction.
func (y *syncer) readBranch(ctx context.Context) (*datakit.Tx, error) {
	s := y.s
	goesOn, err := y.goesOn(ctx)
	if err != nil {
		return nil, err
	}
	if !goesOn {
		y.Log.Warn("the branch has another history than before: starting anew", "branch", y.Branch)
		s.restart()
		y.known = s.g
	}
	tx, content, err := layout.Begin(ctx, y.DB, y.Branch, &s.branch)
	if err != nil {
		return nil, err
	}
	if err := s.findDirty(ctx, &tx.Tree, content.Dirty); err != nil {
		tx.Abort()
		return nil, err
	}
	s.took(content)
	y.reportMalformed(content.Malformed)
	return tx, nil
}

// findDirty notes the .dirty files that are new since the last commit that was
// read, and those that are there again after the sync has removed them, which
// that commit may have had too.
func (s *State) findDirty(ctx context.Context, tree *datakit.Tree, news []github.ID) error {
	for _, id := range s.cleaned {
		again, err := layout.IsDirty(ctx, tree, id)
		if err != nil {
			return err
		}
		if again {
			s.dirty[id] = false
		}
	}
	s.cleaned = nil
	for _, id := range news {
		s.dirty[id] = false
	}
	return nil
}

// took notes what the branch says now.
func (s *State) took(content layout.Content) {
	diff := github.Compute(content.Snapshot, s.b)
	for _, id := range diff.Remove {
		s.touchID(id)
	}
	for _, e := range diff.Update {
		s.touchID(e.Identity())
		s.touch(e)
	}
	s.branch, s.b = content, content.Snapshot
}

// reportMalformed logs what of the branch cannot be understood, once for each
// reason, and notes which elements these are (GH-129).
func (y *syncer) reportMalformed(list []layout.Malformed) {
	malformed := map[github.ID]string{}
	paths := map[datakit.Path]string{}
	for _, m := range list {
		if y.s.passed[m.Path] != m.Reason {
			y.Log.Warn("the branch has something that cannot be understood", "path", string(m.Path), "reason", m.Reason)
		}
		paths[m.Path] = m.Reason
		if m.ID != nil {
			malformed[m.ID] = m.Reason
		}
	}
	for id := range y.s.malformed {
		if _, still := malformed[id]; !still {
			y.s.touchID(id)
		}
	}
	for id := range malformed {
		if _, before := y.s.malformed[id]; !before {
			y.s.touchID(id)
		}
	}
	y.s.malformed, y.s.passed = malformed, paths
}

// maxHistory is how many commits are looked at to find the last one that was
// read.
const maxHistory = 10_000

// goesOn reports whether the branch still has the commit that was read last, so
// that what has changed since is a change of the branch and not another history
// (GH-141).
func (y *syncer) goesOn(ctx context.Context) (bool, error) {
	last := y.s.branch.Head
	if last.IsZero() {
		return true, nil
	}
	head, err := y.DB.Branch(y.Branch).Head(ctx)
	if err != nil {
		return false, err
	}
	if head == last {
		return true, nil
	}
	old, err := y.DB.Commit(ctx, last)
	if datakit.KindOf(err) == datakit.NotExist {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return y.isAncestor(ctx, old, head)
}

// isAncestor reports whether old is in the history of head. Commits that are
// clearly older than old are not followed.
func (y *syncer) isAncestor(ctx context.Context, old *datakit.Commit, head datakit.Hash) (bool, error) {
	queue, seen := []datakit.Hash{head}, map[datakit.Hash]bool{head: true}
	for n := 0; n < len(queue) && n < maxHistory; n++ {
		c, err := y.DB.Commit(ctx, queue[n])
		if datakit.KindOf(err) == datakit.NotExist {
			continue // the history of a shallow clone ends here
		}
		if err != nil {
			return false, err
		}
		for _, p := range c.Parents {
			if p == old.Hash {
				return true, nil
			}
			if !seen[p] && !c.Date.Before(old.Date.Add(-clockSkew)) {
				seen[p] = true
				queue = append(queue, p)
			}
		}
	}
	return false, nil
}

// clockSkew is by how much the dates of commits may be wrong.
const clockSkew = time.Hour
