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
	return watchLargest(ctx, func() float64 {
		v, _ := memory(pid, field) // 0 once the process has ended
		return v
	})
}

// watchLargest looks at a value all the time. The result stops that and returns
// the largest.
func watchLargest(ctx context.Context, look func() float64) (stop func() float64) {
	ctx, cancel := context.WithCancel(ctx)
	var largest float64
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			largest = max(largest, look())
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
	runtime.GC()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	return watchLargest(ctx, func() float64 {
		metrics.Read(sample)
		return float64(sample[0].Value.Uint64()) / (1 << 20)
	})
}
