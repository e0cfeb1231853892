package p9db

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
)

// Files are read ahead when those of a directory are read one after the other: up
// to so many, and about so many bytes.
const (
	aheadFiles = 64
	aheadBytes = 1 << 20
)

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
	from, to := t.d.readers.next(t.key+string(dir), at, entries)
	t.prefetch(dir, entries[from:to])
}

// A landing is a small file that is fetched in the background.
type landing struct {
	name   string
	size   int64
	key    string
	flight *flight
}

// prefetch fetches the small files among some of a directory in the background.
func (t *tree) prefetch(dir datakit.Path, entries []datakit.Entry) {
	var todo []landing
	for _, e := range entries {
		key := t.contentKey(dir.Join(datakit.Path(e.Name)))
		if _, ok := find[[]byte](t.d.kept, key); ok || e.Mode == datakit.Dir || e.Size > maxKept {
			continue
		}
		if fl, mine := t.d.flights.begin(key); mine {
			todo = append(todo, landing{e.Name, e.Size, key, fl})
		}
	}
	if len(todo) == 0 {
		return
	}
	started := t.d.background(func(ctx context.Context) { t.fetchAll(ctx, dir, todo) })
	if !started {
		t.d.flights.fail(todo, t.d.ended())
	}
}

// fetchAll fetches files of one directory.
func (t *tree) fetchAll(ctx context.Context, dir datakit.Path, todo []landing) {
	f, err := t.walk(ctx, dir)
	if err != nil {
		t.d.flights.fail(todo, err)
		return
	}
	defer f.Release()
	f.Keep() // as it waits for others
	for len(todo) > 0 {
		todo = todo[t.fetchSome(ctx, f, todo):]
	}
}

// fetchSome fetches some files of the directory f together, and returns how many.
func (t *tree) fetchSome(ctx context.Context, f *p9.Fid, todo []landing) int {
	names, contents := make([]string, len(todo)), make([][]byte, len(todo))
	for i, l := range todo {
		names[i], contents[i] = l.name, make([]byte, l.size)
	}
	fids, missing := f.WalkEach(ctx, names)
	closed := p9.OpenEach(ctx, fids, p9.ReadOnly)
	n, failed := p9.ReadOnceEach(ctx, fids, contents)
	for i, l := range todo[:len(fids)] {
		err := errors.Join(missing[i], closed[i], failed[i])
		if err == nil && n[i] < len(contents[i]) {
			_, err = (&fidBlob{t.d, fids[i], l.size}).ReadAt(ctx, contents[i][n[i]:], int64(n[i]))
		}
		if err == nil {
			add(t.d.kept, l.key, contents[i], len(contents[i]))
		}
		t.d.flights.land(l.key, l.flight, contents[i], t.d.fail(err))
	}
	p9.ReleaseEach(fids)
	return len(fids)
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
	half    int // the file at which there is to be asked for more
}

// maxDirs is how many directories are remembered.
const maxDirs = 64

// next notes that the file with the given index is read, and returns which ones
// are to be fetched now: none if the directory is not read in order.
func (r *readers) next(dir string, at int, entries []datakit.Entry) (from, to int) {
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
	switch {
	case !inOrder:
		d.fetched, d.half = at+1, at+1
		return 0, 0
	case at < d.half:
		return 0, 0
	}
	from = max(d.fetched, at+1)
	to = from
	for bytes := int64(0); to < min(from+aheadFiles, len(entries)) && bytes < aheadBytes; to++ {
		bytes += min(entries[to].Size, maxKept)
	}
	// Ask for more when half of these are read, so that some are always on
	// their way.
	d.fetched, d.half = to, (from+to)/2
	return from, to
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

// begin returns what is on its way for a key, or begins it: then the caller has
// to land it.
func (fs *flights) begin(key string) (fl *flight, mine bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fl := fs.m[key]; fl != nil {
		return fl, false
	}
	if fs.m == nil {
		fs.m = make(map[string]*flight)
	}
	fl = &flight{done: make(chan struct{})}
	fs.m[key] = fl
	return fl, true
}

// land ends a fetch.
func (fs *flights) land(key string, fl *flight, b []byte, err error) {
	fl.b, fl.err = b, err
	fs.mu.Lock()
	delete(fs.m, key)
	fs.mu.Unlock()
	close(fl.done)
}

// fail ends fetches that have not been made.
func (fs *flights) fail(all []landing, err error) {
	for _, l := range all {
		fs.land(l.key, l.flight, nil, err)
	}
}

// do returns what f returns, or what is on its way for the same key. If that
// fails, for it may have been given up, f is called.
func (fs *flights) do(ctx context.Context, key string, f func(ctx context.Context) ([]byte, error)) ([]byte, error) {
	fl, mine := fs.begin(key)
	if mine {
		b, err := f(ctx)
		fs.land(key, fl, b, err)
		return b, err
	}
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
