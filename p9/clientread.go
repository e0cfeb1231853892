package p9

import "context"

// firstRead is how much is asked for at first of a file of unknown size, in
// bytes. Most files are smaller.
const firstRead = 4 << 10

// ReadAll reads an open fid from the start until there is nothing more.
func (f *Fid) ReadAll(ctx context.Context) ([]byte, error) {
	return f.readRest(ctx, make([]byte, 0, firstRead))
}

// readRest reads what follows b until there is nothing more, and returns both.
func (f *Fid) readRest(ctx context.Context, b []byte) ([]byte, error) {
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

// ReadFile returns the content of the file that the names lead to. It sends all
// requests at once, so that a small file takes one round trip. The server must
// take requests up in their order, as Server does, and answer a read with all
// that there is: another one might take the open for that of another file.
func (f *Fid) ReadFile(ctx context.Context, names ...string) ([]byte, error) {
	if f.c.walkable(names) < len(names) {
		return f.readFar(ctx, names)
	}
	to, err := f.c.newFid(ctx)
	if err != nil {
		return nil, err
	}
	b := make([]byte, firstRead)
	walk, open, read := f.walkCall(to, names), to.openCall(ReadOnly), to.readCall(b, 0)
	s := f.c.t.sendSeries(ctx, walk, open, read)
	defer s.drop(ctx)
	if err = s.next(ctx, f.afterWalk(to)); err == nil {
		err = f.walked(walk, to, names)
	}
	if err != nil {
		return nil, err
	}
	defer to.Release()
	if err = s.next(ctx, nil); err == nil {
		err = to.takeQid(open)
	}
	if err != nil {
		return nil, err
	}
	if err := s.next(ctx, nil); err != nil {
		return nil, err
	}
	b, asked := b[:read.n], len(read.dst)
	read.free()
	if len(b) < asked {
		return b, nil
	}
	return to.readRest(ctx, b)
}

// readFar is ReadFile of what one message does not lead to.
func (f *Fid) readFar(ctx context.Context, names []string) ([]byte, error) {
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

// A series is requests of which each is of no use without those before it.
type series struct {
	t     *transport
	calls []*call
	sent  int // how many of them are on their way, or answered
	taken int // the answers of how many were taken
}

// sendSeries sends requests with one write, as far as nothing has to be waited
// for.
func (t *transport) sendSeries(ctx context.Context, calls ...*call) *series {
	return &series{t: t, calls: calls, sent: t.sendTogether(ctx, calls)}
}

// next waits for the answer to the next request, as roundTrip does.
func (s *series) next(ctx context.Context, after func(*call)) error {
	i := s.taken
	s.taken++
	if i < s.sent {
		return s.t.wait(ctx, s.calls[i], after)
	}
	return s.t.roundTrip(ctx, s.calls[i], nil, after)
}

// drop passes over the answers that were not taken.
func (s *series) drop(ctx context.Context) {
	for ; s.taken < s.sent; s.taken++ {
		s.t.wait(ctx, s.calls[s.taken], nil)
	}
}
