package hook

import (
	"context"
	"time"

	"github.com/datakit/datakit/github"
)

// Events are the events that webhooks are registered for (GH-177).
func events() []string {
	return []string{"create", "delete", "push", "status", "pull_request", "issue_comment"}
}

// Watch registers the webhook of a repository, or brings the one that has its
// URL up to date (GH-178), and has GitHub ping it. From the beginning of the
// call deliveries of the repository are accepted. That none confirms the
// webhook is logged later; that there is no ping, too: then it is registered
// all the same (GH-179).
func (s *Source) Watch(ctx context.Context, r github.Repo) error {
	s.accept(r) // GitHub may deliver before it answers
	if s.opts.Hooks == nil {
		return nil
	}
	id, err := s.register(ctx, r)
	if err != nil {
		return err
	}
	heard := s.listen(r)
	if err := s.opts.Hooks.PingHook(ctx, r, id); err != nil {
		s.opts.Log.Warn("the webhook is registered but GitHub does not ping it", "repo", r, "err", err)
		return nil
	}
	s.work.Go(func() { s.confirm(r, heard) })
	return nil
}

// register returns the number of the webhook of a repository.
func (s *Source) register(ctx context.Context, r github.Repo) (id int64, err error) {
	ours, err := s.ours(ctx, r)
	if err != nil {
		return 0, err
	}
	want := Config{URL: s.hookURL(r), Secret: s.opts.Secret.Reveal(), Events: events()}
	if len(ours) == 0 {
		return s.opts.Hooks.CreateHook(ctx, r, want)
	}
	// GitHub does not tell the secret it has: it may differ.
	if err := s.opts.Hooks.UpdateHook(ctx, r, ours[0], want); err != nil {
		return 0, err
	}
	return ours[0], s.remove(ctx, r, ours[1:])
}

// ours returns the numbers of the webhooks with our URL, which is one at most
// unless somebody else made it.
func (s *Source) ours(ctx context.Context, r github.Repo) (ids []int64, err error) {
	all, err := s.opts.Hooks.ListHooks(ctx, r)
	for _, h := range all {
		if h.URL == s.hookURL(r) {
			ids = append(ids, h.ID)
		}
	}
	return ids, err
}

func (s *Source) remove(ctx context.Context, r github.Repo, ids []int64) error {
	for _, id := range ids {
		if err := s.opts.Hooks.DeleteHook(ctx, r, id); err != nil {
			return err
		}
	}
	return nil
}

// confirm waits for a delivery after a ping.
func (s *Source) confirm(r github.Repo, heard <-chan struct{}) {
	select {
	case <-heard:
		s.opts.Log.Info("GitHub reaches the webhook", "repo", r)
	case <-time.After(s.opts.Confirm):
		s.opts.Log.Warn("GitHub cannot reach the webhook: nothing has come from it since it was asked to, "+
			"and changes on GitHub are noticed only at the next resync", "repo", r, "url", s.hookURL(r), "waited", s.opts.Confirm)
	case <-s.ctx.Done():
	}
}

// Unwatch removes the webhook of a repository. From then on its deliveries are
// refused.
func (s *Source) Unwatch(ctx context.Context, r github.Repo) error {
	s.refuse(r)
	if s.opts.Hooks == nil {
		return nil
	}
	ours, err := s.ours(ctx, r)
	if err != nil {
		return err
	}
	return s.remove(ctx, r, ours)
}
