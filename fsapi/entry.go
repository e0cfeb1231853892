package fsapi

import (
	"context"
	"encoding/binary"
	"io"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// entryQid is the qid of an entry at a place.
func entryQid(e datakit.Entry, path uint64) vfs.Qid {
	kind := vfs.KindFile
	switch e.Mode {
	case datakit.Dir:
		kind = vfs.KindDir
	case datakit.Symlink:
		kind = vfs.KindSymlink
	}
	return vfs.Qid{Kind: kind, Version: entryVersion(e), Path: path}
}

// entryVersion differs between contents: by their hash, or where that is not
// known by the number that a transaction gives to its changes. Multiplication
// by an odd number keeps different numbers different.
func entryVersion(e datakit.Entry) uint32 {
	return binary.BigEndian.Uint32(e.Hash[:]) ^ uint32(e.Rev)*0x9e3779b1
}

// entryPerm returns the permissions that an entry shows.
func entryPerm(m datakit.Mode) uint32 {
	if m == datakit.Normal {
		return vfs.FilePerm
	}
	return vfs.DirPerm
}

// maxTarget bounds the target that the stat of a symlink shows. Any blob can
// be a symlink, but only its beginning fits into a message.
const maxTarget = 16 << 10

// readTarget returns the target of the symlink at path.
func readTarget(ctx context.Context, t *datakit.Tree, path datakit.Path) (string, error) {
	b, err := t.Open(ctx, path)
	if err != nil {
		return "", entryError(err)
	}
	defer b.Close()
	p := make([]byte, min(b.Size(), maxTarget))
	if n, err := b.ReadAt(ctx, p, 0); err != nil && err != io.EOF {
		return "", wireError(err)
	} else {
		return string(p[:n]), nil
	}
}

// gone is entryError for something that is not there even if err is nil.
func gone(err error) error {
	if err == nil {
		return vfs.ErrNotExist
	}
	return entryError(err)
}
