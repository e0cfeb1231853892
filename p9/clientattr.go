package p9

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/datakit/datakit/vfs"
)

// getattr is Stat in 9P2000.L, which does not tell names.
func (f *Fid) getattr(ctx context.Context) (vfs.Stat, error) {
	q := f.request(tgetattr)
	q.req = append64(q.req, attrMask)
	if err := f.c.t.roundTrip(ctx, q, nil, nil); err != nil {
		return vfs.Stat{}, err
	}
	d := decoder{b: q.body}
	d.u64() // valid
	st := vfs.Stat{Name: f.name, Qid: d.qid()}
	mode := d.u32()
	st.Perm = mode & 0o777
	if mode&kindMask == kindSymlink {
		st.Qid.Kind = vfs.KindSymlink
	}
	d.take(4 + 4 + 8 + 8) // owner, group, links, device
	st.Size = d.u64()
	d.take(8 + 8 + 16) // block size, blocks, atime
	st.ModTime = time.Unix(int64(d.u64()), int64(d.u64()))
	if d.bad {
		return vfs.Stat{}, f.c.t.broken()
	}
	q.free()
	f.qid.Store(&st.Qid)
	return st, f.addTarget(ctx, &st)
}

// statsAtOnce is how many entries of a directory are asked about at a time.
const statsAtOnce = 32

// fillIn completes descriptions of entries of f, of which name and qid are
// known. That is all there is of one that the server cannot describe.
func (f *Fid) fillIn(ctx context.Context, list []vfs.Stat) ([]vfs.Stat, error) {
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(statsAtOnce, len(list)) {
		wg.Go(func() {
			for i := range next {
				errs[i] = f.with(ctx, []string{list[i].Name}, func(e *Fid) error {
					st, err := e.Stat(ctx)
					if err == nil {
						list[i] = st
					}
					return err
				})
			}
		})
	}
	for i := range list {
		next <- i
	}
	close(next)
	wg.Wait()
	kept := list[:0]
	for i, st := range list {
		switch {
		case errs[i] == nil, isDamage(errs[i]):
			kept = append(kept, st)
		case !errors.Is(errs[i], fs.ErrNotExist):
			return nil, errs[i]
		}
	}
	return kept, nil
}

// isDamage reports whether err is that of a server which cannot read what it
// has, rather than of a request.
func isDamage(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Errno == vfs.EIO
}
