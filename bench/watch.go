package main

import (
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/datakit/datakit/bench/wire"
)

// watchers measures how long after the answer to a commit those who watch are
// told, over 9P.
func watchers(e *env) ([]row, error) {
	alone, err := e.headLatency(0)
	if err != nil {
		return nil, err
	}
	crowded, err := e.headLatency(e.size.watchers)
	if err != nil {
		return nil, err
	}
	all, err := e.allTold()
	if err != nil {
		return nil, err
	}
	n := e.size.watchers
	return []row{
		{name: fmt.Sprintf("commit to head.live, %d others idle", n), unit: "ms", ours: median(crowded),
			alt: median(alone), altName: "none idle", goal: below(1),
			note: fmt.Sprintf("99th percentile %s", number(percentile(crowded, 99)))},
		{name: fmt.Sprintf("commit to the last of %d tree.live", n), unit: "ms", ours: median(all),
			goal: atMost(50)},
	}, nil
}

// headLatency returns how many milliseconds after each commit a reader of
// head.live gets its line, while others watch a branch that does not change.
func (e *env) headLatency(idle int) ([]float64, error) {
	srv, err := e.serveNew("watch")
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	others, err := startHive(srv, idle, func(int) []string { return []string{"branch", "idle", "head.live"} })
	if err != nil {
		return nil, err
	}
	defer others.stop()
	reader, err := startHive(srv, 1, func(int) []string { return []string{"branch", "busy", "head.live"} })
	if err != nil {
		return nil, err
	}
	defer reader.stop()
	t, err := newWriter(srv, "busy")
	if err != nil {
		return nil, err
	}
	defer t.c.Close()
	var took []float64
	for range e.size.rounds * 40 {
		if err := t.commit(); err != nil {
			return nil, err
		}
		told, err := reader.await(e, 1)
		if err != nil {
			return nil, err
		}
		took = append(took, max(0, milliseconds(told.Sub(t.acked))))
	}
	return took, nil
}

// allTold returns how many milliseconds after each commit that changes a
// number of files the last of those who watch one of the files each is told.
func (e *env) allTold() ([]float64, error) {
	srv, err := e.serveNew("watch")
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	n := e.size.watchers
	h, err := startHive(srv, n, func(i int) []string {
		dir, name := smallName(i)
		return []string{"branch", "busy", "watch", dir + ".node", name + ".node", "tree.live"}
	})
	if err != nil {
		return nil, err
	}
	defer h.stop()
	t, err := newWriter(srv, "busy")
	if err != nil {
		return nil, err
	}
	defer t.c.Close()
	var took []float64
	for range e.size.rounds * 2 {
		if err := t.commitAll(n); err != nil {
			return nil, err
		}
		told, err := h.await(e, n)
		if err != nil {
			return nil, err
		}
		took = append(took, max(0, milliseconds(told.Sub(t.acked))))
	}
	return took, nil
}

func newWriter(srv *server, branch string) (*txClient, error) {
	c, err := srv.dial(64 << 10)
	if err != nil {
		return nil, err
	}
	t, err := newTxClient(c, branch, 0)
	if err != nil {
		c.Close()
	}
	return t, err
}

// commitAll commits new content for the first n small files.
func (t *txClient) commitAll(n int) error {
	tx := fmt.Sprintf("t%d", t.n)
	t.n++
	if err := t.c.Walk(0, txsFid, "branch", t.branch, "transactions"); err != nil {
		return err
	}
	if err := t.c.Mkdir(txsFid, tx); err != nil {
		return err
	}
	for i := range n {
		if err := t.rewrite(tx, i); err != nil {
			return err
		}
	}
	return firstError(
		func() error { return t.put(ctlFid, "commit", tx, "ctl") },
		func() error { return t.c.Clunk(txsFid) },
	)
}

