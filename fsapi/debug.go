package fsapi

import (
	"context"
	"slices"

	"github.com/datakit/datakit/vfs"
)

// A debugDir is /debug.
type debugDir struct {
	vfs.DirBase
	fs *FS
}

// List implements vfs.Dir.
func (d *debugDir) List(ctx context.Context) ([]vfs.Dirent, error) {
	return vfs.Dirents(ctx, d, "src/")
}

// Lookup implements vfs.Dir.
func (d *debugDir) Lookup(_ context.Context, name string) (vfs.Node, error) {
	if name != "src" {
		return nil, vfs.ErrNotExist
	}
	return &sourcesDir{vfs.DirBase{Base: d.fs.base(d, name)}, d.fs}, nil
}

// A sourcesDir is /debug/src.
type sourcesDir struct {
	vfs.DirBase
	fs *FS
}

// List implements vfs.Dir.
func (d *sourcesDir) List(ctx context.Context) ([]vfs.Dirent, error) {
	names := make([]string, len(d.fs.sources))
	for i, src := range d.fs.sources {
		names[i] = src.Name()
	}
	return listDirs(ctx, d, names)
}

// Lookup implements vfs.Dir.
func (d *sourcesDir) Lookup(_ context.Context, name string) (vfs.Node, error) {
	i := slices.IndexFunc(d.fs.sources, func(src LogSource) bool { return src.Name() == name })
	if i < 0 {
		return nil, vfs.ErrNotExist
	}
	return &sourceDir{vfs.DirBase{Base: d.fs.base(d, name)}, d.fs, d.fs.sources[i]}, nil
}

// A sourceDir is /debug/src/SOURCE.
type sourceDir struct {
	vfs.DirBase
	fs  *FS
	src LogSource
}

// List implements vfs.Dir.
func (d *sourceDir) List(ctx context.Context) ([]vfs.Dirent, error) {
	return vfs.Dirents(ctx, d, "doc", "level")
}

// Lookup implements vfs.Dir.
func (d *sourceDir) Lookup(_ context.Context, name string) (vfs.Node, error) {
	base := vfs.FileBase{Base: d.fs.base(d, name)}
	switch name {
	case "doc":
		return &vfs.Static{FileBase: base, Content: d.src.Doc() + "\n"}, nil
	case "level":
		return &vfs.Level{FileBase: base, Value: d.src.Level, Set: d.setLevel}, nil
	}
	return nil, vfs.ErrNotExist
}

func (d *sourceDir) setLevel(level string) error {
	if err := d.src.SetLevel(level); err != nil {
		return badLevel(level)
	}
	return nil
}
