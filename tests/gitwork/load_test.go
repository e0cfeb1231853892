package gitwork

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/datakit/datakit/tests/daemon"
)

// A load is several 9P clients that commit without a pause.
type load struct {
	stop context.CancelFunc
	done sync.WaitGroup

	mu    sync.Mutex          // guards what follows
	files map[string][]string // acknowledged files, by branch
	errs  []error
}

// startLoad starts a client for each of the branches, which may be named more
// than once. It returns when each has committed something.
func startLoad(t *testing.T, d *daemon.Daemon, branches ...string) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{stop: cancel, files: make(map[string][]string)}
	t.Cleanup(func() { l.end(t) })
	var ready sync.WaitGroup
	for i, branch := range branches {
		ready.Add(1)
		l.done.Go(func() {
			once := sync.OnceFunc(ready.Done)
			defer once()
			if err := l.commits(ctx, d.Addr, branch, fmt.Sprint("client", i), once); err != nil {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.errs = append(l.errs, fmt.Errorf("client %d on %s: %w", i, branch, err))
			}
		})
	}
	ready.Wait()
	return l
}

// commits commits files, each in a transaction of its own, until ctx is done.
func (l *load) commits(ctx context.Context, addr, branch, name string, ready func()) error {
	s, err := daemon.Dial(addr)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Mkdir("branch/" + branch); err != nil {
		return err
	}
	for n := 0; ctx.Err() == nil; n++ {
		file := fmt.Sprintf("%s/%d", name, n)
		if err := s.Commit(branch, "t", "Add "+file, map[string]string{file: file}); err != nil {
			return err
		}
		l.mu.Lock()
		l.files[branch] = append(l.files[branch], file)
		l.mu.Unlock()
		ready()
	}
	return nil
}

// end stops the clients and reports what went wrong. It may be called twice.
func (l *load) end(t *testing.T) {
	t.Helper()
	l.stop()
	l.done.Wait()
	for _, err := range l.errs {
		t.Error(err)
	}
	l.errs = nil
}

// check fails the test unless the repository has everything acknowledged.
func (l *load) check(t *testing.T, c clone) {
	t.Helper()
	for branch, files := range l.files {
		t.Logf("%d commits on %s", len(files), branch)
		checkHas(t, c, branch, files)
	}
}
