package vfs

import "context"

// A Level is a file that shows a setting and changes it when written.
type Level struct {
	FileBase
	Value func() string      // the present setting
	Set   func(string) error // changes it; the argument has no white space around it
}

var _ Node = (*Level)(nil)

func (l *Level) content() string { return l.Value() + "\n" }

// Stat describes the file.
func (l *Level) Stat(ctx context.Context) (Stat, error) { return l.statFile(ctx, len(l.content())) }

// SetLength has no effect.
func (l *Level) SetLength(context.Context, uint64) error { return l.check() }

// Chmod fails.
func (l *Level) Chmod(_ context.Context, mode Mode) error {
	if mode.Dir {
		return l.refuse(ErrDirFlag)
	}
	return l.refuse(ErrPermission)
}

// Remove fails.
func (l *Level) Remove(context.Context, bool) error { return l.refuse(ErrPermission) }

// Open returns a file that needs no state.
func (l *Level) Open(_ context.Context, flags OpenFlags) (File, error) {
	return openLevel{l}, l.open(flags)
}

type openLevel struct{ l *Level }

// ReadAt implements File.
func (o openLevel) ReadAt(_ context.Context, p []byte, off uint64) (int, error) {
	return readFrom(o.l.content(), p, off)
}

// WriteAt takes what is written for the whole new setting, whatever its
// offset. A write of nothing is ignored.
func (o openLevel) WriteAt(_ context.Context, p []byte, _ uint64) error {
	if len(p) == 0 {
		return nil
	}
	return o.l.Set(trim(p))
}

// Close implements File.
func (o openLevel) Close() error { return nil }
