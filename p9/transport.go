package p9

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// maxCalls is the number of requests that can wait at a time: there is a tag
// for each.
const maxCalls = noTag

// writePatience is how long a goroutine waits at least for a server that does
// not read before it leaves the writing to one that nobody waits for.
const writePatience = 100 * time.Millisecond

// A transport matches requests and replies. Requests are written by the
// goroutines that make them: one of them writes at a time, and what others
// want to send meanwhile it sends with its next write. Replies are read by one
// goroutine.
type transport struct {
	nc      io.ReadWriteCloser
	msize   uint32
	dialect Dialect
	wg      sync.WaitGroup // of all goroutines
	tags    slots          // one for each tag in use
	lost    chan struct{}  // closed when the connection has ended

	wmu      sync.Mutex
	writing  bool      // somebody is, and will take what is in queue
	queue    []byte    // to be written
	spare    []byte    // for the next queue
	deadline time.Time // for the present and coming writes

	mu    sync.Mutex // guards what follows
	calls []*call    // by tag
	free  []uint16   // tags below len(calls) that are not in use
	err   error      // why the connection has ended
}

func newTransport(nc io.ReadWriteCloser, msize uint32) *transport {
	return &transport{
		nc:    nc,
		msize: msize,
		tags:  make(slots, maxCalls),
		lost:  make(chan struct{}),
	}
}

// A call is a request that waits for its reply.
type call struct {
	req  []byte // the request, but for the payload
	typ  uint8
	tag  uint16
	dst  []byte // where the data of an Rread goes
	done chan struct{}

	rtyp uint8
	body []byte // the reply; of Rread the data is in dst
	n    int    // length of that data
	err  error  // why there is no reply

	// after, if not nil, is called when there is a reply or there will be
	// none. It must not wait.
	after func(c *call)

	// transport.mu guards what follows.
	abandoned bool  // nobody waits but after
	answered  bool  // abandoned, and after has been called
	flushes   *call // of a Tflush: the call that it is for
}

var callPool = sync.Pool{New: func() any { return &call{done: make(chan struct{}, 1)} }}

// newCall begins a request. The fields are to be appended to req.
func newCall(typ uint8) *call {
	c := callPool.Get().(*call)
	c.typ = typ
	c.req = appendHeader(c.req[:0], typ, 0)
	return c
}

// free gives back a call that is complete.
func (c *call) free() {
	if c.abandoned || c.after != nil {
		return
	}
	*c = call{req: c.req[:0], body: c.body[:0], done: c.done}
	callPool.Put(c)
}

// roundTrip sends a request and waits for the reply. If ctx is done before,
// the request is flushed and the error is that of ctx; after is then called
// when the server has said what became of the request. c must be freed only
// if there is no error.
func (t *transport) roundTrip(ctx context.Context, c *call, after func(*call)) error {
	err := ctx.Err()
	if err == nil {
		err = t.start(ctx, c, nil)
	}
	if err != nil {
		if after != nil {
			c.err = err
			after(c)
		}
		return err
	}
	return t.wait(ctx, c, after)
}

// start sends a request.
func (t *transport) start(ctx context.Context, c *call, payload []byte) error {
	if len(c.req)+len(payload) > int(t.msize) {
		return clientError(errMsize)
	}
	if err := t.take(ctx, t.tags); err != nil {
		return err
	}
	if err := t.register(c); err != nil {
		return err
	}
	t.send(c, payload, false)
	return nil
}

// slots limit how many of something there are. Each takes one.
type slots chan struct{}

func (s slots) release() { <-s }

// try takes a slot if there is a free one.
func (s slots) try() bool {
	select {
	case s <- struct{}{}:
		return true
	default:
		return false
	}
}

// take waits for a free slot.
func (t *transport) take(ctx context.Context, s slots) error {
	if s.try() {
		return nil
	}
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-t.lost:
		return t.failure()
	}
}

// register gives c a tag. The tag must have been acquired.
func (t *transport) register(c *call) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return t.err
	}
	if n := len(t.free); n > 0 {
		c.tag, t.free = t.free[n-1], t.free[:n-1]
	} else {
		c.tag = uint16(len(t.calls))
		t.calls = append(t.calls, nil)
	}
	t.calls[c.tag] = c
	return nil
}

