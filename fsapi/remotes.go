package fsapi

import (
	"context"
	"maps"
	"slices"

	"github.com/datakit/datakit/vfs"
)

// A remotesDir is /remotes.
type remotesDir struct {
	dirsOnly
	s *Session
}

// List implements vfs.Dir.
func (d *remotesDir) List(ctx context.Context) ([]vfs.Dirent, error) {
	d.s.mu.Lock()
	names := slices.Sorted(maps.Keys(d.s.remotes))
	d.s.mu.Unlock()
	return listDirs(ctx, d, names)
}

// Lookup implements vfs.Dir.
func (d *remotesDir) Lookup(_ context.Context, name string) (vfs.Node, error) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if r := d.s.remotes[name]; r != nil {
		return r, nil
	}
	return nil, vfs.ErrNotExist
}

// Mkdir adds a remote.
func (d *remotesDir) Mkdir(_ context.Context, name string) (vfs.Node, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	switch {
	case d.s.closed:
		return nil, vfs.ErrInterrupted
	case d.s.remotes[name] != nil:
		return nil, vfs.ErrExist
	}
	r := newRemote(d, name)
	d.s.remotes[name] = r
	return r, nil
}

// remove drops a remote.
func (d *remotesDir) remove(r *remote) error {
	d.s.mu.Lock()
	if d.s.remotes[r.name] != r {
		d.s.mu.Unlock()
		return vfs.ErrNotExist
	}
	delete(d.s.remotes, r.name)
	d.s.mu.Unlock()
	return r.Close()
}

// rename gives a remote another name, which nobody has.
func (d *remotesDir) rename(r *remote, to string) error {
	if err := checkName(to); err != nil {
		return err
	}
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	switch {
	case d.s.remotes[r.name] != r:
		return vfs.ErrNotExist
	case r.name == to:
		return nil
	case d.s.remotes[to] != nil:
		return vfs.ErrExist
	}
	delete(d.s.remotes, r.name)
	r.name = to
	d.s.remotes[to] = r
	return nil
}
