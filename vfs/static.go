package vfs

import (
	"context"
	"sync"
)

// A Static is a file whose content never changes.
type Static struct {
	FileBase
	Content string
}

var _ Node = (*Static)(nil)

// Stat describes the file.
func (s *Static) Stat(ctx context.Context) (Stat, error) { return s.statFile(ctx, len(s.Content)) }

// Open returns a file that needs no state.
func (s *Static) Open(_ context.Context, flags OpenFlags) (File, error) {
	return openStatic{s}, s.open(flags)
}

type openStatic struct{ s *Static }

// ReadAt implements File.
func (o openStatic) ReadAt(_ context.Context, p []byte, off uint64) (int, error) {
	if err := o.s.check(); err != nil {
		return 0, err
	}
	return readFrom(o.s.Content, p, off)
}

// WriteAt implements File.
func (o openStatic) WriteAt(_ context.Context, _ []byte, off uint64) error {
	return o.s.refuse(RefuseWrite(off))
}

// Close implements File.
func (o openStatic) Close() error { return nil }

// A Status is a file whose content is computed when it is opened. An open file
// keeps what it had.
type Status struct {
	FileBase
	Content func(context.Context) ([]byte, error)

	// Live makes each read at offset 0 compute the content again.
	Live bool
}

var _ Node = (*Status)(nil)

// Stat describes the file as it would be if opened now.
func (s *Status) Stat(ctx context.Context) (Stat, error) {
	if err := s.check(); err != nil {
		return Stat{}, err
	}
	content, err := s.Content(ctx)
	if err != nil {
		return Stat{}, err
	}
	return s.statFile(ctx, len(content))
}

// Open computes the content.
func (s *Status) Open(ctx context.Context, flags OpenFlags) (File, error) {
	if err := s.open(flags); err != nil {
		return nil, err
	}
	content, err := s.Content(ctx)
	if err != nil {
		return nil, err
	}
	return &openStatus{s: s, content: content}, nil
}

type openStatus struct {
	s       *Status
	mu      sync.Mutex // guards content
	content []byte     // replaced as a whole
}

// ReadAt implements File.
func (o *openStatus) ReadAt(ctx context.Context, p []byte, off uint64) (int, error) {
	if err := o.s.check(); err != nil {
		return 0, err
	}
	if o.s.Live && off == 0 {
		content, err := o.s.Content(ctx)
		if err != nil {
			return 0, err
		}
		o.mu.Lock()
		o.content = content
		o.mu.Unlock()
	}
	o.mu.Lock()
	content := o.content
	o.mu.Unlock()
	return readFrom(content, p, off)
}

// WriteAt implements File.
func (o *openStatus) WriteAt(_ context.Context, _ []byte, off uint64) error {
	return o.s.refuse(RefuseWrite(off))
}

// Close implements File.
func (o *openStatus) Close() error { return nil }
