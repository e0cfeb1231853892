package fsapi

import (
	"context"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// The lengths of the lines of streams.
const (
	hashLine = 2*len(datakit.Hash{}) + 1
	treeLine = treeNameLen + 1
)

// A liveSource delivers what a watch of the database reports.
type liveSource[T any] struct {
	s      *Session
	w      datakit.Watch[T]
	format func(T) string // a line
}

// newSource makes the source of a stream. It belongs to the session.
func newSource[T any](s *Session, w datakit.Watch[T], err error, format func(T) string) (vfs.Source, error) {
	if err != nil {
		return nil, wireError(err)
	}
	src := &liveSource[T]{s, w, format}
	if err := s.addStream(src); err != nil {
		w.Close()
		return nil, err
	}
	return src, nil
}

// Next implements vfs.Source.
func (l *liveSource[T]) Next(ctx context.Context) (string, error) {
	v, err := l.w.Next(ctx)
	if err != nil {
		return "", wireError(err)
	}
	return l.format(v), nil
}

// Close implements vfs.Source.
func (l *liveSource[T]) Close() error {
	l.s.dropStream(l)
	return l.w.Close()
}

// watchHead is the source of head.live.
func (b *branch) watchHead(ctx context.Context) (vfs.Source, error) {
	h, err := b.handle()
	if err != nil {
		return nil, err
	}
	w, err := h.Watch(ctx)
	return newSource(b.s, w, err, formatHead)
}

// reflog is the source of reflog.
func (b *branch) reflog(ctx context.Context) (vfs.Source, error) {
	h, err := b.handle()
	if err != nil {
		return nil, err
	}
	w, err := h.Reflog(ctx)
	return newSource(b.s, w, err, formatHead)
}
