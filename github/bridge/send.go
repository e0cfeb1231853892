package bridge

import (
	"context"
	"slices"
	"time"

	"github.com/datakit/datakit/github"
)

// queue adds a value to what is to be sent, unless GitHub has refused it
// already or it is not due to be tried again.
func (y *syncer) queue(r *resolution, refused bool, s sending) {
	p := y.s.sends[s.id]
	waits := p != nil && (p.goesOn || sameSendable(p.b, s.b) && (y.tried[s.id] || !y.due(&p.retry)))
	if refused || waits {
		r.protect[s.id] = true
		return
	}
	r.sends = append(r.sends, s)
}

// send tells GitHub what the branch says, kind by kind, and within a kind
// several at once (GH-131). Each element is there once at most.
func (y *syncer) send(ctx context.Context, r *resolution) {
	slices.SortStableFunc(r.sends, func(a, b sending) int { return int(a.write.kind() - b.write.kind()) })
	for rest := r.sends; len(rest) > 0; {
		kind := rest[0].write.kind()
		n := slices.IndexFunc(rest, func(s sending) bool { return s.write.kind() != kind })
		if n < 0 {
			n = len(rest)
		}
		calls := newPool()
		for _, s := range rest[:n] {
			calls.add(func() { y.sendOne(ctx, r, s) })
		}
		calls.run(y.Jobs)
		rest = rest[n:]
	}
}

func (y *syncer) sendOne(ctx context.Context, r *resolution, s sending) {
	y.mu.Lock()
	var again *retry
	if p := y.s.sends[s.id]; p != nil {
		again = &p.retry
	}
	y.mu.Unlock()
	var serial int64
	send := func(ctx context.Context) (err error) {
		serial, err = y.call(ctx, s.write)
		return err
	}
	late := func(err error, _ time.Duration) { y.sentLate(s, serial, err) }
	err := y.await(ctx, group{s.id.Repository(), callSend}, again, send, late)
	y.mu.Lock()
	defer y.mu.Unlock()
	y.tried[s.id] = true
	switch {
	case err == nil:
		y.sent(s, serial)
		r.a = set(r.a, s.id, s.sent)
	case github.Refused(err):
		r.protect[s.id] = true
		y.refuse(s.id, s.b, s.g, why(err))
	default:
		r.protect[s.id] = true
		y.postpone(s, err)
	}
}

// call makes the call that w stands for. In a dry run it is only noted.
func (y *syncer) call(ctx context.Context, w Write) (serial int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err // no new calls: the bridge stops
	}
	if y.plan != nil {
		y.mu.Lock()
		defer y.mu.Unlock()
		y.plan.Writes = append(y.plan.Writes, w)
		return 0, nil
	}
	switch w := w.(type) {
	case SetPR:
		return 0, y.API.SetPR(ctx, w.ID, w.Change)
	case RemoveRef:
		return 0, y.API.RemoveRef(ctx, w.ID)
	case SetRef:
		return 0, y.API.SetRef(ctx, w.Ref, w.Create, w.Force)
	default:
		return y.API.SetStatus(ctx, w.(SetStatus).Status)
	}
}

// sent notes that GitHub has taken a value, which counts as agreed even if the
// sync fails (GH-139).
func (y *syncer) sent(s sending, serial int64) {
	noticed := y.start
	if p := y.s.sends[s.id]; p != nil {
		noticed = p.noticed
	}
	y.s.sending = append(y.s.sending, time.Since(noticed))
	y.unsend(s.id)
	g := s.sent
	switch w := s.write.(type) {
	case SetPR:
		y.s.written[w.ID] = merge(y.s.written[w.ID], w.Change)
	case SetStatus:
		w.Status.Serial = serial
		g = w.Status
	}
	y.s.g = set(y.s.g, s.id, g)
	y.s.a = set(y.s.a, s.id, s.now)
}

// sentLate notes how it has ended to send a value in the background. What
// GitHub says now is read: events that came meanwhile may be older or newer.
func (y *syncer) sentLate(s sending, serial int64, err error) {
	p := y.s.sends[s.id]
	if p == nil || y.s.repos[s.id.Repository()] == nil {
		delete(y.s.sends, s.id) // its repository is no longer mirrored
		return
	}
	switch {
	case err == nil:
		p.goesOn = false
		y.sent(s, serial)
		if r := readOf(s.id); y.allowed(r) {
			y.s.reads[r] = &retry{due: y.now()}
		}
	case github.Refused(err):
		y.refuse(s.id, s.b, s.g, why(err))
	case p.fail(y.now(), err):
		y.failed(err, "GitHub could not be told", "what", s.write.Subject(), "again", p.due)
	}
	y.s.touchID(s.id)
}

// readOf returns what to read to know what GitHub says of an element that can
// be sent.
func readOf(id github.ID) read {
	switch id := id.(type) {
	case github.PRID:
		return pullRequest(id)
	case github.RefID:
		return reference(id)
	default:
		return statusesOf(id.(github.StatusID).Commit)
	}
}

// merge returns the change that c and then d make.
func merge(c, d github.PRChange) github.PRChange {
	if d.Title != nil {
		c.Title = d.Title
	}
	if d.State != nil {
		c.State = d.State
	}
	if d.Base != nil {
		c.Base = d.Base
	}
	return c
}

// postpone notes that a value could not be sent for the time being.
func (y *syncer) postpone(s sending, err error) {
	p := y.s.sends[s.id]
	if p == nil {
		p = &pendingSend{retry: retry{noticed: y.start}}
		y.s.sends[s.id] = p
	}
	if !sameSendable(p.b, s.b) {
		p.attempts = 0
	}
	p.b = s.b
	delete(y.s.refused, s.id)
	if p.fail(y.now(), err) {
		y.failed(err, "GitHub could not be told", "what", s.write.Subject(), "again", p.due)
	}
}
