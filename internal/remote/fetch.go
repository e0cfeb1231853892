package remote

import (
	"context"
	"errors"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/datakit/datakit"
)

const (
	// maxHeads is how many branches are looked at to tell a remote what is
	// here, so that it need not send it.
	maxHeads = 256

	// maxHaves is how many commits it is told of.
	maxHaves = 512
)

// Fetch copies the history of a branch of the repository at address and
// returns its head. The error is NotExist if there is no such branch. No
// reference is changed.
func (r Repository) Fetch(ctx context.Context, address, branch string) (datakit.Hash, error) {
	head, err := r.fetch(ctx, address, branch)
	if err != nil && ctx.Err() != nil {
		return datakit.Hash{}, ctx.Err()
	}
	return head, err
}

func (r Repository) fetch(ctx context.Context, address, branch string) (datakit.Hash, error) {
	s, err := openFetch(ctx, address)
	if err != nil {
		return datakit.Hash{}, err
	}
	defer s.Close()
	refs, err := s.AdvertisedReferencesContext(ctx)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return datakit.Hash{}, datakit.NotExist
	}
	if err != nil {
		return datakit.Hash{}, err
	}
	want, ok := refs.References[string(plumbing.NewBranchReferenceName(branch))]
	if !ok {
		return datakit.Hash{}, datakit.NotExist
	}
	head := datakit.Hash(want)
	if r.has(head) {
		return head, nil
	}
	return head, r.download(ctx, s, refs, want)
}

// download gets all objects that lead from want and are not here.
func (r Repository) download(ctx context.Context, s transport.UploadPackSession, refs *packp.AdvRefs, want plumbing.Hash) error {
	req := packp.NewUploadPackRequestFromCapabilities(refs.Capabilities)
	if refs.Capabilities.Supports(capability.NoProgress) {
		req.Capabilities.Set(capability.NoProgress)
	}
	req.Wants = []plumbing.Hash{want}
	var err error
	if req.Haves, err = r.haves(ctx, refs); err != nil {
		return err
	}
	resp, err := s.UploadPack(ctx, req)
	if err != nil {
		return err
	}
	defer resp.Close()
	return r.AddPack(ctx, contents(resp, req.Capabilities))
}

// contents returns the pack in a response, which may have messages in between.
func contents(resp io.Reader, caps *capability.List) io.Reader {
	switch {
	case caps.Supports(capability.Sideband64k):
		return sideband.NewDemuxer(sideband.Sideband64k, resp)
	case caps.Supports(capability.Sideband):
		return sideband.NewDemuxer(sideband.Sideband, resp)
	}
	return resp
}

// haves returns commits that are here: those that the remote has spoken of,
// and the newest ones of the branches.
func (r Repository) haves(ctx context.Context, refs *packp.AdvRefs) ([]plumbing.Hash, error) {
	names, err := r.Refs.Branches(ctx)
	if err != nil {
		return nil, err
	}
	heads, err := r.heads(ctx, names[:min(len(names), maxHeads)])
	if err != nil {
		return nil, err
	}
	var haves []plumbing.Hash
	for _, h := range refs.References {
		if len(haves) < maxHaves && r.has(datakit.Hash(h)) {
			haves = append(haves, h)
		}
	}
	w := newWalk(r.Objects)
	for _, h := range heads {
		if err := w.add(h, false); err != nil {
			return nil, err
		}
	}
	for len(haves) < 2*maxHaves {
		n, err := w.next()
		if n == nil || err != nil {
			return haves, err
		}
		haves = append(haves, plumbing.Hash(n.hash))
	}
	return haves, ctx.Err()
}
