package fsapi_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// The tests of this file measure memory, so they do not run beside others.

// heapInUse returns how much memory is reachable.
func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// leavesNothing fails the test if memory and tasks are not what they were
// after f has run n times.
func leavesNothing(t *testing.T, n int, f func(i int)) {
	t.Helper()
	if testing.Short() {
		n /= 10
	}
	for i := range n / 10 {
		f(i)
	}
	memory, tasks := heapInUse(), runtime.NumGoroutine()
	for i := range n {
		f(n + i)
	}
	if now := heapInUse(); now > memory+2<<20 {
		t.Errorf("%d bytes of memory in use, %d before", now, memory)
	}
	for end := time.Now().Add(testTimeout); runtime.NumGoroutine() > tasks; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d tasks, %d before", runtime.NumGoroutine(), tasks)
		}
	}
}

// alone is directly for a test that does not run beside others.
func alone(t *testing.T) *conn { return newEnv(t, transports[0], newTestDB(), nil).connect() }

func TestFS83_FS210_WatchesEndWithTheirFile(t *testing.T) {
	c := alone(t)
	c.commit("master", "1", map[string]string{"f": "1"})
	leavesNothing(t, 10_000, func(int) {
		for _, path := range []string{"head.live", "reflog", "watch/tree.live", "watch/f.node/tree.live"} {
			f := c.openFile("branch/master/"+path, 0)
			if path != "reflog" {
				_, err := f.read(c.ctx, make([]byte, 100), 0)
				c.must("read "+path, err)
			}
			f.clunk()
		}
	})
	if n := c.fs.Streams(); n != 0 {
		t.Errorf("%d streams are open", n)
	}
}

func TestFS175_FS211_VisitedNamesLeaveNothing(t *testing.T) {
	c := alone(t)
	h := c.commit("master", "1", map[string]string{"dir/f": "1"})
	path := c.begin("master", "t")
	leavesNothing(t, 5_000, func(i int) {
		name := fmt.Sprintf("%040x", i)
		for _, place := range []string{
			"snapshots/" + name, "commits/" + name, "trees/F-" + name, "branch/master/ro/dir/" + name,
			"branch/master/watch/" + name + ".node/x.node", path + "/rw/dir/" + name, "branch/" + name,
			"snapshots/" + h + "/ro/dir/f", path + "/rw/dir/f",
		} {
			c.walkError(place)
		}
	})
}

// TestFS211_FS216_MadeNamesLeaveNothing makes and removes what a connection
// can have.
func TestFS211_FS216_MadeNamesLeaveNothing(t *testing.T) {
	c := alone(t)
	c.commit("master", "1", map[string]string{"dir/f": "1"})
	held := c.begin("master", "held")
	leavesNothing(t, 2_000, func(i int) {
		name := fmt.Sprint("n", i)
		c.mkdir("branch/" + name)
		c.mkdir("branch/" + name + "/transactions/t")
		c.remove("branch/" + name)
		c.mkdir("remotes/" + name)
		c.remove("remotes/" + name)
		c.mkdir(held + "/rw/" + name)
		c.must("rename", c.with(held+"/rw/"+name, func(f fid) error { return f.rename(c.ctx, name+"x") }))
		c.remove(held + "/rw/" + name + "x")
		t := c.begin("master", name)
		c.put(t+"/rw/"+name, "x")
		c.echo("close", t+"/ctl")
	})
	if n := c.fs.Transactions(); n != 1 {
		t.Errorf("%d transactions are open, want 1", n)
	}
}
