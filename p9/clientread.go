package p9

import (
	"context"
	"sync"
)

// firstRead is how much is asked for at first of a file of unknown size, in
// bytes. Most files are smaller.
const firstRead = 4 << 10

// ReadAll reads an open fid from the start until there is nothing more.
func (f *Fid) ReadAll(ctx context.Context) ([]byte, error) {
	b := make([]byte, 0, firstRead)
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := f.ReadOnce(ctx, b[len(b):cap(b)], uint64(len(b)))
		b = b[:len(b)+n]
		if n == 0 || err != nil {
			return b, err
		}
	}
}

// ReadFile returns the content of the file that the names lead to. If it is
// small that takes one round trip, as all requests are sent at once. The server
// must take requests up in their order, as Server does, and answer a read with
// all that there is: another one might take the open for that of another file.
func (f *Fid) ReadFile(ctx context.Context, names ...string) ([]byte, error) {
	if f.c.walkable(names) == len(names) {
		b, done, err := f.readQuickly(ctx, names)
		if done || err != nil {
			return b, err
		}
	}
	to, err := f.Walk(ctx, names...)
	if err != nil {
		return nil, err
	}
	defer to.Release()
	if err := to.Open(ctx, ReadOnly); err != nil {
		return nil, err
	}
	return to.ReadAll(ctx)
}

// readQuickly is ReadFile with four requests at once: a walk, an open, a read and
// a clunk. It is not done if the file is not small, or if the server had to wait,
// which gives up what the clunk comes before.
func (f *Fid) readQuickly(ctx context.Context, names []string) (b []byte, done bool, err error) {
	to, err := f.c.newFid(ctx)
	if err != nil {
		return nil, false, err
	}
	b = make([]byte, firstRead)
	t, e := f.c.t, &ending{f: to}
	walk, open, read, clunk := f.walkCall(to, names), to.openCall(ReadOnly), to.readCall(b, 0), to.request(tclunk)
	asked := len(read.dst)
	if !t.sendAll(ctx, walk, open, read, clunk) {
		f.c.forget(to)
		return nil, false, nil
	}
	// The last first, as then the others are there as well.
	clunkErr := t.waitPatiently(ctx, clunk, e.clunked)
	err = t.wait(ctx, walk, func(q *call) { e.walked(q, len(names)) })
	openErr, readErr := t.wait(ctx, open, nil), t.wait(ctx, read, nil)
	if err != nil {
		return nil, false, err
	}
	if fullWalk(walk, len(names)) && clunkErr == nil && openErr == nil && readErr == nil && read.n < asked {
		b = b[:read.n]
		for _, q := range []*call{walk, open, read, clunk} {
			q.free()
		}
		return b, true, nil
	}
	return nil, false, ctx.Err()
}

// An ending is what becomes of a fid for which a walk and a clunk were sent at
// once. It can be used again when both are answered, and the server does not
// know it.
type ending struct {
	f *Fid

	mu       sync.Mutex // guards what follows
	answered int
	bound    bool // by the walk
	ended    bool // by the clunk
}

func (e *ending) walked(q *call, names int) { e.add(fullWalk(q, names), false) }

func (e *ending) clunked(q *call) { e.add(false, q.err == nil && q.rtyp == tclunk+1) }

func (e *ending) add(bound, ended bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answered++
	e.bound = e.bound || bound
	e.ended = e.ended || ended
	switch {
	case e.answered < 2:
	case e.bound && !e.ended: // so the walk was still going on
		e.f.Release()
	default:
		e.f.c.forget(e.f)
	}
}

// fullWalk reports whether a walk has led to the end of so many names.
func fullWalk(q *call, names int) bool {
	if q.err != nil || q.rtyp != twalk+1 {
		return false
	}
	d := decoder{b: q.body}
	return int(d.u16()) == names && !d.bad
}