// release gives back the tag of c. mu is held.
func (t *transport) release(c *call) {
	t.calls[c.tag] = nil
	t.free = append(t.free, c.tag)
	t.tags.release()
}

// patient is roundTrip for a request that is carried out even if ctx is done:
// it is not flushed, but not waited for either.
func (t *transport) patient(ctx context.Context, c *call, after func(*call)) error {
	if err := t.start(context.Background(), c, nil); err != nil {
		c.err = err
		after(c)
		return err
	}
	return t.waitPatiently(ctx, c, after)
}

// waitPatiently waits for the reply to c as long as ctx is not done.
func (t *transport) waitPatiently(ctx context.Context, c *call, after func(*call)) error {
	select {
	case <-c.done:
	case <-ctx.Done():
		if t.leave(c, after) {
			return ctx.Err()
		}
		<-c.done
	}
	return t.complete(c, after)
}

// leave lets after be called for the reply to c, unless it is there already.
func (t *transport) leave(c *call, after func(*call)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil || t.calls[c.tag] != c {
		return false
	}
	c.after = after
	return true
}

// wait waits for the reply to c.
func (t *transport) wait(ctx context.Context, c *call, after func(*call)) error {
	if done := ctx.Done(); done == nil {
		<-c.done
	} else {
		select {
		case <-c.done:
		case <-done:
			if t.abandon(c, after) {
				return ctx.Err()
			}
			<-c.done
		}
	}
	return t.complete(c, after)
}

// complete takes the reply to a call, as soon as there is one.
func (t *transport) complete(c *call, after func(*call)) error {
	if c.err == nil {
		c.err = t.check(c)
	}
	if after != nil {
		after(c)
	}
	return c.err
}

// check returns the error that the reply to c is, or nil.
func (t *transport) check(c *call) error {
	switch c.rtyp {
	case c.typ + 1:
		return nil
	case rerror, rlerror:
		if e, ok := newError(c.rtyp, c.body, t.dialect); ok {
			return e
		}
	}
	return t.broken()
}

// broken ends the connection, as the server has broken the rules.
func (t *transport) broken() error {
	t.fail(errors.New("the server sent a malformed message"))
	return t.failure()
}

// failure returns why the connection has ended.
func (t *transport) failure() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// abandon flushes c, unless the reply is there already. The tag stays in use
// until the server has answered the Tflush.
func (t *transport) abandon(c *call, after func(*call)) bool {
	t.mu.Lock()
	if t.err != nil || t.calls[c.tag] != c {
		t.mu.Unlock()
		return false
	}
	c.abandoned, c.after, c.dst = true, after, nil
	t.mu.Unlock()
	f := newCall(tflush)
	f.req = append16(f.req, c.tag)
	f.flushes = c
	f.after = func(*call) {}
	t.startLater(f)
	return true
}

// startLater sends a request without waiting for anything. after is called in
// any case.
func (t *transport) startLater(c *call) {
	if t.tags.try() {
		t.startNow(c)
		return
	}
	started := t.spawn(func() {
		t.take(context.Background(), t.tags) // if it fails, so does what follows
		t.startNow(c)
	})
	if !started {
		c.err = t.failure()
		c.after(c)
	}
}

// startNow is startLater when a tag has been acquired.
func (t *transport) startNow(c *call) {
	if err := t.register(c); err != nil {
		c.err = err
		c.after(c)
		return
	}
	t.send(c, nil, true)
}

// spawn starts a goroutine unless the connection has ended.
func (t *transport) spawn(fn func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return false
	}
	t.wg.Go(fn)
	return true
}

// send writes a request, or leaves it to the goroutine that is writing. If
// later, it does not wait for the write.
func (t *transport) send(c *call, payload []byte, later bool) {
	b := c.req
	binary.LittleEndian.PutUint32(b, uint32(len(b)+len(payload)))
	binary.LittleEndian.PutUint16(b[5:], c.tag)
	t.wmu.Lock()
	t.queue = append(append(t.queue, b...), payload...)
	if t.writing {
		t.wmu.Unlock()
		return
	}
	t.writing = true
	t.wmu.Unlock()
	if later {
		t.writeLater(nil)
	} else {
		t.writeQueue(nil, true)
	}
}

