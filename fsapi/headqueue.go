package fsapi

import (
	"context"
	"sync"

	"github.com/datakit/datakit"
)

// maxHeads is how many heads wait at most for a reader of a remote's head.
const maxHeads = 10_000

// A headQueue is a Watch of the heads that were fetched from a remote.
type headQueue struct {
	leave func(*headQueue) // makes the remote forget the queue
	wake  chan struct{}    // has an element if Next should look again
	done  chan struct{}    // closed by end
	once  sync.Once

	mu    sync.Mutex // guards the fields below
	heads []datakit.Hash
	lost  bool // there were more than maxHeads
}

var _ datakit.Watch[datakit.Hash] = (*headQueue)(nil)

func newHeadQueue(leave func(*headQueue)) *headQueue {
	return &headQueue{leave: leave, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

func (q *headQueue) push(head datakit.Hash) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.heads) == maxHeads {
		q.lost = true
	} else {
		q.heads = append(q.heads, head)
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// pop returns the next head, if there is one.
func (q *headQueue) pop() (head datakit.Hash, ok bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.lost:
		return head, false, datakit.Overflow
	case len(q.heads) == 0:
		return head, false, nil
	}
	head = q.heads[0]
	q.heads = q.heads[1:]
	return head, true, nil
}

// Next implements datakit.Watch.
func (q *headQueue) Next(ctx context.Context) (datakit.Hash, error) {
	for {
		if head, ok, err := q.pop(); ok || err != nil {
			return head, err
		}
		select {
		case <-q.wake:
		case <-q.done:
			return datakit.Hash{}, datakit.Closed
		case <-ctx.Done():
			return datakit.Hash{}, ctx.Err()
		}
	}
}

// Close implements datakit.Watch.
func (q *headQueue) Close() error {
	q.leave(q)
	q.end()
	return nil
}

// end ends waiting calls of Next.
func (q *headQueue) end() { q.once.Do(func() { close(q.done) }) }
