package p9

import (
	"context"
	"io"
)

// maxAhead is how many messages of one read or write are on their way at most.
const maxAhead = 8

// ReadOnce reads with one message, and returns what the server answers: less
// than p has room for if it likes, and nothing at the end of a file.
func (f *Fid) ReadOnce(ctx context.Context, p []byte, off uint64) (int, error) {
	return f.readOnce(ctx, p, off, nil)
}

func (f *Fid) readOnce(ctx context.Context, p []byte, off uint64, after func(*call)) (int, error) {
	q := f.readCall(p, off)
	if err := f.c.t.roundTrip(ctx, q, after); err != nil {
		return 0, err
	}
	n := q.n
	q.free()
	return n, nil
}

// readCall makes a Tread of as much of p as one message can carry.
func (f *Fid) readCall(p []byte, off uint64) *call {
	q := f.request(tread)
	q.dst = p[:min(len(p), int(f.c.t.msize)-readHeader)]
	q.req = append32(append64(q.req, off), uint32(len(q.dst)))
	return q
}

// ReadAt fills p from off, or reads less and returns an error, which is io.EOF
// at the end of the file, as io.ReaderAt does.
func (f *Fid) ReadAt(ctx context.Context, p []byte, off int64) (n int, err error) {
	return f.transfer(p, uint64(off), func(p []byte, off uint64) (int, pending) {
		q := f.readCall(p, off)
		return len(q.dst), f.begin(ctx, q, nil, func() (int, error) { return q.n, nil })
	}, io.EOF)
}

// WriteAt writes p at off, with as many messages as it takes. It returns how
// much the server has taken.
func (f *Fid) WriteAt(ctx context.Context, p []byte, off int64) (n int, err error) {
	return f.transfer(p, uint64(off), func(p []byte, off uint64) (int, pending) {
		p = p[:min(len(p), int(f.c.t.msize)-writeHeader)]
		q := f.request(twrite)
		q.req = append32(append64(q.req, off), uint32(len(p)))
		return len(p), f.begin(ctx, q, p, func() (int, error) { return f.written(q, len(p)) })
	}, io.ErrShortWrite)
}

// written returns the count in an Rwrite to a write of size bytes.
func (f *Fid) written(q *call, size int) (int, error) {
	d := decoder{b: q.body}
	n := d.u32()
	if !d.end() || int64(n) > int64(size) {
		return 0, f.c.t.broken()
	}
	return int(n), nil
}

// A pending is a read or write that is on its way. It waits for the reply.
type pending func() (int, error)

// A sender sends a part of p that is to be moved to or from off, and says how
// long that part is.
type sender func(p []byte, off uint64) (int, pending)

// begin sends a request without waiting for the reply. result takes that apart.
func (f *Fid) begin(ctx context.Context, q *call, payload []byte, result pending) pending {
	err := ctx.Err()
	if err == nil {
		err = f.c.t.start(ctx, q, payload)
	}
	return func() (int, error) {
		if err != nil {
			return 0, err
		}
		if err := f.c.t.wait(ctx, q, nil); err != nil {
			return 0, err
		}
		n, err := result()
		if err == nil {
			q.free()
		}
		return n, err
	}
}

// transfer moves p in the pieces that send sends. As long as the server takes or
// gives whole pieces, more and more of them are sent without waiting. If it moves
// nothing, the error is none.
func (f *Fid) transfer(p []byte, off uint64, send sender, none error) (n int, err error) {
	for ahead := 1; n < len(p) || n == 0; ahead = min(2*ahead, maxAhead) {
		m, whole, err := f.transferSome(p[n:], off+uint64(n), send, ahead)
		n += m
		switch {
		case err != nil:
			return n, err
		case n == len(p):
			return n, nil
		case m == 0:
			return n, none
		case !whole:
			ahead = 1
		}
	}
	return n, nil
}

// transferSome sends up to ahead pieces and waits for all of them. It returns
// how much was moved without a gap, and whether all pieces were moved whole.
func (f *Fid) transferSome(p []byte, off uint64, send sender, ahead int) (n int, whole bool, err error) {
	var sizes [maxAhead]int
	var sent [maxAhead]pending
	count, at := 0, 0
	for count < ahead && (at < len(p) || count == 0) {
		sizes[count], sent[count] = send(p[at:], off+uint64(at))
		at += sizes[count]
		count++
	}
	whole = true
	for i, wait := range sent[:count] {
		m, e := wait()
		if !whole || err != nil {
			continue
		}
		n, err = n+m, e
		whole = m == sizes[i]
	}
	return n, whole, err
}
