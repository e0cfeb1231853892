// Package remote exchanges branches with other Git repositories: by file, git,
// http, https and ssh URLs.
package remote

import (
	"context"
	"errors"
	"fmt"
	"io"

	git "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

// A Repository is the local side of an exchange.
type Repository struct {
	Objects store.Objects
	Refs    store.Refs

	// AddPack stores the objects of a pack, which is complete in itself. An
	// error leaves nothing behind.
	AddPack func(ctx context.Context, pack io.Reader) error
}

const (
	fetched = plumbing.ReferenceName("refs/fetched") // exists for a fetch only

	// maxHaves is how many branches a remote is told of, so that it need not
	// send what is here.
	maxHaves = 256
)

// Fetch copies the history of a branch of the repository at url and returns
// its head. The error is NotExist if there is no such branch. No reference is
// changed.
func (r Repository) Fetch(ctx context.Context, url, branch string) (datakit.Hash, error) {
	heads, err := r.someHeads(ctx)
	if err != nil {
		return datakit.Hash{}, err
	}
	s := fetchStorage{newStorage(r.Objects, heads), func(pack io.Reader) error { return r.AddPack(ctx, pack) }}
	spec := config.RefSpec(fmt.Sprintf("+refs/heads/%s:%s", branch, fetched))
	err = newRemote(s, url).FetchContext(ctx, &git.FetchOptions{RefSpecs: []config.RefSpec{spec}, Tags: git.NoTags})
	var none git.NoMatchingRefSpecError
	switch {
	case ctx.Err() != nil:
		return datakit.Hash{}, ctx.Err()
	case errors.As(err, &none), errors.Is(err, transport.ErrEmptyRemoteRepository):
		return datakit.Hash{}, datakit.NotExist
	case err != nil && !errors.Is(err, git.NoErrAlreadyUpToDate):
		return datakit.Hash{}, err
	}
	ref, err := s.Reference(fetched)
	if err != nil {
		return datakit.Hash{}, err
	}
	return datakit.Hash(ref.Hash()), nil
}

// someHeads returns branches that a remote may know.
func (r Repository) someHeads(ctx context.Context) (map[string]datakit.Hash, error) {
	names, err := r.Refs.Branches(ctx)
	if err != nil {
		return nil, err
	}
	return r.heads(ctx, names[:min(len(names), maxHaves)])
}

// heads returns the heads of those of the branches that exist.
func (r Repository) heads(ctx context.Context, names []string) (map[string]datakit.Hash, error) {
	heads := make(map[string]datakit.Hash)
	for _, name := range names {
		h, err := r.Refs.Head(ctx, name)
		if err != nil {
			return nil, err
		}
		if !h.IsZero() {
			heads[name] = h
		}
	}
	return heads, nil
}
