package remote

import (
	"context"
	"errors"
	"fmt"

	git "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/datakit/datakit"
	gitstorage "github.com/go-git/go-git/v5/storage"
)

// remoteName is what go-git calls every remote; nothing outside sees it.
const remoteName = "remote"

func newRemote(s gitstorage.Storer, url string) *git.Remote {
	return git.NewRemote(s, &config.RemoteConfig{Name: remoteName, URLs: []string{url}})
}

// Push makes branches of the repository at url equal to those here, by force,
// and deletes there those that do not exist here. It returns for each branch
// that the remote has refused why, and an error if nothing could be pushed.
func (r Repository) Push(ctx context.Context, url string, branches []string) (refused map[string]error, err error) {
	heads, err := r.heads(ctx, branches)
	if err != nil {
		return nil, err
	}
	remote := newRemote(newStorage(r.Objects, heads), url)
	there, err := list(ctx, remote)
	if err != nil {
		return nil, err
	}
	specs := refSpecs(branches, heads, there)
	if len(specs) == 0 {
		return nil, nil
	}
	pushErr := remote.PushContext(ctx, &git.PushOptions{RemoteName: remoteName, RefSpecs: specs, Force: true})
	if pushErr == nil || errors.Is(pushErr, git.NoErrAlreadyUpToDate) {
		return nil, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return r.refusals(ctx, remote, branches, heads, pushErr)
}

// refSpecs says what to push: nothing for branches that are equal.
func refSpecs(branches []string, heads, there map[string]datakit.Hash) (specs []config.RefSpec) {
	for _, b := range branches {
		ref := plumbing.NewBranchReferenceName(b)
		h, exists := heads[b]
		was, existed := there[b]
		switch {
		case exists && h != was:
			specs = append(specs, config.RefSpec(fmt.Sprintf("+%s:%s", ref, ref)))
		case !exists && existed:
			specs = append(specs, config.RefSpec(fmt.Sprintf(":%s", ref)))
		}
	}
	return specs
}

// refusals asks the remote which branches were not pushed; the error of a push
// names one at most.
func (r Repository) refusals(ctx context.Context, remote *git.Remote, branches []string, heads map[string]datakit.Hash, cause error) (map[string]error, error) {
	there, err := list(ctx, remote)
	if err != nil {
		return nil, errors.Join(cause, err)
	}
	refused := make(map[string]error)
	for _, b := range branches {
		if heads[b] != there[b] {
			refused[b] = cause
		}
	}
	return refused, nil
}

// list returns the branches of a remote.
func list(ctx context.Context, remote *git.Remote) (map[string]datakit.Hash, error) {
	refs, err := remote.ListContext(ctx, &git.ListOptions{})
	if err != nil && !errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return nil, err
	}
	heads := make(map[string]datakit.Hash)
	for _, ref := range refs {
		if ref.Name().IsBranch() && ref.Type() == plumbing.HashReference {
			heads[ref.Name().Short()] = datakit.Hash(ref.Hash())
		}
	}
	return heads, nil
}
