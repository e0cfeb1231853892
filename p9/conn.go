package p9

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"
)

// flushSize is how much of replies is collected at most before it is written.
const flushSize = 32 << 10

// hangUpPause is how often the server looks whether a client from which it may
// not read is still there.
const hangUpPause = time.Second

// readAheadSize is how much is read at most while nothing can be carried out.
const readAheadSize = 64 << 10

// A conn is a connection as the server has it.
//
// One goroutine at a time leads: it reads requests and carries them out. If one
// is about to wait, it is detached: its goroutine keeps it, and leadership goes
// to a new goroutine. So there are as many goroutines as there are detached
// requests, and one more.
type conn struct {
	srv  *Server
	base context.Context // for its values only
	nc   net.Conn
	done chan struct{} // closed when no goroutine is left

	// These belong to the leader.
	in      input
	out     *buffer  // replies to be written; nil if there are none
	idle    *request // to be used for the next request
	session *session // nil before a version is agreed on
	alone   bool     // no request was detached when the last one was read

	// wmu is held to write to nc. It is taken before mu.
	wmu sync.Mutex

	// mu guards what follows.
	mu       sync.Mutex
	settled  sync.Cond           // told when a detached request has finished
	active   int                 // goroutines
	working  int                 // detached requests but waiting ones
	waiting  int                 // detached reads of waiting files
	stalled  bool                // the leader waits, as there are too many of these
	draining bool                // no request is read any more
	ended    bool                // all requests are cancelled
	tags     map[uint16]*request // the detached requests
	watched  *request            // the request of the leader, if its Done is in use
}

func newConn(s *Server, ctx context.Context, nc net.Conn) *conn {
	c := &conn{
		srv:    s,
		base:   ctx,
		nc:     nc,
		done:   make(chan struct{}),
		in:     newInput(nc),
		active: 1,
		tags:   make(map[uint16]*request),
	}
	c.settled.L = &c.mu
	return c
}

// lead reads requests and carries them out until the connection ends or another
// goroutine leads.
func (c *conn) lead() {
	defer c.leave()
	defer c.guard("in the server", func() { c.nc.Close(); c.end() })
	for c.mayRead() {
		frame, err := c.next()
		if err != nil {
			c.end()
			break
		}
		r := c.idle
		if r == nil {
			r = &request{c: c}
		}
		c.idle = nil
		r.serve(frame)
		if r.detached.Load() {
			return
		}
	}
	c.flush()
}

// next returns the next request. It writes the replies that are ready before
// it waits for more.
func (c *conn) next() ([]byte, error) {
	for {
		frame, err := c.in.frame(c.limit())
		if frame != nil || err != nil {
			return frame, err
		}
		c.flush()
		if err := c.in.fill(); err != nil {
			return nil, err
		}
	}
}

// limit returns the size of the largest message that the client may send.
func (c *conn) limit() uint32 {
	if c.session == nil {
		return c.srv.maxMsize()
	}
	return c.session.msize
}

// flush writes the replies that the leader has collected.
func (c *conn) flush() {
	if c.out == nil {
		return
	}
	if len(c.out.b) > 0 {
		c.wmu.Lock()
		c.write(c.out.b)
		c.wmu.Unlock()
	}
	c.out.free()
	c.out = nil
}

// write writes b. If it cannot, the connection ends. wmu is held.
func (c *conn) write(b []byte) {
	if _, err := c.nc.Write(b); err != nil {
		c.nc.Close()
	}
}

// mayRead reports whether another request is to be carried out. It waits as long
// as there are too many.
func (c *conn) mayRead() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.crowded() && !c.draining && !c.ended {
		c.resume()
		c.stalled = true
		c.mu.Unlock()
		c.flush()
		c.readAhead()
		c.mu.Lock()
	}
	c.resume()
	c.alone = len(c.tags) == 0
	return !c.draining && !c.ended
}

// resume takes back what settle does to wake the leader. mu is held.
func (c *conn) resume() {
	if c.stalled && !c.draining {
		c.nc.SetReadDeadline(time.Time{})
	}
	c.stalled = false
}

// readAhead waits until something has changed about that. So that it
// notices meanwhile that the client has gone, it reads, but no more than a
// limited amount.
func (c *conn) readAhead() {
	if c.in.buffered() >= readAheadSize {
		c.awaitRoom()
		return
	}
	if err := c.in.fill(); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.end()
	}
}

