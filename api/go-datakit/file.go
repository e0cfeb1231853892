package datakit

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync/atomic"

	contract "github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

// A Flag says how a file is opened: one of the first four, and any of the rest.
type Flag uint8

// The flags, with their values in 9P.
const (
	OREAD   Flag = 0
	OWRITE  Flag = 1
	ORDWR   Flag = 2
	OEXEC   Flag = 3 // as OREAD
	OTRUNC  Flag = 16
	OCEXEC  Flag = 32 // without effect
	ORCLOSE Flag = 64 // not in 9P2000.L
)

// flags returns m as package p9 has it.
func (m Flag) flags() p9.OpenFlags {
	f := p9.OpenFlags(m & 3)
	if m&3 == OEXEC {
		f = p9.ReadOnly
	}
	if m&OTRUNC != 0 {
		f |= p9.Truncate
	}
	if m&ORCLOSE != 0 {
		f |= p9.RemoveOnClose
	}
	return f
}

// A File is an open file. Close it.
type File struct {
	f      *p9.Fid
	path   []string
	msize  int
	closed atomic.Bool
}

func (c *Client) file(f *p9.Fid, path []string) *File {
	return &File{f: f, path: append([]string(nil), path...), msize: int(c.c.Msize())}
}

// Create makes a normal file in a directory, which must exist, or empties a
// file that is there, and opens it for reading and writing.
func (c *Client) Create(ctx context.Context, path ...string) (*File, error) {
	if len(path) == 0 {
		return nil, refuse("create", path, contract.IsDir)
	}
	f, err := c.open(ctx, p9.ReadWrite|p9.Truncate, path)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = c.create(ctx, path)
	}
	if errors.Is(err, fs.ErrExist) { // made by others just now
		f, err = c.open(ctx, p9.ReadWrite|p9.Truncate, path)
	}
	if err != nil {
		return nil, fail("create", path, err)
	}
	if f.Qid().Kind == vfs.KindDir { // which servers open nevertheless
		f.Release()
		return nil, refuse("create", path, contract.IsDir)
	}
	return c.file(f, path), nil
}

func (c *Client) create(ctx context.Context, path []string) (*p9.Fid, error) {
	dir, name := path[:len(path)-1], path[len(path)-1]
	f, err := c.walk(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := f.Create(ctx, name, p9.ReadWrite, filePerm); err != nil {
		f.Release()
		return nil, err
	}
	return f, nil
}

// Open opens the file or directory at path.
func (c *Client) Open(ctx context.Context, mode Flag, path ...string) (*File, error) {
	f, err := c.open(ctx, mode.flags(), path)
	if err != nil {
		return nil, fail("open", path, err)
	}
	return c.file(f, path), nil
}

func (c *Client) open(ctx context.Context, flags p9.OpenFlags, path []string) (*p9.Fid, error) {
	f, err := c.walk(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := f.Open(ctx, flags); err != nil {
		f.Release()
		return nil, err
	}
	return f, nil
}

// Close closes the file. It may be called more than once.
func (f *File) Close(ctx context.Context) {
	if !f.closed.Swap(true) {
		f.f.Clunk(ctx) // which has closed it even if it fails
	}
}

// end is fail for an open file. What fails as the file was closed has come to
// its end.
func (f *File) end(op string, err error) error {
	if err != nil && f.closed.Load() {
		return io.EOF
	}
	return fail(op, f.path, err)
}

// Read asks once for what is at offset. It may return less than there is room
// for in p. At the end of the file, and where a stream has no more for now, it
// returns 0 and io.EOF, and so it does when the file was closed.
func (f *File) Read(ctx context.Context, p []byte, offset int64) (int, error) {
	if f.closed.Load() {
		return 0, io.EOF
	}
	n, err := f.f.ReadOnce(ctx, p, uint64(offset))
	if err != nil {
		return 0, f.end("read", err)
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// writeHeader is the length of a request to write without what is written, in
// bytes, or a bit more.
const writeHeader = 24

// Write writes p at offset. If p does not fit into one request it writes a
// part, and returns its size with io.ErrShortWrite. When the file was closed it
// returns 0 and io.EOF.
func (f *File) Write(ctx context.Context, p []byte, offset int64) (int, error) {
	if f.closed.Load() {
		return 0, io.EOF
	}
	part := p[:min(len(p), f.msize-writeHeader)]
	n, err := f.f.WriteAt(ctx, part, offset)
	switch {
	case err == io.ErrShortWrite || err == nil && n < len(p):
		return n, io.ErrShortWrite
	case err != nil:
		return n, f.end("write", err)
	}
	return n, nil
}

// A FileReader reads a file from its start, or from another offset, as an
// io.Reader. After io.EOF, which a stream returns after each line, reading may
// be tried again.
type FileReader struct {
	ctx    context.Context
	f      *File
	offset int64
}

// NewFileReader returns a reader of the file from its start, which uses ctx for
// all that it reads.
func (f *File) NewFileReader(ctx context.Context) *FileReader {
	return &FileReader{ctx: ctx, f: f}
}

// NewIOReader is NewFileReader from an offset.
func (f *File) NewIOReader(ctx context.Context, offset int64) io.Reader {
	return &FileReader{ctx, f, offset}
}

// Read is io.Reader.
func (r *FileReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := r.f.Read(r.ctx, p, r.offset)
	r.offset += int64(n)
	return n, err
}

// A fileWriter writes a file from an offset on.
type fileWriter struct {
	ctx    context.Context
	f      *File
	offset int64
}

// NewIOWriter returns a writer that writes the file from an offset on, all that
// it is given, and uses ctx for it.
func (f *File) NewIOWriter(ctx context.Context, offset int64) io.Writer {
	return &fileWriter{ctx, f, offset}
}

// Write is io.Writer.
func (w *fileWriter) Write(p []byte) (int, error) {
	if w.f.closed.Load() {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := w.f.f.WriteAt(w.ctx, p, w.offset)
	w.offset += int64(n)
	if err == io.ErrShortWrite {
		return n, err
	}
	return n, w.f.end("write", err)
}
