package p9db

import (
	"context"
	"slices"
	"strings"

	"github.com/datakit/datakit"
)

// madeSearch is how many commits of a branch are looked at for the one that a
// transaction has made.
const madeSearch = 1000

// A making is what tells the commit of a transaction from others. A server does
// not tell which it is, and the head may have moved on.
type making struct {
	branch, msg string
	parents     []datakit.Hash
	changes     []datakit.Change // since the first parent
}

// making returns what the commit of the transaction will be. The caller has the
// turn.
func (t *tx) making(ctx context.Context, msg string) (m making, err error) {
	m = making{branch: t.branch, msg: msg}
	if m.parents, err = t.parents(ctx); err != nil || len(m.parents) == 0 {
		return m, err
	}
	m.changes, err = t.diff(ctx, m.parents[0])
	return m, err
}

// find returns the commit that was made, or the merge that has brought it into
// the branch, and the zero Hash if it cannot be told which that is.
func (m *making) find(ctx context.Context, d *driver) (datakit.Hash, error) {
	head, err := d.Head(ctx, m.branch)
	if err != nil {
		return head, err
	}
	var found []datakit.Hash
	at := head
	for range madeSearch {
		if at.IsZero() || slices.Contains(m.parents, at) && len(found) > 0 {
			break
		}
		c, err := d.Commit(ctx, at)
		if err != nil {
			return datakit.Hash{}, err
		}
		if ok, err := m.isIn(ctx, d, c); err != nil {
			return datakit.Hash{}, err
		} else if ok {
			found = append(found, at)
		}
		if len(m.parents) > 0 && at == m.parents[0] || len(c.Parents) == 0 {
			break // what comes before is older than the transaction
		}
		at = c.Parents[0]
	}
	if len(found) != 1 {
		return datakit.Hash{}, nil
	}
	return found[0], nil
}

// isIn reports whether c is the commit, or the server's merge of it.
func (m *making) isIn(ctx context.Context, d *driver, c *datakit.Commit) (bool, error) {
	if ok, err := m.is(ctx, d, c); ok || err != nil || len(c.Parents) != 2 {
		return ok, err
	}
	merged, err := d.Commit(ctx, c.Parents[1])
	if err != nil {
		return false, err
	}
	return m.is(ctx, d, merged)
}

// is reports whether c is the commit.
func (m *making) is(ctx context.Context, d *driver, c *datakit.Commit) (bool, error) {
	if m.msg != "" && strings.TrimRight(c.Message, "\n") != strings.TrimRight(m.msg, "\n") || !slices.Equal(c.Parents, m.parents) {
		return false, nil
	}
	if len(m.parents) == 0 {
		return true, nil
	}
	changes, err := d.Diff(ctx, m.parents[0], c.Hash)
	return slices.Equal(changes, m.changes), err
}
