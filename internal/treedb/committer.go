package treedb

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

const (
	// groupOps and groupBytes limit what is committed together.
	groupOps   = 512
	groupBytes = 32 << 20

	// lockPatience is how long an operation waits for a reference that another
	// program has locked (specification, FS-7), looking again every lockPause.
	lockPatience = 10 * time.Second
	lockPause    = 20 * time.Millisecond
)

// An op is a change of one or two branches that waits for its turn.
type op struct {
	// branches are those that plan may move.
	branches []string

	// plan decides, when the turn has come, where the branches go, and tells
	// the group. If the group cannot be carried out plan is called again, in
	// another group. An error is the result of the op.
	plan func(g *group) error

	// objs are the objects that plan needs.
	objs []store.Object

	ctx      context.Context
	deadline time.Time // when to give up on a locked reference; zero if none was met
	planned  error     // what plan returned
	done     chan error
}

func (o *op) bytes() (n int) {
	for _, obj := range o.objs {
		n += len(obj.Data)
	}
	return n
}

// A committer carries out ops, one group after the other. What waits while a
// group is written to disk makes up the next one.
//
// One goroutine at a time leads, that is, carries out groups. An op that finds
// no leader is led by its own goroutine, so that a lone writer waits for nobody
// to wake up; what has come meanwhile is left to a goroutine of the committer.
type committer struct {
	db      *DB
	lineage lineage
	seq     uint64 // of the newest commit; only the leader uses it and lineage

	mu      sync.Mutex // guards what follows
	queue   []*op      // empty if nobody leads
	leading bool
	closed  bool

	leaders sync.WaitGroup // one or none
	timers  sync.WaitGroup // ops that wait for a locked reference
}

func newCommitter(db *DB) *committer {
	return &committer{db: db, lineage: newLineage()}
}

// close fails what is waiting with Closed and waits for the group at hand.
func (c *committer) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.leaders.Wait()
	c.timers.Wait()
}

// do carries out o and returns its result. When ctx is done before the turn of
// o has come it has no effect.
func (c *committer) do(ctx context.Context, o *op) error {
	o.ctx, o.done = ctx, make(chan error, 1)
	lead, err := c.enqueue(o)
	if err != nil {
		return err
	}
	if lead && c.leadOnce() {
		go c.lead()
	}
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
	}
	if c.withdraw(o) {
		return ctx.Err()
	}
	return <-o.done // its turn has come, which takes no longer than a write
}

// enqueue has o carried out. If lead is set then the caller must see to that,
// by leadOnce.
func (c *committer) enqueue(o *op) (lead bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false, datakit.Closed
	}
	c.queue = append(c.queue, o)
	if c.leading {
		return false, nil
	}
	c.leading = true
	c.leaders.Add(1)
	return true, nil
}

// withdraw takes o out of the queue and reports whether it was there.
func (c *committer) withdraw(o *op) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, q := range c.queue {
		if q == o {
			c.queue = append(c.queue[:i], c.queue[i+1:]...)
			return true
		}
	}
	return false
}

// lead carries out groups until nothing is waiting.
func (c *committer) lead() {
	for c.leadOnce() {
	}
}

// leadOnce carries out one group. If it returns false nobody leads any more;
// else the caller does still, and more is waiting.
func (c *committer) leadOnce() bool {
	ops, closed := c.take()
	if closed {
		fail(ops, datakit.Closed)
	} else {
		c.carryOut(ops)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) > 0 {
		return true
	}
	c.leading = false
	c.leaders.Done()
	return false
}

// take returns what is to be committed together, or all if the committer was
// closed.
func (c *committer) take() (ops []*op, closed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, bytes := 0, 0
	for n < len(c.queue) && (n == 0 || c.closed || n < groupOps && bytes < groupBytes && len(c.queue[n].branches) == 1) {
		bytes += c.queue[n].bytes()
		n++
		if len(c.queue[n-1].branches) > 1 && !c.closed {
			break // it takes both of its branches or none, so it goes alone
		}
	}
	ops = c.queue[:n:n]
	c.queue = c.queue[n:]
	return ops, c.closed
}

// carryOut commits a group and answers its ops, or has them wait for another
// try.
func (c *committer) carryOut(ops []*op) {
	errs, err := c.commit(ops)
	for _, o := range ops {
		if err != nil {
			o.done <- err
			continue
		}
		c.settle(o, o.result(errs))
	}
}

// commit plans and commits a group. A fault in that fails its ops and not the
// server.
func (c *committer) commit(ops []*op) (errs map[string]error, err error) {
	err = guard(func() error {
		g := newGroup(c)
		for _, o := range ops {
			g.add(o)
		}
		errs = g.commit()
		return nil
	})
	return errs, err
}

// guard returns what f does, or that it panicked.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &datakit.Error{Op: "commit", Kind: datakit.Internal, Err: fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
		}
	}()
	return f()
}

// result returns how o has ended: what its plan returned, unless one of its
// branches could not be moved.
func (o *op) result(errs map[string]error) error {
	for _, b := range o.branches {
		if err := errs[b]; err != nil {
			return err
		}
	}
	return o.planned
}

// settle answers o with err, unless there is hope.
func (c *committer) settle(o *op, err error) {
	var moved *store.MovedError
	switch {
	case errors.As(err, &moved):
		c.again(o)
	case errors.Is(err, datakit.Locked) && o.patient():
		c.retryLater(o)
	default:
		o.done <- err
	}
}

// patient reports whether o may go on waiting for a locked reference.
func (o *op) patient() bool {
	if o.deadline.IsZero() {
		o.deadline = time.Now().Add(lockPatience)
	}
	return o.ctx.Err() == nil && time.Now().Before(o.deadline)
}

// retryLater has o wait for a while before it is tried again.
func (c *committer) retryLater(o *op) {
	c.timers.Go(func() {
		select {
		case <-time.After(lockPause):
		case <-o.ctx.Done():
			o.done <- o.ctx.Err()
			return
		case <-c.db.ended:
		}
		c.again(o)
	})
}

// again has an op carried out that could not be before.
func (c *committer) again(o *op) {
	lead, err := c.enqueue(o)
	if err != nil {
		o.done <- err
	} else if lead {
		go c.lead()
	}
}

func fail(ops []*op, err error) {
	for _, o := range ops {
		o.done <- err
	}
}
