package remote

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/server"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// An inProcess transport reaches repositories of this machine where there is no
// git, with go-git's server: it knows no hooks and few rules, but copies.
type inProcess struct{}

// Load opens the repository at a path: in ".git" below it if that exists.
func (inProcess) Load(ep *transport.Endpoint) (storer.Storer, error) {
	for _, dir := range []string{filepath.Join(ep.Path, ".git"), ep.Path} {
		if _, err := os.Stat(filepath.Join(dir, "HEAD")); err == nil {
			return filesystem.NewStorage(osfs.New(dir), cache.NewObjectLRUDefault()), nil
		}
	}
	return nil, fmt.Errorf("no git repository: %w", &fs.PathError{Op: "open", Path: ep.Path, Err: transport.ErrRepositoryNotFound})
}

// NewUploadPackSession opens a repository to fetch from it.
func (p inProcess) NewUploadPackSession(ep *transport.Endpoint, auth transport.AuthMethod) (transport.UploadPackSession, error) {
	objs, err := p.Load(ep)
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(p).NewUploadPackSession(ep, auth)
	return inProcessFetch{s, objs}, err
}

// NewReceivePackSession opens a repository to push to it.
func (p inProcess) NewReceivePackSession(ep *transport.Endpoint, auth transport.AuthMethod) (transport.ReceivePackSession, error) {
	return server.NewServer(p).NewReceivePackSession(ep, auth)
}

type inProcessFetch struct {
	transport.UploadPackSession
	objs storer.Storer
}

// UploadPack leaves out what the server has never heard of, which it would
// stumble over.
func (f inProcessFetch) UploadPack(ctx context.Context, req *packp.UploadPackRequest) (*packp.UploadPackResponse, error) {
	req.Haves = slices.DeleteFunc(req.Haves, func(h plumbing.Hash) bool { return f.objs.HasEncodedObject(h) != nil })
	return f.UploadPackSession.UploadPack(ctx, req)
}
