package p9

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/datakit/datakit/vfs"
)

// A request is being carried out. It is also the context of the calls that this
// takes: one that costs nothing until somebody waits for its end.
//
// As long as a request is not detached it belongs to the leader, shares its
// buffers, and is used again for the next one. A detached request has what it
// needs for itself.
type request struct {
	message
	c   *conn
	s   *session
	dec decoder

	out   *buffer // the reply is out.b[start:]
	start int
	taken bool    // the call at hand writes into out
	frame *buffer // holds data once detached; nil if nothing needs it
	small [128]byte
	qids  []vfs.Qid

	pinned   bool // must not be detached
	silent   bool // somebody else sends the answer
	detached atomic.Bool
	waits    bool // is the read of a waiting file
	refused  bool // should wait, and may not, as too many do

	f    *fid // in whose lane the request is
	lane *lane
	turn chan struct{} // closed when a lane that was in use is free

	// conn.mu guards what follows.
	ended     chan struct{} // what Done returns; made when first asked for
	err       error         // why the request is cancelled
	flushes   []uint16      // Tflushes to be answered after the request
	abandoned bool          // no answer is wanted
	drained   bool          // is cancelled as the server ends
}

var _ context.Context = (*request)(nil)

// Deadline returns that there is none.
func (r *request) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done returns a channel that is closed when the request is flushed, its fid
// clunked or its connection ended.
func (r *request) Done() <-chan struct{} {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if r.ended == nil {
		r.ended = make(chan struct{})
		if r.err != nil {
			close(r.ended)
		} else if r.c.ended {
			r.cancel()
		}
		if !r.detached.Load() {
			r.c.watched = r
		}
	}
	return r.ended
}

// Err returns why the request has been cancelled, or nil if it has not.
func (r *request) Err() error {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if r.c.ended {
		return context.Canceled
	}
	return r.err
}

// Value returns the values of the context of the connection, and what contexts
// derived from this one need for vfs.MayWait.
func (r *request) Value(key any) any {
	return vfs.WithWait(r.c.base, r.MayWait).Value(key)
}

// MayWait detaches the request. It is what vfs.MayWait calls.
func (r *request) MayWait() {
	if !r.pinned && !r.detached.Load() {
		r.c.detach(r)
	}
}

// cancel ends the context. conn.mu is held.
func (r *request) cancel() {
	if r.err != nil {
		return
	}
	r.err = context.Canceled
	if r.ended != nil {
		close(r.ended)
	}
}

// drain cancels a request that only reads, as the server ends. To its client
// that is the end of the connection, and no failure of the read. conn.mu is
// held.
func (r *request) drain() {
	if r.reads() && r.err == nil {
		r.drained = true
		r.cancel()
	}
}

// endsUnanswered reports whether the end of the server is why the request has
// failed.
func (r *request) endsUnanswered(err error) bool {
	if err == nil || !r.reads() {
		return false
	}
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.drained
}

// reads reports whether all that the request does is to read.
func (r *request) reads() bool { return r.typ == tread || r.typ == treaddir }

// serve carries out the request in frame and sees to its reply.
func (r *request) serve(frame []byte) {
	r.begin(frame)
	err := r.run(frame[headerLen:])
	r.leaveLane()
	if !r.detached.Load() {
		r.finish(err)
		return
	}
	r.finishDetached(err)
}

// begin prepares r for the request in frame.
func (r *request) begin(frame []byte) {
	c := r.c
	names := r.names[:0]
	r.message = message{
		typ:   frame[4],
		tag:   binary.LittleEndian.Uint16(frame[5:]),
		names: names,
	}
	r.s = c.session
	r.taken, r.waits, r.refused, r.silent = false, false, false, false
	r.pinned = r.typ == tversion
	if c.out == nil {
		c.out = newBuffer(flushSize)
	}
	r.out, r.start = c.out, len(c.out.b)
}

// run carries out the request. Its reply is then in r.out, unless it failed.
func (r *request) run(body []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	switch {
	case r.typ == tversion:
	case r.c.inUse(r.tag):
		return errTagInUse
	case r.s == nil:
		return errNoVersion
	}
	r.dec = decoder{b: body, dialect: r.dialect()}
	if err := r.decode(&r.dec); err != nil {
		return err
	}
	return r.handle()
}

// dialect returns the dialect that the request is in.
func (r *request) dialect() Dialect {
	if r.s == nil {
		return Plain
	}
	return r.s.dialect
}

// finish completes the reply of a request that was carried out by the leader,
// who sends it.
func (r *request) finish(err error) {
	c := r.c
	if r.refused && err != nil {
		err = errManyWaiting
	}
	switch {
	case r.endsUnanswered(err):
		r.out.b = r.out.b[:r.start]
	case !r.silent || err != nil:
		r.complete(err)
	}
	if !r.watchedBySomebody() && !r.refused { // else r stays what it is for those who hold it
		c.idle = r
	}
	if len(c.out.b) >= flushSize {
		c.flush()
	}
}

// watchedBySomebody reports whether somebody may still ask for the end of the
// request.
func (r *request) watchedBySomebody() bool {
	if r.ended == nil {
		return false
	}
	r.c.mu.Lock()
	r.c.watched = nil
	r.c.mu.Unlock()
	return true
}

