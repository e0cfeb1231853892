package p9

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/datakit/datakit/vfs"
)

// takeAttr is takeStat in 9P2000.L, which does not tell names.
func (f *Fid) takeAttr(q *call) (vfs.Stat, error) {
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
	return st, nil
}

// statsAtOnce is how many entries of a directory are asked about at a time, by
// each of statWorkers: while the answers to one are taken the server works for
// another.
const (
	statsAtOnce = 32
	statWorkers = 2
)

// fillIn completes descriptions of entries of f, of which name and qid are
// known. That is all there is of one that the server cannot describe.
func (f *Fid) fillIn(ctx context.Context, list []vfs.Stat) ([]vfs.Stat, error) {
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(statWorkers, (len(list)+statsAtOnce-1)/statsAtOnce) {
		wg.Go(func() {
			for i := range next {
				end := min(i+statsAtOnce, len(list))
				f.fillInSome(ctx, list[i:end], errs[i:end])
			}
		})
	}
	for i := 0; i < len(list); i += statsAtOnce {
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

// fillInSome completes some descriptions, or sets why it cannot.
func (f *Fid) fillInSome(ctx context.Context, list []vfs.Stat, errs []error) {
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].Name
	}
	for done := 0; done < len(list); {
		fids, missing := f.WalkEach(ctx, names[done:])
		stats, failed := StatEach(ctx, fids)
		ReleaseEach(fids)
		for i := range fids {
			if errs[done] = errors.Join(missing[i], failed[i]); errs[done] == nil {
				list[done] = stats[i]
			}
			done++
		}
	}
}
