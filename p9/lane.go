package p9

import (
	"slices"

	"github.com/datakit/datakit/vfs"
)

// A lane lets the requests of a fid through one at a time, in the order in which
// they arrived. fid.mu guards it.
type lane struct {
	holder *request
	queue  []*request
}

// enter waits until it is r's turn in the lane l of f, which lasts until
// leaveLane. A request must not enter a second lane. If r is cancelled
// meanwhile, the error is ErrInterrupted.
func (r *request) enter(f *fid, l *lane) error {
	if r.tryEnter(f, l) {
		return nil
	}
	r.MayWait()
	select {
	case <-r.turn:
		if r.Err() == nil {
			return nil
		}
	case <-r.Done():
		f.mu.Lock()
		if i := slices.Index(l.queue, r); i >= 0 {
			l.queue = slices.Delete(l.queue, i, i+1)
			r.f, r.lane = nil, nil
		}
		f.mu.Unlock()
	}
	return vfs.ErrInterrupted
}

// enterAnyway is enter for what happens even if it is cancelled.
func (r *request) enterAnyway(f *fid, l *lane) {
	if !r.tryEnter(f, l) {
		r.MayWait()
		<-r.turn
	}
}

// tryEnter enters l if nobody is there, and else takes a place in the queue.
func (r *request) tryEnter(f *fid, l *lane) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.f, r.lane = f, l
	if l.holder == nil {
		l.holder = r
		return true
	}
	r.turn = make(chan struct{})
	l.queue = append(l.queue, r)
	return false
}

// leaveLane ends r's turn, if it has one, and begins that of the next.
func (r *request) leaveLane() {
	l := r.lane
	if l == nil {
		return
	}
	r.f.mu.Lock()
	l.holder = nil
	if len(l.queue) > 0 {
		l.holder = l.queue[0]
		l.queue = slices.Delete(l.queue, 0, 1)
		close(l.holder.turn)
	}
	r.f.mu.Unlock()
	r.f, r.lane = nil, nil
}