// finishDetached sends the reply of a detached request. From then on the tag is
// free.
func (r *request) finishDetached(err error) {
	c := r.c
	defer func() { // even if the reply cannot be made
		r.freeBuffers()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.settle(r)
	}()
	c.wmu.Lock()
	defer c.wmu.Unlock()
	silent, flushes := r.untag(err)
	if silent {
		r.logInternal(err)
		r.out.b = r.out.b[:r.start]
	} else {
		r.complete(err)
	}
	for _, tag := range flushes {
		r.out.b = appendFlushed(r.out.b, tag)
	}
	if b := r.out.b[r.start:]; len(b) > 0 {
		c.write(b)
	}
}

// untag frees the tag of a detached request. It returns whether nobody wants its
// reply, and which Tflushes wait for that.
func (r *request) untag(err error) (silent bool, flushes []uint16) {
	c := r.c
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.tags, r.tag)
	if r.abandoned {
		return true, nil
	}
	return c.ended || (r.drained || len(r.flushes) > 0) && err != nil, r.flushes
}

// appendFlushed appends an Rflush.
func appendFlushed(b []byte, tag uint16) []byte {
	start := len(b)
	b = appendHeader(b, tflush+1, tag)
	seal(b[start:])
	return b
}

// complete makes the reply out of what run has left.
func (r *request) complete(err error) {
	if err != nil {
		r.logInternal(err)
		r.fail(err)
	}
	seal(r.out.b[r.start:])
}

// logInternal logs what only the server is to know.
func (r *request) logInternal(err error) {
	if err == nil {
		return
	}
	if _, internal := vfs.Reply(err); internal {
		r.c.srv.log().Error("request failed", "type", r.typ, "fid", r.fid, "error", err)
	}
}

// fail makes the reply an error.
func (r *request) fail(err error) {
	e, _ := vfs.Reply(err)
	b := r.out.b[:r.start]
	d := r.errorDialect()
	if d == DotL {
		b = appendHeader(b, rlerror, r.tag)
		r.out.b = append32(b, e.Errno)
		return
	}
	b = appendHeader(b, rerror, r.tag)
	text := oneLine(e.Text)
	if room := int(r.maxReply()) - headerLen - 2 - 4; len(text) > room {
		text = text[:room]
	}
	b = appendStr(b, text)
	if d == DotU {
		b = append32(b, e.Errno)
	}
	r.out.b = b
}

// errorDialect returns the dialect of an error reply. When a Tversion has ended
// the session that is the one it proposed, in which a client expects an answer.
func (r *request) errorDialect() Dialect {
	if r.typ == tversion && r.s == nil {
		d, _ := parseVersion(r.name)
		return d
	}
	return r.dialect()
}

// maxReply returns the size of the largest reply.
func (r *request) maxReply() uint32 {
	if r.s == nil {
		return minMessage
	}
	return r.s.msize
}

// reply begins the reply. What is appended to the result and put back into
// out.b follows.
func (r *request) reply() []byte {
	return appendHeader(r.out.b[:r.start], r.typ+1, r.tag)
}

// reserve returns room for n bytes of an Rread or Rreaddir. The call that fills
// it may detach the request; putRead completes the reply.
func (r *request) reserve(n int) []byte {
	need := readHeader + n
	if cap(r.out.b)-r.start < need {
		r.makeRoom(need)
	}
	r.taken = true
	at := r.start + readHeader
	return r.out.b[at : at+n : at+n]
}

// makeRoom gives the reply a buffer that has room for n bytes. The leader gets
// rid of what is before the reply.
func (r *request) makeRoom(n int) {
	if !r.detached.Load() {
		r.out.b = r.out.b[:r.start]
		r.c.flush()
		r.c.out = newBuffer(n)
		r.out = r.c.out
	} else {
		r.out.free()
		r.out = newBuffer(n)
	}
	r.start = 0
}

// putRead completes the reply of a read that put n bytes where reserve said.
func (r *request) putRead(n int) {
	at := r.start
	r.out.b = r.out.b[:at+readHeader+n]
	r.reply()
	binary.LittleEndian.PutUint32(r.out.b[at+headerLen:], uint32(n))
}

// keepBuffers separates a request that is being detached from the buffers of
// the leader: it takes with it those that a call is using.
func (r *request) keepBuffers() {
	c := r.c
	if r.taken {
		c.out = newBuffer(flushSize)
		c.out.b = append(c.out.b, r.out.b[:r.start]...)
	} else {
		r.out.b = r.out.b[:r.start]
		r.out, r.start = newBuffer(minBuffer), 0
	}
	if len(r.data) > 0 {
		r.frame = c.in.detach(inputSize)
	}
}

// freeBuffers gives back what keepBuffers took.
func (r *request) freeBuffers() {
	r.out.free()
	if r.frame != nil {
		r.frame.free()
	}
}

// oneLine returns text without line ends and at most vfs.MaxErrorText bytes of
// it.
func oneLine(text string) string {
	for i := range len(text) {
		if text[i] == '\n' || text[i] == '\r' || i == vfs.MaxErrorText {
			return vfs.Errorf(0, "%s", text).Text
		}
	}
	return text
}
