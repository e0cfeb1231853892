package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/bridge"
	"github.com/datakit/datakit/github/githubtest"
	"github.com/datakit/datakit/github/layout"
)

// githubLag measures how soon a status that is written to the branch is on
// GitHub, and an event of GitHub on the branch, at several numbers of mirrored
// repositories.
func githubLag(e *env) (rows []row, err error) {
	for _, n := range e.size.mirrored {
		got, err := e.lagAt(n)
		if err != nil {
			return rows, err
		}
		rows = append(rows, got...)
	}
	return rows, nil
}

func (e *env) lagAt(n int) ([]row, error) {
	h := newHub()
	defer h.close()
	src := githubtest.NewSource(h.world)
	defer src.Close()
	for i := range n {
		h.fill(benchRepo(i), 3, 2, 5)
	}
	o, close, err := e.mirror(h, n)
	if err != nil {
		return nil, err
	}
	defer close()
	o.Source = src
	var state bridge.State
	if err := bridge.Once(e.ctx, o, &state); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(e.ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { bridge.Repeat(ctx, o, &state) })
	h.requests()
	out, calls, err := e.toGitHub(h, o, n)
	if err != nil {
		return nil, err
	}
	in, err := e.toBranch(h, o, n)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf(", %d repositories", n)
	return []row{
		{name: "status from the branch to GitHub" + what, unit: "ms", ours: median(out), goal: atMost(100),
			note: fmt.Sprintf("largest %s", number(percentile(out, 100)))},
		{name: "the same", unit: "calls each", ours: float64(calls) / float64(len(out)), goal: atMost(1)},
		{name: "event from GitHub to the branch" + what, unit: "ms", ours: median(in), goal: atMost(100),
			note: fmt.Sprintf("largest %s", number(percentile(in, 100)))},
	}, nil
}

// toGitHub commits statuses one after the other and returns how many
// milliseconds after each commit GitHub has it, and how many requests that made.
func (e *env) toGitHub(h *hub, o bridge.Options, repos int) (took []float64, calls int, err error) {
	heard := make(chan githubtest.Change, 100)
	defer h.world.Listen(func(c githubtest.Change) { heard <- c })()
	for i := range e.size.samples {
		st := github.NewStatus(benchCommit(benchRepo(i%repos), 0), "ci/lag", github.Success, fmt.Sprint("build ", i), "")
		err := o.DB.Branch(o.Branch).Update(e.ctx, "a status", func(tx *datakit.Tx) error { return layout.Write(e.ctx, tx, st) })
		if err != nil {
			return nil, 0, err
		}
		start := time.Now()
		if err := await(e.ctx, heard, func(c githubtest.Change) bool { return c.Status.Description == st.Description }); err != nil {
			return nil, 0, err
		}
		took = append(took, milliseconds(time.Since(start)))
		time.Sleep(20 * time.Millisecond) // for the echo
	}
	calls, _ = h.requests()
	return took, calls, nil
}

// toBranch sets statuses on GitHub one after the other and returns how many
// milliseconds later the branch has each.
func (e *env) toBranch(h *hub, o bridge.Options, repos int) (took []float64, err error) {
	watch, err := o.DB.Branch(o.Branch).Watch(e.ctx)
	if err != nil {
		return nil, err
	}
	defer watch.Close()
	for i := range e.size.samples {
		st := github.NewStatus(benchCommit(benchRepo(i%repos), 1), "ci/lag", github.Success, fmt.Sprint("build ", i), "")
		start := time.Now()
		h.world.AddStatus(st)
		for there := false; !there; {
			if _, err := watch.Next(e.ctx); err != nil {
				return nil, err
			}
			tree, err := o.DB.Branch(o.Branch).Tree(e.ctx)
			if err != nil {
				return nil, err
			}
			now, err := layout.ReadStatus(e.ctx, tree, st.ID())
			if err != nil && !errors.Is(err, datakit.NotExist) {
				return nil, err
			}
			there = err == nil && now.Description == st.Description
		}
		took = append(took, milliseconds(time.Since(start)))
	}
	return took, nil
}

// await waits for a change that f accepts.
func await(ctx context.Context, changes <-chan githubtest.Change, f func(githubtest.Change) bool) error {
	timeout := time.NewTimer(30 * time.Second)
	defer timeout.Stop()
	for {
		select {
		case c := <-changes:
			if f(c) {
				return nil
			}
		case <-timeout.C:
			return errors.New("nothing came within 30 seconds")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
