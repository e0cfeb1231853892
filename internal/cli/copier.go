package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/terminal"
)

// A copier copies files of this machine into a transaction, and if that fails
// into another one. Close it.
type copier struct {
	*target
	branch string
	tx     *datakit.Tx

	kept *os.File // all of the standard input, which can be read only once; nil before that
}

// input returns what the standard input has.
func (c *copier) input(ctx context.Context) (io.Reader, error) {
	if c.kept == nil {
		f, err := os.CreateTemp("", "datakit-put-")
		if err != nil {
			return nil, err
		}
		c.kept = f
		if terminal.Width(c.in) > 0 { // where somebody types, nothing else is to appear
			c.progress.Stop()
		}
		if _, err := io.Copy(f, c.counted(patient{ctx, c.in})); err != nil {
			return nil, err
		}
	}
	_, err := c.kept.Seek(0, io.SeekStart)
	return c.kept, err
}

func (c *copier) close() error {
	if c.kept == nil {
		return nil
	}
	return errors.Join(c.kept.Close(), os.Remove(c.kept.Name()))
}

// counted returns r, of which the progress tells how much was read.
func (c *copier) counted(r io.Reader) io.Reader { return &counter{r, c.progress.Add} }

// A counter is a reader that counts.
type counter struct {
	r   io.Reader
	add func(files, bytes int64)
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.add(0, int64(n))
	return n, err
}

// sources copies files and folders to path, or into it.
func (c *copier) sources(ctx context.Context, path datakit.Path, into bool, sources []string) error {
	mode, err := c.tx.Mode(ctx, path)
	if err != nil {
		return c.failed("", path, err)
	}
	for _, source := range sources {
		at := path
		if into || mode == datakit.Dir {
			if at, err = inside(path, source); err != nil {
				return c.failed(source, path, err)
			}
		}
		if err := c.source(ctx, at, source); err != nil {
			return c.failed(source, at, err)
		}
	}
	return nil
}

// failed says of an error what was copied, and where to.
func (c *copier) failed(source string, to datakit.Path, err error) error {
	hint := ""
	if datakit.KindOf(err) == datakit.IsDir {
		hint = fmt.Sprintf("remove it before, or put %s into it with a slash at the end", source)
	}
	return about("put", place{c.branch, to}.String(), err, hint)
}

var errName = errors.New("the standard input needs a path to be put at, which is no directory")

// inside returns where a source belongs in a directory.
func inside(dir datakit.Path, source string) (datakit.Path, error) {
	if source == "-" {
		return dir, &datakit.Error{Kind: datakit.Invalid, Err: errName}
	}
	abs, err := filepath.Abs(source) // without, . and .. have no names
	if err != nil {
		return dir, err
	}
	return dir.Append(filepath.Base(abs))
}

// source copies one file or folder to path.
func (c *copier) source(ctx context.Context, path datakit.Path, source string) error {
	if err := c.tx.MkdirAll(ctx, path.Dir()); err != nil {
		return err
	}
	if source == "-" {
		in, err := c.input(ctx)
		if err != nil {
			return err
		}
		_, err = c.tx.ReadFrom(ctx, path, in)
		return err
	}
	info, err := os.Lstat(source)
	if err != nil {
		return err
	}
	switch {
	case info.IsDir():
		return c.folder(ctx, path, source)
	case leadsToStream(source, info):
		return c.file(ctx, path, machine{}, source)
	}
	return c.entry(ctx, path, machine{}, source, info.Mode())
}

// leadsToStream reports whether a symlink stands for a pipe or device, such as
// /dev/stdin and what <(command) is in a shell.
func leadsToStream(source string, info fs.FileInfo) bool {
	if info.Mode().Type() != fs.ModeSymlink {
		return false
	}
	to, err := os.Stat(source)
	return err == nil && !to.Mode().IsRegular() && !to.IsDir()
}

// folder copies all that is in a folder to path.
func (c *copier) folder(ctx context.Context, path datakit.Path, source string) error {
	root, err := os.OpenRoot(source)
	if err != nil {
		return err
	}
	defer root.Close()
	return c.inFolder(ctx, path, sourceTree{root, source}, ".")
}

