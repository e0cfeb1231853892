package remote

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/datakit/datakit"
)

// Push makes branches of the repository at address equal to those here, by
// force, and deletes there those that do not exist here. It returns for each
// branch that the remote has refused why, and an error if nothing could be
// pushed.
func (r Repository) Push(ctx context.Context, address string, branches []string) (refused map[string]error, err error) {
	refused, err = r.push(ctx, address, branches)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return refused, err
}

func (r Repository) push(ctx context.Context, address string, branches []string) (map[string]error, error) {
	heads, err := r.heads(ctx, branches)
	if err != nil {
		return nil, err
	}
	s, err := openPush(ctx, address)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	refs, err := s.AdvertisedReferencesContext(ctx)
	if err != nil && !errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return nil, err
	}
	if refs == nil {
		refs = packp.NewAdvRefs()
	}
	req := packp.NewReferenceUpdateRequestFromCapabilities(refs.Capabilities)
	req.Commands = commands(branches, heads, refs.References)
	if len(req.Commands) == 0 {
		return nil, nil
	}
	if refs.Capabilities.Supports(capability.DeleteRefs) {
		req.Capabilities.Set(capability.DeleteRefs)
	}
	report, err := r.upload(ctx, s, req, refs)
	if err != nil && report == nil {
		return nil, err
	}
	return refusals(report)
}

// commands says how branches are to move: not at all where they are equal.
func commands(branches []string, heads map[string]datakit.Hash, there map[string]plumbing.Hash) (all []*packp.Command) {
	for _, b := range branches {
		name := plumbing.NewBranchReferenceName(b)
		now, was := plumbing.Hash(heads[b]), there[string(name)]
		if now != was {
			all = append(all, &packp.Command{Name: name, Old: was, New: now})
		}
	}
	return all
}

// upload sends the request, with a pack of what the remote lacks unless all
// that it has to do is to delete.
func (r Repository) upload(ctx context.Context, s transport.ReceivePackSession, req *packp.ReferenceUpdateRequest, refs *packp.AdvRefs) (*packp.ReportStatus, error) {
	var wants, known []datakit.Hash
	for _, c := range req.Commands {
		if c.New != plumbing.ZeroHash {
			wants = append(wants, datakit.Hash(c.New))
		}
	}
	if len(wants) == 0 {
		return s.ReceivePack(ctx, req)
	}
	for _, h := range refs.References {
		known = append(known, datakit.Hash(h))
	}
	hashes, err := outgoing(ctx, r.Objects, wants, known)
	if err != nil {
		return nil, err
	}
	pack, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(writePack(ctx, w, r.Objects, hashes))
	}()
	defer func() {
		pack.Close() // before waiting, as it ends the writer
		<-done
	}()
	req.Packfile = pack
	return s.ReceivePack(ctx, req)
}

// refusals returns what a report says about branches that did not move. A nil
// report says that all did.
func refusals(report *packp.ReportStatus) (map[string]error, error) {
	if report == nil {
		return nil, nil
	}
	if report.UnpackStatus != "ok" {
		return nil, fmt.Errorf("the remote could not store the objects: %s", report.UnpackStatus)
	}
	refused := make(map[string]error)
	for _, c := range report.CommandStatuses {
		if c.Status != "ok" {
			refused[c.ReferenceName.Short()] = errors.New(c.Status)
		}
	}
	return refused, nil
}
