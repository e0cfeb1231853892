package p9

import (
	"context"
	"math"
	"sync/atomic"

	"github.com/datakit/datakit/vfs"
)

// A Fid is a client's handle of a file or directory of the server. It must be
// clunked or removed, once. Unless it says otherwise a method neither opens nor
// moves the fid.
type Fid struct {
	c       *Client
	num     uint32
	name    string // the last step of the path
	qid     atomic.Pointer[vfs.Qid]
	counted bool // towards Options.MaxFids; guarded by Client.mu
	ended   atomic.Bool
}

// OpenFlags say how a fid is opened. They can be combined, but only one of the
// first three is given.
type OpenFlags uint32

// The flags for Fid.Open and Fid.Create.
const (
	ReadOnly      OpenFlags = 0
	WriteOnly     OpenFlags = 1
	ReadWrite     OpenFlags = 2
	Truncate      OpenFlags = modeTrunc
	RemoveOnClose OpenFlags = modeRclose // not in 9P2000.L
	Append        OpenFlags = modeAppend // not in 9P2000, whose servers may ignore it
	Exclusive     OpenFlags = 1 << 8     // fail to create what exists
)

// linux returns the flags of open(2).
func (o OpenFlags) linux() uint32 {
	flags := uint32(o & modeAccess)
	for _, f := range []struct {
		o     OpenFlags
		linux uint32
	}{{Truncate, flagTrunc}, {Append, flagAppend}, {Exclusive, flagExcl}} {
		if o&f.o != 0 {
			flags |= f.linux
		}
	}
	return flags
}

// Name returns the last step of the path that led to the fid.
func (f *Fid) Name() string { return f.name }

// Qid returns the qid as of the last answer that had one.
func (f *Fid) Qid() vfs.Qid {
	if q := f.qid.Load(); q != nil {
		return *q
	}
	return vfs.Qid{}
}

// Keep says that the fid stays open for long, so that it does not count
// towards Options.MaxFids.
func (f *Fid) Keep() {
	f.c.mu.Lock()
	counted := f.counted
	f.counted = false
	f.c.mu.Unlock()
	if counted {
		f.c.slots.release()
	}
}

// request begins a request about f.
func (f *Fid) request(typ uint8) *call {
	c := newCall(typ)
	c.req = append32(c.req, f.num)
	return c
}

// do sends a request whose reply says nothing but that it was carried out.
func (f *Fid) do(ctx context.Context, c *call) error {
	if err := f.c.t.roundTrip(ctx, c, nil); err != nil {
		return err
	}
	c.free()
	return nil
}

// doQid sends a request whose reply begins with the qid of f.
func (f *Fid) doQid(ctx context.Context, c *call) error {
	if err := f.c.t.roundTrip(ctx, c, nil); err != nil {
		return err
	}
	return f.takeQid(c)
}

// takeQid sets the qid to that at the start of a reply, and frees the call.
func (f *Fid) takeQid(c *call) error {
	d := decoder{b: c.body}
	q := d.qid()
	if d.bad {
		return f.c.t.broken()
	}
	f.qid.Store(&q)
	c.free()
	return nil
}

// maxNames is the number of names that servers accept in one walk.
const maxNames = 16

// Walk returns a fid of what the names lead to, which may be "..". Without
// names that is what f is a fid of.
func (f *Fid) Walk(ctx context.Context, names ...string) (*Fid, error) {
	to, err := f.c.newFid(ctx)
	if err != nil {
		return nil, err
	}
	to.name = f.name
	to.qid.Store(f.qid.Load())
	n := f.c.walkable(names)
	if err := f.walk(ctx, to, names[:n]); err != nil {
		return nil, err
	}
	for names = names[n:]; len(names) > 0; names = names[n:] {
		n = f.c.walkable(names)
		if err := to.walk(ctx, to, names[:n]); err != nil {
			to.Release()
			return nil, err
		}
	}
	return to, nil
}

// walkable returns how many of names one message can carry.
func (c *Client) walkable(names []string) int {
	room := int(c.t.msize) - headerLen - 4 - 4 - 2
	n := 0
	for n < min(len(names), maxNames) && (n == 0 || room >= 2+len(names[n])) {
		room -= 2 + len(names[n])
		n++
	}
	return n
}

// walk makes to a fid of what the names lead to from f. If it fails, to is what
// it was before: if it is not f, nothing.
func (f *Fid) walk(ctx context.Context, to *Fid, names []string) error {
	q := f.walkCall(to, names)
	if err := f.c.t.roundTrip(ctx, q, f.afterWalk(to)); err != nil {
		return err
	}
	return f.walked(q, to, names)
}

func (f *Fid) walkCall(to *Fid, names []string) *call {
	q := f.request(twalk)
	q.req = append16(append32(q.req, to.num), uint16(len(names)))
	for _, name := range names {
		q.req = appendStr(q.req, name)
	}
	return q
}