func (t *txClient) rewrite(tx string, i int) error {
	dir, name := smallName(i)
	return firstError(
		func() error { return t.c.Walk(txsFid, rwFid, tx, "rw") },
		func() error { return t.mkdir(rwFid, dir, fileFid) },
		func() error { return t.c.Create(fileFid, name) },
		func() error { return t.c.Write(fileFid, 0, unique()) },
		func() error { return t.c.Clunk(fileFid) },
		func() error { return t.c.Clunk(rwFid) },
	)
}

// A hive is a number of stream files that are read all the time.
type hive struct {
	conns []*wire.Conn
	told  chan time.Time // when each line came, but for the first of a stream
	group errgroup.Group // a goroutine for each connection
}

// hiveConn is how many streams share a connection.
const hiveConn = 100

// startHive opens n streams and reads the first line of each.
func startHive(srv *server, n int, path func(i int) []string) (*hive, error) {
	h := &hive{told: make(chan time.Time, 4*n)}
	for first := 0; first < n; first += hiveConn {
		c, err := srv.dial(8 << 10)
		if err != nil {
			h.stop()
			return nil, err
		}
		h.conns = append(h.conns, c)
		s := &streams{c: c, told: h.told, off: make([]uint64, min(hiveConn, n-first))}
		if err := s.open(func(i int) []string { return path(first + i) }); err != nil {
			h.stop()
			return nil, err
		}
		h.group.Go(s.run)
	}
	return h, nil
}

// await returns when the last of the next n lines arrived.
func (h *hive) await(e *env, n int) (last time.Time, err error) {
	timeout := time.NewTimer(20 * time.Second)
	defer timeout.Stop()
	for i := range n {
		select {
		case at := <-h.told:
			if at.After(last) {
				last = at
			}
		case <-timeout.C:
			return last, fmt.Errorf("only %d of %d watchers told after 20 seconds", i, n)
		case <-e.ctx.Done():
			return last, e.ctx.Err()
		}
	}
	return last, nil
}

// stop ends the reading.
func (h *hive) stop() {
	for _, c := range h.conns {
		c.Close()
	}
	h.group.Wait() // with the errors of closed connections
}

// streams are the open streams of one connection. Stream i has fid
// freeFid + i and tag i.
type streams struct {
	c    *wire.Conn
	told chan<- time.Time
	off  []uint64
}

// open opens each stream, reads its first line, and asks for the next.
func (s *streams) open(path func(i int) []string) error {
	made := make(map[string]bool)
	for i := range s.off {
		names, fid := path(i), freeFid+uint32(i)
		if !made[names[1]] {
			made[names[1]] = true
			if _, err := newTxClient(s.c, names[1], 0); err != nil {
				return err
			}
		}
		var line []byte
		err := firstError(
			func() error { return s.c.Walk(0, fid, names...) },
			func() error { return s.c.Open(fid, 0) },
			func() (err error) { line, err = s.c.Read(fid, 0, 4096); return err },
			func() error { s.off[i] = uint64(len(line)); return nil },
			func() error { _, err := s.c.Read(fid, s.off[i], 4096); return err }, // the empty answer
		)
		if err != nil {
			return fmt.Errorf("open stream %v: %w", names, err)
		}
	}
	for i := range s.off {
		s.ask(i)
	}
	return s.c.Flush()
}

func (s *streams) ask(i int) {
	s.c.QueueRead(uint16(i), freeFid+uint32(i), s.off[i], 4096)
}

// run takes the answers until the connection ends.
func (s *streams) run() error {
	for {
		tag, body, err := s.c.Next()
		if err != nil {
			return err
		}
		if n := len(wire.Data(body)); n > 0 {
			select {
			case s.told <- time.Now():
			default: // nobody awaits that many
			}
			s.off[tag] += uint64(n)
		}
		s.ask(int(tag))
		if !s.c.Buffered() {
			if err := s.c.Flush(); err != nil {
				return err
			}
		}
	}
}
