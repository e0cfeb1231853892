package gitdb

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"
)

// addPack puts a pack that came from elsewhere, with an index made of it, into
// the repository, durably unless noSync.
func addPack(ctx context.Context, dir string, noSync bool, pack io.Reader) error {
	w, err := dotgit.New(osfs.New(dir)).NewObjectPack()
	if err != nil {
		return err
	}
	name := plumbing.ZeroHash
	w.Notify = func(h plumbing.Hash, _ *idxfile.Writer) { name = h }
	_, err = io.Copy(w, contextReader{ctx, pack})
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	if noSync || name == plumbing.ZeroHash { // nothing came that was new
		return nil
	}
	base := filepath.Join(dir, "objects", "pack", "pack-"+name.String())
	return errors.Join(syncFile(base+".pack"), syncFile(base+".idx"), syncFile(filepath.Dir(base)))
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// A contextReader reads until its context is done.
type contextReader struct {
	ctx context.Context
	io.Reader
}

// Read implements io.Reader. It fails once the context is done.
func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