// afterWalk returns what is to be done with to after a walk.
func (f *Fid) afterWalk(to *Fid) func(*call) {
	return func(q *call) {
		switch {
		case to == f:
		case q.err != nil || q.rtyp != twalk+1:
			f.c.forget(to)
		case q.abandoned: // but it has succeeded
			to.Release()
		}
	}
}

// walked takes the reply to a walk.
func (f *Fid) walked(q *call, to *Fid, names []string) error {
	d := decoder{b: q.body}
	n := int(d.u16())
	var qid vfs.Qid
	for range n {
		qid = d.qid()
	}
	switch {
	case !d.end() || n > len(names):
		return f.c.t.broken()
	case n < len(names): // then nothing was bound
		if to != f {
			f.c.forget(to)
		}
		return clientError(vfs.ErrNotExist)
	case n > 0:
		to.qid.Store(&qid)
		to.name = names[n-1]
	}
	q.free()
	return nil
}

// Release is Clunk without waiting for the server, and without telling of a
// failure. On a fid that was released it does nothing.
func (f *Fid) Release() {
	if !f.ended.Swap(true) {
		f.sendClunk()
	}
}

// sendClunk sends a Tclunk.
func (f *Fid) sendClunk() {
	q := f.request(tclunk)
	q.after = f.forgotten
	f.c.t.startLater(q)
}

// forgotten is called when the server knows the fid no more.
func (f *Fid) forgotten(*call) { f.c.forget(f) }

// Clunk releases the fid and closes what is open. It has done so even if it
// fails. If ctx is done it does not wait for the server.
func (f *Fid) Clunk(ctx context.Context) error {
	if f.ended.Swap(true) {
		return clientError(unknownFid(f.num))
	}
	q := f.request(tclunk)
	if err := f.c.t.patient(ctx, q, f.forgotten); err != nil {
		return err
	}
	q.free()
	return nil
}

// Close is Clunk without a context.
func (f *Fid) Close() error { return f.Clunk(context.Background()) }

// Remove removes what f is a fid of, a directory with all that is in it, and
// releases the fid in any case.
func (f *Fid) Remove(ctx context.Context) error {
	if f.ended.Swap(true) {
		return clientError(unknownFid(f.num))
	}
	q := f.request(tremove)
	return f.c.t.roundTrip(ctx, q, func(q *call) {
		if q.err != nil && q.rtyp == 0 { // not answered: the fid may be there or not
			f.sendClunk()
			return
		}
		f.c.forget(f)
	})
}

// Open opens the fid.
func (f *Fid) Open(ctx context.Context, flags OpenFlags) error {
	if f.c.t.dialect == DotL && flags&RemoveOnClose != 0 {
		return clientError(errNoXattr)
	}
	return f.doQid(ctx, f.openCall(flags))
}

func (f *Fid) openCall(flags OpenFlags) *call {
	if f.c.t.dialect == DotL {
		q := f.request(tlopen)
		q.req = append32(q.req, flags.linux())
		return q
	}
	q := f.request(topen)
	q.req = append(q.req, byte(flags))
	return q
}

// Truncate sets the length.
func (f *Fid) Truncate(ctx context.Context, size int64) error {
	length := uint64(size)
	if f.c.t.dialect == DotL {
		return f.do(ctx, f.setattr(setSize, 0, length))
	}
	return f.wstat(ctx, &change{length: &length})
}

// Chmod sets the mode. Only 9P2000.u can make a symlink of a file.
func (f *Fid) Chmod(ctx context.Context, mode vfs.Mode) error {
	st := vfs.Stat{Perm: mode.Perm & 0o777}
	switch {
	case mode.Dir:
		st.Qid.Kind = vfs.KindDir
	case mode.Symlink:
		st.Qid.Kind = vfs.KindSymlink
	}
	if f.c.t.dialect == DotL {
		return f.do(ctx, f.setattr(setMode, linuxMode(&st), 0))
	}
	bits := dmMode(&st)
	return f.wstat(ctx, &change{mode: &bits, target: mode.Target})
}

func (f *Fid) wstat(ctx context.Context, c *change) error {
	q := f.request(twstat)
	q.req = append16(q.req, 0)
	at := len(q.req)
	q.req = appendChange(q.req, c, f.c.t.dialect)
	n := len(q.req) - at
	if n > math.MaxUint16 {
		return clientError(vfs.ErrNameTooLong)
	}
	q.req[at-2], q.req[at-1] = byte(n), byte(n>>8)
	return f.do(ctx, q)
}

// setattr makes a Tsetattr.
func (f *Fid) setattr(valid, mode uint32, size uint64) *call {
	q := f.request(tsetattr)
	q.req = append32(append32(q.req, valid), mode)
	q.req = append64(q.req, 0) // owner and group
	q.req = append64(q.req, size)
	for range 4 { // times
		q.req = append64(q.req, 0)
	}
	return q
}
