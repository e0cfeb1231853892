package datakit_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	datakit "github.com/datakit/datakit/api/go-datakit"
)

// TestCL110_NoFidIsLost makes 10,000 operations fail, of every kind.
func TestCL110_NoFidIsLost(t *testing.T) {
	over(t, func(e *env) {
		e.put("master", "x", "dir", "file")
		s := e.head("master")
		tx := e.begin("master")
		live, err := e.c.Open(e.ctx, datakit.OREAD, "branch", "master", "head.live")
		e.check(err)
		_, err = live.Read(e.ctx, make([]byte, 100), 0)
		e.check(err)
		cancelled, cancel := context.WithCancel(e.ctx)
		cancel()
		before := e.server.Fids()
		missing := datakit.NewSnapshot(e.ctx, e.c, datakit.COMMIT, strings.Repeat("0", 40))
		long := strings.Split(strings.Repeat("none/", 40), "/")
		kinds := []func() error{
			func() error { return e.c.Mkdir(e.ctx, "branch", "master", "head", "x") },
			func() error { return e.c.Mkdir(e.ctx, "snapshots", "x") },
			func() error { return e.c.Mkdir(cancelled, "branch", "x") },
			func() error { return e.c.Remove(e.ctx, "branch", "master", "head") },
			func() error { return e.c.Remove(cancelled, "branch", "master") },
			func() error { _, err := e.c.Create(e.ctx, "branch", "master", "none"); return err },
			func() error { _, err := e.c.Create(e.ctx, "branch"); return err },
			func() error { _, err := e.c.Create(e.ctx, "none", "none"); return err },
			func() error { _, err := e.c.Open(e.ctx, datakit.OREAD, "none"); return err },
			func() error { _, err := e.c.Open(e.ctx, datakit.OREAD, long...); return err },
			func() error { _, err := e.c.Open(e.ctx, datakit.ORDWR, "branch", "master", "head", "x"); return err },
			func() error { _, err := e.c.List(e.ctx, []string{"branch", "master", "head"}); return err },
			func() error { _, err := e.c.List(cancelled, []string{"branch"}); return err },
			func() error { return e.read(live) },
			func() error { _, err := datakit.Head(e.ctx, e.c, "none"); return err },
			func() error { _, err := s.Read(e.ctx, []string{"dir"}); return err },
			func() error { _, err := missing.Read(e.ctx, nil); return err },
			func() error { _, err := datakit.NewTransaction(e.ctx, e.c, "a..b"); return err },
			func() error { return tx.Write(e.ctx, []string{"dir"}, "") },
			func() error { return tx.Write(e.ctx, []string{"dir", "file", "x", "y"}, "") },
			func() error { _, err := tx.Read(e.ctx, []string{"none"}); return err },
			func() error { return e.watchInVain(cancelled) },
			func() error { _, err := datakit.NewWatch(e.ctx, e.c, "a..b", nil); return err },
			func() error {
				_, err := datakit.NewRecord(e.ctx, e.c, []string{"master", "a..b"}, "d", "s", nil)
				return err
			},
			func() error { return tx.Commit(cancelled, "") },
		}
		rounds := 10_000 / len(kinds)
		if testing.Short() {
			rounds = 20
		}
		for range rounds {
			for i, fn := range kinds {
				if fn() == nil {
					e.Fatalf("operation %d succeeds", i)
				}
			}
		}
		live.Close(e.ctx)
		e.settles(before - 1)
	})
}

// read starts a read of a stream that has no news, and cancels it.
func (e *env) read(live *datakit.File) error {
	ctx, cancel := context.WithCancel(e.ctx)
	done := make(chan error, 1)
	go func() { _, err := live.NewIOReader(ctx, 41).Read(make([]byte, 100)); done <- err }()
	cancel()
	return <-done
}

// watchInVain opens a watch and aborts its first wait.
func (e *env) watchInVain(cancelled context.Context) error {
	w, err := datakit.NewWatch(e.ctx, e.c, "master", []string{"dir"})
	e.check(err)
	defer w.Close(e.ctx)
	_, err = w.Next(cancelled)
	return err
}

func TestCL8_CL111_CancellingIsHarmless(t *testing.T) {
	over(t, func(e *env) {
		e.put("master", strings.Repeat("x", 200_000), "file")
		s := e.head("master")
		before := e.server.Fids()
		for i := range 300 {
			ctx, cancel := context.WithCancel(e.ctx)
			done := make(chan error, 1)
			go func() {
				_, err := s.Read(ctx, []string{"file"})
				done <- err
			}()
			for range i { // some time, and more each time
				if ctx.Err() != nil {
					break
				}
			}
			cancel()
			if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
				e.Fatalf("cancelled Read: %v", err)
			}
		}
		e.has(s, strings.Repeat("x", 200_000), "file")
		e.settles(before)
	})
}
