package p9db

import (
	"context"
	"errors"
	"io"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
)

// Files of a transaction are often read and written in pieces, so those used
// last stay open.
const (
	maxReaders = 8 // as many as programs may read side by side
	maxWriters = 1
)

// An openSet keeps files of a transaction open. All of them are closed before
// what has their paths may be another.
type openSet struct {
	rw    *place
	flags p9.OpenFlags
	max   int
	files []openFile // that used last at the end
}

type openFile struct {
	path datakit.Path
	f    *p9.Fid
}

// open returns the open file at path, which belongs to the set.
func (s *openSet) open(ctx context.Context, path datakit.Path) (*p9.Fid, error) {
	for i, o := range s.files {
		if o.path == path {
			s.files = append(append(s.files[:i], s.files[i+1:]...), o)
			return o.f, nil
		}
	}
	f, err := s.rw.walkFile(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := f.Open(ctx, s.flags); err != nil {
		f.Release()
		return nil, err
	}
	f.Keep() // or transactions that wait could have all fids
	if len(s.files) == s.max {
		s.files[0].f.Release()
		s.files = append(s.files[:0], s.files[1:]...)
	}
	s.files = append(s.files, openFile{path, f})
	return f, nil
}

// close closes all files.
func (s *openSet) close() {
	for _, o := range s.files {
		o.f.Release()
	}
	s.files = s.files[:0]
}

// closeFiles closes what is kept open, before what has its path may be another.
func (t *tx) closeFiles() {
	t.readers.close()
	t.writers.close()
}

// writeAt writes to a file.
func (t *tx) writeAt(ctx context.Context, path datakit.Path, p []byte, off int64) error {
	f, err := t.writers.open(ctx, path)
	if err != nil || len(p) == 0 {
		return err
	}
	_, err = f.WriteAt(ctx, p, off)
	return err
}

// ReadAt implements datakit.TxDriver.
func (t *tx) ReadAt(ctx context.Context, path datakit.Path, p []byte, off int64) (n int, err error) {
	err = t.do(ctx, func() error {
		f, err := t.readers.open(ctx, path)
		if err != nil {
			return t.d.fail(err)
		}
		n, err = f.ReadAt(ctx, p, off)
		if err != nil && err != io.EOF && n == 0 && isPastEnd(ctx, f, off, err) {
			return io.EOF
		}
		if err != io.EOF {
			err = t.d.fail(err)
		}
		return err
	})
	return n, err
}

// isPastEnd reports whether a server has refused to read since the file ends
// before that, which servers do.
func isPastEnd(ctx context.Context, f *p9.Fid, off int64, err error) bool {
	if e := (*p9.Error)(nil); !errors.As(err, &e) {
		return false
	}
	st, err := f.Stat(ctx)
	return err == nil && uint64(off) > st.Size
}
