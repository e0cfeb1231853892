package main

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/datakit/datakit/bench/wire"
)

// clients9P measures the commits of many clients, each with a connection of
// its own, beside those of one.
func clients9P(e *env) ([]row, error) {
	srv, err := e.serveNew("clients9p")
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	one := &crowd{srv: srv, n: 1, branch: func(int) string { return "one" }}
	shared := &crowd{srv: srv, n: e.size.clients, branch: func(int) string { return "shared" }}
	own := &crowd{srv: srv, n: e.size.clients, branch: func(i int) string { return fmt.Sprintf("own-%d", i) }}
	m, err := interleave(e,
		func() (float64, error) { return one.rate(e) },
		func() (float64, error) { return shared.rate(e) },
		func() (float64, error) { return own.rate(e) })
	if err != nil {
		return nil, err
	}
	rows := shared.rows(fmt.Sprintf("%d clients, 1 branch", shared.n), m[1], m[0])
	return append(rows, own.rows(fmt.Sprintf("%d clients, %[1]d branches", own.n), m[2], m[0])...), nil
}

// A crowd is a number of clients that commit at the same time.
type crowd struct {
	srv    *server
	n      int
	branch func(i int) string

	mu        sync.Mutex // guards what follows
	latencies []float64  // of all commits of all turns, in milliseconds
	failures  int
	last      error // of the failures
}

// rate returns how many commits a second the crowd makes in a turn. A commit
// that the server refuses counts as a failure; its client goes on.
func (c *crowd) rate(e *env) (float64, error) {
	clients, err := c.connect()
	defer func() {
		for _, t := range clients {
			t.c.Close()
		}
	}()
	if err != nil {
		return 0, err
	}
	before := len(c.latencies)
	start := time.Now()
	g, ctx := errgroup.WithContext(e.ctx)
	for _, t := range clients {
		g.Go(func() error {
			for time.Since(start) < e.size.turn && ctx.Err() == nil {
				if err := c.commit(t); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = g.Wait()
	return float64(len(c.latencies)-before) / time.Since(start).Seconds(), err
}

func (c *crowd) connect() (clients []*txClient, err error) {
	for i := range c.n {
		conn, err := wire.Dial(c.srv.socket, 64<<10, "")
		if err != nil {
			return clients, err
		}
		t, err := newTxClient(conn, c.branch(i), i)
		if err != nil {
			conn.Close()
			return clients, err
		}
		clients = append(clients, t)
	}
	return clients, nil
}

// commit makes one commit and takes note of how it went. The error is that of
// a broken connection.
func (c *crowd) commit(t *txClient) error {
	start := time.Now()
	err := t.commit()
	took := milliseconds(time.Since(start))
	var refused wire.Errno
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.failures++
		c.last = err
	} else {
		c.latencies = append(c.latencies, took)
	}
	return nil
}

func (c *crowd) rows(who string, rate, one float64) []row {
	p50, p99 := median(c.latencies), percentile(c.latencies, 99)
	failed := row{name: who + ", failed", unit: "commits", ours: float64(c.failures), goal: atMost(0)}
	if c.last != nil {
		failed.note = c.last.Error()
	}
	return []row{
		{name: who + ", commits", unit: "1/s", ours: rate, alt: one, altName: "one client", goal: times(4)},
		{name: who + ", 99th percentile", unit: "ms", ours: p99, alt: p50, altName: "median", goal: within(20)},
		failed,
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
