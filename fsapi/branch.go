package fsapi

import (
	"context"
	"sync/atomic"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// A branch is /branch/NAME. While clients hold it there is one for each name
// in a session, so that it can be told of a new name.
type branch struct {
	vfs.DirBase // without a name, which can change
	s           *Session
	ro          view
	last        atomic.Pointer[headState] // the newest that ro has shown

	// The fields below are guarded by s.mu.
	name  string
	gone  bool // was removed, or replaced by another
	empty bool // was made by this session and has had no head since
	txs   map[string]*transaction
}

var _ vfs.Dir = (*branch)(nil)

// A headState is what a branch holds while its head is head.
type headState struct {
	state
	head datakit.Hash
}

func newBranch(s *Session, name string) *branch {
	b := &branch{DirBase: vfs.DirBase{Base: s.fs.base(s.root.branches, "")}, s: s, name: name}
	b.Check = func() error { _, err := b.present(); return err }
	b.ro = view{in: b, name: "ro", now: b.now}
	return b
}

// setEmpty sets empty. A branch that is empty or has transactions is kept
// whether or not clients hold it. The caller holds s.mu.
func (b *branch) setEmpty(empty bool) {
	b.empty = empty
	b.keep()
}

func (b *branch) keep() {
	switch {
	case !b.gone && (b.empty || len(b.txs) > 0):
		b.s.kept[b.name] = b
	case b.s.kept[b.name] == b:
		delete(b.s.kept, b.name)
	}
}

// seen notes the present head. The caller holds s.mu.
func (b *branch) seen(head datakit.Hash) {
	if b.empty && !head.IsZero() {
		b.setEmpty(false)
	}
}

// present returns the name of the branch, unless it is gone.
func (b *branch) present() (string, error) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	if b.gone {
		return "", vfs.ErrNotExist
	}
	return b.name, nil
}

// find returns name and head of the branch, if it exists. One that lost its
// head to somebody else can still be reached, but is not listed, as long as
// this session has transactions on it.
func (b *branch) find(ctx context.Context) (string, datakit.Hash, error) {
	name, head, err := b.look(ctx)
	if err != nil {
		return "", head, err
	}
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.seen(head)
	if b.gone || head.IsZero() && b.s.kept[b.name] != b {
		return "", head, vfs.ErrNotExist
	}
	return name, head, nil
}

// look is find for a branch that need not exist any more, as long as it was
// not removed by this session.
func (b *branch) look(ctx context.Context) (string, datakit.Hash, error) {
	name, err := b.present()
	if err != nil {
		return "", datakit.Hash{}, err
	}
	head, err := b.s.db.Branch(name).Head(ctx)
	return name, head, wireError(err)
}

// handle returns the branch of the database, unless this one is gone.
func (b *branch) handle() (*datakit.Branch, error) {
	name, err := b.present()
	if err != nil {
		return nil, err
	}
	return b.s.db.Branch(name), nil
}

// Qid implements vfs.Node.
func (b *branch) Qid(ctx context.Context) (vfs.Qid, error) {
	name, err := b.present()
	if err != nil {
		return vfs.Qid{}, err
	}
	in, err := b.In.Qid(ctx)
	return vfs.Qid{Kind: vfs.KindDir, Path: vfs.ChildPath(in.Path, escapeBranch(name), true)}, err
}

// Stat implements vfs.Node.
func (b *branch) Stat(ctx context.Context) (vfs.Stat, error) {
	name, _, err := b.find(ctx)
	if err != nil {
		return vfs.Stat{}, err
	}
	q, err := b.Qid(ctx)
	return vfs.Stat{Qid: q, Name: escapeBranch(name), Perm: vfs.DirPerm, ModTime: b.Time}, err
}

// Remove implements vfs.Node.
func (b *branch) Remove(ctx context.Context, _ bool) error { return b.s.removeBranch(ctx, b) }

// Rename implements vfs.Node.
func (b *branch) Rename(ctx context.Context, dir vfs.Dir, name string) error {
	if err := checkSameDir(ctx, b.In, dir); err != nil {
		return err
	}
	return b.s.renameBranch(ctx, b, name)
}

// List implements vfs.Dir.
func (b *branch) List(ctx context.Context) ([]vfs.Dirent, error) {
	return vfs.Dirents(ctx, b, "diff/", "fast-forward", "head", "head.live", "reflog", "ro/", "transactions/", "watch/")
}

// Lookup implements vfs.Dir.
func (b *branch) Lookup(_ context.Context, name string) (vfs.Node, error) {
	if _, err := b.present(); err != nil {
		return nil, err
	}
	base := b.s.fs.base(b, name)
	file, dir := vfs.FileBase{Base: base}, vfs.DirBase{Base: base}
	switch name {
	case "diff":
		return &diffDir{dir, b.s, b.diff}, nil
	case "fast-forward":
		return &vfs.Command{FileBase: file, Run: b.fastForward}, nil
	case "head":
		return &vfs.Status{FileBase: file, Content: b.head}, nil
	case "head.live":
		return &vfs.Stream{FileBase: file, Source: b.watchHead, MaxLine: hashLine}, nil
	case "reflog":
		return &vfs.Stream{FileBase: file, Source: b.reflog, MaxLine: hashLine}, nil
	case "ro":
		return b.ro.rootDir(), nil
	case "transactions":
		return &transactionsDir{dirsOnly{dir}, b}, nil
	case "watch":
		return &watchDir{DirBase: dir, b: b}, nil
	}
	return nil, vfs.ErrNotExist
}

func (b *branch) head(ctx context.Context) ([]byte, error) {
	_, h, err := b.look(ctx)
	return []byte(formatHead(h)), err
}

func (b *branch) diff(ctx context.Context, from datakit.Hash) ([]datakit.Change, error) {
	h, err := b.handle()
	if err != nil {
		return nil, err
	}
	return h.Diff(ctx, from)
}

func (b *branch) fastForward(ctx context.Context, text string) (string, error) {
	vfs.MayWait(ctx)
	to, err := parseCommit(text)
	if err != nil {
		return "", err
	}
	h, err := b.handle()
	if err != nil {
		return "", err
	}
	if err := h.FastForward(ctx, to); err != nil {
		return "", wireError(err)
	}
	b.s.headSeen(h.Name())
	return "", nil
}

// now is what ro shows.
func (b *branch) now(ctx context.Context) (*state, error) {
	_, head, err := b.look(ctx)
	if err != nil {
		return nil, err
	}
	if last := b.last.Load(); last != nil && last.head == head {
		return &last.state, nil
	}
	st, err := b.s.stateOf(ctx, head)
	if err != nil {
		return nil, wireError(err)
	}
	last := &headState{*st, head}
	b.last.Store(last)
	return &last.state, nil
}

// stateOf returns what a branch with the given head shows, which may be zero.
func (s *Session) stateOf(ctx context.Context, head datakit.Hash) (*state, error) {
	if head.IsZero() {
		tree, err := s.db.Tree(ctx, datakit.TreeID{Mode: datakit.Dir, Hash: datakit.EmptyTree})
		return &state{tree: tree, time: s.fs.start}, err
	}
	c, err := s.db.Commit(ctx, head)
	if err != nil {
		return nil, err
	}
	tree, err := c.Tree(ctx)
	return &state{tree, c.Date, head}, err
}
