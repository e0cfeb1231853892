package fsapi

import (
	"context"
	"strings"
	"sync"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// A remote is /remotes/NAME.
type remote struct {
	vfs.DirBase // without a name, which can change
	in          *remotesDir
	name        string // guarded by the mutex of the session
	url         vfs.Buffer

	ctx    context.Context // done when the remote is removed; ends its fetches
	cancel context.CancelFunc

	mu      sync.Mutex // guards the fields below
	head    datakit.Hash
	readers map[*headQueue]struct{}
}

var _ vfs.Dir = (*remote)(nil)

func newRemote(in *remotesDir, name string) *remote {
	r := &remote{
		DirBase: vfs.DirBase{Base: in.s.fs.base(in, "")},
		in:      in,
		name:    name,
		readers: make(map[*headQueue]struct{}),
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.Check = r.check
	return r
}

func (r *remote) check() error {
	if r.ctx.Err() != nil {
		return vfs.ErrNotExist
	}
	return nil
}

// Close drops the remote: it cancels fetches and ends the streams.
func (r *remote) Close() error {
	r.cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	for q := range r.readers {
		q.end()
	}
	clear(r.readers)
	return nil
}

func (r *remote) base() vfs.Base {
	r.in.s.mu.Lock()
	defer r.in.s.mu.Unlock()
	b := r.Base
	b.Name = r.name
	return b
}

// Qid implements vfs.Node.
func (r *remote) Qid(ctx context.Context) (vfs.Qid, error) {
	return (&vfs.DirBase{Base: r.base()}).Qid(ctx)
}

// Stat implements vfs.Node.
func (r *remote) Stat(ctx context.Context) (vfs.Stat, error) {
	return (&vfs.DirBase{Base: r.base()}).Stat(ctx)
}

// Remove implements vfs.Node.
func (r *remote) Remove(context.Context, bool) error { return r.in.remove(r) }

// Rename implements vfs.Node.
func (r *remote) Rename(ctx context.Context, dir vfs.Dir, name string) error {
	if err := checkSameDir(ctx, r.in, dir); err != nil {
		return err
	}
	return r.in.rename(r, name)
}

// List implements vfs.Dir.
func (r *remote) List(ctx context.Context) ([]vfs.Dirent, error) {
	return vfs.Dirents(ctx, r, "fetch", "head", "url")
}

// Lookup implements vfs.Dir.
func (r *remote) Lookup(_ context.Context, name string) (vfs.Node, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	base := r.in.s.fs.base(r, name)
	base.Check = r.Check
	file := vfs.FileBase{Base: base}
	switch name {
	case "fetch":
		return &vfs.Command{FileBase: file, Run: r.fetch}, nil
	case "head":
		return &vfs.Stream{FileBase: file, Source: r.watch, MaxLine: hashLine}, nil
	case "url":
		return &vfs.Text{FileBase: file, Buffer: &r.url}, nil
	}
	return nil, vfs.ErrNotExist
}

// fetch carries out a command written to fetch.
func (r *remote) fetch(ctx context.Context, branch string) (string, error) {
	vfs.MayWait(ctx)
	url := strings.TrimSpace(r.url.String())
	if url == "" {
		return "", errNoURL
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(r.ctx, cancel)()
	head, err := r.in.s.db.Fetch(ctx, url, branch)
	if err != nil {
		err = fetchError(url, err)
		r.in.s.fs.log.Warn("fetch", "url", redact(url), "branch", branch, "error", err)
		return "", err
	}
	r.in.s.fs.log.Info("fetch", "url", redact(url), "branch", branch, "head", head.String())
	r.fetched(head)
	return "", nil
}

// fetched tells all readers of a new head.
func (r *remote) fetched(head datakit.Hash) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.head = head
	for q := range r.readers {
		q.push(head)
	}
}

// watch is the source of head.
func (r *remote) watch(context.Context) (vfs.Source, error) {
	q := newHeadQueue(r.drop)
	if err := r.add(q); err != nil {
		return nil, err
	}
	return newSource(r.in.s, datakit.Watch[datakit.Hash](q), nil, formatHead)
}

func (r *remote) add(q *headQueue) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.check(); err != nil {
		return err
	}
	if !r.head.IsZero() {
		q.push(r.head)
	}
	r.readers[q] = struct{}{}
	return nil
}

func (r *remote) drop(q *headQueue) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.readers, q)
}
