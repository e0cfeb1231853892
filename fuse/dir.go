//go:build linux || darwin

package fuse

import (
	"context"
	"errors"
	"sync"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/datakit/datakit/vfs"
)

// A listing is an open directory: its entries at the time it was opened or
// rewound.
type listing struct {
	dir    vfs.Dir
	id     uint64 // of the inode
	frozen bool   // the directory is immutable

	mu      sync.Mutex // guards what follows; held while the directory is read
	version uint32     // of the directory, when the entries were taken
	entries []vfs.Dirent
	used    bool // something has been read
}

// take takes the entries. mu is held.
func (l *listing) take(ctx context.Context) error {
	q, err := l.dir.Qid(ctx)
	if err != nil {
		return err
	}
	entries, err := l.dir.List(ctx)
	if err != nil {
		return err
	}
	l.version, l.entries, l.used = q.Version, entries, false
	return nil
}

// OpenDir implements gofuse.RawFileSystem.
func (t *tree) OpenDir(cancel <-chan struct{}, in *gofuse.OpenIn, out *gofuse.OpenOut) gofuse.Status {
	r := t.begin(cancel)
	defer r.finish()
	dir, err := t.inodes.dir(in.NodeId)
	if err != nil {
		return t.status(err)
	}
	if _, err := dir.Open(r, vfs.OpenFlags{}); err != nil {
		return t.status(err)
	}
	l := &listing{dir: dir, id: in.NodeId, frozen: vfs.IsImmutable(dir)}
	if err := l.take(r); err != nil {
		return t.status(err)
	}
	out.Fh = t.handles.add(&handle{node: dir, listing: l})
	if l.frozen {
		out.OpenFlags = gofuse.FOPEN_CACHE_DIR | gofuse.FOPEN_KEEP_CACHE
	}
	return gofuse.OK
}

// ReleaseDir implements gofuse.RawFileSystem.
func (t *tree) ReleaseDir(in *gofuse.ReleaseIn) { t.handles.drop(in.Fh) }

// FsyncDir implements gofuse.RawFileSystem.
func (t *tree) FsyncDir(<-chan struct{}, *gofuse.FsyncIn) gofuse.Status { return gofuse.OK }

// ReadDir implements gofuse.RawFileSystem.
func (t *tree) ReadDir(cancel <-chan struct{}, in *gofuse.ReadIn, out *gofuse.DirEntryList) gofuse.Status {
	return t.readDir(cancel, in, func(_ *request, _ *listing, e gofuse.DirEntry) bool {
		return out.AddDirEntry(e)
	})
}

// ReadDirPlus implements gofuse.RawFileSystem. It tells of what never changes
// all that Lookup would; of all else the kernel would have to ask again.
func (t *tree) ReadDirPlus(cancel <-chan struct{}, in *gofuse.ReadIn, out *gofuse.DirEntryList) gofuse.Status {
	return t.readDir(cancel, in, func(r *request, l *listing, e gofuse.DirEntry) bool {
		entry := out.AddDirLookupEntry(e)
		if entry == nil {
			return false
		}
		if !l.frozen || e.Off <= dotEntries {
			return true
		}
		if err := t.look(r, l.dir, l.id, e.Name, entry); err != nil { // who looks it up will be told
			*entry = gofuse.EntryOut{}
		}
		return true
	})
}

// dotEntries is the number of entries before those of the listing: "." and "..".
const dotEntries = 2

// readDir gives add the entries from the offset on, until it has no room. Each
// entry has the offset of the one after it.
func (t *tree) readDir(cancel <-chan struct{}, in *gofuse.ReadIn, add func(*request, *listing, gofuse.DirEntry) bool) gofuse.Status {
	h := t.handles.find(in.Fh)
	if h == nil || h.listing == nil {
		return gofuse.EBADF
	}
	r := t.begin(cancel)
	defer r.finish()
	l := h.listing
	l.mu.Lock()
	defer l.mu.Unlock()
	if in.Offset == 0 && l.used {
		if err := l.take(r); err != nil {
			return t.status(err)
		}
	}
	l.used = true
	self, err := l.dir.Qid(r)
	if err != nil {
		return t.status(err)
	}
	changed := !l.frozen && (self.Version == 0 || self.Version != l.version)
	for at := in.Offset; at < uint64(len(l.entries))+dotEntries; at++ {
		e, err := l.entry(r, at, self, changed)
		switch {
		case errors.Is(err, vfs.ErrNotExist):
			continue
		case err != nil:
			return t.status(err)
		}
		if !add(r, l, e) {
			break
		}
	}
	return gofuse.OK
}

// entry returns the entry at an offset. self is the qid of the directory. If
// that may have changed, the error is ErrNotExist for an entry that has
// vanished (FS-43).
func (l *listing) entry(ctx context.Context, at uint64, self vfs.Qid, changed bool) (gofuse.DirEntry, error) {
	out := gofuse.DirEntry{Off: at + 1}
	q := self
	switch at {
	case 0:
		out.Name = "."
	case 1:
		out.Name = ".."
		var err error
		if q, err = l.dir.Parent().Qid(ctx); err != nil {
			return out, err
		}
	default:
		e := &l.entries[at-dotEntries]
		out.Name, q = e.Name, e.Qid
		if changed {
			if _, err := l.dir.Lookup(ctx, e.Name); errors.Is(err, vfs.ErrNotExist) {
				return out, err
			}
		}
	}
	out.Mode, out.Ino = typeOf(q.Kind), inoOf(q)
	return out, nil
}
