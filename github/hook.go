package github

import "context"

// A Hook is a webhook that is registered for a repository (GH-177).
type Hook struct {
	ID          int64    // GitHub's number; 0 before it is registered
	URL         string   // where deliveries go
	Active      bool     // deliveries are sent
	Events      []string // the names of the events, such as "push"
	ContentType string   // "json" or "form"
	InsecureSSL bool     // GitHub does not check the certificate of URL

	// Secret signs the deliveries. GitHub never shows it: it is "" in what
	// Hooks returns, and in what is sent "" leaves GitHub's as it is. It must
	// not be printed.
	Secret string
}

// A HookAPI is what the webhooks ask of GitHub (spec/github.md, sections 6.1
// and 6.4). Its methods may be called from several goroutines at once, return
// when ctx ends, and fail as those of API do. The token needs the scope
// admin:repo_hook (GH-166).
type HookAPI interface {
	// Hooks returns the webhooks of a repository, those of others included, in
	// the order of their registration.
	Hooks(ctx context.Context, r Repo) ([]Hook, error)

	// CreateHook registers a webhook and returns it with its ID. One that is
	// there with the same URL, as after a call whose answer was lost, is
	// returned as it is instead.
	CreateHook(ctx context.Context, r Repo, h Hook) (Hook, error)

	// UpdateHook gives the webhook with the ID of h the values of h.
	UpdateHook(ctx context.Context, r Repo, h Hook) error

	// DeleteHook removes a webhook. One that is gone is no error.
	DeleteHook(ctx context.Context, r Repo, id int64) error

	// PingHook makes GitHub send a ping to the webhook. It returns when GitHub
	// has accepted that, which is before the ping arrives.
	PingHook(ctx context.Context, r Repo, id int64) error
}
