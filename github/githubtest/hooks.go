package githubtest

import (
	"context"
	"net/http"
	"slices"

	"github.com/datakit/datakit/github"
)

var _ github.HookAPI = (*World)(nil)

// HooksOf returns the webhooks of a repository with their secrets. It counts as
// no call.
func (w *World) HooksOf(r github.Repo) []github.Hook {
	w.mu.Lock()
	defer w.mu.Unlock()
	return cloneHooks(w.peek(r).hooks)
}

func cloneHooks(hooks []github.Hook) []github.Hook {
	list := slices.Clone(hooks)
	for i := range list {
		list[i].Events = slices.Clone(list[i].Events)
	}
	return list
}

// Hooks is part of github.HookAPI.
func (w *World) Hooks(ctx context.Context, r github.Repo) (list []github.Hook, err error) {
	err = w.call(ctx, github.OpListHooks, r, r, func(repo *repository) error {
		list = cloneHooks(repo.hooks)
		for i := range list {
			list[i].Secret = ""
		}
		return nil
	})
	return list, err
}

// CreateHook is part of github.HookAPI.
func (w *World) CreateHook(ctx context.Context, r github.Repo, h github.Hook) (made github.Hook, err error) {
	err = w.call(ctx, github.OpCreateHook, r, r, func(repo *repository) error {
		i := slices.IndexFunc(repo.hooks, func(g github.Hook) bool { return g.URL == h.URL })
		if i < 0 {
			w.addHook(repo, h)
			i = len(repo.hooks) - 1
		}
		made = repo.hooks[i]
		made.Secret = ""
		return nil
	})
	return made, err
}

// addHook registers a webhook. The lock is held.
func (w *World) addHook(repo *repository, h github.Hook) {
	w.serial++
	h.ID = w.serial
	h.Events = slices.Clone(h.Events)
	repo.hooks = append(repo.hooks, h)
}

// UpdateHook is part of github.HookAPI.
func (w *World) UpdateHook(ctx context.Context, r github.Repo, h github.Hook) error {
	return w.call(ctx, github.OpUpdateHook, r, r, func(repo *repository) error {
		return repo.changeHook(h.ID, func(old *github.Hook) {
			if h.Secret == "" {
				h.Secret = old.Secret
			}
			h.Events = slices.Clone(h.Events)
			*old = h
		})
	})
}

// changeHook lets f change a webhook in place. The error is a 404.
func (repo *repository) changeHook(id int64, f func(*github.Hook)) error {
	i := repo.hook(id)
	if i < 0 {
		return refusal("", "", http.StatusNotFound, "Not Found")
	}
	f(&repo.hooks[i])
	return nil
}

// hook returns the place of a webhook, -1 if there is none.
func (repo *repository) hook(id int64) int {
	return slices.IndexFunc(repo.hooks, func(h github.Hook) bool { return h.ID == id })
}

// DeleteHook is part of github.HookAPI.
func (w *World) DeleteHook(ctx context.Context, r github.Repo, id int64) error {
	return w.call(ctx, github.OpDeleteHook, r, r, func(repo *repository) error {
		repo.hooks = slices.DeleteFunc(repo.hooks, func(h github.Hook) bool { return h.ID == id })
		return nil
	})
}

// PingHook is part of github.HookAPI.
func (w *World) PingHook(ctx context.Context, r github.Repo, id int64) error {
	return w.call(ctx, github.OpPingHook, r, r, func(repo *repository) error {
		return w.ping(r, repo, id)
	})
}

// ping tells the listeners that a webhook is to be pinged. The lock is held.
func (w *World) ping(r github.Repo, repo *repository, id int64) error {
	if repo.hook(id) < 0 {
		return refusal("", "", http.StatusNotFound, "Not Found")
	}
	w.tell(Change{Kind: "ping", Repo: r, Hook: id})
	return nil
}
