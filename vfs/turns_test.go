package vfs

import (
	"context"
	"slices"
	"sync"
	"testing"
)

// TestFS91_TurnsInOrder has each call take its place before the next one
// starts, which it knows from MayWait.
func TestFS91_TurnsInOrder(t *testing.T) {
	t.Parallel()
	var (
		turns Turns
		order []int // guarded by turns
		wg    sync.WaitGroup
	)
	fails(t, turns.Take(t.Context()), nil)
	for i := range 20 {
		ctx, waits := waiting(t.Context())
		wg.Go(func() {
			if err := turns.Take(ctx); err != nil {
				t.Errorf("Take: %v", err)
				return
			}
			defer turns.Give()
			order = append(order, i)
		})
		soon(t, "the wait", waits)
	}
	turns.Give()
	wg.Wait()
	if !slices.IsSorted(order) || len(order) != 20 {
		t.Errorf("order %v", order)
	}
}

func TestTurns_Cancel(t *testing.T) {
	t.Parallel()
	var turns Turns
	fails(t, turns.Take(t.Context()), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fails(t, turns.Take(ctx), ErrInterrupted)
	turns.Give()
	fails(t, turns.Take(t.Context()), nil) // nobody has it
	turns.Give()
}

// TestTurns_CancelRace gives turns to calls that are given up at the same
// time: none may be lost.
func TestTurns_CancelRace(t *testing.T) {
	t.Parallel()
	var turns Turns
	var wg sync.WaitGroup
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() {
			if turns.Take(ctx) == nil {
				turns.Give()
			}
		})
		wg.Go(cancel)
	}
	wg.Wait()
	fails(t, turns.Take(t.Context()), nil)
}
