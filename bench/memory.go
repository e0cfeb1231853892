package main

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"
)

// watchMemory looks at a field of memory, such as RssAnon, all the time. The
// result stops that and returns the largest value.
func watchMemory(ctx context.Context, pid int, field string) (stop func() float64) {
	ctx, cancel := context.WithCancel(ctx)
	var largest float64
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			if v, err := memory(pid, field); err == nil {
				largest = max(largest, v)
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	return func() float64 {
		cancel()
		wg.Wait()
		return largest
	}
}

// runPeak runs a command and returns the most memory that it was seen to have.
// What wait4(2) tells is no use: it counts the memory of the parent before the
// command was loaded.
func runPeak(ctx context.Context, cmd *exec.Cmd) (float64, error) {
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	stop := watchMemory(ctx, cmd.Process.Pid, "VmHWM")
	err := cmd.Wait()
	if err != nil {
		err = fmt.Errorf("%s: %w", cmd, err)
	}
	return stop(), err
}

// watchHeap looks at the heap of this process all the time: at the objects in
// it, garbage included. The result stops that and returns the largest size in
// MiB.
func watchHeap(ctx context.Context) (stop func() float64) {
	ctx, cancel := context.WithCancel(ctx)
	runtime.GC()
	var largest uint64
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		for ctx.Err() == nil {
			metrics.Read(sample)
			largest = max(largest, sample[0].Value.Uint64())
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	return func() float64 {
		cancel()
		wg.Wait()
		return float64(largest) / (1 << 20)
	}
}
