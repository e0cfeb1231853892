package p9

import (
	"context"

	"github.com/datakit/datakit/vfs"
)

// roundTrips sends requests with one write and waits for all the replies. after
// returns what roundTrip calls so. The calls that have no error must be freed.
func (t *transport) roundTrips(ctx context.Context, calls []*call, after func(i int) func(*call)) []error {
	sent := 0
	t.together(func() {
		for _, c := range calls {
			if ctx.Err() != nil || len(c.req) > int(t.msize) || !t.tags.try() || t.register(c) != nil {
				return // what is left is sent one by one, and waits or fails as it must
			}
			t.send(c, nil, true)
			sent++
		}
	})
	errs := make([]error, len(calls))
	for i, c := range calls {
		if i < sent {
			errs[i] = t.wait(ctx, c, after(i))
		} else {
			errs[i] = t.roundTrip(ctx, c, after(i))
		}
	}
	return errs
}

// sendAll sends requests with one write, unless that would have to wait: then
// it sends none of them.
func (t *transport) sendAll(ctx context.Context, calls ...*call) bool {
	for i, c := range calls {
		if ctx.Err() != nil || len(c.req) > int(t.msize) || !t.tags.try() {
			for range i {
				t.tags.release()
			}
			return false
		}
	}
	t.together(func() {
		for _, c := range calls {
			if err := t.register(c); err != nil {
				c.finish(err)
				continue
			}
			t.send(c, nil, true)
		}
	})
	return true
}

// together writes at once what f sends. f must not wait.
func (t *transport) together(f func()) {
	t.wmu.Lock()
	mine := !t.writing
	t.writing = true // so that others only add to the queue
	t.wmu.Unlock()
	f()
	if mine {
		t.writeQueue(nil, true)
	}
}

// noAfter is for requests after which there is nothing to do.
func noAfter(int) func(*call) { return nil }

// WalkEach is Walk to each of several names, a step each, in the time of one. It
// returns fids of the first of them, at least one of them, as Options.MaxFids
// allows, and nil with an error for what has none.
func (f *Fid) WalkEach(ctx context.Context, names []string) ([]*Fid, []error) {
	fids, err := f.c.newFids(ctx, len(names))
	if err != nil {
		return make([]*Fid, 1), []error{err}
	}
	calls := make([]*call, len(fids))
	for i, to := range fids {
		calls[i] = f.walkCall(to, names[i:i+1])
	}
	errs := f.c.t.roundTrips(ctx, calls, func(i int) func(*call) { return f.afterWalk(fids[i]) })
	for i, q := range calls {
		if errs[i] == nil {
			errs[i] = f.walked(q, fids[i], names[i:i+1])
		}
		if errs[i] != nil {
			fids[i] = nil
		}
	}
	return fids, errs
}

// StatEach is Stat of several fids in the time of one, but for symlinks. A fid
// that is nil is passed over.
func StatEach(ctx context.Context, fids []*Fid) ([]vfs.Stat, []error) {
	stats := make([]vfs.Stat, len(fids))
	errs := forEach(ctx, fids, func(_ int, f *Fid) *call { return f.statCall() }, func(i int, f *Fid, q *call) (err error) {
		stats[i], err = f.takeStat(q)
		return err
	})
	for i, f := range fids {
		if f != nil && errs[i] == nil {
			errs[i] = f.addTarget(ctx, &stats[i])
		}
	}
	return stats, errs
}

// OpenEach is Open of several fids in the time of one. A fid that is nil is
// passed over.
func OpenEach(ctx context.Context, fids []*Fid, flags OpenFlags) []error {
	return forEach(ctx, fids, func(_ int, f *Fid) *call { return f.openCall(flags) }, func(_ int, f *Fid, q *call) error { return f.takeQid(q) })
}

// ReadOnceEach is ReadOnce of the start of several files in the time of one, and
// returns how much was read of each. A fid that is nil is passed over.
func ReadOnceEach(ctx context.Context, fids []*Fid, p [][]byte) ([]int, []error) {
	n := make([]int, len(fids))
	errs := forEach(ctx, fids, func(i int, f *Fid) *call { return f.readCall(p[i], 0) }, func(i int, _ *Fid, q *call) error {
		n[i] = q.n
		q.free()
		return nil
	})
	return n, errs
}

// ReleaseEach is Release of several fids with one write. A fid that is nil is
// passed over.
func ReleaseEach(fids []*Fid) {
	for i, f := range fids {
		if f != nil {
			f.c.t.together(func() {
				for _, f := range fids[i:] {
					if f != nil {
						f.Release()
					}
				}
			})
			return
		}
	}
}

// forEach carries out a request for each fid but the nil ones. request makes it,
// and take takes the reply apart. The fids are of one client.
func forEach(ctx context.Context, fids []*Fid, request func(i int, f *Fid) *call, take func(i int, f *Fid, q *call) error) []error {
	errs := make([]error, len(fids))
	var calls []*call
	var of []int
	for i, f := range fids {
		if f != nil {
			calls, of = append(calls, request(i, f)), append(of, i)
		}
	}
	if len(calls) == 0 {
		return errs
	}
	for j, err := range fids[of[0]].c.t.roundTrips(ctx, calls, noAfter) {
		i := of[j]
		if err == nil {
			err = take(i, fids[i], calls[j])
		}
		errs[i] = err
	}
	return errs
}