// awaitRoom waits until there are not too many requests any more, or the client
// has gone, for which it looks from time to time, as it may not read.
func (c *conn) awaitRoom() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.crowded() && !c.draining && !c.ended {
		look := time.AfterFunc(hangUpPause, c.settled.Broadcast)
		c.settled.Wait()
		look.Stop()
		if !c.draining && !c.ended && hungUp(c.nc) {
			c.cancelAll()
		}
	}
}

// settle tells those who wait for it that a detached request has finished. mu is
// held.
func (c *conn) settle(r *request) {
	*c.count(r)--
	c.settled.Broadcast()
	if c.stalled {
		c.nc.SetReadDeadline(time.Unix(1, 0)) // wakes the leader
	}
}

// crowded reports whether there are as many detached requests as there may be,
// not counting those that wait. mu is held.
func (c *conn) crowded() bool { return c.working >= or(c.srv.MaxRequests, DefaultMaxRequests) }

// leave ends a goroutine.
func (c *conn) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.active--; c.active == 0 {
		close(c.done)
	}
}

// detach gives the lead to a new goroutine and leaves r to its own. If r is to
// wait, and as many do as may, it is cancelled instead.
func (c *conn) detach(r *request) {
	c.mu.Lock()
	if r.detached.Load() {
		c.mu.Unlock()
		return
	}
	if r.waits && c.waiting >= or(c.srv.MaxWaiting, DefaultMaxWaiting) {
		r.refused = true
		r.cancel()
		c.mu.Unlock()
		return
	}
	r.detached.Store(true)
	c.tags[r.tag] = r
	if c.watched == r {
		c.watched = nil
	}
	*c.count(r)++
	c.active++
	switch {
	case c.ended:
		r.cancel()
	case c.draining:
		r.drain()
	}
	c.mu.Unlock()
	r.keepBuffers()
	go c.lead()
}

// count returns the number that r belongs to. mu is held.
func (c *conn) count(r *request) *int {
	if r.waits {
		return &c.waiting
	}
	return &c.working
}

// inUse reports whether tag belongs to a detached request. Only the leader
// calls it.
func (c *conn) inUse(tag uint16) bool {
	if c.alone {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tags[tag] != nil
}

// end cancels all requests, as the client has gone.
func (c *conn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining {
		return
	}
	c.cancelAll()
	c.settled.Broadcast()
}

// cancelAll cancels all requests for good. mu is held.
func (c *conn) cancelAll() {
	c.ended = true
	if c.watched != nil {
		c.watched.cancel()
	}
	for _, r := range c.tags {
		r.cancel()
	}
}

// drain ends the connection from the side of the server: at once for what
// waits, and after grace for everything else.
func (c *conn) drain(grace time.Duration) {
	c.mu.Lock()
	c.draining = true
	if c.watched != nil {
		c.watched.drain()
	}
	for _, r := range c.tags {
		r.drain()
	}
	c.settled.Broadcast()
	c.mu.Unlock()
	c.nc.SetReadDeadline(time.Unix(1, 0))
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-c.done:
		return
	case <-timer.C:
	}
	c.mu.Lock()
	c.cancelAll()
	c.mu.Unlock()
	c.nc.Close()
	<-c.done
}

// reset abandons all detached requests and waits until they have ended. Only
// the leader calls it.
func (c *conn) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.tags {
		r.abandoned = true
		r.cancel()
	}
	for len(c.tags) > 0 {
		c.settled.Wait()
	}
}

// endSession closes all files of the session and releases its tree. No request
// is being carried out.
func (c *conn) endSession() {
	s := c.session
	c.session = nil
	if s == nil {
		return
	}
	for _, f := range s.fids {
		c.call(f.handle.closeFile)
	}
	c.srv.fids.Add(-int64(len(s.fids)))
	if s.release != nil {
		c.call(s.release)
	}
}

// call calls fn, which may panic.
func (c *conn) call(fn func()) {
	defer c.guard("at the end of a session", func() {})
	fn()
}

// guard, deferred, ends a panic: it is logged, and then calls then.
func (c *conn) guard(where string, then func()) {
	if p := recover(); p != nil {
		c.srv.log().Error("panic "+where, "error", p, "stack", string(debug.Stack()))
		then()
	}
}
