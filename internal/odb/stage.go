package odb

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/flush"
	"github.com/datakit/datakit/internal/odb/packfile"
	"github.com/datakit/datakit/internal/store"
)

// Stage implements store.Objects. The names of the objects are not checked.
func (s *Store) Stage(ctx context.Context, objs []store.Object) (store.Staged, error) {
	const op = "stage objects"
	if s.closed.Load() {
		return nil, &datakit.Error{Op: op, Kind: datakit.Closed}
	}
	objs = distinct(objs)
	if len(objs) == 0 {
		return nothing{}, nil
	}
	st, err := s.stage(ctx, objs)
	if err != nil {
		return nil, &datakit.Error{Op: op, Kind: writeKind(err), Err: err}
	}
	return st, nil
}

// writeKind returns the kind of an error of writing.
func writeKind(err error) datakit.Kind {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return datakit.Aborted
	}
	if datakit.KindOf(err) == datakit.NoSpace {
		return datakit.NoSpace
	}
	return datakit.IO
}

// distinct returns objs without repetitions.
func distinct(objs []store.Object) []store.Object {
	seen := make(map[datakit.Hash]bool, len(objs))
	unique := make([]store.Object, 0, len(objs))
	for _, obj := range objs {
		if !seen[obj.Hash] {
			seen[obj.Hash] = true
			unique = append(unique, obj)
		}
	}
	return unique
}

func (s *Store) stage(ctx context.Context, objs []store.Object) (*staged, error) {
	return s.writePack(len(objs), func(w *packWriter) error {
		for _, obj := range objs {
			if err := w.add(ctx, obj); err != nil {
				return err
			}
		}
		return nil
	})
}

// writePack writes a pack of n objects, and its index, durably, to temporary
// files. fill adds the objects.
func (s *Store) writePack(n int, fill func(*packWriter) error) (_ *staged, err error) {
	f, err := s.newFile()
	if err != nil {
		return nil, err
	}
	st := &staged{s: s, pack: f.Name()}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			st.Discard()
		}
	}()
	w := newPackWriter(f, &s.files, s.opts.Level, n)
	if err := fill(w); err != nil {
		return nil, err
	}
	var raw []byte
	if st.name, raw, err = w.finish(); err != nil {
		return nil, err
	}
	if !s.opts.NoSync {
		flush.Begin(f)
	}
	if st.idx, err = packfile.ParseIndex(raw); err != nil {
		return nil, err
	}
	st.size = w.off
	st.index, err = s.flush(f, raw)
	return st, err
}

// flush writes the index to a temporary file, and brings it and the pack to
// stable storage. Both are on their way there before the first is waited for.
func (s *Store) flush(pack *os.File, raw []byte) (index string, err error) {
	f, err := s.newFile()
	if err != nil {
		return "", err
	}
	_, err = s.files.write(f, raw)
	if err == nil && !s.opts.NoSync {
		flush.Begin(f)
		err = errors.Join(s.files.sync(pack), s.files.sync(f))
	}
	return f.Name(), errors.Join(err, f.Close())
}

// staged is a pack on the way into the store.
type staged struct {
	s           *Store
	pack, index string // the paths of the temporary files
	name        string // that the pack will have
	idx         *packfile.Index
	size        int64
	kept        bool // by a .keep file of ours
}

// Publish implements store.Staged.
func (st *staged) Publish() error {
	err := st.publish()
	if err != nil {
		st.Release()
		return &datakit.Error{Op: "publish objects", Subject: st.name, Kind: writeKind(err), Err: err}
	}
	return nil
}

// publish puts the pack first, as only the index has others look for it. The
// .keep file is there before both.
func (st *staged) publish() (err error) {
	dir := st.s.packs().path
	if st.kept, err = st.s.keeps.hold(dir, st.name); err != nil {
		st.Discard()
		return err
	}
	return st.install(dir)
}

// install moves the files into the directory of packs and lists the pack. A
// pack of that name is the same pack, so it may stay if it cannot be replaced,
// as on Windows while it is mapped.
func (st *staged) install(dir string) error {
	final := filepath.Join(dir, st.name)
	_, missing := os.Stat(final + ".idx")
	err := st.s.files.rename(st.pack, final+".pack")
	if err == nil {
		err = st.s.files.rename(st.index, final+".idx")
	}
	if err != nil && missing == nil {
		st.Discard()
		err = nil
	}
	if err == nil && !st.s.opts.NoSync {
		err = st.s.files.syncDir(dir)
	}
	if err != nil {
		st.Discard()
		if missing != nil { // else it is another's as well
			st.removeFiles(final+".pack", final+".idx")
		}
		return err
	}
	p := newPack(final, st.idx, &mapping{data: st.idx.Raw}, st.size)
	p.plain.Store(true)
	st.s.packs().add(p)
	return nil
}

// Release implements store.Staged.
func (st *staged) Release() {
	if st.kept {
		st.kept = false
		st.s.keeps.free(st.s.packs().path, st.name)
		st.s.askMerge()
	}
}

// Discard implements store.Staged.
func (st *staged) Discard() { st.removeFiles(st.pack, st.index) }

// removeFiles removes a pack. What cannot be removed is so by the next Open.
func (st *staged) removeFiles(pack, index string) {
	st.s.files.remove(index)
	st.s.files.remove(pack)
}

// nothing is what no objects are staged as.
type nothing struct{}

func (nothing) Publish() error { return nil }
func (nothing) Discard()       {}
func (nothing) Release()       {}
