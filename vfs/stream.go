package vfs

import (
	"context"
	"errors"
	"sync/atomic"
)

// A Source is what an open Stream delivers.
type Source interface {
	// Next waits for the next line, which ends in LF. If ctx ends the wait
	// nothing is lost. Calls of Next do not overlap.
	Next(ctx context.Context) (string, error)

	// Close ends a waiting Next, and releases the source. It may be called
	// more than once, and at any time.
	Close() error
}

// A Stream is a file that delivers lines as they come about. Each open file
// has a source and a position of its own.
type Stream struct {
	FileBase
	Source func(context.Context) (Source, error)

	// MaxLine is the length of the longest line. A longer one is delivered
	// in pieces.
	MaxLine int
}

var (
	_ Node        = (*Stream)(nil)
	_ WaitingFile = (*openStream)(nil)
)

// Stat describes the file, whose length is 0.
func (s *Stream) Stat(ctx context.Context) (Stat, error) { return s.statFile(ctx, 0) }

// Open opens the source.
func (s *Stream) Open(ctx context.Context, flags OpenFlags) (File, error) {
	if err := s.open(flags); err != nil {
		return nil, err
	}
	src, err := s.Source(ctx)
	if err != nil {
		return nil, err
	}
	return &openStream{src: src, maxRead: s.MaxLine}, nil
}

// An openStream answers each read with a part of one line, and follows it by
// an empty answer, which makes kernels hand the line to the application.
type openStream struct {
	src     Source
	maxRead int
	closed  atomic.Bool
	pos     atomic.Uint64 // bytes delivered so far; changed by the read whose turn it is

	turn Turns  // of reads; guards the fields below
	buf  string // what is left of the present line
	owe  bool   // the next answer is empty
	dead error  // what all reads fail with from now on
}

// ReadAt implements File.
func (o *openStream) ReadAt(ctx context.Context, p []byte, off uint64) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := o.turn.Take(ctx); err != nil {
		return 0, err
	}
	defer o.turn.Give()
	switch {
	case o.closed.Load():
		return 0, ErrInterrupted
	case off != o.pos.Load():
		return 0, ErrSeek
	case o.owe:
		o.owe = false
		return 0, nil
	}
	if err := o.fill(ctx); err != nil {
		return 0, err
	}
	n := copy(p, o.buf)
	o.buf = o.buf[n:]
	o.pos.Add(uint64(n))
	o.owe = true
	return n, nil
}

// fill waits until there is something to deliver. A line that comes for a read
// that has been given up stays for the next one.
func (o *openStream) fill(ctx context.Context) error {
	if o.dead != nil {
		return o.dead
	}
	if o.buf == "" {
		MayWait(ctx)
		line, err := o.src.Next(ctx)
		switch {
		case o.closed.Load():
			return ErrInterrupted
		case errors.Is(err, ErrOverflow):
			o.dead = err
			return err
		case err != nil:
			return err
		}
		o.buf = line
	}
	if ctx.Err() != nil {
		return ErrInterrupted
	}
	return nil
}

// MaxRead implements WaitingFile.
func (o *openStream) MaxRead() int { return o.maxRead }

// WriteAt implements File.
func (o *openStream) WriteAt(_ context.Context, _ []byte, off uint64) error {
	if off != o.pos.Load() {
		return ErrSeek
	}
	return ErrReadOnly
}

// Close implements File.
func (o *openStream) Close() error {
	o.closed.Store(true)
	return o.src.Close()
}
