package fsapi

import (
	"context"
	"slices"
	"strings"

	"github.com/datakit/datakit/vfs"
)

// A branchesDir is /branch.
type branchesDir struct {
	dirsOnly
	s *Session
}

// List implements vfs.Dir.
func (d *branchesDir) List(ctx context.Context) ([]vfs.Dirent, error) {
	names, err := d.s.branchNames(ctx)
	if err != nil {
		return nil, wireError(err)
	}
	for i, name := range names {
		names[i] = escapeBranch(name)
	}
	slices.Sort(names)
	return listDirs(ctx, d, names)
}

// branchNames returns the names of all branches that this session sees, each
// once.
func (s *Session) branchNames(ctx context.Context) ([]string, error) {
	names, err := s.db.Branches(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.emptyBranches() {
		if _, found := slices.BinarySearch(names, b.name); found {
			b.setEmpty(false)
			continue
		}
		names = append(names, b.name)
	}
	return names, nil
}

// Lookup implements vfs.Dir.
func (d *branchesDir) Lookup(ctx context.Context, name string) (vfs.Node, error) {
	name, ok := unescapeBranch(name)
	if !ok {
		return nil, vfs.ErrNotExist
	}
	head, err := d.s.db.Branch(name).Head(ctx)
	if err != nil {
		return nil, wireError(err)
	}
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if head.IsZero() && d.s.kept[name] == nil {
		return nil, vfs.ErrNotExist
	}
	b := d.s.branch(name)
	b.seen(head)
	return b, nil
}

// Mkdir makes an empty branch, unless there is one.
func (d *branchesDir) Mkdir(ctx context.Context, text string) (vfs.Node, error) {
	name, err := newBranchName(text)
	if err != nil {
		return nil, err
	}
	s := d.s
	if err := s.names.Take(ctx); err != nil {
		return nil, err
	}
	defer s.names.Give()

	head, err := s.db.Branch(name).Head(ctx)
	if err != nil {
		return nil, wireError(err)
	}
	if head.IsZero() {
		if err := s.checkConflict(ctx, name, ""); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, vfs.ErrInterrupted
	}
	b := s.branch(name)
	b.setEmpty(head.IsZero())
	return b, nil
}

// checkConflict fails if there is a branch, except the one given, beside which
// Git cannot hold one named name.
func (s *Session) checkConflict(ctx context.Context, name, except string) error {
	names, err := s.branchNames(ctx)
	if err != nil {
		return wireError(err)
	}
	for _, other := range names {
		clash := strings.HasPrefix(other, name+"/") || strings.HasPrefix(name, other+"/")
		if clash && other != except {
			return branchConflict(other)
		}
	}
	return nil
}

// branch returns the branch of that name, which need not exist. The caller
// holds s.mu.
func (s *Session) branch(name string) *branch {
	if b := s.kept[name]; b != nil {
		return b
	}
	if b := s.held.lookup(name); b != nil {
		return b
	}
	b := newBranch(s, name)
	s.held.put(name, b)
	return b
}

// emptyBranches returns the branches without a head that were made by this
// session. The caller holds s.mu.
func (s *Session) emptyBranches() []*branch {
	var bs []*branch
	for _, b := range s.kept {
		if b.empty {
			bs = append(bs, b)
		}
	}
	return bs
}

// headSeen notes that branch name has, or had, a head.
func (s *Session) headSeen(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.kept[name]; b != nil {
		b.setEmpty(false)
	}
}
