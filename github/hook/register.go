package hook

import (
	"context"
	"time"

	"github.com/datakit/datakit/github"
)

// Watch registers the webhook of a repository, or brings the one that has its
// URL up to date (GH-178), and has GitHub ping it. From the beginning of the
// call deliveries of the repository are accepted. That none confirms the
// webhook is logged later; that there is no ping, too: then it is registered
// all the same (GH-179).
func (s *Source) Watch(ctx context.Context, r github.Repo) error {
	s.Accept(r) // GitHub may deliver before it answers
	if s.opts.Hooks == nil {
		return nil
	}
	id, err := s.register(ctx, r)
	if err != nil {
		return err
	}
	heard := s.nextDelivery(r)
	err = s.opts.Hooks.PingHook(ctx, r, id)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		s.opts.Log.Warn("the webhook is registered but GitHub does not ping it", "repository", r, "error", err)
		return nil
	}
	s.work.Go(func() { s.confirm(r, heard) })
	return nil
}

// register makes the webhook what GH-177 says, and returns its number.
func (s *Source) register(ctx context.Context, r github.Repo) (id int64, err error) {
	ours, err := s.ours(ctx, r)
	if err != nil {
		return 0, err
	}
	want := github.Hook{
		URL:         s.hookURL(r),
		Active:      true,
		Events:      []string{"create", "delete", "push", "status", "pull_request", "issue_comment"},
		ContentType: "json",
		Secret:      s.opts.Secret.Reveal(),
	}
	if len(ours) == 0 {
		made, err := s.opts.Hooks.CreateHook(ctx, r, want)
		return made.ID, err
	}
	// GitHub does not tell the secret it has: it may differ.
	want.ID = ours[0]
	if err := s.opts.Hooks.UpdateHook(ctx, r, want); err != nil {
		return 0, err
	}
	return want.ID, s.remove(ctx, r, ours[1:])
}

// ours returns the numbers of the webhooks with our URL, which is one at most
// unless somebody else made it.
func (s *Source) ours(ctx context.Context, r github.Repo) (ids []int64, err error) {
	all, err := s.opts.Hooks.Hooks(ctx, r)
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
		s.opts.Log.Info("GitHub reaches the webhook", "repository", r)
	case <-time.After(s.opts.Confirm):
		s.opts.Log.Warn("GitHub cannot reach the webhook: nothing has come from it since it was asked to, "+
			"and changes on GitHub are noticed only at the next resync", "repository", r, "url", s.hookURL(r), "waited", s.opts.Confirm)
	case <-s.ctx.Done():
	}
}

// Unwatch removes the webhook of a repository. From then on its deliveries are
// refused.
func (s *Source) Unwatch(ctx context.Context, r github.Repo) error {
	s.Refuse(r)
	if s.opts.Hooks == nil {
		return nil
	}
	ours, err := s.ours(ctx, r)
	if err != nil {
		return err
	}
	return s.remove(ctx, r, ours)
}
