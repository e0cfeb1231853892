package hook

import (
	"context"

	"github.com/datakit/datakit/github"
)

// A Hooks is the operations of GitHub on the webhooks of repositories (GH-155).
type Hooks interface {
	ListHooks(ctx context.Context, r github.Repo) ([]Hook, error)
	CreateHook(ctx context.Context, r github.Repo, c Config) (id int64, err error)
	UpdateHook(ctx context.Context, r github.Repo, id int64, c Config) error
	DeleteHook(ctx context.Context, r github.Repo, id int64) error
	PingHook(ctx context.Context, r github.Repo, id int64) error
}

type Hook struct {
	ID  int64
	URL string
}

type Config struct {
	URL    string
	Secret string
	Events []string
}
