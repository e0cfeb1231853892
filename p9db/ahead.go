package p9db

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/datakit/datakit"
)

// ahead is how many files of a directory are on their way at once when they are
// read one after the other.
const ahead = 32

// readAhead has the files that follow path in its directory fetched in the
// background, if the one before it was read just now: who reads a directory in
// order will want them.
func (t *tree) readAhead(path datakit.Path) {
	dir, base, ok := path.Split()
	if !ok {
		return
	}
	entries, ok := find[[]datakit.Entry](t.d.kept, "list "+t.key+string(dir))
	if !ok {
		return
	}
	at, ok := slices.BinarySearchFunc(entries, base, func(e datakit.Entry, name string) int { return strings.Compare(e.Name, name) })
	if !ok {
		return
	}
	from, to := t.d.readers.next(t.key+string(dir), at), min(at+1+ahead, len(entries))
	for _, e := range entries[min(from, to):to] {
		if e.Mode != datakit.Dir && e.Size <= maxKept {
			t.prefetch(dir.Join(datakit.Path(e.Name)))
		}
	}
}

// prefetch fetches a file in the background.
func (t *tree) prefetch(path datakit.Path) {
	key := t.contentKey(path)
	if _, ok := find[[]byte](t.d.kept, key); ok {
		return
	}
	t.d.background(func(ctx context.Context) {
		t.d.flights.do(ctx, key, func(ctx context.Context) ([]byte, error) { return t.fetch(ctx, path, key) })
	})
}

// readers knows how far directories have been read in order. It remembers few:
// those that are read at the moment.
type readers struct {
	mu   sync.Mutex
	dirs map[string]*reader
}

type reader struct {
	last    int // the file that was read last
	fetched int // the first file that was not asked for yet
}

// maxDirs is how many directories are remembered.
const maxDirs = 64

// next notes that the file with the given index is read, and returns the index
// of the first that is to be fetched now. It is beyond the last if the
// directory is not read in order.
func (r *readers) next(dir string, at int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.dirs[dir]
	if d == nil {
		if r.dirs == nil || len(r.dirs) >= maxDirs {
			r.dirs = make(map[string]*reader)
		}
		d = &reader{last: -2} // so that one read alone is not in order
		r.dirs[dir] = d
	}
	inOrder := at == d.last+1
	d.last = at
	if !inOrder {
		d.fetched = at + 1
		return at + 1 + ahead
	}
	// Ask for some at a time, so that they are on their way together.
	from := max(d.fetched, at+1)
	if from > at+ahead/2 {
		return at + 1 + ahead
	}
	d.fetched = at + 1 + ahead
	return from
}

// flights are fetches on their way, so that nothing is fetched twice at once.
type flights struct {
	mu sync.Mutex
	m  map[string]*flight
}

type flight struct {
	done chan struct{}
	b    []byte
	err  error
}

// do returns what f returns, or what a call for the same key that is on its
// way will. If that fails, for it may have been given up, f is called.
func (fs *flights) do(ctx context.Context, key string, f func(ctx context.Context) ([]byte, error)) ([]byte, error) {
	fs.mu.Lock()
	if fl := fs.m[key]; fl != nil {
		fs.mu.Unlock()
		select {
		case <-fl.done:
			if fl.err == nil {
				return fl.b, nil
			}
			return f(ctx)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if fs.m == nil {
		fs.m = make(map[string]*flight)
	}
	fl := &flight{done: make(chan struct{})}
	fs.m[key] = fl
	fs.mu.Unlock()
	fl.b, fl.err = f(ctx)
	fs.mu.Lock()
	delete(fs.m, key)
	fs.mu.Unlock()
	close(fl.done)
	return fl.b, fl.err
}
