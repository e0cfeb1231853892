package datakit

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/datakit/datakit/p9"
)

// A Watch follows what a branch has at a path. Close it. Calls of Next do not
// overlap; Close may be called at any time, and more than once.
type Watch struct {
	c    *Client
	path []string
	f    *p9.Fid
	s    *p9.Stream
	life context.Context // ends with Close
	end  context.CancelFunc
}

// NewWatch returns a watch of what a branch has at path. A branch that does not
// exist is made known to the server.
func NewWatch(ctx context.Context, client *Client, fromBranch string, path []string) (*Watch, error) {
	live := branchDir(fromBranch, "watch")
	for _, step := range path {
		live = append(live, step+".node")
	}
	live = append(live, "tree.live")
	f, err := client.open(ctx, p9.ReadOnly, live)
	if errors.Is(fail("watch", live, err), NotExist) {
		if err := client.Mkdir(ctx, branchDir(fromBranch)...); err != nil {
			return nil, err
		}
		f, err = client.open(ctx, p9.ReadOnly, live)
	}
	if err != nil {
		return nil, fail("watch", live, err)
	}
	w := &Watch{c: client, path: live, f: f, s: p9.NewStream(f)}
	w.life, w.end = context.WithCancel(context.Background())
	return w, nil
}

// Next waits until there is something else at the path than what the last Next
// returned, and returns a snapshot of it; the first does not wait. Reading the
// snapshot fails with NotExist if there is nothing. When ctx is done nothing is
// lost. When the watch was closed, the connection is lost or the stream has
// ended the error is io.EOF.
func (w *Watch) Next(ctx context.Context) (*Snapshot, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.life, cancel)()
	lines, err := w.s.Next(ctx)
	switch {
	case err == nil:
		last := lines[strings.LastIndexByte(lines, '\n')+1:]
		return NewSnapshot(ctx, w.c, OBJECT, last), nil
	case w.life.Err() != nil, err == io.EOF, errors.Is(err, p9.ErrConnection):
		return nil, io.EOF
	}
	return nil, fail("watch", w.path, err)
}

// Close ends the watch, and a Next that waits.
func (w *Watch) Close(ctx context.Context) {
	w.end()
	w.f.Clunk(ctx) // which has closed it even if it fails
}
