// Package remote exchanges branches with other Git repositories: by paths and
// file, git, http, https and ssh URLs (gitprotocol-pack(5)).
//
// The messages and http are go-git's. The other transports are here, because a
// context must end them at every moment, also while they connect: those over
// ssh and to a path run the programs that git itself would run.
package remote

import (
	"context"
	"io"

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

// has reports whether an object is in the store.
func (r Repository) has(h datakit.Hash) bool {
	_, _, err := r.Objects.Header(h)
	return err == nil
}
