package hook

import (
	"context"
	"slices"
	"time"

	"github.com/datakit/datakit/github"
)

// Watch registers the webhook of a repository, or finds the one that has its
// URL and brings it up to date (GH-178). From the beginning of the call
// deliveries of the repository are accepted. GitHub is asked to ping the
// webhook, unless it is known to be as it should. That none confirms it is
// logged later; that there is no ping, too: then it is registered all the same
// (GH-179).
func (s *Source) Watch(ctx context.Context, r github.Repo) error {
	s.Accept(r) // GitHub may deliver before it answers
	if s.opts.Hooks == nil {
		return nil
	}
	id, sent, err := s.register(ctx, r)
	if err != nil || !sent && s.sure(r, id) {
		return err
	}
	heard := s.nextDelivery(r, id)
	err = s.opts.Hooks.PingHook(ctx, r, id)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		s.opts.Log.Warn("the webhook is registered but GitHub does not ping it", "repository", r, "error", err)
		if sent {
			return nil
		}
	}
	s.work.Go(func() { s.confirm(r, id, sent, heard) })
	return nil
}

// wanted returns the webhook of a repository as GH-177 says, with its number.
func (s *Source) wanted(r github.Repo, id int64) github.Hook {
	return github.Hook{
		ID:          id,
		URL:         s.hookURL(r),
		Active:      true,
		Events:      []string{"create", "delete", "push", "status", "pull_request", "issue_comment"},
		ContentType: "json",
		Secret:      s.opts.Secret.Reveal(),
	}
}

// register makes the webhook as it should be, as far as GitHub shows it, and
// returns its number. sent tells that GitHub was told the secret, too, which it
// never shows.
func (s *Source) register(ctx context.Context, r github.Repo) (id int64, sent bool, err error) {
	ours, err := s.ours(ctx, r)
	if err != nil {
		return 0, false, err
	}
	if len(ours) == 0 {
		made, err := s.opts.Hooks.CreateHook(ctx, r, s.wanted(r, 0))
		return made.ID, true, err
	}
	id = ours[0].ID
	if len(ours) == 1 && looksLike(ours[0], s.wanted(r, id)) {
		return id, false, nil
	}
	if err := s.opts.Hooks.UpdateHook(ctx, r, s.wanted(r, id)); err != nil {
		return 0, false, err
	}
	return id, true, s.remove(ctx, r, ours[1:])
}

// looksLike reports whether two webhooks are the same but for the secret.
func looksLike(h, want github.Hook) bool {
	events := slices.Sorted(slices.Values(h.Events))
	return h.URL == want.URL && h.Active == want.Active && h.ContentType == want.ContentType &&
		h.InsecureSSL == want.InsecureSSL && slices.Equal(events, slices.Sorted(slices.Values(want.Events)))
}

// ours returns the webhooks with our URL, which is one at most unless somebody
// else made it.
func (s *Source) ours(ctx context.Context, r github.Repo) ([]github.Hook, error) {
	all, err := s.opts.Hooks.Hooks(ctx, r)
	return slices.DeleteFunc(all, func(h github.Hook) bool { return h.URL != s.hookURL(r) }), err
}

func (s *Source) remove(ctx context.Context, r github.Repo, hooks []github.Hook) error {
	for _, h := range hooks {
		if err := s.opts.Hooks.DeleteHook(ctx, r, h.ID); err != nil {
			return err
		}
	}
	return nil
}

// confirm waits for a delivery after a ping. If none comes to a webhook that was
// not told the secret, GitHub may have another one.
func (s *Source) confirm(r github.Repo, id int64, sent bool, heard <-chan struct{}) {
	reached := s.await(heard)
	if !reached && !sent && s.accepts(r) && s.ctx.Err() == nil {
		reached = s.tellSecret(r, id)
	}
	switch {
	case s.ctx.Err() != nil:
	case reached:
		s.opts.Log.Info("GitHub reaches the webhook", "repository", r)
	default:
		s.opts.Log.Warn("GitHub cannot reach the webhook: nothing has come from it since it was asked to, "+
			"and changes on GitHub are noticed only at the next resync", "repository", r, "url", s.hookURL(r), "waited", s.opts.Confirm)
	}
}

// await waits for the delivery after a ping, and reports whether it has come.
func (s *Source) await(heard <-chan struct{}) bool {
	select {
	case <-heard:
	case <-time.After(s.opts.Confirm):
	case <-s.ctx.Done():
	}
	select {
	case <-heard:
		return true
	default:
		return false
	}
}

// tellSecret tells GitHub the secret and pings the webhook again. What was
// signed with another one was refused: it has to be caught up with.
func (s *Source) tellSecret(r github.Repo, id int64) (reached bool) {
	if err := s.opts.Hooks.UpdateHook(s.ctx, r, s.wanted(r, id)); err != nil {
		s.opts.Log.Warn("GitHub could not be told the secret of the webhook", "repository", r, "error", err)
		return false
	}
	s.add(github.EventsLost{Repo: r}, time.Now())
	heard := s.nextDelivery(r, id)
	if err := s.opts.Hooks.PingHook(s.ctx, r, id); err != nil {
		s.opts.Log.Warn("the webhook is registered but GitHub does not ping it", "repository", r, "error", err)
	}
	return s.await(heard)
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