// inFolder copies what is in the folder dir of t to path.
func (c *copier) inFolder(ctx context.Context, path datakit.Path, t sourceTree, dir string) error {
	if err := c.tx.MkdirAll(ctx, path); err != nil {
		return err
	}
	entries, err := t.readDir(dir)
	if err != nil {
		return err
	}
	for _, d := range entries {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if d.Name() == ".git" {
			continue
		}
		name := filepath.Join(dir, d.Name())
		if typ := d.Type(); !d.IsDir() && typ != 0 && typ != fs.ModeSymlink {
			c.warn("put: %s is left out, as it is no file, folder or symlink", filepath.Join(t.source, name))
			continue
		}
		at, err := path.Append(d.Name())
		if err != nil {
			return err
		}
		if d.IsDir() {
			err = c.inFolder(ctx, at, t, name)
		} else {
			err = c.entry(ctx, at, t, name, d.Type())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// An origin is where something is copied from: the machine, or a sourceTree.
type origin interface {
	Open(name string) (*os.File, error)
	Readlink(name string) (string, error)
}

// The machine has all files that can be named.
type machine struct{}

// Open implements origin.
func (machine) Open(name string) (*os.File, error) { return os.Open(name) }

// Readlink implements origin.
func (machine) Readlink(name string) (string, error) { return os.Readlink(name) }

// A sourceTree is what is in a folder. Its names may be longer than the paths
// that the system takes.
type sourceTree struct {
	root   *os.Root
	source string // what the user calls it
}

// Open implements origin.
func (t sourceTree) Open(name string) (*os.File, error) {
	f, err := t.root.Open(name)
	return f, t.failed(err)
}

// Readlink implements origin.
func (t sourceTree) Readlink(name string) (string, error) {
	target, err := t.root.Readlink(name)
	return target, t.failed(err)
}

// readDir returns what is in a folder, sorted.
func (t sourceTree) readDir(name string) ([]fs.DirEntry, error) {
	f, err := t.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}

// failed has an error name a file as the user would.
func (t sourceTree) failed(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return &fs.PathError{Op: e.Op, Path: filepath.Join(t.source, e.Path), Err: e.Err}
	}
	return err
}

// entry copies one file or symlink.
func (c *copier) entry(ctx context.Context, path datakit.Path, from origin, name string, mode fs.FileMode) error {
	if mode.Type() != fs.ModeSymlink {
		return c.file(ctx, path, from, name)
	}
	target, err := from.Readlink(name)
	if err != nil {
		return err
	}
	c.progress.Add(1, 0)
	return c.tx.Symlink(ctx, path, target)
}

// file copies a file, or all that comes out of something else that can be read.
func (c *copier) file(ctx context.Context, path datakit.Path, from origin, name string) error {
	f, err := await(ctx, func() (*os.File, error) { return from.Open(name) })
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	mode, r := datakit.Normal, io.Reader(f)
	switch {
	case !info.Mode().IsRegular():
		r = patient{ctx, f}
	case info.Mode()&0o111 != 0:
		mode = datakit.Executable
	}
	if err := c.tx.Create(ctx, path, mode, nil); err != nil {
		return err
	}
	_, err = c.tx.ReadFrom(ctx, path, c.counted(r))
	c.progress.Add(1, 0)
	return err
}

// await returns what f returns, or the error of ctx if that is done before. f
// then goes on until the process ends: the system does not let go of who waits
// for somebody to write to a pipe or type at a terminal.
func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		v, err := f()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// A patient is a reader of what may wait for ever, until ctx is done. Nothing
// else may read from it after that.
type patient struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (p patient) Read(b []byte) (int, error) {
	// What f reads after the end of ctx must not go where somebody looks.
	type part struct {
		n    int
		data []byte
	}
	got, err := await(p.ctx, func() (part, error) {
		buf := make([]byte, len(b))
		n, err := p.r.Read(buf)
		return part{n, buf}, err
	})
	copy(b, got.data[:got.n])
	return got.n, err
}
