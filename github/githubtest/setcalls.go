package githubtest

import (
	"context"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/datakit/datakit/github"
)

// SetPR is part of github.API.
func (w *World) SetPR(ctx context.Context, id github.PRID, change github.PRChange) error {
	return w.call(ctx, github.OpSetPR, id.Repo, id, func(repo *repository) error {
		pr, ok := repo.prs[id.Number]
		if !ok {
			return refusal("", "", http.StatusNotFound, "Not Found")
		}
		if change.Title != nil {
			pr.Title = github.Trim(*change.Title)
		}
		if change.State != nil {
			pr.State = *change.State
		}
		if change.Base != nil {
			pr.Base = *change.Base
		}
		w.putPR(pr)
		return nil
	})
}

// SetRef is part of github.API. It refuses what is neither below heads nor
// below tags, commits that the repository does not know, and, without force,
// moves that are no fast-forward (see AddCommit).
func (w *World) SetRef(ctx context.Context, ref github.Ref, _, force bool) error {
	r, name, hash := ref.Commit.Repo, string(ref.Name), ref.Commit.Hash
	return w.call(ctx, github.OpSetRef, r, ref.ID(), func(repo *repository) error {
		if !strings.HasPrefix(name, "heads/") && !strings.HasPrefix(name, "tags/") {
			return refusal("", "", http.StatusUnprocessableEntity, "Reference name must start with 'refs/heads/' or 'refs/tags/'.")
		}
		if !repo.knows(hash) {
			return refusal("", "", http.StatusUnprocessableEntity, "Object does not exist")
		}
		if old, ok := repo.resolve(r, name); ok && !force && !repo.descends(hash, old.Commit.Hash) {
			return refusal("", "", http.StatusUnprocessableEntity, "Update is not a fast forward")
		}
		w.putRef(r, name, object{"commit", hash})
		return nil
	})
}

// RemoveRef is part of github.API.
func (w *World) RemoveRef(ctx context.Context, id github.RefID) error {
	return w.call(ctx, github.OpRemoveRef, id.Repo, id, func(*repository) error {
		w.dropRef(id.Repo, string(id.Name))
		return nil
	})
}

// SetStatus is part of github.API.
func (w *World) SetStatus(ctx context.Context, s github.Status) (serial int64, err error) {
	err = w.call(ctx, github.OpSetStatus, s.Commit.Repo, s.ID(), func(repo *repository) error {
		if !repo.knows(s.Commit.Hash) {
			return refusal("", "", http.StatusUnprocessableEntity, "No commit found for SHA: "+s.Commit.Hash)
		}
		if utf8.RuneCountInString(s.Description) > github.MaxDescription {
			return refusal("", "", http.StatusUnprocessableEntity, "Validation Failed: description is too long (maximum is 140 characters)")
		}
		serial = w.addStatus(s.Commit, rawStatus(s))
		return nil
	})
	if err != nil {
		return 0, err
	}
	return serial, nil
}
