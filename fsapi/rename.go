package fsapi

import (
	"context"
	"maps"
	"slices"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// removeBranch removes the branch b, and its transactions in this session.
func (s *Session) removeBranch(ctx context.Context, b *branch) error {
	if err := s.names.Take(ctx); err != nil {
		return err
	}
	defer s.names.Give()
	vfs.MayWait(ctx)
	name, head, err := b.find(ctx)
	if err != nil {
		return err
	}
	txs, err := s.holdTransactions(ctx, b)
	if err != nil {
		return err
	}
	defer giveTurns(txs)
	if err := s.db.Branch(name).Remove(ctx); err != nil {
		return wireError(err)
	}
	if !head.IsZero() {
		s.fs.headSeen(name)
	}
	s.mu.Lock()
	s.forget(b)
	s.mu.Unlock()
	endAll(txs)
	return nil
}

// renameBranch gives b, and its transactions in this session, another name.
func (s *Session) renameBranch(ctx context.Context, b *branch, text string) error {
	to, err := newBranchName(text)
	if err != nil {
		return err
	}
	if err := s.names.Take(ctx); err != nil {
		return err
	}
	defer s.names.Give()
	vfs.MayWait(ctx)
	from, head, err := b.find(ctx)
	if err != nil || from == to {
		return err
	}
	s.mu.Lock()
	replaced := s.branch(to)
	s.mu.Unlock()
	lost, err := s.holdTransactions(ctx, replaced)
	if err != nil {
		return err
	}
	defer giveTurns(lost)
	txs, err := s.holdTransactions(ctx, b)
	if err != nil {
		return err
	}
	defer giveTurns(txs)
	if err := s.moveHead(ctx, from, to, head); err != nil {
		return err
	}
	for _, t := range txs {
		if err := t.tx.Retarget(ctx, to); err != nil && !t.tx.Ended() {
			s.fs.log.Warn("rename branch", "from", from, "to", to, "transaction", t.Name, "error", err)
		}
	}
	s.moveBranch(b, to)
	endAll(lost)
	return nil
}

// moveHead gives the head of a branch, if it has one, to another name.
func (s *Session) moveHead(ctx context.Context, from, to string, head datakit.Hash) error {
	if !head.IsZero() {
		err := s.db.Branch(from).Rename(ctx, to)
		if err == nil {
			s.fs.headSeen(from)
			s.fs.headSeen(to)
		}
		return renameError(err)
	}
	other, err := s.db.Branch(to).Head(ctx)
	switch {
	case err != nil:
		return wireError(err)
	case !other.IsZero():
		return vfs.ErrIsDir
	}
	return s.checkConflict(ctx, to, from)
}

// renameError is wireError for the renaming of a branch to a name that may be
// taken.
func renameError(err error) error {
	if err = wireError(err); err == vfs.ErrExist {
		return vfs.ErrIsDir
	}
	return err
}

// moveBranch notes the new name of b. Who held a branch of that name holds
// something that is gone.
func (s *Session) moveBranch(b *branch, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(s.branch(to))
	if s.kept[b.name] == b {
		delete(s.kept, b.name)
		s.kept[to] = b
	}
	s.held.drop(b.name, b)
	s.held.put(to, b)
	b.name = to
}

// forget makes b be gone from this session. The caller holds s.mu, and ends its
// transactions.
func (s *Session) forget(b *branch) {
	b.gone = true
	b.setEmpty(false)
	s.held.drop(b.name, b)
}

func endAll(txs []*transaction) {
	for _, t := range txs {
		t.end()
	}
}

// holdTransactions takes a turn on each transaction of b, so that none is
// committed meanwhile, and returns those that have not ended.
func (s *Session) holdTransactions(ctx context.Context, b *branch) ([]*transaction, error) {
	s.mu.Lock()
	txs := slices.Collect(maps.Values(b.txs))
	s.mu.Unlock()
	for i, t := range txs {
		if err := t.turns.Take(ctx); err != nil {
			giveTurns(txs[:i])
			return nil, err
		}
	}
	return txs, nil
}

func giveTurns(txs []*transaction) {
	for _, t := range txs {
		t.turns.Give()
	}
}

// checkSameDir refuses to move what is in a directory to another one.
func checkSameDir(ctx context.Context, in, to vfs.Dir) error {
	same, err := vfs.SameDir(ctx, in, to)
	if err == nil && !same {
		err = vfs.ErrCrossDevice
	}
	return err
}
