package datakit

import (
	"io"
	"io/fs"
	"sync"
)

// A treeFile is an open file or symlink of a treeFS. It reads the content that
// was there when it was opened.
type treeFile struct {
	*io.SectionReader // at the reading position
	info              treeInfo

	once sync.Once // as Close may be called again, and that of a Blob must not
	blob Blob
}

func (f *treeFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// Close releases the content. Later calls return fs.ErrClosed.
func (f *treeFile) Close() error {
	err := error(Closed)
	f.once.Do(func() { err = f.blob.Close() })
	return pathError("close", f.info.Name(), err)
}

// A treeDir is an open directory of a treeFS, with the entries that it had
// when it was opened.
type treeDir struct {
	info treeInfo
	name string // as it was opened

	mu   sync.Mutex
	rest []fs.DirEntry // what ReadDir has not returned; guarded by mu
}

var _ fs.ReadDirFile = (*treeDir)(nil)

func (d *treeDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *treeDir) Close() error               { return nil }

// Read fails: a directory has no bytes.
func (d *treeDir) Read([]byte) (int, error) { return 0, pathError("read", d.name, IsDir) }

// ReadDir returns the next n entries, or all if n is not positive.
func (d *treeDir) ReadDir(n int) ([]fs.DirEntry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n <= 0 || n > len(d.rest) {
		if n > 0 && len(d.rest) == 0 {
			return nil, io.EOF
		}
		n = len(d.rest)
	}
	list := d.rest[:n:n]
	d.rest = d.rest[n:]
	return list, nil
}
