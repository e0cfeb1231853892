package vfs

import (
	"context"
	"strings"
	"sync"
)

// A Command is a file each write to which is a command.
type Command struct {
	FileBase

	// Run carries out a command, which has no white space around it, and
	// returns the new result of the file. It calls MayWait itself.
	Run func(ctx context.Context, command string) (result string, err error)

	// Result is what the last command left to be read. It is nil if commands
	// have no result.
	Result *Result
}

// A Result is what is left to read of the result of a command. It belongs to
// the file, not to one open file.
type Result struct {
	mu   sync.Mutex // guards text
	text string
}

var _ Node = (*Command)(nil)

// Len returns how much has not been read.
func (r *Result) Len() int {
	if r == nil {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.text)
}

func (r *Result) set(text string) {
	if r != nil {
		r.mu.Lock()
		r.text = text
		r.mu.Unlock()
	}
}

// take reads the first bytes, and removes them.
func (r *Result) take(p []byte) int {
	if r == nil {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := copy(p, r.text)
	r.text = r.text[n:]
	return n
}

// Stat describes the file, whose length is that of the unread result.
func (c *Command) Stat(ctx context.Context) (Stat, error) { return c.statFile(ctx, c.Result.Len()) }

// SetLength succeeds for 0, without effect, as shells do that before they
// write.
func (c *Command) SetLength(_ context.Context, length uint64) error {
	if length != 0 {
		return c.refuse(ErrCommandLength)
	}
	return c.check()
}

// Chmod succeeds, without effect, for the mode of a normal file.
func (c *Command) Chmod(_ context.Context, mode Mode) error { return c.chmodNormal(mode) }

// Remove fails.
func (c *Command) Remove(context.Context, bool) error { return c.refuse(ErrPermission) }

// Open returns a file with a position of its own.
func (c *Command) Open(_ context.Context, flags OpenFlags) (File, error) {
	if err := c.open(flags); err != nil {
		return nil, err
	}
	return &openCommand{c: c}, nil
}

// An openCommand has one position for reads and writes, which is where the
// next of either has to be.
type openCommand struct {
	c *Command

	mu  sync.Mutex // guards the fields below; not held while a command runs
	pos uint64
	owe bool // the next answer is empty, as with streams
}

// ReadAt implements File.
func (o *openCommand) ReadAt(_ context.Context, p []byte, off uint64) (int, error) {
	if err := o.c.check(); err != nil {
		return 0, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case len(p) == 0:
		return 0, nil
	case off != o.pos:
		return 0, ErrSeek
	case o.owe:
		o.owe = false
		return 0, nil
	}
	n := o.c.Result.take(p)
	o.pos += uint64(n)
	o.owe = n > 0
	return n, nil
}

// WriteAt implements File.
func (o *openCommand) WriteAt(ctx context.Context, p []byte, off uint64) error {
	if err := o.c.check(); err != nil {
		return err
	}
	o.mu.Lock()
	pos := o.pos
	o.mu.Unlock()
	if off != pos {
		return ErrSeek
	}
	result, err := o.c.Run(ctx, trim(p))
	if err != nil {
		return err
	}
	o.c.Result.set(result)
	o.mu.Lock()
	o.pos += uint64(len(p))
	o.mu.Unlock()
	return nil
}

// Close implements File.
func (o *openCommand) Close() error { return nil }

// trim returns what was written without the white space around it.
func trim(p []byte) string { return strings.Trim(string(p), " \t\n\v\f\r") }
