package vfs

import (
	"context"
	"hash/maphash"
	"math/bits"
	"strings"
	"time"
)

// The permissions of files and directories that nothing else is known of.
const (
	FilePerm = 0o664
	DirPerm  = 0o775
)

// pathSeed and pathKey make the paths of qids unpredictable to clients, who
// could otherwise look for names whose paths collide.
var (
	pathSeed = maphash.MakeSeed()
	pathKey  = maphash.String(pathSeed, "key")
)

// ChildPath returns the Qid.Path of what has the given name in the directory
// with the Qid.Path dir. It is a hash, so that no table of the places that
// were visited is needed.
func ChildPath(dir uint64, name string, isDir bool) uint64 {
	h := maphash.String(pathSeed, name)
	if isDir {
		h = ^h
	}
	hi, lo := bits.Mul64(dir^pathKey, h) // mixes all bits of both
	return hi ^ lo
}

// A Base is what nodes have in common: a place.
type Base struct {
	In   Dir       // where the node was found; nil for the root
	Name string    // as listed
	Time time.Time // for Stat

	// Frozen says that nothing of the node ever changes; see Immutable.
	Frozen bool

	// Check, if not nil, is called before each operation on the node and on
	// its open files, and its error is the operation's. It is how all that is
	// below something that has ended answers ErrNotExist.
	Check func() error
}

func (b *Base) check() error {
	if b.Check == nil {
		return nil
	}
	return b.Check()
}

// Immutable returns Frozen.
func (b *Base) Immutable() bool { return b.Frozen }

func (b *Base) qid(ctx context.Context, kind Kind) (Qid, error) {
	if err := b.check(); err != nil {
		return Qid{}, err
	}
	var in Qid
	if b.In != nil {
		var err error
		if in, err = b.In.Qid(ctx); err != nil {
			return Qid{}, err
		}
	}
	return Qid{Kind: kind, Path: ChildPath(in.Path, b.Name, kind == KindDir)}, nil
}

func (b *Base) stat(ctx context.Context, kind Kind, perm uint32, size int) (Stat, error) {
	q, err := b.qid(ctx, kind)
	return Stat{Qid: q, Name: b.Name, Perm: perm, Size: uint64(size), ModTime: b.Time}, err
}

// refuse returns err, unless the node is gone.
func (b *Base) refuse(err error) error {
	if gone := b.check(); gone != nil {
		return gone
	}
	return err
}

// RefuseRename is Node.Rename for a node that was found in the directory in,
// the names in which are fixed: ErrCrossDevice for a move to another
// directory, else ErrDirReadOnly.
func RefuseRename(ctx context.Context, in, dir Dir) error {
	same, err := SameDir(ctx, in, dir)
	if err != nil {
		return err
	}
	if !same {
		return ErrCrossDevice
	}
	return ErrDirReadOnly
}

// SameDir reports whether dir is the same place as in, or nil.
func SameDir(ctx context.Context, in, dir Dir) (bool, error) {
	if dir == nil || dir == in {
		return true, nil
	}
	a, err := in.Qid(ctx)
	if err != nil {
		return false, err
	}
	b, err := dir.Qid(ctx)
	return a.Path == b.Path, err
}

// Dirents lists the entries of dir with the given names, in that order. Those
// of directories end in "/", which is not part of the name.
func Dirents(ctx context.Context, dir Dir, names ...string) ([]Dirent, error) {
	q, err := dir.Qid(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Dirent, len(names))
	for i, name := range names {
		kind := KindFile
		name, isDir := strings.CutSuffix(name, "/")
		if isDir {
			kind = KindDir
		}
		list[i] = Dirent{name, Qid{Kind: kind, Path: ChildPath(q.Path, name, isDir)}}
	}
	return list, nil
}
