package bridge

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
)

// cleanMessage is the message of a commit that only removes .dirty files
// (GH-137).
const cleanMessage = "Cleaning up .dirty files"

// write writes T to the transaction, with the .dirty files that were dealt with
// and the reports, and commits it if its tree has changed (GH-88, steps 9 and
// 10; GH-91, GH-136).
func (y *syncer) write(ctx context.Context, tx *datakit.Tx, r *resolution) error {
	diff := github.Compute(r.t, y.s.b)
	for _, id := range r.remove {
		diff.AddRemoval(id)
	}
	for repo, monitored := range y.monitor {
		if monitored && !y.s.branch.Snapshot.Has(repo) {
			diff.AddUpdate(repo)
		}
	}
	clean := y.cleaned()
	if err := layout.Clean(ctx, tx, clean...); err != nil {
		return err
	}
	errors, err := y.writeErrors(ctx, tx, r)
	if err != nil {
		return err
	}
	changed := false
	if !diff.IsEmpty() || len(clean) > 0 || errors != (counts{}) {
		if changed, err = layout.Apply(ctx, tx, diff); err != nil {
			return err
		}
	}
	if changed {
		if err := y.commit(ctx, tx, message(diff, len(clean), errors)); err != nil {
			return err
		}
	}
	tx.Abort()
	y.agree(r, clean)
	if changed && y.plan == nil {
		y.skipOwn(ctx, r)
	}
	return nil
}

// skipOwn has the next sync read what differs from the commit that was just
// made, whose content is known, and not from the one before. That is only to
// save time: where the commit was merged, the next sync reads all that has
// changed since the one before.
func (y *syncer) skipOwn(ctx context.Context, r *resolution) {
	before := y.s.branch
	head, err := y.DB.Branch(y.Branch).Head(ctx)
	if err != nil || len(y.monitor) > 0 {
		return
	}
	c, err := y.DB.Commit(ctx, head)
	if err != nil || c.Message != y.report.Message || !slices.Equal(c.Parents, []datakit.Hash{before.Head}) {
		return
	}
	y.s.branch = layout.Content{
		Head:     head,
		Snapshot: r.t,
		Malformed: slices.DeleteFunc(slices.Clone(before.Malformed), func(m layout.Malformed) bool {
			return m.ID != nil && r.replaces(m.ID)
		}),
		Errors: y.errorFiles(before.Errors),
	}
}

// errorFiles returns what has a file .error after the commit, given what had
// one before.
func (y *syncer) errorFiles(before []github.ID) []github.ID {
	ids := slices.Collect(maps.Keys(y.s.reported))
	for _, id := range before {
		if _, listed := y.s.reported[id]; !listed && y.s.repos[id.Repository()] == nil {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, github.CompareIDs)
	return ids
}

func (y *syncer) commit(ctx context.Context, tx *datakit.Tx, msg string) error {
	if y.plan != nil {
		y.plan.Message = msg
		return nil
	}
	if err := tx.Commit(ctx, msg); err != nil {
		return err
	}
	y.report.Message = msg
	return nil
}

// counts are how many .error files a sync has changed.
type counts struct {
	refused   int // written, for what GitHub refuses
	malformed int // written, for what cannot be understood
	cleared   int // removed
}

// message returns the message of a commit (GH-137, GH-115).
func message(diff github.Diff, cleaned int, errors counts) string {
	switch {
	case !diff.IsEmpty():
		return diff.Message()
	case errors.malformed > 0:
		return numbered(errors.refused+errors.malformed, "error") + " reported"
	case errors.refused > 0:
		return numbered(errors.refused, "item") + " refused by GitHub"
	case cleaned > 0:
		return cleanMessage
	}
	return numbered(errors.cleared, "error") + " cleared"
}

func numbered(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// cleaned returns the identities whose .dirty files have been dealt with: all
// but those for which something could not be read (GH-110), and those of
// repositories that the capabilities exclude.
func (y *syncer) cleaned() (ids []github.ID) {
	for id, tried := range y.s.dirty {
		r := id.Repository()
		if !y.Capabilities.Syncs(r) || y.s.repos[r] != nil && (!tried || y.hasFailed(id)) {
			continue
		}
		ids = append(ids, id)
	}
	slices.SortFunc(ids, github.CompareIDs)
	return ids
}

// writeErrors makes the .error files say what GitHub refuses at present, and
// what cannot be understood, and returns how many it has changed (GH-56).
func (y *syncer) writeErrors(ctx context.Context, tx *datakit.Tx, r *resolution) (n counts, err error) {
	there := map[github.ID]bool{}
	for _, id := range y.s.branch.Errors {
		there[id] = true
	}
	r.errors = y.errors(r)
	for id, text := range r.errors {
		if there[id] && y.s.reported[id] == text {
			continue
		}
		written, err := layout.SetError(ctx, tx, id, text)
		if err != nil {
			return n, err
		}
		switch {
		case !written:
		case y.isMalformed(id):
			n.malformed++
		default:
			n.refused++
		}
	}
	for id := range there {
		if _, still := r.errors[id]; still || y.s.repos[id.Repository()] == nil {
			continue
		}
		removed, err := layout.ClearError(ctx, tx, id)
		if err != nil {
			return n, err
		}
		if removed {
			n.cleared++
		}
	}
	return n, nil
}

// isMalformed reports whether what is said of an element is that it cannot be
// understood, and not that GitHub refuses it.
func (y *syncer) isMalformed(id github.ID) bool {
	_, malformed := y.s.malformed[id]
	_, refused := y.s.refused[id]
	return malformed && !refused
}

// errors returns what the .error files are to say.
func (y *syncer) errors(r *resolution) map[github.ID]string {
	errors := map[github.ID]string{}
	for k, again := range y.s.reads {
		if old := errors[k.repo]; again.reason != "" && (old == "" || again.reason < old) {
			errors[k.repo] = again.reason // GH-116
		}
	}
	for id, reason := range y.s.malformed {
		if y.s.repos[id.Repository()] != nil && !r.replaces(id) {
			errors[id] = oneLine(reason)
		}
	}
	for id, refused := range y.s.refused {
		errors[id] = refused.reason
	}
	return errors
}

// agree notes that the branch says what it must say.
func (y *syncer) agree(r *resolution, clean []github.ID) {
	y.s.a = r.a
	y.s.b = r.t
	y.s.reported = r.errors
	y.pruneG(r)
	y.s.settle()
	clear(y.s.touched)
	for _, id := range clean {
		delete(y.s.dirty, id)
	}
	y.s.cleaned = clean
	for repo := range y.monitor {
		if y.leaves(repo) && y.s.repos[repo] != nil {
			y.leave(repo)
		}
	}
}