// writeLater leaves the writing to another goroutine, unless there is nothing
// to write to any more.
func (t *transport) writeLater(rest []byte) {
	t.spawn(func() { t.writeQueue(rest, false) })
}

// writeQueue writes rest and then the queue until there is nothing left. If it
// is to be patient no longer than writePatience, another goroutine then does
// the rest.
func (t *transport) writeQueue(rest []byte, impatient bool) {
	for {
		if len(rest) > 0 {
			n, err := t.write(rest, impatient)
			switch {
			case err == nil:
			case impatient && errors.Is(err, os.ErrDeadlineExceeded):
				t.writeLater(rest[n:])
				return
			default:
				t.fail(err)
				return
			}
		}
		t.wmu.Lock()
		if len(t.queue) == 0 {
			t.writing = false
			t.wmu.Unlock()
			return
		}
		rest, t.queue = t.queue, t.spare[:0]
		t.spare = rest
		t.wmu.Unlock()
	}
}

// write writes b. Only the goroutine that set writing calls it.
func (t *transport) write(b []byte, impatient bool) (int, error) {
	if d, ok := t.nc.(interface{ SetWriteDeadline(time.Time) error }); ok {
		now := time.Now()
		switch {
		case !impatient && !t.deadline.IsZero():
			t.deadline = time.Time{}
			d.SetWriteDeadline(t.deadline)
		case impatient && t.deadline.Sub(now) < writePatience:
			t.deadline = now.Add(2 * writePatience)
			d.SetWriteDeadline(t.deadline)
		}
	}
	return t.nc.Write(b)
}

// read reads replies until the connection ends.
func (t *transport) read() {
	in := newInput(t.nc)
	for {
		frame, err := in.frame(t.msize)
		if err == nil && frame == nil {
			if err = in.fill(); err == nil {
				continue
			}
		}
		if err == nil {
			err = t.deliver(frame)
		}
		if err != nil {
			t.fail(err)
			return
		}
	}
}

// deliver gives a reply to the call that waits for it.
func (t *transport) deliver(frame []byte) error {
	tag := binary.LittleEndian.Uint16(frame[5:])
	t.mu.Lock()
	if int(tag) >= len(t.calls) || t.calls[tag] == nil || t.calls[tag].answered {
		t.mu.Unlock()
		return fmt.Errorf("reply with the tag %d that no request has", tag)
	}
	c := t.calls[tag]
	flushed := c.flushes
	switch {
	case c.abandoned:
		c.answered = true
	default:
		t.release(c)
	}
	if flushed != nil {
		t.release(flushed)
	}
	t.mu.Unlock()
	if flushed != nil && !flushed.answered {
		flushed.finish(context.Canceled)
	}
	return c.receive(frame)
}

// receive takes the reply out of frame.
func (c *call) receive(frame []byte) error {
	c.rtyp = frame[4]
	body := frame[headerLen:]
	if c.typ == tread && c.rtyp == tread+1 && !c.abandoned {
		d := decoder{b: body}
		data := d.data()
		if !d.end() || len(data) > len(c.dst) {
			c.finish(ErrConnection)
			return errors.New("malformed Rread")
		}
		c.n = copy(c.dst, data)
	} else {
		c.body = append(c.body[:0], body...)
	}
	c.finish(nil)
	return nil
}

// finish ends the waiting for c.
func (c *call) finish(err error) {
	c.err = err
	if c.after != nil {
		c.after(c)
	}
	if !c.abandoned {
		c.done <- struct{}{}
	}
}

// fail ends the connection and all calls. Only the first error counts.
func (t *transport) fail(err error) {
	t.mu.Lock()
	if t.err != nil {
		t.mu.Unlock()
		return
	}
	t.err = fmt.Errorf("%w: %w", ErrConnection, err)
	calls := t.calls
	t.calls, t.free = nil, nil
	err = t.err
	close(t.lost)
	t.mu.Unlock()
	t.nc.Close()
	for _, c := range calls {
		if c != nil && !c.answered {
			c.finish(err)
		}
	}
}
