package vfs

import (
	"context"
	"sync"
)

// MaxText is the size of the largest Text, in bytes. A Text is in memory.
const MaxText = 16 << 20

// A Text is a small file that can be written anywhere.
type Text struct {
	FileBase
	Buffer *Buffer
}

var _ Node = (*Text)(nil)

// A Buffer is the content of a Text. The zero Buffer is empty.
type Buffer struct {
	mu   sync.Mutex // guards data
	data []byte
}

// String returns the content.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.data)
}

// Set replaces the content.
func (b *Buffer) Set(content string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data = []byte(content)
}

// Len returns the length of the content.
func (b *Buffer) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.data)
}

// setLength cuts data, or appends zero bytes.
func (b *Buffer) setLength(length uint64) {
	if n := uint64(len(b.data)); length > n {
		b.data = append(b.data, make([]byte, length-n)...)
	}
	b.data = b.data[:length]
}

// write replaces what is at off, or at the end if appending.
func (b *Buffer) write(p []byte, off uint64, atEnd bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if atEnd {
		off = uint64(len(b.data))
	}
	switch {
	case int64(off) < 0:
		return NegativeOffset(off)
	case len(p) == 0:
		return nil
	case off > MaxText || uint64(len(p)) > MaxText-off:
		return ErrTooBig
	}
	if off > uint64(len(b.data)) {
		b.setLength(off)
	}
	n := copy(b.data[off:], p)
	b.data = append(b.data, p[n:]...)
	return nil
}

// Stat describes the file.
func (t *Text) Stat(ctx context.Context) (Stat, error) { return t.statFile(ctx, t.Buffer.Len()) }

// SetLength cuts the content, or appends zero bytes.
func (t *Text) SetLength(_ context.Context, length uint64) error {
	switch err := t.check(); {
	case err != nil:
		return err
	case int64(length) < 0:
		return NegativeOffset(length)
	case length > MaxText:
		return ErrTooBig
	}
	t.Buffer.mu.Lock()
	defer t.Buffer.mu.Unlock()
	t.Buffer.setLength(length)
	return nil
}

// Chmod succeeds, without effect, for the mode of a normal file.
func (t *Text) Chmod(_ context.Context, mode Mode) error { return t.chmodNormal(mode) }

// Open returns a file on the common content.
func (t *Text) Open(_ context.Context, flags OpenFlags) (File, error) {
	if err := t.open(flags); err != nil {
		return nil, err
	}
	return &openText{t, flags.Append}, nil
}

type openText struct {
	t     *Text
	atEnd bool
}

// ReadAt implements File.
func (o *openText) ReadAt(_ context.Context, p []byte, off uint64) (int, error) {
	if err := o.t.check(); err != nil {
		return 0, err
	}
	o.t.Buffer.mu.Lock()
	defer o.t.Buffer.mu.Unlock()
	return readFrom(o.t.Buffer.data, p, off)
}

// WriteAt implements File.
func (o *openText) WriteAt(_ context.Context, p []byte, off uint64) error {
	if err := o.t.check(); err != nil {
		return err
	}
	return o.t.Buffer.write(p, off, o.atEnd)
}

// Close implements File.
func (o *openText) Close() error { return nil }
